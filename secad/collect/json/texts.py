r"""Compiled: from the cells of JSON leaves to Arrow's buffers, with the escapes resolved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import inlined
from secad.features.words import WORD_BYTES, copy_words

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

_BACKSLASH, _LETTER_U, _QUOTE, _COMMA = ord("\\"), ord("u"), ord('"'), ord(",")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")
_LAST_SPACE = 0x20
_ONE = np.uint64(1)
_REPLACEMENT = 0xFFFD  # stands for half a surrogate pair, which UTF-8 cannot hold


def _table(values: dict[int, int]) -> Bytes:
    made = np.zeros(256, dtype=np.uint8)
    made[list(values)] = list(values.values())
    return made


_HEX = _table({ord(digit): int(digit, 16) for digit in "0123456789abcdefABCDEF"})
_UNESCAPED = _table(dict(zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True)))


@kernel
def column_texts(
    data: Bytes, cells: Integers, columns: int, joined: bool
) -> tuple[Numbers, Integers, Numbers, Numbers, Bytes]:
    """Copies the texts of cells, so that those of a column stand together.

    Args:
        data: the bytes of the lines.
        cells: (K, 4) see ``json.walk``, rows ascending; labels are passed over.
        columns: C.
        joined: whether of an array its values are copied, with commas between them.

    Returns:
        the row of each text; where it ends after its column's first; (C + 1,) where each
        column's texts begin among these, (C + 1,) where they begin in the bytes; the bytes.
    """
    firsts, begins = np.zeros(columns + 1, np.int64), np.zeros(columns + 1, np.int64)
    for cell in range(len(cells)):
        column, size = cells[cell, 0], cells[cell, 3]
        if column >= 0:
            firsts[column + 1] += 1
            begins[column + 1] += size if size >= 0 else ~size
    places, puts = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
    for column in range(columns):
        firsts[column + 1] += firsts[column]
        begins[column + 1] += begins[column] + WORD_BYTES  # room for the end of the last copy
        places[column], puts[column] = firsts[column], begins[column]
    rows, ends = np.empty(firsts[columns], np.int64), np.empty(firsts[columns], np.int32)
    values = np.empty(begins[columns], np.uint8)
    for cell in range(len(cells)):  # in the order of the data, which so passes the cache once
        column = cells[cell, 0]
        if column >= 0:
            at, size = cells[cell, 2], cells[cell, 3]
            if joined and data[at] == _BRACKET and data[at - 1] != _QUOTE:
                puts[column] = _copy_joined(data, at + 1, at + size - 1, values, puts[column])
            else:
                puts[column] = copy_text(data, at, size, values, puts[column])
            rows[places[column]] = cells[cell, 1]
            ends[places[column]] = puts[column] - begins[column]
            places[column] += 1
    return rows, ends, firsts, begins, values


@kernel
def spread(rows: Numbers, ends: Integers, count: int) -> tuple[Integers, Bytes]:
    """Returns the offsets and the validity bits of an Arrow array of ``count`` strings.

    Args:
        rows: (M,) the rows that have a text, ascending.
        ends: (M,) where each text ends.
        count: N.
    """
    offsets, valid = np.zeros(count + 1, np.int32), np.zeros((count + 7) // 8, np.uint8)
    text, end = 0, 0
    for row in range(count):
        if text < len(rows) and rows[text] == row:
            valid[row >> 3] |= 1 << (row & 7)
            end = ends[text]
            text += 1
        offsets[row + 1] = end
    return offsets, valid


@kernel
def label_texts(data: Bytes, cells: Integers, cap: int) -> tuple[Numbers, Integers, Bytes]:
    """Copies the texts of labels.

    Args:
        data: the bytes of the lines.
        cells: (K, 4) see ``json.walk``; only labels count.
        cap: how many bytes of a text to take, as it is written; whole characters.

    Returns:
        (L,) entries, (L + 1,) offsets and the bytes of their texts.
    """
    count, total = 0, 0
    for cell in range(len(cells)):
        if cells[cell, 0] < 0:
            size = cells[cell, 3]
            count, total = count + 1, total + min(cap, size if size >= 0 else ~size)
    entries, offsets = np.empty(count, np.int64), np.zeros(count + 1, np.int32)
    values = np.empty(total + WORD_BYTES, np.uint8)
    label, put = 0, 0
    for cell in range(len(cells)):
        if cells[cell, 0] < 0:
            at, size = cells[cell, 2], cells[cell, 3]
            put = copy_text(data, at, _clipped(data, at, size, cap), values, put)
            entries[label], offsets[label + 1] = ~cells[cell, 0], put
            label += 1
    return entries, offsets, values[:put]


@inlined
def _clipped(data: Bytes, at: int, size: int, cap: int) -> int:
    """Returns the size that a text of at most ``cap`` bytes has, no character or escape cut."""
    if -cap <= size <= cap:
        return size
    kept = 0
    while kept < cap:
        step = 1
        if size < 0 and data[at + kept] == _BACKSLASH:
            step = 6 if data[at + kept + 1] == _LETTER_U else 2
        while data[at + kept + step] & 0xC0 == 0x80:
            step += 1
        if kept + step > cap:
            break
        kept += step
    return kept if size >= 0 else ~kept


@inlined
def copy(some: Bytes, at: int, other: Bytes, put: int, size: int) -> None:
    """Copies bytes."""
    source, target = np.uint64(at), np.uint64(put)  # no test for Python's negative places
    for step in range(np.uint64(size)):
        other[target + step] = some[source + step]


@inlined
def _copy_run(data: Bytes, at: int, stop: int, out: Bytes, put: int) -> int:
    """Copies the bytes before the next backslash and returns how many they are."""
    source, target, end = np.uint64(at), np.uint64(put), np.uint64(stop)
    while source < end and data[source] != _BACKSLASH:
        out[target] = data[source]
        source, target = source + _ONE, target + _ONE
    return int(np.int64(target)) - put


@inlined
def copy_text(data: Bytes, at: int, size: int, out: Bytes, put: int) -> int:
    """Copies a text and returns where it ends.

    Args:
        data: valid UTF-8.
        at: where the text begins.
        size: its bytes; ``~bytes`` where it has escapes, of which what they stand for is put.
        out: the target, with room for so many bytes; up to seven more may be overwritten.
        put: where the text shall begin in it.
    """
    if size >= 0:
        copy_words(data, at, size, out, put)
        return put + size
    stop = at + ~size
    while at < stop:
        run = _copy_run(data, at, stop, out, put)
        at, put = at + run, put + run
        if at < stop:
            at, put = _unescape(data, at, stop, out, put)
    return put


@inlined
def _copy_joined(data: Bytes, at: int, end: int, out: Bytes, put: int) -> int:
    """Copies the values of an array with commas between them; returns where they end.

    Texts lose their quotes and escapes, objects and arrays stay JSON.

    Args:
        data: valid JSON.
        at: the place behind the opening bracket.
        end: that of the closing one.
        out: the target.
        put: where to begin in it.
    """
    depth = 0
    while at < end:
        byte = data[at]
        if byte == _QUOTE:
            stop, escaped = _string_end(data, at + 1)
            if depth > 0:
                copy(data, at, out, put, stop + 1 - at)
                put += stop + 1 - at
            else:
                size = stop - at - 1
                put = copy_text(data, at + 1, ~size if escaped else size, out, put)
            at = stop + 1
            continue
        depth += (byte in (_BRACE, _BRACKET)) - (byte in (_BRACE_END, _BRACKET_END))
        if byte > _LAST_SPACE:
            out[put] = byte
            put += 1
        at += 1
    return put


@inlined
def _string_end(data: Bytes, at: int) -> tuple[int, bool]:
    """Returns the place of the quote that ends a string, and whether there are escapes in it."""
    escaped = False
    while data[at] != _QUOTE:
        if data[at] == _BACKSLASH:
            escaped = True
            at += 1
        at += 1
    return at, escaped


@inlined
def _unescape(data: Bytes, at: int, stop: int, out: Bytes, put: int) -> tuple[int, int]:
    """Puts what the escape at ``at`` stands for; returns the places after both."""
    if data[at + 1] != _LETTER_U:
        out[put] = _UNESCAPED[data[at + 1]]
        return at + 2, put + 1
    point = _code_unit(data, at)
    at += 6
    if 0xD800 <= point < 0xE000:
        low = 0
        if at + 6 <= stop and data[at] == _BACKSLASH and data[at + 1] == _LETTER_U:
            low = _code_unit(data, at)
        if point < 0xDC00 and 0xDC00 <= low < 0xE000:
            return at + 6, _put_point(out, put, 0x10000 + ((point & 0x3FF) << 10) + (low & 0x3FF))
        point = _REPLACEMENT
    return at, _put_point(out, put, point)


@inlined
def _code_unit(data: Bytes, at: int) -> int:
    r"""Returns the UTF-16 unit of the ``\uXXXX`` at ``at``."""
    unit = 0
    for step in range(2, 6):
        unit = unit * 16 + _HEX[data[at + step]]
    return unit


@inlined
def _put_point(out: Bytes, put: int, point: int) -> int:
    """Puts a code point as UTF-8; returns the place after it."""
    if point < 0x80:
        out[put] = point
        return put + 1
    more = 1 if point < 0x800 else 2 if point < 0x10000 else 3  # bytes after the first
    out[put] = 0xFF00 >> more + 1 & 0xFF | point >> 6 * more
    for step in range(more):
        out[put + 1 + step] = 0x80 | point >> 6 * (more - 1 - step) & 0x3F
    return put + more + 1
