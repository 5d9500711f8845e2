"""The records of one of Zeek's logs to columns of EVENTS, however they were written.

Fields enter as pieces of the lines, the columns of ``zeek.fields`` leave, with what follows from
more than one field: whether it succeeded, the parts of a web address, who sent a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext
from secad.base.schemas import TIME
from secad.collect.instants import instants
from secad.collect.pieces import Pieces, decimals
from secad.collect.web.targets import split_target
from secad.collect.zeek.fields import PART, Log, column_of, is_whole

_SECONDS = 9  # an interval in seconds, as nanoseconds
_FIRST_FAILURE = 400  # of HTTP, SIP and FTP: 4xx and 5xx
_FAILED, _SUCCEEDED = "failure", "success"
_FLAGS = {"true": _SUCCEEDED, "false": _FAILED, "T": _SUCCEEDED, "F": _FAILED}
_STATES = {
    **dict.fromkeys(("SF", "S1", "S2", "S3", "RSTO", "RSTR"), _SUCCEEDED),  # it was established
    **dict.fromkeys(("S0", "REJ", "SH", "SHR", "RSTOS0", "RSTRH"), _FAILED),
}
_RESULTS = {"success": _SUCCEEDED, "failed": _FAILED, "failure": _FAILED}
_OUTCOMES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "conn": ("zeek_conn_state", _STATES),
    "ssl": ("zeek_established", _FLAGS),
    "ssh": ("zeek_auth_success", _FLAGS),
    "rdp": ("zeek_auth_success", _FLAGS),
    "rfb": ("zeek_auth", _FLAGS),
    "radius": ("zeek_result", _RESULTS),
    "ldap": ("zeek_result", _RESULTS),
    "ldap_search": ("zeek_result", _RESULTS),
    "socks": ("zeek_status", {"succeeded": _SUCCEEDED, "unknown": "unknown"}),
    "smb_cmd": ("zeek_status", {"SUCCESS": _SUCCEEDED}),
    **dict.fromkeys(
        ("kerberos", "ntlm", "mysql", "postgresql", "redis", "packet_filter"),
        ("zeek_success", _FLAGS),
    ),
}
"""Log -> the column that tells whether it succeeded, and the outcome of its values."""

_ELSE = {"socks": _FAILED, "smb_cmd": _FAILED, "ldap": _FAILED, "ldap_search": _FAILED}
_CODES: Mapping[str, tuple[str, int]] = {
    "dns": ("zeek_rcode", 1),
    "http": ("http_response_status_code", _FIRST_FAILURE),
    "sip": ("http_response_status_code", _FIRST_FAILURE),
    "ftp": ("zeek_reply_code", _FIRST_FAILURE),
}
"""Log -> the column of a code, and the first code that means failure."""

_IN_SMALL_LETTERS = ("network_direction", "network_transport", "network_protocol", "log_level")
_TRANSFERS = pa.array(["RETR", "STOR", "STOU", "APPE", "DELE"])

Columns = dict[str, pa.Array]


class Records(Protocol):
    """N records of one log, by the names of their fields."""

    @property
    def count(self) -> int:
        """Returns N."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names of the fields."""
        ...

    def pieces(self, name: str) -> Pieces:
        """Returns (N,) where the values of a field stand."""
        ...

    def text(self, name: str) -> pa.StringArray:
        """Returns (N,) the values of a field; sets are joined with commas, truth is a word."""
        ...


def columns_of(
    log: Log, records: Records, context: ParseContext
) -> tuple[Columns, dict[str, pa.Array]]:
    """Returns the columns of records, those that hold nothing left out, and their labels by name.

    Args:
        log: the one that they are of.
        records: N of them.
        context: the zone of times that have none.
    """
    columns: Columns = {}
    labels: dict[str, pa.Array] = {}
    for name in records.names:
        column = column_of(log, name)
        if column is None:
            found = labels[name] = records.text(name)
        elif column == "time":
            found = instants(records.pieces(name), context)
        elif is_whole(column):
            found = _numbers(name, column, records, labels)
        else:
            found = records.text(name)
        if column is None or found.null_count == records.count:
            continue
        columns[column] = pc.coalesce(columns[column], found) if column in columns else found
    if "time" not in columns:
        columns["time"] = pa.nulls(records.count, TIME)
    _derive(log, columns)
    return columns, labels


def _numbers(name: str, column: str, records: Records, labels: Columns) -> pa.Array:
    """Returns whole numbers; what is none becomes a label."""
    power = _SECONDS if column == "event_duration" else 0
    found, wrong = decimals(records.pieces(name), power)
    if len(wrong):
        chosen = pa.array(range(records.count), pa.int64())
        lost = pc.is_in(chosen, pa.array(wrong))
        labels[name] = pc.if_else(lost, records.text(name), None)
    return found


