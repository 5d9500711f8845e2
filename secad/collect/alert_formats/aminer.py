"""The anomalies of AMiner (logdata-anomaly-miner) as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, declared, first_of
from secad.collect.alerts.json import Layout, has, parse_json, share
from secad.collect.json.documents import JsonDocuments

_PATHS = {
    "time": ("LogData.Timestamps", "LogData.DetectionTimestamp", "LogData.Timestamp"),
    "rule_name": (
        "AnalysisComponent.AnalysisComponentName",
        "AnalysisComponent.AnalysisComponentType",
    ),
    "message": ("AnalysisComponent.Message",),
    "host_name": ("AMiner.ID",),
    "log_logger": ("LogData.LogResources", "LogData.LogResource"),
}


def _first_times(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    return columns | {
        "time": first_of(columns["time"]),
        "log_logger": first_of(columns["log_logger"]),
    }


_DOCUMENTS = JsonDocuments(())
_LAYOUT = Layout("aminer", _PATHS, prepared=_first_times)


class AMiner:
    """AMiner alerts; see ``Format``."""

    name = "aminer"
    dataset = "aminer"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b'"AnalysisComponent"', _fits)

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
    return has(record, "AnalysisComponent.AnalysisComponentType", "LogData")
