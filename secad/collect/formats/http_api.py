"""HTTP API calls with what they carry: requests, their responses, calls of a service's methods.

Lines or raw blocks enter, one event a call leaves, with headers and bodies whole, so that a model
can learn what always holds between them. Read are JSON objects with ``request`` and ``response``
(proxies' recordings, entries of HAR), raw HTTP text, and calls that an agent recorded inside a
Java service (method, class, arguments, headers, return). A call without a time takes the file's
date and, so that the order stays, a microsecond for each line before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import TIME
from secad.collect.json.columns import JsonColumns, first_objects, read_json
from secad.collect.json.rules import event_table, parsed
from secad.collect.text import Text, decode
from secad.collect.times import parse_any, parse_epoch
from secad.collect.web.http_blocks import cut_requests, is_raw_http
from secad.collect.web.http_messages import (
    METHOD,
    PARTS,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    STATUS,
    URL,
    VERSION,
    Columns,
    columns_of,
    dates,
    header,
    parts_of,
)
from secad.features.base64_texts import decode_base64
from secad.features.key_values import labels

_SURE = 0.97
_LOOKED_AT = 20
_ACTION = "api-call"
_NO_CALL = "no call: expected a method and a URL, or a class and a method"
_JAVA = frozenset({"method", "class", "arguments", "headers", "return"})
_REQUEST_PREFIXES = ("request.headers.", "headers.")
_RESPONSE_PREFIXES = ("response.headers.",)

_WANTED: Mapping[str, tuple[str, ...]] = {
    METHOD: ("request.method", "http_method", "verb"),
    URL: ("request.url", "request.uri", "request.path", "url", "uri", "path"),
    VERSION: ("request.httpVersion", "request.http_version"),
    REQUEST_HEADERS: ("request.headers", "request_headers", "headers"),
    REQUEST_BODY: (
        "request.body", "request.postData.text", "request.data", "request_body", "requestBody",
        "arguments",
    ),
    STATUS: ("response.status_code", "response.statusCode", "response.status", "status_code"),
    RESPONSE_HEADERS: ("response.headers", "response_headers"),
    RESPONSE_BODY: (
        "response.body", "response.content.text", "response.data", "response_body", "responseBody",
        "return",
    ),
    "own_method": ("method",),
    "class": ("class",),
    "time": (
        "time", "timestamp", "@timestamp", "startedDateTime", "request.time", "request.timestamp",
        "ts", "datetime",
    ),
    "duration_ms": ("time_ms", "duration_ms", "elapsed_ms", "response_time_ms"),
    "http_sequence": ("seq", "index", "sequence"),
    "source_ip": ("client_ip", "source_ip", "request.remote_addr", "remote_addr", "src_ip"),
    "user_name": ("user", "username", "user_name", "request.user"),
    "user_id": ("user_id", "userId"),
    "session_id": ("session_id", "sessionId", "session"),
    "http_trace_id": ("trace_id", "traceId", "request_id"),
}  # fmt: skip


class HttpApi:
    """HTTP API calls; see ``Format`` and ``Frames``."""

    name = "http_api"
    dataset = "http_api"
    fields: Mapping[str, str] = {
        "time": "time, timestamp, startedDateTime; trace id; Date; a token's iat; else the file's",
        "event_action": "always api-call",
        "event_outcome": "status: failure from 400 on; of a method's return its status",
        "event_duration": "time_ms",
        "event_provider": "class of a called method",
        "service_name": "package of a called method",
        "url_domain": "url, else the Host header",
        "url_path": "url",
        "url_query": "url",
        "http_request_method": "request.method",
        "http_version": "request line",
        "http_response_status_code": "response.status_code, response.status",
        "http_response_bytes": "the response's Content-Length",
        "http_request_referrer": "Referer",
        "user_agent_original": "User-Agent",
        "user_name": "user; claims or name in Authorization",
        "user_id": "user_id; claims in Authorization",
        "session_id": "session cookies; session_id; claims in Authorization",
        "source_ip": "client_ip; Forwarded, X-Forwarded-For",
        "source_port": "Forwarded",
        "http_operation": "class and method of a called method",
        "http_request_headers": "headers, as Name: value, one a line",
        "http_request_body": "body, arguments",
        "http_response_headers": "headers of the response",
        "http_response_body": "body of the response, return",
        "http_roles": "claims in Authorization",
        "http_trace_id": "trace_id; the trace of the header sw8",
        "http_sequence": "seq, index",
        "message": "method and URL, or class and method",
        "labels": "every other field, tags of attacks among them",
    }
    extensions = pa.schema(
        [
            *(
                pa.field(name, pa.string())
                for name in (
                    "http_operation",
                    "http_request_headers",
                    "http_request_body",
                    "http_response_headers",
                    "http_response_body",
                    "http_roles",
                    "http_trace_id",
                )
            ),
            pa.field("http_sequence", pa.int64()),
        ]
    )
    template_columns = ("http_operation", "http_request_method", "http_response_status_code")

    def matches(self, head: bytes) -> float:
        """Returns how sure it is, by a raw request or the parts of JSON records."""
        begin = head.lstrip()[:1]
        if begin == b"{":
            objects = first_objects(head, _LOOKED_AT)
            found = [one is not None and _is_call(one) for one in objects]
            return _SURE * sum(found) / len(found) if found else 0.0
        return _SURE if is_raw_http(head) else 0.0

    def is_framed(self, head: bytes) -> bool:
        """Returns whether the head is raw HTTP text; see ``Frames``."""
        return is_raw_http(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields raw requests as LINES; see ``Frames``."""
        yield from cut_requests(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per call; see ``Format``."""
        text = decode(lines)
        blocks = np.asarray(pc.match_substring_regex(text.text, r"^[A-Z]{3,16} [^ \r\n]+ HTTP/\d"))
        read = read_json(pc.if_else(pa.array(blocks), "{}", text.text), _WANTED)
        parts, others = _headers_out(read)
        raw = parts_of(pc.if_else(pa.array(blocks), text.text, None))
        parts |= {name: pc.coalesce(raw[name], parts[name]) for name in PARTS}
        parts[METHOD] = _method(parts)
        columns, issued = _columns(parts)
        time = _times(text, parts, issued, context)
        columns["message"] = _message(parts, columns)
        read = JsonColumns(read.columns, others, read.errors)
        events = event_table(text, read, time, columns, self.extensions)
        bare = np.asarray(columns["message"].is_null())
        return parsed(text, read, events, refused=[(bare, _NO_CALL)])


def _is_call(record: Mapping[str, Any]) -> bool:
    """Returns whether a JSON object has the parts of a call."""
    if set(record) >= _JAVA:
        return True
    request = record.get("request")
    if not isinstance(request, dict) or "method" not in request:
        return False
    whole = isinstance(record.get("response"), dict) or "body" in request
    return whole and bool({"url", "uri", "path"} & set(request))


def _headers_out(read: JsonColumns) -> tuple[Columns, pa.MapArray]:
    """Returns the parts of calls with headers as lines, and the labels that are no headers."""
    parts = dict(read.columns)
    written = parts[REQUEST_HEADERS]
    # {accept: a, b, host: c}: as Java writes a map
    java = pc.replace_substring_regex(pc.utf8_trim(written, "{}"), r", ([\w-]+): ", "\n\\1: ")
    parts[REQUEST_HEADERS] = pc.if_else(pc.starts_with(written, "{"), java, _listed(written))
    parts[RESPONSE_HEADERS] = _listed(parts[RESPONSE_HEADERS])
    keys = read.labels.keys
    rows = np.repeat(np.arange(len(read.labels)), np.diff(np.asarray(read.labels.offsets)))
    kept = np.ones(len(keys), dtype=np.bool_)
    for part, prefixes in (
        (REQUEST_HEADERS, _REQUEST_PREFIXES),
        (RESPONSE_HEADERS, _RESPONSE_PREFIXES),
    ):
        pattern = "(?i)^(" + "|".join(map(re.escape, prefixes)) + ")"
        chosen = np.asarray(pc.match_substring_regex(keys, pattern), dtype=np.bool_) & kept
        kept &= ~chosen
        names = pc.replace_substring_regex(keys.filter(pa.array(chosen)), pattern, "")
        values = read.labels.items.filter(pa.array(chosen))
        joined = _joined(rows[chosen], len(read.labels), names, values)
        parts[part] = pc.coalesce(parts[part], joined)
    rest = pa.array(kept)
    return parts, labels(
        rows[kept], len(read.labels), keys.filter(rest), read.labels.items.filter(rest)
    )


def _listed(written: pa.Array) -> pa.Array:
    """Returns headers as HAR lists them, ``[{"name":"a","value":"b"}]``, as lines."""
    if not pc.any(pc.starts_with(written, "[")).as_py():
        return written
    pair = r'\{\s*"name"\s*:\s*"([^"]*)"\s*,\s*"value"\s*:\s*"((?:[^"\\]|\\.)*)"[^}]*\}\s*,?\s*'
    lines = pc.replace_substring_regex(pc.utf8_trim(written, "[]"), pair, "\\1: \\2\n")
    return pc.if_else(pc.starts_with(written, "["), pc.utf8_trim_whitespace(lines), written)


def _joined(rows: npt.NDArray[np.int64], count: int, names: pa.Array, values: pa.Array) -> pa.Array:
    """Returns (N,) ``name: value`` of a row's pairs, one a line; null where it has none."""
    lines = pc.binary_join_element_wise(names, values, ": ")
    sizes = np.bincount(rows, minlength=count)
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), lines), "\n")
    return pc.if_else(pa.array(sizes > 0), joined, None)


