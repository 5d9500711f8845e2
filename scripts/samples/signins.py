"""``jsonl.jsonl``: a fortnight of a made single sign-on service, one nested JSON object a line.

Employees sign in from their devices and networks, use their apps' tokens, mistype, travel, change
phones. On the second Wednesday someone who has a salesman's password wears him down with prompts
until he accepts one, from a country far from where he sat twenty minutes before, and then takes
tokens for apps that he never opened.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from samples.log import Log, Sample, after, at, dice, moments, utc

_DAYS = 12
_ATTACK_DAY = 9
_TRAVEL_WHY = "a sign-in from another continent twenty minutes after one at home"
_PROMPT_WHY = "prompts sent until the victim accepts one"
_THEFT_WHY = "tokens taken with the stolen session"
_PLACES = {"DE": ("Berlin", "Leipzig", "Hamburg"), "PL": ("Poznan",), "NL": ("Utrecht",)}
_APPS = {
    "sales": ("mail", "calendar", "crm", "files"),
    "engineering": ("mail", "calendar", "git", "tickets", "files"),
    "finance": ("mail", "calendar", "ledger", "files"),
    "support": ("mail", "tickets", "crm"),
    "it": ("mail", "tickets", "admin-console", "git"),
}
_AGENTS = {  # system -> what runs on it
    "Windows 11": ("Edge/145.0", "Edge/145.0", "Chrome/145.0", "Firefox/147.0"),
    "macOS 15": ("Safari/18.6", "Chrome/145.0"),
    "Ubuntu 24.04": ("Firefox/147.0", "Chrome/145.0"),
    "iOS 18": ("CorpMobile/9.2",),
}


_Actor = tuple[tuple[str, str], tuple[str, str, str], dict[str, Any]]
"""Name and team; address, country and city; the device."""


@dataclass(frozen=True)
class _Employee:
    name: str
    team: str
    country: str
    city: str
    office: str
    home: str
    devices: tuple[dict[str, Any], ...]


def make() -> Sample:
    """Returns ``jsonl.jsonl.gz``."""
    log = Log()
    rng = dice("employees")
    staff = [_employee(rng, number) for number in range(42)]
    for day in range(_DAYS):
        if day % 7 < 5:
            for employee in staff:
                _workday(log, dice(f"work {day} {employee.name}"), employee, day)
        else:
            for employee in staff[::9]:
                _visit(log, dice(f"weekend {day} {employee.name}"), employee, at(day, "17:20:11.4"))
    _travels(log, staff[7])
    _new_phone(log, staff[15])
    _service_account(log)
    _stolen(log, staff[22])
    return log.sample("jsonl.jsonl.gz")


def _employee(rng: random.Random, number: int) -> _Employee:
    team = rng.choice(("sales", "sales", "engineering", "engineering", "finance", "support", "it"))
    team = "sales" if number == 22 else team
    country = rng.choice(("DE", "DE", "DE", "PL", "NL"))
    devices = tuple(
        _device(rng, f"DV-{2000 + number * 3 + row}") for row in range(rng.randrange(1, 3))
    )
    return _Employee(
        f"{team}{number:02}@corp.example", team, country, rng.choice(_PLACES[country]),
        f"198.51.100.{20 + number % 3}", f"203.0.113.{30 + number}", devices,
    )  # fmt: skip


def _device(rng: random.Random, name: str) -> dict[str, Any]:
    system = rng.choice(("Windows 11", *_AGENTS))
    return {"id": name, "os": system, "managed": True, "agent": rng.choice(_AGENTS[system])}


def _write(
    log: Log,
    time: datetime,
    actor: _Actor,
    event: dict[str, Any],
    why: str | None = None,
) -> None:
    who, (ip, country, city), device = actor
    row = {
        "ts": utc(time).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "event": {"type": event["type"], "outcome": event["outcome"]},
        "user": {"name": who[0], "team": who[1]},
        "client": {
            "ip": ip,
            "geo": {"country": country, "city": city},
            "device": {key: device[key] for key in ("id", "os", "managed")},
            "agent": device["agent"],
        },
        "app": event["app"],
        "auth": {"method": event["method"], "mfa": event["mfa"]},
        "session": event["session"],
    }
    if "reason" in event:
        row["reason"] = event["reason"]
    log.add(time, json.dumps(row, separators=(",", ":")), why=why)


def _signin(
    app: str, session: str, outcome: str = "success", reason: str | None = None
) -> dict[str, Any]:
    event = {"type": "signin", "outcome": outcome, "app": app, "method": "password+push",
             "mfa": outcome == "success", "session": session}  # fmt: skip
    return event | {"reason": reason} if reason else event


def _token(app: str, session: str) -> dict[str, Any]:
    return {"type": "token", "outcome": "success", "app": app, "method": "session", "mfa": True,
            "session": session}  # fmt: skip


def _session_id(rng: random.Random) -> str:
    return f"s-{rng.randrange(16**10):010x}"


def _workday(log: Log, rng: random.Random, employee: _Employee, day: int) -> None:
    if rng.randrange(12) == 0:
        return  # a day off
    start = moments(rng, day, 7, 10, 1)[0]
    _visit(log, rng, employee, start)
    if rng.randrange(4) == 0:
        _visit(log, rng, employee, after(start, rng, 3 * 3_600_000, 7 * 3_600_000))


def _visit(log: Log, rng: random.Random, employee: _Employee, time: datetime) -> None:
    who = (employee.name, employee.team)
    ip = employee.office if rng.randrange(3) else employee.home
    place = (ip, employee.country, employee.city)
    device = rng.choice(employee.devices)
    session = _session_id(rng)
    if rng.randrange(14) == 0:
        _write(
            log, time, (who, place, device), _signin("portal", session, "failure", "wrong password")
        )
        time = after(time, rng, 5000, 20_000)
    if rng.randrange(40) == 0:
        _write(
            log, time, (who, place, device), _signin("portal", session, "failure", "prompt expired")
        )
        time = after(time, rng, 40_000, 70_000)
    _write(log, time, (who, place, device), _signin("portal", session))
    for _ in range(rng.randrange(1, 6)):
        time = after(time, rng, 4000, 2_400_000)
        app = rng.choice(_APPS[employee.team])
        _write(log, time, (who, place, device), _token(app, session))


def _travels(log: Log, employee: _Employee) -> None:
    """A trip that is only a trip: a known device, a day's journey, the usual apps."""
    rng = dice("travel")
    for day in (3, 4):
        place = ("192.0.2.144", "PT", "Porto")
        session = _session_id(rng)
        time = after(at(day, "09:10:00"), rng, 0, 900_000)
        _write(log, time, ((employee.name, employee.team), place, employee.devices[0]),
               _signin("portal", session))  # fmt: skip
        for app in ("mail", "calendar"):
            time = after(time, rng, 4000, 900_000)
            _write(log, time, ((employee.name, employee.team), place, employee.devices[0]),
                   _token(app, session))  # fmt: skip


