"""``apache_error.log``: three days of a made intranet's Apache 2.4, what it complains of.

Forgotten links, forbidden folders, mistyped passwords, a script that warns. On the third day
somebody inside looks for files and feeds the search page with SQL, which ModSecurity sees.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import SHOP_ZONE, Log, Sample, at, dice, moments

_LOOK = "somebody inside looks for files and tries SQL injection"
_FOLDER = "/var/www/intranet"
_INTRUDER = "10.20.1.19"
_PEOPLE = ("mira", "jonas", "petra", "lena")
_DESKS = tuple(f"10.20.1.{number}" for number in range(11, 25))
_GUARD = '[file "/etc/modsecurity/REQUEST-942-APPLICATION-ATTACK-SQLI.conf"] [line "66"] [id "942100"] [msg "SQL Injection Attack Detected via libinjection"] [severity "CRITICAL"] [hostname "intranet.office.example"] [uri "/search"]'  # noqa: E501 - one log line


def make() -> Sample:
    """Returns ``apache_error.log``."""
    log = Log()
    rng = dice("apache_error")
    for day in (0, 1, 2):
        _day(log, rng, day)
    _attack(log, rng)
    return log.sample("apache_error.log")


def _day(log: Log, rng: random.Random, day: int) -> None:
    start = at(day, "03:00:01.118204")
    log.add(
        start,
        f"[{_stamp(start)}] [mpm_event:notice] [pid 640:tid 140215] AH00489: Apache/2.4.62 (Debian) OpenSSL/3.0.15 configured -- resuming normal operations",  # noqa: E501 - one log line
    )
    for time in moments(rng, day, 7, 18, 40):
        page = rng.choice(("menu/2025", "forms/travel.pdf", "old/phone-list", "favicon.ico"))
        _say(log, rng, time, ("core", "AH00128"), f"File does not exist: {_FOLDER}/{page}")
    for time in moments(rng, day, 7, 18, 14):
        folder = rng.choice(("img", "forms"))
        _say(
            log,
            rng,
            time,
            ("autoindex", "AH01276"),
            f"Cannot serve directory {_FOLDER}/{folder}/: No matching DirectoryIndex (index.html) found, and server-generated directory index forbidden by Options directive",  # noqa: E501 - one log line
        )
    for time in moments(rng, day, 7, 9, 10):
        name = rng.choice(_PEOPLE)
        _say(
            log,
            rng,
            time,
            ("auth_basic", "AH01617"),
            f'user {name}: authentication failure for "/private": Password Mismatch',
        )
    for time in moments(rng, day, 8, 17, 12):
        _say(
            log,
            rng,
            time,
            ("php", ""),
            'PHP Warning: Undefined array key "page" in /var/www/intranet/menu.php on line 41',
        )
    for time in moments(rng, day, 8, 17, 6):
        _say(
            log,
            rng,
            time,
            ("authz_core", "AH01630"),
            f"client denied by server configuration: {_FOLDER}/.git/",
        )


def _attack(log: Log, rng: random.Random) -> None:
    time = at(2, "16:48:02.401")
    for path in ("backup.zip", "db.sql", ".svn/entries", "config.php.bak", "admin/", "phpinfo.php"):
        time += timedelta(milliseconds=rng.randrange(400, 1900))
        _say(
            log,
            rng,
            time,
            ("core", "AH00128"),
            f"File does not exist: {_FOLDER}/{path}",
            intruder=_INTRUDER,
        )
    for _ in range(7):
        time += timedelta(milliseconds=rng.randrange(900, 4900))
        _say(
            log,
            rng,
            time,
            ("security2", ""),
            f"ModSecurity: Access denied with code 403 (phase 2). detected SQLi using libinjection. {_GUARD}",  # noqa: E501 - one log line
            intruder=_INTRUDER,
        )


def _stamp(time: datetime) -> str:
    return f"{time.astimezone(SHOP_ZONE):%a %b %d %H:%M:%S.%f %Y}"


def _say(
    log: Log, rng: random.Random, time: datetime, kind: tuple[str, str], text: str, *,
    intruder: str | None = None,
) -> None:  # fmt: skip
    module, code = kind
    client = f"{intruder or rng.choice(_DESKS)}:{rng.randrange(32768, 61000)}"
    number = f"{code}: " if code else ""
    referer = ", referer: https://intranet.office.example/" if rng.randrange(4) == 0 else ""
    tid = 140215 + rng.randrange(9)
    log.add(time, (
        f"[{_stamp(time)}] [{module}:error] [pid 64{rng.randrange(1, 9)}:tid {tid}] "
        f"[client {client}] {number}{text}{referer}"
    ), why=_LOOK if intruder else None)  # fmt: skip
