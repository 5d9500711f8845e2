from __future__ import annotations

import json
import math
import multiprocessing
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from secad.base.database import FILE_NAME, open_database, writing
from secad.base.errors import ConfigError, SchemaError, StoreError
from secad.base.schemas import ALERTS
from secad.triage.reading import AlertFilter
from secad.triage.store import AlertStore
from secad.triage.writing import UpsertCount

Row = dict[str, Any]
Maker = Callable[..., pa.Table]
AlertMaker = Callable[..., Row]
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def rows_of(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("alert", "alert_revision", "occurrence", "evidence", "alert_entity")
    return {table: rows_of(engine, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}


def ids(table: pa.Table) -> list[str]:
    return list(table.column("alert_id").to_pylist())


def test_what_is_kept_comes_back(store: AlertStore, make_alerts: Maker, alert: AlertMaker) -> None:
    kept = make_alerts(alert(1), alert(2, model_id=None, badges=[], techniques=[], explanation=[]))
    assert store.upsert(kept) == UpsertCount(new=2, updated=0, unchanged=0)
    found = store.alerts().sort_by("time_start")
    assert found.select(ALERTS.names).equals(kept)
    assert found.column("status").to_pylist() == ["new", "new"]
    assert found.column("revision").to_pylist() == [1, 1]
    assert found.column("incident_id").to_pylist() == [None, None]


def test_same_rows_again_change_nothing(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    kept = make_alerts(*(alert(number) for number in range(5)))
    store.upsert(kept)
    before = contents(engine)
    reversed_rows = kept.take(list(range(4, -1, -1)))
    assert store.upsert(reversed_rows) == UpsertCount(new=0, updated=0, unchanged=5)
    assert contents(engine) == before


def test_grown_episode_is_updated_with_a_revision(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    first = alert(1)
    store.upsert(make_alerts(first, alert(2)))
    later = first["time_end"] + timedelta(minutes=9)
    second = {**first["evidence"][0], "line": 77}
    grown = first | {"count": 5, "time_end": later, "score": 6.5}
    grown |= {"evidence": [second, *first["evidence"]]}
    assert store.upsert(make_alerts(grown, alert(2))) == UpsertCount(0, 1, 1)
    found = store.find(first["alert_id"])
    assert found.select(ALERTS.names).equals(make_alerts(grown))
    assert found.column("revision").to_pylist() == [2]
    changes = rows_of(
        engine,
        "SELECT revision, author, changes FROM alert_revision "
        f"WHERE alert_id = '{first['alert_id']}' ORDER BY revision",
    )
    assert [(revision, author) for revision, author, _ in changes] == [(1, "secad"), (2, "secad")]
    assert json.loads(changes[0][2]) == {}
    told = json.loads(changes[1][2])
    assert told["count"] == [2, 5]
    assert told["score"] == [4.5, 6.5]
    assert set(told) == {"count", "score", "time_end_us", "digest"}
    assert rows_of(
        engine,
        "SELECT revision, count, score FROM occurrence "
        f"WHERE alert_id = '{first['alert_id']}' ORDER BY revision",
    ) == [(1, 2, 4.5), (2, 5, 6.5)]


def test_new_words_alone_are_a_revision(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1)))
    assert store.upsert(make_alerts(alert(1, techniques=["T1110"]))).updated == 1
    assert store.alerts().column("techniques").to_pylist() == [["T1110"]]


def test_growth_keeps_the_work_on_an_alert(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1)))
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alert SET status = 'closed', created_us = 7"))
    store.upsert(make_alerts(alert(1, count=9)))
    assert rows_of(engine, "SELECT status, created_us, count FROM alert") == [("closed", 7, 9)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fingerprint_key": [("user_name", None)]}, "has a fingerprint whose key is all null"),
        ({"fingerprint_key": []}, "has a fingerprint whose key is all null"),
        ({"score": math.nan}, "has a score that is not a number"),
        ({"p_value": math.nan}, "has a p_value that is not a number"),
        ({"severity": 0}, "has a severity outside 1 to 6"),
        ({"severity": 7}, "has a severity outside 1 to 6"),
        ({"alert_id": "twice"}, "alert 'twice' stands more than once"),
    ],
)
def test_rows_that_cannot_be_kept_are_refused_whole(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker, changes: Row, message: str
) -> None:
    with pytest.raises(StoreError, match=message):
        store.upsert(make_alerts(alert(1, alert_id="twice"), alert(2, **changes)))
    assert store.alerts().num_rows == 0


