from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, text

from secad.base.database import SCHEMA_VERSION, writing
from secad.base.ledger_tables import source
from secad.triage.checks import Finding
from secad.triage.store import AlertStore

Maker = Callable[..., pa.Table]
AlertMaker = Callable[..., dict[str, Any]]


def wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.state != "ok"]


def read(path: str, offset: int, length: int) -> bytes | None:
    """The log that ``one_alert`` takes its evidence from."""
    record = f"record {offset // 100}".encode()
    return record if len(record) == length else None


def gone(path: str, offset: int, length: int) -> bytes | None:
    return None


def test_whole_store_says_so(store: AlertStore, make_alerts: Maker, alert: AlertMaker) -> None:
    store.upsert(make_alerts(alert(1), alert(2)))
    assert store.check(read) == [
        Finding("schema", "ok", f"schema version {SCHEMA_VERSION}, {SCHEMA_VERSION} expected"),
        Finding("database", "ok", "every page and every reference is whole"),
        Finding("alerts", "ok", "2 alerts, each with evidence"),
        Finding("evidence", "ok", "2 evidence records of 1 sources match"),
    ]


def test_empty_store_is_whole(store: AlertStore) -> None:
    assert not wrong(store.check(read))


def test_source_that_is_gone_is_rotated(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1), alert(2)))
    found = wrong(store.check(gone))
    assert [(one.check, one.state, one.at) for one in found] == [
        ("evidence", "rotated", "/var/log/auth.log:2")
    ]
    assert found[0].message.startswith("2 of 2 evidence records can no longer be read")
    assert found[0].alert_id == alert(1)["alert_id"]


def test_changed_bytes_are_told_with_their_line(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1), alert(2), alert(3)))

    def forged(path: str, offset: int, length: int) -> bytes | None:
        return b"recorD 2" if offset == 200 else read(path, offset, length)

    assert wrong(store.check(forged)) == [
        Finding(
            "evidence",
            "changed",
            "1 of 3 evidence records hold other bytes than when they were ingested: the source "
            "was edited, or has rotated and was not ingested since",
            "/var/log/auth.log:3",
            alert(2)["alert_id"],
        )
    ]


def test_source_that_was_renamed_is_read_where_it_lies_now(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1)))
    counts = dict.fromkeys(("lines", "events", "rejects", "joined", "skipped", "tail_bytes"), 0)
    words = {"first_record_sha256": "", "tail_sha256": "", "format": "syslog", "offset": 0}
    seen = {"source_id": "0" * 20, "path": "/var/log/auth.log.1"}
    with writing(engine).begin() as connection:
        connection.execute(source.insert().values(**counts, **words, **seen))

    def moved(path: str, offset: int, length: int) -> bytes | None:
        return read(path, offset, length) if path == "/var/log/auth.log.1" else None

    assert not wrong(store.check(moved))


def test_evidence_without_a_place_or_hash_cannot_be_read(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    record = alert(1)["evidence"][0]
    nowhere = dict.fromkeys(record)
    store.upsert(make_alerts(alert(1, evidence=[{**record, "sha256": None}, nowhere])))
    assert [finding.state for finding in wrong(store.check(read))] == ["rotated", "rotated"]


def test_alert_without_evidence_is_damaged(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1), alert(2, evidence=[])))
    assert wrong(store.check(read)) == [
        Finding(
            "alerts", "damaged", "1 of 2 alerts have no evidence", alert_id=alert(2)["alert_id"]
        )
    ]


def test_broken_reference_and_other_schema_are_damaged(store: AlertStore, engine: Engine) -> None:
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")
        connection.execute(text("INSERT INTO evidence (alert_id, position) VALUES ('gone', 0)"))
        connection.commit()
        raw.execute("PRAGMA foreign_keys=ON")
    states = [(finding.check, finding.state) for finding in wrong(store.check(read))]
    assert states == [("schema", "damaged"), ("database", "damaged"), ("evidence", "rotated")]
