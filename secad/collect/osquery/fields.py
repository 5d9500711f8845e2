"""Where each column of an osquery result stands: the log's own fields, and those of its tables.

A row of a result stands in ``columns`` (event format), or took the place of the array that held it
(``snapshot``, ``diffResults``). A query may join tables and name columns as it likes; these are the
names that osquery's tables have, and usual ones of joins.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

UNWRAPPED = ("_source", "data")
IGNORED = ("numerics", "_index", "_id", "_score", "_type", "node_key", "log_type")

ROWS = ("columns", "snapshot", "diffResults.added", "diffResults.removed")
"""Where the cells of a row stand."""


def _cells(*columns: str) -> tuple[str, ...]:
    return tuple(f"{row}.{column}" for column in columns for row in ROWS)


PARTS: Mapping[str, tuple[str, ...]] = {
    "time": ("unixTime", "unix_time"),
    "calendar": ("calendarTime", "calendar_time"),
    "row_time": _cells("time"),
    "event_id": _cells("eid", "uptime"),
    "query": ("name", "query_name", "osquery.result.name"),
    "rows": ("snapshot", "diffResults.added", "diffResults.removed"),
    "row_action": _cells("action", "event_type"),
    "status": ("severity",),
    "source_line": ("line",),
    "success": _cells("success", "status"),
    "name": _cells("name"),
    "path": _cells("path"),
    "key": _cells("key"),
    "directory": _cells("cwd", "current_directory"),
    "local_address": _cells("local_address"),
    "local_port": _cells("local_port"),
    "remote_address": _cells("remote_address"),
    "remote_port": _cells("remote_port"),
    "listening_address": _cells("address"),
    "listening_port": _cells("port"),
    "protocol": _cells("protocol"),
    "host": _cells("host"),
}
"""What rules make columns of -> its paths, the first with a value."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "host_name": (
        "decorations.hostname", "decorations.computer_name", "hostIdentifier", "hostname",
        "host_identifier", "decorations.host_uuid",
    ),
    "log_logger": ("filename",),
    "user_name": _cells("username", "user", "user_name", "owner"),
    "user_id": _cells("uid", "user_uid", "auid"),
    "process_command_line": _cells("cmdline", "command_line", "command"),
    "process_entity_id": _cells("upid", "process_guid", "process_sequence_number"),
    "process_parent_command_line": _cells("parent_cmdline", "parent_command_line"),
    "process_parent_entity_id": _cells(
        "uppid", "parent_process_guid", "parent_process_sequence_number"
    ),
    "process_parent_executable": _cells("parent_path", "parent_executable"),
    "process_parent_name": _cells("parent_name"),
    "process_pid": _cells("pid"),
    "process_parent_pid": _cells("parent", "ppid", "parent_pid"),
    "registry_data": _cells("data"),
    "message": ("message", *_cells("message", "result")),
    "osquery_action": ("action",),
    "osquery_auid": _cells("auid"),
    "osquery_counter": ("counter",),
    "osquery_epoch": ("epoch",),
    "osquery_euid": _cells("euid"),
    "osquery_fd": _cells("fd"),
    "osquery_file_category": _cells("category"),
    "osquery_host_uuid": ("decorations.host_uuid", "decorations.uuid", *_cells("host_uuid")),
    "osquery_md5": _cells("md5"),
    "osquery_mode": _cells("mode"),
    "osquery_sha1": _cells("sha1"),
    "osquery_sha256": _cells("sha256"),
    "osquery_tty": _cells("tty", "terminal"),
    "osquery_version": _cells("version"),
}  # fmt: skip
"""Columns that stand in the log as they are -> their paths, the first with a value."""

EXECUTABLES = _cells("executable", "exe", "process_path")
FILES = _cells("target_path", "filename", "file_path", "dest_path")

_RULED: Mapping[str, str] = {
    "time": "unixTime, calendarTime; of an event table's row its own time",
    "event_provider": "name of the query, its pack before it; of a status log osqueryd",
    "event_action": "name of the query with action, or with the action that its row tells",
    "event_category": "by the table that the query's name tells",
    "event_outcome": "success, status",
    "log_level": "severity of a status log",
    "process_name": "name of a row with a pid, else the file name of the executable",
    "process_executable": "executable, path of a row with a pid",
    "process_working_directory": "cwd, without its quotes",
    "source_ip": "local_address of connect, remote_address of accept; host of a login",
    "source_port": "the port that goes with it",
    "source_domain": "host of a login that is a name",
    "destination_ip": "remote_address of connect, local_address of accept; address of a listener",
    "destination_port": "the port that goes with it",
    "network_transport": "protocol by its number",
    "network_direction": "action of a socket event: connect, accept, bind",
    "file_path": "target_path, path of a row without a process",
    "registry_path": "path of a row with a registry key",
    "osquery_name": "name of a row without a process: of a package, a module, a user",
    "osquery_rows": "snapshot, where its rows were not cut apart",
    "labels": "every other cell and decoration",
}


def _told(paths: tuple[str, ...]) -> str:
    """Returns paths as words, a cell once whichever array its row stood in."""
    return ", ".join(path for path in paths if path.startswith("columns.") or path in _OWN)


_OWN = {path for paths in COLUMNS.values() for path in paths if not path.startswith(ROWS[1:])}

FIELDS: Mapping[str, str] = {
    **{name: _told(paths) for name, paths in COLUMNS.items()},
    **_RULED,
}
"""Every column of an osquery event -> where in the log it comes from."""

EXTENSIONS = pa.schema(
    [
        pa.field(name, pa.int64() if name == "osquery_counter" else pa.string())
        for name in sorted(FIELDS)
        if name.startswith("osquery_")
    ]
)
"""The columns of osquery events beyond EVENTS."""
