"""The event store: Parquet files by day and dataset, committed exactly once by the ledger.

Events, rejects and scores enter by ``commit``: the files are written and synced, then one
transaction names them together with how far each source is read and the state of the template
miners. A run killed at any point leaves files that nothing names, and they go at the next start.
"""

from __future__ import annotations

import fcntl
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects.sqlite import insert

from secad.base.database import writing
from secad.base.errors import BusyError
from secad.base.ledger_tables import ingest_commit
from secad.base.ledger_tables import state as state_table
from secad.base.schemas import EVENTS, OCCURRENCES, REJECTS, TIME
from secad.events.ledger import Ledger, Source, save
from secad.events.segments import Manifest, Segment, Slot, by_day, orphans, swap, write_part

_COMPACT_PARTS = 16
_WRITERS = 2  # files that are written beside each other
_SMALL_BYTES = 16 << 20
_PART_ROWS = 150_000  # of one file


@dataclass(frozen=True)
class Replaced:
    """The end of a source that is read again: its last line had no ending and has grown since.

    Args:
        source_id: the source.
        source_path: under which its rejects stand.
        byte_offset: every record from here on goes.
    """

    source_id: str
    source_path: str
    byte_offset: int


@dataclass
class Pending:
    """What the next commit adds.

    Args:
        events: (dataset, EVENTS rows with that dataset's extension columns).
        alerts: (dataset, OCCURRENCES rows), the occurrences of other tools' alerts.
        rejects: REJECTS rows.
        scores: (model id, rows of scores).
        sources: source id -> its new state.
        states: name -> bytes that belong to these rows (the template miners').
        replaced: records that are to go.
        kind: of the sources, ``logs`` or ``alerts``.
        also: what must become true with the rest, done inside the same transaction.
    """

    events: list[tuple[str, pa.Table]] = field(default_factory=list)
    alerts: list[tuple[str, pa.Table]] = field(default_factory=list)
    rejects: list[pa.Table] = field(default_factory=list)
    scores: list[tuple[str, pa.Table]] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    replaced: list[Replaced] = field(default_factory=list)
    kind: str = "logs"
    also: Callable[[Connection], None] | None = None


