"""``dovecot.log``: a day of the mailboxes of a made company, as Dovecot writes it.

Phones and desks fetch mail at their habits. In the evening someone guesses the password of a
colleague and fetches all of her mail.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from samples.log import IGNORE, Log, Sample, after, at, dice, moments

_DAY = 1
_SERVER = "10.4.0.25"
_GUESSER = "203.0.113.77"
_STAFF = ("mira", "jonas", "petra", "lena", "tomas")
_WHY = "the mailbox of petra, with a guessed password"
_KNOCK = "the internet's usual knocking, no part of the attack"


class _Server:
    def __init__(self) -> None:
        self.log = Log()
        self.rng = dice("dovecot ids")

    def say(
        self, time: datetime, text: str, why: str | None = None, label: str = "hostile"
    ) -> None:
        stamp = f"{time:%b} {time.day:2d} {time:%H:%M:%S}"
        self.log.add(time, f"{stamp} mx1 dovecot: {text}", why=why, label=label)

    def session(
        self, time: datetime, user: str, source: str, size: int, why: str | None = None
    ) -> None:
        """Writes a login and what came of it."""
        pid = self.rng.randrange(4000, 31_000)
        name = "".join(
            self.rng.choice("abcdefghkmnpqrstuvwxyzABCDEFGH0123456789+") for _ in range(16)
        )
        self.say(
            time,
            f"imap-login: Login: user=<{user}>, method=PLAIN, rip={source}, "
            f"lip={_SERVER}, mpid={pid}, TLS, session=<{name}>",
            why,
        )
        end = time + timedelta(seconds=self.rng.randrange(5, 1500))
        self.say(
            end,
            f"imap({user})<{pid}><{name}>: Disconnected: Logged out "
            f"in={self.rng.randrange(80, 900)} out={size} deleted=0 expunged=0",
            why,
        )

    def refused(
        self, time: datetime, user: str, source: str, why: str | None, label: str = "hostile"
    ) -> None:
        """Writes a login that failed."""
        self.say(
            time,
            f"auth: passwd-file({user},{source},<{self.rng.randrange(10**8)}>): Password mismatch",
            why,
            label,
        )
        self.say(
            time + timedelta(seconds=2),
            "imap-login: Disconnected: Connection closed (auth "
            f"failed, 1 attempts in 2 secs): user=<{user}>, method=PLAIN, rip={source}, "
            f"lip={_SERVER}, TLS, session=<{self.rng.randrange(10**8)}>",
            why,
            label,
        )


def make() -> Sample:
    """Returns ``dovecot.log``."""
    out = _Server()
    rng = dice("dovecot")
    out.say(at(_DAY, "00:00:05"), "master: Warning: SIGHUP received - reloading configuration")
    for number, name in enumerate(_STAFF):
        for source, count in ((f"10.4.1.{20 + number}", 11), (f"198.51.100.{20 + number}", 5)):
            for time in moments(rng, _DAY, 7, 20, count):
                out.session(time, f"{name}@corp.example", source, rng.randrange(700, 60_000))
    for time in moments(rng, _DAY, 6, 22, 30):
        name = f"{rng.choice(_STAFF)}@corp.example"
        out.say(
            time,
            f"lmtp({name})<{rng.randrange(4000, 31_000)}><{rng.randrange(10**8)}>: sieve: "
            f"msgid=<{rng.randrange(10**9)}@partner.example>: stored mail into mailbox 'INBOX'",
        )
    out.refused(at(_DAY, "08:12:40.7"), "lena@corp.example", "10.4.1.23", None)
    for time in moments(rng, _DAY, 0, 24, 9):
        source = f"203.0.113.{rng.randrange(100, 250)}"
        out.refused(time, rng.choice(("admin", "info", "test")), source, _KNOCK, IGNORE)
        out.say(
            after(time, rng, 4000, 9000),
            "imap-login: Disconnected: Connection closed (no auth "
            f"attempts in 1 secs): user=<>, rip={source}, lip={_SERVER}, TLS handshaking: "
            "SSL_accept() failed: error:0A0000C1:SSL routines::no shared cipher",
            _KNOCK,
            IGNORE,
        )
    time = at(_DAY, "20:40:11.3")
    for _ in range(6):
        out.refused(time, "petra@corp.example", _GUESSER, _WHY)
        time = after(time, rng, 3000, 15_000)
    out.session(time, "petra@corp.example", _GUESSER, 48_112_630, _WHY)
    return out.log.sample("dovecot.log")
