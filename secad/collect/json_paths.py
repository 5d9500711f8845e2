r"""Compiled: from the nodes of JSON lines to cells, the leaves with where each of them belongs.

The path of a leaf is its keys joined by dots. Each distinct path has an entry, found by a hash of
its lower-case bytes under a secret key and always compared with the real bytes, so that no
crafted collision moves a value or slows the search. A leaf becomes a cell of the columns that
want its path, or, where none does, a label.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from secad.base.compiled import kernel
from secad.collect.json_scan import KEY, KEY_SIZE, PARENT, ROW, TEXT, TEXT_SIZE
from secad.collect.json_texts import Bytes, Numbers, copy, copy_text
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

ENTRY = KEY_SIZE
"""The column of nodes where a key's entry comes to stand once it is known."""

_BRACKET, _QUOTE = ord("["), ord('"')
_TOP, _NOWHERE = -1, -2  # in place of an entry: no object around; a path that leads to nothing
_LOWER = np.array([byte + 32 if 65 <= byte <= 90 else byte for byte in range(256)], np.uint8)


class Paths(NamedTuple):
    """The paths that are known.

    Args:
        slots: (2**k,) open addressing by hash: an entry + 1, or 0.
        entries: (PATHS_CAP, 6) see HASH and its kin.
        pool: the bytes of the paths; lower case but for LABEL and OBJECT.
        uses: (U, 2) column and rank of wanted paths; of a line's values for a column the one
            with the lowest rank wins.
        memo: (2**m, 4) keys met before: kind (see ``_kind``), place and size in the data, entry
            + 1. Keys that look alike share a place, which the last one has.
        path: (PATH_CAP_BYTES + 8,) the path in hand.
        used: (2,) how many entries and bytes of the pool there are.
        secret: (2,) the hash's start and its odd multiplier.
    """

    slots: Numbers
    entries: Numbers
    pool: Bytes
    uses: Numbers
    memo: Numbers
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


@kernel
def name(data: Bytes, nodes: Numbers, paths: Paths, blank: Bytes, joined: bool) -> None:
    """Finds the entry of each node's path.

    Args:
        data: the bytes of the lines.
        nodes: (M, 6) from ``json_scan``; ENTRY is filled, -2 of what leads to nothing.
        paths: known paths; more are added.
        blank: a text that counts as null, as the empty one does.
        joined: whether an empty array does, too.
    """
    entries, memo = paths.entries, paths.memo
    for node in range(len(nodes)):
        parent, at, size = nodes[node, PARENT], nodes[node, TEXT], nodes[node, TEXT_SIZE]
        above = nodes[parent, ENTRY] if parent >= 0 else _TOP
        if above == _NOWHERE or (at >= 0 and _is_blank(data, at, size, blank, joined)):
            nodes[node, ENTRY] = _NOWHERE
            continue
        kind = _kind(above, at)
        entry = _remembered(data, nodes[node, KEY], nodes[node, KEY_SIZE], kind, memo)
        if entry < 0:
            entry = _look_up(data, nodes, node, above, paths)
        if entry >= 0 and entries[entry, FATE] > OBJECT:
            entry = _TOP if entries[entry, FATE] == UNWRAPPED else _NOWHERE
        nodes[node, ENTRY] = entry


@kernel
def take(nodes: Numbers, paths: Paths, best: Numbers, labels: Numbers, cells: Numbers) -> int:
    """Makes cells of the leaves.

    Args:
        nodes: (M, 6) with entries.
        paths: known paths.
        best: (C, 3) of each column the last row that filled it, that row's cell and rank.
        labels: (N,) how many labels each row has.
        cells: (K, 4) filled: column, row, begin and length of a value; ``~length`` where it has
            escapes. Of a label, the column is ``~entry``.

    Returns:
        how many cells there are.
    """
    entries, uses, count = paths.entries, paths.uses, 0
    for node in range(len(nodes)):
        entry, row, at = nodes[node, ENTRY], nodes[node, ROW], nodes[node, TEXT]
        fate = entries[entry, FATE] if entry >= 0 and at >= 0 else IGNORED
        if fate == WANTED:
            for use in range(entries[entry, FIRST], entries[entry, LAST]):
                column = uses[use, 0]
                cell = _cell(best, column, uses[use, 1], row, count)
                _put(cells, cell, column, nodes, node)
                count += cell == count
        elif fate == LABEL and entries[entry, FIRST] != row and labels[row] < LABELS_CAP:
            entries[entry, FIRST] = row
            labels[row] += 1
            _put(cells, count, ~entry, nodes, node)
            count += 1
    return count


