r"""Windows events from JSON, in whichever form they are written, to one set of columns.

Lines enter as text, ``Parsed`` leaves. ``windows.fields`` tells where a column stands,
``windows.kinds`` what an event is; here stand the rules that need more than one field: which
user, which of two processes. They differ by provider, since a field's name does not
say the same in all: ``ProcessId`` is the process in Sysmon's process creation and the parent in
that of Security.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ECS
from secad.collect.json.columns import read_json
from secad.collect.text import Text, reject
from secad.collect.windows.fields import COLUMNS, EXTENSIONS, IGNORED, PARTS, UNWRAPPED
from secad.collect.windows.forms import as_fields
from secad.collect.windows.kinds import kinds
from secad.collect.windows.times import event_times

DATASET = "windows"
TEMPLATE_COLUMNS = ("event_provider", "event_code")
NOT_AN_EVENT = "no Windows event: expected an event id, as EventID, winlog.event_id or event.code"
NO_TIME = "no time: expected UtcTime, TimeCreated, EventTime or @timestamp"
_BLANK = "-"  # Windows writes it for "nothing"

_SYSMON = "microsoft-windows-sysmon"
_SECURITY = "microsoft-windows-security-auditing"
_DESCRIBERS = pa.array([_SYSMON, _SECURITY])  # their records tell of others than who writes them
_LOGONS = pa.array(
    ["4624", "4625", "4627", "4634", "4647", "4675", "4768", "4769", "4770", "4771", "4772",
     "4773", "4776", "4777"]
)  # fmt: skip
_OUTCOMES = pa.array(["success", "failure", "unknown"])
# bit 53 and 52 of keywords: 0x8020000000000000 and 0x8010000000000000, or signed or not decimal
_SUCCESS = (
    "(?i)audit.success|^0x[0-9a-f]{2}[2367abef][0-9a-f]{13}$"
    "|^-9214364837600034816$|^9232379236109516800$"
)
_FAILURE = (
    "(?i)audit.failure|^0x[0-9a-f]{2}[159d][0-9a-f]{13}$"
    "|^-9218868437227405312$|^9227875636482146304$"
)
_LEVELS = {
    "0": "information", "1": "critical", "2": "error", "3": "warning", "4": "information",
    "5": "verbose", "info": "information", "debug": "verbose",
    "logalways": "information",
}  # fmt: skip
_TRANSPORTS = {
    "1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "58": "ipv6-icmp",
}  # fmt: skip
_DIRECTIONS = {
    "true": "outbound", "false": "inbound", "%%14592": "inbound", "%%14593": "outbound",
    "egress": "outbound", "ingress": "inbound",
}  # fmt: skip
_ADDRESS = r"^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(%[\w.-]+)?)$"
_MESSAGE = ("Message", "winlog.message", "Event.RenderingInfo.Message")
_MESSAGE_CAP = 512  # characters of its first line
_LISTS = ("winlog_privileges", "winlog_logon_process")  # written with tabs, line ends and padding
_DATA = (  # columns that hold what an event tells beyond who wrote it, and when
    "process_executable", "process_command_line", "file_path", "registry_path", "source_ip",
    "destination_ip", "dns_question_name", "user_target_name",
    *(name for name in EXTENSIONS.names if name not in {"winlog_channel", "winlog_record_id"}),
)  # fmt: skip

Columns = Mapping[str, pa.Array]


def parse_events(text: Text, context: ParseContext) -> Parsed:
    """Returns one event per JSON text; see ``Format.parse``.

    Args:
        text: JSON objects, each a Windows event.
        context: the zone of times without one.
    """
    read = read_json(
        as_fields(text.text),
        {**PARTS, **COLUMNS},
        ignored=IGNORED,
        unwrapped=UNWRAPPED,
        blank=_BLANK,
    )
    time = event_times(read.columns, context)
    broken = np.asarray(read.errors.is_valid())
    foreign = np.asarray(read.columns["code"].is_null()) & ~broken
    timeless = np.asarray(time.is_null()) & ~broken & ~foreign
    rejects = [
        text.rejects,
        reject(text.lines, broken, read.errors.drop_null()),
        reject(text.lines, foreign, NOT_AN_EVENT),
        reject(text.lines, timeless, NO_TIME),
    ]
    events = pa.table(
        {"time": time, **text.locators(), **_columns(read.columns), "labels": read.labels}
    )
    events = events.append_column("message", _messages(text.text, events))
    kept = ~(broken | foreign | timeless)
    if not kept.all():
        events = events.filter(pa.array(kept))
    return Parsed(events, pa.concat_tables(rejects), skipped=text.skipped)


def _columns(raw: Columns) -> dict[str, pa.Array]:
    """Returns every column but the time, the place, the labels and the message."""
    columns = {name: raw[name] for name in COLUMNS} | _record(raw)
    family = pc.utf8_lower(columns["event_provider"])
    describes = pc.coalesce(pc.is_in(family, _DESCRIBERS), False)
    logon = pc.and_(
        pc.coalesce(pc.equal(family, _SECURITY), False),
        pc.coalesce(pc.is_in(raw["code"], _LOGONS), False),
    )
    columns |= {name: _once(columns[name], _on_one_line) for name in _LISTS}
    columns |= _users(raw, logon, describes)
    columns |= _processes(raw, describes)
    columns |= _network(raw)
    columns |= _objects(raw)
    names = [*(name for name in ECS.names if name in columns), *EXTENSIONS.names]
    return {name: columns[name] for name in names}


def _record(raw: Columns) -> dict[str, pa.Array]:
    """Returns what the record says of itself: host, provider, kind, outcome, level."""
    channel, code, provider = raw["channel"], raw["code"], raw["provider"]
    named = _kinds(provider, code, channel)
    sysmon = pc.equal(pc.utf8_lower(named["event_provider"]), _SYSMON)
    audited = pc.if_else(pc.coalesce(sysmon, False), None, raw["event_type"])
    words = pc.utf8_lower(raw["outcome"])
    return {
        **named,
        "host_name": raw["host"],
        "event_code": code,
        "event_outcome": pc.coalesce(
            pc.if_else(pc.is_in(words, _OUTCOMES), words, None),
            _once(audited, _outcome),
            _once(raw["keywords"], _outcome),
        ),
        "log_level": _once(raw["level"], lambda text: _word(text, _LEVELS)),
        "winlog_channel": channel,
        "winlog_event_type": pc.if_else(sysmon, _once(raw["event_type"], _own_type), None),
    }


def _kinds(provider: pa.Array, code: pa.Array, channel: pa.Array) -> dict[str, pa.Array]:
    """Returns ``kinds`` of N events, worked out once for each distinct kind."""
    parts = [pc.coalesce(part, "") for part in (provider, code, channel)]
    coded = pc.binary_join_element_wise(*parts, "\n").dictionary_encode().indices
    _, first = np.unique(np.asarray(coded), return_index=True)
    rows = pa.array(first, pa.int64())
    once = kinds(provider.take(rows), code.take(rows), channel.take(rows))
    return {name: column.take(coded) for name, column in once.items()}


def _once(text: pa.Array, derive: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Returns ``derive(text)``, worked out once for each distinct text."""
    coded = text.dictionary_encode()
    return derive(coded.dictionary).take(coded.indices)


