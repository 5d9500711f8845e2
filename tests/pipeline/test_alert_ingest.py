"""Alerts of other tools into the store: each occurrence once, whatever becomes of its file."""

from __future__ import annotations

import gzip
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from secad.api import Secad
from secad.base.config import load_config
from secad.base.errors import ConfigError
from secad.pipeline.alert_ingest import AlertIngest

NOW = datetime(2026, 11, 20, tzinfo=UTC)
START = datetime(2026, 3, 2, tzinfo=UTC)
CHANGING = ["created_time", "updated_time", "revision"]


def eve(second: float, rule: int = 1, source: str = "192.0.2.1", **more: object) -> str:
    record = {
        "timestamp": (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000"),
        "event_type": "alert",
        "src_ip": source,
        "dest_ip": "10.20.1.5",
        "alert": {"signature_id": rule, "signature": f"rule {rule}", "severity": 2},
        **more,
    }
    return json.dumps(record)


def fast(second: float, rule: int = 1, destination: str = "10.20.1.57") -> str:
    time = (START + timedelta(seconds=second)).strftime("%m/%d/%Y-%H:%M:%S.%f")
    ends = f"{{TCP}} 192.0.2.1:4444 -> {destination}"
    return f"{time}  [**] [1:{rule}:3] rule {rule} [**] [Priority: 1] {ends}"


LINES = [eve(40 * n + (n % 3) * 2600, rule=1 + n % 4, source=f"192.0.2.{n % 3}") for n in range(90)]
LINES[10:10] = ['{"event_type": "flow", "src_ip": "192.0.2.1"}', "no json", eve(1, alert={})]


class Store:
    """A store on one folder, without settings of this machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings_file = folder / "secad.toml"
        settings_file.write_text("")
        self.secad = Secad(folder / "store", load_config(file=settings_file, environment={}))

    def ingest(self, *paths: Path, **options: Any) -> AlertIngest:
        return self.secad.ingest_alerts([str(path) for path in paths], now=NOW, **options)

    def alerts(self) -> pa.Table:
        found = self.secad.alert_store.alerts().drop_columns(CHANGING)
        return found.sort_by("alert_id")

    def count(self) -> int:
        return int(pc.sum(self.alerts()["count"]).as_py() or 0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def outcomes(done: AlertIngest) -> list[str]:
    return [source.outcome for source in done.report.sources]


def test_counts_add_up_and_every_occurrence_keeps_its_time(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    path.write_text("\n".join(LINES) + "\n")
    total = store.ingest(path).report.total()
    assert (total.lines, total.events, total.rejects, total.skipped) == (93, 90, 2, 1)
    assert store.count() == 90
    seen = 0
    for alert in store.alerts().to_pylist():
        times = store.secad.occurrences(alert["alert_id"])["time"].to_pylist()
        assert len(times) == alert["count"]
        assert (times[0], times[-1]) == (alert["time_start"], alert["time_end"])
        seen += len(times)
    assert seen == 90
    reasons = store.secad.rejects()["error"].to_pylist()
    assert [reason.split(":")[0] for reason in reasons] == [
        "expected an object, at byte 0",
        "no rule",
    ]


def test_evidence_is_verified_by_its_hash(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    path.write_text("\n".join(LINES) + "\n")
    store.ingest(path)
    for alert_id in store.alerts()["alert_id"].to_pylist():
        rows = store.secad.raw_evidence(alert_id).to_pylist()
        assert rows
        assert {row["state"] for row in rows} == {"verified"}
    assert set(store.secad.check()["state"].to_pylist()) == {"ok"}


def test_reading_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    path.write_text("\n".join(LINES) + "\n")
    store.ingest(path)
    before = store.alerts()
    assert outcomes(store.ingest(path)) == ["unchanged"]
    path.rename(tmp_path / "eve.json.1")
    assert outcomes(store.ingest(tmp_path / "eve.json.1")) == ["unchanged"]
    packed = tmp_path / "eve.json.1.gz"
    packed.write_bytes(gzip.compress((tmp_path / "eve.json.1").read_bytes()))
    (tmp_path / "eve.json.1").unlink()
    assert outcomes(store.ingest(packed)) == ["unchanged"]
    assert store.alerts().equals(before)


@settings(max_examples=6, deadline=None)
@given(
    cuts=st.lists(st.integers(500, 20_000), min_size=1, max_size=3).map(sorted), plain=st.booleans()
)
def test_file_that_grows_gives_the_alerts_of_one_read_whole(
    cuts: list[int], plain: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("grow")
    lines = [fast(90 * n, rule=1 + n % 3) for n in range(60)] if plain else LINES
    data = ("\n".join(lines) + "\n").encode()
    name = "snort" if plain else "suricata"
    grown, path = Store(folder / "grown"), folder / "alerts.log"
    for cut in [*cuts, len(data)]:
        path.write_bytes(data[:cut])
        grown.ingest(path, format=name)
    whole = Store(folder / "whole")
    whole.ingest(path, format=name)
    assert grown.alerts().equals(whole.alerts())
    columns = ["event_id", "time", "alert_fingerprint", "alert_sha256"]
    kept = [one.secad.event_store.occurrences() for one in (grown, whole)]
    kept = [table.select(columns[:3]).sort_by("event_id") for table in kept]
    assert kept[0].equals(kept[1])
    rejected = [one.secad.rejects()["byte_offset"].to_pylist() for one in (grown, whole)]
    assert sorted(rejected[0]) == sorted(rejected[1])
    shutil.rmtree(folder)


def test_last_line_that_was_cut_is_taken_back(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "fast.log"
    path.write_text(fast(0) + "\n" + fast(5)[:-1])  # 10.20.1.5, and a 7 is to come
    store.ingest(path)
    assert sorted(row["count"] for row in store.alerts().to_pylist()) == [1, 1]
    path.write_text(fast(0) + "\n" + fast(5) + "\n")
    store.ingest(path)
    assert store.alerts()["count"].to_pylist() == [2]
    assert len(store.secad.event_store.occurrences()) == 2
    assert set(store.secad.check()["state"].to_pylist()) == {"ok"}


def test_verdict_goes_with_the_alert_that_takes_over(store: Store, tmp_path: Path) -> None:
    for name, second in (("a", 0), ("b", 6000)):
        (tmp_path / name).write_text(eve(second) + "\n")
        store.ingest(tmp_path / name)
    older, younger = (
        row["alert_id"]
        for row in store.secad.alert_store.alerts().sort_by("created_time").to_pylist()
    )
    engine = store.secad.alert_store._engine
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO verdict VALUES (1, :id, 'true positive', 'ann', NULL, 0)"),
            {"id": younger},
        )
    (tmp_path / "c").write_text(eve(3000) + "\n")
    done = store.ingest(tmp_path / "c")
    assert done.alerts.taken_over == 1
    assert store.alerts()["alert_id"].to_pylist() in ([older], [younger])
    with engine.begin() as connection:
        owner = connection.scalar(text("SELECT alert_id FROM verdict"))
    assert owner == store.alerts()["alert_id"][0].as_py()
    assert store.count() == 3


def test_a_file_may_be_read_as_a_log_too(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    path.write_text("\n".join(LINES) + "\n")
    store.secad.ingest([str(path)], format="jsonl", now=NOW)
    assert store.ingest(path).report.total().events == 90
    assert outcomes(store.ingest(path)) == ["unchanged"]
    ids = [source.source_id for source in store.secad.event_store.ledger.sources()]
    assert len(set(ids)) == 2


def test_alerts_without_p_values_rank_by_severity(store: Store, tmp_path: Path) -> None:
    grave = eve(5, rule=9).replace('"severity": 2', '"severity": 1')
    (tmp_path / "eve.json").write_text("\n".join([eve(0), grave]) + "\n")
    store.ingest(tmp_path / "eve.json")
    ranked = store.secad.rank().to_pylist()
    assert [(row["severity"], row["p_value"], row["rank_score"]) for row in ranked] == [
        (4, None, 4000.0),
        (3, None, 3000.0),
    ]


def test_map_is_needed_and_is_followed(store: Store, tmp_path: Path) -> None:
    path, fields = tmp_path / "edr.csv", tmp_path / "map.toml"
    path.write_text("when;what;risk;box\n2026-03-02T08:00:00Z;odd logon;critical;ws1\nshort\n")
    with pytest.raises(ConfigError, match="need a field map"):
        store.ingest(path, format="csv")
    fields.write_text(
        'delimiter = ";"\ndataset = "edr"\n[columns]\ntime = "when"\nseverity = "risk"\n'
    )
    with pytest.raises(ConfigError, match="'rule_name' or 'rule_id'"):
        store.ingest(path, format="csv", map_file=fields)
    with fields.open("a") as file:
        file.write('rule_name = "what"\nhost_name = "box"\n')
    total = store.ingest(path, format="csv", map_file=fields).report.total()
    assert (total.events, total.rejects, total.skipped) == (1, 1, 1)
    row = store.alerts().to_pylist()[0]
    assert (row["detector"], row["severity"], row["view"]) == ("edr", 5, "edr")


def test_truth_columns_leave_no_trace(tmp_path: Path) -> None:
    rows = [f"{1642213952 + 9 * n},Wazuh: update,192.0.2.7,mail,W-Sys" for n in range(20)]
    found = []
    for name, head, tail in (("with", ",time_label,event_label", ",dirb,dirb"), ("bare", "", "")):
        path = tmp_path / f"{name}.csv"
        lines = [f"time,name,ip,host,short{head}", *(row + tail for row in rows)]
        path.write_text("\n".join(lines) + "\n")
        one = Store(tmp_path / name)
        one.ingest(path)
        found.append(one.alerts().drop_columns(["evidence"]))
        assert b"dirb" not in b"".join(
            part.read_bytes() for part in (tmp_path / name / "store").rglob("*") if part.is_file()
        )
    assert found[0].equals(found[1])
    assert found[0]["count"].to_pylist() == [20]
    assert found[0]["detector"].to_pylist() == ["wazuh"]
