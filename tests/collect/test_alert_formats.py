"""Writings of alerts that the samples do not hold: versions, envelopes, odd addresses."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from secad import plugins
from secad.base.protocols import Frames, ParseContext
from secad.collect.alerts.columns import techniques
from secad.collect.alerts.severity import severities

Lines = Callable[[list[bytes]], pa.RecordBatch]
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))


def parsed(name: str, records: list[bytes], make_lines: Lines) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (
        plugins.alert_format_named(name).parse(make_lines(records), CONTEXT).events.to_pylist()
    )
    return rows


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            (
                b"08/05-12:34:56.789012  [**] [1:2100498:7] GPL ATTACK_RESPONSE id check root "
                b"[**] [Classification: Potentially Bad Traffic] [Priority: 2] {TCP} "
                b"192.0.2.1:53 -> 10.0.0.1:1024"
            ),
            ("snort", "1:2100498", 3, "192.0.2.1", 53, "2026-08-05T12:34:56.789012"),
        ),
        (
            (
                b'04/30/24-12:44:32.000000 [**] [1:1000001:0] "ICMP test" [**] [Priority: 0] '
                b"[AppID: ICMP] {ICMP} 192.0.2.1 -> 198.51.100.6"
            ),
            ("snort", "1:1000001", 2, "192.0.2.1", None, "2024-04-30T12:44:32"),
        ),
        (
            (
                b"02/19/2026-10:11:12.131415  [Drop] [**] [1:2260002:1] SURICATA Applayer Detect "
                b"protocol only one direction [**] [Classification: (null)] [Priority: 3] {UDP} "
                b"2001:0db8:0000:0000:0000:0000:0000:0001:5353 -> 2001:db8::2:53"
            ),
            (
                "suricata",
                "1:2260002",
                2,
                "2001:0db8:0000:0000:0000:0000:0000:0001",
                5353,
                "2026-02-19T10:11:12.131415",
            ),
        ),
        (
            (
                b"<33>Mar  3 09:12:44 gate snort[812]: [1:469:3] ICMP PING NMAP [Classification: "
                b"Attempted Information Leak] [Priority: 2]: <eth0> {ICMP} 203.0.113.9 -> 192.0.2.1"
            ),
            ("snort", "1:469", 3, "203.0.113.9", None, "2026-03-03T09:12:44"),
        ),
        (
            (
                b"2026-03-03T09:12:44.5+01:00 gate suricata[99]: [1:469:3] ICMP PING NMAP "
                b"[Classification: x] [Priority: 1] {TCP} 203.0.113.9:1 -> 192.0.2.1:2"
            ),
            ("suricata", "1:469", 4, "203.0.113.9", 1, "2026-03-03T08:12:44.500000"),
        ),
    ],
)
def test_snort_lines(line: bytes, expected: tuple[object, ...], make_lines: Lines) -> None:
    row = parsed("snort", [line], make_lines)[0]
    found = (
        row["alert_detector"],
        row["alert_rule_id"],
        row["alert_severity"],
        row["source_ip"],
        row.get("source_port"),
        row["time"].isoformat().removesuffix("+00:00"),
    )
    assert found == expected
    assert '"' not in row["rule_name"]


def test_elastic_alerts_nested_flat_and_old(make_lines: Lines) -> None:
    threat = [{"technique": [{"id": "T1055", "subtechnique": [{"id": "T1055.012"}]}]}]
    nested = {
        "@timestamp": "2026-03-02T08:00:00Z",
        "kibana": {"alert": {"severity": "critical", "rule": {"name": "a", "threat": threat}}},
    }
    flat = {"@timestamp": "2026-03-02T08:00:00Z", "kibana.alert.rule.name": "a"}
    old = {
        "@timestamp": "2026-03-02T08:05:00Z",
        "signal": {
            "original_time": "2026-03-02T08:00:00Z",
            "rule": {"name": "a", "severity": "high"},
        },
    }
    records = [json.dumps(record).encode() for record in (nested, flat, {"_source": old})]
    rows = parsed("elastic", records, make_lines)
    assert [row["alert_severity"] for row in rows] == [5, 2, 4]
    assert rows[0]["alert_techniques"] == "T1055,T1055.012"
    assert len({row["time"] for row in rows}) == 1


@pytest.mark.parametrize(
    ("name", "document"),
    [
        (
            "elastic",
            {"took": 1, "hits": {"total": 1, "hits": [{"_source": {
                "@timestamp": "2026-03-02T08:00:00Z", "kibana.alert.rule.name": "a"}}]}},
        ),
        (
            "wazuh",
            {"hits": {"hits": [{"_source": {
                "timestamp": "2026-03-02T08:00:00.000+0000", "agent": {"name": "a"},
                "rule": {"level": 5, "description": "a", "id": "1"}}}]}},
        ),
        (
            "opensearch",
            {"total_findings": 1, "findings": [{
                "id": "x", "related_doc_ids": ["d"], "index": "i", "timestamp": 1776026030432,
                "queries": [{"id": "q", "name": "a", "tags": ["medium", "attack.t1110.001"]}]}]},
        ),
        (
            "hayabusa",
            {"Timestamp": "2026-03-02 08:00:00.000 +09:00", "RuleTitle": "a", "Level": "crit",
             "Computer": "ws1"},
        ),
    ],
)  # fmt: skip
def test_documents_over_many_lines(name: str, document: dict[str, Any]) -> None:
    data = json.dumps(document, indent=2).encode()
    found = plugins.recognise_alerts(data)
    assert found is not None
    assert found.format.name == name
    form = found.format
    assert isinstance(form, Frames)
    assert form.is_framed(data)
    batches = [form.parse(lines, CONTEXT).events for lines, _ in form.frames(io.BytesIO(data), 99)]
    rows = pa.concat_tables(batches).to_pylist()
    assert [row["rule_name"] for row in rows] == ["a"]


def test_ocsf_finding_tells_who_from_its_evidence(make_lines: Lines) -> None:
    finding = {
        "class_uid": 2004,
        "time": 1776026030432,
        "severity_id": 99,
        "metadata": {"product": {"name": "GuardDuty"}},
        "finding_info": {"title": "UnauthorizedAccess", "uid": "one of its kind"},
        "evidences": [{"src_endpoint": {"location": "x", "ip": "203.0.113.9"}}],
        "resources": [{"type": "instance", "name": "i-0abc"}],
    }
    other = {**finding, "class_uid": 3002}
    rows = parsed("ocsf", [json.dumps(record).encode() for record in (finding, other)], make_lines)
    assert [(row["alert_detector"], row["source_ip"], row["host_name"]) for row in rows] == [
        ("guardduty", "203.0.113.9", "i-0abc")
    ]
    assert rows[0]["alert_severity"] == 2
    assert rows[0]["alert_rule_id"] is None


def test_aminer_and_wazuh_of_a_testbed_are_read_whole(data_file: Callable[[str], Path]) -> None:
    for name in ("aminer", "wazuh"):
        for kind in ("attack", "no_attack"):
            data = data_file(f"parsing/raw_ids_alerts/{name}_{kind}_lines.json").read_bytes()
            found = plugins.recognise_alerts(data[: 1 << 16])
            assert found is not None
            assert found.format.name == name
            assert found.confidence > 0.9


def test_techniques_are_found_in_any_writing() -> None:
    texts = ["T1059", '["attack.t1059.001","attack.g0032"]', "T1059/003 t1003", "AT1059", "T105"]
    assert techniques(pa.array(texts)).to_pylist() == [
        "T1059",
        "T1059.001",
        "T1003,T1059.003",
        None,
        None,
    ]


def test_severities_keep_to_their_scale() -> None:
    levels = pa.array(["0", "3", "4", "7", "12", "15", "99", "odd", None])
    assert severities(levels, "wazuh").to_pylist() == [1, 1, 2, 3, 4, 5, 5, 2, 2]
    assert severities(pa.array(["0", "1", "2", "3", "4", "255"]), "priority").to_pylist() == [
        2,  # a rule without class or priority
        4,
        3,
        2,
        1,
        1,
    ]
    assert severities(pa.array(["0", "1", "6", "99"]), "ocsf").to_pylist() == [2, 1, 6, 2]


@pytest.mark.parametrize("name", plugins.alert_format_names())
def test_hostile_records_take_linear_time(name: str, make_lines: Lines) -> None:
    if name in {"csv", "jsonl", "ait_ads"}:
        pytest.skip("read by parts that have such tests of their own")
    size = 500_000
    head = {
        "evidences": ['"src_endpoint":{' * (size // 20)],
        "queries": ['"name":"' * (size // 10)],
    }
    base = {"class_uid": 2004, "event_type": "alert", "time": 1776026030, "timestamp": "x"}
    records = [
        json.dumps({**base, **head, "tags": "t1059 " * (size // 6)}).encode(),
        b"08/05-12:34:56.7 [**] [1:1:1] " + b"[**] [" * (size // 6),
        b"[" * size,
    ]
    form = plugins.alert_format_named(name)
    form.parse(make_lines([b"{}"]), CONTEXT)  # compiles
    began = time.process_time()
    form.parse(make_lines(records), CONTEXT)
    assert time.process_time() - began < 3
