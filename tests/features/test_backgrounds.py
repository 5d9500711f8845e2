from __future__ import annotations

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ModelError
from secad.features.backgrounds import Background, Backgrounds
from secad.features.tuples import UNKNOWN
from secad.features.views import View, plan_views

VIEW = View("made/-/-", "made", None, None, 0, ("a", "b", "c"))
ROWS = st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=1, max_size=15)


def background(rows: list[tuple[int, ...]]) -> Background:
    codes, counts = np.unique(np.array(rows, dtype=np.int32), axis=0, return_counts=True)
    return Background(VIEW, (pa.array(["x", "y", "z"]),) * 3, codes, counts)


@given(ROWS, st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_any_combination_is_counted_as_if_row_by_row(
    rows: list[tuple[int, ...]], asked: list[tuple[int, ...]]
) -> None:
    made, codes = background(rows), np.array(asked, dtype=np.int32)
    assert made.events == len(rows)
    for size in (1, 2, 3):
        for columns in itertools.combinations(range(3), size):
            expected = [
                sum(all(row[c] == one[c] for c in columns) for row in rows) for one in asked
            ]
            assert made.count(codes, columns).tolist() == expected
    pairs = made.pair_counts(codes)
    assert (pairs == pairs.transpose(0, 2, 1)).all()
    assert pairs[:, 0, 0].tolist() == made.count(codes, (0,)).tolist()


def events(users: list[str]) -> pa.Table:
    ids = [number.to_bytes(16, "big") for number in range(len(users))]
    return pa.table(
        {
            "event_id": pa.array(ids, pa.binary(16)),
            "time": pa.array([0] * len(users), pa.timestamp("us", tz="UTC")),
            "dataset": ["made"] * len(users),
            "user_name": users,
        }
    )


def test_what_is_learned_is_restored_from_json_and_arrays() -> None:
    table = events(["ann", "bob"] * 20)
    made = Backgrounds.learn(table, plan_views(table), model="made")
    state = json.loads(json.dumps(made.state()))
    again = Backgrounds.restore(state, made.arrays())
    for one, other in zip(made.coded(table), again.coded(table), strict=True):
        assert (one.tuples.codes == other.tuples.codes).all()
        assert one.background.view == other.background.view
    with pytest.raises(ModelError, match="lacks"):
        Backgrounds.restore(state, {})


def test_a_later_value_is_unknown() -> None:
    table = events(["ann", "bob"] * 20)
    made = Backgrounds.learn(table, plan_views(table), model="made")
    (coded,) = made.coded(events(["ann", "cyd"]))
    codes = coded.tuples.codes[coded.tuples.of_row]
    assert (codes[0] != UNKNOWN).all()
    assert UNKNOWN in codes[1]
