from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from secad.base.schemas import ALERTS, EXPLANATIONS, SCORES
from secad.scoring.alerts import (
    KNOWN,
    AlertRules,
    Detector,
    Raised,
    calibrate_alerts,
    in_order,
    raise_alerts,
)
from secad.scoring.calibrate import Calibration
from secad.scoring.episodes import acting, find_episodes

HOUR = 3_600_000_000
Row = tuple[str, int, float, dict[str, str]]


def made(rows: Sequence[Row]) -> tuple[pa.Table, pa.Table]:
    """Returns SCORES and EVENTS of (view, time in us, score, event columns)."""
    ids = [number.to_bytes(16, "big") for number in range(len(rows))]
    time = pa.array([time for _, time, _, _ in rows], SCORES.field("time_start").type)
    scores = pa.table(
        [
            pa.array(ids, pa.binary()),
            pa.array([view for view, _, _, _ in rows]),
            pa.array([[one] for one in ids], SCORES.field("member_ids").type),
            time,
            time,
            pa.array([score for _, _, score, _ in rows], pa.float64()),
        ],
        schema=SCORES,
    )
    names = sorted({name for *_, columns in rows for name in columns})
    columns = {name: [columns.get(name) for *_, columns in rows] for name in names}
    places = {
        "source_id": ["00" * 10] * len(rows),
        "source_path": ["made.log"] * len(rows),
        "line": list(range(1, len(rows) + 1)),
        "byte_offset": list(range(len(rows))),
        "byte_length": [1] * len(rows),
    }
    events = {"event_id": pa.array(ids, pa.binary(16)), "time": time, **places, **columns}
    return scores, pa.table({**events, "dataset": ["made"] * len(rows)})


def background() -> list[Row]:
    """Returns 200 dull events of forty actors, whose scores all differ."""
    actors = [{"process_executable": f"/bin/p{row % 40}", "host_name": "h"} for row in range(200)]
    return [("start", row * 1000, row / 200, actor) for row, actor in enumerate(actors)]


def explain(events: pa.Table, scores: pa.Table) -> pa.Table:
    del events
    fact = {"name": "a × b", "value": "x × y", "expected": "0 of 9", "weight": 1.0}
    columns = [["x never met y"] * len(scores), [[fact]] * len(scores)]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, list(EXPLANATIONS)[1:], strict=True)]
    return pa.table([scores["subject"], *arrays], schema=EXPLANATIONS)


DETECTOR = Detector("made", "model-1", explain, lambda view: ["cold start"] * (view == "cold"))


def raised(rows: Sequence[Row], known: pa.Table | None = None, **rules: int) -> Raised:
    scores, events = made(rows)
    told = AlertRules(**rules)
    calibration = calibrate_alerts(scores, events, Calibration.fit(scores), told)
    return raise_alerts(scores, events, calibration, DETECTOR, told, own=True, known=known)


def attack(*times: int, view: str = "start", score: float = 9.0, **columns: str) -> list[Row]:
    event = {"process_executable": "/tmp/evil", "host_name": "h", **columns}  # noqa: S108
    return [(view, time, score, event) for time in times]


def of_evil(found: Raised) -> list[dict[str, object]]:
    return [row for row in found.alerts.to_pylist() if "evil" in row["reason"]]


def test_one_alert_for_a_finding_that_repeats() -> None:
    found = raised([*background(), *attack(*range(0, 1000, 10))])
    assert found.alerts.schema.equals(ALERTS)
    (alert,) = of_evil(found)
    assert alert["count"] == 100
    assert alert["score"] == 9.0
    assert len(alert["evidence"]) == 20
    assert alert["reason"] == "evil on h: x never met y"
    assert alert["time_start"].timestamp() == 0
    assert alert == found.alerts.to_pylist()[0]  # the strangest comes first


