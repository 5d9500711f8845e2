"""OpenSearch: alerts of its alerting plugin and findings of Security Analytics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, declared
from secad.collect.alerts.json import Layout, has, parse_json, share
from secad.collect.json.documents import JsonDocuments

_PATHS = {
    "time": ("timestamp", "start_time", "last_notification_time"),
    "rule_name": ("trigger_name",),
    "alert_rule_id": ("trigger_id",),
    "severity": ("severity",),
    "techniques": ("queries",),
    "message": ("monitor_name", "detector_id", "detectorId"),
    "service_name": ("index",),
}

_QUERY_NAME = r"(?s)^.*?\"name\"\s*:\s*\"(?P<name>(?:[^\"\\]|\\.)*)\".*$"
_QUERY_ID = r"(?s)^.*?\"id\"\s*:\s*\"(?P<name>(?:[^\"\\]|\\.)*)\".*$"
_LEVEL = r"(?s)^.*?\"tags\"\s*:\s*\[[^\]]*\"(?P<name>critical|high|medium|low|informational)\".*$"


def _of_queries(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Returns columns in which findings have the rule that their first query is."""
    queries = columns["techniques"]

    def found(pattern: str) -> pa.Array:
        return pc.struct_field(pc.extract_regex(queries, pattern), "name")

    return columns | {
        "rule_name": pc.coalesce(columns["rule_name"], found(_QUERY_NAME)),
        "alert_rule_id": pc.coalesce(columns["alert_rule_id"], found(_QUERY_ID)),
        "severity": pc.coalesce(columns["severity"], found(_LEVEL)),
    }


_DOCUMENTS = JsonDocuments(("findings", "alerts", "hits.hits"))
_LAYOUT = Layout("opensearch", _PATHS, "opensearch", prepared=_of_queries)


class OpenSearch:
    """OpenSearch alerts; see ``Format``."""

    name = "opensearch"
    dataset = "opensearch"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b"_id", _fits)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether the alerts stand in a document; see ``Frames``."""
        return _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the alerts of a document; see ``Frames``."""
        return _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one row per alert; see ``Format``."""
        return parse_json(lines, context, _LAYOUT)


def _fits(record: Mapping[str, Any]) -> bool:
    return has(record, "trigger_name", "severity") or (
        has(record, "queries", "timestamp") and bool({"related_doc_ids", "index"} & set(record))
    )
