from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.formats.syslog_json import SyslogJson

CONTEXT = ParseContext(datetime(2026, 11, 21, tzinfo=UTC))
HEAD = "<134>Nov 20 10:00:00 web01 "
Row = dict[str, object]


@pytest.fixture
def row(make_lines: Callable[[list[bytes]], pa.RecordBatch]) -> Callable[[str], Row]:
    def made(line: str) -> Row:
        parsed = SyslogJson().parse(make_lines([line.encode()]), CONTEXT)
        assert parsed.rejects.to_pylist() == []
        (event,) = parsed.events.to_pylist()
        event["labels"] = dict(event["labels"] or ())
        return {name: value for name, value in event.items() if value not in (None, {})}

    return made


@pytest.mark.parametrize(
    "rest",
    [
        'app[7]: {"user": "ann", "n": [1, 2]}',
        'app[7]: @cee: {"user": "ann", "n": [1, 2]}',
        'app[7]:@cee:{"user": "ann", "n": [1, 2]}',
        '{"user": "ann", "n": [1, 2]}',
        '@cee: {"user": "ann", "n": [1, 2]}',
    ],
)
def test_finds_the_object(row: Callable[[str], Row], rest: str) -> None:
    event = row(HEAD + rest)
    assert (event["user_name"], event["labels"]) == ("ann", {"n": "[1, 2]"})
    assert (event["host_name"], event["log_level"]) == ("web01", "info")
    assert event.get("process_name") == ("app" if rest.startswith("app") else None)
    assert event["event_action"] == ("app" if rest.startswith("app") else "message")


def test_reads_rfc_5424_and_lets_the_object_say_more(row: Callable[[str], Row]) -> None:
    event = row(
        "<165>1 2026-11-20T10:00:03.5+01:00 web01 svc 99 ID1 - "
        '{"@timestamp": "2020-01-01T00:00:00Z", "host": "web02", "process": {"name": "q"}, '
        '"level": "warn"}'
    )
    assert event["time"] == datetime(2026, 11, 20, 9, 0, 3, 500000, tzinfo=UTC)
    assert (event["host_name"], event["process_name"], event["service_name"]) == (
        "web01",
        "q",
        "svc",
    )
    assert (event["process_pid"], event["log_level"]) == (99, "warn")
    assert event["labels"] == {"@timestamp": "2020-01-01T00:00:00Z", "host": "web02"}


def test_what_is_no_object_stays_a_message(row: Callable[[str], Row]) -> None:
    assert row(HEAD + "app: plain text")["message"] == "plain text"
    broken = row(HEAD + 'app: {"a": 1')
    assert broken["message"] == '{"a": 1'
    assert "json_error" in broken["labels"]  # type: ignore[operator]


def test_leaves_mixed_files_to_syslog() -> None:
    lines = [f"{HEAD}app: text {number}" for number in range(6)]
    mixed = "\n".join([*lines, *[HEAD + 'app: {"a": 1}'] * 4, ""]).encode()
    found = plugins.recognise(mixed)
    assert found is not None
    assert found.format.name == "syslog"
