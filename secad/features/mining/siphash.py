"""SipHash-1-3: a quick hash under a secret key, by which nobody can plan collisions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from secad.features.inlined import inlined
from secad.features.spans import Bytes

Hashes = npt.NDArray[np.uint64]
State = tuple[np.uint64, np.uint64, np.uint64, np.uint64]

KEY_BITS = 128


def key_halves(key: int) -> Hashes:
    """Returns a key of KEY_BITS as ``siphash`` takes it."""
    return np.array([key & (2**64 - 1), key >> 64], dtype=np.uint64)


@inlined
def siphash(data: Bytes, length: int, key: Hashes) -> np.uint64:
    """Returns SipHash-1-3 (Aumasson and Bernstein, 2012) of the first ``length`` bytes of ``data``.

    Args:
        data: its size a multiple of 8 and at least length + 1; what follows the first ``length``
            bytes is overwritten up to the next multiple of 8.
        length: how many bytes count.
        key: (2,) see ``key_halves``.
    """
    whole = length // 8
    for at in range(length, whole * 8 + 8):
        data[at] = 0
    words = data.view(np.uint64)
    words[whole] |= np.uint64(length & 0xFF) << np.uint64(56)
    a = key[0] ^ np.uint64(0x736F6D6570736575)
    b = key[1] ^ np.uint64(0x646F72616E646F6D)
    c = key[0] ^ np.uint64(0x6C7967656E657261)
    d = key[1] ^ np.uint64(0x7465646279746573)
    for index in range(whole + 1):
        d ^= words[index]
        a, b, c, d = _mixed(a, b, c, d)
        a ^= words[index]
    c ^= np.uint64(0xFF)
    for _ in range(3):
        a, b, c, d = _mixed(a, b, c, d)
    digest: np.uint64 = a ^ b ^ c ^ d
    return digest


@inlined
def _mixed(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> State:
    a, c = a + b, c + d
    b, d = _rotated(b, 13) ^ a, _rotated(d, 16) ^ c
    a, c = _rotated(a, 32) + d, c + b
    b, d = _rotated(b, 17) ^ c, _rotated(d, 21) ^ a
    return a, b, _rotated(c, 32), d


@inlined
def _rotated(word: np.uint64, bits: int) -> np.uint64:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))
