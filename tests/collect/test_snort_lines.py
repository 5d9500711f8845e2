"""Snort's CSV and JSON layouts are read as its fast lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.alert_formats.snort import Snort
from secad.collect.columns import lines_of

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
TIME = datetime(2026, 9, 4, 21, 45, 37, 536335, tzinfo=UTC)
CSV = '09/04-21:45:37.536335 ,1,1000006,0,"login, twice",TCP,192.0.2.59,57263,192.0.2.1,22,00:00,,'
PFSENSE = (
    '09/04/26-21:45:37.536335 ,1,1000006,4,"login, twice",TCP,192.0.2.59,57263,192.0.2.1,22,5,'
    "Misc Attack,2,alert,Allow"
)
JSON = (
    '{"seconds":1788558337,"action":"allow","class":"none","dst_addr":"192.0.2.1","dst_port":22,'
    '"msg":"login, twice","priority":2,"proto":"TCP","rule":"1:1000006:0",'
    '"src_addr":"192.0.2.59","src_port":57263,"timestamp":"09/04-21:45:37.536335"}'
)
JSON_DEFAULT = (
    '{ "timestamp" : "09/04-21:45:37.536335", "pkt_num" : 5, "proto" : "TCP", "dir" : "C2S", '
    '"src_ap" : "192.0.2.59:57263", "dst_ap" : "192.0.2.1:22", "rule" : "1:1000006:1" }'
)


def read(line: str) -> dict[str, Any]:
    found = plugins.recognise_alerts((line + "\n").encode() * 3)
    assert found is not None
    assert found.format.name == "snort"
    parsed = Snort().parse(lines_of(line.encode()), CONTEXT)
    assert parsed.rejects.num_rows == 0
    (row,) = parsed.events.to_pylist()
    return dict(row)


@pytest.mark.parametrize("line", [CSV, PFSENSE, JSON, JSON_DEFAULT])
def test_reads_time_rule_and_ends(line: str) -> None:
    row = read(line)
    assert row["time"] == TIME
    assert row["alert_rule_id"] == "1:1000006"
    assert (row["source_ip"], row["source_port"]) == ("192.0.2.59", 57263)
    assert (row["destination_ip"], row["destination_port"]) == ("192.0.2.1", 22)
    assert row["network_transport"] == "tcp"


@pytest.mark.parametrize(("line", "severity"), [(CSV, 2), (PFSENSE, 3), (JSON, 3)])
def test_reads_name_and_priority(line: str, severity: int) -> None:
    row = read(line)
    assert row["rule_name"] == "login, twice"
    assert row["alert_severity"] == severity


def test_icmp_has_no_ports() -> None:
    row = read('09/04-21:49:55.900215 ,1,1000004,0,"ping",ICMP,192.0.2.1,,198.51.100.1,,00:50,,')
    assert (row["source_ip"], row["destination_ip"]) == ("192.0.2.1", "198.51.100.1")
    assert row.get("source_port") is None


def test_the_year_is_that_of_the_seconds() -> None:
    row = read(JSON.replace("1788558337", "1608147213"))
    assert row["time"] == TIME.replace(year=2020)
