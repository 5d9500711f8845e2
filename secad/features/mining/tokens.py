"""What the tokens of a form are, by which forms and templates are compared.

Each token is a keyed 64-bit hash, its *code*. Its *shape* is its code without its digits, its
*kind* says whether it is a name of something (it holds a value, is dotted as hosts, files and
classes are, or has a digit and a ``_`` as identifiers have) or empty (``()``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.features.inlined import borrowed, inlined
from secad.features.mining.canonical import TOKEN_BYTES
from secad.features.mining.siphash import Hashes, siphash
from secad.features.mining.values import DIGIT, KIND, LETTERS, MASK, WORD
from secad.features.mining.words import GLUE
from secad.features.spans import Bytes

SCRATCH_BYTES = TOKEN_BYTES + 16
NAMED, EMPTY, LETTERED, GLUED = 1, 2, 4, 8
_DIGIT, _LINE = 16, 32  # of bytes: a token that has both is an identifier

_BLANK, _DOT = ord(" "), ord(".")
_DOTS = 2  # of the name of a host or a class


def _empty_marks() -> npt.NDArray[np.bool_]:
    marks = np.zeros(256, dtype=np.bool_)
    marks[[*b"()[]{}<>\"'-.,;:=", GLUE]] = True
    return marks


def _byte_kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[(KIND & LETTERS) > 0] = LETTERED
    kinds[[MASK, *b"@\\"]] = NAMED
    kinds[GLUE] = GLUED
    kinds[KIND == DIGIT] = _DIGIT
    kinds[ord("_")] = _LINE
    return kinds


_EMPTY_MARKS = _empty_marks()
_BYTE_KINDS = _byte_kinds()


class Tokens(NamedTuple):
    """What is known of T tokens."""

    codes: Hashes
    shapes: Hashes
    kinds: npt.NDArray[np.uint8]


class Reading(NamedTuple):
    """What the tokens of a form are read with, and into."""

    key: Hashes
    scratch: Bytes  # (SCRATCH_BYTES,)
    tokens: Tokens  # of the form


def no_tokens(count: int) -> Tokens:
    """Returns room for so many tokens."""
    return Tokens(
        np.zeros(count, dtype=np.uint64),
        np.zeros(count, dtype=np.uint64),
        np.zeros(count, dtype=np.uint8),
    )


@inlined
def _kind(token: Bytes, length: int) -> int:
    """Returns the kind of a token, of which some bytes stand at the beginning of ``token``."""
    kind, dots, empty = 0, 0, True
    for at in range(length):
        byte = token[at]
        kind |= _BYTE_KINDS[byte]
        empty = empty and _EMPTY_MARKS[byte]
        if byte == _DOT and 0 < at < length - 1:
            dots += bool(KIND[token[at - 1]] & WORD and KIND[token[at + 1]] & WORD)
    if dots >= _DOTS or kind & (_DIGIT | _LINE) == _DIGIT | _LINE:
        kind |= NAMED
    return kind | EMPTY * empty


@inlined
def _describe_token(reading: Reading, count: int, length: int) -> None:
    """Writes the code, the shape and the kind of the token that was read."""
    reading.tokens.kinds[count] = _kind(reading.scratch, length)
    code = siphash(reading.scratch, length, reading.key)
    reading.tokens.codes[count] = reading.tokens.shapes[count] = code
    kept = 0
    for at in range(length):
        if KIND[reading.scratch[at]] != DIGIT:
            reading.scratch[kept] = reading.scratch[at]
            kept += 1
    if kept < length:
        reading.tokens.shapes[count] = siphash(reading.scratch, kept, reading.key)


@inlined
def describe(text: Bytes, at: int, end: int, reading: Reading) -> int:
    """Writes what a form's tokens are to a reading; returns how many there are."""
    count = 0
    while at < end:
        length = 0
        while at < end and text[at] != _BLANK:
            reading.scratch[length] = text[at]
            at, length = at + 1, length + 1
        _describe_token(reading, count, length)
        count += 1
        at += 1
    return count


@inlined
def is_alike(tokens: Tokens, known: int, form: Tokens, at: int) -> bool:
    """Says whether two tokens differ only in what varies by nature."""
    if tokens.shapes[known] == form.shapes[at]:
        return True
    kind, other = tokens.kinds[known], form.kinds[at]
    named = (kind | other) & NAMED
    return bool(named and kind & (NAMED | EMPTY) and other & (NAMED | EMPTY))


@inlined
def lent(tokens: Tokens) -> Tokens:
    """Returns the same tokens, inside a kernel, with no references counted."""
    return Tokens(borrowed(tokens.codes), borrowed(tokens.shapes), borrowed(tokens.kinds))
