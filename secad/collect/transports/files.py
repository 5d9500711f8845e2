"""Files, archives and standard input, as streams of plain bytes.

A path leads to one stream (a plain or compressed file, standard input) or to many (a folder, the
members of a zip or tar). A stream's path says how it is found again, so that evidence can be
fetched from it later by byte offset. A Parquet file is a stream of JSON lines, one for each row.
"""

from __future__ import annotations

import io
import itertools
import os
import stat
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self, cast

from secad.base.names import as_text, on_disk
from secad.collect.transports.allowance import Allowance, InflateLimits
from secad.collect.transports.inflate import (
    Guarded,
    as_utf8,
    compression_of,
    inflate,
    plain,
    utf16_of,
)
from secad.collect.transports.parquet import is_parquet, json_lines

STDIN = "-"
MEMBER_MARK = "!"  # between an archive and its member: case.zip!host/security.json
HEAD_BYTES = 1 << 16
SPOOL_BYTES = 32 << 20
_BUFFER_BYTES = 1 << 20
_CLIMBS = "an archive member whose name leads out of the archive"
_NAME_TYPES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"x", b"g", b"X")
_NAME_CAP_BYTES = 1 << 20
_ENCRYPTED = 1  # bit of a zip member's flags
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIMITS = InflateLimits()

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Unreadable:
    """A path, or a member of an archive, that gives no stream.

    Args:
        path: how the user knows it.
        reason: what is wrong with it.
    """

    path: str
    reason: str


@dataclass
class Stream(AbstractContextManager["Stream"]):
    """One stream of plain bytes, open at its first byte.

    Args:
        path: how the user knows it; an archive's member stands behind ``!``.
        file: its plain bytes; ``file.seek`` works where ``seekable``.
        head: its first bytes, at most HEAD_BYTES; ``file`` still starts before them.
        modified_time: of the file or the member.
        stamp: (device, inode, size, modification ns) of the file it lies in, None for stdin.
        seekable: whether any place of ``file`` can be read.
    """

    path: str
    file: BinaryIO
    head: bytes
    modified_time: datetime
    stamp: Stamp | None
    seekable: bool
    guards: tuple[Guarded, ...] = field(default=(), repr=False)

    def problem(self) -> str | None:
        """Returns why the stream ended before its end, None where it did not (yet)."""
        return next((guard.problem for guard in self.guards if guard.problem), None)

    def spool(self) -> None:
        """Makes the stream seekable: copies its bytes into a temporary file where it is not."""
        if not self.seekable:
            copy = _spooled(plain(self.file))
            self.file.close()
            self.file, self.seekable = copy, True

    def __exit__(self, *_: object) -> None:
        """Closes the stream."""
        self.file.close()


def find_streams(path: str, limits: InflateLimits = _LIMITS) -> Generator[Stream | Unreadable]:
    """Yields the streams that a path leads to, in a fixed order, or what is wrong with it.

    Each stream must be used and closed before the next is asked for.

    Args:
        path: a file, a folder (every regular file below it), an archive, or ``-``.
        limits: of what a compressed file or an archive may expand to.
    """
    if path == STDIN:
        stream = _standard_input()
        with stream:
            yield from _opened(stream, limits)
        return
    try:
        place = on_disk(path)
        found = place.stat()
    except OSError as error:
        yield Unreadable(as_text(path), _words(error))
        return
    if stat.S_ISDIR(found.st_mode):
        yield from _folder(place, limits)
    else:
        yield from _file(place, limits)


def _folder(folder: Path, limits: InflateLimits) -> Iterator[Stream | Unreadable]:
    problems: list[Unreadable] = []
    for parent, folders, names in os.walk(
        folder, onerror=lambda error: problems.append(_unreadable(error))
    ):
        folders.sort()
        for name in sorted(names):
            yield from _file(Path(parent) / name, limits)
        yield from problems
        problems.clear()
    yield from problems


def _unreadable(error: OSError) -> Unreadable:
    return Unreadable(as_text(str(error.filename)), _words(error))


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _file(path: Path, limits: InflateLimits) -> Iterator[Stream | Unreadable]:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            yield Unreadable(as_text(str(path)), "not a regular file")
            return
        file = path.open("rb", buffering=_BUFFER_BYTES)
    except OSError as error:
        yield Unreadable(as_text(str(path)), _words(error))
        return
    stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    modified = _EPOCH.fromtimestamp(found.st_mtime, tz=UTC)
    with file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        stream = Stream(as_text(str(path)), file, head, modified, stamp, seekable=True)
        yield from _opened(stream, limits)


def _opened(stream: Stream, limits: InflateLimits) -> Iterator[Stream | Unreadable]:
    """Yields the streams inside an open, seekable file."""
    allowance = Allowance(_size_of(stream.file), limits)
    if stream.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _zip_members(stream, allowance)
        return
    compression = compression_of(stream.head)
    if compression:
        pieces = allowance.metered(inflate(stream.file, compression))
        stream = _guarded(stream, pieces, f"{compression} stream")
    if _is_tar(stream.head):
        yield from _tar_members(stream, allowance)
    else:
        yield _as_text(stream, allowance)


