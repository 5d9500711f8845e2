"""``postfix.log``: a day of the mail server of a made company, as Postfix writes it.

Mail comes in and goes out, people send from home after a login, strangers try to relay. In the
evening someone guesses the password of a colleague and sends a letter about an invoice in her name.
"""

from __future__ import annotations

import random
from datetime import datetime

from samples.log import IGNORE, Log, Sample, after, at, dice, moments

_DAY = 1
_HOST = "mx1"
_GUESSER = "203.0.113.77"
_STAFF = ("mira", "jonas", "petra", "lena", "tomas")
_HOMES = {name: f"198.51.100.{20 + number}" for number, name in enumerate(_STAFF)}
_PARTNERS = {"partner.example": "192.0.2.61", "bank.example": "192.0.2.62",
             "news.example": "192.0.2.63", "woodwork.example": "192.0.2.64"}  # fmt: skip
_WHY_GUESS = "guessing a password to send mail"
_WHY_SENT = "mail sent with the guessed password"
_WHY_KNOCK = "the internet's usual knocking, no part of the attack"


class _Server:
    def __init__(self) -> None:
        self.log = Log()
        self.rng = dice("postfix ids")

    def say(
        self, time: datetime, tag: str, text: str, why: str | None = None, label: str = "hostile"
    ) -> None:
        stamp = f"{time:%b} {time.day:2d} {time:%H:%M:%S}"
        pid = 2000 + sum(tag.encode()) % 900
        self.log.add(time, f"{stamp} {_HOST} postfix/{tag}[{pid}]: {text}", why=why, label=label)

    def queue_id(self) -> str:
        return f"4{self.rng.randrange(16**9):09X}"


def make() -> Sample:
    """Returns ``postfix.log``."""
    out = _Server()
    out.say(at(_DAY, "00:00:04"), "postfix-script", "refreshing the Postfix mail system")
    out.say(at(_DAY, "00:00:04.2"), "master", "reload -- version 3.8.6, configuration /etc/postfix")
    rng = dice("postfix")
    for time in moments(rng, _DAY, 6, 22, 26):
        _incoming(out, rng, time)
    for time in moments(rng, _DAY, 8, 18, 15):
        _sent(out, rng, time, rng.choice(_STAFF))
    for time in moments(rng, _DAY, 0, 24, 13):
        _stranger(out, rng, time)
    for time in moments(rng, _DAY, 7, 19, 6):
        out.say(
            time,
            "anvil",
            f"statistics: max connection rate {rng.randrange(1, 6)}/60s for "
            f"(smtp:{rng.choice(list(_PARTNERS.values()))}) at Mar  3 {time:%H:%M:%S}",
        )
    _attack(out)
    return out.log.sample("postfix.log")


def _incoming(out: _Server, rng: random.Random, time: datetime) -> None:
    domain, address = rng.choice(list(_PARTNERS.items()))
    peer = f"mail.{domain}[{address}]"
    number, to = out.queue_id(), f"{rng.choice(_STAFF)}@corp.example"
    out.say(time, "smtpd", f"connect from {peer}")
    if rng.randrange(2):
        out.say(
            time,
            "smtpd",
            f"Anonymous TLS connection established from {peer}: TLSv1.3 with "
            "cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
        )
    out.say(after(time, rng, 90, 400), "smtpd", f"{number}: client={peer}")
    time = after(time, rng, 400, 900)
    sender = f"{rng.choice(('info', 'orders', 'ann'))}@{domain}"
    out.say(time, "cleanup", f"{number}: message-id=<{rng.randrange(10**9)}@{domain}>")
    out.say(
        time,
        "qmgr",
        f"{number}: from=<{sender}>, size={rng.randrange(900, 90_000)}, nrcpt=1 (queue active)",
    )
    out.say(
        after(time, rng, 50, 300),
        "smtpd",
        f"disconnect from {peer} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7",
    )
    time = after(time, rng, 300, 900)
    out.say(
        time,
        "lmtp",
        f"{number}: to=<{to}>, relay=mx1.corp.example[private/dovecot-lmtp], "
        f"delay=0.{rng.randrange(20, 90)}, delays=0.2/0.01/0.01/0.1, dsn=2.0.0, status=sent "
        "(250 2.0.0 Saved)",
    )
    out.say(time, "qmgr", f"{number}: removed")


