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

from secad.collect.transports.allowance import InflateLimits
from secad.collect.transports.files import Stream, Unreadable, find_streams
from secad.collect.transports.pieces import PieceReader

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


def problems(path: Path, limits: InflateLimits) -> list[str]:
    """Returns what is said of a path's streams once they are read."""
    said = []
    for stream in find_streams(str(path), limits):
        if isinstance(stream, Unreadable):
            said.append(stream.reason)
            continue
        with stream:
            while stream.file.read(1 << 20):
                pass
            said.append(str(stream.problem()))
    return said


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, zstd, zipped])
def test_what_expands_to_more_than_is_allowed_ends_with_the_setting(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bomb"
    path.write_bytes(pack(TEXT))
    assert "ingest.max_inflated_bytes" in problems(path, InflateLimits(100_000))[0]
    assert problems(path, InflateLimits())[0] == "None"


@pytest.mark.parametrize("pack", [lzma.compress, bz2.compress, zstd])
def test_a_bomb_ends_at_its_ratio(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bomb"
    path.write_bytes(pack(b"\n" * (80 << 20)))
    (said,) = problems(path, InflateLimits())
    assert "more than 1000 times" in said
    assert "ingest.max_inflated_ratio" in said


def test_members_that_share_an_archive_share_its_allowance(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.log", TEXT)
    said = problems(path, InflateLimits(3 * len(TEXT)))
    assert said[:3] == ["None"] * 3
    assert all("ingest.max_inflated_bytes" in one for one in said[3:])
    assert len(said) == 5  # the archive is left at the first member that is too much


@pytest.mark.parametrize("name", ["/etc/x.log", "../x.log", "a/../../x", "C:\\x.log", "..\\x.log"])
def test_a_member_whose_name_climbs_out_is_refused(tmp_path: Path, name: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member in (name, "good.log"):
            info = tarfile.TarInfo(member)
            info.size = len(TEXT)
            archive.addfile(info, io.BytesIO(TEXT))
    (tmp_path / "a.tar").write_bytes(file.getvalue())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped_file:
        zipped_file.writestr(name, TEXT)
        zipped_file.writestr("good.log", TEXT)
    for path in (tmp_path / "a.tar", tmp_path / "a.zip"):
        said = problems(path, InflateLimits())
        assert said == ["an archive member whose name leads out of the archive", "None"]


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    data = bytearray(zipped(TEXT))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = data.find(mark, data.find(b"a.log") - 60 if place == 6 else 0)
        while found >= 0:
            data[found + place] |= 1
            found = data.find(mark, found + 1)
    path = tmp_path / "secret.zip"
    path.write_bytes(bytes(data))
    assert all("encrypted" in one for one in problems(path, InflateLimits()))


def test_a_sparse_member_counts_for_what_it_claims(tmp_path: Path) -> None:
    header = tarfile.TarInfo("holes.log")
    header.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"%011o\0%011o\0" % (0, 0)
    block[483:495] = b"%011o\0" % (1 << 32)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path = tmp_path / "sparse.tar"
    path.write_bytes(bytes(block) + b"\0" * 1024)
    assert "ingest.max_inflated" in problems(path, InflateLimits())[0]


def test_a_tar_name_of_any_length_is_not_read_into_memory(tmp_path: Path) -> None:
    header = tarfile.TarInfo("name")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    path = tmp_path / "long.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + b"a" * 2048)
    (said,) = problems(path, InflateLimits())
    assert "a member's name of 1073741824 bytes" in said
