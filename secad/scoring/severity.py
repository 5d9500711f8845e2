"""Severity: how grave an alert is by its p-value alone, in the numbers of OCSF.

The p-value of an alert is the chance that an actor of this store does something as odd, as often
and in as many ways. A band is therefore a rate of false alarms: of a thousand actors, each in
each of its episodes, about one is ``high`` by chance.

| severity | name | p-value at most |
|---|---|---|
| 6 | fatal | 1e-8 |
| 5 | critical | 1e-5 |
| 4 | high | 1e-3 |
| 3 | medium | 1e-2 |
| 2 | low | 5e-2 |
| 1 | informational | 1 |
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

THRESHOLDS = (5e-2, 1e-2, 1e-3, 1e-5, 1e-8)
"""The largest p-value of severity 2, 3, 4, 5 and 6."""

NAMES = ("informational", "low", "medium", "high", "critical", "fatal")
"""The names of severity 1 to 6."""


def severities(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """Returns OCSF severities, (N,), 1 to 6.

    Args:
        p_values: (N,) between 0 and 1.

    >>> severities(np.array([0.5, 0.05, 0.001, 1e-9])).tolist()
    [1, 2, 4, 6]
    """
    steps = p_values[:, None] <= np.array(THRESHOLDS)[None, :]  # (N, 5)
    return np.asarray(1 + steps.sum(axis=1), dtype=np.int8)
