"""Deterministic identities: of sources, of the events inside them, of anything made of parts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.schemas import EVENT_ID

SOURCE_ID_BYTES = 10
_PLACE_BYTES = 6  # offsets up to 256 TiB


def source_id(first_record: bytes, copy: int, kind: str = "logs") -> str:
    """Returns the identity of a source: 20 hex digits.

    Args:
        first_record: the first record's bytes, which a log keeps when it grows or is renamed.
        copy: how many other known sources of the kind start with the same record.
        kind: what it is read as, ``logs`` or ``alerts``, so that a file may be both.
    """
    person = b"secad source" if kind == "logs" else f"secad {kind}".encode()
    digest = hashlib.blake2b(first_record, digest_size=SOURCE_ID_BYTES, person=person)
    digest.update(copy.to_bytes(4, "big"))
    return digest.hexdigest()


def event_ids(source: str, places: npt.NDArray[np.int64]) -> pa.Array:
    """Returns ``event_id`` for each place: the source's 10 bytes, then the place's 6.

    Injective by construction, and sorted like the places.

    Args:
        source: a ``source_id``.
        places: (N,) byte offsets, each below 2**48.
    """
    head = np.frombuffer(bytes.fromhex(source), dtype=np.uint8)  # (10,)
    ids = np.empty((len(places), SOURCE_ID_BYTES + _PLACE_BYTES), dtype=np.uint8)  # (N, 16)
    ids[:, :SOURCE_ID_BYTES] = head
    ids[:, SOURCE_ID_BYTES:] = places.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    return pa.Array.from_buffers(EVENT_ID, len(places), [None, pa.py_buffer(ids.tobytes())])


def digest(parts: Sequence[str | None], *, person: str, size: int = 10) -> str:
    """Returns a hex digest of ``parts``, in which ``None`` differs from every string.

    Args:
        parts: what makes the identity, in order.
        person: the kind of identity (at most 16 bytes), so that kinds never collide.
        size: bytes of the digest.

    >>> digest(["a", None], person="alert") == digest(["a", ""], person="alert")
    False
    """
    state = hashlib.blake2b(digest_size=size, person=person.encode())
    for part in parts:
        data = b"" if part is None else part.encode("utf-8", "surrogatepass")
        mark = b"\x00" if part is None else b"\x01"
        state.update(mark + len(data).to_bytes(8, "big") + data)
    return state.hexdigest()