def test_quiet_longer_than_the_gap_ends_an_episode() -> None:
    found = raised([*background(), *attack(0, HOUR, 2 * HOUR + 1)])
    counts = sorted(alert["count"] for alert in of_evil(found))
    assert counts == [1, 2]
    prints = {alert["fingerprint"] for alert in of_evil(found)}
    assert len(prints) == 1
    assert len({alert["alert_id"] for alert in of_evil(found)}) == 2


def test_the_same_run_gives_the_same_alerts_and_a_grown_episode_keeps_its_id() -> None:
    before = raised([*background(), *attack(5, 10)])
    assert before.alerts.equals(raised([*background(), *attack(5, 10)]).alerts)
    grown = raised([*background(), *attack(5, 10, 15, 1000)])
    assert of_evil(grown)[0]["alert_id"] == of_evil(before)[0]["alert_id"]


def test_row_order_does_not_matter() -> None:
    rows = [*background(), *attack(5, 10, 15)]
    scores, events = made(rows)
    order = pa.array(np.random.default_rng(0).permutation(len(rows)))
    rules = AlertRules()
    calibration = calibrate_alerts(scores, events, Calibration.fit(scores), rules)
    one = raise_alerts(scores, events, calibration, DETECTOR, rules, own=True)
    other = raise_alerts(
        scores.take(order), events.take(order), calibration, DETECTOR, rules, own=True
    )
    assert one.alerts.equals(other.alerts)


def test_an_episode_that_meets_a_known_alert_takes_its_id() -> None:
    rows = [*background(), *attack(5 * HOUR)]
    (alert,) = of_evil(raised(rows))
    times = pa.array([4 * HOUR, 4 * HOUR], SCORES.field("time_start").type)
    known = pa.table(
        [pa.array(["other", "kept"]), pa.array(["else", alert["fingerprint"]]), times, times],
        schema=KNOWN,
    )
    assert [row["alert_id"] for row in of_evil(raised(rows, known))] == ["kept"]
    long_ago = pa.array([0, 0], SCORES.field("time_start").type)
    gone = known.set_column(2, KNOWN.field(2), long_ago).set_column(3, KNOWN.field(3), long_ago)
    assert [row["alert_id"] for row in of_evil(raised(rows, gone))] == [alert["alert_id"]]


def test_the_budget_keeps_the_strongest_of_each_day() -> None:
    days = [*attack(0), *attack(24 * HOUR), *attack(24 * HOUR + 1, process_executable="/bin/bad")]
    found = raised([*background(), *days], budget_per_day=1)
    assert len(found.alerts) == 2
    assert {alert["time_start"].day for alert in found.alerts.to_pylist()} == {1, 2}
    assert found.over_budget > 0


def test_an_event_that_names_nobody_is_refused_and_counted() -> None:
    found = raised([*background(), *[("start", 0, 9.0, {"host_name": "h"})] * 3])
    assert found.nameless == 3
    assert all(dict(alert["fingerprint_key"]) for alert in found.alerts.to_pylist())


def test_evidence_is_the_strongest_one_of_each_behaviour_first() -> None:
    rows = [*background(), *attack(*range(30)), *attack(40, 41, score=8.0), *attack(50, score=7.0)]
    (alert,) = of_evil(raised(rows, evidence_rows=4))
    assert [row["contribution"] for row in alert["evidence"]] == [9.0, 9.0, 8.0, 7.0]
    assert [row["line"] for row in alert["evidence"]] == [201, 202, 231, 233]
    assert {row["sha256"] for row in alert["evidence"]} == {None}


def test_what_an_actor_does_in_other_views_speaks_against_it() -> None:
    other = [("open", t, s, c) for _, t, s, c in background()]
    lone = attack(5, process_executable="/bin/lone")
    found = raised([*background(), *other, *attack(5), *attack(6, view="open"), *lone])
    of_lone = next(row for row in found.alerts.to_pylist() if "lone" in row["reason"])
    for alert in of_evil(found):
        assert alert["p_value"] < of_lone["p_value"]
        assert "odd in 1 other view too" in alert["reason"]
    assert "other view" not in of_lone["reason"]


