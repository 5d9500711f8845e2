"""Times inside a byte buffer, read by a small program that is compiled from a format.

Bytes enter, microseconds leave: a scanner that stands where a time should be learns in one step
whether it is one, where it ends and which instant it names. Nothing is allocated per time.

| directive | reads |
|---|---|
| ``%Y %y`` | the year, 4 or 2 digits |
| ``%m %d %H %M %S`` | one or two digits; exactly two where a digit directive follows |
| ``%e`` | the day, one or two digits, maybe with a space in front |
| ``%b %a`` | the month's and the weekday's English name, three letters |
| ``%f`` | the fraction of a second, 1 to 9 digits |
| ``%L`` | milliseconds as a number, 1 to 3 digits |
| ``%s`` | seconds since 1970, 9 to 11 digits |
| ``%z`` | ``Z``, ``UTC``, ``GMT``, ``+01``, ``+0100`` or ``+01:00`` |

``iso`` and ``syslog`` stand for those two families with all that is optional in them.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from secad.base.errors import ConfigError
from secad.features.clock_read import (
    DAY,
    EPOCH,
    FRACTION,
    HOUR,
    LEAP_YEAR,
    LITERAL,
    MAYBE_FRACTION,
    MAYBE_SECOND,
    MAYBE_YEAR,
    MAYBE_ZONE,
    MILLIS,
    MINUTE,
    MONTH,
    MONTH_NAME,
    NO_YEAR,
    NUMBER,
    PAD,
    SECOND,
    SHORT_YEAR,
    T_OR_BLANK,
    WEEKDAY,
    YEAR,
    ZONE,
    Program,
)
from secad.features.spans import Places

_DIGITS = {  # directive: field, least and most digits
    "Y": (YEAR, 4, 4),
    "m": (MONTH, 1, 2),
    "d": (DAY, 1, 2),
    "H": (HOUR, 1, 2),
    "M": (MINUTE, 1, 2),
    "S": (SECOND, 1, 2),
    "s": (EPOCH, 9, 11),
}
_OTHERS = {
    "y": [(SHORT_YEAR, YEAR, 2, 2)],
    "e": [(PAD, 0, 0, 0), (NUMBER, DAY, 1, 2)],
    "b": [(MONTH_NAME, 0, 0, 0)],
    "a": [(WEEKDAY, 0, 0, 0)],
    "f": [(FRACTION, 0, 1, 9)],
    "L": [(MILLIS, 0, 1, 3)],
    "z": [(ZONE, 0, 0, 0)],
}
_DASH, _COLON, _BLANK = ord("-"), ord(":"), ord(" ")
_CLOCK = [
    (NUMBER, HOUR, 1, 2),
    (LITERAL, _COLON, 0, 0),
    (NUMBER, MINUTE, 2, 2),
    (MAYBE_SECOND, 0, 0, 0),
    (MAYBE_FRACTION, 0, 0, 0),
]
_FAMILIES = {
    "iso": [
        (NUMBER, YEAR, 4, 4),
        (LITERAL, _DASH, 0, 0),
        (NUMBER, MONTH, 2, 2),
        (LITERAL, _DASH, 0, 0),
        (NUMBER, DAY, 2, 2),
        (T_OR_BLANK, 0, 0, 0),
        *_CLOCK,
        (MAYBE_ZONE, 0, 0, 0),
    ],
    "syslog": [
        (MONTH_NAME, 0, 0, 0),
        (LITERAL, _BLANK, 0, 0),
        (PAD, 0, 0, 0),
        (NUMBER, DAY, 1, 2),
        (LITERAL, _BLANK, 0, 0),
        (MAYBE_YEAR, 0, 0, 0),
        *_CLOCK,
    ],
}
_DAY_US = 86_400_000_000
_LEAP_DAY = 59  # days before 29 February


def compile_clock(pattern: str) -> Program:
    """Returns the program of a time format, (4 * S,) int32: its steps, one after the other.

    Args:
        pattern: directives and the characters between them, or ``iso`` or ``syslog``.

    Raises:
        ConfigError: it holds an unknown directive or none.

    >>> compile_clock("%H:%M").shape
    (12,)
    """
    steps = _FAMILIES.get(pattern) or _steps(pattern)
    fields = {step[1] for step in steps if step[0] in {NUMBER, SHORT_YEAR}}
    dated = MONTH in fields or any(step[0] == MONTH_NAME for step in steps)
    first = [(NO_YEAR, 0, 0, 0)] if dated and YEAR not in fields else []
    return np.array([*first, *steps], dtype=np.int32).ravel()


def _steps(pattern: str) -> list[tuple[int, int, int, int]]:
    steps: list[tuple[int, int, int, int]] = []
    place = 0
    while place < len(pattern):
        if pattern[place] != "%":
            steps.extend((LITERAL, byte, 0, 0) for byte in pattern[place].encode())
            place += 1
            continue
        directive = pattern[place + 1 : place + 2]
        digits_follow = pattern[place + 2 : place + 3] == "%"
        place += 2
        if directive in _DIGITS:
            field, least, most = _DIGITS[directive]
            steps.append((NUMBER, field, most if digits_follow else least, most))
        elif directive in _OTHERS:
            steps.extend(_OTHERS[directive])
        else:
            allowed = ", ".join(f"%{name}" for name in sorted({*_DIGITS, *_OTHERS}))
            raise ConfigError(
                f"time format {pattern!r} holds {'%' + directive!r}, allowed are {allowed}"
            )
    if all(step[0] == LITERAL for step in steps):
        raise ConfigError(f"time format {pattern!r} reads nothing, it needs directives such as %H")
    return steps


def in_year(micros: Places, year: int) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Returns times that were read without a year as times of ``year``.

    Args:
        micros: (N,) naive, as ``instant`` gives them where ``fields[YEARLESS]`` is 1.
        year: four digits.

    Returns:
        (N,) naive microseconds since 1970, and (N,) whether the day exists in that year.
    """
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    base = _days_before(LEAP_YEAR)
    day = micros // _DAY_US - base
    moved = np.where((day > _LEAP_DAY) & (not leap), day - 1, day)
    exists = (day != _LEAP_DAY) | leap
    return (_days_before(year) + moved) * _DAY_US + micros % _DAY_US, exists


def _days_before(year: int) -> int:
    return date(year, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
