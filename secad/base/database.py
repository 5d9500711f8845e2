"""The embedded database: SQLite in WAL mode, one file, opened through SQLAlchemy and migrated.

Holds the ledger of the event store, the alert store and the registry of models. The schema is
brought forward by the migrations beside this module, the first version on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError

from secad.base.errors import StoreError

FILE_NAME = "secad.db"
SCHEMA_VERSION = "0001"
_BUSY_TIMEOUT_S = 30

metadata = MetaData()


def open_database(folder: Path) -> Engine:
    """Returns the engine of the database in ``folder``, its schema at SCHEMA_VERSION.

    Args:
        folder: the store; made where it is absent.

    Raises:
        StoreError: the file is no database, or of a newer secad.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        _bring_forward(engine)
    except DatabaseError as error:
        raise StoreError(
            f"{path} is not a usable database: {error.orig}",
            hint="restore it from a backup, or point --store at another folder",
        ) from error
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a commit survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Any) -> None:
    # a writer that began as a reader could fail at its first write; this one waits here instead
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def writing(engine: Engine) -> Engine:
    """Returns the engine for transactions that write: they take the write lock at their start."""
    return engine.execution_options(begin="IMMEDIATE")


def schema_version(engine: Engine) -> str | None:
    """Returns the version that the database's schema is at, None where it is empty."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _bring_forward(engine: Engine) -> None:
    version = schema_version(engine)
    if version == SCHEMA_VERSION:
        return
    if version is not None and version > SCHEMA_VERSION:
        raise StoreError(
            f"the store has schema version {version}, this secad knows up to {SCHEMA_VERSION}",
            hint="upgrade secad: pip install --upgrade secad",
        )
    from alembic import command
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine).begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