def test_support_is_of_the_process_itself_where_events_name_it() -> None:
    def strength(entity: str) -> float:
        rows = [
            *background(),
            *[("open", t, s, c) for _, t, s, c in background()],
            *attack(5, process_entity_id="{1}"),
            *attack(6, view="open", process_entity_id=entity),
        ]
        scores, events = made(rows)
        found = find_episodes(scores, events, Calibration.fit(scores), gap_s=3600, own=True)
        return float(found.strength.max())

    assert strength("{1}") > strength("{2}")


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"process_executable": "/a", "user_name": "u", "source_ip": "10.0.0.1"}, "source_ip"),
        ({"process_executable": "/a", "source_ip": "10.0.0.1", "destination_ip": "10.0.0.2"},
         "process_executable"),
        ({"process_executable": "/a", "source_ip": "127.0.0.1"}, "process_executable"),
        ({"user_name": "u", "process_name": "sudo"}, "user_name"),
        ({"process_name": "cron"}, "process_name"),
        ({"log_logger": "dfs.DataNode", "template_id": "t1"}, "log_logger"),
        ({"host_name": "h"}, None),
    ],
)  # fmt: skip
def test_who_acts_is_the_first_that_an_event_names(
    columns: dict[str, str], kind: str | None
) -> None:
    found = acting(pa.table({name: [value] for name, value in columns.items()}))
    assert found.kind.to_pylist() == [kind]
    assert (found.key[0] < 0) == (kind is None)


def test_later_events_are_judged_by_the_calibration_alone() -> None:
    scores, events = made(background())
    rules = AlertRules()
    calibration = calibrate_alerts(scores, events, Calibration.fit(scores), rules)
    later, later_events = made(attack(5))
    found = raise_alerts(later, later_events, calibration, DETECTOR, rules, own=False)
    (alert,) = found.alerts.to_pylist()
    assert alert["p_extrapolated"]
    assert alert["p_value"] < 1 / 40
    assert alert["severity"] >= 3


def test_nothing_scored_is_nothing_raised() -> None:
    scores, events = made(background())
    calibration = calibrate_alerts(scores, events, Calibration.fit(scores), AlertRules())
    none = raise_alerts(scores.slice(0, 0), events, calibration, DETECTOR, own=False)
    assert none.alerts.equals(ALERTS.empty_table())


def test_alerts_are_read_by_severity_then_p_then_score_then_id() -> None:
    found = raised([*background(), *attack(5)]).alerts
    assert in_order(found.take(pa.array(range(len(found))[::-1]))).equals(found)
    keys = [
        (-row["severity"], row["p_value"], -row["score"], row["alert_id"])
        for row in found.to_pylist()
    ]
    assert keys == sorted(keys)


def test_badges_and_entities_are_told() -> None:
    cold = [("cold", t, s, c) for _, t, s, c in background()]
    found = raised([*cold, *attack(5, view="cold", user_name="Ann", source_ip="127.0.0.1")])
    (alert,) = of_evil(found)
    assert alert["badges"] == ["cold start"]
    entities = {(row["type"], row["value"], row["role"]) for row in alert["entities"]}
    assert ("user", "Ann", "user_name") in entities
    assert ("process", "/tmp/evil", "process_executable") in entities  # noqa: S108


def test_a_known_id_goes_on_once() -> None:
    rows = [*background(), *attack(0, 2 * HOUR)]
    one, two = of_evil(raised(rows))
    times = [pa.array([time], SCORES.field("time_start").type) for time in (0, 2 * HOUR)]
    known = pa.table([pa.array(["kept"]), pa.array([one["fingerprint"]]), *times], schema=KNOWN)
    ids = {row["alert_id"] for row in of_evil(raised(rows, known))}
    assert ids == {"kept", max((one, two), key=lambda row: row["time_start"])["alert_id"]}
