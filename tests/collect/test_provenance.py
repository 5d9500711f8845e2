"""Provenance edge lists in the layouts that data sets come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of
from secad.collect.formats.provenance import Provenance

ANCHOR = datetime(2026, 11, 20, tzinfo=UTC)
CDM = (
    "72FB-1\tSUBJECT_PROCESS\tAA-1\tFILE_OBJECT_FILE\tEVENT_OPEN\t1522764165000000000\n"
    "72FB-1\tSUBJECT_PROCESS\tBB-2\tSUBJECT_PROCESS\tEVENT_FORK\t1522764166000000000\n"
    "N1\tNetFlowObject\tBB-2\tSUBJECT_PROCESS\tEVENT_RECVFROM\t1522764167000000000\n"
)
STREAMSPOT = "7\ta\t8\tc\tv\t300\n7\ta\t9\ta\tm\t300\n9\ta\t10\tc\tG\t300\n"
HEADER = (
    "source,source_type,target,target_type,relation,time,extra\n"
    "/usr/bin/bash,process,/etc/passwd,file,read,2024-01-01T00:00:00Z,q\n"
    '"C:\\Program Files\\a, b.exe",process,192.0.2.4:443,socket,connect,2024-01-01T00:00:01Z,\n'
)
FLASH = (
    "actorID,actor_type,objectID,object,action,timestamp,exec,path\n"
    "A,SUBJECT_PROCESS,B,FILE_OBJECT_FILE,EVENT_READ,1522764165000000000,nginx,/etc/x\n"
)
JSON = (
    '{"source": "p1", "source_type": "process", "target": "/home/x", "target_type": "file", '
    '"relation": "write", "time": 1700000000, "k": "z"}\n'
    '{"source": "p1", "source_type": "process", "target": "p2", "target_type": "process", '
    '"relation": "fork", "time": 1700000001}\n'
)
UNICORN = "0 1 a:c:p:0\n1 2 a:a:m:1\n"


def parse(text: str) -> list[dict[str, Any]]:
    batch = lines_of(text.encode())
    parsed = Provenance().parse(batch, ParseContext(ANCHOR, head=text.encode()))
    assert parsed.rejects.num_rows == 0, parsed.rejects.to_pylist()
    rows = parsed.events.to_pylist()
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def expect(row: dict[str, Any], **columns: Any) -> None:
    assert {name: row.get(name) for name in columns} == columns


@pytest.mark.parametrize("text", [CDM, STREAMSPOT, HEADER, FLASH, JSON, UNICORN])
def test_is_recognised(text: str) -> None:
    found = plugins.recognise(text.encode())
    assert found is not None
    assert found.format.name == "provenance"


@pytest.mark.parametrize(
    "text",
    [
        "time,source,destination,protocol\n2024-01-01T00:00:00Z,192.0.2.1,192.0.2.2,tcp\n",
        '{"source": "a", "target": "b", "type": "click", "time": 1700000000}\n',
        "the quick brown fox jumps\nover the lazy dog today\n",
        "2024-01-01 00:00:00 INFO app started well\n",
        "a\tb\tc\td\te\tf\n" * 5,
    ],
)
def test_is_not_sure_of_what_may_be_other_things(text: str) -> None:
    assert Provenance().matches(text.encode()) == 0


def test_cdm_edges_without_header() -> None:
    rows = parse(CDM)
    expect(
        rows[0],
        time=datetime(2018, 4, 3, 14, 2, 45, tzinfo=UTC),
        event_action="open",
        event_category="file",
        process_entity_id="72FB-1",
        file_path="AA-1",
        provenance_target_type="FILE_OBJECT_FILE",
        provenance_relation="EVENT_OPEN",
    )
    expect(
        rows[1],
        event_action="fork",
        event_category="process",
        process_entity_id="BB-2",
        process_parent_entity_id="72FB-1",
    )
    expect(rows[2], process_entity_id="BB-2", event_category="network", destination_domain="N1")


def test_streamspot_has_no_times_and_identities_that_hold_in_one_graph() -> None:
    rows = parse(STREAMSPOT)
    assert [row["event_action"] for row in rows] == ["read", "clone", "write"]
    assert [row["time"] for row in rows] == [
        ANCHOR + timedelta(microseconds=number) for number in (1, 2, 3)
    ]
    expect(rows[0], process_entity_id="300/7", file_path="300/8", provenance_graph="300")
    expect(rows[1], process_entity_id="300/9", process_parent_entity_id="300/7")


def test_a_header_names_the_columns() -> None:
    rows = parse(HEADER)
    assert len(rows) == 2
    expect(
        rows[0], process_executable="/usr/bin/bash", process_name="bash", file_path="/etc/passwd"
    )
    assert dict(rows[0]["labels"]) == {"extra": "q"}
    expect(rows[1], process_name="a, b.exe", destination_ip="192.0.2.4", destination_port=443)
    (row,) = parse(FLASH)
    expect(row, process_entity_id="A", process_name="nginx", file_path="/etc/x")


def test_json_lines() -> None:
    rows = parse(JSON)
    expect(rows[0], process_entity_id="p1", file_path="/home/x")
    assert dict(rows[0]["labels"]) == {"k": "z"}
    expect(rows[1], process_entity_id="p2", process_parent_entity_id="p1")


def test_unicorn_counts_instead_of_times() -> None:
    rows = parse(UNICORN)
    assert [row["time"] for row in rows] == [ANCHOR, ANCHOR + timedelta(microseconds=1)]
    assert [row["event_action"] for row in rows] == ["execve", "clone"]


def test_ipv6_and_flows_give_the_peer() -> None:
    head = "src,src_type,dst,dst_type,relation,ts\n"
    rows = parse(
        head
        + "p,process,[2001:db8::1]:443,netflow,send,1700000000\n"
        + "p,process,10.0.0.1:5->192.0.2.1:443,netflow,send,1700000000\n"
        + "p,process,2001:db8::2,netflow,send,1700000000\n"
    )
    assert [row["destination_ip"] for row in rows] == ["2001:db8::1", "192.0.2.1", "2001:db8::2"]
    assert [row.get("destination_port") for row in rows] == [443, 443, None]


def test_what_is_no_edge_is_rejected_with_its_reason() -> None:
    text = (
        HEADER
        + "a,b\n"
        + ",process,x,file,read,2024-01-01T00:00:00Z,\n"
        + "a,process,x,file,read,soon,\n"
    )
    parsed = Provenance().parse(lines_of(text.encode()), ParseContext(ANCHOR, head=HEADER.encode()))
    assert sorted(parsed.rejects.column("error").to_pylist()) == [
        "expected 7 columns, found 2",
        "no edge: expected a source and a target",
        "no time in the column of times",
    ]
    assert (parsed.events.num_rows, parsed.skipped) == (2, 2)
