"""What an attacker can name or write never reaches the terminal as it is."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tarfile
from pathlib import Path

import click
import pytest

from secad.cli import main, session
from secad.collect.transports.pieces import PieceReader
from tests.end_to_end.test_commands import rows, secad

HOSTILE = "a\x1b[2J\x1b]0;owned\x07\x9b\u202e\r\nsecad: all is well"


class Terminal(io.StringIO):
    """What was sent to a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_bar_sends_no_escape_of_a_file_name(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    times = iter(range(0, 1000, 10))
    monkeypatch.setattr(session, "monotonic", lambda: next(times))
    with session.progress_bar(session.Session(), 100, "bytes") as step:
        step(HOSTILE[:16], 10)
        step("z.zip!" + HOSTILE[:16], 10)
    assert "a\\x1b[2J" in shown.getvalue()
    assert "\x1b[2Jx" not in shown.getvalue().replace(HOSTILE[:5], "\x1b[2Jx")
    assert not {"\x07", "\x9b", "\u202e"} & set(shown.getvalue())
    assert "\x1b]0;" not in shown.getvalue()


def test_usage_error_sends_no_escape_of_a_file_name(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise click.NoSuchOption("--" + HOSTILE)

    assert main._guarded(work) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(told)


def test_names_of_any_bytes_are_read_shown_and_found_again(tmp_path: Path) -> None:
    line = b"Nov 20 10:00:00 host app: hello\n"
    names = (b"caf\xe9.log", b"e\x1b[2J\x07.log", b"n\nsecad: all is well", "\u202egol".encode())
    for number, name in enumerate(names):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(line * (number + 2))
    with tarfile.open(tmp_path / "z.tar", "w") as archive:
        for name in ("m\x1b[31m.log", "bad\udcff.log", "../\x1bc\udcfe"):
            member, data = tarfile.TarInfo(name), line + name.encode("utf-8", "replace")[:1]
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    done = secad("ingest", "logs", ".", cwd=tmp_path)
    assert done.returncode == 3, done.stderr  # a member climbs out
    assert "caf\\xe9.log: ingested" in done.stderr
    assert "z.tar!bad\\xff.log: ingested" in done.stderr
    assert "\nsecad: all is well" not in done.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stderr)
    paths = {
        str(row["source_path"]) for row in rows(secad("events", "export", cwd=tmp_path).stdout)
    }
    with PieceReader() as reader:
        for path in paths:
            assert reader.read(str(tmp_path / path), 0, len(line)) == line
    assert len(paths) == 6
    again = secad("ingest", "logs", ".", cwd=tmp_path)
    assert again.stderr.count(": unchanged") == 6, again.stderr


EVIL = "=cmd|'/C calc'!A0\x1b[2J\x07\u202e"


def test_texts_of_alerts_neither_act_on_a_terminal_nor_run_in_a_spreadsheet(
    tmp_path: Path,
) -> None:
    alert = {
        "timestamp": "2026-11-20T10:00:00.000000+0000",
        "event_type": "alert",
        "src_ip": "192.0.2.1",
        "dest_ip": "192.0.2.2",
        "proto": "TCP",
        "host": "@SUM(1)\x1b]0;owned\x07",
        "alert": {"signature_id": 1, "signature": EVIL, "category": "+1+cmd\r", "severity": 1},
    }
    (tmp_path / "eve.json").write_text(json.dumps(alert) + "\n")
    done = secad("ingest", "alerts", "eve.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = rows(secad("alerts", "export", cwd=tmp_path).stdout)
    alert_id = str(found[0]["alert_id"])
    for command in (
        ("rank-alerts",),
        ("alerts", "list"),
        ("alerts", "show", alert_id),
        ("alerts", "explain", alert_id),
        ("alerts", "explain", alert_id, "--raw"),
        ("alerts", "evidence", alert_id),
        ("alerts", "occurrences", alert_id),
    ):
        shown = secad(*command, "--format", "table", cwd=tmp_path)
        assert shown.returncode == 0, shown.stderr
        assert not {"\x1b", "\x07", "\u202e", "\r"} & set(shown.stdout + shown.stderr), command
        sheet = secad(*command, "--format", "csv", cwd=tmp_path).stdout
        cells = [cell for row in csv.reader(io.StringIO(sheet, newline="")) for cell in row]
        assert [cell for cell in cells if cell[:1] in set("=+@\t\r")] == [], command
