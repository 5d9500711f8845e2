"""Writes EVTX files: the header, chunks with their checksums, and records in binary XML.

Every record is one template instance, as Windows writes them: the first record of a chunk that
needs a template carries its definition, later ones point at it. Names are stored once a chunk.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

CHUNK_BYTES = 65536
_RECORDS_START = 512
_FRAGMENT = b"\x0f\x01\x01\x00"
_END_OF_STREAM = b"\x00"

STRING, UINT8, UINT16, UINT32, UINT64 = 0x01, 0x04, 0x06, 0x08, 0x0A
GUID, FILETIME, SID, HEX32, HEX64 = 0x0F, 0x11, 0x13, 0x14, 0x15
_INTEGERS = {UINT8: "<B", UINT16: "<H", UINT32: "<I", UINT64: "<Q", HEX32: "<I", HEX64: "<Q"}

Value = str | int | datetime | uuid.UUID | bytes


@dataclass(frozen=True)
class Slot:
    """A place in a template that each record fills with a value of its own."""

    index: int
    kind: int


@dataclass(frozen=True)
class Element:
    """An XML element whose content is literal text, a slot, or further elements."""

    name: str
    attributes: tuple[tuple[str, str | Slot], ...] = ()
    content: tuple[Element | str | Slot, ...] = ()


@dataclass(frozen=True)
class Template:
    """The XML that records of one kind share.

    Args:
        guid: its identity; the first four bytes are the number that records name it by.
        root: the ``Event`` element.
        kinds: the value type of each slot.
    """

    guid: uuid.UUID
    root: Element
    kinds: tuple[int, ...]


@dataclass(frozen=True)
class Record:
    """One event: ``values`` fill the template's slots in order, None leaves one empty."""

    time: datetime
    template: Template
    values: Sequence[Value | None]


def write(records: Sequence[Record]) -> bytes:
    """Returns an EVTX file of the records, numbered from 1.

    Raises:
        ValueError: a record is larger than a chunk.
    """
    chunks: list[bytes] = []
    chunk = _Chunk(first_number=1)
    for number, record in enumerate(records, start=1):
        if not chunk.add(number, record):
            chunks.append(chunk.finish())
            chunk = _Chunk(first_number=number)
            if not chunk.add(number, record):
                raise ValueError(f"record {number} does not fit into {CHUNK_BYTES} bytes")
    chunks.append(chunk.finish())
    head = struct.pack(
        "<8sQQQIHHHH", b"ElfFile\0", 0, len(chunks) - 1, len(records) + 1, 128, 1, 3, 4096,
        len(chunks),
    ).ljust(120, b"\0")  # fmt: skip
    return (head + struct.pack("<II", 0, zlib.crc32(head))).ljust(4096, b"\0") + b"".join(chunks)


def filetime(time: datetime) -> int:
    """Returns the 100 ns steps since 1601 that Windows counts time in."""
    elapsed = time - datetime(1601, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86400 + elapsed.seconds) * 10_000_000 + elapsed.microseconds * 10


def sid(text: str) -> bytes:
    """Returns the binary form of a security identifier such as ``S-1-5-18``."""
    authority, *rest = (int(part) for part in text.split("-")[2:])
    return struct.pack("<BB6s", 1, len(rest), authority.to_bytes(6, "big")) + b"".join(
        struct.pack("<I", part) for part in rest
    )


@dataclass
class _Names:
    """The names of a chunk: where each stands, and the chains of the header's hash table."""

    places: dict[str, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * 64)

    def reference(self, name: str, place: int) -> bytes:
        """Returns the reference to a name, with the name itself where it is the first.

        Args:
            name: an element's or attribute's name.
            place: where in the chunk the reference will stand.
        """
        if name in self.places:
            return struct.pack("<I", self.places[name])
        number = 0
        for character in name:
            number = (number * 65599 + ord(character)) & 0xFFFFFFFF
        number &= 0xFFFF
        here = place + 4
        before, self.buckets[number % 64] = self.buckets[number % 64], here
        self.places[name] = here
        text = name.encode("utf-16-le")
        return struct.pack("<IIHH", here, before, number, len(name)) + text + b"\0\0"


