"""Files, archives and standard input, as streams of plain bytes.

A path leads to one stream (a plain or compressed file, standard input) or to many (a folder, the
members of a zip or tar). A stream's path says how it is found again, so that evidence can be
fetched from it later by byte offset.
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
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from secad.collect.transports.inflate import (
    Guarded,
    as_utf8,
    compression_of,
    inflate,
    plain,
    utf16_of,
)

STDIN = "-"
MEMBER_MARK = "!"  # between an archive and its member: case.zip!host/security.json
HEAD_BYTES = 1 << 16
_SPOOL_BYTES = 32 << 20
_BUFFER_BYTES = 1 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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


def find_streams(path: str) -> Iterator[Stream | Unreadable]:
    """Yields the streams that a path leads to, in a fixed order, or what is wrong with it.

    Each stream must be used and closed before the next is asked for.

    Args:
        path: a file, a folder (every regular file below it), an archive, or ``-``.
    """
    if path == STDIN:
        stream = _standard_input()
        with stream:
            yield from _opened(stream)
        return
    try:
        found = Path(path).stat()
    except OSError as error:
        yield Unreadable(path, _words(error))
        return
    if stat.S_ISDIR(found.st_mode):
        yield from _folder(Path(path))
    else:
        yield from _file(Path(path))


class PieceReader(AbstractContextManager["PieceReader"]):
    """Fetches pieces of streams by their places, as long as the sources are there.

    The stream of the last piece stays open, so that pieces of one stream, asked for one behind
    the other, cost one opening.
    """

    def __init__(self) -> None:
        self._path: str | None = None
        self._file: BinaryIO | None = None

    def read(self, path: str, offset: int, length: int) -> bytes | None:
        """Returns a piece of a stream's plain bytes, None where it is gone or shorter.

        Args:
            path: a ``Stream.path``.
            offset: of the piece's first byte.
            length: of the piece in bytes.
        """
        if path != self._path:
            self._close()
            self._path, self._file = path, _open_again(path)
        if self._file is None:
            return None
        self._file.seek(offset)
        piece = self._file.read(length)
        return piece if len(piece) == length else None

    def __exit__(self, *_: object) -> None:
        """Closes the stream that is open."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._path = self._file = None


def _open_again(path: str) -> BinaryIO | None:
    """Returns a seekable file of a stream's plain bytes, None where the stream is gone."""
    holder = path if Path(path).is_file() else path.split(MEMBER_MARK, 1)[0]
    if path == STDIN or not Path(holder).is_file():
        return None
    for stream in find_streams(holder):
        if isinstance(stream, Stream) and stream.path == path:
            if stream.seekable:
                stream.file.close()
                return Path(path).open("rb")
            stream.spool()
            return stream.file
        if isinstance(stream, Stream):
            stream.file.close()
    return None


def _folder(folder: Path) -> Iterator[Stream | Unreadable]:
    problems: list[Unreadable] = []
    for parent, folders, names in os.walk(
        folder, onerror=lambda error: problems.append(_unreadable(error))
    ):
        folders.sort()
        for name in sorted(names):
            yield from _file(Path(parent) / name)
        yield from problems
        problems.clear()
    yield from problems


def _unreadable(error: OSError) -> Unreadable:
    return Unreadable(str(error.filename), _words(error))


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _file(path: Path) -> Iterator[Stream | Unreadable]:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            yield Unreadable(str(path), "not a regular file")
            return
        file = path.open("rb", buffering=_BUFFER_BYTES)
    except OSError as error:
        yield Unreadable(str(path), _words(error))
        return
    stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    modified = _EPOCH.fromtimestamp(found.st_mtime, tz=UTC)
    with file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        yield from _opened(Stream(str(path), file, head, modified, stamp, seekable=True))


def _opened(stream: Stream) -> Iterator[Stream | Unreadable]:
    """Yields the streams inside an open, seekable file."""
    if stream.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _zip_members(stream)
        return
    compression = compression_of(stream.head)
    if compression:
        stream = _guarded(stream, inflate(stream.file, compression), f"{compression} stream")
    if _is_tar(stream.head):
        yield from _tar_members(stream)
    else:
        yield _utf8(stream)


def _utf8(stream: Stream) -> Stream:
    """Returns the stream in UTF-8 where it is UTF-16; places in it then count UTF-8 bytes."""
    encoding = utf16_of(stream.head)
    if encoding is None:
        return stream
    return _guarded(stream, as_utf8(stream.file, encoding), encoding, stream.guards)


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


def _member(archive: Stream, name: str, pieces: Iterator[bytes], modified: datetime) -> Stream:
    """Returns the stream of an archive's member, decompressed where it is itself compressed."""
    source = replace(archive, path=f"{archive.path}{MEMBER_MARK}{name}", modified_time=modified)
    stream = _guarded(source, pieces, "archive member")
    compression = compression_of(stream.head)
    if compression is None:
        return _utf8(stream)
    inner = inflate(stream.file, compression)
    return _utf8(_guarded(source, inner, f"{compression} stream", stream.guards))


def _zip_members(archive: Stream) -> Iterator[Stream | Unreadable]:
    try:
        members = zipfile.ZipFile(archive.file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield Unreadable(archive.path, f"damaged zip archive: {error}")
        return
    with members:
        for info in members.infolist():
            if not info.is_dir():
                try:
                    modified = datetime(*info.date_time, tzinfo=UTC)
                except ValueError:  # a month 0 or the like: zip writers differ
                    modified = _EPOCH
                yield _member(archive, info.filename, _zip_pieces(members, info), modified)


def _zip_pieces(members: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with members.open(info) as file:
        yield from plain(file)


def _tar_members(archive: Stream) -> Iterator[Stream | Unreadable]:
    try:
        with tarfile.open(fileobj=archive.file, mode="r|") as members:
            for info in members:
                data = members.extractfile(info) if info.isreg() else None
                if data is not None:
                    modified = _EPOCH.fromtimestamp(max(info.mtime, 0), tz=UTC)
                    yield _member(archive, info.name, plain(data), modified)
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
    copy = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - the stream owns it
    for piece in pieces:
        copy.write(piece)
    copy.seek(0)
    return cast("BinaryIO", copy)
