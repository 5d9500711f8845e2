"""What plain text logs say, and which header a file is read with."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.formats.syslog import Syslog
from secad.collect.formats.text import PlainText

DataFile = Callable[[str], Path]
ANCHOR = datetime(2026, 11, 23, 12, tzinfo=UTC)
HDFS = b"081109 203615 148 INFO dfs.DataNode$PacketResponder: Received block blk_-1 of size 91178"
BGL = b"APPREAD 1117869872 2005.06.04 R04 2005-06-04-00.24.32.432192 R04 RAS APP FATAL ciod: failed"


def parse(raw: bytes, tz: str = "UTC") -> Parsed:
    return PlainText().parse(lines_of(raw), ParseContext(ANCHOR, tz, head=raw[:65536]))


def whole(raw: bytes) -> Parsed:
    """Returns a whole file parsed, however long."""
    pieces = pa.concat_batches([lines_of(line) for line in raw.split(b"\n")])
    return PlainText().parse(pieces, ParseContext(ANCHOR, head=raw[:65536]))


HEADER_OF = {
    "Android": "android",
    "Apache": "apache-error",
    "BGL": "bgl",
    "HDFS": "hdfs",
    "HPC": "hpc",
    "Hadoop": "log4j",
    "Spark": "spark",
    "Windows": "windows-cbs",
    "Zookeeper": "zookeeper",
}


@pytest.mark.parametrize("system", HEADER_OF)
def test_messages_are_those_of_the_labelled_sample(system: str, data_file: DataFile) -> None:
    raw = data_file(f"parsing/loghub_2k/{system}/{system}_2k.log").read_bytes()
    truth = data_file(f"parsing/loghub_2k/{system}/{system}_2k.log_structured.csv")
    with truth.open(encoding="utf-8") as file:
        contents = [row["Content"] for row in csv.DictReader(file)]
    parsed = whole(raw)
    assert parsed.rejects.num_rows == 0
    assert parsed.events["message"].to_pylist() == contents
    assert set(parsed.events["event_provider"].to_pylist()) == {HEADER_OF[system]}
    head = raw[:65536]
    assert PlainText().matches(head) > 0.7
    assert Syslog().matches(head) == 0.0


@pytest.mark.parametrize("system", ["OpenSSH", "Linux"])
def test_syslog_files_are_left_to_syslog(system: str, data_file: DataFile) -> None:
    head = data_file(f"parsing/loghub_2k/{system}/{system}_2k.log").read_bytes()[:65536]
    assert PlainText().matches(head) < Syslog().matches(head)


@pytest.mark.parametrize(
    "name", ["glad/hdfs/HDFS_first20000.log.xz", "glad/bgl/BGL_lines_000001-060000.log.xz"]
)
def test_every_line_of_the_raw_sets_is_an_event(name: str, data_file: DataFile) -> None:
    raw = lzma.decompress(data_file(name).read_bytes())
    records = [line for line in raw.split(b"\n") if line.strip()]
    events, rejects = 0, 0
    for start in range(0, len(records), 500):
        batch = lines_of(b"\n".join(records[start : start + 300]))  # stays below a head
        parsed = PlainText().parse(batch, ParseContext(ANCHOR, head=raw[:65536]))
        events, rejects = events + parsed.events.num_rows, rejects + parsed.rejects.num_rows
    assert rejects == 0
    assert events == sum(len(records[start : start + 300]) for start in range(0, len(records), 500))


def test_labels_of_a_data_set_reach_no_column() -> None:
    parsed = parse(BGL + b"\n" + BGL.replace(b"APPREAD", b"-"))
    rows = parsed.events.to_pylist()
    assert [row.pop("labels") for row in rows] == [[("alert_tag", "APPREAD")], None]
    for row in rows:
        assert "APPREAD" not in str(row.values())
    assert {row["message"] for row in rows} == {"ciod: failed"}


def test_first_block_of_a_message_is_its_session() -> None:
    raw = (
        HDFS
        + b"\n"
        + HDFS.replace(b"blk_-1", b"blk_7 and blk_8")
        + b"\n"
        + HDFS.replace(b"blk_-1", b"x")
    )
    assert parse(raw).events["session_id"].to_pylist() == ["blk_-1", "blk_7", None]


def test_line_without_header_is_rejected_with_a_reason() -> None:
    parsed = parse(HDFS + b"\njava.io.IOException: broken\n\tat java.lang.Thread.run\n\n" + HDFS)
    assert parsed.events.num_rows == 2
    assert parsed.skipped == 1
    assert parsed.rejects["line"].to_pylist() == [2, 3]
    assert set(parsed.rejects["error"].to_pylist()) == {
        "no header: expected the layout 'hdfs', a continuation of the line before?"
    }


def test_text_without_times_is_not_taken() -> None:
    raw = b"hello\nworld 12\nthis is no log"
    assert PlainText().matches(raw) == 0.0
    parsed = parse(raw)
    assert parsed.events.num_rows == 0
    assert parsed.rejects.num_rows == 3


def test_special_layout_wins_over_general_ones() -> None:
    assert PlainText().matches(HDFS) > PlainText().matches(b"2026-11-20 10:00:00 a message")
    stack = b"\n".join([b"2026-11-20 10:00:00,123 INFO [main] a.B: x"] * 3 + [b"\tat x"])
    assert set(parse(stack).events["event_provider"].to_pylist()) == {"log4j"}


def test_looser_form_of_a_layout_is_still_an_event() -> None:
    raw = b"\n".join([b"2026-11-20 10:00:00,123 INFO [main] a.B: x"] * 3)
    parsed = parse(raw + b"\n2026-11-20 10:00:00,123 WARN something else")
    assert parsed.events["message"].to_pylist()[-1] == "something else"
    assert parsed.events["log_logger"].to_pylist()[-1] is None


def test_head_decides_for_every_batch() -> None:
    context = ParseContext(ANCHOR, head=HDFS)
    parsed = PlainText().parse(lines_of(b"2026-11-20 10:00:00 a message"), context)
    assert parsed.events.num_rows == 0
    assert parsed.rejects.num_rows == 1


def test_batch_stands_in_for_an_unknown_head() -> None:
    parsed = PlainText().parse(lines_of(HDFS), ParseContext(ANCHOR))
    assert parsed.events["event_provider"].to_pylist() == ["hdfs"]


def test_times_without_zone_or_year_are_settled() -> None:
    android = b"03-17 16:13:38.811  1702  2395 D Window: x"
    assert parse(android, "Asia/Tokyo").events["time"].to_pylist() == [
        datetime(2026, 3, 17, 7, 13, 38, 811000, tzinfo=UTC)
    ]
    assert parse(android.replace(b"03-17", b"02-30")).rejects.num_rows == 1


def test_path_in_a_web_error_does_not_move_the_address() -> None:
    line = (
        b'2023/11/20 10:00:00 [error] 1#2: *9 open() "/x, client: 192.0.2.1, server: y" failed, '
        b'client: 198.51.100.7, server: s, request: "GET /x HTTP/1.1", host: "h"'
    )
    assert parse(line).events["source_ip"].to_pylist() == ["198.51.100.7"]


SOUP = st.lists(
    st.sampled_from(
        [
            *(HDFS, BGL, b"2026-11-20 10:00:00", b",123", b" INFO ", b"[main] ", b"a.b: ", b"\n"),
            *(
                b"1117838570 ",
                b"- ",
                b"nova-api.log ",
                b"\xff",
                b"\x00",
                b"|",
                b"[",
                b"]",
                b"client: ",
            ),
        ]
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=50, deadline=None)
@given(SOUP | st.binary(max_size=120))
def test_any_bytes_end_in_events_rejects_or_skipped(raw: bytes) -> None:
    lines = lines_of(raw)
    parsed = PlainText().parse(lines, ParseContext(ANCHOR, head=raw))
    total = parsed.events.num_rows + parsed.joined + parsed.rejects.num_rows + parsed.skipped
    assert total == lines.num_rows
    assert 0.0 <= PlainText().matches(raw) <= 1.0
    assert parsed.events["event_action"].null_count == 0


def test_slices_change_nothing() -> None:
    lines = lines_of(b"\n".join([HDFS, b"x", HDFS.replace(b"-1", b"-2")] * 2))
    context = ParseContext(ANCHOR, head=HDFS)
    everything = PlainText().parse(lines, context).events
    part = PlainText().parse(lines.slice(3, 3), context).events
    assert part.equals(everything.slice(2, 2))


def test_no_lines_make_the_same_columns() -> None:
    empty = PlainText().parse(lines_of(b"").slice(0, 0), ParseContext(ANCHOR))
    assert empty.events.schema == parse(HDFS).events.schema
