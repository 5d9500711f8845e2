"""The frame of Linux audit records: their header, and which records belong to one event.

Text enters; headers (type, node, time, serial, where the fields begin) and the event of each line
leave. Records join where node, time and serial are the same and at most ``JOIN_LINES`` lines lie
between one and the next: a rule that looks no further back, so that where a batch is cut changes
nothing as long as the lines that ``open_lines`` counts wait for the next one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.features.spans import Bytes, Places, buffer_of, gather

JOIN_LINES = 100
"""How many lines may lie between two records of one event."""

NO_ID, NO_TYPE = 1, 2

_OPEN_TAIL = 10 * JOIN_LINES  # how many of the last lines can be held back
_HEADER_BYTES = 512  # a header that begins further right is none
_AUDIT = np.frombuffer(b"audit(", dtype=np.uint8)
_MSG = np.frombuffer(b"msg=", dtype=np.uint8)
_TYPE = np.frombuffer(b"type=", dtype=np.uint8)
_NODE = np.frombuffer(b"node=", dtype=np.uint8)
_END_OF_EVENT = np.frombuffer(b"EOE", dtype=np.uint8)
_SPACE, _POINT, _COLON, _CLOSE, _LESS, _GREATER = 32, 46, 58, 41, 60, 62
_ENRICHED = 29  # 0x1d, behind which auditd resolves the numbers of the kernel's record
_MOST_SECOND_DIGITS, _MOST_SERIAL_DIGITS = 11, 18
_TYPE_LENGTH = 32


class Headers(NamedTuple):
    """The headers of N lines; all of them spans of the text's buffer, -1 where there is none.

    Args:
        fault: (N,) int8, 0 where the header is whole, else NO_ID or NO_TYPE.
        time_us: (N,) epoch microseconds.
        serial: (N,) the kernel's counter.
        type: (2, N) start and length of the record type.
        node: (2, N) the host that the record names, or that the wrapping syslog line does.
        body: (N,) where the fields begin.
        ends: (N,) whether the record ends its event (type EOE).
    """

    fault: npt.NDArray[np.int8]
    time_us: Places
    serial: Places
    type: npt.NDArray[np.int64]
    node: npt.NDArray[np.int64]
    body: Places
    ends: npt.NDArray[np.bool_]


def headers(text: pa.Array) -> Headers:
    """Returns the header of each line.

    Args:
        text: (N,) string or binary without nulls.
    """
    data, ends = buffer_of(text)
    count = len(text)
    made = Headers(
        np.zeros(count, dtype=np.int8),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.full((2, count), -1, dtype=np.int64),
        np.full((2, count), -1, dtype=np.int64),
        np.full(count, -1, dtype=np.int64),
        np.zeros(count, dtype=np.bool_),
    )
    _read_headers(data, ends, made)
    return made


def events_of(text: pa.Array, found: Headers, lines: Places) -> tuple[Places, int]:
    """Returns the event of each line, numbered by their first lines, and how many there are.

    Args:
        text: (N,) the lines that ``found`` was read from.
        found: their headers; a faulty line belongs to event -1.
        lines: (N,) their numbers in the source, ascending.
    """
    data, _ = buffer_of(text)
    return _join(data, found, lines)


def bodies(text: pa.Array, found: Headers, rows: Places) -> pa.StringArray:
    """Returns the fields of some records as text, without what auditd's enriching added.

    Args:
        text: (N,) the lines that ``found`` was read from.
        found: their headers.
        rows: which of the lines, none of them faulty.
    """
    data, ends = buffer_of(text)
    starts = found.body[rows]
    return gather(data, starts, _plain_ends(data, starts, ends[rows + 1]) - starts)


def open_lines(raw: pa.Array, lines: Places) -> int:
    """Returns how many of the last lines must wait, since their events may go on.

    Where the whole tail is open the cut falls between two events, as late as one can; where even
    that is impossible nothing waits.

    Args:
        raw: (N,) binary, the lines of a batch.
        lines: (N,) their numbers.
    """
    if not len(raw):
        return 0
    tail = max(len(raw) - _OPEN_TAIL, 0)
    text, numbers = raw[tail:], lines[tail:]
    found = headers(text)
    event, count = events_of(text, found, numbers)
    first = np.full(count, len(text), dtype=np.int64)
    rows = np.flatnonzero(event >= 0)
    np.minimum.at(first, event[rows], rows)
    last = np.full(count, -1, dtype=np.int64)
    np.maximum.at(last, event[rows], rows)
    straddled = np.zeros(len(text) + 1, dtype=np.int64)  # events that a cut before row r divides
    np.add.at(straddled, first + 1, 1)
    np.add.at(straddled, last + 1, -1)
    clean = np.flatnonzero(np.cumsum(straddled)[1:-1] == 0) + 1  # never before the first row
    going_on = ~found.ends[last] & (numbers[-1] - numbers[last] <= JOIN_LINES)
    if not going_on.any():
        return 0
    early = clean[clean <= first[going_on].min()]
    cuts = early if len(early) else clean
    return len(text) - int(cuts[-1]) if len(cuts) else 0


@kernel
def _starts_with(data: Bytes, place: int, end: int, word: Bytes) -> bool:
    if place < 0 or place + len(word) > end:
        return False
    for step in range(len(word)):  # noqa: SIM110  numba knows no generators
        if data[place + step] != word[step]:
            return False
    return True


@kernel
def _plain_ends(data: Bytes, starts: Places, ends: Places) -> Places:
    plain = ends.copy()
    for row in range(len(starts)):
        place = starts[row]
        while place < ends[row] and data[place] != _ENRICHED:
            place += 1
        plain[row] = place
    return plain


@kernel
def _find_id(data: Bytes, start: int, end: int) -> int:
    """Returns where ``audit(`` stands in the first bytes of a line, or -1."""
    for place in range(start, min(end, start + _HEADER_BYTES)):
        if data[place] == _AUDIT[0] and _starts_with(data, place, end, _AUDIT):
            return place
    return -1


@kernel
def _number(data: Bytes, place: int, end: int, most: int) -> tuple[int, int]:
    """Returns the decimal number at ``place`` and where it ends; no digits end where they start."""
    value, start = 0, place
    while place < end and place - start < most and 48 <= data[place] <= 57:
        value = value * 10 + (data[place] - 48)
        place += 1
    return value, place


@kernel
def _read_id(data: Bytes, place: int, end: int, row: int, made: Headers) -> bool:
    """Reads ``1642723741.072:375):`` and returns whether it is whole."""
    seconds, stop = _number(data, place, end, _MOST_SECOND_DIGITS)
    if stop == place or stop >= end or data[stop] != _POINT:
        return False
    fraction, close = _number(data, stop + 1, end, 6)
    for _ in range(6 - (close - stop - 1)):
        fraction *= 10
    if close == stop + 1 or close >= end or data[close] != _COLON:
        return False
    serial, after = _number(data, close + 1, end, _MOST_SERIAL_DIGITS)
    if after == close + 1 or after >= end or data[after] != _CLOSE:
        return False
    made.time_us[row] = seconds * 1_000_000 + fraction
    made.serial[row] = serial
    made.body[row] = after + 1
    while made.body[row] < end and data[made.body[row]] in (_SPACE, _COLON):
        made.body[row] += 1
    return True


@kernel
def _is_type_byte(byte: int) -> bool:
    return 65 <= byte <= 90 or 48 <= byte <= 57 or byte in (95, 91, 93)  # A-Z 0-9 _ [ ]


@kernel
def _word_before(data: Bytes, start: int, place: int) -> int:
    """Returns where the word that ends at ``place`` begins."""
    while place > start and data[place - 1] != _SPACE:
        place -= 1
    return place


@kernel
def _read_type(data: Bytes, start: int, place: int, row: int, made: Headers) -> int:
    """Reads ``type=NAME`` before ``place``; returns where it begins, or -1."""
    if _starts_with(data, place - 4, place, _MSG) and place - 4 >= start:
        place -= 4
    while place > start and data[place - 1] == _SPACE:
        place -= 1
    name = place
    while name > start and _is_type_byte(data[name - 1]):
        name -= 1
    length = place - name
    if not 0 < length <= _TYPE_LENGTH or name - 5 < start:
        return -1
    if not _starts_with(data, name - 5, name, _TYPE):
        return -1
    made.type[0, row] = name
    made.type[1, row] = length
    made.ends[row] = length == 3 and _starts_with(data, name, place, _END_OF_EVENT)
    return int(name - 5)


@kernel
def _word_after(data: Bytes, place: int, end: int) -> int:
    """Returns where the word that begins at ``place`` ends."""
    while place < end and data[place] != _SPACE:
        place += 1
    return place


@kernel
def _wrapping_host(data: Bytes, place: int, end: int) -> int:
    """Returns where the host of a syslog line begins: behind its priority and its time."""
    if data[place] == _LESS:  # <13>
        while place < end and data[place] != _GREATER:
            place += 1
        place += 1
    iso = place < end and 48 <= data[place] <= 57
    for _ in range(1 if iso else 3):  # 2026-11-20T10:15:00Z | Nov 20 10:15:00
        place = _word_after(data, place, end)
        while place < end and data[place] == _SPACE:
            place += 1
    return place


@kernel
def _read_node(data: Bytes, start: int, place: int, row: int, made: Headers) -> None:
    """Reads ``node=HOST`` before ``place``, else the host of a syslog line that wraps it."""
    while place > start and data[place - 1] == _SPACE:
        place -= 1
    word = _word_before(data, start, place)
    if _starts_with(data, word, place, _NODE):
        made.node[0, row] = word + 5
        made.node[1, row] = place - word - 5
        return
    host = _wrapping_host(data, start, place)
    stop = _word_after(data, host, place)
    if host < stop < place and data[stop - 1] != _COLON:
        made.node[0, row] = host
        made.node[1, row] = stop - host


@kernel
def _read_headers(data: Bytes, ends: Places, made: Headers) -> None:
    for row in range(len(ends) - 1):
        start, end = ends[row], ends[row + 1]
        place = _find_id(data, start, end)
        if place < 0 or not _read_id(data, place + len(_AUDIT), end, row, made):
            made.fault[row] = NO_ID
            made.body[row] = -1
            continue
        before = _read_type(data, start, place, row, made)
        if before < 0:
            made.fault[row] = NO_TYPE
            made.body[row] = -1
        elif before > start:
            _read_node(data, start, before, row, made)


@kernel
def _same_event(data: Bytes, found: Headers, row: int, other: int) -> bool:
    if found.serial[row] != found.serial[other] or found.time_us[row] != found.time_us[other]:
        return False
    length = found.node[1, row]
    if length != found.node[1, other]:
        return False
    for step in range(length):
        if data[found.node[0, row] + step] != data[found.node[0, other] + step]:
            return False
    return True


@kernel
def _join(data: Bytes, found: Headers, lines: Places) -> tuple[Places, int]:
    event = np.full(len(lines), -1, dtype=np.int64)
    count = 0
    for row in range(len(lines)):
        if found.fault[row]:
            continue
        other = row - 1
        while other >= 0 and lines[row] - lines[other] <= JOIN_LINES:
            if event[other] >= 0 and _same_event(data, found, row, other):
                break
            other -= 1
        else:
            other = -1
        if other >= 0 and not found.ends[other]:
            event[row] = event[other]
        else:
            event[row] = count
            count += 1
    return event, count
