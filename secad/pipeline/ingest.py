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
from secad.base.protocols import FieldMap, Format, ParseContext
from secad.base.schemas import REJECTS
from secad.collect.field_maps import load_field_map
from secad.collect.times import check_zone
from secad.collect.transports.allowance import InflateLimits
from secad.collect.transports.files import Stream, Unreadable, find_streams
from secad.events.ledger import TAIL_BYTES, Source, bytes_digest, tail_of
from secad.events.store import EventStore, Pending, Replaced
from secad.pipeline.reading import Limits, Origin, Part, Progress, framing_of, read_parts
from secad.pipeline.templating import LEARN, Templating

AUTO = "auto"
_COMMIT_BYTES = 160 << 20  # of events in memory: wide ones are committed before commit_rows
_FRAMED_TAIL_BYTES = 64  # less than any record, so that no header between records is in it
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
    commit_rows: int = 125_000
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


@dataclass(frozen=True)
class SourceReport:
    """What one run did with one stream.

    Args:
        path: how the user knows it.
        format: the format it was taken for, None where none was.
        outcome: ``ingested``, ``continued``, ``unchanged``, ``empty``, ``unrecognised`` or
            ``unreadable``.
        read: what this run read of it; ``offset`` counts its bytes.
        problem: why it could not be read, or not to its end.
        is_beside: it is unrecognised, and was not named but lay in a folder or an archive.
    """

    path: str
    format: str | None
    outcome: str
    read: Progress = field(default_factory=Progress)
    problem: str | None = None
    is_beside: bool = False


def _sum(reports: Sequence[SourceReport]) -> Progress:
    rows = [asdict(report.read) for report in reports]
    return Progress(**{name: sum(row[name] for row in rows) for name in asdict(Progress())})


