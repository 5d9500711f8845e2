r"""The objects in arrays of objects, which JSON columns hold as JSON text.

>>> texts = pa.array(['[{"type":"User","id":"u1"},{"type":"App","id":"a1"}]', None, "[]", "[3]"])
>>> elements = Elements.of(texts)
>>> elements.rows.tolist(), elements.text.to_pylist()
([0, 0], ['{"type":"User","id":"u1"}', '{"type":"App","id":"a1"}'])
>>> read = elements.read({"type": ("type",), "id": ("id",)})
>>> elements.first(read["id"], pc.equal(read["type"], "App")).to_pylist()
['a1', None, None, None]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json.columns import read_json
from secad.collect.json.documents import stretches
from secad.features.spans import Places, buffer_of, gather


@dataclass(frozen=True)
class Elements:
    """Objects, M of them, in the arrays of N rows.

    Args:
        count: N.
        rows: (M,) in which row each stands, ascending.
        text: (M,) string, their JSON.
    """

    count: int
    rows: Places
    text: pa.Array

    @classmethod
    def of(cls, text: pa.Array) -> Elements:
        """Returns the objects of a column.

        Args:
            text: (N,) string; what is no array has none, an object stands for itself.
        """
        held = pc.fill_null(pc.match_substring_regex(text, r"^\s*[\[{]"), False)
        rows = np.flatnonzero(np.asarray(held))
        if not len(rows):
            return cls(len(text), rows, pa.array([], pa.string()))
        arrays = text.filter(held)
        sound = _is_sound(arrays)
        rows, arrays = rows[np.asarray(sound)], arrays.filter(sound)
        data, starts = buffer_of(arrays)
        begins, ends = stretches(data[: starts[-1]], int(starts[0]))
        within = np.searchsorted(starts, begins, side="right") - 1
        return cls(len(text), rows[within], gather(data, begins, ends - begins))

    def read(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, pa.Array]:
        """Returns (M,) columns of the objects' values; see ``read_json``."""
        return read_json(self.text, wanted).columns

    def first(self, values: pa.Array, chosen: pa.Array | None = None) -> pa.Array:
        """Returns (N,) of each row the first value that there is.

        Args:
            values: (M,) string.
            chosen: (M,) bool, which objects count; all where it is left out.
        """
        held: npt.NDArray[np.bool_] = np.asarray(pc.is_valid(values))
        if chosen is not None:
            held = held & np.asarray(pc.fill_null(chosen, False))
        places = np.flatnonzero(held)
        rows, first = np.unique(self.rows[places], return_index=True)
        taken = np.full(self.count, -1)
        taken[rows] = places[first]
        return values.take(pa.array(taken, mask=taken < 0))


def _is_sound(text: pa.Array) -> pa.Array:
    """Returns which texts are JSON: a string value may only look so, and would open the next."""
    wrapped = pc.binary_join_element_wise('{"":', text, "}", "")
    return pc.is_null(read_json(wrapped, {}).errors)
