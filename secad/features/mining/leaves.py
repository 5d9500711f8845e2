"""The templates by the leaves of Drain's tree, laid out for a compiled search by whole batches.

The leaf of a form is found by its number of tokens and its first token, or by its *branch* of all
other first tokens. A leaf is a chain of templates in the order of their opening, and these are
the codes, shapes and kinds of their tokens (``tokens``), the code of a wildcard being WILD.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import borrowed, inlined
from secad.features.mining.canonical import TOKEN_BYTES, TOKENS, Texts
from secad.features.mining.siphash import key_halves
from secad.features.mining.slots import FREE, Numbers, Slots, free_slots, insert, slot, widened
from secad.features.mining.tokens import (
    GLUED,
    LETTERED,
    NAMED,
    SCRATCH_BYTES,
    Reading,
    Tokens,
    describe,
    is_alike,
    lent,
    no_tokens,
)
from secad.features.spans import Bytes, Places

Number = TypeVar("Number", bound=np.generic)

WILD = 0
NONE = 0
"""Instead of a template: the form is near none."""
MERGED = -1
"""Instead of the number of wildcards: the template has become part of another one."""

WORDS = 5  # as many different words at one place are no longer a word but a slot
CROWD = 16  # as many templates near a form are no longer templates of their own
_SPREAD = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio
REACH = 1_000  # so many templates of a leaf, the oldest, can be near a form; all can be its own
SIMILARITY = 0.4  # drain3's: least share of tokens that are alike in a template near a form


class _Index(NamedTuple):
    """What the search reads; templates are numbered from 1."""

    leaves: Slots  # a leaf's key -> its first template
    following: Numbers  # of each template: the next one of its leaf, or NONE
    wild: Numbers  # how many of its tokens are wildcards, or MERGED
    starts: Places  # its first token among the tokens
    tokens: Tokens


class _Tools(NamedTuple):
    """What the search works with."""

    reading: Reading
    places: Numbers  # how many templates differ from the form in the word at each token alone


class Near(NamedTuple):
    """A form that is in no template as it is, and what is near it.

    Args:
        form: which; how many there are where all are in templates.
        template: that may become more general for it, or NONE.
        place: the token at which a whole family of templates may; -1 where there is none.
    """

    form: int
    template: int
    place: int


class _Difference(NamedTuple):
    """How a template differs from a form.

    Args:
        words: at so many tokens in a word, or in something else that does not vary by nature.
        values: at so many others.
        place: the last of the words.
        kept: whether a token with letters is the same.
    """

    words: int
    values: int
    place: int
    kept: bool


class _Template(NamedTuple):
    """A template, or NONE, and at how many tokens it differs from a form."""

    number: int
    differing: int


class _Best(NamedTuple):
    """The templates that are near a form."""

    similar: _Template  # differs least of those that differ in values alone
    near: _Template  # differs least of all
    crowd: int  # how many there are


class Leaves:
    """The leaves of one tree, empty at first.

    Args:
        key: 128 secret bits for the codes.
    """

    def __init__(self, key: int) -> None:
        self._index = _Index(
            free_slots(64),
            np.zeros(64, dtype=np.int32),
            np.zeros(64, dtype=np.int32),
            np.zeros(64, dtype=np.int64),
            no_tokens(1024),
        )
        self._tools = _Tools(
            Reading(
                key_halves(key), np.zeros(SCRATCH_BYTES, dtype=np.uint8), no_tokens(TOKENS + 1)
            ),
            np.zeros(TOKENS + 1, dtype=np.int32),
        )
        self._last: dict[int, int] = {}  # a leaf's key -> its youngest template
        self._firsts: dict[int, set[int]] = {}  # how many tokens -> leaves by their first one
        self._end = 0  # of the tokens

    def search(self, texts: Texts, at: int, numbers: Numbers) -> Near:
        """Finds the templates of forms, up to the first that is in no template as it is.

        Args:
            texts: F forms.
            at: the first to look for.
            numbers: (F,) filled with their templates.
        """
        return Near(*_search(texts, at, self._index, self._tools, numbers))

    def family(self, texts: Texts, near: Near) -> list[int]:
        """Returns the templates that differ from a form in the word at one token alone."""
        members = _family(texts, near.form, near.place, self._index, self._tools)
        return [int(number) for number in members]

    def add(self, number: int, form: str, most_firsts: int) -> None:
        """Puts the next template at the end of its leaf.

        Args:
            number: of the template, one more than the last one's.
            form: its tokens.
            most_firsts: how many first tokens have leaves, for each number of tokens.

        Raises:
            ValueError: no form is as long.
        """
        tokens = form.encode().split(b" ") if form else []
        if len(tokens) > TOKENS + 1 or any(len(token) > TOKEN_BYTES + 1 for token in tokens):
            raise ValueError(f"a form of {len(form)} letters in {len(tokens)} tokens is too long")
        text = np.frombuffer(form.encode(), dtype=np.uint8)
        count, own, other = _described(text, self._tools)
        firsts = self._firsts.setdefault(count, set())
        if own != other and (own in firsts or len(firsts) < most_firsts):
            firsts.add(own)
            key = own
        else:
            key = other
        self._make_room(number, count)
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
        known, found = self._index.tokens, self._tools.reading.tokens
        added = slice(self._end, self._end + count)
        known.codes[added] = found.codes[:count]
        known.shapes[added] = found.shapes[:count]
        known.kinds[added] = found.kinds[:count]
        self._end += count

    def widen(self, number: int, tokens: Sequence[int]) -> None:
        """Makes wildcards of these tokens of a template, which are all its wildcards."""
        self._index.wild[number] = len(tokens)
        places = self._index.starts[number] + np.array(tokens, dtype=np.int64)
        self._index.tokens.codes[places] = WILD

    def drop(self, number: int) -> None:
        """Leaves a template out of all searches, since another one stands for it."""
        self._index.wild[number] = MERGED

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
        if self._end + tokens > len(index.tokens.codes):
            codes, shapes, kinds = index.tokens
            index = index._replace(tokens=Tokens(_longer(codes), _longer(shapes), _longer(kinds)))
        self._index = index


def _longer(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    return np.concatenate([values, np.zeros_like(values)])


@inlined
def _leaf_key(form: Tokens, count: int, other: bool) -> np.uint64:
    """Returns the key of a leaf by how many tokens there are and, from two on, by the first.

    A first token that is a name of something goes with all others.
    """
    key: np.uint64 = np.uint64(count) * np.uint64(_SPREAD)
    return key if count < 2 or other or form.kinds[0] & NAMED else key ^ form.shapes[0]


@kernel
def _described(text: Bytes, tools: _Tools) -> tuple[int, int, int]:
    """Describes a form; returns how many tokens it has and the keys of its two leaves."""
    count = describe(text, 0, len(text), tools.reading)
    return (
        count,
        int(_leaf_key(tools.reading.tokens, count, False)),
        int(_leaf_key(tools.reading.tokens, count, True)),
    )


@inlined
def _first(index: _Index, form: Tokens, count: int) -> int:
    """Returns the first template of a form's leaf, or NONE."""
    at = slot(_leaf_key(form, count, False), index.leaves)
    if index.leaves.numbers[at] == FREE:
        at = slot(_leaf_key(form, count, True), index.leaves)
    return max(int(index.leaves.numbers[at]), NONE)


