from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from evtx import PyEvtxParser
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.protocols import ParseContext
from secad.base.schemas import LINES
from secad.collect.columns import lines_of
from secad.collect.formats.evtx import Evtx
from secad.collect.formats.windows import WindowsJson
from secad.collect.text import PARSE_REJECTS
from secad.collect.windows.evtx_chunks import CHUNK_BYTES, HEADER_BYTES

FORM = Evtx()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
SAMPLE = Path(__file__).resolve().parents[2] / "sample_logs" / "evtx.evtx"
WHOLE = SAMPLE.read_bytes()
START = HEADER_BYTES


def read(data: bytes, batch_bytes: int = 1 << 20) -> tuple[list[dict[str, Any]], list[Any]]:
    lines, rejects = [], []
    for batch, damaged in FORM.frames(io.BytesIO(data), batch_bytes):
        assert batch.schema.equals(LINES)
        assert damaged.schema.equals(PARSE_REJECTS)
        lines += batch.to_pylist()
        rejects += damaged.to_pylist()
    return lines, rejects


def reasons(rejects: list[Any]) -> list[tuple[int, str]]:
    return [(reject["byte_offset"], reject["error"]) for reject in rejects]


def patched(place: int, patch: bytes) -> bytes:
    return WHOLE[:place] + patch + WHOLE[place + len(patch) :]


LINES_READ, _ = read(WHOLE)
IN_FIRST = [line for line in LINES_READ if line["byte_offset"] < START + CHUNK_BYTES]
CHUNKS = (len(WHOLE) - START) // CHUNK_BYTES


def test_a_record_is_its_json_with_its_number_and_its_true_place() -> None:
    whole = list(PyEvtxParser(str(SAMPLE)).records_json())
    assert [line["raw"].decode() for line in LINES_READ] == [record["data"] for record in whole]
    assert [line["line"] for line in LINES_READ] == list(range(1, len(whole) + 1))
    for line, record in zip(LINES_READ, whole, strict=True):
        head = WHOLE[line["byte_offset"] :][: line["byte_length"]]
        magic, size, number = struct.unpack_from("<4sIQ", head)
        assert (magic, size, number) == (b"**\0\0", len(head), record["event_record_id"])


@pytest.mark.parametrize("batch_bytes", [1, 100_000, 1 << 30])
def test_the_size_of_batches_changes_nothing(batch_bytes: int) -> None:
    assert read(WHOLE, batch_bytes) == (LINES_READ, [])


def test_records_are_parsed_as_windows_events() -> None:
    [(lines, _)] = FORM.frames(io.BytesIO(WHOLE), 1 << 30)
    parsed = FORM.parse(lines, CONTEXT)
    assert parsed.rejects.num_rows == 0
    assert parsed.events.num_rows == len(LINES_READ)
    assert parsed.events["winlog_record_id"].null_count == 0
    assert parsed.events["host_name"].null_count == 0


def test_a_file_of_only_a_header_or_of_nothing_is_fine() -> None:
    empty = WHOLE[:42] + struct.pack("<H", 0) + WHOLE[44:HEADER_BYTES]
    assert read(empty) == ([], [])
    assert read(b"") == ([], [])


def test_a_cut_file_gives_the_records_before_the_cut_and_says_where_it_ends() -> None:
    cut = IN_FIRST[10]["byte_offset"] + 100
    lines, rejects = read(WHOLE[:cut])
    assert lines == LINES_READ[:10]
    reject, missing = rejects
    assert reject["byte_offset"] == IN_FIRST[10]["byte_offset"]
    assert reject["error"].startswith("the file ends inside chunk 0, after")
    assert reject["raw"] == WHOLE[IN_FIRST[10]["byte_offset"] : cut]
    assert reject["line"] == 11
    assert missing["error"].startswith("the file ends early")


def test_missing_chunks_that_the_header_counts_are_told() -> None:
    lines, rejects = read(WHOLE[: START + CHUNK_BYTES])
    assert lines == IN_FIRST
    assert reasons(rejects) == [
        (
            START + CHUNK_BYTES,
            f"the file ends early: its header counts {CHUNKS} chunks, 1 are there",
        )
    ]


@pytest.mark.parametrize(
    ("junk", "reason"),
    [
        (bytes(CHUNK_BYTES), "chunk 0 is zeros, though the file header counts it"),
        (b"JUNKJUNK", "chunk 0 has no header: expected b'ElfChnk\\x00'"),
    ],
)
def test_a_lost_chunk_is_told_and_the_others_are_read(junk: bytes, reason: str) -> None:
    lines, rejects = read(patched(START, junk))
    assert reasons(rejects) == [(START, reason)]
    assert [line["raw"] for line in lines] == [x["raw"] for x in LINES_READ[len(IN_FIRST) :]]
    assert lines[0]["line"] == 2  # what could not be read counts as one record


def test_zeros_behind_the_last_chunk_are_no_damage() -> None:
    assert read(WHOLE + bytes(2 * CHUNK_BYTES)) == (LINES_READ, [])


