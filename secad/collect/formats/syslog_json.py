"""JSON behind a syslog header (also ``@cee:``), as events by the names of the objects' fields.

Lines enter, one event each leaves. Time, host, program and severity are the header's; everything
else is read as ``jsonl`` reads it. A message that is no object stays a message, as in ``syslog``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import by_pieces, labels_with, lines_of
from secad.collect.json.by_name import one_value, typed, without_empty
from secad.collect.json.columns import read_json
from secad.collect.json.names import NAMES
from secad.collect.syslog.header import (
    NO_YEAR,
    action_of,
    framed,
    header_columns,
    header_times,
)
from secad.collect.text import decode, reject
from secad.features.slot_types import is_space
from secad.features.spans import Bytes, Places, gather
from secad.features.syslog_frame import span
from secad.features.syslog_tag import CORE, MESSAGE, NONE, PID, PROGRAM, STATUS, UNTAGGED

_SURE, _SURER = 0.955, 0.04  # above syslog's, with the share of objects
_LEAST_SHARE = 0.5  # of objects among the lines; below it, syslog reads the file
_LEAST_HINTS = 0.4  # of lines that end in a brace
_NO_HEADER = "no syslog header: expected a time at the line's start, before the JSON object"
_BROKEN = "json_error"
_OPEN, _COLON = ord("{"), ord(":")
_COOKIE = np.frombuffer(b"@cee", dtype=np.uint8)

_PATHS = {name: paths for name, paths in NAMES.items() if name != "time"}


class SyslogJson:
    """Syslog whose messages are JSON objects; see ``Format``."""

    name = "syslog_json"
    dataset = "syslog_json"
    fields: Mapping[str, str] = {
        **{name: f"the object's {', '.join(paths[:6])}" for name, paths in _PATHS.items()},
        "time": "the header's",
        "host_name": "the header's; another one of the object stays a label",
        "process_name": "the object's process, else the header's program",
        "service_name": "the object's, else the header's program",
        "process_pid": "the object's, else the header's",
        "log_level": "the object's, else the severity in the priority",
        "event_action": "the object's, else the program without digits",
        "message": "the object's; all that follows the header where that is no object",
        "labels": "every other field; json_error where an object is broken",
    }
    extensions = pa.schema([])
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is by the share of lines with an object; see ``Format``."""
        lines = [line.rstrip() for line in head.split(b"\n")]
        lines = [line for line in lines[: max(len(lines) - 1, 1)] if line]
        hints = sum(line[-1:] == b"}" and line[:1] != b"{" and b"{" in line for line in lines)
        if not lines or hints < _LEAST_HINTS * len(lines):
            return 0.0
        text = decode(lines_of(head))
        data, frames = framed(text.text)
        places = _objects(data, frames)
        objects = places[0] >= 0
        share = np.count_nonzero(objects) / max(len(objects) + text.rejects.num_rows, 1)
        if share < _LEAST_SHARE or not _whole(data, places[:, objects]):
            return 0.0
        return float(_SURE + _SURER * share)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        parsed = by_pieces(lines, lambda piece: _parse(piece, context))
        return Parsed(without_empty(parsed.events), parsed.rejects, parsed.joined, parsed.skipped)


def _whole(data: Bytes, places: Places) -> bool:
    """Returns whether most of the objects are sound JSON."""
    errors = read_json(gather(data, *places), {}).errors
    return bool(errors.null_count * 2 > len(errors))


def _parse(lines: pa.RecordBatch, context: ParseContext) -> Parsed:
    text = decode(lines)
    data, frames = framed(text.text)
    places = _objects(data, frames)
    times = header_times(frames, context)
    headed = frames[:, STATUS] >= UNTAGGED
    good = headed & np.asarray(times.is_valid())
    rejects = [
        text.rejects,
        reject(text.lines, ~headed, _NO_HEADER),
        reject(text.lines, headed & ~good, NO_YEAR),
    ]
    place = {"time": times, **text.locators()}
    if not good.all():
        frames, places = frames[good], np.ascontiguousarray(places[:, good])
        place = {name: column.filter(pa.array(good)) for name, column in place.items()}
    events = pa.table({**place, **_columns(data, frames, places)})
    return Parsed(events, pa.concat_tables(rejects), skipped=text.skipped)


def _columns(data: Bytes, frames: Places, places: Places) -> dict[str, pa.Array]:
    header = header_columns(data, frames)
    said = gather(data, *places)
    given = said.is_valid()
    read = read_json(pc.fill_null(said, "{}"), _PATHS)
    found = {name: one_value(column) for name, column in read.columns.items()}
    host, other = header["host_name"], found["host_name"]
    lost = {
        "host": pc.if_else(pc.not_equal(host, other), other, None),
        _BROKEN: pc.if_else(given, read.errors, None),
    }
    actions = action_of(header["process_name"])
    made = typed(found, labels_with(read.labels, lost), _PATHS, action=actions)
    made["host_name"] = pc.coalesce(host, other)
    for name in ("process_name", "process_pid", "log_level"):
        made[name] = pc.coalesce(made[name], header[name])
    made["service_name"] = pc.coalesce(made["service_name"], header["process_name"])
    message = gather(data, *span(frames, MESSAGE))
    plain = pc.or_(pc.invert(given), read.errors.is_valid())
    made["message"] = pc.if_else(plain, message, made["message"])
    return made


@kernel
def _objects(data: Bytes, frames: Places) -> Places:
    """Returns (2, N) where each line's object stands, first byte -1 where there is none.

    What the frame took for a program although it is part of the object, or the cookie ``@cee``,
    is taken out of the frame.
    """
    places = np.full((2, len(frames)), NONE, dtype=np.int64)
    for row in range(len(frames)):
        if frames[row, STATUS] < UNTAGGED or frames[row, MESSAGE] < 0:
            continue
        at, end = frames[row, MESSAGE], frames[row, MESSAGE] + frames[row, MESSAGE + 1]
        program = frames[row, PROGRAM]
        if program >= 0 and (data[program] == _OPEN or _has_cookie(data, program, end)):
            at = program
            frames[row, PROGRAM] = frames[row, PID] = NONE
            frames[row, STATUS] = UNTAGGED
            frames[row, MESSAGE], frames[row, MESSAGE + 1] = at, end - at
            frames[row, CORE], frames[row, CORE + 1] = at, end - at
        if _has_cookie(data, at, end):
            at += len(_COOKIE)
            while at < end and (data[at] == _COLON or is_space(data[at])):
                at += 1
        if at < end and data[at] == _OPEN:
            places[0, row], places[1, row] = at, end - at
    return places


@kernel
def _has_cookie(data: Bytes, at: int, end: int) -> bool:
    if at + len(_COOKIE) > end:
        return False
    for step in range(len(_COOKIE)):  # noqa: SIM110  numba knows no generators
        if data[at + step] != _COOKIE[step]:
            return False
    return True
