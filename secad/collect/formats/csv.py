"""Separated values with a header line (CSV, TSV), as events by a field map or by their names.

Lines enter; each whose number of fields is the header's leaves as one event. A record over
several lines cannot be read, since lines are cut before: its lines are rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import LABELS, LOCATOR, PARSED, TIME
from secad.collect.csv.fields import UNCLOSED, Fields, count_fields, cut_fields
from secad.collect.csv.header import Plan, confidence, make_plan
from secad.collect.text import Text, decode, reject
from secad.features.key_values import labels
from secad.features.spans import Places

_ACTION = "csv"  # where no field tells the kind of event
_ANCHOR = datetime(2000, 1, 1, tzinfo=UTC)  # any will do to tell whether a text is a time


class Csv:
    """Separated values with a header line; see ``Format``."""

    name = "csv"
    dataset = "csv"
    fields: Mapping[str, str] = {
        "time": "the map's field, else one named time, timestamp, ts, ..., else date and time",
        **{
            name: "the map's field, else one named so or alike"
            for name in PARSED.names
            if name not in {"time", "labels", *LOCATOR.names}
        },
        "labels": "every other field",
    }
    extensions = pa.schema([])
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of separated values with a time; see ``Format``."""
        return confidence(ParseContext(_ANCHOR, head=head))

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``.

        Raises:
            ConfigError: the header does not fit the map, or has no known time and there is none.
        """
        text = decode(lines)
        if not len(text.text):
            return Parsed(_no_events(), text.rejects, skipped=text.skipped)
        plan = make_plan(context)
        counts = count_fields(text.text, plan.delimiter)
        header = text.lines.column("line").to_numpy() == plan.header_line
        wrong = (counts != len(plan.names)) & ~header
        rows = np.flatnonzero(~wrong & ~header)
        fields = cut_fields(text.text, plan.delimiter, rows, len(plan.names))
        times = plan.times(fields, context)
        timed = np.asarray(times.is_valid())
        timeless = np.zeros(len(counts), dtype=np.bool_)
        timeless[rows[~timed]] = True
        no_time = f"no time in the field {' and '.join(plan.names[p] for p in plan.time)!r}"
        rejects = [
            text.rejects,
            reject(text.lines, wrong, _count_faults(counts[wrong], len(plan.names))),
            reject(text.lines, timeless, no_time),
        ]
        if not timed.all():
            rows, fields = rows[timed], fields.taken(timed)
        return Parsed(
            _events(text, plan, fields, rows, times.drop_null()),
            pa.concat_tables(rejects),
            skipped=text.skipped + int(header.sum()),
        )


def _count_faults(counts: Places, expected: int) -> pa.StringArray:
    """Returns why lines with these numbers of fields are rejected."""
    reasons = {
        count: f"expected {expected} fields, found {count}" for count in set(counts.tolist())
    }
    reasons[UNCLOSED] = "a quote is not closed; a record over several lines cannot be read"
    return pa.array([reasons[count] for count in counts.tolist()], pa.string())


def _events(text: Text, plan: Plan, fields: Fields, rows: Places, times: pa.Array) -> pa.Table:
    chosen = pa.array(rows)
    columns = {
        "time": times,
        **{name: column.take(chosen) for name, column in text.locators().items()},
    }
    lost: list[int] = []  # integer fields with other values, which become labels
    for name, place in plan.columns.items():
        if pa.types.is_integer(PARSED.field(name).type):
            columns[name] = fields.integers(place)
            if fields.blank_out(place, np.asarray(columns[name].is_valid())):
                lost.append(place)
        else:
            columns[name] = fields.text(place)
    columns.setdefault("message", pa.nulls(len(rows), pa.string()))
    action = columns.get("event_action", pa.nulls(len(rows), pa.string()))
    columns["event_action"] = pc.coalesce(action, _ACTION)
    columns["labels"] = _labels(plan, fields, [*plan.others, *lost], len(rows))
    return pa.table(columns)


def _labels(plan: Plan, fields: Fields, places: list[int], count: int) -> pa.MapArray:
    rows, which, values = fields.filled(places)
    keys = pa.array([plan.names[place] for place in places], pa.string()).take(pa.array(which))
    return labels(rows, count, keys, values)


def _no_events() -> pa.Table:
    schema = [("time", TIME), *((field.name, field.type) for field in LOCATOR)]
    names = [("event_action", pa.string()), ("message", pa.string()), ("labels", LABELS)]
    return pa.schema([*schema, *names]).empty_table()
