from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import pytest

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.formats.ecs import ElasticCommonSchema
from secad.collect.json.lists import first, joined

ECS = ElasticCommonSchema()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
STAMP = {"@timestamp": "2026-03-05T10:00:00.250Z"}


def parse(*documents: Any) -> Parsed:
    lines = [json.dumps(d) if isinstance(d, dict) else d for d in documents]
    return ECS.parse(lines_of("\n".join(lines).encode()), CONTEXT)


def event(document: dict[str, Any]) -> dict[str, Any]:
    parsed = parse(STAMP | document)
    assert parsed.events.num_rows == 1, parsed.rejects.to_pylist()
    row: dict[str, Any] = parsed.events.to_pylist()[0]
    return {name: value for name, value in row.items() if value is not None}


def test_keeps_the_identity_of_a_process() -> None:
    row = event(
        {
            "event": {"action": "existing_process", "module": "system", "dataset": "process"},
            "process": {
                "args": ["bash", "-c", 'echo "a b"'],
                "entity_id": "e1",
                "executable": "/bin/bash",
                "pid": 9086,
                "parent": {"pid": 1, "entity_id": "e0", "executable": "/sbin/init"},
                "working_directory": "/root",
                "hash": {"sha1": "ff"},
            },
            "user": {"name": "root", "id": 0},
        }
    )
    assert row["event_action"] == "existing_process"
    assert row["event_provider"] == "process"
    assert row["process_command_line"] == 'bash -c echo "a b"'
    assert (row["process_entity_id"], row["process_parent_entity_id"]) == ("e1", "e0")
    assert (row["process_pid"], row["process_parent_pid"]) == (9086, 1)
    assert (row["process_name"], row["process_parent_name"]) == ("bash", "init")
    assert row["process_working_directory"] == "/root"
    assert row["user_id"] == "0"
    assert row["ecs_sha1"] == "ff"


def test_reads_auditbeat_6_with_its_older_names() -> None:
    row = event(
        {
            "@metadata": {"beat": "auditbeat", "type": "doc", "version": "6.8.12"},
            "auditd": {
                "result": "fail",
                "session": "unset",
                "data": {"syscall": "openat", "exit": "ENOENT", "tty": "(none)", "a0": "3"},
            },
            "process": {"exe": "/bin/nano", "cwd": "/home/kim", "ppid": "7", "pid": "8"},
            "file": {"path": "./notes.txt"},
            "user": {"auid": "unset", "name_map": {"uid": "root", "euid": "www-data"}},
        }
    )
    assert row["event_action"] == "open"
    assert row["event_category"] == "file"
    assert row["event_outcome"] == "failure"
    assert row["file_path"] == "/home/kim/notes.txt"
    assert (row["process_pid"], row["process_parent_pid"]) == (8, 7)
    assert (row["user_name"], row["user_effective_name"]) == ("root", "www-data")
    assert "session_id" not in row
    assert "ecs_terminal" not in row


@pytest.mark.parametrize(
    ("syscall", "end"), [("connect", "destination"), ("accept4", "source"), ("recvfrom", "source")]
)
def test_the_address_of_a_system_call_is_the_other_end(syscall: str, end: str) -> None:
    socket = {"family": "ipv4", "addr": "192.0.2.9", "port": "8080"}
    row = event({"auditd": {"data": {"syscall": syscall, "socket": socket}}})
    assert (row[f"{end}_ip"], row[f"{end}_port"]) == ("192.0.2.9", 8080)


def test_reads_dotted_keys_and_wrapped_documents_alike() -> None:
    nested = {"event": {"action": "fork"}, "process": {"pid": 7}, "host": {"name": "h"}}
    dotted = {"event.action": "fork", "process.pid": 7, "host.name": "h"}
    exported = {"_index": "x", "_id": "1", "_score": 1, "_source": STAMP | nested}
    rows = parse(STAMP | nested, STAMP | dotted, exported).events.to_pylist()
    for row in rows:
        assert (row["event_action"], row["process_pid"], row["host_name"]) == ("fork", 7, "h")
        assert row["labels"] == []


def test_an_endpoints_leaders_do_not_fill_the_labels() -> None:
    leader = {"entity_id": "l", "pid": 1, "user": {"name": "root"}, "args": ["init"]}
    process = {"entity_id": "e", "entry_leader": leader, "session_leader": leader}
    row = event({"event": {"action": "exec", "kind": "event"}, "process": process})
    assert (row["process_entity_id"], row["session_id"]) == ("e", "l")
    assert row["labels"] == []


def test_skips_the_action_lines_of_a_bulk_file() -> None:
    document = STAMP | {"event": {"kind": "event", "dataset": "nginx.access"}}
    parsed = parse(
        '{"index":{"_index":"logs","_id":"1"}}', document, '{ "create" : { } }', document
    )
    assert (parsed.events.num_rows, parsed.skipped, parsed.rejects.num_rows) == (2, 2, 0)
    head = b'{"index":{}}\n' + json.dumps(document).encode() + b"\n"
    assert ECS.matches(head) == pytest.approx(0.95)


