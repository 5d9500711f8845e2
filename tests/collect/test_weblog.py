from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.protocols import ParseContext, Parsed
from secad.collect.formats.weblog import WebLog

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
MakeLines = Callable[[list[bytes]], pa.RecordBatch]
Row = dict[str, object]


@pytest.fixture
def parse(make_lines: MakeLines) -> Callable[..., Parsed]:
    def made(*lines: bytes, tz: str = "UTC") -> Parsed:
        return WebLog().parse(make_lines(list(lines)), ParseContext(CONTEXT.anchor_time, tz=tz))

    return made


@pytest.fixture
def row(parse: Callable[..., Parsed]) -> Callable[..., Row]:
    def made(line: bytes, **options: str) -> Row:
        parsed = parse(line, **options)
        assert parsed.rejects.to_pylist() == []
        (event,) = parsed.events.to_pylist()
        return {name: value for name, value in event.items() if value not in (None, [])}

    return made


def request(text: bytes) -> bytes:
    return b'192.0.2.1 - - [06/Mar/2005:05:28:52 -0500] "' + text + b'" 400 -'


def test_reads_a_combined_line(row: Callable[..., Row]) -> None:
    line = (
        b'192.0.2.1 - alice [06/Mar/2005:05:28:52 -0500] "GET /a/b.php?id=1&x=2 HTTP/1.1" 200 '
        b'2898 "http://ref.example/" "Mozilla/4.0 (compatible)"'
    )
    assert row(line) == {
        "time": datetime(2005, 3, 6, 10, 28, 52, tzinfo=UTC),
        "line": 1,
        "byte_offset": 0,
        "byte_length": len(line),
        "source_ip": "192.0.2.1",
        "user_name": "alice",
        "http_request_method": "GET",
        "url_path": "/a/b.php",
        "url_query": "id=1&x=2",
        "http_version": "1.1",
        "http_response_status_code": 200,
        "http_response_bytes": 2898,
        "http_request_referrer": "http://ref.example/",
        "user_agent_original": "Mozilla/4.0 (compatible)",
        "event_action": "web-request",
        "event_outcome": "success",
        "message": "GET /a/b.php?id=1&x=2 HTTP/1.1",
    }


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"192.0.2.1 - -", {"source_ip": "192.0.2.1"}),
        (b"2001:db8::1 - bob", {"source_ip": "2001:db8::1", "user_name": "bob"}),
        (b"::ffff:192.0.2.1 - -", {"source_ip": "::ffff:192.0.2.1"}),
        (b"192.0.2.1:4711 - -", {"source_ip": "192.0.2.1", "source_port": 4711}),
        (b"[2001:db8::1]:80 - -", {"source_ip": "2001:db8::1", "source_port": 80}),
        (b"client.example - -", {"source_domain": "client.example"}),
        (b"192.0.2.1 - John Smith", {"source_ip": "192.0.2.1", "user_name": "John Smith"}),
        (b"192.0.2.1 bob", {"source_ip": "192.0.2.1", "user_name": "bob"}),
        (b"192.0.2.1", {"source_ip": "192.0.2.1"}),
        (b"192.0.2.1 id -", {"source_ip": "192.0.2.1", "labels": [("ident", "id")]}),
        (
            b"www.example.com:80 192.0.2.1 - -",
            {"url_domain": "www.example.com", "source_ip": "192.0.2.1"},
        ),
        (
            b"www.example.com client.example - ann",
            {
                "url_domain": "www.example.com",
                "source_domain": "client.example",
                "user_name": "ann",
            },
        ),
        (b"- 192.0.2.1 - -", {"source_ip": "192.0.2.1"}),
        (
            b"192.0.2.1, 198.51.100.7 - -",
            {
                "source_ip": "192.0.2.1",
                "labels": [("forwarded_for", "192.0.2.1, 198.51.100.7")],
            },
        ),
    ],
)
def test_reads_who_asked(row: Callable[..., Row], start: bytes, expected: Row) -> None:
    found = row(start + b' [06/Mar/2005:05:28:52 +0000] "GET / HTTP/1.0" 200 1')
    names = ("source_ip", "source_domain", "source_port", "user_name", "url_domain", "labels")
    assert {name: found[name] for name in names if name in found} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"GET // cgi/x.pl?a=| HTTP/1.1", {"url_path": "// cgi/x.pl", "url_query": "a=|"}),
        (b"GET /NULL.printer", {"url_path": "/NULL.printer"}),
        (
            b"GET http://bob@www.example.com:8080/p?q HTTP/1.0",
            {"url_domain": "www.example.com", "url_path": "/p", "url_query": "q"},
        ),
        (b"CONNECT mail.example:25 HTTP/1.0", {"url_domain": "mail.example"}),
        (b"OPTIONS * HTTP/1.0", {"url_path": "*"}),
        (b'GET /\\"quoted\\" HTTP/1.1', {"url_path": '/\\"quoted\\"'}),
        (b'GET /"bare" HTTP/1.1', {"url_path": '/"bare"'}),
        (b"GET /ends\\", {"url_path": "/ends\\"}),
        (b"PROPFIND ../../etc HTTP/1.1", {"url_path": "../../etc"}),
        (
            b"GET /d.ida?" + b"N" * 9000 + b" HTTP/1.0",
            {"url_path": "/d.ida", "url_query": "N" * 9000},
        ),
    ],
)
def test_reads_honest_and_hostile_targets(
    row: Callable[..., Row], text: bytes, expected: Row
) -> None:
    found = row(request(text))
    assert found["event_action"] == "web-request"
    assert found["http_request_method"] == text.split(b" ")[0].decode()
    assert found["message"] == text.decode()
    names = ("url_domain", "url_path", "url_query")
    assert {name: found[name] for name in names if name in found} == expected


