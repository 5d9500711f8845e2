r"""The compiled JSON grammar under ``json.columns``: the steps from which its walk is made.

A node is a leaf with a value, or an object that holds others; an array is one leaf, checked but
not opened. Null values and empty objects leave no node. The grammar is RFC 8259 and nothing more
(no text after the object, no NaN, no bare control character), walked without recursion and
without allocation, and of a line that breaks it the scan tells what was expected and where.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from secad.features.inlined import inlined, peek
from secad.features.words import (
    WORD_BYTES,
    bytes_below,
    bytes_equal,
    first_byte,
    load_word,
    spread_byte,
)

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

DEPTH_CAP = 64  # real logs nest a dozen levels; open containers fit the bits of one integer
_NODE_BYTES = 5  # the fewest that make a node: "":1,

FAULTS = (
    "",
    "expected an object",
    "expected a key in double quotes",
    "expected ':' after key",
    "expected a value",
    "expected ',' or '}'",
    "expected ',' or ']'",
    "a string without its closing quote",
    "a control character inside a string",
    "an escape that JSON does not have",
    "a number that JSON does not have",
    f"nested deeper than {DEPTH_CAP} levels",
    "text after the object",
)
"""What can be wrong with a line; a fault's number is its place here."""
NO_OBJECT, _KEY, _COLON, _VALUE, _IN_OBJECT, _IN_ARRAY = 1, 2, 3, 4, 5, 6
_OPEN, _CONTROL, _ESCAPE, _NUMBER, _DEPTH, TRAILING = 7, 8, 9, 10, 11, 12

NOTHING, PLAIN, ESCAPED, INNER = 0, 1, 2, 3
"""Kinds of values; ESCAPED is a string with escapes."""
OBJECTS = -1  # all bits set: every open container is an object

QUOTE, _BACKSLASH, _LETTER_U, _MINUS = ord('"'), ord("\\"), ord("u"), ord("-")
BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")
_TRUE, _FALSE, _NULL = (np.frombuffer(word, np.uint8) for word in (b"true", b"false", b"null"))


def _class(members: Iterable[int]) -> Bytes:
    made = np.zeros(256, dtype=np.uint8)
    made[list(members)] = 1
    return made


_FIRST_PRINTABLE = 0x20
_SPACE = _class(b" \t\n\r")
_SPECIAL = _class([*range(0x20), QUOTE, _BACKSLASH])
_HEX = _class(b"0123456789abcdefABCDEF")
_ESCAPABLE = _class(b'"\\/bfnrt')


def nodes_for(size_bytes: int) -> int:
    """Returns how many nodes lines of so many bytes have at most, a broken one included."""
    return size_bytes // _NODE_BYTES + DEPTH_CAP


@inlined
def fault(number: int, at: int) -> int:
    """Returns in place of a place what is wrong at it."""
    return -(at * 16 + number)


@inlined
def text_of(data: Bytes, at: int, stop: int, kind: int) -> tuple[int, int]:
    """Returns TEXT and TEXT_SIZE of the value in ``data[at:stop]``."""
    if kind == INNER:
        return -1, 0
    if peek(data, at) == QUOTE:
        at, stop = at + 1, stop - 1
    return at, ~(stop - at) if kind == ESCAPED else stop - at


@inlined
def space(data: Bytes, at: int, end: int) -> int:
    """Returns the next place that holds no blank, or the end."""
    while at < end and peek(data, at) < _FIRST_PRINTABLE + 1 and peek(_SPACE, peek(data, at)):
        at += 1
    return at


@inlined
def key(data: Bytes, at: int, end: int) -> tuple[int, int, bool]:
    """Returns the place after a key and its colon or a fault, the key's end, has it escapes."""
    if at >= end or peek(data, at) != QUOTE:
        return fault(_KEY, at), at, False
    after, kind = _string(data, at + 1, end)
    if after < 0:
        return after, at, False
    at = space(data, after, end)
    if at == end or peek(data, at) != ord(":"):
        return fault(_COLON, at), at, False
    return at + 1, after - 1, kind == ESCAPED


@inlined
def value(data: Bytes, at: int, end: int, depth: int) -> tuple[int, int]:
    """Passes the value at ``at``, but of an object only its opening brace.

    Args:
        data: the bytes of the lines.
        at: where the value begins.
        end: where the line ends.
        depth: how many containers are open around it.

    Returns:
        the place after it, the first key's in an object, or a fault; and its kind.
    """
    byte = peek(data, at) if at < end else 0
    if byte not in (BRACE, _BRACKET):
        return scalar(data, at, end)
    if depth == DEPTH_CAP:
        return fault(_DEPTH, at), NOTHING
    if byte == BRACE:
        return enter(data, at, end)
    return _array(data, at, end, depth), PLAIN