class _Chunk:
    def __init__(self, first_number: int) -> None:
        self.first_number = first_number
        self.last_number = first_number - 1
        self.data = bytearray(_RECORDS_START)
        self.last_record = _RECORDS_START
        self.names = _Names()
        self.templates: dict[uuid.UUID, int] = {}
        self.template_buckets = [0] * 32

    def add(self, number: int, record: Record) -> bool:
        """Appends a record; False, and nothing changed, where it does not fit."""
        kept = (dict(self.names.places), list(self.names.buckets))
        kept_templates = (dict(self.templates), list(self.template_buckets))
        start = len(self.data)
        body = self._instance(record, start + 24)
        size = 24 + len(body) + 4
        if start + size > CHUNK_BYTES:
            self.names = _Names(*kept)
            self.templates, self.template_buckets = kept_templates
            return False
        self.data += struct.pack("<IIQQ", 0x2A2A, size, number, filetime(record.time))
        self.data += body + struct.pack("<I", size)
        self.last_record, self.last_number = start, number
        return True

    def finish(self) -> bytes:
        """Returns the chunk with its header, padded to its full size."""
        free = len(self.data)
        head = struct.pack(
            "<8sQQQQIIII", b"ElfChnk\0", self.first_number, self.last_number,
            self.first_number, self.last_number, 128, self.last_record, free,
            zlib.crc32(self.data[_RECORDS_START:]),
        ).ljust(120, b"\0")  # fmt: skip
        tables = struct.pack("<64I", *self.names.buckets)
        tables += struct.pack("<32I", *self.template_buckets)
        checked = struct.pack("<II", 1, zlib.crc32(head + tables))
        self.data[:_RECORDS_START] = head + checked + tables
        return bytes(self.data).ljust(CHUNK_BYTES, b"\0")

    def _instance(self, record: Record, place: int) -> bytes:
        template = record.template
        out = _FRAGMENT + b"\x0c\x01" + template.guid.bytes_le[:4]
        known = self.templates.get(template.guid)
        if known is not None:
            out += struct.pack("<I", known)
        else:
            out += self._definition(template, place + len(out))
        return out + _values(template.kinds, record.values) + _END_OF_STREAM

    def _definition(self, template: Template, place: int) -> bytes:
        here = place + 4
        bucket = int.from_bytes(template.guid.bytes_le[:4], "little") % 32
        before, self.template_buckets[bucket] = self.template_buckets[bucket], here
        self.templates[template.guid] = here
        body = _FRAGMENT + self._element(template.root, here + 24 + 4) + _END_OF_STREAM
        return struct.pack("<II", here, before) + template.guid.bytes_le + struct.pack(
            "<I", len(body)
        ) + body  # fmt: skip

    def _element(self, element: Element, place: int) -> bytes:
        name = self.names.reference(element.name, place + 7)
        inside = name
        if element.attributes:
            list_place = place + 7 + len(name)
            attributes = self._attributes(element.attributes, list_place + 4)
            inside += struct.pack("<I", len(attributes)) + attributes
        if not element.content:
            inside += b"\x03"
        else:
            inside += b"\x02"
            for part in element.content:
                inside += self._part(part, place + 7 + len(inside))
            inside += b"\x04"
        token = 0x41 if element.attributes else 0x01
        return struct.pack("<BHI", token, 0xFFFF, len(inside)) + inside

    def _attributes(self, attributes: Sequence[tuple[str, str | Slot]], place: int) -> bytes:
        out = b""
        for row, (name, value) in enumerate(attributes, start=1):
            out += b"\x06" if row == len(attributes) else b"\x46"
            out += self.names.reference(name, place + len(out))
            out += _text(value) if isinstance(value, str) else _slot(value)
        return out

    def _part(self, part: Element | str | Slot, place: int) -> bytes:
        if isinstance(part, Element):
            return self._element(part, place)
        return _text(part) if isinstance(part, str) else _slot(part)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-le")
    return struct.pack("<BBH", 0x05, STRING, len(encoded) // 2) + encoded


def _slot(slot: Slot) -> bytes:
    return struct.pack("<BHB", 0x0E, slot.index, slot.kind)


def _values(kinds: Sequence[int], values: Sequence[Value | None]) -> bytes:
    heads, bodies = b"", b""
    for kind, value in zip(kinds, values, strict=True):
        body = b"" if value is None else _encode(kind, value)
        heads += struct.pack("<HBB", len(body), 0 if value is None else kind, 0)
        bodies += body
    return struct.pack("<I", len(kinds)) + heads + bodies


def _encode(kind: int, value: Value) -> bytes:
    if kind in _INTEGERS:
        return struct.pack(_INTEGERS[kind], value)
    if isinstance(value, datetime):
        return struct.pack("<Q", filetime(value))
    if isinstance(value, uuid.UUID):
        return value.bytes_le
    return value if isinstance(value, bytes) else str(value).encode("utf-16-le")
