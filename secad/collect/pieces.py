"""Columns out of pieces of a buffer: texts, numbers and yes or no, each by one compiled pass.

A scanner tells where the values of one field stand; a column of Arrow leaves, without an object
or a copy in between. A column of strings is such pieces too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.features.inlined import inlined, peek
from secad.features.spans import Bytes, read_only
from secad.features.words import WORD_BYTES, copy_words

Integers = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

_MOST_DIGITS = 18  # of a number that fits in int64 whatever its digits
_MOST_POWER = 18
_FEW_DIGITS = 9  # still fit when they are made nanoseconds of seconds
_TENS = 10 ** np.arange(_MOST_POWER + 1, dtype=np.int64)
_MINUS, _PLUS, _DOT = ord("-"), ord("+"), ord(".")


@dataclass(frozen=True)
class Pieces:
    """Values of N rows.

    Args:
        data: the bytes that they stand in, valid UTF-8.
        starts: (N,) int32 first byte of each, -1 where a row has none.
        lengths: (N,) int32 bytes of each.
    """

    data: Bytes
    starts: Integers
    lengths: Integers


def pieces_of(text: pa.StringArray) -> Pieces:
    """Returns the pieces that a column of (N,) strings is made of."""
    _, ends, data = text.buffers()
    if len(text) == 0 or ends is None:
        absent = np.full(len(text), -1, np.int32)
        return Pieces(read_only(None), absent, np.zeros(len(text), np.int32))
    offsets = np.frombuffer(ends, dtype=np.int32)[text.offset : text.offset + len(text) + 1]
    starts = offsets[:-1]
    if text.null_count:
        starts = np.where(np.asarray(text.is_valid()), starts, np.int32(-1))
    return Pieces(read_only(data), starts, np.diff(offsets))


def texts(pieces: Pieces) -> pa.StringArray:
    """Returns (N,) strings."""
    offsets, valid, values, nulls = _texts(pieces.data, pieces.starts, pieces.lengths)
    return string_column(offsets, valid, values, nulls)


def string_column(offsets: Integers, valid: Bytes, values: Bytes, nulls: int) -> pa.StringArray:
    """Returns the strings that a kernel has laid out as Arrow has them."""
    count = len(offsets) - 1
    bits = pa.py_buffer(valid) if nulls else None
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(values), bits, nulls
    )


def decimals(pieces: Pieces, power: int = 0) -> tuple[pa.Int64Array, Numbers]:
    """Returns (N,) decimal numbers times 10 to a power, and the rows whose value is none.

    What is smaller than one is cut off, but without a power only whole numbers count. Exponents
    (``2.1e-06``) are understood.

    Args:
        pieces: such as ``0.163820`` or ``443``.
        power: 9 makes nanoseconds of seconds.
    """
    values, valid, nulls, wrong = _decimals(pieces.data, pieces.starts, pieces.lengths, power)
    buffers = [pa.py_buffer(valid) if nulls else None, pa.py_buffer(values)]
    column = pa.Int64Array.from_buffers(pa.int64(), len(values), buffers, nulls)
    return column, wrong


@kernel
def _texts(data: Bytes, starts: Integers, lengths: Integers) -> tuple[Integers, Bytes, Bytes, int]:
    count, total, nulls = len(starts), 0, 0
    offsets, valid = np.zeros(count + 1, np.int32), np.zeros((count + 7) // 8, np.uint8)
    for row in range(count):
        if starts[row] >= 0:
            valid[row >> 3] |= 1 << (row & 7)
            total += lengths[row]
        else:
            nulls += 1
        offsets[row + 1] = total
    values = np.empty(total + WORD_BYTES, np.uint8)
    for row in range(count):
        if starts[row] >= 0:
            copy_words(data, starts[row], lengths[row], values, offsets[row])
    return offsets, valid, values, nulls


@kernel
def _decimals(
    data: Bytes, starts: Integers, lengths: Integers, power: int
) -> tuple[Numbers, Bytes, int, Numbers]:
    count, nulls, faults = len(starts), 0, 0
    values, valid = np.zeros(count, np.int64), np.zeros((count + 7) // 8, np.uint8)
    wrong = np.empty(count, np.int64)
    scale = _TENS[power]
    for row in range(count):
        at = starts[row]
        if at >= 0:
            sound, value = _short(data, at, lengths[row], scale)
            if not sound:
                sound, value = decimal(data, at, at + lengths[row], power)
            if sound:
                values[row] = value
                valid[row >> 3] |= 1 << (row & 7)
                continue
            wrong[faults] = row
            faults += 1
        nulls += 1
    return values, valid, nulls, wrong[:faults].copy()


@inlined
def _short(data: Bytes, at: int, size: int, scale: int) -> tuple[bool, int]:
    """Returns whether a text is a few digits and nothing else, and their number times a scale."""
    value, step = 0, 0
    if size > _FEW_DIGITS:
        return False, 0
    while step < size:
        digit = peek(data, at + step) - 48
        if not 0 <= digit <= 9:
            return False, 0
        value = value * 10 + digit
        step += 1
    return size > 0, value * scale


@inlined
def decimal(data: Bytes, at: int, end: int, power: int) -> tuple[bool, int]:
    """Returns whether ``data[at:end]`` is a decimal number, and it times 10 to a power."""
    negative = at < end and data[at] == _MINUS
    at += negative
    value, digits, fraction, at = _mantissa(data, at, end)
    if at < end and data[at] | 0x20 == ord("e") and digits > 0:
        exponent, at = _exponent(data, at + 1, end)
        power += exponent
    if at != end or digits == 0 or digits > _MOST_DIGITS:
        return False, 0
    shift = power - fraction
    if shift < -_MOST_POWER:
        return power > 0, 0
    if shift < 0:
        whole = value // _TENS[-shift]
        if power == 0 and whole * _TENS[-shift] != value:
            return False, 0
        value = whole
    elif shift > _MOST_POWER or value > _TENS[_MOST_POWER] // _TENS[shift]:
        return value == 0, 0
    else:
        value *= _TENS[shift]
    return True, -value if negative else value


@inlined
def _mantissa(data: Bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Returns the digits at ``at`` as a number, how many count, those of a fraction, the end."""
    value, digits, fraction, after_dot = 0, 0, 0, False
    while at < end:
        digit = int(peek(data, at)) - 48
        if 0 <= digit <= 9:
            if digits < _MOST_DIGITS or not after_dot:  # a longer fraction is cut off
                value = value * 10 + digit
                digits += value > 0 or after_dot or digits == 0
                fraction += after_dot
        elif peek(data, at) == _DOT and not after_dot:
            after_dot = True
        else:
            break
        at += 1
    return value, digits, fraction, at


@inlined
def _exponent(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the exponent at ``at`` and where it ends, -1 where it is none."""
    negative = at < end and data[at] == _MINUS
    if at < end and data[at] in (_MINUS, _PLUS):
        at += 1
    first, value = at, 0
    while at < end and 48 <= data[at] <= 57 and at - first < 4:
        value = value * 10 + data[at] - 48
        at += 1
    return -value if negative else value, at if at > first else -1
