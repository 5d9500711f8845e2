from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ModelError
from secad.base.schemas import SCORES
from secad.scoring.calibrate import CALIBRATED, Calibration, Sample
from secad.scoring.severity import NAMES, THRESHOLDS, severities


def scores(values: list[float] | np.ndarray, view: str = "one") -> pa.Table:
    count = len(values)
    ids = [number.to_bytes(16, "big") for number in range(count)]
    time = pa.array([0] * count, SCORES.field("time_start").type)
    return pa.table(
        [
            pa.array(ids, pa.binary()),
            pa.array([view] * count),
            pa.array([[one] for one in ids], SCORES.field("member_ids").type),
            time,
            time,
            pa.array(values, pa.float64()),
        ],
        schema=SCORES,
    )


def p_values(calibration: Calibration, table: pa.Table, *, own: bool) -> list[float]:
    return calibration.p_values(table, own=own)["p_value"].to_pylist()


VALUES = st.lists(st.integers(0, 5), min_size=1, max_size=12)


@given(VALUES, VALUES)
@settings(max_examples=50, deadline=None)
def test_p_is_the_share_of_calibration_scores_at_least_as_high(
    known: list[int], later: list[int]
) -> None:
    calibration = Calibration.fit(scores([float(value) for value in known]))
    found = p_values(calibration, scores([float(value) for value in later]), own=False)
    expected = [(1 + sum(one >= value for one in known)) / (len(known) + 1) for value in later]
    assert found == pytest.approx(expected)  # too few for a tail
    own = p_values(calibration, scores([float(value) for value in known]), own=True)
    assert own == pytest.approx([sum(o >= value for o in known) / len(known) for value in known])


@given(VALUES)
@settings(max_examples=50, deadline=None)
def test_a_behaviour_counts_once_however_often_it_occurs(known: list[int]) -> None:
    values = [float(value) for value in known]
    table = scores(values)
    found = Calibration.fit(table).p_behaviours(table, own=True)
    kinds = sorted(set(values))
    assert found == pytest.approx([sum(o >= v for o in kinds) / len(kinds) for v in values])


def test_p_values_of_like_data_are_uniform_or_larger() -> None:
    draw = np.random.default_rng(0)
    known = np.round(draw.exponential(size=2000), 1)  # with ties
    later = np.round(draw.exponential(size=20_000), 1)
    found = np.array(p_values(Calibration.fit(scores(known)), scores(later), own=False))
    for level in (0.01, 0.05, 0.1, 0.5):
        assert (found <= level).mean() <= level + 0.01


def test_beyond_what_was_seen_the_tail_goes_on_and_says_so() -> None:
    known = np.random.default_rng(0).exponential(size=1000)
    calibration = Calibration.fit(scores(known))
    top = known.max()
    table = calibration.p_values(scores([top - 1e-9, top + 1, top + 3]), own=False)
    assert table.schema.equals(CALIBRATED)
    inside, beyond, far = table["p_value"].to_pylist()
    assert table["p_extrapolated"].to_pylist() == [False, True, True]
    assert inside == 2 / 1001
    assert 1 / 1001 > beyond > far > 0
    # the tail of an exponential falls by e with each unit
    assert np.log(beyond / far) == pytest.approx(2, abs=0.7)


def test_p_over_behaviours_falls_with_the_score() -> None:
    known = np.random.default_rng(0).normal(size=400)
    table = scores(np.linspace(-3, 9, 100))
    found = Calibration.fit(scores(known)).p_behaviours(table, own=False)
    assert (np.diff(found) <= 1e-12).all()
    assert (found > 0).all()


def test_views_are_calibrated_apart_and_a_strange_one_never_alarms() -> None:
    both = pa.concat_tables([scores([1.0, 2.0, 3.0], "one"), scores([10.0, 20.0, 30.0], "other")])
    calibration = Calibration.fit(both)
    later = pa.concat_tables([scores([3.0], "one"), scores([3.0], "other"), scores([3.0], "new")])
    assert p_values(calibration, later, own=False) == [0.5, 1.0, 1.0]
    assert calibration.p_behaviours(later, own=False).tolist() == [0.5, 1.0, 1.0]


def test_very_many_scores_are_thinned_and_stay_close() -> None:
    known = np.random.default_rng(0).exponential(size=50_000)
    sample = Sample.of(known)
    assert len(sample.values) < 5000
    later = np.sort(np.random.default_rng(1).exponential(size=500))
    found, _ = sample.p_conformal(later, own=False)
    exact = (1 + (known[None, :] >= later[:, None]).sum(axis=1)) / 50_001
    assert np.abs(found - exact).max() < 1e-3
    high = later > np.quantile(known, 0.99)
    assert found[high] == pytest.approx(exact[high])


def test_alerts_are_judged_among_all_actors() -> None:
    calibration = Calibration.fit(scores([1.0]))
    with pytest.raises(ModelError, match="knows no alerts"):
        calibration.p_alerts(np.array([1.0]), own=True)
    known = calibration.with_alerts(np.array([5.0, 3.0, 1.0]), quiet=6)
    p, extrapolated = known.p_alerts(np.array([5.0, 3.0, 1.0]), own=True)
    assert p.tolist() == pytest.approx([1 / 10, 2 / 10, 3 / 10])
    assert not extrapolated.any()


def test_state_is_json_and_restores_the_same() -> None:
    known = np.random.default_rng(0).exponential(size=300)
    calibration = Calibration.fit(scores(known)).with_alerts(known[:50], quiet=10)
    again = Calibration.restore(json.loads(json.dumps(calibration.state())))
    later = scores(np.linspace(0, 20, 50))
    assert p_values(again, later, own=False) == p_values(calibration, later, own=False)
    assert (
        again.p_behaviours(later, own=False) == calibration.p_behaviours(later, own=False)
    ).all()
    for one, other in zip(
        again.p_alerts(known, own=False), calibration.p_alerts(known, own=False), strict=True
    ):
        assert (one == other).all()
    with pytest.raises(ModelError, match="damaged"):
        Calibration.restore({"samples": {"one": {}}, "alerts": None})


def test_no_scores_are_survived() -> None:
    empty = SCORES.empty_table()
    assert len(Calibration.fit(empty).p_values(empty, own=True)) == 0


def test_severity_rises_as_p_falls() -> None:
    assert severities(np.array([1.0, *THRESHOLDS, 0.0])).tolist() == [1, 2, 3, 4, 5, 6, 6]
    assert severities(np.zeros(0)).dtype == np.int8
    assert len(NAMES) == 6
