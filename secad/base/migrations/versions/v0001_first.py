"""The first schema: the ledger of events, the alert store, the models and the scheduled job.

A migration is history: it repeats the tables as they were, and no later change touches it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes every table of schema version 0001."""
    _ledger()
    _alert()
    _alert_indices()
    _histories()
    _members()
    _triage()
    _model()
    _job()


def _ledger() -> None:
    op.create_table(
        "ingest_commit",
        sa.Column("commit_id", sa.Integer, primary_key=True),
        sa.Column("committed_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "source",
        sa.Column("source_id", sa.String(20), primary_key=True),
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
    op.create_table(
        "segment",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("dataset", sa.String(128), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("time_first_us", sa.BigInteger, nullable=False),
        sa.Column("time_last_us", sa.BigInteger, nullable=False),
        sa.Column(
            "commit_id", sa.Integer, sa.ForeignKey("ingest_commit.commit_id"), nullable=False
        ),
    )
    op.create_index("segment_kind_day", "segment", ["kind", "day"])
    op.create_table(
        "state",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


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
        sa.Column("p_value", sa.Double, nullable=False),
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


def _alert_indices() -> None:
    rank: list[str | sa.TextClause] = [
        sa.text("severity DESC"),
        "p_value",
        sa.text("score DESC"),
        "alert_id",
    ]
    span = ["status", "time_start_us", "time_end_us"]
    op.create_index("alert_rank", "alert", [*rank, *span])
    op.create_index("alert_rank_day", "alert", ["day", *rank, *span])
    op.create_index("alert_time", "alert", ["time_start_us", "alert_id"])
    op.create_index("alert_fingerprint", "alert", ["fingerprint"])
    op.create_index("alert_detector", "alert", ["detector", "severity", "status"])


def _histories() -> None:
    op.create_table(
        "alert_revision",
        _alert_id(),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "occurrence",
        _alert_id(),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("time_start_us", sa.BigInteger, nullable=False),
        sa.Column("time_end_us", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("p_value", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )


def _members() -> None:
    op.create_table(
        "evidence",
        _alert_id(),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.LargeBinary(16)),
        sa.Column("time_us", sa.BigInteger),
        sa.Column("source_id", sa.String(20)),
        sa.Column("source_path", sa.Text),
        sa.Column("line", sa.BigInteger),
        sa.Column("byte_offset", sa.BigInteger),
        sa.Column("byte_length", sa.BigInteger),
        sa.Column("sha256", sa.String(64)),
        sa.Column("contribution", sa.Double),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_entity",
        _alert_id(),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("type", sa.Text),
        sa.Column("value", sa.Text),
        sa.Column("role", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index("alert_entity_value", "alert_entity", [sa.text("lower(value)"), "type"])


def _triage() -> None:
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.String(64), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("time_start_us", sa.BigInteger, nullable=False),
        sa.Column("time_end_us", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "incident_alert",
        _alert_id(),
        sa.Column(
            "incident_id", sa.String(64), sa.ForeignKey("incident.incident_id"), nullable=False
        ),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("incident_alert_incident", "incident_alert", ["incident_id"])
    op.create_table(
        "verdict",
        sa.Column("verdict_id", sa.Integer, primary_key=True),
        sa.Column("alert_id", sa.String(64), sa.ForeignKey("alert.alert_id"), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("decided_us", sa.BigInteger, nullable=False),
    )
    op.create_index("verdict_alert", "verdict", ["alert_id", "decided_us"])
    op.create_table(
        "suppression",
        sa.Column("suppression_id", sa.Integer, primary_key=True),
        sa.Column("match", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger),
        sa.Column("hit_count", sa.BigInteger, nullable=False),
        sa.Column("last_hit_us", sa.BigInteger),
    )


def _model() -> None:
    op.create_table(
        "model",
        sa.Column("model_id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("dataset", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("train_start_us", sa.BigInteger),
        sa.Column("train_end_us", sa.BigInteger),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("ingested_until_us", sa.BigInteger),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("hashes", sa.Text, nullable=False),
        sa.Column("calibration", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.CheckConstraint("state IN ('active', 'retired')", name="model_state"),
    )
    op.create_index("model_name", "model", ["name", "dataset", "version"], unique=True)


def _job() -> None:
    op.create_table(
        "job_window",
        sa.Column("job", sa.String(64), primary_key=True),
        sa.Column("window_start_us", sa.BigInteger, primary_key=True),
        sa.Column("window_end_us", sa.BigInteger, primary_key=True),
        sa.Column("input_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("alerts_new", sa.BigInteger, nullable=False),
        sa.Column("alerts_updated", sa.BigInteger, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("finished_us", sa.BigInteger),
    )
    op.create_table(
        "outbox",
        sa.Column("sink", sa.String(64), primary_key=True),
        sa.Column("alert_id", sa.String(64), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("queued_us", sa.BigInteger, nullable=False),
        sa.Column("delivered_us", sa.BigInteger),
    )
    op.create_index("outbox_state", "outbox", ["sink", "state", "queued_us"])


def _alert_id() -> sa.Column[str]:
    return sa.Column("alert_id", sa.String(64), sa.ForeignKey("alert.alert_id"), primary_key=True)