def _derive(log: Log, columns: Columns) -> None:
    """Adds the columns that follow from others."""
    for name in _IN_SMALL_LETTERS:
        if name in columns:
            columns[name] = once(columns[name], pc.utf8_lower)
    if log.protocol and "network_protocol" not in columns:
        columns["network_protocol"] = pa.repeat(log.protocol, len(columns["time"]))
    for needed, add in _ADDED.items():
        if needed in columns:
            add(columns)
    outcome = _outcome(log.name, columns)
    if outcome is not None:
        columns["event_outcome"] = outcome
    for name in [name for name in columns if name.startswith(PART)]:
        del columns[name]


def once(text: pa.Array, derive: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Returns ``derive(text)``, worked out once for each distinct text."""
    coded = text.dictionary_encode()
    return derive(coded.dictionary).take(coded.indices)


def _outcome(log: str, columns: Columns) -> pa.Array | None:
    """Returns (N,) success, failure or unknown; None where the log tells of neither."""
    column, words = _OUTCOMES.get(log, ("", {}))
    if column in columns:
        coded = columns[column].dictionary_encode()
        place = pc.index_in(coded.dictionary, pa.array(list(words)))
        known = pa.array(list(words.values())).take(place)
        return pc.coalesce(known, _ELSE.get(log, "unknown")).take(coded.indices)
    column, first_failure = _CODES.get(log, ("", 0))
    if column in columns:
        return pc.if_else(pc.less(columns[column], first_failure), _SUCCEEDED, _FAILED)
    return None


def _add_target(columns: Columns) -> None:
    host, columns["url_path"], columns["url_query"] = split_target(columns["~target"])
    named = columns.get("url_domain")
    columns["url_domain"] = host if named is None else pc.coalesce(named, host)


def _add_principal(columns: Columns) -> None:
    """Adds user and realm of Kerberos' ``user/REALM``."""
    parts = pc.extract_regex(
        columns["~principal"],
        r"^(?P<user>.*?)(?:/(?P<realm>[^/]*))?$",
    )
    user, realm = (pc.struct_field(parts, [name]) for name in ("user", "realm"))
    columns["user_name"] = _filled(user)
    columns["user_domain"] = _filled(realm)


def _filled(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, ""), None, text)


def _add_file(columns: Columns) -> None:
    r"""Adds the path of a file: ``\\server\share\name``."""
    nothing = pa.nulls(len(columns["time"]), pa.string())
    share, name = columns.get("zeek_path", nothing), columns["~file"]
    joined = pc.binary_join_element_wise(pc.utf8_rtrim(share, "\\"), name, "\\")
    columns["file_path"] = pc.coalesce(joined, name)
    columns["zeek_name"] = name


def _add_transfer(columns: Columns) -> None:
    """Adds the path of a file that FTP transfers."""
    if "zeek_arg" in columns:
        moves = pc.is_in(columns["zeek_command"], _TRANSFERS)
        columns["file_path"] = pc.if_else(moves, columns["zeek_arg"], None)


def _add_hosts(columns: Columns) -> None:
    """Adds the ends of the connection of a file: who sent and who received it say one with which.

    Newer Zeek writes the connection itself.
    """
    if "source_ip" in columns or not {"zeek_tx_hosts", "zeek_rx_hosts"} <= columns.keys():
        return
    sender, receiver = columns["zeek_tx_hosts"], columns["zeek_rx_hosts"]
    upwards = pc.equal(columns.get("zeek_is_orig", pa.repeat("false", len(sender))), "true")
    columns["source_ip"] = pc.if_else(upwards, sender, receiver)
    columns["destination_ip"] = pc.if_else(upwards, receiver, sender)


def constants_of(log: Log, count: int) -> Columns:
    """Returns the columns that are the same in all records of a log.

    Args:
        log: a known one.
        count: N.
    """
    return {
        "event_provider": pa.repeat(log.name, count) if log.name else pa.nulls(count, pa.string()),
        "event_action": pa.repeat(kind_of(log.name), count),
        "event_category": pa.repeat(log.category, count),
    }


def kind_of(log: str) -> str:
    """Returns the kind of a log's events, such as ``zeek-smb-files``."""
    words = "".join(mark if mark.isalnum() and mark.isascii() else "-" for mark in log.lower())
    return f"zeek-{words.strip('-') or 'unknown'}"


_ADDED: Mapping[str, Callable[[Columns], None]] = {
    "~target": _add_target,
    "~principal": _add_principal,
    "~file": _add_file,
    "zeek_command": _add_transfer,
    "zeek_tx_hosts": _add_hosts,
}
"""What is added where there is such a column."""
