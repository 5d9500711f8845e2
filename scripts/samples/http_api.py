"""``http_api.jsonl``: an afternoon of a made bookshop's API, a request and its response a line.

Customers look at books and their own orders, and buy. One of them counts through other people's
orders, then buys a book at a price of his own.
"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from samples.log import Log, Sample, after, at, dice, moments, utc

_DAY = 1
_WALK = "a customer counts through other people's orders"
_PRICE = "a customer buys at a price of his own"
_HOST = "api.books.example"
_AGENTS = ("BooksApp/4.2 (iOS 18.3)", "BooksApp/4.1 (Android 15)", "Mozilla/5.0 Firefox/147.0")
_PRICES = {number: 9.5 + number % 17 for number in range(100, 130)}


@dataclass(frozen=True)
class _Customer:
    number: int
    agent: str
    token: str
    session: str


def make() -> Sample:
    """Returns ``http_api.jsonl``."""
    log, rng = Log(), dice("bookshop")
    customers = [_customer(rng, number) for number in range(40, 58)]
    for time in moments(rng, _DAY, 12, 18, 46):
        _visit(log, rng, time, rng.choice(customers))
    _misuse(log, rng, customers[5])
    return log.sample("http_api.jsonl")


def _customer(rng: random.Random, number: int) -> _Customer:
    def part(value: dict[str, Any]) -> str:
        written = json.dumps(value, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(written).decode().rstrip("=")

    issued = int(utc(at(_DAY, "11:50:00")).timestamp())
    claims = {"sub": f"reader{number}", "id": f"u-{number}", "roles": ["CUSTOMER"], "iat": issued}
    token = f"{part({'alg': 'HS256'})}.{part(claims)}.{rng.randrange(16**20):020x}"
    return _Customer(number, rng.choice(_AGENTS), token, f"{rng.randrange(16**16):016x}")


def _call(
    log: Log,
    when: tuple[datetime, _Customer],
    ask: dict[str, Any],
    answer: dict[str, Any],
    why: str | None = None,
) -> None:
    time, customer = when
    body = json.dumps(answer["body"], separators=(",", ":"))
    row = {
        "time": utc(time).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "client_ip": f"203.0.113.{customer.number}",
        "request": {
            "method": ask["method"],
            "url": f"https://{_HOST}{ask['path']}",
            "headers": {
                "Host": _HOST,
                "User-Agent": customer.agent,
                "Accept": "application/json",
                "Authorization": f"Bearer {customer.token}",
                "Cookie": f"session={customer.session}",
            },
            "body": json.dumps(ask["body"], separators=(",", ":")) if "body" in ask else "",
        },
        "response": {
            "status_code": answer["status"],
            "headers": {"Content-Type": "application/json", "Content-Length": str(len(body))},
            "body": body,
        },
        "time_ms": answer["ms"],
    }
    log.add(time, json.dumps(row, separators=(",", ":")), why=why)


def _visit(log: Log, rng: random.Random, time: datetime, customer: _Customer) -> None:
    book = rng.choice(list(_PRICES))
    found = {"id": book, "price": _PRICES[book], "stock": rng.randrange(1, 40)}
    _call(log, (time, customer), {"method": "GET", "path": f"/v1/books/{book}"},
          {"status": 200, "body": found, "ms": rng.randrange(3, 20)})  # fmt: skip
    time = after(time, rng, 2000, 30_000)
    if rng.randrange(3) == 0:
        _buy(log, rng, (time, customer), book)
        return
    query = rng.choice(("gardens", "trains", "the+sea", "o'brien"))
    hits = {"hits": rng.randrange(0, 9)}
    _call(log, (time, customer), {"method": "GET", "path": f"/v1/books?q={query}"},
          {"status": 200, "body": hits, "ms": rng.randrange(9, 60)})  # fmt: skip
    number = customer.number * 10 + rng.randrange(3)
    missing = rng.randrange(8) == 0
    answer = {"error": "not found"} if missing else _order(number, customer.number, book)
    status = 404 if missing else 200
    _call(log, (after(time, rng, 900, 9000), customer),
          {"method": "GET", "path": f"/v1/orders/{number}"},
          {"status": status, "body": answer, "ms": rng.randrange(4, 30)})  # fmt: skip


def _order(number: int, owner: int, book: int) -> dict[str, Any]:
    return {"order": number, "user": f"u-{owner}", "book": book, "total": _PRICES[book]}


def _buy(
    log: Log,
    rng: random.Random,
    when: tuple[datetime, _Customer],
    book: int,
    price: float | None = None,
) -> None:
    customer = when[1]
    paid = _PRICES[book] if price is None else price
    number = customer.number * 10 + rng.randrange(3)
    bought = {**_order(number, customer.number, book), "total": paid}
    _call(log, when,
          {"method": "POST", "path": "/v1/orders", "body": {"book": book, "price": paid}},
          {"status": 201, "body": bought, "ms": rng.randrange(20, 90)},
          why=_PRICE if price is not None else None)  # fmt: skip


def _misuse(log: Log, rng: random.Random, customer: _Customer) -> None:
    time = at(_DAY, "16:30:12.4")
    for step in range(11):
        owner = 41 + step
        book = rng.choice(list(_PRICES))
        _call(log, (time, customer), {"method": "GET", "path": f"/v1/orders/{owner * 10}"},
              {"status": 200, "body": _order(owner * 10, owner, book), "ms": rng.randrange(4, 9)},
              why=_WALK)  # fmt: skip
        time += timedelta(milliseconds=rng.randrange(300, 900))
    _buy(log, rng, (time + timedelta(minutes=2), customer), 104, price=0.01)
