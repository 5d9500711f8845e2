"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

import click

from secad.base.errors import ConfigError
from secad.cli.session import session_of

F = TypeVar("F", bound=Callable[..., Any])

_SPAN = re.compile(r"^(\d{1,6})([smhdw])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Span:
    """A half-open range of time, each end of which may be open.

    Args:
        since: at or after it.
        until: before it.
    """

    since: datetime | None = None
    until: datetime | None = None


def time_options(command: F) -> F:
    """Adds ``--from`` and ``--to``, which reach the command as ``span``."""

    @wraps(command)
    def with_span(*args: Any, since: str | None, until: str | None, **options: Any) -> Any:
        now = session_of(click.get_current_context()).now
        return command(*args, span=read_span(since, until, now), **options)

    added: Any = with_span
    for name, target, word in (("--to", "until", "Before"), ("--from", "since", "At or after")):
        text = f"{word}: an ISO time, or how long ago, e.g. 24h or 7d."
        added = click.option(name, target, metavar="T", help=text)(added)
    return cast("F", added)


def read_span(since: str | None, until: str | None, now: datetime) -> Span:
    """Returns the range that two texts name.

    Raises:
        ConfigError: a text is no time, or the range is empty.
    """
    first = None if since is None else read_time(since, now)
    last = None if until is None else read_time(until, now)
    if first is not None and last is not None and first >= last:
        raise ConfigError(f"--from {since} is not before --to {until}")
    return Span(first, last)


def read_time(text: str, now: datetime) -> datetime:
    """Returns an aware time: ISO 8601 with an offset, a date, or a span before ``now``.

    Raises:
        ConfigError: it is none of these.

    >>> read_time("24h", datetime(2026, 1, 2, tzinfo=UTC)).isoformat()
    '2026-01-01T00:00:00+00:00'
    """
    span = _SPAN.match(text)
    if span:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is not a time",
            hint="write 2026-11-20T10:00:00Z, 2026-11-20 (UTC), 24h or 7d",
        ) from error
    if time.tzinfo is None:
        if len(text) > len("2026-11-20"):
            raise ConfigError(f"time {text!r} names no zone", hint=f"write {text}Z for UTC")
        time = time.replace(tzinfo=UTC)
    return time.astimezone(UTC)
