"""Zeek's JSON lines to events: each of the log that it names, or that its fields tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import LOCATOR
from secad.collect.columns import labels_with
from secad.collect.json.columns import read_json
from secad.collect.json.events import without_envelope
from secad.collect.pieces import Pieces, pieces_of
from secad.collect.text import reject
from secad.collect.zeek.events import columns_of, constants_of, kind_of, once
from secad.collect.zeek.fields import FIELDS, LOGS, MARKS, UNKNOWN, Log
from secad.collect.zeek.tsv import NO_EVENTS

NO_TIME = "no time: expected seconds since 1970 or ISO 8601 in the field ts"
_PATH = "_path"
ENVELOPES = ("result._raw", "_raw", "message", "event.original")  # of Splunk, of shippers
_HELD = '{\\"ts\\":'  # in a record that an envelope holds as text
_WANTED: Mapping[str, tuple[str, ...]] = {
    _PATH: (_PATH,),
    **{name: tuple(dict.fromkeys((name, name.replace(".", "_")))) for name in FIELDS},
}


@dataclass(frozen=True)
class _Records:
    """Records of one log; see ``zeek_events.Records``."""

    columns: Mapping[str, pa.Array]
    count: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def pieces(self, name: str) -> Pieces:
        return pieces_of(self.columns[name])

    def text(self, name: str) -> pa.StringArray:
        return self.columns[name]


@dataclass(frozen=True)
class _Read:
    """N records as they were read; ``columns`` by the names of fields, with values in them."""

    lines: pa.RecordBatch
    paths: pa.Array
    columns: Mapping[str, pa.Array]
    labels: pa.MapArray

    def taken(self, rows: npt.NDArray[np.bool_]) -> _Read:
        """Returns the records at which ``rows`` is true."""
        if rows.all():
            return self
        chosen = pa.array(rows)
        columns = {name: column.filter(chosen) for name, column in self.columns.items()}
        return _Read(
            self.lines.filter(chosen),
            self.paths.filter(chosen),
            {name: column for name, column in columns.items() if column.null_count < len(column)},
            self.labels.filter(chosen),
        )


def parse_records(lines: pa.RecordBatch, text: pa.StringArray, context: ParseContext) -> Parsed:
    """Returns one event per line.

    Args:
        lines: N rows of LINES.
        text: (N,) what stands in them.
        context: the zone of times that have none.
    """
    bare = without_envelope(text, ENVELOPES, _HELD)
    json = read_json(bare, _WANTED, joined=True)
    found = {name: column for name, column in json.columns.items() if column.null_count < len(text)}
    broken = np.asarray(json.errors.is_valid())
    paths = found.pop(_PATH, pa.nulls(len(text), pa.string()))
    read = _Read(lines, paths, found, json.labels).taken(~broken)
    logs = _logs(read)
    parts = [
        _events(LOGS[log], read.taken(logs == log), context) for log in np.unique(logs).tolist()
    ]
    events = pa.concat_tables([NO_EVENTS, *parts], promote_options="default")
    if len(parts) > 1:
        events = events.sort_by("byte_offset")
    timeless = np.asarray(events["time"].is_null())
    rejects = [
        reject(lines, broken, json.errors.drop_null()),
        reject(read.lines, timeless, NO_TIME),
    ]
    if timeless.any():
        events = events.filter(pa.array(~timeless))
    return Parsed(events, pa.concat_tables(rejects))


def _logs(read: _Read) -> npt.NDArray[np.object_]:
    """Returns (N,) the name of the log of each record, UNKNOWN where it is not known."""
    coded = read.paths.dictionary_encode()
    names = [name if name in LOGS else UNKNOWN for name in coded.dictionary.to_pylist()]
    known = np.array([*names, UNKNOWN], dtype=object)
    logs: npt.NDArray[np.object_] = known[coded.indices.fill_null(len(names))]
    unnamed = np.asarray(read.paths.is_null())
    if not unnamed.any():
        return logs
    held = {name: np.asarray(column.is_valid()) for name, column in read.columns.items()}
    for log, mark in MARKS:
        if all(name in held for name in mark):
            fits = np.logical_and.reduce([unnamed, *(held[name] for name in mark)])
            logs[fits] = log
            unnamed &= ~fits
    return logs


def _events(log: Log, read: _Read, context: ParseContext) -> pa.Table:
    """Returns the events of records of one log, in their order, times may be null."""
    count = read.lines.num_rows
    columns, labels = columns_of(log, _Records(read.columns, count), context)
    columns |= constants_of(log, count)
    if log.name == UNKNOWN and read.paths.null_count < count:
        columns["event_provider"] = read.paths
        columns["event_action"] = once(pc.coalesce(read.paths, ""), _kinds)
    places = {name: read.lines.column(name) for name in LOCATOR.names}
    others = labels_with(read.labels, labels) if labels else read.labels
    return pa.table({**columns, **places, "labels": others})


def _kinds(paths: pa.Array) -> pa.Array:
    return pa.array([kind_of(path) for path in paths.to_pylist()], pa.string())
