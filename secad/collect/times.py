"""Times out of text, whole columns at a time: ISO 8601, syslog, web log, epochs, strptime patterns.

Every function takes a string array and returns a ``timestamp[us, UTC]`` array of the same length
in which what is not a time, or not one between 1970 and 2200, is null; none raises on any text.
Each distinct text is read once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ConfigError
from secad.base.schemas import TIME

_NAIVE = pa.timestamp("us")
_FIRST = pa.scalar(datetime(1969, 12, 31, tzinfo=UTC), TIME)  # 1970 in any zone
_LAST = pa.scalar(datetime(2200, 1, 1, tzinfo=UTC), TIME)
_MONTHS = pa.array(
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
)

# 2026-11-20T10:15:00.123456+01:00 | 2026-11-20 10:15:00,123 | 2026-11-20T10:15Z
_ISO = (
    r"^\s*(?P<date>\d{4}-\d{2}-\d{2})[T ](?P<clock>\d{2}:\d{2})(?::(?P<second>\d{2}))?"
    r"(?:[.,](?P<fraction>\d{1,9}))?\s?(?P<zone>Z|z|[+-]\d{2}:?\d{2}|[+-]\d{2}|UTC|GMT)?\s*$"
)
# Dec 10 06:55:46 | Mar  6 04:05:19 | Mar 6 04:05:19.123
_SYSLOG = (
    r"^\s*(?P<month>[A-Za-z]{3}) +(?P<day>\d{1,2}) (?P<clock>\d{2}:\d{2}:\d{2})"
    r"(?:[.,](?P<fraction>\d{1,9}))?\s*$"
)
# 3/6/2005 5:28:52 AM | 03/06/2005 05:28:52 PM +01:00, by month first as all that say AM and PM
_TWELVE_HOURS = (
    r"^\s*(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}),? (?P<hour>1[0-2]|0?[1-9])"
    r":(?P<rest>\d{2}:\d{2})(?:\.(?P<fraction>\d{1,9}))? (?P<half>[AaPp])[Mm]"
    r" ?(?P<zone>Z|[+-]\d{2}:?\d{2}|UTC|GMT)?\s*$"
)
_DOT_NET = r"^/Date\((\d{9,16})(?:[+-]\d{4})?\)/$"  # /Date(1143556799000)/, of PowerShell
# 06/Mar/2005:05:28:52 -0500
_CLF = (
    r"^\[?(?P<day>\d{2})/(?P<month>[A-Za-z]{3})/(?P<year>\d{4}):(?P<clock>\d{2}:\d{2}:\d{2})"
    r"(?:\.(?P<fraction>\d{1,9}))? ?(?P<zone>[+-]\d{2}:?\d{2})?\]?$"
)


def check_zone(tz: str) -> None:
    """Raises ConfigError where ``tz`` is neither an IANA name nor ``+HH:MM``."""
    zone_of(tz)


def zone_of(tz: str) -> ZoneInfo | timezone:
    """Returns the zone that ``tz`` names.

    Raises:
        ConfigError: it names none.

    >>> zone_of("+02:30").utcoffset(None)
    datetime.timedelta(seconds=9000)
    """
    if tz[:1] in {"+", "-"}:
        try:
            return datetime.strptime(tz, "%z").tzinfo or UTC  # type: ignore[return-value]
        except ValueError as error:
            raise ConfigError(f"time zone {tz!r} is not +HH:MM or -HH:MM") from error
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"time zone {tz!r} is not known", hint="use a name like Europe/Berlin, or +01:00"
        ) from error


def to_utc(naive: pa.Array, tz: str) -> pa.Array:
    """Returns naive times read as local times of ``tz``, as UTC.

    A time that a clock change makes ambiguous is taken as the earlier one, a skipped one as the
    first that exists.
    """
    zone = zone_of(tz)
    if isinstance(zone, timezone):
        shift = pa.scalar(zone.utcoffset(None), pa.duration("us"))
        return pc.assume_timezone(pc.subtract(naive, shift), "UTC")
    local = pc.assume_timezone(naive, tz, ambiguous="earliest", nonexistent="latest")
    return local.cast(TIME)


def once_each(text: pa.Array, parse: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Returns ``parse(text)``, having parsed each distinct text only once."""
    coded = text.dictionary_encode()
    return _plausible(parse(coded.dictionary)).take(coded.indices)


def parse_iso(text: pa.Array, tz: str) -> pa.Array:
    """Returns ISO 8601 and its near kin as UTC times, those without a zone read in ``tz``."""
    return once_each(text, lambda distinct: _iso(distinct, tz))


def parse_syslog(text: pa.Array, tz: str, anchor: datetime) -> pa.Array:
    """Returns ``Mmm dd hh:mm:ss`` times as UTC, with the year taken from ``anchor``.

    Args:
        text: (N,) string.
        tz: the zone of the text.
        anchor: aware; see ``ParseContext.anchor_time``.
    """
    return once_each(text, lambda distinct: _syslog(distinct, tz, anchor))


