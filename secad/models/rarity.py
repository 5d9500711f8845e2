"""The frequency baseline: an event is as odd as its values are rare, alone, in pairs or together.

EVENTS rows enter, SCORES in nats leave. Every other model must beat it on the same views. It
needs no training beyond counting: fitting and scoring take O(N m^2) for N events of m entity
columns (O(N m) but for ``pairs``).

**Variants**

- ``pairs`` (the default): the mean surprise of the pairs of values, times m/2, so that the unit
  is that of a whole event: ``sum_{i<j} -log p(a_i, a_j) / (m - 1)``. It is graded: an event of
  known values in a new combination ranks between the usual and the unheard of, and an attack
  that repeats one tuple does not make it usual as fast as it does for ``tuple``.
- ``tuple``: ``-log p(a_1, ..., a_m)``, the textbook rarity. New tuples all tie, whatever is in
  them; the tie is broken by the marginals.
- ``marginals``: ``sum_i -log p(a_i)``; blind to combinations.

Probabilities are smoothed counts, ``p = (n + 1/2) / (N + 1/2)``.

**Cannot see** order and time, values below the resolution of the entity columns, and anything
that happens as often as usual between usual partners.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.artifacts import Artifact, load, save
from secad.base.errors import ConfigError, ModelError
from secad.base.schemas import EVENTS, SCORES, conform
from secad.features.backgrounds import Background, Backgrounds, Coded, events_of, scores_of
from secad.features.reasons import Oddness, explanations
from secad.features.tuples import Codes
from secad.features.views import Rules, Views, plan_views

Scores = npt.NDArray[np.float64]
VARIANTS = ("pairs", "tuple", "marginals")
_SMOOTHING = 0.5


class Rarity:
    """Scores events by how rare their values are.

    Args:
        variant: ``pairs``, ``tuple`` or ``marginals``.
        min_rows: fewest events of a kind for a view of its own.
        max_columns: most entity columns of a view.
    """

    name = "rarity"
    reads = EVENTS
    lookback = timedelta(0)

    def __init__(
        self, *, variant: str = "pairs", min_rows: int = 20, max_columns: int = 12
    ) -> None:
        if variant not in VARIANTS:
            raise ConfigError(
                f"models.rarity.variant is {variant!r}, allowed are {', '.join(VARIANTS)}"
            )
        self.variant = variant
        self.min_rows = min_rows
        self.max_columns = max_columns
        self._planned: Views | None = None
        self._backgrounds: Backgrounds | None = None

    def plan(self, events: pa.Table) -> Self:
        """Chooses the views that later fits use, and returns itself; counts nothing."""
        self._planned = plan_views(
            events, Rules(min_rows=self.min_rows, max_columns=self.max_columns)
        )
        return self

    def fit(self, events: pa.Table) -> Self:
        """Counts; see ``Model``."""
        rules = Rules(min_rows=self.min_rows, max_columns=self.max_columns)
        views = self._planned or plan_views(events, rules)
        self._backgrounds = Backgrounds.learn(events, views, model=self.name)
        return self

    @property
    def inert(self) -> Mapping[str, str]:
        """Kinds of event that it has no view of, and why."""
        return self._fitted().views.inert

    def score(self, events: pa.Table) -> pa.Table:
        """Returns SCORES of the events that have a view; see ``Model``."""
        parts = [
            (coded, _scores(coded.background, coded.tuples.codes, self.variant))
            for coded in self._fitted().coded(events)
        ]
        return scores_of(events, parts)

    def explain(self, events: pa.Table, scores: pa.Table) -> pa.Table:
        """Returns EXPLANATIONS with the counts behind each score; see ``Model``."""
        scores = conform(scores, SCORES, room=self.name)
        subjects = scores["subject"].combine_chunks()
        parts = [
            (coded, _oddness(coded, self.variant))
            for coded in self._fitted().coded(events_of(events, subjects))
        ]
        return explanations(parts, subjects)

    def save(self, folder: Path) -> None:
        """Writes the counts; see ``Model``."""
        backgrounds = self._fitted()
        settings = {
            "variant": self.variant,
            "min_rows": self.min_rows,
            "max_columns": self.max_columns,
        }
        state = {"settings": settings, "backgrounds": backgrounds.state()}
        save(Artifact(self.name, state, backgrounds.arrays()), folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Returns the saved model; see ``Model``."""
        artifact = load(folder, cls.name)
        try:
            model = cls(**artifact.state["settings"])
            state = artifact.state["backgrounds"]
        except (KeyError, TypeError, ConfigError) as error:
            raise ModelError(f"{folder} is damaged: {error}") from error
        model._backgrounds = Backgrounds.restore(state, artifact.arrays)
        return model

    def _fitted(self) -> Backgrounds:
        if self._backgrounds is None:
            raise ModelError("rarity is not fitted", hint="fit it first: secad fit rarity")
        return self._backgrounds


def _scores(background: Background, codes: Codes, variant: str) -> Scores:
    """Returns the (N,) scores of (N, m) codes, in nats."""
    size = codes.shape[1]
    if variant == "marginals" or size == 1:
        return _total(_values(background, codes))
    if variant == "pairs":
        score = np.zeros(len(codes))
        for first, second in itertools.combinations(range(size), 2):
            score += _surprise(background.count(codes, (first, second)), background)
        mean: Scores = score / (size - 1)
        return mean
    together = background.count(codes, range(size))
    alone = _total(_values(background, codes))
    # less than the step between the two commonest counts, so that it decides ties and no more
    step = math.log1p(1 / (background.events + _SMOOTHING))
    ties: Scores = step * alone / (1 + alone)
    return _surprise(together, background) + ties


def _surprise(counts: npt.NDArray[np.int64], background: Background) -> Scores:
    share = (counts + _SMOOTHING) / (background.events + _SMOOTHING)
    return np.asarray(-np.log(share), dtype=np.float64)


def _total(values: Scores) -> Scores:
    return np.asarray(values.sum(axis=1), dtype=np.float64)


def _values(background: Background, codes: Codes) -> Scores:
    columns = [background.count(codes, (place,)) for place in range(codes.shape[1])]
    return _surprise(np.stack(columns, axis=1), background)  # (N, m)


def _oddness(coded: Coded, variant: str) -> list[Oddness]:
    """Returns for each distinct tuple how far its values and pairs are above the usual."""
    background = coded.background
    size = len(background.sizes)
    values = np.zeros((len(coded.tuples.counts), size))
    pairs = np.zeros((len(values), size, size))
    if variant == "marginals" or size == 1:
        usual = np.average(_values(background, background.codes), 0, background.counts)
        values = _values(background, coded.tuples.codes) - usual
    for first, second in itertools.combinations(range(size if variant != "marginals" else 0), 2):
        found, usual_pairs = (
            _surprise(background.count(codes, (first, second)), background) / (size - 1)
            for codes in (coded.tuples.codes, background.codes)
        )
        pairs[:, first, second] = found - np.average(usual_pairs, weights=background.counts)
    return [Oddness(value, pair) for value, pair in zip(values, pairs, strict=True)]
