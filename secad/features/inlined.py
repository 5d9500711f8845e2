"""What makes a scanner of bytes quick that is written as many small functions.

A compiled function that is handed an array counts a reference to it, atomically, even where it is
called once per word of a log; that costs more than reading the word. ``inlined`` functions dissolve
into the kernel that calls them, and on ``borrowed`` arrays nothing is counted: together they
make a scanner two to three times as fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba.core import cgutils
from numba.extending import intrinsic

from secad.base.compiled import blind_to_constants, closed_to_python

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")

_builders: Any = cgutils  # numba ships no types
_njit: Any = numba.njit  # nor does it type what it knows of wrappers


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Returns ``function`` compiled into each kernel that calls it; for small, hot functions.

    Only kernels can call it: a call from Python is a TypeError.
    """
    compiler = _njit(
        cache=True,
        nogil=True,
        error_model="numpy",
        forceinline=True,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
    )
    return cast("Callable[P, R]", closed_to_python(blind_to_constants(compiler(function))))


def _borrowed(_context: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        made = _builders.create_struct_proxy(array)(context, builder, value=arguments[0])
        made.meminfo = _builders.get_null_value(made.meminfo.type)
        return made._getvalue()

    return array(array), generate


borrowed = cast("Callable[[A], A]", intrinsic(_borrowed))
"""Inside a kernel: the same array, whose references are not counted.

The array that it is made from must outlive it: only an argument of the kernel, or an array that
the kernel returns, is sure to; any other is freed behind its last use by its own name.
"""


@inlined
def peek(array: npt.NDArray[Any], place: int) -> int:
    """Returns ``array[place]``, a whole number, for a place that is not negative.

    A signed place might count from the array's end, which is asked at every reading; the code
    without that question is a fifth faster.
    """
    value: int = array[np.uint64(place)]
    return value