@inlined
def _cell(best: Numbers, column: int, rank: int, row: int, new: int) -> int:
    """Returns where a value goes: the row's cell, a new one, or -1 if the one there is better."""
    if best[column, 0] == row and best[column, 2] <= rank:
        return -1
    if best[column, 0] != row:
        best[column, 0], best[column, 1] = row, new
    best[column, 2] = rank
    return int(best[column, 1])


@inlined
def _put(cells: Numbers, cell: int, column: int, nodes: Numbers, node: int) -> None:
    if cell >= 0:
        cells[cell, 0], cells[cell, 1] = column, nodes[node, ROW]
        cells[cell, 2], cells[cell, 3] = nodes[node, TEXT], nodes[node, TEXT_SIZE]


@inlined
def _is_blank(data: Bytes, at: int, size: int, blank: Bytes, joined: bool) -> bool:
    if joined and size == 2 and data[at] == _BRACKET and data[at - 1] != _QUOTE:
        return True
    return size == 0 or (size == len(blank) and _are_same(data, at, blank, 0, size))


@inlined
def _are_same(some: Bytes, at: int, other: Bytes, place: int, size: int) -> bool:
    first, second = np.uint64(at), np.uint64(place)  # no test for Python's negative places
    for step in range(np.uint64(size)):  # noqa: SIM110  numba knows no generators
        if some[first + step] != other[second + step]:
            return False
    return True


@inlined
def _kind(above: int, text: int) -> int:
    """Returns a number for the keys of the leaves, and one for those of the objects, in an object.

    Args:
        above: the entry of the object, or -1.
        text: the node's TEXT.
    """
    return 2 * above + (text < 0)


@inlined
def _remembered(data: Bytes, at: int, size: int, kind: int, memo: Numbers) -> int:
    """Returns the entry of a key if it was met before among those of its kind, else -1."""
    place = _memo_place(data, at, size, kind, memo)
    if memo[place, 0] != kind or memo[place, 2] != size or memo[place, 3] == 0:
        return -1
    length = size if size >= 0 else ~size
    return int(memo[place, 3]) - 1 if _are_same(data, at, data, memo[place, 1], length) else -1


@inlined
def _memo_place(data: Bytes, at: int, size: int, kind: int, memo: Numbers) -> int:
    length = size if size >= 0 else ~size
    mixed = kind * 31 + length
    if length > 0:
        mixed = (mixed * 31 + data[at]) * 31 + data[at + length // 2]
        mixed = mixed * 31 + data[at + length - 1]
    return (mixed ^ mixed >> 12) & (len(memo) - 1)


@inlined
def _look_up(data: Bytes, nodes: Numbers, node: int, above: int, paths: Paths) -> int:
    """Returns the entry of a node's path, a new one where it has none; -2 where it can have none.

    Args:
        data: the bytes of the lines.
        nodes: (M, 6).
        node: the one in question.
        above: the entry of the object around it, or -1.
        paths: the known ones.
    """
    at, size = nodes[node, KEY], nodes[node, KEY_SIZE]
    put = 0
    if above != _TOP:
        begin = paths.entries[above, BEGIN]
        put = paths.entries[above, END] - begin
        copy(paths.pool, begin, paths.path, 0, put)
    if put + (size if size >= 0 else ~size) >= PATH_CAP_BYTES:
        return _NOWHERE
    put = copy_text(data, at, size, paths.path, put)
    if nodes[node, TEXT] < 0:
        paths.path[put] = ord(".")
        put += 1
    entry = _entry(paths, put, nodes[node, TEXT] < 0)
    kind, memo = _kind(above, nodes[node, TEXT]), paths.memo
    place = _memo_place(data, at, size, kind, memo)
    memo[place, 0], memo[place, 1] = kind, at
    memo[place, 2], memo[place, 3] = size, max(entry + 1, 0)
    return entry


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
        return _NOWHERE
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
