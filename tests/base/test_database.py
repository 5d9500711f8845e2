from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

import secad.base.alert_tables  # fills the metadata
import secad.base.ledger_tables  # noqa: F401  # fills the metadata
from secad.base.database import (
    FILE_NAME,
    SCHEMA_VERSION,
    damages,
    metadata,
    open_database,
    schema_version,
    writing,
)
from secad.base.errors import BusyError, StoreError

Opener = Callable[..., Engine]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    engines: list[Engine] = []

    def open_one(folder: Path = tmp_path, **settings: float) -> Engine:
        engines.append(open_database(folder, **settings))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.dispose()


def _schema(engine: Engine) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return {name: sql for name, sql in rows if name != "alembic_version"}


def test_migrations_make_the_tables_that_the_code_declares(opened: Opener, tmp_path: Path) -> None:
    migrated = _schema(opened())
    declared = opened(tmp_path / "other")
    with writing(declared).begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == _schema(declared)
    assert {"alert", "evidence", "source", "segment", "model", "outbox"} <= set(migrated)


def test_schema_compiles_for_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))


def test_opening_twice_keeps_what_is_there(opened: Opener) -> None:
    first = opened()
    assert schema_version(first) == SCHEMA_VERSION
    with writing(first).begin() as connection:
        connection.execute(text("INSERT INTO state VALUES ('a', x'01')"))
    with opened().connect() as connection:
        assert connection.scalar(text("SELECT value FROM state")) == b"\x01"


def test_settings_hold_for_every_connection(opened: Opener) -> None:
    with opened().connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_folder_with_signs_of_a_url_opens(opened: Opener, tmp_path: Path) -> None:
    folder = tmp_path / "a %20?b#c&d=e%"
    opened(folder)
    assert (folder / FILE_NAME).is_file()


def test_folder_that_cannot_be_made_is_a_store_error(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        opened(tmp_path / "file" / "store")


def test_garbage_is_a_store_error(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all " * 1000)
    with pytest.raises(StoreError, match="is not a usable database: file is not a database"):
        opened()


@pytest.mark.parametrize("kept_bytes", [4096, 20 * 4096])
def test_overwritten_pages_are_told(opened: Opener, tmp_path: Path, kept_bytes: int) -> None:
    opened().dispose()
    path = tmp_path / FILE_NAME
    content = path.read_bytes()
    assert len(content) > kept_bytes
    path.write_bytes(content[:kept_bytes] + b"\xff" * (len(content) - kept_bytes))
    try:
        told = damages(opened())
    except StoreError as error:
        told = [str(error)]
    assert "malformed" in told[0] or "the database file" in told[0]


def test_newer_schema_is_a_store_error(opened: Opener) -> None:
    with writing(opened()).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="has schema version '9999', this secad knows up to"):
        opened()


def test_database_of_another_program_is_a_store_error(opened: Opener, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("CREATE TABLE moz_places (id INTEGER)")
    connection.close()
    with pytest.raises(StoreError, match="is not a store of secad: it holds table 'moz_places'"):
        opened()


def test_writer_that_waits_too_long_is_busy(opened: Opener) -> None:
    engine = opened(busy_timeout_s=0.05)
    with writing(engine).begin(), pytest.raises(BusyError, match="another process is writing"):
        writing(engine).connect().begin()


def test_damages_tells_a_broken_reference(opened: Opener) -> None:
    engine = opened()
    assert damages(engine) == []
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")  # type: ignore[attr-defined]
        connection.execute(text("INSERT INTO alert_entity (alert_id, position) VALUES ('gone', 0)"))
        connection.commit()
    assert damages(engine) == ["1 rows of table alert_entity point to no row of table alert"]


def _open_and_write(folder: str, worker: int) -> None:
    engine = open_database(Path(folder))
    for row in range(20):
        with writing(engine).begin() as connection:
            connection.execute(text(f"INSERT INTO state VALUES ('{worker}/{row}', x'00')"))
    engine.dispose()


def test_processes_that_make_the_store_at_once_all_succeed(opened: Opener, tmp_path: Path) -> None:
    start = multiprocessing.get_context("spawn")
    workers = [
        start.Process(target=_open_and_write, args=(str(tmp_path), number)) for number in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with opened().connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM state")) == 60


_ENDLESS_WRITER = """
import sys
from pathlib import Path
from sqlalchemy import text
from secad.base.database import open_database, writing
engine = open_database(Path(sys.argv[1]))
for number in range(10**9):
    with writing(engine).begin() as connection:
        for half in "ab":
            connection.execute(text(f"INSERT INTO state VALUES ('{number:09}{half}', x'00')"))
    print(number, flush=True)
"""


def test_killed_writer_leaves_whole_transactions(opened: Opener, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _ENDLESS_WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(5)]
        os.kill(writer.pid, signal.SIGKILL)
        told += [int(line) for line in writer.stdout]
    with opened().connect() as connection:
        names = connection.scalars(text("SELECT name FROM state ORDER BY name")).all()
    numbers = range(len(names) // 2)
    assert names == [f"{number:09}{half}" for number in numbers for half in "ab"]
    assert len(numbers) >= len(told)  # what was told as committed is there
    assert damages(opened()) == []


def test_opening_a_current_store_imports_no_alembic(opened: Opener, tmp_path: Path) -> None:
    opened()
    code = (
        "import sys; from pathlib import Path; from secad.base.database import open_database\n"
        "open_database(Path(sys.argv[1])).dispose(); print('alembic' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "False"
