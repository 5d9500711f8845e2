"""Streams: every container is opened, and a damaged one ends with its reason."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from secad.collect.transports.files import PieceReader, Stream, Unreadable, find_streams

TEXT = b"".join(b"line %d of the log\n" % number for number in range(20_000))


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def tar(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("a.log", "deep/b.log"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("a.log", data)
        archive.writestr("deep/b.log.gz", gzip.compress(data))
    return file.getvalue()


def contents(path: Path) -> dict[str, bytes]:
    found = {}
    for stream in find_streams(str(path)):
        assert isinstance(stream, Stream), stream
        with stream:
            data = stream.file.read()
            assert data.startswith(stream.head)
            assert stream.problem() is None
            found[stream.path.removeprefix(str(path))] = data
    return found


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress, zstd])
def test_compression_is_told_by_the_first_bytes_not_by_the_name(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "named.txt"
    path.write_bytes(pack(TEXT))
    assert contents(path) == {"": TEXT}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress, zstd])
def test_tar_members_are_streams(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "logs.tar"
    path.write_bytes(pack(tar(TEXT)))
    assert contents(path) == {"!a.log": TEXT, "!deep/b.log": TEXT}


def test_zip_members_are_streams_and_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    path.write_bytes(zipped(TEXT))
    assert contents(path) == {"!a.log": TEXT, "!deep/b.log.gz": TEXT}


def test_folder_is_walked_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "sub/c.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    assert list(contents(tmp_path).values()) == [b"a.log", b"b.log", b"sub/c.log"]


def test_standard_input_may_be_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(gzip.compress(TEXT))

    monkeypatch.setattr(sys, "stdin", Input())
    assert contents(Path("-")) == {"": TEXT}


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, zstd])
def test_cut_stream_gives_a_prefix_and_the_reason(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "cut"
    whole = pack(TEXT)
    path.write_bytes(whole[: len(whole) // 2])
    (stream,) = find_streams(str(path))
    assert isinstance(stream, Stream)
    with stream:
        data = stream.file.read()
        assert TEXT.startswith(data)
        assert "damaged" in str(stream.problem())


@pytest.mark.parametrize("pack", [zipped, tar])
def test_damaged_archive_never_raises(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    whole = pack(TEXT[:5000])
    for cut in range(600, len(whole), max(1, len(whole) // 20)):
        path = tmp_path / "cut"
        path.write_bytes(whole[:cut])
        for stream in find_streams(str(path)):
            if isinstance(stream, Stream):
                with stream:
                    stream.file.read()


def test_paths_that_give_nothing_say_why(tmp_path: Path) -> None:
    (missing,) = find_streams(str(tmp_path / "nope"))
    assert missing == Unreadable(str(tmp_path / "nope"), "no such file or directory")
    (device,) = find_streams("/dev/null")
    assert device == Unreadable("/dev/null", "not a regular file")


def test_utf16_is_read_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "wide.log"
    path.write_bytes("häuser\nbäume\n".encode("utf-16"))
    assert contents(path) == {"": "häuser\nbäume\n".encode("utf-8-sig")}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zipped, tar])
def test_pieces_are_read_again_from_any_container(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "again"
    path.write_bytes(pack(TEXT))
    first = next(iter(find_streams(str(path))))
    assert isinstance(first, Stream)
    with first:
        name = first.path
    with PieceReader() as reader:
        assert reader.read(name, 100_000, 50) == TEXT[100_000:100_050]
        assert reader.read(name, 0, 10) == TEXT[:10]
        assert reader.read(name, len(TEXT), 1) is None
    path.unlink()
    with PieceReader() as reader:
        assert reader.read(name, 0, 10) is None
