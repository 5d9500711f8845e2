"""The compiled reader behind ``secad.features.clock``: bytes in, the fields of a time out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.features.inlined import inlined, peek
from secad.features.spans import Bytes, Places

Program = npt.NDArray[np.int32]
"""Steps, each four numbers: what it reads, an argument, the least and the most digits."""

NUMBER, LITERAL, MONTH_NAME, WEEKDAY, FRACTION, MILLIS, PAD, SHORT_YEAR = range(8)
T_OR_BLANK, MAYBE_SECOND, MAYBE_FRACTION, ZONE, MAYBE_ZONE, MAYBE_YEAR, NO_YEAR = range(8, 15)
"""What a step reads. NO_YEAR reads nothing: it says that the format holds no year."""

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MICROS, EPOCH, SHIFT, ZONED, YEARLESS = range(11)
FIELDS = 11
"""Places in the fields of a time; SHIFT is the zone's, in seconds."""

LEAP_YEAR = 2000
"""Times without a year are read as if of this one, so that 29 February exists."""

_FIRST_YEAR, _LAST_YEAR = 1900, 2261  # what every consumer's nanoseconds can still hold
_LEAST_DIGITS_OF_ZONE_BEHIND_BLANK = 4  # " -05" may be a number of the message
_MOST_HOURS_OF_ZONE = 14
_COLON, _BLANK, _T, _Z, _PLUS, _MINUS, _DOT, _COMMA = (ord(mark) for mark in ": Tz+-.,")
_MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)


def _packed(words: str) -> npt.NDArray[np.int64]:
    numbers = [int.from_bytes(words[at : at + 3].encode(), "big") for at in range(0, len(words), 3)]
    return np.array(numbers, dtype=np.int64)


# each three letters as one number
_MONTH_NAMES = _packed("janfebmaraprmayjunjulaugsepoctnovdec")
_ZONE_NAMES = _packed("utcgmt")


class Reader(NamedTuple):
    """What every function of the reader needs.

    Args:
        data: the buffer.
        code: holds programs.
        fields: (FIELDS,) what is filled.
    """

    data: Bytes
    code: Program
    fields: Places


@inlined
def read_time(reader: Reader, at: int, end: int, first: int, last: int) -> int:
    """Returns the place after the time that stands at ``at``, or -1 where none does.

    Args:
        reader: its fields hold the time afterwards, for ``instant``.
        at: where the time begins.
        end: where the text ends.
        first: where in the code the program begins.
        last: where it ends.
    """
    for field in range(FIELDS):
        reader.fields[field] = 0
    reader.fields[YEAR], reader.fields[MONTH], reader.fields[DAY] = 1970, 1, 1
    for step in range(first, last, 4):
        if peek(reader.code, step) <= SHORT_YEAR:
            at = _read_fixed(reader, at, end, step)
        else:
            at = _read_loose(reader, at, end, peek(reader.code, step))
        if at < 0:
            return -1
    return at if _exists(reader.fields) else -1


@inlined
def instant(fields: Places) -> int:
    """Returns the microseconds since 1970 of the time that ``read_time`` left in ``fields``.

    They are UTC where ``fields[ZONED]`` is 1, else of the log's own zone.
    """
    days = _days_before(fields[YEAR], fields[MONTH], fields[DAY])
    seconds = days * 86400 + fields[HOUR] * 3600 + fields[MINUTE] * 60 + fields[SECOND]
    return int((seconds + fields[EPOCH] - fields[SHIFT]) * 1_000_000 + fields[MICROS])


@inlined
def _days_before(year: int, month: int, day: int) -> int:
    """Returns the days from 1 January 1970 to a date (negative before it)."""
    # counts from 1 March, so that the leap day ends its year
    y = year - 1 if month <= 2 else year
    era = y // 400
    year_of_era = y - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146097 + day_of_era - 719468


@inlined
def _exists(fields: Places) -> bool:
    year, month = fields[YEAR], fields[MONTH]
    if year < _FIRST_YEAR or year > _LAST_YEAR or month < 1 or month > 12:
        return False
    days = _MONTH_DAYS[month - 1]
    if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        days += 1
    if fields[DAY] < 1 or fields[DAY] > days:
        return False
    return bool(fields[HOUR] < 24 and fields[MINUTE] < 60 and fields[SECOND] <= 60)


@inlined
def _read_fixed(reader: Reader, at: int, end: int, step: int) -> int:
    kind = peek(reader.code, step)
    if kind == NUMBER:
        return _read_number(reader, at, end, step)
    if kind == LITERAL:
        return at + 1 if at < end and peek(reader.data, at) == peek(reader.code, step + 1) else -1
    if kind == PAD:
        return at + 1 if at < end and peek(reader.data, at) == _BLANK else at
    if kind in (MONTH_NAME, WEEKDAY):
        return _read_name(reader, at, end, kind)
    return _read_converted(reader, at, end, step)


