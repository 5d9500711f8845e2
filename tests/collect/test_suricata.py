from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from secad.base.protocols import ParseContext, Parsed
from secad.collect.formats.suricata import Suricata
from secad.plugins import recognise

Lines = Callable[[list[bytes]], pa.RecordBatch]
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))


def eve(kind: str, **more: Any) -> bytes:
    base = {
        "timestamp": "2020-02-29T00:00:12.734324+0100",
        "flow_id": 914989792375924,
        "event_type": kind,
        "src_ip": "192.0.2.5",
        "src_port": 53985,
        "dest_ip": "198.51.100.9",
        "dest_port": 53,
        "proto": "UDP",
    }
    return json.dumps({**base, **more}).encode()


def parse(make_lines: Lines, lines: list[bytes]) -> Parsed:
    parsed = Suricata().parse(make_lines(lines), CONTEXT)
    parsed.events.validate(full=True)
    return parsed


def one(make_lines: Lines, line: bytes) -> dict[str, Any]:
    parsed = parse(make_lines, [line])
    assert parsed.events.num_rows == 1, parsed.rejects.to_pylist()
    return dict(parsed.events.to_pylist()[0])


def test_what_all_records_have(make_lines: Lines) -> None:
    found = one(make_lines, eve("ssh", host="sensor-a", ssh={"client": {"proto_version": "2.0"}}))
    expected = {
        "time": datetime(2020, 2, 28, 23, 0, 12, 734324, UTC),
        "host_name": "sensor-a",
        "session_id": "914989792375924",
        "source_ip": "192.0.2.5",
        "source_port": 53985,
        "destination_ip": "198.51.100.9",
        "destination_port": 53,
        "network_transport": "udp",
        "network_protocol": "ssh",
        "event_action": "suricata-ssh",
        "event_provider": "suricata",
        "suricata_ssh_client_proto_version": "2.0",
        "labels": [],
    }
    assert {key: found[key] for key in expected} == expected


def test_a_flow_has_bytes_and_a_duration(make_lines: Lines) -> None:
    flow = {
        "bytes_toserver": 87,
        "bytes_toclient": 142,
        "state": "closed",
        "alerted": False,
        "start": "2020-02-28T23:55:12.974271+0000",
        "end": "2020-02-28T23:55:13.085657+0000",
    }
    found = one(make_lines, eve("flow", app_proto="failed", flow=flow))
    assert (found["source_bytes"], found["destination_bytes"]) == (87, 142)
    assert found["event_duration"] == 111_386_000
    assert found["network_protocol"] is None
    assert found["suricata_flow_alerted"] == "false"


@pytest.mark.parametrize(
    "dns",
    [
        {"type": "query", "id": 1, "rrname": "w.example", "rrtype": "MX", "tx_id": 0},
        {"version": 2, "type": "answer", "rrname": "w.example", "rrtype": "MX", "rcode": "NOERROR"},
        {"version": 3, "type": "request", "queries": [{"rrname": "w.example", "rrtype": "MX"}]},
        {"query": [{"type": "query", "id": 1, "rrname": "w.example", "rrtype": "MX"}]},
        {"queries": [{"rrname": "w.example", "rrtype": "MX"}, {"rrname": "}", "rrtype": "A"}]},
    ],
)
def test_every_layout_of_dns_gives_the_question(make_lines: Lines, dns: dict[str, Any]) -> None:
    found = one(make_lines, eve("dns", dns=dns))
    assert (found["dns_question_name"], found["suricata_dns_rrtype"]) == ("w.example", "MX")


def test_answers_are_joined(make_lines: Lines) -> None:
    dns = {"rrname": "w.example", "rcode": "NXDOMAIN", "grouped": {"A": ["192.0.2.1", "192.0.2.2"]}}
    found = one(make_lines, eve("dns", dns=dns))
    assert found["suricata_dns_grouped_a"] == "192.0.2.1,192.0.2.2"
    assert found["event_outcome"] == "failure"


def test_web_requests(make_lines: Lines) -> None:
    http = {
        "hostname": "w.example",
        "url": "/a?b=c",
        "http_user_agent": "curl/8",
        "http_method": "GET",
        "protocol": "HTTP/1.1",
        "status": 301,
        "length": 7,
        "redirect": "https://w.example/a",
    }
    found = one(make_lines, eve("http", http=http))
    expected = {
        "url_domain": "w.example",
        "url_path": "/a",
        "url_query": "b=c",
        "http_version": "1.1",
        "user_agent_original": "curl/8",
        "http_response_status_code": 301,
        "http_response_bytes": 7,
        "event_outcome": "success",
        "event_category": "web",
        "suricata_http_redirect": "https://w.example/a",
    }
    assert {key: found[key] for key in expected} == expected


