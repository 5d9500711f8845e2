"""Which words of a message, and which runs of them, are values.

The rules stand in ``canonical``. Each function looks at bytes from one place on and says where
what it looks for ends; where it is not there, that is the place itself. A *name* is a run of
letters, digits and ``_``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import inlined, peek
from secad.features.mining.values import (
    DIGIT,
    KIND,
    LETTER,
    LETTERS,
    LONG_HEX,
    SPACE,
    WORD,
    byte_at,
)
from secad.features.spans import Bytes

GLUE = 0x1E  # RS, "record separator", in ASCII
MANY_DIGITS = 2  # ssh2, tty1 and L3 are names, node12 and 4f2a are values
SHORT_HEX = 4

UNDERSCORE, BOUND = 64, 128
NAME = WORD | UNDERSCORE

_LINE, _DASH, _DOT, _COLON, _COMMA = ord("_"), ord("-"), ord("."), ord(":"), ord(",")
_SLASH, _BACKSLASH, _EQUALS, _BLANK = ord("/"), ord("\\"), ord("="), ord(" ")
_I, _B = ord("i"), ord("B")
_PARTS = 3  # of a name such as web-3.lan.example
_DATE_NUMBERS = 3  # day, time, year
_YEAR = 4  # digits


def _marks() -> npt.NDArray[np.uint8]:
    marks = (KIND & WORD).astype(np.uint8)
    marks[_LINE] |= UNDERSCORE
    marks[list(b" \t\n\v\f\r,!;:=|\"'[](){}<>")] |= BOUND
    return marks


def _codes(words: str) -> npt.NDArray[np.int64]:
    return np.array([int.from_bytes(word.encode()) for word in words.split()], dtype=np.int64)


MARKS = _marks()
"""Of each byte: whether it stands in a word or a name, or bounds a path."""

_MONTHS = _codes("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
_DATE_WORDS = np.concatenate([_MONTHS, _codes("Mon Tue Wed Thu Fri Sat Sun")])
_USER = _codes("user")[0]
_BEFORE_USER = _codes("for invalid of as by")
_SCALES = np.frombuffer(b"KMGT", dtype=np.uint8)


class Name(NamedTuple):
    """What a name holds.

    Args:
        end: of the name.
        seen: the kinds of its bytes.
        digits: how many of them; one more for each that starts the name or follows a ``_``.
    """

    end: int
    seen: int
    digits: int


@inlined
def copy_name(data: Bytes, at: int, end: int, form: Bytes, length: int) -> Name:
    """Copies the name that starts at ``at`` to a form; in ``blk_-17`` the sign belongs to it."""
    seen, digits, before = 0, 0, _LINE
    while at < end:
        byte = peek(data, at)
        mark = peek(MARKS, byte)
        if not mark & NAME and not _is_sign_in_name(data, at, before, seen, end):
            break
        seen |= mark
        if mark == DIGIT:
            digits += 1 + (before in (_LINE, _DASH))
        before = byte
        form[np.uint64(length)] = byte
        at, length = at + 1, length + 1
    return Name(at, seen, digits)


@inlined
def _is_sign_in_name(data: Bytes, at: int, before: int, seen: int, end: int) -> bool:
    if before != _LINE or peek(data, at) != _DASH or not seen:
        return False
    return bool(MARKS[byte_at(data, at + 1, end)] == DIGIT)


@inlined
def is_value(name: Name, length: int) -> bool:
    """Says whether a name varies by nature: it has digits enough, or is a hexadecimal word."""
    if name.digits >= MANY_DIGITS:
        return True
    if name.seen & (LETTER | UNDERSCORE):
        return False
    return length >= LONG_HEX or (name.digits > 0 and length >= SHORT_HEX)


@inlined
def joins(data: Bytes, at: int, end: int) -> bool:
    """Says whether the byte at ``at`` joins two names: a dot or a dash, and a name behind it."""
    if at + 1 >= end or peek(data, at) not in (_DOT, _DASH):
        return False
    return bool(peek(MARKS, peek(data, at + 1)) & NAME)


@kernel
def joined_end(data: Bytes, at: int, name: Name, end: int, scratch: Bytes) -> int:
    """Returns the end of names joined to a value: a decimal, an address, a host, a date.

    Three names make one where any of them is a value, two where both have digits and a dot
    between them.

    Args:
        data: the bytes.
        at: first byte of the first name.
        name: the first name, behind which a joint stands.
        end: how far a value may reach.
        scratch: at least as many bytes as there are up to ``end``.
    """
    found, dotted, digits = (
        is_value(name, name.end - at),
        peek(data, name.end) == _DOT,
        name.digits > 0,
    )
    stop, parts = name.end, 1
    while joins(data, stop, end):
        part = copy_name(data, stop + 1, end, scratch, 0)
        found = found or is_value(part, part.end - stop - 1)
        digits = digits and part.digits > 0
        stop, parts = part.end, parts + 1
    if parts >= _PARTS:
        return stop if found else at
    return stop if dotted and digits else at


@inlined
def path_end(data: Bytes, at: int, start: int, end: int) -> int:
    """Returns the end of a path such as ``/etc/hosts``, in a token that starts at ``start``."""
    if at > start and not MARKS[peek(data, at - 1)] & BOUND:
        return at
    following = byte_at(data, at + 1, end)
    if peek(data, at) == _SLASH:
        found = not MARKS[following] & BOUND and following != _SLASH
    else:
        found = peek(data, at) == _BACKSLASH and following == _BACKSLASH
    return bare_end(data, at, end) if found else at


@inlined
def drive_path_end(data: Bytes, at: int, start: int, end: int) -> int:
    r"""Returns the end of a path such as ``C:\Windows``, whose colon stands behind ``at``."""
    following = byte_at(data, at + 2, end)
    if not MARKS[peek(data, at)] & LETTERS or following not in (_BACKSLASH, _SLASH):
        return at
    if at > start and not MARKS[peek(data, at - 1)] & BOUND:
        return at
    return bare_end(data, at + 2, end)


@inlined
def url_end(data: Bytes, at: int, start: int, end: int) -> int:
    """Returns the end of what follows ``://``, of which ``at`` is the last byte."""
    if (
        at - start < 2
        or peek(data, at) != _SLASH
        or peek(data, at - 1) != _SLASH
        or peek(data, at - 2) != _COLON
    ):
        return at
    at += 1
    while at < end and (not MARKS[peek(data, at)] & BOUND or peek(data, at) == _COLON):
        at += 1
    return at


