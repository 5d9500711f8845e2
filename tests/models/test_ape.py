from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from secad.base.errors import ConfigError
from secad.features.backgrounds import Backgrounds
from secad.features.views import Rules, plan_views
from secad.models.ape import APE
from secad.models.ape.network import Embedding, Types
from secad.models.ape.scoring import novelty, score
from secad.models.ape.training import Settings, _candidates, _noise, _objective, train
from secad.scoring.metrics import auroc

SETTINGS = Settings(
    mode="conditional",
    dimension=4,
    negatives=3,
    uniform_noise=0.2,
    unknown_rate=0.3,
    learning_rate=2e-2,
    steps=60,
    members=2,
    seed=0,
)


def habits(count: int, size: int, *, seed: int = 0) -> np.ndarray:
    """Returns codes of events of four habits: of each, the types' values go together."""
    draw = np.random.default_rng(seed)
    habit = draw.integers(0, 4, count)[:, None]
    return (1 + 2 * habit + draw.integers(0, 2, (count, size))).astype(np.int32)


def fitted(codes: np.ndarray, **changes: object) -> Embedding:
    rows, counts = np.unique(codes, axis=0, return_counts=True)
    types = Types(tuple(int(size) + 1 for size in codes.max(axis=0)))
    return train(rows, counts, types, replace(SETTINGS, **changes)).double()


@pytest.fixture
def model() -> Embedding:
    found = Embedding(Types((4, 3, 5)), 3, 2, torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    return found.requires_grad_(False)


EVENTS = torch.tensor([[1, 5, 9], [3, 4, 7], [0, 6, 11]])  # entities of types of 4, 3 and 5


def plainly(model: Embedding, event: list[int]) -> torch.Tensor:
    """Returns S(e), eq. 1, with the biases, by its definition."""
    total = model.b[:, event].sum(-1)
    for i in range(3):
        for j in range(i + 1, 3):
            dot = (model.v[:, event[i]] * model.v[:, event[j]]).sum(-1)
            total = total + model.w[:, i, j] * dot
    return total


def test_s_is_the_weighted_sum_over_pairs(model: Embedding) -> None:
    expected = torch.stack([plainly(model, event) for event in EVENTS.tolist()], 1)
    torch.testing.assert_close(model.fit(EVENTS), expected, rtol=0, atol=1e-6)


def test_a_noise_event_costs_one_difference(model: Embedding) -> None:
    # S(e') = S(e) - o_i(a_i) + o_i(a'), against S of the event that is really built
    everyone = torch.arange(12)
    own, others, s = model.own(EVENTS), model.others(EVENTS, everyone), model.fit(EVENTS)
    for place, event in enumerate(EVENTS.tolist()):
        for entity in range(12):
            i = int(model.types.of_entity[entity])
            built = [*event[:i], entity, *event[i + 1 :]]
            cheap = s[:, place] - own[:, place, i] + others[:, place, entity]
            torch.testing.assert_close(cheap, plainly(model, built), rtol=0, atol=1e-6)


def test_probabilities_are_normalised_over_each_type(model: Embedding) -> None:
    for i, (start, end) in enumerate(model.types.ranges):
        total = torch.zeros(2, len(EVENTS), dtype=torch.float64)
        for entity in range(start, end):
            events = EVENTS.clone()
            events[:, i] = entity
            total += model.log_p(events)[:, :, i].exp()
        torch.testing.assert_close(total, torch.ones_like(total))


@pytest.mark.parametrize("mode", ["conditional", "paper"])
def test_gradients_are_those_of_the_objective(model: Embedding, mode: str) -> None:
    events = EVENTS[:2]
    weights = torch.ones(2, dtype=torch.float64) / 2
    once = torch.zeros(12, dtype=torch.bool)
    noise = _noise(events, weights, once, model.types, SETTINGS)
    candidates = _candidates(model.types, noise, torch.Generator())
    names = [name for name, _ in model.named_parameters()]

    def loss(*values: torch.Tensor) -> torch.Tensor:
        told = torch.func.functional_call(
            _Objective(model), dict(zip((f"model.{n}" for n in names), values, strict=True)),
            (events, noise, candidates, mode),
        )  # fmt: skip
        return told.sum()

    values = [value.clone().requires_grad_() for _, value in model.named_parameters()]
    assert torch.autograd.gradcheck(loss, values)


class _Objective(torch.nn.Module):
    def __init__(self, model: Embedding) -> None:
        super().__init__()
        self.model = model

    def forward(self, *arguments: object) -> torch.Tensor:
        return _objective(self.model, *arguments)


def test_noise_is_mostly_unigram_and_partly_uniform() -> None:
    events = torch.tensor([[1, 4], [1, 4], [1, 5], [2, 5]])  # types of 3 and 3 entities
    types, once = Types((3, 3)), torch.tensor([False, False, True, False, False, False])
    noise = _noise(events, torch.full((4,), 0.25, dtype=torch.float64), once, types, SETTINGS)
    assert noise.p[:3].sum() == pytest.approx(1)
    unknown = 0.3 * 0.25 + 1e-3  # what was seen once stands for it at the rate, and a little
    total = 1 + unknown
    expected = [unknown, 0.75, 0.25]
    assert noise.p[:3].tolist() == pytest.approx([0.8 * p / total + 0.2 / 3 for p in expected])
    assert noise.log_kp.tolist() == pytest.approx(torch.log(3 * noise.p).tolist())


def test_weights_of_pairs_are_never_negative_and_symmetric() -> None:
    w = fitted(habits(300, 3), learning_rate=0.5).w
    assert (w >= 0).all()
    assert torch.equal(w, w.transpose(1, 2))
    assert (w.diagonal(dim1=1, dim2=2) == 0).all()


@pytest.mark.parametrize(("mode", "least"), [("conditional", 0.95), ("paper", 0.85)])
def test_events_of_mixed_habits_score_higher(mode: str, least: float) -> None:
    model = fitted(habits(600, 3), mode=mode, steps=150)
    usual, odd = habits(200, 3, seed=1), habits(200, 3, seed=2)
    odd[:, 0] = (odd[:, 0] + 3) % 8 + 1
    scores = score(model, np.concatenate([usual, odd]), mode)
    assert auroc(np.repeat([False, True], 200), scores) > least


def test_the_unknown_entity_is_odder_than_a_usual_one() -> None:
    codes = np.concatenate([habits(300, 3), np.array([[9, 1, 2], [10, 3, 4], [11, 5, 6]])])
    model = fitted(codes.astype(np.int32))
    usual = habits(50, 3, seed=1)
    strange = usual.copy()
    strange[:, 0] = 0
    odder = score(model, strange, "conditional") - score(model, usual, "conditional")
    assert (odder > 0).mean() > 0.9


@pytest.mark.parametrize("size", [1, 2])
def test_few_types_are_enough(size: int) -> None:
    model = fitted(habits(300, size))
    assert np.isfinite(score(model, habits(20, size), "conditional")).all()


def test_a_type_of_one_value_changes_nothing_for_the_others() -> None:
    codes = habits(300, 3)
    constant = np.insert(codes, 1, 1, axis=1)
    scores = score(fitted(constant), constant, "conditional")
    assert np.isfinite(scores).all()
    assert auroc(scores < np.median(scores), -scores) == 1.0


def test_many_values_are_met_as_a_sample() -> None:
    draw = np.random.default_rng(0)
    codes = draw.integers(1, 600, (2000, 2)).astype(np.int32)
    codes[:, 1] = codes[:, 0]  # each value has its one partner
    model = fitted(codes, steps=150, dimension=16, learning_rate=5e-2)
    wrong = codes.copy()
    wrong[:, 1] = codes[::-1, 1]
    scores = score(model, np.concatenate([codes, wrong]), "conditional")
    assert auroc(np.repeat([False, True], len(codes)), scores) > 0.9


def test_events_that_repeat_count_by_the_root_of_their_number() -> None:
    rows, types = np.array([[1, 1], [2, 2]], dtype=np.int32), Types((3, 3))
    one, other = (
        train(rows, np.array(counts), types, SETTINGS) for counts in ([4, 16], [100, 400])
    )
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value)


