"""What fills the slots of a template, for each line: its values and its tokens at wildcards.

A compiled walk over the lines of a batch, in order, with the templates as they stand at each
line. No parameter is longer than what stands of it in its line, so that one buffer of the size of
the lines takes them all.
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
from secad.features.mining.drain import OVERFLOW, Wildcards
from secad.features.mining.slots import Numbers
from secad.features.spans import Bytes, Places, copy


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
    text, ends, list_ends = _fill_slots(lines, numbers, wildcards.copy(), widenings)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(text)]
    values = pa.Array.from_buffers(pa.string(), len(ends) - 1, buffers)
    return pa.ListArray.from_arrays(pa.array(list_ends), values)


class _Lines(NamedTuple):
    """The lines of a ``Canonical``, and their values."""

    data: Bytes
    ends: Places
    value_ends: Places
    spans: Spans


class _Slots(NamedTuple):
    """What fills the slots, being written."""

    text: Bytes
    ends: Numbers  # the parameters' offsets in the text


class _Filled(NamedTuple):
    """How much of it is written."""

    params: int
    length: int  # bytes of their text


@inlined
def _fill(lines: _Lines, start: int, end: int, slots: _Slots, filled: _Filled) -> _Filled:
    """Fills a slot with what stands from ``start`` to ``end``."""
    copy(lines.data, start, slots.text, filled.length, end - start)
    length = filled.length + end - start
    slots.ends[filled.params + 1] = length
    return _Filled(filled.params + 1, length)


@inlined
def _fill_values(lines: _Lines, value: int, values: int, slots: _Slots, filled: _Filled) -> _Filled:
    for index in range(value, values):
        filled = _fill(lines, lines.spans[index, 0], lines.spans[index, 1], slots, filled)
    return filled


@inlined
def _fill_line(lines: _Lines, row: int, slots: _Slots, filled: _Filled) -> _Filled:
    """Fills the one slot of the overflow template."""
    end = lines.ends[row + 1]
    start = token_start(lines.data, lines.ends[row], end)
    return _fill(lines, start, text_end(lines.data, start, end), slots, filled)


@inlined
def _fill_tokens(
    lines: _Lines, row: int, words: Wildcards, slots: _Slots, filled: _Filled
) -> _Filled:
    """Fills the slots of a template with wildcards."""
    value, values = lines.value_ends[row], lines.value_ends[row + 1]
    end = text_end(lines.data, lines.ends[row], lines.ends[row + 1])
    at = token_start(lines.data, lines.ends[row], end)
    bits, more, one = words[0], words[1], np.uint64(1)  # the lowest is for the token at hand
    token = 0
    while bits | more:
        stop = token_end(lines.data, at, end)
        first = value
        while value < values and lines.spans[value, 2] == token:
            stop = max(stop, lines.spans[value, 1])  # the tail of a line is many tokens as one
            value += 1
        if bits & one:
            filled = _fill(lines, at, stop, slots, filled)
        else:
            filled = _fill_values(lines, first, value, slots, filled)
        token += 1
        bits, more = (bits >> one) | (more << np.uint64(63)), more >> one
        at = token_start(lines.data, stop, end)
    return _fill_values(lines, value, values, slots, filled)


@kernel
def _fill_slots(
    lines: _Lines, numbers: Numbers, wildcards: Wildcards, widenings: Widenings
) -> tuple[Bytes, Numbers, Numbers]:
    """Returns the parameters' text, their offsets in it, and (N + 1,) the lines' in those."""
    text = np.empty(lines.ends[-1] - lines.ends[0], dtype=np.uint8)
    ends = np.zeros(len(lines.spans) + len(numbers) + TOKENS + 2, dtype=np.int32)
    list_ends = np.zeros(len(numbers) + 1, dtype=np.int32)
    of = _Lines(
        borrowed(lines.data),
        borrowed(lines.ends),
        borrowed(lines.value_ends),
        borrowed(lines.spans),
    )
    slots, now = _Slots(borrowed(text), borrowed(ends)), borrowed(wildcards)
    filled, change = _Filled(0, 0), 0
    for row in range(len(numbers)):
        while change < len(widenings.rows) and widenings.rows[change] == row:
            now[widenings.numbers[change]] = widenings.wildcards[change]
            change += 1
        value, values = of.value_ends[row], of.value_ends[row + 1]
        if len(ends) - filled.params < values - value + TOKENS + 2:
            ends = np.concatenate((ends, np.empty_like(ends)))
            slots = _Slots(slots.text, borrowed(ends))
        words = now[numbers[row]]
        if numbers[row] == OVERFLOW:
            filled = _fill_line(of, row, slots, filled)
        elif words[0] | words[1]:
            filled = _fill_tokens(of, row, words, slots, filled)
        else:
            filled = _fill_values(of, value, values, slots, filled)
        list_ends[row + 1] = filled.params
    return text[: filled.length], ends[: filled.params + 1], list_ends
