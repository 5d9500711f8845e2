"""Eight bytes at a time: what a scanner of long texts gains most from.

A word is the eight bytes at a place as one number, the first byte lowest. Tests look at all eight
at once: each byte that passes has its highest bit set in the result, so that ``first_byte`` of it
is the place of the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from secad.features.inlined import inlined
from secad.features.spans import Bytes

F = TypeVar("F", bound=Callable[..., Any])

_builders: Any = cgutils  # numba and llvmlite ship no types
_types: Any = numba.types
_Word: Any = ir.IntType(64)

WORD_BYTES = 8
_ONE = np.uint64(1)
_LOWS = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)


def _pointer(context: Any, builder: Any, array: Any, value: Any, place: Any) -> Any:
    made = _builders.create_struct_proxy(array)(context, builder, value=value)
    return builder.bitcast(builder.gep(made.data, [place]), _Word.as_pointer())


def _load(_context: Any, array: Any, _place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.load(_pointer(context, builder, signature.args[0], *arguments))
        found.align = 1
        return found

    return _types.uint64(array, _types.int64), generate


def _store(_context: Any, array: Any, _place: Any, _word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, place, word = arguments
        target = _pointer(context, builder, signature.args[0], value, place)
        builder.store(word, target).align = 1
        return context.get_dummy_value()

    return _types.void(array, _types.int64, _types.uint64), generate


def _zeros(_context: Any, _word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return _types.uint64(_types.uint64), generate


load_word = cast("Callable[[Bytes, int], np.uint64]", intrinsic(_load))
"""Inside a kernel: the word at a place; seven bytes must follow that one in the array."""

store_word = cast("Callable[[Bytes, int, np.uint64], None]", intrinsic(_store))
"""Inside a kernel: writes a word at a place; seven bytes must follow that one in the array."""

_trailing_zeros = cast("Callable[[np.uint64], np.uint64]", intrinsic(_zeros))


@inlined
def spread_byte(byte: int) -> np.uint64:
    """Returns a word of eight times the same byte."""
    return np.uint64(byte) * _LOWS


@inlined
def bytes_equal(word: np.uint64, eight: np.uint64) -> np.uint64:
    """Returns which bytes of a word are those of ``eight``, exact up to the first."""
    different = word ^ eight
    return (different - _LOWS) & ~different & _HIGHS


@inlined
def bytes_below(word: np.uint64, limit: np.uint64) -> np.uint64:
    """Returns which bytes of a word are less than ``limit``'s, exact up to the first.

    ``limit`` holds eight times the same byte, at most 0x80.
    """
    return (word - limit) & ~word & _HIGHS


@inlined
def first_byte(found: np.uint64) -> int:
    """Returns the place of the first byte that passed, 8 where none did."""
    return int(_trailing_zeros(found) >> np.uint64(3))


@inlined
def copy_words(data: Bytes, at: int, size: int, out: Bytes, put: int) -> None:
    """Copies bytes; up to seven of ``out`` behind them may be overwritten too.

    Args:
        data: the source.
        at: where to begin in it.
        size: how many bytes.
        out: the target.
        put: where to begin in it.
    """
    if at + size + WORD_BYTES <= len(data) and put + size + WORD_BYTES <= len(out):
        for step in range(0, size, WORD_BYTES):
            store_word(out, put + step, load_word(data, at + step))
    else:
        for step in range(size):
            out[put + step] = data[at + step]
