from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ModelError
from secad.base.schemas import EVENTS, EXPLANATIONS, SCORES
from secad.scoring.crossfit import COLD_START, cross_fit, plan_folds


def events(times: list[int], **columns: list[str]) -> pa.Table:
    ids = [number.to_bytes(16, "big") for number in range(len(times))]
    return pa.table(
        {
            "event_id": pa.array(ids, pa.binary(16)),
            "time": pa.array(times, pa.timestamp("us", tz="UTC")),
            **columns,
        }
    )


class Remembers:
    """Scores an event by whether its fit saw it, which no cross-fit may let happen."""

    name = "remembers"
    reads = EVENTS
    lookback = timedelta(0)

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.planned = 0

    def plan(self, table: pa.Table) -> Self:
        self.planned = len(table)
        return self

    def fit(self, table: pa.Table) -> Self:
        if len(table) < 3:
            raise ModelError(f"{len(table)} events are too few")
        self.seen = set(table["event_id"].to_pylist())
        return self

    def score(self, table: pa.Table) -> pa.Table:
        ids = table["event_id"].to_pylist()
        rows = {
            "subject": ids,
            "view": ["all"] * len(ids),
            "member_ids": [[one] for one in ids],
            "time_start": table["time"],
            "time_end": table["time"],
            "score": [float(one in self.seen) for one in ids],
        }
        return pa.table([pa.array(rows[f.name], f.type) if isinstance(rows[f.name], list)
                         else rows[f.name] for f in SCORES], schema=SCORES)  # fmt: skip

    def explain(self, table: pa.Table, scores: pa.Table) -> pa.Table:
        assert set(scores["subject"].to_pylist()) <= set(table["event_id"].to_pylist())
        told = [f"{one in self.seen} {self.planned}" for one in scores["subject"].to_pylist()]
        evidence = pa.array([[]] * len(told), EXPLANATIONS.field("evidence").type)
        return pa.table([scores["subject"], pa.array(told), evidence], schema=EXPLANATIONS)

    def save(self, folder: Path) -> None: ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError(folder)


@given(st.lists(st.integers(0, 30), min_size=12, max_size=60), st.integers(2, 6))
@settings(max_examples=50, deadline=None)
def test_no_event_is_scored_by_a_fit_that_saw_it(times: list[int], blocks: int) -> None:
    table = events(times)
    folds = plan_folds(table, blocks=blocks)
    assert len(folds.of_row) == len(times)
    assert set(folds.of_row.tolist()) == set(range(folds.count))
    assert folds.count <= blocks
    # equal times are never parted
    assert len(set(zip(times, folds.of_row.tolist(), strict=True))) == len(set(times))
    if folds.count < 2:
        return
    try:
        found = cross_fit(Remembers, table, blocks=blocks)
    except ModelError:
        return
    assert set(found.scores["score"].to_pylist()) <= {0.0}
    assert len(found.scores) + found.unscored == len(times)
    told = found.explain(table, found.scores)
    assert told["subject"].equals(found.scores["subject"])
    assert set(told["reason"].to_pylist()) <= {f"False {len(times)}"}


def test_blocks_are_cut_at_silences_near_even_cuts() -> None:
    times = [*range(45), *range(1000, 1052), *range(2000, 2053)]
    folds = plan_folds(events(times), blocks=3)
    assert np.bincount(folds.of_row).tolist() == [45, 52, 53]
    assert folds.kind == "time"


def test_row_order_does_not_matter() -> None:
    times = np.random.default_rng(0).integers(0, 1000, 200)
    order = np.random.default_rng(1).permutation(200)
    table = events(times.tolist())
    shuffled = plan_folds(table.take(pa.array(order)))
    assert (shuffled.of_row == plan_folds(table).of_row[order]).all()


@pytest.mark.parametrize("column", ["host_name", "event_action"])
def test_a_host_or_kind_inside_one_block_is_cut_by_itself(column: str) -> None:
    names = ["b" if 10 <= row < 20 else "a" for row in range(100)]
    folds = plan_folds(events(list(range(100)), **{column: names}), blocks=5)
    assert len(set(folds.of_row[10:20].tolist())) == 5
    assert folds.count == 5


def test_hosts_serve_where_all_events_have_one_time() -> None:
    folds = plan_folds(events([7] * 6, host_name=["b", "a", "b", "c", "a", "c"]))
    assert folds.kind == "host_name"
    assert folds.of_row.tolist() == [1, 0, 1, 2, 0, 2]
    assert plan_folds(events([7] * 6)).count == 1


def test_what_cannot_be_divided_is_told() -> None:
    with pytest.raises(ModelError, match="cannot be divided"):
        cross_fit(Remembers, events([7] * 6))
    with pytest.raises(ModelError, match="events are too few"):
        cross_fit(Remembers, events([1, 2]))
    with pytest.raises(ModelError, match="0 events cannot be divided"):
        cross_fit(Remembers, events([]))


def test_a_small_background_is_a_cold_start() -> None:
    assert cross_fit(Remembers, events(list(range(50)))).badges("all") == [COLD_START]
    many = cross_fit(Remembers, events(list(range(500))))
    assert many.badges("all") == []
    assert many.badges("another") == []


def test_scores_of_another_run_are_not_explained() -> None:
    table = events(list(range(50)))
    found = cross_fit(Remembers, table)
    others = found.scores.set_column(0, SCORES.field(0), pa.array([b"x" * 16] * 50, pa.binary()))
    with pytest.raises(ModelError, match="50 scores are not of this cross-fit"):
        found.explain(table, others)
