"""Elastic's security alerts: ``kibana.alert.*``, and the older ``signal.*``."""

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
        "kibana.alert.original_time",
        "signal.original_time",
        "@timestamp",
        "kibana.alert.start",
    ),
    "rule_name": ("kibana.alert.rule.name", "signal.rule.name"),
    "alert_rule_id": (
        "kibana.alert.rule.rule_id",
        "kibana.alert.rule.uuid",
        "signal.rule.rule_id",
        "signal.rule.id",
    ),
    "severity": ("kibana.alert.severity", "kibana.alert.rule.severity", "signal.rule.severity"),
    "score": ("kibana.alert.risk_score", "kibana.alert.rule.risk_score", "signal.rule.risk_score"),
    "techniques": (
        "kibana.alert.rule.threat",
        "kibana.alert.rule.parameters.threat",
        "signal.rule.threat",
        "threat.technique.id",
    ),
    "message": ("kibana.alert.reason",),
    "host_name": ("host.name",),
    "user_name": ("user.name",),
    "user_domain": ("user.domain",),
    "user_target_name": ("user.target.name",),
    "user_effective_name": ("user.effective.name",),
    "process_name": ("process.name",),
    "process_executable": ("process.executable",),
    "process_entity_id": ("process.entity_id",),
    "process_pid": ("process.pid",),
    "process_command_line": ("process.command_line",),
    "process_parent_name": ("process.parent.name",),
    "process_parent_executable": ("process.parent.executable",),
    "source_ip": ("source.ip",),
    "source_port": ("source.port",),
    "source_domain": ("source.domain",),
    "destination_ip": ("destination.ip",),
    "destination_port": ("destination.port",),
    "destination_domain": ("destination.domain",),
    "network_transport": ("network.transport",),
    "network_protocol": ("network.protocol",),
    "service_name": ("service.name",),
    "event_provider": ("event.provider",),
    "event_code": ("event.code",),
    "file_path": ("file.path",),
    "registry_path": ("registry.path",),
    "dns_question_name": ("dns.question.name",),
    "url_domain": ("url.domain",),
    "url_path": ("url.path",),
    "user_agent_original": ("user_agent.original",),
    "cloud_account_id": ("cloud.account.id",),
    "cloud_region": ("cloud.region",),
}

_DOCUMENTS = JsonDocuments(("hits.hits",))
_LAYOUT = Layout("elastic", _PATHS)


class Elastic:
    """Elastic alerts; see ``Format``."""

    name = "elastic"
    dataset = "elastic"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b"rule", _fits)

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
    return has(record, "kibana.alert.rule.name") or has(record, "signal.rule.name")
