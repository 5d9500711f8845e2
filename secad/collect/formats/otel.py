"""OpenTelemetry logs as JSON: OTLP requests as collectors write them, and single log records.

A request holds many records, and tells once for all of them which resource and scope they are of:
it is cut first, each record with these around it. One event leaves for each record.
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
from secad.collect.json.rules import event_table, parsed
from secad.collect.otel.fields import COLUMNS, EXTENSIONS, FIELDS, IGNORED, PARTS, UNWRAPPED
from secad.collect.otel.rules import columns_of
from secad.collect.text import decode
from secad.collect.times import parse_any

_REQUESTS = NestedRecords(
    (
        "resourceLogs.scopeLogs.logRecords",
        "resourceLogs.instrumentationLibraryLogs.logRecords",
        "resourceLogs.instrumentationLibraryLogs.logs",
        "resource_logs.scope_logs.log_records",
    )
)
_RECORDS = JsonDocuments()
_SURE = 0.98
_LIKELY = 0.9  # a single record, in one of many spellings
_LOOKED_AT = 20
_NO_TIME = "no time: expected timeUnixNano or observedTimeUnixNano"
_REQUEST_KEYS = (b'"resourceLogs"', b'"resource_logs"')
_REQUEST_BYTES = 256  # in which the key of a request stands
_MARKS = (b"everity", b"imeUnixNano")
_BODY = frozenset(
    ("body", "attributes", "logattributes", "attributes_string", "resourceattributes")
)
_SEVERITY = frozenset(
    (
        "severitynumber",
        "severitytext",
        "severity_number",
        "severity_text",
        "timeunixnano",
        "observedtimeunixnano",
    )
)


class OpenTelemetry:
    """OpenTelemetry log records, one event each; see ``Format`` and ``Frames``."""

    name = "otel"
    dataset = "otel"
    fields: Mapping[str, str] = FIELDS
    extensions: pa.Schema = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is, by a request's key or the share of records; see ``Format``."""
        if _is_request(head):
            return _SURE
        if not any(mark in head for mark in _MARKS):
            return 0.0
        objects = _RECORDS.first_records(head, _LOOKED_AT)
        if not any(objects):
            return 0.0
        return _LIKELY * sum(map(_is_record, objects)) / len(objects)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether records stand in requests, an array, or over many lines."""
        return _is_request(head) or _RECORDS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the records as LINES, and rejects; see ``Frames``."""
        head = file.read(_REQUEST_BYTES)
        file.seek(0)
        return (_REQUESTS if _is_request(head) else _RECORDS).frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per log record; see ``Format``."""
        from secad.collect.otel.values import plain

        text = decode(lines)
        wanted = {**PARTS, **COLUMNS}
        read = read_json(plain(text.text), wanted, ignored=IGNORED, unwrapped=UNWRAPPED)
        time = pc.coalesce(
            *(
                parse_any(read.columns[name], context.tz, context.anchor_time)
                for name in ("time", "observed")
            )
        )
        events = event_table(text, read, time, columns_of(read.columns), EXTENSIONS)
        empty = pc.and_(
            pc.is_valid(read.columns["requests"]),
            pc.invert(pc.match_substring_regex(text.text, '"(logRecords|log_records|logs)"')),
        )
        timeless = np.asarray(pc.is_null(time))
        passed = timeless & np.asarray(empty)  # a request without records
        return parsed(text, read, events, refused=[(timeless, _NO_TIME)], passed=passed)


def _is_request(head: bytes) -> bool:
    """Returns whether a head begins with an OTLP request."""
    start = head.lstrip(b"\xef\xbb\xbf[ \t\r\n")[:_REQUEST_BYTES]
    return start.startswith(b"{") and any(
        start[1:].lstrip().startswith(key) for key in _REQUEST_KEYS
    )


def _is_record(record: dict[str, Any] | None) -> bool:
    """Returns whether an object is a log record, in the spelling of an SDK or of a store."""
    if record is None:
        return False
    keys = {key.lower() for key in record}
    return not _SEVERITY.isdisjoint(keys) and not _BODY.isdisjoint(keys)
