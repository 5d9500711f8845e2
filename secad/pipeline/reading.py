"""One stream of a source, parsed batch by batch in order, each batch with the place it reaches.

Batches are parsed in worker threads while the next ones are read; they come out in the order of
the stream. A format whose events span lines gets whole events: its last lines wait.
"""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import SchemaError
from secad.base.ids import event_ids
from secad.base.protocols import Format, Frames, HoldsBack, ParseContext
from secad.base.schemas import EVENTS, LINES, REJECTS, TIME
from secad.collect.transports.files import Stream
from secad.collect.transports.lines import Batch, Place, read_lines
from secad.features.mining.canonical import Canonical
from secad.pipeline.templating import Templates


@dataclass(frozen=True)
class Progress:
    """How far a source is read, and what came of it.

    Args:
        offset: bytes of the stream.
        lines: lines (or framed records) read.
        events: of them, events.
        rejects: of them, rejects.
        joined: lines that went into an event beside its first.
        skipped: blank lines, comments and header lines.
    """

    offset: int = 0
    lines: int = 0
    events: int = 0
    rejects: int = 0
    joined: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Origin:
    """What every row of a source carries.

    Args:
        source_id: its identity.
        path: how the user knows it.
        format: its format.
        dataset: EVENTS.dataset of its rows.
        context: for the format.
        templating: prepares the events' templates.
        ingested_time: aware, of the run.
    """

    source_id: str
    path: str
    format: Format
    dataset: str
    context: ParseContext
    templating: Templates
    ingested_time: datetime


@dataclass(frozen=True)
class Limits:
    """How much is read at a time.

    Args:
        batch_bytes: about how many bytes of log text a batch holds.
        max_line_bytes: a longer line is rejected.
        ahead: how many batches may wait for their parsing.
    """

    batch_bytes: int
    max_line_bytes: int
    ahead: int


@dataclass(frozen=True)
class Part:
    """The parsed rows of one batch.

    Args:
        events: EVENTS columns that the format fills, without templates, and extension columns.
        rejects: REJECTS rows.
        progress: behind this batch.
        tail: the last bytes before ``progress.offset``.
        open: the progress before this part, where the part is a last line that has no end yet.
        prepared: what ``templating`` needs of the events, None where it needs nothing.
    """

    events: pa.Table
    rejects: pa.Table
    progress: Progress
    tail: memoryview
    open: Progress | None = None
    prepared: Canonical | None = None


@dataclass(frozen=True)
class _Piece:
    """Lines that are parsed together."""

    batch: Batch
    unended: bool = False


@dataclass(frozen=True)
class _Parsed:
    """What became of one batch."""

    events: pa.Table
    rejects: pa.Table
    joined: int
    skipped: int
    prepared: Canonical | None


def framing_of(form: Format, stream: Stream) -> Frames | None:
    """Returns the format as what cuts the stream into records, None where those are its lines."""
    head = stream.head.removeprefix(codecs.BOM_UTF8)
    return form if isinstance(form, Frames) and form.is_framed(head) else None


def read_parts(
    stream: Stream, origin: Origin, start: Progress, limits: Limits, workers: Executor
) -> Iterator[Part]:
    """Yields a stream's rows from ``start`` on.

    Args:
        stream: positioned at ``start.offset``; a framed format needs it seekable, at its start.
        origin: of its rows.
        start: what is already committed.
        limits: how much is read at a time.
        workers: threads that parse.
    """
    progress = start
    waiting: deque[tuple[_Piece, Future[_Parsed]]] = deque()
    pieces = _pieces(stream, origin.format, start, limits)
    for piece in pieces:
        waiting.append((piece, workers.submit(_parse, piece.batch, origin)))
        if len(waiting) > limits.ahead:
            part = _part(*waiting.popleft(), progress)
            progress = part.progress
            yield part
    while waiting:
        part = _part(*waiting.popleft(), progress)
        progress = part.progress
        yield part


def _pieces(stream: Stream, form: Format, start: Progress, limits: Limits) -> Iterator[_Piece]:
    framing = framing_of(form, stream)
    if framing:
        yield from _framed(stream, framing, start, limits)
        return
    batches = read_lines(
        stream.file,
        Place(start.offset, start.lines),
        batch_bytes=limits.batch_bytes,
        max_line_bytes=limits.max_line_bytes,
    )
    may_grow = stream.stamp is not None
    held: Batch | None = None
    for batch in batches:
        whole = _joined(held, batch) if held else batch
        keep = form.hold_back(whole.lines) if isinstance(form, HoldsBack) else 0
        if batch.unended and may_grow:
            keep = max(keep, 1)
        if 0 < keep < whole.lines.num_rows:
            head, held = _split(whole, keep)
            yield _Piece(head)
        elif batch.unended and may_grow:
            held = whole
        else:
            held = None
            yield _Piece(whole)
    if held is not None:
        yield _Piece(held, unended=held.unended and may_grow)


