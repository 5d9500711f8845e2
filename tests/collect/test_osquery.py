from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.formats.osquery import Osquery

OSQUERY = Osquery()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
TIME = datetime(2026, 3, 5, 10, 3, 20, tzinfo=UTC)
SECONDS = 1_772_705_000
LINE = {"hostIdentifier": "h", "unixTime": SECONDS, "epoch": 0, "counter": 1}


def parse(*lines: dict[str, Any]) -> list[Parsed]:
    text = "\n".join(json.dumps(line) for line in lines).encode()
    if not OSQUERY.is_framed(text):
        return [OSQUERY.parse(lines_of(text), CONTEXT)]
    return [OSQUERY.parse(batch, CONTEXT) for batch, _ in OSQUERY.frames(BytesIO(text), 1 << 20)]


def rows(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    found = [row for parsed in parse(*lines) for row in parsed.events.to_pylist()]
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def row(name: str, columns: dict[str, Any], action: str = "added") -> dict[str, Any]:
    [found] = rows(LINE | {"name": name, "columns": columns, "action": action})
    return found


def test_reads_process_events_with_their_own_time() -> None:
    found = row(
        "pack_ir_process_events",
        {
            "pid": "8",
            "parent": "7",
            "path": "/usr/bin/bash",
            "cmdline": "bash -i",
            "cwd": '"/root"',
            "uid": "33",
            "auid": "1000",
            "time": str(SECONDS - 60),
            "parent_path": "/usr/bin/dash",
        },
    )
    assert found["time"].timestamp() == SECONDS - 60
    assert (found["event_provider"], found["event_action"]) == (
        "pack_ir_process_events",
        "process_events-added",
    )
    assert found["event_category"] == "process"
    assert (found["process_pid"], found["process_parent_pid"]) == (8, 7)
    assert (found["process_name"], found["process_parent_name"]) == ("bash", "dash")
    assert (found["process_executable"], found["process_command_line"]) == (
        "/usr/bin/bash",
        "bash -i",
    )
    assert (found["process_working_directory"], found["user_id"]) == ("/root", "33")


@pytest.mark.parametrize(
    ("action", "ends"), [("connect", ("here", "there")), ("accept", ("there", "here"))]
)
def test_who_calls_depends_on_the_call(action: str, ends: tuple[str, str]) -> None:
    address = {"here": ("10.0.0.1", 1), "there": ("192.0.2.9", 2)}
    found = row(
        "socket_events",
        {
            "action": action,
            "pid": "8",
            "path": "/usr/bin/nc",
            "fd": "3",
            "success": "1",
            "protocol": "6",
            "local_address": "10.0.0.1",
            "local_port": "1",
            "remote_address": "192.0.2.9",
            "remote_port": "2",
        },
    )
    assert (found["source_ip"], found["source_port"]) == address[ends[0]]
    assert (found["destination_ip"], found["destination_port"]) == address[ends[1]]
    assert found["event_action"] == f"socket_events-{action}"
    assert found["process_executable"] == "/usr/bin/nc"
    assert (found["event_outcome"], found["network_transport"]) == ("success", "tcp")


def test_each_row_of_a_snapshot_and_of_a_batch_is_an_event() -> None:
    ports = [{"pid": "1", "port": "22", "address": "::", "protocol": "6"}, {"port": "53"}]
    snapshot = LINE | {"name": "listening_ports", "snapshot": ports, "action": "snapshot"}
    packages = {"added": [{"name": "a"}], "removed": [{"name": "b"}]}
    found = rows(snapshot, LINE | {"name": "deb_packages", "diffResults": packages})
    assert [row["event_action"] for row in found] == [
        "listening_ports-snapshot",
        "listening_ports-snapshot",
        "deb_packages-added",
        "deb_packages-removed",
    ]
    assert (found[0]["destination_ip"], found[0]["destination_port"]) == ("::", 22)
    assert found[0]["network_direction"] == "listening"
    assert [row.get("osquery_name") for row in found[2:]] == ["a", "b"]
    assert all(row["time"] == TIME and row["host_name"] == "h" for row in found)


def test_a_snapshot_without_rows_is_skipped() -> None:
    [parsed] = parse(LINE | {"name": "q", "snapshot": [], "action": "snapshot"})
    assert (parsed.events.num_rows, parsed.skipped) == (0, 1)


def test_a_path_without_a_process_is_a_file_and_with_a_key_a_registry_path() -> None:
    found = row("file_events", {"target_path": "/etc/passwd", "action": "UPDATED", "sha256": "ff"})
    assert (found["file_path"], found["event_action"]) == ("/etc/passwd", "file_events-updated")
    assert found["osquery_sha256"] == "ff"
    assert row("suid_bin", {"path": "/usr/bin/su"})["file_path"] == "/usr/bin/su"
    key = {"key": "HKLM\\Run", "path": "HKLM\\Run\\x", "name": "x", "data": "x.exe"}
    found = row("registry", key)
    assert (found["registry_path"], found["registry_data"]) == ("HKLM\\Run\\x", "x.exe")
    assert "file_path" not in found


def test_reads_status_logs_and_calendar_times() -> None:
    status = {
        "hostIdentifier": "h",
        "calendarTime": "Thu Mar  5 10:03:20 2026 UTC",
        "severity": "2",
        "filename": "tls.cpp",
        "line": "9",
        "message": "request failed",
    }
    [found] = rows(status)
    assert found["time"] == TIME
    assert (found["event_provider"], found["event_action"]) == ("osqueryd", "status")
    assert (found["log_level"], found["message"]) == ("error", "request failed")


def test_refuses_what_is_no_result() -> None:
    [parsed] = parse({"unixTime": 5}, {"name": "q", "columns": {}})
    assert sorted(parsed.rejects.column("error").to_pylist()) == [
        "no osquery result: expected the name of a query, or a status",
        "no time: expected unixTime or calendarTime",
    ]


@pytest.mark.parametrize(
    ("head", "sure"),
    [
        (LINE | {"name": "q", "columns": {"a": "1"}, "action": "added"}, 0.97),
        (LINE | {"name": "q", "snapshot": []}, 0.97),
        (
            {"calendarTime": "x", "severity": "0", "filename": "f", "line": "1", "message": "m"},
            0.97,
        ),
        ({"name": "q", "columns": ["a"], "rows": []}, 0.0),
        ({"columns": {}, "unixTime": 1}, 0.0),
    ],
)
def test_knows_its_lines(head: dict[str, Any], sure: float) -> None:
    assert OSQUERY.matches(json.dumps(head).encode() + b"\n") == pytest.approx(sure)


def test_knows_a_snapshot_that_is_longer_than_the_head() -> None:
    head = b'{"snapshot":[' + b'{"pid":"1"},' * 6000
    assert OSQUERY.matches(head) == pytest.approx(0.9)
    assert OSQUERY.is_framed(head)


def test_reads_what_a_logger_posts() -> None:
    results = [LINE | {"name": "q", "columns": {"pid": "1"}, "action": "added"}] * 2
    post = {"node_key": "k", "log_type": "result", "data": results}
    assert OSQUERY.matches(json.dumps(post).encode()) == pytest.approx(0.97)
    assert len(rows(post)) == 2
