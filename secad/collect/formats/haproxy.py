"""HAProxy's logs, bare or behind a syslog header, as events.

Lines enter, one event each leaves: requests (HTTP, HTTPS and CLF layouts), TCP connections, failed
connections, and what the proxy says of its servers and itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ECS, LABELS
from secad.collect.columns import by_pieces, share_of_lines, utc_times
from secad.collect.devices.times import first_of, made
from secad.collect.net_parts import NO_NUMBER, read_ends, read_requests, read_row_of_numbers
from secad.collect.syslog.header import framed, header_columns, header_instants, message_places
from secad.collect.text import decode, reject
from secad.collect.web.haproxy_phrases import (
    ACTIONS,
    CLF,
    ERROR,
    HTTP,
    OUTCOMES,
    entries,
    said,
    tails,
)
from secad.features.phrases import Found
from secad.features.slot_types import integers
from secad.features.spans import Bytes, Places, gather

_SURE = 0.98
_PIECE_ROWS = 32 * 1024
_LEAST_SHARE = 0.3  # of lines with an entry or with HAProxy's name
_FIRST_FAILURE = 400
_MOST_TIMERS = 5
_NANOSECONDS = 1_000_000  # in a millisecond
_NO_TIME = "no time: neither the entry nor a syslog header before it holds one"
_KINDS = pa.array(
    ["http-request", "tcp-connection", "connection-error", "http-request", "connection"]
)
# ... [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109
# ... [15/Dec/2012:12:47:40.512] http-in/1: Connection error during SSL handshake
# ... 200 2750 "" "" 33317 655 "http-in" "static" "srv1" 10 0 30 69 109
_ENTRY = (
    r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] (?:\S+ \S+/\S+ [-\d]+/|\S+/\S+: )"
    r'|"" "" \d+ \d+ "[^"]*" "[^"]*" "[^"]*" -?\d'
    r"| haproxy\[\d+\]: "
)
_INTEGERS = (
    *("connections", "server_connections", "retries", "server_queue", "backend_queue"),
    *("request_ms", "queue_ms", "connect_ms", "response_ms"),
)
_TEXTS = (
    *("frontend", "backend", "server", "state", "reason", "request_headers"),
    *("response_headers", "tls_version", "tls_cipher"),
)
_SLOTS = {
    "haproxy_connections": "open connections of the process",
    "haproxy_server_connections": "open connections of the server",
    "haproxy_retries": "retries",
    "haproxy_server_queue": "entries before this one in the server's queue",
    "haproxy_backend_queue": "entries before this one in the backend's queue",
    "haproxy_frontend": "frontend, without the ~ of TLS",
    "haproxy_state": "termination state and, for HTTP, what became of the cookies",
    "haproxy_reason": "why a connection failed or a server changed",
    "haproxy_request_headers": "captured headers of the request, |between|",
    "haproxy_response_headers": "captured headers of the response",
    "haproxy_tls_version": "HTTPS layout",
    "haproxy_tls_cipher": "HTTPS layout",
}


class HaProxy:
    """HAProxy's traffic and its own messages; see ``Format``."""

    name = "haproxy"
    dataset = "haproxy"
    fields: Mapping[str, str] = {
        "time": "[...], when the connection was accepted; else the syslog header's",
        "host_name": "the syslog header's",
        "process_name": "the syslog header's program",
        "process_pid": "the syslog header's",
        "log_level": "the severity in the syslog header's priority",
        "source_ip": "client",
        "source_domain": "client, where it is no address",
        "source_port": "client",
        "destination_ip": "the target of 'Connect from'",
        "destination_port": "the target of 'Connect from'",
        "network_transport": "tcp, where there is a client",
        "network_protocol": "http, or https where the frontend ends in ~",
        "http_request_method": "request",
        "http_version": "request",
        "url_domain": "request, of an absolute URL; else the TLS server name",
        "url_path": "request",
        "url_query": "request",
        "http_response_status_code": "status",
        "http_response_bytes": "bytes read, of HTTP",
        "destination_bytes": "bytes read, of TCP",
        "event_duration": "Ta or Tt",
        "event_action": "the layout, or what the proxy says",
        "event_category": "web or network",
        "event_outcome": "status: failure from 400 on; state: failure where it is not --",
        "message": "request, or all that follows the syslog header",
        **_SLOTS,
        "haproxy_backend": "backend",
        "haproxy_server": "server, none where it is <NOSRV>",
        "haproxy_request_ms": "Tq, TR",
        "haproxy_queue_ms": "Tw",
        "haproxy_connect_ms": "Tc",
        "haproxy_response_ms": "Tr",
    }
    extensions = pa.schema(
        [
            *(pa.field(f"haproxy_{name}", pa.string()) for name in _TEXTS),
            *(pa.field(f"haproxy_{name}", pa.int64()) for name in _INTEGERS),
        ]
    )
    template_columns: tuple[str, ...] = (
        "event_action",
        "haproxy_frontend",
        "http_request_method",
        "http_response_status_code",
    )

    def matches(self, head: bytes) -> float:
        """Returns the share of lines that are entries; see ``Format``."""
        share = share_of_lines(head, _ENTRY)
        return _SURE * share if share >= _LEAST_SHARE else 0.0

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        return by_pieces(lines, lambda piece: _parse(piece, context), _PIECE_ROWS)