def _method(parts: Columns) -> pa.Array:
    """Returns the HTTP method; where a class is called, ``method`` is the name of its own."""
    own = pc.if_else(parts["class"].is_valid(), None, parts["own_method"])
    return pc.coalesce(parts[METHOD], own)


def _columns(parts: Columns) -> tuple[Columns, pa.Array]:
    """Returns the columns of calls, and when their tokens were issued."""
    columns = columns_of(parts)
    issued = columns.pop("issued")
    for name in ("source_ip", "user_name", "user_id", "session_id"):
        columns[name] = pc.coalesce(parts[name], columns[name])
    called = pc.if_else(parts["class"].is_valid(), parts["own_method"], None)
    columns["http_operation"] = pc.binary_join_element_wise(parts["class"], called, ".")
    columns["event_provider"] = parts["class"]
    package = pc.extract_regex(parts["class"], r"^(?:com\.|org\.|net\.)?(?P<name>[\w-]+)")
    columns["service_name"] = pc.struct_field(package, ["name"])
    returned = pc.extract_regex(parts[RESPONSE_BODY], r"^Response\(status=(?P<status>[01]),")
    done = pc.equal(pc.struct_field(returned, ["status"]), "1")
    outcome = pc.if_else(done, "success", "failure")
    columns["event_outcome"] = pc.coalesce(columns["event_outcome"], outcome)
    columns["event_duration"] = pc.binary_join_element_wise(parts["duration_ms"], "000000", "")
    columns["http_sequence"] = parts["http_sequence"]
    columns["http_trace_id"] = pc.coalesce(parts["http_trace_id"], _trace(parts[REQUEST_HEADERS]))
    columns["event_action"] = pa.repeat(_ACTION, len(issued))
    return columns, issued


