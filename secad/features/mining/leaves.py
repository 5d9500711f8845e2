"""The templates by the leaves of Drain's tree, laid out for a compiled search by whole batches.

Drain's tree of depth 4 finds the leaf of a form by its number of tokens and its first token, or
by its *branch* of all other first tokens; within the leaf the nearest template is the one with
most tokens the same, of equals the one with most wildcards, then the oldest. Here each token is a
keyed 64-bit hash, its *code*, a wildcard is WILD, and a leaf is a chain of templates in the order
of their opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import borrowed, inlined
from secad.features.mining.canonical import TOKEN_BYTES, TOKENS, Texts
from secad.features.mining.siphash import Hashes, key_halves, siphash
from secad.features.mining.slots import FREE, Numbers, Slots, free_slots, insert, slot, widened
from secad.features.spans import Bytes, Places

Number = TypeVar("Number", bound=np.generic)

WILD = 0
NONE = 0
"""Instead of a template: the form is near none."""

_TOKEN_BYTES = TOKEN_BYTES + 16
_SPREAD = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio
_BLANK = ord(" ")


class _Index(NamedTuple):
    """What the search reads; templates are numbered from 1."""

    leaves: Slots  # a leaf's key -> its first template
    following: Numbers  # of each template: the next one of its leaf, or NONE
    wild: Numbers  # how many of its tokens are wildcards
    starts: Places  # its first token in the codes
    codes: Hashes


class _Tools(NamedTuple):
    """What the search works with."""

    key: Hashes
    token: Bytes
    codes: Hashes  # of a form
    similarity: float


class Leaves:
    """The leaves of one tree, empty at first.

    Args:
        key: 128 secret bits for the codes.
        similarity: the least share of a form's tokens that its template must have.
    """

    def __init__(self, key: int, similarity: float) -> None:
        self._index = _Index(
            free_slots(64),
            np.zeros(64, dtype=np.int32),
            np.zeros(64, dtype=np.int32),
            np.zeros(64, dtype=np.int64),
            np.zeros(1024, dtype=np.uint64),
        )
        self._tools = _Tools(
            key_halves(key),
            np.zeros(_TOKEN_BYTES, dtype=np.uint8),
            np.zeros(TOKENS + 1, dtype=np.uint64),
            similarity,
        )
        self._last: dict[int, int] = {}  # a leaf's key -> its youngest template
        self._end = 0  # of the codes

    def search(self, texts: Texts, at: int, numbers: Numbers) -> tuple[int, int]:
        """Finds the templates of forms, up to the first that is in no template as it is.

        Args:
            texts: F forms.
            at: the first to look for.
            numbers: (F,) filled with their templates.

        Returns:
            which form is in no template as it is, F where all are; the template that is near
            enough to be widened for it, or NONE.
        """
        return _search(texts, at, self._index, self._tools, numbers)

    def add(self, number: int, form: str, *, other: bool) -> None:
        """Puts the next template at the end of its leaf.

        Args:
            number: of the template, one more than the last one's.
            form: its tokens.
            other: its leaf is the branch of first tokens that have none of their own.

        Raises:
            ValueError: no form is as long.
        """
        tokens = form.encode().split(b" ") if form else []
        if len(tokens) > TOKENS + 1 or any(len(token) > TOKEN_BYTES for token in tokens):
            raise ValueError(f"a form of {len(form)} letters in {len(tokens)} tokens is too long")
        text = np.frombuffer(form.encode(), dtype=np.uint8)
        codes, key = _coded(text, self._tools, other)
        self._make_room(number, len(codes))
        if key in self._last:
            self._index.following[self._last[key]] = number
        else:
            insert(
                np.array([key], dtype=np.uint64),
                np.array([number], dtype=np.int32),
                self._index.leaves,
            )
        self._last[key] = number
        self._index.starts[number] = self._end
        self._index.codes[self._end : self._end + len(codes)] = codes
        self._end += len(codes)

    def widen(self, number: int, tokens: Sequence[int]) -> None:
        """Makes wildcards of these tokens of a template, which are all its wildcards."""
        self._index.wild[number] = len(tokens)
        self._index.codes[self._index.starts[number] + np.array(tokens, dtype=np.int64)] = WILD

    def _make_room(self, number: int, tokens: int) -> None:
        index = self._index
        if 2 * number >= len(index.leaves.numbers):
            index = index._replace(leaves=widened(index.leaves))
        if number >= len(index.starts):
            index = index._replace(
                following=_longer(index.following),
                wild=_longer(index.wild),
                starts=_longer(index.starts),
            )
        if self._end + tokens > len(index.codes):
            index = index._replace(codes=_longer(index.codes))
        self._index = index


def _longer(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    return np.concatenate([values, np.zeros_like(values)])


@inlined
def _encode(text: Bytes, at: int, end: int, tools: _Tools) -> int:
    """Writes the codes of a form's tokens to the tools; returns how many there are."""
    count = 0
    while at < end:
        length = 0
        while at < end and text[at] != _BLANK:
            tools.token[length] = text[at]
            at, length = at + 1, length + 1
        tools.codes[count] = siphash(tools.token, length, tools.key)
        count += 1
        at += 1
    return count


@inlined
def _leaf_key(codes: Hashes, count: int, other: bool) -> np.uint64:
    """Returns the key of a leaf by how many tokens there are and, from two on, by the first."""
    key: np.uint64 = np.uint64(count) * np.uint64(_SPREAD)
    return key if count < 2 or other else key ^ codes[0]


@kernel
def _coded(text: Bytes, tools: _Tools, other: bool) -> tuple[Hashes, int]:
    count = _encode(text, 0, len(text), tools)
    return tools.codes[:count].copy(), int(_leaf_key(tools.codes, count, other))


@inlined
def _nearest(index: _Index, codes: Hashes, count: int) -> tuple[int, int]:
    """Returns the nearest template in a form's leaf, and how many tokens are the same."""
    at = slot(_leaf_key(codes, count, False), index.leaves)
    if index.leaves.numbers[at] == FREE:
        at = slot(_leaf_key(codes, count, True), index.leaves)
    number = max(index.leaves.numbers[at], NONE)
    nearest, most = NONE, -1
    while number != NONE:
        start, same = index.starts[number], 0
        template = index.codes[start : start + count]
        for token in range(count):
            same += template[token] == codes[token]
        if same > most or (same == most and index.wild[number] > index.wild[nearest]):
            nearest, most = number, same
        number = index.following[number]
    return nearest, most


@kernel
def _search(
    texts: Texts, at: int, index: _Index, tools: _Tools, numbers: Numbers
) -> tuple[int, int]:
    forms = len(texts.ends) - 1
    index = _Index(
        Slots(borrowed(index.leaves.numbers), borrowed(index.leaves.hashes)),
        borrowed(index.following),
        borrowed(index.wild),
        borrowed(index.starts),
        borrowed(index.codes),
    )
    tools = _Tools(
        borrowed(tools.key), borrowed(tools.token), borrowed(tools.codes), tools.similarity
    )
    while at < forms:
        count = _encode(texts.text, texts.ends[at], texts.ends[at + 1], tools)
        nearest, same = _nearest(index, tools.codes, count)
        if nearest == NONE or (count and same / count < tools.similarity):
            return at, NONE
        if same + index.wild[nearest] < count:
            return at, nearest
        numbers[at] = nearest
        at += 1
    return at, NONE
