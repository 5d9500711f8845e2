"""SQL tables of the event store's ledger: which bytes of which source are committed, and where.

A commit of the event store is one transaction over these tables: the files that it adds and the
place that each source has reached become true together, or not at all.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from secad.base.database import metadata

ingest_commit = Table(
    "ingest_commit",
    metadata,
    Column("commit_id", Integer, primary_key=True),
    Column("committed_us", BigInteger, nullable=False),  # epoch microseconds, UTC
)

source = Table(
    "source",
    metadata,
    Column("source_id", String(20), primary_key=True),
    Column("kind", String(16), nullable=False, default="logs"),  # read as: logs | alerts
    Column("first_record_sha256", String(64), nullable=False),
    Column("path", Text, nullable=False),  # where it was last seen
    Column("format", String(64), nullable=False),
    Column("device", BigInteger),
    Column("inode", BigInteger),
    Column("size_bytes", BigInteger),  # of the file as it lay, maybe compressed
    Column("modified_ns", BigInteger),
    Column("offset", BigInteger, nullable=False),  # bytes of the stream that are committed
    Column("lines", BigInteger, nullable=False),
    Column("tail_bytes", Integer, nullable=False),  # how many bytes before offset the digest covers
    Column("tail_sha256", String(64), nullable=False),
    Column("open_place", Text),  # JSON: the counts before a last line that had no ending yet
    Column("events", BigInteger, nullable=False),
    Column("rejects", BigInteger, nullable=False),
    Column("joined", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Index("source_first_record", "first_record_sha256"),
)

segment = Table(
    "segment",
    metadata,
    Column("path", Text, primary_key=True),  # relative to the store
    Column("kind", String(16), nullable=False),  # events | alerts | rejects | scores
    Column(
        "dataset", String(128), nullable=False
    ),  # of scores: the model id; of rejects: empty or alerts
    Column("day", String(10), nullable=False),  # of the rows' time, UTC
    Column("rows", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("time_first_us", BigInteger, nullable=False),
    Column("time_last_us", BigInteger, nullable=False),
    Column("commit_id", Integer, ForeignKey("ingest_commit.commit_id"), nullable=False),
    Index("segment_kind_day", "kind", "day"),
)

state = Table(
    "state",
    metadata,
    Column("name", String(128), primary_key=True),  # "templates/syslog", "store_id", ...
    Column("value", LargeBinary, nullable=False),
)