@pytest.mark.parametrize(
    "text", [b"", b"-", b"\\x16\\x03\\x01", b"HELP", b"batman", b"GET ", b"a" * 30 + b" /"]
)
def test_a_request_that_is_none_is_still_an_event(row: Callable[..., Row], text: bytes) -> None:
    found = row(request(text))
    assert found["event_action"] == "web-malformed-request"
    assert found["event_outcome"] == "failure"
    assert found.get("message", "-") == (text.decode() or "-")
    assert "http_request_method" not in found
    assert "url_path" not in found


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (b" 404", {"http_response_status_code": 404}),
        (b" - -", {}),
        (b" 304 -", {"http_response_status_code": 304}),
        (b" 200 5 0.004", {"labels": [("extra", "0.004")]}),
        (b' 200 5 "-" "-" "203.0.113.9"', {"labels": [("extra", '"203.0.113.9"')]}),
        (b' 200 5 "r" "a \\"b\\" c" 7ms', {"user_agent_original": 'a \\"b\\" c'}),
        (b' 200 "r" "agent"', {"http_request_referrer": "r", "user_agent_original": "agent"}),
        (b' 200 5 "never closed', {"labels": [("extra", '"never closed')]}),
    ],
)
def test_reads_what_stands_behind_the_request(
    row: Callable[..., Row], end: bytes, expected: Row
) -> None:
    found = row(b'192.0.2.1 - - [06/Mar/2005:05:28:52 +0000] "GET / HTTP/1.0"' + end)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("written", "time"),
    [
        (b"29/Feb/2024:23:59:59 -0130", datetime(2024, 3, 1, 1, 29, 59, tzinfo=UTC)),
        (b"01/jan/1970:00:00:00 +0000", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"01/Jan/1970:00:00:00", datetime(1969, 12, 31, 22, tzinfo=UTC)),
        (b"2024-03-01T10:00:00+02:00", datetime(2024, 3, 1, 8, tzinfo=UTC)),
        (b"01/Mar/2024:10:00:00.250 +0000", datetime(2024, 3, 1, 10, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_reads_times(row: Callable[..., Row], written: bytes, time: datetime) -> None:
    line = b'192.0.2.1 - - [%s] "GET / HTTP/1.0" 200 1' % written
    assert row(line, tz="+02:00")["time"] == time


def test_what_is_no_access_line_is_rejected_with_a_reason(parse: Callable[..., Parsed]) -> None:
    parsed = parse(
        b"[Thu Sep 25 09:27:18 2014] [error] [client 192.0.2.1] denied",
        b'192.0.2.1 - - [30/Feb/2005:05:28:52 -0500] "GET / HTTP/1.0" 200 1',
        b'192.0.2.1 - - [06/Mar/2005:05:28:52 -0500] "GET / HTTP/1.0 200 1',
        b"# a comment",
        b"",
    )
    assert parsed.events.num_rows == 0
    assert parsed.skipped == 2
    reasons = dict(zip(*(parsed.rejects[name].to_pylist() for name in ("line", "error"))))  # noqa: B905
    assert sorted(reasons) == [1, 2, 3]
    assert reasons[1].startswith("no time: expected [dd/Mmm/yyyy:HH:MM:SS +HHMM] before the quoted")
    assert reasons[2] == "no time: expected [dd/Mmm/yyyy:HH:MM:SS +HHMM]"
    assert reasons[3].startswith("no closing quote of the request")


def test_events_keep_their_places_where_lines_are_left_out(parse: Callable[..., Parsed]) -> None:
    good = request(b"GET / HTTP/1.0")
    events = parse(good, b"bad", good, b"", b"\xff", good).events
    assert events["line"].to_pylist() == [1, 3, 6]
    step = len(good) + 1
    assert events["byte_offset"].to_pylist() == [0, step + 4, 2 * step + 4 + 1 + 2]


def test_is_sure_of_access_logs_alone() -> None:
    line = request(b"GET / HTTP/1.0") + b"\n"
    assert WebLog().matches(line * 3) == pytest.approx(0.95)
    assert WebLog().matches(b"# why\n" + line + b"\n" + line[:9]) == pytest.approx(0.95)
    assert WebLog().matches(b"Mar  6 05:28:52 web nginx: started\n" * 3) == 0
    assert WebLog().matches(b'{"time": "2024"}\n') == 0
    assert WebLog().matches(b"") == 0


def test_reads_every_line_of_a_real_server(
    data_file: Callable[[str], Path], make_lines: MakeLines
) -> None:
    folder = data_file("glad/sotm34/raw/http")
    logs = sorted(folder.glob("access_log*"))
    raw = [line for log in logs for line in log.read_bytes().split(b"\n")[:-1]]
    parsed = WebLog().parse(make_lines(raw), CONTEXT)
    assert (parsed.events.num_rows, parsed.rejects.num_rows) == (len(raw), 0) == (3554, 0)
    actions = parsed.events["event_action"].to_pylist()
    assert actions.count("web-malformed-request") == 1
    assert parsed.events["http_request_method"].to_pylist().count("CONNECT") == 59


@pytest.mark.parametrize(
    ("name", "events"),
    [("apache-badbots", 4), ("nginx-bad-request", 7), ("php-url-fopen", 1), ("traefik-auth", 6)],
)
def test_reads_what_other_tools_are_tested_on(
    data_file: Callable[[str], Path], make_lines: MakeLines, name: str, events: int
) -> None:
    raw = data_file(f"parsing/fail2ban_logs/{name}").read_bytes()
    parsed = WebLog().parse(make_lines(raw.split(b"\n")[:-1]), CONTEXT)
    assert (parsed.events.num_rows, parsed.rejects.num_rows) == (events, 0)
    assert WebLog().matches(raw[: 1 << 16]) > 0.9


PIECES = st.sampled_from(
    [
        *(b"192.0.2.1", b" - ", b"[", b"]", b'"', b"\\", b" ", b"GET /", b" HTTP/1.1", b"-", b","),
        *(b"06/Mar/2005:05:28:52 -0500", b" 200", b" 12", b":", b"?", b"@", b"\xc3\xa9", b"\xff"),
        *(b"http://", b"CONNECT ", b"99/Foo/2005:99:99:99 -9999", b"\x00", b"#"),
    ]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=14).map(b"".join), max_size=8))
def test_every_line_ends_in_one_place(lines: list[bytes]) -> None:
    lengths = [len(line) for line in lines]
    batch = pa.record_batch(
        {
            "raw": pa.array(lines, pa.binary()),
            "line": pa.array(range(1, len(lines) + 1), pa.int64()),
            "byte_offset": pa.array([sum(lengths[:row]) for row in range(len(lines))], pa.int64()),
            "byte_length": pa.array(lengths, pa.int64()),
        }
    )
    parsed = WebLog().parse(batch, CONTEXT)
    parsed.events.validate(full=True)
    assert len(lines) == parsed.events.num_rows + parsed.rejects.num_rows + parsed.skipped
