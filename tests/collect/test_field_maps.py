from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from secad import plugins
from secad.base.errors import ConfigError
from secad.base.protocols import ParseContext
from secad.collect.field_maps import BUILT_IN_DATASETS, load_field_map, read_times


def write(folder: Path, text: str) -> Path:
    path = folder / "map.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_field_map(write(folder, text))
    return str(caught.value)


TIME = '[columns]\ntime = "ts"\n'


def test_reads_what_a_map_says(tmp_path: Path) -> None:
    text = (
        'dataset = "vpn-1"\ntime_format = "%d.%m.%Y %H:%M"\ndelimiter = "\\t"\n'
        '[columns]\ntime = "ts"\nuser_name = "actor.email"\n'
    )
    made = load_field_map(write(tmp_path, text))
    assert made.columns == {"time": "ts", "user_name": "actor.email"}
    assert (made.time_format, made.delimiter, made.dataset) == ("%d.%m.%Y %H:%M", "\t", "vpn-1")


def test_a_map_needs_no_more_than_the_time(tmp_path: Path) -> None:
    made = load_field_map(write(tmp_path, TIME))
    assert (made.time_format, made.delimiter, made.dataset) == ("auto", ",", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "needs the key 'time' under [columns]"),
        ('[columns]\nuser_name = "u"\n', "needs the key 'time' under [columns]"),
        ("columns = 3\n", "needs the key 'time' under [columns]"),
        (TIME + 'user_nmae = "u"\n', "did you mean 'user_name'?"),
        (TIME + 'user.name = "u"\n', "columns.user: 'user' is no column that a map may fill"),
        (TIME + 'winlog_channel = "c"\n', "'winlog_channel' is no column"),
        (TIME + 'line = "n"\n', "'line' is no column"),
        (TIME + 'labels = "n"\n', "'labels' is no column"),
        (TIME + "user_name = 3\n", "columns.user_name is 3, expected the name of a field"),
        (TIME + 'user_name = ""\n', "columns.user_name is ''"),
        ('delimeter = ";"\n' + TIME, "did you mean 'delimiter'?"),
        ('user_name = "u"\n' + TIME, "put user_name under [columns]"),
        ('delimiter = ";;"\n' + TIME, "delimiter is ';;', expected one ASCII character"),
        ('delimiter = "a"\n' + TIME, "delimiter is 'a'"),
        ('delimiter = "\\""\n' + TIME, "delimiter is '\"'"),
        ("delimiter = 1\n" + TIME, "delimiter is 1"),
        ('time_format = "epoch_sec"\n' + TIME, "did you mean 'epoch_s'?"),
        ('time_format = "%H:%M"\n' + TIME, "it has no year"),
        ('time_format = "%Y %Q"\n' + TIME, "%Q is no directive"),
        ('time_format = "%Y %z x"\n' + TIME, "text after %z"),
        ("time_format = 3\n" + TIME, "time_format is 3"),
        ('dataset = "My Logs"\n' + TIME, "dataset is 'My Logs', expected small letters"),
        ('dataset = "syslog"\n' + TIME, "that of a built-in format"),
        ("[columns\n", "not valid TOML"),
    ],
)
def test_what_is_not_allowed_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "map.toml:2" in refusal(tmp_path, "dataset = 'a'\ntime_format = = 1\n")


def test_a_map_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml' does not exist"):
        load_field_map(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        load_field_map(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_field_map(tmp_path / "binary.toml")


def test_no_map_may_take_the_dataset_of_a_format_without_maps() -> None:
    named = {plugins.format_named(name).dataset for name in plugins.FORMATS}
    assert set(BUILT_IN_DATASETS) == named - {"csv", "jsonl"}


@pytest.mark.parametrize(
    ("time_format", "text"),
    [
        ("auto", "2026-11-20T10:15:00Z"),
        ("auto", "1795169700"),
        ("epoch_s", "1795169700.0"),
        ("epoch_ms", "1795169700000"),
        ("epoch_us", "1795169700000000"),
        ("epoch_ns", "1795169700000000000"),
        ("%d/%m/%Y %H:%M:%S", "20/11/2026 10:15:00"),
    ],
)
def test_reads_times_as_the_map_says(time_format: str, text: str) -> None:
    context = ParseContext(datetime(2026, 11, 21, tzinfo=UTC))
    times = read_times(pa.array([text, "soon", None]), time_format, context)
    assert times.to_pylist() == [datetime(2026, 11, 20, 10, 15, tzinfo=UTC), None, None]
