"""The embedded database: SQLite in WAL mode, one file, opened through SQLAlchemy and migrated.

Holds the ledger of the event store, the alert store and the registry of models. The schema is
brought forward by the migrations beside this module, the first version on. All that only SQLite
knows stands here; the tables and the queries are plain SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import ExceptionContext

from secad.base.errors import BusyError, StoreError

FILE_NAME = "secad.db"
SCHEMA_VERSION = "0002"
_BUSY_TIMEOUT_S = 30.0
_CACHE_KIB = 65_536  # at most; a large upsert then sorts its pages in memory
_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_FAULTS = (sqlite3.OperationalError, sqlite3.DatabaseError)  # of the file, not of the statement

metadata = MetaData()


def open_database(folder: Path, *, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> Engine:
    """Returns the engine of the database in ``folder``, its schema at SCHEMA_VERSION.

    Every statement of the engine raises StoreError where the file cannot be read or written.

    Args:
        folder: the store; made where it is absent.
        busy_timeout_s: how long a statement waits for another process's write.

    Raises:
        BusyError: another process kept the write lock all that time.
        StoreError: the file is no database, or of a newer secad.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the store folder {str(folder)!r} cannot be made: {error}") from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": busy_timeout_s}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", partial(_translate, path))
    _bring_forward(engine, path)
    return engine


def writing(engine: Engine) -> Engine:
    """Returns the engine for transactions that write: they take the write lock at their start."""
    return engine.execution_options(begin="IMMEDIATE")


def write_columns(
    connection: Connection,
    table: Table,
    columns: Mapping[str, Sequence[object]],
    *,
    update: Sequence[str] = (),
) -> None:
    """Inserts rows that come as columns, many times faster than rows that come as dictionaries.

    Args:
        connection: inside a transaction that writes.
        table: where to.
        columns: column -> (N,) values, as the driver takes them.
        update: columns that a row which is there already takes over; where none are named such
            a row is an error.
    """
    if not next(iter(columns.values()), ()):
        return
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    statement = dialect.insert(table)
    if update:
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={name: statement.excluded[name] for name in update},
        )
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(columns))
    in_order = (columns[name] for name in compiled.positiontup)
    connection.exec_driver_sql(str(compiled), list(zip(*in_order, strict=True)))


def schema_version(engine: Engine) -> str | None:
    """Returns the version that the database's schema is at, None where it has none."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version


def damages(engine: Engine) -> list[str]:
    """Returns what is wrong with the file, or else with its references, a sentence each."""
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
        found = [f"the database file: {page}" for page in pages if page != "ok"]
        if found:  # its references cannot be followed
            return found
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    pairs = sorted({(child, parent) for child, _, parent, _ in orphans})
    for child, parent in pairs:
        rows = sum(1 for orphan in orphans if (orphan[0], orphan[2]) == (child, parent))
        found.append(f"{rows} rows of table {child} point to no row of table {parent}")
    return found


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a commit survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    cursor.close()


def _begin(connection: Any) -> None:
    # a writer that began as a reader could fail at its first write; this one waits here instead
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _translate(path: Path, context: ExceptionContext) -> BaseException | None:
    error = context.original_exception
    if type(error) not in _FAULTS:
        return None
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _BUSY_CODES:
        return BusyError(
            f"another process is writing to {path}", hint="run the command again later"
        )
    return StoreError(
        f"{path} is not a usable database: {error}",
        hint="restore it from a backup, or point --store at another folder",
    )


def _bring_forward(engine: Engine, path: Path) -> None:
    version = schema_version(engine)
    if version == SCHEMA_VERSION:
        return
    if version is not None and version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {version!r}, this secad knows up to {SCHEMA_VERSION!r}",
            hint="upgrade secad: pip install --upgrade secad",
        )
    if version is None:
        _refuse_stranger(engine, path)
    from alembic import command
    from alembic.config import Config

    settings = Config()
    scripts = str(Path(__file__).parent / "migrations")
    settings.set_main_option("script_location", scripts.replace("%", "%%"))
    with writing(engine).begin() as connection:  # one transaction: all of it, or nothing
        settings.attributes["connection"] = connection
        command.upgrade(settings, SCHEMA_VERSION)


def _refuse_stranger(engine: Engine, path: Path) -> None:
    with writing(engine).begin() as connection:  # waits for one that is making the store
        names = inspect(connection).get_table_names()
    if names and "alembic_version" not in names:
        raise StoreError(
            f"{path} is not a store of secad: it holds table {names[0]!r}",
            hint="point --store at another folder",
        )
