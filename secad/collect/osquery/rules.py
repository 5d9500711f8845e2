"""The rules of osquery results that need more than one cell: kinds, times, who calls whom.

Texts by part and column enter, as ``osquery.fields`` names them; the columns of events leave.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json.rules import Columns, address, base_name, kind, once_each, worded
from secad.collect.osquery.fields import COLUMNS

_DAEMON = "osqueryd"
# pack_incident-response_process_events | pack/fim/file_events
_PACK = "^pack([_/:])[^_/:]+[_/:]"
_REMOVED = r'"removed"\s*:\s*\{'
_CATEGORIES = (  # the first whose pattern is in the name of the query
    ("network", "socket|port|dns|arp|interface|route|etc_hosts|curl|connection|network"),
    ("session", "logged_in|logon|session"),
    ("authentication", "^last|_last$|auth|failed_login|ssh_login"),
    ("iam", "user_group|^users|_users$|group|sudoer|account"),
    ("file", "file|hash|suid|yara|mount|fim"),
    ("process", "process|shell_history|^bpf|syscall|execut"),
    ("driver", "kernel|driver|module"),
    ("package", "package|rpm|deb_|apps|program|extension|plugin|brew|patch|portage"),
    ("registry", "registry"),
    ("configuration", "crontab|startup|launchd|service|scheduled|config|certificate|iptables"),
    ("host", "system|uptime|usb|hardware|os_version|osquery|disk|memory|cpu|battery"),
)
_OUTCOMES = {
    "1": "success", "0": "failure", "succeeded": "success", "success": "success",
    "failed": "failure", "failure": "failure", "true": "success", "false": "failure",
}  # fmt: skip
_LEVELS = {"0": "info", "1": "warning", "2": "error", "3": "fatal", "info": "info",
           "warning": "warning", "error": "error", "fatal": "fatal"}  # fmt: skip
_TRANSPORTS = {
    "1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp", "132": "sctp",
    "tcp": "tcp", "udp": "udp",
}  # fmt: skip
_DIRECTIONS = {"connect": "outbound", "accept": "inbound", "bind": "listening"}
_NO_ADDRESS = pa.array(["", "0"])


def columns_of(raw: Columns, text: pa.Array) -> dict[str, pa.Array]:
    """Returns every column but the time, the place and the labels.

    Args:
        raw: the texts of PARTS and COLUMNS, and ``executable`` and ``file``, N of each.
        text: (N,) the records.
    """
    columns = {name: raw[name] for name in COLUMNS}
    columns |= _kinds(raw, text)
    columns |= _process(raw)
    columns |= _network(raw)
    return columns


def is_of_event_table(raw: Columns) -> pa.Array:
    """Returns (N,) whether a row tells of an event that has its own time."""
    named = pc.fill_null(pc.match_substring(raw["query"], "event"), False)
    return pc.or_(named, pc.is_valid(raw["event_id"]))


def _kinds(raw: Columns, text: pa.Array) -> dict[str, pa.Array]:
    short = once_each(raw["query"], lambda name: pc.replace_substring_regex(name, _PACK, ""))
    removed = pc.match_substring_regex(text, _REMOVED)
    nothing = pa.nulls(len(text), pa.string())
    is_row = pc.is_valid(raw["query"])
    did = pc.coalesce(raw["osquery_action"], pc.if_else(removed, "removed", "added"))
    told = pc.coalesce(kind(raw["row_action"]), kind(did))
    named = pc.binary_join_element_wise(kind(short), told, "-")
    return {
        "event_provider": pc.coalesce(raw["query"], pc.if_else(is_row, nothing, _DAEMON)),
        "event_action": pc.coalesce(named, pc.if_else(is_row, nothing, "status"), "result"),
        "event_category": once_each(short, _category),
        "event_outcome": worded(raw["success"], _OUTCOMES),
        "log_level": worded(raw["status"], _LEVELS),
        "osquery_action": pc.if_else(is_row, did, raw["osquery_action"]),
        "osquery_rows": raw["rows"],
    }


def _category(name: pa.Array) -> pa.Array:
    found = pa.nulls(len(name), pa.string())
    for category, pattern in _CATEGORIES:
        fits = pc.fill_null(pc.match_substring_regex(pc.utf8_lower(name), pattern), False)
        found = pc.coalesce(found, pc.if_else(fits, category, pa.scalar(None, pa.string())))
    return found


def _process(raw: Columns) -> dict[str, pa.Array]:
    """Returns the process and the file of a row.

    A path with a process beside it is its program, unless the row also tells the program itself or
    a file descriptor without a call on it, which is of another file. So is a name.
    """
    has_process = pc.or_(pc.is_valid(raw["process_pid"]), pc.is_valid(raw["process_command_line"]))
    described = pc.and_(pc.is_valid(raw["osquery_fd"]), pc.is_null(raw["row_action"]))
    of_another = pc.or_(described, pc.is_valid(raw["executable"]))
    is_program = pc.and_(has_process, pc.invert(of_another))
    key = pc.is_valid(raw["key"])
    executable = pc.coalesce(raw["executable"], pc.if_else(is_program, raw["path"], None))
    other = pc.if_else(pc.or_(is_program, key), None, raw["path"])
    return {
        "process_executable": executable,
        "process_name": pc.coalesce(
            pc.if_else(has_process, raw["name"], None), base_name(executable)
        ),
        "process_parent_name": pc.coalesce(
            raw["process_parent_name"], base_name(raw["process_parent_executable"])
        ),
        "process_working_directory": pc.utf8_trim(raw["directory"], '"'),
        "file_path": pc.coalesce(raw["file"], other),
        "registry_path": pc.if_else(key, raw["path"], None),
        "registry_data": pc.if_else(key, raw["registry_data"], None),
        "osquery_name": pc.if_else(has_process, None, raw["name"]),
    }


def _network(raw: Columns) -> dict[str, pa.Array]:
    """Returns the two ends of a connection; of a listener the end that is called."""
    did = pc.utf8_lower(raw["row_action"])
    accepted = pc.fill_null(pc.equal(did, "accept"), False)
    ends = {}
    for part in ("address", "port"):
        here, there = (
            pc.if_else(pc.is_in(raw[f"{end}_{part}"], _NO_ADDRESS), None, raw[f"{end}_{part}"])
            for end in ("local", "remote")
        )
        listens = pc.and_(pc.is_null(here), pc.is_null(there))
        own = pc.if_else(listens, raw[f"listening_{part}"], None)
        ends[f"source_{part}"] = pc.if_else(accepted, there, here)
        ends[f"destination_{part}"] = pc.coalesce(pc.if_else(accepted, here, there), own)
    source, _ = address(ends["source_address"])
    destination, _ = address(ends["destination_address"])
    guest, guest_name = address(raw["host"])
    listening = pc.if_else(
        pc.is_valid(raw["listening_port"]), "listening", pa.scalar(None, pa.string())
    )
    return {
        "source_ip": pc.coalesce(source, guest),
        "source_domain": guest_name,
        "source_port": ends["source_port"],
        "destination_ip": destination,
        "destination_port": ends["destination_port"],
        "network_transport": worded(raw["protocol"], _TRANSPORTS),
        "network_direction": pc.coalesce(worded(did, _DIRECTIONS), listening),
    }
