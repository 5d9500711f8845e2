"""The parts of web servers' error messages: nginx' fields behind a message, ModSecurity's tags.

Spans of a byte buffer enter, spans of their parts leave.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.collect.web.error_phrases import Kinds, book_of
from secad.features.inlined import inlined
from secad.features.phrases import Found
from secad.features.spans import Bytes, Places, gather
from secad.features.syslog_tag import begins

TEXT, CLIENT, SERVER, REQUEST, SUBREQUEST, UPSTREAM, HOST, REFERRER = range(8)
"""The parts of an nginx message; each is a span."""

_KEYS = (  # from SERVER on, in the order in which nginx writes them
    *(", server: ", ', request: "', ', subrequest: "', ', upstream: "', ', host: "'),
    ', referrer: "',
)
_NAMES = np.frombuffer("".join(_KEYS).encode(), dtype=np.uint8)
_BEGINS = np.cumsum([0, *(len(key) for key in _KEYS)], dtype=np.int64)
_CLIENT = np.frombuffer(b", client: ", dtype=np.uint8)
_COMMA, _QUOTE, _BLANK = ord(","), ord('"'), ord(" ")
_MOST_CANDIDATES = 8  # a path or a referrer may hold what looks like the fields


def nginx_parts(data: Bytes, places: Places) -> Places:
    """Returns (N, 8, 2) the parts of messages; first byte -1 where one is missing.

    What a client wrote stands between quotes, and may look like fields. Taken is the first place
    from which only fields follow, each once, in nginx' order, with no quote inside any; where
    there is none, the last from which fields follow.

    Args:
        data: the buffer.
        places: (2, N) spans, first byte -1 for none.
    """
    parts = np.full((places.shape[1], 8, 2), -1, dtype=np.int64)
    if places.shape[1]:
        _split_all(data, places, parts)
    return parts


def part(parts: Places, which: int) -> Places:
    """Returns (2, N) spans of one part, contiguous."""
    return np.ascontiguousarray(parts[:, which].T)


@kernel
def _split_all(data: Bytes, places: Places, parts: Places) -> None:
    for row in range(places.shape[1]):
        at, end = places[0, row], places[0, row] + places[1, row]
        if at < 0:
            continue
        fields = parts[row]
        place, strict = _fields_at(data, at, end, fields)
        fields[:] = -1
        if place < end:
            _read_fields(data, place, end, fields, strict)
        fields[TEXT, 0], fields[TEXT, 1] = at, place - at


@kernel
def _fields_at(data: Bytes, at: int, end: int, fields: Places) -> tuple[int, bool]:
    """Returns where the fields begin, ``end`` for nowhere, and whether none holds a quote."""
    loose = end
    place = _next_client(data, at, end)
    for _ in range(_MOST_CANDIDATES):
        if place == end:
            break
        if _read_fields(data, place, end, fields, True):
            return place, True
        if _read_fields(data, place, end, fields, False):
            loose = place
        place = _next_client(data, place + 1, end)
    return loose, False


@kernel
def _next_client(data: Bytes, at: int, end: int) -> int:
    while at < end and not (data[at] == _COMMA and begins(data, at, end, _CLIENT)):
        at += 1
    return at


@kernel
def _read_fields(data: Bytes, at: int, end: int, fields: Places, strict: bool) -> bool:
    """Reads the fields from ``, client: `` on; returns whether there is nothing but fields."""
    at += len(_CLIENT)
    stop = _bare_end(data, at, end)
    if stop < 0 or stop == at:
        return False
    fields[CLIENT, 0], fields[CLIENT, 1] = at, stop - at
    at, least = stop, SERVER
    while at < end:
        key = _key_at(data, at, end, least)
        if key < 0:
            return not strict
        at += _BEGINS[key - SERVER + 1] - _BEGINS[key - SERVER]
        stop = _bare_end(data, at, end)
        after = stop
        if key > SERVER:
            stop = _quoted_end(data, at, end, key + 1, strict)
            after = stop + 1
        if stop < 0:
            return False
        if stop > at:
            fields[key, 0], fields[key, 1] = at, stop - at
        at, least = min(after, end), key + 1
    return True


@kernel
def _key_at(data: Bytes, at: int, end: int, least: int) -> int:
    for key in range(least, REFERRER + 1):
        if begins(data, at, end, _NAMES[_BEGINS[key - SERVER] : _BEGINS[key - SERVER + 1]]):
            return key
    return -1


@inlined
def _bare_end(data: Bytes, at: int, end: int) -> int:
    """Returns where a value without quotes and blanks ends, -1 where it is no such value."""
    while at < end and data[at] != _COMMA:
        if data[at] in (_QUOTE, _BLANK):
            return -1
        at += 1
    return at


@inlined
def _quoted_end(data: Bytes, at: int, end: int, least: int, strict: bool) -> int:
    """Returns where the quote stands behind which the line ends or another field begins."""
    while at < end:
        if data[at] == _QUOTE:
            if at + 1 == end or _key_at(data, at + 1, end, least) >= 0:
                return at
            if strict:
                return -1
        at += 1
    return -1 if strict else end  # cut off at the longest line


def between(data: Bytes, places: Places, start: str, stop: str) -> Places:
    """Returns (2, N) spans of what stands between the first ``start`` and the next ``stop``.

    Args:
        data: the buffer.
        places: (2, N) spans, first byte -1 for none.
        start: not empty.
        stop: not empty.
    """
    found = np.full_like(places, -1)
    first, last = (np.frombuffer(mark.encode(), dtype=np.uint8) for mark in (start, stop))
    _find_between(data, places, first, last, found)
    return found


@kernel
def _find_between(data: Bytes, places: Places, start: Bytes, stop: Bytes, found: Places) -> None:
    for row in range(places.shape[1]):
        at, end = places[0, row], places[0, row] + places[1, row]
        if at < 0:
            continue
        while at < end and not (data[at] == start[0] and begins(data, at, end, start)):
            at += 1
        if at == end:
            continue
        at += len(start)
        last = at
        while last < end and not (data[last] == stop[0] and begins(data, last, end, stop)):
            last += 1
        if last < end:
            found[0, row], found[1, row] = at, last - at


def kinds_of(
    data: Bytes, places: Places, kinds: Kinds, other: str
) -> tuple[Found, dict[str, pa.Array]]:
    """Returns what messages say, and their actions and outcomes as columns.

    Args:
        data: the buffer.
        places: (2, N) spans of messages.
        kinds: of NGINX or APACHE.
        other: the action of messages of no kind.
    """
    found = book_of(kinds).match(data, places)
    rule = pa.array(found.rule, mask=found.rule < 0)
    actions = pa.array([action for action, _, _ in kinds]).take(rule)
    outcomes = pa.array([outcome for _, outcome, _ in kinds]).take(rule)
    return found, {
        "event_action": pc.coalesce(actions, other),
        "event_outcome": pc.coalesce(outcomes, "unknown"),
    }


def modsecurity(data: Bytes, places: Places, actions: pa.Array) -> dict[str, pa.Array]:
    """Returns rule, code and path of ModSecurity's messages; null for others.

    Args:
        data: the buffer.
        places: (2, N) spans of messages.
        actions: (N,) their kinds.
    """
    matched = np.asarray(pc.equal(actions, "modsecurity"))
    if not matched.any():
        return {}
    chosen = np.where(matched, places, -1)
    tags = {"event_code": "id", "rule_name": "msg", "url_path": "uri", "url_domain": "hostname"}
    return {
        name: gather(data, *between(data, chosen, f'[{tag} "', '"]')) for name, tag in tags.items()
    }
