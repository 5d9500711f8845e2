"""Times: the writings that logs use, and what is no time."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ConfigError
from secad.collect import times

ANCHOR = datetime(2026, 1, 3, 12, tzinfo=UTC)


def read(parsed: pa.Array) -> list[str | None]:
    return [
        None if time is None else time.strftime("%Y-%m-%d %H:%M:%S.%f")
        for time in parsed.to_pylist()
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T10:15:00.123456+01:00", "2026-11-20 09:15:00.123456"),
        ("2026-11-20 10:15:00,123", "2026-11-20 09:15:00.123000"),
        ("2026-11-20T10:15Z", "2026-11-20 10:15:00.000000"),
        ("2026-11-20T10:15:00-0230", "2026-11-20 12:45:00.000000"),
        ("2026-11-20T10:15:00.123456789Z", "2026-11-20 10:15:00.123456"),
        ("2026-03-29T02:30:00", "2026-03-29 01:00:00.000000"),  # skipped by the clock change
        ("2026-10-25T02:30:00", "2026-10-25 00:30:00.000000"),  # happens twice: the earlier
        ("2026-02-30T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("0000-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_iso(text: str, expected: str | None) -> None:
    assert read(times.parse_iso(pa.array([text]), "Europe/Rome")) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jan  2 06:55:46", "2026-01-02 06:55:46.000000"),
        ("Jan  4 06:55:46", "2026-01-04 06:55:46.000000"),  # within a day of the file's date
        ("Jan 20 06:55:46", "2025-01-20 06:55:46.000000"),
        ("Dec 31 23:59:59.25", "2025-12-31 23:59:59.250000"),
        ("feb 29 00:00:00", "2024-02-29 00:00:00.000000"),
        ("Feb 30 00:00:00", None),
        ("Xyz 1 00:00:00", None),
    ],
)
def test_times_without_a_year_take_it_from_the_files_date(text: str, expected: str | None) -> None:
    assert read(times.parse_syslog(pa.array([text]), "UTC", ANCHOR)) == [expected]


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("1642723741.072", "s", "2022-01-21 00:09:01.072000"),
        ("1642723741072.5", "ms", "2022-01-21 00:09:01.072500"),
        ("1642723741072001", "us", "2022-01-21 00:09:01.072001"),
        ("1642723741072001999", "ns", "2022-01-21 00:09:01.072001"),
        ("99999999999999999", "s", None),
        ("-500000", "s", None),
        ("1e9", "s", None),
    ],
)
def test_epochs(text: str, unit: str, expected: str | None) -> None:
    assert read(times.parse_epoch(pa.array([text]), unit)) == [expected]


def test_web_log_times_carry_their_zone() -> None:
    parsed = times.parse_clf(pa.array(["06/Mar/2005:05:28:52 -0500", "6/Mar/2005"]), "UTC")
    assert read(parsed) == ["2005-03-06 10:28:52.000000", None]


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("081109 203615", "%y%m%d %H%M%S", "2008-11-09 20:36:15.000000"),
        ("2005-06-03-15.42.50.675872", "%Y-%m-%d-%H.%M.%S.%f", "2005-06-03 15:42:50.675872"),
        ("20.11.2026 10:15 +0100", "%d.%m.%Y %H:%M %z", "2026-11-20 09:15:00.000000"),
        ("nothing", "%Y", None),
    ],
)
def test_patterns(text: str, pattern: str, expected: str | None) -> None:
    assert read(times.parse_pattern(pa.array([text]), pattern, "UTC")) == [expected]


def test_any_writing_is_found() -> None:
    texts = [
        "1642723741.5",
        "1642723741500",
        "2022-01-21T00:09:01.5Z",
        "21/Jan/2022:00:09:01 +0000",
    ]
    found = read(times.parse_any(pa.array(texts), "UTC", ANCHOR))
    assert found == ["2022-01-21 00:09:01.500000"] * 3 + ["2022-01-21 00:09:01.000000"]


def test_twelve_hours_follow_month_and_day() -> None:
    texts = [
        "1/9/2007 9:41:00 AM",
        "01/09/2007 12:00:00 AM",
        "1/9/2007, 12:05:06.5 pm",
        "1/9/2007 10:41:00 AM +01:00",
        "13/9/2007 9:41:00 AM",
        "1/9/2007 13:41:00 PM",
    ]
    assert read(times.parse_any(pa.array(texts), "UTC", ANCHOR)) == [
        "2007-01-09 09:41:00.000000",
        "2007-01-09 00:00:00.000000",
        "2007-01-09 12:05:06.500000",
        "2007-01-09 09:41:00.000000",
        None,
        None,
    ]


ISO = st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:?\d\d)?", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=40),
            st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:?\d\d)?", fullmatch=True),
        )
    )
)
def test_no_text_raises(texts: list[str | None]) -> None:
    array = pa.array(texts, pa.string())
    for parsed in (
        times.parse_any(array, "America/New_York", ANCHOR),
        times.parse_clf(array, "+05:30"),
        times.parse_pattern(array, "%Y-%m-%dT%H:%M:%S.%f", "UTC"),
        times.parse_pattern(array, "%f", "UTC"),
    ):
        assert len(parsed) == len(array)
        assert all(time is None or time.year < 2200 for time in parsed.to_pylist())


def test_zones_that_are_none_are_refused() -> None:
    for zone in ("Mars/Olympus", "+25:99", "../etc/passwd", ""):
        with pytest.raises(ConfigError, match="time zone"):
            times.check_zone(zone)
