"""Base64 in text columns, decoded by one compiled pass: tokens, trace ids, headers.

A string column enters, the texts that its values stand for leave. Both alphabets (``+/`` and
``-_``) are read, with or without padding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.features.spans import Bytes, Places, buffer_of

_BAD, _PAD = 255, ord("=")


def _values() -> Bytes:
    values = np.full(256, _BAD, dtype=np.uint8)
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    values[np.frombuffer(letters, dtype=np.uint8)] = np.arange(64)
    values[ord("-")], values[ord("_")] = 62, 63
    return values


_VALUES = _values()


def decode_base64(text: pa.Array) -> pa.Array:
    """Returns (N,) string, what the values stand for; null where they are no text in base64.

    Args:
        text: (N,) string.

    >>> decode_base64(pa.array(["eyJhIjoxfQ", "aGk=", "no base64", None])).to_pylist()
    ['{"a":1}', 'hi', None, None]
    """
    data, ends = buffer_of(pc.fill_null(text, ""))
    values, places, good = _decode(data, ends)
    decoded = pa.Array.from_buffers(
        pa.binary(), len(text), [None, pa.py_buffer(places.astype(np.int32)), pa.py_buffer(values)]
    )
    try:
        written = decoded.cast(pa.string())
    except pa.ArrowInvalid:  # some are bytes: those are found one by one
        good &= np.array([_is_text(value) for value in decoded.to_pylist()], dtype=np.bool_)
        written = pc.if_else(pa.array(good), decoded, b"").cast(pa.string())
    return pc.if_else(pc.and_(pa.array(good), text.is_valid()), written, None)


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@kernel
def _decode(data: Bytes, ends: Places) -> tuple[Bytes, Places, npt.NDArray[np.bool_]]:
    """Returns the decoded bytes, (N + 1,) their offsets, and (N,) whether a value was sound."""
    count = len(ends) - 1
    values = np.empty((ends[-1] - ends[0]) * 3 // 4 + count, dtype=np.uint8)
    places = np.zeros(count + 1, dtype=np.int64)
    good = np.ones(count, dtype=np.bool_)
    used = 0
    for row in range(count):
        bits, held = 0, 0
        for place in range(ends[row], ends[row + 1]):
            value = _VALUES[data[place]]
            if value == _BAD:
                good[row] = good[row] and data[place] == _PAD
                continue
            bits = ((bits << 6) | value) & 0xFFFFFF
            held += 6
            if held >= 8:
                held -= 8
                values[used] = (bits >> held) & 0xFF
                used += 1
        if not good[row]:
            used = places[row]
        places[row + 1] = used
    return values[:used], places, good