def _new_phone(log: Log, employee: _Employee) -> None:
    rng = dice("phone")
    phone = {"id": "PH-0417", "os": "Android 16", "managed": True, "agent": "CorpMobile/9.2"}
    place = (employee.home, employee.country, employee.city)
    time = at(8, "18:04:31.7")
    enrolled = _signin("portal", _session_id(rng)) | {"type": "device_enrolled"}
    _write(log, time, ((employee.name, employee.team), place, phone), enrolled)
    for app in ("mail", "calendar", "mail"):
        time = after(time, rng, 20_000, 900_000)
        session = _session_id(rng)
        _write(log, time, ((employee.name, employee.team), place, phone), _token(app, session))


def _service_account(log: Log) -> None:
    """A nightly export by a machine: alone in its habits, and harmless."""
    device = {"id": "SRV-REPORTS", "os": "Debian 12", "managed": True, "agent": "reports/3.1"}
    place = ("192.0.2.30", "DE", "Berlin")
    for day in range(_DAYS):
        rng = dice(f"service {day}")
        time = after(at(day, "01:30:00"), rng, 0, 5000)
        event = _token("ledger", _session_id(rng)) | {"method": "client-credentials", "mfa": False}
        _write(log, time, (("svc-reports@corp.example", "service"), place, device), event)


def _stolen(log: Log, victim: _Employee) -> None:
    rng = dice("stolen")
    who = (victim.name, victim.team)
    at_home = (victim.office, victim.country, victim.city)
    start = at(_ATTACK_DAY, "10:41:07.2")
    _write(log, start, (who, at_home, victim.devices[0]), _signin("portal", _session_id(rng)))
    far = ("192.0.2.213", "BR", "Recife")
    device = {"id": "unknown", "os": "Windows 10", "managed": False, "agent": "Chrome/131.0"}
    session = _session_id(rng)
    time = start + timedelta(minutes=17)
    for _ in range(7):
        event = _signin("portal", session, "failure", "prompt denied")
        _write(log, time, (who, far, device), event, _PROMPT_WHY)
        time = after(time, rng, 25_000, 60_000)
    _write(log, time, (who, far, device), _signin("portal", session), _TRAVEL_WHY)
    enrolled = _signin("portal", session) | {"type": "device_enrolled"}
    time = after(time, rng, 30_000, 60_000)
    _write(log, time, (who, far, device), enrolled, "the thief adds a device of his own")
    for app in ("mail", "files", "files", "crm", "ledger", "git", "files", "admin-console",
                "files", "files", "mail"):  # fmt: skip
        time = after(time, rng, 6000, 50_000)
        _write(log, time, (who, far, device), _token(app, session), _THEFT_WHY)
