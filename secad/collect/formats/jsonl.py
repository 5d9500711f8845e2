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
from secad.collect.field_maps import COLUMNS, read_times
from secad.collect.json.by_name import one_value, typed, without_empty
from secad.collect.json.columns import read_json
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.names import NAMES
from secad.collect.text import decode, reject

_DOCUMENTS = JsonDocuments(
    ("Records", "records", "value", "items", "events", "logs", "entries", "results", "hits.hits",
     "resources", "data"),
    repeated=False,
)  # fmt: skip
_WRAPPERS = ("_source", "result")  # of exports of Elasticsearch and of Splunk
_ACTION = "json"  # where no field tells the kind of event
_SURE = 0.5  # a format that knows the fields is surer
_CUT_OFF = 0.3  # the first line is longer than the head
_LOOKED_AT = 50
_LEAST_SHARE = 0.5  # of objects among the lines


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
        read = read_json(text.text, paths, unwrapped=() if field_map else _WRAPPERS)
        columns = {name: one_value(column) for name, column in read.columns.items()}
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
            {"time": time, **text.locators(), **typed(columns, read.labels, paths, action=_ACTION)}
        ).filter(pa.array(~(broken | timeless)))
        skipped = text.skipped + int(comment.sum())
        return Parsed(without_empty(events), pa.concat_tables(rejects), skipped=skipped)


def _has_time(record: dict[str, Any] | None) -> bool:
    """Returns whether a record has a field for its time; documents that are no logs have none."""
    if record is None:
        return False
    names = {name.lower() for name in record}
    inner = [(name, value) for name, value in record.items() if isinstance(value, dict)]
    names |= {f"{name}.{key}".lower() for name, value in inner for key in value}
    names |= {key.lower() for name, value in inner if name in _WRAPPERS for key in value}
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
