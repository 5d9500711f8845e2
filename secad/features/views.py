"""Views: which events are compared with which, by which entity columns, found from a table itself.

A view is one kind of event (dataset, provider, action) with the entity columns that are filled
and neither constant nor nearly unique there. Kinds of few rows are pooled, first with others of
their provider, then of their dataset, then with the smallest of its larger kinds, the kind itself
being a column; what is still too little is inert, and told. No label and no clock takes part,
and row order does not matter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.picking import pick
from secad.features.entities import ENTITY, entities, thing
from secad.features.tuples import ABSENT, Codes, Rows, distinct, encode, vocabularies

_KIND = ("dataset", "event_provider", "event_action")
_SAMPLE_ROWS = 50_000  # rows that columns are judged on


@dataclass(frozen=True)
class View:
    """One kind of event and the entity columns to compare its events by.

    Args:
        name: ``dataset/provider/action`` in lower case, ``*`` where kinds are pooled.
        dataset: EVENTS.dataset of its rows.
        provider: EVENTS.event_provider of its rows; None stands for any in a pool.
        action: EVENTS.event_action of its rows; None stands for any in a pool.
        pool: how many of provider and action are pooled: 0 none, 1 actions, 2 both.
        columns: entity columns, sorted.
    """

    name: str
    dataset: str
    provider: str | None
    action: str | None
    pool: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Views:
    """The views of a table.

    Args:
        views: sorted by name.
        inert: kind -> why there is no view of it.
    """

    views: tuple[View, ...]
    inert: Mapping[str, str] = field(default_factory=dict)

    def rows(self, events: pa.Table) -> Iterator[tuple[View, Rows]]:
        """Yields each view that has rows in ``events`` with the (n,) places of its rows.

        Every row goes to at most one view: its kind's own, else the narrowest pool it fits.
        """
        kinds, codes = _kinds(events)
        place = np.array([self._view_of(kind) for kind in kinds], dtype=np.int64)
        of_row = place[codes] if len(codes) else np.zeros(0, dtype=np.int64)
        order = np.argsort(of_row, kind="stable")
        starts = np.searchsorted(of_row[order], np.arange(len(self.views) + 1))
        for number, view in enumerate(self.views):
            rows = order[starts[number] : starts[number + 1]]
            if len(rows):
                yield view, rows

    def _view_of(self, kind: tuple[str | None, ...]) -> int:
        dataset, provider, action = kind
        wanted = ((0, provider, action), (1, provider, None), (2, None, None))
        for key in wanted:
            for number, view in enumerate(self.views):
                if view.dataset == dataset and (view.pool, view.provider, view.action) == key:
                    return number
        return -1


@dataclass(frozen=True)
class Rules:
    """What makes a view.

    Args:
        min_rows: fewest rows that a kind needs for a view of its own.
        max_columns: most entity columns of a view.
        min_filled: least share of rows in which a column says something.
        max_unseen: largest share of rows whose value occurs once: the chance (Good-Turing) that
            the next row brings a value never seen before. Beyond it a column is nearly unique.
        clock: with hour and weekday among the columns.
    """

    min_rows: int = 20
    max_columns: int = 12
    min_filled: float = 0.25
    max_unseen: float = 0.5
    clock: bool = False


def plan_views(events: pa.Table, rules: Rules | None = None) -> Views:
    """Returns the views of a table of EVENTS rows.

    Args:
        events: any number of rows.
        rules: what makes a view.
    """
    planner = _Planner(events, rules or Rules())
    views: list[View] = []
    left = planner.add(views, 0, [[place] for place in range(len(planner.kinds))])
    left = planner.add(views, 1, _grouped(left, lambda place: planner.kinds[place][:2]))
    groups = [*_grouped(left, lambda place: planner.kinds[place][:1])]
    for members in groups:
        planner.borrow(views, members)
    left = planner.add(views, 2, groups)
    inert = {
        planner.name(2, members): planner.why_not(members)
        for members in _grouped(left, lambda place: planner.kinds[place][:1])
    }
    return Views(tuple(sorted(views, key=lambda view: view.name)), inert)


def entity_columns(events: pa.Table, pool: int, *, clock: bool = False) -> pa.Table:
    """Returns the entity columns of one view's rows, ABSENT for null, in pools with the kind.

    Args:
        events: EVENTS rows of one view.
        pool: as in ``View``.
        clock: with hour and weekday.

    Returns:
        as many rows, ENTITY columns without nulls.
    """
    filled = [name for name in events.column_names if events[name].null_count < len(events)]
    table = entities(events.select(filled), clock=clock)
    made = {name: _without_nulls(table[name]) for name in table.column_names}
    for name in ("event_action", "event_provider")[:pool]:
        if name in events.column_names:
            kind = events[name].cast(pa.string()).dictionary_encode()
            made[name] = _without_nulls(kind)
    return pa.table(list(made.values()), names=list(made))


def _kinds(events: pa.Table) -> tuple[list[tuple[str | None, ...]], Rows]:
    columns = [
        events[name].cast(pa.string()) if name in events.column_names
        else pa.chunked_array([pa.nulls(len(events), pa.string())])
        for name in _KIND
    ]  # fmt: skip
    encoded = [column.combine_chunks().dictionary_encode() for column in columns]
    codes = np.empty((len(events), len(_KIND)), dtype=np.int32)
    for place, column in enumerate(encoded):
        codes[:, place] = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False) + 1
    found = distinct(codes)
    values = [[None, *column.dictionary.to_pylist()] for column in encoded]
    kinds = [tuple(values[place][code] for place, code in enumerate(row)) for row in found.codes]
    return kinds, found.of_row


class _Planner:
    """Makes views of kinds, large ones alone and small ones with their like.

    Args:
        events: any number of rows.
        rules: what makes a view.
    """

    def __init__(self, events: pa.Table, rules: Rules) -> None:
        self.kinds, self._codes = _kinds(events)
        self._counts = np.bincount(self._codes, minlength=len(self.kinds))
        self._events = events
        self._rules = rules

    def add(self, views: list[View], pool: int, groups: Iterable[list[int]]) -> list[int]:
        """Adds the views of groups of kinds, and returns the kinds that give none."""
        left: list[int] = []
        for members in groups:
            columns = self._columns(pool, members)
            if not columns or (pool == 1 and len(members) == 1):
                left.extend(members)
                continue
            dataset, provider, action = self.kinds[members[0]]
            key = (provider if pool < 2 else None, action if pool < 1 else None)
            name = self.name(pool, members)
            views.append(View(name, dataset or "", *key, pool, tuple(sorted(columns))))
        return sorted(left)

    def borrow(self, views: list[View], members: list[int]) -> None:
        """Takes the smallest kind with a view of its own into a pool that is too small.

        A kind too rare for any view is odd by itself, which shows beside a common one.
        """
        if self._counts[members].sum() >= self._rules.min_rows:
            return
        dataset = self.kinds[members[0]][0]
        alone = {
            place: view
            for view in views
            for place, kind in enumerate(self.kinds)
            if view.pool == 0 and kind == (dataset, view.provider, view.action)
        }
        if alone:
            smallest = min(alone, key=lambda place: (self._counts[place], place))
            views.remove(alone[smallest])
            members.append(smallest)

    def why_not(self, members: list[int]) -> str:
        """Returns why a group of kinds gives no view."""
        count = int(self._counts[members].sum())
        if count < self._rules.min_rows:
            return f"{count} events, at least {self._rules.min_rows} are needed"
        return "no column of it is filled, varies and is not nearly unique"

    def name(self, pool: int, members: list[int]) -> str:
        """Returns the name of the view of a group of kinds."""
        dataset, provider, action = self.kinds[members[0]]
        parts = (dataset, "*" if pool == 2 else provider, "*" if pool else action)
        return "/".join((part or "-").lower().replace(" ", "-") for part in parts)

    def _columns(self, pool: int, members: list[int]) -> list[str]:
        rows = np.flatnonzero(np.isin(self._codes, members))
        if len(rows) < self._rules.min_rows:
            return []
        sample = pick(self._events, np.sort(_sampled(self._events, rows)))
        table = entity_columns(sample, pool, clock=self._rules.clock)
        return _chosen_columns(table, self._rules)


def _grouped(
    places: list[int], key: Callable[[int], tuple[str | None, ...]]
) -> Iterator[list[int]]:
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for place in places:
        groups.setdefault(key(place), []).append(place)
    yield from groups.values()


def _sampled(events: pa.Table, rows: Rows) -> Rows:
    """Returns at most _SAMPLE_ROWS of ``rows``, the same ones in whatever order they stand."""
    if len(rows) <= _SAMPLE_ROWS:
        return rows
    if "event_id" in events.column_names:
        ids = pick(events.select(["event_id"]), rows)["event_id"].cast(pa.binary())
        rows = rows[pc.sort_indices(ids).to_numpy()]
    return rows[np.linspace(0, len(rows) - 1, _SAMPLE_ROWS).astype(np.int64)]


def _without_nulls(column: pa.ChunkedArray) -> pa.DictionaryArray:
    array = column.combine_chunks()
    if not array.null_count:
        return array.cast(ENTITY)
    dictionary = pa.concat_arrays([array.dictionary, pa.array([ABSENT])])
    indices = pc.fill_null(array.indices, len(array.dictionary)).cast(pa.int32())
    return pa.DictionaryArray.from_arrays(indices, dictionary)


def _chosen_columns(table: pa.Table, rules: Rules) -> list[str]:
    names = [name for name in table.column_names if _varies(table[name], rules)]
    names = [name for name in names if name.removesuffix("__shape") not in set(names) - {name}]
    if not names:
        return []
    found = distinct(encode(table, names, vocabularies(table, names)))
    names, codes = _without_doubles(names, found.codes)
    worth = _informations(codes, np.sqrt(found.counts), [thing(name) for name in names])
    return _by_turns(names, worth)[: rules.max_columns]


def _varies(column: pa.ChunkedArray, rules: Rules) -> bool:
    array = column.combine_chunks()
    counts = np.bincount(
        array.indices.to_numpy(zero_copy_only=False), minlength=len(array.dictionary)
    )
    absent = pc.index(array.dictionary, ABSENT).as_py()
    filled = len(array) - (counts[absent] if absent >= 0 else 0)
    unseen = (counts == 1).sum()
    return bool(
        filled >= rules.min_filled * len(array)
        and (counts > 0).sum() > 1
        and unseen <= rules.max_unseen * len(array)
    )


def _without_doubles(names: list[str], codes: Codes) -> tuple[list[str], Codes]:
    """Returns the columns without those that say what another of the same thing says.

    Columns of different things are kept, also where one follows from the other: it is the
    habit that an odd event breaks.
    """
    kept: list[int] = []
    for place in sorted(range(len(names)), key=lambda place: (len(names[place]), names[place])):
        twins = [other for other in kept if thing(names[other]) == thing(names[place])]
        values = len(np.unique(codes[:, place]))
        if not any(
            values == len(np.unique(codes[:, twin]))
            == len(distinct(codes[:, [place, twin]]).counts)
            for twin in twins
        ):  # fmt: skip
            kept.append(place)
    kept.sort()
    return [names[place] for place in kept], codes[:, kept]


def _informations(
    codes: Codes, weights: npt.NDArray[np.float64], things: list[str]
) -> npt.NDArray[np.float64]:
    """Returns for each column the most that one of another thing tells of it, in nats.

    Mutual information over distinct rows, less what chance gives it: (|A|-1)(|B|-1) / 2U.
    """
    worth = np.zeros(codes.shape[1])
    sizes = [int(column.max()) + 1 for column in codes.T]
    for a, b in itertools.combinations(range(codes.shape[1]), 2):
        if things[a] == things[b]:
            continue
        pairs = np.unique(
            codes[:, a].astype(np.int64) * sizes[b] + codes[:, b], return_inverse=True
        )
        joint = _entropy(pairs[1], weights)
        apart = _entropy(codes[:, a], weights) + _entropy(codes[:, b], weights)
        chance = (sizes[a] - 1) * (sizes[b] - 1) / (2 * len(codes))
        shared = round(apart - joint - chance, 6)
        worth[a] = max(worth[a], shared)
        worth[b] = max(worth[b], shared)
    return worth


def _entropy(values: npt.NDArray[np.integer[Any]], weights: npt.NDArray[np.float64]) -> float:
    totals = np.bincount(values, weights=weights)
    shares = totals[totals > 0] / totals.sum()
    return float(-(shares * np.log(shares)).sum())


def _by_turns(names: list[str], worth: npt.NDArray[np.float64]) -> list[str]:
    """Returns the names, the best of everything before the second of any."""
    best = sorted(range(len(names)), key=lambda place: (-worth[place], names[place]))
    seen: dict[str, int] = {}
    turns: list[tuple[int, int, str]] = []
    for place in best:
        turn = thing(names[place])
        seen[turn] = seen.get(turn, 0) + 1
        turns.append((seen[turn], len(turns), names[place]))
    return [name for _, _, name in sorted(turns)]
