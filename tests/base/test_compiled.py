from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from secad.base.compiled import blind_to_constants, kernel
from secad.features.inlined import inlined, peek
from secad.features.spans import buffer_of

Numbers = npt.NDArray[np.int64]


@inlined
def plus(values: Numbers, place: int, added: int) -> int:
    return peek(values, place) + added


@kernel
def sum_of_three(values: Numbers) -> int:
    return plus(values, 0, 10) + plus(values, 1, 20) + plus(values, 2, len(values))


def test_constants_need_no_function_of_their_own() -> None:
    double = blind_to_constants(numba.njit(lambda value: 2 * value))  # compiled in each run
    total = numba.njit(lambda value: double(1) + double(2) + double(value))
    assert total(3) == 12
    assert len(double.overloads) == 1


def test_inlined_function_is_not_for_python() -> None:
    assert sum_of_three(np.array([1, 2, 3])) == 39
    for _ in range(2):
        with pytest.raises(TypeError, match="only kernels can call"):
            plus(np.array([1, 2, 3]), 0, 1)


def test_bytes_are_read_only_whoever_made_them() -> None:
    made = pa.StringArray.from_buffers(
        1, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(np.array([97], np.uint8))
    )
    for text in (made, pa.array(["a"]), pa.array([], pa.string())):
        data, _ = buffer_of(text)
        assert not data.flags.writeable
