"""OCSF Detection Findings (class 2004) and Security Findings (2001) as JSON lines."""

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
    "class_uid": ("class_uid",),
    "time": ("finding_info.first_seen_time_dt", "time_dt", "time", "finding_info.created_time"),
    "rule_name": ("finding_info.title", "finding.title", "rule.name", "message"),
    "alert_rule_id": (
        "finding_info.analytic.uid",
        "analytic.uid",
        "rule.uid",
        "finding_info.analytic.name",
        "finding_info.types",
        "finding.types",
    ),
    "severity": ("severity_id", "severity"),
    "score": ("risk_score", "finding_info.risk_score"),
    "techniques": ("attacks", "finding_info.attacks", "finding_info.kill_chain"),
    "alert_detector": (
        "metadata.product.name",
        "finding_info.product.name",
        "metadata.product.feature.name",
    ),
    "evidences": ("evidences",),
    "resources": ("resources", "resource"),
    "host_name": ("device.hostname", "device.name", "src_endpoint.hostname"),
    "user_name": ("actor.user.name", "user.name", "actor.user.uid"),
    "process_executable": ("process.file.path", "actor.process.file.path", "process.path"),
    "process_name": ("process.name", "actor.process.name"),
    "process_command_line": ("process.cmd_line",),
    "source_ip": ("src_endpoint.ip", "evidence.src_endpoint.ip"),
    "source_port": ("src_endpoint.port",),
    "destination_ip": ("dst_endpoint.ip", "evidence.dst_endpoint.ip"),
    "destination_port": ("dst_endpoint.port",),
    "file_path": ("file.path",),
    "cloud_account_id": ("cloud.account.uid",),
    "cloud_region": ("cloud.region",),
}

_FINDINGS = pa.array(["2004", "2001"])
# of the first entry of an array of evidence or resources that has it
_INNER = {
    "source_ip": (
        ("evidences",),
        r"(?s)^.*?\"src_endpoint\"\s*:\s*\{[^{}]*?\"ip\"\s*:\s*\"(?P<value>[^\"\\]+)\".*$",
    ),
    "destination_ip": (
        ("evidences",),
        r"(?s)^.*?\"dst_endpoint\"\s*:\s*\{[^{}]*?\"ip\"\s*:\s*\"(?P<value>[^\"\\]+)\".*$",
    ),
    "host_name": (
        ("resources", "evidences"),
        r"(?s)^.*?\"(?:hostname|name)\"\s*:\s*\"(?P<value>[^\"\\]+)\".*$",
    ),
}


def _no_finding(columns: Columns) -> Flags:
    return np.asarray(pc.invert(pc.is_in(columns["class_uid"], value_set=_FINDINGS)))


def _from_arrays(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Returns columns filled from what stands in arrays, and the product as the detector."""
    made = dict(columns)
    for name, (places, pattern) in _INNER.items():
        for place in places:
            inner = pc.struct_field(pc.extract_regex(columns[place], pattern), "value")
            made[name] = pc.coalesce(made[name], inner)
    product = pc.utf8_lower(pc.utf8_trim_whitespace(columns["alert_detector"]))
    made["alert_detector"] = pc.utf8_slice_codeunits(
        pc.replace_substring_regex(product, r"[^a-z0-9]+", "-"), 0, 64
    )
    return made


_DOCUMENTS = JsonDocuments(("findings", "events"))
_LAYOUT = Layout("ocsf", _PATHS, "ocsf", skipped=_no_finding, prepared=_from_arrays)


class Ocsf:
    """Ocsf alerts; see ``Format``."""

    name = "ocsf"
    dataset = "ocsf"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, _DOCUMENTS, b'"class_uid"', _fits)

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
    return has(record, "class_uid") and record["class_uid"] in {2004, 2001, "2004", "2001"}
