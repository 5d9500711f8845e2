from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ConfigError, SchemaError, SourceError
from secad.base.escapes import visible
from secad.base.iso_times import iso_column
from secad.base.json_text import hex_column, json_column, json_rows
from secad.base.rows import FORMS, write_file, write_rows

EVERY_TYPE = pa.schema(
    [
        ("text", pa.string()),
        ("number", pa.int64()),
        ("small", pa.int8()),
        ("share", pa.float64()),
        ("flag", pa.bool_()),
        ("id", pa.binary(4)),
        ("blob", pa.binary()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("words", pa.list_(pa.string())),
        ("things", pa.list_(pa.struct([("a", pa.string()), ("b", pa.float64())]))),
        ("labels", pa.map_(pa.string(), pa.string())),
        ("empty", pa.null()),
    ]
)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
hostile = st.text(
    st.sampled_from("a=+-@'\",;\\\t\r\n\x00\x1b\x07\x9b\u202e\u2028\u200bé😀＝1."), max_size=8
)
number = st.floats(allow_nan=False, allow_infinity=False)
time = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
row = st.fixed_dictionaries(
    {
        "text": st.none() | text | hostile,
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "small": st.none() | st.integers(-128, 127),
        "share": st.none() | number,
        "flag": st.none() | st.booleans(),
        "id": st.none() | st.binary(min_size=4, max_size=4),
        "blob": st.none() | st.binary(max_size=6),
        "time": st.none() | time,
        "words": st.none() | st.lists(st.none() | hostile, max_size=3),
        "things": st.none()
        | st.lists(
            st.none() | st.fixed_dictionaries({"a": st.none() | text, "b": st.none() | number}),
            max_size=3,
        ),
        "labels": st.none() | st.dictionaries(text | hostile, st.none() | text, max_size=3),
        "empty": st.none(),
    }
)
tables = st.lists(row, max_size=6).map(
    lambda rows: pa.Table.from_pylist(
        [{**one, "labels": one["labels"] and list(one["labels"].items())} for one in rows],
        schema=EVERY_TYPE,
    )
)


def written(rows: pa.Table, form: str, *, terminal: bool = False) -> bytes:
    stream = io.BytesIO()
    assert write_rows(rows, form, stream, terminal=terminal) == rows.num_rows
    assert not stream.closed
    return stream.getvalue()


def as_json(value: Any) -> Any:
    """What a value looks like once it went through JSON."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.strftime(f"{value.year:04}-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):
            return {key: as_json(item) for key, item in value}
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return value


def expected(table: pa.Table) -> list[dict[str, Any]]:
    rows = [{key: as_json(value) for key, value in one.items()} for one in table.to_pylist()]
    for one in rows:
        one["labels"] = {} if one["labels"] == [] else one["labels"]
    return rows


@settings(max_examples=50, deadline=None)
@given(tables)
def test_ndjson_says_what_the_table_holds(table: pa.Table) -> None:
    lines = written(table, "ndjson").decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == expected(table)


@settings(max_examples=25, deadline=None)
@given(tables)
def test_json_is_one_envelope(table: pa.Table) -> None:
    assert json.loads(written(table, "json")) == {"schema_version": 1, "rows": expected(table)}


@settings(max_examples=25, deadline=None)
@given(tables, st.integers(0, 6))
def test_slices_are_written_like_copies(table: pa.Table, start: int) -> None:
    part = table.slice(start)
    copy = pa.Table.from_pylist(part.to_pylist(), schema=EVERY_TYPE)
    for form in FORMS[:4]:
        assert written(part, form) == written(copy, form)


def unguarded(cell: str) -> str:
    return cell[1:] if re.match(r"''*[=+\-@\t\r\n＝＋－＠]", cell) else cell


@settings(max_examples=50, deadline=None)
@given(tables)
def test_csv_gives_the_texts_back(table: pa.Table) -> None:
    content = written(table, "csv").decode()
    head, *rows = csv.reader(io.StringIO(content, newline=""))
    assert head == table.column_names
    place = head.index("text")
    cells = [unguarded(cells[place]) for cells in rows]
    assert cells == [value or "" for value in table.column("text").to_pylist()]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3+cmd", "'-2+3+cmd"),
        ("'=1", "''=1"),
        ("\t=1", "'\t=1"),
        ("-", "-"),
        ("-13", "-13"),
        ("+1.5", "+1.5"),
        ("a=b", "a=b"),
        ("'quoted'", "'quoted'"),
    ],
)
def test_csv_starts_no_formula(value: str, cell: str) -> None:
    content = written(pa.table({"text": [value]}), "csv").decode()
    assert list(csv.reader(io.StringIO(content, newline=""))) == [["text"], [cell]]


def test_csv_tells_null_from_empty_text() -> None:
    assert written(pa.table({"a": ["", None]}), "csv") == b'"a"\n""\n\n'


@settings(max_examples=50, deadline=None)
@given(tables, st.booleans())
def test_table_sends_no_unseen_character(table: pa.Table, terminal: bool) -> None:
    shown = written(table, "table", terminal=terminal).decode()
    if terminal:
        shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)  # rich's own colours
    unseen = [mark for mark in shown if unicodedata.category(mark) in ("Cc", "Cf", "Zl", "Zp")]
    assert set(unseen) <= {"\n"}


def test_json_and_terminal_csv_send_no_unseen_character() -> None:
    table = pa.table({"text": ["\x1b]0;owned\x07\x9b2J\u202egpj.exe\r\n"]})
    for form in ("json", "ndjson", "csv"):
        shown = written(table, form, terminal=True).decode()
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(shown)


def test_forged_row_stays_one_row_of_the_table() -> None:
    table = pa.table({"id": [1, 2], "text": ["x\n3  forged", "\x1b[31mred"]})
    assert written(table, "table").decode().splitlines() == [
        "id  text",
        " 1  x\\n3  forged",
        " 2  \\x1b[31mred",
    ]


def test_table_shows_markup_as_it_is() -> None:
    shown = written(
        pa.table({"text": ["[bold red]no[/] :boom: [link=x]y"]}), "table", terminal=True
    )
    assert "[bold red]no[/] :boom: [link=x]y" in shown.decode()


def test_terminal_table_cuts_nothing() -> None:
    long = "x" * 500
    shown = written(pa.table({"a": [long], "b": [long]}), "table", terminal=True).decode()
    assert shown.count("x") == 1000


def test_table_aligns_blocks_alike_and_shortens_numbers() -> None:
    table = pa.table({"p": [0.000012345678, None, math.nan], "time": [0, 1, None]})
    table = table.set_column(1, "time", table.column(1).cast(pa.timestamp("us", "UTC")))
    assert written(table, "table").decode() == (
        "        p  time\n"
        "1.235e-05  1970-01-01T00:00:00Z\n"
        "           1970-01-01T00:00:00.000001Z\n"
        "      nan\n"
    )


@pytest.mark.parametrize("form", FORMS)
def test_no_rows_still_say_their_columns(form: str) -> None:
    content = written(EVERY_TYPE.empty_table(), form)
    if form == "ndjson":
        assert content == b""
    elif form == "json":
        assert json.loads(content) == {"schema_version": 1, "rows": []}
    else:
        assert b"number" in content


@pytest.mark.parametrize("form", FORMS)
def test_reader_and_chunks_are_written_like_one_table(form: str) -> None:
    whole = pa.table({"a": range(40_000), "b": [f"value {row}" for row in range(40_000)]})
    chunks = pa.concat_tables([whole.slice(0, 7), whole.slice(7)])
    out = io.BytesIO()
    write_rows(whole.to_reader(max_chunksize=100_000), form, out, terminal=False)
    assert written(whole, form) == written(chunks, form) == out.getvalue()


def test_parquet_keeps_types() -> None:
    table = pa.Table.from_pylist([{"id": b"1234", "text": "=1"}], schema=EVERY_TYPE)
    assert pq.read_table(io.BytesIO(written(table, "parquet"))).equals(table)


def test_rows_of_many_bytes_are_split() -> None:
    table = pa.table({"text": ["x" * 6_000_000] * 8})
    assert len(written(table, "ndjson")) == 8 * (6_000_000 + len('{"text":""}\n'))


def test_numbers_that_json_lacks_become_null() -> None:
    values = json_column(pa.array([math.nan, math.inf, -math.inf, 1e300]))
    assert values.to_pylist() == ["null", "null", "null", "1e+300"]


def test_type_without_a_json_form_is_a_schema_error() -> None:
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(SchemaError, match="union"):
        json_column(union)


def test_rows_without_columns_are_empty_objects() -> None:
    batch = pa.record_batch({"a": [1, 2]})
    assert json_rows(batch.select([])).to_pylist() == ["{}", "{}"]


def test_columns_of_nulls_keep_their_keys() -> None:
    batch = pa.record_batch({"a": pa.nulls(2, pa.string()), "b": [1, 2], "c": pa.nulls(2)})
    rows = ['{"a":null,"b":1,"c":null}', '{"a":null,"b":2,"c":null}']
    assert json_rows(batch).to_pylist() == rows
    assert json_rows(batch.select(["a"])).to_pylist() == ['{"a":null}'] * 2


def test_hex_reads_slices_and_nulls() -> None:
    values = pa.array([b"\x00\xff", None, b"", b"\x10"])
    assert hex_column(values[1:]).to_pylist() == [None, "", "10"]
    assert hex_column(pa.array([b"\x0a\x0b"], pa.binary(2))).to_pylist() == ["0a0b"]
    assert hex_column(pa.array([], pa.binary())).to_pylist() == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | time, max_size=5))
def test_times_read_back(times: list[datetime | None]) -> None:
    shown = iso_column(pa.array(times, pa.timestamp("us", "UTC"))).to_pylist()
    assert [one and datetime.fromisoformat(one) for one in shown] == times


def test_times_beyond_year_9999_are_still_written() -> None:
    assert iso_column(pa.array([2**59], pa.timestamp("us"))).to_pylist() == [
        "20237-04-25T10:45:03.423488Z"
    ]


def test_visible_writes_out_each_unseen_character() -> None:
    assert (
        visible("a\x00\x1b\x85\u202e\U000e0041é😀\\") == "a\\x00\\x1b\\x85\\u202e\\U000e0041é😀\\"
    )


def test_unknown_form_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="form 'xml' is not known, known are table, json"):
        write_rows(pa.table({}), "xml", io.BytesIO())


def test_parquet_is_not_sent_to_a_terminal() -> None:
    with pytest.raises(ConfigError, match="not for a terminal"):
        write_rows(pa.table({"a": [1]}), "parquet", io.BytesIO(), terminal=True)


def test_file_is_not_overwritten_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_file(pa.table({"a": [1]}), "csv", path)
    with pytest.raises(ConfigError, match=r"exists already; add --force"):
        write_file(pa.table({"a": [2]}), "csv", path)
    assert path.read_text() == '"a"\n1\n'
    write_file(pa.table({"a": [2]}), "csv", path, overwrite=True)
    assert path.read_text() == '"a"\n2\n'
    assert [one.name for one in tmp_path.iterdir()] == ["rows.csv"]


def test_file_that_fails_midway_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text("old")
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(SchemaError):
        write_file(pa.table({"a": union}), "json", path, overwrite=True)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["rows.json"]


def test_places_that_are_no_file_are_config_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a regular file"):
        write_file(pa.table({"a": [1]}), "csv", tmp_path, overwrite=True)
    with pytest.raises(ConfigError, match="is not there"):
        write_file(pa.table({"a": [1]}), "csv", tmp_path / "absent" / "rows.csv")


def test_file_that_cannot_be_written_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be written: File name too long"):
        write_file(pa.table({"a": [1]}), "csv", tmp_path / ("x" * 250))
