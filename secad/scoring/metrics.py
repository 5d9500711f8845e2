"""How well scores order what is hostile before what is not, exact where scores tie.

Labels and scores enter as arrays of one length, a number leaves. Where scores tie, the value is
the mean over all orders of the tied ones, so that it never depends on how a sort breaks ties.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from secad.base.errors import ConfigError

Labels = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def auroc(labels: Labels, scores: Scores) -> float:
    """Returns the area under the ROC curve: how often a hostile one scores above another.

    Args:
        labels: (N,) true where hostile.
        scores: (N,) higher is more anomalous.

    Raises:
        ConfigError: the arrays differ in length, or one of the two classes is empty.

    >>> auroc(np.array([True, False, False]), np.array([2.0, 1.0, 2.0]))
    0.75
    """
    found = _groups(labels, scores)
    hostile, other = found[:, 0], found[:, 1] - found[:, 0]
    if not hostile.sum() or not other.sum():
        raise ConfigError(f"auroc needs both classes, {hostile.sum()} of {len(labels)} are hostile")
    below = other.sum() - np.cumsum(other)  # others that score lower than each group
    return float((hostile * (below + other / 2)).sum() / (hostile.sum() * other.sum()))


def average_precision(labels: Labels, scores: Scores) -> float:
    """Returns the mean over the hostile ones of the precision at the place of each.

    Within a group of c tied ones, h of them hostile, behind n of which t are hostile, the
    expected precision at place i, where that one is hostile, is
    ``(t + 1 + (i - 1) (h - 1) / (c - 1)) / (n + i)``, and it is hostile with probability h / c.

    Args:
        labels: (N,) true where hostile.
        scores: (N,) higher is more anomalous.

    Raises:
        ConfigError: the arrays differ in length, or none is hostile.

    >>> average_precision(np.array([True, False]), np.array([1.0, 1.0]))
    0.75
    """
    found = _groups(labels, scores)
    total = int(found[:, 0].sum())
    if not total:
        raise ConfigError(f"average precision needs a hostile one, there are {len(labels)} labels")
    precision, seen, before = 0.0, 0, 0
    for hostile, size in found.tolist():
        if hostile:
            place = np.arange(1, size + 1)
            others = (place - 1) * (hostile - 1) / max(size - 1, 1)
            precision += hostile / size * float(((before + 1 + others) / (seen + place)).sum())
        seen, before = seen + size, before + hostile
    return precision / total


def precision_at(labels: Labels, scores: Scores, k: int) -> float:
    """Returns the expected share of hostile ones among the k that score highest.

    Args:
        labels: (N,) true where hostile.
        scores: (N,) higher is more anomalous.
        k: how many; more than there are count as not hostile.

    Raises:
        ConfigError: the arrays differ in length, or k is below 1.

    >>> precision_at(np.array([True, False, False]), np.array([3.0, 2.0, 1.0]), 2)
    0.5
    """
    if k < 1:
        raise ConfigError(f"precision at {k} is not defined, the least is 1")
    found = _groups(labels, scores)
    before = np.cumsum(found[:, 1]) - found[:, 1]
    taken = np.clip(k - before, 0, found[:, 1])  # of each group
    return float((taken * found[:, 0] / found[:, 1]).sum() / k)


def _groups(labels: Labels, scores: Scores) -> npt.NDArray[np.int64]:
    """Returns (G, 2) hostile ones and all of each group of equal scores, the highest first."""
    if len(labels) != len(scores):
        raise ConfigError(f"{len(labels)} labels do not fit {len(scores)} scores")
    values, group = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    hostile = np.bincount(group, weights=labels, minlength=len(values))
    return np.stack([hostile, np.bincount(group, minlength=len(values))], axis=1).astype(np.int64)
