"""``secad ingest alerts`` as a user meets it: what it says, exit codes, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.test_commands import SAMPLES, rows, secad

ALERTS = SAMPLES / "alerts"
NEEDS_MAP = {"csv.csv", "jsonl.jsonl"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder whose secad-store holds every sample that is recognised."""
    folder = tmp_path_factory.mktemp("filled")
    paths = [p for p in sorted(ALERTS.iterdir()) if p.suffix != ".toml" and p.name not in NEEDS_MAP]
    done = secad("ingest", "alerts", *paths, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    told = "suricata.json: ingested as suricata, 120 records = 97 occurrences + 23 no alerts"
    assert any(line.endswith(told) for line in lines)
    assert lines[-1].endswith("; read them with: secad rank-alerts")
    return folder


def test_alerts_of_many_tools_stand_in_one_ranking(filled: Path) -> None:
    ranked = rows(secad("rank-alerts", cwd=filled).stdout)
    assert {row["detector"] for row in ranked} == {
        *("aminer", "chainsaw", "elastic", "hayabusa", "made-edr", "opensearch", "rsigma"),
        *("snort", "suricata", "wazuh", "zircolite"),
    }
    assert {row["p_value"] for row in ranked} == {None}
    severities = [row["severity"] for row in ranked]
    assert severities == sorted(severities, reverse=True)  # type: ignore[type-var]
    assert secad("rank-alerts", "--fail-on", "critical", cwd=filled).returncode == 1
    assert secad("rank-alerts", "--fail-on", "fatal", cwd=filled).returncode == 0
    table = secad("rank-alerts", "--top", "3", "--format", "table", cwd=filled)
    assert "critical" in table.stdout


def test_alert_is_explained_down_to_its_record(filled: Path) -> None:
    for detector in ("zircolite", "suricata", "snort"):
        found = rows(secad("alerts", "export", "--detector", detector, cwd=filled).stdout)
        most = max(found, key=lambda row: int(str(row["count"])))
        alert_id = str(most["alert_id"])
        raw = rows(secad("alerts", "explain", alert_id, "--raw", cwd=filled).stdout)
        assert {row["state"] for row in raw} == {"verified"}
        times = rows(secad("alerts", "occurrences", alert_id, cwd=filled).stdout)
        assert len(times) == most["count"]
        assert times[0]["time"] == most["time_start"]
    assert secad("store", "check", cwd=filled).returncode == 0


def test_second_run_adds_nothing(filled: Path) -> None:
    done = secad("ingest", "alerts", ALERTS / "wazuh.json", ALERTS / "zircolite.json", cwd=filled)
    assert done.returncode == 0
    assert "zircolite.json: unchanged as zircolite" in done.stderr
    assert "0 alerts new, 0 updated" in done.stderr


def test_map_reads_any_table(tmp_path: Path) -> None:
    for name in sorted(NEEDS_MAP):
        form = name.partition(".")[0]
        path, fields = ALERTS / name, ALERTS / f"{form}.toml"
        done = secad("ingest", "alerts", path, "--format", form, "--map", fields, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    found = rows(secad("alerts", "export", "--detector", "edr", cwd=tmp_path).stdout)
    assert sum(int(str(row["count"])) for row in found) == 240


def test_exit_codes_tell_what_went_wrong(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.log"
    nothing.write_text("no alert at all\n" * 5)
    done = secad("ingest", "alerts", nothing, cwd=tmp_path)
    assert done.returncode == 4
    assert "no format recognises its beginning" in done.stderr
    done = secad("ingest", "alerts", nothing, "--format", "surricata", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'suricata'" in done.stderr
    done = secad("ingest", "alerts", ALERTS / "csv.csv", "--format", "csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "need a field map" in done.stderr
    broken = tmp_path / "broken.json"
    good = (ALERTS / "wazuh.json").read_text().splitlines()[:5]
    broken.write_text("\n".join([*good, *(json.dumps({"rule": n}) for n in range(5))]) + "\n")
    done = secad("ingest", "alerts", broken, "--format", "wazuh", cwd=tmp_path)
    assert done.returncode == 3
    assert "5 rejects" in done.stderr
    assert "50.0% of the records were rejected" in done.stderr


def test_standard_input_is_read_once(tmp_path: Path) -> None:
    data = (ALERTS / "suricata.json").read_bytes()
    first = secad("ingest", "alerts", "-", cwd=tmp_path, stdin=data)
    assert first.returncode == 0, first.stderr
    again = secad("ingest", "alerts", "-", cwd=tmp_path, stdin=data)
    assert "0 alerts new, 0 updated" in again.stderr