@dataclass
class IngestReport:
    """What one run of ingest did.

    Args:
        sources: one report for each stream, in the order they were read.
        seconds: how long it took.
    """

    sources: list[SourceReport] = field(default_factory=list)
    seconds: float = 0.0

    def total(self) -> Progress:
        """Returns the sums over all streams."""
        return _sum(self.sources)

    def failed(self) -> list[SourceReport]:
        """Returns the streams that could not be read, or not to their end.

        What lies in a folder or an archive and is of no known format is none of them: few
        folders of logs hold nothing else.
        """
        return [report for report in self.sources if report.problem and not report.is_beside]

    def beside(self) -> list[SourceReport]:
        """Returns what lay in a folder or an archive and is of no known format."""
        return [report for report in self.sources if report.is_beside]

    def by_format(self) -> dict[str, tuple[int, Progress]]:
        """Returns how many streams of each format were read and what came of them, by name."""
        found: dict[str, list[SourceReport]] = {}
        for report in self.sources:
            if report.format and report.read.lines:
                found.setdefault(report.format, []).append(report)
        return {name: (len(rows), _sum(rows)) for name, rows in sorted(found.items())}


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
    check_zone(options.tz)
    forced = None if options.format == AUTO else plugins.format_named(options.format)
    if options.field_map is not None and forced is None:
        raise ConfigError(
            "a field map needs to know the format that it maps",
            hint="add --format jsonl or --format csv",
        )
    began = monotonic()
    report = IngestReport()
    with (
        store.writer(),
        ThreadPoolExecutor(1) as committer,
        ThreadPoolExecutor(options.workers) as workers,
    ):
        run = _Run(store, workers, committer, options, named=paths, now=now, told=told or _untold)
        try:
            for path in paths:
                for stream in find_streams(path, options.inflate):
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
        workers: ThreadPoolExecutor,
        committer: ThreadPoolExecutor,
        options: IngestOptions,
        *,
        named: Sequence[str],
        now: datetime,
        told: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._ledger = store.ledger
        self._options = options
        self._named = frozenset(named)
        self._now = now
        self._told = told
        self._workers = workers
        self._templating = Templating(store, options.templates)
        self._pending = Pending()
        self._finishing: list[tuple[str, Future[pa.Table]]] = []  # the pending events
        self._rows = self._bytes = 0  # pending
        self._committer = committer
        self._committing: Future[None] | None = None

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

    def _commit_behind(self) -> None:
        """Starts a commit of what was read so far, while reading goes on."""
        if self._committing:
            self._committing.result()
        if self._pending.sources:
            pending, self._pending = self._pending, Pending()
            finishing, self._finishing = self._finishing, []
            self._rows = self._bytes = 0
            pending.states = self._templating.changed()
            self._committing = self._committer.submit(self._write, pending, finishing)

    def _write(self, pending: Pending, finishing: list[tuple[str, Future[pa.Table]]]) -> None:
        pending.events = [(name, rows.result()) for name, rows in finishing]
        self._store.commit(pending, self._now)

    def _recognised(self, stream: Stream) -> Format | None:
        found = plugins.recognise(stream.head.removeprefix(codecs.BOM_UTF8))
        return found.format if found else None

    def _read(self, stream: Stream, form: Format, forced: bool) -> SourceReport:
        first = _first_record(stream, form)
        if first is None:
            return SourceReport(stream.path, form.name, "empty", problem=stream.problem())
        known = self._known(stream, first)
        if known and not forced and known.format != form.name:
            form = plugins.format_named(known.format)  # a log keeps the format that it began with
        source = known or self._ledger.new_source(first, stream.path, form.name)
        start, unended = self._start(stream, source)
        if stream.seekable:
            stream.file.seek(0 if framing_of(form, stream) else start.offset)
        end = self._read_on(stream, form, source, start, unended)
        outcome = "ingested" if known is None else "continued"
        if known and end == _progress(known):
            outcome = "unchanged"
        read = Progress(**{k: v - asdict(start)[k] for k, v in asdict(end).items()})
        return SourceReport(stream.path, form.name, outcome, read, stream.problem())

    def _known(self, stream: Stream, first: bytes) -> Source | None:
        """Returns the source that the stream goes on from, if it is known."""
        digest = bytes_digest(first)
        waiting = self._pending.sources.values()
        if any(
            digest == other.first_record_sha256 or stream.path == other.path for other in waiting
        ):
            self.commit()  # so that the ledger can tell the two apart
        if not self._ledger.has_candidates(first, stream.path, stream.stamp):
            return None
        stream.spool()
        return self._ledger.continued(stream.file, first, stream.path, stream.stamp)

    def _start(self, stream: Stream, source: Source) -> tuple[Progress, Progress | None]:
        """Returns from where to read, and the place of a last line that still has no end.

        A last line that had no end, and has grown since, is read again from its start.
        """
        start = _progress(source)
        if source.open_place is None:
            return start, None
        unended = Progress(**json.loads(source.open_place))
        stream.file.seek(source.offset)
        following = stream.file.read(2)
        if not following:
            return start, unended
        for ending in (b"\n", b"\r\n"):
            if following.startswith(ending) and start.lines > unended.lines:
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
        limits = Limits(options.batch_bytes, options.max_line_bytes, options.workers)
        source = replace(source, path=stream.path, format=form.name, size_bytes=None)
        if start.offset != source.offset:  # an ending came to the last line, or it is read again
            source = _advanced(source, start, _tail(stream, form, start, b""))
        tail, progress = b"", start
        for part in read_parts(stream, origin, start, limits, self._workers):
            self._told(stream.path, part.progress.offset - progress.offset)
            progress, unended = part.progress, part.open
            tail = (tail + part.tail)[-TAIL_BYTES:]
            self._add(part, origin)
            source = _advanced(source, progress, _tail(stream, form, progress, tail))
            self._pending.sources[source.source_id] = _with_open(source, unended)
            if self._rows >= options.commit_rows or self._bytes >= _COMMIT_BYTES:
                self._commit_behind()
        if stream.problem():
            progress, unended = self._damaged(stream, progress, unended)
        if progress.offset:
            ended = _with_open(_ended(source, stream, progress), unended)
            self._pending.sources[source.source_id] = ended
        return progress

    def _origin(self, stream: Stream, form: Format, source: Source) -> Origin:
        field_map = self._options.field_map
        dataset = (field_map.dataset if field_map else None) or form.dataset
        head = stream.head.removeprefix(codecs.BOM_UTF8)
        context = ParseContext(stream.modified_time, self._options.tz, head, field_map)
        return Origin(
            source.source_id, stream.path, form, dataset, context, self._templating, self._now
        )

    def _add(self, part: Part, origin: Origin) -> None:
        if part.events.num_rows:
            finish = self._templating.learn(
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


def _first_record(stream: Stream, form: Format) -> bytes | None:
    """Returns the bytes of a stream's first record, None where it has none."""
    framing = framing_of(form, stream)
    if framing is None:
        return stream.head.split(b"\n", 1)[0]
    stream.spool()
    stream.file.seek(0)
    for lines, _ in framing.frames(stream.file, 1 << 16):
        if lines.num_rows:
            stream.file.seek(lines.column("byte_offset")[0].as_py())
            return stream.file.read(lines.column("byte_length")[0].as_py())
    return None


def _progress(source: Source) -> Progress:
    return Progress(
        source.offset, source.lines, source.events, source.rejects, source.joined, source.skipped
    )


def _tail(stream: Stream, form: Format, progress: Progress, recent: bytes) -> tuple[int, str]:
    """Returns the length and the digest of the bytes before a place, by which it is known again."""
    if not stream.seekable:
        return len(recent), bytes_digest(recent)
    size = _FRAMED_TAIL_BYTES if framing_of(form, stream) else TAIL_BYTES
    place = stream.file.tell()
    found = tail_of(stream.file, progress.offset, size)
    stream.file.seek(place)
    return found


def _advanced(source: Source, progress: Progress, tail: tuple[int, str]) -> Source:
    return replace(source, **asdict(progress), tail_bytes=tail[0], tail_sha256=tail[1])


def _ended(source: Source, stream: Stream, progress: Progress) -> Source:
    device, inode, size, modified = stream.stamp or (None, None, None, None)
    return replace(
        source,
        **asdict(progress),
        device=device,
        inode=inode,
        size_bytes=size,
        modified_ns=modified,
    )


def _with_open(source: Source, unended: Progress | None) -> Source:
    return replace(source, open_place=json.dumps(asdict(unended)) if unended else None)
