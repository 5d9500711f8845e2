"""Wazuh's alerts (``alerts.json``), also as its indexer keeps them."""

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
    "time": ("timestamp", "@timestamp"),
    "rule_name": ("rule.description",),
    "alert_rule_id": ("rule.id",),
    "severity": ("rule.level",),
    "score": ("rule.level",),
    "techniques": ("rule.mitre.id", "rule.mitre"),
    "message": ("full_log",),
    "host_name": ("predecoder.hostname", "agent.name"),
    "event_provider": ("predecoder.program_name", "decoder.name"),
    "event_code": ("data.win.system.eventID",),
    "user_name": (
        "data.srcuser",
        "data.win.eventdata.subjectUserName",
        "data.win.eventdata.user",
        "data.aws.userIdentity.userName",
        "data.office365.UserId",
        "syscheck.uname_after",
    ),
    "user_target_name": ("data.dstuser", "data.win.eventdata.targetUserName"),
    "process_executable": (
        "data.win.eventdata.image",
        "data.win.eventdata.newProcessName",
        "data.win.eventdata.processName",
        "data.audit.exe",
        "syscheck.audit.process.name",
    ),
    "process_command_line": ("data.win.eventdata.commandLine",),
    "process_parent_executable": (
        "data.win.eventdata.parentImage",
        "data.win.eventdata.parentProcessName",
    ),
    "source_ip": (
        "data.srcip",
        "data.src_ip",
        "data.win.eventdata.ipAddress",
        "data.win.eventdata.sourceIp",
        "data.aws.sourceIPAddress",
        "data.office365.ClientIP",
    ),
    "source_port": ("data.srcport", "data.src_port"),
    "destination_ip": ("data.dstip", "data.dest_ip", "data.win.eventdata.destinationIp"),
    "destination_port": ("data.dstport", "data.dest_port"),
    "network_transport": ("data.protocol", "data.proto"),
    "url_path": ("data.url",),
    "file_path": ("syscheck.path", "data.file", "data.win.eventdata.targetFilename"),
    "registry_path": ("data.win.eventdata.targetObject",),
}

_DOCUMENTS = JsonDocuments(("hits.hits", "data.affected_items"))
_LAYOUT = Layout("wazuh", _PATHS, "wazuh")


class Wazuh:
    """Wazuh alerts; see ``Format``."""

    name = "wazuh"
    dataset = "wazuh"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b'"rule"', _fits)

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
    return has(record, "rule.level", "rule.description") and bool(
        {"agent", "manager", "decoder"} & set(record)
    )