@inlined
def _difference(index: _Index, number: int, form: Tokens, count: int) -> _Difference:
    """Returns how a template differs from a form."""
    words, values, place, kept = 0, 0, -1, False
    if index.wild[number] == MERGED:
        return _Difference(TOKENS, 0, -1, False)
    tokens, start = index.tokens, index.starts[number]
    for at in range(count):
        known = start + at
        if tokens.codes[known] == WILD:
            continue
        if tokens.codes[known] == form.codes[at]:
            kept = kept or bool(tokens.kinds[known] & LETTERED)
        elif (tokens.kinds[known] ^ form.kinds[at]) & GLUED:
            words += TOKENS  # cut into tokens in another way: near nothing
            break
        elif is_alike(tokens, known, form, at):
            values += 1
        else:
            words += 1
            place = at
    return _Difference(words, values, place, kept)


@inlined
def _noted(best: _Best, number: int, found: _Difference, count: int) -> _Best:
    """Returns the best templates so far, one that differs from the form among them."""
    differing = found.words + found.values
    similar, near = best.similar, best.near
    if not found.words and differing < similar.differing and 2 * differing <= count + 1:
        similar = _Template(number, differing)
    if differing < near.differing:
        near = _Template(number, differing)
    return _Best(similar, near, best.crowd + 1)


