from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from secad.base.protocols import ParseContext, Parsed
from secad.collect.devices.columns import outcome_of
from secad.collect.formats.cef import Cef

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
HEAD = "CEF:0|Vendor|Product|1.0|100|worm found|7|"
Row = dict[str, object]


@pytest.fixture
def parse(make_lines: Callable[[list[bytes]], pa.RecordBatch]) -> Callable[..., Parsed]:
    return lambda *lines: Cef().parse(make_lines([line.encode() for line in lines]), CONTEXT)


@pytest.fixture
def row(parse: Callable[..., Parsed]) -> Callable[[str], Row]:
    def made(line: str) -> Row:
        parsed = parse(line)
        assert parsed.rejects.to_pylist() == []
        (event,) = parsed.events.to_pylist()
        event["labels"] = dict(event["labels"] or ())
        return {name: value for name, value in event.items() if value not in (None, {})}

    return made


def test_reads_the_header_and_known_keys(row: Callable[[str], Row]) -> None:
    event = row(
        "Sep 19 08:26:10 host " + HEAD + "src=10.0.0.1 dst=2.1.2.2 spt=1232 dpt=80 proto=TCP "
        "app=HTTP act=blocked suser=ann duser=bob in=12 out=34 cat=Malware fname=a b.exe"
    )
    assert event["time"] == datetime(2026, 9, 19, 8, 26, 10, tzinfo=UTC)
    assert (
        event
        | {
            "event_provider": "vendor-product",
            "event_code": "100",
            "event_action": "worm-found",
            "event_category": "malware",
            "event_outcome": "failure",
            "log_level": "high",
            "host_name": "host",
            "source_ip": "10.0.0.1",
            "source_port": 1232,
            "destination_ip": "2.1.2.2",
            "destination_port": 80,
            "network_transport": "tcp",
            "network_protocol": "http",
            "user_name": "ann",
            "user_target_name": "bob",
            "source_bytes": 12,
            "destination_bytes": 34,
            "file_path": "a b.exe",
            "message": "worm found",
        }
        == event
    )


def test_resolves_escapes(row: Callable[[str], Row]) -> None:
    event = row(
        r"CEF:0|Ven\|dor|Pro\\duct|1.0|1|a \| b|3|rt=1634049000123 msg=x \= 1\nnext "
        r"filePath=C:\\new\\table.txt cs1Label=Name cs1=a\=b"
    )
    assert event["event_provider"] == "ven-dor-pro-duct"
    assert event["message"] == "x = 1\nnext"
    assert event["file_path"] == r"C:\new\table.txt"
    assert event["labels"] == {"Name": "a=b"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1634049000123", datetime(2021, 10, 12, 14, 30, 0, 123000, UTC)),
        ("1634049000", datetime(2021, 10, 12, 14, 30, tzinfo=UTC)),
        ("Oct 12 2021 14:30:00", datetime(2021, 10, 12, 14, 30, tzinfo=UTC)),
        ("Oct 12 2021 14:30:00.5 GMT+02:00", datetime(2021, 10, 12, 12, 30, 0, 500000, UTC)),
        ("Oct 12 2021 14:30:00 CEST", datetime(2021, 10, 12, 12, 30, tzinfo=UTC)),
        ("Oct 12 14:30:00", datetime(2026, 10, 12, 14, 30, tzinfo=UTC)),
        ("2021-10-12T14:30:00.25-05:00", datetime(2021, 10, 12, 19, 30, 0, 250000, UTC)),
        ("2021/10/12 14:30:00", datetime(2021, 10, 12, 14, 30, tzinfo=UTC)),
        ("Tue Oct 12 14:30:00 2021", datetime(2021, 10, 12, 14, 30, tzinfo=UTC)),
    ],
)
def test_reads_times(row: Callable[[str], Row], written: str, expected: datetime) -> None:
    assert row(f"{HEAD}rt={written} src=192.0.2.1")["time"] == expected


def test_a_custom_field_becomes_a_label_of_its_own_name(row: Callable[[str], Row]) -> None:
    event = row(
        HEAD + "rt=1634049000123 cs1=Deny all cs1Label=Rule Name cn1Label=Depth cn1=4 cs2=x foo=1"
    )
    assert event["rule_name"] == "Deny all"
    assert event["labels"] == {"Depth": "4", "cs2": "x", "foo": "1"}


def test_of_two_keys_for_a_column_the_surer_wins_and_the_other_stays(
    row: Callable[[str], Row],
) -> None:
    event = row(HEAD + "rt=1634049000123 fname=a.txt filePath=/tmp/a.txt src=h1 request=/a?b=c&d=e")
    assert (event["file_path"], event["labels"]) == ("/tmp/a.txt", {"fname": "a.txt"})  # noqa: S108
    assert (event["source_domain"], event.get("source_ip")) == ("h1", None)
    assert (event["url_path"], event["url_query"]) == ("/a", "b=c&d=e")


def test_times_make_the_duration(row: Callable[[str], Row]) -> None:
    assert row(HEAD + "start=1634049000000 end=1634049002500")["event_duration"] == 2_500_000_000


def test_rejects_say_what_is_missing(parse: Callable[..., Parsed]) -> None:
    parsed = parse("no record", "CEF:0|a|b|c", HEAD + "src=192.0.2.1", "CEF:0|v|p|1|2|n|3")
    errors = sorted(parsed.rejects.column("error").to_pylist())
    assert [error.split(":")[0] for error in errors] == [
        "no CEF record",
        "no time",
        "no time",
        "the CEF header ends early",
    ]


def test_a_million_pairs_take_linear_time(parse: Callable[..., Parsed]) -> None:
    parse(HEAD + "rt=1634049000123 a=b")
    pairs = " ".join(f"k{number}=v" for number in range(1_000_000))
    customs = "cs1=a cs1Label=b " * 100_000
    begin = time.perf_counter()
    parsed = parse(HEAD + "rt=1634049000123 " + pairs, HEAD + "rt=1634049000123 " + customs)
    assert parsed.events.num_rows == 2
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize(
    ("act", "outcome"),
    [("blocked", "failure"), ("not blocked", "success"), ("not allowed", "failure")],
)
def test_a_negated_action_is_the_other_outcome(act: str, outcome: str) -> None:
    said = pa.array([act])
    assert outcome_of(said).to_pylist() == [outcome]
