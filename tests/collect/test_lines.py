"""Lines: every byte belongs to one line, whatever the batches."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from secad.collect.transports.lines import Place, read_lines

LIMIT = 40


def read(data: bytes, batch_bytes: int, start: Place = Place()) -> list[tuple[int, int, bytes]]:  # noqa: B008
    file = io.BytesIO(data)
    file.seek(start.offset)
    rows = []
    end = start
    for batch in read_lines(file, start, batch_bytes=batch_bytes, max_line_bytes=LIMIT):
        for row in batch.lines.to_pylist():
            rows.append((row["line"], row["byte_offset"], row["raw"]))
            assert data[row["byte_offset"] :][: row["byte_length"]] == row["raw"]
        rejects = batch.rejects.to_pylist()
        rows += [(row["line"], row["byte_offset"], b"too long") for row in rejects]
        end = batch.end
        assert batch.tail == data[: end.offset][-len(batch.tail) :]
    assert end.offset in {len(data), 3 * data.startswith(b"\xef\xbb\xbf")}
    assert end.line == len(rows) + start.line
    return sorted(rows)


def expected(data: bytes) -> list[bytes]:
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    last = lines.pop()  # without an ending, so that a return in it is part of it
    lines = [line.removesuffix(b"\r") for line in lines] + ([last] if last else [])
    return [line if len(line) <= LIMIT else b"too long" for line in lines]


BYTES = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"a", b"\xff", b"\r", b"\x00", b"x" * 25, b"y" * 90])
).map(b"".join)


@settings(max_examples=100, deadline=None)
@given(BYTES, st.integers(1, 60))
def test_lines_are_those_of_the_bytes_whatever_the_batches(data: bytes, batch_bytes: int) -> None:
    assert [row[2] for row in read(data, batch_bytes)] == expected(data)


@settings(max_examples=50, deadline=None)
@given(BYTES, st.integers(1, 60))
def test_reading_goes_on_from_any_line(data: bytes, batch_bytes: int) -> None:
    whole = read(data, 1 << 20)
    for line, offset, _ in whole[1:]:
        rest = read(data, batch_bytes, Place(offset, line - 1))
        assert rest == whole[line - 1 :]


def test_byte_order_mark_is_skipped_but_counted() -> None:
    assert read(b"\xef\xbb\xbfab\nc", 10) == [(1, 3, b"ab"), (2, 6, b"c")]


def test_very_long_line_costs_one_reject_and_keeps_its_first_bytes() -> None:
    data = b"a\n" + b"x" * 1_000_000 + b"\nb"
    batches = list(read_lines(io.BytesIO(data), Place(), batch_bytes=1000, max_line_bytes=5000))
    rejects = [row for batch in batches for row in batch.rejects.to_pylist()]
    assert [(row["line"], row["byte_offset"], len(row["raw"])) for row in rejects] == [(2, 2, 4096)]
    assert "1000000 bytes" in rejects[0]["error"]
