"""The rules of the Elastic Common Schema that need more than one field: kinds, peers, names.

Texts by part and column enter, as ``ecs.fields`` names them; the columns of events leave.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.auditd.joined import each_distinct
from secad.collect.auditd.names import kind_of_call, kind_of_record
from secad.collect.ecs.fields import COLUMNS
from secad.collect.json import lists as json_lists
from secad.collect.json.rules import Columns, address, base_name, kind, url_parts, worded

_NO_KIND = "event"
_NO_TERMINAL = "(none)"  # as the kernel writes it
_BY_BLANKS = frozenset(
    ("process_command_line", "process_parent_command_line", "registry_data", "message")
)
_BY_HYPHENS = frozenset(("action", "types"))
_BY_COMMAS = frozenset(("event_category", "ecs_tags", "ecs_dns_answers", "ecs_process_ancestry"))
_OUTCOMES = {
    "success": "success", "failure": "failure", "fail": "failure", "failed": "failure",
    "ok": "success", "error": "failure", "yes": "success", "no": "failure",
}  # fmt: skip
_DIRECTIONS = {
    "ingress": "inbound", "inbound": "inbound", "incoming": "inbound", "in": "inbound",
    "egress": "outbound", "outbound": "outbound", "outgoing": "outbound", "out": "outbound",
    "listening": "listening", "internal": "internal", "external": "external",
}  # fmt: skip
_INCOMING = pa.array(["accept", "receive", "accepted-connection-from", "received-from"])
_CATEGORIES = {
    kind: category
    for category, kinds in {
        "process": "execve clone exit exit-group kill ptrace setuid setgid",
        "file": """open openat read write close rename unlink link chmod chown mkdir mknod truncate
            setxattr removexattr dup dup2 dup3 fcntl pread64 pwrite64 readv writev""",
        "network": "socket socketpair connect accept bind listen send receive getpeername",
        "driver": "load-module unload-module",
        "configuration": "mount unmount set-hostname set-time",
    }.items()
    for kind in kinds.split()
}


def columns_of(raw: Columns) -> dict[str, pa.Array]:
    """Returns every column but the time, the place and the labels.

    Args:
        raw: the texts of PARTS and COLUMNS, N of each.
    """
    parts = {name: _plain(name, text) for name, text in raw.items()}
    columns = {name: parts[name] for name in COLUMNS}
    columns |= _kinds(parts)
    columns |= _network(parts, columns["event_action"])
    columns |= _urls(parts)
    columns["file_path"] = _absolute(parts)
    columns["message"] = _message(parts)
    columns["ecs_terminal"] = pc.if_else(
        pc.equal(parts["ecs_terminal"], _NO_TERMINAL), None, parts["ecs_terminal"]
    )
    for who in ("process", "process_parent"):
        named = base_name(columns[f"{who}_executable"])
        columns[f"{who}_name"] = pc.coalesce(columns[f"{who}_name"], named)
    return columns


def _plain(name: str, text: pa.Array) -> pa.Array:
    """Returns texts, arrays as their values: all of them where they belong together."""
    if name in _BY_BLANKS:
        return json_lists.joined(text, " ")
    if name in _BY_HYPHENS:
        return json_lists.joined(text, "-")
    if name in _BY_COMMAS:
        return json_lists.joined(text, ",")
    return json_lists.first(text)


def _kinds(parts: Columns) -> dict[str, pa.Array]:
    """Returns what kind of event it is, by which source, and how it ended."""
    call = each_distinct(parts["ecs_auditd_syscall"], kind_of_call)
    record = each_distinct(parts["record_type"], kind_of_record)
    named = [kind(parts[name]) for name in ("action", "operation", "packet", "types", "dataset")]
    action, operation, *others = named
    nothing = pa.nulls(len(action), pa.string())
    return {
        "event_provider": pc.coalesce(parts["provider"], parts["dataset"], parts["module"]),
        "event_action": pc.coalesce(
            action, call, operation, record, *others, kind(parts["module"]), _NO_KIND
        ),
        "event_category": pc.coalesce(
            parts["event_category"], worded(pc.coalesce(call, nothing), _CATEGORIES)
        ),
        "event_outcome": worded(parts["outcome"], _OUTCOMES, "unknown"),
        "ecs_dataset": parts["dataset"],
        "ecs_event_type": pc.replace_substring(parts["types"], "-", ","),
        "ecs_module": parts["module"],
    }


def _network(parts: Columns, action: pa.Array) -> dict[str, pa.Array]:
    """Returns the two ends of a connection, and its direction.

    Where only the address in a system call is known, it is the other end: who calls for calls
    that take connections, else who is called.
    """
    source, source_name = address(parts["source_address"])
    destination, destination_name = address(parts["destination_address"])
    source = pc.coalesce(parts["source_ip"], source)
    destination = pc.coalesce(parts["destination_ip"], destination)
    unknown = pc.and_(pc.is_null(source), pc.is_null(destination))
    peer = pc.if_else(unknown, address(parts["socket_address"])[0], None)
    port = pc.if_else(pc.is_valid(peer), parts["socket_port"], None)
    incoming = pc.is_in(action, _INCOMING)
    return {
        "source_ip": pc.coalesce(source, pc.if_else(incoming, peer, None)),
        "source_domain": pc.coalesce(parts["source_domain"], source_name),
        "source_port": pc.coalesce(parts["source_port"], pc.if_else(incoming, port, None)),
        "destination_ip": pc.coalesce(destination, pc.if_else(incoming, None, peer)),
        "destination_domain": pc.coalesce(parts["destination_domain"], destination_name),
        "destination_port": pc.coalesce(
            parts["destination_port"], pc.if_else(incoming, None, port)
        ),
        "network_direction": pc.coalesce(
            worded(parts["direction"], _DIRECTIONS), pc.utf8_lower(parts["direction"])
        ),
        "network_transport": pc.utf8_lower(parts["network_transport"]),
        "network_protocol": pc.utf8_lower(parts["network_protocol"]),
    }


def _message(parts: Columns) -> pa.Array:
    """Returns what is said; the records that an audit event was made of say nothing more."""
    audited = pc.or_(pc.is_valid(parts["ecs_auditd_syscall"]), pc.is_valid(parts["record_type"]))
    return pc.coalesce(parts["message"], pc.if_else(audited, None, parts["original"]))


def _absolute(parts: Columns) -> pa.Array:
    """Returns file paths, those that a system call has relative to its directory as absolute."""
    path, directory = parts["file_path"], parts["process_working_directory"]
    called = pc.and_(pc.is_valid(parts["ecs_auditd_syscall"]), pc.is_valid(directory))
    relative = pc.and_(called, pc.invert(pc.match_substring_regex(path, "^[/@]")))
    if not pc.any(relative).as_py():
        return path
    bare = pc.replace_substring_regex(path, r"^(\./)+", "")
    whole = pc.binary_join_element_wise(pc.utf8_rtrim(directory, "/"), bare, "/")
    return pc.if_else(pc.fill_null(relative, False), whole, path)


def _urls(parts: Columns) -> dict[str, pa.Array]:
    """Returns the parts of a URL, taken from the whole where they do not stand alone."""
    whole = url_parts(parts["url"])
    return {name: pc.coalesce(parts[name], text) for name, text in whole.items()}
