"""Large logs for measurements, made from samples: the same shapes, times that move on, new values.

Every number, address and hexadecimal word of a message is drawn anew for each line, user names
come from a large pool, times advance at a rate like the sample's. Synthetic by construction: real
logs repeat more, or vary in other ways.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
_SEED = 7
_CHUNK_LINES = 20_000
_START = datetime(2025, 1, 6, tzinfo=UTC)
# 10.250.19.102 | 0x1fe0 | deadbeef01 | 4711, but not the 2 of ssh2: what is drawn anew
_VALUE = re.compile(
    r"(\d{1,3}(?:\.\d{1,3}){3}|0x[0-9a-f]+|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d{2,}|(?<![A-Za-z])\d)"
)
# "user webmaster from", "for invalid user admin from": the name is drawn from a pool
_USER = re.compile(r"(?<=user )\w+|(?<=password for )(?!invalid)\w+|(?<=user=)\w+")
_Part = str | tuple[str, int]
_HEX = "0123456789abcdef"


@dataclass(frozen=True)
class System:
    """A kind of text log that is measured.

    Args:
        name: the word for it in results.
        sample: its real lines.
        head_fields: blank-separated fields before the message.
        head: (moment, the sample's own fields, dice) -> the line up to its message.
        lines_per_second: how fast its times advance.
        real: whether the sample is a recorded log.
    """

    name: str
    sample: Path
    head_fields: int
    head: Callable[[datetime, list[str], random.Random], str]
    lines_per_second: int
    real: bool


def systems(data: Path | None) -> list[System]:
    """Returns the text logs to measure: loghub's from ``data``, else two of ``sample_logs``."""
    loghub = data / "parsing" / "loghub_2k" if data else None
    if loghub and loghub.is_dir():
        return [
            System("OpenSSH", loghub / "OpenSSH/OpenSSH_2k.log", 5, _ssh_head, 4, True),
            System("HDFS", loghub / "HDFS/HDFS_2k.log", 5, _hdfs_head, 80, True),
            System("BGL", loghub / "BGL/BGL_2k.log", 9, _bgl_head, 20, True),
        ]
    return [
        System("syslog (made)", SAMPLES / "syslog.log", 3, _iso_head, 4, False),
        System("HDFS (made)", SAMPLES / "text.log", 5, _hdfs_head, 80, False),
    ]


def write_text_log(system: System, path: Path, lines: int) -> None:
    """Writes ``lines`` lines of a system to ``path``."""
    shapes = _shapes(system)
    rng = random.Random(_SEED)  # noqa: S311 - measurements need no secrets
    step = timedelta(microseconds=1_000_000 // system.lines_per_second)
    moment = _START
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, lines, _CHUNK_LINES):
            written = []
            for _ in range(min(_CHUNK_LINES, lines - start)):
                fields, parts = shapes[int(rng.random() * len(shapes))]
                written.append(system.head(moment, fields, rng) + _drawn(parts, rng))
                moment += step
            file.write("\n".join(written) + "\n")


def messages_of(system: System, path: Path) -> Iterator[str]:
    """Yields the message of each line of a written log."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n").split(None, system.head_fields)[-1]


def _shapes(system: System) -> list[tuple[list[str], list[_Part]]]:
    shapes = []
    for line in system.sample.read_text("utf-8", errors="replace").splitlines():
        fields = line.split(None, system.head_fields)
        if len(fields) > system.head_fields:
            shapes.append((fields[:-1], _parts(fields[-1])))
    return shapes


def _parts(message: str) -> list[_Part]:
    """Cuts a message into literals and (kind, width) pairs of values."""
    parts: list[_Part] = []
    for row, piece in enumerate(_USER.split(message)):
        if row:
            parts.append(("user", 0))
        for place, text in enumerate(_VALUE.split(piece)):
            if place % 2 == 0:
                parts.append(text)
            elif text.count(".") == 3:
                parts.append(("address", 4))
            elif text.isdigit():
                parts.append(("digits", len(text)))
            elif text.startswith("0x"):
                parts.extend(("0x", ("hex", len(text) - 2)))
            else:
                parts.append(("hex", len(text)))
    return [part for part in parts if part]


def _drawn(parts: list[_Part], rng: random.Random) -> str:
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
            continue
        kind, width = part
        draw = rng.random()
        if kind == "digits":
            # a first digit that is not 0, so that a number keeps its width
            low = 10 ** (width - 1) if width > 1 else 0
            out.append(str(low + int(draw * (10**width - low))))
        elif kind == "address":
            number = int(draw * 2**32)
            out.append(".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0)))
        elif kind == "hex":
            out.append(f"{int(draw * 16**width):0{width}x}")
        else:
            out.append(f"user{int(draw * draw * 5000)}")  # some names come far more often
    return "".join(out)


def _ssh_head(moment: datetime, fields: list[str], rng: random.Random) -> str:
    process = int(rng.random() * 32768)
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S} {fields[3]} sshd[{process}]: "


def _hdfs_head(moment: datetime, fields: list[str], rng: random.Random) -> str:
    return f"{moment:%y%m%d %H%M%S} {int(rng.random() * 4000)} {fields[3]} {fields[4]} "


def _bgl_head(moment: datetime, fields: list[str], rng: random.Random) -> str:
    exact = f"{moment:%Y-%m-%d-%H.%M.%S}.{int(rng.random() * 10**6):06}"
    return " ".join((
        fields[0], str(int(moment.timestamp())), f"{moment:%Y.%m.%d}", fields[3], exact,
        *fields[5:9], "",
    ))  # fmt: skip


def _iso_head(moment: datetime, fields: list[str], rng: random.Random) -> str:
    tag = re.sub(r"\d+", str(int(rng.random() * 32768)), fields[2])
    return f"{moment.isoformat(timespec='microseconds')} {fields[1]} {tag} "


# 4288 of "ProcessId": "4288" | c8a0 of {716d09e4-c8a0-64eb-...} | 34:46.532 of a time
_JSON_VALUES = (
    re.compile(rb'ProcessI[dD]": "?(\d+)'),
    re.compile(rb'ThreadID": "?(\d+)'),
    re.compile(rb'RecordNumber": "?(\d+)'),
    re.compile(rb"\{[0-9a-f]{8}-([0-9a-f]{4})"),
    re.compile(rb"\d-\d\d[T ]\d\d:(\d\d:\d\d\.\d+)"),
)


def write_windows_log(path: Path, copies: int) -> int:
    """Writes the recorded Windows events ``copies`` times; numbers, GUIDs and times drawn anew.

    Returns:
        how many events were written.
    """
    rng = random.Random(_SEED)  # noqa: S311 - measurements need no secrets
    with zipfile.ZipFile(SAMPLES / "windows.zip") as archive:
        lines = archive.read(archive.namelist()[0]).splitlines(keepends=True)
    with path.open("wb") as file:
        for line in itertools.chain.from_iterable(itertools.repeat(lines, copies)):
            spans = sorted(m.span(1) for values in _JSON_VALUES for m in values.finditer(line))
            end = 0
            for start, stop in spans:
                file.write(line[end:start])
                file.write(_drawn_bytes(line[start:stop], rng.random()))
                end = stop
            file.write(line[end:])
    return copies * len(lines)


def _drawn_bytes(value: bytes, draw: float) -> bytes:
    if b":" in value:
        second = int(draw * 3600)
        return b"%02d:%02d.%03d" % (second // 60, second % 60, int(draw * 1e6) % 1000)
    if value.isdigit():
        return b"%d" % int(draw * 10 ** len(value))
    return b"%04x" % int(draw * 65536)


_CHUNK_BYTES = 65536
_FILLED = 20  # most sample files hold a handful of records in a chunk; real logs fill them


def evtx_source(data: Path | None) -> Path:
    """Returns where the records of ``write_evtx`` come from."""
    archive = data / "parsing" / "evtx" / "evtx_attack_samples.tar.xz" if data else None
    return archive if archive and archive.is_file() else SAMPLES / "evtx.evtx"


def write_evtx(path: Path, data: Path | None, records: int) -> tuple[int, str]:
    """Writes an EVTX file of at least ``records`` records: well-filled real chunks, repeated.

    Returns:
        how many records it holds, and where its chunks come from.
    """
    source = evtx_source(data)
    if source.suffix == ".xz":
        chunks = [chunk for file in _evtx_members(source) for chunk in _filled(file)]
        origin = f"{len(chunks)} chunks of EVTX-ATTACK-SAMPLES that hold {_FILLED} records or more"
    else:
        chunks = _filled(source.read_bytes())
        origin = f"{len(chunks)} chunks of the made sample_logs/evtx.evtx"
    written, count = 0, 0
    with path.open("wb") as file:
        file.write(bytes(4096))
        while count < records:
            chunk = chunks[written % len(chunks)]
            file.write(chunk)
            written, count = written + 1, count + _held(chunk)
        file.seek(0)
        head = struct.pack(
            "<8sQQQIHHHH", b"ElfFile\0", 0, written - 1, count + 1, 128, 1, 3, 4096,
            written & 0xFFFF,
        ).ljust(120, b"\0")  # fmt: skip
        file.write(head + struct.pack("<II", 0, zlib.crc32(head)))
    return count, origin


def _evtx_members(archive: Path) -> Iterator[bytes]:
    with tarfile.open(archive) as members:
        for member in members:
            file = members.extractfile(member) if member.name.endswith(".evtx") else None
            if file is not None:
                yield file.read()


def _filled(data: bytes) -> list[bytes]:
    chunks = [data[at : at + _CHUNK_BYTES] for at in range(4096, len(data), _CHUNK_BYTES)]
    whole = [chunk for chunk in chunks if chunk.startswith(b"ElfChnk\0")]
    return [chunk for chunk in whole if len(chunk) == _CHUNK_BYTES and _held(chunk) >= _FILLED]


def _held(chunk: bytes) -> int:
    first, last = struct.unpack_from("<QQ", chunk, 8)
    return int(last - first + 1)


def digest(paths: list[Path]) -> str:
    """Returns a sha256 over the files' contents, in order."""
    state = hashlib.sha256()
    for path in paths:
        state.update(path.read_bytes())
    return state.hexdigest()
