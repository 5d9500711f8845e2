"""``leef.log``: a day of a made identity gateway and its VPN, in LEEF 1.0 and 2.0.

People sign in, read, and leave. At noon somebody tries one password on everybody, gets in with it
once, and takes the roles of an administrator.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import SHOP_ZONE, Log, Sample, at, dice, moments, utc

_DAY = 2
_SPRAY = "one password tried on everybody"
_TAKEN = "the account whose password was guessed"
_PEOPLE = (
    *("a.moreau", "b.okafor", "c.lind", "d.novak", "e.rossi"),
    *("f.haddad", "g.silva", "h.berg", "i.kaya"),
)
_PAGES = ("/orders", "/orders/4711", "/profile", "/reports?month=2", "/search?q=saw")


def make() -> Sample:
    """Returns ``leef.log``."""
    log = Log()
    rng = dice("leef")
    for number, name in enumerate(_PEOPLE):
        address = f"192.0.2.{30 + number}"
        for time in moments(rng, _DAY, 7, 17, 8):
            _login(log, rng, time, (name, address), rng.randrange(12) > 0)
        for time in moments(rng, _DAY, 8, 18, 14):
            _access(log, rng, time, (name, address), rng.choice(_PAGES))
        for time in moments(rng, _DAY, 8, 18, 3):
            _tunnel(log, rng, time, (name, address))
    _attack(log, rng)
    return log.sample("leef.log")


def _gateway(time: datetime, event: str, fields: dict[str, object]) -> str:
    local = time.astimezone(SHOP_ZONE)
    pairs = {"devTime": f"{local:%b %d %Y %H:%M:%S}.{local.microsecond // 1000:03} CET",
             "devTimeFormat": "MMM dd yyyy HH:mm:ss.SSS z", **fields}  # fmt: skip
    body = "\t".join(f"{key}={value}" for key, value in pairs.items())
    return f"<134>{local:%b %e %H:%M:%S} idgw1 LEEF:1.0|Keyring|IdentityGate|5.3|{event}|{body}"


def _login(
    log: Log, rng: random.Random, time: datetime, who: tuple[str, str], good: bool, *,
    why: str | None = None,
) -> None:  # fmt: skip
    log.add(time, _gateway(time, "LoginSucceeded" if good else "LoginFailed", {
        "cat": "Authentication", "sev": 2 if good else 5, "usrName": who[0], "src": who[1],
        "srcPort": rng.randrange(32768, 61000), "dst": "10.20.3.4", "dstPort": 443, "proto": "TCP",
        "isLoginEvent": "true", "realm": "staff", "policy": "password and code",
        "action": "allowed" if good else "denied",
        "msg": f"{who[0]} signed in" if good else f"{who[0]}: wrong password, key=none",
    }), why=why)  # fmt: skip


def _access(
    log: Log, rng: random.Random, time: datetime, who: tuple[str, str], page: str, *,
    why: str | None = None,
) -> None:  # fmt: skip
    log.add(time, _gateway(time, "ResourceAccess", {
        "cat": "Web", "sev": 1, "usrName": who[0], "src": who[1], "dst": "10.20.3.4",
        "url": f"https://portal.office.example{page}", "method": "GET", "responseCode": 200,
        "role": "staff" if not why else "administrators", "srcBytes": rng.randrange(300, 1200),
        "dstBytes": rng.randrange(900, 90_000), "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
    }), why=why)  # fmt: skip


def _tunnel(log: Log, rng: random.Random, time: datetime, who: tuple[str, str]) -> None:
    pairs = {
        "devTime": int(utc(time).timestamp() * 1000), "cat": "VPN", "sev": 3, "usrName": who[0],
        "src": who[1], "dst": "203.0.113.6", "identSrc": f"10.20.9.{rng.randrange(20, 90)}",
        "srcBytes": rng.randrange(10_000, 900_000), "dstBytes": rng.randrange(10_000, 9_000_000),
        "sessionId": f"{rng.randrange(1 << 32):08x}", "action": "closed",
    }  # fmt: skip
    body = "^".join(f"{key}={value}" for key, value in pairs.items())
    stamp = f"{utc(time):%Y-%m-%dT%H:%M:%S.%f}Z"
    event = "LEEF:2.0|Tunnelworks|VPN|2.11|SessionClosed|x5E|"
    log.add(time, f"<133>1 {stamp} vpn1 vpnd 442 - - {event}{body}")


def _attack(log: Log, rng: random.Random) -> None:
    time = at(_DAY, "12:07:12.118")
    for name in _PEOPLE:
        time += timedelta(seconds=rng.randrange(20, 50))
        _login(log, rng, time, (name, "198.51.100.77"), name == "g.silva", why=_SPRAY)
    for page in ("/admin/roles", "/admin/users/export", "/admin/keys"):
        time += timedelta(seconds=rng.randrange(9, 40))
        _access(log, rng, time, ("g.silva", "198.51.100.77"), page, why=_TAKEN)
