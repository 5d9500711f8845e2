"""``cef.log``: a day of a made office as three devices tell it in CEF, gathered by one collector.

A web gateway, a firewall and the anti-virus of the desks. In the afternoon a desk opens a lure,
its anti-virus finds what came, and the desk begins to ask one host of the outside again and again.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import SHOP_ZONE, Log, Sample, at, dice, moments, utc

_DAY = 1
_LURE = "a desk opens a lure and what it fetches calls home"
_COLLECTOR = "collect01"
_DESKS = {f"DESK-{number:02}": f"10.20.2.{number}" for number in range(11, 31)}
_PEOPLE = (
    *("a.moreau", "b.okafor", "c.lind", "d.novak"),
    *("e.rossi", "f.haddad", "g.silva", "h.berg"),
)
_SITES = {
    "https://www.search.example/q?s=saw\\=blade": 9, "https://news.example/today": 8,
    "https://mail.office.example/owa/": 12, "http://updates.vendor.example/v3/check.xml": 5,
    "https://maps.example/route?from\\=a&to\\=b": 2, "https://forum.woodwork.example/t/4417": 2,
}  # fmt: skip


def make() -> Sample:
    """Returns ``cef.log``."""
    log = Log()
    rng = dice("cef")
    for time in moments(rng, _DAY, 7, 18, 110):
        _browse(log, rng, time, rng.choices(list(_SITES), list(_SITES.values()))[0])
    for time in moments(rng, _DAY, 6, 20, 90):
        _flow(log, rng, time, f"203.0.113.{rng.randrange(10, 90)}", "accept")
    for time in moments(rng, _DAY, 0, 23, 25):
        _knock(log, rng, time)
    for time in moments(rng, _DAY, 7, 9, 20):
        _login(log, rng, time)
    for time in moments(rng, _DAY, 12, 13, 12):
        _antivirus(log, rng, time, ("AV:UPDATE", "Definitions updated", "Low", "act=updated"))
    _attack(log, rng)
    return log.sample("cef.log")


def _head(time: datetime, priority: int, host: str) -> str:
    return f"<{priority}>{time.astimezone(SHOP_ZONE):%b %e %H:%M:%S} {host}"


def _millis(time: datetime) -> int:
    return int(utc(time).timestamp() * 1000)


def _desk(rng: random.Random) -> tuple[str, str, str]:
    name = rng.choice(list(_DESKS))
    return name, _DESKS[name], _PEOPLE[int(name[-2:]) % len(_PEOPLE)]


def _browse(
    log: Log, rng: random.Random, time: datetime, url: str, *,
    desk: tuple[str, str, str] | None = None, why: str | None = None,
) -> None:  # fmt: skip
    name, address, person = desk or _desk(rng)
    action, code, level = ("Allowed", "url-ok", 1) if not why else ("Allowed", "url-new", 4)
    log.add(time, (
        f"{_head(time, 134, _COLLECTOR)} CEF:0|Gateway Works|WebGate|7.2|{code}|Web access|{level}|"
        f"rt={_millis(time)} act={action} app=HTTPS src={address} shost={name} suser=OFFICE\\\\{person} "  # noqa: E501 - one log line
        f"request={url} requestMethod={'POST' if why else 'GET'} in={rng.randrange(300, 4000)} "
        f"out={rng.randrange(900, 900_000)} cs1Label=Policy cs1=Office standard "
        f"cs2Label=URL category cs2={'uncategorised' if why else 'business'} "
        "requestClientApplication=Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/147.0"
    ), why=why)  # fmt: skip


def _flow(
    log: Log, rng: random.Random, time: datetime, peer: str, action: str, *,
    address: str | None = None, why: str | None = None,
) -> None:  # fmt: skip
    source = address or _desk(rng)[1]
    start = time - timedelta(seconds=rng.randrange(1, 90))
    port, protocol = rng.choice(((443, 6), (443, 6), (53, 17), (80, 6), (123, 17)))
    log.add(time, (
        f"{time.isoformat(timespec='milliseconds')} edge-fw1 CEF:0|Wall \\| Gate|NG-Wall|11.4|"
        f"FW-{10 if action == 'accept' else 11}|Session closed|3|start={start:%b %d %Y %H:%M:%S} "
        f"end={time:%b %d %Y %H:%M:%S} rt={_millis(time)} deviceDirection=1 proto={protocol} "
        f"act={action} src={source} spt={rng.randrange(32768, 61000)} dst={peer} dpt={port} "
        f"in={rng.randrange(200, 90_000)} out={rng.randrange(400, 900_000)} cnt=1 "
        "cs1Label=Rule Name cs1=office out cs2Label=Zone cs2=lan"
    ), why=why)  # fmt: skip


def _knock(log: Log, rng: random.Random, time: datetime) -> None:
    log.add(time, (
        f"{time.isoformat(timespec='milliseconds')} edge-fw1 CEF:0|Wall \\| Gate|NG-Wall|11.4|FW-12|"  # noqa: E501 - one log line
        f"Session denied|5|rt={_millis(time)} deviceDirection=0 proto=6 act=deny "
        f"src=198.51.100.{rng.randrange(2, 250)} spt={rng.randrange(1024, 61000)} dst=203.0.113.5 "
        f"dpt={rng.choice((22, 23, 445, 3389, 8080))} cs1Label=Rule Name cs1=default deny"
    ))  # fmt: skip


def _login(log: Log, rng: random.Random, time: datetime) -> None:
    name, address, person = _desk(rng)
    failed = rng.randrange(8) == 0
    said = "password is wrong" if failed else "logged in"
    log.add(time, (
        f"{_head(time, 86, _COLLECTOR)} CEF:0|Gateway Works|WebGate|7.2|auth-{int(failed)}|"
        f"User login|{4 if failed else 2}|rt={_millis(time)} cat=/Authentication/Verify "
        f"src={address} shost={name} suser={person} outcome={'failure' if failed else 'success'} "
        f"msg=the user {person}: {said}\\nfrom {name}"
    ))  # fmt: skip


def _antivirus(
    log: Log, rng: random.Random, time: datetime, said: tuple[str, str, str, str], *,
    desk: tuple[str, str, str] | None = None, why: str | None = None,
) -> None:  # fmt: skip
    host, address, person = desk or _desk(rng)
    code, name, level, rest = said
    log.add(time, (
        f"<14>1 {utc(time):%Y-%m-%dT%H:%M:%S.%f}Z av-server av 811 - - CEF:0|Shield|Endpoint|9.1|"
        f"{code}|{name}|{level}|rt={utc(time):%b %d %Y %H:%M:%S} UTC dvchost={host} "
        f"src={address} suser={person} {rest}"
    ), why=why)  # fmt: skip


def _attack(log: Log, rng: random.Random) -> None:
    desk = ("DESK-19", _DESKS["DESK-19"], _PEOPLE[19 % len(_PEOPLE)])
    time = at(_DAY, "15:12:41.307")
    _browse(log, rng, time, "https://parcel-track.example/l?id\\=7f3", desk=desk, why=_LURE)
    found = (
        "act=detected fname=invoice.iso.exe filePath=C:\\\\Users\\\\e.rossi\\\\Downloads\\\\"
        "invoice.iso.exe fileHash=0f3aa90d6a1b sproc=C:\\\\Windows\\\\explorer.exe "
        "cs1Label=Virus Name cs1=Trojan.Generic outcome=failure"
    )
    time += timedelta(seconds=71)
    said = ("AV:FOUND", "Malware found", "High", found)
    _antivirus(log, rng, time, said, desk=desk, why=_LURE)
    for _ in range(11):
        time += timedelta(seconds=rng.randrange(55, 65))
        _flow(log, rng, time, "198.51.100.77", "accept", address=desk[1], why=_LURE)
