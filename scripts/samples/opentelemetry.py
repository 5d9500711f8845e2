"""``otel.jsonl``: an afternoon of a made shop's services, as a collector's file exporter writes it.

Each line is a request that holds the log records of a quarter of an hour by resource and scope. A
gateway tells of HTTP requests, the accounts service of sign-ins, the orders service of its database
and now and then of an exception. Someone tries passwords from one address, gets into one account,
and takes all its orders through the programming interface.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from samples.log import HOSTILE, Label, Sample, after, at, dice, moments, utc

_DAY = 3
_MINUTES = 15  # of a request
_WHY = "passwords are tried, one fits, and its account's orders are taken one by one"
_SCOPES = {
    "gateway": "shop.gateway.access",
    "accounts": "shop.accounts.signin",
    "orders": "shop.orders.db",
}
_PATHS = ("/", "/products", "/products/41", "/cart", "/api/orders", "/login")
_NAMES = ("ann", "ben", "cora", "dilan", "edith", "farid", "greta", "hugo", "ines", "jon")
_LEVELS = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17}


@dataclass(frozen=True)
class _Record:
    time: datetime
    service: str
    body: dict[str, Any]
    why: str | None


class _Records:
    def __init__(self) -> None:
        self.records: list[_Record] = []

    def add(
        self,
        time: datetime,
        service: str,
        said: tuple[str, str, str],
        attributes: dict[str, Any],
        *,
        why: str | None = None,
    ) -> None:
        """Adds a record; ``said`` is its level, the name of its event or nothing, its text."""
        level, event, text = said
        trace = dice(f"trace {time} {text}").randrange(16**32)
        nanoseconds = int(utc(time).timestamp() * 1_000_000) * 1000
        body = {
            "timeUnixNano": str(nanoseconds), "observedTimeUnixNano": str(nanoseconds + 41_000),
            "severityNumber": _LEVELS[level], "severityText": level,
            "body": {"stringValue": text}, "attributes": _pairs(attributes),
            "traceId": f"{trace:032x}", "spanId": f"{trace % 16**16:016x}",
        }  # fmt: skip
        if event:
            body["eventName"] = event
        self.records.append(_Record(time, service, body, why))


def make() -> Sample:
    """Returns ``otel.jsonl``."""
    out = _Records()
    _visits(out, dice("otel visits"))
    _sign_ins(out, dice("otel sign-ins"))
    _orders(out, dice("otel orders"))
    _taken(out, dice("otel taken"))
    return _requests(sorted(out.records, key=lambda record: record.time))


def _requests(records: list[_Record]) -> Sample:
    """Returns the records as lines of requests; a label's line is the number of its record."""
    lines: list[str] = []
    labels: list[Label] = []
    number = 0
    windows: dict[int, dict[str, list[_Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        window = int(record.time.timestamp()) // (60 * _MINUTES)
        windows[window][record.service].append(record)
    for window in sorted(windows):
        resources = []
        for service, held in sorted(windows[window].items()):
            scope = {"scope": {"name": _SCOPES[service], "version": "1.4.0"},
                     "logRecords": [record.body for record in held]}  # fmt: skip
            resources.append({"resource": _resource(service), "scopeLogs": [scope]})
            for record in held:
                number += 1
                if record.why is not None:
                    labels.append(Label(number, HOSTILE, record.why))
        lines.append(json.dumps({"resourceLogs": resources}, separators=(",", ":")))
    return Sample("otel.jsonl", ("\n".join(lines) + "\n").encode(), labels)


def _resource(service: str) -> dict[str, Any]:
    return {
        "attributes": _pairs(
            {
                "service.name": service,
                "service.namespace": "shop",
                "deployment.environment": "production",
                "cloud.region": "eu-central-1",
                "k8s.pod.name": f"{service}-7d9f4c",
                "host.name": f"node-{len(service) % 3}",
            }
        )
    }


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": value}


def _visit(
    out: _Records,
    time: datetime,
    request: tuple[str, str, int],
    address: str,
    *,
    why: str | None = None,
) -> None:
    method, path, status = request
    route = "/api/orders/{id}" if path.startswith("/api/orders/") else path
    attributes = {
        "http.request.method": method, "url.path": path, "http.route": route,
        "http.response.status_code": status, "client.address": address,
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) Firefox/147.0" if why is None
        else "python-requests/2.31", "network.protocol.version": "2",
    }  # fmt: skip
    out.add(time, "gateway", ("INFO", "", f"{method} {path} {status}"), attributes, why=why)


def _signed_in(
    out: _Records, time: datetime, name: str, address: str, good: bool, *, why: str | None = None
) -> None:
    text = f"{'accepted' if good else 'refused'} password of {name} from {address}"
    attributes = {"user.name": name, "client.address": address, "auth.methods": ["password"],
                  "event.outcome": "success" if good else "failure"}  # fmt: skip
    said = ("INFO" if good else "WARN", "user.login", text)
    out.add(time, "accounts", said, attributes, why=why)


def _visits(out: _Records, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 12, 17, 90):
        path = rng.choice(_PATHS)
        status = 404 if rng.randrange(30) == 0 else 200
        _visit(out, time, ("GET", path, status), f"203.0.113.{rng.randrange(2, 50)}")


def _sign_ins(out: _Records, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 12, 17, 30):
        name = rng.choice(_NAMES)
        _signed_in(out, time, name, f"203.0.113.{2 + len(name) * 7}", rng.randrange(9) > 0)


def _orders(out: _Records, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 12, 17, 34):
        attributes = {"db.system": "postgresql", "db.operation.name": "SELECT",
                      "db.query.text": "SELECT * FROM orders WHERE customer = $1",
                      "server.address": "10.8.0.12", "server.port": 5432}  # fmt: skip
        if rng.randrange(12) == 0:
            attributes |= {"exception.type": "OperationalError",
                           "exception.message": "the pool has no connection left"}  # fmt: skip
            out.add(time, "orders", ("ERROR", "", "query failed"), attributes)
        else:
            took = rng.randrange(1, 90)
            out.add(time, "orders", ("DEBUG", "", f"query took {took} ms"), attributes)


def _taken(out: _Records, rng: random.Random) -> None:
    time, address = at(_DAY, "15:41:20.500"), "198.51.100.99"
    for place, name in enumerate(("ann", "cora", "edith", "greta", "ines", "jon")):
        _signed_in(out, time, name, address, place == 5, why=_WHY)
        time = after(time, rng, 800, 2500)
    for number in range(6):
        _visit(out, time, ("GET", f"/api/orders/{7001 + number}", 200), address, why=_WHY)
        time = after(time, rng, 100, 300)