def test_what_has_no_action_is_called_by_its_type_else_by_its_dataset() -> None:
    assert event({"event": {"type": ["connection", "end"]}})["event_action"] == "connection-end"
    assert event({"event": {"dataset": "nginx.access"}})["event_action"] == "nginx.access"
    assert event({"agent": {"type": "filebeat"}})["event_action"] == "filebeat"
    assert event({"event": {"action": ["created", "updated"]}})["event_action"] == "created-updated"


def test_the_original_is_the_message_but_of_audit_records() -> None:
    assert event({"event": {"original": "GET /"}})["message"] == "GET /"
    audited = {"event": {"original": "type=SYSCALL"}, "auditd": {"message_type": "syscall"}}
    assert "message" not in event(audited)


def test_parts_addresses_from_names_and_urls_into_their_parts() -> None:
    row = event(
        {
            "source": {"address": "2001:db8::1"},
            "destination": {"address": "db.corp.example", "port": 5432.0},
            "url": {"original": "https://kim:pw@shop.example:8443/cart/1?id=7#top"},
            "network": {"direction": "egress", "transport": "TCP"},
        }
    )
    assert row["source_ip"] == "2001:db8::1"
    assert row["destination_domain"] == "db.corp.example"
    assert row["destination_port"] == 5432
    assert (row["url_domain"], row["url_path"], row["url_query"]) == (
        "shop.example",
        "/cart/1",
        "id=7",
    )
    assert (row["network_direction"], row["network_transport"]) == ("outbound", "tcp")


def test_a_number_that_does_not_fit_becomes_a_label() -> None:
    row = event({"source": {"port": "https"}})
    assert "source_port" not in row
    assert row["labels"] == [("source_port", "https")]


def test_refuses_what_has_no_time_and_what_is_no_json() -> None:
    parsed = parse({"event": {"action": "x"}}, "{", STAMP)
    assert parsed.events.num_rows == 1
    assert sorted(parsed.rejects.column("error").to_pylist()) == [
        "expected a key in double quotes, at byte 1",
        "no time: expected @timestamp",
    ]


@pytest.mark.parametrize(
    ("head", "sure"),
    [
        (STAMP | {"event": {"module": "nginx"}}, True),
        (STAMP | {"event.kind": "event"}, True),
        (STAMP | {"agent": {"type": "filebeat"}, "message": "x"}, True),
        ({"_index": "a", "_source": STAMP | {"ecs": {"version": "8"}, "agent": {}}}, True),
        (STAMP | {"@version": "1", "message": "logstash", "host": "h"}, False),
        ({"timestamp": "2026", "agent": {"id": "1"}, "rule": {"level": 3}}, False),
        ({"event": {"action": "x"}}, False),
    ],
)
def test_knows_its_documents_by_the_schemas_marks(head: dict[str, Any], sure: bool) -> None:
    assert (ECS.matches(json.dumps(head).encode() + b"\n") > 0.9) is sure


def test_windows_events_in_ecs_stay_with_the_surer_format() -> None:
    from secad import plugins

    document = STAMP | {
        "event": {"code": "4624", "provider": "Microsoft-Windows-Security-Auditing"},
        "winlog": {"channel": "Security", "event_id": 4624, "event_data": {}},
        "agent": {"type": "winlogbeat"},
    }
    found = plugins.recognise(json.dumps(document).encode() + b"\n")
    assert found is not None
    assert found.format.name == "windows"


def test_arrays_of_plain_values_become_one_text() -> None:
    texts = ['["a","b"]', '["a\\u0041\\n",1,true,null]', "[]", None, "[x]", "[[1]]", '["a']
    column = pa.array(texts)
    assert joined(column, ",").to_pylist() == ["a,b", "aA\n,1,true", None, None, *texts[4:]]
    assert first(column).to_pylist() == ["a", "aA\n", None, None, *texts[4:]]
    assert joined(column.slice(1, 1), " ").to_pylist() == ["aA\n 1 true"]


@pytest.mark.parametrize("layout", ["array", "envelope", "spread"])
def test_reads_arrays_and_documents(layout: str) -> None:
    record = STAMP | {"event": {"action": "fork"}}
    text = {
        "array": json.dumps([record] * 3),
        "envelope": json.dumps({"hits": {"hits": [{"_source": record}] * 3}}),
        "spread": "\n".join([json.dumps(record, indent=2)] * 3),
    }[layout].encode()
    assert ECS.matches(text) > 0.9
    assert ECS.is_framed(text)
    frames = [lines for lines, _ in ECS.frames(BytesIO(text), 1 << 20)]
    assert sum(ECS.parse(lines, CONTEXT).events.num_rows for lines in frames) == 3
