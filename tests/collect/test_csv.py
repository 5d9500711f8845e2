from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ConfigError
from secad.base.protocols import FieldMap, ParseContext, Parsed
from secad.collect.formats.csv import Csv

ANCHOR = datetime(2026, 11, 20, tzinfo=UTC)
MakeLines = Callable[[list[bytes]], pa.RecordBatch]
Parse = Callable[..., Parsed]


@pytest.fixture
def parse(make_lines: MakeLines) -> Parse:
    def made(text: bytes, field_map: FieldMap | None = None) -> Parsed:
        lines = text.split(b"\n")
        context = ParseContext(ANCHOR, head=text[: 1 << 16], field_map=field_map)
        return Csv().parse(make_lines(lines), context)

    return made


def rows(parsed: Parsed) -> list[dict[str, object]]:
    place = {"line", "byte_offset", "byte_length"}
    return [
        {
            name: value
            for name, value in row.items()
            if value not in (None, []) and name not in place
        }
        for row in parsed.events.to_pylist()
    ]


T1, T2 = (datetime(2026, 11, 19, 10, minute, tzinfo=UTC) for minute in (0, 1))


def test_reads_columns_by_their_names(parse: Parse) -> None:
    parsed = parse(
        b"Time,User,Src IP,dst.port,Action,Message,Bytes\n"
        b'2026-11-19T10:00:00Z,ann,192.0.2.1,443,login,"a ""b"", c",12\n'
        b"2026-11-19 10:01:00,-,,x,,plain,\n"
    )
    assert parsed.rejects.to_pylist() == []
    assert parsed.skipped == 2  # the header, and what stands behind the last line ending
    assert rows(parsed) == [
        {
            "time": T1,
            "user_name": "ann",
            "source_ip": "192.0.2.1",
            "destination_port": 443,
            "event_action": "login",
            "message": 'a "b", c',
            "labels": [("Bytes", "12")],
        },
        {"time": T2, "event_action": "csv", "message": "plain", "labels": [("dst.port", "x")]},
    ]


def test_reads_columns_by_a_map(parse: Parse) -> None:
    field_map = FieldMap(
        {"time": "when", "user_name": "who", "event_action": "what"},
        time_format="%d.%m.%Y %H:%M",
        delimiter=";",
    )
    parsed = parse(b"when;who;what;where\n19.11.2026 10:00;ann;open;a,b\nsoon;bob;x;y", field_map)
    assert rows(parsed) == [
        {"time": T1, "user_name": "ann", "event_action": "open", "labels": [("where", "a,b")]}
    ]
    (late,) = parsed.rejects.to_pylist()
    assert (late["line"], late["error"]) == (3, "no time in the field 'when'")


def test_lines_with_other_numbers_of_fields_are_rejected(parse: Parse) -> None:
    text = (
        b"time,a,b\n1795082400,1,2\n1795082400,1\n1795082400,1,2,3\n"
        b'1795082400,"1\n2",2\n1795082400,"x,y",2\n\xff,,\n'
    )
    parsed = parse(text)
    assert parsed.events["line"].to_pylist() == [2, 7]
    assert parsed.events["byte_offset"].to_pylist() == [9, text.index(b'1795082400,"x')]
    reasons = parsed.rejects.sort_by("line")["error"].to_pylist()
    assert reasons == [
        "expected 3 fields, found 2",
        "expected 3 fields, found 4",
        "a quote is not closed; a record over several lines cannot be read",
        "expected 3 fields, found 2",
        "not valid UTF-8",
    ]


def test_names_that_are_missing_or_twice_are_made_up(parse: Parse) -> None:
    parsed = parse(b"time,,x,x\n1795082400,1,2,3\n")
    assert rows(parsed)[0]["labels"] == [("column_2", "1"), ("x", "2"), ("x_4", "3")]


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_recognises_its_separator(parse: Parse, delimiter: bytes) -> None:
    text = b"\xef\xbb\xbf\r\nts,host,user\r\n1795082400,web,ann\r\n1795082460,web,bob\r\n"
    text = text.replace(b",", delimiter)
    assert Csv().matches(text) == pytest.approx(0.6)
    assert [row["user_name"] for row in rows(parse(text.removeprefix(b"\xef\xbb\xbf")))] == [
        *("ann", "bob"),
    ]


def test_the_time_is_the_field_that_holds_times(parse: Parse) -> None:
    parsed = parse(b"date,time,timestamp\n2026-11-19,10:00:00,1795082400\n")
    assert rows(parsed)[0]["time"] == T1


