"""The compiled matcher behind ``secad.features.phrases``: spans of messages in, spans of slots out.

A phrase is a row of steps. What stands before its ``rest`` slot is matched from the message's
start, what stands after it from the message's end, and each slot ends where the phrase says, so
nothing is ever tried twice: the time is linear in the message for each phrase tried. Which
phrases are tried a trie of their leading literals decides, one for each program.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.clock_read import YEARLESS, ZONED, Reader, instant, read_time
from secad.features.inlined import borrowed, inlined, peek
from secad.features.slot_types import IP, address_end, holds, is_space, unmapped
from secad.features.spans import Bytes, Places

Code = npt.NDArray[np.int32]

LITERAL, GAP, TOKEN, TEXT, TIME, END = range(6)
"""Kinds of step, four numbers each: (LITERAL, offset, length, 0), (GAP, 0, 0, 0), (TOKEN or TEXT,
slot, type, slot where the type does not hold or NONE), (TIME, first, last number of the clock's
program in CLOCKS, 0), (END, 0, 0, 0) after the head's last."""

NONE = -1
NO_REST, IGNORED_REST = -2, -1

IS_ZONED, IS_YEARLESS = 1, 2
"""Bits of FLAGS."""

HEADER = 13
"""Numbers at the head of the code: where in it each table begins, and three that are none."""

BOUNDS, STEPS, LITERALS, CLASSES, EDGES, CHAINS, ACCEPTS, CANDIDATES, ROOTS, CLOCKS = range(10)
WIDTH, NAMES, COMMON = range(10, HEADER)
"""The tables, one behind the other, for P phrases and T nodes of the trie:

- BOUNDS, 6 for each phrase: bytes of the leading literal, the head's first and last step, the
  tail's first and last, and the slot of ``rest`` (or NO_REST, IGNORED_REST).
- STEPS, 4 for each step.
- LITERALS, the bytes of all literals.
- CLASSES, EDGES, CHAINS, ACCEPTS, CANDIDATES, ROOTS, WIDTH, NAMES and COMMON: see ``Trie``.
- CLOCKS, the programs of all clocks.
"""

PHRASE, MICROS, FLAGS, FIRST_SLOT = range(4)
"""Columns of a match, one row for each message: the phrase that fits or NONE, its time (see
``secad.features.clock_read.instant``), IS_ZONED and IS_YEARLESS, then for each slot the first byte
(NONE where it is empty) and the bytes."""


class Scan(NamedTuple):
    """What every function of the matcher needs.

    Args:
        data: the buffer.
        code: the phrases, compiled.
        found: (N, FIRST_SLOT + 2 * slots), what is filled.
        fields: scratch of a clock.
    """

    data: Bytes
    code: Code
    found: Places
    fields: Places


@kernel
def match_all(scan: Scan, places: Places, programs: Places) -> None:
    """Fills ``scan.found`` for every message.

    Args:
        scan: the phrases and the buffer.
        places: (2, N) first byte and bytes of each message; first byte NONE for no message.
        programs: (2, N) the same of each message's program.
    """
    scan = Scan(
        borrowed(scan.data), borrowed(scan.code), borrowed(scan.found), borrowed(scan.fields)
    )
    for row in range(places.shape[1]):
        scan.found[row, PHRASE], scan.found[row, MICROS], scan.found[row, FLAGS] = NONE, 0, 0
        start = places[0, row]
        if start < 0:
            continue
        end = start + places[1, row]
        while start < end and is_space(peek(scan.data, start)):
            start += 1
        root = 0
        if programs[0, row] >= 0:
            root = _root_of(scan, programs[0, row], programs[0, row] + programs[1, row])
        _match(scan, row, start, end, root)


@inlined
def _root_of(scan: Scan, at: int, end: int) -> int:
    """Returns the root of a program's phrases, 0 where it has none of its own."""
    node, stop = _walk(scan, at, end, peek(scan.code, NAMES))
    return int(peek(scan.code, peek(scan.code, ROOTS) + node)) if stop == end else 0


@inlined
def _walk(scan: Scan, at: int, end: int, node: int) -> tuple[int, int]:
    """Returns the last node that a text leads to, and the place behind the bytes up to it."""
    code = scan.code
    edges, width, classes, chains = (
        peek(code, EDGES),
        peek(code, WIDTH),
        peek(code, CLASSES),
        peek(code, CHAINS),
    )
    while at < end:
        following = peek(code, edges + node * width + peek(code, classes + peek(scan.data, at)))
        if following == 0:
            break
        offset, size = peek(code, chains + 2 * following), peek(code, chains + 2 * following + 1)
        if at + 1 + size > end or not _same(scan, at + 1, peek(code, LITERALS) + offset, size):
            break
        node = following
        at += 1 + size
    return node, at