@inlined
def bare_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of what is bound like a path, by whitespace, quotes, brackets and commas."""
    while at < end and not peek(MARKS, peek(data, at)) & BOUND:
        at += 1
    return at


@inlined
def ends_key(data: Bytes, at: int, end: int) -> bool:
    """Says whether the byte at ``at`` is the ``=`` between a key and its value."""
    if peek(data, at) != _EQUALS or at + 1 >= end or peek(data, at + 1) == _EQUALS:
        return False
    return bool(KIND[peek(data, at + 1)] != SPACE)


@inlined
def _code(data: Bytes, at: int, end: int) -> int:
    code = 0
    for place in range(at, end):
        code = code << 8 | int(peek(data, place))
    return code


@inlined
def _is_one_of(code: int, codes: npt.NDArray[np.int64]) -> bool:
    found = False
    for index in range(len(codes)):
        found = found or codes[index] == code
    return found


@inlined
def is_date_word(data: Bytes, at: int, end: int) -> bool:
    """Says whether a word is a month or a day of the week, such as Jun or Fri."""
    return end - at == 3 and peek(data, at) < 0x60 and _is_one_of(_code(data, at, end), _DATE_WORDS)


@kernel
def date_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of a date that starts with a date word: ``Fri Jun 17 20:55:06 2005``."""
    start, stop, months, numbers = at, at, 0, 0
    while at < end and numbers < _DATE_NUMBERS:
        word = at
        while at < end and (MARKS[peek(data, at)] & NAME or peek(data, at) == _COLON):
            at += 1
        if is_date_word(data, word, at):
            months += _is_one_of(_code(data, word, at), _MONTHS)
        elif _is_date_number(data, word, at):
            numbers += 1
        else:
            break
        stop = at
        at += byte_at(data, at, end) == _COMMA
        if byte_at(data, at, end) != _BLANK:
            break
        while at < end and peek(data, at) == _BLANK:
            at += 1
    return stop if months and numbers else start


@inlined
def _is_date_number(data: Bytes, at: int, end: int) -> bool:
    colons = 0
    for place in range(at, end):
        if peek(data, place) == _COLON:
            colons += 1
        elif MARKS[peek(data, place)] != DIGIT:
            return False
    return end > at and (colons > 0 or end - at <= _YEAR)


@inlined
def size_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of the unit behind a number that ends at ``at``: the KB of ``4.2 KB``."""
    if at + 1 >= end or peek(data, at) != _BLANK or peek(MARKS, peek(data, at - 1)) != DIGIT:
        return at
    stop = at + 1
    for index in range(len(_SCALES)):
        if peek(data, stop) == _SCALES[index]:
            stop += 1
            stop += byte_at(data, stop, end) == _I
            break
    if byte_at(data, stop, end) != _B or MARKS[byte_at(data, stop + 1, end)] & NAME:
        return at
    return stop + 1


@inlined
def is_user(form: Bytes, at: int, end: int) -> bool:
    """Says whether a form's token is the ``user`` of ``for user``, behind which a name stands."""
    if end - at != 4 or _code(form, at, end) != _USER or at < 3:
        return False
    start = at - 1
    while start > 0 and at - start <= 8 and KIND[form[start - 1]] & LETTERS:
        start -= 1
    return at - start <= 8 and _is_one_of(_code(form, start, at - 1), _BEFORE_USER)
