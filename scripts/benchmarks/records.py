"""Large logs of records (JSON, Zeek's TSV, EVTX) for measurements, made from samples.

As in ``inputs``: the same shapes, times that move on, numbers and addresses drawn anew.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from inputs import CHUNK_LINES, SAMPLES, SEED, START, Part, drawn, parts_of

_STEP = timedelta(milliseconds=10)
_ZEEK = "ape/lsass_campaigns/campaign_01_zeek_logs.zip"
# 1772433175.411093 of a field | 2026-03-02T07:32:55.411093+0100
_EPOCH = re.compile(r"\b1[4-9]\d{8}\.\d+")
_ISO = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:?\d\d|Z)?")


@dataclass(frozen=True)
class Kind:
    """A kind of structured log that is measured.

    Args:
        name: the word for it in results.
        source: the file its records come from.
        header: lines before the first record.
        records: the records' lines.
        time: what a time looks like in them.
        written: writes a time.
        least: events a second that are asked for.
    """

    name: str
    source: Path
    header: tuple[str, ...]
    records: tuple[str, ...]
    time: re.Pattern[str]
    written: Callable[[datetime], str]
    least: int


def kinds(data: Path | None) -> list[Kind]:
    """Returns the structured logs to measure; Zeek's are recorded ones where ``data`` is there."""
    recorded = data / _ZEEK if data else None
    if recorded and recorded.is_file():
        source = recorded
        with zipfile.ZipFile(recorded) as archive:
            lines = archive.read("conn.log").decode().splitlines()
    else:
        source = SAMPLES / "zeek.log"
        lines = source.read_text("utf-8").splitlines()
    header = tuple(line for line in lines if line.startswith("#") and not line.startswith("#close"))
    rows = tuple(line for line in lines if not line.startswith("#"))
    eve = SAMPLES / "suricata.json"
    events = tuple(eve.read_text("utf-8").splitlines())
    return [
        Kind("Zeek TSV", source, header, rows, _EPOCH, _epoch, 1_000_000),
        Kind("Zeek JSON", source, (), _as_json(header, rows), _EPOCH, _epoch, 400_000),
        Kind("Suricata EVE (made)", eve, (), events, _ISO, _iso, 400_000),
    ]


def write_records(kind: Kind, path: Path, count: int) -> None:
    """Writes ``count`` records of a kind to ``path``."""
    shapes = [_shape(kind, record) for record in kind.records]
    rng = random.Random(SEED)  # noqa: S311 - measurements need no secrets
    moment = START
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in kind.header)
        for start in range(0, count, CHUNK_LINES):
            written = []
            for _ in range(min(CHUNK_LINES, count - start)):
                time = kind.written(moment)
                pieces = shapes[int(rng.random() * len(shapes))]
                written.append(time.join(drawn(piece, rng) for piece in pieces))
                moment += _STEP
            file.write("\n".join(written) + "\n")


def _shape(kind: Kind, record: str) -> list[list[Part]]:
    """Returns what stands before, between and behind the times of a record."""
    return [parts_of(piece) for piece in kind.time.split(record)]


def _epoch(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}+0000"


def _as_json(header: tuple[str, ...], rows: tuple[str, ...]) -> tuple[str, ...]:
    """Returns Zeek's TSV rows as its JSON writer writes them."""
    about = {line.split("\t")[0]: line.split("\t")[1:] for line in header}
    names, types = about["#fields"], about["#types"]
    return tuple(
        json.dumps(
            {
                name: _zeek_value(value, kind)
                for name, kind, value in zip(names, types, row.split("\t"), strict=True)
                if value != "-"
            },
            separators=(",", ":"),
        )
        for row in rows
    )


def _zeek_value(value: str, kind: str) -> object:
    if kind in {"time", "interval", "double"}:
        return float(value)
    if kind in {"count", "port", "int"}:
        return int(value)
    if kind == "bool":
        return value == "T"
    return [item for item in value.split(",") if item != "(empty)"] if "[" in kind else value


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
    rng = random.Random(SEED)  # noqa: S311 - measurements need no secrets
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
