"""``haproxy.log``: a day of the proxy before a made shop: HTTPS, HTTP, a mail relay over TCP.

People browse, a monitor asks, one server is down for two minutes. At night somebody tries what
the proxy and the servers do with requests that disagree about their own length.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import SHOP_ZONE, Log, Sample, at, dice, moments

_DAY = 2
_SMUGGLE = "requests that the proxy and its servers read differently"
_PATHS = ("/", "/cart", "/products/ryoba-240", "/search?q=plane", "/static/app.css", "/checkout")
_AGENTS = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (X11; Linux x86_64)", "curl/8")


def make() -> Sample:
    """Returns ``haproxy.log``."""
    log = Log()
    rng = dice("haproxy")
    for time in moments(rng, _DAY, 6, 23, 260):
        _http(
            log, rng, time, f"192.0.2.{rng.randrange(20, 80)}", f"GET {rng.choice(_PATHS)} HTTP/2.0"
        )
    for time in moments(rng, _DAY, 0, 24, 60):
        _tcp(log, rng, time)
    for time in moments(rng, _DAY, 0, 24, 9):
        client = f"203.0.113.{rng.randrange(9, 250)}:{rng.randrange(1024, 65000)}"
        why = rng.choice(("SSL handshake failure", "Connection closed during SSL handshake"))
        _say(log, time, f"{client} [{_accepted(time)}] shop-tls/1: {why}")
    _outage(log)
    time = at(_DAY, "03:20:44.512")
    for number in range(14):
        time += timedelta(milliseconds=rng.randrange(300, 2600))
        text = "<BADREQ>" if number % 3 else "POST /cart HTTP/1.1"
        _http(log, rng, time, "198.51.100.77", text, bad=number % 3 > 0, why=_SMUGGLE)
    return log.sample("haproxy.log")


def _accepted(time: datetime) -> str:
    local = time.astimezone(SHOP_ZONE)
    return f"{local:%d/%b/%Y:%H:%M:%S}.{local.microsecond // 1000:03}"


def _say(log: Log, time: datetime, text: str, why: str | None = None) -> None:
    log.add(
        time, f"<134>{time.astimezone(SHOP_ZONE):%b %e %H:%M:%S} lb01 haproxy[912]: {text}", why=why
    )


def _http(
    log: Log, rng: random.Random, time: datetime, client: str, request: str, *,
    bad: bool = False, why: str | None = None,
) -> None:  # fmt: skip
    wait, answer = rng.randrange(0, 3), rng.randrange(2, 160)
    total = wait + answer + rng.randrange(1, 20)
    place = "shop-tls~ shop/<NOSRV>" if bad else f"shop-tls~ shop/web{rng.randrange(1, 4)}"
    timers = "-1/-1/-1/-1/0" if bad else f"0/{wait}/1/{answer}/{total}"
    status, size, state = (400, 0, "PR--") if bad else (rng.choice((200, 200, 200, 304, 404)),
                                                        rng.randrange(300, 60_000), "----")  # fmt: skip  # noqa: E501 - one log line
    agent = "" if bad else rng.choice(_AGENTS)
    _say(log, time, (
        f"{client}:{rng.randrange(32768, 61000)} [{_accepted(time)}] {place} {timers} {status} {size} "  # noqa: E501 - one log line
        f"- - {state} {rng.randrange(2, 40)}/{rng.randrange(1, 30)}/{wait}/{wait}/0 0/0 "
        f'{{www.shop.example|{agent}}} {{}} "{request}" 0/0/0/0/0 '
        "www.shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384"
    ), why)  # fmt: skip


def _tcp(log: Log, rng: random.Random, time: datetime) -> None:
    client = f"10.20.1.{rng.randrange(11, 30)}:{rng.randrange(32768, 61000)}"
    state = rng.choice(("--", "--", "--", "cD"))
    _say(log, time, (
        f"{client} [{_accepted(time)}] relay mail/mx{rng.randrange(1, 3)} 0/1/{rng.randrange(40, 90_000)} "  # noqa: E501 - one log line
        f"{rng.randrange(200, 9000)} {state} {rng.randrange(1, 9)}/2/1/1/0 0/0"
    ))  # fmt: skip


def _outage(log: Log) -> None:
    down = 'Server shop/web2 is DOWN, reason: Layer4 timeout, info: " at step 1", check duration: 2001ms. 2 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.'  # noqa: E501 - one log line
    up = "Server shop/web2 is UP, reason: Layer4 check passed, check duration: 1ms. 3 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."  # noqa: E501 - one log line
    _say(log, at(_DAY, "13:02:11"), down)
    _say(log, at(_DAY, "13:04:13"), up)
    _say(log, at(_DAY, "05:00:00"), "Proxy shop-tls started.")
