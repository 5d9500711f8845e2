"""Findings that go on: what is stored of them, and those that another takes over, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
from sqlalchemy import Connection, bindparam, delete, update

from secad.base.alert_tables import (
    alert,
    alert_entity,
    alert_revision,
    evidence,
    incident_alert,
    occurrence,
    outbox,
    verdict,
)
from secad.triage.reading import STORED, read_alerts

_PORTION = 900  # below the 999 values that older SQLite takes in one statement


def known_findings(
    connection: Connection, fingerprints: Sequence[str], first_us: int, last_us: int
) -> pa.Table:
    """Returns STORED rows of alerts with one of the fingerprints that touch a span of time.

    Args:
        connection: inside one transaction.
        fingerprints: any number of them.
        first_us: microseconds; an alert that ends before is left out.
        last_us: microseconds; an alert that starts later is left out.
    """
    found = [STORED.empty_table()]
    touching = [alert.c.time_end_us >= first_us, alert.c.time_start_us <= last_us]
    for start in range(0, len(fingerprints), _PORTION):
        portion = alert.c.fingerprint.in_(fingerprints[start : start + _PORTION])
        found.append(read_alerts(connection, [portion, *touching]))
    return pa.concat_tables(found).combine_chunks()


def remove_alerts(connection: Connection, taken_over: Mapping[str, str | None]) -> None:
    """Removes alerts; what analysts said of one goes to the alert that it became a part of.

    Args:
        connection: inside a transaction that writes; the alerts that take over must be in it.
        taken_over: id -> id of the alert that it became a part of, None where it never was one.
    """
    if not taken_over:
        return
    ids = [{"gone": key} for key in taken_over]
    heirs = [{"gone": key, "heir": heir} for key, heir in taken_over.items() if heir]
    if heirs:
        moved = update(verdict).where(verdict.c.alert_id == bindparam("gone"))
        connection.execute(moved.values(alert_id=bindparam("heir")), heirs)
    for table in (
        *(verdict, incident_alert, outbox, alert_entity, evidence, occurrence, alert_revision),
        alert,
    ):
        connection.execute(delete(table).where(table.c.alert_id == bindparam("gone")), ids)
