"""Finds ``key=value`` pairs in text columns by one compiled pass, as spans of the column's bytes.

Text enters, ``Pairs`` leave: where each key and value stands, on which row, and which of the
caller's known keys it is. Understood are bare, ``"double"`` and ``'single'`` quoted values, and the
groups ``msg='...'`` and ``key={ ... }``, whose inside is scanned like the rest of the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.base.schemas import LABELS
from secad.features.spans import Bytes, Places, buffer_of, gather

UNKNOWN = -1
"""The key of a pair whose key is none of the known ones."""

LEFT_OUT = -2
"""The key that a caller gives a pair to have it out of sight."""

_BACKSLASH = 92
_EQUALS, _QUOTE, _APOSTROPHE, _OPEN_BRACE, _OPEN, _CLOSE, _MINUS = 61, 34, 39, 123, 40, 41, 45
_MOST_DIGITS = 18  # of an integer that fits in int64 whatever its digits
_TABLE_FILL = 4  # slots of the hash table per known key
_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a, 64 bits
_MOST_KEYS = 512  # keys of one event that are compared with each other: hashes can be forged


def _marks(characters: bytes) -> npt.NDArray[np.bool_]:
    marks = np.zeros(256, dtype=np.bool_)
    marks[np.frombuffer(characters, dtype=np.uint8)] = True
    return marks


# 0x1d stands before the enriched tail of an audit record
_SEPARATES = _marks(b" \t\x1d\"'(){},;")
_ENDS_VALUE = _marks(b" \t\x1d")
_TRAILS_VALUE = _marks(b",;")


@dataclass(frozen=True)
class Pairs:
    """P pairs in the order in which they stand, row by row.

    Args:
        data: the bytes that all spans point into.
        row: (P,) the row that each pair stands on.
        key: (P,) int16, its place in the caller's known keys, UNKNOWN or LEFT_OUT.
        key_start: (P,) first byte of the key.
        key_length: (P,) bytes of the key.
        start: (P,) first byte of the value, inside its quotes.
        length: (P,) bytes of the value.
        quoted: (P,) whether the value stood in quotes.
    """

    data: Bytes
    row: Places
    key: npt.NDArray[np.int16]
    key_start: Places
    key_length: Places
    start: Places
    length: Places
    quoted: npt.NDArray[np.bool_]

    @cached_property
    def _by_key(self) -> tuple[Places, Places]:
        """The pairs ordered by key, and where each key, from LEFT_OUT on, begins among them."""
        counts = np.bincount(self.key - LEFT_OUT)
        return np.argsort(self.key, kind="stable"), np.cumsum([0, *counts])

    def of(self, key: int) -> Places:
        """Returns the pairs of one known key (or UNKNOWN) as indexes, in their order."""
        order, begins = self._by_key
        first, last = np.minimum([key - LEFT_OUT, key - LEFT_OUT + 1], len(begins) - 1)
        return order[begins[first] : begins[last]]

    def keys(self, pairs: Places) -> pa.StringArray:
        """Returns the keys of the given pairs."""
        return gather(self.data, self.key_start[pairs], self.key_length[pairs])

    def values(self, pairs: Places) -> pa.StringArray:
        """Returns the values of the given pairs, null where the index is negative."""
        return gather(self.data, *self._spans(pairs))

    def integers(self, pairs: Places) -> pa.Array:
        """Returns the values as int64, null where the index is negative or it is no integer."""
        return integers(self.data, *self._spans(pairs))

    def _spans(self, pairs: Places) -> tuple[Places, Places]:
        if not len(self.start):
            return np.full(len(pairs), -1, dtype=np.int64), np.zeros(len(pairs), dtype=np.int64)
        return np.where(pairs < 0, -1, self.start[pairs]), self.length[pairs]


class Keys(NamedTuple):
    """The known keys: their bytes, (K + 1,) offsets, and an open hash table of their places."""

    names: Bytes
    offsets: Places
    table: npt.NDArray[np.int16]


class _Found(NamedTuple):
    """What a scan fills: the columns of ``Pairs``, the four spans as rows of one array.

    ``escaped`` is not filled: it says how quoted values end.
    """

    row: Places
    key: npt.NDArray[np.int16]
    spans: npt.NDArray[np.int64]
    quoted: npt.NDArray[np.bool_]
    escaped: bool


def scan(text: pa.Array, begins: Places, known: tuple[str, ...], *, escaped: bool = False) -> Pairs:
    """Returns the pairs of every row.

    Args:
        text: (N,) string or binary without nulls.
        begins: (N,) the byte of each row at which to begin, counted in the array's buffer; a
            negative one leaves the row out.
        known: the keys that the caller asks for, ASCII.
        escaped: whether a backslash before a quote keeps it inside a quoted value; the backslash
            stays in the value.
    """
    data, ends = buffer_of(text)
    room = int(np.count_nonzero(data[ends[0] : ends[-1]] == _EQUALS))
    found = _Found(
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int16),
        np.empty((4, room), dtype=np.int64),
        np.empty(room, dtype=np.bool_),
        escaped,
    )
    count = _scan_rows(data, ends, begins, known_keys(known), found)
    places = found.spans[:, :count]
    row, key, quoted = found.row[:count], found.key[:count], found.quoted[:count]
    return Pairs(data, row, key, places[0], places[1], places[2], places[3], quoted)


def labels(rows: Places, count: int, keys: pa.StringArray, values: pa.StringArray) -> pa.MapArray:
    """Returns the ``labels`` column of pairs.

    Args:
        rows: (P,) the event of each pair, ascending.
        count: how many events there are.
        keys: (P,) without nulls, each at most once per event.
        values: (P,) what they are.
    """
    offsets = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=count), out=offsets[1:])
    return pa.MapArray.from_arrays(pa.array(offsets), keys, values).cast(LABELS)


def integers(data: Bytes, starts: Places, lengths: Places) -> pa.Array:
    """Returns decimal integers as int64, null where the piece is null or none.

    Args:
        data: the bytes that the pieces point into.
        starts: (N,) first byte of each piece, negative for null.
        lengths: (N,) bytes of each piece.
    """
    values, valid = _integers(data, starts, lengths)
    return pa.array(values, mask=~valid)


def first_of_each_key(pairs: Pairs, chosen: Places, groups: Places) -> npt.NDArray[np.bool_]:
    """Returns which of the chosen pairs are the first of their key in their group.

    Of a group's pairs beyond the first 512, none is.

    Args:
        pairs: where the keys stand.
        chosen: (C,) indexes of pairs, ordered by group.
        groups: (C,) ascending.
    """
    starts, lengths = pairs.key_start[chosen], pairs.key_length[chosen]
    return _mark_first(pairs.data, starts, lengths, groups, 2 * _MOST_KEYS)


@lru_cache(maxsize=16)
def known_keys(known: tuple[str, ...]) -> Keys:
    """Returns a table of keys, ASCII, for ``look_up``."""
    parts = [name.encode("ascii") for name in known]
    names = np.frombuffer(b"".join(parts) or b"\0", dtype=np.uint8)
    offsets = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)
    size = 1 << (_TABLE_FILL * max(len(parts), 1) - 1).bit_length()
    table = np.full(size, UNKNOWN, dtype=np.int16)
    for place, part in enumerate(parts):
        slot = _fnv(part) & (size - 1)
        while table[slot] != UNKNOWN:
            slot = (slot + 1) & (size - 1)
        table[slot] = place
    return Keys(names, offsets, table)


def _fnv(text: bytes) -> int:
    state = _FNV_OFFSET
    for byte in text:
        state = ((state ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return state


@kernel
def _hash(data: Bytes, start: int, length: int) -> np.uint64:
    state = np.uint64(_FNV_OFFSET)
    for step in range(length):
        state = (state ^ np.uint64(data[start + step])) * np.uint64(_FNV_PRIME)
    return state


@kernel
def _same(data: Bytes, start: int, other: Bytes, other_start: int, length: int) -> bool:
    for step in range(length):  # noqa: SIM110  numba knows no generators
        if data[start + step] != other[other_start + step]:
            return False
    return True


@kernel
def look_up(data: Bytes, start: int, length: int, known: Keys) -> int:
    """Returns the place of a key among the known ones, or UNKNOWN."""
    last = len(known.table) - 1
    slot = np.int64(_hash(data, start, length) & np.uint64(last))
    while known.table[slot] != UNKNOWN:
        place = known.table[slot]
        begin = known.offsets[place]
        fits = known.offsets[place + 1] - begin == length
        if fits and _same(data, start, known.names, begin, length):
            return int(place)
        slot = (slot + 1) & last
    return UNKNOWN


@kernel
def _find(data: Bytes, place: int, end: int, byte: int) -> int:
    """Returns the place of the next ``byte``, or ``end``."""
    while place < end and data[place] != byte:
        place += 1
    return place


@kernel
def _word_end(data: Bytes, place: int, end: int) -> int:
    while place < end and data[place] != _EQUALS and not _SEPARATES[data[place]]:
        place += 1
    return place


@kernel
def _bare_end(data: Bytes, place: int, end: int, nested: bool) -> int:
    while place < end and not _ENDS_VALUE[data[place]]:
        if nested and data[place] == _APOSTROPHE:
            break
        place += 1
    return place


@kernel
def _without_trail(data: Bytes, start: int, end: int) -> int:
    """Returns the end of a bare value without a comma, or the ``)`` of a group it ends."""
    if end == start or not (_TRAILS_VALUE[data[end - 1]] or data[end - 1] == _CLOSE):
        return end
    closes = _find(data, start, end, _OPEN) == end  # "(none)" keeps its own
    while end > start and (_TRAILS_VALUE[data[end - 1]] or (closes and data[end - 1] == _CLOSE)):
        end -= 1
    return end


@kernel
def _opens_group(data: Bytes, start: int, length: int, first: int) -> bool:
    """Returns whether a value that begins with ``first`` is a group: ``msg='`` or ``key={``."""
    if first == _OPEN_BRACE:
        return True
    named_msg = length == 3 and data[start] == 109 and data[start + 1] == 115
    return first == _APOSTROPHE and named_msg and data[start + 2] == 103


