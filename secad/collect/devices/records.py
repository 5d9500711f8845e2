"""The records of security devices, CEF and LEEF: a compiled reader of their headers.

Text enters; where each record begins on its line, and where the fields of its header stand,
``CEF:0|vendor|product|version|signature|name|severity|extension``, leave. What stands before the
record (a syslog header, or nothing) is left to ``secad.collect.syslog.header``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.features.slot_types import is_space
from secad.features.spans import Bytes, Places, buffer_of

NO_RECORD, SHORT, WHOLE = range(3)
"""STATUS of a line: no record, one whose header lacks fields, a whole one."""

_PIPE, _BACKSLASH, _DOT = ord("|"), ord("\\"), ord(".")


class Records(NamedTuple):
    """What stands on N lines.

    Args:
        data: the bytes that all spans point into.
        status: (N,) int8, NO_RECORD, SHORT or WHOLE.
        before: (2, N) span of what stands before the record.
        version: (2, N) span of the version in the record's first field.
        fields: (F, 2, N) spans of the header's other fields, first byte -1 where one is missing.
        rest: (2, N) span of what follows the header.
    """

    data: Bytes
    status: npt.NDArray[np.int8]
    before: Places
    version: Places
    fields: Places
    rest: Places


def read_records(text: pa.StringArray, word: str, fields: int) -> Records:
    """Returns the records of lines.

    Args:
        text: (N,) without nulls.
        word: what a record begins with, ``CEF:``; a version and ``|`` follow it.
        fields: how many fields, each ended by ``|``, follow the version; the line's end may also
            end the last.
    """
    data, ends = buffer_of(text)
    count = len(text)
    records = Records(
        data,
        np.zeros(count, dtype=np.int8),
        np.full((2, count), -1, dtype=np.int64),
        np.full((2, count), -1, dtype=np.int64),
        np.full((fields, 2, count), -1, dtype=np.int64),
        np.full((2, count), -1, dtype=np.int64),
    )
    _read_all(ends, np.frombuffer(word.encode(), dtype=np.uint8), records)
    return records


@kernel
def _read_all(ends: Places, word: Bytes, records: Records) -> None:
    data = records.data
    for row in range(len(ends) - 1):
        start, end = ends[row], ends[row + 1]
        while end > start and is_space(data[end - 1]):
            end -= 1
        at = _record_start(data, start, end, word)
        if at < 0:
            continue
        records.before[0, row], records.before[1, row] = start, at - start
        version = at + len(word)
        while version < end and is_space(data[version]):
            version += 1
        stop = _version_end(data, version, end)
        records.version[0, row], records.version[1, row] = version, stop - version
        records.status[row] = _read_fields(records, row, stop + 1, end)


@kernel
def _record_start(data: Bytes, start: int, end: int, word: Bytes) -> int:
    """Returns where ``CEF:`` stands before a version and ``|``, at a word's beginning, or -1."""
    for at in range(start, end - len(word)):
        if data[at] != word[0] or (at > start and _is_word(data[at - 1])):
            continue
        step = 1
        while step < len(word) and data[at + step] == word[step]:
            step += 1
        if step < len(word):
            continue
        version = at + step
        while version < end and is_space(data[version]):
            version += 1
        stop = _version_end(data, version, end)
        if version < stop < end and data[stop] == _PIPE:
            return at
    return -1


@kernel
def _version_end(data: Bytes, at: int, end: int) -> int:
    while at < end and (48 <= data[at] <= 57 or data[at] == _DOT):
        at += 1
    return at


@kernel
def _is_word(byte: int) -> bool:
    return 48 <= byte <= 57 or 97 <= byte | 32 <= 122


@kernel
def _read_fields(records: Records, row: int, at: int, end: int) -> int:
    data, fields = records.data, records.fields
    last = len(fields) - 1
    for field in range(len(fields)):
        stop = at
        while stop < end and data[stop] != _PIPE:
            stop += 2 if data[stop] == _BACKSLASH else 1
        stop = min(stop, end)
        if stop == end and (field < last or at >= end):
            return SHORT
        fields[field, 0, row], fields[field, 1, row] = at, stop - at
        at = stop + 1
    records.rest[0, row], records.rest[1, row] = min(at, end), max(end - at, 0)
    return WHOLE