def test_other_tables_are_refused_at_the_door(store: AlertStore) -> None:
    with pytest.raises(SchemaError, match="the alert store needs column 'alert_id'"):
        store.upsert(pa.table({"a": [1]}))


def test_no_alerts_are_no_work(store: AlertStore, make_alerts: Maker) -> None:
    assert store.upsert(make_alerts()) == UpsertCount(0, 0, 0)
    assert store.alerts().num_rows == store.evidence().num_rows == store.counts().num_rows == 0
    assert store.rank().num_rows == 0


word = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    | st.sampled_from("\x1b\"\\'%_"),
    max_size=6,
)
number = st.floats(allow_nan=False, allow_infinity=False)
big = st.integers(-(2**63), 2**63 - 1)
moment = st.datetimes(datetime(1700, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))
rows = st.fixed_dictionaries(
    {
        "alert_id": st.text(string.hexdigits, min_size=1, max_size=3),
        "fingerprint": word,
        "fingerprint_key": st.dictionaries(word, word, min_size=1, max_size=2).map(
            lambda key: list(key.items())
        ),
        "detector": word,
        "model_id": st.none() | word,
        "dataset": word,
        "view": word,
        "time_start": moment,
        "time_end": moment,
        "count": big,
        "severity": st.integers(1, 6),
        "score": number | st.sampled_from([math.inf, -math.inf]),
        "p_value": number,
        "p_extrapolated": st.booleans(),
        "reason": word,
        "badges": st.lists(st.none() | word, max_size=2),
        "entities": st.lists(
            st.fixed_dictionaries(
                {"type": st.none() | word, "value": st.none() | word, "role": st.none() | word}
            ),
            max_size=2,
        ),
        "techniques": st.lists(word, max_size=2),
        "explanation": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.none() | word,
                    "value": st.none() | word,
                    "expected": st.none() | word,
                    "weight": st.none() | number,
                }
            ),
            max_size=2,
        ),
        "evidence": st.lists(
            st.fixed_dictionaries(
                {
                    "event_id": st.none() | st.binary(min_size=16, max_size=16),
                    "time": st.none() | moment,
                    "source_id": st.none() | word,
                    "source_path": st.none() | word,
                    "line": st.none() | big,
                    "byte_offset": st.none() | big,
                    "byte_length": st.none() | big,
                    "sha256": st.none() | word,
                    "contribution": st.none() | number,
                }
            ),
            max_size=3,
        ),
    }
)
tables = st.lists(rows, max_size=4, unique_by=lambda row: row["alert_id"]).map(
    lambda made: pa.Table.from_pylist(made, schema=ALERTS)
)


@settings(max_examples=25, deadline=None)
@given(tables, tables)
def test_any_alerts_come_back_and_the_last_word_holds(first: pa.Table, second: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder))
        store = AlertStore(engine)
        store.upsert(first)
        assert store.upsert(first) == UpsertCount(0, 0, first.num_rows)
        count = store.upsert(second)
        found = store.alerts()
        engine.dispose()
    assert count.new + count.updated + count.unchanged == second.num_rows
    last = {row["alert_id"]: row for table in (first, second) for row in table.to_pylist()}
    assert {row["alert_id"]: row for row in found.select(ALERTS.names).to_pylist()} == last


def test_filters_narrow(store: AlertStore, make_alerts: Maker, alert: AlertMaker) -> None:
    address = [{"type": "ip", "value": "10.0.0.1", "role": "source_ip"}]
    rare = alert(3, detector="rarity", severity=5, reason="100%_odd", entities=address)
    store.upsert(make_alerts(alert(1), alert(2), rare))
    numbers = {row["alert_id"]: number for number, row in enumerate([alert(1), alert(2), rare], 1)}

    def found(**narrow: Any) -> list[int]:
        return [numbers[key] for key in ids(store.alerts(AlertFilter(**narrow)))]

    assert found() == [3, 2, 1]  # the latest first
    assert found(detector="rarity") == [3]
    assert found(min_severity=3) == [3, 2, 1]
    assert found(min_severity=4) == [3]
    assert found(host="ws1.EXAMPLE.org") == [2, 1]
    assert found(host="10.0.0.1") == []
    assert found(entity="10.0.0.1") == [3]
    assert found(entity="USER2") == [2]
    assert found(text="has NEVER") == [2, 1]
    assert found(text="0.0.0") == [3]
    assert found(text="0%_o") == [3]
    assert found(text="%") == [3]  # no wildcard
    assert found(status="new", detector="ape") == [2, 1]
    assert found(status="closed") == []