@kernel
def _closing(data: Bytes, place: int, end: int, quote: int, escaped: bool) -> int:
    """Returns the place of the quote that ends a value, or ``end``."""
    stop = place
    while escaped and stop < end and data[stop] != quote:
        stop += 2 if data[stop] == _BACKSLASH else 1
    # where every later quote is escaped, backslashes were meant: dir="C:\\temp\\"
    return stop if escaped and stop < end else _find(data, place, end, quote)


@kernel
def _scan_rows(data: Bytes, ends: Places, begins: Places, known: Keys, found: _Found) -> int:
    count = 0
    for row in range(len(begins)):
        place, end = begins[row], ends[row + 1]
        nested = False
        while 0 <= place < end:
            start = place
            place = _word_end(data, place, end)
            length = place - start
            if place == end or data[place] != _EQUALS or length == 0:
                place = max(place, start + 1)
                continue
            place += 1
            first = data[place] if place < end else 0
            if _opens_group(data, start, length, first):
                nested = nested or first == _APOSTROPHE
                place += 1
                continue
            marked = first == _QUOTE or (first == _APOSTROPHE and not nested)
            if marked:
                value = place + 1
                stop = _closing(data, value, end, first, found.escaped)
                place = stop + 1
            else:
                value = place
                place = _bare_end(data, place, end, nested)
                stop = _without_trail(data, value, place)
            found.row[count] = row
            found.key[count] = look_up(data, start, length, known)
            found.spans[0, count] = start
            found.spans[1, count] = length
            found.spans[2, count] = value
            found.spans[3, count] = stop - value
            found.quoted[count] = marked
            count += 1
    return count


