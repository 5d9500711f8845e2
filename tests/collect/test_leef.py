from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from secad.base.protocols import ParseContext
from secad.collect.devices.times import java_layout
from secad.collect.formats.leef import Leef

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
HEAD = "Jan 18 11:07:53 gate "
Row = dict[str, object]


@pytest.fixture
def row(make_lines: Callable[[list[bytes]], pa.RecordBatch]) -> Callable[[str], Row]:
    def made(line: str) -> Row:
        parsed = Leef().parse(make_lines([line.encode()]), CONTEXT)
        assert parsed.rejects.to_pylist() == []
        (event,) = parsed.events.to_pylist()
        event["labels"] = dict(event["labels"] or ())
        return {name: value for name, value in event.items() if value not in (None, {})}

    return made


@pytest.mark.parametrize(
    "rest",
    [
        "LEEF:1.0|V|P|1|Login Failed|src=192.0.2.1\tusrName=ann lee\tmsg=a=b c\tfoo=1",
        "LEEF:1.0|V|P|1|Login Failed|src=192.0.2.1#011usrName=ann lee#011msg=a=b c#011foo=1",
        "LEEF:2.0|V|P|1|Login Failed|^|src=192.0.2.1^usrName=ann lee^msg=a=b c^foo=1",
        "LEEF:2.0|V|P|1|Login Failed|x5E|src=192.0.2.1^usrName=ann lee^msg=a=b c^foo=1",
        "LEEF:2.0|V|P|1|Login Failed|0x7C|src=192.0.2.1|usrName=ann lee|msg=a=b c|foo=1",
        "LEEF:2.0|V|P|1|Login Failed|||src=192.0.2.1|usrName=ann lee|msg=a=b c|foo=1",
        "LEEF:2.0|V|P|1|Login Failed||src=192.0.2.1\tusrName=ann lee\tmsg=a=b c\tfoo=1",
        "LEEF:2.0|V|P|1|Login Failed|src=192.0.2.1\tusrName=ann lee\tmsg=a=b c\tfoo=1",
    ],
)
def test_reads_every_delimiter(row: Callable[[str], Row], rest: str) -> None:
    event = row(HEAD + rest)
    assert (event["source_ip"], event["user_name"]) == ("192.0.2.1", "ann lee")
    assert (event["message"], event["labels"]) == ("a=b c", {"foo": "1"})
    assert (event["event_action"], event["event_outcome"]) == ("login-failed", "failure")
    assert (event["host_name"], event["event_category"]) == ("gate", "authentication")


def test_reads_attributes_whose_tabs_became_blanks(row: Callable[[str], Row]) -> None:
    event = row(HEAD + "LEEF:1.0|V|P|1|15345|src=192.0.2.1 msg=two words sev=9 cat=Odd thing")
    assert (event["message"], event["log_level"]) == ("two words", "very-high")
    assert (event["event_code"], event["event_action"]) == ("15345", "odd-thing")


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("devTime=1634049000123", datetime(2021, 10, 12, 14, 30, 0, 123000, UTC)),
        ("devTime=Oct 12 2021 14:30:00", datetime(2021, 10, 12, 14, 30, tzinfo=UTC)),
        (
            "devTime=11/10/2021 14:30:00.5 +0200\tdevTimeFormat=dd/MM/yyyy HH:mm:ss.SSS Z",
            datetime(2021, 10, 11, 12, 30, 0, 500000, UTC),
        ),
        (
            "devTime=2021-10-12T14:30:00.123-0500\tdevTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
            datetime(2021, 10, 12, 19, 30, 0, 123000, UTC),
        ),
        ("devTime=nonsense", datetime(2026, 1, 18, 11, 7, 53, tzinfo=UTC)),
    ],
)
def test_reads_device_times(row: Callable[[str], Row], pairs: str, expected: datetime) -> None:
    assert row(f"{HEAD}LEEF:1.0|V|P|1|E|src=192.0.2.1\t{pairs}")["time"] == expected


def test_knows_which_java_layouts_it_reads() -> None:
    assert java_layout("yyyy-MM-dd HH:mm:ss,SSS z") == "%Y-%m-%d %H:%M:%S,%f"
    assert java_layout("GGG") is None