def _sent(
    out: _Server, rng: random.Random, time: datetime, name: str, *, why: str | None = None
) -> None:
    peer = f"home-{name}.isp.example[{_HOMES[name]}]" if why is None else f"unknown[{_GUESSER}]"
    domain, address = rng.choice(list(_PARTNERS.items()))
    number, user = out.queue_id(), f"{name}@corp.example"
    out.say(time, "submission/smtpd", f"connect from {peer}", why)
    out.say(
        after(time, rng, 90, 400),
        "submission/smtpd",
        f"{number}: client={peer}, sasl_method=PLAIN, sasl_username={user}",
        why,
    )
    time = after(time, rng, 400, 900)
    out.say(time, "cleanup", f"{number}: message-id=<{rng.randrange(10**9)}@corp.example>", why)
    out.say(
        time,
        "qmgr",
        f"{number}: from=<{user}>, size={rng.randrange(900, 40_000)}, nrcpt=1 (queue active)",
        why,
    )
    late = rng.randrange(9) == 0 and why is None
    status = (
        "deferred (host said: 451 4.7.1 Greylisted, try again (in reply to RCPT TO command))"
        if late
        else "sent (250 2.0.0 Ok: queued)"
    )
    code = "4.7.1" if late else "2.0.0"
    out.say(
        after(time, rng, 600, 2000),
        "smtp",
        f"{number}: to=<ann@{domain}>, relay=mail.{domain}[{address}]:25, delay=1.1, "
        f"delays=0.1/0.02/0.5/0.5, dsn={code}, status={status}",
        why,
    )
    out.say(
        after(time, rng, 2000, 2900),
        "submission/smtpd",
        f"disconnect from {peer} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8",
        why,
    )


def _stranger(out: _Server, rng: random.Random, time: datetime) -> None:
    address = f"203.0.113.{rng.randrange(100, 250)}"
    peer = f"unknown[{address}]"
    refused = f"NOQUEUE: reject: RCPT from {peer}:"
    relayed = "from=<spam@a.example> to=<x@b.example> proto=ESMTP helo=<a.example>"
    unknown = "from=<a@b.example> to=<sales@corp.example> proto=SMTP helo=<b.example>"
    texts = (
        f"{refused} 554 5.7.1 <x@b.example>: Relay access denied; {relayed}",
        f"{refused} 550 5.1.1 <sales@corp.example>: User unknown; {unknown}",
        f"lost connection after AUTH from {peer}",
        f"improper command pipelining after CONNECT from {peer}: GET / HTTP/1.1",
        f"warning: hostname bad.example does not resolve to address {address}: Unknown name",
    )
    out.say(time, "smtpd", f"connect from {peer}", _WHY_KNOCK, IGNORE)
    out.say(after(time, rng, 200, 900), "smtpd", rng.choice(texts), _WHY_KNOCK, IGNORE)
    out.say(
        after(time, rng, 900, 1900),
        "smtpd",
        f"disconnect from {peer} ehlo=1 auth=0/1 quit=1 commands=2/3",
        _WHY_KNOCK,
        IGNORE,
    )


def _attack(out: _Server) -> None:
    rng = dice("postfix attack")
    time = at(_DAY, "21:14:02.4")
    for _ in range(9):
        out.say(
            time,
            "submission/smtpd",
            f"warning: unknown[{_GUESSER}]: SASL LOGIN authentication "
            "failed: (reason unavailable), sasl_username=petra@corp.example",
            _WHY_GUESS,
        )
        time = after(time, rng, 2000, 9000)
    for _ in range(2):
        _sent(out, rng, time, "petra", why=_WHY_SENT)
        time = after(time, rng, 4000, 9000)
