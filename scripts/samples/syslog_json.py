"""``syslog_json.log``: a day of a made shop's services, which log JSON through syslog.

The application, its worker and an audit agent write objects (one behind ``@cee:``); a few lines
are plain. At night somebody changes the number in a link and reads the orders of others.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta

from samples.log import Log, Sample, at, dice, moments, utc

_DAY = 3
_READ = "the orders of other customers, read one after the other"
_CUSTOMERS = {f"customer{number}": f"192.0.2.{number + 40}" for number in range(24)}


def make() -> Sample:
    """Returns ``syslog_json.log``."""
    log = Log()
    rng = dice("syslog_json")
    for time in moments(rng, _DAY, 6, 23, 190):
        name = rng.choice(list(_CUSTOMERS))
        path = rng.choice(
            ("/cart", "/search", f"/orders/{1000 + int(name[8:])}", "/products/ryoba")
        )
        _request(log, rng, time, (name, _CUSTOMERS[name]), path)
    for time in moments(rng, _DAY, 0, 24, 60):
        job = {"level": "info", "job": rng.choice(("mail", "stock", "invoice")),
               "duration_ms": rng.randrange(20, 4000), "msg": "job done"}  # fmt: skip
        log.add(time, f"{_head(time, 'worker')} @cee: {json.dumps(job)}")
    for time in moments(rng, _DAY, 7, 18, 30):
        _audit(log, rng, time)
    log.add(
        at(_DAY, "04:00:02"), f"{_head(at(_DAY, '04:00:02'), 'worker')} restarting after update"
    )
    time = at(_DAY, "02:14:09")
    for number in range(1003, 1015):
        time += timedelta(milliseconds=rng.randrange(600, 1500))
        _request(log, rng, time, ("customer7", "198.51.100.77"), f"/orders/{number}", why=_READ)
    return log.sample("syslog_json.log")


def _head(time: datetime, program: str) -> str:
    return f"<134>{utc(time):%b %e %H:%M:%S} shop01 {program}[{700 + len(program)}]:"


def _request(
    log: Log, rng: random.Random, time: datetime, who: tuple[str, str], path: str, *,
    why: str | None = None,
) -> None:  # fmt: skip
    entry = {
        "timestamp": f"{utc(time):%Y-%m-%dT%H:%M:%S.%f}Z", "level": "info", "logger": "shop.http",
        "message": "request served", "user": {"name": who[0]}, "client_ip": who[1],
        "http": {"method": "GET", "status_code": 200, "bytes": rng.randrange(400, 20_000)},
        "path": path, "request_id": f"{rng.randrange(1 << 48):012x}",
    }  # fmt: skip
    log.add(time, f"{_head(time, 'shop-web')} {json.dumps(entry)}", why=why)


def _audit(log: Log, rng: random.Random, time: datetime) -> None:
    entry = {
        "event": {"action": "Exec", "outcome": "success"}, "host": "shop01.internal.example",
        "process": {"name": "php", "pid": rng.randrange(2000, 60000),
                    "args": ["artisan", "queue:work"]},
        "user": {"name": "www-data", "id": "33"}, "pid": rng.randrange(2000, 60000),
    }  # fmt: skip
    stamp = f"{utc(time):%Y-%m-%dT%H:%M:%S.%f}Z"
    log.add(time, f"<165>1 {stamp} shop01 audit-agent 55 EXEC - {json.dumps(entry)}")
