"""Types of slots in a store: voted at ingest, the same over runs and cuts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import secad

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LINES = [
    f"Nov 20 10:{number // 60:02}:{number % 60:02} web01 sshd[{number + 300}]: "
    f"Failed password for invalid user name{number * 7919 % 1000} from 192.0.2.{number % 200 + 1} "
    f"port {number + 2000} ssh2"
    for number in range(300)
]


def typed(store: Path) -> dict[str, list[str]]:
    rows = secad.open(store).templates().to_pylist()
    return {row["template"]: row["slot_types"] for row in rows}


def test_templates_have_typed_slots(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("\n".join(LINES) + "\n")
    secad.open(tmp_path / "store").ingest([str(log)], now=NOW)
    expected = "Failed password for invalid user <*> from <*> port <*> ssh2"
    assert typed(tmp_path / "store") == {expected: ["user", "ip", "port"]}


@pytest.mark.parametrize("cut", [1, 7, 150])
def test_types_do_not_depend_on_how_a_log_came(tmp_path: Path, cut: int) -> None:
    log = tmp_path / "auth.log"
    store = secad.open(tmp_path / "store")
    for end in (cut, len(LINES)):
        log.write_text("\n".join(LINES[:end]) + "\n")
        store.ingest([str(log)], now=NOW)
    expected = "Failed password for invalid user <*> from <*> port <*> ssh2"
    assert typed(tmp_path / "store")[expected] == ["user", "ip", "port"]
