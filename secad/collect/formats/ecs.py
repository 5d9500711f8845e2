"""The Elastic Common Schema as JSON lines: Beats, Elastic Agent and Endpoint, other exports.

Lines enter, one event each leaves: documents as a Beat writes them to a file, or as exports of
Elasticsearch wrap them. Where a field stands is in ``ecs.fields``, what needs more than one field
in ``ecs.rules``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.ecs.fields import COLUMNS, EXTENSIONS, FIELDS, IGNORED, PARTS, UNWRAPPED
from secad.collect.ecs.rules import columns_of
from secad.collect.json.columns import read_json
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.rules import Flags, event_table, parsed
from secad.collect.text import decode
from secad.collect.times import parse_any

_DOCUMENTS = JsonDocuments(("hits.hits",))
_SURE = 0.95  # below the surety of Windows events, which may be written in ECS too
_LIKELY = 0.85  # the first line is longer than the head
_LOOKED_AT = 30
_UNSET = "unset"  # Auditbeat writes it for "nothing"
_NO_TIME = "no time: expected @timestamp"
# {"index":{"_index":"logs","_id":"1"}} before each document of a bulk file
_BULK = r'^\s*\{\s*"(index|create|update|delete)"\s*:\s*\{[^{}]*\}\s*\}\s*$'
_BULK_KEYS = frozenset(("index", "create", "update", "delete"))
_TIME, _MARK = b'@timestamp"', (b'"ecs', b'"event', b'"beat', b'"agent', b'"auditd')
_EVENT_KEYS = frozenset(("action", "category", "dataset", "kind", "module", "provider", "type"))
_SET = ("ecs", "agent", "beat", "auditd", "data_stream")


class ElasticCommonSchema:
    """Events in the Elastic Common Schema, one JSON object a line; see ``Format``."""

    name = "ecs"
    dataset = "ecs"
    fields: Mapping[str, str] = FIELDS
    extensions: pa.Schema = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns the share of ECS documents among the first JSON objects; see ``Format``."""
        if _TIME not in head or not any(mark in head for mark in _MARK):
            return 0.0
        objects = [
            found for found in _DOCUMENTS.first_records(head, _LOOKED_AT) if not _is_bulk(found)
        ]
        if not any(objects):
            return _LIKELY if head.startswith((b"{", b"[{")) and b"\n" not in head else 0.0
        return _SURE * sum(map(_is_document, objects)) / len(objects)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether the documents stand in an array or over many lines; see ``Frames``."""
        return _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the documents as LINES, and rejects; see ``Frames``."""
        return _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per document; see ``Format``."""
        text = decode(lines)
        wanted = {**PARTS, **COLUMNS}
        read = read_json(text.text, wanted, ignored=IGNORED, unwrapped=UNWRAPPED, blank=_UNSET)
        time = parse_any(_first_time(read.columns["time"]), context.tz, context.anchor_time)
        events = event_table(text, read, time, columns_of(read.columns), EXTENSIONS)
        timeless = np.asarray(pc.is_null(time))
        bulk = _bulk_lines(text.text, timeless)
        return parsed(text, read, events, refused=[(timeless, _NO_TIME)], passed=bulk)


def _first_time(text: pa.Array) -> pa.Array:
    """Returns times, ``["2026-03-05T10:00:00Z"]`` of an export's ``fields`` as what is in it."""
    return pc.utf8_trim(text, '[]"')


def _bulk_lines(text: pa.Array, timeless: Flags) -> Flags:
    """Returns (N,) which lines are those that stand before each document of a bulk file."""
    found = np.zeros(len(text), dtype=np.bool_)
    rows = np.flatnonzero(timeless)
    if len(rows):
        matched = pc.match_substring_regex(text.take(pa.array(rows)), _BULK)
        found[rows] = np.asarray(matched, dtype=np.bool_)
    return found


def _is_bulk(record: dict[str, Any] | None) -> bool:
    return record is not None and len(record) == 1 and not _BULK_KEYS.isdisjoint(record)


def _is_document(record: dict[str, Any] | None) -> bool:
    """Returns whether an object has a time and the marks of the schema, nested or dotted."""
    if record is None:
        return False
    for wrapper in ("_source", "fields"):
        inner = record.get(wrapper)
        if isinstance(inner, dict) and "@timestamp" not in record:
            record = inner
    if "@timestamp" not in record:
        return False
    event, metadata = record.get("event"), record.get("@metadata")
    if isinstance(metadata, dict) and "beat" in metadata:
        return True
    nested = isinstance(event, dict) and not _EVENT_KEYS.isdisjoint(event)
    dotted = any(f"event.{key}" in record for key in _EVENT_KEYS)
    kept = [record.get(name) for name in _SET]
    others = any(isinstance(value, dict) for value in kept)
    return nested or dotted or "ecs.version" in record or (others and _is_ours(record))


def _is_ours(record: dict[str, Any]) -> bool:
    """Returns whether an agent's record is of a Beat or an Elastic Agent."""
    agent = record.get("agent")
    kind = agent.get("type") if isinstance(agent, dict) else None
    return kind is not None or any(name in record for name in ("ecs", "beat", "data_stream"))
