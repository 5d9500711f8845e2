"""Cuts lines of separated values into fields, by compiled passes over whole columns of lines.

Text enters; spans of the fields leave. A field that begins with ``"`` ends at a ``"`` before the
separator or the line's end, and ``""`` inside it is one quote; a quote elsewhere is a character.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.features.key_values import integers
from secad.features.spans import Bytes, Places, buffer_of, gather

UNCLOSED = -1
"""The number of fields of a line on which a quote is not closed."""

_QUOTE, _DASH = 34, 45


@dataclass(frozen=True)
class Fields:
    """The fields of R lines with C fields each.

    Args:
        data: the bytes that the spans point into.
        spans: (R, C, 2) start and length; the start is -1 where the field is empty or ``-``.
        doubled: (R, C) whether quotes stand doubled in it.
    """

    data: Bytes
    spans: npt.NDArray[np.int64]
    doubled: npt.NDArray[np.bool_]

    def text(self, column: int) -> pa.StringArray:
        """Returns (R,) the values of one column."""
        starts, lengths = self.spans[:, column].T
        return _undoubled(gather(self.data, starts, lengths), self.doubled[:, column])

    def integers(self, column: int) -> pa.Array:
        """Returns (R,) the values of one column as int64, null where they are none."""
        return integers(self.data, *self.spans[:, column].T)

    def taken(self, rows: npt.NDArray[np.bool_]) -> Fields:
        """Returns the fields of the lines at which ``rows`` is true."""
        return Fields(self.data, self.spans[rows], self.doubled[rows])

    def blank_out(self, column: int, rows: npt.NDArray[np.bool_]) -> bool:
        """Empties a column where ``rows`` is true; returns whether values are left in it."""
        starts = self.spans[:, column, 0]
        starts[rows] = -1
        return bool((starts >= 0).any())

    def filled(self, columns: list[int]) -> tuple[Places, Places, pa.StringArray]:
        """Returns the values of some columns that are there, row by row.

        Args:
            columns: K of them.

        Returns:
            (V,) the row of each value, (V,) its place in ``columns``, (V,) the value.
        """
        spans = self.spans[:, columns]  # (R, K, 2)
        given = spans[..., 0] >= 0
        rows, places = np.nonzero(given)
        starts, lengths = spans[given].T
        values = _undoubled(gather(self.data, starts, lengths), self.doubled[:, columns][given])
        return rows, places, values


def count_fields(text: pa.StringArray, delimiter: str) -> Places:
    """Returns (N,) how many fields each line has, UNCLOSED where a quote is not closed.

    Args:
        text: (N,) lines without nulls.
        delimiter: one ASCII character.
    """
    return _count(*buffer_of(text), ord(delimiter))


def cut_fields(text: pa.StringArray, delimiter: str, rows: Places, columns: int) -> Fields:
    """Returns the fields of some lines.

    Args:
        text: (N,) lines without nulls.
        delimiter: one ASCII character.
        rows: (R,) the lines; each must have ``columns`` fields.
        columns: C.
    """
    data, ends = buffer_of(text)
    return Fields(data, *_cut(data, ends[rows], ends[rows + 1], ord(delimiter), columns))


def _undoubled(text: pa.StringArray, doubled: npt.NDArray[np.bool_]) -> pa.StringArray:
    if not doubled.any():
        return text
    return pc.if_else(pa.array(doubled), pc.replace_substring(text, '""', '"'), text)


@kernel
def _field_end(data: Bytes, place: int, end: int, delimiter: int) -> tuple[int, bool]:
    """Returns where the field at ``place`` ends, behind its closing quote, and if some are doubled.

    The end is UNCLOSED where a quote is not closed.
    """
    if place == end or data[place] != _QUOTE:
        while place < end and data[place] != delimiter:
            place += 1
        return place, False
    place += 1
    doubled = False
    while place < end:
        if data[place] == _QUOTE:
            if place + 1 == end or data[place + 1] == delimiter:
                return place + 1, doubled
            if data[place + 1] == _QUOTE:
                doubled = True
                place += 1
        place += 1
    return UNCLOSED, doubled


@kernel
def _count(data: Bytes, ends: Places, delimiter: int) -> Places:
    counts = np.zeros(len(ends) - 1, dtype=np.int64)
    for row in range(len(counts)):
        place, end = ends[row], ends[row + 1]
        while True:
            place, _ = _field_end(data, place, end, delimiter)
            if place == UNCLOSED:
                counts[row] = UNCLOSED
                break
            counts[row] += 1
            if place == end:
                break
            place += 1
    return counts


@kernel
def _cut(
    data: Bytes, begins: Places, ends: Places, delimiter: int, columns: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    spans = np.empty((len(begins), columns, 2), dtype=np.int64)
    doubled = np.zeros((len(begins), columns), dtype=np.bool_)
    for row in range(len(begins)):
        place, end = begins[row], ends[row]
        for column in range(columns):
            start = place
            place, doubled[row, column] = _field_end(data, place, end, delimiter)
            stop = place
            if start < end and data[start] == _QUOTE:
                start, stop = start + 1, stop - 1
            empty = start == stop or (stop - start == 1 and data[start] == _DASH)
            spans[row, column, 0] = -1 if empty else start
            spans[row, column, 1] = stop - start
            place += 1
    return spans, doubled
