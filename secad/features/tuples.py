"""Tuples: rows of entity columns as codes, and the distinct ones among them.

Entity columns without nulls enter (``views.entity_columns``); matrices of codes leave, by
vocabularies that a model fitted: code 0 stands for whatever the vocabulary lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
ABSENT = "(none)"  # the value of an event that says nothing in a column
UNKNOWN = 0  # the code of a value that the vocabulary lacks


def encode(
    table: pa.Table, columns: Sequence[str], vocabularies: Sequence[pa.StringArray]
) -> Codes:
    """Returns the codes of rows under fitted vocabularies, UNKNOWN for a value they lack.

    Args:
        table: N rows of ``entity_columns``.
        columns: m names; one that the table lacks reads as ABSENT.
        vocabularies: for each column its values in the order of their codes, from code 1 on.

    Returns:
        (N, m) int32.
    """
    codes = np.empty((table.num_rows, len(columns)), dtype=np.int32)
    for place, (name, vocabulary) in enumerate(zip(columns, vocabularies, strict=True)):
        if name not in table.column_names:
            absent = pc.index_in(pa.array([ABSENT]), vocabulary)[0].as_py()
            codes[:, place] = UNKNOWN if absent is None else absent + 1
            continue
        column = table[name].combine_chunks()
        known = pc.fill_null(pc.index_in(column.dictionary, vocabulary), -1)
        code_of = known.to_numpy(zero_copy_only=False).astype(np.int32) + 1
        codes[:, place] = code_of[column.indices.to_numpy(zero_copy_only=False)]
    return codes


def vocabularies(table: pa.Table, columns: Sequence[str]) -> list[pa.StringArray]:
    """Returns the values of each column, sorted, so that row order does not matter.

    Args:
        table: rows of ``entity_columns``.
        columns: names.
    """
    values = [
        table[name].unique().cast(pa.string()) if name in table.column_names else pa.array([ABSENT])
        for name in columns
    ]
    return [found.take(pc.sort_indices(found)) for found in values]


@dataclass(frozen=True)
class Tuples:
    """The distinct rows of a code matrix.

    Args:
        codes: (U, m) the distinct rows, in lexicographic order.
        counts: (U,) how often each occurs.
        of_row: (N,) which of them each row is.
    """

    codes: Codes
    counts: Rows
    of_row: Rows


def distinct(codes: Codes) -> Tuples:
    """Returns the distinct rows of an (N, m) matrix of codes not below 0."""
    keys = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:
        size = int(column.max(initial=0)) + 1
        if keys.max(initial=0) >= np.iinfo(np.int64).max // size - 1:
            keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        keys = keys * size + column
    _, first, of_row, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return Tuples(codes[first], counts.astype(np.int64), of_row.astype(np.int64))