@kernel
def _integers(data: Bytes, starts: Places, lengths: Places) -> tuple[Places, npt.NDArray[np.bool_]]:
    values = np.zeros(len(starts), dtype=np.int64)
    valid = np.zeros(len(starts), dtype=np.bool_)
    for row in range(len(starts)):
        start, end = starts[row], starts[row] + lengths[row]
        negative = start >= 0 and start < end and data[start] == _MINUS
        start += negative
        if start < 0 or not 0 < end - start <= _MOST_DIGITS:
            continue
        value, place = 0, start
        while place < end and 48 <= data[place] <= 57:
            value = value * 10 + (data[place] - 48)
            place += 1
        valid[row] = place == end
        values[row] = -value if negative else value
    return values, valid


@kernel
def _mark_first(
    data: Bytes, starts: Places, lengths: Places, groups: Places, slots: int
) -> npt.NDArray[np.bool_]:
    holder = np.full(slots, -1, dtype=np.int64)  # the last pair that took each slot
    first = np.zeros(len(starts), dtype=np.bool_)
    seen = 0
    for pair in range(len(starts)):
        seen = seen + 1 if pair and groups[pair] == groups[pair - 1] else 1
        if seen > _MOST_KEYS:
            continue
        slot = np.int64(_hash(data, starts[pair], lengths[pair]) & np.uint64(slots - 1))
        while holder[slot] >= 0 and groups[holder[slot]] == groups[pair]:
            other = holder[slot]
            if lengths[other] == lengths[pair] and _same(
                data, starts[other], data, starts[pair], lengths[pair]
            ):
                break
            slot = (slot + 1) & (slots - 1)
        else:
            holder[slot] = pair
            first[pair] = True
    return first
