"""The grammar of web access lines, read by one compiled pass into spans and numbers.

``[vhost] client ident user [time] "request" status size "referrer" "agent" anything``

Text enters; ``Lines`` leave: where each part stands, which the format turns into columns. A quote
ends a part where a status (behind the request) or a blank or the line's end (behind the others)
follows it, so that servers that escape quotes and those that do not are both read.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from secad.base.compiled import kernel
from secad.collect.web.weblog_parts import (
    AGENT,
    BACKSLASH,
    CHAIN,
    CLIENT,
    COLON,
    COMMA,
    DASH,
    EXTRA,
    IDENT,
    NO_NUMBER,
    NO_REQUEST,
    NO_TIME_PART,
    OPEN,
    PARTS,
    PLUS,
    QUOTE,
    REFERRER,
    REQUEST,
    SHUT,
    SLASH,
    SPACE,
    TIME,
    USER,
    VHOST,
    Lines,
    Spans,
    find,
    is_digit,
    is_ip,
    next_word,
    number,
    put,
    without_port,
)
from secad.collect.web.weblog_requests import read_request
from secad.features.spans import Bytes, Places, buffer_of

_LONGEST_TIME = 40
_CLF_LENGTH = 26  # 06/Mar/2005:05:28:52 -0500
_MONTHS = np.frombuffer(b"janfebmaraprmayjunjulaugsepoctnovdec", dtype=np.uint8)
_MONTH_DAYS = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def read(text: pa.StringArray) -> Lines:
    """Returns the parts of each line.

    Args:
        text: (N,) without nulls.
    """
    data, ends = buffer_of(text)
    count = len(text)
    made = Lines(
        np.zeros(count, dtype=np.int8),
        np.full((count, len(PARTS), 2), -1, dtype=np.int64),
        np.full(count, NO_NUMBER, dtype=np.int64),
        np.full(count, NO_NUMBER, dtype=np.int64),
        np.full(count, NO_NUMBER, dtype=np.int64),
        np.full(count, NO_NUMBER, dtype=np.int64),
        np.zeros(count, dtype=np.bool_),
        np.zeros(count, dtype=np.bool_),
    )
    _read_lines(data, ends, made)
    return made


@kernel
def _days(year: int, month: int, day: int) -> int:
    """Returns the days from 1 January 1970 to a day of the Gregorian calendar."""
    year -= month <= 2  # years that begin in March end with their leap day
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return int(era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468)


@kernel
def _month(data: Bytes, place: int) -> int:
    """Returns the number of a month from its three letters, 0 where it is none."""
    for month in range(12):
        same = True
        for step in range(3):
            same = same and (data[place + step] | 32) == _MONTHS[3 * month + step]
        if same:
            return month + 1
    return 0


@kernel
def _two(data: Bytes, place: int) -> int:
    """Returns the number of two digits, 100 where they are none."""
    if not (is_digit(data[place]) and is_digit(data[place + 1])):
        return 100
    return int(data[place] - 48) * 10 + int(data[place + 1] - 48)


@kernel
def _clf_time(data: Bytes, place: int, end: int) -> int:
    """Returns the time ``06/Mar/2005:05:28:52 -0500``, NO_NUMBER where it is not so written."""
    if end - place != _CLF_LENGTH or data[place + 20] != SPACE:
        return NO_NUMBER
    marks = data[place + 2] == SLASH and data[place + 6] == SLASH and data[place + 11] == COLON
    if not marks or data[place + 14] != COLON or data[place + 17] != COLON:
        return NO_NUMBER
    day, month = _two(data, place), _month(data, place + 3)
    century, year = _two(data, place + 7), _two(data, place + 9)
    hour, minute, second = _two(data, place + 12), _two(data, place + 15), _two(data, place + 18)
    hours, minutes = _two(data, place + 22), _two(data, place + 24)
    if month == 0 or day == 0 or max(century, year) > 99 or max(minute, second, minutes) > 59:
        return NO_NUMBER
    year += century * 100
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _MONTH_DAYS[month - 1] or (month == 2 and day == 29 and not leap):
        return NO_NUMBER
    sign = data[place + 21]
    if hour > 23 or hours > 23 or sign not in (PLUS, DASH):
        return NO_NUMBER
    shift = (hours * 60 + minutes) * (-1 if sign == DASH else 1)
    minutes_past = (_days(year, month, day) * 24 + hour) * 60 + minute - shift
    return int((minutes_past * 60 + second) * 1_000_000)


@kernel
def _time_part(data: Bytes, start: int, end: int) -> tuple[int, int]:
    """Returns the time's brackets: a ``[`` behind a blank before a digit, a ``]`` before `` "``."""
    place = start + 1
    while place + 1 < end:
        place = find(data, place, end, OPEN)
        if place + 1 < end and data[place - 1] == SPACE and is_digit(data[place + 1]):
            shut = find(data, place, min(end, place + _LONGEST_TIME), SHUT)
            closed = shut + 2 < end and data[shut] == SHUT
            if closed and data[shut + 1] == SPACE and data[shut + 2] == QUOTE:
                return place, shut
        place += 1
    return -1, -1


@kernel
def _status_follows(data: Bytes, place: int, end: int) -> bool:
    """Returns whether a status stands at ``place``: `` 404`` or `` -``, then a blank or the end."""
    if place + 1 >= end or data[place] != SPACE:
        return False
    if data[place + 1] == DASH:
        stop = place + 2
    else:
        _, stop = number(data, place + 1, end)
        if stop - place != 4:
            return False
    return stop == end or data[stop] == SPACE


