"""``bind.log``: half a day of a made company's name server, as BIND writes it to its own file.

Desks and servers ask for names, zones move to the second server. At noon someone who is not from
here tries for the whole zone, then for names by a list, then for a change.
"""

from __future__ import annotations

import random
from datetime import datetime

from samples.log import IGNORE, Log, Sample, after, at, dice, moments, weighted

_DAY = 3
_SERVER = "10.4.0.53"
_STRANGER = "203.0.113.41"
_WHY = "somebody outside wants the whole zone"
_KNOCK = "the internet's usual knocking, no part of the attack"
_NAMES = {"intranet.corp.example": 30, "mail.corp.example": 24, "files.corp.example": 18,
          "www.search.example": 22, "cdn.chat.example": 12, "time.os-vendor.example": 6,
          "git.corp.example": 9, "printer-2.corp.example": 3, "weather.example": 4}  # fmt: skip
_TYPES = {"A": 60, "AAAA": 30, "HTTPS": 8, "TXT": 1, "PTR": 3}
_FLAGS = {"+": 8, "+E(0)": 60, "+E(0)K": 20, "+E(0)DC": 10, "+E(0)T": 3}
_GUESSES = ("vpn", "dev", "test", "admin", "backup", "owa", "jira", "gitlab", "staging", "db")


class _Server:
    def __init__(self) -> None:
        self.log = Log()

    def say(
        self, time: datetime, text: str, why: str | None = None, label: str = "hostile"
    ) -> None:
        stamp = f"{time:%d-%b-%Y %H:%M:%S}.{time.microsecond // 1000:03d}"
        self.log.add(time, f"{stamp} {text}", why=why, label=label)


def _client(rng: random.Random, address: str, name: str) -> str:
    return (
        f"client @0x7f{rng.randrange(16**10):010x} {address}#{rng.randrange(1024, 65535)} ({name})"
    )


def make() -> Sample:
    """Returns ``bind.log``."""
    out = _Server()
    rng = dice("bind")
    out.say(at(_DAY, "06:00:00.118"), "general: notice: running")
    out.say(
        at(_DAY, "06:00:00.090"), "general: info: zone corp.example/IN: loaded serial 2026030501"
    )
    for time in moments(rng, _DAY, 6, 18, 200):
        name, kind = weighted(rng, _NAMES), weighted(rng, _TYPES)
        address = f"10.4.{rng.randrange(1, 3)}.{rng.randrange(20, 56)}"
        out.say(
            time,
            f"queries: info: {_client(rng, address, name)}: query: {name} IN {kind} "
            f"{weighted(rng, _FLAGS)} ({_SERVER})",
        )
    for time in moments(rng, _DAY, 6, 18, 12):
        out.say(
            time,
            "query-errors: info: "
            + _client(rng, "10.4.1.33", "broken.zone.example")
            + ": query failed (SERVFAIL) for broken.zone.example/IN/A at query.c:7839",
        )
        out.say(
            time,
            "lame-servers: info: REFUSED unexpected RCODE resolving "
            "'broken.zone.example/A/IN': 192.0.2.153#53",
        )
    for time in moments(rng, _DAY, 6, 18, 3):
        peer = "client @0x7f12ab34cd56 10.4.0.54#40112 (corp.example)"
        for step in ("started (serial 2026030501)", "ended: 1 messages, 112 records, 4096 bytes"):
            out.say(time, f"xfer-out: info: {peer}: transfer of 'corp.example/IN': AXFR {step}")
    for time in moments(rng, _DAY, 6, 18, 14):
        name = rng.choice(("isc.org", "ripe.net", "sl"))
        address = f"203.0.113.{rng.randrange(100, 250)}"
        out.say(
            time,
            f"security: info: {_client(rng, address, name)}: query (cache) "
            f"'{name}/ANY/IN' denied (allow-query-cache did not match)",
            _KNOCK,
            IGNORE,
        )
    _attack(out)
    return out.log.sample("bind.log")


def _attack(out: _Server) -> None:
    rng = dice("bind attack")
    time = at(_DAY, "12:04:31.552")
    for _ in range(2):
        out.say(
            time,
            f"security: error: {_client(rng, _STRANGER, 'corp.example')}: zone transfer "
            "'corp.example/AXFR/IN' denied",
            _WHY,
        )
        time = after(time, rng, 800, 4000)
    for guess in _GUESSES:
        name = f"{guess}.corp.example"
        out.say(
            time,
            f"queries: info: {_client(rng, _STRANGER, name)}: query: {name} IN A -E(0) ({_SERVER})",
            _WHY,
        )
        time = after(time, rng, 30, 90)
    out.say(
        time,
        f"update-security: error: client @0x7f00aa11bb22 {_STRANGER}#40711: update "
        "'corp.example/IN' denied",
        _WHY,
    )