def parse_clf(text: pa.Array, tz: str) -> pa.Array:
    """Returns web log times (``dd/Mmm/yyyy:hh:mm:ss +hhmm``) as UTC."""
    return once_each(text, lambda distinct: _clf(distinct, tz))


def parse_epoch(text: pa.Array, unit: str) -> pa.Array:
    """Returns epochs written as decimal numbers as UTC times.

    Args:
        text: (N,) string such as ``1642723741.072``.
        unit: ``s``, ``ms``, ``us`` or ``ns``.
    """
    power = {"s": 6, "ms": 3, "us": 0, "ns": -3}[unit]
    parts = _groups(text, r"^\s*(?P<whole>-?(?:[0-8]\d{18}|\d{1,18}))(?:\.(?P<part>\d+))?\s*$")
    whole, part = parts["whole"], parts["part"]
    if power < 0:
        micros = pc.divide(_integer(whole), 10**-power)
    else:
        digits = pc.utf8_slice_codeunits(
            pc.utf8_rpad(pc.coalesce(part, ""), max(power, 1), padding="0"), 0, max(power, 1)
        )
        fraction = _integer(digits) if power else pa.scalar(0, pa.int64())
        scaled = _scaled(_integer(whole), 10**power)
        micros = pc.add(scaled, fraction)
    return _plausible(pc.assume_timezone(micros.cast(_NAIVE), "UTC"))


def parse_pattern(text: pa.Array, pattern: str, tz: str) -> pa.Array:
    """Returns times written by a strptime pattern (``%f``, ``,%f`` and ``%z`` are understood).

    Args:
        text: (N,) string.
        pattern: strptime directives; without ``%z`` the times are read in ``tz``.
    """
    return once_each(text, lambda distinct: _strptime(distinct, pattern, tz))


def parse_any(text: pa.Array, tz: str, anchor: datetime) -> pa.Array:
    """Returns times in whichever of the known writings each text has (ISO, epoch, syslog, web,
    a 12-hour clock behind month/day/year)."""
    return once_each(text, lambda distinct: _any(distinct, tz, anchor))


def _plausible(times: pa.Array) -> pa.Array:
    """Returns the times that a log can have; a year 0 or 9999 is a wrong field, not a time."""
    inside = pc.and_(pc.greater_equal(times, _FIRST), pc.less(times, _LAST))
    return pc.if_else(inside, times, None)


def _groups(text: pa.Array, pattern: str) -> dict[str, pa.Array]:
    """Returns the named groups of a pattern, all null where the text does not match."""
    found = pc.extract_regex(text, pattern)
    return {field.name: pc.struct_field(found, [field.name]) for field in found.type}


def _integer(text: pa.Array) -> pa.Array:
    return pc.cast(text, pa.int64())


def _scaled(whole: pa.Array, factor: int) -> pa.Array:
    limit = (2**62) // factor  # beyond it the product would not fit: no such time
    return pc.multiply(pc.if_else(pc.less(pc.abs(whole), limit), whole, None), factor)


def _fraction(digits: pa.Array) -> pa.Array:
    six = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.coalesce(digits, ""), 6, padding="0"), 0, 6)
    return _integer(six).cast(pa.duration("us"))


def _naive(date: pa.Array, clock: pa.Array) -> pa.Array:
    """Returns ``yyyy-mm-dd`` and ``HH:MM:SS`` as naive times, null where no such time exists."""
    joined = pc.binary_join_element_wise(date, clock, " ")
    time = pc.strptime(joined, format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True)
    day = pc.list_element(pc.split_pattern(pc.coalesce(date, "0-0-0"), "-"), 2)
    rolled = pc.not_equal(pc.day(time), _integer(day))  # strptime makes 30 February 2 March
    return pc.if_else(rolled, None, time)


