"""osquery's results and status logs as JSON: event, snapshot and batch format.

Lines enter, and a line that holds many rows is cut into them first; one event leaves for each row
and each status. Where a cell stands is in ``osquery.fields``, what needs more than one cell in
``osquery.rules``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.json.columns import read_json
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.nested import NestedRecords
from secad.collect.json.rules import Columns, event_table, parsed
from secad.collect.osquery.fields import (
    COLUMNS,
    EXECUTABLES,
    EXTENSIONS,
    FIELDS,
    FILES,
    IGNORED,
    PARTS,
    UNWRAPPED,
)
from secad.collect.osquery.rules import columns_of, is_of_event_table
from secad.collect.text import decode
from secad.collect.times import parse_any, parse_pattern

_ROWS = NestedRecords(("snapshot", "diffResults.added", "diffResults.removed"))
_RESULTS = JsonDocuments(("data",))
_SURE = 0.97
_LIKELY = 0.9  # the first line is longer than the head
_LOOKED_AT = 20
_MARKS = (b'"columns"', b'"snapshot"', b'"diffResults"', b'"calendarTime"')
_MANY = (b'"snapshot":', b'"snapshot" :', b'"diffResults"')
_CALENDAR = "%a %b %d %H:%M:%S %Y"  # Mon May  2 22:27:32 2016 UTC
_HOLDERS = frozenset(("columns", "snapshot", "diffResults"))
_ALWAYS = frozenset(("unixTime", "calendarTime", "hostIdentifier"))
_STATUS = frozenset(("severity", "filename", "line", "message"))
_NO_TIME = "no time: expected unixTime or calendarTime"
_NO_RESULT = "no osquery result: expected the name of a query, or a status"


class Osquery:
    """Results and status logs of osquery; see ``Format`` and ``Frames``."""

    name = "osquery"
    dataset = "osquery"
    fields: Mapping[str, str] = FIELDS
    extensions: pa.Schema = EXTENSIONS
    template_columns = ("event_provider", "event_action")

    def matches(self, head: bytes) -> float:
        """Returns the share of results and statuses among the first objects; see ``Format``."""
        if not any(mark in head for mark in _MARKS):
            return 0.0
        objects = _RESULTS.first_records(head, _LOOKED_AT)
        if not any(objects):
            cut_off = head.startswith(b"{") and b"\n" not in head
            return _LIKELY if cut_off and _starts_snapshot(head) else 0.0
        return _SURE * sum(map(_is_result, objects)) / len(objects)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether a line may hold many rows, or results are no lines; see ``Frames``."""
        return any(mark in head for mark in _MANY) or _RESULTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields rows and statuses as LINES, and rejects; see ``Frames``."""
        head = file.read(1 << 16)
        file.seek(0)
        many = any(mark in head for mark in _MANY)
        return (_ROWS if many else _RESULTS).frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per row or status; see ``Format``."""
        text = decode(lines)
        wanted = {**PARTS, **COLUMNS, "executable": EXECUTABLES, "file": FILES}
        read = read_json(text.text, wanted, ignored=IGNORED, unwrapped=UNWRAPPED)
        raw = read.columns
        time = _times(raw, context)
        events = event_table(text, read, time, columns_of(raw, text.text), EXTENSIONS)
        foreign = pc.and_(pc.is_null(raw["query"]), pc.is_null(raw["source_line"]))
        refused = [
            (np.asarray(foreign), _NO_RESULT),
            (np.asarray(pc.is_null(time)), _NO_TIME),
        ]
        empty = np.asarray(pc.fill_null(pc.match_substring_regex(raw["rows"], r"^\[\s*\]$"), False))
        return parsed(text, read, events, refused=refused, passed=empty)


def _times(raw: Columns, context: ParseContext) -> pa.Array:
    """Returns (N,) when it was seen, or where a row tells an event, when that was."""
    seen = parse_any(raw["time"], context.tz, context.anchor_time)
    if seen.null_count:
        bare = pc.replace_substring_regex(raw["calendar"], r"\s*UTC\s*$", "")
        seen = pc.coalesce(seen, parse_pattern(bare, _CALENDAR, "UTC"))
    own = pc.if_else(is_of_event_table(raw), raw["row_time"], None)
    return pc.coalesce(parse_any(own, context.tz, context.anchor_time), seen)


def _starts_snapshot(head: bytes) -> bool:
    start = head[:64].replace(b" ", b"")
    return start.startswith((b'{"snapshot":[{', b'{"action":"snapshot"', b'{"diffResults":{'))


def _is_result(record: dict[str, Any] | None) -> bool:
    """Returns whether an object is a result of a query, or a status of the daemon."""
    if record is None or _ALWAYS.isdisjoint(record):
        return False
    return ("name" in record and not _HOLDERS.isdisjoint(record)) or record.keys() >= _STATUS
