"""The pairs behind the headers of CEF and LEEF: one compiled pass finds and sorts them.

Spans of ``key=value`` text enter. Pairs of known keys leave as one span per row and column, pairs
of unknown ones, and of several for one column those that lost, as labels. A custom field
(``cs1=... cs1Label=...``) becomes a label of its own name; one that is called a rule, the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import borrowed, inlined, peek
from secad.features.key_values import UNKNOWN, Keys, known_keys, look_up
from secad.features.slot_types import is_space
from secad.features.spans import Bytes, Places

RULE = "rule_name"
PIECE_ROWS = 32 * 1024
"""Rows to read at a time: a row has a place for each column, few of which it fills."""

_KEY, _OTHER, _BLANK, _EQUALS, _BACKSLASH = range(5)
_TAB, _HASH, _QUOTE, _DASH, _EQUALS_MARK = 9, 35, 34, 45, 61
_ESCAPED_TAB = np.frombuffer(b"#011", dtype=np.uint8)  # as rsyslog writes it
_RULES = ("accessrule", "firewallrule", "policy", "policyname", "rule", "rulename")
_LONGEST_RULE = 16
_BASE, _LABEL = -2, -3  # in place of a column: a custom field, or its label
_NO_RANK = 99


def _classes() -> Bytes:
    classes = np.full(256, _OTHER, dtype=np.uint8)
    keys = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-[]"
    classes[np.frombuffer(keys, dtype=np.uint8)] = _KEY
    classes[[9, 32]] = _BLANK
    classes[_EQUALS_MARK] = _EQUALS
    classes[ord("\\")] = _BACKSLASH
    return classes


_CLASSES = _classes()


class Wanted(NamedTuple):
    """Which keys go where.

    Args:
        keys: the table of known keys.
        column: (K,) the column of each, or _BASE or _LABEL.
        rank: (K,) of several keys of a column the lowest wins; of a custom field its number.
        rules: the table of the names by which custom fields are rules.
        rule: the column of rules.
        customs: how many custom fields there are.
    """

    keys: Keys
    column: Places
    rank: Places
    rules: Keys
    rule: int
    customs: int


class Found(NamedTuple):
    """What a pass fills.

    Args:
        data: the bytes that spans point into.
        spans: (N, C, 2) first byte and bytes of each value, first byte -1 where there is none.
        labels: (L, 6) row, span of the key, span of the value, 1 where it may hold escapes.
        counts: (1,) labels so far.
        keys: (C, 3) scratch: span of the key that filled each column of the row, its rank.
        customs: (F, 7) scratch: row and spans of each custom field: key, value, label.
        letters: (16,) scratch: the letters of a custom field's name.
        escaped: (C,) whether some value of the column may hold escapes.
    """

    data: Bytes
    spans: Places
    labels: Places
    counts: Places
    keys: Places
    customs: Places
    letters: Bytes
    escaped: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """The pairs of N rows.

    Args:
        data: the bytes that spans point into.
        spans: column -> (2, N) first byte and bytes, first byte -1 where there is none.
        labels: (L, 6) as in ``Found``, row by row.
        escaped: the columns some of whose values may hold escapes.
    """

    data: Bytes
    spans: Mapping[str, Places]
    labels: Places
    escaped: frozenset[str]


@lru_cache(maxsize=4)
def wanted(columns: tuple[tuple[str, tuple[str, ...]], ...], customs: tuple[str, ...]) -> Wanted:
    """Returns the table of keys.

    Args:
        columns: each column with its keys, the surest first; RULE is one of them.
        customs: keys of custom fields, whose names stand in a key that ends in ``Label``.
    """
    keys: dict[str, tuple[int, int]] = {}
    for place, (_, names) in enumerate(columns):
        keys |= {name: (place, rank) for rank, name in enumerate(names)}
    for number, name in enumerate(customs):
        keys |= {name: (_BASE, number), f"{name}Label": (_LABEL, number)}
    return Wanted(
        known_keys(tuple(keys)),
        np.array([column for column, _ in keys.values()], dtype=np.int64),
        np.array([rank for _, rank in keys.values()], dtype=np.int64),
        known_keys(_RULES),
        [name for name, _ in columns].index(RULE),
        max(len(customs), 1),
    )


def read_pairs(
    data: Bytes, places: Places, delimiters: Places, columns: Sequence[str], table: Wanted
) -> Pairs:
    """Returns the pairs at ``places``.

    Args:
        data: the buffer.
        places: (2, N) span of each row's pairs.
        delimiters: (N,) the byte between pairs; 0 where a blank and the next key end a value, and
            a backslash takes the sense from ``=``.
        columns: the columns of ``table``, in its order.
        table: which keys go where.
    """
    count = places.shape[1]
    room = int(_count_equals(data, places)) + 1
    found = Found(
        data,
        np.full((count, len(columns), 2), -1, dtype=np.int64),
        np.empty((room, 6), dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros((len(columns), 3), dtype=np.int64),
        np.full((table.customs, 7), -1, dtype=np.int64),
        np.zeros(_LONGEST_RULE, dtype=np.uint8),
        np.zeros(len(columns), dtype=np.bool_),
    )
    _read_rows(places, delimiters, table, found)
    filled = _filled(found.spans)
    spans = {
        name: np.ascontiguousarray(found.spans[:, place].T)
        for place, name in enumerate(columns)
        if filled[place]
    }
    escaped = frozenset(np.array(columns, dtype=object)[found.escaped].tolist())
    return Pairs(data, spans, found.labels[: found.counts[0]], escaped)


@kernel
def _count_equals(data: Bytes, places: Places) -> int:
    data = borrowed(data)
    count = 0
    for row in range(places.shape[1]):
        for at in range(places[0, row], places[0, row] + places[1, row]):
            count += peek(data, at) == _EQUALS_MARK
    return count


@kernel
def _filled(spans: Places) -> npt.NDArray[np.bool_]:
    filled = np.zeros(spans.shape[1], dtype=np.bool_)
    for row in range(spans.shape[0]):
        for column in range(spans.shape[1]):
            filled[column] |= spans[row, column, 0] >= 0
    return filled


@kernel
def _read_rows(places: Places, delimiters: Places, table: Wanted, found: Found) -> None:
    found = _borrowed(found)
    table = Wanted(
        _borrowed_keys(table.keys),
        borrowed(table.column),
        borrowed(table.rank),
        _borrowed_keys(table.rules),
        table.rule,
        table.customs,
    )
    for row in range(places.shape[1]):
        at, end = places[0, row], places[0, row] + places[1, row]
        if delimiters[row] == 0:
            _read_blanked(found, table, row, at, end)
        else:
            _read_delimited(found, table, row, (at, end), delimiters[row])
        for number in range(len(found.customs)):
            if found.customs[number, 0] == row:
                _keep_custom(found, table, row, number)


@inlined
def _borrowed(found: Found) -> Found:
    return Found(
        borrowed(found.data),
        borrowed(found.spans),
        borrowed(found.labels),
        borrowed(found.counts),
        borrowed(found.keys),
        borrowed(found.customs),
        borrowed(found.letters),
        borrowed(found.escaped),
    )


@inlined
def _borrowed_keys(keys: Keys) -> Keys:
    return Keys(borrowed(keys.names), borrowed(keys.offsets), borrowed(keys.table))


@inlined
def _read_blanked(found: Found, table: Wanted, row: int, at: int, end: int) -> None:
    """Reads ``key=value with blanks next=value``."""
    data = found.data
    key, key_end = -1, -1
    word, plain, escapes = at, True, 0
    while at < end:
        kind = peek(_CLASSES, peek(data, at))
        if kind == _BLANK:
            word, plain = at + 1, True
        elif kind == _EQUALS and plain and at > word:
            if key >= 0:
                _keep(found, table, row, (key, key_end, key_end + 1, word), escapes)
            key, key_end, plain, escapes = word, at, False, 0
        elif kind == _BACKSLASH:
            plain, escapes = False, 1
            after = _CLASSES[data[at + 1]] if at + 1 < end else _OTHER
            at += after in (_BACKSLASH, _EQUALS)
        elif kind != _KEY:
            plain = False
        at += 1
    if key >= 0:
        _keep(found, table, row, (key, key_end, key_end + 1, end), escapes)


@inlined
def _read_delimited(
    found: Found, table: Wanted, row: int, span: tuple[int, int], delimiter: int
) -> None:
    """Reads ``key=value^key=value``; a part without ``=`` belongs to the value before it."""
    data = found.data
    at, end = span
    key, key_end, value_end = -1, -1, at
    while at < end:
        start, equals = at, -1
        width = 0
        while at < end and width == 0:
            if equals < 0 and peek(data, at) == _EQUALS_MARK:
                equals = at
            width = _delimiter_width(data, at, end, delimiter)
            at += width == 0
        if equals > start:
            if key >= 0:
                _keep(found, table, row, (key, key_end, key_end + 1, value_end), 0)
            key, key_end = start, equals
            while key < key_end and is_space(data[key]):
                key += 1
        value_end = at
        at += width
    if key >= 0:
        _keep(found, table, row, (key, key_end, key_end + 1, value_end), 0)


@inlined
def _delimiter_width(data: Bytes, at: int, end: int, delimiter: int) -> int:
    if peek(data, at) == delimiter:
        return 1
    if delimiter != _TAB or peek(data, at) != _HASH or at + 4 > end:
        return 0
    for step in range(4):
        if data[at + step] != _ESCAPED_TAB[step]:
            return 0
    return 4


@kernel
def _keep(
    found: Found, table: Wanted, row: int, pair: tuple[int, int, int, int], escapes: int
) -> None:
    """Keeps a pair: where its key begins and ends, where its value does."""
    data = found.data
    key, key_end, at, end = pair
    while end > at and is_space(data[end - 1]):
        end -= 1
    while at < end and is_space(data[at]):
        at += 1
    if end - at > 1 and data[at] == _QUOTE and data[end - 1] == _QUOTE:
        at, end = at + 1, end - 1
    if end == at:
        return
    place = look_up(data, key, key_end - key, table.keys)
    column = table.column[place] if place != UNKNOWN else UNKNOWN
    if column in (_BASE, _LABEL):
        _note_custom(found, row, table.rank[place], column == _LABEL, (key, key_end, at, end))
    elif column == UNKNOWN:
        _add_label(found, row, (key, key_end, at, end), escapes)
    elif not (end - at == 1 and data[at] == _DASH):
        _fill(found, row, (column, table.rank[place]), (key, key_end, at, end), escapes)


@inlined
def _fill(
    found: Found,
    row: int,
    target: tuple[int, int],
    pair: tuple[int, int, int, int],
    escapes: int,
) -> None:
    """Keeps a pair as the value of a column, which it fills with a rank."""
    spans, keys = found.spans, found.keys
    column, rank = target
    at = spans[row, column, 0]
    if at >= 0 and keys[column, 2] <= rank:
        _add_label(found, row, pair, escapes)
        return
    if at >= 0:
        old = (keys[column, 0], keys[column, 1], at, at + spans[row, column, 1])
        _add_label(found, row, old, 1)
    spans[row, column, 0], spans[row, column, 1] = pair[2], pair[3] - pair[2]
    keys[column, 0], keys[column, 1], keys[column, 2] = pair[0], pair[1], rank
    found.escaped[column] |= escapes > 0


@inlined
def _add_label(found: Found, row: int, pair: tuple[int, int, int, int], escapes: int) -> None:
    count = found.counts[0]
    if count == len(found.labels):
        return
    labels = found.labels
    labels[count, 0], labels[count, 5] = row, escapes
    labels[count, 1], labels[count, 2] = pair[0], pair[1] - pair[0]
    labels[count, 3], labels[count, 4] = pair[2], pair[3] - pair[2]
    found.counts[0] = count + 1


@inlined
def _note_custom(
    found: Found, row: int, number: int, is_label: bool, pair: tuple[int, int, int, int]
) -> None:
    customs = found.customs
    if customs[number, 0] != row:
        customs[number, 0], customs[number, 1], customs[number, 5] = row, -1, -1
    if is_label:
        customs[number, 5], customs[number, 6] = pair[2], pair[3]
    else:
        customs[number, 1], customs[number, 2] = pair[0], pair[1]
        customs[number, 3], customs[number, 4] = pair[2], pair[3]


@kernel
def _keep_custom(found: Found, table: Wanted, row: int, number: int) -> None:
    customs = found.customs
    key, key_end = customs[number, 1], customs[number, 2]
    at, end = customs[number, 3], customs[number, 4]
    if key < 0:
        return
    if customs[number, 5] >= 0:
        key, key_end = customs[number, 5], customs[number, 6]
        if _is_rule(found, key, key_end, table.rules):
            _fill(found, row, (table.rule, _NO_RANK), (key, key_end, at, end), 1)
            return
    _add_label(found, row, (key, key_end, at, end), 1)


@kernel
def _is_rule(found: Found, at: int, end: int, rules: Keys) -> bool:
    """Returns whether the letters of a name, in small ones, are those of a rule's."""
    letters = found.letters
    count = 0
    for place in range(at, end):
        letter = found.data[place] | 32
        if 97 <= letter <= 122:
            if count == len(letters):
                return False
            letters[count] = letter
            count += 1
    return look_up(letters, 0, count, rules) != UNKNOWN
