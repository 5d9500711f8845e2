"""``key=value`` lines: makers' layouts, quoting, times, and names of columns."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of
from secad.collect.formats.keyvalue import KeyValue

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
FORTIGATE = (
    'date=2019-05-10 time=11:37:47 logid="0000000013" type="traffic" subtype="forward" '
    'level="notice" vd="vdom1" eventtime=1557513467369913239 srcip=10.1.100.11 srcport=58012 '
    'dstip=23.59.154.35 dstport=80 sessionid=105048 proto=6 action="close" policyid=1 '
    'transport=58012 service="HTTP" app="HTTP.BROWSER" duration=116 sentbyte=1188 rcvdbyte=1224 '
    'devname="FGT1"'
)
SONICWALL = (
    '<134>id=firewall sn=C0EAE4 time="2021-01-12 10:00:00 UTC" fw=192.0.2.1 pri=6 c=1024 m=537 '
    'msg="Connection Closed" n=100 src=10.0.0.1:1234:X0 dst=198.51.100.8:53:X1:dns.example '
    "proto=udp/dns sent=62 rcvd=90"
)
SOPHOS = (
    'device="SFW" date=2017-01-31 time=18:13:40 timezone="IST" device_name="XG" log_id=0101 '
    'log_type="Firewall" log_component="Firewall Rule" log_subtype="Denied" status="Deny" '
    'priority=Information duration=3 fw_rule_id=2 user_name="" src_ip=10.146.13.49 '
    'dst_ip=192.0.2.9 protocol="TCP" src_port=4242 dst_port=443 sent_bytes=10 recv_bytes=20'
)


def parse(*lines: str, context: ParseContext = CONTEXT) -> list[dict[str, Any]]:
    batch = lines_of("\n".join(lines).encode())
    parsed = KeyValue().parse(batch, context)
    assert parsed.rejects.num_rows == 0, parsed.rejects.to_pylist()
    rows = parsed.events.to_pylist()
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def expect(row: dict[str, Any], **columns: Any) -> None:
    assert {name: row.get(name) for name in columns} == columns


def test_fortigate() -> None:
    (row,) = parse(FORTIGATE)
    expect(
        row,
        time=datetime(2019, 5, 10, 18, 37, 47, 369913, UTC),
        event_provider="fortinet",
        event_action="traffic-forward",
        event_category="network",
        event_outcome="success",
        event_duration=116_000_000_000,
        host_name="FGT1",
        source_ip="10.1.100.11",
        source_port=58012,
        destination_port=80,
        network_transport="tcp",
        source_bytes=1188,
        destination_bytes=1224,
        service_name="HTTP",
        session_id="105048",
        rule_name="1",
    )
    labels = dict(row["labels"])
    assert labels["app"] == "HTTP.BROWSER"
    assert labels["transport"] == "58012"
    assert "srcip" not in labels


def test_sonicwall_parts_addresses_from_ports() -> None:
    (row,) = parse(SONICWALL)
    expect(
        row,
        time=datetime(2021, 1, 12, 10, tzinfo=UTC),
        event_provider="sonicwall",
        event_code="537",
        log_level="info",
        source_ip="10.0.0.1",
        source_port=1234,
        destination_ip="198.51.100.8",
        destination_port=53,
        network_transport="udp",
        network_protocol="dns",
        message="Connection Closed",
    )


def test_sophos() -> None:
    (row,) = parse(SOPHOS)
    expect(
        row,
        time=datetime(2017, 1, 31, 18, 13, 40, tzinfo=UTC),
        event_provider="sophos",
        event_action="firewall-denied",
        event_outcome="failure",
        source_ip="10.146.13.49",
        destination_port=443,
        network_transport="tcp",
        rule_name="2",
    )
    assert "user_name" not in row


def test_date_and_time_take_the_zone_of_the_line_else_of_the_context() -> None:
    here = ParseContext(CONTEXT.anchor_time, tz="Europe/Berlin")
    rows = parse("date=2026-06-01 time=12:00:00 tz=-0500 a=b", "date=2026-06-01 time=12:00:00 a=b",
                 context=here)  # fmt: skip
    assert [row["time"].hour for row in rows] == [17, 10]


def test_logfmt_with_quotes_inside_quotes() -> None:
    rows = parse(
        r'time=2024-05-01T10:00:00.123Z level=info msg="say \"hi\" to=all" user=bob',
        r'ts=1714557600.5 caller=main.go:12 level=warn err="no file" dir="C:\temp\"',
        r'level=error time="2024-05-01T10:00:00+02:00" msg="" path=/x status=404 method=GET',
    )
    assert rows[0]["message"] == 'say "hi" to=all'
    assert rows[0]["user_name"] == "bob"
    expect(rows[1], log_level="warn", log_logger="main.go:12", message="no file")
    assert dict(rows[1]["labels"]) == {"dir": "C:\\temp\\"}
    expect(rows[2], http_response_status_code=404, http_request_method="GET", url_path="/x")


def test_a_value_that_does_not_fit_its_column_is_a_label() -> None:
    (row,) = parse("time=2024-05-01T10:00:00Z pid=abc source_port=high x=1 x=2")
    assert dict(row["labels"]) == {"pid": "abc", "source_port": "high", "x": "1"}


def test_lines_without_pairs_or_time_are_rejected() -> None:
    batch = lines_of(b"no pairs here\na=b c=d\n\ntime=soon a=b")
    parsed = KeyValue().parse(batch, CONTEXT)
    reasons = parsed.rejects.column("error").to_pylist()
    assert sorted(reason[:7] for reason in reasons) == ["no key=", "no time", "no time"]
    assert parsed.skipped == 1


@pytest.mark.parametrize(
    "line", [FORTIGATE, SONICWALL, SOPHOS, 'time=2024-05-01T10:00:00Z level=info msg="a b" n=1']
)
def test_is_recognised(line: str) -> None:
    found = plugins.recognise((line + "\n").encode() * 5)
    assert found is not None
    assert found.format.name == "keyvalue"


def test_does_not_take_what_others_know_better() -> None:
    for line in (
        b"type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 success=no\n",
        b"Nov 20 10:00:00 host app[1]: a=b c=d e=f g=h\n",
    ):
        found = plugins.recognise(line * 5)
        assert found is not None
        assert found.format.name != "keyvalue"


@pytest.mark.parametrize(
    "line",
    [
        b"a=1 " * 250_000,
        b"".join(b"k%d=1 " % number for number in range(100_000)),
        b'a="\\" ' * 150_000,
        b'a="\\"' * 200_000,
        b"=" * 1_000_000,
        b"<189>" * 200_000,
    ],
)
def test_takes_a_second_for_a_megabyte_at_most(line: bytes) -> None:
    form, batch = KeyValue(), lines_of(b"time=2024-05-01T10:00:00Z " + line[:1_000_000])
    for _ in range(2):  # the first time compiles
        began = time.monotonic()
        form.matches(line[: 1 << 16])
        parsed = form.parse(batch, CONTEXT)
    assert time.monotonic() - began < 2
    assert parsed.events.num_rows + parsed.rejects.num_rows == 1
    assert isinstance(parsed.events, pa.Table)


@pytest.mark.parametrize(
    "header",
    [
        "<189>Nov 20 10:00:01 fw1 ",
        "Nov 20 10:00:01 fw1 fortigate[12]: ",
        "2026-11-20T10:00:01+01:00 fw1 ",
        "<189>1 2026-11-20T10:00:01Z fw1 - - - - ",
    ],
)
def test_pairs_behind_a_syslog_header(header: str) -> None:
    pairs = 'logid="0316013056" type="utm" subtype="webfilter" hostname="a.example" url="/" '
    pairs += 'srcip=192.0.2.1 dstip=198.51.100.2 action="blocked" method="domain"'
    line = f"{header}date=2026-11-20 time=10:00:00 {pairs}".encode()
    assert KeyValue().matches(line) > 0.9
    (event,) = KeyValue().parse(lines_of(line), CONTEXT).events.to_pylist()
    assert event["time"] == datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
    assert (event["host_name"], event["url_domain"]) == ("fw1", "a.example")
    assert event["source_ip"] == "192.0.2.1"
    assert event["event_action"] == "utm-webfilter"
    assert event["http_request_method"] is None


def test_sophos_utm_takes_the_time_of_its_header() -> None:
    line = b'2026:11:20-10:00:01 gate ulogd[12]: id="2001" severity="info" sys="SecureNet" '
    line += b'sub="packetfilter" action="drop" fwrule="60001" srcip="192.0.2.1" dstip="192.0.2.9"'
    assert KeyValue().matches(line) > 0.9
    (event,) = KeyValue().parse(lines_of(line), CONTEXT).events.to_pylist()
    assert event["time"] == datetime(2026, 11, 20, 10, 0, 1, tzinfo=UTC)
    assert (event["host_name"], event["rule_name"]) == ("gate", "60001")
    assert (event["event_action"], event["event_outcome"]) == ("packetfilter-drop", "failure")


def test_sonicwall_with_blanks_behind_the_priority() -> None:
    line = b'<134>  id=firewall sn=0A time="2026-11-20 10:00:01" fw=192.0.2.1 pri=6 m=1235 '
    line += b"src=192.0.2.7:54606:X1 dst=198.51.100.8:80:X1 proto=tcp/http"
    assert KeyValue().matches(line) > 0.9
    (event,) = KeyValue().parse(lines_of(line), CONTEXT).events.to_pylist()
    assert (event["source_ip"], event["source_port"]) == ("192.0.2.7", 54606)