def _size_of(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _as_text(stream: Stream, allowance: Allowance) -> Stream:
    """Returns the stream in UTF-8 where it is UTF-16, as JSON lines where it is Parquet.

    Places in it then count the bytes of these.
    """
    if is_parquet(stream.head):
        rows = json_lines(stream.file) if stream.seekable else _copied_rows(stream)
        return _guarded(stream, allowance.metered(rows), "parquet file", stream.guards)
    encoding = utf16_of(stream.head)
    if encoding is None:
        return stream
    return _guarded(stream, as_utf8(stream.file, encoding), encoding, stream.guards)


def _copied_rows(stream: Stream) -> Iterator[bytes]:
    with _spooled(plain(stream.file)) as copy:
        yield from json_lines(copy)


def _guarded(
    source: Stream, pieces: Iterator[bytes], what: str, guards: tuple[Guarded, ...] = ()
) -> Stream:
    """Returns ``source`` with other bytes: ``pieces``, whose failing only ends the stream."""
    guard = Guarded(pieces, what)
    inner = io.BufferedReader(guard, _BUFFER_BYTES)
    head = inner.read(HEAD_BYTES)
    again = Guarded(itertools.chain([head] if head else [], plain(inner)), what)
    file = cast("BinaryIO", io.BufferedReader(again, _BUFFER_BYTES))
    return replace(source, file=file, head=head, seekable=False, guards=(*guards, guard))


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _member(
    archive: Stream, name: str, pieces: Iterator[bytes], modified: datetime, allowance: Allowance
) -> Stream:
    """Returns the stream of an archive's member, decompressed where it is itself compressed."""
    source = replace(archive, path=_inside(archive, name), modified_time=modified)
    stream = _guarded(source, pieces, "archive member")
    compression = compression_of(stream.head)
    if compression is None:
        return _as_text(stream, allowance)
    inner = allowance.metered(inflate(stream.file, compression))
    stream = _guarded(source, inner, f"{compression} stream", stream.guards)
    return _as_text(stream, allowance)


def _inside(archive: Stream, name: str) -> str:
    return f"{archive.path}{MEMBER_MARK}{as_text(name)}"


def _climbs(name: str) -> bool:
    """Returns whether a member's name leads out of the archive: absolute, on a drive, or by ``..``.

    Nothing is ever unpacked by its name; but names go into reports, which others may follow.
    """
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "" or parts[0].endswith(":") or ".." in parts


def _zip_members(archive: Stream, allowance: Allowance) -> Iterator[Stream | Unreadable]:
    try:
        members = zipfile.ZipFile(archive.file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        yield Unreadable(archive.path, f"damaged zip archive: {error}")
        return
    with members:
        for info in members.infolist():
            if allowance.problem():
                yield Unreadable(archive.path, f"zip archive: {allowance.problem()}")
                return
            if info.is_dir():
                continue
            path = _inside(archive, info.filename)
            if _climbs(info.filename):
                yield Unreadable(path, _CLIMBS)
            elif info.flag_bits & _ENCRYPTED:
                yield Unreadable(path, "an encrypted archive member; unpack it with its password")
            else:
                pieces = allowance.metered(_zip_pieces(members, info))
                yield _member(archive, info.filename, pieces, _zip_time(info), allowance)


def _zip_time(info: zipfile.ZipInfo) -> datetime:
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:  # a month 0 or the like: zip writers differ
        return _EPOCH


def _zip_pieces(members: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with members.open(info) as file:
        yield from plain(file)


class _BoundedHeader(tarfile.TarInfo):
    """A member's header; tarfile reads names that are said to be of any length into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Returns the header in a block of bytes."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _NAME_TYPES and header.size > _NAME_CAP_BYTES:
            raise tarfile.ReadError(f"a member's name of {header.size} bytes")
        return header


def _tar_members(archive: Stream, allowance: Allowance) -> Iterator[Stream | Unreadable]:
    try:
        with tarfile.open(fileobj=archive.file, mode="r|", tarinfo=_BoundedHeader) as members:
            for info in members:
                data = members.extractfile(info) if info.isreg() else None
                if data is None:
                    continue
                if _climbs(info.name):
                    yield Unreadable(_inside(archive, info.name), _CLIMBS)
                    continue
                # holes of a sparse file stand in the archive as a number
                pieces = allowance.metered(plain(data)) if info.issparse() else plain(data)
                modified = _EPOCH.fromtimestamp(max(info.mtime, 0), tz=UTC)
                yield _member(archive, info.name, pieces, modified, allowance)
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        yield Unreadable(archive.path, archive.problem() or f"damaged tar archive: {error}")
        return
    if archive.problem():
        yield Unreadable(archive.path, str(archive.problem()))


def _standard_input() -> Stream:
    copy = _spooled(plain(sys.stdin.buffer))
    head = copy.read(HEAD_BYTES)
    copy.seek(0)
    return Stream(STDIN, copy, head, datetime.now(UTC), None, seekable=True)


def _spooled(pieces: Iterator[bytes]) -> BinaryIO:
    copy = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - the stream owns it
    for piece in pieces:
        copy.write(piece)
    copy.seek(0)
    return cast("BinaryIO", copy)
