"""ALERTS rows into the tables of the alert store: what is new, what grew, what is known already.

A digest over everything that detection says of an alert tells whether it changed, so that the
same rows again cost a look-up each and write nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, bindparam, delete, select

from secad.base.alert_tables import alert, alert_entity, alert_revision, evidence, occurrence
from secad.base.database import write_columns
from secad.base.errors import StoreError
from secad.base.json_text import json_column, json_rows
from secad.triage.columns import children, fetch, values

_BLOCK_ROWS = 20_000
_DAY_US = 86_400_000_000
_AUTHOR = "secad"
_JSON = ("fingerprint_key", "badges", "techniques", "explanation")
_PLAIN = (
    "alert_id",
    "fingerprint",
    "detector",
    "model_id",
    "dataset",
    "view",
    "count",
    "severity",
    "score",
    "p_value",
    "p_extrapolated",
    "reason",
)
# what the history of an alert tells with its values; the digest stands for the rest
_TOLD = (
    "model_id",
    "time_start_us",
    "time_end_us",
    "count",
    "severity",
    "score",
    "p_value",
    "reason",
    "digest",
)
_KEPT = ("alert_id", "status", "created_us")  # an update leaves these as they are
_SEEN = ("time_start_us", "time_end_us", "count", "score", "p_value")


@dataclass(frozen=True)
class UpsertCount:
    """How many alerts of an upsert were new, changed, or known as they are."""

    new: int
    updated: int
    unchanged: int


def check_alerts(alerts: pa.Table) -> None:
    """Passes where the store can keep every row.

    Args:
        alerts: rows that conform to ALERTS.

    Raises:
        StoreError: an id stands twice, a score or p-value is not a number, a severity is
            outside 1 to 6, or a fingerprint's key has no value at all.
    """
    ids = alerts.column("alert_id")
    counts = pc.value_counts(ids)
    _refuse(counts.field(0), pc.greater(counts.field(1), 1), "stands more than once in one upsert")
    for name in ("score", "p_value"):
        wrong = pc.fill_null(pc.is_nan(alerts.column(name)), False)
        _refuse(ids, wrong, f"has a {name} that is not a number")
    severity = alerts.column("severity")
    outside = pc.or_(pc.less(severity, 1), pc.greater(severity, 6))
    _refuse(ids, outside, "has a severity outside 1 to 6")
    empty = [not any(value is not None for _, value in key) for key in _keys(alerts)]
    _refuse(ids, pa.array(empty, pa.bool_()), "has a fingerprint whose key is all null")


def write_alerts(connection: Connection, alerts: pa.Table, now_us: int) -> UpsertCount:
    """Brings the tables to what the alerts say, and returns what that changed.

    Args:
        connection: inside a transaction that writes.
        alerts: rows that conform to ALERTS and passed ``check_alerts``.
        now_us: when, for the history.
    """
    new = updated = 0
    for start in range(0, alerts.num_rows, _BLOCK_ROWS):
        made, changed = _write_block(connection, alerts.slice(start, _BLOCK_ROWS), now_us)
        new += made
        updated += changed
    return UpsertCount(new, updated, alerts.num_rows - new - updated)


def _write_block(connection: Connection, block: pa.Table, now_us: int) -> tuple[int, int]:
    block = block.sort_by("alert_id").combine_chunks()  # neighbours in the tables' trees
    digests = _digests(block)
    ids = block.column("alert_id").to_pylist()
    known = _known(connection, ids)
    pairs = zip(ids, digests, strict=True)
    changed = [key not in known or known[key]["digest"] != digest for key, digest in pairs]
    block = block.append_column("digest", pa.array(digests, pa.string())).filter(pa.array(changed))
    if not block.num_rows:
        return 0, 0
    batch = block.combine_chunks().to_batches()[0]
    columns = _alert_columns(batch, known, now_us)
    ids = batch.column("alert_id").to_pylist()
    grown = [{"grown": key} for key in ids if key in known]
    for table in (alert_entity, evidence):
        if grown:
            connection.execute(delete(table).where(table.c.alert_id == bindparam("grown")), grown)
    taken_over = [name for name in columns if name not in _KEPT]
    write_columns(connection, alert, columns, update=taken_over)
    write_columns(connection, alert_entity, children(ids, batch.column("entities")))
    write_columns(connection, evidence, children(ids, batch.column("evidence")))
    _write_history(connection, columns, known, now_us)
    return len(ids) - len(grown), len(grown)


def _digests(block: pa.Table) -> list[str]:
    texts = [json_rows(batch).to_pylist() for batch in block.to_batches(max_chunksize=2_000)]
    return [blake2b(text.encode(), digest_size=16).hexdigest() for part in texts for text in part]


def _known(connection: Connection, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    names = ("revision", *_TOLD)
    query = select(alert.c.alert_id, *(alert.c[name] for name in names))
    found = fetch(connection, query, alert.c.alert_id, ids)
    rows = zip(*(found[name] for name in names), strict=True)
    return {
        key: dict(zip(names, row, strict=True))
        for key, row in zip(found["alert_id"], rows, strict=True)
    }


def _alert_columns(
    batch: pa.RecordBatch, known: Mapping[str, Mapping[str, Any]], now_us: int
) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {
        name: batch.column(name).to_pylist() for name in (*_PLAIN, "digest")
    }
    columns |= {name: json_column(batch.column(name)).to_pylist() for name in _JSON}
    columns |= {f"{name}_us": values(batch.column(name)) for name in ("time_start", "time_end")}
    size = batch.num_rows
    columns["day"] = [stamp // _DAY_US for stamp in columns["time_start_us"]]
    columns |= {"status": ["new"] * size, "created_us": [now_us] * size}
    columns["updated_us"] = [now_us] * size
    columns["revision"] = [
        known[key]["revision"] + 1 if key in known else 1 for key in columns["alert_id"]
    ]
    return columns


def _write_history(
    connection: Connection,
    columns: Mapping[str, Sequence[Any]],
    known: Mapping[str, Mapping[str, Any]],
    now_us: int,
) -> None:
    place: dict[str, Sequence[Any]] = {name: columns[name] for name in ("alert_id", "revision")}
    changes = []
    for row, key in enumerate(columns["alert_id"]):
        before = known.get(key)
        told = {name: [before[name], columns[name][row]] for name in _TOLD} if before else {}
        moved = {name: pair for name, pair in told.items() if pair[0] != pair[1]}
        changes.append(json.dumps(moved))
    size = len(changes)
    revisions: dict[str, Sequence[Any]] = {
        "changed_us": [now_us] * size,
        "author": [_AUTHOR] * size,
        "changes": changes,
    }
    write_columns(connection, alert_revision, {**place, **revisions})
    write_columns(connection, occurrence, {**place, **{name: columns[name] for name in _SEEN}})


def _keys(alerts: pa.Table) -> list[list[tuple[str, str | None]]]:
    keys: list[list[tuple[str, str | None]]] = alerts.column("fingerprint_key").to_pylist()
    return keys


def _refuse(ids: pa.Array, rows: pa.Array, what: str) -> None:
    wrong = ids.filter(rows)
    if len(wrong):
        raise StoreError(f"alert {wrong[0].as_py()!r} {what}, {len(wrong)} alerts in all")
