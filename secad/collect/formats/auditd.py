"""Linux audit records (``audit.log``, or syslog lines that wrap them) as events.

Lines enter; the records of one audit id leave as one event: the system call or message that leads
it, with the program's arguments, the files, the socket and the user that its other records name.
The first record that has a value gives it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import TIME
from secad.collect.auditd.joined import Joined, each_distinct
from secad.collect.auditd.names import AUXILIARY_TYPES, call_name, kind_of_call, kind_of_record
from secad.collect.auditd.records import NO_ID, NO_TYPE, bodies, headers, open_lines
from secad.collect.auditd.values import Sockets, command_lines, lists_of, sockets, unhex
from secad.collect.text import decode, reject
from secad.features.key_values import UNKNOWN, first_of_each_key, labels
from secad.features.spans import Places, buffer_of, gather

_FAULTS = {
    NO_ID: "no audit id: expected msg=audit(SECONDS.MILLIS:SERIAL)",
    NO_TYPE: "no record type: expected type=NAME before the audit id",
}
_OUTCOMES = {"yes": "success", "success": "success", "1": "success", "no": "failure"}
_OUTCOMES |= {"failed": "failure", "0": "failure", "fail": "failure"}
_INCOMING = pa.array(["accept", "receive"])  # here the socket address is the peer that calls
_ACCESS_TYPES = pa.array(["AVC", "USER_AVC"])
_TOLD_TYPES = ("CWD", "EXECVE", "PATH", "PROCTITLE", "SOCKADDR")  # their fields stand in columns
_PATH_KINDS = pa.array(["PARENT", "UNKNOWN", "NORMAL", "DELETE", "CREATE"])  # more telling later
_UNKNOWN_KIND = pa.scalar(1, pa.int32())

# type=USER_CMD msg=audit(1642999086.239:2230): pid=...
_LINE = r"^(?:[^\"=]{0,300}[ :])?(?:node=\S+ )?type=[A-Z0-9_\[\]]+ +(?:msg=)?audit\(\d+\.\d+:\d+\)"
# type=AVC ... avc:  denied  { read } for ... | apparmor="DENIED"
_AVC = r"avc: +(?P<decision>denied|granted)"
# 192.0.2.1 | 2001:db8::1 | fe80::1%eth0
_IP = r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%\w+)?)$"


class Auditd:
    """Linux audit records, joined by audit id; see ``Format`` and ``HoldsBack``."""

    name = "auditd"
    dataset = "auditd"
    fields: Mapping[str, str] = {
        "time": "audit(SECONDS.MILLIS:...)",
        "host_name": "node, or the host of a wrapping syslog line",
        "event_code": "type of the leading record",
        "event_action": "kind of system call, or of the leading record's type",
        "event_outcome": "success, res, or the decision of an AVC record",
        "user_name": "acct, else AUID, else UID",
        "user_id": "auid, else uid",
        "user_effective_name": "EUID",
        "session_id": "ses",
        "process_pid": "pid",
        "process_parent_pid": "ppid",
        "process_executable": "exe",
        "process_name": "comm",
        "process_command_line": "EXECVE a0.., else cmd, else proctitle",
        "process_working_directory": "cwd",
        "file_path": "name of the created, deleted or used PATH, else path, name or a unix socket",
        "source_ip": "addr, hostname, or saddr of accept and receive",
        "source_domain": "hostname, addr",
        "source_port": "rport, or saddr of accept and receive",
        "destination_ip": "saddr, laddr",
        "destination_port": "saddr, lport",
        "auditd_auid": "auid",
        "auditd_euid": "euid",
        "auditd_exit": "exit",
        "auditd_file_mode": "mode of the PATH that file_path names",
        "auditd_key": "key of the rule, several joined by a comma",
        "auditd_operation": "op",
        "auditd_paths": "name of each PATH",
        "auditd_record_count": "records of the event",
        "auditd_record_types": "their types, repeated ones once",
        "auditd_socket_family": "family in saddr",
        "auditd_syscall": "SYSCALL, else syscall by the table of arch",
        "auditd_terminal": "terminal, tty",
        "auditd_uid": "uid",
        "auditd_unit": "unit",
        "message": "fields of the leading record",
        "labels": "every other field",
    }
    extensions = pa.schema(
        [
            pa.field("auditd_auid", pa.string()),
            pa.field("auditd_euid", pa.string()),
            pa.field("auditd_exit", pa.string()),
            pa.field("auditd_file_mode", pa.string()),
            pa.field("auditd_key", pa.string()),
            pa.field("auditd_operation", pa.string()),
            pa.field("auditd_record_types", pa.string()),
            pa.field("auditd_socket_family", pa.string()),
            pa.field("auditd_syscall", pa.string()),
            pa.field("auditd_terminal", pa.string()),
            pa.field("auditd_uid", pa.string()),
            pa.field("auditd_unit", pa.string()),
            pa.field("auditd_paths", pa.list_(pa.string())),
            pa.field("auditd_record_count", pa.int64()),
        ]
    )
    template_columns = ("event_code", "event_action")

    def matches(self, head: bytes) -> float:
        """Returns the share of lines that are audit records; see ``Format``."""
        lines = head.split(b"\n")
        lines = [line for line in lines[: max(len(lines) - 1, 1)] if line.strip()]
        lines = [line for line in lines if not line.startswith(b"#")]
        if not lines:
            return 0.0
        found = pc.match_substring_regex(pa.array(lines, pa.binary()), _LINE)
        return 0.98 * float(pc.mean(found).as_py())

    def hold_back(self, lines: pa.RecordBatch) -> int:
        """Returns how many of the last lines belong to events that may go on."""
        return open_lines(lines.column("raw"), lines.column("line").to_numpy())

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:  # noqa: ARG002
        """Returns one event per audit id; see ``Format``."""
        text = decode(lines)
        found = headers(text.text)
        comment = np.asarray(pc.starts_with(text.text, "#")) & (found.fault > 0)
        rejects = [text.rejects]
        for fault, reason in _FAULTS.items():
            rejects.append(reject(text.lines, (found.fault == fault) & ~comment, reason))
        good = found.fault == 0
        events = _table(Joined(text, found))
        return Parsed(
            events,
            pa.concat_tables(rejects),
            joined=int(good.sum()) - events.num_rows,
            skipped=text.skipped + int(comment.sum()),
        )


def _table(joined: Joined) -> pa.Table:
    process = _process(joined)
    kind = _kind(joined)
    address = sockets(joined.pairs.values(joined.pick("saddr")))
    files = _files(joined, process["process_working_directory"])
    files["file_path"] = pc.coalesce(files["file_path"], address.path)
    return pa.table(
        {
            **_place(joined),
            **kind,
            **_user(joined),
            **process,
            **files,
            **_network(joined, address, pc.is_in(kind["event_action"], _INCOMING)),
            "labels": _labels(joined),
        }
    )


def _place(joined: Joined) -> dict[str, pa.Array]:
    rows, lines = joined.rows, joined.text.lines
    first = joined.first(rows)
    last = np.zeros(joined.count, dtype=np.int64)
    last[joined.event[rows]] = rows
    offsets, lengths = (lines.column(name).to_numpy() for name in ("byte_offset", "byte_length"))
    data, _ = buffer_of(joined.text.text)
    return {
        "time": pa.array(joined.headers.time_us[first]).cast(TIME),
        "line": lines.column("line").take(pa.array(first)),
        "byte_offset": pa.array(offsets[first]),
        "byte_length": pa.array(offsets[last] + lengths[last] - offsets[first]),
        "host_name": gather(data, *joined.headers.node[:, first]),
    }


def _kind(joined: Joined) -> dict[str, pa.Array]:
    leads = _leads(joined)
    code = joined.types.take(pa.array(leads)).cast(pa.string())
    calls = _calls(joined)
    message = bodies(joined.text.text, joined.headers, leads)
    decision = _decision(joined, code, message)
    refused = pc.if_else(pc.equal(decision, "denied"), "failure", pa.scalar(None, pa.string()))
    by_record = pc.coalesce(
        pc.binary_join_element_wise("avc", decision, "-"), each_distinct(code, kind_of_record)
    )
    by_call = pc.coalesce(each_distinct(calls, kind_of_call), "syscall")
    outcomes = [each_distinct(joined.value(key), _OUTCOMES.get) for key in ("success", "res")]
    return {
        "event_code": code,
        "event_action": pc.if_else(pc.equal(code, "SYSCALL"), by_call, by_record),
        "event_outcome": pc.coalesce(*outcomes, refused),
        "message": message,
        "auditd_syscall": calls,
        "auditd_exit": joined.value("exit"),
        "auditd_key": pc.replace_substring(joined.words("key"), "\x01", ","),
        "auditd_operation": joined.value("op"),
        "auditd_record_types": _record_types(joined),
        "auditd_record_count": pa.array(
            np.bincount(joined.event[joined.rows], minlength=joined.count)
        ),
    }


def _leads(joined: Joined) -> Places:
    """Returns (E,) the line of the record that leads each event: no auxiliary one if it can be."""
    auxiliary = joined.is_type(*AUXILIARY_TYPES)
    better = joined.first(joined.rows[~auxiliary[joined.rows]])
    return np.where(better >= 0, better, joined.first(joined.rows))


def _calls(joined: Joined) -> pa.Array:
    """Returns (E,) the names of the system calls."""
    number = pc.coalesce(joined.value("SYSCALL"), joined.value("syscall"))
    both = pc.binary_join_element_wise(pc.coalesce(joined.value("arch"), ""), number, "/")
    return each_distinct(both, lambda text: call_name(*text.split("/", 1)))


def _decision(joined: Joined, code: pa.Array, message: pa.Array) -> pa.Array:
    """Returns (E,) what SELinux or AppArmor decided, of events that an AVC record leads."""
    is_avc = pc.is_in(code, _ACCESS_TYPES)
    if not pc.any(is_avc).as_py():
        return pa.nulls(joined.count, pa.string())
    found = pc.extract_regex(pc.if_else(is_avc, message, None), _AVC)
    profile = pc.utf8_lower(joined.value("apparmor"))
    known = pc.match_substring_regex(profile, r"^[a-z]{1,12}$")
    decision = pc.coalesce(pc.struct_field(found, ["decision"]), pc.if_else(known, profile, None))
    return pc.if_else(is_avc, decision, None)


def _record_types(joined: Joined) -> pa.Array:
    rows = joined.rows[np.argsort(joined.event[joined.rows], kind="stable")]
    events, codes = joined.event[rows], joined.type_codes[rows]
    again = np.zeros(len(rows), dtype=np.bool_)
    again[1:] = (events[1:] == events[:-1]) & (codes[1:] == codes[:-1])
    names = joined.types.take(pa.array(rows[~again])).cast(pa.string())
    return pc.binary_join(lists_of(events[~again], joined.count, names), ",")


def _user(joined: Joined) -> dict[str, pa.Array]:
    auid, uid = joined.value("auid"), joined.value("uid")
    return {
        "user_name": pc.coalesce(joined.words("acct"), joined.value("AUID"), joined.value("UID")),
        "user_id": pc.coalesce(auid, uid),
        "user_effective_name": joined.value("EUID"),
        "session_id": joined.value("ses"),
        "auditd_auid": auid,
        "auditd_uid": uid,
        "auditd_euid": joined.value("euid"),
        "auditd_terminal": pc.coalesce(joined.value("terminal"), joined.value("tty")),
        "auditd_unit": joined.words("unit"),
    }


def _process(joined: Joined) -> dict[str, pa.Array]:
    pairs = joined.pairs
    chosen = np.flatnonzero(joined.is_type("EXECVE")[pairs.row])
    arguments = command_lines(pairs, chosen, joined.event[pairs.row[chosen]], joined.count)
    title = pc.utf8_rtrim_whitespace(joined.words("proctitle"))
    return {
        "process_pid": joined.number("pid"),
        "process_parent_pid": joined.number("ppid"),
        "process_executable": joined.words("exe"),
        "process_name": joined.words("comm"),
        "process_command_line": pc.coalesce(arguments, joined.words("cmd"), title),
        "process_working_directory": joined.words("cwd"),
    }


def _network(joined: Joined, address: Sockets, incoming: pa.Array) -> dict[str, pa.Array]:
    ip, name = _ip_or_name(joined.value("addr"))
    host_ip, host = _ip_or_name(joined.value("hostname"))
    return {
        "source_ip": pc.coalesce(ip, host_ip, pc.if_else(incoming, address.ip, None)),
        "source_domain": pc.coalesce(host, name),
        "source_port": pc.coalesce(
            joined.number("rport"), pc.if_else(incoming, address.port, None)
        ),
        "destination_ip": pc.coalesce(
            pc.if_else(incoming, None, address.ip), joined.value("laddr")
        ),
        "destination_port": pc.coalesce(
            pc.if_else(incoming, None, address.port), joined.number("lport")
        ),
        "auditd_socket_family": address.family,
    }


def _ip_or_name(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    is_ip = pc.match_substring_regex(text, _IP)
    return pc.if_else(is_ip, text, None), pc.if_else(is_ip, None, text)


def _files(joined: Joined, directory: pa.Array) -> dict[str, pa.Array]:
    """Returns the columns of PATH records, and of the fields that name a file elsewhere."""
    paths = joined.is_type("PATH")
    rows = np.flatnonzero(paths)
    names = unhex(joined.pairs, joined.per_line("name", paths)[rows])
    kinds = joined.pairs.values(joined.per_line("nametype", paths)[rows])
    modes = joined.pairs.values(joined.per_line("mode", paths)[rows])
    named = np.flatnonzero(np.asarray(names.is_valid()))
    events = joined.event[rows[named]]
    ranks = pc.coalesce(pc.index_in(kinds, _PATH_KINDS), _UNKNOWN_KIND).to_numpy()[named]
    order = np.lexsort((named, -ranks, events))  # of each event the most telling one first
    best = joined.per_event(rows[named[order]], named[order])
    chosen = pa.array(best, mask=best < 0)
    order = np.argsort(events, kind="stable")
    listed = lists_of(events[order], joined.count, names.take(pa.array(named[order])))
    file = _absolute(names.take(chosen), directory)
    others = (joined.words("path"), joined.words("name", ~paths))
    return {
        "file_path": pc.coalesce(file, *others),
        "auditd_file_mode": modes.take(chosen),
        "auditd_paths": pc.if_else(pc.greater(pc.list_value_length(listed), 0), listed, None),
    }


def _absolute(path: pa.Array, directory: pa.Array) -> pa.Array:
    relative = pc.invert(pc.starts_with(path, "/"))
    slash = pc.if_else(pc.ends_with(directory, "/"), "", "/")
    joined = pc.binary_join_element_wise(directory, path, slash)
    return pc.if_else(relative, pc.coalesce(joined, path), path)


def _labels(joined: Joined) -> pa.MapArray:
    pairs = joined.pairs
    chosen = pairs.of(UNKNOWN)
    chosen = chosen[~joined.is_type(*_TOLD_TYPES)[pairs.row[chosen]]]
    order = np.argsort(joined.event[pairs.row[chosen]], kind="stable")
    chosen = chosen[order]
    events = joined.event[pairs.row[chosen]]
    first = first_of_each_key(pairs, chosen, events)
    chosen, events = chosen[first], events[first]
    return labels(events, joined.count, pairs.keys(chosen), pairs.values(chosen))
