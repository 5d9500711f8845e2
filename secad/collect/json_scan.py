r"""The compiled JSON grammar under ``json_columns``: lines in, nodes out, one pass.

A node is a leaf with a value, or an object that holds others; an array is one leaf, checked but
not opened. Null values and empty objects leave no node. The grammar is RFC 8259 and nothing more
(no text after the object, no NaN, no bare control character), walked without recursion and
without allocation, and of a line that breaks it the scan tells what was expected and where.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import inlined

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

DEPTH_CAP = 64  # real logs nest a dozen levels; open containers fit the bits of one integer
_NODE_BYTES = 5  # the fewest that make a node: "":1,

ROW, PARENT, KEY, KEY_SIZE, TEXT, TEXT_SIZE = 0, 1, 2, 3, 4, 5
"""The columns of nodes: the line; the node of the object around it or -1; where the key begins and
its length; where the value's text begins and its length. A length is ``~length`` where there are
escapes; of an object, TEXT is -1."""

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
_OBJECT, _KEY, _COLON, _VALUE, _IN_OBJECT, _IN_ARRAY = 1, 2, 3, 4, 5, 6
_OPEN, _CONTROL, _ESCAPE, _NUMBER, _DEPTH, _TRAILING = 7, 8, 9, 10, 11, 12

_NOTHING, _PLAIN, ESCAPED, _INNER = 0, 1, 2, 3
"""Kinds of values; ESCAPED is a string with escapes."""
_ONE = np.uint64(1)
_OBJECTS = -1  # all bits set: every open container is an object

_QUOTE, _BACKSLASH, _LETTER_U, _MINUS = ord('"'), ord("\\"), ord("u"), ord("-")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")
_TRUE, _FALSE, _NULL = (np.frombuffer(word, np.uint8) for word in (b"true", b"false", b"null"))


def _class(members: Iterable[int]) -> Bytes:
    made = np.zeros(256, dtype=np.uint8)
    made[list(members)] = 1
    return made


_SPACE = _class(b" \t\n\r")
_SPECIAL = _class([*range(0x20), _QUOTE, _BACKSLASH])
_DIGIT = _class(b"0123456789")
_HEX = _class(b"0123456789abcdefABCDEF")
_ESCAPABLE = _class(b'"\\/bfnrt')


def nodes_for(size_bytes: int) -> int:
    """Returns how many nodes lines of so many bytes have at most, a broken one included."""
    return size_bytes // _NODE_BYTES + DEPTH_CAP


@kernel
def scan(data: Bytes, starts: Numbers, nodes: Numbers, faults: Numbers) -> int:
    """Finds the nodes of lines.

    Args:
        data: the bytes of the lines.
        starts: (N + 1,) where each line begins in ``data``.
        nodes: (M, 6) filled in the lines' order; see ``nodes_for``.
        faults: (N, 2) what is wrong with each line and at which of its bytes, filled.

    Returns:
        how many nodes there are.
    """
    count = 0
    for row in range(len(faults)):
        place, after = _line(data, starts[row], starts[row + 1], nodes, count)
        if place < 0:
            faults[row, 0] = -place & 15
            faults[row, 1] = (-place >> 4) - starts[row]
            continue
        for node in range(count, after):
            nodes[node, ROW] = row
        count = after
    return count


@inlined
def _fault(number: int, at: int) -> int:
    return -(at * 16 + number)


@inlined
def _line(data: Bytes, at: int, end: int, nodes: Numbers, count: int) -> tuple[int, int]:
    """Walks the objects of a line; returns its end or a fault, and the next free node."""
    at = space(data, at, end)
    if at == end or data[at] != _BRACE:
        return _fault(_OBJECT, at), count
    at, kind = _enter(data, at, end)
    depth = 1 if kind == _INNER else 0  # objects that are open
    around = -1  # the node of the innermost one
    while depth > 0:
        key = at + 1
        after, stop, escaped = _key(data, at, end)
        if after < 0:
            return after, count
        begin = space(data, after, end)
        at, kind = _value(data, begin, end, depth)
        if at < 0:
            return at, count
        if kind != _NOTHING:
            nodes[count, PARENT], nodes[count, KEY] = around, key
            nodes[count, KEY_SIZE] = ~(stop - key) if escaped else stop - key
            nodes[count, TEXT], nodes[count, TEXT_SIZE] = _text(data, begin, at, kind)
            count += 1
        if kind == _INNER:
            around, depth = count - 1, depth + 1
            continue
        at, _, left = _leave(data, at, end, _OBJECTS, depth)
        if at < 0:
            return at, count
        around, depth = _above(nodes, around, depth - left), left
    at = space(data, at, end)
    return at if at == end else _fault(_TRAILING, at), count


@inlined
def _above(nodes: Numbers, node: int, levels: int) -> int:
    """Returns the object so many levels above a node, -1 for that of the line."""
    while levels > 0 and node >= 0:
        node, levels = nodes[node, PARENT], levels - 1
    return node


@inlined
def _text(data: Bytes, at: int, stop: int, kind: int) -> tuple[int, int]:
    """Returns TEXT and TEXT_SIZE of the value in ``data[at:stop]``."""
    if kind == _INNER:
        return -1, 0
    if data[at] == _QUOTE:
        at, stop = at + 1, stop - 1
    return at, ~(stop - at) if kind == ESCAPED else stop - at


@inlined
def space(data: Bytes, at: int, end: int) -> int:
    """Returns the next place that holds no blank, or the end."""
    while at < end and _SPACE[data[at]]:
        at += 1
    return at


@inlined
def _key(data: Bytes, at: int, end: int) -> tuple[int, int, bool]:
    """Returns the place after a key and its colon or a fault, the key's end, has it escapes."""
    if at >= end or data[at] != _QUOTE:
        return _fault(_KEY, at), at, False
    after, kind = _string(data, at + 1, end)
    if after < 0:
        return after, at, False
    at = space(data, after, end)
    if at == end or data[at] != ord(":"):
        return _fault(_COLON, at), at, False
    return at + 1, after - 1, kind == ESCAPED


