from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ConfigError
from secad.scoring.metrics import auroc, average_precision, precision_at

SAMPLES = st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=6)


def orders(sample: list[tuple[bool, int]]) -> list[list[bool]]:
    """Returns the labels in every order that the scores allow, the highest first."""
    found = []
    for order in itertools.permutations(range(len(sample))):
        scores = [sample[place][1] for place in order]
        if scores == sorted(scores, reverse=True):
            found.append([sample[place][0] for place in order])
    return found


def arrays(sample: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([label for label, _ in sample]), np.array([float(s) for _, s in sample])


@given(SAMPLES.filter(lambda sample: any(label for label, _ in sample)))
@settings(max_examples=50, deadline=None)
def test_average_precision_is_the_mean_over_all_orders_of_ties(
    sample: list[tuple[bool, int]],
) -> None:
    def plain(labels: list[bool]) -> float:
        places = [place for place, label in enumerate(labels, 1) if label]
        return float(np.mean([sum(labels[:place]) / place for place in places]))

    expected = np.mean([plain(labels) for labels in orders(sample)])
    assert average_precision(*arrays(sample)) == pytest.approx(expected)


@given(SAMPLES, st.integers(1, 8))
@settings(max_examples=50, deadline=None)
def test_precision_at_k_is_the_mean_over_all_orders_of_ties(
    sample: list[tuple[bool, int]], k: int
) -> None:
    expected = np.mean([sum(labels[:k]) / k for labels in orders(sample)])
    assert precision_at(*arrays(sample), k) == pytest.approx(expected)


@given(SAMPLES.filter(lambda sample: len({label for label, _ in sample}) == 2))
@settings(max_examples=50, deadline=None)
def test_auroc_counts_pairs_and_half_of_ties(sample: list[tuple[bool, int]]) -> None:
    wins = [
        1.0 if one > other else 0.5 if one == other else 0.0
        for hostile, one in sample
        for label, other in sample
        if hostile and not label
    ]
    assert auroc(*arrays(sample)) == pytest.approx(np.mean(wins))


def test_a_perfect_order_is_one_and_its_reverse_is_zero() -> None:
    labels, scores = np.array([True, True, False, False]), np.array([4.0, 3.0, 2.0, 1.0])
    assert auroc(labels, scores) == average_precision(labels, scores) == 1.0
    assert auroc(labels, -scores) == 0.0


def test_what_is_not_defined_is_refused() -> None:
    with pytest.raises(ConfigError, match="both classes"):
        auroc(np.array([True]), np.array([1.0]))
    with pytest.raises(ConfigError, match="needs a hostile one"):
        average_precision(np.array([False]), np.array([1.0]))
    with pytest.raises(ConfigError, match="the least is 1"):
        precision_at(np.array([False]), np.array([1.0]), 0)
    with pytest.raises(ConfigError, match="2 labels do not fit 1 scores"):
        auroc(np.array([True, False]), np.array([1.0]))
