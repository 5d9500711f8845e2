"""The outer shape of EVTX files: header, chunks and the places of their records.

Bytes enter, ``Chunk`` and ``Damage`` leave. What stands inside a record is the evtx package's
business; but it reads on silently where a file is cut, and gives a chunk up at its first broken
record. So the places are found here, and broken stretches are bridged for it.

Format: https://github.com/libyal/libevtx, "Windows XML Event Log (EVTX)".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

FILE_MAGIC = b"ElfFile\0"
CHUNK_MAGIC = b"ElfChnk\0"
HEADER_BYTES = 4096
CHUNK_BYTES = 65536
_RECORD_MAGIC = b"**\0\0"
_RECORDS_AT = 512  # of a chunk, behind its header
_LEAST_RECORD = 28  # header of 24 bytes, and the size once more
_BRIDGE = 2**64 - 1  # the number of records that bridge broken stretches; no log counts so far
_RECORD, _SIZE = struct.Struct("<4sIQ"), struct.Struct("<I")
_DIRTY = 1  # the log was in use: its last chunk's checksums are not written yet


class Record(NamedTuple):
    """A record's place.

    Args:
        number: the id in its header.
        offset: where it begins in the file.
        size: its bytes.
    """

    number: int
    offset: int
    size: int


@dataclass(frozen=True)
class Damage:
    """A stretch that holds no readable record.

    Args:
        offset: where it begins in the file.
        raw: its bytes.
        reason: what is wrong with it.
    """

    offset: int
    raw: bytes
    reason: str


@dataclass(frozen=True)
class Chunk:
    """One chunk, ready for the evtx package.

    Args:
        offset: where it begins in the file.
        data: CHUNK_BYTES bytes, broken stretches bridged; empty where nothing can be read.
        records: the places of its records, in order.
        damages: its broken stretches.
    """

    offset: int
    data: bytes
    records: tuple[Record, ...]
    damages: tuple[Damage, ...]


def read_chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yields the chunks of a file in order; the damage of its header as a chunk of no records.

    Chunks of zeros behind the last one that the header counts are room to grow, not damage.

    Args:
        file: at its start.
    """
    header = file.read(HEADER_BYTES)
    count, dirty = _header(header)
    if header and not _is_sound(header):
        reason = f"no EVTX file header: expected {FILE_MAGIC!r} and {HEADER_BYTES} bytes"
        yield Chunk(0, b"", (), (Damage(0, header, reason),))
    index, data = 0, file.read(CHUNK_BYTES)
    while data:
        yield _chunk(data, index, counted=index < count, dirty=dirty)
        index, data = index + 1, file.read(CHUNK_BYTES)
    if index < count:
        reason = f"the file ends early: its header counts {count} chunks, {index} are there"
        end = HEADER_BYTES + index * CHUNK_BYTES
        yield Chunk(end, b"", (), (Damage(end, b"", reason),))


def file_of(chunk: Chunk) -> bytes:
    """Returns a sound file of one chunk, for the evtx package."""
    head = struct.pack("<8sQQQIHHHH", FILE_MAGIC, 0, 0, 1, 128, 1, 3, HEADER_BYTES, 1)
    head = head.ljust(120, b"\0")
    head += struct.pack("<II", 0, zlib.crc32(head))
    return head.ljust(HEADER_BYTES, b"\0") + chunk.data


def _is_sound(header: bytes) -> bool:
    return len(header) == HEADER_BYTES and header.startswith(FILE_MAGIC)


def _header(header: bytes) -> tuple[int, bool]:
    """Returns how many chunks a file header counts, and whether the log was in use."""
    if not _is_sound(header):
        return 0, True
    count, flags = struct.unpack_from("<H", header, 42)[0], struct.unpack_from("<I", header, 120)[0]
    return count, bool(flags & _DIRTY)


