"""``dnsmasq.log``: a day of a small office's router: names and leases, as dnsmasq writes them.

Laptops and phones come and go and ask for names. In the evening one laptop carries a file out in
the names that it asks for.
"""

from __future__ import annotations

import base64
import random
from datetime import datetime

from samples.log import Log, Sample, after, at, dice, moments, weighted

_DAY = 2
_TUNNEL = "t.upd-cdn.example"
_WHY = "a file carried out in the labels of DNS names"
_SITES = {"www.search.example": "192.0.2.80", "mail.corp.example": "192.0.2.25",
          "api.chat.example": "192.0.2.90", "www.news.example": "192.0.2.81",
          "updates.os-vendor.example": "192.0.2.99", "ads.news.example": ""}  # fmt: skip
_WEIGHTS = {"www.search.example": 30, "mail.corp.example": 26, "api.chat.example": 20,
            "www.news.example": 9, "updates.os-vendor.example": 8,
            "ads.news.example": 12}  # fmt: skip


class _Router:
    def __init__(self) -> None:
        self.log = Log()

    def say(self, time: datetime, text: str, why: str | None = None, tag: str = "") -> None:
        stamp = f"{time:%b} {time.day:2d} {time:%H:%M:%S}"
        self.log.add(time, f"{stamp} router dnsmasq{tag}[811]: {text}", why=why)


def make() -> Sample:
    """Returns ``dnsmasq.log``."""
    out = _Router()
    out.say(at(_DAY, "00:00:02"), "started, version 2.90 cachesize 1000")
    out.say(at(_DAY, "00:00:02.1"), "using nameserver 198.51.100.53#53")
    out.say(at(_DAY, "00:00:02.2"), "read /etc/hosts - 5 names")
    rng = dice("dnsmasq")
    for number in range(9):
        address = f"10.7.0.{40 + number}"
        _lease(out, rng, at(_DAY, f"07:{10 + number * 3}:12"), number, address)
        for time in moments(rng, _DAY, 7, 18, 15):
            _ask(out, rng, time, address)
    for time in moments(rng, _DAY, 7, 18, 5):
        out.say(time, "query[A] printer.lan from 10.7.0.41")
        out.say(time, "/etc/hosts printer.lan is 10.7.0.9")
    out.say(
        at(_DAY, "13:20:41.8"),
        "DHCPNAK(br0) 10.7.0.200 52:54:00:1f:0a:77 wrong network",
        tag="-dhcp",
    )
    time = at(_DAY, "17:41:09.2")
    for number in range(12):
        piece = bytes(rng.randrange(256) for _ in range(30))
        name = f"{base64.b32encode(piece).decode().lower()}.{number:x}.{_TUNNEL}"
        out.say(time, f"query[TXT] {name} from 10.7.0.44", _WHY)
        out.say(time, f"forwarded {name} to 198.51.100.53", _WHY)
        time = after(time, rng, 200, 700)
    return out.log.sample("dnsmasq.log")


def _lease(out: _Router, rng: random.Random, time: datetime, number: int, address: str) -> None:
    card = f"52:54:00:1f:0a:{10 + number}"
    for text in (
        f"DHCPDISCOVER(br0) {card}",
        f"DHCPOFFER(br0) {address} {card}",
        f"DHCPREQUEST(br0) {address} {card}",
        f"DHCPACK(br0) {address} {card} laptop-{number}",
    ):
        out.say(time, text, tag="-dhcp")
        time = after(time, rng, 10, 300)


def _ask(out: _Router, rng: random.Random, time: datetime, address: str) -> None:
    name = weighted(rng, _WEIGHTS)
    kind = rng.choice(("A", "A", "AAAA"))
    out.say(time, f"query[{kind}] {name} from {address}")
    if not _SITES[name]:
        out.say(time, f"config {name} is NXDOMAIN")
    elif rng.randrange(3):
        out.say(time, f"cached {name} is {_SITES[name] if kind == 'A' else 'NODATA-IPv6'}")
    else:
        out.say(time, f"forwarded {name} to 198.51.100.53")
        answer = _SITES[name] if kind == "A" else "NODATA-IPv6"
        out.say(after(time, rng, 8, 60), f"reply {name} is {answer}")