def _parse(lines: pa.RecordBatch, context: ParseContext) -> Parsed:
    text = decode(lines)
    data, frames = framed(text.text)
    messages = message_places(text.text, frames)
    found = entries().match(data, messages)
    millis = integers(data, found.spans("_ms")).fill_null(0).to_numpy()  # of the CLF layout
    own = made(found.micros + 1000 * millis, found.zoned, found.yearless, found.rule >= 0)
    own.flags[found.micros == 0] = 0  # a layout without a time
    best = first_of([own, header_instants(frames)])
    times = utc_times(best.micros, best.zoned, best.yearless, context)
    good = best.valid & np.asarray(times.is_valid())
    comment = ~good & np.asarray(pc.starts_with(text.text, "#"))
    rejects = [text.rejects, reject(text.lines, ~good & ~comment, _NO_TIME)]
    place = {"time": times, **text.locators()}
    if not good.all():
        frames, messages = frames[good], np.ascontiguousarray(messages[:, good])
        place = {name: column.filter(pa.array(good)) for name, column in place.items()}
    columns = _columns(data, frames, messages, found.where(good))
    events = pa.table({**place, **columns})
    skipped = text.skipped + int(comment.sum())
    return Parsed(events, pa.concat_tables(rejects), skipped=skipped)


def _columns(data: Bytes, frames: Places, messages: Places, found: Found) -> dict[str, pa.Array]:
    spoken = said().match(data, np.where(found.rule < 0, messages, -1))
    tail = tails().match(data, found.spans("_tail"))
    columns = header_columns(data, frames)
    columns |= _client(data, found) | _target(data, found) | _timers(data, found)
    columns |= _request(data, found, tail)
    columns |= _kinds(found, spoken, columns)
    frontend = found.column("haproxy_frontend")
    secure = pc.fill_null(pc.ends_with(frontend, "~"), False)
    protocol = pc.if_else(secure, "https", "http")
    is_http = pa.array(np.isin(found.rule, (HTTP, CLF)))
    columns["network_protocol"] = pc.if_else(is_http, protocol, None)
    columns["haproxy_frontend"] = pc.utf8_rtrim(frontend, "~")
    columns["haproxy_reason"] = pc.coalesce(
        found.column("haproxy_reason"),
        pc.utf8_ltrim(spoken.column("haproxy_reason"), characters=" ,."),
    )
    server = pc.coalesce(found.column("_server"), spoken.column("_server"))
    columns["haproxy_server"] = _without(server, "<NOSRV>")
    columns["haproxy_backend"] = pc.coalesce(found.column("_backend"), spoken.column("_backend"))
    columns["message"] = pc.coalesce(columns["message"], gather(data, *messages))
    return _complete(columns, data, found, tail)


def _without(column: pa.Array, nothing: str) -> pa.Array:
    return pc.if_else(pc.equal(column, nothing), None, column)


def _complete(
    columns: dict[str, pa.Array], data: Bytes, found: Found, tail: Found
) -> dict[str, pa.Array]:
    nothing = pa.nulls(len(found.matches), pa.string())
    for name in _SLOTS:
        if name in columns:
            continue
        source = tail if name in tail.columns else found
        numeric = pa.types.is_integer(_type(name))
        columns[name] = (
            integers(data, source.spans(name)) if numeric else _without(source.column(name), "-")
        )
    return {
        name: columns.get(name, nothing).cast(_type(name))
        for name in HaProxy.fields
        if name != "time"
    }


def _type(name: str) -> pa.DataType:
    if name in {"message", "labels"}:
        return LABELS if name == "labels" else pa.string()
    return (ECS if name in ECS.names else HaProxy.extensions).field(name).type