def _outcome(text: pa.Array) -> pa.Array:
    """Returns success or failure of audit words, or of the two bits that keywords have for it."""
    return pc.if_else(
        pc.match_substring_regex(text, _SUCCESS),
        "success",
        pc.if_else(pc.match_substring_regex(text, _FAILURE), "failure", None),
    )


def _own_type(text: pa.Array) -> pa.Array:
    """Returns Sysmon's types, such as SetValue; INFO and its kin are NXLog's."""
    return pc.if_else(pc.match_substring_regex(text, "^[A-Z_]+$"), None, text)


def _users(raw: Columns, logon: pa.Array, describes: pa.Array) -> dict[str, pa.Array]:
    """Returns who did it and to whom.

    Args:
        raw: the parts.
        logon: (N,) the target is who logs on, and so the user; the subject asked for it.
        describes: (N,) the provider tells of others; the record's own user is its service.
    """
    full, target = raw["full_user"], _once(raw["target_user"], _account)
    writer = pc.if_else(describes, None, raw["writer_name"])
    service = pc.and_(raw["winlog_service_name"].is_valid(), raw["writer_type"].is_null())
    writer = pc.if_else(service, None, writer)
    chosen = pc.make_struct(
        full.is_valid(),
        pc.and_(logon, target.is_valid()),
        raw["subject_user"].is_valid(),
        raw["plain_user"].is_valid(),
        writer.is_valid(),
        pa.array(np.ones(len(full), dtype=np.bool_)),
    )
    nobody = pa.nulls(len(full), pa.string())
    target_domain = pc.coalesce(raw["target_domain"], _once(raw["target_user"], _realm))
    writer_sid = pc.if_else(describes, None, raw["writer_sid"])
    sid = pc.coalesce(raw["plain_sid"], raw["subject_sid"], writer_sid)
    return {
        "user_name": pc.case_when(
            chosen, _once(full, _account), target, raw["subject_user"], raw["plain_user"],
            writer, nobody,
        ),
        "user_domain": pc.case_when(
            chosen, _once(full, _realm), target_domain, raw["subject_domain"],
            raw["plain_domain"], raw["writer_domain"], nobody,
        ),
        "user_id": pc.case_when(
            chosen, raw["plain_sid"], raw["target_sid"], raw["subject_sid"], raw["plain_sid"],
            raw["writer_sid"], sid,
        ),
        "user_target_name": pc.if_else(logon, None, target),
        "winlog_target_domain": pc.if_else(logon, None, target_domain),
        "winlog_subject_user_name": pc.if_else(logon, raw["subject_user"], None),
        "winlog_logon_id": pc.coalesce(
            pc.if_else(logon, raw["target_logon_id"], None),
            raw["subject_logon_id"],
            raw["target_logon_id"],
        ),
        "winlog_service_account": pc.coalesce(
            raw["winlog_service_account"], pc.if_else(service, raw["writer_name"], None)
        ),
        "winlog_target_user": raw["target_account"],
    }  # fmt: skip


