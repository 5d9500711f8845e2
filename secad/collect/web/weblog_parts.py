"""The parts of a web access line, where they stand, and the small steps that find them.

The kernels here are shared by those that read a line and those that read a request.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.spans import Bytes, Places

PARTS = (
    *("vhost", "client", "chain", "ident", "user", "time", "request", "method", "host", "path"),
    *("query", "version", "referrer", "agent", "extra"),
)
"""The rows of ``Lines.spans``."""

VHOST, CLIENT, CHAIN, IDENT, USER, TIME, REQUEST, METHOD, HOST, PATH = range(10)
QUERY, VERSION, REFERRER, AGENT, EXTRA = range(10, 15)

NO_TIME_PART, NO_REQUEST = 1, 2

NO_NUMBER = np.iinfo(np.int64).min

SPACE, QUOTE, BACKSLASH, OPEN, SHUT, DASH, DOT, COLON = 32, 34, 92, 91, 93, 45, 46, 58
SLASH, QUESTION, AT, COMMA, PLUS, PERCENT, UNDERSCORE = 47, 63, 64, 44, 43, 37, 95

_MOST_DIGITS = 18  # of a number that fits in int64 whatever its digits


Spans = npt.NDArray[np.int64]


class Lines(NamedTuple):
    """What stands on N lines.

    Args:
        fault: (N,) int8, 0 where the line is whole, else NO_TIME_PART or NO_REQUEST.
        spans: (N, 15, 2) start and length of each of ``PARTS``, -1 where it is missing or ``-``.
        time_us: (N,) epoch microseconds, NO_NUMBER where the time is not in the usual shape.
        status: (N,) NO_NUMBER where it is missing.
        size: (N,) bytes of the response, NO_NUMBER where it is missing.
        port: (N,) of the client, NO_NUMBER where it is missing.
        named: (N,) whether the client is a name, not an address.
        malformed: (N,) whether the request is no request line.
    """

    fault: npt.NDArray[np.int8]
    spans: Spans
    time_us: Places
    status: Places
    size: Places
    port: Places
    named: npt.NDArray[np.bool_]
    malformed: npt.NDArray[np.bool_]


@kernel
def is_digit(byte: int) -> bool:
    """Returns whether a byte is an ASCII digit."""
    return 48 <= byte <= 57


@kernel
def find(data: Bytes, place: int, end: int, byte: int) -> int:
    """Returns the place of the next ``byte``, or ``end``."""
    while place < end and data[place] != byte:
        place += 1
    return place


@kernel
def put(data: Bytes, spans: Spans, part: int, row: int, span: tuple[int, int]) -> None:
    """Notes where a part stands, unless it is empty or ``-``."""
    start, end = span
    if end > start and not (end - start == 1 and data[start] == DASH):
        spans[row, part, 0] = start
        spans[row, part, 1] = end - start


@kernel
def number(data: Bytes, place: int, end: int) -> tuple[int, int]:
    """Returns the decimal number at ``place`` and where it ends; no digits end where they start."""
    value, start = 0, place
    while place < end and place - start < _MOST_DIGITS and is_digit(data[place]):
        value = value * 10 + (data[place] - 48)
        place += 1
    return value, place


@kernel
def next_word(data: Bytes, place: int, end: int) -> tuple[int, int]:
    """Returns the next word: where it starts and ends; both ``end`` where there is none."""
    while place < end and data[place] == SPACE:
        place += 1
    return place, find(data, place, end, SPACE)


@kernel
def is_ip(data: Bytes, start: int, end: int) -> bool:
    """Returns whether an IPv4 or IPv6 address stands there, judged by its characters."""
    dots, colons = 0, 0
    for place in range(start, end):
        byte = data[place]
        if byte == DOT:
            dots += 1
        elif byte == COLON:
            colons += 1
        elif byte == PERCENT and colons > 1:
            break  # fe80::1%eth0
        elif not (is_digit(byte) or ((colons or not dots) and 97 <= (byte | 32) <= 102)):
            return False
    return colons > 1 or (dots == 3 and colons == 0 and data[end - 1] != DOT)


@kernel
def without_port(data: Bytes, start: int, end: int) -> tuple[int, int, int]:
    """Returns the host of ``host:port`` or ``[v6]:port``, and the port or NO_NUMBER."""
    if start < end and data[start] == OPEN:
        shut = find(data, start, end, SHUT)
        port, stop = number(data, shut + 2, end) if shut + 1 < end else (0, shut + 2)
        return start + 1, shut, port if stop > shut + 2 and stop == end else NO_NUMBER
    colon = find(data, start, end, COLON)
    port, stop = number(data, colon + 1, end)
    if stop > colon + 1 and stop == end:
        return start, colon, port
    return start, end, NO_NUMBER
