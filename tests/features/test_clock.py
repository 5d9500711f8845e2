"""Which times a clock reads, and which it does not take for one."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.compiled import kernel
from secad.base.errors import ConfigError
from secad.features.clock import compile_clock, in_year
from secad.features.clock_read import FIELDS, YEARLESS, ZONED, Reader, instant, read_time
from secad.features.spans import Places, buffer_of

MICROS = 1_000_000


@kernel
def read_all(reader: Reader, start: int, end: int) -> int:
    """Reads by the whole program; only kernels can call ``read_time``."""
    return read_time(reader, start, end, 0, len(reader.code))


@kernel
def instant_of(fields: Places) -> int:
    return instant(fields)


def read(pattern: str, text: str) -> tuple[datetime, str, bool] | None:
    """Returns the time, what stands behind it, and whether it is UTC."""
    data, ends = buffer_of(pa.array([text + "#"]))
    fields = np.zeros(FIELDS, dtype=np.int64)
    code = compile_clock(pattern)
    end = int(ends[1]) - 1
    stop = read_all(Reader(data, code, fields), int(ends[0]), end)
    if stop < 0:
        return None
    time = datetime.fromtimestamp(0, UTC) + np.timedelta64(instant_of(fields), "us").item()
    return time.replace(tzinfo=None), bytes(data[stop:end]).decode(), bool(fields[ZONED])


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("iso", "2026-11-20T10:00:00", ("2026-11-20T10:00:00", "", False)),
        ("iso", "2026-11-20 10:00:00,123 x", ("2026-11-20T10:00:00.123", " x", False)),
        ("iso", "2026-11-20T10:00:00.123456+01:00 x", ("2026-11-20T09:00:00.123456", " x", True)),
        ("iso", "2026-11-20T10:00:00.123456789Z", ("2026-11-20T10:00:00.123456", "", True)),
        ("iso", "2026-11-20T10:00Z", ("2026-11-20T10:00:00", "", True)),
        ("iso", "2026-11-20 10:00:00 UTC x", ("2026-11-20T10:00:00", " x", True)),
        ("iso", "2026-11-20 10:00:00 -0530 x", ("2026-11-20T15:30:00", " x", True)),
        ("iso", "2026-11-20 10:00:00 -05 x", ("2026-11-20T10:00:00", " -05 x", False)),
        ("iso", "2026-11-20 10:00:00 Zebra", ("2026-11-20T10:00:00", " Zebra", False)),
        ("iso", "2026-11-20 10:00:00, Info", ("2026-11-20T10:00:00", ", Info", False)),
        ("iso", "2026-02-29 10:00:00", None),
        ("iso", "2024-02-29 10:00:00", ("2024-02-29T10:00:00", "", False)),
        ("iso", "2026-13-01 10:00:00", None),
        ("iso", "2026-11-20 24:00:00", None),
        ("iso", "2026-11-20", None),
        ("iso", "0001-11-20 10:00:00", None),
        ("syslog", "Dec 10 06:55:46 h", ("2000-12-10T06:55:46", " h", False)),
        ("syslog", "Mar  6 04:05:19", ("2000-03-06T04:05:19", "", False)),
        ("syslog", "mar 6 04:05:19.25", ("2000-03-06T04:05:19.25", "", False)),
        ("syslog", "Oct 11 2023 22:14:15 h", ("2023-10-11T22:14:15", " h", False)),
        ("syslog", "Foo 11 22:14:15", None),
        ("%y%m%d %H%M%S", "081109 203615 148", ("2008-11-09T20:36:15", " 148", False)),
        ("%y%m%d %H%M%S", "691109 203615", ("1969-11-09T20:36:15", "", False)),
        (
            "%a %b %e %H:%M:%S.%f %Y",
            "Fri Jun  3 11:18:32.111 2022",
            ("2022-06-03T11:18:32.111", "", False),
        ),
        ("%Y%m%d-%H:%M:%S:%L", "20171223-2:5:9:6|", ("2017-12-23T02:05:09.006", "|", False)),
        ("%d/%m/%Y %H.%M %z", "3/1/2020 7.05 +0200", ("2020-01-03T05:05:00", "", True)),
        ("%s", "1117838570 x", ("2005-06-03T22:42:50", " x", True)),
        ("%s", "11178385", None),
        ("%H:%M", "10:20", ("1970-01-01T10:20:00", "", False)),
    ],
)
def test_clock_reads(pattern: str, text: str, expected: tuple[str, str, bool] | None) -> None:
    got = read(pattern, text)
    if expected is None:
        assert got is None
    else:
        assert got == (datetime.fromisoformat(expected[0]), *expected[1:])


@settings(max_examples=50, deadline=None)
@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2261, 12, 31)))
def test_every_time_is_read_back(time: datetime) -> None:
    assert read("iso", time.isoformat(" ")) == (time, "", False)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["iso", "syslog", "%b %d %H:%M:%S.%f %z", "%s"]))
def test_any_text_is_a_time_or_none(text: str, pattern: str) -> None:
    read(pattern, text)


@pytest.mark.parametrize(
    ("time", "year", "expected"),
    [
        ("2000-02-28T10:00:00", 2023, "2023-02-28T10:00:00"),
        ("2000-03-01T10:00:00", 2023, "2023-03-01T10:00:00"),
        ("2000-12-31T10:00:00", 2024, "2024-12-31T10:00:00"),
        ("2000-02-29T10:00:00", 2024, "2024-02-29T10:00:00"),
        ("2000-02-29T10:00:00", 2023, None),
        ("2000-02-29T10:00:00", 2100, None),
    ],
)
def test_year_is_put_behind_the_day(time: str, year: int, expected: str | None) -> None:
    given_time = np.array([np.datetime64(time, "us")]).astype(np.int64)
    moved, exists = in_year(given_time, year)
    assert exists.tolist() == [expected is not None]
    if expected:
        assert moved.astype("datetime64[us]")[0] == np.datetime64(expected)


def test_yearless_times_say_so() -> None:
    data, ends = buffer_of(pa.array(["Dec 10 06:55:46"]))
    fields = np.zeros(FIELDS, dtype=np.int64)
    code = compile_clock("syslog")
    read_all(Reader(data, code, fields), 0, int(ends[1]))
    assert fields[YEARLESS] == 1


@pytest.mark.parametrize("pattern", ["%Q", "%", "abc", ""])
def test_format_that_reads_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="time format"):
        compile_clock(pattern)
