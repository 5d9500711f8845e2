"""The parts of addresses, requests and URLs that stand inside the records of proxies and servers.

Spans of a byte buffer enter, spans, numbers and columns leave.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.collect.web.weblog_parts import HOST, METHOD, PARTS, PATH, QUERY, VERSION
from secad.collect.web.weblog_requests import read_request, read_target
from secad.features.inlined import borrowed
from secad.features.slot_types import is_ip
from secad.features.spans import Bytes, Places, buffer_of, gather

NO_NUMBER = np.iinfo(np.int64).min

_COLON, _OPEN, _SHUT, _MINUS, _PLUS = (ord(mark) for mark in ":[]-+")
_MOST_DIGITS = 18
_MOST_PORT_DIGITS = 5


def is_address(data: Bytes, places: Places) -> npt.NDArray[np.bool_]:
    """Returns (N,) whether an IP address stands at each place; true where there is no place."""
    found = np.ones(places.shape[1], dtype=np.bool_)
    _are_addresses(data, places, found)
    return found


@kernel
def _are_addresses(data: Bytes, places: Places, found: npt.NDArray[np.bool_]) -> None:
    data = borrowed(data)
    for row in range(places.shape[1]):
        at = places[0, row]
        if at >= 0:
            found[row] = is_ip(data, at, at + places[1, row])


def read_requests(data: Bytes, places: Places) -> dict[str, pa.Array]:
    """Returns method, host, path, query and version of request lines.

    Args:
        data: the buffer.
        places: (2, N) spans, first byte -1 for none.
    """
    spans = np.full((places.shape[1], len(PARTS), 2), -1, dtype=np.int64)
    _read_requests(data, places, spans)
    return {**_url_columns(data, spans), **_columns(data, spans, _REQUEST_PARTS)}


_URL_PARTS = {"url_domain": HOST, "url_path": PATH, "url_query": QUERY}
_REQUEST_PARTS = {"http_request_method": METHOD, "http_version": VERSION}


def read_urls(text: pa.StringArray) -> dict[str, pa.Array]:
    """Returns host, path and query of URLs, absolute or not.

    Args:
        text: (N,) without nulls.
    """
    data, ends = buffer_of(text)
    spans = np.full((len(text), len(PARTS), 2), -1, dtype=np.int64)
    _read_urls(data, ends, spans)
    return _url_columns(data, spans)


def _url_columns(data: Bytes, spans: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    return _columns(data, spans, _URL_PARTS)


def _columns(
    data: Bytes, spans: npt.NDArray[np.int64], parts: dict[str, int]
) -> dict[str, pa.Array]:
    return {
        name: gather(data, *np.ascontiguousarray(spans[:, part].T)) for name, part in parts.items()
    }


@kernel
def _read_requests(data: Bytes, places: Places, spans: npt.NDArray[np.int64]) -> None:
    for row in range(places.shape[1]):
        at = places[0, row]
        if at >= 0:
            read_request(data, at, at + places[1, row], row, spans)


@kernel
def _read_urls(data: Bytes, ends: Places, spans: npt.NDArray[np.int64]) -> None:
    for row in range(len(ends) - 1):
        if ends[row + 1] > ends[row]:
            read_target(data, ends[row], ends[row + 1], row, spans)


class Ends(NamedTuple):
    """The ends of connections.

    Args:
        hosts: (2, N) spans.
        ports: (N,) NO_NUMBER where there is none.
        addressed: (N,) whether the host is an address.
    """

    hosts: Places
    ports: Places
    addressed: npt.NDArray[np.bool_]


def read_ends(data: Bytes, places: Places, *, ported: bool) -> Ends:
    """Returns the hosts, ports and kinds of ``host:port``, ``1.2.3.4`` and ``[::1]:80``.

    Args:
        data: the buffer.
        places: (2, N) spans, first byte -1 for none.
        ported: whether ``::1:80`` is an address with its port; else it is an address alone.
    """
    found = Ends(
        np.full_like(places, -1),
        np.full(places.shape[1], NO_NUMBER, dtype=np.int64),
        np.zeros(places.shape[1], dtype=np.bool_),
    )
    _read_ends(data, places, ported, found)
    return found


@kernel
def _read_ends(data: Bytes, places: Places, ported: bool, found: Ends) -> None:
    for row in range(places.shape[1]):
        at, end = places[0, row], places[0, row] + places[1, row]
        if at < 0 or at == end:
            continue
        stop, port = _port(data, at, end)
        if stop < end and not ported and is_ip(data, at, end):
            stop, port = end, NO_NUMBER
        found.ports[row] = port
        if data[at] == _OPEN and stop - at > 2 and data[stop - 1] == _SHUT:
            at, stop = at + 1, stop - 1
        found.hosts[0, row], found.hosts[1, row] = at, stop - at
        found.addressed[row] = is_ip(data, at, stop)


@kernel
def _port(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns where the host of ``host:port`` ends, and the port; ``end`` where there is none."""
    digits, value, unit = end, 0, 1
    while digits > at and 48 <= data[digits - 1] <= 57 and end - digits < _MOST_PORT_DIGITS:
        digits -= 1
        value += unit * (data[digits] - 48)
        unit *= 10
    if at + 1 < digits < end and data[digits - 1] == _COLON:
        return digits - 1, value
    return end, NO_NUMBER


def read_row_of_numbers(data: Bytes, places: Places, most: int, mark: str) -> Places:
    """Returns (N, most) the numbers of ``10/0/-1/69/+109``, NO_NUMBER where there is none.

    Args:
        data: the buffer.
        places: (2, N) spans, first byte -1 for none.
        most: numbers of each.
        mark: what stands between them.
    """
    numbers = np.full((places.shape[1], most), NO_NUMBER, dtype=np.int64)
    _read_numbers(data, places, ord(mark), numbers)
    return numbers


@kernel
def _read_numbers(data: Bytes, places: Places, mark: int, numbers: Places) -> None:
    for row in range(places.shape[1]):
        at, end = places[0, row], places[0, row] + places[1, row]
        if places[0, row] < 0:
            continue
        for place in range(numbers.shape[1]):
            negative = at < end and data[at] == _MINUS
            at += at < end and data[at] in (_MINUS, _PLUS)
            value, start = 0, at
            while at < end and 48 <= data[at] <= 57 and at - start < _MOST_DIGITS:
                value = value * 10 + (data[at] - 48)
                at += 1
            if at == start or (at < end and data[at] != mark):
                break
            numbers[row, place] = -value if negative else value
            if at == end:
                break
            at += 1
