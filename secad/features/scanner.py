"""How the functions of a byte scanner are compiled: as a kernel, but without reference counts.

A scanner is many small functions that hand the same arrays down to each other, once for every
few bytes. Compiled as ``secad.base.compiled.kernel`` does it, each call counts each array's users
up and down, atomically, which took more than half of the time of the phrase matcher. What is
compiled here must therefore allocate no array and return none: it reads and fills its arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
}


def scanner(function: Callable[P, R]) -> Callable[P, R]:
    """Returns ``function`` compiled by numba on its first call with new argument types."""
    return cast("Callable[P, R]", numba.njit(**_OPTIONS)(function))