def test_the_same_seed_gives_the_same_model_and_another_another() -> None:
    codes = habits(300, 3)
    one, again, other = fitted(codes), fitted(codes), fitted(codes, seed=7)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not torch.equal(one.v, other.v)


def test_a_fit_leaves_the_number_of_threads_as_it_was() -> None:
    before = torch.get_num_threads()
    fitted(habits(50, 2))
    assert torch.get_num_threads() == before


def table(users: list[str], programs: list[str]) -> pa.Table:
    count = len(users)
    ids = [number.to_bytes(16, "big") for number in range(count)]
    return pa.table(
        {
            "event_id": pa.array(ids, pa.binary(16)),
            "time": pa.array(range(count), pa.timestamp("us", tz="UTC")),
            "dataset": ["made"] * count,
            "event_action": ["process-start"] * count,
            "process_parent_name": users,
            "process_name": programs,
        }
    )


def usual() -> pa.Table:
    return table(["word", "word", "cmd", "cmd"] * 50, ["spell", "print", "dir", "whoami"] * 50)


def test_novelty_adds_the_surprise_of_a_new_value_where_it_is_asked_for() -> None:
    events = usual()
    later = table(["word", "nobody"], ["spell", "spell"])
    plain, with_novelty = (
        APE(steps=20, novelty=novelty).fit(events).score(later)["score"].to_numpy()
        for novelty in (False, True)
    )
    # 200 events and no value that was seen once: p(new) = (0 + 1/2) / (200 + 1)
    assert with_novelty - plain == pytest.approx([0, np.log(201 / 0.5)])
    views = plan_views(events, Rules())
    (background,) = Backgrounds.learn(events, views, model="ape").of_view.values()
    assert novelty(background, np.array([[0, 1]], dtype=np.int32)).tolist() == [
        [pytest.approx(np.log(201 / 0.5)), 0.0]
    ]


def test_the_reason_names_the_pair_that_never_met() -> None:
    model = APE().fit(usual())
    odd = table(["word"], ["whoami"])
    told = model.explain(odd, model.score(odd)).to_pylist()[0]
    assert "word has never started whoami (0 of 100 other events with word)" in told["reason"]
    assert told["evidence"][0]["name"] == "process_parent_name × process_name"
    assert told["evidence"][0]["value"] == "word × whoami"


def test_a_mode_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="'joint', allowed are conditional, paper"):
        APE(mode="joint")


@pytest.mark.slow
def test_a_hundred_thousand_distinct_events_fit_in_under_a_minute() -> None:
    draw = np.random.default_rng(0)
    codes = np.unique(draw.integers(1, 120, (110_000, 8)).astype(np.int32), axis=0)[:100_000]
    start = time.process_time()
    train(codes, np.ones(len(codes), dtype=np.int64), Types((121,) * 8), SETTINGS)
    assert time.process_time() - start < 60
