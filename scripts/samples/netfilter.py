"""``netfilter.log``: a day of an office router's firewall, as Linux' kernel logs packets.

The internet knocks at the outer side, people go out to the web. In the afternoon one desk tries
remote desktops and file shares through its whole neighbourhood.
"""

from __future__ import annotations

import random
from datetime import datetime

from samples.log import IGNORE, Log, Sample, after, at, dice, moments

_DAY = 2
_OUTSIDE = "198.51.100.1"
_DESK = "10.4.1.37"
_WHY = "a desk scans its neighbours"
_KNOCK = "the internet's usual knocking, no part of the attack"


class _Kernel:
    def __init__(self) -> None:
        self.log = Log()

    def say(
        self, time: datetime, text: str, why: str | None = None, label: str = "hostile"
    ) -> None:
        stamp = f"{time:%b} {time.day:2d} {time:%H:%M:%S}"
        up = (time - at(0, "00:00:00")).total_seconds()
        self.log.add(time, f"{stamp} gw1 kernel: [{up:.6f}] {text}", why=why, label=label)


def _packet(rng: random.Random, ends: tuple[str, str], port: int, transport: str = "TCP") -> str:
    head = (
        f"SRC={ends[0]} DST={ends[1]} LEN={rng.randrange(40, 64)} TOS=0x00 PREC=0x00 "
        f"TTL={rng.randrange(48, 128)} ID={rng.randrange(65536)}"
    )
    if transport == "ICMP":
        return f"{head} PROTO=ICMP TYPE=8 CODE=0 ID={rng.randrange(999)} SEQ=1"
    ports = f"PROTO={transport} SPT={rng.randrange(32768, 61000)} DPT={port}"
    if transport == "UDP":
        return f"{head} DF {ports} LEN=40"
    return f"{head} DF {ports} WINDOW=64240 RES=0x00 SYN URGP=0"


def make() -> Sample:
    """Returns ``netfilter.log``."""
    out = _Kernel()
    rng = dice("netfilter")
    mac = "MAC=52:54:00:1f:0a:01:52:54:00:1f:0a:fe:08:00"
    for time in moments(rng, _DAY, 0, 24, 45):
        ends = (f"203.0.113.{rng.randrange(100, 250)}", _OUTSIDE)
        port = rng.choice((22, 23, 23, 445, 2375, 3389, 5555, 8080))
        transport = rng.choice(("TCP",) * 9 + ("ICMP",))
        text = f"[UFW BLOCK] IN=eth0 OUT= {mac} {_packet(rng, ends, port, transport)}"
        out.say(time, text, _KNOCK, IGNORE)
    for time in moments(rng, _DAY, 7, 18, 110):
        ends = (f"10.4.1.{rng.randrange(20, 56)}", f"192.0.2.{rng.randrange(80, 99)}")
        packet = _packet(rng, ends, rng.choice((443, 443, 443, 80)))
        out.say(time, f"FWD-ACCEPT: IN=lan0 OUT=eth0 {mac} {packet}")
    for time in moments(rng, _DAY, 0, 24, 25):
        packet = _packet(rng, (_OUTSIDE, "192.0.2.53"), rng.choice((53, 123)), "UDP")
        out.say(time, f"[UFW ALLOW] IN= OUT=eth0 {packet}")
    out.say(at(_DAY, "04:11:03.71"), "eth0: Link is Down")
    out.say(at(_DAY, "04:11:06.02"), "eth0: Link is Up - 1Gbps/Full - flow control rx/tx")
    time = at(_DAY, "15:32:18.4")
    for number in range(14):
        ends = (_DESK, f"10.4.2.{20 + number // 2}")
        packet = _packet(rng, ends, 3389 if number % 2 else 445)
        out.say(time, f"FWD-REJECT: IN=lan0 OUT=lan1 {mac} {packet}", _WHY)
        time = after(time, rng, 5, 60)
    return out.log.sample("netfilter.log")
