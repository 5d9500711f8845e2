"""Values that Linux audit records write in hex: texts, program arguments, socket addresses.

The kernel writes a text in hex, without quotes, where it holds a blank, a quote or a byte that is
not printable ASCII; pairs enter, readable columns leave.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.features.key_values import Pairs
from secad.features.spans import Bytes, Places

_SPACE, _A, _OPEN_BRACKET, _ZERO = 32, 97, 91, 48
_REPLACEMENT = np.frombuffer("�".encode(), dtype=np.uint8)

_NO_ARGUMENT, _ARGUMENT, _CONTINUED = 0, 1, 2


class Sockets(NamedTuple):
    """Socket addresses of N events, null where they have no such part.

    Args:
        family: ``inet``, ``inet6``, ``unix``, ``netlink`` or ``family-N``.
        ip: the address.
        port: int64.
        path: of a unix socket.
    """

    family: pa.Array
    ip: pa.Array
    port: pa.Array
    path: pa.Array


def unhex(pairs: Pairs, chosen: Places) -> pa.StringArray:
    """Returns the values of pairs, those in hex as the text that they stand for.

    NUL, which parts the words of a command line, becomes a blank; what is not UTF-8 becomes
    U+FFFD.

    Args:
        pairs: where the values stand.
        chosen: (C,) indexes of pairs, negative for null.
    """
    present = chosen >= 0
    places = np.where(present, chosen, 0)
    if not present.any():
        return pa.nulls(len(chosen), pa.string())
    starts, lengths = pairs.start[places], np.where(present, pairs.length[places], 0)
    room = 3 * int(lengths.sum()) // 2 + 1
    text, ends = _write_texts(pairs.data, starts, lengths, pairs.quoted[places], room)
    mask = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.StringArray.from_buffers(
        len(chosen), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(text), mask
    )


def command_lines(pairs: Pairs, chosen: Places, event: Places, count: int) -> pa.Array:
    """Returns the program arguments of each event, joined by blanks; null where it has none.

    Args:
        pairs: where keys and values stand.
        chosen: (C,) the pairs of EXECVE records: ``argc``, ``a0``, ``a1_len``, ``a1[0]``, ...
        event: (C,) the event of each.
        count: how many events there are.
    """
    marks = _argument_marks(pairs.data, pairs.key_start[chosen], pairs.key_length[chosen])
    order = np.flatnonzero(marks)
    order = order[np.argsort(event[order], kind="stable")]
    pieces = unhex(pairs, chosen[order])
    apart = pc.binary_join_element_wise(" ", pieces, "")
    pieces = pc.if_else(pa.array(marks[order] == _CONTINUED), pieces, apart)
    lists = lists_of(event[order], count, pieces)
    joined = pc.utf8_slice_codeunits(pc.binary_join(lists, ""), 1)
    return pc.if_else(pc.greater(pc.list_value_length(lists), 0), joined, None)


def lists_of(rows: Places, count: int, values: pa.Array) -> pa.ListArray:
    """Returns for each of ``count`` rows the list of its values.

    Args:
        rows: (V,) ascending.
        count: how many lists there are.
        values: (V,) what they hold.
    """
    offsets = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=count), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def sockets(addresses: pa.StringArray) -> Sockets:
    """Returns what the hex dumps of ``sockaddr`` structures say.

    Args:
        addresses: (N,) such as ``0200005038400BA7...``, null where there is none.
    """
    coded = addresses.dictionary_encode()
    read = [_socket(bytes.fromhex(text)) for text in _hex_only(coded.dictionary).to_pylist()]
    columns = [list(column) for column in zip(*read, strict=True)] or [[], [], [], []]
    types = (pa.string(), pa.string(), pa.int64(), pa.string())
    made = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    family, ip, port, path = (array.take(coded.indices) for array in made)
    return Sockets(family, ip, port, path)


_Address = tuple[str | None, str | None, int | None, str | None]


def _hex_only(text: pa.StringArray) -> pa.Array:
    whole = pc.match_substring_regex(text, r"^(?:[0-9A-Fa-f]{2})+$")
    return pc.if_else(whole, text, "")


def _inet(raw: bytes) -> _Address:
    if len(raw) < 8:
        return "inet", None, None, None
    return "inet", socket.inet_ntop(socket.AF_INET, raw[4:8]), int.from_bytes(raw[2:4]), None


def _inet6(raw: bytes) -> _Address:
    if len(raw) < 24:
        return "inet6", None, None, None
    return "inet6", socket.inet_ntop(socket.AF_INET6, raw[8:24]), int.from_bytes(raw[2:4]), None


def _unix(raw: bytes) -> _Address:
    abstract = raw[2:3] == b"\0"  # its name begins behind the NUL
    name = raw[3:] if abstract else raw[2:]
    path = name.split(b"\0", 1)[0].decode("utf-8", "replace")
    return "unix", None, None, f"@{path}" if abstract and path else path or None


_READERS: dict[int, Callable[[bytes], _Address]] = {1: _unix, 2: _inet, 10: _inet6}


def _socket(raw: bytes) -> _Address:
    if len(raw) < 2:
        return None, None, None, None
    family = int.from_bytes(raw[:2], "little")  # x86 and ARM hosts both write it so
    if family in _READERS:
        return _READERS[family](raw)
    return "netlink" if family == 16 else f"family-{family}", None, None, None


@kernel
def _nibble(byte: int) -> int:
    if 48 <= byte <= 57:
        return byte - 48
    return byte - 55 if 65 <= byte <= 70 else -1  # the kernel writes capitals


@kernel
def _is_hex(data: Bytes, start: int, length: int) -> bool:
    if length % 2:
        return False
    for step in range(length):  # noqa: SIM110  numba knows no generators
        if _nibble(data[start + step]) < 0:
            return False
    return True


@kernel
def _follows(text: Bytes, place: int, end: int, count: int) -> bool:
    """Returns whether ``count`` continuation bytes of UTF-8 stand at ``place``."""
    if place + count > end:
        return False
    for step in range(count):  # noqa: SIM110  numba knows no generators
        if text[place + step] & 0xC0 != 0x80:
            return False
    return True


@kernel
def _character(text: Bytes, place: int, end: int) -> int:
    """Returns how many bytes the UTF-8 character at ``place`` has, 0 where there is none."""
    first = text[place]
    second = text[place + 1] if place + 1 < end else 0
    size = 0
    if first < 0x80:
        size = 1
    elif 0xC2 <= first <= 0xDF:
        size = 2
    elif 0xE0 <= first <= 0xEF:
        overlong, surrogate = first == 0xE0 and second < 0xA0, first == 0xED and second > 0x9F
        size = 0 if overlong or surrogate else 3
    elif 0xF0 <= first <= 0xF4:
        overlong, beyond = first == 0xF0 and second < 0x90, first == 0xF4 and second > 0x8F
        size = 0 if overlong or beyond else 4
    return size if size and _follows(text, place + 1, end, size - 1) else 0


@kernel
def _decode_hex(data: Bytes, start: int, count: int, plain: Bytes) -> None:
    for step in range(count):
        high, low = _nibble(data[start + 2 * step]), _nibble(data[start + 2 * step + 1])
        plain[step] = high * 16 + low if high or low else _SPACE


@kernel
def _write_clean(plain: Bytes, end: int, text: Bytes, place: int) -> int:
    """Writes the first ``end`` bytes at ``place``, as UTF-8; returns where they end."""
    step = 0
    while step < end:
        size = _character(plain, step, end)
        if size:
            text[place : place + size] = plain[step : step + size]
            place += size
        else:
            text[place : place + 3] = _REPLACEMENT
            place += 3
        step += max(size, 1)
    return place


@kernel
def _write_texts(
    data: Bytes, starts: Places, lengths: Places, quoted: npt.NDArray[np.bool_], room: int
) -> tuple[Bytes, Places]:
    text = np.empty(room, dtype=np.uint8)
    plain = np.empty(lengths.max() // 2 + 1, dtype=np.uint8)
    ends = np.zeros(len(starts) + 1, dtype=np.int64)
    place = 0
    for row in range(len(starts)):
        start, length = starts[row], lengths[row]
        if not quoted[row] and _is_hex(data, start, length):
            _decode_hex(data, start, length // 2, plain)
            place = _write_clean(plain, length // 2, text, place)
        else:
            for step in range(length):
                text[place + step] = data[start + step]
            place += length
        ends[row + 1] = place
    return text[:place].copy(), ends


@kernel
def _argument_marks(data: Bytes, starts: Places, lengths: Places) -> npt.NDArray[np.int8]:
    """Returns of each key whether it is an argument (a2, a2[0]) or its continuation (a2[1])."""
    marks = np.zeros(len(starts), dtype=np.int8)
    for row in range(len(starts)):
        start, end = starts[row], starts[row] + lengths[row]
        place = start + 1
        while place < end and 48 <= data[place] <= 57:
            place += 1
        if data[start] != _A or place == start + 1:
            continue
        if place == end:
            marks[row] = _ARGUMENT
        elif data[place] == _OPEN_BRACKET:
            begins = end - place == 3 and data[place + 1] == _ZERO
            marks[row] = _ARGUMENT if begins else _CONTINUED
    return marks
