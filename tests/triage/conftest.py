"""Alerts to keep, and stores to keep them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from secad.base.database import open_database
from secad.base.schemas import ALERTS
from secad.triage.store import AlertStore
from tests.triage.alerts import DAY, one_alert

NOW = DAY + timedelta(days=9)


@pytest.fixture(scope="session")
def make_alerts() -> Callable[..., pa.Table]:
    """Returns ALERTS of the given rows, of which ``one_alert`` makes each."""

    def make(*rows: dict[str, Any]) -> pa.Table:
        return pa.Table.from_pylist(list(rows), schema=ALERTS)

    return make


@pytest.fixture(scope="session")
def alert() -> Callable[..., dict[str, Any]]:
    """Returns the maker of single rows."""
    return one_alert


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Returns the engine of a new database."""
    made = open_database(tmp_path / "store")
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> AlertStore:
    """Returns an empty store whose clock stands still."""
    return AlertStore(engine, clock=lambda: NOW)
