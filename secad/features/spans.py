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

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

# read-only as Arrow's buffers are: a kernel is compiled once more for bytes that it may write
_NO_BYTES = np.frombuffer(b"", dtype=np.uint8)


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
        return _NO_BYTES, np.zeros(1, dtype=np.int64)
    ends = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    text = np.frombuffer(data, dtype=np.uint8) if data else _NO_BYTES
    return text, ends.astype(np.int64)


def gather(data: Bytes, starts: Places, lengths: Places) -> pa.StringArray:
    """Returns the string array of the given pieces of ``data``.

    Args:
        data: bytes that are valid UTF-8 in each piece.
        starts: (N,) first byte of each piece, -1 for null.
        lengths: (N,) bytes of each piece.
    """
    present = starts >= 0
    offsets = np.zeros(len(starts) + 1, dtype=np.int64)
    np.cumsum(np.where(present, lengths, 0), out=offsets[1:])
    values = _copy_pieces(data, starts, offsets)
    nulls = None
    if not present.all():
        nulls = pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
    buffers = [nulls, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(values)]
    return pa.StringArray.from_buffers(len(starts), buffers[1], buffers[2], buffers[0])


@kernel
def _copy_pieces(data: Bytes, starts: Places, offsets: Places) -> Bytes:
    values = np.empty(offsets[-1], dtype=np.uint8)
    for row in range(len(starts)):
        start = starts[row]
        if start < 0:
            continue
        base = offsets[row]
        for step in range(offsets[row + 1] - base):
            values[base + step] = data[start + step]
    return values
