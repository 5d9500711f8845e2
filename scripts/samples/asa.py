"""``asa.log``: a day of a made company's Cisco firewall, behind a collector of syslog.

People go out to the web and come in by VPN, the internet knocks, an administrator works in the
evening. In the night someone guesses a password for the VPN and gets in.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import IGNORE, Log, Sample, after, at, dice, moments

_DAY = 1
_OUTSIDE = "198.51.100.1"
_GUESSER = "203.0.113.77"
_WHY = "the VPN, with a guessed password"
_KNOCK = "the internet's usual knocking, no part of the attack"


class _Firewall:
    def __init__(self) -> None:
        self.log = Log()
        self.connection = 118_204

    def say(
        self,
        time: datetime,
        severity: int,
        number: int,
        text: str,
        *,
        why: str | None = None,
        label: str = "hostile",
    ) -> None:
        stamp = f"{time:%b %d %Y %H:%M:%S}"
        line = f"<{160 + severity}>{stamp} asa1 : %ASA-{severity}-{number}: {text}"
        self.log.add(time, line, why=why, label=label)


def make() -> Sample:
    """Returns ``asa.log``."""
    out = _Firewall()
    rng = dice("asa")
    for time in moments(rng, _DAY, 7, 18, 50):
        _browse(out, rng, time)
    for time in moments(rng, _DAY, 0, 24, 60):
        ends = f"src outside:203.0.113.{rng.randrange(100, 250)}/{rng.randrange(32768, 61000)}"
        port = rng.choice((22, 23, 445, 3389))
        out.say(
            time,
            4,
            106023,
            f'Deny tcp {ends} dst dmz:{_OUTSIDE}/{port} by access-group "outside_in" [0x0, 0x0]',
            why=_KNOCK,
            label=IGNORE,
        )
    for name, address in (("mira", "198.51.100.60"), ("jonas", "198.51.100.71")):
        for time in moments(rng, _DAY, 7, 20, 5):
            _visit(out, rng, time, name, address)
    for time in moments(rng, _DAY, 0, 24, 6):
        out.say(
            time,
            4,
            733100,
            "[ Scanning] drop rate-1 exceeded. Current burst rate is 12 per "
            "second, max configured rate is 10; Current average rate is 8 per second, max "
            f"configured rate is 5; Cumulative total count is {rng.randrange(4000, 9000)}",
        )
    _work(out, at(_DAY, "18:22:40"))
    _attack(out, rng)
    return out.log.sample("asa.log")


def _browse(out: _Firewall, rng: random.Random, time: datetime) -> None:
    inside = f"inside:10.4.1.{rng.randrange(20, 56)}/{rng.randrange(32768, 61000)}"
    port = int(inside.rpartition("/")[2])
    server = f"192.0.2.{rng.randrange(80, 99)}/443"
    out.connection += 1
    out.say(
        time, 6, 305011, f"Built dynamic TCP translation from {inside} to outside:{_OUTSIDE}/{port}"
    )
    out.say(
        time,
        6,
        302013,
        f"Built outbound TCP connection {out.connection} for outside:{server} "
        f"({server}) to {inside} ({_OUTSIDE}/{port})",
    )
    lasts = rng.randrange(1, 59)
    out.say(
        time + timedelta(seconds=lasts),
        6,
        302014,
        f"Teardown TCP connection {out.connection} for outside:{server} to {inside} duration "
        f"0:00:{lasts:02d} bytes {rng.randrange(800, 90_000)} TCP FINs",
    )


def _visit(
    out: _Firewall,
    rng: random.Random,
    time: datetime,
    name: str,
    address: str,
    *,
    why: str | None = None,
) -> None:
    out.say(
        time,
        6,
        113004,
        f"AAA user authentication Successful : server =  10.4.0.5 : user = {name}",
        why=why,
    )
    time = after(time, rng, 300, 1900)
    out.say(
        time,
        6,
        113039,
        f"Group <staff> User <{name}> IP <{address}> AnyConnect parent session started.",
        why=why,
    )
    time = after(time, rng, 600_000, 2_900_000)
    out.say(
        time,
        4,
        113019,
        f"Group = staff, Username = {name}, IP = {address}, Session "
        "disconnected. Session Type: SSL, Duration: 0h:21m:03s, Bytes xmt: "
        f"{rng.randrange(10**5, 10**7)}, Bytes rcv: {rng.randrange(10**4, 10**6)}, Reason: "
        "User Requested",
        why=why,
    )


def _work(out: _Firewall, time: datetime) -> None:
    admin = "10.4.1.21"
    out.say(
        time,
        6,
        605005,
        f'Login permitted from {admin}/51022 to inside:10.4.0.1/ssh for user "netops"',
    )
    for number, command in enumerate(("show running-config", "write memory")):
        moment = time + timedelta(seconds=30 + 50 * number)
        out.say(moment, 5, 111008, f"User 'netops' executed the '{command}' command.")
    out.say(
        time + timedelta(seconds=120),
        5,
        111010,
        f"User 'netops', running 'CLI' from IP {admin}, executed 'logout'",
    )


def _attack(out: _Firewall, rng: random.Random) -> None:
    time = at(_DAY, "02:41:09")
    for _ in range(9):
        out.say(
            time,
            6,
            113005,
            "AAA user authentication Rejected : reason = AAA failure : server "
            f"= 10.4.0.5 : user = jonas : user IP = {_GUESSER}",
            why=_WHY,
        )
        time = after(time, rng, 2000, 9000)
    _visit(out, rng, time, "jonas", _GUESSER, why=_WHY)
    for number in range(5):
        time = after(time, rng, 900, 20_000)
        out.say(
            time,
            4,
            106023,
            f"Deny tcp src outside:10.9.0.14/{40_000 + number} dst "
            f'inside:10.4.0.{5 + number}/22 by access-group "vpn_in" [0x0, 0x0]',
            why=_WHY,
        )