@kernel
def _blank_follows(data: Bytes, place: int, end: int) -> bool:
    return place >= end or data[place] == SPACE


@kernel
def _request_end(data: Bytes, start: int, end: int) -> int:
    """Returns where the request's closing quote stands, or -1."""
    place = start
    while place < end:  # a server that escapes: a quote behind a backslash is text
        if data[place] == BACKSLASH:
            place += 1
        elif data[place] == QUOTE and _status_follows(data, place + 1, end):
            return place
        place += 1
    for other in range(start, end):  # one that does not: a request may end in a backslash
        if data[other] == QUOTE and _status_follows(data, other + 1, end):
            return other
    return -1


@kernel
def _quoted_end(data: Bytes, start: int, end: int) -> int:
    """Returns where the closing quote of a field stands, or -1."""
    place = start
    while place < end:
        if data[place] == BACKSLASH:
            place += 1
        elif data[place] == QUOTE and _blank_follows(data, place + 1, end):
            return place
        place += 1
    return -1


@kernel
def _has_virtual_host(data: Bytes, start: int, end: int) -> bool:
    """Returns whether a virtual host stands before the client.

    So it is if four words or more stand before the time, and the second is an address, or the
    first is none and ``-`` stands third as the client's ident.
    """
    first = next_word(data, start, end)
    second = next_word(data, first[1], end)
    third = next_word(data, second[1], end)
    fourth = next_word(data, third[1], end)
    if fourth[0] == fourth[1] or data[first[1] - 1] == COMMA:
        return False
    if is_ip(data, second[0], second[1]):
        return True
    dash = third[1] - third[0] == 1 and data[third[0]] == DASH
    named = not (second[1] - second[0] == 1 and data[second[0]] == DASH)
    return dash and named and not is_ip(data, first[0], first[1])


@kernel
def _read_client(data: Bytes, start: int, end: int, row: int, spans: Spans) -> tuple[int, bool]:
    """Reads what stands before the time; returns the client's port and whether it is a name."""
    if _has_virtual_host(data, start, end):
        first, last = next_word(data, start, end)
        start = last
        first, last, _ = without_port(data, first, last)
        put(data, spans, VHOST, row, (first, last))
    first, last = next_word(data, start, end)
    if first == last:
        return NO_NUMBER, False
    after = last
    while data[after - 1] == COMMA and after < end:  # 192.0.2.1, 198.51.100.7: it was forwarded
        after = next_word(data, after, end)[1]
    if after > last:
        put(data, spans, CHAIN, row, (first, after))
    if data[last - 1] == COMMA:
        last -= 1
    port, named = NO_NUMBER, False
    if not is_ip(data, first, last):
        first, last, port = without_port(data, first, last)
        named = not is_ip(data, first, last)
    put(data, spans, CLIENT, row, (first, last))
    _read_user(data, after, end, row, spans)
    return port, named


@kernel
def _read_user(data: Bytes, start: int, end: int, row: int, spans: Spans) -> None:
    """Reads ``ident user``, of which the user may hold blanks, or the user alone."""
    ident = next_word(data, start, end)
    user, _ = next_word(data, ident[1], end)
    if user == end:
        put(data, spans, USER, row, ident)
        return
    put(data, spans, IDENT, row, ident)
    while end > user and data[end - 1] == SPACE:
        end -= 1
    put(data, spans, USER, row, (user, end))


@kernel
def _whole(data: Bytes, place: int, end: int) -> tuple[int, int]:
    """Returns the next word as a number, and where it ends.

    The number is NO_NUMBER where the word is ``-`` or is none; a word that is neither is not
    passed over.
    """
    first, stop = next_word(data, place, end)
    value, last = number(data, first, stop)
    if last == stop and last > first:
        return value, stop
    dash = stop - first == 1 and data[first] == DASH
    return NO_NUMBER, stop if dash else place


@kernel
def _read_answer(data: Bytes, place: int, end: int, row: int, spans: Spans) -> tuple[int, int]:
    """Reads referrer, agent and the rest; returns the status and the size before them."""
    status, place = _whole(data, place, end)
    size, place = _whole(data, place, end)
    for part in (REFERRER, AGENT):
        first, _ = next_word(data, place, end)
        if first >= end or data[first] != QUOTE:
            break
        stop = _quoted_end(data, first + 1, end)
        if stop < 0:
            break
        put(data, spans, part, row, (first + 1, stop))
        place = stop + 1
    first, _ = next_word(data, place, end)
    put(data, spans, EXTRA, row, (first, end))
    return status if status else NO_NUMBER, size


@kernel
def _read_lines(data: Bytes, ends: Places, made: Lines) -> None:
    spans = made.spans
    for row in range(len(ends) - 1):
        start, end = ends[row], ends[row + 1]
        while end > start and data[end - 1] == SPACE:
            end -= 1
        opened, shut = _time_part(data, start, end)
        if opened < 0:
            made.fault[row] = NO_TIME_PART
            continue
        first = shut + 3
        last = _request_end(data, first, end)
        if last < 0:
            made.fault[row] = NO_REQUEST
            continue
        made.port[row], made.named[row] = _read_client(data, start, opened - 1, row, spans)
        put(data, spans, TIME, row, (opened + 1, shut))
        made.time_us[row] = _clf_time(data, opened + 1, shut)
        put(data, spans, REQUEST, row, (first, last))
        made.malformed[row] = not read_request(data, first, last, row, spans)
        made.status[row], made.size[row] = _read_answer(data, last + 1, end, row, spans)
