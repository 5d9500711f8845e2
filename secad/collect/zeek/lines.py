r"""Compiled: cuts the lines of Zeek's TSV logs into fields, and takes their escapes back.

Bytes enter, for each field where its values stand (``Pieces``) leave. Zeek writes ``\x09`` for a
tab in a text, and so for each byte that is not printable; ``\\`` is a backslash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.collect.pieces import Integers, Numbers, Pieces, string_column, texts
from secad.collect.zeek.headers import Header
from secad.features.inlined import borrowed, inlined, peek
from secad.features.spans import Bytes
from secad.features.words import (
    WORD_BYTES,
    bytes_equal,
    copy_words,
    first_byte,
    load_word,
    spread_byte,
)

_BACKSLASH, _LETTER_X = ord("\\"), ord("x")
_ESCAPE_BYTES = 4  # \x09
_NOT_HEX = 16


def _hex_values() -> npt.NDArray[np.uint8]:
    values = np.full(256, _NOT_HEX, dtype=np.uint8)
    for digit in "0123456789abcdefABCDEF":
        values[ord(digit)] = int(digit, 16)
    return values


_HEX = _hex_values()


@dataclass(frozen=True)
class Cut:
    """The fields of lines.

    Args:
        data: the bytes of the lines.
        starts: (F, N) where each value begins, -1 where the field is unset or empty.
        lengths: (F, N) bytes of each value.
        escaped: (F,) whether there are backslashes among the values.
        counts: (N,) how many fields each line has; where they are not F, its values mean nothing.
    """

    data: Bytes
    starts: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]
    escaped: npt.NDArray[np.bool_]
    counts: Integers

    def pieces(self, field: int) -> Pieces:
        """Returns the values of one field."""
        return Pieces(self.data, self.starts[field], self.lengths[field])

    def text(self, field: int) -> pa.StringArray:
        """Returns the values of one field as texts."""
        pieces = self.pieces(field)
        return unescaped(pieces) if self.escaped[field] else texts(pieces)

    def kept(self, rows: npt.NDArray[np.bool_]) -> Cut:
        """Returns the fields of the lines at which ``rows`` is true."""
        starts = np.ascontiguousarray(self.starts[:, rows])
        lengths = np.ascontiguousarray(self.lengths[:, rows])
        return Cut(self.data, starts, lengths, self.escaped, self.counts[rows])


def cut_lines(data: Bytes, begins: Numbers, ends: Numbers, header: Header) -> Cut:
    """Returns the fields of lines.

    Args:
        data: the bytes of the lines.
        begins: (N,) where each begins.
        ends: (N,) where each ends.
        header: of these lines; it has fields.
    """
    shape = (len(header.fields), len(begins))
    unset, empty = (np.frombuffer(word, np.uint8) for word in (header.unset, header.empty))
    grid = _Grid(
        np.empty(shape, dtype=np.int32),
        np.empty(shape, dtype=np.int32),
        np.zeros(len(header.fields), dtype=np.bool_),
        np.empty(len(begins), dtype=np.int32),
    )
    _cut(data, begins, ends, _Writing(header.separator, unset, empty), grid)
    return Cut(data, *grid)


def unescaped(pieces: Pieces) -> pa.StringArray:
    """Returns texts with what their escapes stand for; those that would be no text stay."""
    offsets, valid, values, nulls = _unescaped(pieces.data, pieces.starts, pieces.lengths)
    return string_column(offsets, valid, values, nulls)


class _Writing(NamedTuple):
    """How a log is written: its separator, what stands for no value, and for an empty one."""

    separator: int
    unset: Bytes
    empty: Bytes


class _Grid(NamedTuple):
    """What is filled; see ``Cut``."""

    starts: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]
    escaped: npt.NDArray[np.bool_]
    counts: Integers


@kernel
def _cut(data: Bytes, begins: Numbers, ends: Numbers, writing: _Writing, grid: _Grid) -> None:
    data = borrowed(data)
    grid = _Grid(
        borrowed(grid.starts), borrowed(grid.lengths), borrowed(grid.escaped), borrowed(grid.counts)
    )
    writing = _Writing(writing.separator, borrowed(writing.unset), borrowed(writing.empty))
    fields = len(grid.starts)
    separator = writing.separator
    for row in range(len(begins)):
        at, end, field = begins[row], ends[row], 0
        while True:
            stop, slashed = _field_end(data, at, end, separator)
            if field < fields:
                size = stop - at
                gone = size == 0 or _is(data, at, size, writing.unset)
                gone = gone or _is(data, at, size, writing.empty)
                grid.starts[field, row] = -1 if gone else at
                grid.lengths[field, row] = size
                grid.escaped[field] |= slashed
            field += 1
            if stop >= end:
                break
            at = stop + 1
        grid.counts[row] = field
        for missing in range(field, fields):
            grid.starts[missing, row] = -1


@inlined
def _field_end(data: Bytes, at: int, end: int, separator: int) -> tuple[int, bool]:
    """Returns where the field at ``at`` ends, and whether there are backslashes in it."""
    separators, backslashes = spread_byte(separator), spread_byte(_BACKSLASH)
    slashed = False
    while at + WORD_BYTES <= end:
        word = load_word(data, at)
        found = first_byte(bytes_equal(word, separators))
        slashed |= first_byte(bytes_equal(word, backslashes)) < found
        at += found
        if found < WORD_BYTES:
            return at, slashed
    while at < end and peek(data, at) != separator:
        slashed |= peek(data, at) == _BACKSLASH
        at += 1
    return at, slashed


@inlined
def _is(data: Bytes, at: int, size: int, word: Bytes) -> bool:
    if size != len(word):
        return False
    for step in range(size):  # noqa: SIM110  numba knows no generators
        if peek(data, at + step) != peek(word, step):
            return False
    return True


@kernel
def _unescaped(
    data: Bytes, starts: Integers, lengths: Integers
) -> tuple[Integers, Bytes, Bytes, int]:
    count, total, nulls, put = len(starts), 0, 0, 0
    offsets, valid = np.zeros(count + 1, np.int32), np.zeros((count + 7) // 8, np.uint8)
    for row in range(count):
        total += lengths[row] if starts[row] >= 0 else 0
    values = np.empty(total + WORD_BYTES, np.uint8)
    for row in range(count):
        at, size = starts[row], lengths[row]
        if at >= 0:
            valid[row >> 3] |= 1 << (row & 7)
            after = _unescape(data, at, at + size, values, put)
            if not _is_text(values, put, after):
                copy_words(data, at, size, values, put)
                after = put + size
            put = after
        else:
            nulls += 1
        offsets[row + 1] = put
    return offsets, valid, values, nulls


@inlined
def _unescape(data: Bytes, at: int, end: int, out: Bytes, put: int) -> int:
    """Puts what a value stands for; returns where it ends."""
    while at < end:
        byte, width = data[at], 1
        if byte == _BACKSLASH and at + 1 < end:
            if data[at + 1] == _BACKSLASH:
                width = 2
            elif data[at + 1] == _LETTER_X and at + _ESCAPE_BYTES <= end:
                high, low = _HEX[data[at + 2]], _HEX[data[at + 3]]
                if high < _NOT_HEX and low < _NOT_HEX and high | low:  # NUL stays as it is
                    byte, width = np.uint8(high << 4 | low), _ESCAPE_BYTES
        out[put] = byte
        at, put = at + width, put + 1
    return put


@inlined
def _is_text(data: Bytes, at: int, end: int) -> bool:
    """Returns whether bytes are valid UTF-8."""
    while at < end:
        byte = data[at]
        if byte < 0x80:
            at += 1
            continue
        more = 1 if 0xC2 <= byte < 0xE0 else 2 if 0xE0 <= byte < 0xF0 else 3
        if byte < 0xC2 or byte > 0xF4 or at + more >= end:
            return False
        second = data[at + 1]
        low = 0xA0 if byte == 0xE0 else 0x90 if byte == 0xF0 else 0x80
        high = 0x9F if byte == 0xED else 0x8F if byte == 0xF4 else 0xBF
        if second < low or second > high:
            return False
        for step in range(2, more + 1):
            if data[at + step] & 0xC0 != 0x80:
                return False
        at += more + 1
    return True
