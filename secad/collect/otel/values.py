r"""Attributes of OpenTelemetry as plain JSON, so that they are read like all other fields.

OTLP writes a map as a list of ``{"key": ..., "value": {"stringValue": ...}}``, and a value as an
object that names its type. Texts of JSON enter; the same texts leave with such lists as objects and
such values as what is in them. Any other text stays as it is.

>>> text = '{"attributes":[{"key":"a.b","value":{"intValue":"5"}}],"body":{"stringValue":"x"}}'
>>> plain(pa.array([text])).to_pylist()
['{"attributes":{"a.b":"5"},"body":{"stringValue":"x"}}']
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from secad.base.compiled import kernel
from secad.collect.json.nesting import passed
from secad.collect.json.scan import scalar, space
from secad.collect.json.texts import Bytes, Integers, Numbers, copy
from secad.features.inlined import borrowed, inlined
from secad.features.spans import buffer_of

_DEPTH_CAP = 64
_OBJECT, _ARRAY, _LIST, _PAIR, _VALUE, _VALUES = 0, 1, 2, 3, 4, 5
"""What is open: an object or an array as they are, a list of pairs, a pair, an object that names
the type of a value, an array of such values."""
_NOTHING = np.frombuffer(b'""', dtype=np.uint8)  # no value, and no longer than an empty object
_AT_VALUE, _AT_MEMBER, _AT_ITEM, _BEHIND = 0, 1, 2, 3
"""Where the walk stands."""
_KEY, _TYPE, _VALUE_KEY, _MANY = (
    np.frombuffer(word, dtype=np.uint8) for word in (b"key", b"type", b"value", b"values")
)
_QUOTE, _COLON, _COMMA = ord('"'), ord(":"), ord(",")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")


class Pen(NamedTuple):
    """What the walk works on.

    Args:
        data: the bytes of the texts.
        out: where they go.
        stack: (_DEPTH_CAP + 1, 2) what is open; how far it is: of a pair 1 behind its key and 2
            behind its value, of a typed value 1 behind the value.
    """

    data: Bytes
    out: Bytes
    stack: Numbers


_Place = tuple[int, int, int, int]
"""Where the walk is in the data, or -1 where the text is no JSON; where it is in the output; how
many containers are open; where it stands."""


def plain(text: pa.Array) -> pa.Array:
    """Returns JSON texts with lists of pairs as objects.

    Args:
        text: (N,) string without nulls.
    """
    data, starts = buffer_of(text)
    stack = np.zeros((_DEPTH_CAP + 1, 2), dtype=np.int64)
    values, ends = _plain(data, starts, stack)
    return pa.StringArray.from_buffers(len(text), pa.py_buffer(ends), pa.py_buffer(values))


@kernel
def _plain(data: Bytes, starts: Numbers, stack: Numbers) -> tuple[Bytes, Integers]:
    values = np.empty(starts[-1] - starts[0], dtype=np.uint8)  # no text grows
    ends = np.zeros(len(starts), dtype=np.int32)
    pen = Pen(borrowed(data), borrowed(values), borrowed(stack))
    put = 0
    for row in range(len(starts) - 1):
        after = _write(pen, starts[row], starts[row + 1], put)
        if after < 0:  # its reader tells what is wrong with it
            size = starts[row + 1] - starts[row]
            copy(data, starts[row], values, put, size)
            after = put + size
        put = after
        ends[row + 1] = put
    return values, ends


@inlined
def _write(pen: Pen, at: int, end: int, put: int) -> int:
    """Writes a text and returns the place behind it, -1 where it is no JSON object."""
    data, height, stands = pen.data, 0, _AT_VALUE
    at = space(data, at, end)
    if at == end or data[at] != _BRACE:
        return -1
    while height > 0 or stands == _AT_VALUE:
        if stands == _AT_VALUE:
            at, put, height, stands = _begin(pen, at, end, put, height)
        elif stands == _BEHIND:
            at, put, height, stands = _follow(pen, at, end, put, height)
        else:
            at = space(data, at, end)
            closes = at < end and data[at] in (_BRACE_END, _BRACKET_END)
            if closes:
                stands = _BEHIND
            elif stands == _AT_MEMBER:
                at, put, height, stands = _member(pen, at, end, put, height)
            else:
                stands = _AT_VALUE
        if at < 0:
            return -1
    return put if space(data, at, end) == end else -1


@inlined
def _put(pen: Pen, put: int, byte: int) -> int:
    pen.out[put] = byte
    return put + 1


@inlined
def _push(pen: Pen, height: int, kind: int) -> int:
    pen.stack[height, 0], pen.stack[height, 1] = kind, 0
    return height + 1


@inlined
def _begin(pen: Pen, at: int, end: int, put: int, height: int) -> _Place:
    """Steps into the object or array at ``at``, or copies the value."""
    data = pen.data
    around = pen.stack[height - 1, 0] if height > 0 else _OBJECT
    byte = data[at] if at < end else 0
    if height == _DEPTH_CAP or (around == _LIST and byte != _BRACE):
        return -1, put, height, _BEHIND
    if byte not in (_BRACE, _BRACKET):
        after, _ = scalar(data, at, end)
        copy(data, at, pen.out, put, max(after - at, 0))
        return after, put + after - at, height, _BEHIND
    kind = _kind(data, at, end, around)
    if kind not in (_PAIR, _VALUE):
        put = _put(pen, put, _BRACE if kind == _LIST else byte)
    stands = _AT_MEMBER if byte == _BRACE else _AT_ITEM
    return at + 1, put, _push(pen, height, kind), stands


@inlined
def _kind(data: Bytes, at: int, end: int, around: int) -> int:
    """Returns what the object or array at ``at`` is, inside of what is around it."""
    typed = around >= _PAIR
    if data[at] == _BRACKET:
        return _LIST if _holds_pairs(data, at, end) else _VALUES if typed else _ARRAY
    if around == _LIST:
        return _PAIR
    return _VALUE if typed and _names_a_type(data, at, end) else _OBJECT


@inlined
def _member(pen: Pen, at: int, end: int, put: int, height: int) -> _Place:
    """Passes a key to its value; copies it, or what of a pair and of a typed value is wanted."""
    data, top = pen.data, height - 1
    kind, state = pen.stack[top, 0], pen.stack[top, 1]
    after, _ = scalar(data, at, end) if data[at] == _QUOTE else (-1, 0)
    colon = space(data, after, end) if after > 0 else end
    if colon >= end or data[colon] != _COLON:
        return -1, put, height, _BEHIND
    key, value = (at + 1, after - 1), space(data, colon + 1, end)
    if kind == _OBJECT:
        copy(data, at, pen.out, put, after - at)
        return value, _put(pen, put + after - at, _COLON), height, _AT_VALUE
    if kind == _PAIR and state == 0 and _is(data, key, _KEY):
        after, _ = scalar(data, value, end)
        if after < 0 or data[value] != _QUOTE:
            return -1, put, height, _BEHIND
        copy(data, value, pen.out, put, after - value)
        pen.stack[top, 1] = 1
        return after, _put(pen, put + after - value, _COLON), height, _BEHIND
    wanted = state == 1 and _is(data, key, _VALUE_KEY)
    if kind == _VALUE:
        wanted = state == 0 and not _is(data, key, _TYPE)
    if wanted:
        pen.stack[top, 1] = state + 1
        return value, put, height, _AT_VALUE
    return passed(data, value, end), put, height, _BEHIND


@inlined
def _follow(pen: Pen, at: int, end: int, put: int, height: int) -> _Place:
    """Passes a comma or a closing bracket."""
    data, top = pen.data, height - 1
    at = space(data, at, end)
    kind, state = pen.stack[top, 0], pen.stack[top, 1]
    braced = kind in (_OBJECT, _PAIR, _VALUE)
    byte = data[at] if at < end else 0
    if byte == _COMMA:
        if kind not in (_PAIR, _VALUE):
            put = _put(pen, put, byte)
        return at + 1, put, height, _AT_MEMBER if braced else _AT_ITEM
    if byte != (_BRACE_END if braced else _BRACKET_END) or (kind == _PAIR and state == 0):
        return -1, put, height, _BEHIND
    empty = (kind == _PAIR and state == 1) or (kind == _VALUE and state == 0)
    if empty:
        copy(_NOTHING, 0, pen.out, put, len(_NOTHING))
        put += len(_NOTHING)
    elif kind not in (_PAIR, _VALUE):
        put = _put(pen, put, _BRACE_END if kind in (_OBJECT, _LIST) else byte)
    return at + 1, put, top, _BEHIND


@inlined
def _is(data: Bytes, span: tuple[int, int], word: Bytes) -> bool:
    """Returns whether a key is a word, regardless of case."""
    at, stop = span
    if stop - at != len(word):
        return False
    for step in range(len(word)):  # noqa: SIM110  numba knows no generators
        if data[at + step] | 0x20 != word[step]:
            return False
    return True


@inlined
def _first_key(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the span of the first key in the object at ``at``, an empty one where none is."""
    at = space(data, at + 1, end)
    if at >= end or data[at] != _QUOTE:
        return at, at
    stop = at + 1
    while stop < end and data[stop] != _QUOTE:
        stop += 1
    return at + 1, stop


@inlined
def _holds_pairs(data: Bytes, at: int, end: int) -> bool:
    at = space(data, at + 1, end)
    return at < end and data[at] == _BRACE and _is(data, _first_key(data, at, end), _KEY)


@inlined
def _names_a_type(data: Bytes, at: int, end: int) -> bool:
    """Returns whether an object's first key is such as ``stringValue``, or it has none."""
    begin, stop = _first_key(data, at, end)
    if begin == stop or _is(data, (begin, stop), _TYPE):
        return begin < end and (begin < stop or data[begin] == _BRACE_END)
    one, many = (max(stop - len(_VALUE_KEY), begin), stop), (max(stop - len(_MANY), begin), stop)
    return _is(data, one, _VALUE_KEY) or _is(data, many, _MANY)
