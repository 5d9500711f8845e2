"""When a Windows event happened, out of the up to five times that a record carries.

Sysmon's ``UtcTime`` is the first choice, then the record's creation, then NXLog's ``EventTime``,
then ``@timestamp``. ``EventTime`` is local time without a zone. Its zone is the difference of the
record's ``@timestamp`` (UTC) and ``EventReceivedTime`` (local, like ``EventTime``), which the
collector writes within moments of each other; on the 35,069 such records of OTRF's recordings that
were compared this meets Sysmon's ``UtcTime`` to the second. Where one is missing, ``EventTime`` is
read in the context's zone.

An exporter that writes local time and calls it UTC is taken at its word, as nothing in a record
tells: in OTRF's LSASS campaigns ``TimeCreated`` is 7 hours behind UTC and of a 12-hour clock, so
that other channels than Sysmon's stand 7 or 19 hours before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext
from secad.base.schemas import TIME
from secad.collect.times import parse_any, to_utc

_NAIVE = pa.timestamp("us")
_QUARTER_HOUR_US = 15 * 60 * 1_000_000  # zones differ by multiples of it
_DAY_US = 24 * 60 * 60 * 1_000_000


def event_times(raw: Mapping[str, pa.Array], context: ParseContext) -> pa.Array:
    """Returns (N,) when each event happened, null where nothing tells.

    Args:
        raw: ``utc_time``, ``system_time``, ``event_time``, ``received_time`` and ``timestamp``,
            (N,) strings.
        context: the zone of times that carry none.
    """
    written = _instants(raw["timestamp"], context)
    told = pc.coalesce(
        _instants(raw["utc_time"], ParseContext(context.anchor_time)),
        _instants(raw["system_time"], context),
        _zoned(_naive(raw["event_time"]), _naive(raw["received_time"]), written),
    )
    if not told.null_count:
        return told
    rest = pc.if_else(told.is_null(), raw["event_time"], None)
    return pc.coalesce(told, _instants(rest, context), written)


def _instants(text: pa.Array, context: ParseContext) -> pa.Array:
    """Returns (N,) UTC times of ISO 8601 texts, or in any other writing that is known."""
    first = pc.first(text).as_py() or ""
    zoned = first.endswith("Z") or first[-6:-5] in {"+", "-"}
    try:  # many times as quick, but all or nothing
        time = pc.cast(text, TIME if zoned else _NAIVE)
    except pa.ArrowInvalid:
        return parse_any(text, context.tz, context.anchor_time)
    return time if zoned else to_utc(time, context.tz)


def _naive(text: pa.Array) -> pa.Array:
    """Returns (N,) int64 microseconds of ``yyyy-mm-dd HH:MM:SS`` texts, null of any other."""
    plain = pc.match_substring_regex(text, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
    time = pc.strptime(
        pc.if_else(plain, text, None), format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True
    )
    return time.cast(pa.int64())


def _zoned(local: pa.Array, received: pa.Array, written: pa.Array) -> pa.Array:
    """Returns (N,) the UTC times of local ones, null where no zone can be told.

    Args:
        local: (N,) microseconds, when the event happened.
        received: (N,) microseconds, when the collector had it, on the same clock.
        written: (N,) UTC time of moments later.
    """
    shift = _quarters(pc.subtract(written.cast(pa.int64()), received))
    shift = pc.if_else(pc.less_equal(pc.abs(shift), _DAY_US), shift, None)
    return pc.assume_timezone(pc.add(local, shift).cast(_NAIVE), "UTC")


def _quarters(micros: pa.Array) -> pa.Array:
    """Returns (N,) int64 differences as the nearest multiples of a quarter of an hour."""
    quarters = pc.round(pc.divide(micros.cast(pa.float64(), safe=False), _QUARTER_HOUR_US))
    return pc.multiply(quarters.cast(pa.int64()), _QUARTER_HOUR_US)
