"""Views: which events are compared with which, by which entity columns, found from a table itself.

A view is one kind of event (dataset, provider, action) with the entity columns that are filled
and neither constant nor nearly unique there. Kinds of few rows are pooled, first with others of
their provider, then of their dataset, then with the smallest of its larger kinds, the kind itself
being a column; what is still too little is inert, and told. No label and no clock takes part,
and row order does not matter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.features.entities import ENTITY, entities, source_column

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
_KIND = ("dataset", "event_provider", "event_action")
_SAMPLE_ROWS = 50_000  # rows that columns are judged on
ABSENT = "(none)"  # the value of an event that says nothing in a column
UNKNOWN = 0  # the code of a value that the vocabulary lacks


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
    rules = rules or Rules()
    kinds, codes = _kinds(events)
    counts = np.bincount(codes, minlength=len(kinds))
    views: list[View] = []
    inert: dict[str, str] = {}
    for pool, members in _pools(kinds, counts, rules.min_rows):
        name = _name(members, kinds, pool)
        rows = np.flatnonzero(np.isin(codes, members))
        if len(rows) < rules.min_rows:
            inert[name] = f"{len(rows)} events, at least {rules.min_rows} are needed"
            continue
        table = entity_columns(
            events.take(pa.array(_sampled(events, rows))), pool, clock=rules.clock
        )
        columns = _chosen_columns(table, rules)
        if not columns:
            inert[name] = "no column of it is filled, varies and is not nearly unique"
            continue
        dataset, provider, action = kinds[members[0]]
        key = (provider if pool < 2 else None, action if pool < 1 else None)
        views.append(View(name, dataset or "", *key, pool, tuple(sorted(columns))))
    return Views(tuple(sorted(views, key=lambda view: view.name)), dict(sorted(inert.items())))


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
    for name in ("event_action", "event_provider")[:pool]:
        if name in events.column_names:
            kind = events[name].cast(pa.string()).combine_chunks().dictionary_encode()
            table = table.append_column(name, kind)
    columns = [_without_nulls(table[name]) for name in table.column_names]
    return pa.table(columns, names=table.column_names)


def encode(
    table: pa.Table, columns: Sequence[str], vocabularies: Sequence[pa.StringArray]
) -> Codes:
    """Returns the codes of rows under fitted vocabularies, UNKNOWN for a value they lack.

    Args:
        table: N rows of ``entity_columns``.
        columns: m names; one that the table lacks reads as ABSENT.
        vocabularies: for each column its values in the order of their codes, from code 1 on.

    Returns:
        (N, m) int32.
    """
    codes = np.empty((table.num_rows, len(columns)), dtype=np.int32)
    for place, (name, vocabulary) in enumerate(zip(columns, vocabularies, strict=True)):
        if name not in table.column_names:
            absent = pc.index_in(pa.array([ABSENT]), vocabulary)[0].as_py()
            codes[:, place] = UNKNOWN if absent is None else absent + 1
            continue
        column = table[name].combine_chunks()
        known = pc.fill_null(pc.index_in(column.dictionary, vocabulary), -1)
        code_of = known.to_numpy(zero_copy_only=False).astype(np.int32) + 1
        codes[:, place] = code_of[column.indices.to_numpy(zero_copy_only=False)]
    return codes


def vocabularies(table: pa.Table, columns: Sequence[str]) -> list[pa.StringArray]:
    """Returns the values of each column, sorted, so that row order does not matter.

    Args:
        table: rows of ``entity_columns``.
        columns: names.
    """
    values = [
        table[name].unique().cast(pa.string()) if name in table.column_names else pa.array([ABSENT])
        for name in columns
    ]
    return [found.take(pc.sort_indices(found)) for found in values]


@dataclass(frozen=True)
class Tuples:
    """The distinct rows of a code matrix.

    Args:
        codes: (U, m) the distinct rows, in lexicographic order.
        counts: (U,) how often each occurs.
        of_row: (N,) which of them each row is.
    """

    codes: Codes
    counts: Rows
    of_row: Rows


def distinct(codes: Codes) -> Tuples:
    """Returns the distinct rows of an (N, m) matrix of codes not below 0."""
    keys = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:
        size = int(column.max(initial=0)) + 1
        if keys.max(initial=0) >= np.iinfo(np.int64).max // size - 1:
            keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        keys = keys * size + column
    _, first, of_row, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return Tuples(codes[first], counts.astype(np.int64), of_row.astype(np.int64))


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


def _pools(
    kinds: list[tuple[str | None, ...]], counts: Rows, min_rows: int
) -> list[tuple[int, list[int]]]:
    """Returns (pool, places of its kinds): large kinds alone, small ones with their like."""
    large = [place for place in range(len(kinds)) if counts[place] >= min_rows]
    small = [place for place in range(len(kinds)) if counts[place] < min_rows]
    found: list[tuple[int, list[int]]] = []
    left: list[int] = []
    for members in _grouped(small, lambda place: kinds[place][:2]):
        if len(members) > 1 and counts[members].sum() >= min_rows:
            found.append((1, members))
        else:
            left.extend(members)
    for members in _grouped(left, lambda place: kinds[place][:1]):
        others = [place for place in large if kinds[place][:1] == kinds[members[0]][:1]]
        if others and counts[members].sum() < min_rows:
            # a kind too rare for any view is odd by itself, which shows beside a common one
            smallest = min(others, key=lambda place: (counts[place], place))
            large.remove(smallest)
            members = sorted([*members, smallest])  # noqa: PLW2901
        found.append((2, members))
    return [(0, [place]) for place in large] + found


def _grouped(
    places: list[int], key: Callable[[int], tuple[str | None, ...]]
) -> Iterator[list[int]]:
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for place in places:
        groups.setdefault(key(place), []).append(place)
    yield from groups.values()


def _name(members: list[int], kinds: list[tuple[str | None, ...]], pool: int) -> str:
    dataset, provider, action = kinds[members[0]]
    parts = (dataset, "*" if pool == 2 else provider, "*" if pool else action)
    return "/".join((part or "-").lower().replace(" ", "-") for part in parts)


def _sampled(events: pa.Table, rows: Rows) -> Rows:
    """Returns at most _SAMPLE_ROWS of ``rows``, the same ones in whatever order they stand."""
    if len(rows) <= _SAMPLE_ROWS:
        return rows
    if "event_id" in events.column_names:
        ids = events["event_id"].take(pa.array(rows)).cast(pa.binary())
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
    worth = _informations(codes, np.sqrt(found.counts), [source_column(name) for name in names])
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
    """Returns the columns without those that say what another of the same source says.

    Columns of different sources are kept, also where one follows from the other: it is the
    habit that an odd event breaks.
    """
    kept: list[int] = []
    for place in sorted(range(len(names)), key=lambda place: (len(names[place]), names[place])):
        source = source_column(names[place])
        twins = [other for other in kept if source_column(names[other]) == source]
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
    codes: Codes, weights: npt.NDArray[np.float64], sources: list[str]
) -> npt.NDArray[np.float64]:
    """Returns for each column the most that one of another source tells of it, in nats.

    Mutual information over distinct rows, less what chance gives it: (|A|-1)(|B|-1) / 2U.
    """
    worth = np.zeros(codes.shape[1])
    sizes = [int(column.max()) + 1 for column in codes.T]
    for a, b in itertools.combinations(range(codes.shape[1]), 2):
        if sources[a] == sources[b]:
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
    """Returns the names, the best of every source column before the second of any."""
    best = sorted(range(len(names)), key=lambda place: (-worth[place], names[place]))
    seen: dict[str, int] = {}
    turns: list[tuple[int, int, str]] = []
    for place in best:
        source = source_column(names[place])
        seen[source] = seen.get(source, 0) + 1
        turns.append((seen[source], len(turns), names[place]))
    return [name for _, _, name in sorted(turns)]
