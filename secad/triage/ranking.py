"""Which stored alerts to read first: by severity, then by calibrated score.

The order is severity, the highest first; p-value, the smallest first; raw score, the highest
first; alert id. Two indices hold it, over all alerts and within each day. An alert of another tool
has no p-value: it stands where its tool's severity puts it, behind ours of the same severity, and
counts as if p were 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select, func, select

from secad.base.alert_tables import RANK, alert, evidence, incident_alert
from secad.base.schemas import ALERTS, EVENT_ID
from secad.triage.columns import fetch, grouped
from secad.triage.reading import child_rows, column_of, entity_lists

OPEN_STATUSES = ("new", "acknowledged", "in_progress")

RANKED = pa.schema(
    [
        pa.field("rank", pa.int64(), nullable=False),  # from 1
        ALERTS.field("alert_id"),
        pa.field("rank_score", pa.float64(), nullable=False),  # 1000 * severity - log10(p_value)
        *(ALERTS.field(name) for name in ("score", "p_value", "severity", "detector")),
        *(ALERTS.field(name) for name in ("time_start", "time_end", "count", "reason")),
        *(ALERTS.field(name) for name in ("entities", "techniques")),
        pa.field("incident_id", pa.string()),
        pa.field(
            "event_ids", pa.list_(EVENT_ID), nullable=False
        ),  # the evidence's, strongest first
    ]
)
"""One row per alert, the first to read first."""

_SMALLEST_P = 5e-324  # a p-value of 0 ranks like the smallest number above it


def read_ranked(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    top: int | None,
    budget: int | None,
) -> pa.Table:
    """Returns RANKED rows of the alerts that are still open.

    Args:
        connection: inside one transaction, so that all of an alert is of one moment.
        conditions: which alerts.
        top: at most that many.
        budget: at most that many of each UTC day, by the episode's start.
    """
    met = [alert.c.status.in_(OPEN_STATUSES), *conditions]
    if budget is not None:
        met = [alert.c.alert_id.in_(_within_budget(met, budget))]
    plain = [field.name for field in RANKED if field.name in alert.c]
    columns = [*(alert.c[name] for name in plain), alert.c.time_start_us, alert.c.time_end_us]
    query = (
        select(*columns, incident_alert.c.incident_id)
        .outerjoin(incident_alert, incident_alert.c.alert_id == alert.c.alert_id)
        .where(*met)
        .order_by(*RANK)
        .limit(top)
    )
    found = fetch(connection, query)
    ids = found["alert_id"]
    arrays = {
        "rank": pa.array(range(1, len(ids) + 1), pa.int64()),
        "rank_score": pa.array(_rank_scores(found["severity"], found["p_value"])),
        "entities": entity_lists(connection, ids),
        "event_ids": _event_ids(connection, ids),
    }
    return pa.Table.from_arrays(
        [
            arrays[field.name] if field.name in arrays else column_of(found, field)
            for field in RANKED
        ],
        schema=RANKED,
    )


def _within_budget(conditions: list[ColumnElement[bool]], budget: int) -> Select[tuple[str]]:
    place = func.row_number().over(partition_by=alert.c.day, order_by=RANK).label("place")
    placed = select(alert.c.alert_id, place).where(*conditions).subquery()
    return select(placed.c.alert_id).where(placed.c.place <= budget)


def _rank_scores(severity: Sequence[int], p_value: Sequence[float | None]) -> np.ndarray:
    known = np.array([1.0 if p is None else p for p in p_value], dtype=np.float64)
    surprise = -np.log10(np.maximum(known, _SMALLEST_P)) + 0.0
    return 1000.0 * np.array(severity, dtype=np.float64) + surprise


def _event_ids(connection: Connection, ids: Sequence[str]) -> pa.ListArray:
    found = child_rows(connection, [evidence.c.event_id], ids)
    pairs = [
        pair
        for pair in zip(found["alert_id"], found["event_id"], strict=True)
        if pair[1] is not None
    ]
    owners = [owner for owner, _ in pairs]
    return grouped(ids, owners, pa.array([event_id for _, event_id in pairs], EVENT_ID))