@inlined
def enter(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Passes an opening brace, and the closing one of an empty object."""
    at = space(data, at + 1, end)
    if at < end and peek(data, at) == _BRACE_END:
        return at + 1, NOTHING
    return at, INNER


@inlined
def leave(data: Bytes, at: int, end: int, inside: int, depth: int) -> tuple[int, int, int]:
    """Passes what may stand after a value: closing brackets, and a comma unless all is closed.

    Args:
        data: the bytes of the lines.
        at: the place after the value.
        end: where the line ends.
        inside: a bit for each open container, the innermost lowest: 1 for an object.
        depth: how many containers are open.

    Returns:
        the place of the next key or value or a fault; what is still open, and how many.
    """
    while depth > 0:
        at = space(data, at, end)
        byte = peek(data, at) if at < end else 0
        if byte == ord(","):
            return space(data, at + 1, end), inside, depth
        if byte != (_BRACE_END if inside & 1 else _BRACKET_END):
            return fault(_IN_OBJECT if inside & 1 else _IN_ARRAY, at), inside, depth
        at, inside, depth = at + 1, inside >> 1, depth - 1
    return at, inside, depth


@inlined
def _array(data: Bytes, at: int, end: int, depth: int) -> int:
    """Returns the place after the array at ``at`` or a fault; what is in it is only checked.

    Args:
        data: the bytes of the lines.
        at: its opening bracket.
        end: where the line ends.
        depth: how many containers are open around it.
    """
    inside, within = 0, 0  # as in _leave
    while True:
        byte = peek(data, at) if at < end else 0
        opens = byte in (_BRACKET, BRACE)
        if opens and depth + within == DEPTH_CAP:
            return fault(_DEPTH, at)
        if opens:
            inside, within = inside << 1 | (byte == BRACE), within + 1
            at = space(data, at + 1, end)
            opens = at == end or peek(data, at) != (_BRACE_END if inside & 1 else _BRACKET_END)
        else:
            at, _ = scalar(data, at, end)
        if not opens and at >= 0:
            at, inside, within = leave(data, at, end, inside, within)
            if within == 0:
                return at
        if inside & 1 and at >= 0:
            at, _, _ = key(data, at, end)
            at = space(data, at, end) if at >= 0 else at
        if at < 0:
            return at


@inlined
def scalar(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the place after the string, number or word at ``at`` or a fault, and its kind."""
    byte = peek(data, at) if at < end else 0
    if byte == QUOTE:
        return _string(data, at + 1, end)
    if byte == _MINUS or 48 <= byte <= 57:
        return _number(data, at, end), PLAIN
    if byte == ord("t"):
        return _word(data, at, end, _TRUE), PLAIN
    if byte == ord("f"):
        return _word(data, at, end, _FALSE), PLAIN
    return _word(data, at, end, _NULL), NOTHING


@inlined
def _string(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the place after the string whose first byte is at ``at`` or a fault, and its kind."""
    kind = PLAIN
    while True:
        at = _ordinary(data, at, end)
        if at == end:
            return fault(_OPEN, at), kind
        if peek(data, at) == QUOTE:
            return at + 1, kind
        if peek(data, at) != _BACKSLASH:
            return fault(_CONTROL, at), kind
        width = _escape_width(data, at, end)
        if width == 0:
            return fault(_ESCAPE, at), kind
        at, kind = at + width, ESCAPED


@inlined
def _ordinary(data: Bytes, at: int, end: int) -> int:
    """Returns the next place of a quote, a backslash or a control character, or the end."""
    quotes, slashes = spread_byte(QUOTE), spread_byte(_BACKSLASH)
    controls = spread_byte(_FIRST_PRINTABLE)
    while at + WORD_BYTES <= end:
        word = load_word(data, at)
        found = bytes_equal(word, quotes) | bytes_equal(word, slashes) | bytes_below(word, controls)
        if found:
            return at + first_byte(found)
        at += WORD_BYTES
    while at < end and not peek(_SPECIAL, peek(data, at)):
        at += 1
    return at


@inlined
def _escape_width(data: Bytes, at: int, end: int) -> int:
    """Returns how many bytes the escape at ``at`` has, 0 where it is none."""
    if at + 1 < end and peek(_ESCAPABLE, peek(data, at + 1)):
        return 2
    if at + 5 >= end or peek(data, at + 1) != _LETTER_U:
        return 0
    for step in range(2, 6):
        if not peek(_HEX, peek(data, at + step)):
            return 0
    return 6


@inlined
def _number(data: Bytes, at: int, end: int) -> int:
    """Returns the place after the number at ``at`` or a fault."""
    if peek(data, at) == _MINUS:
        at += 1
    first = at
    at = _digits(data, at, end)
    if at > first + 1 and peek(data, first) == ord("0"):
        return fault(_NUMBER, first)
    if at > first and at < end and peek(data, at) == ord("."):
        first = at + 1
        at = _digits(data, first, end)
    if at > first and at < end and peek(data, at) | 0x20 == ord("e"):
        first = at + 1
        if first < end and peek(data, first) in (ord("+"), _MINUS):
            first += 1
        at = _digits(data, first, end)
    return at if at > first else fault(_NUMBER, first)


@inlined
def _digits(data: Bytes, at: int, end: int) -> int:
    while at < end and 48 <= peek(data, at) <= 57:
        at += 1
    return at


@inlined
def _word(data: Bytes, at: int, end: int, word: Bytes) -> int:
    """Returns the place after ``word`` at ``at`` or a fault."""
    for step in range(len(word)):
        if at + step >= end or peek(data, at + step) != word[step]:
            return fault(_VALUE, at)
    return at + len(word)