def _numbers(values: Places) -> pa.Array:
    return pa.array(values, mask=values == NO_NUMBER)


def _either(first: Places, second: Places) -> Places:
    return np.where(first[0] >= 0, first, second)


def _client(data: Bytes, found: Found) -> dict[str, pa.Array]:
    places = _either(found.spans("_client"), found.spans("_host"))
    ends = read_ends(data, places, ported=True)
    alone = integers(data, found.spans("_port"))
    given = pa.array(places[0] >= 0)
    hosts = gather(data, *ends.hosts)
    addressed = pa.array(ends.addressed)
    return {
        "source_ip": pc.if_else(addressed, hosts, None),
        "source_domain": _without(pc.if_else(addressed, None, hosts), "-:-"),
        "source_port": pc.coalesce(alone, _numbers(ends.ports)),
        "network_transport": pc.if_else(given, "tcp", None),
    }


def _target(data: Bytes, found: Found) -> dict[str, pa.Array]:
    ends = read_ends(data, found.spans("_target"), ported=True)
    return {
        "destination_ip": pc.if_else(pa.array(ends.addressed), gather(data, *ends.hosts), None),
        "destination_port": _numbers(ends.ports),
    }


def _timers(data: Bytes, found: Found) -> dict[str, pa.Array]:
    """Returns the phases of an entry; -1 stands for a phase that was not reached."""
    timers = read_row_of_numbers(data, found.spans("_timers"), _MOST_TIMERS, "/")
    whole = timers[:, _MOST_TIMERS - 1] != NO_NUMBER  # HTTP; TCP has Tw/Tc/Tt
    first, second, third, fourth, last = (
        np.where(timers[:, place] < 0, NO_NUMBER, timers[:, place]) for place in range(_MOST_TIMERS)
    )
    nothing = np.full_like(first, NO_NUMBER)
    phases = {
        "haproxy_request_ms": np.where(whole, first, nothing),
        "haproxy_queue_ms": np.where(whole, second, first),
        "haproxy_connect_ms": np.where(whole, third, second),
        "haproxy_response_ms": np.where(whole, fourth, nothing),
    }
    total = np.where(whole, last, third)
    made = {name: _numbers(values) for name, values in phases.items()}
    for name, slot in zip(phases, ("_t1", "_t2", "_t3", "_t4"), strict=True):
        made[name] = pc.coalesce(made[name], integers(data, found.spans(slot)))
    lasted = pc.coalesce(_numbers(total), integers(data, found.spans("_total")))
    possible = pc.less(lasted, np.iinfo(np.int64).max // _NANOSECONDS)
    lasted = pc.if_else(possible, lasted, None)
    return made | {"event_duration": pc.multiply(lasted, _NANOSECONDS)}


def _request(data: Bytes, found: Found, tail: Found) -> dict[str, pa.Array]:
    places = _either(tail.spans("_request"), found.spans("_request"))
    columns = read_requests(data, places)
    asked = _without(tail.column("_sni"), "-")
    columns["url_domain"] = pc.coalesce(columns["url_domain"], asked)
    status = integers(data, found.spans("_status"))
    is_http = pa.array(np.isin(found.rule, (HTTP, CLF)))
    read = _numbers(read_row_of_numbers(data, found.spans("_bytes"), 1, "/")[:, 0])
    return columns | {
        "message": gather(data, *places),
        "http_response_status_code": pc.if_else(pc.greater(status, 0), status, None),
        "http_response_bytes": pc.if_else(is_http, read, None),
        "destination_bytes": pc.if_else(is_http, None, read),
    }


def _kinds(found: Found, spoken: Found, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    rule = pa.array(found.rule, mask=found.rule < 0)
    told = pa.array(spoken.rule, mask=spoken.rule < 0)
    status = columns["http_response_status_code"]
    by_status = pc.if_else(pc.less(status, _FIRST_FAILURE), "success", "failure")
    state = pc.equal(found.column("haproxy_state"), "--")
    by_state = pc.if_else(state, "success", "failure")
    failed = pc.if_else(pa.array(found.rule == ERROR), "failure", None)
    spoken_outcome = pa.array(OUTCOMES, pa.string()).take(told)
    kind = pc.coalesce(_KINDS.take(rule), pa.array(ACTIONS).take(told), "message")
    return {
        "event_action": kind,
        "event_category": pc.if_else(pc.equal(kind, "http-request"), "web", "network"),
        "event_outcome": pc.coalesce(by_status, by_state, failed, spoken_outcome, "unknown"),
    }
