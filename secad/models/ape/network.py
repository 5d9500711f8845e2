"""The parameters of APE, and what is computed from them; see the package for letters and equations.

Every tensor has the R members in front; shapes stand at line ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

_INITIAL_SPREAD = 0.3  # of the entities; smaller ones start slower and end no better


@dataclass(frozen=True)
class Types:
    """The entity types of a view.

    Args:
        sizes: entities of each type, the unknown one (code 0) among them.
    """

    sizes: tuple[int, ...]

    @cached_property
    def offsets(self) -> Tensor:
        """First entity of each type among all of them."""
        return torch.tensor(np.cumsum([0, *self.sizes[:-1]]))  # (m,)

    @cached_property
    def of_entity(self) -> Tensor:
        """The type of each entity."""
        return torch.repeat_interleave(torch.tensor(self.sizes))  # (A,)

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """First entity of each type, and the one behind its last."""
        ends = np.cumsum(self.sizes).tolist()
        return [(end - size, end) for end, size in zip(ends, self.sizes, strict=True)]

    @cached_property
    def half_off_diagonal(self) -> Tensor:
        """One half between two types, 0 between a type and itself."""
        return (1 - torch.eye(len(self.sizes))) / 2  # (m, m)

    def entities(self, codes: npt.NDArray[np.int32]) -> Tensor:
        """Returns codes within types, (U, m), as entities among all types."""
        return torch.from_numpy(codes.astype(np.int64)) + self.offsets  # (U, m)


class Embedding(nn.Module):
    """R models of one view.

    Args:
        types: of the view.
        dimension: d.
        members: R.
        generator: where the entities' first places come from.
    """

    def __init__(
        self, types: Types, dimension: int, members: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        size, entities = len(types.sizes), sum(types.sizes)
        places = torch.randn(members, entities, dimension, generator=generator)
        self.types = types
        self.v = nn.Parameter(_INITIAL_SPREAD * places)  # (R, A, d)
        self.b = nn.Parameter(torch.zeros(members, entities))  # (R, A)
        self.u = nn.Parameter(torch.zeros(members, size, size))  # (R, m, m)
        self.c = nn.Parameter(torch.zeros(members, size))  # (R, m)

    @property
    def w(self) -> Tensor:
        """The weights of pairs of types: symmetric, not negative, no type with itself."""
        positive = functional.softplus(self.u)  # (R, m, m)
        return (positive + positive.transpose(1, 2)) * self.types.half_off_diagonal  # (R, m, m)

    def own(self, events: Tensor) -> Tensor:
        """Returns ``o_i(a_i)``, eq. 5, of events.

        Args:
            events: (B, m) entities.
        """
        g = self.v[:, events]  # (R, B, m, d)
        context = torch.einsum("rij,rbjd->rbid", self.w.to(g.dtype), g)  # (R, B, m, d)
        return (context * g).sum(-1) + self.b[:, events]  # (R, B, m)

    def others(self, events: Tensor, candidates: Tensor) -> Tensor:
        """Returns ``o_i(a')``, eq. 5: each candidate in place of the event's entity of its type.

        One product: (B, m d) of the events by (m d, C) of the candidates, each spread over the
        types with the weights of its own.

        Args:
            events: (B, m) entities.
            candidates: (C,) entities.
        """
        g = self.v[:, events].flatten(2)  # (R, B, m d)
        weight = self.w.to(g.dtype)[:, self.types.of_entity[candidates]]  # (R, C, m)
        spread = weight.unsqueeze(-1) * self.v[:, candidates].unsqueeze(2)  # (R, C, m, d)
        fit = torch.bmm(g, spread.flatten(2).transpose(1, 2))  # (R, B, C)
        return fit + self.b[:, candidates].unsqueeze(1)  # (R, B, C)

    def log_p(self, events: Tensor) -> Tensor:
        """Returns ``log softmax_i(o_i)(a_i)``, eq. 6, of each type of events.

        Args:
            events: (B, m) entities.
        """
        g = self.v[:, events]  # (R, B, m, d)
        context = torch.einsum("rij,rbjd->rbid", self.w.to(g.dtype), g)  # (R, B, m, d)
        log_z = [
            (
                torch.bmm(context[:, :, i], self.v[:, start:end].transpose(1, 2))
                + self.b[:, None, start:end]
            ).logsumexp(-1)  # (R, B)
            for i, (start, end) in enumerate(self.types.ranges)
        ]
        own = (context * g).sum(-1) + self.b[:, events]  # (R, B, m)
        return own - torch.stack(log_z, -1)  # (R, B, m)

    def fit(self, events: Tensor) -> Tensor:
        """Returns ``S(e)``, eq. 1, with the biases.

        Args:
            events: (B, m) entities.
        """
        bias = self.b[:, events].sum(-1)  # (R, B)
        return (self.own(events).sum(-1) + bias) / 2  # (R, B): each pair and bias stands twice

    def pairs(self, events: Tensor) -> Tensor:
        """Returns ``w_ij <v_{a_i}, v_{a_j}>``, the mean of the members.

        Args:
            events: (B, m) entities.
        """
        g = self.v[:, events]  # (R, B, m, d)
        dots = torch.einsum("rbid,rbjd->rbij", g, g)  # (R, B, m, m)
        return (self.w.to(g.dtype).unsqueeze(1) * dots).mean(0)  # (B, m, m)


@contextmanager
def one_thread() -> Iterator[None]:
    """Makes torch work in one thread for a while."""
    # sums over threads differ in their last digits from machine to machine
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
