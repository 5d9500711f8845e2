"""The unified alert store: one row per fingerprint and episode, from every detector.

Rows of ALERTS enter and stay; they leave as Arrow tables in a fixed order. A write is one
transaction, a read sees one moment of the store, and reading goes on while another process
writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pyarrow as pa
from sqlalchemy import Engine, func, select

from secad.base.alert_tables import alert
from secad.base.database import writing
from secad.base.schemas import ALERTS, conform
from secad.triage.checks import Finding, ReadRecord, check_store
from secad.triage.columns import fetch, to_us
from secad.triage.ranking import read_ranked
from secad.triage.reading import (
    AlertFilter,
    column_of,
    read_alerts,
    read_evidence,
    resolve,
)
from secad.triage.writing import UpsertCount, check_alerts, write_alerts

COUNTS = pa.schema(
    [
        pa.field("detector", pa.string(), nullable=False),
        pa.field("severity", pa.int8(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("alerts", pa.int64(), nullable=False),
    ]
)
"""How many alerts there are of each detector, severity and status."""

_ALL = AlertFilter()


def _now() -> datetime:
    return datetime.now(UTC)


class AlertStore:
    """The alerts of one database.

    Args:
        engine: of ``secad.base.database.open_database``.
        clock: tells the time for the alerts' history.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = _now) -> None:
        self._engine = engine
        self._clock = clock

    def upsert(self, alerts: pa.Table) -> UpsertCount:
        """Keeps alerts: new ones are added, changed ones get a new revision, all in one step.

        The workflow status of an alert that is there already stays as it is, and the same
        rows again change nothing.

        Args:
            alerts: rows of ALERTS, each alert once.

        Raises:
            SchemaError: the table is not one of ALERTS.
            StoreError: a row cannot be kept; nothing is written then.
            BusyError: another process kept the write lock too long.
        """
        rows = conform(alerts, ALERTS, room="the alert store")
        check_alerts(rows)
        with writing(self._engine).begin() as connection:
            return write_alerts(connection, rows, to_us(self._clock()))

    def alerts(self, where: AlertFilter = _ALL, *, limit: int | None = None) -> pa.Table:
        """Returns STORED rows, the latest episode first.

        Args:
            where: which alerts.
            limit: at most that many.
        """
        with self._engine.begin() as connection:
            return read_alerts(connection, where.conditions(), limit)

    def resolve(self, prefix: str) -> str:
        """Returns the id of the one alert whose id starts with ``prefix``.

        Raises:
            ConfigError: there is none, or more than one; the message names them.
        """
        with self._engine.begin() as connection:
            return resolve(connection, alert.c.alert_id, prefix, "alert")

    def find(self, prefix: str) -> pa.Table:
        """Returns the STORED row of the one alert whose id starts with ``prefix``.

        Raises:
            ConfigError: there is none, or more than one; the message names them.
        """
        with self._engine.begin() as connection:
            alert_id = resolve(connection, alert.c.alert_id, prefix, "alert")
            return read_alerts(connection, [alert.c.alert_id == alert_id])

    def evidence(self, ids: Sequence[str] | None = None) -> pa.Table:
        """Returns EVIDENCE rows, sorted by alert, the strongest first.

        Args:
            ids: whole ids of alerts; None for all.
        """
        with self._engine.begin() as connection:
            return read_evidence(connection, ids)

    def counts(self) -> pa.Table:
        """Returns COUNTS rows, sorted by detector, severity and status."""
        key = (alert.c.detector, alert.c.severity, alert.c.status)
        query = select(*key, func.count().label("alerts")).group_by(*key).order_by(*key)
        with self._engine.begin() as connection:
            found = fetch(connection, query)
        return pa.Table.from_arrays([column_of(found, field) for field in COUNTS], schema=COUNTS)

    def rank(
        self,
        top: int | None = None,
        budget: int | None = None,
        time_from: datetime | None = None,
        time_to: datetime | None = None,
    ) -> pa.Table:
        """Returns RANKED rows of the alerts that are neither closed nor suppressed.

        Args:
            top: at most that many.
            budget: at most that many of each UTC day, by the episode's start.
            time_from: aware; the episode lasts until then or longer.
            time_to: aware; the episode starts before.
        """
        conditions = AlertFilter(time_from=time_from, time_to=time_to).conditions()
        with self._engine.begin() as connection:
            return read_ranked(connection, conditions, top=top, budget=budget)

    def check(self, read_record: ReadRecord) -> list[Finding]:
        """Returns what holds and what does not in the store and in its evidence.

        Args:
            read_record: (path, byte_offset, byte_length) -> the record's bytes as the source
                holds them now, None where it is gone or shorter; the path is where the source
                was seen last.
        """
        return check_store(self._engine, read_record)
