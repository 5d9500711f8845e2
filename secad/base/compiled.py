"""The one way to compile a kernel: numba, cached on disk, outside the interpreter lock.

A kernel takes and returns arrays and scalars; batches run in threads beside each other, so no
kernel starts threads of its own. Importing this module imports numba, which the command line
must not do before it works on data.

Numba compiles a function once more for each new kind of arguments, which takes tenths of a second
and is paid by whoever first reads a log on a machine. What it would compile for nothing is left
out here: a function for each constant that it is handed, and what lets Python call a function
that only kernels call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import types
from numba.core.registry import cpu_target

# what numba knows of numpy: it would be read by the first kernel, in the midst of the work
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()

_unliteral: Any = types.unliteral  # numba does not type it

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Returns ``function`` compiled by numba on its first call with new argument types."""
    compiler = numba.njit(cache=True, nogil=True, error_model="numpy")
    return cast("Callable[P, R]", blind_to_constants(compiler(function)))


def blind_to_constants(made: Any) -> Any:
    """Returns a function of numba's that is compiled for an int, not for 1, 2 and 3 each."""
    template = made.get_call_template

    def without_constants(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return template(
            tuple(_unliteral(kind) for kind in arguments),
            {name: _unliteral(kind) for name, kind in named.items()},
        )

    made.get_call_template = without_constants
    return made


def closed_to_python(made: Any) -> Any:
    """Returns a function of numba's that refuses calls from Python, which it has no door for."""

    def refuse(*_arguments: object, **_named: object) -> None:
        raise TypeError(f"{made.py_func.__qualname__} is inlined: only kernels can call it")

    def keep(compiled: Any) -> None:
        # without numba's entry in the table of what Python's calls may jump to
        made.overloads[tuple(compiled.signature.args)] = compiled

    made._compile_for_args = refuse
    made.add_overload = keep
    return made
