"""Backgrounds: what a view's events looked like where a model was fitted.

EVENTS rows enter; each view's vocabularies and distinct tuples with their counts stay. Later
events are coded by the same vocabularies, and any combination of their values can be counted in
the background, which is what frequency models score by and what every explanation quotes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ModelError
from secad.base.picking import pick
from secad.base.schemas import EVENT_ID, SCORES, TIME
from secad.features.entities import source_column
from secad.features.tuples import Codes, Rows, Tuples, distinct, encode, vocabularies
from secad.features.views import View, Views, entity_columns

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Background:
    """One view of the events that a model was fitted on.

    Args:
        view: the kind of event and its m entity columns.
        values: for each column its values, in the order of their codes from 1 on.
        codes: (U, m) the distinct tuples.
        counts: (U,) how many events had each.
    """

    view: View
    values: tuple[pa.StringArray, ...]
    codes: Codes
    counts: Counts

    @cached_property
    def events(self) -> int:
        """How many events it stands for."""
        return int(self.counts.sum())

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """For each column one more than its values: UNKNOWN is a value too."""
        return tuple(len(values) + 1 for values in self.values)

    def count(self, codes: Codes, columns: Sequence[int]) -> Counts:
        """Returns in how many events each row's values of some columns stood together.

        Args:
            codes: (N, m) rows to look up.
            columns: places of the columns, at least one.

        Returns:
            (N,) counts, 0 where a value is UNKNOWN or the combination is new.
        """
        if len(columns) > 2:
            return self._count_wide(codes, list(columns))
        places = tuple(columns)
        if places not in self._seen:
            known, of_row = np.unique(self._keys(self.codes, places), return_inverse=True)
            totals = np.bincount(of_row, weights=self.counts, minlength=len(known))
            self._seen[places] = (known, totals.astype(np.int64))
        known, totals = self._seen[places]
        keys = self._keys(codes, places)
        found = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        return np.where(known[found] == keys, totals[found], 0)

    def pair_counts(self, codes: Codes) -> Counts:
        """Returns the counts of all pairs of values, those of single values on the diagonal.

        Args:
            codes: (N, m).

        Returns:
            (N, m, m), symmetric.
        """
        size = codes.shape[1]
        counts = np.empty((len(codes), size, size), dtype=np.int64)
        for first in range(size):
            counts[:, first, first] = self.count(codes, (first,))
            for second in range(first + 1, size):
                counts[:, first, second] = self.count(codes, (first, second))
                counts[:, second, first] = counts[:, first, second]
        return counts

    @cached_property
    def _seen(self) -> dict[tuple[int, ...], tuple[Rows, Counts]]:
        return {}

    def _keys(self, codes: Codes, columns: tuple[int, ...]) -> Rows:
        keys = np.zeros(len(codes), dtype=np.int64)
        for column in columns:  # two at most: their product fits into 64 bits
            keys = keys * self.sizes[column] + codes[:, column]
        return keys

    def _count_wide(self, codes: Codes, columns: list[int]) -> Counts:
        both = distinct(np.concatenate([self.codes[:, columns], codes[:, columns]]))
        known = len(self.codes)
        totals = np.bincount(both.of_row[:known], weights=self.counts, minlength=len(both.counts))
        return totals.astype(np.int64)[both.of_row[known:]]


@dataclass(frozen=True)
class Coded:
    """The rows of a table that belong to one view, coded by its background.

    Args:
        background: the view's.
        rows: (n,) their places in the table.
        tuples: their distinct codes, and which each row has.
        table: (n rows) their entity columns.
    """

    background: Background
    rows: Rows
    tuples: Tuples
    table: pa.Table


@dataclass(frozen=True)
class Backgrounds:
    """All views of the events that a model was fitted on.

    Args:
        views: which there are, and which kinds of event are inert and why.
        of_view: view name -> its background.
    """

    views: Views
    of_view: Mapping[str, Background] = field(default_factory=dict)

    @classmethod
    def learn(cls, events: pa.Table, views: Views, *, model: str) -> Backgrounds:
        """Returns the backgrounds of ``events`` in ``views``.

        Raises:
            ModelError: no view has an event; the message says why.
        """
        found = {
            view.name: _learn(view, pick(_read_by(view, events), rows))
            for view, rows in views.rows(events)
        }
        if not found:
            reasons = [f"{kind}: {why}" for kind, why in views.inert.items()]
            told = "; ".join(reasons[:3]) if reasons else f"the table has {len(events)} events"
            raise ModelError(f"{model} has nothing to learn from ({told})")
        return cls(views, found)

    def coded(self, events: pa.Table) -> Iterator[Coded]:
        """Yields the rows of each view in ``events`` that has a background."""
        for view, rows in self.views.rows(events):
            background = self.of_view.get(view.name)
            if background is None:
                continue
            table = entity_columns(pick(_read_by(view, events), rows), view.pool)
            codes = encode(table, view.columns, background.values)
            yield Coded(background, rows, distinct(codes), table)

    def state(self) -> dict[str, Any]:
        """Returns what ``restore`` needs besides the arrays, as JSON values."""
        return {
            "views": [asdict(view) for view in self.views.views],
            "inert": dict(self.views.inert),
            "values": {
                name: [values.to_pylist() for values in background.values]
                for name, background in self.of_view.items()
            },
        }

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Returns the arrays that ``restore`` needs, by name."""
        found: dict[str, npt.NDArray[Any]] = {}
        for name, background in self.of_view.items():
            found[f"{name}#codes"] = background.codes
            found[f"{name}#counts"] = background.counts
        return found

    @classmethod
    def restore(
        cls, state: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> Backgrounds:
        """Returns the backgrounds that gave ``state()`` and ``arrays()``.

        Raises:
            ModelError: they do not fit together.
        """
        try:
            views = tuple(
                View(**{**view, "columns": tuple(view["columns"])}) for view in state["views"]
            )
            by_name = {view.name: view for view in views}
            found = {
                name: Background(
                    by_name[name],
                    tuple(pa.array(column, pa.string()) for column in values),
                    arrays[f"{name}#codes"],
                    arrays[f"{name}#counts"],
                )
                for name, values in state["values"].items()
            }
            return cls(Views(views, state["inert"]), found)
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"the saved model lacks {error}") from error


