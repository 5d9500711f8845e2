"""Picking rows of large tables without copying the rest.

``Table.take`` joins all chunks of every column before it picks from them, a copy of the whole
table for a handful of rows. Here a mask goes over the chunks first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def pick(table: pa.Table, rows: npt.NDArray[np.int64]) -> pa.Table:
    """Returns rows of a table, in the order asked for.

    Args:
        table: any number of rows.
        rows: (n,) places, in any order, some maybe twice.
    """
    mask = np.zeros(table.num_rows, dtype=np.bool_)
    mask[rows] = True
    picked = table.filter(pa.array(mask)).combine_chunks()
    if picked.num_rows == len(rows) and (np.diff(rows) > 0).all():
        return picked
    return picked.take(pa.array(np.searchsorted(np.flatnonzero(mask), rows)))
