"""A log in the making: timed entries with their labels, and the file they become."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

SEED = "secad sample logs 1"
SHOP_ZONE = timezone(timedelta(hours=1))  # the made shop keeps Central European winter time
WEEK_START = datetime(2026, 3, 2, tzinfo=SHOP_ZONE)  # a Monday
HOSTILE = "hostile"
IGNORE = "ignore"


@dataclass(frozen=True)
class Label:
    """What one line is: ``hostile``, or ``ignore`` (neither normal nor part of the attack)."""

    line: int
    label: str
    why: str


@dataclass(frozen=True)
class Sample:
    """One made file.

    Args:
        name: the file's name under ``sample_logs/``.
        data: its bytes.
        labels: sorted by line; lines without a label are normal.
    """

    name: str
    data: bytes
    labels: list[Label]


@dataclass(frozen=True)
class _Entry:
    time: datetime
    lines: tuple[str, ...]
    why: str | None
    label: str


class Log:
    """Collects entries in any order and renders them in the order of their times."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def add(
        self, time: datetime, *lines: str, why: str | None = None, label: str = HOSTILE
    ) -> None:
        """Adds the lines of one moment; with ``why`` they are labelled."""
        self._entries.append(_Entry(time, lines, why, label))

    def sample(self, name: str, header: str | None = None) -> Sample:
        """Returns the file: entries by time, those of one moment as they were added."""
        written = [] if header is None else [header]
        labels: list[Label] = []
        for entry in sorted(self._entries, key=lambda entry: entry.time):
            for text in entry.lines:
                written.append(text)
                if entry.why is not None:
                    labels.append(Label(len(written), entry.label, entry.why))
        return Sample(name, ("\n".join(written) + "\n").encode(), labels)


def label_table(source_file: str, labels: Iterable[Label]) -> bytes:
    """Returns a label file: CSV with ``source_file,line,label,why``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source_file", "line", "label", "why"))
    writer.writerows((source_file, row.line, row.label, row.why) for row in labels)
    return text.getvalue().encode()


def dice(name: str) -> random.Random:
    """Returns the random numbers of one part of the story, the same in every run."""
    return random.Random(f"{SEED}/{name}")  # noqa: S311 - a made log needs no secrets


def at(day: int, clock: str) -> datetime:
    """Returns a moment of the made week: day 0 is Monday, ``clock`` is ``HH:MM:SS[.ffffff]``."""
    whole, _, fraction = clock.partition(".")
    hours, minutes, seconds = (int(part) for part in whole.split(":"))
    moment = WEEK_START + timedelta(days=day, hours=hours, minutes=minutes, seconds=seconds)
    return moment + timedelta(microseconds=int(fraction.ljust(6, "0")))


def after(time: datetime, rng: random.Random, low_ms: int, high_ms: int) -> datetime:
    """Returns a moment between ``low_ms`` and ``high_ms`` milliseconds after ``time``."""
    return time + timedelta(microseconds=rng.randrange(low_ms * 1000, high_ms * 1000))


def moments(
    rng: random.Random, day: int, first_hour: int, last_hour: int, count: int
) -> list[datetime]:
    """Returns ``count`` sorted moments of a day between two hours."""
    start = WEEK_START + timedelta(days=day, hours=first_hour)
    span_us = (last_hour - first_hour) * 3_600_000_000
    return sorted(start + timedelta(microseconds=rng.randrange(span_us)) for _ in range(count))


def weighted(rng: random.Random, table: dict[str, int]) -> str:
    """Returns a key of ``table``, each as likely as its weight."""
    ticket = rng.randrange(sum(table.values()))
    for key, weight in table.items():
        ticket -= weight
        if ticket < 0:
            return key
    raise AssertionError("the ticket is below the sum of the weights")


def iso(time: datetime) -> str:
    """Returns ISO 8601 with microseconds and offset."""
    return time.isoformat(timespec="microseconds")


def utc(time: datetime) -> datetime:
    """Returns the same moment in UTC."""
    return time.astimezone(UTC)
