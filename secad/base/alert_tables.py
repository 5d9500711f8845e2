"""SQL tables of the unified alert store, of the model registry and of the scheduled job.

An alert is one row per fingerprint and episode. Its scalars, its workflow status and its lists
of short words (as JSON text) stand in ``alert``; what other questions are asked of stands in
tables of its own. Where an analyst says what an alert is (``verdict``) is apart from where the
work on it stands (``alert.status``). Times are integer microseconds since the epoch, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    func,
    literal_column,
)

from secad.base.database import metadata

STATUSES = ("new", "acknowledged", "in_progress", "closed", "suppressed")

alert = Table(
    "alert",
    metadata,
    Column("alert_id", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("fingerprint_key", Text, nullable=False),  # JSON object, the key in clear
    Column("detector", String(64), nullable=False),
    Column("model_id", String(64)),
    Column("dataset", String(128), nullable=False),
    Column("view", Text, nullable=False),
    Column("time_start_us", BigInteger, nullable=False),
    Column("time_end_us", BigInteger, nullable=False),  # of the last member event
    Column("day", Integer, nullable=False),  # of time_start, days since the epoch, UTC
    Column("count", BigInteger, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("score", Double, nullable=False),
    Column("p_value", Double),  # null where the tool that raised it gives none
    Column("p_extrapolated", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("badges", Text, nullable=False),  # JSON list
    Column("techniques", Text, nullable=False),  # JSON list
    Column("explanation", Text, nullable=False),  # JSON list of name, value, expected, weight
    Column("status", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),  # 1 at first, the newest in alert_revision
    Column("digest", String(32), nullable=False),  # of what detection said, to tell a change
    CheckConstraint("severity BETWEEN 1 AND 6", name="alert_severity"),
    CheckConstraint(f"status IN {STATUSES}", name="alert_status"),
)
# The order of the ranking: over all, and within each day for the budget. They hold what the
# ranking filters by too, so that it never touches the rows that it does not show.
# Of equal severity those without a p-value come last: nobody says how likely they are by chance.
RANK = (
    alert.c.severity.desc(),
    func.coalesce(alert.c.p_value, literal_column("1.0")),
    alert.c.score.desc(),
    alert.c.alert_id,
)
_SPAN = (alert.c.status, alert.c.time_start_us, alert.c.time_end_us)
Index("alert_rank", *RANK, *_SPAN)
Index("alert_rank_day", alert.c.day, *RANK, *_SPAN)
Index("alert_time", alert.c.time_start_us, alert.c.alert_id)
Index("alert_fingerprint", alert.c.fingerprint)
Index("alert_detector", alert.c.detector, alert.c.severity, alert.c.status)

alert_revision = Table(
    "alert_revision",
    metadata,
    Column("alert_id", String(64), ForeignKey("alert.alert_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("changed_us", BigInteger, nullable=False),
    Column("author", Text, nullable=False),  # "secad", or an analyst
    Column("changes", Text, nullable=False),  # JSON object: column -> [before, after]
    sqlite_with_rowid=False,
)
"""Append-only: what became of an alert. The first revision changes nothing."""

occurrence = Table(
    "occurrence",
    metadata,
    Column("alert_id", String(64), ForeignKey("alert.alert_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("time_start_us", BigInteger, nullable=False),
    Column("time_end_us", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("score", Double, nullable=False),
    Column("p_value", Double),
    sqlite_with_rowid=False,
)
"""Append-only: the episode as each run of detection that changed the alert saw it."""

evidence = Table(
    "evidence",
    metadata,
    Column("alert_id", String(64), ForeignKey("alert.alert_id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # from 0, the strongest first
    Column("event_id", LargeBinary(16)),
    Column("time_us", BigInteger),
    Column("source_id", String(20)),
    Column("source_path", Text),
    Column("line", BigInteger),
    Column("byte_offset", BigInteger),
    Column("byte_length", BigInteger),
    Column("sha256", String(64)),  # of the raw record; null where the source was gone
    Column("contribution", Double),
    sqlite_with_rowid=False,
)

alert_entity = Table(
    "alert_entity",
    metadata,
    Column("alert_id", String(64), ForeignKey("alert.alert_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("type", Text),  # host | user | process | ip | file | ...
    Column("value", Text),
    Column("role", Text),  # the EVENTS column it comes from
    sqlite_with_rowid=False,
)
Index("alert_entity_value", func.lower(alert_entity.c.value), alert_entity.c.type)

incident = Table(
    "incident",
    metadata,
    Column("incident_id", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("time_start_us", BigInteger, nullable=False),
    Column("time_end_us", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

incident_alert = Table(
    "incident_alert",
    metadata,
    # an alert belongs to one incident at most
    Column("alert_id", String(64), ForeignKey("alert.alert_id"), primary_key=True),
    Column("incident_id", String(64), ForeignKey("incident.incident_id"), nullable=False),
    Column("reason", Text, nullable=False),  # why it belongs there
    Index("incident_alert_incident", "incident_id"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("verdict_id", Integer, primary_key=True),
    Column("alert_id", String(64), ForeignKey("alert.alert_id"), nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text),
    Column("decided_us", BigInteger, nullable=False),
    Index("verdict_alert", "alert_id", "decided_us"),
)
"""Append-only: what analysts say that an alert is; the newest holds."""

suppression = Table(
    "suppression",
    metadata,
    Column("suppression_id", Integer, primary_key=True),
    Column("match", Text, nullable=False),  # JSON object: column or entity type -> value
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("hit_count", BigInteger, nullable=False),
    Column("last_hit_us", BigInteger),
)

model = Table(
    "model",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("name", String(64), nullable=False),  # ape | rarity | ...
    Column("dataset", String(128), nullable=False),
    Column("version", Integer, nullable=False),  # from 1, within name and dataset
    Column("created_us", BigInteger, nullable=False),
    Column("train_start_us", BigInteger),  # of the events that it was fitted on
    Column("train_end_us", BigInteger),
    Column("rows", BigInteger, nullable=False),
    Column("ingested_until_us", BigInteger),  # of the newest event that the fit had seen
    Column("state", String(16), nullable=False),  # active | retired
    Column("folder", Text, nullable=False),  # relative to the store
    Column("hashes", Text, nullable=False),  # JSON object: file -> sha256
    Column("calibration", Text, nullable=False),  # JSON
    Column("settings", Text, nullable=False),  # JSON object: the hyper-parameters
    Column("seed", BigInteger, nullable=False),
    CheckConstraint("state IN ('active', 'retired')", name="model_state"),
    Index("model_name", "name", "dataset", "version", unique=True),
)

job_window = Table(
    "job_window",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("window_start_us", BigInteger, primary_key=True),
    Column("window_end_us", BigInteger, primary_key=True),
    Column("input_digest", String(64), nullable=False),  # of events, models and settings
    Column("state", String(16), nullable=False),  # running | done | failed
    Column("attempt", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("alerts_new", BigInteger, nullable=False),
    Column("alerts_updated", BigInteger, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("finished_us", BigInteger),
)

outbox = Table(
    "outbox",
    metadata,
    Column("sink", String(64), primary_key=True),
    Column("alert_id", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("state", String(16), nullable=False),  # waiting | delivered | failed
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("queued_us", BigInteger, nullable=False),
    Column("delivered_us", BigInteger),
    Index("outbox_state", "sink", "state", "queued_us"),
)
"""Which revision of which alert each sink has still to be given."""
