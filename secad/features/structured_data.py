"""The structured data of RFC 5424 (``[id name="value" ...][...]``), found by a compiled scanner.

Spans of a byte buffer enter; the pairs inside them leave, as spans of the same buffer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from secad.base.compiled import kernel
from secad.features.inlined import inlined
from secad.features.slot_types import is_space
from secad.features.spans import Bytes, Places

_OPEN, _CLOSE, _EQUALS, _QUOTE, _BACKSLASH = (ord(mark) for mark in '[]="\\')


@dataclass(frozen=True)
class Elements:
    """P pairs, row by row.

    Args:
        ids: (2, P) first byte and bytes of the element's id that a pair belongs to.
        names: (2, P) of its name.
        values: (2, P) of its value, between the quotes; a backslash may stand before a quote,
            a backslash or a closing bracket.
        counts: (N,) pairs of each row.
    """

    ids: Places
    names: Places
    values: Places
    counts: Places


def elements(data: Bytes, places: Places) -> Elements:
    """Returns the pairs in the structured data at ``places``.

    Args:
        data: the buffer.
        places: (2, N) first byte and bytes of each row's structured data, first byte -1 for none.
    """
    counts = np.zeros(places.shape[1], dtype=np.int64)
    nothing = np.empty((6, 0), dtype=np.int64)
    if places.shape[1]:
        _scan_all(data, places, counts, nothing)
    pairs = np.empty((6, int(counts.sum())), dtype=np.int64)
    if pairs.shape[1]:
        _scan_all(data, places, counts, pairs)
    return Elements(pairs[0:2], pairs[2:4], pairs[4:6], counts)


@kernel
def _scan_all(data: Bytes, places: Places, counts: Places, pairs: Places) -> None:
    """Counts the pairs of each row, and keeps them where ``pairs`` has room for any."""
    found = 0
    for row in range(places.shape[1]):
        at = places[0, row]
        counts[row] = 0
        if at < 0:
            continue
        end = at + places[1, row]
        first = found
        while at < end and data[at] == _OPEN:
            at, found = _element(data, at + 1, end, pairs, found)
        counts[row] = found - first


@inlined
def _element(data: Bytes, at: int, end: int, pairs: Places, found: int) -> tuple[int, int]:
    """Returns the place after one element and the number of pairs found so far."""
    name = at
    at = _until(data, at, end, _CLOSE)
    id_end = at
    while at < end and data[at] != _CLOSE:
        while at < end and is_space(data[at]):
            at += 1
        start = at
        at = _until(data, at, end, _EQUALS)
        if at + 1 >= end or data[at] != _EQUALS or data[at + 1] != _QUOTE:
            break
        stop = _closing_quote(data, at + 2, end)
        if found < pairs.shape[1]:
            pairs[0, found], pairs[1, found] = name, id_end - name
            pairs[2, found], pairs[3, found] = start, at - start
            pairs[4, found], pairs[5, found] = at + 2, stop - at - 2
        found += 1
        at = stop + 1
    while at < end and data[at] != _CLOSE:
        at += 1
    return at + 1, found


@inlined
def _until(data: Bytes, at: int, end: int, mark: int) -> int:
    while at < end and data[at] not in (mark, _CLOSE) and not is_space(data[at]):
        at += 1
    return at


@inlined
def _closing_quote(data: Bytes, at: int, end: int) -> int:
    while at < end and data[at] != _QUOTE:
        at += 2 if data[at] == _BACKSLASH else 1
    return min(at, end)
