"""From LINES to text: what every line format does first, before its own grammar.

Lines enter as bytes; those that are valid UTF-8 without NUL leave as a string array, blank ones
are counted as skipped, the rest become rejects that say what is wrong with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.base.schemas import LOCATOR, REJECTS
from secad.features.inlined import inlined
from secad.features.spans import Bytes, Places, buffer_of

RAW_CAP_BYTES = 4096
_TEXT, _BLANK, _NUL, _INVALID = range(4)
_SPACE, _TAB, _RETURN = 32, 9, 13  # from TAB to RETURN all is blank
_WIDE = 0x80  # from here on a byte is a part of a character

PARSE_REJECTS = pa.schema([field for field in REJECTS if field.name != "source_path"])
"""The rejects that a format returns; the pipeline adds the path."""


@dataclass(frozen=True)
class Text:
    """The readable lines of a batch.

    Args:
        lines: LINES rows that are text, N of them.
        text: (N,) string, the same lines without a trailing carriage return.
        rejects: the unreadable ones, as PARSE_REJECTS.
        skipped: how many lines were blank.
    """

    lines: pa.RecordBatch
    text: pa.StringArray
    rejects: pa.Table
    skipped: int

    def locators(self) -> dict[str, pa.Array]:
        """Returns the locator columns of the N lines, ready to stand in an events table."""
        return {name: self.lines.column(name) for name in LOCATOR.names}


def reject(lines: pa.RecordBatch, rows: npt.NDArray[np.bool_], error: str | pa.Array) -> pa.Table:
    """Returns PARSE_REJECTS for the rows of ``lines`` at which ``rows`` is true.

    Args:
        lines: N rows of LINES.
        rows: (N,) which of them are rejected.
        error: one reason for all, or one for each of the rejected rows.
    """
    if not rows.any():
        return PARSE_REJECTS.empty_table()
    taken = lines.filter(pa.array(rows))
    reasons = pa.repeat(error, taken.num_rows) if isinstance(error, str) else error
    return pa.table(
        [
            taken.column("line"),
            taken.column("byte_offset"),
            reasons,
            pc.binary_slice(taken.column("raw"), 0, RAW_CAP_BYTES),
        ],
        schema=PARSE_REJECTS,
    )


def decode(lines: pa.RecordBatch) -> Text:
    """Returns the lines of a batch that are text; see ``Text``."""
    data, ends = buffer_of(lines.column("raw"))
    kinds, returns = _look(data, ends)
    good = kinds == _TEXT
    kept = lines if good.all() else lines.filter(pa.array(good))
    rejects = [
        reject(lines, kinds == _NUL, "a NUL byte inside the line"),
        reject(lines, kinds == _INVALID, "not valid UTF-8"),
    ]
    text = kept.column("raw").view(pa.string())
    if returns:
        text = pc.utf8_rtrim(text, "\r")
    return Text(kept, text, pa.concat_tables(rejects), int((kinds == _BLANK).sum()))


@kernel
def _look(data: Bytes, ends: Places) -> tuple[Bytes, bool]:
    """Returns the kind of each of N lines, and whether one ends with a carriage return.

    Args:
        data: the buffer.
        ends: (N + 1,) offsets of the lines in it.
    """
    kinds = np.empty(len(ends) - 1, dtype=np.uint8)
    returns = False
    for row in range(len(kinds)):
        start, end = ends[row], ends[row + 1]
        every, blank, nul = np.uint8(0), True, False
        for at in range(np.uint64(start), np.uint64(end)):  # no branch: many bytes at a time
            byte = data[at]
            every |= byte
            blank &= (byte == _SPACE) | ((byte >= _TAB) & (byte <= _RETURN))
            nul |= byte == 0
        returns |= start < end and data[end - 1] == _RETURN
        if blank:
            kinds[row] = _BLANK
        elif nul:
            kinds[row] = _NUL
        else:
            sound = every < _WIDE or _is_utf8(data, start, end)
            kinds[row] = _TEXT if sound else _INVALID
    return kinds, returns


@kernel
def _is_utf8(data: Bytes, start: int, end: int) -> bool:
    """Returns whether bytes are UTF-8: shortest forms, no surrogates, nothing over U+10FFFF."""
    at = start
    while at < end:
        byte = data[at]
        at += 1
        if byte < _WIDE:
            continue
        if byte < 0xC2 or byte > 0xF4:
            return False
        following = 1 + (byte >= 0xE0) + (byte >= 0xF0)
        if at + following > end:
            return False
        low, high = _second(byte)
        if not low <= data[at] <= high:
            return False
        for step in range(1, following):
            if data[at + step] & 0xC0 != 0x80:
                return False
        at += following
    return True


@inlined
def _second(byte: int) -> tuple[int, int]:
    """Returns the least and the greatest byte that may follow the first of a character."""
    low = 0xA0 if byte == 0xE0 else 0x90 if byte == 0xF0 else 0x80
    high = 0x9F if byte == 0xED else 0x8F if byte == 0xF4 else 0xBF
    return low, high
