r"""journald's export format cut into LINES: each entry as ``journalctl -o json`` writes it.

An entry is fields, one behind the other, up to a blank line: ``NAME=text``, or, for values with
line ends or bytes, ``NAME``, eight bytes of length and the value. What is no UTF-8 in a value
becomes U+FFFD. A stretch that is no field is a reject, and reading goes on behind the next blank
line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from secad.base.compiled import kernel
from secad.base.schemas import LINES
from secad.collect.text import PARSE_REJECTS, RAW_CAP_BYTES
from secad.features.spans import Bytes, Places

_MOST_ENTRY_BYTES = 16 << 20
_READ_BYTES = 1 << 20
_MOST_NAME = 128
_NEWLINE, _EQUALS, _QUOTE, _BACKSLASH, _BLANK = 10, 61, 34, 92, 32
_OPEN, _CLOSE, _COMMA, _COLON = 123, 125, 44, 58
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_FFFD = np.frombuffer("\ufffd".encode(), dtype=np.uint8)
_ESCAPED = 6  # bytes that one takes in JSON at most
_FIRST = re.compile(rb"(?:_{0,2}[A-Z0-9][A-Z0-9_]*(?:=[^\n]*)?\n)")
_MARKS = (b"__REALTIME_TIMESTAMP=", b"__CURSOR=")
_BROKEN = "no field of the journal export format: expected NAME=value or NAME, a length and bytes"
_CUT_OFF = "the entry is cut off"
_WHOLE, _DAMAGED = 0, 1
_MORE, _BAD = -1, -2  # in place of an end: it is not in the data yet, there is none
_START, _END, _LINE, _STATE, _TEXT = range(5)


def is_export(head: bytes) -> bool:
    """Returns whether a head begins with fields of the export format, its marks among them."""
    return _FIRST.match(head) is not None and all(mark in head[:8192] for mark in _MARKS[:1])


def cut_entries(file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
    """Yields entries as LINES, and rejects of damaged stretches.

    ``raw`` is an entry's JSON, ``line`` its number in the file, in which a damaged stretch counts
    as one; ``byte_offset`` and ``byte_length`` are its place in the file.

    Args:
        file: at its start.
        batch_bytes: about how many bytes a batch holds.
    """
    offset, number, rest, ended = 0, 1, b"", False
    while not ended:
        chunk = file.read(max(batch_bytes, len(rest), 1))  # so that a long entry stays linear
        ended = not chunk
        data = rest + chunk
        if not data:
            return
        final = ended or len(data) > _MOST_ENTRY_BYTES
        array = np.frombuffer(data, dtype=np.uint8)
        entries, texts, used = _cut(array, final)
        if len(entries):
            yield _tables(data, entries, texts, (offset, number))
        offset, number, rest = offset + used, number + len(entries), data[used:]


def _tables(
    data: bytes, entries: Places, texts: Bytes, place: tuple[int, int]
) -> tuple[pa.RecordBatch, pa.Table]:
    offset, number = place
    numbers = np.arange(number, number + len(entries))
    whole = entries[:, _STATE] == _WHOLE
    good = entries[whole]
    ends = np.concatenate([[0], good[:, _TEXT]]).astype(np.int32)
    raw = pa.Array.from_buffers(
        pa.binary(), len(good), [None, pa.py_buffer(ends), pa.py_buffer(texts)]
    )
    starts = good[:, _START]
    columns = [raw, numbers[whole], offset + starts, good[:, _END] - starts]
    arrays = [column if column is raw else pa.array(column, pa.int64()) for column in columns]
    lines = pa.RecordBatch.from_arrays(arrays, schema=LINES)
    rows = [
        {
            "line": int(numbers[row]),
            "byte_offset": offset + int(entries[row, _START]),
            "error": _BROKEN if entries[row, _END] < len(data) else _CUT_OFF,
            "raw": data[entries[row, _START] : entries[row, _END]][:RAW_CAP_BYTES],
        }
        for row in np.flatnonzero(~whole).tolist()
    ]
    return lines, pa.Table.from_pylist(rows, schema=PARSE_REJECTS)


@kernel
def _cut(data: Bytes, final: bool) -> tuple[Places, Bytes, int]:
    """Returns (N, 5) the entries, their JSON one behind the other, and how many bytes are used.

    An entry that may go on behind ``data`` is left, unless it is the last that can be read.
    """
    most = 1
    for place in range(1, len(data)):
        most += data[place] == _NEWLINE and data[place - 1] == _NEWLINE
    entries = np.zeros((most + 1, 5), dtype=np.int64)
    texts = np.empty(len(data) * _ESCAPED + 64, dtype=np.uint8)
    count, used, written = 0, 0, 0
    while used < len(data):
        if data[used] == _NEWLINE:
            used += 1
            continue
        end, state, text = _entry(data, used, texts, written, final)
        if end < 0:
            break
        entries[count, _START], entries[count, _END] = used, end
        entries[count, _STATE], entries[count, _TEXT] = state, text
        written = text
        count += 1
        used = end
    return entries[:count], texts[:written], used


@kernel
def _entry(
    data: Bytes, start: int, texts: Bytes, written: int, final: bool
) -> tuple[int, int, int]:
    """Returns the end of the entry at ``start``, its state, and the end of its JSON.

    The end is _MORE where the entry may go on behind the data.
    """
    place, text, last = start, written + 1, len(data)
    texts[written] = _OPEN
    while place < last and data[place] != _NEWLINE:
        stop, begin, end = _field(data, place, final)
        if end == _MORE:
            return _MORE, _WHOLE, written
        if end == _BAD:
            return _damaged(data, place, final), _DAMAGED, written
        text = _write_field(data, (place, stop, begin, end), texts, text, text > written + 1)
        place = end + 1
    if place >= last and not final:
        return _MORE, _WHOLE, written
    texts[text] = _CLOSE
    return min(place, last), _WHOLE, text + 1


@kernel
def _field(data: Bytes, place: int, final: bool) -> tuple[int, int, int]:
    """Returns the end of a field's name, and where its value begins and ends, or _MORE or _BAD."""
    last, stop = len(data), place
    while stop < last and data[stop] != _NEWLINE and data[stop] != _EQUALS:
        stop += 1
    if stop == last and not final and stop - place <= _MOST_NAME:
        return stop, stop, _MORE
    if stop == last or not _is_name(data, place, stop):
        return stop, stop, _BAD
    if data[stop] == _NEWLINE:
        return stop, stop + 9, _sized_end(data, stop, final)
    end = stop + 1
    while end < last and data[end] != _NEWLINE:
        end += 1
    return stop, stop + 1, _MORE if end == last and not final else end