def _account(text: pa.Array) -> pa.Array:
    r"""Returns ``ann`` of ``CORP\ann``, ``ann@CORP`` and ``CORP\ann (S-1-5-21-1-2-3-500)``."""
    return pc.replace_substring_regex(text, r"^.*\\|@.*$|\s+\(S-1-[0-9-]+\)$", "")


def _realm(text: pa.Array) -> pa.Array:
    r"""Returns ``CORP`` of ``CORP\ann`` and ``ann@CORP``, null of ``ann``."""
    found = pc.extract_regex(text, r"^(?:(?P<before>.*)\\[^\\]*|[^\\]*?@(?P<after>.*))$")
    parts = [pc.struct_field(found, [name]) for name in ("before", "after")]
    return pc.coalesce(*(pc.if_else(pc.equal(part, ""), None, part) for part in parts))


def _processes(raw: Columns, describes: pa.Array) -> dict[str, pa.Array]:
    """Returns the process that did it, its parent, and the process it was done to."""
    writer = pc.if_else(describes, None, raw["writer_pid"])
    creator = pc.if_else(raw["new_pid"].is_valid(), raw["creator_pid"], None)
    return {
        "process_name": _once(raw["process_executable"], _file_name),
        "process_pid": _once(pc.coalesce(raw["pid"], writer), _number),
        "process_entity_id": _bare_guid(raw["entity_id"]),
        "process_parent_name": _once(raw["process_parent_executable"], _file_name),
        "process_parent_pid": _once(pc.coalesce(raw["parent_pid"], creator), _number),
        "process_parent_entity_id": _bare_guid(raw["parent_entity_id"]),
        "winlog_target_name": _once(raw["winlog_target_executable"], _file_name),
        "winlog_target_pid": _once(raw["target_pid"], _number),
        "winlog_target_entity_id": _bare_guid(raw["target_entity_id"]),
    }


