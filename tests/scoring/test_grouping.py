from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ConfigError
from secad.scoring.grouping import Agreement, agreement

lines = st.lists(
    st.tuples(st.sampled_from("123"), st.sampled_from("abc"), st.sampled_from("abc")),
    min_size=1,
    max_size=8,
)


def test_what_is_right_scores_one() -> None:
    truth = ["a <*>", "b", "a <*>"]
    assert agreement(["7", "8", "7"], truth, truth) == Agreement(1, 1, 1, 1, 2, 2)


def test_one_stray_line_spoils_its_whole_group() -> None:
    # groups {0, 1}, {2}, {3} of the truth {0, 1, 2}, {3}: only {3} is exact
    found = agreement(["1", "1", "2", "3"], ["a", "a", "x", "b"], ["a", "a", "a", "b"])
    assert found == Agreement(0.25, 2 * 1 / (3 + 2), 0.75, 2 * 2 / (3 + 2), 3, 2)


def test_joined_groups_are_both_wrong() -> None:
    found = agreement(["1", "1", "2"], ["<*>", "<*>", "c"], ["a", "b", "c"])
    assert found == Agreement(pytest.approx(1 / 3), 2 / 5, pytest.approx(1 / 3), 2 / 5, 2, 3)


def test_groups_may_be_right_where_no_text_is() -> None:
    found = agreement(["1", "2"], ["x", "y"], ["a", "b"])
    assert found == Agreement(1, 1, 0, 0, 2, 2)


def test_a_text_that_stands_for_other_lines_too_is_wrong() -> None:
    # "a" is the true text of the first line alone; both groups have it
    found = agreement(["1", "2"], ["a", "a"], ["a", "b"])
    assert found == Agreement(1, 1, 0.5, 0, 2, 2)


@settings(max_examples=100, deadline=None)
@given(lines)
def test_figures_are_those_of_the_definitions(rows: list[tuple[str, str, str]]) -> None:
    groups, texts, truth = (list(column) for column in zip(*rows, strict=True))

    def sets(names: list[str]) -> dict[str, set[int]]:
        return {name: {at for at, other in enumerate(names) if other == name} for name in names}

    def f1(right: int, found: int) -> float:
        return 2 * right / (found + len(set(truth)))

    true_groups = list(sets(truth).values())
    exact = [group for group in sets(groups).values() if group in true_groups]
    right = [text for text, at in sets(texts).items() if {truth[line] for line in at} == {text}]
    found = agreement(groups, texts, truth)
    assert found.grouping_accuracy == pytest.approx(sum(map(len, exact)) / len(rows))
    assert found.grouping_f1 == pytest.approx(f1(len(exact), len(set(groups))))
    assert found.parsing_accuracy == pytest.approx(
        sum(one == other for one, other in zip(texts, truth, strict=True)) / len(rows)
    )
    assert found.template_f1 == pytest.approx(f1(len(right), len(set(texts))))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 groups, 1 texts and 2 true templates do not fit"):
        agreement(["1"], ["a"], ["a", "b"])
    with pytest.raises(ConfigError, match="do not fit"):
        agreement([], [], [])
