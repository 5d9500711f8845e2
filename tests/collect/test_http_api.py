"""HTTP API calls in three layouts: recorded pairs, raw text, calls of methods."""

from __future__ import annotations

import base64
import io
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of
from secad.collect.formats.http_api import HttpApi
from secad.collect.web.http_blocks import cut_requests

ANCHOR = datetime(2026, 11, 20, tzinfo=UTC)
CONTEXT = ParseContext(ANCHOR)
RAW = (
    b"GET http://localhost:8080/shop/add.jsp?id=2&n=%27 HTTP/1.1\r\n"
    b"User-Agent: Konqueror/3.5\r\nHost: localhost:8080\r\nCookie: JSESSIONID=B92A; a=b\r\n\r\n\r\n"
    b"POST /shop/login HTTP/1.1\nHost: shop.example\nContent-Length: 17\n"
    b"Date: Mon, 21 Nov 2022 18:12:16 GMT\n\nuser=a&pwd=secret\n\n"
    b"PUT /api/1 HTTP/1.1\nHost: shop.example\n\n{}\n"
    b"HTTP/1.1 403 Forbidden\nContent-Length: 2\n\nno\n"
)


def token(claims: dict[str, Any]) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer eyJhbGciOiJIUzI1NiJ9.{part}.c2ln"


def pair(**more: Any) -> dict[str, Any]:
    return {
        "request": {
            "headers": {
                "Host": "127.0.0.1:5000",
                "User-Agent": "Firefox/33.0",
                "Authorization": token({"sub": "ann", "id": "u-1", "roles": ["USER"]}),
                "Date": "Mon, 21 Nov 2022 18:12:16 GMT",
            },
            "method": "GET",
            "url": "http://127.0.0.1:5000/login/user/4412?x=1",
            "body": "",
            **more,
        },
        "response": {
            "status": "404 NOT FOUND",
            "headers": {"Content-Length": "207"},
            "status_code": 404,
            "body": "<p>no</p>",
        },
        "index": 5,
    }


def called(**more: Any) -> dict[str, Any]:
    trace = base64.b64encode(b"ada24b.57.17156799572140017").decode()
    headers = (
        f"{{sw8: 1-{trace}-x=-3-a, sw8-x: 0-, accept: application/json, application/*+json, "
        f"authorization: {token({'sub': 'bob', 'iat': 1715679951})}, host: 10.244.1.56:18673, "
        'forwarded: proto=http;host="gw:18888";for="10.244.1.58:59516", '
        "cookie: Captcha=1; JSESSIONID=04192D, user-agent: Java/1.8}"
    )
    return {
        "seq": 0,
        "method": "addMoney",
        "class": "inside_payment.service.PaymentImpl",
        "arguments": "drawback, 62.0",
        "headers": headers,
        "time_ms": "9",
        "return": "Response(status=1, msg=Success, data=null)",
        **more,
    }