@inlined
def _value(data: Bytes, at: int, end: int, depth: int) -> tuple[int, int]:
    """Passes the value at ``at``, but of an object only its opening brace.

    Args:
        data: the bytes of the lines.
        at: where the value begins.
        end: where the line ends.
        depth: how many containers are open around it.

    Returns:
        the place after it, the first key's in an object, or a fault; and its kind.
    """
    byte = data[at] if at < end else 0
    if byte not in (_BRACE, _BRACKET):
        return scalar(data, at, end)
    if depth == DEPTH_CAP:
        return _fault(_DEPTH, at), _NOTHING
    if byte == _BRACE:
        return _enter(data, at, end)
    return _array(data, at, end, depth), _PLAIN


@inlined
def _enter(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Passes an opening brace, and the closing one of an empty object."""
    at = space(data, at + 1, end)
    if at < end and data[at] == _BRACE_END:
        return at + 1, _NOTHING
    return at, _INNER


@inlined
def _leave(data: Bytes, at: int, end: int, inside: int, depth: int) -> tuple[int, int, int]:
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
        byte = data[at] if at < end else 0
        if byte == ord(","):
            return space(data, at + 1, end), inside, depth
        if byte != (_BRACE_END if inside & 1 else _BRACKET_END):
            return _fault(_IN_OBJECT if inside & 1 else _IN_ARRAY, at), inside, depth
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
        byte = data[at] if at < end else 0
        opens = byte in (_BRACKET, _BRACE)
        if opens and depth + within == DEPTH_CAP:
            return _fault(_DEPTH, at)
        if opens:
            inside, within = inside << 1 | (byte == _BRACE), within + 1
            at = space(data, at + 1, end)
            opens = at == end or data[at] != (_BRACE_END if inside & 1 else _BRACKET_END)
        else:
            at, _ = scalar(data, at, end)
        if not opens and at >= 0:
            at, inside, within = _leave(data, at, end, inside, within)
            if within == 0:
                return at
        if inside & 1 and at >= 0:
            at, _, _ = _key(data, at, end)
            at = space(data, at, end) if at >= 0 else at
        if at < 0:
            return at


@inlined
def scalar(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the place after the string, number or word at ``at`` or a fault, and its kind."""
    byte = data[at] if at < end else 0
    if byte == _QUOTE:
        return _string(data, at + 1, end)
    if byte == _MINUS or _DIGIT[byte]:
        return _number(data, at, end), _PLAIN
    if byte == ord("t"):
        return _word(data, at, end, _TRUE), _PLAIN
    if byte == ord("f"):
        return _word(data, at, end, _FALSE), _PLAIN
    return _word(data, at, end, _NULL), _NOTHING


@inlined
def _string(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the place after the string whose first byte is at ``at`` or a fault, and its kind."""
    kind = _PLAIN
    while True:
        at = _ordinary(data, at, end)
        if at == end:
            return _fault(_OPEN, at), kind
        if data[at] == _QUOTE:
            return at + 1, kind
        if data[at] != _BACKSLASH:
            return _fault(_CONTROL, at), kind
        width = _escape_width(data, at, end)
        if width == 0:
            return _fault(_ESCAPE, at), kind
        at, kind = at + width, ESCAPED


@inlined
def _ordinary(data: Bytes, at: int, end: int) -> int:
    """Returns the next place of a quote, a backslash or a control character, or the end."""
    place, stop = np.uint64(at), np.uint64(end)  # no test for Python's negative places
    while place < stop and not _SPECIAL[data[place]]:
        place += _ONE
    return int(np.int64(place))


@inlined
def _escape_width(data: Bytes, at: int, end: int) -> int:
    """Returns how many bytes the escape at ``at`` has, 0 where it is none."""
    if at + 1 < end and _ESCAPABLE[data[at + 1]]:
        return 2
    if at + 5 >= end or data[at + 1] != _LETTER_U:
        return 0
    for step in range(2, 6):
        if not _HEX[data[at + step]]:
            return 0
    return 6


@inlined
def _number(data: Bytes, at: int, end: int) -> int:
    """Returns the place after the number at ``at`` or a fault."""
    if data[at] == _MINUS:
        at += 1
    first = at
    at = _digits(data, at, end)
    if at > first + 1 and data[first] == ord("0"):
        return _fault(_NUMBER, first)
    if at > first and at < end and data[at] == ord("."):
        first = at + 1
        at = _digits(data, first, end)
    if at > first and at < end and data[at] | 0x20 == ord("e"):
        first = at + 1
        if first < end and data[first] in (ord("+"), _MINUS):
            first += 1
        at = _digits(data, first, end)
    return at if at > first else _fault(_NUMBER, first)


@inlined
def _digits(data: Bytes, at: int, end: int) -> int:
    while at < end and _DIGIT[data[at]]:
        at += 1
    return at


@inlined
def _word(data: Bytes, at: int, end: int, word: Bytes) -> int:
    """Returns the place after ``word`` at ``at`` or a fault."""
    for step in range(len(word)):
        if at + step >= end or data[at + step] != word[step]:
            return _fault(_VALUE, at)
    return at + len(word)
