"""The hits of Chainsaw's hunt (``--json`` and ``--jsonl``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, declared
from secad.collect.alerts.json import Layout, has, parse_json, share
from secad.collect.json.documents import JsonDocuments

_PATHS = {
    "time": ("timestamp",),
    "rule_name": ("name",),
    "alert_rule_id": ("id",),
    "severity": ("level",),
    "techniques": ("tags",),
    "message": ("group",),
    "host_name": ("document.data.Event.System.Computer",),
    "event_code": (
        "document.data.Event.System.EventID.#text",
        "document.data.Event.System.EventID",
    ),
    "event_provider": (
        "document.data.Event.System.Provider_attributes.Name",
        "document.data.Event.System.Channel",
    ),
    "user_name": (
        "document.data.Event.EventData.SubjectUserName",
        "document.data.Event.EventData.User",
    ),
    "user_target_name": ("document.data.Event.EventData.TargetUserName",),
    "process_executable": (
        "document.data.Event.EventData.Image",
        "document.data.Event.EventData.NewProcessName",
        "document.data.Event.EventData.SourceImage",
        "document.data.Event.EventData.ProcessName",
    ),
    "process_command_line": ("document.data.Event.EventData.CommandLine",),
    "process_parent_executable": (
        "document.data.Event.EventData.ParentImage",
        "document.data.Event.EventData.ParentProcessName",
    ),
    "process_parent_command_line": ("document.data.Event.EventData.ParentCommandLine",),
    "service_name": ("document.data.Event.EventData.ServiceName",),
    "source_ip": (
        "document.data.Event.EventData.SourceIp",
        "document.data.Event.EventData.IpAddress",
    ),
    "destination_ip": ("document.data.Event.EventData.DestinationIp",),
    "destination_port": ("document.data.Event.EventData.DestinationPort",),
    "file_path": ("document.data.Event.EventData.TargetFilename",),
    "registry_path": ("document.data.Event.EventData.TargetObject",),
    "dns_question_name": ("document.data.Event.EventData.QueryName",),
}

_DOCUMENTS = JsonDocuments(())
_LAYOUT = Layout("chainsaw", _PATHS)


class Chainsaw:
    """Chainsaw alerts; see ``Format``."""

    name = "chainsaw"
    dataset = "chainsaw"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b'"group"', _fits)

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
    return has(record, "group", "kind", "name", "timestamp") and bool(
        {"document", "documents"} & set(record)
    )
