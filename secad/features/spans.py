"""Spans: pieces of a byte buffer, found by a compiled scanner and gathered into Arrow columns.

A scanner marks where the values stand (start and length); ``gather`` copies each column's
values out in one pass. No Python object is made for any value.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.base.errors import SchemaError
from secad.features.inlined import inlined

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


def buffer_of(array: pa.Array) -> tuple[Bytes, Places]:
    """Returns the bytes behind a string or binary array and its offsets.

    Args:
        array: (N,) string or binary without nulls, sliced or not.

    Returns:
        the data buffer, and (N + 1,) offsets into it.

    Raises:
        SchemaError: the array is of another type or holds nulls.
    """
    if not (pa.types.is_string(array.type) or pa.types.is_binary(array.type)):
        raise SchemaError(f"expected string or binary values, not {array.type}")
    if array.null_count:
        raise SchemaError(f"expected no nulls, the array holds {array.null_count}")
    _, offsets, data = array.buffers()
    if len(array) == 0:
        return read_only(None), np.zeros(1, dtype=np.int64)
    ends = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    return read_only(data), ends.astype(np.int64)


def read_only(data: pa.Buffer | None) -> Bytes:
    """Returns the bytes of a buffer of Arrow's, or none.

    Some of its buffers could be written, and a kernel would be compiled once more for those.
    """
    values = np.frombuffer(data or b"", dtype=np.uint8)
    values.flags.writeable = False
    return values


def gather(data: Bytes, starts: Places, lengths: Places) -> pa.StringArray:
    """Returns the string array of the given pieces of ``data``.

    Args:
        data: bytes that are valid UTF-8 in each piece.
        starts: (N,) first byte of each piece, -1 for null.
        lengths: (N,) bytes of each piece.
    """
    values, offsets, valid, nulls = _copy_pieces(data, starts, lengths)
    bits = pa.py_buffer(valid) if nulls else None
    return pa.StringArray.from_buffers(
        len(starts), pa.py_buffer(offsets), pa.py_buffer(values), bits, nulls
    )


@inlined
def copy(source: Bytes, start: int, target: Bytes, at: int, length: int) -> None:
    """Copies ``length`` bytes, from ``start`` of one array to ``at`` of another.

    A signed place might count from an array's end, which is asked for every byte; an unsigned one
    cannot, and the loop becomes one move of memory, up to fifteen times as fast.
    """
    first, base = np.uint64(start), np.uint64(at)
    for step in range(np.uint64(length)):
        target[base + step] = source[first + step]


@kernel
def _copy_pieces(
    data: Bytes, starts: Places, lengths: Places
) -> tuple[Bytes, npt.NDArray[np.int32], Bytes, int]:
    """Returns the pieces one behind the other, their offsets, validity bits, how many are null."""
    count = len(starts)
    offsets = np.empty(count + 1, dtype=np.int32)
    valid = np.zeros((count + 7) // 8, dtype=np.uint8)
    offsets[0] = length = nulls = 0
    for row in range(count):
        if starts[row] >= 0:
            length += lengths[row]
            valid[row >> 3] |= np.uint8(1 << (row & 7))
        else:
            nulls += 1
        offsets[row + 1] = length
    values = np.empty(length, dtype=np.uint8)
    for row in range(count):
        copy(data, starts[row], values, offsets[row], offsets[row + 1] - offsets[row])
    return values, offsets, valid, nulls
