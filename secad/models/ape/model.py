"""The model ``ape``: one embedding for each view; see the package for the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from secad.base.artifacts import Artifact, load, save
from secad.base.errors import ConfigError, ModelError
from secad.base.schemas import EVENTS, SCORES, conform
from secad.features.backgrounds import Background, Backgrounds, events_of, scores_of
from secad.features.reasons import explanations
from secad.features.tuples import UNKNOWN, Codes, distinct
from secad.features.views import Rules, Views, plan_views
from secad.models.ape.network import Embedding, Types
from secad.models.ape.scoring import novelty, oddness, score
from secad.models.ape.training import Settings, train

MODES = ("conditional", "paper")
_MOST_VALUES = 5000  # of a type; rarer ones are the unknown entity, so that eq. 6 stays exact
_PARAMETERS = ("v", "b", "u", "c")


@dataclass(frozen=True)
class _Fitted:
    """The embedding of one view.

    Args:
        background: the view's.
        kept: for each column (values + 1,) the code within the model of each code.
        model: in float64.
    """

    background: Background
    kept: tuple[npt.NDArray[np.int32], ...]
    model: Embedding

    def codes(self, codes: Codes) -> Codes:
        """Returns codes of the background, (N, m), as codes within the model."""
        columns = [kept[codes[:, place]] for place, kept in enumerate(self.kept)]
        return np.stack(columns, axis=1)


class APE:
    """Scores events by how badly their entities fit together.

    Args:
        mode: ``conditional`` (eq. 5) or ``paper`` (eq. 4).
        dimension: d, of an entity's place.
        negatives: k, noise events for each type of an event.
        uniform_noise: share of the noise that is drawn from all values alike.
        unknown_rate: how often an entity seen once stands for the unknown one.
        learning_rate: of Adam, falling to 0 by a cosine.
        steps: of Adam; a view of very many distinct events takes more.
        members: R, how many models of each view are averaged.
        novelty: adds the surprise of each new value to the score. Right where all that was
            fitted on is earlier than what is scored; wrong in a cross-fit, where whatever is
            in one block alone is new to the others.
        seed: of the members' first places and of the noise.
        min_rows: fewest events of a kind for a view of its own.
        max_columns: most entity columns of a view.
    """

    name = "ape"
    reads = EVENTS
    lookback = timedelta(0)

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        *,
        mode: str = "conditional",
        dimension: int = 16,
        negatives: int = 5,
        uniform_noise: float = 0.2,
        unknown_rate: float = 0.3,
        learning_rate: float = 2e-2,
        steps: int = 100,
        members: int = 3,
        novelty: bool = False,
        seed: int = 0,
        min_rows: int = 20,
        max_columns: int = 12,
    ) -> None:
        if mode not in MODES:
            raise ConfigError(f"models.ape.mode is {mode!r}, allowed are {', '.join(MODES)}")
        self.mode = mode
        self.dimension = dimension
        self.negatives = negatives
        self.uniform_noise = uniform_noise
        self.unknown_rate = unknown_rate
        self.learning_rate = learning_rate
        self.steps = steps
        self.members = members
        self.novelty = novelty
        self.seed = seed
        self.min_rows = min_rows
        self.max_columns = max_columns
        self._planned: Views | None = None
        self._backgrounds: Backgrounds | None = None
        self._fitted: dict[str, _Fitted] = {}

    def plan(self, events: pa.Table) -> Self:
        """Chooses the views that later fits use, and returns itself; learns nothing."""
        self._planned = plan_views(
            events, Rules(min_rows=self.min_rows, max_columns=self.max_columns)
        )
        return self

    def fit(self, events: pa.Table) -> Self:
        """Fits an embedding for each view; see ``Model``."""
        rules = Rules(min_rows=self.min_rows, max_columns=self.max_columns)
        views = self._planned or plan_views(events, rules)
        backgrounds = Backgrounds.learn(events, views, model=self.name)
        self._fitted = {
            name: self._fit_view(background) for name, background in backgrounds.of_view.items()
        }
        self._backgrounds = backgrounds
        return self

    @property
    def inert(self) -> Mapping[str, str]:
        """Kinds of event that it has no view of, and why."""
        return self._known().views.inert

    def score(self, events: pa.Table) -> pa.Table:
        """Returns SCORES of the events that have a view; see ``Model``."""
        parts = []
        for coded in self._known().coded(events):
            fitted = self._fitted[coded.background.view.name]
            codes = coded.tuples.codes
            scores = score(fitted.model, fitted.codes(codes), self.mode)
            if self.novelty:
                scores += novelty(coded.background, codes).sum(axis=1)
            parts.append((coded, scores))
        return scores_of(events, parts)

    def explain(self, events: pa.Table, scores: pa.Table) -> pa.Table:
        """Returns EXPLANATIONS: the values and pairs that fit worst; see ``Model``."""
        scores = conform(scores, SCORES, room=self.name)
        subjects = scores["subject"].combine_chunks()
        parts = []
        for coded in self._known().coded(events_of(events, subjects)):
            fitted = self._fitted[coded.background.view.name]
            codes, background = coded.tuples.codes, coded.background
            new = novelty(background, codes) * self.novelty
            usual = fitted.codes(background.codes)
            odd = oddness(fitted.model, fitted.codes(codes), usual, background.counts, new)
            parts.append((coded, odd))
        return explanations(parts, subjects)

    def save(self, folder: Path) -> None:
        """Writes the embeddings and the counts; see ``Model``."""
        backgrounds = self._known()
        arrays = dict(backgrounds.arrays())
        for name, fitted in self._fitted.items():
            for parameter in _PARAMETERS:
                value = getattr(fitted.model, parameter).detach().float().numpy()
                arrays[f"{name}#{parameter}"] = value
        state = {"settings": self._settings(), "backgrounds": backgrounds.state()}
        save(Artifact(self.name, state, arrays), folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Returns the saved model; see ``Model``."""
        artifact = load(folder, cls.name)
        try:
            model = cls(**artifact.state["settings"])
            backgrounds = Backgrounds.restore(artifact.state["backgrounds"], artifact.arrays)
            model._fitted = {
                name: model._restored(background, artifact.arrays)
                for name, background in backgrounds.of_view.items()
            }
        except (KeyError, TypeError, ConfigError, RuntimeError) as error:
            raise ModelError(f"{folder} is damaged: {error}") from error
        model._backgrounds = backgrounds
        return model

    def _known(self) -> Backgrounds:
        if self._backgrounds is None:
            raise ModelError("ape is not fitted", hint="fit it first: secad fit ape")
        return self._backgrounds

    def _settings(self) -> dict[str, Any]:
        settings = ("novelty", "min_rows", "max_columns")
        return asdict(self._training()) | {name: getattr(self, name) for name in settings}

    def _training(self) -> Settings:
        return Settings(
            mode=self.mode,
            dimension=self.dimension,
            negatives=self.negatives,
            uniform_noise=self.uniform_noise,
            unknown_rate=self.unknown_rate,
            learning_rate=self.learning_rate,
            steps=self.steps,
            members=self.members,
            seed=self.seed,
        )

    def _fit_view(self, background: Background) -> _Fitted:
        kept = _kept(background)
        fitted = _Fitted(background, kept, _empty(kept, self.dimension, self.members))
        found = distinct(fitted.codes(background.codes))
        counts = np.bincount(found.of_row, weights=background.counts).astype(np.int64)
        model = train(found.codes, counts, fitted.model.types, self._training())
        return _Fitted(background, kept, model.double())

    def _restored(self, background: Background, arrays: Mapping[str, npt.NDArray[Any]]) -> _Fitted:
        kept = _kept(background)
        model = _empty(kept, self.dimension, self.members)
        name = background.view.name
        parameters = {key: torch.from_numpy(arrays[f"{name}#{key}"]) for key in _PARAMETERS}
        model.load_state_dict(parameters)
        return _Fitted(background, kept, model.requires_grad_(False).double())


def _kept(background: Background) -> tuple[npt.NDArray[np.int32], ...]:
    """Returns for each column the codes within the model: the commonest values, in order."""
    columns = []
    for place, size in enumerate(background.sizes):
        counts = np.bincount(background.codes[:, place], weights=background.counts, minlength=size)
        rank = np.argsort(-counts[1:], kind="stable")
        kept = np.zeros(size, dtype=np.int32)
        chosen = np.sort(rank[:_MOST_VALUES]) + 1
        kept[chosen] = np.arange(1, len(chosen) + 1)
        columns.append(kept)
    return tuple(columns)


def _empty(kept: tuple[npt.NDArray[np.int32], ...], dimension: int, members: int) -> Embedding:
    sizes = tuple(int(codes.max(initial=UNKNOWN)) + 1 for codes in kept)
    return Embedding(Types(sizes), dimension, members)
