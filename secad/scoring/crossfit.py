"""Cross-fit: every event scored by a fit that did not see it, where there is no earlier history.

EVENTS of one dataset enter and are cut into blocks of time; the model is fitted on all blocks but
one and scores that one, for each in turn. SCORES of all events leave, which also calibrate each
other, since no score knows its own event.

**Which blocks.** Blocks hold about as many events each, and no block edge falls between equal
times. Near each even cut the longest silence is taken, so that a burst of activity, and with it
an attack, stays in one block rather than standing in its own background. This is right for one
recording of one host, and for many in one store: silences between recordings are the longest,
so recordings stay whole and each is compared with the others. Hosts are not the blocks of a
fleet that ran at the same time: a host's other hours are the best background that its own
habits have, and other hosts are in it as well. Only where all events have one time do hosts
serve, then sources. A host, or a kind of event, that lies in one block is cut by itself: without
that its own habits would be unknown, and all that it does odd.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ModelError
from secad.base.protocols import Model
from secad.base.schemas import EVENT_ID, EXPLANATIONS, SCORES

Rows = npt.NDArray[np.int64]
COLD_START = "cold start"
_COLD_ROWS = 200  # a view whose background is smaller says so
_SLACK = 0.25  # how far a cut may move for a silence, in blocks
_KIND = ("dataset", "event_provider", "event_action")


@runtime_checkable
class Plans(Protocol):
    """A model whose fits on parts of a table can share what the table as a whole decides."""

    def plan(self, events: pa.Table) -> Self:
        """Fixes what later fits have in common, and returns itself; learns nothing."""
        ...


@dataclass(frozen=True)
class Folds:
    """Which part of a table each row is in.

    Args:
        of_row: (N,) from 0 on.
        count: how many there are.
        kind: what divides them: ``time``, ``host_name`` or ``source_id``.
    """

    of_row: Rows
    count: int
    kind: str


@dataclass(frozen=True)
class CrossFit:
    """The fits of a cross-fit, and what they gave.

    Args:
        folds: the parts.
        models: for each part the fit on the others; None where there was nothing to learn from.
        scores: SCORES of all events that a fit has a view of.
        cold_views: views whose background is small.
        unscored: how many events no fit has a view of.
    """

    folds: Folds
    models: tuple[Model | None, ...]
    scores: pa.Table
    cold_views: frozenset[str]
    unscored: int
    event_ids: pa.Array

    def badges(self, view: str) -> list[str]:
        """Returns what a reader should know of the scores in a view."""
        return [COLD_START] if view in self.cold_views else []

    def explain(self, events: pa.Table, scores: pa.Table) -> pa.Table:
        """Returns EXPLANATIONS, each by the fit that gave the score.

        Args:
            events: rows that hold at least the scored ones.
            scores: rows of ``scores``.

        Raises:
            ModelError: a subject is not among the scored events.
        """
        places = pc.index_in(scores["subject"].combine_chunks().cast(EVENT_ID), self.event_ids)
        if places.null_count:
            raise ModelError(f"{places.null_count} scores are not of this cross-fit")
        fold = self.folds.of_row[places.to_numpy()]
        parts, rows = [EXPLANATIONS.empty_table()], [np.zeros(0, dtype=np.int64)]
        for number, model in enumerate(self.models):
            own = np.flatnonzero(fold == number)
            if len(own) and model is not None:
                parts.append(model.explain(events, scores.take(pa.array(own))))
                rows.append(own)
        order = np.argsort(np.concatenate(rows), kind="stable")
        return pa.concat_tables(parts).take(pa.array(order))


def cross_fit(make: Callable[[], Model], events: pa.Table, *, blocks: int = 5) -> CrossFit:
    """Returns the scores of events, each by a fit on the other blocks.

    Args:
        make: returns an unfitted model.
        events: EVENTS rows of one dataset.
        blocks: how many, at least 2.

    Raises:
        ModelError: no fit finds anything to learn from.
    """
    folds = plan_folds(events, blocks=blocks)
    model = make()
    if isinstance(model, Plans):
        model = model.plan(events)
    models: list[Model | None] = []
    parts = [SCORES.empty_table()]
    why = f"{len(events)} events cannot be divided into a part to learn from and one to score"
    for number in range(folds.count if folds.count > 1 else 0):
        inside = folds.of_row == number
        try:
            fitted = copy.copy(model).fit(events.filter(pa.array(~inside)))
        except ModelError as error:
            why = error.message
            models.append(None)
            continue
        models.append(fitted)
        parts.append(fitted.score(events.filter(pa.array(inside))))
    if not any(models):
        raise ModelError(why)
    ids = events["event_id"].combine_chunks().cast(EVENT_ID)
    scores = _in_order(pa.concat_tables(parts), ids)
    cold = _cold_views(scores, ids, folds)
    return CrossFit(folds, tuple(models), scores, cold, len(events) - len(scores), ids)


def plan_folds(events: pa.Table, *, blocks: int = 5) -> Folds:
    """Returns the parts of a cross-fit.

    Args:
        events: EVENTS rows of one dataset.
        blocks: how many at most, at least 2.
    """
    times = events["time"].cast(pa.int64()).to_numpy()
    of_row = _time_blocks(times, blocks)
    if len(of_row) and of_row.max() == 0:
        return _other_folds(events, blocks)
    for rows in (*_groups(events, ("host_name",)), *_groups(events, _KIND)):
        if len(rows) > 1 and len(np.unique(of_row[rows])) == 1:
            of_row[rows] = (of_row[rows[0]] + _time_blocks(times[rows], blocks)) % blocks
    _, of_row = np.unique(of_row, return_inverse=True)
    return Folds(of_row.astype(np.int64), int(of_row.max(initial=-1)) + 1, "time")


def _time_blocks(times: Rows, blocks: int) -> Rows:
    """Returns the block of each row, (N,), cut at the longest silences near the even cuts."""
    order = np.argsort(times, kind="stable")
    silences = np.diff(times[order])  # silences[i] lies between rows i and i + 1
    slack = max(1, int(_SLACK * len(times) / blocks))
    cuts = []
    for number in range(1, blocks):
        middle = number * len(times) // blocks
        low, high = max(middle - slack, 1), min(middle + slack, len(times) - 1)
        if low > high:
            continue
        place = _longest(silences[low - 1 : high], middle - low)
        if place is not None:
            cuts.append(low + place)
    found = np.empty(len(times), dtype=np.int64)
    found[order] = np.searchsorted(np.unique(cuts), np.arange(len(times)), side="right")
    return found


def _longest(silences: Rows, middle: int) -> int | None:
    """Returns the place of the longest silence, of equal ones the nearest to ``middle``."""
    if not len(silences) or not silences.max():
        return None
    longest = np.flatnonzero(silences == silences.max())
    return int(longest[np.argmin(np.abs(longest - middle))])


def _other_folds(events: pa.Table, blocks: int) -> Folds:
    for name in ("host_name", "source_id"):
        if name not in events.column_names:
            continue
        codes = _codes(events[name])
        if codes.max() > 0:
            return Folds(codes % blocks, min(int(codes.max()) + 1, blocks), name)
    return Folds(np.zeros(len(events), dtype=np.int64), 1, "time")


def _groups(events: pa.Table, columns: Sequence[str]) -> Sequence[Rows]:
    """Returns the rows of each combination of values."""
    keys = np.zeros(len(events), dtype=np.int64)
    for name in columns:
        if name in events.column_names:
            codes = _codes(events[name])
            keys = np.unique(keys * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1]
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1) if len(keys) else []


def _codes(column: pa.ChunkedArray) -> Rows:
    """Returns (N,) codes of a column's values, sorted, null as the first."""
    values = pc.fill_null(column.cast(pa.string()), "").combine_chunks().dictionary_encode()
    rank = pc.rank(values.dictionary, tiebreaker="dense").to_numpy().astype(np.int64) - 1
    return np.asarray(rank[values.indices.to_numpy()], dtype=np.int64)


def _in_order(scores: pa.Table, ids: pa.Array) -> pa.Table:
    places = pc.index_in(scores["subject"].cast(EVENT_ID), ids)
    return scores.take(pc.sort_indices(places)).combine_chunks()


def _cold_views(scores: pa.Table, ids: pa.Array, folds: Folds) -> frozenset[str]:
    places = pc.index_in(scores["subject"].cast(EVENT_ID), ids).to_numpy()
    view = scores["view"].combine_chunks().dictionary_encode()
    cells = view.indices.to_numpy().astype(np.int64) * folds.count + folds.of_row[places]
    names = view.dictionary.to_pylist()
    counts = np.bincount(cells, minlength=len(names) * folds.count).reshape(-1, folds.count)
    background = counts.sum(axis=1, keepdims=True) - counts
    cold = (counts > 0) & (background < _COLD_ROWS)
    return frozenset(name for name, row in zip(names, cold, strict=True) if row.any())
