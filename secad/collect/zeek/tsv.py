"""Zeek's TSV lines to events: each under the header that holds for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import LOCATOR, TIME
from secad.collect.columns import labels_of
from secad.collect.pieces import Numbers, Pieces
from secad.collect.text import PARSE_REJECTS, reject
from secad.collect.times import parse_pattern
from secad.collect.zeek.events import columns_of, constants_of
from secad.collect.zeek.fields import LOGS, UNKNOWN, log_by_fields
from secad.collect.zeek.headers import FIELDS_CAP, HEADERS_CAP, Header, read_header
from secad.collect.zeek.lines import Cut, cut_lines
from secad.features.spans import buffer_of

NO_TIME = "no time: expected seconds since 1970 in the field ts"
_NO_HEADER = "no header: expected #fields before the first record"
_TOO_WIDE = f"a header of more than {FIELDS_CAP} fields"
_TOO_MANY = f"more than {HEADERS_CAP} different headers in a batch"
NO_EVENTS = pa.schema(
    [*LOCATOR, pa.field("time", TIME), pa.field("event_action", pa.string())]
).empty_table()
"""What is left where all records are rejects."""

_TRUE = ord("T")
_WORDS = pa.array(["false", "true"])


@dataclass(frozen=True)
class _Records:
    """Records under one header; see ``zeek_events.Records``."""

    cut: Cut
    header: Header
    count: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.header.fields))

    def _place(self, name: str) -> int:
        return self.header.fields.index(name)

    def pieces(self, name: str) -> Pieces:
        return self.cut.pieces(self._place(name))

    def text(self, name: str) -> pa.StringArray:
        place = self._place(name)
        if self.header.types[place : place + 1] == ("bool",):
            return _truth(self.cut.pieces(place))
        return self.cut.text(place)


def _truth(pieces: Pieces) -> pa.StringArray:
    """Returns the words of T and F."""
    given = pieces.starts >= 0
    if not given.any():
        return pa.nulls(len(given), pa.string())
    true = pieces.data[np.maximum(pieces.starts, 0)] == _TRUE
    return _WORDS.take(pa.array(true.astype(np.int8), mask=~given))


def headers_of(
    lines: pa.RecordBatch, marked: Numbers, first: Header
) -> tuple[list[Header], npt.NDArray[np.int64]]:
    """Returns the headers of lines, and (N,) the place of each line's among them.

    The place is beyond the last where there are too many.

    Args:
        lines: N rows of LINES.
        marked: the rows that are header lines, ascending.
        first: what holds before them.
    """
    known = {first: 0}
    places = np.zeros(lines.num_rows, dtype=np.int64)
    raw = lines.column("raw").take(pa.array(marked)).to_pylist()
    header, begin = first, 0
    for step, row in enumerate(marked.tolist()):
        places[begin:row] = known.setdefault(header, len(known))
        header, begin = read_header([raw[step].rstrip(b"\r")], header), row
    places[begin:] = known.setdefault(header, len(known))
    return list(known)[:HEADERS_CAP], np.minimum(places, HEADERS_CAP)


def parse_records(
    lines: pa.RecordBatch, text: pa.StringArray, header: Header, context: ParseContext
) -> Parsed:
    """Returns one event per record.

    Args:
        lines: N rows of LINES, all under one header.
        text: (N,) what stands in them.
        header: theirs.
        context: the zone of times that have none.
    """
    everything = np.ones(len(text), dtype=np.bool_)
    if not header.fields:
        return _rejected(lines, everything, _NO_HEADER)
    if len(header.fields) > FIELDS_CAP:
        return _rejected(lines, everything, _TOO_WIDE)
    data, ends = buffer_of(text)
    cut = cut_lines(data, ends[:-1], ends[1:], header)
    fits = cut.counts == len(header.fields)
    rejects = [_odd(lines, cut, fits, header)]
    if not fits.all():
        lines, cut = lines.filter(pa.array(fits)), cut.kept(fits)
    log = LOGS.get(header.path) or LOGS[UNKNOWN]
    if not header.path:
        log = LOGS[log_by_fields(header.fields)]
    columns, labels = columns_of(log, _Records(cut, header, lines.num_rows), context)
    named = replace(log, name=header.path) if log.name == UNKNOWN and header.path else log
    columns |= constants_of(named, lines.num_rows)
    if columns["time"].null_count and header.opened:
        columns["time"] = pc.coalesce(columns["time"], _opened(header, context))
    timeless = np.asarray(columns["time"].is_null())
    rejects.append(reject(lines, timeless, NO_TIME))
    places = {name: lines.column(name) for name in LOCATOR.names}
    events = pa.table({**columns, **places, "labels": labels_of(labels, lines.num_rows)})
    if timeless.any():
        events = events.filter(pa.array(~timeless))
    return Parsed(events, pa.concat_tables(rejects))


def too_many(lines: pa.RecordBatch) -> Parsed:
    """Returns the rejects of records under one header too many."""
    return _rejected(lines, np.ones(lines.num_rows, dtype=np.bool_), _TOO_MANY)


def _rejected(lines: pa.RecordBatch, rows: npt.NDArray[np.bool_], reason: str) -> Parsed:
    return Parsed(NO_EVENTS, reject(lines, rows, reason))


def _odd(lines: pa.RecordBatch, cut: Cut, fits: npt.NDArray[np.bool_], header: Header) -> pa.Table:
    """Returns the rejects of records that have more or fewer fields than their header."""
    if fits.all():
        return PARSE_REJECTS.empty_table()
    counts = pa.array(cut.counts[~fits]).cast(pa.string())
    named = f" fields, the header names {len(header.fields)}"
    return reject(lines, ~fits, pc.binary_join_element_wise(counts, named, ""))


def _opened(header: Header, context: ParseContext) -> pa.Scalar:
    """Returns when a log was begun, for records without a time of their own."""
    return parse_pattern(pa.array([header.opened]), "%Y-%m-%d-%H-%M-%S", context.tz)[0]