@inlined
def _match(scan: Scan, row: int, start: int, end: int, root: int) -> None:
    """Tries the program's phrases and those of every program, in their order."""
    code = scan.code
    own, _ = _walk(scan, start, end, root)
    common, _ = _walk(scan, start, end, peek(code, COMMON))
    at = peek(code, CANDIDATES) + peek(code, peek(code, ACCEPTS) + 2 * own)
    stop = peek(code, CANDIDATES) + peek(code, peek(code, ACCEPTS) + 2 * own + 1)
    other = peek(code, CANDIDATES) + peek(code, peek(code, ACCEPTS) + 2 * common)
    other_stop = peek(code, CANDIDATES) + peek(code, peek(code, ACCEPTS) + 2 * common + 1)
    while at < stop or other < other_stop:
        if other >= other_stop or (at < stop and peek(code, at) < peek(code, other)):
            phrase = peek(code, at)
            at += 1
        else:
            phrase = peek(code, other)
            other += 1
        if _fits(scan, row, start, end, phrase):
            scan.found[row, PHRASE] = phrase
            return


@inlined
def _fits(scan: Scan, row: int, start: int, end: int, phrase: int) -> bool:
    scan.found[row, MICROS] = 0
    scan.found[row, FLAGS] = 0
    code = scan.code
    bounds = peek(code, BOUNDS) + 6 * phrase
    at = start + peek(code, bounds)
    for step in range(peek(code, bounds + 1), peek(code, bounds + 2), 4):
        at = _forward(scan, row, at, end, step)
        if at < 0:
            return False
    while end > at and is_space(peek(scan.data, end - 1)):
        end -= 1
    rest = peek(code, bounds + 5)
    if rest == NO_REST:
        return bool(at == end)
    for step in range(peek(code, bounds + 4) - 4, peek(code, bounds + 3) - 4, -4):
        end = _backward(scan, row, at, end, step)
        if end < 0:
            return False
    if rest != IGNORED_REST:
        _keep(scan, row, at, end, rest)
    return True


@inlined
def _forward(scan: Scan, row: int, at: int, end: int, step: int) -> int:
    """Returns the place after one step of the head, NONE where it does not fit."""
    kind = peek(scan.code, step)
    if kind == LITERAL:
        offset, size = peek(scan.code, step + 1), peek(scan.code, step + 2)
        stop = at + size if at + size <= end and _same(scan, at, offset, size) else NONE
    elif kind == GAP:
        stop = at
        while stop < end and is_space(peek(scan.data, stop)):
            stop += 1
        stop = stop if stop > at else NONE
    elif kind == TIME:
        stop = _time(scan, row, at, end, step)
    else:
        stop = _slot_end(scan, at, end, step)
        if stop >= 0 and not _take(scan, row, at, stop, step):
            stop = NONE
    return stop


@inlined
def _time(scan: Scan, row: int, at: int, end: int, step: int) -> int:
    fields = scan.fields
    reader = Reader(scan.data, scan.code, fields)
    stop = read_time(reader, at, end, peek(scan.code, step + 1), peek(scan.code, step + 2))
    if stop >= 0:
        scan.found[row, MICROS] += instant(fields)
        scan.found[row, FLAGS] |= fields[ZONED] * IS_ZONED + fields[YEARLESS] * IS_YEARLESS
    return stop


@inlined
def _slot_end(scan: Scan, at: int, end: int, step: int) -> int:
    """Returns where a slot of the head ends: before the literal that follows it."""
    stop = end
    if peek(scan.code, step) == TOKEN:
        stop = at
        while stop < end and not is_space(peek(scan.data, stop)):
            stop += 1
    following = step + 4
    if peek(scan.code, following) != LITERAL:
        return stop
    offset, size = peek(scan.code, following + 1), peek(scan.code, following + 2)
    if peek(scan.code, step + 2) == IP:
        if peek(scan.code, step + 3) == NONE:
            stop = address_end(scan.data, at, stop)
        stop = min(stop, end - size)
        while stop >= at and not _same(scan, stop, offset, size):
            stop -= 1  # "::1:22": the last colon ends the address
        return stop if stop >= at else NONE
    stop = min(stop, end - size)
    while at <= stop and not _same(scan, at, offset, size):
        at += 1
    return at if at <= stop else NONE


