"""Web addresses as requests carry them, in their parts: host, path and query."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from secad.base.compiled import kernel
from secad.collect.pieces import Integers, Pieces, pieces_of, texts
from secad.features.inlined import inlined
from secad.features.spans import Bytes

_LONGEST_SCHEME = 12
_COLON, _SLASH, _QUESTION = ord(":"), ord("/"), ord("?")


def split_target(text: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray, pa.StringArray]:
    """Returns (N,) hosts, null but of absolute addresses, (N,) paths, (N,) queries.

    Args:
        text: (N,) such as ``/shop?id=3`` or ``http://www.example/shop``.
    """
    whole = pieces_of(text)
    parts = _split(whole.data, whole.starts, whole.lengths)
    host, path, query = (texts(Pieces(whole.data, *part)) for part in parts)
    return host, path, query


@kernel
def _split(
    data: Bytes, starts: Integers, lengths: Integers
) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers], tuple[Integers, Integers]]:
    """Returns where the hosts, the paths and the queries stand."""
    count = len(starts)
    host, host_size = np.full(count, -1, np.int32), np.zeros(count, np.int32)
    path, path_size = np.full(count, -1, np.int32), np.zeros(count, np.int32)
    query, query_size = np.full(count, -1, np.int32), np.zeros(count, np.int32)
    for row in range(count):
        at, end = starts[row], starts[row] + lengths[row]
        if at < 0:
            continue
        after = _scheme_end(data, at, end)
        if after > at:
            at = _next(data, after, end, _SLASH)
            if at > after:
                host[row], host_size[row] = after, at - after
        mark = _next(data, at, end, _QUESTION)
        if mark > at:
            path[row], path_size[row] = at, mark - at
        if mark + 1 < end:
            query[row], query_size[row] = mark + 1, end - mark - 1
    return (host, host_size), (path, path_size), (query, query_size)


@inlined
def _next(data: Bytes, at: int, end: int, mark: int) -> int:
    """Returns the next place of a mark or of a question mark, or the end."""
    while at < end and data[at] not in (mark, _QUESTION):
        at += 1
    return at


@inlined
def _scheme_end(data: Bytes, start: int, end: int) -> int:
    """Returns the place after ``http://``, or the start."""
    at = start
    while at < end and at - start < _LONGEST_SCHEME and 97 <= data[at] | 0x20 <= 122:
        at += 1
    if at == start or at + 2 >= end or data[at] != _COLON:
        return start
    return at + 3 if data[at + 1] == _SLASH and data[at + 2] == _SLASH else start
