"""The error logs of Apache and nginx."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from secad.base.protocols import Format, ParseContext
from secad.collect.formats.apache_error import ApacheError
from secad.collect.formats.nginx_error import NginxError
from secad.collect.web.error_phrases import APACHE, NGINX, book_of

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
NGINX_HEAD = "2023/11/20 10:00:00 [error] 12#34: *99 "
OLD = "[Wed Oct 11 14:32:52 2000] [error] "
NEW = "[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 7:tid 8] "
SPOOFED = (
    'user "test": password mismatch, client: 203.0.113.9, server: test, '
    'request: "GET / HTTP/1.1", host: "localhost:8443"": was not found in "/x"'
)
DENIED = "AH01630: client denied by server configuration: /x"
GUARDED = 'Access denied. [id "942100"] [msg "SQLi"] [hostname "h.example"] [uri "/s"]'
Row = dict[str, object]


@pytest.fixture
def row(make_lines: Callable[[list[bytes]], pa.RecordBatch]) -> Callable[[Format, str], Row]:
    def made(form: Format, line: str) -> Row:
        parsed = form.parse(make_lines([line.encode()]), CONTEXT)
        assert parsed.rejects.to_pylist() == []
        (event,) = parsed.events.to_pylist()
        return {name: value for name, value in event.items() if value is not None}

    return made


def test_all_phrases_are_well_formed() -> None:
    assert {"error_reason", "file_path", "user_name"} <= set(book_of(NGINX).columns)
    assert {"error_reason", "file_path", "user_name"} <= set(book_of(APACHE).columns)


@pytest.mark.parametrize("head", ["", "Nov 20 11:00:00 web nginx: "])
def test_nginx_fields(row: Callable[[Format, str], Row], head: str) -> None:
    event = row(
        NginxError(),
        head + NGINX_HEAD + 'open() "/srv/x y" failed (2: No such file or directory), '
        'client: 192.0.2.1, server: a.example, request: "GET /x?y=1 HTTP/1.1", '
        'upstream: "http://app.example:8080/x", host: "b.example:8443", referrer: "http://r/"',
    )
    assert event.pop("host_name", None) == ("web" if head else None)
    assert (
        event
        | {
            "time": datetime(2023, 11, 20, 10, 0, tzinfo=UTC),
            "event_action": "file-not-found",
            "event_outcome": "failure",
            "file_path": "/srv/x y",
            "process_pid": 12,
            "nginx_thread_id": 34,
            "nginx_connection_id": 99,
            "source_ip": "192.0.2.1",
            "nginx_server": "a.example",
            "http_request_method": "GET",
            "url_path": "/x",
            "url_query": "y=1",
            "url_domain": "b.example",
            "destination_domain": "app.example",
            "destination_port": 8080,
            "http_request_referrer": "http://r/",
        }
        == event
    )


@pytest.mark.parametrize(
    "said",
    [
        'open() "/x, client: 203.0.113.9, server: y" failed (2: No such file or directory)',
        SPOOFED,
    ],
)
@pytest.mark.parametrize(
    "last", ["", ', referrer: "x, client: 203.0.113.9, server: z"', ', host: "real.example"']
)
def test_nginx_takes_the_client_that_nginx_wrote(
    row: Callable[[Format, str], Row], said: str, last: str
) -> None:
    fields = f', client: 192.0.2.1, server: s, request: "GET /x HTTP/1.1"{last}'
    event = row(NginxError(), NGINX_HEAD + said + fields)
    assert (event["source_ip"], event["message"]) == ("192.0.2.1", said)


def test_nginx_lines_without_fields(row: Callable[[Format, str], Row]) -> None:
    event = row(NginxError(), "2023/11/20 10:00:00 [notice] 12#34: signal process started")
    assert (event["event_action"], event["message"]) == ("server-process", "signal process started")
    event = row(NginxError(), NGINX_HEAD + "something new, client: 192.0.2.1, server: ")
    assert (event["event_action"], event["source_ip"]) == ("error-message", "192.0.2.1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            OLD + "[client 192.0.2.1] File does not exist: /srv/[client 203.0.113.9] x",
            {"source_ip": "192.0.2.1", "file_path": "/srv/[client 203.0.113.9] x"},
        ),
        (
            f"{NEW}[client 192.0.2.1:4711] {DENIED}, referer: http://r/",
            {
                "source_port": 4711,
                "event_code": "AH01630",
                "event_action": "access-denied",
                "file_path": "/x",
                "http_request_referrer": "http://r/",
                "log_logger": "core",
                "process_pid": 7,
                "apache_thread_id": "8",
                "time": datetime(2000, 10, 11, 14, 32, 52, 123456, tzinfo=UTC),
            },
        ),
        (
            NEW + "(13)Permission denied: [client [2001:db8::1]:99] AH00035: access to /x denied",
            {
                "source_ip": "2001:db8::1",
                "source_port": 99,
                "apache_error": "Permission denied",
                "event_code": "AH00035",
                "url_path": "/x",
            },
        ),
        (
            OLD + "[client 2001:db8::80] user ann not found: /p",
            {"source_ip": "2001:db8::80", "user_name": "ann", "event_action": "user-not-found"},
        ),
        (
            "[Wed Oct 11 14:32:52 2000] [notice] caught SIGTERM, shutting down",
            {"event_action": "server-stopped", "log_level": "notice"},
        ),
        (
            f"{OLD}[client 192.0.2.1] ModSecurity: {GUARDED}",
            {
                "event_code": "942100",
                "rule_name": "SQLi",
                "url_path": "/s",
                "url_domain": "h.example",
            },
        ),
        (
            f"Feb 15 16:23:00 srv httpd[2]: [core:error] [pid 3] [client 192.0.2.1:5] {DENIED}",
            {
                "time": datetime(2026, 2, 15, 16, 23, tzinfo=UTC),
                "host_name": "srv",
                "process_pid": 3,
            },
        ),
    ],
)
def test_apache_layouts(
    row: Callable[[Format, str], Row], line: str, expected: dict[str, object]
) -> None:
    event = row(ApacheError(), line)
    assert event | expected == event


def test_output_of_scripts_is_rejected(
    make_lines: Callable[[list[bytes]], pa.RecordBatch],
) -> None:
    parsed = ApacheError().parse(make_lines([b"sh: curl: not found"]), CONTEXT)
    assert parsed.rejects.num_rows == 1


def test_apache_times_with_a_zone(make_lines: Callable[[list[bytes]], pa.RecordBatch]) -> None:
    line = b"[2025-07-22 15:45:51.323610 +0200] [core:notice] [pid 1:tid 7] AH00094: Command line"
    assert ApacheError().matches(line) > 0.9
    (event,) = ApacheError().parse(make_lines([line]), CONTEXT).events.to_pylist()
    assert event["time"] == datetime(2025, 7, 22, 13, 45, 51, 323610, tzinfo=UTC)
    assert event["event_code"] == "AH00094"
