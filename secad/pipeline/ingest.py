"""Ingest: bytes of logs become committed EVENTS and REJECTS, each record exactly once."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from time import monotonic

import pyarrow as pa

from secad import plugins
from secad.base.config import Config
from secad.base.errors import ConfigError, Interrupted
from secad.base.names import as_text
from secad.base.protocols import FieldMap, Format, ParseContext
from secad.base.schemas import REJECTS
from secad.collect.field_maps import load_field_map
from secad.collect.times import check_zone
from secad.collect.transports.allowance import InflateLimits
from secad.collect.transports.files import Stream, Unreadable, find_streams
from secad.events.ledger import TAIL_BYTES, Source, bytes_digest
from secad.events.store import EventStore, Pending, Replaced
from secad.pipeline.ingest_report import IngestReport, SourceReport
from secad.pipeline.reading import Limits, Origin, Part, Progress, framing_of, read_parts
from secad.pipeline.slot_typing import SlotTyping
from secad.pipeline.source_kinds import Reading
from secad.pipeline.source_places import (
    advanced,
    at_its_end,
    first_record,
    lies_in,
    progress_of,
    tail_behind,
    with_open,
)
from secad.pipeline.templating import LEARN, Templating

AUTO = "auto"
_NOT_RECOGNISED = "no format recognises its beginning; name one with --format"


@dataclass(frozen=True)
class IngestOptions:
    """How logs are read.

    Args:
        format: a format's name, or ``auto``.
        field_map: the user's map, for formats that take one.
        tz: zone of times that name none.
        batch_bytes: about how many bytes of log text are parsed at a time, at most.
        max_line_bytes: a longer line is quarantined.
        commit_rows: about how many rows one commit holds.
        workers: parsing threads.
        inflate: what a compressed file may expand to.
        templates: ``learn`` or ``frozen``: what a line that is in no known template does.
    """

    format: str = AUTO
    field_map: FieldMap | None = None
    tz: str = "UTC"
    batch_bytes: int = 8 << 20
    max_line_bytes: int = 1 << 20
    commit_rows: int = 250_000
    workers: int = 2
    inflate: InflateLimits = field(default_factory=InflateLimits)
    templates: str = LEARN


def options_of(
    config: Config, *, format_name: str = AUTO, map_file: Path | None = None
) -> IngestOptions:
    """Returns the options that settings and a command's arguments make.

    Args:
        config: settings in force.
        format_name: a format's name, or ``auto``.
        map_file: TOML field map of JSON lines or CSV.
    """
    return IngestOptions(
        format=format_name,
        field_map=load_field_map(map_file) if map_file else None,
        tz=config.text("ingest.tz"),
        batch_bytes=config.whole("ingest.batch_bytes"),
        max_line_bytes=config.whole("ingest.max_line_bytes"),
        commit_rows=config.whole("ingest.commit_rows"),
        workers=config.whole("ingest.workers") or min(os.cpu_count() or 1, 8),
        inflate=InflateLimits(
            config.whole("ingest.max_inflated_bytes"), config.whole("ingest.max_inflated_ratio")
        ),
        templates=config.text("ingest.templates"),
    )


def ingest_logs(
    store: EventStore,
    paths: Sequence[str],
    options: IngestOptions,
    *,
    now: datetime,
    told: Callable[[str, int], None] | None = None,
) -> IngestReport:
    """Reads logs into the store and returns what became of each.

    Args:
        store: where events go.
        paths: files, folders, archives, ``-`` for standard input.
        options: how they are read.
        now: aware, the time of the run, ``ingested_time`` of its events.
        told: called with a stream's path and how many of its bytes were read since; it may raise
            Interrupted, which ends the run after a clean commit.

    Raises:
        ConfigError: an option is not allowed; nothing was read then.
        BusyError: another process writes to the store.
        Interrupted: ``told`` did.
    """

    def reading() -> Reading:
        templates, slots = Templating(store, options.templates), SlotTyping(store)

        def add(pending: Pending, rows: list[tuple[str, pa.Table]]) -> None:
            pending.events = rows
            pending.states |= slots.learn(rows, templates.texts)

        return Reading(
            "logs", store.ledger, plugins.recognise, plugins.format_named, templates, add
        )

    return ingest(store, paths, options, reading, now=now, told=told)


def ingest(
    store: EventStore,
    paths: Sequence[str],
    options: IngestOptions,
    reading: Callable[[], Reading],
    *,
    now: datetime,
    told: Callable[[str, int], None] | None = None,
) -> IngestReport:
    """Reads sources of one kind into the store; see ``ingest_logs``.

    Args:
        store: where rows go.
        paths: files, folders, archives, ``-`` for standard input.
        options: how they are read.
        reading: returns what they are read as, called once the store is locked.
        now: aware, the time of the run.
        told: called with a stream's path and how many of its bytes were read since.
    """
    check_zone(options.tz)
    began = monotonic()
    report = IngestReport()
    with (
        store.writer(),
        ThreadPoolExecutor(1) as committer,
        ThreadPoolExecutor(options.workers) as workers,
    ):
        known = reading()
        forced = None if options.format == AUTO else known.named(options.format)
        if options.field_map is not None and forced is None:
            raise ConfigError(
                "a field map needs to know the format that it maps",
                hint="add --format jsonl or --format csv",
            )
        run = _Run(
            store, known, workers, committer, options, named=paths, now=now, told=told or _untold
        )
        try:
            for path in paths:
                for stream in find_streams(path, options.inflate):
                    if not lies_in(stream.path, store.folder):  # it may be in a folder of logs
                        report.sources.append(run.take(stream, forced))
        except Interrupted:
            run.commit()  # told() is called between batches, so what stands is whole
            raise
        run.commit()
        store.compact(now)
    report.seconds = monotonic() - began
    return report


def _untold(_path: str, _size: int) -> None:
    """Tells nobody."""


class _Run:
    """One run of ingest: reads streams one behind the other and commits as rows gather."""

    def __init__(
        self,
        store: EventStore,
        reading: Reading,
        workers: ThreadPoolExecutor,
        committer: ThreadPoolExecutor,
        options: IngestOptions,
        *,
        named: Sequence[str],
        now: datetime,
        told: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._reading = reading
        self._ledger = reading.ledger
        self._options = options
        self._named = frozenset(map(as_text, named))
        self._now = now
        self._told = told
        self._workers = workers
        self._templates = reading.templates
        self._pending = Pending(kind=reading.kind)
        self._finishing: list[tuple[str, Future[pa.Table]]] = []  # the pending events
        self._rows = self._bytes = 0  # pending
        self._committer = committer
        self._committing: Future[None] | None = None
        self._unwritten: tuple[Source, ...] = ()  # of the commit that goes on behind

    def take(self, stream: Stream | Unreadable, forced: Format | None) -> SourceReport:
        """Reads one stream to its end."""
        if isinstance(stream, Unreadable):
            return SourceReport(stream.path, None, "unreadable", problem=stream.reason)
        with stream:
            known = self._ledger.unchanged(stream.path, stream.stamp)
            if known:
                return SourceReport(stream.path, known.format, "unchanged")
            if not stream.head:
                outcome = "unreadable" if stream.problem() else "empty"
                return SourceReport(stream.path, None, outcome, problem=stream.problem())
            form = forced or self._recognised(stream)
            if form is None:
                return SourceReport(
                    stream.path,
                    None,
                    "unrecognised",
                    problem=_NOT_RECOGNISED,
                    is_beside=stream.path not in self._named,
                )
            return self._read(stream, form, forced is not None)

    def commit(self) -> None:
        """Makes everything that was read so far true, and waits until it is."""
        self._commit_behind()
        if self._committing:
            self._committing.result()
        self._unwritten = ()

    def _commit_behind(self) -> None:
        """Starts a commit of what was read so far, while reading goes on."""
        if self._committing:
            self._committing.result()
        if self._pending.sources:
            pending, self._pending = self._pending, Pending(kind=self._reading.kind)
            finishing, self._finishing = self._finishing, []
            self._rows = self._bytes = 0
            pending.states = self._templates.changed()
            self._unwritten = tuple(pending.sources.values())
            self._committing = self._committer.submit(self._write, pending, finishing)

    def _write(self, pending: Pending, finishing: list[tuple[str, Future[pa.Table]]]) -> None:
        self._reading.add(pending, [(name, rows.result()) for name, rows in finishing])
        self._store.commit(pending, self._now)

    def _recognised(self, stream: Stream) -> Format | None:
        found = self._reading.recognise(stream.head.removeprefix(codecs.BOM_UTF8))
        return found.format if found else None

    def _read(self, stream: Stream, form: Format, forced: bool) -> SourceReport:
        first = first_record(stream, form)
        if first is None:
            return SourceReport(stream.path, form.name, "empty", problem=stream.problem())
        known = self._known(stream, first)
        if known and not forced and known.format != form.name:
            form = self._reading.named(known.format)  # a log keeps the format that it began with
        source = known or self._ledger.new_source(first, stream.path, form.name)
        # the first line may have had no end when it was met first
        source = replace(source, first_record_sha256=bytes_digest(first))
        start, unended = self._start(stream, form, source)
        if stream.seekable:
            stream.file.seek(0 if framing_of(form, stream) else start.offset)
        end = self._read_on(stream, form, source, start, unended)
        outcome = "ingested" if known is None else "continued"
        if known and end == progress_of(known):
            outcome = "unchanged"
        read = Progress(**{k: v - asdict(start)[k] for k, v in asdict(end).items()})
        return SourceReport(stream.path, form.name, outcome, read, stream.problem())

    def _known(self, stream: Stream, first: bytes) -> Source | None:
        """Returns the source that the stream goes on from, if it is known."""
        digest = bytes_digest(first)
        waiting = (*self._pending.sources.values(), *self._unwritten)
        if any(
            digest == other.first_record_sha256 or stream.path == other.path for other in waiting
        ):
            self.commit()  # so that the ledger can tell the two apart
        if not self._ledger.has_candidates(first, stream.path, stream.stamp):
            return None
        stream.spool()
        return self._ledger.continued(stream.file, first, stream.path, stream.stamp)

    def _start(
        self, stream: Stream, form: Format, source: Source
    ) -> tuple[Progress, Progress | None]:
        """Returns from where to read, and the place of a last line that still has no end.

        A last line that had no end, and has grown since, is read again from its start; so is what
        a framed format could not read at the end.
        """
        start = progress_of(source)
        if source.open_place is None:
            return start, None
        unended = Progress(**json.loads(source.open_place))
        stream.file.seek(source.offset)
        following = stream.file.read(2)
        if not following:
            return start, unended
        framed = framing_of(form, stream) is not None
        for ending in (b"\n", b"\r\n"):
            if following.startswith(ending) and start.lines > unended.lines and not framed:
                return replace(start, offset=start.offset + len(ending)), None
        again = Replaced(source.source_id, source.path, unended.offset)
        self._pending.replaced.append(again)
        return unended, None

    def _read_on(
        self,
        stream: Stream,
        form: Format,
        source: Source,
        start: Progress,
        unended: Progress | None,
    ) -> Progress:
        """Reads a stream from ``start`` to its end, and returns how far that is."""
        origin = self._origin(stream, form, source)
        options = self._options
        limits = Limits(options.batch_bytes, options.max_line_bytes, 2 * options.workers)
        source = replace(source, path=stream.path, format=form.name, size_bytes=None)
        if start.offset != source.offset:  # an ending came to the last line, or it is read again
            source = advanced(source, start, tail_behind(stream, form, start, b""))
        tail, progress = b"", start
        for part in read_parts(stream, origin, start, limits, self._workers):
            self._told(stream.path, part.progress.offset - progress.offset)
            progress, unended = part.progress, part.open
            tail = (tail + part.tail[-TAIL_BYTES:])[-TAIL_BYTES:]
            self._add(part, origin)
            source = advanced(source, progress, tail_behind(stream, form, progress, tail))
            self._pending.sources[source.source_id] = with_open(source, unended)
            if self._rows >= options.commit_rows or self._bytes >= self._reading.commit_bytes:
                self._commit_behind()
        if stream.problem():
            progress, unended = self._damaged(stream, progress, unended)
        if progress.offset:
            ended = with_open(at_its_end(source, stream, progress), unended)
            self._pending.sources[source.source_id] = ended
        return progress

    def _origin(self, stream: Stream, form: Format, source: Source) -> Origin:
        field_map = self._options.field_map
        dataset = (field_map.dataset if field_map else None) or form.dataset
        head = stream.head.removeprefix(codecs.BOM_UTF8)
        context = ParseContext(stream.modified_time, self._options.tz, head, field_map)
        return Origin(
            source.source_id, stream.path, form, dataset, context, self._templates, self._now
        )

    def _add(self, part: Part, origin: Origin) -> None:
        if part.events.num_rows:
            finish = self._templates.learn(
                part.events, origin.format, origin.dataset, part.prepared
            )
            self._finishing.append((origin.dataset, self._workers.submit(finish)))
            self._rows += part.events.num_rows
            self._bytes += part.events.nbytes
        if part.rejects.num_rows:
            self._pending.rejects.append(part.rejects)
            self._rows += part.rejects.num_rows

    def _damaged(
        self, stream: Stream, progress: Progress, unended: Progress | None
    ) -> tuple[Progress, Progress]:
        """Adds a reject for the damage that ended a stream; a mended file goes on before it."""
        row = {
            "source_path": stream.path,
            "line": progress.lines + 1,
            "byte_offset": progress.offset,
            "error": stream.problem(),
            "raw": None,
        }
        self._pending.rejects.append(pa.Table.from_pylist([row], schema=REJECTS))
        after = replace(progress, lines=progress.lines + 1, rejects=progress.rejects + 1)
        return after, unended or progress
