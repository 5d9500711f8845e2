"""``key=value`` lines of any maker to columns by the names of their keys.

Lines enter as text; by name of column the first value that one of its keys has leaves, and of all
other pairs labels. Upper and lower case of keys are one, save in labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.schemas import ECS
from secad.features.key_values import Pairs, first_of_each_key, labels, scan
from secad.features.spans import Places, buffer_of

Rows = npt.NDArray[np.bool_]

_NOTHING = pa.array(["", "-", "N/A", "n/a", "(null)", "<nil>"])
_LABEL_CAP = 1024  # characters


class Keyed:
    """The pairs of N lines.

    Args:
        text: (N,) string without nulls; a syslog priority (``<189>``) may stand first.
    """

    def __init__(self, text: pa.Array) -> None:
        self.count = len(text)
        self._pairs: Pairs = scan(text, _begins(text), (), escaped=True)
        self._taken: Rows = np.zeros(len(self._pairs.row), dtype=np.bool_)

    @cached_property
    def has_pairs(self) -> Rows:
        """(N,) whether a line has any pair."""
        found = np.zeros(self.count, dtype=np.bool_)
        found[self._pairs.row] = True
        return found

    @cached_property
    def _keys(self) -> tuple[dict[str, list[int]], Places, Places]:
        """Codes by key in small letters; the pairs by code; where each code begins among them."""
        names = self._pairs.keys(np.arange(len(self._pairs.row))).dictionary_encode()
        codes = np.asarray(names.indices, dtype=np.int64)
        known: dict[str, list[int]] = {}
        for code, name in enumerate(pc.utf8_lower(names.dictionary).to_pylist()):
            known.setdefault(name, []).append(code)
        begins = np.cumsum([0, *np.bincount(codes, minlength=len(names.dictionary))])
        return known, np.argsort(codes, kind="stable"), begins

    def has(self, key: str) -> bool:
        """Returns whether any line has this key, in small letters."""
        return key in self._keys[0]

    def value(self, *keys: str, whole: bool = False, keep: bool = False) -> pa.Array:
        """Returns (N,) string, what the first of these keys that a line has is, else null.

        Args:
            keys: in small letters, the surest first.
            whole: whether only whole numbers count.
            keep: whether the pairs still become labels.
        """
        known, order, begins = self._keys
        best = np.full(self.count, -1, dtype=np.int64)
        for key in reversed(keys):
            for code in reversed(known.get(key, [])):
                pairs = order[begins[code] : begins[code + 1]][::-1]
                pairs = pairs[self._filled[pairs]]
                if whole:
                    pairs = pairs[np.asarray(self._pairs.integers(pairs).is_valid())]
                best[self._pairs.row[pairs]] = pairs
        if not keep:
            self._taken[best[best >= 0]] = True
        return _unescaped(self._pairs.values(best))

    @cached_property
    def _filled(self) -> Rows:
        """(P,) whether a pair has a value that means something."""
        short = self._pairs.length <= 6
        filled = np.ones(len(short), dtype=np.bool_)
        places = np.flatnonzero(short)
        nothing = pc.is_in(self._pairs.values(places), _NOTHING)
        filled[places] = ~np.asarray(nothing)
        return filled

    def labels(self) -> pa.MapArray:
        """Returns (N,) the pairs that were not taken."""
        chosen = np.flatnonzero(~self._taken & self._filled)
        rows = self._pairs.row[chosen]
        first = first_of_each_key(self._pairs, chosen, rows)
        chosen, rows = chosen[first], rows[first]
        values = pc.utf8_slice_codeunits(_unescaped(self._pairs.values(chosen)), 0, _LABEL_CAP)
        return labels(rows, self.count, self._pairs.keys(chosen), values)


def by_names(keyed: Keyed, names: Mapping[str, tuple[str, ...]]) -> dict[str, pa.Array]:
    """Returns the columns that some line has a key of.

    Args:
        keyed: N lines.
        names: column -> keys, the surest first.
    """
    found = {}
    for column, keys in names.items():
        present = [key for key in dict.fromkeys(map(str.lower, keys)) if keyed.has(key)]
        if present:
            whole = column in ECS.names and pa.types.is_integer(ECS.field(column).type)
            found[column] = keyed.value(*present, whole=whole)
    return found


def _begins(text: pa.Array) -> Places:
    """Returns (N,) the byte of each line behind its priority."""
    begins = buffer_of(text)[1][:-1].copy()
    marked = np.asarray(pc.match_substring_regex(text, r"^<\d{1,3}>"))
    if marked.any():
        ends = np.asarray(pc.find_substring(text.filter(pa.array(marked)), ">"))
        begins[marked] += ends + 1
    return begins


def _unescaped(text: pa.Array) -> pa.Array:
    r"""Returns values in which ``\"`` is a quote."""
    if not pc.any(pc.match_substring(text, '\\"')).as_py():
        return text
    return pc.replace_substring_regex(text, r'\\(["\\])', r"\1")
