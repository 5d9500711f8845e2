"""What fills the slots of a template, for each line: its values and its tokens at wildcards.

A compiled walk over the lines of a batch, in order, with the templates as they stand at each
line. The pieces are marked as spans and copied once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from secad.base.compiled import kernel
from secad.features.inlined import borrowed, inlined
from secad.features.mining.canonical import (
    TOKENS,
    Canonical,
    Spans,
    text_end,
    token_end,
    token_start,
)
from secad.features.mining.drain import OVERFLOW, Numbers, Wildcards
from secad.features.spans import Bytes, Places, gather


class Widenings(NamedTuple):
    """The E changes of templates within a batch, in order.

    Args:
        rows: (E,) the line from which on it holds.
        numbers: (E,) the template.
        wildcards: (E, 2) its wildcards from then on, a bit for each token.
    """

    rows: Places
    numbers: Numbers
    wildcards: Wildcards


def parameters(
    canonical: Canonical, numbers: Numbers, wildcards: Wildcards, widenings: Widenings
) -> pa.ListArray:
    """Returns what fills the slots of the templates of N lines, list<string>.

    A line of the overflow template has one parameter, the whole line.

    Args:
        canonical: the lines.
        numbers: (N,) their templates.
        wildcards: (T, 2) of all templates at the first line, a bit for each token.
        widenings: what changes between.
    """
    lines = _Lines(canonical.data, canonical.ends, canonical.value_ends, canonical.spans)
    starts, lengths, ends = _slots(lines, numbers, wildcards.copy(), widenings)
    return pa.ListArray.from_arrays(pa.array(ends), gather(canonical.data, starts, lengths))


class _Lines(NamedTuple):
    """The lines of a ``Canonical``, and their values."""

    data: Bytes
    ends: Places
    value_ends: Places
    spans: Spans


class _Slots(NamedTuple):
    """Where the parameters stand, being filled."""

    starts: Places
    lengths: Places


@inlined
def _fill(slots: _Slots, filled: int, start: int, end: int) -> int:
    slots.starts[filled] = start
    slots.lengths[filled] = end - start
    return filled + 1


@inlined
def _fill_values(lines: _Lines, value: int, values: int, slots: _Slots, filled: int) -> int:
    for index in range(value, values):
        filled = _fill(slots, filled, lines.spans[index, 0], lines.spans[index, 1])
    return filled


@inlined
def _has(words: Wildcards, token: int) -> bool:
    bit: bool = (words[token >> 6] >> np.uint64(token & 63)) & np.uint64(1) != np.uint64(0)
    return bit


@inlined
def _fill_line(lines: _Lines, row: int, slots: _Slots, filled: int) -> int:
    """Fills the one slot of the overflow template."""
    end = lines.ends[row + 1]
    start = token_start(lines.data, lines.ends[row], end)
    return _fill(slots, filled, start, text_end(lines.data, start, end))


@inlined
def _fill_tokens(lines: _Lines, row: int, words: Wildcards, slots: _Slots, filled: int) -> int:
    """Fills the slots of a template with wildcards."""
    value, values = lines.value_ends[row], lines.value_ends[row + 1]
    end = text_end(lines.data, lines.ends[row], lines.ends[row + 1])
    at = token_start(lines.data, lines.ends[row], end)
    token = 0
    while at < end:
        stop = token_end(lines.data, at, end)
        first = value
        while value < values and lines.spans[value, 2] == token:
            stop = max(stop, lines.spans[value, 1])  # the tail of a line is many tokens as one
            value += 1
        if _has(words, token):
            filled = _fill(slots, filled, at, stop)
        else:
            filled = _fill_values(lines, first, value, slots, filled)
        token += 1
        at = token_start(lines.data, stop, end)
    return filled


@kernel
def _slots(
    lines: _Lines, numbers: Numbers, wildcards: Wildcards, widenings: Widenings
) -> tuple[Places, Places, Numbers]:
    """Returns start and length of each parameter, and the (N + 1,) offsets of the lines' own."""
    starts = np.empty(len(lines.spans) + len(numbers) + TOKENS + 1, dtype=np.int64)
    lengths = np.empty_like(starts)
    list_ends = np.zeros(len(numbers) + 1, dtype=np.int32)
    text = _Lines(borrowed(lines.data), lines.ends, lines.value_ends, borrowed(lines.spans))
    slots, now = _Slots(borrowed(starts), borrowed(lengths)), borrowed(wildcards)
    filled, change = 0, 0
    for row in range(len(numbers)):
        while change < len(widenings.rows) and widenings.rows[change] == row:
            now[widenings.numbers[change]] = widenings.wildcards[change]
            change += 1
        values = lines.value_ends[row + 1] - lines.value_ends[row]
        if len(starts) - filled < values + TOKENS + 1:
            starts = np.concatenate((starts, np.empty_like(starts)))
            lengths = np.concatenate((lengths, np.empty_like(lengths)))
            slots = _Slots(borrowed(starts), borrowed(lengths))
        words = now[numbers[row]]
        if numbers[row] == OVERFLOW:
            filled = _fill_line(text, row, slots, filled)
        elif words[0] | words[1]:
            filled = _fill_tokens(text, row, words, slots, filled)
        else:
            value = lines.value_ends[row]
            filled = _fill_values(text, value, value + values, slots, filled)
        list_ends[row + 1] = filled
    return starts[:filled], lengths[:filled], list_ends
