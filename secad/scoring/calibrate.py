"""Calibration: scores of different views and models become p-values that compare.

SCORES of events that a fit did not see enter; per view, what share of them is at least as high
as a given score stays. Two units are counted:

- **events**: ``p = (1 + #{events >= s}) / (n + 1)``, the conformal p-value, ties counted in full.
- **behaviours**: the same over the distinct scores of a view. Logs repeat themselves: one service
  that polls is 9 events of 10, one scan of an attacker hundreds of equal ones. A behaviour
  counts once however often it occurs, so that a view of 300 process starts and one of 30,000
  process accesses say the same by the same p-value. Alerts are judged by behaviours.

The smallest p-value that n of them can give is 1 / (n + 1). Beyond it, and for behaviours in the
whole upper fifth, a generalised Pareto tail is fitted by probability-weighted moments (Hosking
and Wallis 1987); p-values that only the tail gives are marked as extrapolated. The conformal
guarantee holds where events are exchangeable, which logs are not over long times: it holds for
what is like the calibration data, and is no promise of a false alarm rate after a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from secad.base.errors import ModelError
from secad.base.schemas import SCORES

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CALIBRATED = SCORES.append(pa.field("p_value", pa.float64(), nullable=False)).append(
    pa.field("p_extrapolated", pa.bool_(), nullable=False)
)
"""SCORES with the conformal p-value of each, over events."""

_MOST_POINTS = 4096  # of a view's kept scores
_EXACT_POINTS = 1024  # the highest of them, kept each
_TAIL_SHARE = 0.2  # of the distinct scores
_TAIL_POINTS = 8  # fewer give no tail
_SHAPES = (0.0, 0.5)  # a tail that ends would call the next score impossible; beyond, no mean
_SMALLEST = 1e-300


@dataclass(frozen=True)
class Tail:
    """A generalised Pareto tail of distinct scores.

    Args:
        start: the score that it begins behind.
        shape: xi; above 0 heavy, below 0 ending.
        scale: sigma, in the unit of the score.
    """

    start: float
    shape: float
    scale: float

    def beyond(self, scores: Values) -> Values:
        """Returns the share of what is behind the start that is at least as high as each."""
        excess = np.maximum(scores - self.start, 0.0)
        share = stats.genpareto.sf(excess, self.shape, scale=self.scale)
        return np.asarray(np.maximum(share, _SMALLEST), dtype=np.float64)


@dataclass(frozen=True)
class Sample:
    """The scores that a view was calibrated on.

    Args:
        values: (G,) distinct scores, ascending; of very many the highest, and a grid below.
        events: (G,) how many events score at least as high as each.
        behaviours: (G,) how many distinct scores are at least as high as each.
        tail: of the distinct scores; None where they are too few.
    """

    values: Values
    events: npt.NDArray[np.int64]
    behaviours: npt.NDArray[np.int64]
    tail: Tail | None

    @classmethod
    def of(cls, scores: Values) -> Sample:
        """Returns the sample of (N,) scores, N at least 1."""
        values, counts = np.unique(scores, return_counts=True)
        events = np.cumsum(counts[::-1])[::-1]
        behaviours = np.arange(len(values), 0, -1)
        kept = _kept(len(values))
        return cls(values[kept], events[kept], behaviours[kept], _tail(values))

    def p_conformal(self, scores: Values, *, own: bool) -> tuple[Values, Flags]:
        """Returns conformal p-values over events, and which of them the tail gave."""
        p, beyond = self._p(self.events, scores, own=own)
        if self.tail is None or not beyond.any():
            return p, np.zeros(len(p), dtype=np.bool_)
        edge = self.tail.beyond(self.values[-1:])
        return np.where(beyond, p * self.tail.beyond(scores) / edge, p), beyond

    def p_smooth(self, scores: Values, *, own: bool, behaviours: bool) -> Values:
        """Returns p-values over behaviours or events, by the tail as far as it reaches."""
        above = self.behaviours if behaviours else self.events
        p, _ = self._p(above, scores, own=own)
        if self.tail is None:
            return p
        behind = np.searchsorted(self.values, self.tail.start, side="right")
        share = above[behind] / above[0]
        return np.where(scores > self.tail.start, share * self.tail.beyond(scores), p)

    def _p(
        self, above: npt.NDArray[np.int64], scores: Values, *, own: bool
    ) -> tuple[Values, Flags]:
        higher = np.append(above, 0)[np.searchsorted(self.values, scores, side="left")]
        if own:  # the score itself is one of the sample
            return np.maximum(higher, 1) / above[0], np.zeros(len(scores), dtype=np.bool_)
        return (1 + higher) / (above[0] + 1), higher == 0


@dataclass(frozen=True)
class Calibration:
    """What turns the scores of one fitted model into p-values.

    Args:
        samples: view -> the scores it was calibrated on.
        alerts: the strengths of alerts (see ``alerts``) in the same events; None before they
            are known.
    """

    samples: Mapping[str, Sample]
    alerts: Sample | None = None

    @classmethod
    def fit(cls, scores: pa.Table) -> Calibration:
        """Returns the calibration by SCORES of events that no fit behind them saw."""
        return cls({view: Sample.of(values) for view, _, values in _by_view(scores)})

    def with_alerts(self, strengths: Values, quiet: int) -> Calibration:
        """Returns the calibration with the strengths of alerts.

        Args:
            strengths: (K,) of all alerts, above 0.
            quiet: how many more actors there were, without an alert.
        """
        return replace(self, alerts=Sample.of(np.append(strengths, np.zeros(quiet + 1))))

    def p_values(self, scores: pa.Table, *, own: bool) -> pa.Table:
        """Returns CALIBRATED.

        Args:
            scores: SCORES.
            own: they are the very scores that it was fitted on.
        """
        p = np.ones(len(scores))
        extrapolated = np.zeros(len(scores), dtype=np.bool_)
        for view, rows, values in _by_view(scores):
            if view in self.samples:
                p[rows], extrapolated[rows] = self.samples[view].p_conformal(values, own=own)
        columns = [*scores.columns, pa.array(p), pa.array(extrapolated)]
        return pa.table(columns, schema=CALIBRATED)

    def p_behaviours(self, scores: pa.Table, *, own: bool) -> Values:
        """Returns the p-value of each score over the behaviours of its view, (N,).

        1 where a view has no calibration.

        Args:
            scores: SCORES.
            own: they are the very scores that it was fitted on.
        """
        p = np.ones(len(scores))
        for view, rows, values in _by_view(scores):
            if view in self.samples:
                p[rows] = self.samples[view].p_smooth(values, own=own, behaviours=True)
        return p

    def p_alerts(self, strengths: Values, *, own: bool) -> tuple[Values, Flags]:
        """Returns the p-values of alerts' strengths, (K,), and which the tail gave.

        Raises:
            ModelError: it knows no strengths yet.
        """
        if self.alerts is None:
            raise ModelError("the calibration knows no alerts, with_alerts comes first")
        plain, _ = self.alerts.p_conformal(strengths, own=own)
        p = np.minimum(self.alerts.p_smooth(strengths, own=own, behaviours=False), plain)
        return p, p < 1 / (self.alerts.events[0] + 1)

    def state(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {
            "samples": {view: _sample_state(sample) for view, sample in self.samples.items()},
            "alerts": _sample_state(self.alerts) if self.alerts else None,
        }

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Calibration:
        """Returns the calibration that gave ``state``.

        Raises:
            ModelError: it is no such state.
        """
        try:
            samples = {view: _restored(sample) for view, sample in state["samples"].items()}
            return cls(samples, _restored(state["alerts"]) if state["alerts"] else None)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelError(f"the saved calibration is damaged: {error}") from error


def _by_view(scores: pa.Table) -> Iterator[tuple[str, npt.NDArray[np.int64], Values]]:
    """Yields each view, the places of its scores, and the scores."""
    view = scores["view"].combine_chunks().dictionary_encode()
    values = scores["score"].to_numpy()
    codes = view.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(view.dictionary) + 1))
    for place, name in enumerate(view.dictionary.to_pylist()):
        rows = order[edges[place] : edges[place + 1]]
        yield name, rows, values[rows]


def _kept(size: int) -> npt.NDArray[np.int64]:
    """Returns the places of the values to keep: the highest, and a grid over the rest."""
    if size <= _MOST_POINTS:
        return np.arange(size)
    grid = np.linspace(0, size - _EXACT_POINTS - 1, _MOST_POINTS - _EXACT_POINTS)
    return np.append(grid.astype(np.int64), np.arange(size - _EXACT_POINTS, size))


def _tail(values: Values) -> Tail | None:
    """Returns the tail of distinct values, ascending, or None where they are too few."""
    count = int(len(values) * _TAIL_SHARE)
    if count < _TAIL_POINTS:
        return None
    start = float(values[-count - 1])
    excess = values[-count:] - start  # ascending, above 0
    # probability-weighted moments a0 = E[X], a1 = E[X (1 - F(X))]
    a0 = float(excess.mean())
    a1 = float((excess * (count - np.arange(1, count + 1) + 0.35) / count).mean())
    shape = float(np.clip(2 - a0 / (a0 - 2 * a1), *_SHAPES)) if a0 > 2 * a1 else _SHAPES[0]
    return Tail(start, shape, a0 * (1 - shape))


def _sample_state(sample: Sample) -> dict[str, Any]:
    return {
        "values": sample.values.tolist(),
        "events": sample.events.tolist(),
        "behaviours": sample.behaviours.tolist(),
        "tail": asdict(sample.tail) if sample.tail else None,
    }


def _restored(state: Mapping[str, Any]) -> Sample:
    events, behaviours = (
        np.array(state[name], dtype=np.int64) for name in ("events", "behaviours")
    )
    tail = Tail(**state["tail"]) if state["tail"] else None
    return Sample(np.array(state["values"], dtype=np.float64), events, behaviours, tail)