@pytest.mark.parametrize("patch", [b"XXXX", b"**\0\0" + bytes(4), b"**\0\0\xff\xff\xff\xff"])
def test_a_broken_record_costs_only_itself(patch: bytes) -> None:
    broken = IN_FIRST[5]
    lines, rejects = read(patched(broken["byte_offset"], patch))
    assert [line["raw"] for line in lines] == [line["raw"] for line in LINES_READ if line != broken]
    size = broken["byte_length"]
    assert reasons(rejects) == [
        (broken["byte_offset"], f"no readable record in {size} bytes of chunk 0")
    ]
    assert rejects[0]["line"] == 6
    assert lines[5]["line"] == 7


def test_a_record_whose_content_is_broken_is_told_or_doubted() -> None:
    place = IN_FIRST[5]["byte_offset"] + 24
    lines, rejects = read(patched(place, b"\xff" * 40))
    assert len(lines) + len(rejects) >= len(LINES_READ)
    assert rejects


def test_a_changed_byte_that_still_reads_is_told_by_the_checksum() -> None:
    text = "FS01".encode("utf-16-le")
    place = WHOLE.index(text, START + 512)
    lines, rejects = read(patched(place, b"G"))
    assert len(lines) == len(LINES_READ)
    assert reasons(rejects) == [
        (START, "the checksum of chunk 0 differs: its records may not be what was written")
    ]


def test_a_broken_file_header_is_told_and_the_chunks_are_read() -> None:
    lines, rejects = read(patched(0, b"JUNKJUNK"))
    assert [line["raw"] for line in lines] == [line["raw"] for line in LINES_READ]
    assert [place for place, _ in reasons(rejects)] == [0]
    assert FORM.matches(patched(0, b"JUNKJUNK")[:65536]) >= 0.9


def test_it_is_recognised_by_its_magic() -> None:
    assert FORM.matches(WHOLE[:65536]) == 1.0
    assert FORM.matches(b'{"Event": {}}\n') == 0
    assert FORM.matches(b"") == 0


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_bytes_make_it_raise_or_lose_count(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, START + 2 * CHUNK_BYTES))
    mangled = bytearray(WHOLE[:size])
    for _ in range(data.draw(st.integers(0, 4))):
        patch = data.draw(st.binary(max_size=12))
        place = data.draw(st.integers(0, max(size, 1)))
        mangled[place : place + len(patch)] = patch
    lines, rejects = read(bytes(mangled))
    numbers = sorted(row["line"] for row in (*lines, *rejects))
    assert numbers == list(range(1, len(numbers) + 1))
    offsets = [line["byte_offset"] for line in lines]
    assert offsets == sorted(set(offsets))


def test_the_attack_samples_are_read_whole(data_file: Callable[[str], Path]) -> None:
    archive = data_file("parsing/evtx/evtx_attack_samples.tar.xz")
    files = 0
    with tarfile.open(archive) as members:
        for member in members:
            if not member.name.endswith(".evtx"):
                continue
            content = members.extractfile(member)
            assert content is not None
            data = content.read()
            records = list(PyEvtxParser(io.BytesIO(data)).records_json())
            [(lines, rejects)] = FORM.frames(io.BytesIO(data), 1 << 24)
            parsed = FORM.parse(lines, CONTEXT)
            assert rejects.num_rows == parsed.rejects.num_rows == 0, member.name
            assert parsed.events.num_rows == len(records)
            files += 1
    assert files == 259


def test_regression_events_are_the_same_from_evtx_and_from_json(
    data_file: Callable[[str], Path],
) -> None:
    archive = data_file("parsing/sigma/sigma_regression_dev.tar.xz")
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(archive) as members:
        for member in members:
            path = Path(member.name)
            if path.suffix in {".evtx", ".json"}:
                content = members.extractfile(member)
                assert content is not None
                found.setdefault(str(path.with_suffix("")), {})[path.suffix] = content.read()
    pairs = [pair for pair in found.values() if len(pair) == 2]
    assert len(pairs) > 90
    for pair in pairs:
        theirs = WindowsJson().parse(lines_of(one_a_line(pair[".json"])), CONTEXT).events
        [(lines, _)] = FORM.frames(io.BytesIO(pair[".evtx"]), 1 << 24)
        ours = FORM.parse(lines, CONTEXT).events
        names = [name for name in theirs.column_names if name not in LINES.names]
        assert plain(theirs.select(names)) == plain(ours.select(names))


def plain(events: pa.Table) -> list[dict[str, Any]]:
    """Returns rows to compare: the published JSON is trimmed, and one value has another case."""
    return [
        {
            **{name: x.strip().lower() if isinstance(x, str) else x for name, x in row.items()},
            "labels": sorted(key for key, _ in row["labels"]),
        }
        for row in events.to_pylist()
    ]


def one_a_line(text: bytes) -> bytes:
    """Returns JSON objects over several lines as JSON lines."""
    rest, lines = text.decode("utf-8-sig").strip(), []
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        lines.append(json.dumps(value).encode())
        rest = rest[end:].strip()
    return b"\n".join(lines)