def _file_name(path: pa.Array) -> pa.Array:
    name = pc.replace_substring_regex(path, r"^.*[\\/]", "")
    return pc.if_else(pc.equal(name, ""), None, name)


def _number(text: pa.Array) -> pa.Array:
    """Returns int64 of decimal and ``0x`` numbers, null of anything else."""
    whole = pc.match_substring_regex(text, "^([0-9]{1,18}|0[xX][0-9A-Fa-f]{1,15})$")
    return pc.cast(pc.if_else(whole, text, None), pa.int64())


def _bare_guid(text: pa.Array) -> pa.Array:
    return pc.ascii_lower(pc.ascii_trim(text, "{}"))


def _network(raw: Columns) -> dict[str, pa.Array]:
    source, host = _once(raw["address"], _address), _once(raw["address"], _no_address)
    return {
        "source_ip": source,
        "source_port": _once(raw["source_port"], _number),
        "source_domain": pc.coalesce(raw["source_name"], host),
        "destination_ip": _once(raw["peer"], _address),
        "destination_port": _once(raw["destination_port"], _number),
        "network_transport": _once(raw["protocol"], lambda text: _word(text, _TRANSPORTS)),
        "network_direction": _once(raw["direction"], lambda text: _word(text, _DIRECTIONS)),
    }


def _address(text: pa.Array) -> pa.Array:
    """Returns IP addresses, IPv4 ones without the IPv6 prefix, null of anything else."""
    plain = pc.replace_substring_regex(text, r"^::ffff:(\d+\.)", r"\1")
    return pc.if_else(pc.match_substring_regex(plain, _ADDRESS), plain, None)


def _no_address(text: pa.Array) -> pa.Array:
    return pc.if_else(_address(text).is_null(), text, None)


def _word(text: pa.Array, words: Mapping[str, str]) -> pa.Array:
    """Returns what ``words`` make of texts in small letters, which else stay."""
    lower = pc.utf8_lower(text)
    place = pc.index_in(lower, pa.array(list(words)))
    return pc.coalesce(pa.array(list(words.values())).take(place), lower)


def _objects(raw: Columns) -> dict[str, pa.Array]:
    """Returns the file or the registry key that an event is about, or an object of other kind."""
    kind, name = pc.utf8_lower(raw["winlog_object_type"]), raw["object_name"]
    is_file, is_key = (pc.coalesce(pc.equal(kind, word), False) for word in ("file", "key"))
    return {
        "file_path": pc.coalesce(raw["file"], pc.if_else(is_file, name, None)),
        "registry_path": pc.coalesce(raw["key"], pc.if_else(is_key, name, None)),
        "winlog_object_name": pc.if_else(pc.or_(is_file, is_key), None, name),
    }


def _on_one_line(text: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"\s+", " "))


def _messages(text: pa.Array, events: pa.Table) -> pa.Array:
    """Returns (N,) the first line of an event's message where no column has data of the event."""
    bare = np.ones(len(text), dtype=np.bool_)
    for name in _DATA:
        bare &= np.asarray(events.column(name).is_null())
    rows = np.flatnonzero(bare)
    read = read_json(text.take(pa.array(rows)), {"message": _MESSAGE}, blank=_BLANK)
    line = pc.utf8_slice_codeunits(read.columns["message"], 0, _MESSAGE_CAP)
    line = pc.replace_substring_regex(pc.utf8_trim_whitespace(line), r"(?s)\s*[\r\n].*$", "")
    return pc.replace_with_mask(pa.nulls(len(text), pa.string()), pa.array(bare), line)
