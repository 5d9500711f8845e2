from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from secad.base.database import open_database, writing
from secad.triage.ranking import RANKED
from secad.triage.store import AlertStore

Maker = Callable[..., pa.Table]
AlertMaker = Callable[..., dict[str, Any]]


def ids(table: pa.Table) -> list[str]:
    return list(table.column("alert_id").to_pylist())


def test_order_is_severity_then_p_value_then_score_then_id(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    order = [
        {"severity": 5, "p_value": 0.9, "score": 0.0},
        {"severity": 4, "p_value": 0.0, "score": 1.0},
        {"severity": 4, "p_value": 1e-300, "score": 1.0},
        {"severity": 4, "p_value": 0.5, "score": 2.0},
        {"severity": 4, "p_value": 0.5, "score": 1.0},
        {"severity": 4, "p_value": 0.5, "score": 1.0},
        {"severity": 1, "p_value": 0.0, "score": 99.0},
    ]
    made = [alert(number, alert_id=f"a{number}", **row) for number, row in enumerate(order)]
    store.upsert(make_alerts(*made[::-1]))
    ranked = store.rank()
    assert ranked.schema.equals(RANKED)
    assert ids(ranked) == [row["alert_id"] for row in made]
    assert ranked.column("rank").to_pylist() == list(range(1, 8))
    scores = ranked.column("rank_score").to_pylist()
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(5000.0458)
    assert scores[2] == pytest.approx(4300)


def test_row_holds_what_a_reader_needs(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    record = alert(7)["evidence"][0]
    unknown = {**record, "event_id": None}
    row = alert(7, evidence=[{**record, "event_id": b"z" * 16}, unknown, record])
    store.upsert(make_alerts(alert(1), row))
    ranked = store.rank().filter(pa.array([key == row["alert_id"] for key in ids(store.rank())]))
    found = ranked.to_pylist()[0]
    assert found["event_ids"] == [b"z" * 16, record["event_id"]]  # strongest first
    for name in ("entities", "techniques", "reason", "count", "time_start", "time_end", "detector"):
        assert found[name] == row[name]
    assert found["incident_id"] is None


def test_incident_is_named(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1)))
    with writing(engine).begin() as connection:
        connection.execute(
            text("INSERT INTO incident VALUES ('inc-1', 'logons', 4, 0, 1, 'new', 0, 0)")
        )
        connection.execute(
            text("INSERT INTO incident_alert SELECT alert_id, 'inc-1', 'same user' FROM alert")
        )
    assert store.rank().column("incident_id").to_pylist() == ["inc-1"]
    assert store.alerts().column("incident_id").to_pylist() == ["inc-1"]


def test_closed_and_suppressed_alerts_are_not_ranked(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    statuses = ["new", "acknowledged", "in_progress", "closed", "suppressed"]
    store.upsert(
        make_alerts(*(alert(number, alert_id=name) for number, name in enumerate(statuses)))
    )
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alert SET status = alert_id"))
    assert sorted(ids(store.rank())) == sorted(statuses[:3])
    assert sorted(ids(store.rank(budget=9))) == sorted(statuses[:3])
    assert store.alerts().num_rows == 5


def test_budget_counts_each_day_by_itself(
    store: AlertStore, make_alerts: Maker, alert: AlertMaker
) -> None:
    made = [alert(number, p_value=1 / (1 + number)) for number in range(60)]  # 24 + 24 + 12 hours
    store.upsert(make_alerts(*made))
    best = [made[number]["alert_id"] for number in (59, 58, 47, 46, 23, 22)]
    assert ids(store.rank(budget=2)) == best
    assert ids(store.rank(3, 2)) == best[:3]
    assert ids(store.rank(budget=2, time_to=made[48]["time_start"])) == best[2:]


def test_budget_does_not_count_closed_alerts(
    store: AlertStore, engine: Engine, make_alerts: Maker, alert: AlertMaker
) -> None:
    made = [alert(number, severity=number) for number in (1, 2, 3)]
    store.upsert(make_alerts(*made))
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alert SET status = 'closed' WHERE severity = 3"))
    assert ids(store.rank(budget=1)) == [made[1]["alert_id"]]


ranked_rows = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from([0.0, 5e-324, 1e-9, 0.25, 0.5, 1.0]) | st.floats(0, 1),
        st.sampled_from([-1.0, 0.0, 3.5]),
        st.integers(0, 72),
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(
    rows=ranked_rows,
    top=st.none() | st.integers(1, 4),
    budget=st.none() | st.integers(1, 3),
)
def test_ranking_is_that_of_a_plain_sort(
    alert: AlertMaker,
    make_alerts: Maker,
    rows: list[tuple[int, float, float, int]],
    top: int | None,
    budget: int | None,
) -> None:
    made = [
        alert(hour, alert_id=f"a{place:02}", severity=severity, p_value=p, score=score)
        for place, (severity, p, score, hour) in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder))
        store = AlertStore(engine)
        store.upsert(make_alerts(*made))
        ranked = store.rank(top, budget)
        engine.dispose()
    order = sorted(
        made, key=lambda row: (-row["severity"], row["p_value"], -row["score"], row["alert_id"])
    )
    seen: Counter[Any] = Counter()
    expected = []
    for row in order:
        seen[row["time_start"].date()] += 1
        if budget is None or seen[row["time_start"].date()] <= budget:
            expected.append(row["alert_id"])
    assert ids(ranked) == expected[:top]
    scores = ranked.column("rank_score").to_pylist()
    assert scores == sorted(scores, reverse=True)
