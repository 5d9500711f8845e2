"""Whether the alert store agrees with itself and with the sources that its evidence points to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, exists, func, select

from secad.base.alert_tables import alert, evidence
from secad.base.database import SCHEMA_VERSION, damages, schema_version
from secad.base.errors import StoreError
from secad.base.ledger_tables import source

ReadRecord = Callable[[str, int, int], bytes | None]
State = Literal["ok", "rotated", "changed", "damaged"]

_PORTION = 10_000


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Args:
        check: what was looked at: ``schema``, ``database``, ``alerts`` or ``evidence``.
        state: ``ok``; ``rotated``, where a source has gone; ``changed``, where a source holds
            other bytes than it did; ``damaged``, where the store itself is not whole.
        message: what was found, with its number.
        at: the source and the line of the first one, where there is one.
        alert_id: an alert that it concerns.
    """

    check: str
    state: State
    message: str
    at: str | None = None
    alert_id: str | None = None


_WRONG: dict[State, str] = {
    "rotated": "can no longer be read: the source has rotated away or is shorter",
    "changed": "hold other bytes than when they were ingested: the source was edited, or has "
    "rotated and was not ingested since",
}


def check_store(engine: Engine, read_record: ReadRecord) -> list[Finding]:
    """Returns findings in a fixed order: the store's own, then one or more per source.

    Args:
        engine: of the store.
        read_record: (path, byte_offset, byte_length) -> bytes, None where gone; the path is
            where the source was seen last.
    """
    findings = [_schema(engine), *_database(engine)]
    try:
        with engine.begin() as connection:
            findings += _unproved(connection)
            findings += _evidence(connection, read_record)
    except StoreError as error:  # a damaged page came up, which the findings tell of
        findings.append(Finding("evidence", "damaged", error.message))
    return findings


def _schema(engine: Engine) -> Finding:
    version = schema_version(engine)
    state: State = "ok" if version == SCHEMA_VERSION else "damaged"
    return Finding("schema", state, f"schema version {version}, {SCHEMA_VERSION} expected")


def _database(engine: Engine) -> Iterator[Finding]:
    found = damages(engine)
    for damage in found:
        yield Finding("database", "damaged", damage)
    if not found:
        yield Finding("database", "ok", "every page and every reference is whole")


def _unproved(connection: Connection) -> Iterator[Finding]:
    bare = ~exists().where(evidence.c.alert_id == alert.c.alert_id)
    ids = connection.scalars(select(alert.c.alert_id).where(bare).order_by(alert.c.alert_id)).all()
    total = connection.scalar(select(func.count()).select_from(alert))
    if ids:
        message = f"{len(ids)} of {total} alerts have no evidence"
        yield Finding("alerts", "damaged", message, alert_id=ids[0])
    else:
        yield Finding("alerts", "ok", f"{total} alerts, each with evidence")


def _evidence(connection: Connection, read_record: ReadRecord) -> Iterator[Finding]:
    names = ("byte_offset", "byte_length", "sha256", "line", "alert_id")
    path = func.coalesce(source.c.path, evidence.c.source_path).label("path")  # may have moved
    columns = [path, *(evidence.c[name] for name in names)]
    query = (
        select(*columns)
        .outerjoin_from(evidence, source, source.c.source_id == evidence.c.source_id)
        .order_by(*columns)
        .execution_options(yield_per=_PORTION)
    )
    good = sources = 0
    for place, rows in groupby(connection.execute(query), key=lambda row: row.path):
        counts: Counter[State] = Counter()
        firsts: dict[State, Row[Any]] = {}
        for row in rows:  # by offset, so that a packed source is read once from its start
            state = _state(row, read_record)
            counts[state] += 1
            firsts.setdefault(state, row)
        good += counts["ok"]
        sources += 1
        for state, what in _WRONG.items():
            if state in firsts:
                message = f"{counts[state]} of {counts.total()} evidence records {what}"
                first = firsts[state]
                yield Finding("evidence", state, message, f"{place}:{first.line}", first.alert_id)
    yield Finding("evidence", "ok", f"{good} evidence records of {sources} sources match")


def _state(row: Row[Any], read_record: ReadRecord) -> State:
    if None in (row.path, row.byte_offset, row.byte_length, row.sha256):
        return "rotated"
    raw = read_record(row.path, row.byte_offset, row.byte_length)
    if raw is None:
        return "rotated"
    return "ok" if hashlib.sha256(raw).hexdigest() == row.sha256 else "changed"
