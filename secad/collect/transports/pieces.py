"""Pieces of streams by their places: the bytes that an event was made of, fetched again."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager
from typing import BinaryIO, cast

from secad.base.names import on_disk
from secad.collect.transports.allowance import UNLIMITED
from secad.collect.transports.files import (
    MEMBER_MARK,
    SPOOL_BYTES,
    STDIN,
    Stream,
    Unreadable,
    find_streams,
)

_COPY_BYTES = 1 << 20


class PieceReader(AbstractContextManager["PieceReader"]):
    """Fetches pieces of streams by their places, as long as the sources are there.

    The stream of the last piece stays open, so that pieces of one stream, asked for one behind
    the other, cost one opening.
    """

    def __init__(self) -> None:
        self._path: str | None = None
        self._opened: _Again | None = None

    def read(self, path: str, offset: int, length: int) -> bytes | None:
        """Returns a piece of a stream's plain bytes, None where it is gone or shorter.

        Args:
            path: a ``Stream.path``.
            offset: of the piece's first byte.
            length: of the piece in bytes.
        """
        if path != self._path:
            self._close()
            self._path, self._opened = path, _open_again(path)
        if self._opened is None:
            return None
        piece = self._opened.read(offset, length)
        return piece if len(piece) == length else None

    def __exit__(self, *_: object) -> None:
        """Closes the stream that is open."""
        self._close()

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
        self._path = self._opened = None


class _Again:
    """A stream that is read again: copied as far as it was asked for where it is not seekable.

    Args:
        stream: the stream.
        streams: where it comes from; closed with it.
    """

    def __init__(self, stream: Stream, streams: Generator[Stream | Unreadable]) -> None:
        self._stream = stream
        self._streams = streams
        self._copied = 0
        self._copy: BinaryIO | None = None
        if not stream.seekable:
            copy = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - closed in close()
            self._copy = cast("BinaryIO", copy)

    def read(self, offset: int, length: int) -> bytes:
        if self._copy is None:
            self._stream.file.seek(offset)
            return self._stream.file.read(length)
        self._copy.seek(self._copied)
        while self._copied < offset + length and (piece := self._stream.file.read(_COPY_BYTES)):
            self._copied += self._copy.write(piece)
        self._copy.seek(offset)
        return self._copy.read(length)

    def close(self) -> None:
        self._stream.file.close()
        self._streams.close()
        if self._copy is not None:
            self._copy.close()


def _open_again(path: str) -> _Again | None:
    """Returns a stream by its path, None where it is gone."""
    holder = path if on_disk(path).is_file() else path.split(MEMBER_MARK, 1)[0]
    if path == STDIN or not on_disk(holder).is_file():
        return None
    streams = find_streams(holder, UNLIMITED)
    for stream in streams:
        if isinstance(stream, Stream) and stream.path == path:
            return _Again(stream, streams)
        if isinstance(stream, Stream):
            stream.file.close()
    return None
