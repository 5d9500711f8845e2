"""Hayabusa's timeline of Sigma matches in Windows event logs (json-timeline)."""

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
    "time": ("Timestamp",),
    "rule_name": ("RuleTitle",),
    "alert_rule_id": ("RuleID", "RuleFile"),
    "severity": ("Level",),
    "techniques": ("MitreTags", "MitreTactics", "RuleTags"),
    "host_name": ("Computer",),
    "event_provider": ("Provider", "Channel"),
    "event_code": ("EventID",),
    "user_name": ("Details.User", "Details.SrcUser", "Details.Usr", "User", "SubjectUserName"),
    "user_target_name": ("Details.TgtUser",),
    "process_executable": ("Details.Proc", "Details.SrcProc", "Image", "NewProcessName"),
    "process_command_line": ("Details.Cmdline", "CommandLine"),
    "process_parent_executable": ("Details.ParentProc", "ParentImage"),
    "process_parent_command_line": ("Details.ParentCmdline",),
    "process_pid": ("Details.PID",),
    "service_name": ("Details.Svc",),
    "source_ip": ("Details.SrcIP", "ExtraFieldInfo.IpAddress"),
    "source_port": ("Details.SrcPort",),
    "destination_ip": ("Details.TgtIP", "Details.DstIP"),
    "destination_port": ("Details.TgtPort", "Details.DstPort"),
    "file_path": ("Details.Path", "TargetFilename"),
    "registry_path": ("Details.TgtObj", "TargetObject"),
    "dns_question_name": ("Details.Query", "QueryName"),
    "url_domain": ("Details.TgtHost",),
}

_DOCUMENTS = JsonDocuments(())
_LAYOUT = Layout("hayabusa", _PATHS)


class Hayabusa:
    """Hayabusa alerts; see ``Format``."""

    name = "hayabusa"
    dataset = "hayabusa"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b'"RuleTitle"', _fits)

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
    return has(record, "RuleTitle", "Timestamp") and bool(
        {"Level", "Computer", "Channel"} & set(record)
    )