@inlined
def _backward(scan: Scan, row: int, low: int, end: int, step: int) -> int:
    """Returns the place before one step of the tail, NONE where it does not fit."""
    kind = peek(scan.code, step)
    if kind == LITERAL:
        offset, size = peek(scan.code, step + 1), peek(scan.code, step + 2)
        return end - size if end - size >= low and _same(scan, end - size, offset, size) else NONE
    if kind == GAP:
        at = end
        while at > low and is_space(peek(scan.data, at - 1)):
            at -= 1
        return at if at < end else NONE
    at = low
    if kind == TOKEN:
        at = end
        while at > low and not is_space(peek(scan.data, at - 1)):
            at -= 1
    if peek(scan.code, step - 4) == LITERAL:
        at = _behind_literal(scan, max(at, low + peek(scan.code, step - 2)), end, step - 4)
    return at if at >= 0 and _take(scan, row, at, end, step) else NONE


@inlined
def _behind_literal(scan: Scan, first: int, end: int, step: int) -> int:
    """Returns the last place in ``first`` .. ``end`` that stands behind the step's literal."""
    offset, size = peek(scan.code, step + 1), peek(scan.code, step + 2)
    while end >= first and not _same(scan, end - size, offset, size):
        end -= 1
    return end if end >= first else NONE


@inlined
def _take(scan: Scan, row: int, at: int, stop: int, step: int) -> bool:
    """Keeps a slot's span where its type holds; returns whether it may stand there."""
    slot, kind, other = (
        peek(scan.code, step + 1),
        peek(scan.code, step + 2),
        peek(scan.code, step + 3),
    )
    fits = holds(scan.data, at, stop, kind)
    if other != NONE:
        scan.found[row, FIRST_SLOT + 2 * slot] = NONE
        scan.found[row, FIRST_SLOT + 2 * other] = NONE
        if not fits:
            slot = other
    elif not fits:
        return False
    if slot != NONE:
        if fits and kind == IP:
            at = unmapped(scan.data, at, stop)
        _keep(scan, row, at, stop, slot)
    return True


@inlined
def _keep(scan: Scan, row: int, at: int, stop: int, slot: int) -> None:
    while at < stop and is_space(peek(scan.data, at)):
        at += 1
    while stop > at and is_space(peek(scan.data, stop - 1)):
        stop -= 1
    scan.found[row, FIRST_SLOT + 2 * slot] = at if stop > at else NONE
    scan.found[row, FIRST_SLOT + 2 * slot + 1] = stop - at


@inlined
def _same(scan: Scan, at: int, offset: int, size: int) -> bool:
    step = 0
    while step < size and peek(scan.data, at + step) == peek(scan.code, offset + step):
        step += 1
    return step == size


@kernel
def pick_slot(found: Places, slot_of: Code, spans: Places) -> None:
    """Fills (2, N) ``spans`` with one column's slots.

    Args:
        found: as ``match_all`` filled it.
        slot_of: (phrases + 1,) the column's slot in each phrase, or NONE; the last is of none.
        spans: what to fill, given as NONE.
    """
    for row in range(found.shape[0]):
        slot = slot_of[found[row, PHRASE]]
        if slot != NONE:
            spans[0, row] = found[row, FIRST_SLOT + 2 * slot]
            spans[1, row] = found[row, FIRST_SLOT + 2 * slot + 1]


@kernel
def find_words(data: Bytes, places: Places, start: Bytes, spans: Places) -> None:
    """Fills (2, N) ``spans`` with the first word of each text that begins with ``start``.

    Args:
        data: the buffer.
        places: (2, N) first byte and bytes of each text, first byte NONE for none.
        start: what the word begins with; it goes on with letters, digits, ``_`` and ``-``.
        spans: what to fill, given as NONE.
    """
    for row in range(places.shape[1]):
        first = places[0, row]
        end = first + places[1, row]
        at = first
        while 0 <= at <= end - len(start):
            if (at == first or not _is_word(peek(data, at - 1))) and _starts(data, at, start):
                stop = at + len(start)
                while stop < end and _is_word(peek(data, stop)):
                    stop += 1
                spans[0, row], spans[1, row] = at, stop - at
                break
            at += 1


@inlined
def _starts(data: Bytes, at: int, start: Bytes) -> bool:
    step = 0
    while step < len(start) and peek(data, at + step) == start[step]:
        step += 1
    return step == len(start)


@inlined
def _is_word(byte: int) -> bool:
    return 48 <= byte <= 57 or 97 <= byte | 32 <= 122 or byte in (45, 95)
