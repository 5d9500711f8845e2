from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.formats.ocsf import Ocsf

OCSF = Ocsf()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
TIME = 1_772_705_000_000


def parse(*events: Any) -> Parsed:
    lines = [json.dumps(event) if isinstance(event, dict) else event for event in events]
    return OCSF.parse(lines_of("\n".join(lines).encode()), CONTEXT)


def event(class_uid: int, more: dict[str, Any]) -> dict[str, Any]:
    parsed = parse({"class_uid": class_uid, "time": TIME, "metadata": {"version": "1.1.0"}} | more)
    assert parsed.events.num_rows == 1, parsed.rejects.to_pylist()
    row: dict[str, Any] = parsed.events.to_pylist()[0]
    return {name: value for name, value in row.items() if value is not None}


def process(pid: int, path: str, **more: Any) -> dict[str, Any]:
    return {"pid": pid, "uid": f"p{pid}", "file": {"path": path}, "cmd_line": f"run {pid}"} | more


def test_a_launched_process_is_the_process_and_who_launched_it_the_parent() -> None:
    body = {
        "activity_id": 1,
        "activity_name": "Launch",
        "process": process(8, "C:\\Windows\\reg.exe"),
        "actor": {"process": process(7, "C:\\Windows\\cmd.exe"), "user": {"name": "eve"}},
    }
    row = event(1007, body)
    assert row["event_action"] == "process-activity-launch"
    assert row["event_category"] == "process"
    assert (row["process_name"], row["process_parent_name"]) == ("reg.exe", "cmd.exe")
    assert (row["process_pid"], row["process_parent_pid"]) == (8, 7)
    assert (row["process_entity_id"], row["process_parent_entity_id"]) == ("p8", "p7")
    assert row["process_parent_command_line"] == "run 7"
    assert row["user_name"] == "eve"


def test_a_parent_that_is_named_goes_before_who_launched_it() -> None:
    own = process(8, "/bin/ls", parent_process=process(5, "/bin/zsh"))
    row = event(1007, {"activity_id": 1, "process": own, "actor": {"process": process(7, "/x")}})
    assert row["process_parent_name"] == "zsh"


def test_a_process_that_opens_another_has_it_as_target() -> None:
    acting = process(7, "/opt/x", parent_process=process(3, "/bin/sh"))
    row = event(
        1007,
        {"activity_id": 3, "process": process(1, "/bin/lsass"), "actor": {"process": acting}},
    )
    assert (row["process_name"], row["process_parent_name"]) == ("x", "sh")
    assert row["ocsf_target_process_executable"] == "/bin/lsass"
    assert row["ocsf_target_process_pid"] == 1
    assert row["event_action"] == "process-activity-3"


def test_of_other_events_the_process_is_the_one_that_acts() -> None:
    row = event(1001, {"file": {"path": "/etc/x"}, "actor": {"process": process(7, "/bin/vi")}})
    assert (row["file_path"], row["process_name"]) == ("/etc/x", "vi")


def test_a_call_is_called_by_its_operation_and_fails_with_an_error() -> None:
    row = event(
        6003,
        {
            "api": {
                "operation": "RunInstances",
                "service": {"name": "ec2.amazonaws.com"},
                "response": {"error": "UnauthorizedOperation"},
            },
            "actor": {"user": {"uid": "arn:aws:iam::1:user/kim", "account": {"uid": "1"}}},
            "cloud": {"region": "eu-central-1"},
        },
    )
    assert row["event_action"] == "runinstances"
    assert row["event_outcome"] == "failure"
    assert row["user_name"] == "arn:aws:iam::1:user/kim"
    assert (row["cloud_account_id"], row["cloud_region"]) == ("1", "eu-central-1")
    assert row["service_name"] == "ec2.amazonaws.com"


def test_who_signs_in_is_the_user_and_who_is_made_is_the_target() -> None:
    user = {"user": {"name": "ana"}, "actor": {"user": {"name": "idp"}}}
    assert event(3002, user)["user_name"] == "ana"
    changed = event(3001, user)
    assert (changed["user_name"], changed["user_target_name"]) == ("idp", "ana")


def test_reads_flows_and_names() -> None:
    row = event(
        4001,
        {
            "type_name": "Network Activity: Traffic",
            "src_endpoint": {"ip": "10.0.0.1", "port": "40000"},
            "dst_endpoint": {"hostname": "db.example", "port": 5432.0},
            "connection_info": {"protocol_num": 6, "direction_id": 2},
            "traffic": {"bytes_in": 5, "bytes_out": 7},
            "duration": 3,
        },
    )
    assert row["event_action"] == "network-activity-traffic"
    assert (row["source_ip"], row["source_port"]) == ("10.0.0.1", 40000)
    assert (row["destination_domain"], row["destination_port"]) == ("db.example", 5432)
    assert (row["network_transport"], row["network_direction"]) == ("tcp", "outbound")
    assert (row["source_bytes"], row["destination_bytes"]) == (7, 5)
    assert row["event_duration"] == 3_000_000
    asked = event(4003, {"query": {"hostname": "www.example.", "type": "A"}, "rcode": "NoError"})
    assert asked["dns_question_name"] == "www.example"


@pytest.mark.parametrize(
    "time", [TIME, TIME // 1000, "2026-03-05T10:03:20Z", str(TIME), TIME * 1000]
)
def test_reads_times_in_every_unit(time: Any) -> None:
    parsed = parse({"class_uid": 1001, "time": time, "metadata": {}})
    assert parsed.events.column("time").to_pylist() == [datetime(2026, 3, 5, 10, 3, 20, tzinfo=UTC)]


def test_refuses_what_is_no_event() -> None:
    parsed = parse({"time": TIME}, {"class_uid": 1001}, "[]")
    assert parsed.events.num_rows == 0
    assert sorted(parsed.rejects.column("error").to_pylist()) == [
        "expected an object, at byte 0",
        "no OCSF event: expected class_uid",
        "no time: expected time, in milliseconds of the epoch",
    ]


def test_knows_its_events() -> None:
    sound = {"class_uid": 1001, "metadata": {}, "time": TIME}
    assert OCSF.matches(json.dumps(sound).encode() + b"\n") == pytest.approx(0.98)
    assert OCSF.matches(json.dumps({"_source": sound}).encode() + b"\n") == pytest.approx(0.98)
    assert OCSF.matches(b'{"class_uid": 5}\n') == 0.0
    assert OCSF.matches(b'{"class": 1}\n') == 0.0


@pytest.mark.parametrize("layout", ["array", "envelope", "spread"])
def test_reads_arrays_and_documents(layout: str) -> None:
    record = {"class_uid": 1001, "time": TIME, "metadata": {}}
    text = {
        "array": json.dumps([record] * 3),
        "envelope": json.dumps({"hits": {"hits": [{"_source": record}] * 3}}),
        "spread": "\n".join([json.dumps(record, indent=2)] * 3),
    }[layout].encode()
    assert OCSF.matches(text) > 0.9
    assert OCSF.is_framed(text)
    frames = [lines for lines, _ in OCSF.frames(BytesIO(text), 1 << 20)]
    assert sum(OCSF.parse(lines, CONTEXT).events.num_rows for lines in frames) == 3
