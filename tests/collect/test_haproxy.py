from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.formats.haproxy import HaProxy

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
HEAD = "Feb  6 12:14:15 lb haproxy[14389]: "
START = "10.0.1.2:33317 [06/Feb/2009:12:14:14.655] "
HTTP = START + "http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/2/3/4/5 6/7 "
CLF = (
    '10.0.1.2 - - [06/Feb/2009:12:14:14 +0000] "GET /x HTTP/1.1" 200 2750 "" "" 33317 655 '
    '"http-in" "static" "srv1" 10 0 30 69 109 "----" 1 1 1 1 0 0 0 "" ""'
)
Row = dict[str, object]


@pytest.fixture
def row(make_lines: Callable[[list[bytes]], pa.RecordBatch]) -> Callable[[str], Row]:
    def made(line: str) -> Row:
        parsed = HaProxy().parse(make_lines([line.encode()]), CONTEXT)
        assert parsed.rejects.to_pylist() == []
        (event,) = parsed.events.to_pylist()
        return {name: value for name, value in event.items() if value is not None}

    return made


@pytest.mark.parametrize("head", ["", HEAD, "<134>1 2009-02-06T12:14:15Z lb haproxy 14389 - - "])
def test_reads_http(row: Callable[[str], Row], head: str) -> None:
    event = row(head + HTTP + '{a.example|Firefox (X)} {} "GET /index.html?a=1 HTTP/1.1"')
    assert event["time"] == datetime(2009, 2, 6, 12, 14, 14, 655000, tzinfo=UTC)
    assert (
        event
        | {
            "event_action": "http-request",
            "event_outcome": "success",
            "event_duration": 109_000_000,
            "source_ip": "10.0.1.2",
            "source_port": 33317,
            "http_request_method": "GET",
            "url_path": "/index.html",
            "url_query": "a=1",
            "http_response_status_code": 200,
            "http_response_bytes": 2750,
            "haproxy_frontend": "http-in",
            "haproxy_backend": "static",
            "haproxy_server": "srv1",
            "haproxy_request_ms": 10,
            "haproxy_queue_ms": 0,
            "haproxy_connect_ms": 30,
            "haproxy_response_ms": 69,
            "haproxy_retries": 5,
            "haproxy_server_queue": 6,
            "haproxy_backend_queue": 7,
            "haproxy_state": "----",
            "haproxy_request_headers": "a.example|Firefox (X)",
        }
        == event
    )


def test_reads_https_and_its_tls(row: Callable[[str], Row]) -> None:
    event = row(
        HEAD + START + "tls~ app/s1 0/0/1/5/6 503 217 - - SC-- 2/1/0/0/0 0/0 "
        '"GET /x HTTP/2.0" 0/0/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384'
    )
    assert (event["network_protocol"], event["haproxy_frontend"]) == ("https", "tls")
    assert (event["url_domain"], event["haproxy_tls_version"]) == ("shop.example", "TLSv1.3")
    assert (event["event_outcome"], event["haproxy_tls_cipher"]) == (
        "failure",
        "TLS_AES_256_GCM_SHA384",
    )


def test_reads_tcp(row: Callable[[str], Row]) -> None:
    event = row(HEAD + START + "fnt bck/<NOSRV> 0/-1/5007 +212 sC 0/0/0/0/+3 0/0")
    assert (event["event_action"], event["event_outcome"]) == ("tcp-connection", "failure")
    assert (event["event_duration"], event["destination_bytes"]) == (5_007_000_000, 212)
    assert "haproxy_server" not in event
    assert "haproxy_connect_ms" not in event


def test_reads_clf_with_the_milliseconds_behind_it(row: Callable[[str], Row]) -> None:
    event = row(CLF)
    assert event["time"] == datetime(2009, 2, 6, 12, 14, 14, 655000, tzinfo=UTC)
    assert (event["source_port"], event["event_duration"]) == (33317, 109_000_000)
    assert (event["url_path"], event["haproxy_response_ms"]) == ("/x", 69)


@pytest.mark.parametrize(
    ("line", "action", "outcome"),
    [
        (START + "frt/f1: Connection error during SSL handshake", "connection-error", "failure"),
        (HEAD + "Connect from 10.0.1.2:1 to 10.0.3.1:80 (www/HTTP)", "connection", "unknown"),
        (HEAD + "Server app/s1 is DOWN, reason: Layer4 timeout", "server-down", "failure"),
        (HEAD + "Backup Server app/s1 is UP, reason: ok", "server-up", "success"),
        (HEAD + "Health check for server app/s1 failed, reason: x", "health-check", "failure"),
        (HEAD + "backend app has no server available!", "backend-down", "failure"),
        (HEAD + "Proxy http-in started.", "proxy-started", "success"),
        (HEAD + "a custom layout", "message", "unknown"),
    ],
)
def test_reads_what_the_proxy_says(
    row: Callable[[str], Row], line: str, action: str, outcome: str
) -> None:
    event = row(line)
    assert (event["event_action"], event["event_outcome"]) == (action, outcome)


@pytest.mark.parametrize(
    ("client", "ip", "port"),
    [
        ("2001:db8::1234:58430", "2001:db8::1234", 58430),
        ("2001:db8::1234:443", "2001:db8::1234", 443),
        ("::ffff:192.0.2.1:80", "::ffff:192.0.2.1", 80),
    ],
)
def test_reads_ipv6_clients(row: Callable[[str], Row], client: str, ip: str, port: int) -> None:
    event = row(HTTP.replace("10.0.1.2:33317", client) + '"GET / HTTP/1.1"')
    assert (event["source_ip"], event["source_port"]) == (ip, port)


def test_a_clf_file_is_not_taken_for_a_web_log() -> None:
    found = plugins.recognise((CLF + "\n").encode() * 9)
    assert found is not None
    assert found.format.name == "haproxy"
