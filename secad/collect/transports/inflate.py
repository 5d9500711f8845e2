"""Compressed bytes to plain ones, as a stream that ends early with a reason where they are damaged.

gzip, xz, zstd and bzip2 are told by their first bytes. What a damaged or cut stream held before
the damage is still delivered; ``problem`` then says what was wrong.
"""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, BinaryIO, Protocol

import pyarrow as pa

from secad.collect.transports.allowance import TooLarge

_CHUNK_BYTES = 1 << 18
_PIECE_BYTES = 1 << 20
_XZ_MEMORY_BYTES = 1 << 28  # xz -9 takes 65 MiB; a header may ask for gigabytes
_REASON_CAP = 200  # characters

# everything that a damaged compressed file, archive or disk raises while it is read
_DAMAGE = (
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # zipfile: the member is of an unknown compression
    pa.ArrowException,
    MemoryError,
)

MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2"}


class _Decompressor(Protocol):
    """What zlib, lzma and bz2 decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


_MAKERS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "xz": lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES),
    "bzip2": bz2.BZ2Decompressor,
}


def compression_of(head: bytes) -> str | None:
    """Returns the name of the compression that a stream with this head has, None for plain."""
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return name
    return None


class Guarded(io.RawIOBase):
    """A readable stream of bytes that come in pieces, ended early where the next one fails.

    Args:
        pieces: the bytes, in order.
        what: the word for the stream in ``problem``.

    Attributes:
        problem: why the stream ended before its end, None while it did not.
    """

    def __init__(self, pieces: Iterator[bytes], what: str) -> None:
        super().__init__()
        self.problem: str | None = None
        self._pieces = pieces
        self._what = what
        self._rest = b""

    def readable(self) -> bool:
        """Returns True."""
        return True

    def readinto(self, target: Any) -> int:
        """Fills ``target`` with the next bytes and returns how many; 0 at the end."""
        while not self._rest:
            try:
                piece = next(self._pieces, None)
            except TooLarge as error:
                self.problem = f"{self._what}: {error}"
                piece = None
            except _DAMAGE as error:
                reason = str(error).partition("\n")[0][:_REASON_CAP]
                self.problem = f"damaged {self._what}: {reason}"
                piece = None
            if piece is None:
                self._pieces = iter(())
                return 0
            self._rest = piece
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def inflate(file: BinaryIO, compression: str) -> Iterator[bytes]:
    """Yields the plain bytes of a compressed file, in bounded pieces.

    Args:
        file: the compressed bytes, at their start.
        compression: a value of ``MAGIC``.
    """
    return _zstd(file) if compression == "zstd" else _members(file, compression)


def utf16_of(head: bytes) -> str | None:
    """Returns the name of the UTF-16 that a head's byte order mark tells of, None for others."""
    if head.startswith(codecs.BOM_UTF32_LE):
        return None
    marks = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    return next((name for mark, name in marks.items() if head.startswith(mark)), None)


def as_utf8(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    """Yields UTF-16 text as UTF-8, what is damaged in it as U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in plain(file):
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def plain(file: IO[bytes]) -> Iterator[bytes]:
    """Yields the bytes of a file as they are, in bounded pieces."""
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _members(file: BinaryIO, compression: str) -> Iterator[bytes]:
    """Yields the plain bytes of one or more compressed members behind each other."""
    machine = _MAKERS[compression]()
    fed = False
    while chunk := file.read(_CHUNK_BYTES):
        while chunk:
            if machine.eof:
                chunk = chunk.lstrip(b"\x00")  # padding between and behind members
                if not chunk:
                    break
                machine, fed = _MAKERS[compression](), False
            fed = True
            yield from _pieces(machine, chunk)
            chunk = machine.unused_data if machine.eof else b""
    if fed and not machine.eof:
        raise EOFError("it is cut off")


def _pieces(machine: _Decompressor, data: bytes) -> Iterator[bytes]:
    """Yields what ``data`` holds in bounded pieces, however much it expands."""
    yield machine.decompress(data, _PIECE_BYTES)
    while not machine.eof:
        # zlib hands back what it has not read; the others keep it and ask for no more input
        rest = getattr(machine, "unconsumed_tail", b"")
        if not rest and getattr(machine, "needs_input", True):
            return
        yield machine.decompress(rest, _PIECE_BYTES)


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
    while piece := stream.read(_CHUNK_BYTES):
        yield piece
