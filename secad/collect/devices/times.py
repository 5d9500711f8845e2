"""Times as security devices write them: epochs, ISO 8601, ``Oct 12 2021 14:30:00.123 GMT+02:00``.

Spans of a byte buffer enter; instants leave, for ``secad.collect.columns.utc_times``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.base.errors import ConfigError
from secad.features.clock import compile_clock
from secad.features.clock_read import (
    FIELDS,
    YEARLESS,
    ZONED,
    Program,
    Reader,
    instant,
    read_time,
)
from secad.features.inlined import borrowed
from secad.features.slot_types import is_space
from secad.features.spans import Bytes, Places

LAYOUTS = (
    "syslog",  # Oct 12 2021 14:30:00, Oct 12 14:30:00.123
    "iso",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S",
    "%a %b %e %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S",
)
"""What a time without a declared layout is tried as; a fraction and a zone may follow each."""

_IS_TIME, _IS_ZONED, _IS_YEARLESS = 1, 2, 4
_HOURS = {
    "utc": 0, "gmt": 0, "z": 0, "wet": 0, "cet": 1, "west": 1, "bst": 1, "cest": 2, "eet": 2,
    "eest": 3, "msk": 3, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "edt": -4, "est": -5,
    "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip
_ZONES = np.array([int.from_bytes(name.encode(), "big") for name in _HOURS], dtype=np.int64)
_SHIFTS = np.array([3600 * hours for hours in _HOURS.values()], dtype=np.int64)
_MOST_ZONE_LETTERS = 4
_NO_SHIFT, _BAD_ZONE = 1 << 40, 1 << 41  # no zone stands there; what stands there is none
_DOT, _COMMA, _PLUS, _MINUS, _COLON = (ord(mark) for mark in ".,+-:")
# Java's SimpleDateFormat, as LEEF's devTimeFormat has it, letter runs to directives
_JAVA = {
    "yyyy": "%Y", "yy": "%y", "MMM": "%b", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d",
    "HH": "%H", "H": "%H", "mm": "%M", "ss": "%S", "s": "%S", "SSS": "%f", "SSSSSS": "%f",
    "EEE": "%a",
}  # fmt: skip
_ZONE_LETTERS = frozenset("zZX")


@dataclass(frozen=True)
class Instants:
    """N instants.

    Args:
        micros: (N,) microseconds since 1970.
        flags: (N,) 0 where there is no time; else 1, 2 for UTC, 4 for no year.
    """

    micros: Places
    flags: Places

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """(N,) whether there is a time."""
        return self.flags > 0

    @property
    def zoned(self) -> npt.NDArray[np.bool_]:
        """(N,) whether it is UTC."""
        return (self.flags & _IS_ZONED) > 0

    @property
    def yearless(self) -> npt.NDArray[np.bool_]:
        """(N,) whether it needs a year."""
        return (self.flags & _IS_YEARLESS) > 0


def read_instants(data: Bytes, places: Places, layouts: tuple[str, ...] = LAYOUTS) -> Instants:
    """Returns the instants at ``places``.

    Args:
        data: the buffer.
        places: (2, N) spans, first byte -1 for none.
        layouts: formats of ``secad.features.clock``, the first that fits is taken; epochs in
            seconds, milliseconds, microseconds or nanoseconds always are.
    """
    code, begins = _programs(layouts)
    found = np.zeros((2, places.shape[1]), dtype=np.int64)
    _read_all(data, places, code, begins, found)
    return Instants(found[0], found[1])


def first_of(candidates: Sequence[Instants]) -> Instants:
    """Returns of several instants for each row the first that there is."""
    micros, flags = candidates[0].micros.copy(), candidates[0].flags.copy()
    for other in candidates[1:]:
        missing = flags == 0
        micros[missing], flags[missing] = other.micros[missing], other.flags[missing]
    return Instants(micros, flags)


def made(
    micros: Places,
    zoned: npt.NDArray[np.bool_],
    yearless: npt.NDArray[np.bool_],
    valid: npt.NDArray[np.bool_],
) -> Instants:
    """Returns instants of what another scanner found."""
    flags = _IS_TIME + _IS_ZONED * zoned + _IS_YEARLESS * yearless
    return Instants(micros, np.where(valid, flags, 0))


@lru_cache(maxsize=64)
def java_layout(pattern: str) -> str | None:
    """Returns the layout of a SimpleDateFormat pattern, without its zone; None for none.

    >>> java_layout("MMM dd yyyy HH:mm:ss.SSS z")
    '%b %d %Y %H:%M:%S.%f'
    """
    made, place = "", 0
    while place < len(pattern):
        letter = pattern[place]
        stop = place
        while stop < len(pattern) and pattern[stop] == letter:
            stop += 1
        run = pattern[place:stop]
        if letter in _ZONE_LETTERS:
            run = ""
        elif letter.isascii() and letter.isalpha() and letter != "T":
            if run not in _JAVA:
                return None
            run = _JAVA[run]
        made += run.replace("'", "")
        place = stop
    try:
        compile_clock(made.strip())
    except ConfigError:
        return None
    return made.strip()


@lru_cache(maxsize=64)
def _programs(layouts: tuple[str, ...]) -> tuple[Program, Places]:
    programs = [compile_clock(layout) for layout in layouts]
    begins = np.cumsum([0, *(len(program) for program in programs)], dtype=np.int64)
    return np.concatenate(programs), begins


@kernel
def _read_all(data: Bytes, places: Places, code: Program, begins: Places, found: Places) -> None:
    data, code = borrowed(data), borrowed(code)
    fields = np.zeros(FIELDS, dtype=np.int64)
    reader = Reader(data, code, fields)
    for row in range(places.shape[1]):
        at, end = places[0, row], places[0, row] + places[1, row]
        if at < 0 or at == end:
            continue
        micros = _epoch(data, at, end)
        if micros >= 0:
            found[0, row], found[1, row] = micros, _IS_TIME + _IS_ZONED
            continue
        for layout in range(len(begins) - 1):
            stop = read_time(reader, at, end, begins[layout], begins[layout + 1])
            if stop >= 0 and _finish(data, (stop, end), fields, found, row):
                break


@kernel
def _finish(data: Bytes, span: tuple[int, int], fields: Places, found: Places, row: int) -> bool:
    """Reads a fraction and a zone behind a time; returns whether nothing else stands there."""
    at, end = span
    micros = instant(fields)
    if at < end and data[at] in (_DOT, _COMMA):
        unit = 100_000
        at += 1
        while at < end and 48 <= data[at] <= 57:
            micros += unit * (data[at] - 48)
            unit //= 10
            at += 1
    shift = _zone(data, at, end)
    if shift == _BAD_ZONE:
        return False
    zoned = fields[ZONED] == 1
    if shift != _NO_SHIFT and not zoned:
        micros -= shift * 1_000_000
        zoned = True
    found[0, row] = micros
    found[1, row] = _IS_TIME + _IS_ZONED * zoned + _IS_YEARLESS * (fields[YEARLESS] == 1)
    return True


@kernel
def _zone(data: Bytes, at: int, end: int) -> int:
    """Returns the seconds of ``Z``, ``CEST``, ``GMT+02:00`` or ``-0500``."""
    while at < end and is_space(data[at]):
        at += 1
    if at == end:
        return _NO_SHIFT
    packed, start = 0, at
    while at < end and at - start <= _MOST_ZONE_LETTERS and 97 <= data[at] | 32 <= 122:
        packed = packed * 256 + (data[at] | 32)
        at += 1
    shift = 0
    if at > start:
        known = 0
        while known < len(_ZONES) and _ZONES[known] != packed:
            known += 1
        if known == len(_ZONES):
            return _BAD_ZONE
        shift = _SHIFTS[known]
    if at < end and data[at] in (_PLUS, _MINUS):
        seconds, at = _offset(data, at, end)
        shift += seconds
    return shift if at == end else _BAD_ZONE


@kernel
def _offset(data: Bytes, at: int, end: int) -> tuple[int, int]:
    sign = -1 if data[at] == _MINUS else 1
    digits, value, at = 0, 0, at + 1
    while at < end and digits < 4 and (48 <= data[at] <= 57 or data[at] == _COLON):
        if data[at] != _COLON:
            value = value * 10 + (data[at] - 48)
            digits += 1
        at += 1
    hours, minutes = (value, 0) if digits <= 2 else (value // 100, value % 100)
    return sign * (hours * 3600 + minutes * 60), at


@kernel
def _epoch(data: Bytes, at: int, end: int) -> int:
    """Returns the microseconds of ``1634049000123`` and of ``1634049000.123``, -1 for no epoch."""
    value, start = 0, at
    while at < end and at - start < 19 and 48 <= data[at] <= 57:
        value = value * 10 + (data[at] - 48)
        at += 1
    digits = at - start
    if digits < 9 or (at < end and (data[at] != _DOT or digits > 10)):
        return -1
    if digits > 16:
        return value // 1000
    if digits > 13:
        return value
    if digits > 10:
        return value * 1000
    value, unit, at = value * 1_000_000, 100_000, at + 1
    while at < end and 48 <= data[at] <= 57:
        value += unit * (data[at] - 48)
        unit //= 10
        at += 1
    return value if at >= end else -1
