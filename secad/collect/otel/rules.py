"""The rules of OpenTelemetry log records that need more than one field: kinds, levels, peers.

Texts by part and column enter, as ``otel.fields`` names them; the columns of events leave.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json import lists as json_lists
from secad.collect.json.rules import Columns, address, kind, url_parts, worded
from secad.collect.otel.fields import COLUMNS

_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")  # of four severity numbers each
_OUTCOMES = {
    "success": "success", "ok": "success", "failure": "failure", "error": "failure",
    "unknown": "unknown", "unset": "unknown",
}  # fmt: skip
_DIRECTIONS = {
    "receive": "inbound", "transmit": "outbound", "ingress": "inbound", "egress": "outbound",
    "inbound": "inbound", "outbound": "outbound",
}  # fmt: skip
_STATUS = r"^([1-5])[0-9]{2}$"
_STATUS_OUTCOMES = {
    "1": "success", "2": "success", "3": "success", "4": "failure", "5": "failure",
}  # fmt: skip
_BY_BLANKS = frozenset(("process_command_line", "message"))


def columns_of(raw: Columns) -> dict[str, pa.Array]:
    """Returns every column but the time, the place and the labels.

    Args:
        raw: the texts of PARTS and COLUMNS, N of each.
    """
    parts = {
        name: json_lists.joined(text, " ") if name in _BY_BLANKS else json_lists.first(text)
        for name, text in raw.items()
    }
    columns = {name: parts[name] for name in COLUMNS}
    whole = url_parts(parts["url"])
    columns |= {name: pc.coalesce(parts[name], text) for name, text in whole.items()}
    columns |= _kinds(parts, columns["url_path"])
    columns |= _network(parts, columns["url_path"])
    return columns


def _kinds(parts: Columns, path: pa.Array) -> dict[str, pa.Array]:
    """Returns what kind of record it is, from where, how it ended and how grave it is.

    Args:
        parts: the texts.
        path: (N,) the path of a URL.
    """
    told = {
        "http": pc.or_(pc.is_valid(parts["http_request_method"]), pc.is_valid(path)),
        "database": pc.is_valid(parts["database"]),
        "rpc": pc.is_valid(parts["procedure"]),
        "exception": pc.is_valid(parts["exception"]),
    }
    nothing = pa.nulls(len(path), pa.string())
    named = [pc.if_else(rows, name, nothing) for name, rows in told.items()]
    category = {"http": "web", "database": "database"}
    status = pc.replace_substring_regex(parts["http_response_status_code"], _STATUS, r"\1")
    number = pc.replace_substring_regex(parts["severity_number"], "[^0-9]+", "")
    return {
        "event_provider": pc.coalesce(parts["log_logger"], parts["service_name"]),
        "event_action": pc.coalesce(kind(parts["event"]), *named, "log"),
        "event_category": worded(pc.coalesce(*named), category),
        "event_outcome": pc.coalesce(
            worded(parts["status"], _OUTCOMES), worded(status, _STATUS_OUTCOMES)
        ),
        "log_level": pc.coalesce(pc.utf8_lower(parts["severity"]), _level(number)),
        "otel_db_system": parts["database"],
        "otel_exception_type": parts["exception"],
        "otel_route": parts["route"],
        "otel_rpc_method": parts["procedure"],
        "otel_severity_number": pc.if_else(pc.equal(number, ""), None, number),
    }


def _level(number: pa.Array) -> pa.Array:
    """Returns the name of the range that a severity number is in."""
    known = {str(place + 1): _LEVELS[place // 4] for place in range(4 * len(_LEVELS))}
    return worded(number, known)


def _network(parts: Columns, path: pa.Array) -> dict[str, pa.Array]:
    """Returns who calls and who is called; a peer calls where a request is served here."""
    client, client_name = address(parts["client"])
    server, server_name = address(parts["server"])
    peer, peer_name = address(parts["peer"])
    unknown = pc.and_(pc.is_null(parts["client"]), pc.is_null(parts["client_port"]))
    served = pc.or_(pc.is_valid(parts["route"]), pc.is_valid(path))
    calls = pc.and_(unknown, served)
    called = pc.and_(pc.is_null(parts["server"]), pc.invert(served))
    return {
        "source_ip": pc.coalesce(client, pc.if_else(calls, peer, None)),
        "source_domain": pc.coalesce(client_name, pc.if_else(calls, peer_name, None)),
        "source_port": pc.coalesce(
            parts["client_port"], pc.if_else(calls, parts["peer_port"], None)
        ),
        "destination_ip": pc.coalesce(server, pc.if_else(called, peer, None)),
        "destination_domain": pc.coalesce(server_name, pc.if_else(called, peer_name, None)),
        "destination_port": pc.coalesce(
            parts["server_port"], pc.if_else(called, parts["peer_port"], None)
        ),
        "network_transport": pc.replace_substring_regex(
            pc.utf8_lower(parts["network_transport"]), "^ip_", ""
        ),
        "network_direction": worded(parts["network_direction"], _DIRECTIONS),
    }
