from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.ids import event_ids
from secad.base.schemas import ALERTS, OCCURRENCES, TIME
from secad.scoring.occurrences import fingerprints
from secad.scoring.tool_alerts import Folded, fold

GAP_S = 3600
START = datetime(2026, 3, 2, tzinfo=UTC)
STORED = pa.schema([*ALERTS, pa.field("created_time", TIME)])


def occurrences(rows: list[dict[str, Any]]) -> pa.Table:
    """Returns OCCURRENCES rows; each row says ``s`` (seconds), and what else it likes."""
    filled = []
    for number, row in enumerate(rows):
        place = row.get("place", number)
        filled.append(
            {
                "event_id": event_ids("00" * 10, _one(place))[0].as_py(),
                "time": START + timedelta(seconds=row["s"]),
                "ingested_time": START,
                "dataset": "suricata",
                "source_id": "00" * 10,
                "source_path": "eve.json",
                "line": place + 1,
                "byte_offset": place,
                "byte_length": 1,
                "rule_name": "a rule",
                "alert_rule_id": "1",
                "alert_detector": "suricata",
                "alert_severity": 2,
                "alert_score": 2.0,
                "alert_sha256": "ab",
                **{k: v for k, v in row.items() if k in OCCURRENCES.names},
            }
        )
    nullable = pa.schema([field.with_nullable(True) for field in OCCURRENCES])
    table = pa.Table.from_pylist(filled, schema=nullable)
    at = OCCURRENCES.get_field_index("alert_fingerprint")
    field = OCCURRENCES.field("alert_fingerprint")
    return table.set_column(at, field, fingerprints(table)).cast(OCCURRENCES)


def _one(place: int) -> Any:
    return np.array([place])


def folded(rows: pa.Table, known: pa.Table | None = None, *, most: int = 3) -> Folded:
    stored = STORED.empty_table() if known is None else known
    return fold(rows, stored, gap_us=GAP_S * 1_000_000, evidence_rows=most)


def stored(before: pa.Table, made: Folded, run: int) -> pa.Table:
    """Returns what is stored after a fold."""
    rows = {row["alert_id"]: row for row in before.to_pylist()}
    for row in made.alerts.to_pylist():
        created = rows.get(row["alert_id"], {}).get("created_time", START + timedelta(days=run))
        rows[row["alert_id"]] = {**row, "created_time": created}
    for gone in made.taken_over:
        del rows[gone]
    return pa.Table.from_pylist(sorted(rows.values(), key=lambda row: row["alert_id"]), STORED)


def in_parts(rows: list[dict[str, Any]], cuts: list[int]) -> pa.Table:
    """Returns what is stored once the rows came in several runs."""
    kept = STORED.empty_table()
    edges = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
    table = occurrences(rows)
    for run, (first, last) in enumerate(pairwise(edges)):
        part = table.slice(first, last - first)
        kept = stored(kept, folded(part, kept), run)
    return kept.drop_columns(["created_time"])


RULES = st.sampled_from(["1", "2"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "s": st.integers(0, 40_000),
            "alert_rule_id": RULES,
            "rule_name": st.sampled_from(["a rule", "a rule!", "b"]),
            "host_name": st.sampled_from(["ws1", None]),
            "user_name": st.sampled_from(["ann", "bob"]),
            "destination_port": st.integers(1, 9),
            "alert_severity": st.integers(1, 6),
            "alert_score": st.sampled_from([1.0, 2.0]),
            "alert_techniques": st.sampled_from([None, "T1059", "T1003.001,T1059"]),
        }
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.integers(0, 25), max_size=4))
def test_a_log_in_parts_gives_the_alerts_of_one_read_at_once(
    rows: list[dict[str, Any]], cuts: list[int]
) -> None:
    rows = sorted(rows, key=lambda row: row["s"])
    once = in_parts(rows, [])
    assert in_parts(rows, cuts).equals(once)
    assert sum(once.column("count").to_pylist()) == len(rows)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.integers(0, 25), max_size=4))
def test_order_changes_nothing_but_ids(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    placed = [row | {"place": place} for place, row in enumerate(rows)]

    def plain(table: pa.Table) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = table.drop_columns(["alert_id"]).to_pylist()
        return sorted(found, key=lambda row: (row["fingerprint"], row["time_start"]))

    at_once = in_parts(sorted(placed, key=lambda row: (row["s"], row["place"])), [])
    assert plain(in_parts(placed, cuts)) == plain(at_once)


def test_episodes_are_cut_where_it_is_quiet() -> None:
    rows = [{"s": second} for second in (0, 10, GAP_S + 10, 2 * GAP_S + 11)]
    alerts = folded(occurrences(rows)).alerts.sort_by("time_start").to_pylist()
    assert [row["count"] for row in alerts] == [3, 1]
    assert alerts[0]["time_end"] == START + timedelta(seconds=GAP_S + 10)
    assert alerts[0]["p_value"] is None


def test_ports_and_times_do_not_tell_findings_apart_but_ends_do() -> None:
    ends = {"source_ip": "192.0.2.1", "destination_ip": "192.0.2.9"}
    rows = [
        {"s": 0, **ends, "source_port": 1},
        {"s": 5, **ends, "source_port": 2},
        {"s": 6, **ends, "destination_ip": "192.0.2.10"},
        {"s": 7, **ends, "source_ip": "192.0.2.2"},
    ]
    assert sorted(folded(occurrences(rows)).alerts["count"].to_pylist()) == [1, 1, 2]
    key = dict(folded(occurrences(rows[:1])).alerts["fingerprint_key"][0].as_py())
    assert key == {"detector": "suricata", "view": "suricata", "rule": "1", **ends}


def test_late_occurrence_joins_two_alerts_under_the_older_id() -> None:
    first = stored(STORED.empty_table(), folded(occurrences([{"s": 0}])), 0)
    second = stored(first, folded(occurrences([{"s": 6000, "place": 1}]), first), 1)
    late = folded(occurrences([{"s": 3000, "place": 2}]), second)
    older = first["alert_id"][0].as_py()
    assert late.alerts["alert_id"].to_pylist() == [older]
    assert late.alerts["count"].to_pylist() == [3]
    assert set(late.taken_over.values()) == {older}
    assert set(late.taken_over) == set(second["alert_id"].to_pylist()) - {older}


def test_evidence_is_the_strongest_and_then_the_first() -> None:
    rows = [{"s": second, "alert_score": score} for second, score in ((0, 1.0), (1, 9.0), (2, 1.0))]
    alert = folded(occurrences(rows), most=2).alerts.to_pylist()[0]
    assert [proof["contribution"] for proof in alert["evidence"]] == [9.0, 1.0]
    assert [proof["line"] for proof in alert["evidence"]] == [2, 1]
    assert alert["score"] == 9.0
