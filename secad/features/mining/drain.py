"""Drain, the miner of drain3, on canonical forms: with a fixed cost per form and a fixed size.

The prefix tree and the rule that makes a template more general are drain3's (He et al., "Drain",
ICWS 2017). Three things differ. Tokens are those of the canonical form, so that only its spaces
part them. The search among the templates of one leaf, in drain3 a loop in Python over all of
them, is compiled: a leaf of thousands of templates, which anybody can bring about who writes log
lines, then costs microseconds a line. And there is a limit to the templates: when they are used
up, a form that fits none is in the *overflow* template.

drain3's persistence, which runs whatever code a state holds, is never used: ``replay`` builds the
same tree from the forms that opened the templates, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from drain3.drain import Drain, LogCluster

from secad.base.compiled import kernel
from secad.features.mining.canonical import TOKENS

Numbers = npt.NDArray[np.int32]
Wildcards = npt.NDArray[np.uint64]

OVERFLOW = 0
"""The number of the overflow template; the others count from 1 in the order of their opening."""

WILDCARD = "<*>"
MAX_TEMPLATES = 10_000
DEPTH, SIMILARITY, MAX_CHILDREN = 4, 0.4, 100  # drain3's own defaults

_WORD = 64  # bits
_WILD = -1  # the code of a wildcard
_ABSENT = -2  # of a token that no template holds


@dataclass(frozen=True)
class Mined:
    """What became of one form.

    Args:
        number: of the template that it is in now.
        opened: that template is new.
        widened: where the form made tokens wildcards: all wildcards of the template from now
            on, in two words with a bit for each token.
    """

    number: int
    opened: bool = False
    widened: tuple[int, int] | None = None


class BoundedDrain(Drain):  # type: ignore[misc]  # drain3 ships no types
    """Drain over canonical forms; see the module.

    Args:
        limit: how many templates are opened.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(
            depth=DEPTH,
            sim_th=SIMILARITY,
            max_children=MAX_CHILDREN,
            param_str=WILDCARD,
            parametrize_numeric_tokens=False,
        )
        self.limit = limit
        self.openings: dict[str, int] = {}  # the form that opened each template -> its number
        self._codes: dict[str, int] = {}  # of the tokens of templates
        self._leaves: dict[int, _Leaf] = {}  # the first template of each leaf -> the leaf
        self._columns: dict[int, tuple[_Leaf, int]] = {}  # a template -> where it is in its leaf

    def mine(self, form: str) -> Mined:
        """Returns the template of a form, opened or widened where need be.

        A form that opened a template stays in it.
        """
        if form in self.openings:
            return Mined(self.openings[form])
        if self.clusters_counter >= self.limit:
            tokens = self.get_content_as_tokens(form)
            if self.tree_search(self.root_node, tokens, self.sim_th, False) is None:
                return Mined(OVERFLOW)
        cluster, change = self.add_log_message(form)
        if change == "none":
            return Mined(cluster.cluster_id)
        if change == "cluster_created":
            self.openings[form] = cluster.cluster_id
            return Mined(cluster.cluster_id, opened=True)
        leaf, column = self._columns[cluster.cluster_id]
        leaf.put(column, self._encoded(cluster.log_template_tokens))
        return Mined(cluster.cluster_id, widened=_wildcard_words(cluster.log_template_tokens))

    def replay(self, form: str, wildcards: Sequence[int]) -> None:
        """Opens the next template by its form, then puts the wildcards (as in ``Mined``) there.

        Raises:
            ValueError: the form is longer than any is.
        """
        tokens = self.get_content_as_tokens(form)
        if len(tokens) > TOKENS + 1:
            raise ValueError(f"a form has {len(tokens)} tokens, not at most {TOKENS + 1}")
        self.clusters_counter += 1
        cluster = LogCluster(tokens, self.clusters_counter)
        self.id_to_cluster[self.clusters_counter] = cluster
        self.openings[form] = self.clusters_counter
        self.add_seq_to_prefix_tree(self.root_node, cluster)
        cluster.log_template_tokens = tuple(
            WILDCARD if wildcards[at // _WORD] >> at % _WORD & 1 else token
            for at, token in enumerate(tokens[:TOKENS])
        ) + tuple(tokens[TOKENS:])

    def tokens(self, number: int) -> tuple[str, ...]:
        """Returns a template's tokens as they are now."""
        tokens: tuple[str, ...] = self.id_to_cluster[number].log_template_tokens
        return tokens

    def get_content_as_tokens(self, content: str) -> list[str]:
        """Returns a canonical form's tokens (drain3 would part them at any Unicode space)."""
        return content.split(" ") if content else []

    def fast_match(
        self, cluster_ids: list[int], tokens: list[str], sim_th: float, include_params: bool
    ) -> LogCluster | None:
        """Returns the nearest template of a leaf, or None where none is near enough.

        Args:
            cluster_ids: the leaf's templates, in the order of their opening.
            tokens: of the form.
            sim_th: the least share of tokens that must be the same.
            include_params: a wildcard counts as the same token.
        """
        if not cluster_ids:
            return None
        leaf = self._leaves.get(cluster_ids[0])
        if leaf is None:
            leaf = self._leaves[cluster_ids[0]] = _Leaf(len(tokens))
        for number in cluster_ids[leaf.count :]:
            self._columns[number] = leaf, leaf.count
            leaf.put(leaf.count, self._encoded(self.tokens(number)))
        codes = np.array([self._codes.get(token, _ABSENT) for token in tokens], dtype=np.int32)
        column, same = leaf.nearest(codes, include_params)
        return self.id_to_cluster[cluster_ids[column]] if same / len(tokens) >= sim_th else None

    def _encoded(self, tokens: Sequence[str]) -> list[int]:
        return [
            _WILD if token == WILDCARD else self._codes.setdefault(token, len(self._codes))
            for token in tokens
        ]


class _Leaf:
    """The templates of one leaf, a column each, their tokens as codes.

    Args:
        tokens: how many each of them has.
    """

    def __init__(self, tokens: int) -> None:
        self.count = 0
        self._codes = np.zeros((tokens, 4), dtype=np.int32)
        self._wild = np.zeros(4, dtype=np.int32)  # how many wildcards each has

    def put(self, column: int, codes: list[int]) -> None:
        """Writes a template into a column that there is, or into the next one."""
        if column == len(self._wild):
            self._codes = np.concatenate([self._codes, np.zeros_like(self._codes)], axis=1)
            self._wild = np.concatenate([self._wild, np.zeros_like(self._wild)])
        self._codes[:, column] = codes
        self._wild[column] = codes.count(_WILD)
        self.count = max(self.count, column + 1)

    def nearest(self, codes: Numbers, include: bool) -> tuple[int, int]:
        """Returns the template with most tokens the same, and how many those are.

        Of equals the one with most wildcards, then the first.

        Args:
            codes: of a form's tokens.
            include: a wildcard counts as the same token.
        """
        return _nearest(self._codes, self._wild, self.count, codes, include)


def _wildcard_words(tokens: Sequence[str]) -> tuple[int, int]:
    bits = sum(1 << at for at, token in enumerate(tokens) if token == WILDCARD)
    return bits & (2**_WORD - 1), bits >> _WORD


@kernel
def _nearest(
    rows: Numbers, wild: Numbers, count: int, codes: Numbers, include: bool
) -> tuple[int, int]:
    same = wild[:count].copy() if include else np.zeros(count, dtype=np.int32)
    for token in range(len(codes)):  # a token after the other, which the compiler makes quick
        for column in range(count):
            same[column] += np.int32(rows[token, column] == codes[token])
    best = 0
    for column in range(1, count):
        more = same[column] - same[best]
        if more > 0 or (more == 0 and wild[column] > wild[best]):
            best = column
    return best, same[best]
