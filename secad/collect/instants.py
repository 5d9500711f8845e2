"""Times out of pieces of a buffer: epochs and ISO 8601 by one compiled pass, all others after it.

The unit of an epoch is told by its digits: seconds have ten before the point, milliseconds
thirteen, microseconds sixteen, nanoseconds nineteen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.base.protocols import ParseContext
from secad.base.schemas import TIME
from secad.collect.pieces import Integers, Numbers, Pieces, decimal, texts
from secad.collect.times import parse_any, to_utc
from secad.features.inlined import inlined, peek
from secad.features.spans import Bytes

_NONE, _UTC, _LOCAL, _OTHER = 0, 1, 2, 3  # what a row has: no text, a time, one without zone, ?
_LAST_US = 7_258_118_400_000_000  # 2200
_DATE_BYTES, _CLOCK_BYTES = 10, 19
_MONTH_DAYS = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DASH, _COLON, _T, _BLANK, _DOT, _COMMA = (ord(mark) for mark in "-:T .,")
_Z, _PLUS = ord("Z"), ord("+")


def instants(pieces: Pieces, context: ParseContext) -> pa.TimestampArray:
    """Returns (N,) UTC times, null where there is no text, or no time between 1970 and 2200.

    Args:
        pieces: texts such as ``1642723741.072`` or ``2022-01-21T00:09:01.072+0000``.
        context: the zone and the date of times that lack them.
    """
    micros, states = _instants(pieces.data, pieces.starts, pieces.lengths)
    local = states == _LOCAL
    if local.any() and context.tz != "UTC":
        naive = pa.array(np.where(local, micros, 0)).cast(pa.timestamp("us"))
        micros = np.where(local, np.asarray(to_utc(naive, context.tz).cast(pa.int64())), micros)
    known = ((states == _UTC) | local) & (micros >= 0) & (micros < _LAST_US)
    times = pa.array(micros, mask=None if known.all() else ~known).cast(TIME)
    others = states == _OTHER
    if not others.any():
        return times
    text = texts(Pieces(pieces.data, pieces.starts[others], pieces.lengths[others]))
    slower = parse_any(text, context.tz, context.anchor_time)
    return pc.replace_with_mask(times, pa.array(others), slower)


@kernel
def _instants(
    data: Bytes, starts: Integers, lengths: Integers
) -> tuple[Numbers, npt.NDArray[np.int8]]:
    """Returns (N,) microseconds since 1970, and what each row has."""
    micros, states = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int8)
    for row in range(len(starts)):
        at = starts[row]
        if at < 0:
            continue
        end = at + lengths[row]
        if end - at >= _CLOCK_BYTES and data[at + 4] == _DASH:
            states[row], micros[row] = _iso(data, at, end)
        else:
            states[row], micros[row] = _epoch(data, at, end)
    return micros, states


@inlined
def _epoch(data: Bytes, at: int, end: int) -> tuple[int, int]:
    whole = at
    while whole < end and 48 <= peek(data, whole) <= 57:
        whole += 1
    size = whole - at
    if not 9 <= size <= 18 or (whole < end and data[whole] != _DOT):  # ... 1e9 is no log's time
        return _OTHER, 0
    power = 6 if size <= 11 else 3 if size <= 14 else 0 if size <= 17 else -3
    if power <= 0:  # the fraction is of no account
        end = whole
    sound, value = decimal(data, at, end, max(power, 0))
    return (_UTC if sound else _OTHER), value // 1000 if power < 0 else value


@inlined
def _iso(data: Bytes, at: int, end: int) -> tuple[int, int]:
    r"""Returns what ``2022-01-18T12:00:00.123456+0000`` is; the caller has seen its size."""
    month, day = _two(data, at + 5), _two(data, at + 8)
    year = _two(data, at) * 100 + _two(data, at + 2)
    hour, minute, second = _two(data, at + 11), _two(data, at + 14), _two(data, at + 17)
    marks = data[at + 7] == _DASH and data[at + 13] == _COLON and data[at + 16] == _COLON
    marks = marks and data[at + _DATE_BYTES] in (_T, _BLANK)
    dated = 1 <= month <= 12 and 1970 <= year <= 2200 and 1 <= day <= 31
    if not (marks and dated) or hour > 23 or minute > 59 or second > 59:
        return _OTHER, 0
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _MONTH_DAYS[month - 1] or (month == 2 and day == 29 and not leap):
        return _OTHER, 0
    micros = ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    fraction, at = _fraction(data, at + _CLOCK_BYTES, end)
    state, shift = _zone(data, at, end)
    return state, (micros - shift) * 1_000_000 + fraction


@inlined
def _fraction(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the microseconds at ``at`` and where they end."""
    micros, unit = 0, 100_000
    if at >= end or data[at] not in (_DOT, _COMMA):
        return 0, at
    at += 1
    while at < end and 48 <= peek(data, at) <= 57:
        micros += (peek(data, at) - 48) * unit
        unit //= 10
        at += 1
    return micros, at


@inlined
def _zone(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns whether the rest is a zone, and how many seconds it is before UTC."""
    if at == end:
        return _LOCAL, 0
    if data[at] == _Z and at + 1 == end:
        return _UTC, 0
    size = end - at
    if data[at] not in (_PLUS, _DASH) or size not in (3, 5, 6):
        return _OTHER, 0
    hours, minutes = _two(data, at + 1), 0
    if size > 3:
        minutes = _two(data, end - 2)
    if hours > 23 or minutes > 59 or (size == 6 and data[at + 3] != _COLON):
        return _OTHER, 0
    shift = hours * 3600 + minutes * 60
    return _UTC, -shift if data[at] == _DASH else shift


@inlined
def _two(data: Bytes, at: int) -> int:
    """Returns the number of two digits, more than any part of a time where they are none."""
    tens, ones = int(peek(data, at)) - 48, int(peek(data, at + 1)) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else 10_000


@inlined
def _days(year: int, month: int, day: int) -> int:
    """Returns the days from 1 January 1970 to a day of the Gregorian calendar."""
    year -= month <= 2  # years that begin in March end with their leap day
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    era = year // 400
    of_era = year - era * 400
    return int(era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468)
