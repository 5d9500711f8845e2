"""QRadar's Log Event Extended Format, 1.0 and 2.0, bare or behind a syslog header, as events.

``LEEF:2.0|vendor|product|version|event|^|src=192.0.2.1^usrName=ann^msg=blanks are part of it``

Lines enter, one event each leaves. Attributes are apart by tabs (also where rsyslog wrote ``#011``)
or by the character that 2.0's header names, itself or in hex; where 1.0's tabs became blanks on
the way, a blank and the next key end a value. Predefined attributes fill columns, others labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import by_pieces, lines_of
from secad.collect.devices import columns as device
from secad.collect.devices.pairs import PIECE_ROWS, Pairs, read_pairs, wanted
from secad.collect.devices.records import NO_RECORD, SHORT, WHOLE, Records, read_records
from secad.collect.devices.times import LAYOUTS, Instants, first_of, java_layout, read_instants
from secad.collect.text import decode, reject
from secad.features.spans import Bytes, Places, gather

_WORD = "LEEF:"
_VENDOR, _PRODUCT, _VERSION, _EVENT = range(4)
_FIELDS = 4
_SURE = 0.99
_MOST_LAYOUTS = 16  # of one batch: a device has one
_NO_RECORD = "no LEEF record: expected 'LEEF:1.0|' or 'LEEF:2.0|' with four more fields"
_SHORT = "the LEEF header ends early: expected vendor|product|version|event|"
_TAB, _BLANKS, _PIPE, _EQUALS, _TWO, _HASH = 9, 0, ord("|"), ord("="), ord("2"), ord("#")
_LONGEST_DELIMITER = 5  # 0x5E|
_X, _ZERO, _BACKSLASH, _T = ord("x"), ord("0"), ord("\\"), ord("t")

# column -> attributes, the surest first
_KEYS = """
source_ip=src srcIP sourceAddress source_ip
source_port=srcPort sourcePort sport src_port
source_domain=srcHostName srcHost shost sourceHostName srcName
destination_ip=dst dstIP destinationAddress destination_ip
destination_port=dstPort destinationPort dport dst_port dstport
destination_domain=dstHostName dstHost dhost destinationHostName dstName
user_name=usrName userName username user usrname accountName suser
user_target_name=targetUser duser dstUser
user_id=userId uid
user_domain=domain
source_bytes=srcBytes bytesIn
destination_bytes=dstBytes bytesOut
network_transport=proto protocol
network_protocol=app application
network_direction=direction
session_id=sessionId sessionID sessionid
service_name=service serviceName
process_name=process processName
process_pid=pid processId
process_command_line=commandLine cmdLine
file_path=filePath fileName filename file
http_request_method=requestMethod method httpMethod
http_response_status_code=responseCode statusCode
user_agent_original=userAgent userAgentOriginal
http_request_referrer=referer referrer
url=url requestUrl URL
event_outcome=outcome result status
host_name=devName deviceName devname hostName
message=msg message description
rule_name=policy rule ruleName policyName
leef_action=action act
leef_category=cat
leef_reason=reason
leef_severity=sev severity
leef_realm=realm
leef_role=role
leef_device_ip=deviceAddress devIP
received=devTime
layout=devTimeFormat
login=isLoginEvent
logout=isLogoutEvent
"""
_COLUMNS = tuple(
    (name, tuple(keys.split()))
    for name, _, keys in (line.partition("=") for line in _KEYS.strip().splitlines())
)
_NAMES = [name for name, _ in _COLUMNS]
_OTHERS = ("url", "received", "layout", "login", "logout")


class Leef:
    """Log Event Extended Format; see ``Format``."""

    name = "leef"
    dataset = "leef"
    fields: Mapping[str, str] = {
        **{name: ", ".join(keys) for name, keys in _COLUMNS if name not in _OTHERS},
        "time": "devTime by devTimeFormat, else the syslog header's",
        "host_name": "devName, else the syslog header's",
        "event_provider": "vendor and product",
        "event_code": "the event's id",
        "event_action": "the id's words without numbers, else cat's, else the id",
        "event_category": "isLoginEvent, isLogoutEvent, else by the words of cat and the id",
        "event_outcome": "outcome, else what action says",
        "log_level": "sev: low, medium, high, very-high",
        "process_executable": "the same keys as process_name, where they hold a path",
        "url_domain": "url",
        "url_path": "url",
        "url_query": "url",
        "message": "msg, else the event's id",
        "leef_device_version": "version",
        "labels": "every other attribute",
    }
    extensions = pa.schema(
        [
            pa.field(f"leef_{name}", pa.string())
            for name in (
                *("device_version", "action", "category", "reason", "severity", "realm", "role"),
                "device_ip",
            )
        ]
    )
    template_columns: tuple[str, ...] = ("event_provider", "event_action")

    def matches(self, head: bytes) -> float:
        """Returns the share of lines that hold a record; see ``Format``."""
        if _WORD.encode() not in head:
            return 0.0
        text = decode(lines_of(head))
        status = read_records(text.text, _WORD, _FIELDS).status
        count = np.count_nonzero(status == WHOLE)
        return float(_SURE * count / max(len(status) + text.rejects.num_rows, 1))

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        return by_pieces(lines, lambda piece: _parse(piece, context), PIECE_ROWS)


def _parse(lines: pa.RecordBatch, context: ParseContext) -> Parsed:
    text = decode(lines)
    records = read_records(text.text, _WORD, _FIELDS)
    whole = records.status == WHOLE
    delimiters = np.zeros(len(whole), dtype=np.int64)
    _find_delimiters(records.data, records.version, records.rest, delimiters)
    pairs = read_pairs(records.data, records.rest, delimiters, _NAMES, wanted(_COLUMNS, ()))
    header, headed = device.headers(records.data, records.before)
    candidates = [header]
    if "received" in pairs.spans:
        candidates.insert(0, _received(pairs))
    time = device.times_of(candidates, context)
    timed = np.asarray(time.is_valid())
    rejects = [
        text.rejects,
        reject(text.lines, records.status == NO_RECORD, _NO_RECORD),
        reject(text.lines, records.status == SHORT, _SHORT),
        reject(text.lines, whole & ~timed, device.NO_TIME),
    ]
    columns = _columns(records, pairs, headed)
    made = device.complete(columns, Leef.fields, Leef.extensions, len(whole))
    events = pa.table({"time": time, **text.locators(), **made})
    good = whole & timed
    kept = events if good.all() else events.filter(pa.array(good))
    return Parsed(kept, pa.concat_tables(rejects), skipped=text.skipped)


def _received(pairs: Pairs) -> Instants:
    """Returns devTime's instants, each by its devTimeFormat where that is understood."""
    places = pairs.spans["received"]
    if "layout" not in pairs.spans:
        return read_instants(pairs.data, places)
    found = Instants(*np.zeros((2, places.shape[1]), dtype=np.int64))
    rest = np.ones(places.shape[1], dtype=np.bool_)
    patterns = gather(pairs.data, *pairs.spans["layout"]).dictionary_encode()
    for number, pattern in enumerate(patterns.dictionary.slice(0, _MOST_LAYOUTS).to_pylist()):
        layout = java_layout(pattern)
        if layout is None:
            continue
        rows = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(patterns.indices, number), False)))
        chosen = np.ascontiguousarray(places[:, rows])
        by_layout = read_instants(pairs.data, chosen, (layout, *LAYOUTS))
        found.micros[rows], found.flags[rows] = by_layout.micros, by_layout.flags
        rest[rows] = False
    return first_of([found, read_instants(pairs.data, np.where(rest, places, -1))])


