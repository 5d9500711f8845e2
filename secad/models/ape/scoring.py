"""Scores and explanations of APE; see the package for letters and equations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from secad.features.backgrounds import Background, Counts
from secad.features.reasons import Oddness
from secad.features.tuples import UNKNOWN, Codes
from secad.models.ape.network import Embedding, one_thread

Scores = npt.NDArray[np.float64]
_CELLS = 4_000_000  # of a matrix of scores held at once
_DECIMALS = 6  # what is beyond differs with how rows are cut into matrices


@one_thread()
@torch.no_grad()
def score(model: Embedding, codes: Codes, mode: str) -> Scores:
    """Returns the scores of events, eq. 6, the mean of the members.

    Args:
        model: in float64, so that the same event scores the same in every table.
        codes: (N, m) of which none is beyond the model's types.
        mode: ``conditional`` or ``paper``.

    Returns:
        (N,) float64, in nats.
    """
    entities = model.types.entities(codes)  # (N, m)
    rows = max(1, _CELLS // (max(model.types.sizes) * model.v.shape[0]))
    parts = []
    for events in torch.split(entities, rows):
        found = -model.fit(events) if mode == "paper" else -model.log_p(events).sum(-1)  # (R, B)
        parts.append(found.mean(0))
    scores = torch.cat(parts).numpy() if parts else np.zeros(0)
    return np.asarray(np.round(scores, _DECIMALS), dtype=np.float64)


def novelty(background: Background, codes: Codes) -> Scores:
    """Returns for each value of an event the surprise of its being new, 0 where it is not.

    Good and Turing: of ``N`` events ``N1`` had a value that no other had, so that the next one
    brings a new value with probability ``N1 / N``.

    Args:
        background: where values are known from.
        codes: (N, m) under the background's vocabularies.

    Returns:
        (N, m) in nats.
    """
    surprise = np.zeros(codes.shape[1])
    for place in range(codes.shape[1]):
        counts = np.bincount(background.codes[:, place], weights=background.counts)
        surprise[place] = np.log((background.events + 1) / ((counts == 1).sum() + 0.5))
    return np.where(codes == UNKNOWN, surprise, 0.0)


@one_thread()
@torch.no_grad()
def oddness(
    model: Embedding, codes: Codes, background: Codes, counts: Counts, new: Scores
) -> list[Oddness]:
    """Returns how far each value and pair of events falls short of what is usual.

    Args:
        model: in float64.
        codes: (N, m) events.
        background: (U, m) the events that were fitted on, with their (U,) ``counts``.
        counts: see above.
        new: (N, m) the novelty that the score holds.
    """
    share = torch.from_numpy(counts / counts.sum())  # (U,)
    usual_events = model.types.entities(background)  # (U, m)
    usual_pairs = torch.zeros(codes.shape[1], codes.shape[1], dtype=torch.float64)  # (m, m)
    for rows in torch.split(torch.arange(len(usual_events)), _CELLS // 1000):
        pairs_there = model.pairs(usual_events[rows])  # (B, m, m)
        usual_pairs += torch.einsum("u,uij->ij", share[rows], pairs_there)  # (m, m)
    bias = model.b.mean(0)  # (A,)
    usual_bias = (bias[usual_events] * share.unsqueeze(1)).sum(0)  # (m,)
    events = model.types.entities(codes)  # (N, m)
    values = (usual_bias - bias[events]).numpy() + new  # (N, m)
    pairs = (usual_pairs - model.pairs(events)).numpy()  # (N, m, m)
    return [Oddness(value, pair) for value, pair in zip(values, pairs, strict=True)]
