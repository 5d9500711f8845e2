"""What the made logs of cloud services have in common: people, ids, one document around records.

They tell one story. On Thursday evening someone who has the session of Ana, an engineer, comes in
from 203.0.113.177 and looks for what her accounts open.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from samples.log import Log, Sample, after, at, dice, moments, utc

THIEF = "203.0.113.177"
THIEF_AGENT = "python-requests/2.32.3"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"
WHEN = at(3, "19:12:40.215")


@dataclass(frozen=True)
class Person:
    """Someone of the made company."""

    name: str
    team: str
    ip: str

    @property
    def mail(self) -> str:
        """Returns the address that is also the name at sign-in."""
        return f"{self.name}@corp.example"


PEOPLE = tuple(
    Person(name, team, f"198.51.100.{20 + number}")
    for number, (name, team) in enumerate(
        (("ana", "platform"), ("ben", "platform"), ("carla", "shop"), ("deniz", "shop"),
         ("eva", "data"), ("farid", "security"), ("greta", "it"))
    )
)  # fmt: skip
ANA = PEOPLE[0]


class Records:
    """A log of JSON records in the making."""

    def __init__(self, name: str) -> None:
        self.log = Log()
        self.name = name
        self.rng = dice(name)

    def add(self, time: datetime, record: dict[str, Any], why: str | None = None) -> None:
        """Adds a record; with ``why`` it is labelled."""
        self.log.add(time, json.dumps(record, separators=(",", ":")), why=why)

    def days(self, write: Callable[[datetime, Person], None], count: int) -> None:
        """Calls ``write`` for so many moments of each person's working days."""
        for day in range(5):
            for person in PEOPLE:
                rng = dice(f"{self.name} {day} {person.name}")
                for time in moments(rng, day, 7, 17, rng.randrange(1, count + 1)):
                    write(time, person)

    def intrusion(self, steps: list[dict[str, Any]], why: str) -> None:
        """Adds the thief's records, a few seconds to a minute apart."""
        time = WHEN
        for step in steps:
            self.add(time, stamped(step, time), why)
            time = after(time, self.rng, 4_000, 55_000)

    def sample(self, before: str = "", between: str = "\n", behind: str = "\n") -> Sample:
        """Returns the file: records by time, in a document where one is given.

        Labels count records, not lines.
        """
        made = self.log.sample(self.name)
        text = before + between.join(made.data.decode().splitlines()) + behind
        return replace(made, data=text.encode())


def stamp(time: datetime, timespec: str = "milliseconds") -> str:
    """Returns ISO 8601 in UTC with ``Z``."""
    return utc(time).isoformat(timespec=timespec).replace("+00:00", "Z")


def stamped(record: Any, time: datetime) -> Any:
    """Returns a record in which each function stands for what it makes of the time."""
    if callable(record):
        return record(time)
    if isinstance(record, dict):
        return {key: stamped(value, time) for key, value in record.items()}
    if isinstance(record, list):
        return [stamped(value, time) for value in record]
    return record


def guid(rng: random.Random) -> str:
    """Returns an id as clouds write it."""
    digits = f"{rng.randrange(16**32):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def later(time: datetime, milliseconds: int) -> datetime:
    """Returns a moment so long after another."""
    return time + timedelta(milliseconds=milliseconds)
