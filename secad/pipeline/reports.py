"""Answers put together from more than one room: evidence with its source, scores with places."""

from __future__ import annotations

import hashlib
from datetime import datetime

import duckdb
import pyarrow as pa

from secad.base.errors import ConfigError
from secad.base.schemas import ALERTS, EVENT_ID, TIME, conform
from secad.collect.transports.pieces import PieceReader
from secad.events.store import EventStore
from secad.triage.checks import Finding
from secad.triage.registry import ModelRegistry
from secad.triage.store import AlertStore

RAW = pa.schema(
    [
        pa.field("time", TIME),
        pa.field("source_path", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("state", pa.string()),  # verified | changed | gone
        pa.field("sha256", pa.string()),
        pa.field("raw", pa.string()),
    ]
)
"""One row per evidence record, read again from its source."""

TERMS = pa.schema(
    [
        pa.field("alert_id", pa.string()),
        pa.field("reason", pa.string()),
        *ALERTS.field("explanation").type.value_type,
    ]
)
"""One row per term of an alert's score."""

LOCATED = pa.schema(
    [
        pa.field("model", pa.string()),
        pa.field("subject", pa.string()),  # hex
        pa.field("view", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("p_value", pa.float64()),
        pa.field("time_start", TIME),
        pa.field("time_end", TIME),
        pa.field("event_id", EVENT_ID),
        pa.field("source_path", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("byte_offset", pa.int64()),
    ]
)
"""One row per subject and member event."""


def raw_evidence(events: EventStore, alerts: AlertStore, alert_id: str) -> pa.Table:
    """Returns RAW rows of an alert, the strongest evidence first.

    Args:
        events: knows where each source lies now.
        alerts: the alert store.
        alert_id: an id or its first letters.
    """
    rows = []
    paths = {source.source_id: source.path for source in events.ledger.sources()}
    with PieceReader() as reader:
        for row in alerts.evidence([alerts.resolve(alert_id)]).to_pylist():
            row["source_path"] = paths.get(row["source_id"], row["source_path"])
            raw = reader.read(row["source_path"], row["byte_offset"], row["byte_length"])
            digest = None if raw is None else hashlib.sha256(raw).hexdigest()
            same = "verified" if digest == row["sha256"] else "changed"
            text = None if raw is None else raw.decode("utf-8", "replace")
            rows.append(row | {"state": "gone" if raw is None else same, "raw": text})
    return pa.Table.from_pylist(rows, schema=RAW)


def explained(alerts: AlertStore, alert_id: str) -> pa.Table:
    """Returns TERMS rows of an alert, the heaviest first.

    Args:
        alerts: the alert store.
        alert_id: an id or its first letters.
    """
    found = alerts.find(alert_id).to_pylist()[0]
    head = {"alert_id": found["alert_id"], "reason": found["reason"]}
    return pa.Table.from_pylist([head | term for term in found["explanation"]], schema=TERMS)


def store_findings(events: EventStore, alerts: AlertStore) -> pa.Table:
    """Returns findings over files, database and evidence: ``check``, ``state``, ``message``, ..."""
    missing = events.missing()
    findings = [Finding("files", "damaged", "missing or of another size", path) for path in missing]
    if not missing:
        count = len(events.manifest.segments())
        findings.append(Finding("files", "ok", f"{count} files are where commits named them"))
    with PieceReader() as reader:
        findings += alerts.check(reader.read)
    names = ("check", "state", "message", "at", "alert_id")
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    return pa.Table.from_pylist([vars(finding) for finding in findings], schema=schema)


def located_scores(
    events: EventStore,
    registry: ModelRegistry,
    model: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pa.Table:
    """Returns LOCATED rows of every active fit of a model, by time.

    Args:
        events: scores and events.
        registry: the fitted models.
        model: a model's name.
        since: only subjects that start at or after this time.
        until: only subjects that start before this time.

    Raises:
        ConfigError: no model of this name is fitted.
    """
    entries = registry.active(name=model)
    if not entries:
        known = sorted({entry.name for entry in registry.active()})
        raise ConfigError(
            f"no model {model!r} is fitted, fitted are {', '.join(known) or 'none'}",
            hint=f"fit it with: secad detect {model}",
        )
    parts = [LOCATED.empty_table()]
    for entry in entries:
        scores = events.scores(entry.model_id)
        if scores is not None:
            parts.append(_located(events, entry.dataset, model, scores))
    rows = pa.concat_tables(parts)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("located", rows)
    query = (
        "SELECT * FROM located WHERE ($1 IS NULL OR time_start >= $1) "
        "AND ($2 IS NULL OR time_start < $2) ORDER BY time_start, subject, event_id"
    )
    found = connection.execute(query, [since, until]).to_arrow_table()
    return conform(found, LOCATED, room="scores export")


def _located(events: EventStore, dataset: str, model: str, scores: pa.Table) -> pa.Table:
    """Joins scores to the places of their member events."""
    rows, _ = events.events(dataset=dataset)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("scores", scores)
    connection.register(
        "event", rows.scanner(columns=["event_id", "source_path", "line", "byte_offset"])
    )
    query = """
        SELECT $1 AS model, lower(hex(subject)) AS subject, view, score, p_value,
               time_start, time_end, event_id, source_path, line, byte_offset
        FROM (SELECT *, unnest(member_ids) AS event_id FROM scores) JOIN event USING (event_id)
    """
    joined = connection.execute(query, [model]).to_arrow_table()
    return conform(joined, LOCATED, room="scores export")
