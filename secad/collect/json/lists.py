r"""Arrays of plain values, which JSON columns hold as JSON text, as one text each.

``["ls","-l"]`` of a process's arguments becomes ``ls -l``. Any other text, and an array that holds
objects or arrays, stays as it is.

>>> texts = pa.array(['["ls","-l","a\\tb"]', "ls", None, "[kthreadd]", '[{"a":1}]', "[22, null]"])
>>> joined(texts, " ").to_pylist()
['ls -l a\tb', 'ls', None, '[kthreadd]', '[{"a":1}]', '22']
>>> first(pa.array(['["192.0.2.1","fe80::1"]', "[]"])).to_pylist()
['192.0.2.1', None]
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.collect.json.scan import ESCAPED, scalar, space
from secad.collect.json.texts import Bytes, Integers, Numbers, copy, copy_text
from secad.features.inlined import inlined
from secad.features.spans import buffer_of

_ONLY_FIRST = -1
_QUOTE, _BRACKET_END, _COMMA, _LETTER_N = ord('"'), ord("]"), ord(","), ord("n")


def joined(text: pa.Array, separator: str) -> pa.Array:
    """Returns texts, arrays of plain values as these values; null where there are none.

    Args:
        text: (N,) string.
        separator: one ASCII character, put between two values.
    """
    return _unlisted(text, ord(separator))


def first(text: pa.Array) -> pa.Array:
    """Returns texts, arrays of plain values as the first of these values.

    Args:
        text: (N,) string.
    """
    return _unlisted(text, _ONLY_FIRST)


def _unlisted(text: pa.Array, separator: int) -> pa.Array:
    arrays = pc.fill_null(pc.starts_with(text, "["), False)
    if not pc.any(arrays).as_py():
        return text
    data, starts = buffer_of(text.filter(arrays))
    values, ends = _join(data, starts, separator)
    plain = pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(values))
    plain = pc.if_else(pc.equal(pc.binary_length(plain), 0), None, plain)
    return pc.replace_with_mask(text, arrays, plain)


@kernel
def _join(data: Bytes, starts: Numbers, separator: int) -> tuple[Bytes, Integers]:
    """Returns the bytes and the offsets of what texts that begin with a bracket become.

    Args:
        data: the bytes of the texts, valid UTF-8.
        starts: (N + 1,) where each begins.
        separator: a byte, or -1 to take the first value only.
    """
    values = np.empty(starts[-1] - starts[0], dtype=np.uint8)  # no text grows
    ends = np.zeros(len(starts), dtype=np.int32)
    put = 0
    for row in range(len(starts) - 1):
        at, end = starts[row], starts[row + 1]
        after = _array(data, (at, end), values, put, separator)
        if after < 0:
            copy(data, at, values, put, end - at)
            after = put + end - at
        put = after
        ends[row + 1] = put
    return values, ends


@inlined
def _array(data: Bytes, span: tuple[int, int], values: Bytes, put: int, separator: int) -> int:
    """Puts the values of the array in a span; returns the place after them, -1 if it is none."""
    (at, end), begin = span, put
    full = False  # the one value that is asked for is there
    at = space(data, at + 1, end)
    empty = at < end and data[at] == _BRACKET_END
    while not empty:
        after, kind = scalar(data, at, end)
        if after < 0:
            return -1
        if data[at] != _LETTER_N and not full:
            if put > begin:
                values[put] = separator
                put += 1
            put = _value(data, (at, after), kind == ESCAPED, values, put)
            full = separator == _ONLY_FIRST
        at = space(data, after, end)
        if at == end or data[at] != _COMMA:
            break
        at = space(data, at + 1, end)
    return put if at + 1 == end and data[at] == _BRACKET_END else -1


@inlined
def _value(data: Bytes, span: tuple[int, int], escaped: bool, values: Bytes, put: int) -> int:
    at, after = span
    if data[at] == _QUOTE:
        at, after = at + 1, after - 1
    return copy_text(data, at, ~(after - at) if escaped else after - at, values, put)
