"""What a slot of a phrase may be said to hold (an address, a number, a log level), and the checks.

A place in a byte buffer enters, a truth leaves. An address is checked as an address, not as
"digits and dots": a phrase's slot that must hold one is what keeps look-alikes apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.features.inlined import inlined, peek
from secad.features.spans import Bytes, Places

ANY, IP, INTEGER, LEVEL = range(4)
"""Types of slot."""

_SPACE, _TAB, _COLON, _DOT, _PERCENT = 32, 9, 58, 46, 37
_MOST_DIGITS = 18  # a longer number does not fit 64 bits
_MOST_IP_BYTES = 64  # with an interface's name behind %
_MOST_LEVEL_BYTES = 8
_MAPPED = np.frombuffer(b"::ffff:", dtype=np.uint8).copy()
_LEVEL_WORDS = (
    "trace debug info notice warn warning error err crit critical fatal severe alert emerg panic "
    "fine finer finest config verbose audit"
)
_LEVELS = np.array(  # each packed into one number
    [int.from_bytes(word.encode(), "big") for word in _LEVEL_WORDS.split(" ")], dtype=np.int64
)


def integers(data: Bytes, places: Places) -> pa.Array:
    """Returns (N,) int64, the numbers at ``places``; null where not 1 to 18 digits stand.

    Args:
        data: the buffer.
        places: (2, N) first byte and bytes of each, first byte -1 for null.
    """
    values = np.zeros(places.shape[1], dtype=np.int64)
    absent = np.ones(places.shape[1], dtype=np.bool_)
    if places.shape[1]:
        _read_integers(data, places, values, absent)
    return pa.array(values, mask=absent)


def only_addresses(data: Bytes, places: Places) -> Places:
    """Returns (2, N) the spans at ``places`` that are IP addresses, first byte -1 elsewhere.

    Args:
        data: the buffer.
        places: (2, N) first byte and bytes of each, first byte -1 for null.
    """
    kept = np.full_like(places, -1)
    if places.shape[1]:
        _keep_addresses(data, places, kept)
    return kept


@inlined
def is_space(byte: int) -> bool:
    """Returns whether a byte is a blank or a tab."""
    return byte in (_SPACE, _TAB)


@inlined
def holds(data: Bytes, at: int, stop: int, kind: int) -> bool:
    """Returns whether the bytes ``at`` .. ``stop`` are of a type."""
    if kind == ANY:
        return True
    if kind == IP:
        return is_ip(data, at, stop)
    if kind == LEVEL:
        return _is_level(data, at, stop)
    if stop - at < 1 or stop - at > _MOST_DIGITS:
        return False
    while at < stop and 48 <= peek(data, at) <= 57:
        at += 1
    return at == stop


@inlined
def _is_level(data: Bytes, at: int, stop: int) -> bool:
    if stop - at > _MOST_LEVEL_BYTES:
        return False
    packed = 0
    for place in range(at, stop):
        packed = packed * 256 + (peek(data, place) | 32)
    place = 0
    while place < len(_LEVELS) and _LEVELS[place] != packed:
        place += 1
    return place < len(_LEVELS)


@inlined
def address_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of the run of characters that an address may hold."""
    zone = False  # an interface's name behind %
    while at < end:
        byte = peek(data, at)
        letter = 97 <= byte | 32 <= (122 if zone else 102)
        if not (letter or 48 <= byte <= 57 or byte in (_COLON, _DOT, _PERCENT)):
            break
        zone = zone or byte == _PERCENT
        at += 1
    return at


@inlined
def unmapped(data: Bytes, at: int, stop: int) -> int:
    """Returns where the IPv4 address inside ``::ffff:192.0.2.1`` begins, else ``at``."""
    if stop - at <= 7:
        return at
    for step in range(7):
        byte = peek(data, at + step)
        if byte != _MAPPED[step] and byte | 32 != _MAPPED[step]:
            return at
    return at + 7 if _is_ipv4(data, at + 7, stop) else at


@inlined
def is_ip(data: Bytes, at: int, stop: int) -> bool:
    """Returns whether the bytes are an IPv4 or IPv6 address."""
    if stop - at < 2 or stop - at > _MOST_IP_BYTES:
        return False
    return _is_ipv4(data, at, stop) or _is_ipv6(data, at, stop)


@inlined
def _is_ipv4(data: Bytes, at: int, stop: int) -> bool:
    dots, value, digits = 0, 0, 0
    for place in range(at, stop):
        byte = peek(data, place)
        if byte == _DOT:
            if digits == 0:
                return False
            dots += 1
            value, digits = 0, 0
        elif 48 <= byte <= 57:
            value = value * 10 + (byte - 48)
            digits += 1
            if digits > 3 or value > 255:
                return False
        else:
            return False
    return bool(dots == 3 and digits > 0)


@inlined
def _is_ipv6(data: Bytes, at: int, stop: int) -> bool:
    colons, doubles, digits, group = 0, 0, 0, at
    while at < stop and peek(data, at) != _PERCENT:
        byte = peek(data, at)
        if byte == _COLON:
            colons += 1
            doubles += at + 1 < stop and peek(data, at + 1) == _COLON
            digits, group = 0, at + 1
        elif byte == _DOT:
            return bool(2 <= colons <= 7 and doubles <= 1 and _is_ipv4(data, group, stop))
        elif 48 <= byte <= 57 or 97 <= byte | 32 <= 102:
            digits += 1
            if digits > 4:
                return False
        else:
            return False
        at += 1
    if digits == 0 and (doubles == 0 or peek(data, at - 2) != _COLON):
        return False  # ends in a lone colon
    return bool(2 <= colons <= 7 + doubles and doubles <= 1 and (doubles or colons == 7))


@kernel
def _read_integers(
    data: Bytes, places: Places, values: Places, absent: npt.NDArray[np.bool_]
) -> None:
    for row in range(places.shape[1]):
        at = places[0, row]
        if at < 0 or not holds(data, at, at + places[1, row], INTEGER):
            continue
        value = 0
        for place in range(at, at + places[1, row]):
            value = value * 10 + (peek(data, place) - 48)
        values[row] = value
        absent[row] = False


@kernel
def _keep_addresses(data: Bytes, places: Places, kept: Places) -> None:
    for row in range(places.shape[1]):
        at, stop = places[0, row], places[0, row] + places[1, row]
        if at >= 0 and is_ip(data, at, stop):
            at = unmapped(data, at, stop)
            kept[0, row], kept[1, row] = at, stop - at
