"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from secad.base.schemas import LINES

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SECAD_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture
def data_file() -> Callable[[str], Path]:
    """Returns a file of the labelled data set, or skips the test where it is absent."""

    def find(name: str) -> Path:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"needs the labelled data: {name} is not under {DATA} (set SECAD_DATA)")
        return path

    return find


@pytest.fixture
def make_lines() -> Callable[[list[bytes]], pa.RecordBatch]:
    """Returns LINES of the given records, as if they stood one per line in a file."""

    def make(records: list[bytes]) -> pa.RecordBatch:
        lengths = [len(record) for record in records]
        offsets = [sum(lengths[:row]) + row for row in range(len(records))]
        return pa.RecordBatch.from_arrays(
            [
                pa.array(records, pa.binary()),
                pa.array(range(1, len(records) + 1), pa.int64()),
                pa.array(offsets, pa.int64()),
                pa.array(lengths, pa.int64()),
            ],
            schema=LINES,
        )

    return make
