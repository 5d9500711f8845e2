"""Drain, the miner of drain3, on canonical forms: quick for each form and of a bounded size.

The prefix tree and the rule that makes a template more general are those of drain3's ``Drain``
(He et al., "Drain", ICWS 2017), at drain3's own parameters. Three things differ. Tokens are those
of the canonical form, which only its spaces part. The search is compiled (``leaves``), so that
Python is left with the forms that open a template or widen one. And there is a limit to the
templates: when they are used up, a form that is near none is in the *overflow* template.

drain3's persistence, which runs whatever code a state holds, is never used: ``replay`` builds the
same tree from the forms that opened the templates, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from drain3.drain import Drain, LogCluster

from secad.features.mining.canonical import Texts
from secad.features.mining.leaves import NONE, Leaves
from secad.features.mining.slots import Numbers

Wildcards = npt.NDArray[np.uint64]

OVERFLOW = 0
"""The number of the overflow template; the others count from 1 in the order of their opening."""

WILDCARD = "<*>"
MAX_TEMPLATES = 10_000
DEPTH, SIMILARITY, MAX_CHILDREN = 4, 0.4, 100

_WORD = 64  # bits


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


class Mined(NamedTuple):
    """What became of F forms.

    Args:
        numbers: (F,) the templates that they are in.
        opened: the forms that opened templates, in their order.
        widenings: in the order of the forms.
    """

    numbers: Numbers
    opened: list[str]
    widenings: list[Widening]


class BoundedDrain:
    """Drain over canonical forms; see the module.

    Args:
        limit: how many templates are opened.
        key: 128 secret bits.
    """

    def __init__(self, limit: int, key: int) -> None:
        self.limit = limit
        self.openings: dict[str, int] = {}  # the form that opened each template -> its number
        self._leaves = Leaves(key, SIMILARITY)
        self._drain = Drain(
            depth=DEPTH,
            sim_th=SIMILARITY,
            max_children=MAX_CHILDREN,
            param_str=WILDCARD,
            parametrize_numeric_tokens=False,
        )

    def mine(self, texts: Texts) -> Mined:
        """Returns the templates of forms, opened or widened where need be.

        A form that opened a template never opens a second one.
        """
        forms = len(texts.ends) - 1
        mined = Mined(np.empty(forms, dtype=np.int32), [], [])
        at = 0
        while True:
            at, near = self._leaves.search(texts, at, mined.numbers)
            if at == forms:
                return mined
            mined.numbers[at] = self._learn(texts.form(at), at, near, mined)
            at += 1

    def replay(self, form: str, wildcards: Sequence[int]) -> None:
        """Opens the next template by its form, then puts the wildcards (two words) there.

        Raises:
            ValueError: no form is as long.
        """
        number = self._open(form)
        if not any(wildcards):
            return
        tokens = [at for at in range(2 * _WORD) if wildcards[at // _WORD] >> at % _WORD & 1]
        template = list(self.tokens(number))
        for at in tokens:
            template[at] = WILDCARD
        self._drain.id_to_cluster[number].log_template_tokens = tuple(template)
        self._leaves.widen(number, tokens)

    def tokens(self, number: int) -> tuple[str, ...]:
        """Returns a template's tokens as they are now."""
        tokens: tuple[str, ...] = self._drain.id_to_cluster[number].log_template_tokens
        return tokens

    def _learn(self, form: str, at: int, near: int, mined: Mined) -> int:
        """Returns the template of a form that is in none as it is."""
        if near != NONE:
            mined.widenings.append(Widening(at, near, self._widen(near, form)))
            return near
        if form not in self.openings:
            if len(self.openings) >= self.limit:
                return OVERFLOW
            mined.opened.append(form)
            self._open(form)
        return self.openings[form]

    def _open(self, form: str) -> int:
        number = self.openings[form] = len(self.openings) + 1
        tokens = _tokens(form)
        cluster = LogCluster(tokens, number)
        self._drain.id_to_cluster[number] = cluster
        self._drain.add_seq_to_prefix_tree(self._drain.root_node, cluster)
        branch = self._drain.root_node.key_to_child_node[str(len(tokens))].key_to_child_node
        own = len(tokens) < 2 or (
            tokens[0] in branch and branch[tokens[0]].cluster_ids[-1] == number
        )
        self._leaves.add(number, form, other=not own)
        return number

    def _widen(self, number: int, form: str) -> tuple[int, int]:
        cluster = self._drain.id_to_cluster[number]
        template = self._drain.create_template(_tokens(form), cluster.log_template_tokens)
        cluster.log_template_tokens = tuple(template)
        tokens = [at for at, token in enumerate(template) if token == WILDCARD]
        self._leaves.widen(number, tokens)
        bits = sum(1 << at for at in tokens)
        return bits & (2**_WORD - 1), bits >> _WORD


def _tokens(form: str) -> list[str]:
    return form.split(" ") if form else []
