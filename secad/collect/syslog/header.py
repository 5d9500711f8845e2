"""A line's syslog header as columns: what the formats share whose records stand behind one.

Lines enter as text; the frames of ``secad.features.syslog_frame`` and, from them, columns leave.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext
from secad.collect.columns import utc_times
from secad.collect.devices.times import Instants, made
from secad.features.slot_types import integers
from secad.features.spans import Bytes, Places, buffer_of, gather
from secad.features.syslog_frame import frame, span
from secad.features.syslog_tag import (
    HOST,
    IS_YEARLESS,
    IS_ZONED,
    MESSAGE,
    MICROS,
    PID,
    PRIORITY,
    PROGRAM,
    STATUS,
    UNTAGGED,
)

NO_YEAR = "no time: the day exists in none of the last 8 years"

_SEVERITIES = pa.array(["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"])
_FACILITY_NAMES = (
    "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console clock "
    "local0 local1 local2 local3 local4 local5 local6 local7"
)
_FACILITIES = pa.array(_FACILITY_NAMES.split(" "))
_MOST_ACTION_CHARACTERS = 48
_NO_ACTION = "message"


def framed(text: pa.Array) -> tuple[Bytes, Places]:
    """Returns the bytes of lines and their (N, WIDTH) frames."""
    data, ends = buffer_of(text)
    return data, frame(data, np.stack([ends[:-1], np.diff(ends)]))


def message_places(text: pa.Array, frames: Places) -> Places:
    """Returns (2, N) spans of what follows each line's header; of the line where it has none."""
    _, ends = buffer_of(text)
    whole = np.stack([ends[:-1], np.diff(ends)])
    return np.where(frames[:, STATUS] >= UNTAGGED, span(frames, MESSAGE), whole)


def header_times(frames: Places, context: ParseContext) -> pa.Array:
    """Returns (N,) the headers' times in UTC, null where no year in reach has the day."""
    zoned, yearless = frames[:, IS_ZONED] == 1, frames[:, IS_YEARLESS] == 1
    return utc_times(frames[:, MICROS], zoned, yearless, context)


def header_instants(frames: Places) -> Instants:
    """Returns (N,) what the headers' times say, before years and zones are settled."""
    zoned, yearless = frames[:, IS_ZONED] == 1, frames[:, IS_YEARLESS] == 1
    return made(frames[:, MICROS], zoned, yearless, frames[:, STATUS] >= UNTAGGED)


def header_columns(data: Bytes, frames: Places) -> dict[str, pa.Array]:
    """Returns host, program, pid, level and facility, each null where the header has none."""
    priority = pa.array(frames[:, PRIORITY], mask=frames[:, PRIORITY] < 0)
    return {
        "host_name": gather(data, *span(frames, HOST)),
        "process_name": gather(data, *span(frames, PROGRAM)),
        "process_pid": integers(data, span(frames, PID)),
        "log_level": _SEVERITIES.take(pc.bit_wise_and(priority, 7)),
        "syslog_facility": _FACILITIES.take(pc.shift_right(priority, 3)),
    }


def action_of(program: pa.Array) -> pa.Array:
    """Returns a kind of event for each program's name: lower case, no digits, few values."""
    coded = program.dictionary_encode()
    kinds = pc.utf8_lower(cast("Any", coded).dictionary)
    kinds = pc.replace_substring_regex(kinds, r"@.*$", "")  # systemd's getty@tty1
    kinds = pc.replace_substring_regex(kinds, r"[^a-z]+", "-")
    kinds = pc.utf8_slice_codeunits(pc.utf8_trim(kinds, "-"), 0, _MOST_ACTION_CHARACTERS)
    kinds = pc.if_else(pc.equal(kinds, ""), _NO_ACTION, kinds)
    return pc.coalesce(kinds.take(coded.indices), _NO_ACTION)
