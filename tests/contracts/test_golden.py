"""What each format makes of its sample stays as it is, until ``update_golden.py`` is run."""

from __future__ import annotations

import pytest

from scripts.update_golden import GOLDEN, golden
from secad import plugins


@pytest.mark.parametrize("name", plugins.format_names())
def test_sample_is_read_as_the_golden_file_says(name: str) -> None:
    assert golden(name) == (GOLDEN / f"{name}.jsonl").read_bytes(), (
        "read the diff after: python scripts/update_golden.py"
    )
