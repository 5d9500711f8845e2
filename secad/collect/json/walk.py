r"""Compiled: from JSON lines to cells, the leaves with where each of them belongs, in one pass.

A line's nodes are found, and named, as it is walked; a sound line's leaves become cells. After
a key mostly comes the one that came after it the last time: then a comparison of its bytes both
passes it and names its path, and nothing is looked up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from secad.base.compiled import kernel
from secad.collect.json.paths import (
    FATE,
    FIRST,
    IGNORED,
    LABEL,
    LABELS_CAP,
    LAST,
    NOWHERE,
    OBJECT,
    TOP,
    UNWRAPPED,
    WANTED,
    Paths,
    look_up,
)
from secad.collect.json.scan import (
    BRACE,
    INNER,
    NO_OBJECT,
    NOTHING,
    OBJECTS,
    QUOTE,
    TRAILING,
    enter,
    fault,
    key,
    leave,
    space,
    text_of,
    value,
)
from secad.collect.json.texts import Bytes, Integers, Numbers
from secad.features.inlined import borrowed, inlined, peek
from secad.features.words import WORD_BYTES, load_word

PARENT, ENTRY, TEXT, TEXT_SIZE = 0, 1, 2, 3
"""The columns of nodes: the node of the object around it or -1; the entry of its path; where the
value's text begins and its length. A length is ``~length`` where there are escapes; of an object,
TEXT is -1."""

COLUMN, ROW, AT, SIZE = 0, 1, 2, 3
"""The columns of cells: a column, or ``~entry`` of a label; the line; TEXT and TEXT_SIZE."""

_KEY, _KEY_SIZE, _ENTRY, _ABOVE = 0, 1, 2, 3  # columns of ``follows``
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_BITS = np.uint64(8)
_BRACKET, _COLON = ord("["), ord(":")


class Lines(NamedTuple):
    """N lines.

    Args:
        data: the bytes that they stand in.
        starts: (N + 1,) where each begins.
        blank: a text that counts as null, as the empty one does.
        joined: whether an empty array does, too.
    """

    data: Bytes
    starts: Numbers
    blank: Bytes
    joined: bool


class Found(NamedTuple):
    """What is filled.

    Args:
        cells: (K, 4) the leaves of sound lines, in the order of the lines.
        nodes: (M, 4) room for those of one line; see ``json_scan.nodes_for``.
        best: (C, 3) of each column the last row that filled it, that row's cell and rank.
        labels: (N,) how many labels each row has.
        faults: (N, 2) what is wrong with each line and at which of its bytes.
    """

    cells: Integers
    nodes: Integers
    best: Numbers
    labels: Numbers
    faults: Numbers


@kernel
def walk(lines: Lines, paths: Paths, found: Found) -> int:
    """Finds the cells of lines and returns how many there are."""
    lines = Lines(borrowed(lines.data), borrowed(lines.starts), borrowed(lines.blank), lines.joined)
    paths = Paths(
        borrowed(paths.slots),
        borrowed(paths.entries),
        borrowed(paths.pool),
        borrowed(paths.uses),
        borrowed(paths.memo),
        borrowed(paths.follows),
        borrowed(paths.path),
        borrowed(paths.used),
        borrowed(paths.secret),
    )
    found = Found(
        borrowed(found.cells),
        borrowed(found.nodes),
        borrowed(found.best),
        borrowed(found.labels),
        borrowed(found.faults),
    )
    cells = 0
    for row in range(len(found.faults)):
        place, nodes = _line(lines, paths, found.nodes, row)
        if place < 0:
            found.faults[row, 0] = -place & 15
            found.faults[row, 1] = (-place >> 4) - lines.starts[row]
        else:
            cells = _take(paths, found, nodes, row, cells)
    return cells


@inlined
def _line(lines: Lines, paths: Paths, nodes: Integers, row: int) -> tuple[int, int]:
    """Walks a line; returns its end or a fault, and how many nodes it has."""
    data, at, end = lines.data, lines.starts[row], lines.starts[row + 1]
    at = space(data, at, end)
    if at == end or peek(data, at) != BRACE:
        return fault(NO_OBJECT, at), 0
    at, kind = enter(data, at, end)
    at, count = _objects(lines, paths, nodes, (at, end), 1 if kind == INNER else 0)
    if at < 0:
        return at, count
    at = space(data, at, end)
    return at if at == end else fault(TRAILING, at), count


@inlined
def _objects(
    lines: Lines, paths: Paths, nodes: Integers, places: tuple[int, int], depth: int
) -> tuple[int, int]:
    """Walks the objects of a line; returns the place after them or a fault, and the nodes.

    Args:
        lines: all of them.
        paths: known ones.
        nodes: filled.
        places: of the first key, and where the line ends.
        depth: how many objects are open.
    """
    data = lines.data
    at, end = places
    around, above = -1, TOP  # the innermost object's node and entry
    count, before = 0, 0  # before: the place in ``follows`` of the key before
    while depth > 0 and at >= 0:
        begin, written, entry = _key_of(data, (at, end), paths, before, above)
        begin, at, kind = _value_of(data, begin, end, depth)
        if kind != NOTHING:
            entry = _named(data, written, paths, (entry, before, above), kind == INNER)
            before = max(entry + 1, 0) or before
            nodes[count, PARENT] = around
            _fill(lines, paths, nodes, count, (entry, begin, at, kind))
            count += 1
        if kind == INNER:
            around, depth = count - 1, depth + 1
        elif at >= 0:
            at, _, left = leave(data, at, end, OBJECTS, depth)
            around, depth = _outwards(nodes, around, depth - left), left
        above = nodes[around, ENTRY] if around >= 0 else TOP
    return at, count


@inlined
def _key_of(
    data: Bytes, places: tuple[int, int], paths: Paths, before: int, above: int
) -> tuple[int, tuple[int, int], int]:
    """Passes a key and its colon.

    Args:
        data: the bytes of the lines.
        places: of the key, and where the line ends.
        paths: known ones.
        before: the place in ``follows`` of the key before.
        above: the entry of the object around.

    Returns:
        the place after it or a fault; where it begins and its length, ``~length`` with escapes;
        its entry where it was foreseen, else NOWHERE.
    """
    at, end = places
    known, size = paths.follows[before, _KEY], paths.follows[before, _KEY_SIZE]
    whole = size + 3  # with its quotes and the colon
    fits = known > 0 and paths.follows[before, _ABOVE] == above and at + whole <= end
    if fits and _is_same(data, at, known - 1, whole):
        return at + whole, (at + 1, size), paths.follows[before, _ENTRY]
    after, stop, escaped = key(data, at, end)
    size = stop - at - 1
    return after, (at + 1, ~size if escaped else size), NOWHERE


@inlined
def _is_same(data: Bytes, at: int, other: int, size: int) -> bool:
    """Returns whether the same bytes stand at two places; False where that takes longer to tell."""
    while size >= WORD_BYTES:
        if load_word(data, at) != load_word(data, other):
            return False
        at, other, size = at + WORD_BYTES, other + WORD_BYTES, size - WORD_BYTES
    if size == 0:
        return True
    if at + WORD_BYTES > len(data):
        return False
    different = load_word(data, at) ^ load_word(data, other)
    return not different & (_ALL >> np.uint64(WORD_BYTES - size) * _BITS)


@inlined
def _value_of(data: Bytes, begin: int, end: int, depth: int) -> tuple[int, int, int]:
    """Passes a value; returns where it begins, the place after it or a fault, and its kind.

    Args:
        data: the bytes of the lines.
        begin: the place after the key's colon, or a fault.
        end: where the line ends.
        depth: how many objects are open around it.
    """
    if begin < 0:
        return begin, begin, NOTHING
    begin = space(data, begin, end)
    at, kind = value(data, begin, end, depth)
    return begin, at, kind if at >= 0 else NOTHING


@inlined
def _named(
    data: Bytes,
    written: tuple[int, int],
    paths: Paths,
    known: tuple[int, int, int],
    is_object: bool,
) -> int:
    """Returns the entry of a path, NOWHERE where it has none.

    Args:
        data: the bytes of the lines.
        written: where the key begins, and its length, ``~length`` with escapes.
        paths: known ones.
        known: the entry that was foreseen, or NOWHERE; the place in ``follows`` of the key
            before; the entry of the object around.
        is_object: whether it is an object's.
    """
    entry, before, above = known
    if above == NOWHERE:
        return NOWHERE
    if entry >= 0 and (paths.entries[entry, FATE] >= OBJECT) == is_object:
        return entry
    entry = look_up(data, written, above, is_object, paths)
    first, size = written
    if size >= 0 and entry >= 0 and peek(data, first + size + 1) == _COLON:
        paths.follows[before, _KEY], paths.follows[before, _KEY_SIZE] = first, size
        paths.follows[before, _ENTRY], paths.follows[before, _ABOVE] = entry, above
    return entry


@inlined
def _fill(
    lines: Lines, paths: Paths, nodes: Integers, node: int, found: tuple[int, int, int, int]
) -> None:
    """Fills a node's ENTRY, TEXT and TEXT_SIZE.

    Args:
        lines: all of them.
        paths: known ones.
        nodes: where it is.
        node: which it is.
        found: its entry; where the value begins and ends; its kind.
    """
    entry, begin, at, kind = found
    text, size = text_of(lines.data, begin, at, kind)
    nodes[node, TEXT], nodes[node, TEXT_SIZE] = text, size
    if entry >= 0 and paths.entries[entry, FATE] > OBJECT:
        entry = TOP if paths.entries[entry, FATE] == UNWRAPPED else NOWHERE
    if kind != INNER and _is_blank(lines, text, size):
        entry = NOWHERE
    nodes[node, ENTRY] = entry


@inlined
def _outwards(nodes: Integers, node: int, levels: int) -> int:
    """Returns the object so many levels above a node, -1 for that of the line."""
    while levels > 0 and node >= 0:
        node, levels = nodes[node, PARENT], levels - 1
    return node


@inlined
def _is_blank(lines: Lines, at: int, size: int) -> bool:
    if size == 0:
        return True
    if lines.joined and size == 2 and lines.data[at] == _BRACKET and lines.data[at - 1] != QUOTE:
        return True
    if size != len(lines.blank):
        return False
    for step in range(size):  # noqa: SIM110  numba knows no generators
        if lines.data[at + step] != lines.blank[step]:
            return False
    return True


@inlined
def _take(paths: Paths, found: Found, nodes: int, row: int, count: int) -> int:
    """Makes cells of the leaves of a line; returns how many cells there are now.

    Args:
        paths: known paths.
        found: the line's nodes, and the cells of the lines before it.
        nodes: how many nodes it has.
        row: the line.
        count: how many cells there are.
    """
    entries, uses = paths.entries, paths.uses
    for node in range(nodes):
        entry, at = found.nodes[node, ENTRY], found.nodes[node, TEXT]
        fate = entries[entry, FATE] if entry >= 0 and at >= 0 else IGNORED
        if fate == WANTED:
            for use in range(entries[entry, FIRST], entries[entry, LAST]):
                column = uses[use, 0]
                cell = _cell(found.best, column, uses[use, 1], row, count)
                if cell >= 0:
                    _put(found, cell, column, row, node)
                count += cell == count
        elif fate == LABEL and entries[entry, FIRST] != row and found.labels[row] < LABELS_CAP:
            entries[entry, FIRST] = row
            found.labels[row] += 1
            _put(found, count, ~entry, row, node)
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
def _put(found: Found, cell: int, column: int, row: int, node: int) -> None:
    found.cells[cell, COLUMN], found.cells[cell, ROW] = column, row
    found.cells[cell, AT] = found.nodes[node, TEXT]
    found.cells[cell, SIZE] = found.nodes[node, TEXT_SIZE]
