"""Suricata's EVE log (``eve.json``): its alerts; flows and other events are skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, Columns, Flags, declared
from secad.collect.alerts.json import Layout, has, parse_json, share
from secad.collect.json.documents import JsonDocuments

_PATHS = {
    "event_type": ("event_type",),
    "time": ("timestamp",),
    "rule_name": ("alert.signature",),
    "alert_rule_id": ("alert.signature_id",),
    "severity": ("alert.severity",),
    "techniques": ("alert.metadata.mitre_technique_id", "alert.metadata"),
    "message": ("alert.category",),
    "source_ip": ("src_ip",),
    "source_port": ("src_port",),
    "destination_ip": ("dest_ip",),
    "destination_port": ("dest_port",),
    "network_transport": ("proto",),
    "network_protocol": ("app_proto",),
    "network_direction": ("direction",),
    "dns_question_name": ("dns.rrname",),
    "http_request_method": ("http.http_method",),
    "http_response_status_code": ("http.status",),
    "url_domain": ("http.hostname", "tls.sni"),
    "url_path": ("http.url",),
    "user_agent_original": ("http.http_user_agent",),
    "file_path": ("fileinfo.filename",),
}


def _no_alert(columns: Columns) -> Flags:
    return np.asarray(pc.fill_null(pc.not_equal(columns["event_type"], "alert"), True))


_DOCUMENTS = JsonDocuments(())
_LAYOUT = Layout("suricata", _PATHS, "priority", skipped=_no_alert)


class Suricata:
    """Suricata alerts; see ``Format``."""

    name = "suricata"
    dataset = "suricata"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b'"event_type"', _fits)

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
    return has(record, "event_type", "timestamp") and bool(
        {"flow_id", "alert", "stats", "src_ip"} & set(record)
    )
