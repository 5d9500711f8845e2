"""Fitting APE to one view by noise-contrastive estimation; see the package for the equations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from secad.models.ape.network import Embedding, Types, one_thread

_BATCH = 256  # events of a step; a view of fewer distinct ones is taken whole
_CANDIDATES = 128  # values of a type that a step meets as noise
_PASSES = 5  # at least how often a distinct event is drawn, on average
_UNKNOWN_MASS = 1e-3  # least probability of the unknown entity as noise


@dataclass(frozen=True)
class Settings:
    """How to fit; see ``APE`` for what each is."""

    mode: str
    dimension: int
    negatives: int
    uniform_noise: float
    unknown_rate: float
    learning_rate: float
    steps: int
    members: int
    seed: int


@dataclass(frozen=True)
class Noise:
    """What noise is drawn from.

    Args:
        log_kp: (A,) ``log(k p_i(a))``.
        p: (A,) ``p_i(a)``, which sums to 1 over each type.
        negatives: k.
    """

    log_kp: Tensor
    p: Tensor
    negatives: int


def train(
    codes: npt.NDArray[np.int32], counts: npt.NDArray[np.int64], types: Types, settings: Settings
) -> Embedding:
    """Returns the model of one view, the same for the same arguments.

    Args:
        codes: (U, m) distinct events, no code 0.
        counts: (U,) how many events had each.
        types: of the view.
        settings: how to fit.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    events = types.entities(codes)  # (U, m)
    weights = torch.from_numpy(counts.astype(np.float64))  # (U,)
    if settings.mode == "conditional":
        weights = weights.sqrt()
    weights = weights / weights.sum()
    once = (
        torch.bincount(
            events.flatten(),
            torch.from_numpy(counts).repeat_interleave(events.shape[1]),
            minlength=sum(types.sizes),
        )
        == 1
    )  # (A,)
    noise = _noise(events, weights, once, types, settings)
    with one_thread():
        model = Embedding(types, settings.dimension, settings.members, generator)
        model.b.requires_grad_(settings.mode == "conditional")
        steps = max(settings.steps, -(-_PASSES * len(events) // _BATCH))
        optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        candidates = _candidates(types, noise, generator)
        for _ in range(steps):
            if max(types.sizes) > _CANDIDATES:
                candidates = _candidates(types, noise, generator)
            batch, share = _batch(events, weights, generator)  # (B, m), (B,)
            batch = _with_unknown(batch, once, types, settings.unknown_rate, generator)
            told = _objective(model, batch, noise, candidates, settings.mode)  # (R, B)
            loss = (told * share).sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return model.requires_grad_(False)


def _noise(
    events: Tensor, weights: Tensor, once: Tensor, types: Types, settings: Settings
) -> Noise:
    mass = torch.bincount(
        events.flatten(), weights.repeat_interleave(events.shape[1]), minlength=len(once)
    )  # (A,)
    p = torch.empty_like(mass)
    for start, end in types.ranges:
        own = mass[start:end].clone()
        own[0] += settings.unknown_rate * own[once[start:end]].sum() + _UNKNOWN_MASS
        own /= own.sum()
        p[start:end] = (1 - settings.uniform_noise) * own + settings.uniform_noise / len(own)
    log_kp = torch.log(settings.negatives * p)
    return Noise(log_kp.float(), p.float(), settings.negatives)


def _batch(events: Tensor, weights: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Returns (B, m) events and their (B,) shares of the loss."""
    if len(events) <= _BATCH:
        return events, weights.float()
    drawn = torch.multinomial(weights, _BATCH, replacement=True, generator=generator)
    return events[drawn], torch.full((_BATCH,), 1 / _BATCH)


def _with_unknown(
    events: Tensor, once: Tensor, types: Types, rate: float, generator: torch.Generator
) -> Tensor:
    """Returns the events, entities seen once replaced by the unknown one at a rate."""
    drawn = torch.rand(events.shape, generator=generator) < rate  # (B, m)
    return torch.where(once[events] & drawn, types.offsets, events)  # (B, m)


def _candidates(types: Types, noise: Noise, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Returns (C,) entities to meet as noise and the (C,) expected number of each."""
    entities, numbers = [], []
    for start, end in types.ranges:
        if end - start <= _CANDIDATES:
            entities.append(torch.arange(start, end))
            numbers.append(noise.negatives * noise.p[start:end])
        else:
            drawn = torch.multinomial(noise.p[start:end], _CANDIDATES, True, generator=generator)
            entities.append(start + drawn)
            numbers.append(torch.full((_CANDIDATES,), noise.negatives / _CANDIDATES))
    return torch.cat(entities), torch.cat(numbers)


def _objective(
    model: Embedding, events: Tensor, noise: Noise, candidates: tuple[Tensor, Tensor], mode: str
) -> Tensor:
    """Returns the negative of eq. 3 for each event, (R, B)."""
    entities, number = candidates  # (C,), (C,)
    of = model.types.of_entity[entities]  # (C,)
    own = model.own(events)  # (R, B, m)
    others = model.others(events, entities)  # (R, B, C)
    if mode == "conditional":  # eq. 5
        data = own + model.c.unsqueeze(1) - noise.log_kp[events]  # (R, B, m)
        false = others + (model.c[:, of] - noise.log_kp[entities]).unsqueeze(1)  # (R, B, C)
    else:  # eq. 4, one offset c
        s = own.sum(-1, keepdim=True) / 2  # (R, B, 1), eq. 1
        c = model.c[:, :1].unsqueeze(1)  # (R, 1, 1)
        data = s + c - noise.log_kp[events].mean(-1, keepdim=True)  # (R, B, 1)
        false = s - own[:, :, of] + others + c - noise.log_kp[entities]  # (R, B, C)
    return functional.softplus(-data).sum(-1) + (functional.softplus(false) * number).sum(-1)
