r"""Compiled: the paths of the values in JSON lines, each known by one number.

The path of a leaf is its keys joined by dots. Each distinct path has an entry, found by a hash of
its lower-case bytes under a secret key and always compared with the real bytes, so that no
crafted collision moves a value or slows the search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from secad.base.compiled import kernel
from secad.collect.json.texts import Bytes, Integers, Numbers, copy, copy_text
from secad.features.inlined import inlined

PATH_CAP_BYTES = 256  # no field has a longer name, and each label would repeat it
PATHS_CAP = 1 << 18  # distinct names in a batch: beyond, the keys are data, which must not pile up
LABELS_CAP = 64  # of a row; the widest Windows event has 60 fields

WANTED, LABEL, IGNORED, OBJECT, DROPPED, UNWRAPPED = 0, 1, 2, 3, 4, 5
"""What becomes of a path. Of a leaf: columns, a label or nothing. Of an object: it is part of the
paths inside it, nothing inside it is kept, or the paths inside it start anew."""

HASH, BEGIN, END, FATE, FIRST, LAST = 0, 1, 2, 3, 4, 5
"""The columns of entries: the path's hash, its place in the pool, what becomes of it; of a wanted
path its rows in ``uses``; FIRST of a label is the last row that held it. The path of an object
ends in a dot."""

TOP, NOWHERE = -1, -2
"""In place of an entry: no object around; a path that leads to nothing."""
_LOWER = np.array([byte + 32 if 65 <= byte <= 90 else byte for byte in range(256)], np.uint8)


class Paths(NamedTuple):
    """The paths that are known.

    Args:
        slots: (2**k,) open addressing by hash: an entry + 1, or 0.
        entries: (PATHS_CAP, 6) see HASH and its kin.
        pool: the bytes of the paths; lower case but for LABEL and OBJECT.
        uses: (U, 2) column and rank of wanted paths; of a line's values for a column the one
            with the lowest rank wins.
        memo: (2**m, 4) keys met before: kind (see ``look_up``), place and size in the data, entry
            + 1. Keys that look alike share a place, which the last one has.
        follows: (PATHS_CAP + 1, 4) of each entry, and before them of none, the key that came after
            it: place and size in the data (a place of 0 is none), entry, entry of the object
            around.
        path: (PATH_CAP_BYTES + 8,) the path in hand.
        used: (2,) how many entries and bytes of the pool there are.
        secret: (2,) the hash's start and its odd multiplier.
    """

    slots: Numbers
    entries: Numbers
    pool: Bytes
    uses: Numbers
    memo: Numbers
    follows: Integers
    path: Bytes
    used: Numbers
    secret: Numbers


@kernel
def admit(paths: Paths, names: Bytes, starts: Numbers, fates: Numbers) -> None:
    """Makes entries of the paths that are known beforehand.

    Args:
        paths: with room for them.
        names: the bytes of the paths, none twice; lower case but for OBJECT.
        starts: (P + 1,) where each begins in ``names``.
        fates: (P, 3) FATE, FIRST and LAST of each.
    """
    for known in range(len(fates)):
        size = starts[known + 1] - starts[known]
        copy(names, starts[known], paths.path, 0, size)
        entry = _entry(paths, size, fates[known, 0] >= OBJECT)
        for step in range(3):
            paths.entries[entry, FATE + step] = fates[known, step]


@inlined
def _are_same(some: Bytes, at: int, other: Bytes, place: int, size: int) -> bool:
    first, second = np.uint64(at), np.uint64(place)  # no test for Python's negative places
    for step in range(np.uint64(size)):  # noqa: SIM110  numba knows no generators
        if some[first + step] != other[second + step]:
            return False
    return True


@inlined
def look_up(
    data: Bytes, written: tuple[int, int], above: int, is_object: bool, paths: Paths
) -> int:
    """Returns the entry of a path, a new one where it has none; NOWHERE where it can have none.

    Args:
        data: the bytes of the lines.
        written: where the key begins, and its length, ``~length`` where it has escapes.
        above: the entry of the object around it, or TOP.
        is_object: whether it is an object's.
        paths: the known ones.
    """
    at, size = written
    length = size if size >= 0 else ~size
    kind = 2 * above + is_object  # one for the leaves, one for the objects of an object
    memo = paths.memo
    place = _memo_place(data, at, length, kind, memo)
    alike = memo[place, 0] == kind and memo[place, 2] == size and memo[place, 3] > 0
    if alike and _are_same(data, at, data, memo[place, 1], length):
        return int(memo[place, 3]) - 1
    entry = _find(data, written, above, is_object, paths)
    memo[place, 0], memo[place, 1] = kind, at
    memo[place, 2], memo[place, 3] = size, max(entry + 1, 0)
    return entry


@inlined
def _memo_place(data: Bytes, at: int, length: int, kind: int, memo: Numbers) -> int:
    mixed = kind * 31 + length
    if length > 0:
        mixed = (mixed * 31 + data[at]) * 31 + data[at + length // 2]
        mixed = mixed * 31 + data[at + length - 1]
    return (mixed ^ mixed >> 12) & (len(memo) - 1)


@inlined
def _find(data: Bytes, written: tuple[int, int], above: int, is_object: bool, paths: Paths) -> int:
    """Returns what ``look_up`` does, by the whole path."""
    at, size = written
    put = 0
    if above != TOP:
        begin = paths.entries[above, BEGIN]
        put = paths.entries[above, END] - begin
        copy(paths.pool, begin, paths.path, 0, put)
    if put + (size if size >= 0 else ~size) >= PATH_CAP_BYTES:
        return NOWHERE
    put = copy_text(data, at, size, paths.path, put)
    if is_object:
        paths.path[put] = ord(".")
        put += 1
    return _entry(paths, put, is_object)


@inlined
def _entry(paths: Paths, size: int, is_object: bool) -> int:
    """Returns the entry of the path in hand, a new one if it has none; -2 if there are enough."""
    slots, entries, hashed = paths.slots, paths.entries, paths.secret[0]
    for step in range(size):
        hashed = (hashed ^ _LOWER[paths.path[step]]) * paths.secret[1]
    slot = (hashed ^ hashed >> 32) & (len(slots) - 1)
    while slots[slot] > 0:
        entry = slots[slot] - 1
        if entries[entry, HASH] == hashed and _is_path(paths, entry, size, is_object):
            return int(entry)
        slot = slot + 1 & (len(slots) - 1)
    entry, begin = int(paths.used[0]), int(paths.used[1])
    if entry == len(entries):
        return NOWHERE
    copy(paths.path, 0, paths.pool, begin, size)
    entries[entry, HASH], entries[entry, BEGIN], entries[entry, END] = hashed, begin, begin + size
    entries[entry, FATE], entries[entry, FIRST] = OBJECT if is_object else LABEL, -1
    slots[slot] = entry + 1
    paths.used[0], paths.used[1] = entry + 1, begin + size
    return entry


@inlined
def _is_path(paths: Paths, entry: int, size: int, is_object: bool) -> bool:
    """Returns whether an entry is the path in hand, of known ones without regard to case."""
    begin, fate = paths.entries[entry, BEGIN], paths.entries[entry, FATE]
    if paths.entries[entry, END] - begin != size or (fate >= OBJECT) != is_object:
        return False
    if fate in (LABEL, OBJECT):
        return _are_same(paths.pool, begin, paths.path, 0, size)
    for step in range(size):  # noqa: SIM110  numba knows no generators
        if paths.pool[begin + step] != _LOWER[paths.path[step]]:
            return False
    return True
