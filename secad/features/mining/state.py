"""The bytes that a template miner is saved as: a digest, a JSON header and two plain arrays.

Made to be written at each commit: a header of the templates, and twelve bytes for each
remembered form. What was damaged or cut is refused by the digest before anything is read.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from secad.base.errors import StoreError
from secad.features.mining.siphash import Hashes
from secad.features.mining.slots import Numbers

_MAGIC = b"secad templates 2\n"
_OLDER = b"secad templates 1\n"
_DIGEST_BYTES = 16
_LENGTH_BYTES = 8
_HINT = "restore the store from a backup, or ingest into a new one"
_AGAIN = "read its logs into a new store: secad --store NEW_STORE ingest logs PATH..."


def pack(header: dict[str, Any], hashes: Hashes, numbers: Numbers) -> bytes:
    """Returns the state as bytes.

    Args:
        header: what JSON can hold.
        hashes: (F,) of the remembered forms.
        numbers: (F,) their templates.
    """
    text = json.dumps(header, separators=(",", ":")).encode()
    body = b"".join(
        [
            len(text).to_bytes(_LENGTH_BYTES, "little"),
            text,
            hashes.astype("<u8", copy=False).tobytes(),
            numbers.astype("<i4", copy=False).tobytes(),
        ]
    )
    return _MAGIC + _digest(body) + body


def unpack(state: bytes) -> tuple[dict[str, Any], Hashes, Numbers]:
    """Returns what was given to ``pack``.

    Raises:
        StoreError: the bytes are no state, damaged, or of a newer secad.
    """
    start = len(_MAGIC) + _DIGEST_BYTES
    if state.startswith(_OLDER):
        raise StoreError(
            "the state of a template miner is of an older secad, with other rules for values",
            hint=_AGAIN,
        )
    if state[: len(_MAGIC)] != _MAGIC:
        raise StoreError(
            f"the state of a template miner starts with {state[: len(_MAGIC)]!r}, not {_MAGIC!r}",
            hint=_HINT,
        )
    body = state[start:]
    if _digest(body) != state[len(_MAGIC) : start]:
        raise StoreError(
            f"the state of a template miner ({len(state)} bytes) does not match its own digest",
            hint=_HINT,
        )
    text_end = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES], "little")
    forms = (len(body) - text_end) // 12  # eight bytes of hash, four of number
    header: dict[str, Any] = json.loads(body[_LENGTH_BYTES:text_end])
    hashes = np.frombuffer(body, dtype="<u8", offset=text_end, count=forms)
    numbers = np.frombuffer(body, dtype="<i4", offset=text_end + 8 * forms, count=forms)
    return header, hashes.copy(), numbers.copy()


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES, person=b"secad templates").digest()
