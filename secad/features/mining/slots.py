"""A compiled hash table: open addressing, at most half full, from a 64-bit hash to a number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.mining.siphash import Hashes

Numbers = npt.NDArray[np.int32]

FREE = -1


class Slots(NamedTuple):
    """As many slots as a power of two, each with a number, or FREE, and its hash."""

    numbers: Numbers
    hashes: Hashes


def free_slots(count: int) -> Slots:
    """Returns an empty table of so many slots, a power of two."""
    return Slots(np.full(count, FREE, dtype=np.int32), np.zeros(count, dtype=np.uint64))


def widened(slots: Slots) -> Slots:
    """Returns the same table with twice the slots."""
    used = slots.numbers != FREE
    wider = free_slots(2 * len(slots.numbers))
    insert(slots.hashes[used], slots.numbers[used], wider)
    return wider


@kernel
def slot(digest: np.uint64, slots: Slots) -> np.int64:
    """Returns the slot of a hash, or the free one where it belongs."""
    last = len(slots.numbers) - 1
    at = np.int64(digest & np.uint64(last))
    while slots.numbers[at] != FREE and slots.hashes[at] != digest:
        at = (at + 1) & last
    return at


@kernel
def insert(hashes: Hashes, numbers: Numbers, slots: Slots) -> None:
    """Puts numbers into a table that has room for them."""
    for index in range(len(hashes)):
        at = slot(hashes[index], slots)
        slots.numbers[at] = numbers[index]
        slots.hashes[at] = hashes[index]
