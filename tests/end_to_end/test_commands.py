"""The command line as a user meets it: exit codes, what goes where, and errors that help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
Done = subprocess.CompletedProcess[str]


def secad(
    *arguments: str | Path, cwd: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "secad", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
    )
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in err, err
    return Done(done.args, done.returncode, out, err)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder whose secad-store holds web and file server logs, scored by rarity."""
    folder = tmp_path_factory.mktemp("filled")
    done = secad("ingest", "logs", SAMPLES / "weblog.log", SAMPLES / "evtx.evtx", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "3,583 lines = 3,583 events" in done.stderr
    done = secad("detect", "rarity", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_ranked_alerts_are_ndjson_in_a_pipe_with_every_promised_name(filled: Path) -> None:
    done = secad("rank-alerts", "--top", "5", cwd=filled)
    ranked = rows(done.stdout)
    assert done.returncode == 0
    assert [row["rank"] for row in ranked] == [1, 2, 3, 4, 5]
    assert set(ranked[0]) == {
        *("rank", "alert_id", "rank_score", "score", "p_value", "severity", "detector"),
        *("time_start", "time_end", "count", "reason", "entities", "techniques"),
        *("incident_id", "event_ids"),
    }
    scores = [row["rank_score"] for row in ranked]
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]


def test_gate_trips_only_where_it_was_asked_for(filled: Path) -> None:
    assert secad("rank-alerts", cwd=filled).returncode == 0
    assert secad("rank-alerts", "--fail-on", "informational", cwd=filled).returncode == 1


def test_second_detect_adds_nothing(filled: Path) -> None:
    before = secad("alerts", "export", cwd=filled).stdout
    done = secad("detect", "rarity", cwd=filled)
    assert "0 scores, 0 alerts new, 0 updated" in done.stderr
    assert secad("alerts", "export", cwd=filled).stdout == before


def test_alert_is_explained_down_to_its_source_rows(filled: Path) -> None:
    first = rows(secad("rank-alerts", "--top", "1", cwd=filled).stdout)[0]
    prefix = str(first["alert_id"])[:9]
    shown = rows(secad("alerts", "show", prefix, cwd=filled).stdout)[0]
    assert shown["reason"] == first["reason"]
    terms = rows(secad("alerts", "explain", prefix, cwd=filled).stdout)
    assert all(term["reason"] == first["reason"] for term in terms)
    raw = rows(secad("alerts", "explain", prefix, "--raw", cwd=filled).stdout)
    assert {row["state"] for row in raw} == {"verified"}
    located = rows(secad("alerts", "evidence", prefix, cwd=filled).stdout)
    assert [row["line"] for row in located] == [row["line"] for row in raw]
    for row in raw:
        if str(row["source_path"]).endswith("weblog.log"):
            line = (SAMPLES / "weblog.log").read_text().splitlines()[int(str(row["line"])) - 1]
            assert row["raw"] == line


def test_scores_lead_back_to_their_lines(filled: Path) -> None:
    found = rows(secad("scores", "export", "--model", "rarity", cwd=filled).stdout)
    lines = {row["line"] for row in found if str(row["source_path"]).endswith("weblog.log")}
    assert lines == set(range(1, 3584))
    assert all(0 < float(str(row["p_value"])) <= 1 for row in found)


def test_events_are_filtered_and_exported_with_templates(filled: Path) -> None:
    where = "http_response_status_code = 404 and source_ip is not null"
    found = rows(secad("events", "list", "--where", where, "--limit", "3", cwd=filled).stdout)
    assert len(found) == 3
    done = secad("events", "export", "--dataset", "weblog", "-o", "e.parquet", cwd=filled)
    assert done.returncode == 0
    table = pq.read_table(filled / "e.parquet")
    assert table.num_rows == 3583
    assert table.column("template").null_count == 0
    again = secad("events", "export", "-o", "e.parquet", cwd=filled)
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_store_is_whole_and_says_when_it_is_not(filled: Path) -> None:
    assert secad("store", "check", cwd=filled).returncode == 0
    part = next((filled / "secad-store" / "events").rglob("*.parquet"))
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    done = secad("store", "check", cwd=filled)
    part.write_bytes(whole)
    assert done.returncode == 4
    assert "damaged" in done.stdout


def test_status_and_models_tell_what_there_is(filled: Path) -> None:
    facts = {
        (row["area"], row["name"]): row["value"] for row in rows(secad("status", cwd=filled).stdout)
    }
    assert facts["events", "weblog"] == "3583"
    listed = rows(secad("models", "list", cwd=filled).stdout)
    assert {row["dataset"] for row in listed} == {"weblog", "windows"}
    shown = secad("models", "show", str(listed[0]["model_id"])[:8], cwd=filled)
    assert shown.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["rank-alert"], 2, "did you mean 'rank-alerts'"),
        (["rank-alerts"], 2, "secad ingest logs"),
        (["ingest", "logs", "nowhere.log"], 4, "no such file"),
        (["ingest", "logs", "--format", "sislog", "x"], 2, "did you mean 'syslog'"),
        (["ingest", "logs", "--tz", "Mars/Phobos", "x"], 2, "time zone"),
        (["ingest", "logs", "--map", "no.toml", "x"], 2, "no.toml"),
        (["detect", "apes"], 2, "secad ingest logs"),
        (["--config", "no.toml", "status"], 2, "secad config init"),
        (["events", "list", "--from", "yesterday"], 2, "is not a time"),
        (["alerts", "list", "--severity", "awful"], 2, "awful"),
        (["--nonsense"], 2, "--nonsense"),
    ],
)
def test_mistakes_say_how_to_mend_them(
    arguments: list[str], code: int, words: str, tmp_path: Path
) -> None:
    done = secad(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stdout == ""


def test_degraded_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "half.log").write_bytes(
        b"2026-11-20T10:00:00Z web01 sshd[1]: one\n" + b"2026-11-20T10:00:00Z web01 cron: \xff\n"
    )
    done = secad("ingest", "logs", "half.log", cwd=tmp_path)
    assert done.returncode == 3
    assert "50.0%" in done.stderr
    (reject,) = rows(secad("rejects", "list", cwd=tmp_path).stdout)
    assert (reject["line"], reject["error"]) == (2, "not valid UTF-8")
    assert secad("ingest", "logs", "half.log", "nowhere.log", cwd=tmp_path).returncode == 3