def test_a_date_and_a_clock_tell_the_time_together(parse: Parse) -> None:
    parsed = parse(b'LineId,Date~,Time~,Message@\n1,2026-11-19,"10:01:00,000",x\n')
    assert rows(parsed) == [
        {"time": T2, "event_action": "csv", "message": "x", "labels": [("LineId", "1")]}
    ]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n\n",
        b"time,user\n",
        b"user,host\nann,web\n",
        b"date,time,user\n20261119,10:00:00,ann\n",
        b'{"time": "2026-11-19T10:00:00Z", "user": "ann"}\n' * 3,
        b'192.0.2.1 - - [06/Mar/2005:05:28:52 -0500] "GET /,;| HTTP/1.1" 200 -\n' * 3,
        b"Nov 19 10:00:00 web sshd[1]: a, b, c\n" * 3,
        b"time\n2026-11-19T10:00:00Z\n",
        b"\xff\x00,\n,,\n",
    ],
)
def test_is_not_sure_of_anything_else(head: bytes) -> None:
    assert Csv().matches(head) == 0


def test_a_file_whose_time_is_not_known_needs_a_map(parse: Parse) -> None:
    with pytest.raises(ConfigError, match=r"no field .* user, host; name it in a map:  --map"):
        parse(b"user,host\nann,web\n")


def test_a_map_that_does_not_fit_the_header_is_told(parse: Parse) -> None:
    with pytest.raises(ConfigError, match=r"columns.user_name .*'usr'.*did you mean 'user'"):
        parse(b"ts,user\n1,a\n", FieldMap({"time": "ts", "user_name": "usr"}))
    with pytest.raises(ConfigError, match="is the delimiter right"):
        parse(b"ts;user\n1;a\n", FieldMap({"time": "ts"}))


def test_blank_files_have_no_events(parse: Parse) -> None:
    for text in (b"", b"\n\n"):
        parsed = parse(text)
        assert (parsed.events.num_rows, parsed.rejects.num_rows) == (0, 0)


def test_reads_alerts_of_a_real_testbed(
    data_file: Callable[[str], Path], make_lines: MakeLines
) -> None:
    path = data_file("car/ait_ads/russellmitchell_alerts.csv.xz")
    with lzma.open(path) as file:
        text = file.read(1 << 18)
    lines = text.split(b"\n")[:-1]
    parsed = Csv().parse(make_lines(lines), ParseContext(ANCHOR, head=text[: 1 << 16]))
    assert (parsed.events.num_rows, parsed.skipped) == (len(lines) - 1, 1)
    first = rows(parsed)[0]
    assert first["time"] == datetime.fromtimestamp(1642723347, UTC)
    assert (first["host_name"], first["source_ip"]) == ("mail", "172.19.130.4")


VALUES = st.text(st.sampled_from('ab",;é '), max_size=6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(VALUES, min_size=2, max_size=2), min_size=1, max_size=6))
def test_reads_what_the_standard_library_writes(cells: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "a", "b"])
    writer.writerows([["1795082400", *row] for row in cells])
    data = text.getvalue().encode()
    parsed = Csv().parse(batch_of(data.split(b"\n")[:-1]), ParseContext(ANCHOR, head=data))
    labels = [dict(row) for row in parsed.events["labels"].to_pylist()]
    assert labels == [
        {name: value for name, value in zip("ab", row, strict=True) if value} for row in cells
    ]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(st.sampled_from('ab,"\r \x00é-1')).map(lambda t: t.encode()), max_size=8),
    st.booleans(),
)
def test_every_line_ends_in_one_place(lines: list[bytes], mapped: bool) -> None:
    head = b"time,user\n1795082400,ann\n"
    field_map = FieldMap({"time": "time", "source_port": "user"}) if mapped else None
    batch = batch_of(lines)
    parsed = Csv().parse(batch, ParseContext(ANCHOR, head=head, field_map=field_map))
    parsed.events.validate(full=True)
    assert len(lines) == parsed.events.num_rows + parsed.rejects.num_rows + parsed.skipped


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_no_head_is_too_odd(head: bytes) -> None:
    assert 0 <= Csv().matches(head) <= 0.6


def batch_of(lines: list[bytes]) -> pa.RecordBatch:
    lengths = [len(line) for line in lines]
    return pa.record_batch(
        {
            "raw": pa.array(lines, pa.binary()),
            "line": pa.array(range(1, len(lines) + 1), pa.int64()),
            "byte_offset": pa.array([sum(lengths[:row]) for row in range(len(lines))], pa.int64()),
            "byte_length": pa.array(lengths, pa.int64()),
        }
    )