def test_time_filter_takes_episodes_that_overlap(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1)))  # 01:00 to 01:05
    start, end = DAY + timedelta(hours=1), DAY + timedelta(hours=1, minutes=5)
    tick = timedelta(microseconds=1)
    for found, narrow in [
        (1, {"time_from": end}),
        (0, {"time_from": end + tick}),
        (0, {"time_to": start}),
        (1, {"time_to": start + tick}),
        (1, {"time_from": start + tick, "time_to": end - tick}),
    ]:
        assert store.alerts(AlertFilter(**narrow)).num_rows == found
        assert store.rank(**narrow).num_rows == found


def test_filters_that_make_no_sense_are_config_errors(store: AlertStore) -> None:
    with pytest.raises(ConfigError, match="status 'open' is not known, known are new, acknowl"):
        AlertFilter(status="open")
    with pytest.raises(ConfigError, match="time '2026-03-01T00:00:00' has no zone"):
        store.rank(time_from=DAY.replace(tzinfo=None))


def test_limit_keeps_the_latest(store: AlertStore, make_alerts: Maker, alert: AlertMaker) -> None:
    store.upsert(make_alerts(*(alert(number) for number in range(5))))
    assert ids(store.alerts(limit=2)) == [alert(4)["alert_id"], alert(3)["alert_id"]]


