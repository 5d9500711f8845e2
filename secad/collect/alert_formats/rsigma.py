"""The matches of rsigma, with the events that matched (``--include-event``)."""

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
    "time": (
        "event.@timestamp",
        "event.timestamp",
        "event.Event.System.TimeCreated_attributes.SystemTime",
        "event.Event.System.TimeCreated.#attributes.SystemTime",
        "event.SystemTime",
        "event.UtcTime",
        "event.TimeCreated",
        "event.time",
        "event.eventTime",
        "timestamp",
        "last_event_time",
    ),
    "rule_name": ("rule_title",),
    "alert_rule_id": ("rule_id",),
    "severity": ("level",),
    "techniques": ("tags",),
    "host_name": (
        "event.Event.System.Computer",
        "event.Computer",
        "event.host.name",
        "event.hostname",
    ),
    "event_code": (
        "event.Event.System.EventID.#text",
        "event.Event.System.EventID",
        "event.EventID.#text",
        "event.EventID",
    ),
    "event_provider": (
        "event.Event.System.Provider_attributes.Name",
        "event.Event.System.Channel",
        "event.Provider_attributes.Name",
        "event.Channel",
    ),
    "user_name": (
        "event.Event.EventData.SubjectUserName",
        "event.Event.EventData.User",
        "event.SubjectUserName",
        "event.User",
        "event.user.name",
    ),
    "user_target_name": (
        "event.Event.EventData.TargetUserName",
        "event.TargetUserName",
    ),
    "process_executable": (
        "event.Event.EventData.Image",
        "event.Event.EventData.NewProcessName",
        "event.Event.EventData.SourceImage",
        "event.Event.EventData.ProcessName",
        "event.Image",
        "event.NewProcessName",
        "event.SourceImage",
        "event.ProcessName",
        "event.process.executable",
        "event.exe",
    ),
    "process_command_line": (
        "event.Event.EventData.CommandLine",
        "event.CommandLine",
    ),
    "process_parent_executable": (
        "event.Event.EventData.ParentImage",
        "event.Event.EventData.ParentProcessName",
        "event.ParentImage",
        "event.ParentProcessName",
    ),
    "process_parent_command_line": (
        "event.Event.EventData.ParentCommandLine",
        "event.ParentCommandLine",
    ),
    "service_name": (
        "event.Event.EventData.ServiceName",
        "event.ServiceName",
    ),
    "source_ip": (
        "event.Event.EventData.SourceIp",
        "event.Event.EventData.IpAddress",
        "event.SourceIp",
        "event.IpAddress",
        "event.source.ip",
        "event.src_ip",
        "event.sourceIPAddress",
    ),
    "destination_ip": (
        "event.Event.EventData.DestinationIp",
        "event.DestinationIp",
        "event.destination.ip",
        "event.dest_ip",
    ),
    "destination_port": (
        "event.Event.EventData.DestinationPort",
        "event.DestinationPort",
    ),
    "file_path": (
        "event.Event.EventData.TargetFilename",
        "event.TargetFilename",
    ),
    "registry_path": (
        "event.Event.EventData.TargetObject",
        "event.TargetObject",
    ),
    "dns_question_name": (
        "event.Event.EventData.QueryName",
        "event.QueryName",
    ),
}

_DOCUMENTS = JsonDocuments(())
_LAYOUT = Layout("rsigma", _PATHS)


class RSigma:
    """RSigma alerts; see ``Format``."""

    name = "rsigma"
    dataset = "rsigma"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b'"rule_title"', _fits)

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
    return has(record, "rule_title") and bool(
        {"matched_fields", "matched_selections", "correlation_type"} & set(record)
    )