class EventStore:
    """Events, rejects and scores of one store folder.

    Args:
        folder: the store.
        engine: its database.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.manifest = Manifest(engine)
        self.ledger = Ledger(engine)
        self.alert_ledger = Ledger(engine, "alerts")
        self._engine = engine

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Holds the store's write lock, after removing what a killed run left.

        Raises:
            BusyError: another process holds it.
        """
        with (self.folder / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BusyError(
                    f"another secad process writes to {str(self.folder)!r}",
                    hint="try again when it is done",
                ) from error
            for path in orphans(self.folder, self.manifest.segments()):
                path.unlink()
            yield

    def commit(self, pending: Pending, now: datetime) -> int:
        """Adds what is pending, all of it or nothing, and returns the commit's number.

        Must be called under ``writer``.

        Args:
            pending: left as it is.
            now: aware, the time of the commit.
        """
        commit_id = self.last_commit() + 1
        gone, added = self._without(pending, commit_id)
        added += self._write(pending, commit_id)
        with writing(self._engine).begin() as connection:
            micros = int(now.timestamp() * 1_000_000)
            connection.execute(
                insert(ingest_commit).values(commit_id=commit_id, committed_us=micros)
            )
            swap(connection, gone, added)
            for known in pending.sources.values():
                save(connection, known)
            for name, value in pending.states.items():
                row = {"name": name, "value": value}
                connection.execute(
                    insert(state_table).values(row).on_conflict_do_update(["name"], set_=row)
                )
            if pending.also:
                pending.also(connection)
        self._remove(gone)
        return commit_id

    def compact(self, now: datetime) -> int:
        """Joins the small files of each partition, and returns how many files are gone by it.

        Must be called under ``writer``.
        """
        small: dict[tuple[str, str, str], list[Segment]] = defaultdict(list)
        for part in self.manifest.segments():
            if part.size_bytes < _SMALL_BYTES:
                small[part.kind, part.dataset, part.day].append(part)
        removed = 0
        for parts in small.values():
            if len(parts) >= _COMPACT_PARTS:
                self._join(parts, now)
                removed += len(parts) - 1
        return removed

    def events(
        self,
        *,
        dataset: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[ds.Dataset, pc.Expression]:
        """Returns the events as an Arrow dataset, and the condition that makes the range exact.

        Its columns are those of EVENTS and the extension columns of the datasets in it, null
        where a dataset has none.

        Args:
            dataset: only of this dataset.
            since: only at or after this time.
            until: only before this time.
        """
        condition = pc.scalar(True)
        first, last = -(2**62), 2**62
        if since is not None:
            first = _micros(since)
            condition &= ds.field("time") >= pa.scalar(since, TIME)
        if until is not None:
            last = _micros(until) - 1
            condition &= ds.field("time") < pa.scalar(until, TIME)
        parts = [
            part
            for part in self.manifest.segments("events", dataset)
            if part.time_last_us >= first and part.time_first_us <= last
        ]
        return self._files(parts, EVENTS), condition

    def occurrences(
        self, condition: pc.Expression | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Returns OCCURRENCES rows of other tools' alerts, in the order of days and commits.

        Args:
            condition: only rows that meet it.
            columns: only these.
        """
        files = self._files(self.manifest.segments("alerts"), OCCURRENCES)
        return files.to_table(columns=list(columns) if columns else None, filter=condition)

    def rejects(self) -> pa.Table:
        """Returns all REJECTS rows, in the order of their commits."""
        return self._files(self.manifest.segments("rejects"), REJECTS).to_table()

    def scores(self, model_id: str) -> pa.Table | None:
        """Returns the stored scores of a model, None where there are none."""
        parts = self.manifest.segments("scores", model_id)
        if not parts:
            return None
        return self._files(parts, pq.read_schema(self.folder / parts[0].path)).to_table()

    def datasets(self) -> dict[str, int]:
        """Returns the datasets that hold events, with how many."""
        counts: dict[str, int] = defaultdict(int)
        for part in self.manifest.segments("events"):
            counts[part.dataset] += part.rows
        return dict(sorted(counts.items()))

    def last_commit(self) -> int:
        """Returns the number of the last commit, 0 before the first."""
        with self._engine.connect() as connection:
            last = connection.execute(select(func.max(ingest_commit.c.commit_id))).scalar()
        return int(last or 0)

    def states(self, prefix: str) -> dict[str, bytes]:
        """Returns the states whose names start with ``prefix``, by name."""
        name = state_table.c.name
        query = select(state_table).where(name.startswith(prefix, autoescape=True)).order_by(name)
        with self._engine.connect() as connection:
            return {row.name: row.value for row in connection.execute(query)}

    def missing(self) -> list[str]:
        """Returns the files that a commit names but that are gone or of another size."""
        lost = []
        for part in self.manifest.segments():
            path = self.folder / part.path
            if not path.is_file() or path.stat().st_size != part.size_bytes:
                lost.append(part.path)
        return lost

    def _write(self, pending: Pending, commit_id: int) -> list[Segment]:
        slots = []
        for kind, tables in (("events", pending.events), ("alerts", pending.alerts)):
            for dataset in sorted({name for name, _ in tables}):
                rows = _together([table for name, table in tables if name == dataset])
                slots += [(Slot(kind, dataset, day, commit_id), part) for day, part in by_day(rows)]
        slots.append(
            (Slot("rejects", _rejects_of(pending.kind), "", commit_id), _together(pending.rejects))
        )
        for model_id in sorted({name for name, _ in pending.scores}):
            rows = _together([table for name, table in pending.scores if name == model_id])
            slots.append((Slot("scores", model_id, "", commit_id), rows))
        filled = [part for slot, rows in slots for part in _in_parts(slot, rows)]
        with ThreadPoolExecutor(_WRITERS) as writers:
            return list(writers.map(lambda part: write_part(self.folder, *part), filled))

    def _without(self, pending: Pending, commit_id: int) -> tuple[list[Segment], list[Segment]]:
        """Rewrites the files that hold replaced records; returns the old ones and the new."""
        gone: list[Segment] = []
        kept: list[Segment] = []
        if not pending.replaced:
            return gone, kept
        rows = self.manifest.segments("events" if pending.kind == "logs" else "alerts")
        for part in [*rows, *self.manifest.segments("rejects", _rejects_of(pending.kind))]:
            table = pq.read_table(self.folder / part.path, partitioning=None)
            stays = ~_are_replaced(table, pending.replaced)
            if stays.all():
                continue
            gone.append(part)
            if stays.any():
                rest = table.filter(pa.array(stays))
                kept.append(self._again(part, rest, commit_id, f"-{len(kept)}"))
        return gone, kept

    def _join(self, parts: list[Segment], now: datetime) -> None:
        commit_id = self.last_commit() + 1
        tables = [pq.read_table(self.folder / part.path, partitioning=None) for part in parts]
        joined = self._again(parts[0], _together(tables), commit_id, "-joined")
        with writing(self._engine).begin() as connection:
            micros = int(now.timestamp() * 1_000_000)
            connection.execute(
                insert(ingest_commit).values(commit_id=commit_id, committed_us=micros)
            )
            swap(connection, parts, [joined])
        self._remove(parts)

    def _again(self, part: Segment, table: pa.Table, commit_id: int, mark: str) -> Segment:
        slot = Slot(part.kind, part.dataset, part.day, commit_id)
        return write_part(self.folder, slot, table, mark)

    def _remove(self, parts: Sequence[Segment]) -> None:
        for part in parts:
            (self.folder / part.path).unlink(missing_ok=True)

    def _files(self, parts: Sequence[Segment], schema: pa.Schema) -> ds.Dataset:
        """Returns files whose columns may differ as one dataset, null where a file has none."""
        paths = [str(self.folder / part.path) for part in parts]
        fields = {field.name: field for field in schema}
        for path in paths:
            fields |= {
                field.name: field for field in pq.read_schema(path) if field.name not in fields
            }
        return ds.dataset(paths, schema=pa.schema(list(fields.values())), format="parquet")


def _rejects_of(kind: str) -> str:
    """Returns the dataset of rejects of sources of a kind: a file may be read as both."""
    return "" if kind == "logs" else kind


def _in_parts(slot: Slot, rows: pa.Table) -> Iterator[tuple[Slot, pa.Table, str]]:
    """Yields rows in equal parts, with what tells their files apart, to be written at once."""
    count = -(-rows.num_rows // _PART_ROWS)
    size = -(-rows.num_rows // max(count, 1))
    for number in range(count):
        mark = f"-p{number}" if number else ""
        yield slot, rows.slice(number * size, size), mark


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    if not tables:
        return REJECTS.empty_table()
    return pa.concat_tables(tables, promote_options="default")


def _are_replaced(table: pa.Table, replaced: Sequence[Replaced]) -> npt.NDArray[np.bool_]:
    hits = np.zeros(table.num_rows, dtype=np.bool_)
    for end in replaced:
        if "event_id" in table.column_names:
            source, value = table.column("source_id"), end.source_id
        else:
            source, value = table.column("source_path"), end.source_path
        from_there = pc.greater_equal(table.column("byte_offset"), end.byte_offset)
        rows = pc.and_(pc.equal(source, value), from_there)
        hits |= np.asarray(rows.to_numpy(), dtype=np.bool_)
    return hits


def _micros(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)