@kernel
def _sized_end(data: Bytes, stop: int, final: bool) -> int:
    """Returns where a value ends whose length stands behind its name, or _MORE or _BAD."""
    last = len(data)
    if last - stop <= 8:
        return _BAD if final else _MORE
    size = np.uint64(0)
    for step in range(8):
        size |= np.uint64(data[stop + 1 + step]) << np.uint64(8 * step)
    if size > np.uint64(_MOST_ENTRY_BYTES):
        return _BAD
    end = stop + 9 + int(size)
    if end < last:
        return end if data[end] == _NEWLINE else _BAD
    if not final:
        return _MORE
    return end if end == last else _BAD


@kernel
def _is_name(data: Bytes, start: int, stop: int) -> bool:
    if not 0 < stop - start <= _MOST_NAME:
        return False
    for place in range(start, stop):
        byte = data[place]
        if not (65 <= byte <= 90 or 48 <= byte <= 57 or byte == 95):
            return False
    return True


@kernel
def _damaged(data: Bytes, place: int, final: bool) -> int:
    """Returns where a damaged stretch ends: at the next blank line."""
    while place + 1 < len(data):
        if data[place] == _NEWLINE and data[place + 1] == _NEWLINE:
            return place + 1
        place += 1
    return len(data) if final else _MORE


@kernel
def _write_field(
    data: Bytes, spans: tuple[int, int, int, int], texts: Bytes, text: int, more: bool
) -> int:
    if more:
        texts[text] = _COMMA
        text += 1
    start, stop, begin, end = spans
    text = _write_string(data, start, stop, texts, text)
    texts[text] = _COLON
    return _write_string(data, begin, end, texts, text + 1)


@kernel
def _write_string(data: Bytes, start: int, end: int, texts: Bytes, text: int) -> int:
    texts[text] = _QUOTE
    text += 1
    place = start
    while place < end:
        byte = data[place]
        if byte >= 128:
            size = _character(data, place, end)
            if size == 0:
                texts[text : text + 3] = _FFFD
                text, place = text + 3, place + 1
                continue
            texts[text : text + size] = data[place : place + size]
            text, place = text + size, place + size
            continue
        if byte < _BLANK:
            texts[text], texts[text + 1] = _BACKSLASH, 117
            texts[text + 2], texts[text + 3] = 48, 48
            texts[text + 4], texts[text + 5] = _HEX[byte >> 4], _HEX[byte & 15]
            text += 6
        else:
            if byte in (_QUOTE, _BACKSLASH):
                texts[text] = _BACKSLASH
                text += 1
            texts[text] = byte
            text += 1
        place += 1
    texts[text] = _QUOTE
    return text + 1


@kernel
def _character(data: Bytes, place: int, end: int) -> int:
    """Returns how many bytes the UTF-8 character at ``place`` has, 0 where it is none."""
    first = data[place]
    size = 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4
    if first < 0xC2 or first > 0xF4 or place + size > end:
        return 0
    for step in range(1, size):
        if data[place + step] & 0xC0 != 0x80:
            return 0
    second = data[place + 1]
    narrow = (first == 0xE0 and second < 0xA0) or (first == 0xF0 and second < 0x90)
    wide = (first == 0xED and second > 0x9F) or (first == 0xF4 and second > 0x8F)
    return 0 if narrow or wide else size
