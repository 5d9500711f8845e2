"""Parquet files as streams of JSON lines: types, places, hostile files."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import secad
from secad.collect.transports.allowance import InflateLimits
from secad.collect.transports.files import Stream, find_streams
from secad.collect.transports.json_writing import quoted
from secad.collect.transports.pieces import PieceReader

MAP = """
dataset = "flows"
[columns]
time = "at"
source_ip = "src.ip"
user_name = "who"
"""


def text_of(path: Path, limits: InflateLimits | None = None) -> tuple[bytes, str | None]:
    streams = find_streams(str(path), limits or InflateLimits())
    stream = next(streams)
    assert isinstance(stream, Stream)
    with stream:
        data = stream.file.read()
        return data, stream.problem()


def objects(path: Path) -> list[dict[str, object]]:
    data, problem = text_of(path)
    assert problem is None
    return [json.loads(line) for line in data.splitlines()]


def test_every_kind_of_column_has_its_json(tmp_path: Path) -> None:
    kept = {
        "time": pa.array([1_700_000_000_123_456], pa.timestamp("us", "Europe/Berlin")),
        "naive": pa.array([1_700_000_000_123], pa.timestamp("ms")),
        "text": pa.array(['a"b\\c\n\x01é']),
        "whole": pa.array([-5], pa.int64()),
        "real": pa.array([1.5]),
        "none": pa.array([float("nan")]),
        "flag": pa.array([True]),
        "bytes": pa.array([b"abc"]),
        "raw": pa.array([b"\xff\x00"]),
        "money": pa.array([Decimal("1.50")], pa.decimal128(10, 2)),
        "nested": pa.array([{"x": 1, "y": {"z": None, "w": "q"}}]),
        "list": pa.array([[1, None, 3]]),
        "objects": pa.array([[{"a": 1}, {"a": None}]]),
        "map": pa.array([[("k", 1), ("l", None)]], pa.map_(pa.string(), pa.int64())),
        "numbered": pa.array([[(1, "x")]], pa.map_(pa.int64(), pa.string())),
        "day": pa.array([date(2024, 1, 2)]),
        "kind": pa.array(["p"]).dictionary_encode(),
        "nothing": pa.nulls(1),
        "pair": pa.array([[1, 2]], pa.list_(pa.int32(), 2)),
        "id": pa.array([bytes(15) + b"\x05"], pa.uuid()),
    }
    pq.write_table(pa.table(kept), tmp_path / "a.parquet")
    (row,) = objects(tmp_path / "a.parquet")
    assert row == {
        "time": "2023-11-14T22:13:20.123456Z",
        "naive": "2023-11-14T22:13:20.123",
        "text": 'a"b\\c\n\x01é',
        "whole": -5,
        "real": 1.5,
        "flag": True,
        "bytes": "abc",
        "raw": "ff00",
        "money": 1.5,
        "nested": {"x": 1, "y": {"w": "q"}},
        "list": [1, None, 3],
        "objects": [{"a": 1}, {}],
        "map": {"k": 1, "l": None},
        "numbered": {"1": "x"},
        "day": "2024-01-02",
        "kind": "p",
        "pair": [1, 2],
        "id": "00000000-0000-0000-0000-000000000005",
    }
    assert list(row) == [name for name in kept if name in row]


def test_nulls_of_nested_columns_keep_their_rows(tmp_path: Path) -> None:
    rows = [
        {"s": {"a": [1]}, "l": [{"b": "x"}], "m": [("k", "v")]},
        {"s": None, "l": None, "m": None},
        {"s": {"a": None}, "l": [], "m": []},
        {"s": {"a": []}, "l": [None], "m": [("k", None)]},
    ]
    schema = pa.schema(
        {
            "s": pa.struct({"a": pa.list_(pa.int64())}),
            "l": pa.list_(pa.struct({"b": pa.string()})),
            "m": pa.map_(pa.string(), pa.string()),
        }
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "a.parquet")
    assert objects(tmp_path / "a.parquet") == [
        {"s": {"a": [1]}, "l": [{"b": "x"}], "m": {"k": "v"}},
        {},
        {"s": {}, "l": [], "m": {}},
        {"s": {"a": []}, "l": [None], "m": {"k": None}},
    ]


def test_strings_are_quoted_as_json_does() -> None:
    text = ["", "plain", 'q"\\/', "".join(map(chr, range(64))), "ü\U0001f600", None]
    found = quoted(pa.array(text).cast(pa.large_binary())).to_pylist()
    assert [one if one is None else json.loads(one) for one in found] == text


def flows(path: Path, rows: int = 30_000) -> None:
    numbers = np.arange(rows)
    source = pa.StructArray.from_arrays(
        [pc.binary_join_element_wise("10.0.0.", pa.array(numbers % 250).cast(pa.string()), "")],
        ["ip"],
    )
    table = pa.table(
        {
            "at": pa.array(1_700_000_000_000_000 + numbers * 1_000_000).cast(
                pa.timestamp("us", "UTC")
            ),
            "src": source,
            "who": pa.array(["ann", "bob", None] * (rows // 3)),
            "note": pa.array(["x" * 20] * rows),
        }
    )
    pq.write_table(table, path, row_group_size=9_000)


def test_rows_come_in_order_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    flows(path)
    data, problem = text_of(path)
    assert problem is None
    assert text_of(path) == (data, None)
    rows = [json.loads(line) for line in data.splitlines()]
    assert [row["src"]["ip"] for row in rows] == [f"10.0.0.{n % 250}" for n in range(30_000)]
    with PieceReader() as reader:
        line = data.splitlines()[20_000]
        assert reader.read(str(path), data.index(line), len(line)) == line


def test_is_ingested_by_a_map_with_nested_paths_and_read_again(tmp_path: Path) -> None:
    flows(tmp_path / "a.parquet")
    (tmp_path / "map.toml").write_text(MAP)
    store = secad.open(tmp_path / "store")
    for outcome in ("ingested", "unchanged"):
        report = store.ingest(
            [str(tmp_path / "a.parquet")], format="jsonl", map_file=tmp_path / "map.toml"
        )
        assert [source.outcome for source in report.sources] == [outcome]
    events = store.events().read_all()
    assert events.num_rows == 30_000
    assert events.column("source_ip").null_count == 0
    assert set(events.column("user_name").to_pylist()) == {"ann", "bob", None}
    row = events.slice(12_345, 1).to_pylist()[0]
    with PieceReader() as reader:
        raw = reader.read(row["source_path"], row["byte_offset"], row["byte_length"])
    assert raw is not None
    assert json.loads(raw)["src"]["ip"] == row["source_ip"]


def test_csv_is_ingested_by_a_map(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("at;who\n2026-11-20T10:00:00Z;ann\n")
    (tmp_path / "map.toml").write_text('delimiter = ";"\n[columns]\ntime = "at"\nuser_name = "who"')
    store = secad.open(tmp_path / "store")
    store.ingest([str(tmp_path / "a.csv")], format="csv", map_file=tmp_path / "map.toml")
    (row,) = store.events().read_all().to_pylist()
    assert (row["user_name"], row["time"]) == ("ann", datetime(2026, 11, 20, 10, tzinfo=UTC))


@pytest.mark.parametrize("pack", ["gz", "zip", "stdin"])
def test_is_read_inside_other_containers(
    tmp_path: Path, pack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip
    import sys
    import zipfile

    flows(tmp_path / "a.parquet", 300)
    plain = (tmp_path / "a.parquet").read_bytes()
    expected, _ = text_of(tmp_path / "a.parquet")
    path = tmp_path / "packed"
    if pack == "gz":
        path.write_bytes(gzip.compress(plain))
    elif pack == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.parquet", plain)
    else:
        monkeypatch.setattr(sys, "stdin", type("Input", (), {"buffer": io.BytesIO(plain)}))
        path = Path("-")
    assert text_of(path) == (expected, None)


def test_a_text_that_begins_like_parquet_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"PAR1 is a word\n")
    assert text_of(tmp_path / "a.log") == (b"PAR1 is a word\n", None)


def test_damage_ends_the_stream_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    flows(path, 3000)
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    for _ in range(60):
        data = bytearray(whole)
        for place in random.integers(4, len(data), 5):
            data[place] = random.integers(256)
        path.write_bytes(
            bytes(data[: random.integers(20, len(data))] if random.random() < 0.3 else data)
        )
        text_of(path)
    path.write_bytes(whole[:-100])
    data_read, problem = text_of(path)
    assert data_read == b""
    assert str(problem).startswith("damaged parquet file: ")
    path.write_bytes(b"PARE" + whole[4:-4] + b"PARE")
    assert "encrypted" in str(text_of(path)[1])


def test_a_row_group_that_expands_beyond_reason_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secad.collect.transports.parquet._MOST_RATIO", 1000)
    path = tmp_path / "a.parquet"
    zeros = pa.array(np.zeros(10_000_000, dtype=np.int64))
    pq.write_table(
        pa.table({"zero": zeros}),
        path,
        compression="zstd",
        use_dictionary=False,
        row_group_size=len(zeros),
    )
    data, problem = text_of(path)
    assert data == b""
    assert "a row group of" in str(problem)


def test_many_rows_of_one_value_end_at_the_ratio(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    value = pa.array(["z" * 1_000_000])
    pq.write_table(pa.table({"z": pa.DictionaryArray.from_arrays([0] * 50_000, value)}), path)
    streams = find_streams(str(path))
    stream = next(streams)
    assert isinstance(stream, Stream)
    before = pa.default_memory_pool().max_memory()
    with stream:
        while stream.file.read(1 << 20):
            pass
        assert "ingest.max_inflated_ratio" in str(stream.problem())
    assert pa.default_memory_pool().max_memory() < before + (2 << 30)
