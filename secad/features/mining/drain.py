"""Drain on canonical forms, with words told from values: quick for each form, of a bounded size.

The tree is that of Drain (He et al., "Drain", ICWS 2017): a form's templates are those with as
many tokens and the same first token. Within the leaf, Drain makes the nearest template more
general wherever a form differs from it, as far as four tokens of ten are the same, and so joins
"Link ok" and "Link error". Here it depends on what differs:

- where a form and a template differ only in what varies by nature (a token that holds a value,
  is dotted like a host's name, or differs in its digits alone), the template becomes more general;
- words that differ are two templates, until there are WORDS of them at one place of templates
  that are otherwise alike: then all these become one, the oldest;
- where CROWD templates are near a form, the nearest becomes more general as it would in Drain, so
  that free text cannot open templates without end;
- no template becomes so general that no token with letters is left of it.

The search is compiled (``leaves``), so that Python is left with the forms that open a template or
change one. And there is a limit to the templates: when they are used up, a form that is near none
is in the *overflow* template. ``replay`` builds the same tree from the forms that opened the
templates, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.features.mining.canonical import Texts
from secad.features.mining.leaves import NONE, Leaves, Near
from secad.features.mining.slots import Numbers
from secad.features.mining.words import GLUE

Wildcards = npt.NDArray[np.uint64]

OVERFLOW = 0
"""The number of the overflow template; the others count from 1 in the order of their opening."""

WILDCARD = "<*>"
MAX_TEMPLATES = 10_000
MAX_CHILDREN = 100  # drain3's

_WORD = 64  # bits
_GLUE = chr(GLUE)


class Widening(NamedTuple):
    """A template that became more general.

    Args:
        form: the index of the form by which it did.
        number: the template.
        wildcards: all its wildcards from now on, in two words with a bit for each token.
    """

    form: int
    number: int
    wildcards: tuple[int, int]


class Merger(NamedTuple):
    """A template that became part of an older one.

    Args:
        form: the index of the form by which it did.
        number: the template.
        into: the older one.
    """

    form: int
    number: int
    into: int


class Mined(NamedTuple):
    """What became of F forms.

    Args:
        numbers: (F,) the templates that they are in.
        opened: the forms that opened templates, in their order.
        widenings: in the order of the forms.
        mergers: in the order of the forms.
    """

    numbers: Numbers
    opened: list[str]
    widenings: list[Widening]
    mergers: list[Merger]


class BoundedDrain:
    """Drain over canonical forms; see the module.

    Args:
        limit: how many templates are opened.
        key: 128 secret bits.
    """

    def __init__(self, limit: int, key: int) -> None:
        self.limit = limit
        self.openings: dict[str, int] = {}  # the form that opened each template -> its number
        self.into: dict[int, int] = {}  # a merged template -> the one that it is part of
        self._leaves = Leaves(key)
        self._tokens: list[list[str]] = [[]]  # of each template by its number, as it was opened
        self._wild: list[set[int]] = [set()]  # the tokens that are wildcards

    def mine(self, texts: Texts) -> Mined:
        """Returns the templates of forms, opened, widened or merged where need be.

        A form that opened a template never opens a second one.
        """
        forms = len(texts.ends) - 1
        mined = Mined(np.empty(forms, dtype=np.int32), [], [], [])
        at = 0
        while True:
            near = self._leaves.search(texts, at, mined.numbers)
            if near.form == forms:
                return mined
            mined.numbers[near.form] = self._learn(texts, near, mined)
            at = near.form + 1

    def recognise(self, texts: Texts, unknown: int) -> Numbers:
        """Returns the templates of forms as they are, ``unknown`` for those in none."""
        forms = len(texts.ends) - 1
        numbers = np.empty(forms, dtype=np.int32)
        at = 0
        while (near := self._leaves.search(texts, at, numbers)).form < forms:
            numbers[near.form] = unknown
            at = near.form + 1
        return numbers

    def replay(self, form: str, wildcards: Sequence[int]) -> None:
        """Opens the next template by its form, then puts the wildcards (two words) there.

        Raises:
            ValueError: no form is as long.
        """
        number = self._open(form)
        tokens = [at for at in range(2 * _WORD) if wildcards[at // _WORD] >> at % _WORD & 1]
        if tokens:
            self._set_wild(number, set(tokens))

    def merge(self, number: int, into: int) -> None:
        """Makes a template part of an older one, which is general enough already.

        Raises:
            ValueError: it is not older, or part of another one itself.
        """
        if not 0 < into < number < len(self._tokens) or into in self.into:
            raise ValueError(f"template {number} cannot be part of template {into}")
        self.into[number] = into
        for part, whole in self.into.items():
            if whole == number:
                self.into[part] = into
        self._leaves.drop(number)

    def text(self, number: int) -> str:
        """Returns a template as it is now, its values as the byte ``MASK``."""
        wild = self._wild[number]
        tokens = [
            WILDCARD + _GLUE * token.endswith(_GLUE) if at in wild else token
            for at, token in enumerate(self._tokens[number])
        ]
        return " ".join(tokens).replace(_GLUE + " ", "")

    def _learn(self, texts: Texts, near: Near, mined: Mined) -> int:
        """Returns the template of a form that is in none as it is."""
        form = texts.form(near.form)
        if near.template != NONE:
            differing = self._differing(near.template, _tokens(form))
            self._widen(near.template, differing, near.form, mined)
            return near.template
        if near.place >= 0 and (oldest := self._join(texts, near, mined)) != NONE:
            return oldest
        if form not in self.openings:
            if len(self.openings) >= self.limit:
                return OVERFLOW
            mined.opened.append(form)
            self._open(form)
        number = self.openings[form]
        return self.into.get(number, number)

    def _open(self, form: str) -> int:
        number = self.openings[form] = len(self.openings) + 1
        self._tokens.append(_tokens(form))
        self._wild.append(set())
        self._leaves.add(number, form, MAX_CHILDREN)
        return number

    def _join(self, texts: Texts, near: Near, mined: Mined) -> int:
        """Returns the oldest template of a family, which stands for all of it from now on.

        NONE where no token with letters would be left of it.
        """
        oldest, *others = sorted(self._leaves.family(texts, near))
        wild = self._wild[oldest] | self._differing(oldest, _tokens(texts.form(near.form)))
        for number in others:
            wild |= self._wild[number] | self._differing(oldest, self._tokens[number])
        left = (token for at, token in enumerate(self._tokens[oldest]) if at not in wild)
        if not any(letter.isalpha() for token in left for letter in token):
            return NONE
        for number in others:
            mined.mergers.append(Merger(near.form, number, oldest))
            self.merge(number, oldest)
        self._widen(oldest, wild, near.form, mined)
        return oldest

    def _differing(self, number: int, tokens: list[str]) -> set[int]:
        """Returns the tokens at which a form differs from a template."""
        pairs = enumerate(zip(self._tokens[number], tokens, strict=True))
        return {at for at, (one, other) in pairs if one != other} - self._wild[number]

    def _widen(self, number: int, tokens: set[int], at: int, mined: Mined) -> None:
        """Makes wildcards of some tokens of a template by the form at ``at``."""
        self._set_wild(number, self._wild[number] | tokens)
        bits = sum(1 << token for token in self._wild[number])
        words = (bits & (2**_WORD - 1), bits >> _WORD)
        mined.widenings.append(Widening(at, number, words))

    def _set_wild(self, number: int, tokens: set[int]) -> None:
        self._leaves.widen(number, sorted(tokens))
        self._wild[number] = tokens


def _tokens(form: str) -> list[str]:
    return form.split(" ") if form else []
