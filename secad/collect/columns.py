"""From what a scanner found to the columns of EVENTS: times in UTC, labels; and back
from a source's head to LINES, so that a format recognises by parsing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import LABELS, LINES, TIME
from secad.collect.times import to_utc
from secad.features.clock import in_year
from secad.features.key_values import labels
from secad.features.spans import Places

HEAD_BYTES = 64 * 1024
PIECE_ROWS = 64 * 1024
_YEARS_BACK = 8  # between two 29 Februaries
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lines_of(head: bytes) -> pa.RecordBatch:
    """Returns LINES of a source's head, without a last line that may be cut off."""
    records = head.split(b"\n")
    if len(head) >= HEAD_BYTES and len(records) > 1:
        records.pop()
    lengths = np.array([len(record) for record in records], dtype=np.int64)
    offsets = np.cumsum(lengths + 1) - lengths - 1
    numbers = np.arange(1, len(records) + 1)
    return pa.RecordBatch.from_arrays(
        [pa.array(records, pa.binary()), pa.array(numbers), pa.array(offsets), pa.array(lengths)],
        schema=LINES,
    )


def without_comments(lines: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the LINES that do not begin with ``#``."""
    return lines.filter(pc.invert(pc.starts_with(lines.column("raw"), "#")))


def share_of_lines(head: bytes, pattern: str) -> float:
    """Returns which share of a head's lines fits a pattern; blank lines and comments aside.

    Args:
        head: the first bytes of a source, whose last line may be cut off.
        pattern: of RE2.
    """
    lines = head.split(b"\n")
    lines = [line for line in lines[: max(len(lines) - 1, 1)] if line.strip()]
    lines = [line for line in lines if not line.startswith(b"#")]
    if not lines:
        return 0.0
    return float(pc.mean(pc.match_substring_regex(pa.array(lines, pa.binary()), pattern)).as_py())


def by_pieces(
    lines: pa.RecordBatch, parse: Callable[[pa.RecordBatch], Parsed], rows: int = PIECE_ROWS
) -> Parsed:
    """Returns what ``parse`` makes of LINES, ``rows`` at a time.

    What a scanner finds in a piece stays small enough to be reused while it is in the cache.
    """
    if lines.num_rows <= rows:
        return parse(lines)
    pieces = [parse(lines.slice(first, rows)) for first in range(0, lines.num_rows, rows)]
    return Parsed(
        pa.concat_tables([piece.events for piece in pieces]),
        pa.concat_tables([piece.rejects for piece in pieces]),
        joined=sum(piece.joined for piece in pieces),
        skipped=sum(piece.skipped for piece in pieces),
    )


def utc_times(
    micros: Places,
    zoned: npt.NDArray[np.bool_],
    yearless: npt.NDArray[np.bool_],
    context: ParseContext,
) -> pa.Array:
    """Returns (N,) UTC times; null where no year in reach has the day.

    Args:
        micros: (N,) as ``secad.features.clock.instant`` gives them.
        zoned: (N,) the time is UTC already.
        yearless: (N,) the time needs a year: the latest that does not put it more than a day
            after the context's anchor.
        context: the anchor and the zone of times that carry none.
    """
    local = np.where(zoned | yearless, 0, micros)
    found = np.where(zoned, micros, _utc(local, context.tz) if not zoned.all() else 0)
    missing = np.zeros(len(micros), dtype=np.bool_)
    if yearless.any():
        rows = np.flatnonzero(yearless & ~zoned)
        found[rows], missing[rows] = _with_years(micros[rows], context)
    return pa.array(found, mask=missing).cast(TIME)


def _utc(micros: Places, tz: str) -> Places:
    if tz == "UTC":
        return micros
    utc = to_utc(pa.array(micros).cast(pa.timestamp("us")), tz)
    return np.asarray(utc.cast(pa.int64()))


def _with_years(micros: Places, context: ParseContext) -> tuple[Places, npt.NDArray[np.bool_]]:
    limit = context.anchor_time.astimezone(UTC) + timedelta(days=1)
    latest = (limit - _EPOCH) // _MICROSECOND
    found = np.zeros(len(micros), dtype=np.int64)
    todo = np.arange(len(micros))
    for year in range(limit.year, limit.year - _YEARS_BACK - 1, -1):
        naive, exists = in_year(micros[todo], year)
        utc = _utc(naive, context.tz)
        fits = exists & (utc <= latest)
        found[todo[fits]] = utc[fits]
        todo = todo[~fits]
        if not len(todo):
            break
    missing = np.zeros(len(micros), dtype=np.bool_)
    missing[todo] = True
    return found, missing


def labels_of(columns: Mapping[str, pa.Array], count: int) -> pa.Array:
    """Returns (N,) labels from string columns: a row's non-null ones, null where it has none.

    Args:
        columns: label -> (N,) string.
        count: N.
    """
    if not columns:
        return pa.nulls(count, LABELS)
    present = np.stack([np.asarray(pc.is_valid(column)) for column in columns.values()], axis=1)
    row, which = np.nonzero(present)  # row by row, in the order of the columns
    values = pa.chunked_array([pa.concat_arrays(list(columns.values()))]).combine_chunks()
    return labels_from(
        pa.array(list(columns)).take(pa.array(which)),
        values.take(pa.array(which * count + row)),
        present.sum(axis=1),
    )


def labels_from(keys: pa.Array, values: pa.Array, counts: Places) -> pa.Array:
    """Returns (N,) labels from P pairs that stand row by row.

    Args:
        keys: (P,) string.
        values: (P,) string.
        counts: (N,) how many pairs each row has; a row without any is null.
    """
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    maps = pa.MapArray.from_arrays(pa.array(offsets), keys, values).cast(LABELS)
    return pc.if_else(pa.array(counts > 0), maps, pa.scalar(None, LABELS))


def labels_with(others: pa.MapArray, more: Mapping[str, pa.Array]) -> pa.MapArray:
    """Returns labels with more of them behind each row's own.

    Args:
        others: (N,) labels.
        more: label -> (N,) string, null where a row has none.
    """
    rows = [np.repeat(np.arange(len(others)), np.diff(np.asarray(others.offsets)))]
    keys, values = [others.keys], [others.items]
    for name, column in more.items():
        held = np.flatnonzero(np.asarray(column.is_valid()))
        rows.append(held)
        keys.append(pa.repeat(name, len(held)))
        values.append(column.drop_null())
    every: Places = np.concatenate(rows)
    order = pa.array(np.argsort(every, kind="stable"))
    return labels(
        np.sort(every, kind="stable"),
        len(others),
        pa.concat_arrays(keys).take(order),
        pa.concat_arrays(values).take(order),
    )
