"""systemd's journal as ``journalctl`` writes it with ``-o json`` (or its kin) and ``-o export``.

One event an entry leaves, with the columns of syslog and in its dataset: what the message of sshd,
sudo and the like says is found by the same phrases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import labels_from
from secad.collect.json.columns import JsonColumns, read_json
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.events import share_of
from secad.collect.json.rules import base_name
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.events import events_of
from secad.collect.syslog.journal_export import cut_entries, is_export
from secad.collect.text import Text, decode, reject
from secad.collect.times import parse_epoch
from secad.features.spans import buffer_of
from secad.features.syslog_frame import frame

_SURE = 0.98
_NO_ENTRY = "no journal entry: expected __REALTIME_TIMESTAMP and MESSAGE or another field"
_NO_TIME = "no time: expected _SOURCE_REALTIME_TIMESTAMP or __REALTIME_TIMESTAMP"
_DOCUMENTS = JsonDocuments()
_MARK = b'"__REALTIME_TIMESTAMP"'
_KNOWN = frozenset({"MESSAGE", "_BOOT_ID", "__CURSOR"})
_WANTED: Mapping[str, tuple[str, ...]] = {
    "source_time": ("_SOURCE_REALTIME_TIMESTAMP",),
    "time": ("__REALTIME_TIMESTAMP",),
    "message": ("MESSAGE",),
    "host": ("_HOSTNAME",),
    "program": ("SYSLOG_IDENTIFIER", "_COMM"),
    "pid": ("_PID", "SYSLOG_PID"),
    "priority": ("PRIORITY",),
    "facility": ("SYSLOG_FACILITY",),
    "message_id": ("MESSAGE_ID",),
    "service_name": ("UNIT", "USER_UNIT", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT"),
    "process_executable": ("_EXE",),
    "process_command_line": ("_CMDLINE",),
    "user_id": ("_UID",),
    "session_id": ("_SYSTEMD_SESSION", "_AUDIT_SESSION"),
}
_IGNORED = (
    "__CURSOR", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID", "_SOURCE_MONOTONIC_TIMESTAMP",
    "_SOURCE_BOOTTIME_TIMESTAMP", "SYSLOG_TIMESTAMP", "SYSLOG_RAW",
)  # fmt: skip
_FROM_ENTRY = ("service_name", "process_executable", "process_command_line", "user_id",
               "session_id")  # fmt: skip
_BYTES = r"^\[\s*\d{1,3}(\s*,\s*\d{1,3})*\s*\]$"  # [27,91,48,109]: a value that is no plain text
_SEVERAL = r'^\["((?:[^"\\]|\\.)*)"'  # ["first","second"]: a field that an entry has twice


class Journald:
    """Exports of systemd's journal; see ``Format`` and ``Frames``."""

    name = "journald"
    dataset = DATASET
    fields: Mapping[str, str] = {
        **FIELDS,
        "time": "_SOURCE_REALTIME_TIMESTAMP, __REALTIME_TIMESTAMP",
        "host_name": "_HOSTNAME",
        "process_name": "SYSLOG_IDENTIFIER, _COMM",
        "process_pid": "_PID, SYSLOG_PID",
        "process_executable": "_EXE",
        "process_command_line": "a slot of the phrases; _CMDLINE",
        "service_name": "a slot of the phrases; UNIT, _SYSTEMD_UNIT",
        "user_id": "a slot of the phrases; _UID",
        "session_id": "a slot of the phrases; _SYSTEMD_SESSION, _AUDIT_SESSION",
        "log_level": "PRIORITY",
        "syslog_facility": "SYSLOG_FACILITY",
        "syslog_message_id": "MESSAGE_ID",
        "message": "MESSAGE",
        "labels": "every other field",
    }
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is, by the fields that only journal entries have."""
        if is_export(head):
            return _SURE
        return share_of(head, _DOCUMENTS, (_MARK,), _is_entry)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether entries are not JSON lines; see ``Frames``."""
        return is_export(head) or _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields entries as LINES; see ``Frames``."""
        head = file.read(1 << 13)
        file.seek(0)
        if is_export(head):
            yield from cut_entries(file, batch_bytes)
        else:
            yield from _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per entry; see ``Format``."""
        text = decode(lines)
        bare = pc.replace_substring_regex(text.text, r"^data: ", "")  # -o json-sse
        read = read_json(bare, _WANTED, ignored=_IGNORED)
        entry = {name: _plain(column) for name, column in read.columns.items()}
        time = pc.coalesce(
            parse_epoch(entry["source_time"], "us"), parse_epoch(entry["time"], "us")
        )
        broken = np.asarray(read.errors.is_valid())
        foreign = np.asarray(pc.and_(entry["time"].is_null(), entry["source_time"].is_null()))
        foreign &= ~broken
        timeless = np.asarray(time.is_null()) & ~broken & ~foreign
        rejects = [
            text.rejects,
            reject(text.lines, broken, read.errors.filter(pa.array(broken))),
            reject(text.lines, foreign, _NO_ENTRY),
            reject(text.lines, timeless, _NO_TIME),
        ]
        kept = pa.array(~(broken | foreign | timeless))
        good = Text(text.lines.filter(kept), text.text.filter(kept), text.rejects, text.skipped)
        entry = {name: column.filter(kept) for name, column in entry.items()}
        events = _events(good, entry, time.filter(kept), context)
        events = events.set_column(
            events.column_names.index("labels"), "labels", _labels(read).filter(kept)
        )
        return Parsed(events, pa.concat_tables(rejects), skipped=text.skipped)