def scores_of(events: pa.Table, parts: Sequence[tuple[Coded, npt.NDArray[np.float64]]]) -> pa.Table:
    """Returns SCORES of events, in the order of the table.

    Args:
        events: the table that was coded.
        parts: for each view its rows and the (U,) score of each distinct tuple.
    """
    rows = np.concatenate([coded.rows for coded, _ in parts] or [np.zeros(0, dtype=np.int64)])
    order = np.argsort(rows, kind="stable")
    values = np.concatenate([score[coded.tuples.of_row] for coded, score in parts] or [np.zeros(0)])
    names = pa.array([coded.background.view.name for coded, _ in parts], pa.string())
    sizes = [len(coded.rows) for coded, _ in parts]
    view = names.take(pa.array(np.repeat(np.arange(len(parts)), sizes)[order]))
    taken = pick(events.select(["event_id", "time"]), rows[order])
    ids = taken["event_id"].combine_chunks().cast(EVENT_ID)
    time = taken["time"].combine_chunks().cast(TIME)
    offsets = pa.array(np.arange(len(rows) + 1, dtype=np.int32))
    columns = {
        "subject": ids.cast(pa.binary()),
        "view": view,
        "member_ids": pa.ListArray.from_arrays(offsets, ids),
        "time_start": time,
        "time_end": time,
        "score": pa.array(values[order], pa.float64()),
    }
    return pa.table([columns[name] for name in SCORES.names], schema=SCORES)


def events_of(events: pa.Table, subjects: pa.Array) -> pa.Table:
    """Returns the rows of ``events`` whose ids are ``subjects``, in their order.

    Raises:
        ModelError: an event is missing.
    """
    rows = pc.index_in(subjects.cast(EVENT_ID), events["event_id"].combine_chunks().cast(EVENT_ID))
    if rows.null_count:
        raise ModelError(f"{rows.null_count} of {len(rows)} scored events are not in the table")
    return pick(events, rows.to_numpy())


def _read_by(view: View, events: pa.Table) -> pa.Table:
    """Returns the columns that a view's entity columns come from."""
    needed = {*(source_column(name) for name in view.columns), "event_action", "event_provider"}
    return events.select([name for name in events.column_names if name in needed])


def _learn(view: View, events: pa.Table) -> Background:
    table = entity_columns(events, view.pool)
    values = vocabularies(table, view.columns)
    found = distinct(encode(table, view.columns, values))
    return Background(view, tuple(values), found.codes, found.counts)
