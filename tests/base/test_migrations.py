"""A store of an earlier version is brought forward with everything that it held."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from secad.base import database
from secad.base.database import damages, open_database, schema_version, writing


def test_store_of_the_first_version_keeps_alerts_and_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SCHEMA_VERSION", "0001")
    old = open_database(tmp_path)
    with writing(old).begin() as connection:
        for number in range(3):
            key = {"id": f"a{number}"}
            connection.execute(
                text(
                    "INSERT INTO alert VALUES (:id, 'f', '{}', 'ape', NULL, 'd', 'v', 0, 1, 0, 1, "
                    "3, 1.5, 0.01, 0, 'why', '[]', '[]', '[]', 'closed', 0, 0, 1, 'x')"
                ),
                key,
            )
            connection.execute(text("INSERT INTO occurrence VALUES (:id, 1, 0, 1, 1, 1, 0.5)"), key)
            connection.execute(
                text("INSERT INTO alert_entity VALUES (:id, 0, 'ip', 'x', 'y')"), key
            )
            connection.execute(
                text("INSERT INTO verdict VALUES (NULL, :id, 'benign', 'ann', NULL, 0)"), key
            )
        connection.execute(
            text(
                "INSERT INTO source VALUES ('00', 'h', 'p', 'syslog', 1, 2, 3, 4, 5, 6, 7, 't', "
                "NULL, 8, 9, 10, 11)"
            )
        )
    old.dispose()
    monkeypatch.undo()
    new = open_database(tmp_path)
    assert schema_version(new) == "0002"
    assert damages(new) == []
    with new.connect() as connection:
        rows = connection.execute(text("SELECT alert_id, p_value, status FROM alert")).all()
        assert rows == [(f"a{number}", 0.01, "closed") for number in range(3)]
        kinds = connection.execute(text('SELECT kind, path, "offset", skipped FROM source')).all()
        assert kinds == [("logs", "p", 5, 11)]
        for table in ("occurrence", "alert_entity", "verdict"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 3
    with writing(new).begin() as connection:
        connection.execute(text("UPDATE alert SET p_value = NULL"))
    new.dispose()
