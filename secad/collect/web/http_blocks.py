"""Raw HTTP text cut into LINES: requests over many lines, one behind the other.

A record begins with a request line at the file's start or behind a blank line, and goes on to the
next one: headers, body, and the response where it follows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.schemas import LINES
from secad.collect.text import PARSE_REJECTS, RAW_CAP_BYTES

_MOST_RECORD_BYTES = 8 << 20
_REQUEST = r"^[A-Z]{3,16} [^ \r\n]+ HTTP/\d(\.\d)?\r?\n?$"
_FIRST = re.compile(rb"\s*[A-Z]{3,16} [^ \r\n]{1,8000} HTTP/\d(?:\.\d)?\r?\n[A-Za-z][A-Za-z0-9-]*:")
_TOO_LONG = f"a request of more than {_MOST_RECORD_BYTES} bytes"
_NO_REQUEST = "no request line, as in GET /path HTTP/1.1"
_NEWLINE = 10

Numbers = npt.NDArray[np.int64]


def is_raw_http(head: bytes) -> bool:
    """Returns whether a head begins with a request line and a header."""
    return _FIRST.match(head) is not None


def cut_requests(file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
    """Yields requests as LINES, and rejects of what stands before the first or is too long.

    ``line`` is that of the request line.

    Args:
        file: at its start.
        batch_bytes: about how many bytes a batch holds.
    """
    offset, line, rest = 0, 1, b""
    while chunk := file.read(batch_bytes):
        data = rest + chunk
        starts = _starts(data)
        kept = int(starts[-1]) if len(starts) and starts[-1] > 0 else 0
        if not kept and len(data) > _MOST_RECORD_BYTES:
            kept = data.rfind(b"\n") + 1 or len(data)
        if kept:
            yield _tables(data[:kept], starts[starts < kept], offset, line)
            offset, line = offset + kept, line + data.count(b"\n", 0, kept)
        rest = data[kept:]
    if rest.strip():
        yield _tables(rest, _starts(rest), offset, line)


def _starts(data: bytes) -> Numbers:
    """Returns where the request lines of whole lines begin."""
    array = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(array == _NEWLINE) + 1
    ends = np.concatenate([[0], breaks, [len(data)] if len(data) not in breaks[-1:] else []])
    ends = ends.astype(np.int64)
    lines = pa.Array.from_buffers(
        pa.binary(), len(ends) - 1, [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(data)]
    )
    fits = np.asarray(pc.match_substring_regex(lines, _REQUEST))
    blank = np.asarray(pc.equal(pc.binary_length(pc.ascii_trim_whitespace(_viewed(lines))), 0))
    free = np.concatenate([[True], blank[:-1]])
    first: Numbers = ends[:-1][fits & free]
    return first


def _viewed(lines: pa.Array) -> pa.Array:
    return lines.view(pa.string())  # the bytes need not be UTF-8 to be trimmed


def _tables(
    data: bytes, starts: Numbers, offset: int, line: int
) -> tuple[pa.RecordBatch, pa.Table]:
    """Returns LINES of the records at ``starts``, and a reject of what stands before them."""
    bounds = np.concatenate([starts, [len(data)]]).astype(np.int64)
    pieces = [data[a:b].rstrip() for a, b in itertools.pairwise(bounds)]
    array = np.frombuffer(data, dtype=np.uint8)
    before = np.searchsorted(np.flatnonzero(array == _NEWLINE), starts)
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
    columns = [pieces, line + before, offset + starts, lengths]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, LINES, strict=True)]
    lines = pa.RecordBatch.from_arrays(arrays, schema=LINES)
    stray = data[: int(bounds[0])]
    if not stray.strip():
        return lines, PARSE_REJECTS.empty_table()
    reason = _TOO_LONG if len(data) > _MOST_RECORD_BYTES else _NO_REQUEST
    row = {"line": line, "byte_offset": offset, "error": reason, "raw": stray[:RAW_CAP_BYTES]}
    return lines, pa.Table.from_pylist([row], schema=PARSE_REJECTS)
