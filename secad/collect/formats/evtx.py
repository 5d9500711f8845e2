"""EVTX, the binary event log of Windows: records of the file as JSON, then as Windows events.

A file is cut into LINES by ``frames``: the evtx package turns each record into JSON, our own walk
over the chunks tells where in the file it stands, and what stays unreadable becomes rejects.
``parse`` reads that JSON as the format ``windows`` does.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

import pyarrow as pa
from evtx import PyEvtxParser

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import LINES
from secad.collect.text import PARSE_REJECTS, RAW_CAP_BYTES, decode
from secad.collect.windows import events as windows_events
from secad.collect.windows.evtx_chunks import (
    CHUNK_MAGIC,
    FILE_MAGIC,
    HEADER_BYTES,
    Chunk,
    Damage,
    Record,
    file_of,
    read_chunks,
)
from secad.collect.windows.fields import EXTENSIONS, FIELDS

_UNREAD = "a record that the evtx package does not read"
_REASON_CAP = 200  # characters


class Evtx:
    """Binary Windows event logs; see ``Format`` and ``Frames``."""

    name = "evtx"
    dataset = windows_events.DATASET
    fields: Mapping[str, str] = FIELDS
    extensions: pa.Schema = EXTENSIONS
    template_columns = windows_events.TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure it is, from the header of the file or of its first chunk."""
        if head.startswith(FILE_MAGIC):
            return 1.0
        return 0.9 if head[HEADER_BYTES:].startswith(CHUNK_MAGIC) else 0.0

    def is_framed(self, _head: bytes) -> bool:
        """Returns that it always is; see ``Frames``."""
        return True

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per record's JSON; see ``Format``."""
        return windows_events.parse_events(decode(lines), context)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the records as LINES, and rejects of what cannot be read; see ``Frames``.

        ``raw`` is a record's JSON, ``line`` its number in the file, in which each unreadable
        stretch counts as one; ``byte_offset`` and ``byte_length`` are its place in the file.
        """
        batch = _Batch(1)
        for chunk in read_chunks(file):
            _decode(chunk, batch)
            if batch.size_bytes >= batch_bytes:
                yield batch.tables()
                batch = _Batch(batch.next_line)
        if batch.lines or batch.rejects:
            yield batch.tables()


@dataclass
class _Batch:
    """The rows of one batch as they come up, in the order of the file."""

    next_line: int
    size_bytes: int = 0
    lines: list[tuple[bytes, int, int, int]] = field(default_factory=list)
    rejects: list[tuple[int, int, str, bytes]] = field(default_factory=list)

    def add(self, record: Record, text: str) -> None:
        raw = text.encode()
        self.lines.append((raw, self.next_line, record.offset, record.size))
        self.next_line += 1
        self.size_bytes += len(raw)

    def reject(self, offset: int, reason: str, raw: bytes) -> None:
        self.rejects.append((self.next_line, offset, reason, raw[:RAW_CAP_BYTES]))
        self.next_line += 1

    def tables(self) -> tuple[pa.RecordBatch, pa.Table]:
        """Returns LINES and PARSE_REJECTS."""
        columns = zip(*self.lines, strict=True) if self.lines else ((),) * len(LINES)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, LINES, strict=True)]
        lines = pa.RecordBatch.from_arrays(arrays, schema=LINES)
        columns = zip(*self.rejects, strict=True) if self.rejects else ((),) * len(PARSE_REJECTS)
        rejected = [pa.array(c, f.type) for c, f in zip(columns, PARSE_REJECTS, strict=True)]
        return lines, pa.Table.from_arrays(rejected, schema=PARSE_REJECTS)


def _decode(chunk: Chunk, batch: _Batch) -> None:
    """Adds a chunk's records and damages to a batch, in the order of the file."""
    texts, faults = _texts(chunk)
    damages = deque(sorted(chunk.damages, key=lambda damage: damage.offset))
    for record in chunk.records:
        while damages and damages[0].offset < record.offset:
            _reject(damages.popleft(), batch)
        if texts[record.number]:
            batch.add(record, texts[record.number].popleft())
        else:
            own = (fault for fault in faults if f" {record.number}:" in fault)
            reason = next(own, faults[0] if faults else _UNREAD)
            at = record.offset - chunk.offset
            batch.reject(record.offset, reason, chunk.data[at : at + record.size])
    for damage in damages:
        _reject(damage, batch)


def _reject(damage: Damage, batch: _Batch) -> None:
    batch.reject(damage.offset, damage.reason, damage.raw)


def _texts(chunk: Chunk) -> tuple[dict[int, deque[str]], list[str]]:
    """Returns the JSON of a chunk's records by their numbers, and what the package could not do."""
    texts: dict[int, deque[str]] = defaultdict(deque)
    faults: list[str] = []
    if not chunk.records:
        return texts, faults
    records = PyEvtxParser(BytesIO(file_of(chunk)), number_of_threads=1).records_json()
    while True:
        try:
            record = next(records, None)
        except RuntimeError as error:
            faults.append(str(error).partition("\n")[0][:_REASON_CAP].lower())
            continue
        if record is None:
            return texts, faults
        texts[record["event_record_id"]].append(record["data"])
