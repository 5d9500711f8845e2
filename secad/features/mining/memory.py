"""The memory of canonical forms: which template each form belongs to, by the form's hash.

An open-addressing table, compiled, that lives between batches. Forms are numbered in the order
in which they are first seen; what is saved is that order, and the table is made from it again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from secad.base.compiled import kernel
from secad.features.mining.siphash import Hashes
from secad.features.mining.slots import FREE, Numbers, Slots, free_slots, slot, widened
from secad.features.spans import Places

MAX_FORMS = 1_000_000

_FIRST_SLOTS = 1 << 12
NOT_KEPT = -1  # as FREE
"""The number of a form that came when the memory was full."""


class FormMemory:
    """Numbers forms in the order of their first sight and keeps the template of each.

    Args:
        limit: how many forms are kept; later ones are fresh each time that they come.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0
        self._hashes = np.zeros(_FIRST_SLOTS // 2, dtype=np.uint64)  # of each form, by its number
        self._templates = np.zeros(_FIRST_SLOTS // 2, dtype=np.int32)
        self._slots = free_slots(_FIRST_SLOTS)

    def number(self, hashes: Hashes) -> tuple[Numbers, Places]:
        """Returns the number of each form, and the rows whose form must be mined, in order.

        Args:
            hashes: (N,) of forms.

        Returns:
            (N,) numbers, NOT_KEPT where the memory is full; the rows with a form's first sight
            and those with NOT_KEPT. ``keep`` must be told the templates of the former.
        """
        found = _Found(np.empty(len(hashes), dtype=np.int32), np.empty(len(hashes), dtype=np.int64))
        so_far = _SoFar(0, 0, self.count)
        while True:
            so_far = _number(hashes, self._slots, found, self.limit, so_far)
            if so_far.row == len(hashes):
                return found.numbers, found.fresh[: so_far.fresh]
            self._slots = widened(self._slots)

    def find(self, hashes: Hashes) -> Numbers:
        """Returns the number of each form, NOT_KEPT where it is not known; changes nothing."""
        return _find(hashes, self._slots)

    def keep(self, hashes: Hashes, templates: Numbers) -> None:
        """Keeps the templates of the forms that were numbered last, in the order of their numbers.

        Args:
            hashes: (F,) of those forms.
            templates: (F,) their templates.
        """
        end = self.count + len(hashes)
        while end > len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
            self._templates = np.concatenate([self._templates, np.zeros_like(self._templates)])
        self._hashes[self.count : end] = hashes
        self._templates[self.count : end] = templates
        self.count = end

    def templates_of(self, numbers: Numbers) -> Numbers:
        """Returns the templates of forms by their numbers; any for NOT_KEPT."""
        return self._templates[numbers]

    def kept(self) -> tuple[Hashes, Numbers]:
        """Returns the hash and the template of each form, by its number."""
        return self._hashes[: self.count], self._templates[: self.count]

    def restore(self, hashes: Hashes, templates: Numbers) -> None:
        """Fills an empty memory with what ``kept`` gave.

        Raises:
            ValueError: a form is there twice, or there are more than the limit.
        """
        numbers, _ = self.number(hashes)
        if not np.array_equal(numbers, np.arange(len(hashes))):
            raise ValueError(f"{len(hashes)} forms are not all different, or over {self.limit}")
        self.keep(hashes, templates)


class _Found(NamedTuple):
    """What ``number`` returns, being filled."""

    numbers: Numbers
    fresh: Places


class _SoFar(NamedTuple):
    """How far the numbering is."""

    row: int
    fresh: int
    forms: int


@kernel
def _number(hashes: Hashes, slots: Slots, found: _Found, limit: int, so_far: _SoFar) -> _SoFar:
    """Numbers rows from where it is so far, until the slots are half full."""
    row, fresh, forms = so_far
    while row < len(hashes):
        at = slot(hashes[row], slots)
        if slots.numbers[at] == FREE:
            if forms < limit:
                if 2 * forms >= len(slots.numbers):
                    break
                slots.numbers[at] = forms
                slots.hashes[at] = hashes[row]
                forms += 1
            found.fresh[fresh] = row
            fresh += 1
        found.numbers[row] = slots.numbers[at]
        row += 1
    return _SoFar(row, fresh, forms)


@kernel
def _find(hashes: Hashes, slots: Slots) -> Numbers:
    numbers = np.empty(len(hashes), dtype=np.int32)
    for row in range(len(hashes)):
        numbers[row] = slots.numbers[slot(hashes[row], slots)]
    return numbers
