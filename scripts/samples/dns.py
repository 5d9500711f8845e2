"""``csv.csv``: two days of a made office resolver's queries, as CSV with a header.

Desktops, phones and servers ask for what they always ask for; the mail server looks up TXT and PTR
records by the hundred, a video site has names like noise. On the second afternoon one desktop
carries a file out in the names it asks for.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from datetime import datetime

from samples.log import Log, Sample, after, at, dice, moments, utc, weighted

_HEADER = "time,client_ip,client_name,transport,query,type,rcode,answers,bytes"
_DAYS = (1, 2)
_TUNNEL = "t.upd-cdn.example"
_WHY = "a file carried out in the labels of DNS names"
_SITES = {
    "www.search.example": 30, "mail.corp.example": 26, "intranet.corp.example": 22,
    "login.corp.example": 18, "files.corp.example": 14, "api.chat.example": 20,
    "cdn.chat.example": 9, "updates.os-vendor.example": 8, "telemetry.os-vendor.example": 8,
    "time.os-vendor.example": 5, "www.news.example": 9, "static.news.example": 9,
    "ads.news.example": 6, "weather.example": 4, "tickets.corp.example": 10,
    "git.corp.example": 8, "maps.example": 3, "printer-2.corp.example": 2, "www.bank.example": 2,
    "shop.books.example": 2, "radio.example": 3, "pkg.linux.example": 3,
}  # fmt: skip
_TYPES = {"A": 60, "AAAA": 30, "HTTPS": 10}
_SENDERS = ("corp.example", "news.example", "partner.example", "bank.example", "books.example",
            "list.woodwork.example", "chat.example")  # fmt: skip


class _Resolver:
    def __init__(self) -> None:
        self.log = Log()

    def ask(
        self,
        time: datetime,
        client: tuple[str, str],
        query: str,
        kind: str,
        answer: tuple[str, int, int],
        *,
        transport: str = "udp",
        why: str | None = None,
    ) -> None:
        stamp = utc(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rcode, answers, size = answer
        row = (stamp, *client, transport, query, kind, rcode, answers, size)
        self.log.add(time, ",".join(str(value) for value in row), why=why)


def make() -> Sample:
    """Returns ``csv.csv.gz``."""
    out = _Resolver()
    desks = [(f"10.4.{1 + desk % 2}.{20 + desk}", f"desk-{desk:02}") for desk in range(36)]
    phones = [(f"10.4.9.{30 + phone}", f"phone-{phone:02}") for phone in range(14)]
    for day in _DAYS:
        for client in desks:
            _person(out, dice(f"dns {day} {client}"), day, client, 52)
        for client in phones:
            _person(out, dice(f"dns {day} {client}"), day, client, 18)
        _mail_server(out, day)
        _servers(out, day)
        _video(out, day, desks[4::7])
    _once(out, desks)
    _carry_out(out, desks[17])
    return out.log.sample("csv.csv.gz", header=_HEADER)


def _size(query: str, answers: int) -> int:
    return 28 + len(query) + 16 * answers


def _person(
    out: _Resolver, rng: random.Random, day: int, client: tuple[str, str], count: int
) -> None:
    # everyone has habits: a few sites of the list take most of one's queries
    habit = {site: weight * rng.choice((0, 1, 1, 4)) for site, weight in _SITES.items()}
    for time in moments(rng, day, 7, 18, rng.randrange(count // 2, count)):
        query = weighted(rng, habit | {"www.search.example": 30})
        kind = weighted(rng, _TYPES)
        answers = rng.randrange(1, 4) if kind == "A" else rng.randrange(2)
        out.ask(time, client, query, kind, ("NOERROR", answers, _size(query, answers)))
        if rng.randrange(45) == 0:
            typo = query.replace("e", "r", 1)
            out.ask(after(time, rng, 900, 5000), client, typo, "A", ("NXDOMAIN", 0, _size(typo, 5)))


def _mail_server(out: _Resolver, day: int) -> None:
    rng = dice(f"mail {day}")
    client = ("10.4.0.25", "mail-1")
    for time in moments(rng, day, 0, 24, 140):
        sender = rng.choice(_SENDERS)
        kind, query, size = rng.choice((
            ("TXT", sender, 210), ("TXT", f"_dmarc.{sender}", 120), ("MX", sender, 90),
            ("TXT", f"s{rng.randrange(1, 4)}._domainkey.{sender}", 420),
            ("PTR", f"{rng.randrange(1, 255)}.113.0.203.in-addr.arpa", 80),
        ))  # fmt: skip
        rcode = "NXDOMAIN" if kind == "PTR" and rng.randrange(3) == 0 else "NOERROR"
        answers = 0 if rcode == "NXDOMAIN" else 1
        transport = "tcp" if size > 400 and rng.randrange(3) == 0 else "udp"
        out.ask(time, client, query, kind, (rcode, answers, size), transport=transport)


def _servers(out: _Resolver, day: int) -> None:
    rng = dice(f"servers {day}")
    for client, names in (
        (("10.4.0.11", "files-1"), ("ldap.corp.example", "time.os-vendor.example")),
        (
            ("10.4.0.12", "build-1"),
            ("pkg.linux.example", "git.corp.example", "mirror.linux.example"),
        ),
        (("10.4.0.53", "backup-1"), ("files-1.corp.example", "vault.offsite.example")),
    ):
        for time in moments(rng, day, 0, 24, 60):
            query = rng.choice(names)
            out.ask(time, client, query, "A", ("NOERROR", 1, _size(query, 1)))


def _video(out: _Resolver, day: int, clients: Sequence[tuple[str, str]]) -> None:
    """A video site whose edge names look like noise, and are not."""
    rng = dice(f"video {day}")
    for client in clients:
        for time in moments(rng, day, 11, 14, 5):
            edge = f"r{rng.randrange(1, 6)}---sn-{rng.randrange(36**6):07x}.video.example"
            out.ask(time, client, edge, "A", ("NOERROR", 2, _size(edge, 2)))


def _once(out: _Resolver, desks: Sequence[tuple[str, str]]) -> None:
    """New, rare and harmless: a conference tool, a portal check, a zone transfer refused."""
    for clock, desk, query, kind, answer in (
        ("09:58:12.4", 3, "join.meeting-tool.example", "A", ("NOERROR", 2, 85)),
        ("09:58:13.1", 3, "turn.meeting-tool.example", "A", ("NOERROR", 4, 117)),
        ("13:30:40.8", 11, "connectivity.os-vendor.example", "A", ("NOERROR", 1, 74)),
        ("14:12:09.9", 29, "wpad.corp.example", "A", ("NXDOMAIN", 0, 125)),
        ("15:47:31.2", 8, "corp.example", "AXFR", ("REFUSED", 0, 40)),
        ("16:03:55.6", 21, "broken.zone.example", "A", ("SERVFAIL", 0, 47)),
    ):
        out.ask(at(2, clock), desks[desk], query, kind, answer)


def _carry_out(out: _Resolver, client: tuple[str, str]) -> None:
    rng = dice("carry out")
    time = at(2, "15:21:44.3")
    for number in range(84):
        piece = base64.b32encode(bytes(rng.randrange(256) for _ in range(30))).decode().lower()
        query = f"{number:04x}.{piece.rstrip('=')}.{_TUNNEL}"
        out.ask(time, client, query, "TXT", ("NOERROR", 1, _size(query, 1) + 90), why=_WHY)
        time = after(time, rng, 900, 9000)