def _framed(stream: Stream, form: Frames, start: Progress, limits: Limits) -> Iterator[_Piece]:
    held: Batch | None = None
    for lines, rejects in form.frames(stream.file, limits.batch_bytes):
        new = lines.filter(pc.greater_equal(lines.column("byte_offset"), start.offset))
        damaged = rejects.filter(pc.greater_equal(rejects.column("byte_offset"), start.offset))
        if new.num_rows or damaged.num_rows:
            if held is not None:
                yield _Piece(held)
            held = Batch(new, damaged, _framed_end(new, damaged, start), memoryview(b""))
    if held is not None:
        yield from _last_framed(held, start) if stream.stamp is not None else [_Piece(held)]


def _last_framed(batch: Batch, start: Progress) -> Iterator[_Piece]:
    """Cuts a reject that ends a file off the rest: the file may still be written there."""
    lines, rejects = batch.lines, batch.rejects
    count = rejects.num_rows - 1
    before = _framed_end(lines, rejects.slice(0, max(count, 0)), start)
    if count < 0 or rejects.column("byte_offset")[count].as_py() < before.offset:
        yield _Piece(batch)
        return
    if lines.num_rows or count:
        yield _Piece(Batch(lines, rejects.slice(0, count), before, memoryview(b"")))
    yield _Piece(
        Batch(lines.slice(0, 0), rejects.slice(count), batch.end, memoryview(b"")), unended=True
    )


def _framed_end(lines: pa.RecordBatch, rejects: pa.Table, start: Progress) -> Place:
    ends = pc.add(lines.column("byte_offset"), lines.column("byte_length"))
    offset = max([start.offset, *([pc.max(ends).as_py()] if len(ends) else [])])
    if rejects.num_rows:
        offset = max(offset, pc.max(rejects.column("byte_offset")).as_py() + 1)
    number = pc.max(lines.column("line")).as_py() if lines.num_rows else start.lines
    return Place(offset, number)


def _joined(held: Batch, batch: Batch) -> Batch:
    lines = pa.Table.from_batches([held.lines, batch.lines], schema=LINES).combine_chunks()
    rows = lines.to_batches()[0] if lines.num_rows else held.lines
    rejects = pa.concat_tables([held.rejects, batch.rejects])
    return Batch(rows, rejects, batch.end, memoryview(bytes(held.tail) + batch.tail), batch.unended)


def _split(batch: Batch, keep: int) -> tuple[Batch, Batch]:
    """Cuts the last ``keep`` lines off a batch."""
    first = batch.lines.num_rows - keep
    rest = batch.lines.slice(first)
    place = Place(rest.column("byte_offset")[0].as_py(), rest.column("line")[0].as_py() - 1)
    cut = len(batch.tail) - (batch.end.offset - place.offset)
    before = pc.less(batch.rejects.column("byte_offset"), place.offset)
    head = Batch(batch.lines.slice(0, first), batch.rejects.filter(before), place, batch.tail[:cut])
    later = batch.rejects.filter(pc.invert(before))
    return head, Batch(rest, later, batch.end, batch.tail[cut:], batch.unended)


def _part(piece: _Piece, future: Future[_Parsed], before: Progress) -> Part:
    parsed = future.result()
    after = Progress(
        piece.batch.end.offset,
        before.lines + piece.batch.lines.num_rows + piece.batch.rejects.num_rows,
        before.events + parsed.events.num_rows,
        before.rejects + parsed.rejects.num_rows,
        before.joined + parsed.joined,
        before.skipped + parsed.skipped,
    )
    unended = before if piece.unended else None
    tail, prepared = piece.batch.tail, parsed.prepared
    return Part(parsed.events, parsed.rejects, after, tail, unended, prepared)


def _parse(batch: Batch, origin: Origin) -> _Parsed:
    """Returns what becomes of a batch; runs in a worker thread."""
    lines = batch.lines
    parsed = origin.format.parse(lines, origin.context)
    counted = parsed.events.num_rows + parsed.rejects.num_rows + parsed.joined + parsed.skipped
    if counted != lines.num_rows:
        raise SchemaError(
            f"format {origin.format.name!r} lost records: {lines.num_rows} lines came to {counted}",
            at=origin.path,
        )
    rejects = pa.concat_tables([batch.rejects, parsed.rejects])
    paths = pa.repeat(origin.path, rejects.num_rows)
    rejects = rejects.append_column("source_path", paths).select(REJECTS.names)
    events = _completed(parsed.events, origin)
    prepared = origin.templating.prepare(events, origin.format, origin.dataset)
    return _Parsed(events, rejects, parsed.joined, parsed.skipped, prepared)


def _completed(events: pa.Table, origin: Origin) -> pa.Table:
    """Returns parsed events with the columns of their origin, in the order of EVENTS."""
    count = events.num_rows
    ids = event_ids(origin.source_id, events.column("byte_offset").to_numpy(zero_copy_only=False))
    columns = {name: events.column(name) for name in events.column_names}
    columns |= {
        "event_id": ids,
        "ingested_time": pa.repeat(pa.scalar(origin.ingested_time, TIME), count),
        "dataset": pa.repeat(origin.dataset, count),
        "source_id": pa.repeat(origin.source_id, count),
        "source_path": pa.repeat(origin.path, count),
    }
    known = [name for name in EVENTS.names if name in columns]
    extra = sorted(set(columns) - set(known))
    fields = [EVENTS.field(name) for name in known]
    fields += [origin.format.extensions.field(name) for name in extra]
    return pa.table([columns[field.name] for field in fields], schema=pa.schema(fields))
