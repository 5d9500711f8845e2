"""Bytes of a stream cut into LINES, in batches, each line with its place.

A line ends with ``\\n`` or ``\\r\\n``, which is not part of it; the last one may end with the
stream. A line over the limit becomes a reject that keeps its first bytes, in bounded memory
however long it is.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.schemas import LINES
from secad.collect.text import PARSE_REJECTS, RAW_CAP_BYTES, reject
from secad.features.spans import Bytes, Places, gather

_UTF8_MARK = codecs.BOM_UTF8
_NEWLINE = 10
_RETURN = 13
_BATCH_LINES = 16_384  # enough that a batch's own cost is small, few enough to stay in the cache
_FIRST_BYTES = 1 << 20
_NEAR_BYTES = 1 << 16  # from the end, where a line end is looked for first


@dataclass(frozen=True)
class Place:
    """How far a stream has been read.

    Args:
        offset: bytes before it.
        line: lines before it.
    """

    offset: int = 0
    line: int = 0


@dataclass(frozen=True)
class Batch:
    """Whole records of a stream.

    Args:
        lines: LINES rows.
        rejects: PARSE_REJECTS of records that are none (too long, damaged).
        end: the place behind the last record.
        tail: the last bytes before ``end``, as many as the batch has.
        unended: the last line has no line ending yet.
    """

    lines: pa.RecordBatch
    rejects: pa.Table
    end: Place
    tail: memoryview
    unended: bool = False


def read_lines(
    file: BinaryIO, start: Place, *, batch_bytes: int, max_line_bytes: int
) -> Iterator[Batch]:
    """Yields the lines of a stream from ``start`` on.

    Args:
        file: positioned at ``start.offset``.
        start: the place behind the last line that is already known.
        batch_bytes: about how many bytes a batch holds, at most; short lines make smaller ones.
        max_line_bytes: a longer line is rejected.
    """
    place, rest, size = start, b"", min(batch_bytes, _FIRST_BYTES)
    if place.offset == 0:
        rest = file.read(len(_UTF8_MARK))
        if rest == _UTF8_MARK:
            place, rest = Place(len(_UTF8_MARK), 0), b""
    while len(data := _read_on(file, rest, size)) > len(rest):
        cut = _last_end(data)
        if cut:
            batch = _cut(data[:cut], place, max_line_bytes)
            size = min(batch_bytes, _BATCH_LINES * cut // (batch.end.line - place.line))
            place, rest = batch.end, bytes(data[cut:])
            yield batch
        elif len(data) > max_line_bytes:
            batch, rest = _overlong(file, bytes(data), place, max_line_bytes, batch_bytes)
            place = batch.end
            yield batch
        else:
            rest = bytes(data)
    if rest:
        yield _cut(memoryview(rest), place, max_line_bytes)


def _read_on(file: BinaryIO, rest: bytes, size: int) -> memoryview:
    """Returns ``rest`` and up to ``size`` bytes that follow, read into their place."""
    buffer = np.empty(len(rest) + size, dtype=np.uint8).data
    buffer[: len(rest)] = rest
    count = cast("io.BufferedIOBase", file).readinto(buffer[len(rest) :])
    return buffer[: len(rest) + count]


def _last_end(data: memoryview) -> int:
    """Returns the place behind the last line end, 0 where there is none."""
    for first in (max(len(data) - _NEAR_BYTES, 0), 0):
        place = bytes(data[first:]).rfind(b"\n")
        if place >= 0:
            return first + place + 1
    return 0


def _cut(data: memoryview, start: Place, max_line_bytes: int) -> Batch:
    """Returns the lines of ``data``, which starts with a line and ends with one."""
    text = np.frombuffer(data, dtype=np.uint8)
    text.flags.writeable = False  # as the bytes of Arrow are, for which the kernel is compiled
    starts, lengths = _places(text)
    count = len(starts)
    raw = gather(text, starts, lengths).view(pa.binary())
    columns = [
        raw,
        pa.array(np.arange(start.line + 1, start.line + count + 1)),
        pa.array(starts + start.offset),
        pa.array(lengths),
    ]
    lines = pa.RecordBatch.from_arrays(columns, schema=LINES)
    rejects = PARSE_REJECTS.empty_table()
    overlong = lengths > max_line_bytes
    if overlong.any():
        rejects = reject(lines, overlong, _too_long(lengths[overlong], max_line_bytes))
        lines = lines.filter(pa.array(~overlong))
    end = Place(start.offset + len(data), start.line + count)
    return Batch(lines, rejects, end, data, unended=data[-1] != _NEWLINE)


def _too_long(lengths: npt.NDArray[np.int64], limit: int) -> pa.Array:
    allowed = f"allowed are {limit} (ingest.max_line_bytes)"
    return pa.array([f"a line of {length} bytes, {allowed}" for length in lengths], pa.string())


def _overlong(
    file: BinaryIO, data: bytes, start: Place, max_line_bytes: int, batch_bytes: int
) -> tuple[Batch, bytes]:
    """Reads on to the end of a line that is too long; returns its reject and what follows it."""
    kept, length, rest, ended = data[:RAW_CAP_BYTES], len(data), b"", False
    tail = data
    while not ended and (chunk := file.read(batch_bytes)):
        cut = chunk.find(b"\n")
        ended = cut >= 0
        length += cut if ended else len(chunk)
        rest = chunk[cut + 1 :] if ended else b""
        tail = chunk[: cut + 1] if ended else chunk
    rejects = pa.table(
        [
            pa.array([start.line + 1]),
            pa.array([start.offset]),
            _too_long(np.array([length]), max_line_bytes),
            pa.array([kept], pa.binary()),
        ],
        schema=PARSE_REJECTS,
    )
    end = Place(start.offset + length + ended, start.line + 1)
    none = pa.RecordBatch.from_pylist([], schema=LINES)
    return Batch(none, rejects, end, memoryview(tail), unended=not ended), rest


def _places(data: Bytes) -> tuple[Places, Places]:
    """Returns where each line starts and how long it is without its ending."""
    ends = np.flatnonzero(data == _NEWLINE)
    returns = data[ends - 1] == _RETURN  # of an empty first line this is the last byte of all
    if data[-1] != _NEWLINE:
        ends, returns = np.append(ends, len(data)), np.append(returns, np.False_)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    return starts, lengths - (returns & (lengths > 0))