@inlined
def _read_loose(reader: Reader, at: int, end: int, kind: int) -> int:
    here = peek(reader.data, at) if at < end else 0
    if kind == NO_YEAR:
        reader.fields[YEAR], reader.fields[YEARLESS] = LEAP_YEAR, 1
        after = at
    elif kind == T_OR_BLANK:
        after = at + 1 if here in (_T, _BLANK) else -1
    elif kind == MAYBE_SECOND:
        after = _read_second(reader, at + 1, end) if here == _COLON else at
    elif kind == MAYBE_FRACTION:
        after = max(at, _read_fraction(reader, at + 1, end)) if here in (_DOT, _COMMA) else at
    elif kind == MAYBE_YEAR:
        after = _read_year(reader, at, end)
    else:
        after = _read_zone(reader, at, end)
        if kind == MAYBE_ZONE:
            after = max(at, after)
    return after


@inlined
def _digits(data: Bytes, at: int, end: int, most: int) -> tuple[int, int]:
    value = 0
    stop = min(end, at + most)
    while at < stop and 48 <= peek(data, at) <= 57:
        value = value * 10 + (peek(data, at) - 48)
        at += 1
    return at, value


@inlined
def _read_number(reader: Reader, at: int, end: int, step: int) -> int:
    stop, value = _digits(reader.data, at, end, peek(reader.code, step + 3))
    if stop - at < peek(reader.code, step + 2):
        return -1
    field = peek(reader.code, step + 1)
    reader.fields[field] = value
    if field == EPOCH:
        reader.fields[ZONED] = 1
    return stop


@inlined
def _read_converted(reader: Reader, at: int, end: int, step: int) -> int:
    if peek(reader.code, step) == FRACTION:
        return _read_fraction(reader, at, end)
    stop, value = _digits(reader.data, at, end, peek(reader.code, step + 3))
    if stop - at < peek(reader.code, step + 2):
        return -1
    if peek(reader.code, step) == MILLIS:
        reader.fields[MICROS] = value * 1000
    else:  # two digits of a year, split as POSIX does
        reader.fields[YEAR] = value + (1900 if value >= 69 else 2000)
    return stop


@inlined
def _read_fraction(reader: Reader, at: int, end: int) -> int:
    stop, value = _digits(reader.data, at, end, 9)
    digits = stop - at
    if digits < 1:
        return -1
    while digits < 6:
        value *= 10
        digits += 1
    while digits > 6:
        value //= 10
        digits -= 1
    reader.fields[MICROS] = value
    return stop


@inlined
def _letters(data: Bytes, at: int, end: int) -> int:
    """Returns three letters packed into a number, -1 where there are none."""
    if at + 3 > end:
        return -1
    packed = 0
    for step in range(3):
        letter = peek(data, at + step) | 32
        if letter < 97 or letter > 122:
            return -1
        packed = packed * 256 + letter
    return packed


@inlined
def _read_name(reader: Reader, at: int, end: int, kind: int) -> int:
    packed = _letters(reader.data, at, end)
    if packed >= 0 and kind == WEEKDAY:
        return at + 3
    for month in range(12):
        if _MONTH_NAMES[month] == packed:
            reader.fields[MONTH] = month + 1
            return at + 3
    return -1


@inlined
def _read_second(reader: Reader, at: int, end: int) -> int:
    stop, value = _digits(reader.data, at, end, 2)
    reader.fields[SECOND] = value
    return stop if stop - at == 2 else -1


@inlined
def _read_year(reader: Reader, at: int, end: int) -> int:
    stop, value = _digits(reader.data, at, end, 4)
    if stop - at == 4 and stop < end and peek(reader.data, stop) == _BLANK:
        reader.fields[YEAR], reader.fields[YEARLESS] = value, 0
        return stop + 1
    return at


@inlined
def _read_zone(reader: Reader, at: int, end: int) -> int:
    data = reader.data
    spaced = at < end and peek(data, at) == _BLANK
    if spaced:
        at += 1
    if at >= end:
        return -1
    if peek(data, at) in (_PLUS, _MINUS):
        return _read_shift(reader, at, end, _LEAST_DIGITS_OF_ZONE_BEHIND_BLANK if spaced else 2)
    stop = at + 1 if peek(data, at) | 32 == _Z else -1
    packed = _letters(data, at, end)
    if packed in (_ZONE_NAMES[0], _ZONE_NAMES[1]):
        stop = at + 3
    if stop < 0 or (stop < end and _is_word(peek(data, stop))):
        return -1
    reader.fields[ZONED] = 1
    return stop


@inlined
def _read_shift(reader: Reader, at: int, end: int, least: int) -> int:
    data = reader.data
    stop, hours = _digits(data, at + 1, end, 2)
    if stop - at != 3:
        return -1
    minutes_at = stop + 1 if stop < end and peek(data, stop) == _COLON else stop
    after, minutes = _digits(data, minutes_at, end, 2)
    if after - minutes_at != 2:
        after, minutes = stop, 0
        if least > 2:
            return -1
    if (after < end and _is_word(peek(data, after))) or hours > _MOST_HOURS_OF_ZONE or minutes > 59:
        return -1
    shift = hours * 3600 + minutes * 60
    reader.fields[SHIFT] = -shift if peek(data, at) == _MINUS else shift
    reader.fields[ZONED] = 1
    return after


@inlined
def _is_word(byte: int) -> bool:
    return 48 <= byte <= 57 or 97 <= byte | 32 <= 122