def _chunk(data: bytes, index: int, *, counted: bool, dirty: bool) -> Chunk:
    """Returns a chunk with its records and what is broken in it."""
    start = HEADER_BYTES + index * CHUNK_BYTES
    if not data.startswith(CHUNK_MAGIC):
        if data.strip(b"\0"):
            reason = f"chunk {index} has no header: expected {CHUNK_MAGIC!r}"
        elif counted:
            reason = f"chunk {index} is zeros, though the file header counts it"
        else:
            return Chunk(start, b"", (), ())
        return Chunk(start, b"", (), (Damage(start, data, reason),))
    whole = data.ljust(CHUNK_BYTES, b"\0")
    records, gaps = _walk(data, start, _free_space(whole))
    chunk_bytes = _bridged(whole, gaps)
    damages = [_damage(data, start, at, stop, index) for at, stop in gaps]
    if len(data) < CHUNK_BYTES:
        cut = damages.pop() if gaps and gaps[-1][1] == len(data) else None
        at = cut.offset - start if cut else len(data)
        reason = f"the file ends inside chunk {index}, after {len(data)} of {CHUNK_BYTES} bytes"
        damages.append(Damage(start + at, data[at:], reason))
    elif not gaps and not dirty and not _checks(data):
        reason = f"the checksum of chunk {index} differs: its records may not be what was written"
        damages.append(Damage(start, data[:_RECORDS_AT], reason))
    return Chunk(start, chunk_bytes, tuple(records), tuple(damages))


def _free_space(data: bytes) -> int:
    """Returns where a chunk's records end, as its header says; its whole length if that is odd."""
    free: int = struct.unpack_from("<I", data, 48)[0]
    return free if _RECORDS_AT <= free <= CHUNK_BYTES else CHUNK_BYTES


def _checks(data: bytes) -> bool:
    free, checksum = struct.unpack_from("<II", data, 48)
    return bool(zlib.crc32(data[_RECORDS_AT:free]) == checksum)


def _damage(data: bytes, start: int, at: int, stop: int, index: int) -> Damage:
    reason = f"no readable record in {stop - at} bytes of chunk {index}"
    return Damage(start + at, data[at:stop], reason)


def _walk(data: bytes, start: int, free: int) -> tuple[list[Record], list[tuple[int, int]]]:
    """Returns a chunk's records up to its free space, and the stretches between them."""
    records, gaps, at = [], [], _RECORDS_AT
    end = min(free, len(data))
    while at < end:
        number, size = _record_at(data, at)
        if size:
            records.append(Record(number, start + at, size))
            at += size
        else:
            after = _next_record(data, at + 1, end)
            gaps.append((at, after))
            at = after
    return records, gaps


def _record_at(data: bytes, at: int) -> tuple[int, int]:
    """Returns number and size of the record at ``at``, size 0 where there is none."""
    if len(data) - at < _LEAST_RECORD:
        return 0, 0
    magic, size, number = _RECORD.unpack_from(data, at)
    if magic != _RECORD_MAGIC or not _LEAST_RECORD <= size <= len(data) - at:
        return 0, 0
    again = _SIZE.unpack_from(data, at + size - 4)[0]
    return number, size if again == size else 0


def _next_record(data: bytes, at: int, end: int) -> int:
    """Returns where the next record begins, the end where there is none."""
    while True:
        at = data.find(_RECORD_MAGIC, at, end)
        if at < 0:
            return end
        if _record_at(data, at)[1]:
            return at
        at += 1


def _bridged(data: bytes, gaps: list[tuple[int, int]]) -> bytes:
    """Returns a chunk in which each broken stretch is one record, so that the next is reached."""
    if not gaps:
        return data
    patched = bytearray(data)
    for at, stop in gaps:
        size = stop - at
        if size >= _LEAST_RECORD:
            # what stands inside is kept: it may hold templates that other records refer to
            _RECORD.pack_into(patched, at, _RECORD_MAGIC, size, _BRIDGE)
            _SIZE.pack_into(patched, stop - 4, size)
    return bytes(patched)
