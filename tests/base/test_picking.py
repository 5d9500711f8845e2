from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.picking import pick


@given(st.lists(st.integers(0, 9), max_size=20))
@settings(max_examples=50, deadline=None)
def test_it_picks_what_take_picks(rows: list[int]) -> None:
    chunks = pa.chunked_array([["a", "b", None], ["d", "e", "f", "g"], ["h", "i", "j"]])
    table = pa.table({"text": chunks, "number": pa.chunked_array([list(range(10))])})
    picked = pick(table, np.array(rows, dtype=np.int64))
    assert picked.to_pylist() == table.take(pa.array(rows, pa.int64())).to_pylist()
