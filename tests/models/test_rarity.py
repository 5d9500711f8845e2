from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from secad.base.errors import ConfigError, ModelError
from secad.models.rarity import Rarity


def events(rows: list[tuple[str | None, str | None]]) -> pa.Table:
    count = len(rows)
    return pa.table(
        {
            "event_id": pa.array([n.to_bytes(16, "big") for n in range(count)], pa.binary(16)),
            "time": pa.array(range(count), pa.timestamp("us", tz="UTC")),
            "dataset": ["made"] * count,
            "event_action": ["process-start"] * count,
            "process_parent_executable": [parent for parent, _ in rows],
            "process_executable": [child for _, child in rows],
        }
    )


USUAL = [("/bin/bash", "/bin/ls")] * 60 + [("/sbin/cron", "/bin/run")] * 39 + [("/a/b", "/c/d")]
LATER = [("/bin/bash", "/bin/ls"), ("/bin/bash", "/bin/run"), ("/a/b", "/c/d"), ("/x", "/y")]


def scored(variant: str) -> list[float]:
    model = Rarity(variant=variant).fit(events(USUAL))
    return model.score(events(LATER))["score"].to_pylist()


@pytest.mark.parametrize("variant", ["pairs", "tuple", "marginals"])
def test_the_usual_scores_lowest_and_the_unheard_of_highest(variant: str) -> None:
    usual, mixed, rare, new = scored(variant)
    assert usual < rare < new
    assert usual < mixed or variant == "marginals"  # marginals are blind to combinations


def test_tuple_is_the_surprise_of_the_smoothed_count() -> None:
    usual, mixed, rare, new = scored("tuple")
    assert usual == pytest.approx(-np.log(60.5 / 100.5), abs=0.01)
    assert rare == pytest.approx(-np.log(1.5 / 100.5), abs=0.01)
    assert mixed == pytest.approx(-np.log(0.5 / 100.5), abs=0.01)
    assert 0 < new - mixed < 0.01  # both new: the marginals break the tie


def test_pairs_are_the_mean_surprise_of_pairs() -> None:
    def named(rows: list[tuple[str | None, str | None]]) -> pa.Table:
        table = events(rows)
        return table.rename_columns([n.replace("executable", "name") for n in table.column_names])

    model = Rarity().fit(named(USUAL))
    found = model.score(named(LATER))["score"].to_pylist()
    expected = [-np.log(count / 100.5) for count in (60.5, 0.5, 1.5, 0.5)]
    assert found == pytest.approx(expected)  # two columns, one pair


def test_the_reason_tells_a_pair_from_a_value_by_the_counts() -> None:
    model = Rarity().fit(events(USUAL))
    later = events(LATER)
    told = model.explain(later, model.score(later)).to_pylist()
    assert "bash has never started run (0 of 60 other events with bash)" in told[1]["reason"]
    assert "is rare (1 of 100 other events)" in told[2]["reason"]
    assert "is new (0 of 100 other events)" in told[3]["reason"]
    weights = [fact["weight"] for fact in told[1]["evidence"]]
    assert all(weight > 0 for weight in weights)


def test_the_inert_says_which_kinds_it_saw() -> None:
    with pytest.raises(ModelError, match=r"made/\*/\*: 5 events, at least 20 are needed"):
        Rarity().fit(events(USUAL[:5]))
    with pytest.raises(ModelError, match="0 events"):
        Rarity().fit(events([]))


def test_what_is_planned_on_all_holds_for_a_fit_on_a_part() -> None:
    table = events(USUAL)
    planned = Rarity().plan(table).fit(table.slice(0, 60))  # one tuple alone would vary nowhere
    assert len(planned.score(table)) == 100


def test_a_scored_event_that_is_not_there_is_told() -> None:
    model = Rarity().fit(events(USUAL))
    with pytest.raises(ModelError, match="1 of 4 scored events are not in the table"):
        model.explain(events(LATER[:3]), model.score(events(LATER)))


def test_a_variant_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="'triples', allowed are pairs, tuple, marginals"):
        Rarity(variant="triples")


def test_it_does_without_torch() -> None:
    code = "import sys, secad.models.rarity; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_each_event_tells_its_own_new_value() -> None:
    model = Rarity().fit(events(USUAL))
    later = events([("/bin/bash", "/bin/new1"), ("/bin/bash", "/bin/new2")])
    reasons = model.explain(later, model.score(later))["reason"].to_pylist()
    assert ["new1" in reasons[0], "new2" in reasons[1]] == [True, True]
