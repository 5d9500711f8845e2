"""Parquet files of the store: written whole or not at all, readable by any other engine.

A file is written beside its place, synced and renamed; only then does a commit of the ledger name
it. Files that no commit names are left from a killed run and are removed before the next write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, delete, insert, select

from secad.base.ledger_tables import segment as segment_table
from secad.base.schemas import EVENTS

KINDS = ("events", "alerts", "rejects", "scores")
_ROWS_PER_GROUP = 131_072
_DAY_US = 86_400_000_000
_ROWS_PER_RUN = 64  # shorter runs of one day cost more to join than to copy

_RISING = ("byte_offset", "line")
_RANGED = (*_RISING, "time", "event_id", "subject")  # what rows are asked for by
_FREE_TEXT = (
    "message",
    "reason",
    "error",
    "alert_sha256",
)  # seldom twice the same: a dictionary costs for nothing


@dataclass(frozen=True)
class Segment:
    """One committed file; the fields are the columns of the ``segment`` table.

    Args:
        path: relative to the store.
        kind: one of KINDS.
        dataset: of events and alerts; of scores the model id; of rejects of alerts ``alerts``.
        day: the UTC day of its rows, empty where rows have no day.
        rows: how many.
        size_bytes: of the file.
        time_first_us: the first row's time in epoch microseconds, 0 where rows have no time.
        time_last_us: the last row's.
        commit_id: the commit that named it.
    """

    path: str
    kind: str
    dataset: str
    day: str
    rows: int
    size_bytes: int
    time_first_us: int
    time_last_us: int
    commit_id: int


class Manifest:
    """The ``segment`` table: which files the commits have named.

    Args:
        engine: the store's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def segments(self, kind: str | None = None, dataset: str | None = None) -> list[Segment]:
        """Returns the committed files, in the order of days, datasets and commits."""
        table = segment_table.c
        query = select(segment_table).order_by(
            table.day, table.dataset, table.commit_id, table.path
        )
        if kind is not None:
            query = query.where(table.kind == kind)
        if dataset is not None:
            query = query.where(table.dataset == dataset)
        with self._engine.connect() as connection:
            return [Segment(**row) for row in connection.execute(query).mappings()]


def swap(connection: Connection, gone: Iterable[Segment], added: Iterable[Segment]) -> None:
    """Names files and forgets others, inside a commit."""
    paths = [old.path for old in gone]
    if paths:
        connection.execute(delete(segment_table).where(segment_table.c.path.in_(paths)))
    rows = [asdict(new) for new in added]
    if rows:
        connection.execute(insert(segment_table), rows)


@dataclass(frozen=True)
class Slot:
    """Where rows belong: the part of ``Segment`` that is known before they are written."""

    kind: str
    dataset: str
    day: str
    commit_id: int

    def path(self, mark: str) -> str:
        """Returns the file's path; ``mark`` tells files of one commit and partition apart."""
        folders = [
            self.kind,
            f"day={self.day}" if self.day else "",
            f"dataset={self.dataset}" if self.dataset else "",
        ]
        return "/".join([*filter(None, folders), f"part-{self.commit_id:08d}{mark}.parquet"])


def write_part(root: Path, slot: Slot, table: pa.Table, mark: str = "") -> Segment:
    """Writes rows as one Parquet file and returns what a commit will say of it.

    Args:
        root: the store's folder.
        slot: where the rows belong.
        table: at least one row.
        mark: see ``Slot.path``.
    """
    relative = slot.path(mark)
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        _write(table, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    _sync_folder(path.parent)
    first, last = _time_bounds(table)
    size = path.stat().st_size
    return Segment(
        path=relative,
        rows=table.num_rows,
        size_bytes=size,
        time_first_us=first,
        time_last_us=last,
        **asdict(slot),
    )


def by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yields the rows of each UTC day of the ``time`` column, in the order of days.

    Logs are mostly in the order of time, so that a day's rows are a few runs and need no copy.
    """
    days = table.column("time").cast(pa.int64()).to_numpy() // _DAY_US
    edges = np.flatnonzero(np.diff(days)) + 1
    if len(edges) * _ROWS_PER_RUN > len(days):
        order = np.argsort(days, kind="stable")
        table, days = table.take(pa.array(order)), days[order]
        edges = np.flatnonzero(np.diff(days)) + 1
    starts, ends = np.r_[0, edges], np.r_[edges, len(days)]
    for day in np.unique(days):
        runs = np.flatnonzero(days[starts] == day)
        slices = [table.slice(starts[run], ends[run] - starts[run]) for run in runs]
        yield str(np.datetime64(int(day), "D")), pa.concat_tables(slices)


def orphans(root: Path, named: Iterable[Segment]) -> list[Path]:
    """Returns the files below the store that no commit names."""
    known = {root / part.path for part in named}
    found = [path for kind in KINDS for path in sorted((root / kind).rglob("*")) if path.is_file()]
    return [path for path in found if path not in known]


def _write(table: pa.Table, file: object) -> None:
    """Writes rows; a column of EVENTS that is all null is left out, since readers know of it."""
    names = [
        name
        for name in table.column_names
        if name not in EVENTS.names or table.column(name).null_count < table.num_rows
    ]
    texts = [name for name in names if pa.types.is_string(table.schema.field(name).type)]
    pq.write_table(
        table.select(names),
        file,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROWS_PER_GROUP,
        use_dictionary=[name for name in texts if name not in _FREE_TEXT],
        write_statistics=[name for name in names if name in _RANGED],
        column_encoding={name: "DELTA_BINARY_PACKED" for name in _RISING if name in names},
    )


def _time_bounds(table: pa.Table) -> tuple[int, int]:
    name = next((name for name in ("time", "time_start") if name in table.column_names), None)
    if name is None:
        return 0, 0
    bounds = pc.min_max(table.column(name).cast(pa.int64()))
    return bounds["min"].as_py(), bounds["max"].as_py()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
