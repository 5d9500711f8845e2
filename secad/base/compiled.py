"""The one way to compile a kernel: numba, cached on disk, outside the interpreter lock.

A kernel takes and returns arrays and scalars; batches run in threads beside each other, so no
kernel starts threads of its own. Importing this module imports numba, which the command line
must not do before it works on data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
from numba.core.registry import cpu_target

# what numba knows of numpy: it would be read by the first kernel, in the midst of the work
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Returns ``function`` compiled by numba on its first call with new argument types."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
