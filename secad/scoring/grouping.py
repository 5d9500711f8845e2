"""How well found templates agree with true ones: of lines and of templates, by group and by text.

The four figures of log parsing: grouping accuracy (Zhu et al., "Tools and Benchmarks for
Automated Log Parsing", ICSE-SEIP 2019), parsing accuracy (Dai et al., "Logram", TSE 2020, as in
Khan et al., "Guidelines for Assessing the Accuracy of Log Message Template Identification
Techniques", ICSE 2022) and the F1 scores over templates (Khan et al., and Jiang et al., "A
Large-Scale Evaluation for Log Parsing Techniques", ISSTA 2024). All of them look at how things
are the same, never at what their ids are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.errors import ConfigError

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """The figures, each between 0 and 1.

    Args:
        grouping_accuracy: share of lines whose found group is exactly their true group (GA).
        grouping_f1: harmonic mean of the shares of found and of true groups that are exactly a
            group of the other side (FGA).
        parsing_accuracy: share of lines whose found text is their true text (PA).
        template_f1: harmonic mean of the shares of found and of true texts that are right: all
            lines with the found text have it as their true text (FTA).
        found: how many groups were found.
        true: how many groups there are.
    """

    grouping_accuracy: float
    grouping_f1: float
    parsing_accuracy: float
    template_f1: float
    found: int
    true: int


def agreement(groups: Sequence[str], texts: Sequence[str], truth: Sequence[str]) -> Agreement:
    """Returns how well templates of N lines agree with the true ones.

    Args:
        groups: (N,) ids of the found templates.
        texts: (N,) their texts.
        truth: (N,) texts of the true templates, which are also the true groups.

    Raises:
        ConfigError: the lengths differ, or there is no line.

    >>> found = agreement(["1", "1", "2"], ["a <*>", "a <*>", "b"], ["a <*>", "a <*>", "b <*>"])
    >>> found.grouping_accuracy, round(found.parsing_accuracy, 2), found.template_f1
    (1.0, 0.67, 0.5)
    """
    if not truth or not len(groups) == len(texts) == len(truth):
        raise ConfigError(
            f"{len(groups)} groups, {len(texts)} texts and {len(truth)} true templates do not fit"
        )
    found, true = _codes(groups), _codes(truth)
    exact = _exact(found, true)
    right = np.array([one == other for one, other in zip(texts, truth, strict=True)])
    text = _codes(texts)
    wrong_lines = np.bincount(text, weights=~right)
    count, known = int(found.max()) + 1, int(true.max()) + 1
    return Agreement(
        float(exact[found].mean()),
        _f1(int(exact.sum()), count, known),
        float(right.mean()),
        _f1(int((wrong_lines == 0).sum()), len(wrong_lines), known),
        count,
        known,
    )


def _codes(values: Sequence[str]) -> Codes:
    codes: Codes = pa.array(values, pa.string()).dictionary_encode().indices.to_numpy()
    return codes.astype(np.int64)


def _exact(found: Codes, true: Codes) -> npt.NDArray[np.bool_]:
    """Returns (G,) whether each found group is exactly a true one."""
    pairs = np.unique(found * (true.max() + 1) + true)
    one, other = np.divmod(pairs, true.max() + 1)
    alone = (np.bincount(one)[one] == 1) & (np.bincount(other)[other] == 1)
    exact = np.zeros(int(found.max()) + 1, dtype=np.bool_)
    exact[one] = alone
    return exact


def _f1(right: int, found: int, true: int) -> float:
    return 2 * right / (found + true)
