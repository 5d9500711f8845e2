"""Suricata's EVE records to columns of EVENTS: what follows from more than one field.

Fields enter as columns of text, as they were read; typed columns leave. The names that DNS asked
for stand in an array since version 3, the parts of a web address in one text, and whether
something succeeded says each protocol in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext
from secad.collect.instants import instants
from secad.collect.json.columns import read_json
from secad.collect.pieces import decimals, pieces_of
from secad.collect.suricata.fields import PART, WHOLE
from secad.collect.web.targets import split_target

_FIRST_FAILURE = 400  # of HTTP and SIP: 4xx and 5xx
_NANOSECONDS = 1000  # of a microsecond
_FAILED, _SUCCEEDED = "failure", "success"
_OUTCOMES: tuple[tuple[str, Mapping[str, str], str | None], ...] = (
    ("suricata_dns_rcode", {"NOERROR": _SUCCEEDED}, _FAILED),
    ("suricata_krb5_failed_request", {"false": _SUCCEEDED}, _FAILED),
    ("suricata_smb_status", {"STATUS_SUCCESS": _SUCCEEDED}, _FAILED),
    ("suricata_nfs_status", {"OK": _SUCCEEDED}, _FAILED),
)
"""Column, the outcome of its values, that of all others."""

_PROTOCOLS = pa.array(
    ["dns", "http", "tls", "smtp", "ssh", "dhcp", "smb", "krb5", "rdp", "ftp", "ftp_data", "nfs",
     "mqtt", "ike", "ikev2", "snmp", "sip", "modbus", "dnp3", "tftp", "pgsql", "quic", "rfb",
     "telnet", "dcerpc", "rpc", "http2", "mdns", "ldap", "pop3", "websocket", "enip",
     "bittorrent_dht", "template", "doh2"]
)  # fmt: skip
_CATEGORIES = {
    "alert": "intrusion_detection", "anomaly": "intrusion_detection", "http": "web",
    "http2": "web", "fileinfo": "file", "smtp": "email", "krb5": "authentication", "ssh": "session",
    "rdp": "session", "rfb": "session", "telnet": "session",
}  # fmt: skip
_NOT_KNOWN = pa.array(["failed", "unknown"])  # app_proto where there is none
# {"rrname":"a.example"},{"rrname":"b.example"}: the first of several objects
_FIRST_OBJECT = r'^(?P<first>\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\})'

_NO_CONTEXT = ParseContext(datetime(1970, 1, 1, tzinfo=UTC))  # for differences of times

Columns = dict[str, pa.Array]


def columns_of(read: Columns, context: ParseContext) -> tuple[Columns, Columns]:
    """Returns the columns of records, and as labels the texts that should be numbers and are none.

    Args:
        read: column -> (N,) string of those in ``suricata.fields`` that hold something; ``time``
            and ``~type`` are among them.
        context: the zone of times that have none.
    """
    columns, labels = dict(read), Columns()
    columns["time"] = instants(pieces_of(read["time"]), context)
    for name in WHOLE & read.keys():
        columns[name], wrong = decimals(pieces_of(read[name]))
        if len(wrong):
            lost = pc.is_in(pa.array(range(len(read[name]))), pa.array(wrong))
            labels[name] = pc.if_else(lost, read[name], None)
    columns |= _kinds(read["~type"])
    if "network_transport" in read:
        columns["network_transport"] = _words(read["network_transport"])
    columns["network_protocol"] = _protocols(columns)
    _add_parts(columns)
    _add_users(columns)
    outcome = _outcomes(columns)
    if outcome is not None:
        columns["event_outcome"] = outcome
    for name in [name for name in columns if name.startswith(PART)]:
        del columns[name]
    return columns, labels


def _kinds(types: pa.Array) -> Columns:
    coded = types.dictionary_encode()
    words = pc.utf8_lower(coded.dictionary)
    kinds = pc.replace_substring_regex(words, r"[^a-z0-9]+", "-")
    categories = [_CATEGORIES.get(word, "network") for word in words.to_pylist()]
    actions = pc.binary_join_element_wise("suricata", kinds, "-")
    return {
        "event_action": actions.take(coded.indices),
        "event_category": pa.array(categories, pa.string()).take(coded.indices),
        "event_provider": pa.repeat("suricata", len(types)),
    }


def _words(text: pa.Array) -> pa.Array:
    coded = text.dictionary_encode()
    return pc.utf8_lower(coded.dictionary).take(coded.indices)


def _protocols(columns: Columns) -> pa.Array:
    """Returns the protocol that was recognised, else the one that the record is of."""
    coded = columns["~type"].dictionary_encode()
    words = pc.utf8_lower(coded.dictionary)
    of_type = pc.if_else(pc.is_in(words, _PROTOCOLS), words, None).take(coded.indices)
    if "network_protocol" not in columns:
        return of_type
    coded = columns["network_protocol"].dictionary_encode()
    words = pc.utf8_lower(coded.dictionary)
    told = pc.if_else(pc.is_in(words, _NOT_KNOWN), None, words).take(coded.indices)
    return pc.coalesce(told, of_type)


def _add_parts(columns: Columns) -> None:
    """Adds the columns that are parts of a field or span two."""
    if "~target" in columns:
        host, columns["url_path"], columns["url_query"] = split_target(columns["~target"])
        named = columns.get("url_domain")
        columns["url_domain"] = host if named is None else pc.coalesce(named, host)
    if "~version" in columns:
        coded = columns["~version"].dictionary_encode()
        bare = pc.replace_substring_regex(coded.dictionary, "(?i)^http/", "")
        columns["http_version"] = bare.take(coded.indices)
    if {"~start", "~end"} <= columns.keys():
        start, end = (
            instants(pieces_of(columns[name]), _NO_CONTEXT).cast(pa.int64())
            for name in ("~start", "~end")
        )
        columns["event_duration"] = pc.multiply(pc.subtract(end, start), _NANOSECONDS)
        columns["suricata_flow_start"] = columns["~start"]
    if "~queries" in columns:
        name, kind = _questions(columns["~queries"])
        for column, found in (("dns_question_name", name), ("suricata_dns_rrtype", kind)):
            told = columns.get(column)
            columns[column] = found if told is None else pc.coalesce(told, found)


def _questions(queries: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Returns (N,) the name and the type of the first of the questions that a DNS record has."""
    asked = queries.is_valid()
    wanted = {"name": ("rrname",), "type": ("rrtype",)}
    text = queries.drop_null()
    read = read_json(text, wanted)
    if read.errors.null_count < len(text):  # several questions, which nobody's resolver asks
        first = pc.struct_field(pc.extract_regex(text, _FIRST_OBJECT), ["first"])
        read = read_json(pc.coalesce(first, "{}"), wanted)
    nothing = pa.nulls(len(queries), pa.string())
    name, kind = (pc.replace_with_mask(nothing, asked, read.columns[part]) for part in wanted)
    return name, kind


def _add_users(columns: Columns) -> None:
    """Adds the user whom an FTP client names."""
    if not {"suricata_ftp_command", "suricata_ftp_command_data"} <= columns.keys():
        return
    names = pc.coalesce(pc.equal(columns["suricata_ftp_command"], "USER"), False)
    user = pc.if_else(names, columns["suricata_ftp_command_data"], None)
    told = columns.get("user_name")
    columns["user_name"] = user if told is None else pc.coalesce(told, user)


def _outcomes(columns: Columns) -> pa.Array | None:
    """Returns (N,) success or failure, null where a record tells of neither; None where all do."""
    found = []
    if "http_response_status_code" in columns:
        status = columns["http_response_status_code"]
        found.append(pc.if_else(pc.less(status, _FIRST_FAILURE), _SUCCEEDED, _FAILED))
    for name, words, others in _OUTCOMES:
        if name in columns:
            coded = columns[name].dictionary_encode()
            values = [words.get(value, others) for value in coded.dictionary.to_pylist()]
            found.append(pa.array(values, pa.string()).take(coded.indices))
    return pc.coalesce(*found) if found else None