def test_an_alert_is_an_event_with_its_rule(make_lines: Lines) -> None:
    alert = {
        "action": "blocked",
        "gid": 1,
        "signature_id": 2017318,
        "signature": "ET X",
        "category": "Misc",
        "severity": 2,
        "metadata": {"created_at": ["2010_07_30"]},
    }
    found = one(make_lines, eve("alert", alert=alert, payload="AAAA", packet="BBBB"))
    assert (found["rule_name"], found["event_code"]) == ("ET X", "2017318")
    assert found["suricata_alert_severity"] == 2
    assert found["labels"] == [("alert.metadata.created_at", '["2010_07_30"]')]


@pytest.mark.parametrize(
    ("kind", "more", "column", "value"),
    [
        ("tls", {"tls": {"sni": "w.example"}}, "destination_domain", "w.example"),
        ("fileinfo", {"fileinfo": {"filename": "/x"}}, "file_path", "/x"),
        ("anomaly", {"anomaly": {"event": "decoder.ipv4"}}, "rule_name", "decoder.ipv4"),
        ("dhcp", {"dhcp": {"hostname": "desk1"}}, "source_domain", "desk1"),
        ("smb", {"smb": {"status": "STATUS_ACCESS_DENIED"}}, "event_outcome", "failure"),
        ("krb5", {"krb5": {"cname": "ann", "realm": "R"}}, "user_name", "ann"),
        ("rdp", {"rdp": {"cookie": "ann"}}, "user_name", "ann"),
        ("ftp", {"ftp": {"command": "USER", "command_data": "ann"}}, "user_name", "ann"),
        ("nfs", {"nfs": {"filename": "x", "status": "OK"}}, "event_outcome", "success"),
        ("mqtt", {"mqtt": {"connect": {"username": "ann"}}}, "user_name", "ann"),
        ("ikev2", {"ikev2": {"role": "initiator"}}, "suricata_ikev2_role", "initiator"),
        ("snmp", {"snmp": {"community": "public"}}, "suricata_snmp_community", "public"),
        ("sip", {"sip": {"method": "INVITE"}}, "http_request_method", "INVITE"),
        ("netflow", {"netflow": {"bytes": 9}}, "source_bytes", 9),
        ("drop", {"drop": {"len": 60, "reason": "rules"}}, "suricata_drop_reason", "rules"),
        ("new_kind", {"new_kind": {"x": 1}}, "labels", [("new_kind.x", "1")]),
    ],
)
def test_each_event_type(
    make_lines: Lines, kind: str, more: dict[str, Any], column: str, value: object
) -> None:
    found = one(make_lines, eve(kind, **more))
    assert found[column] == value
    assert found["event_action"] == f"suricata-{kind.replace('_', '-')}"


def test_statistics_are_skipped_and_what_is_no_record_is_a_reject(make_lines: Lines) -> None:
    lines = [
        b'{"timestamp":"2020-02-29T00:00:12+0000","event_type":"stats","stats":{"uptime":1}}',
        eve("dns", timestamp="soon"),
        b'{"timestamp":"2020-02-29T00:00:12Z"}',
        b"{",
    ]
    parsed = parse(make_lines, lines)
    assert (parsed.events.num_rows, parsed.skipped) == (0, 1)
    assert sorted(parsed.rejects["line"].to_pylist()) == [2, 3, 4]


def test_a_port_that_is_none_is_kept_as_a_label(make_lines: Lines) -> None:
    found = one(make_lines, eve("dns", src_port="many"))
    assert found["labels"] == [("source_port", "many")]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (eve("flow", flow={}), "suricata"),
        (b'{"timestamp":"2020-02-29T00:00:12+0000","event_type":"stats","stats":{}}', "suricata"),
        (b'{"timestamp":"2020-02-29T00:00:12Z","event_type":"login","user":"ann"}', "jsonl"),
    ],
)
def test_heads_are_recognised(head: bytes, name: str) -> None:
    found = recognise(head + b"\n")
    assert found is not None
    assert found.format.name == name


@pytest.mark.parametrize("wrap", [lambda t: {"message": t}, lambda t: {"result": {"_raw": t}}])
def test_envelopes_of_shippers_and_splunk_hold_records_as_text(
    make_lines: Lines, wrap: Callable[[str], dict[str, Any]]
) -> None:
    line = json.dumps(wrap(eve("tls", tls={"sni": "shop.example"}).decode())).encode()
    assert Suricata().matches(line + b"\n") > 0.9
    assert one(make_lines, line)["destination_domain"] == "shop.example"
