"""How far a source is read: its row of the ledger, put together and moved on."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from secad.base.protocols import Format
from secad.collect.transports.files import Stream
from secad.events.ledger import TAIL_BYTES, Source, bytes_digest, tail_of
from secad.pipeline.reading import Progress, framing_of

_FRAMED_TAIL_BYTES = 64  # less than any record, so that no header between records is in it


def lies_in(path: str, folder: Path) -> bool:
    """Returns whether a stream's path leads into a folder."""
    return Path(path).absolute().is_relative_to(folder.absolute())


def first_record(stream: Stream, form: Format) -> bytes | None:
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


def progress_of(source: Source) -> Progress:
    """Returns how far a source is committed."""
    return Progress(
        source.offset, source.lines, source.events, source.rejects, source.joined, source.skipped
    )


def tail_behind(stream: Stream, form: Format, progress: Progress, recent: bytes) -> tuple[int, str]:
    """Returns the length and the digest of the bytes before a place, by which it is known again."""
    if not stream.seekable:
        return len(recent), bytes_digest(recent)
    size = _FRAMED_TAIL_BYTES if framing_of(form, stream) else TAIL_BYTES
    place = stream.file.tell()
    found = tail_of(stream.file, progress.offset, size)
    stream.file.seek(place)
    return found


def advanced(source: Source, progress: Progress, tail: tuple[int, str]) -> Source:
    """Returns a source that is read up to a place, known again by the bytes before it."""
    return replace(source, **asdict(progress), tail_bytes=tail[0], tail_sha256=tail[1])


def at_its_end(source: Source, stream: Stream, progress: Progress) -> Source:
    """Returns a source that is read to the end of the file that it lies in now."""
    device, inode, size, modified = stream.stamp or (None, None, None, None)
    return replace(
        source,
        **asdict(progress),
        device=device,
        inode=inode,
        size_bytes=size,
        modified_ns=modified,
    )


def with_open(source: Source, unended: Progress | None) -> Source:
    """Returns a source with the place before a last line that has no end yet."""
    return replace(source, open_place=json.dumps(asdict(unended)) if unended else None)