def test_equal_times_are_ordered_by_id(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    same = alert(0)["time_start"]
    store.upsert(make_alerts(*(alert(number, time_start=same) for number in range(9))))
    assert ids(store.alerts()) == sorted(ids(store.alerts()))


def test_find_takes_a_whole_id_or_a_start_of_one(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    made = [
        alert(number, alert_id=name) for number, name in enumerate(["ab12", "ab13", "ab1", "c"])
    ]
    store.upsert(make_alerts(*made))
    assert ids(store.find("c")) == ["c"]
    assert store.resolve("ab12") == "ab12"
    assert store.resolve("ab1") == "ab1"  # a whole id, though others go on
    with pytest.raises(
        ConfigError, match="'ab' names no single alert, it could be ab1, ab12, ab13;"
    ):
        store.find("ab")
    for absent in ("z", "", "%", "_b12"):
        with pytest.raises(ConfigError, match=f"no alert has an id that starts with '{absent}'"):
            store.resolve(absent)


def test_find_names_a_few_of_many_candidates(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(*(alert(number, alert_id=f"a{number}") for number in range(9))))
    with pytest.raises(ConfigError, match=r"it could be a0, a1, a2, a3, a4, \.\.\.;"):
        store.resolve("a")


def test_evidence_is_sorted_by_alert_and_strength(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    record = alert(0)["evidence"][0]
    lines = [{**record, "line": line} for line in (9, 3, 5)]
    store.upsert(make_alerts(alert(1, alert_id="b", evidence=lines), alert(2, alert_id="a")))
    found = store.evidence()
    assert ids(found) == ["a", "b", "b", "b"]
    assert found.column("line").to_pylist() == [3, 9, 3, 5]
    assert found.column("position").to_pylist() == [0, 0, 1, 2]
    assert store.evidence(["b"]).equals(found.slice(1))
    assert store.evidence([]).num_rows == 0


def test_more_ids_than_a_statement_takes_are_read(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    kept = make_alerts(*(alert(number) for number in range(2_000)))
    store.upsert(kept)
    found = store.alerts().sort_by("time_start")
    assert found.select(ALERTS.names).equals(kept)
    assert store.evidence(ids(kept)).equals(store.evidence())
    assert store.upsert(kept).unchanged == 2_000


def test_counts_add_up(store: AlertStore, make_alerts: Maker, alert: AlertMaker) -> None:
    store.upsert(make_alerts(alert(1), alert(2), alert(3, severity=5), alert(4, detector="gid")))
    assert store.counts().to_pylist() == [
        {"detector": "ape", "severity": 3, "status": "new", "alerts": 2},
        {"detector": "ape", "severity": 5, "status": "new", "alerts": 1},
        {"detector": "gid", "severity": 3, "status": "new", "alerts": 1},
    ]


def _upsert_many(folder: str, kept: pa.Table) -> None:
    engine = open_database(Path(folder))
    for start in range(kept.num_rows):
        AlertStore(engine).upsert(kept.slice(start, 3))
    engine.dispose()


def test_processes_that_write_at_once_lose_and_double_nothing(
    engine: Engine, make_alerts: Maker, alert: AlertMaker, tmp_path: Path
) -> None:
    kept = make_alerts(*(alert(number) for number in range(12)))
    start = multiprocessing.get_context("spawn")
    writers = [
        start.Process(target=_upsert_many, args=(str(tmp_path / "store"), part))
        for part in (kept.slice(0, 9), kept.slice(3))
    ]
    for writer in writers:
        writer.start()
    store = AlertStore(engine)
    seen = 0
    while any(writer.is_alive() for writer in writers):
        found = store.alerts()  # reading goes on, and sees whole alerts
        assert all(len(row) == 1 for row in found.column("evidence").to_pylist())
        assert found.num_rows >= seen
        seen = found.num_rows
        writers[0].join(0.02)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert store.alerts().sort_by("time_start").select(ALERTS.names).equals(kept)
    assert rows_of(engine, "SELECT DISTINCT revision FROM alert_revision") == [(1,)]


_ENDLESS_UPSERTS = """
import sys
from pathlib import Path
import pyarrow as pa
import pyarrow.parquet as pq
from secad.base.database import open_database
from secad.triage.store import AlertStore
store = AlertStore(open_database(Path(sys.argv[1])))
kept = pq.read_table(sys.argv[2])
for count in range(1, 10**9):
    field = kept.schema.get_field_index("count")
    counts = pa.repeat(pa.scalar(count, pa.int64()), kept.num_rows)
    store.upsert(kept.set_column(field, kept.schema.field(field), counts))
    print(count, flush=True)
"""


def test_killed_upsert_leaves_every_alert_whole(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker, tmp_path: Path
) -> None:
    kept = make_alerts(*(alert(number) for number in range(50)))
    pq.write_table(kept, tmp_path / "alerts.parquet")
    command = [sys.executable, "-c", _ENDLESS_UPSERTS]
    command += [str(tmp_path / "store"), str(tmp_path / "alerts.parquet")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(3)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout]
    found = store.alerts().sort_by("time_start")
    counts = set(found.column("count").to_pylist())
    assert len(counts) == 1  # one upsert whole, not a part of one
    assert counts.pop() >= told[-1]  # and at least the last that was told as kept
    assert found.column("evidence").equals(kept.column("evidence"))
    assert found.column("revision").equals(found.column("count"))
    assert rows_of(engine, "SELECT count(*) FROM alert_revision") == [
        (sum(found.column("revision").to_pylist()),)
    ]


def test_damaged_pages_are_a_store_error(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker, tmp_path: Path
) -> None:
    store.upsert(make_alerts(*(alert(number) for number in range(500))))
    engine.dispose()
    path = tmp_path / "store" / FILE_NAME
    content = path.read_bytes()
    path.write_bytes(content[: 50 * 4096] + b"\xff" * (len(content) - 50 * 4096))
    with pytest.raises(
        StoreError, match="is not a usable database: database disk image is malformed"
    ):
        store.alerts()
    damaged = {
        finding.check for finding in store.check(lambda *_: b"") if finding.state == "damaged"
    }
    assert damaged == {"database", "evidence"}


def test_reader_sees_one_moment_while_a_write_is_open(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1)))
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alert SET severity = 6"))
        assert store.alerts().column("severity").to_pylist() == [3]
        assert store.rank().column("severity").to_pylist() == [3]
    assert store.alerts().column("severity").to_pylist() == [6]
