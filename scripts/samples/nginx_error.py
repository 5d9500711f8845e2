"""``nginx_error.log``: two days of a made shop's nginx, what it complains of.

Missing pictures, slow answers, a file that is too large, the internet's usual questions. In the
second night somebody guesses the password before the administrators' pages.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import IGNORE, Log, Sample, at, dice, moments, utc

_GUESS = "guessing the password before the administrators' pages"
_KNOCK = "the internet's usual knocking, no part of the attack"
_HOST = "www.shop.example"
_GONE = "2: No such file or directory"
_UPSTREAM = (
    "upstream timed out (110: Connection timed out) while reading response header from upstream",
    "connect() failed (111: Connection refused) while connecting to upstream",
)
_KNOCKS = ("/wp-login.php", "/.env", "/phpmyadmin/index.php", "/cgi-bin/luci")


def make() -> Sample:
    """Returns ``nginx_error.log``."""
    log = Log()
    rng = dice("nginx_error")
    for day in (1, 2):
        for time in moments(rng, day, 6, 23, 70):
            path = f"/img/{rng.choice(('saw', 'plane', 'strop'))}-{rng.randrange(40)}.webp"
            _missing(log, rng, time, f"192.0.2.{rng.randrange(20, 90)}", path)
        for time in moments(rng, day, 0, 24, 14):
            _missing(
                log,
                rng,
                time,
                f"203.0.113.{rng.randrange(2, 250)}",
                rng.choice(_KNOCKS),
                knock=_KNOCK,
            )
        for time in moments(rng, day, 8, 22, 22):
            text = rng.choice(_UPSTREAM)
            _say(log, rng, time, "error", text, upstream=True)
        for time in moments(rng, day, 0, 24, 12):
            _say(
                log,
                rng,
                time,
                "crit",
                "SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key share) while SSL handshaking",  # noqa: E501 - one log line
                bare=True,
            )
        for time in moments(rng, day, 9, 20, 12):
            _say(log, rng, time, "error", 'limiting requests, excess: 20.460 by zone "search"')
        start = at(day, "04:10:00")
        log.add(start, f"{utc(start):%Y/%m/%d %H:%M:%S} [notice] 811#811: signal process started")
        _say(
            log,
            rng,
            at(day, "11:20:31"),
            "error",
            "client intended to send too large body: 41943040 bytes",
        )
    time = at(2, "23:31:18")
    for name in ("admin", "root", "mira", "jonas", "admin", "mira", "mira", "mira", "shop", "test"):
        time += timedelta(seconds=rng.randrange(2, 9))
        known = name in {"mira", "jonas"}
        text = (
            f'user "{name}": password mismatch'
            if known
            else f'user "{name}" was not found in "/etc/nginx/admins"'
        )
        _say(log, rng, time, "error", text, client="198.51.100.77", path="/admin/", why=_GUESS)
    return log.sample("nginx_error.log")


def _missing(
    log: Log,
    rng: random.Random,
    time: datetime,
    client: str,
    path: str,
    *,
    knock: str | None = None,
) -> None:
    text = f'open() "/var/www/shop{path}" failed ({_GONE})'
    _say(log, rng, time, "error", text, client=client, path=path, why=knock, label=IGNORE)


def _say(  # noqa: PLR0913 - what a line may say, by name
    log: Log, rng: random.Random, time: datetime, level: str, text: str, *, client: str = "",
    path: str = "/search?q=saw", upstream: bool = False, bare: bool = False,
    why: str | None = None, label: str = "hostile",
) -> None:  # fmt: skip
    client = client or f"192.0.2.{rng.randrange(20, 90)}"
    fields = f", client: {client}, server: {'0.0.0.0:443' if bare else _HOST}"
    if not bare:
        fields += f', request: "GET {path} HTTP/2.0"'
        fields += f', upstream: "http://10.20.3.{rng.randrange(11, 14)}:8080{path}"' * upstream
        fields += f', host: "{_HOST}"'
        fields += f', referrer: "https://{_HOST}/"' * (rng.randrange(3) == 0)
    log.add(
        time,
        f"{utc(time):%Y/%m/%d %H:%M:%S} [{level}] 812#812: *{rng.randrange(10**5, 10**6)} {text}{fields}",  # noqa: E501 - one log line
        why=why, label=label,
    )  # fmt: skip
