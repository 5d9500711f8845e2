"""JSON records of any kind, as events by a field map or, without one, by their fields' names.

Lines enter, one event each leaves; arrays, envelopes and records over many lines are cut first.
Nested objects are reached by dots, an array of one value is that value, and every field that no
column takes is kept as a label.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ConfigError
from secad.base.protocols import FieldMap, ParseContext, Parsed
from secad.base.schemas import ECS, LOCATOR, PARSED
from secad.collect.columns import labels_with
from secad.collect.field_maps import COLUMNS, read_times
from secad.collect.json_columns import read_json
from secad.collect.json_documents import JsonDocuments
from secad.collect.json_names import NAMES
from secad.collect.text import decode, reject

_DOCUMENTS = JsonDocuments(
    ("Records", "records", "value", "items", "events", "logs", "entries", "results", "hits.hits",
     "resources", "data"),
    repeated=False,
)  # fmt: skip
_ACTION = "json"  # where no field tells the kind of event
_SURE = 0.5  # a format that knows the fields is surer
_CUT_OFF = 0.3  # the first line is longer than the head
_LOOKED_AT = 50
_LEAST_SHARE = 0.5  # of objects among the lines
_INTEGER = "^[0-9]{1,18}$"
_ONE_VALUE = r'^\["?([^"\\\[\]{},]*)"?\]$'  # ["process"] | [1642411593]
_OUTCOMES = {
    "success": "success", "succeeded": "success", "ok": "success", "true": "success",
    "pass": "success", "failure": "failure", "failed": "failure", "fail": "failure",
    "false": "failure", "error": "failure", "denied": "failure", "unknown": "unknown",
}  # fmt: skip


class JsonLines:
    """JSON lines, by a field map or by the names of ECS and of well-known logs; see ``Format``."""

    name = "jsonl"
    dataset = "jsonl"
    fields: Mapping[str, str] = {
        **{name: f"the map's field; else {', '.join(NAMES[name][:6])}" for name in COLUMNS},
        "labels": "every other field",
    }
    extensions = pa.schema([])
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is by the share of lines that are JSON objects; see ``Format``."""
        framed = self.is_framed(head)
        objects = _DOCUMENTS.first_records(head, _LOOKED_AT)
        if not any(objects):
            cut_off = head.startswith((b'{"', b'[{"')) and b"\n" not in head
            return _CUT_OFF if cut_off else 0.0
        fitting = sum(map(_has_time if framed else bool, objects))
        share = fitting / len(objects)
        return _SURE * share if share >= _LEAST_SHARE else 0.0

    def is_framed(self, head: bytes) -> bool:
        """Returns whether its records are not its lines; see ``Frames``."""
        return _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields its records as LINES; see ``Frames``."""
        return _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``.

        Raises:
            ConfigError: the field map names a column that there is not, or no time.
        """
        text = decode(lines)
        field_map = context.field_map
        paths = _mapped(field_map) if field_map else NAMES
        read = read_json(text.text, paths)
        columns = {name: _value(column) for name, column in read.columns.items()}
        written = field_map.time_format if field_map else "auto"
        time = read_times(columns.pop("time"), written, context)
        broken = np.asarray(read.errors.is_valid())
        comment = broken & np.asarray(pc.starts_with(text.text, "#"))
        timeless = np.asarray(time.is_null()) & ~broken
        rejects = [
            text.rejects,
            reject(text.lines, broken & ~comment, read.errors.filter(pa.array(broken & ~comment))),
            reject(text.lines, timeless, _no_time(paths["time"])),
        ]
        events = pa.table(
            {"time": time, **text.locators(), **_typed(columns, read.labels, paths)}
        ).filter(pa.array(~(broken | timeless)))
        skipped = text.skipped + int(comment.sum())
        return Parsed(_without_empty(events), pa.concat_tables(rejects), skipped=skipped)


def _has_time(record: dict[str, Any] | None) -> bool:
    """Returns whether a record has a field for its time; documents that are no logs have none."""
    if record is None:
        return False
    names = {name.lower() for name in record}
    inner = [(name, value) for name, value in record.items() if isinstance(value, dict)]
    names |= {f"{name}.{key}".lower() for name, value in inner for key in value}
    return not names.isdisjoint(path.lower() for path in NAMES["time"])


def _mapped(field_map: FieldMap) -> dict[str, tuple[str, ...]]:
    """Returns the paths of a map's columns."""
    for column in field_map.columns:
        if column not in COLUMNS:
            near = difflib.get_close_matches(column.replace(".", "_"), COLUMNS, n=1)
            raise ConfigError(
                f"field map: {column!r} is no column that a map may fill",
                hint=f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(COLUMNS)}",
            )
    if "time" not in field_map.columns:
        raise ConfigError(
            "field map: the key 'time' under [columns] is missing",
            hint='add:  [columns]  time = "FIELD"',
        )
    return {column: (path,) for column, path in field_map.columns.items()}


def _no_time(paths: tuple[str, ...]) -> str:
    if len(paths) == 1:
        return f"no time in the field {paths[0]!r}"
    return f"no time: expected a field such as {', '.join(paths[:4])}"


def _value(text: pa.Array) -> pa.Array:
    """Returns texts, those of an array of one value without its brackets."""
    arrays = pc.starts_with(text, "[")
    if not pc.any(arrays).as_py():
        return text
    return pc.if_else(arrays, pc.replace_substring_regex(text, _ONE_VALUE, r"\1"), text)


def _typed(
    columns: Mapping[str, pa.Array], others: pa.MapArray, paths: Mapping[str, tuple[str, ...]]
) -> dict[str, pa.Array]:
    """Returns the columns in their types; what an integer column cannot hold becomes a label."""
    typed: dict[str, pa.Array] = dict(columns)
    lost: dict[str, pa.Array] = {}
    for name, column in columns.items():
        if name in ECS.names and pa.types.is_integer(ECS.field(name).type):
            whole = pc.match_substring_regex(column, _INTEGER)
            typed[name] = pc.cast(pc.if_else(whole, column, None), pa.int64())
            if typed[name].null_count > column.null_count:
                lost[paths[name][0]] = pc.if_else(whole, None, column)
    nothing = pa.nulls(len(others), pa.string())
    typed["event_action"] = _action(columns.get("event_action", nothing))
    typed["message"] = columns.get("message", nothing)
    if "event_outcome" in columns:
        typed["event_outcome"] = _outcome(columns["event_outcome"])
    typed["labels"] = labels_with(others, lost) if lost else others
    return typed


def _action(text: pa.Array) -> pa.Array:
    """Returns kinds in small letters with hyphens for blanks."""
    coded = text.dictionary_encode()
    words = pc.utf8_trim_whitespace(pc.utf8_lower(coded.dictionary))
    words = pc.replace_substring_regex(words, r"[\s/\\]+", "-")
    words = pc.if_else(pc.equal(words, ""), None, words)
    return pc.coalesce(words.take(coded.indices), _ACTION)


def _outcome(text: pa.Array) -> pa.Array:
    """Returns ECS's words for outcomes where they are meant; others stay."""
    words = pc.utf8_lower(text)
    place = pc.index_in(words, pa.array(list(_OUTCOMES)))
    return pc.coalesce(pa.array(list(_OUTCOMES.values())).take(place), words)


def _without_empty(events: pa.Table) -> pa.Table:
    """Returns events without the columns that hold nothing here, save those that all have."""
    kept = {*LOCATOR.names, "time", "event_action", "message", "labels"}
    names = [name for name in PARSED.names if name in events.column_names]
    return events.select(
        [name for name in names if name in kept or events[name].null_count < events.num_rows]
    )