def _columns(records: Records, pairs: Pairs, header: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    count = len(records.status)
    nothing = pa.nulls(count, pa.string())
    columns = device.texts(pairs)
    fields = [device.unescaped(gather(records.data, *field)) for field in records.fields]
    device.split_ends(columns, pairs, count)
    device.split_url(columns)
    device.write_words(columns)
    device.split_process(columns)
    device.read_numbers(columns, pairs, Leef.extensions)
    provider = pc.binary_join_element_wise(fields[_VENDOR], fields[_PRODUCT], " ")
    event = fields[_EVENT].dictionary_encode()
    said = columns.get("leef_category", nothing).dictionary_encode()
    act = columns.get("leef_action", nothing)
    severity = columns.get("leef_severity", nothing)
    return columns | {
        "host_name": pc.coalesce(columns.get("host_name", nothing), header["host_name"]),
        "event_provider": device.distinct(provider, device.slug),
        "event_code": fields[_EVENT],
        "event_action": device.kind_of(event, said, event),
        "event_category": pc.coalesce(_logins(columns, count), device.category_of(said, event)),
        "event_outcome": device.outcome_of(columns.get("event_outcome", nothing), act, event),
        "log_level": device.level_of(severity),
        "message": pc.coalesce(columns.get("message", nothing), fields[_EVENT]),
        "leef_device_version": fields[_VERSION],
        "labels": device.label_maps(pairs, count),
    }


def _logins(columns: Mapping[str, pa.Array], count: int) -> pa.Array:
    """Returns authentication where the device says that somebody came or went."""
    nothing = pa.nulls(count, pa.string())
    said = [pc.utf8_lower(columns.get(name, nothing)) for name in ("login", "logout")]
    true = pc.or_kleene(*(pc.equal(text, "true") for text in said))
    return pc.if_else(pc.fill_null(true, False), "authentication", None)


@kernel
def _find_delimiters(data: Bytes, version: Places, rest: Places, delimiters: Places) -> None:
    """Finds the byte between a record's attributes, and takes 2.0's delimiter off their front."""
    for row in range(rest.shape[1]):
        at, end = rest[0, row], rest[0, row] + rest[1, row]
        if at < 0:
            continue
        delimiters[row] = _TAB
        if data[version[0, row]] == _TWO:
            delimiter, after = _declared(data, at, end)
            delimiters[row] = delimiter
            rest[0, row], rest[1, row] = after, end - after
            at = after
        if delimiters[row] == _TAB and not _has_tab(data, at, end):
            delimiters[row] = _BLANKS


@kernel
def _declared(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the delimiter of ``^|``, ``x5E|``, ``0x5E|`` or ``|``, and the place behind it."""
    pipe = at
    while pipe < end and pipe - at < _LONGEST_DELIMITER and data[pipe] != _EQUALS:
        if data[pipe] == _PIPE and not (pipe == at and pipe + 1 < end and data[pipe + 1] == _PIPE):
            break
        pipe += 1
    if pipe >= end or data[pipe] != _PIPE:
        return _TAB, at
    if pipe == at:
        return _TAB, pipe + 1
    if pipe == at + 1:
        return data[at], pipe + 1
    return _hex(data, at, pipe), pipe + 1


@kernel
def _hex(data: Bytes, at: int, end: int) -> int:
    if data[at] == _BACKSLASH:
        at += 1
        if data[at] == _T:
            return _TAB
    at += data[at] == _ZERO
    value = 0
    for place in range(at + (data[at] | 32 == _X), end):
        letter = data[place] | 32
        if 48 <= data[place] <= 57:
            value = value * 16 + (data[place] - 48)
        elif 97 <= letter <= 102:
            value = value * 16 + (letter - 87)
    return value if 0 < value < 256 else _TAB


@kernel
def _has_tab(data: Bytes, at: int, end: int) -> bool:
    """Returns whether a tab stands there, or rsyslog's ``#011`` for one."""
    for place in range(at, end):
        if data[place] == _TAB:
            return True
        if data[place] == _HASH and place + 3 < end and data[place + 1] == _ZERO:
            eleven = data[place + 2] == _ZERO + 1 and data[place + 3] == _ZERO + 1
            if eleven:
                return True
    return False