def _zone_shift(zone: pa.Array) -> pa.Array:
    parts = _groups(pc.coalesce(zone, ""), r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$")
    hours = _integer(pc.coalesce(parts["hours"], "0"))
    minutes = _integer(_blank_as(parts["minutes"], "0"))
    seconds = pc.add(pc.multiply(hours, 3600), pc.multiply(minutes, 60))
    signed = pc.if_else(pc.equal(pc.coalesce(parts["sign"], "+"), "-"), -1, 1)
    return pc.multiply(pc.multiply(seconds, signed), 1_000_000).cast(pa.duration("us"))


def _blank_as(text: pa.Array, value: str) -> pa.Array:
    filled = pc.coalesce(text, value)
    return pc.if_else(pc.equal(filled, ""), value, filled)


def _zoned(naive: pa.Array, zone: pa.Array, tz: str) -> pa.Array:
    given = pc.greater(pc.binary_length(pc.coalesce(zone, "")), 0)
    utc = pc.assume_timezone(pc.subtract(naive, _zone_shift(zone)), "UTC")
    return pc.if_else(given, utc, to_utc(naive, tz))


def _iso(text: pa.Array, tz: str) -> pa.Array:
    parts = _groups(text, _ISO)
    second = _blank_as(parts["second"], "00")
    clock = pc.binary_join_element_wise(parts["clock"], second, ":")
    naive = pc.add(_naive(parts["date"], clock), _fraction(parts["fraction"]))
    return _zoned(naive, parts["zone"], tz)


def _month_number(month: pa.Array) -> pa.Array:
    return pc.add(pc.index_in(pc.utf8_lower(month), _MONTHS), 1).cast(pa.string())


def _clf(text: pa.Array, tz: str) -> pa.Array:
    parts = _groups(text, _CLF)
    date = pc.binary_join_element_wise(
        parts["year"], _month_number(parts["month"]), parts["day"], "-"
    )
    naive = pc.add(_naive(date, parts["clock"]), _fraction(parts["fraction"]))
    return _zoned(naive, parts["zone"], tz)


def _twelve_hours(text: pa.Array, tz: str) -> pa.Array:
    parts = _groups(text, _TWELVE_HOURS)
    date = pc.binary_join_element_wise(parts["year"], parts["month"], parts["day"], "-")
    clock = pc.binary_join_element_wise(parts["hour"], parts["rest"], ":")
    late, noon = pc.equal(pc.utf8_lower(parts["half"]), "p"), pc.equal(_integer(parts["hour"]), 12)
    shift = pc.subtract(pc.if_else(late, 12, 0), pc.if_else(noon, 12, 0))
    hours = pc.multiply(shift, 3_600_000_000).cast(pa.duration("us"))
    naive = pc.add(pc.add(_naive(date, clock), _fraction(parts["fraction"])), hours)
    return _zoned(naive, parts["zone"], tz)


def _syslog(text: pa.Array, tz: str, anchor: datetime) -> pa.Array:
    parts = _groups(text, _SYSLOG)
    limit = (anchor + timedelta(days=1)).astimezone(UTC)
    month = _month_number(parts["month"])
    time = pa.nulls(len(text), TIME)
    for year in range(limit.year, limit.year - 9, -1):  # 29 February can be 8 years back
        date = pc.binary_join_element_wise(str(year), month, parts["day"], "-")
        naive = pc.add(_naive(date, parts["clock"]), _fraction(parts["fraction"]))
        found = to_utc(naive, tz)
        past = pc.less_equal(found, pa.scalar(limit, TIME))
        time = pc.coalesce(time, pc.if_else(past, found, None))
        leap_day = pc.and_(pc.equal(month, "2"), pc.equal(parts["day"], "29"))
        if year < limit.year and not pc.any(pc.and_(leap_day, pc.is_null(time))).as_py():
            break
    return time


def _strptime(text: pa.Array, pattern: str, tz: str) -> pa.Array:
    if "%z" in pattern:
        head, _, tail = pattern.partition("%z")
        if tail.strip():
            raise ConfigError(f"time format {pattern!r} has text after %z, which must end it")
        parts = _groups(text, r"^(?P<rest>.*?)\s*(?P<zone>Z|[+-]\d{2}:?\d{2})$")
        return _zoned(_fractional(parts["rest"], head.rstrip()), parts["zone"], tz)
    return to_utc(_fractional(text, pattern), tz)


def _fractional(text: pa.Array, pattern: str) -> pa.Array:
    """Returns naive times of a pattern that may end in ``%f`` behind a mark such as ``.``."""
    if not pattern.endswith("%f") or len(pattern) < 3:
        return pc.strptime(text, format=pattern, unit="us", error_is_null=True)
    mark = pattern[-3]
    parts = _groups(text, rf"^(?P<whole>.*)\x{ord(mark):02x}(?P<part>\d{{1,9}})$")
    whole = pc.strptime(parts["whole"], format=pattern[:-3], unit="us", error_is_null=True)
    return pc.add(whole, _fraction(parts["part"]))


def _any(text: pa.Array, tz: str, anchor: datetime) -> pa.Array:
    text = pc.replace_substring_regex(text, _DOT_NET, r"\1")
    number = pc.match_substring_regex(text, r"^\s*\d{9,19}(\.\d+)?\s*$")
    numbers = pc.if_else(number, pc.utf8_trim_whitespace(text), None)
    whole = pc.binary_length(pc.list_element(pc.split_pattern(pc.coalesce(numbers, "0"), "."), 0))
    epochs = [
        parse_epoch(pc.if_else(pc.less_equal(whole, most), numbers, None), unit)
        for most, unit in ((10, "s"), (13, "ms"), (16, "us"), (19, "ns"))
    ]
    written = [_iso(text, tz), _clf(text, tz), _syslog(text, tz, anchor), _twelve_hours(text, tz)]
    return pc.coalesce(*written, *epochs)
