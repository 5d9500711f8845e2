"""What an attacker can name or write never reaches the terminal as it is."""

from __future__ import annotations

import io
import sys

import click
import pytest

from secad.cli import main, session

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