def _trace(headers: pa.Array) -> pa.Array:
    """Returns the trace id in SkyWalking's header, ``sw8: 1-<base64>-...``."""
    found = pc.extract_regex(header(headers, "sw8"), r"^\d-(?P<id>[A-Za-z0-9+/=]+)-")
    return decode_base64(pc.struct_field(found, ["id"]))


def _times(text: Text, parts: Columns, issued: pa.Array, context: ParseContext) -> pa.Array:
    """Returns (N,) the times of calls, the surest that each has."""
    time = parse_any(parts["time"], context.tz, context.anchor_time)
    # a trace id ends in milliseconds since 1970 and four digits of a counter
    traced = pc.extract_regex(_trace(parts[REQUEST_HEADERS]), r"\.(?P<ms>\d{13})\d{4}$")
    time = pc.coalesce(time, parse_epoch(pc.struct_field(traced, ["ms"]), "ms"))
    time = pc.coalesce(time, dates(parts[RESPONSE_HEADERS]), dates(parts[REQUEST_HEADERS]))
    whole = pc.if_else(pc.match_substring_regex(issued, r"^\d{9,10}$"), issued, None)
    time = pc.coalesce(time, parse_epoch(whole, "s"))
    start = pa.scalar(context.anchor_time, TIME)
    steps = text.lines.column("line").cast(pa.duration("us"))
    return pc.coalesce(time, pc.add(start, steps).cast(TIME))


def _message(parts: Columns, columns: Columns) -> pa.Array:
    asked = pc.binary_join_element_wise(parts[METHOD], parts[URL], " ")
    return pc.coalesce(asked, columns["http_operation"])
