"""Drain, the miner of drain3, on canonical forms: with a fixed cost per form and a fixed size.

The prefix tree and the rule that makes a template more general are drain3's (He et al., "Drain",
ICWS 2017). Three things differ. Tokens are those of the canonical form, so that only its spaces
part them. The search among the templates of one leaf, in drain3 a loop in Python over all of
them, is compiled: a leaf of thousands of templates, which anybody can bring about who writes log
lines, then costs microseconds and not a tenth of a second a line. And there are never more than
MAX_TEMPLATES: when they are used up, a form that fits none is in the *overflow* template.

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
_ABSENT = -1  # of a token that no template holds


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
        self._codes: dict[str, int] = {WILDCARD: 0}
        self._rows = np.zeros((64, TOKENS + 1), dtype=np.int32)  # a template's tokens as codes
        self._leaves: dict[int, Numbers] = {}  # a leaf's first template -> all of them

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
        self._encode(cluster)
        if change == "cluster_created":
            self.openings[form] = cluster.cluster_id
            return Mined(cluster.cluster_id, opened=True)
        return Mined(cluster.cluster_id, widened=_wildcard_words(cluster.log_template_tokens))

    def replay(self, form: str, wildcards: Sequence[int]) -> None:
        """Opens the next template by its form, then puts the wildcards (as in ``Mined``) there."""
        tokens = self.get_content_as_tokens(form)
        self.clusters_counter += 1
        cluster = LogCluster(tokens, self.clusters_counter)
        self.id_to_cluster[self.clusters_counter] = cluster
        self.openings[form] = self.clusters_counter
        self.add_seq_to_prefix_tree(self.root_node, cluster)
        cluster.log_template_tokens = tuple(
            WILDCARD if wildcards[at // _WORD] >> at % _WORD & 1 else token
            for at, token in enumerate(tokens[:TOKENS])
        ) + tuple(tokens[TOKENS:])
        self._encode(cluster)

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
        if leaf is None or len(leaf) != len(cluster_ids):
            leaf = np.array(cluster_ids, dtype=np.int32)
            self._leaves[cluster_ids[0]] = leaf
        codes = np.array([self._codes.get(token, _ABSENT) for token in tokens], dtype=np.int32)
        number, same = _nearest(self._rows, leaf, codes, include_params)
        return self.id_to_cluster[number] if same / len(tokens) >= sim_th else None

    def _encode(self, cluster: LogCluster) -> None:
        if cluster.cluster_id >= len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        tokens = cluster.log_template_tokens
        codes = [self._codes.setdefault(token, len(self._codes)) for token in tokens]
        self._rows[cluster.cluster_id, : len(codes)] = codes


def _wildcard_words(tokens: Sequence[str]) -> tuple[int, int]:
    bits = sum(1 << at for at, token in enumerate(tokens) if token == WILDCARD)
    return bits & (2**_WORD - 1), bits >> _WORD


@kernel
def _nearest(rows: Numbers, leaf: Numbers, codes: Numbers, include: bool) -> tuple[int, int]:
    """Returns the template with most tokens the same (then most wildcards, then the first)."""
    best, best_same, best_wild = -1, -1, -1
    for number in leaf:
        same, wild = 0, 0
        for at in range(len(codes)):
            code = rows[number, at]
            wild += code == 0
            same += code == codes[at]
        if include:
            same += wild
        if same > best_same or (same == best_same and wild > best_wild):
            best, best_same, best_wild = number, same, wild
    return best, best_same
