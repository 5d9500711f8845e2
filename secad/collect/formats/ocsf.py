"""OCSF events as JSON: Amazon Security Lake's and those of everything else that writes the schema.

Lines enter, one event each leaves. Where a field stands is in ``ocsf.fields``, what needs more than
one field in ``ocsf.rules``. Findings are events here like all others.
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
from secad.collect.json.rules import event_table, parsed
from secad.collect.ocsf.fields import COLUMNS, EXTENSIONS, FIELDS, IGNORED, PARTS, UNWRAPPED
from secad.collect.ocsf.rules import columns_of
from secad.collect.text import decode
from secad.collect.times import parse_any

_DOCUMENTS = JsonDocuments(("Records", "records", "events", "hits.hits"), repeated=False)
_SURE = 0.98
_LIKELY = 0.9  # the first line is longer than the head
_LOOKED_AT = 20
_BLANK = "-"
_NO_CLASS = "no OCSF event: expected class_uid"
_NO_TIME = "no time: expected time, in milliseconds of the epoch"
_MARK = b'"class_uid"'
_BESIDE = frozenset(("metadata", "category_uid", "type_uid", "activity_id", "severity_id"))


class Ocsf:
    """Events of the Open Cybersecurity Schema Framework, one JSON object each; see ``Format``."""

    name = "ocsf"
    dataset = "ocsf"
    fields: Mapping[str, str] = FIELDS
    extensions: pa.Schema = EXTENSIONS
    template_columns = ("event_provider", "event_action")

    def matches(self, head: bytes) -> float:
        """Returns the share of OCSF events among the first JSON objects; see ``Format``."""
        if _MARK not in head:
            return 0.0
        objects = _DOCUMENTS.first_records(head, _LOOKED_AT)
        if not any(objects):
            return _LIKELY if head.startswith((b"{", b"[{")) and b"\n" not in head else 0.0
        return _SURE * sum(map(_is_event, objects)) / len(objects)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether the events stand in an array or over many lines; see ``Frames``."""
        return _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the events as LINES, and rejects; see ``Frames``."""
        return _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per object; see ``Format``."""
        text = decode(lines)
        wanted = {**PARTS, **COLUMNS}
        read = read_json(text.text, wanted, ignored=IGNORED, unwrapped=UNWRAPPED, blank=_BLANK)
        time = parse_any(read.columns["time"], context.tz, context.anchor_time)
        events = event_table(text, read, time, columns_of(read.columns), EXTENSIONS)
        foreign = np.asarray(pc.is_null(read.columns["class"]))
        timeless = np.asarray(pc.is_null(time))
        return parsed(text, read, events, refused=[(foreign, _NO_CLASS), (timeless, _NO_TIME)])


def _is_event(record: dict[str, Any] | None) -> bool:
    """Returns whether an object has the marks of an OCSF event."""
    for wrapper in UNWRAPPED:
        inner = record.get(wrapper) if record is not None else None
        if isinstance(inner, dict):
            record = record | inner if record else inner
    return record is not None and "class_uid" in record and not _BESIDE.isdisjoint(record)