def test_logs_come_from_standard_input_too(tmp_path: Path) -> None:
    data = (SAMPLES / "weblog.log").read_bytes()[:20_000]
    done = secad("ingest", "logs", "-", cwd=tmp_path, stdin=data)
    assert done.returncode == 0, done.stderr
    assert "as weblog" in done.stderr


def test_held_store_asks_to_come_back(filled: Path) -> None:
    import fcntl

    with (filled / "secad-store" / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = secad("ingest", "logs", SAMPLES / "syslog.log", cwd=filled)
    assert done.returncode == 75


def test_settings_are_made_shown_and_checked(tmp_path: Path) -> None:
    assert secad("config", "init", cwd=tmp_path).returncode == 0
    assert secad("config", "validate", cwd=tmp_path).returncode == 0
    shown = secad("config", "show", "--origin", cwd=tmp_path)
    assert "# secad.toml" in shown.stdout
    (tmp_path / "secad.toml").write_text("[models.ape]\ndimensions = 3\n")
    done = secad("config", "validate", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'dimension'" in done.stderr


def test_help_and_completion_and_doctor_work_anywhere(tmp_path: Path) -> None:
    assert "rank-alerts" in secad("--help", cwd=tmp_path).stdout
    assert "secad" in secad("completion", "bash", cwd=tmp_path).stdout
    found = rows(secad("doctor", cwd=tmp_path).stdout)
    assert {row["state"] for row in found} == {"ok"}
