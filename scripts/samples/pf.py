"""``pf.log``: a day of an office firewall with pf, as OPNsense's filterlog writes it.

The internet knocks, people go out to the web. In the night a desk calls one address every ten
minutes on a port that nobody else uses.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import IGNORE, Log, Sample, after, at, dice, iso, moments

_DAY = 3
_OUTSIDE = "198.51.100.1"
_WHY = "a desk calls its master every ten minutes"
_KNOCK = "the internet's usual knocking, no part of the attack"
_RULES = {"block": "02f4bab031b57d1e30553ce08e0ec131", "pass": "fae559338f65e11c53669fc3642c93c2",
          "let out": "71dd196398b3f1da265dbd9dcad00e70"}  # fmt: skip


class _Filter:
    def __init__(self) -> None:
        self.log = Log()

    def say(
        self, time: datetime, text: str, why: str | None = None, label: str = "hostile"
    ) -> None:
        line = f"<134>1 {iso(time)} fw1.corp.example filterlog 5102 - -"
        self.log.add(time, f"{line} {text}", why=why, label=label)


def _tcp(
    rng: random.Random, way: tuple[str, str, str, str], ends: tuple[str, str], port: int
) -> str:
    rule, interface, verdict, direction = way
    return (
        f"{len(rule)},,,{_RULES[rule]},{interface},match,{verdict},{direction},4,0x0,,"
        f"{rng.randrange(48, 128)},{rng.randrange(65536)},0,DF,6,tcp,60,{ends[0]},{ends[1]},"
        f"{rng.randrange(32768, 61000)},{port},0,S,{rng.randrange(2**32)},,64240,,mss;sackOK;TS"
    )


def make() -> Sample:
    """Returns ``pf.log``."""
    out = _Filter()
    rng = dice("pf")
    for time in moments(rng, _DAY, 0, 24, 50):
        ends = (f"203.0.113.{rng.randrange(100, 250)}", _OUTSIDE)
        text = _tcp(rng, ("block", "igb0", "block", "in"), ends, rng.choice((22, 23, 445, 3389)))
        out.say(time, text, _KNOCK, IGNORE)
    for time in moments(rng, _DAY, 7, 18, 100):
        ends = (f"10.4.1.{rng.randrange(20, 56)}", f"192.0.2.{rng.randrange(80, 99)}")
        out.say(time, _tcp(rng, ("pass", "igb1", "pass", "in"), ends, rng.choice((443, 443, 80))))
    for time in moments(rng, _DAY, 0, 24, 30):
        out.say(
            time,
            f"81,,,{_RULES['let out']},igb0,match,pass,out,6,0x00,0x{rng.randrange(16**5):05x},"
            f"64,udp,17,56,2001:db8::1,2001:db8:53::{rng.randrange(1, 5)},"
            f"{rng.randrange(32768, 61000)},53,56",
        )
    for time in moments(rng, _DAY, 7, 18, 12):
        out.say(
            time,
            f"4,,,{_RULES['pass']},igb1,match,pass,in,4,0x0,,64,{rng.randrange(65536)},0,none,"
            f"1,icmp,84,10.4.1.{rng.randrange(20, 56)},192.0.2.1,request,{rng.randrange(9999)},1,"
            "64",
        )
    time = at(_DAY, "20:04:11.209114")
    for step in range(14):
        call = after(time + timedelta(minutes=10 * step), rng, 0, 1500)
        way = ("pass", "igb1", "pass", "in")
        out.say(call, _tcp(rng, way, ("10.4.1.44", "203.0.113.66"), 8531), _WHY)
    return out.log.sample("pf.log")
