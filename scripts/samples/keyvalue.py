"""``keyvalue.log``: a day of a made office firewall, in FortiGate's ``key=value`` layout.

Desks browse, resolve names, send mail; the guest network is kept out of the office; administrators
log in. In the evening a desk that never did so scans its neighbours and then sends half a gigabyte
to one address, in large pieces and on a port that nobody else uses.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import SHOP_ZONE, Log, Sample, at, dice, moments, utc

_DAY = 3
_SCAN = "a desk scans its neighbours"
_THEFT = "a desk sends half a gigabyte to one address"
_SERVICES = {
    ("HTTPS", 443, 6): 60, ("DNS", 53, 17): 25, ("HTTP", 80, 6): 8, ("SMTPS", 465, 6): 4,
    ("NTP", 123, 17): 3,
}  # fmt: skip
_PEERS = [f"203.0.113.{number}" for number in range(10, 60)]


def make() -> Sample:
    """Returns ``keyvalue.log``."""
    log = Log()
    rng = dice("edge firewall")
    desks = [f"10.20.1.{number}" for number in range(11, 31)]
    for time in moments(rng, _DAY, 7, 19, 230):
        _flow(log, rng, time, rng.choice(desks))
    for time in moments(rng, _DAY, 8, 20, 20):
        _refused(log, rng, time, (f"10.20.9.{rng.randrange(20, 60)}", "10.20.1.5", 445))
    for clock, name in (("07:58:03", "h.lind"), ("12:40:19", "h.lind"), ("16:05:44", "a.moreau")):
        _login(log, at(_DAY, clock), name)
    _theft(log, rng)
    return log.sample("keyvalue.log")


def _line(time: datetime, kind: str, **fields: object) -> str:
    local = time.astimezone(SHOP_ZONE)
    pairs: dict[str, object] = {
        "date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M:%S}",
        "devname": "EDGE-FW1", "devid": "FG100MADE0000001",
        "eventtime": int(utc(time).timestamp()) * 1_000_000_000, "tz": "+0100",
    }  # fmt: skip
    main, sub = kind.split("-")
    pairs |= {"logid": "0000000013" if main == "traffic" else "0100032001",
              "type": main, "subtype": sub, "vd": "root"}  # fmt: skip
    pairs |= fields
    bare = {"date", "time", "srcip", "dstip"}
    return " ".join(
        f"{key}={value}" if key in bare or isinstance(value, int) else f'{key}="{value}"'
        for key, value in pairs.items()
    )


def _ends(rng: random.Random, source: str, peer: str, port: int) -> dict[str, object]:
    return {"srcip": source, "srcport": rng.randrange(32768, 61000), "dstip": peer, "dstport": port}


def _flow(log: Log, rng: random.Random, time: datetime, source: str) -> None:
    choice = rng.choices(list(_SERVICES), list(_SERVICES.values()))[0]
    service, port, protocol = choice
    peer = "10.20.1.2" if service == "DNS" else rng.choice(_PEERS)
    large = service == "HTTPS"
    log.add(time, _line(
        time, "traffic-forward", level="notice", **_ends(rng, source, peer, port),
        sessionid=rng.randrange(10**5, 10**6), proto=protocol,
        action="accept" if protocol == 17 else "close", policyid=4, policyname="office out",
        service=service, duration=rng.randrange(1, 240),
        sentbyte=rng.randrange(200, 90_000 if large else 2000),
        rcvdbyte=rng.randrange(400, 2_000_000 if large else 9000),
    ))  # fmt: skip


def _refused(
    log: Log, rng: random.Random, time: datetime, ends: tuple[str, str, int], why: str | None = None
) -> None:
    log.add(time, _line(
        time, "traffic-forward", level="notice", **_ends(rng, *ends),
        sessionid=rng.randrange(10**5, 10**6), proto=6, action="deny", policyid=0,
        policyname="guests stay out", service=f"tcp/{ends[2]}", duration=0, sentbyte=0, rcvdbyte=0,
    ), why=why)  # fmt: skip


def _login(log: Log, time: datetime, name: str) -> None:
    log.add(time, _line(
        time, "event-system", level="information", logdesc="Admin login successful", user=name,
        ui="https(10.20.1.7)", action="login", status="success",
        msg=f"Administrator {name} logged in successfully from https(10.20.1.7)",
    ))  # fmt: skip


def _theft(log: Log, rng: random.Random) -> None:
    source, time = "10.20.1.23", at(_DAY, "19:21:07")
    for number in range(12):
        _refused(log, rng, time, (source, f"10.20.1.{40 + number}", 22), why=_SCAN)
        time += timedelta(seconds=1)
    for _ in range(6):
        time += timedelta(seconds=rng.randrange(60, 200))
        log.add(time, _line(
            time, "traffic-forward", level="notice", **_ends(rng, source, "198.51.100.77", 8443),
            sessionid=rng.randrange(10**5, 10**6), proto=6, action="close", policyid=4,
            policyname="office out", service="tcp/8443", duration=rng.randrange(50, 120),
            sentbyte=rng.randrange(80_000_000, 95_000_000), rcvdbyte=rng.randrange(9000, 20_000),
        ), why=_THEFT)  # fmt: skip