def _is_entry(record: dict[str, Any]) -> bool:
    return "__REALTIME_TIMESTAMP" in record and bool(_KNOWN & {*record})


def _events(
    text: Text, entry: Mapping[str, pa.Array], time: pa.Array, context: ParseContext
) -> pa.Table:
    """Returns the events of entries, read as the syslog lines that they stand for."""
    data, ends = buffer_of(_as_syslog(entry, time))
    frames = frame(data, np.stack([ends[:-1], np.diff(ends)]))
    events = events_of(text, data, frames, context).events
    columns = {name: events.column(name).combine_chunks() for name in events.column_names}
    columns["message"] = entry["message"]
    blank = pc.fill_null(pc.match_substring_regex(entry["program"], r"\s"), False)
    columns["process_name"] = pc.if_else(blank, entry["program"], columns["process_name"])
    for name, written in (("log_level", "priority"), ("syslog_facility", "facility")):
        columns[name] = pc.if_else(entry[written].is_valid(), columns[name], None)
    # who runs the process is not whom its message is about
    entry = {**entry, "user_id": pc.if_else(columns["user_name"].is_null(), entry["user_id"], None)}
    for name in _FROM_ENTRY:
        known = columns.get(name, pa.nulls(len(time), pa.string()))
        columns[name] = pc.coalesce(known, entry[name])
    columns["process_name"] = pc.coalesce(
        columns["process_name"], base_name(columns["process_executable"])
    )
    return pa.table(columns)


def _as_syslog(entry: Mapping[str, pa.Array], time: pa.Array) -> pa.Array:
    """Returns entries as lines of RFC 5424."""
    stamp = pc.replace_substring(time.cast(pa.string()), " ", "T", max_replacements=1)
    words = [
        pc.binary_join_element_wise("<", _priority(entry), ">1", ""),
        stamp,
        *(_word(entry[name]) for name in ("host", "program", "pid", "message_id")),
        "-",
        pc.coalesce(entry["message"], ""),
    ]
    return pc.binary_join_element_wise(*words, " ")


def _priority(entry: Mapping[str, pa.Array]) -> pa.Array:
    """Returns the number that syslog writes: eight times the facility and the severity."""
    severity = _number(entry["priority"], r"^[0-7]$", 6)
    facility = _number(entry["facility"], r"^(\d|1\d|2[0-3])$", 3)
    return pc.add(pc.multiply(facility, 8), severity).cast(pa.string())


def _number(text: pa.Array, pattern: str, otherwise: int) -> pa.Array:
    fits = pc.match_substring_regex(text, pattern)
    return pc.coalesce(pc.cast(pc.if_else(fits, text, None), pa.int64()), otherwise)


def _word(text: pa.Array) -> pa.Array:
    word = pc.replace_substring_regex(pc.coalesce(text, "-"), r"\s", "_")
    return pc.if_else(pc.equal(word, ""), "-", word)


def _plain(text: pa.Array) -> pa.Array:
    """Returns values, those written as numbers of bytes as text, of several the first."""
    if not pc.any(pc.starts_with(text, "[")).as_py():
        return text
    first = pc.extract_regex(text, _SEVERAL.replace("(", "(?P<first>", 1))
    several = pc.struct_field(first, ["first"])
    written = pc.coalesce(several, text)
    numbers = np.asarray(pc.fill_null(pc.match_substring_regex(text, _BYTES), False))
    if not numbers.any():
        return written
    return pc.replace_with_mask(written, pa.array(numbers), _spelt(text.filter(pa.array(numbers))))


def _spelt(numbers: pa.Array) -> pa.Array:
    """Returns the texts of ``[104,105]``, what is no UTF-8 in them as U+FFFD."""
    parts = pc.split_pattern(pc.utf8_trim(numbers, "[] "), ",")
    values = pc.cast(pc.utf8_trim_whitespace(parts.flatten()), pa.int64())
    ends = parts.offsets.cast(pa.int32())
    data = np.asarray(values).clip(0, 255).astype(np.uint8)
    texts = pa.Array.from_buffers(
        pa.binary(), len(numbers), [None, ends.buffers()[1], pa.py_buffer(data)]
    )
    return pa.array([text.decode("utf-8", "replace") for text in texts.to_pylist()], pa.string())


def _labels(read: JsonColumns) -> pa.Array:
    counts = np.diff(np.asarray(read.labels.offsets))
    return labels_from(read.labels.keys, read.labels.items, counts)
