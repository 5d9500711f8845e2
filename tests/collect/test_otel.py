from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.formats.otel import OpenTelemetry
from secad.collect.otel.values import plain

OTEL = OpenTelemetry()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
NANOSECONDS = "1772705000250000000"
TIME = datetime(2026, 3, 5, 10, 3, 20, 250_000, tzinfo=UTC)


def pairs(**attributes: Any) -> list[dict[str, Any]]:
    return [
        {"key": key.replace("__", "."), "value": value if isinstance(value, dict) else typed(value)}
        for key, value in attributes.items()
    ]


def typed(value: Any) -> dict[str, Any]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def request(*records: dict[str, Any], **resource: Any) -> dict[str, Any]:
    scope = {"scope": {"name": "lib"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": pairs(**resource)}, "scopeLogs": [scope]}]}


def parse(*documents: Any) -> list[Parsed]:
    text = "\n".join(json.dumps(document) for document in documents).encode()
    if not OTEL.is_framed(text):
        return [OTEL.parse(lines_of(text), CONTEXT)]
    return [OTEL.parse(lines, CONTEXT) for lines, _ in OTEL.frames(BytesIO(text), 1 << 20)]


def event(document: dict[str, Any]) -> dict[str, Any]:
    [parsed] = parse(document)
    assert parsed.events.num_rows == 1, parsed.rejects.to_pylist()
    row: dict[str, Any] = parsed.events.to_pylist()[0]
    return {name: value for name, value in row.items() if value is not None}


def test_each_record_of_a_request_is_an_event_with_its_resource_and_scope() -> None:
    record = {
        "timeUnixNano": NANOSECONDS,
        "severityNumber": 17,
        "body": {"stringValue": "payment failed"},
        "attributes": pairs(user__name="kim", retries=3),
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
    }
    [parsed] = parse(request(record, record, service__name="shop", host__name="n1", k8s__x="y"))
    assert parsed.events.num_rows == 2
    row = parsed.events.to_pylist()[1]
    assert row["time"] == TIME
    assert (row["host_name"], row["service_name"], row["event_provider"]) == ("n1", "shop", "lib")
    assert (row["message"], row["log_level"], row["user_name"]) == (
        "payment failed",
        "error",
        "kim",
    )
    assert row["otel_trace_id"] == "5b8efff798038103d269b633813fc60c"
    assert row["event_action"] == "log"
    assert dict(row["labels"]) == {"retries": "3", "resource.attributes.k8s.x": "y"}


def test_the_place_of_an_event_is_its_record() -> None:
    record = {"timeUnixNano": NANOSECONDS, "body": {"stringValue": "x"}}
    text = json.dumps(request(record, record)).encode()
    [(lines, _)] = OTEL.frames(BytesIO(text), 1 << 20)
    for row in OTEL.parse(lines, CONTEXT).events.to_pylist():
        place = text[row["byte_offset"] :][: row["byte_length"]]
        assert json.loads(place) == record


def test_reads_http_by_old_and_new_names() -> None:
    new = event(
        request(
            {
                "timeUnixNano": NANOSECONDS,
                "attributes": pairs(
                    http__request__method="GET",
                    url__path="/cart",
                    url__query="id=7",
                    client__address="203.0.113.9",
                    server__address="shop.example",
                    server__port=443,
                    http__response__status_code=503,
                ),
            }
        )
    )
    old = event(
        request(
            {
                "observedTimeUnixNano": NANOSECONDS,
                "timeUnixNano": "0",
                "attributes": pairs(
                    http__method="GET",
                    http__target="/cart?id=7",
                    net__peer__ip="203.0.113.9",
                    net__host__name="shop.example",
                    net__host__port=443,
                    http__status_code=503,
                    net__transport="ip_tcp",
                ),
            }
        )
    )
    for row in (new, old):
        assert row["time"] == TIME
        assert (row["event_action"], row["event_category"]) == ("http", "web")
        assert (row["url_path"], row["url_query"]) == ("/cart", "id=7")
        assert (row["source_ip"], row["destination_domain"]) == ("203.0.113.9", "shop.example")
        assert (row["destination_port"], row["http_response_status_code"]) == (443, 503)
        assert row["event_outcome"] == "failure"
    assert old["network_transport"] == "tcp"


def test_the_peer_of_what_serves_nothing_is_called() -> None:
    record = {"timeUnixNano": NANOSECONDS, "attributes": pairs(network__peer__address="10.0.0.9")}
    assert event(request(record))["destination_ip"] == "10.0.0.9"


@pytest.mark.parametrize(
    "record",
    [
        {  # Python's console exporter
            "body": "said",
            "severity_number": 13,
            "severity_text": "WARN",
            "attributes": {"user.name": "kim"},
            "timestamp": "x",
            "observed_timestamp": "2026-03-05T10:03:20.250000Z",
            "trace_id": "0xabc",
            "resource": {"attributes": {"service.name": "shop"}},
        },
        {  # Go's stdoutlog
            "Timestamp": "2026-03-05T10:03:20.25Z",
            "SeverityText": "WARN",
            "Body": {"Type": "String", "Value": "said"},
            "Attributes": [{"Key": "user.name", "Value": {"Type": "String", "Value": "kim"}}],
            "TraceID": "abc",
            "Resource": [{"Key": "service.name", "Value": {"Type": "STRING", "Value": "shop"}}],
        },
        {  # rows of a column store
            "Timestamp": "2026-03-05 10:03:20.250000000",
            "TraceId": "abc",
            "SeverityText": "WARN",
            "ServiceName": "shop",
            "Body": "said",
            "ResourceAttributes": {"service.name": "shop"},
            "LogAttributes": {"user.name": "kim"},
        },
    ],
)
@pytest.mark.parametrize("indent", [None, 4])
def test_reads_single_records_as_sdks_and_stores_write_them(
    record: dict[str, Any], indent: int | None
) -> None:
    text = "\n".join([json.dumps(record, indent=indent)] * 2).encode()
    assert OTEL.matches(text) == pytest.approx(0.9)
    assert OTEL.is_framed(text) is (indent is not None)
    batches = [lines for lines, _ in OTEL.frames(BytesIO(text), 1 << 20)] if indent else []
    for lines in batches or [lines_of(text)]:
        rows = OTEL.parse(lines, CONTEXT).events.to_pylist()
        assert len(rows) == 2
        for row in rows:
            assert row["time"] == TIME
            assert (row["message"], row["log_level"]) == ("said", "warn")
            assert (row["user_name"], row["service_name"]) == ("kim", "shop")


def test_structured_bodies_become_labels() -> None:
    body = {"kvlistValue": {"values": pairs(order="17", total=5)}}
    record = {"timeUnixNano": NANOSECONDS, "body": body, "eventName": "order.paid"}
    row = event(request(record, service__name="shop"))
    assert row["event_action"] == "order.paid"
    assert dict(row["labels"]) == {"order": "17", "total": "5"}


def test_requests_without_records_are_skipped_and_records_without_time_refused() -> None:
    empty = {"resourceLogs": [{"resource": {}, "scopeLogs": []}]}
    [parsed] = parse({"resourceLogs": []}, empty, request({"body": {"stringValue": "x"}}))
    assert (parsed.events.num_rows, parsed.skipped) == (0, 2)
    assert parsed.rejects.column("error").to_pylist() == [
        "no time: expected timeUnixNano or observedTimeUnixNano"
    ]


def test_reads_requests_in_an_array() -> None:
    one = request({"timeUnixNano": NANOSECONDS, "body": {"stringValue": "x"}})
    text = json.dumps([one, one], indent=1).encode()
    assert OTEL.matches(text) == pytest.approx(0.98)
    [(lines, _)] = OTEL.frames(BytesIO(text), 1 << 20)
    assert OTEL.parse(lines, CONTEXT).events.num_rows == 2


def test_knows_requests_by_their_key_however_long_the_line() -> None:
    assert OTEL.matches(b'{"resourceLogs":[{"resource":' + b"x" * 65_000) == pytest.approx(0.98)
    assert OTEL.matches(b'{"resourceSpans":[]}\n') == 0.0
    assert OTEL.matches(b'{"severity":"info","message":"x"}\n') == 0.0


def test_lists_of_pairs_become_objects() -> None:
    nested = pairs(
        a={"kvlistValue": {"values": pairs(b={"arrayValue": {"values": [typed("c"), {}]}})}}
    )
    other = {"x": [{"key": 1}], "y": [[{"key": "k"}]], "z": pairs(k={}), "w": [{"key": "k"}]}
    texts = [json.dumps({"attributes": nested}), json.dumps(other), '{"a":[{"key":', "[1]"]
    first, second, *rest = plain(pa.array(texts)).to_pylist()
    assert json.loads(first) == {"attributes": {"a": {"b": ["c", ""]}}}
    assert json.loads(second) == other  # a key that is no text: nothing is changed
    assert rest == texts[2:]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "value", "stringValue", "type", "a"]), inner)
    ),
    max_leaves=15,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=3), JSON), st.text('{}[]",:a \\', max_size=4))
def test_json_stays_json_and_never_grows(document: dict[str, Any], tail: str) -> None:
    text = json.dumps(document)
    [made, damaged] = plain(pa.array([text, text[: len(text) // 2] + tail])).to_pylist()
    assert isinstance(json.loads(made), dict)
    assert len(made) <= len(text)
    assert damaged is not None
