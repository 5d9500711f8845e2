"""The grammar of a request line: method, target and version, of honest and of hostile clients."""

from __future__ import annotations

import numpy as np

from secad.base.compiled import kernel
from secad.collect.web.weblog_parts import (
    AT,
    COLON,
    DASH,
    DOT,
    HOST,
    METHOD,
    PATH,
    QUERY,
    QUESTION,
    SLASH,
    SPACE,
    UNDERSCORE,
    VERSION,
    Spans,
    find,
    is_digit,
    put,
    without_port,
)
from secad.features.spans import Bytes

_LONGEST_METHOD, _LONGEST_SCHEME = 20, 12
_HTTP = np.frombuffer(b"HTTP/", dtype=np.uint8)
_CONNECT = np.frombuffer(b"CONNECT", dtype=np.uint8)


@kernel
def _starts_with(data: Bytes, place: int, end: int, word: Bytes) -> bool:
    if place + len(word) > end:
        return False
    for step in range(len(word)):  # noqa: SIM110  numba knows no generators
        if data[place + step] != word[step]:
            return False
    return True


@kernel
def _method_end(data: Bytes, start: int, end: int) -> int:
    place = start
    while place < end and place - start <= _LONGEST_METHOD:
        byte = data[place]
        if not (65 <= byte <= 90 or 97 <= byte <= 122 or byte in (DASH, UNDERSCORE)):
            break
        place += 1
    return place


@kernel
def _version_start(data: Bytes, start: int, end: int) -> int:
    """Returns where ``1.1`` of a closing `` HTTP/1.1`` begins, or -1."""
    place = end
    while place > start and (is_digit(data[place - 1]) or data[place - 1] == DOT):
        place -= 1
    if place == end or place - 6 < start or data[place - 6] != SPACE:
        return -1
    return place if _starts_with(data, place - 5, end, _HTTP) else -1


@kernel
def _host_start(data: Bytes, start: int, end: int) -> int:
    """Returns where the host of an absolute URL begins, or -1."""
    place = start
    while place < end and place - start <= _LONGEST_SCHEME and 97 <= (data[place] | 32) <= 122:
        place += 1
    if place == start or place + 2 >= end or data[place] != COLON:
        return -1
    return place + 3 if data[place + 1] == SLASH and data[place + 2] == SLASH else -1


@kernel
def _read_host(data: Bytes, start: int, end: int, row: int, spans: Spans) -> None:
    at = find(data, start, end, AT)
    first, last, _ = without_port(data, at + 1 if at < end else start, end)
    put(data, spans, HOST, row, (first, last))


@kernel
def read_target(data: Bytes, start: int, end: int, row: int, spans: Spans) -> None:
    """Reads a request's target: a path, an absolute URL, or the authority of CONNECT."""
    method = spans[row, METHOD, 0]
    connects = spans[row, METHOD, 1] == 7 and _starts_with(data, method, start, _CONNECT)
    if connects and data[start] != SLASH:
        _read_host(data, start, end, row, spans)
        return
    host = _host_start(data, start, end)
    if host >= 0:
        stop = host
        while stop < end and data[stop] != SLASH and data[stop] != QUESTION:
            stop += 1
        _read_host(data, host, stop, row, spans)
        start = stop
    question = find(data, start, end, QUESTION)
    put(data, spans, PATH, row, (start, question))
    put(data, spans, QUERY, row, (question + 1, end))


@kernel
def read_request(data: Bytes, start: int, end: int, row: int, spans: Spans) -> bool:
    """Reads ``GET /path?query HTTP/1.1``; returns whether it is a request line."""
    stop = _method_end(data, start, end)
    if stop == start or stop - start > _LONGEST_METHOD or stop >= end or data[stop] != SPACE:
        return False
    target, last = stop + 1, end
    version = _version_start(data, stop, end)
    if version >= 0:
        last = version - 6
        put(data, spans, VERSION, row, (version, end))
    while last > target and data[last - 1] == SPACE:
        last -= 1
    while target < last and data[target] == SPACE:
        target += 1
    if target >= last:
        return False
    if version < 0 and data[target] != SLASH and _host_start(data, target, last) < 0:
        return False
    put(data, spans, METHOD, row, (start, stop))
    read_target(data, target, last, row, spans)
    return True