def parse(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    parsed = HttpApi().parse(batch, CONTEXT)
    assert parsed.rejects.num_rows == 0, parsed.rejects.to_pylist()
    rows = parsed.events.to_pylist()
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def parse_json(*records: dict[str, Any]) -> list[dict[str, Any]]:
    return parse(lines_of("\n".join(map(json.dumps, records)).encode()))


def expect(row: dict[str, Any], **columns: Any) -> None:
    assert {name: row.get(name) for name in columns} == columns


def test_a_pair_of_request_and_response() -> None:
    (row,) = parse_json(pair())
    expect(
        row,
        time=datetime(2022, 11, 21, 18, 12, 16, tzinfo=UTC),
        http_request_method="GET",
        url_domain="127.0.0.1",
        url_path="/login/user/4412",
        url_query="x=1",
        http_response_status_code=404,
        http_response_bytes=207,
        http_response_body="<p>no</p>",
        event_outcome="failure",
        user_agent_original="Firefox/33.0",
        user_name="ann",
        user_id="u-1",
        http_roles='["USER"]',
        http_sequence=5,
    )
    assert row["http_request_headers"].startswith("Host: 127.0.0.1:5000\nUser-Agent: Firefox/33.0")
    assert row["http_response_headers"] == "Content-Length: 207"


def test_tags_of_attacks_are_labels_and_nothing_else() -> None:
    (row,) = parse_json(pair(Attack_Tag="SQL Injection"))
    assert row.pop("labels") == [("request.Attack_Tag", "SQL Injection")]
    assert not any("SQL Injection" in str(value) for value in row.values())


def test_entries_of_har() -> None:
    (row,) = parse_json(
        {
            "startedDateTime": "2026-01-02T03:04:05.678Z",
            "request": {
                "method": "POST",
                "url": "https://a.example/v1/x",
                "httpVersion": "HTTP/1.1",
                "headers": [{"name": "User-Agent", "value": 'a "b"'}, {"name": "X", "value": "1"}],
                "postData": {"text": '{"k":1}'},
            },
            "response": {"status": 200, "headers": [], "content": {"text": "ok"}},
        }
    )
    expect(row, http_request_body='{"k":1}', http_response_body="ok", http_response_status_code=200)
    assert row["http_request_headers"].splitlines()[1] == "X: 1"


def test_a_called_method() -> None:
    (row,) = parse_json(called())
    expect(
        row,
        time=datetime(2024, 5, 14, 9, 45, 57, 214000, UTC),
        http_operation="inside_payment.service.PaymentImpl.addMoney",
        service_name="inside_payment",
        http_request_body="drawback, 62.0",
        http_response_body="Response(status=1, msg=Success, data=null)",
        event_outcome="success",
        event_duration=9_000_000,
        user_name="bob",
        session_id="04192D",
        source_ip="10.244.1.58",
        source_port=59516,
        url_domain="10.244.1.56",
        http_trace_id="ada24b.57.17156799572140017",
    )
    assert "http_request_method" not in row
    assert "accept: application/json, application/*+json" in row["http_request_headers"].split("\n")
    (row,) = parse_json(called(**{"return": "Response(status=0, msg=No, data=null)"}))
    assert row["event_outcome"] == "failure"


def test_a_call_without_any_time_takes_the_files_date_and_its_line() -> None:
    rows = parse_json(called(headers="{host: a}"), called(headers="{host: a}"))
    assert [row["time"] - ANCHOR for row in rows] == [timedelta(microseconds=n) for n in (1, 2)]


@pytest.mark.parametrize("batch_bytes", [1, 7, 100, 1 << 20])
def test_raw_requests_are_cut_at_their_request_lines(batch_bytes: int) -> None:
    found = list(cut_requests(io.BytesIO(RAW), batch_bytes))
    rows = [row for lines, _ in found for row in lines.to_pylist()]
    assert [row["line"] for row in rows] == [1, 7, 14]
    for row in rows:
        place = row["byte_offset"]
        assert RAW[place : place + row["byte_length"]] == row["raw"]
    assert all(rejects.num_rows == 0 for _, rejects in found)


def test_raw_requests() -> None:
    rows = [row for lines, _ in cut_requests(io.BytesIO(RAW), 1 << 20) for row in parse(lines)]
    expect(
        rows[0],
        url_domain="localhost",
        url_path="/shop/add.jsp",
        url_query="id=2&n=%27",
        session_id="B92A",
        http_version="1.1",
        user_agent_original="Konqueror/3.5",
    )
    assert "http_request_body" not in rows[0]
    expect(
        rows[1],
        time=datetime(2022, 11, 21, 18, 12, 16, tzinfo=UTC),
        url_domain="shop.example",
        http_request_body="user=a&pwd=secret",
    )
    expect(
        rows[2],
        http_request_body="{}",
        http_response_status_code=403,
        http_response_body="no",
        event_outcome="failure",
    )


def test_what_stands_before_the_first_request_is_a_reject() -> None:
    found = list(cut_requests(io.BytesIO(b"stray\n\n" + RAW), 1 << 20))
    assert sum(lines.num_rows for lines, _ in found) == 3
    reasons = [reason for _, rejects in found for reason in rejects.column("error").to_pylist()]
    assert reasons == ["no request line, as in GET /path HTTP/1.1"]


@pytest.mark.parametrize(
    "head", [RAW, json.dumps(pair()).encode() + b"\n", json.dumps(called()).encode() + b"\n"]
)
def test_is_recognised(head: bytes) -> None:
    found = plugins.recognise(head)
    assert found is not None
    assert found.format.name == "http_api"
    assert found.format.is_framed(head) == (head == RAW)  # type: ignore[attr-defined]


def test_what_is_no_call_is_rejected() -> None:
    parsed = HttpApi().parse(lines_of(b'{"a": 1}\nnot json\n'), CONTEXT)
    assert parsed.rejects.num_rows == 2


@pytest.mark.parametrize(
    "block",
    [
        b"GET / HTTP/1.1\n" + b"a: b\n" * 200_000,
        b"GET / HTTP/1.1\n\n" + b"HTTP/1.1 200\n" * 70_000,
        b"GET / HTTP/1.1\nCookie: " + b"session" * 140_000,
        b"GET / HTTP/1.1\nForwarded: " + b"for=" * 240_000,
        b"GET / HTTP/1.1\nAuthorization: Bearer " + b"a." * 480_000,
    ],
)
def test_takes_a_second_for_a_megabyte_at_most(block: bytes) -> None:
    for _ in range(2):  # the first time compiles
        began = time.monotonic()
        for lines, _ in cut_requests(io.BytesIO(block), 1 << 20):
            HttpApi().parse(lines, CONTEXT)
    assert time.monotonic() - began < 2
