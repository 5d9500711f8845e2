"""Alerts and their evidence out of the store, as Arrow tables in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, ColumnElement, Connection, Table, func, or_, select

from secad.base.alert_tables import STATUSES, alert, alert_entity, evidence, incident_alert
from secad.base.errors import ConfigError
from secad.base.schemas import ALERTS, TIME
from secad.triage.columns import fetch, grouped, times, to_us

STORED = pa.schema(
    [
        *ALERTS,
        pa.field("status", pa.string(), nullable=False),
        pa.field("revision", pa.int64(), nullable=False),  # from 1
        pa.field("created_time", TIME, nullable=False),
        pa.field("updated_time", TIME, nullable=False),
        pa.field("incident_id", pa.string()),
    ]
)
"""ALERTS rows as the store keeps them, with where the work on them stands."""

EVIDENCE = pa.schema(
    [
        pa.field("alert_id", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),  # from 0, the strongest first
        *ALERTS.field("evidence").type.value_type,
    ]
)
"""One row per alert and evidence record."""

_LISTS = {"entities": alert_entity, "evidence": evidence}
_CANDIDATES = 5


@dataclass(frozen=True, kw_only=True)
class AlertFilter:
    """Which alerts; what is None does not narrow.

    Args:
        time_from: aware; the episode lasts until then or longer.
        time_to: aware; the episode starts before.
        detector: the model's name.
        min_severity: OCSF number, 1 to 6.
        status: one of ``secad.base.alert_tables.STATUSES``.
        host: value of an entity of type host, in any case of letters.
        entity: value of an entity of any type, in any case of letters.
        text: stands in the reason or in an entity's value, in any case of letters.
    """

    time_from: datetime | None = None
    time_to: datetime | None = None
    detector: str | None = None
    min_severity: int | None = None
    status: str | None = None
    host: str | None = None
    entity: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        """Refuses a status that there is not.

        Raises:
            ConfigError: with the ones that there are.
        """
        if self.status not in (None, *STATUSES):
            raise ConfigError(
                f"status {self.status!r} is not known, known are {', '.join(STATUSES)}"
            )

    def conditions(self) -> list[ColumnElement[bool]]:
        """Returns what an alert must meet, as SQL."""
        found: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (self.time_from, lambda time: alert.c.time_end_us >= to_us(time)),
            (self.time_to, lambda time: alert.c.time_start_us < to_us(time)),
            (self.detector, lambda name: alert.c.detector == name),
            (self.min_severity, lambda number: alert.c.severity >= number),
            (self.status, lambda word: alert.c.status == word),
            (self.host, lambda name: _has_entity(name, alert_entity.c.type == "host")),
            (self.entity, _has_entity),
            (self.text, _mentions),
        ]
        return [condition(value) for value, condition in found if value is not None]


def read_alerts(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], limit: int | None = None
) -> pa.Table:
    """Returns STORED rows, the latest first.

    Args:
        connection: inside one transaction, so that all of an alert is of one moment.
        conditions: which alerts.
        limit: at most that many.
    """
    query = (
        select(*alert.columns, incident_alert.c.incident_id)
        .outerjoin(incident_alert, incident_alert.c.alert_id == alert.c.alert_id)
        .where(*conditions)
        .order_by(alert.c.time_start_us.desc(), alert.c.alert_id)
        .limit(limit)
    )
    found = fetch(connection, query)
    ids = found["alert_id"]
    columns = [
        _child_lists(connection, _LISTS[field.name], ids, field.type)
        if field.name in _LISTS
        else column_of(found, field)
        for field in STORED
    ]
    return pa.Table.from_arrays(columns, schema=STORED)


def read_evidence(connection: Connection, ids: Sequence[str] | None) -> pa.Table:
    """Returns EVIDENCE rows of the alerts with these ids, or of all, sorted by alert and place."""
    query = select(evidence).order_by(evidence.c.alert_id, evidence.c.position)
    if ids is None:
        found = fetch(connection, query)
    else:
        found = fetch(connection, query, evidence.c.alert_id, sorted(set(ids)))
    return pa.Table.from_arrays([column_of(found, field) for field in EVIDENCE], schema=EVIDENCE)


def child_rows(
    connection: Connection, columns: Sequence[Column[Any]], ids: Sequence[str]
) -> dict[str, list[Any]]:
    """Returns columns of the rows that alerts own in one table, with ``alert_id``, in order.

    Args:
        connection: the store.
        columns: of one table that has ``alert_id`` and ``position``.
        ids: the alerts.
    """
    owner, position = (columns[0].table.c[name] for name in ("alert_id", "position"))
    query = select(owner, *columns).order_by(owner, position)
    return fetch(connection, query, owner, ids)


def entity_lists(connection: Connection, ids: Sequence[str]) -> pa.ListArray:
    """Returns (N,) lists of entities, as in ALERTS, of the alerts with these ids."""
    return _child_lists(connection, alert_entity, ids, ALERTS.field("entities").type)


def column_of(found: Mapping[str, Sequence[Any]], field: pa.Field) -> pa.Array:
    """Returns one column of Arrow from the fetched columns of SQL, its JSON and times read."""
    stored = found[_sql_name(field)]
    if field.type == TIME:
        return times(stored)
    if pa.types.is_map(field.type):
        return pa.array([list(json.loads(text).items()) for text in stored], field.type)
    if pa.types.is_list(field.type):
        return pa.array([json.loads(text) for text in stored], field.type)
    return pa.array(stored, field.type)


def resolve(connection: Connection, column: Column[str], prefix: str, noun: str) -> str:
    """Returns the one id that is ``prefix`` or alone starts with it.

    Args:
        connection: the store.
        column: of ids.
        prefix: one letter at least.
        noun: what has such ids, for the message.

    Raises:
        ConfigError: none starts with it, or more than one.
    """
    query = select(column).where(column.startswith(prefix, autoescape=True)).order_by(column)
    found = connection.scalars(query.limit(_CANDIDATES + 1)).all() if prefix else []
    if prefix in found or len(found) == 1:
        return prefix if prefix in found else found[0]
    if not found:
        raise ConfigError(
            f"no {noun} has an id that starts with {prefix!r}", hint=f"secad {noun}s list shows all"
        )
    more = ", ..." if len(found) > _CANDIDATES else ""
    raise ConfigError(
        f"{prefix!r} names no single {noun}, it could be {', '.join(found[:_CANDIDATES])}{more}",
        hint="add letters of the id",
    )


def _has_entity(value: str, *narrower: ColumnElement[bool]) -> ColumnElement[bool]:
    same = func.lower(alert_entity.c.value) == func.lower(value)
    return alert.c.alert_id.in_(select(alert_entity.c.alert_id).where(same, *narrower))


def _mentions(text: str) -> ColumnElement[bool]:
    values = select(alert_entity.c.alert_id).where(
        alert_entity.c.value.icontains(text, autoescape=True)
    )
    return or_(alert.c.reason.icontains(text, autoescape=True), alert.c.alert_id.in_(values))


def _child_lists(
    connection: Connection, table: Table, ids: Sequence[str], kind: pa.ListType
) -> pa.ListArray:
    fields = list(kind.value_type)
    found = child_rows(connection, [table.c[_sql_name(field)] for field in fields], ids)
    arrays = [column_of(found, field) for field in fields]
    items = pa.StructArray.from_arrays(arrays, fields=fields)
    return grouped(ids, found["alert_id"], items).cast(kind)


def _sql_name(field: pa.Field) -> str:
    if field.type != TIME:
        return str(field.name)
    return f"{field.name.removesuffix('_time')}_us"  # created_time is created_us