@inlined
def _family_place(places: Numbers, count: int) -> int:
    """Returns the token at which most templates alone differ, -1 where they are no family."""
    place = np.argmax(places[:count]) if count > 1 else 0
    return int(place) if count > 1 and places[place] >= WORDS - 1 else -1


@inlined
def _same(index: _Index, number: int, form: Tokens, count: int) -> int:
    """Returns how many tokens of a template a form has, -1 where it is not in the template."""
    tokens, start, same = index.tokens, index.starts[number], 0
    for at in range(count):
        code = tokens.codes[start + at]
        if code == form.codes[at]:
            same += 1
        elif code != WILD:
            return -1
    return same


@inlined
def _exact(index: _Index, form: Tokens, count: int) -> int:
    """Returns the template that a form is in, of several the least general, then the oldest."""
    exact, most = NONE, -1
    number = _first(index, form, count)
    while number != NONE:
        if index.wild[number] != MERGED:
            same = _same(index, number, form, count)
            if same > most:
                exact, most = number, same
        number = index.following[number]
    return exact


@inlined
def _nearest(index: _Index, tools: _Tools, count: int) -> tuple[int, int]:
    """Returns a template that is near a form, or the place of a family."""
    best = _Best(_Template(NONE, count + 1), _Template(NONE, count + 1), 0)
    tools.places[:count] = 0
    number = _first(index, tools.reading.tokens, count)
    for _ in range(REACH):
        if number == NONE:
            break
        found = _difference(index, number, tools.reading.tokens, count)
        if found.kept and found.words <= (1 - SIMILARITY) * count:
            best = _noted(best, number, found, count)
            if found.words == 1:
                tools.places[found.place] += 1
        number = index.following[number]
    if best.similar.number != NONE:
        return best.similar.number, -1
    place = _family_place(tools.places, count)
    return best.near.number if place < 0 and best.crowd >= CROWD else NONE, place


@kernel
def _search(
    texts: Texts, at: int, index: _Index, tools: _Tools, numbers: Numbers
) -> tuple[int, int, int]:
    forms = len(texts.ends) - 1
    index, tools = _lent(index), _lent_tools(tools)
    while at < forms:
        count = describe(texts.text, texts.ends[at], texts.ends[at + 1], tools.reading)
        exact = _exact(index, tools.reading.tokens, count)
        if exact == NONE:
            near, place = _nearest(index, tools, count)
            return at, near, place
        numbers[at] = exact
        at += 1
    return at, NONE, -1


@kernel
def _family(texts: Texts, form: int, place: int, index: _Index, tools: _Tools) -> Numbers:
    count = describe(texts.text, texts.ends[form], texts.ends[form + 1], tools.reading)
    members = np.empty(len(index.wild), dtype=np.int32)
    size, number = 0, _first(index, tools.reading.tokens, count)
    for _ in range(REACH):
        if number == NONE:
            break
        found = _difference(index, number, tools.reading.tokens, count)
        if found.words == 1 and found.place == place and found.kept:
            members[size] = number
            size += 1
        number = index.following[number]
    return members[:size].copy()


@inlined
def _lent(index: _Index) -> _Index:
    return _Index(
        Slots(borrowed(index.leaves.numbers), borrowed(index.leaves.hashes)),
        borrowed(index.following),
        borrowed(index.wild),
        borrowed(index.starts),
        lent(index.tokens),
    )


@inlined
def _lent_tools(tools: _Tools) -> _Tools:
    return _Tools(
        Reading(
            borrowed(tools.reading.key),
            borrowed(tools.reading.scratch),
            lent(tools.reading.tokens),
        ),
        borrowed(tools.places),
    )
