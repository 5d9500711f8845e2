"""Alerts of other tools: alerts without a p-value, and sources that are read as alerts.

SQLite cannot change a column, so the three tables are made anew around their rows. Rows of other
tables point to ``alert``: their references are checked at the end, when its rows are back.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEPT = "before_0002"


def upgrade() -> None:
    """Lets p-values be null and gives every source a kind."""
    if op.get_context().dialect.name != "sqlite":
        op.alter_column("alert", "p_value", nullable=True)
        op.alter_column("occurrence", "p_value", nullable=True)
        op.add_column("source", sa.Column("kind", sa.String(16), nullable=False))
        return
    op.execute("PRAGMA defer_foreign_keys = ON")
    _again("alert", _alert)
    _again("occurrence", _occurrence)
    _again("source", _source, kind="'logs'")


def _again(name: str, make: Callable[[], None], **added: str) -> None:
    """Makes a table anew with the rows that it had.

    Args:
        name: the table.
        make: a function that makes it and its indices.
        added: new column -> its value, in SQL.
    """
    found = sa.inspect(op.get_bind()).get_columns(name)
    columns = ", ".join(f'"{column["name"]}"' for column in found)
    op.execute(f"CREATE TEMPORARY TABLE {_KEPT} AS SELECT * FROM {name}")  # noqa: S608
    op.drop_table(name)
    make()
    into = ", ".join([columns, *(f'"{column}"' for column in added)])
    taken = ", ".join([columns, *added.values()])
    op.execute(f"INSERT INTO {name} ({into}) SELECT {taken} FROM {_KEPT}")  # noqa: S608
    op.execute(f"DROP TABLE {_KEPT}")


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("fingerprint_key", sa.Text, nullable=False),
        sa.Column("detector", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(64)),
        sa.Column("dataset", sa.String(128), nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("time_start_us", sa.BigInteger, nullable=False),
        sa.Column("time_end_us", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("p_value", sa.Double),
        sa.Column("p_extrapolated", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("badges", sa.Text, nullable=False),
        sa.Column("techniques", sa.Text, nullable=False),
        sa.Column("explanation", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.CheckConstraint("severity BETWEEN 1 AND 6", name="alert_severity"),
        sa.CheckConstraint(
            "status IN ('new', 'acknowledged', 'in_progress', 'closed', 'suppressed')",
            name="alert_status",
        ),
    )
    rank: list[str | sa.TextClause] = [
        sa.text("severity DESC"),
        sa.text("coalesce(p_value, 1.0)"),
        sa.text("score DESC"),
        "alert_id",
    ]
    span = ["status", "time_start_us", "time_end_us"]
    op.create_index("alert_rank", "alert", [*rank, *span])
    op.create_index("alert_rank_day", "alert", ["day", *rank, *span])
    op.create_index("alert_time", "alert", ["time_start_us", "alert_id"])
    op.create_index("alert_fingerprint", "alert", ["fingerprint"])
    op.create_index("alert_detector", "alert", ["detector", "severity", "status"])


def _occurrence() -> None:
    op.create_table(
        "occurrence",
        sa.Column("alert_id", sa.String(64), sa.ForeignKey("alert.alert_id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("time_start_us", sa.BigInteger, nullable=False),
        sa.Column("time_end_us", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("p_value", sa.Double),
        sqlite_with_rowid=False,
    )


def _source() -> None:
    op.create_table(
        "source",
        sa.Column("source_id", sa.String(20), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("first_record_sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("format", sa.String(64), nullable=False),
        sa.Column("device", sa.BigInteger),
        sa.Column("inode", sa.BigInteger),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("modified_ns", sa.BigInteger),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("tail_bytes", sa.Integer, nullable=False),
        sa.Column("tail_sha256", sa.String(64), nullable=False),
        sa.Column("open_place", sa.Text),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("rejects", sa.BigInteger, nullable=False),
        sa.Column("joined", sa.BigInteger, nullable=False),
        sa.Column("skipped", sa.BigInteger, nullable=False),
    )
    op.create_index("source_first_record", "source", ["first_record_sha256"])
