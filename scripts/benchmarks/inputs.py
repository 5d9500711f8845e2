"""Large logs for measurements, made from samples: the same shapes, times that move on, new values.

Every number, address and hexadecimal word of a message is drawn anew for each line, user names
come from a large pool, times advance at a rate like the sample's. Synthetic by construction: real
logs repeat more, or vary in other ways.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
_ACCESS_LOG = "glad/sotm34/raw/http/access_log.1"
SEED = 7
CHUNK_LINES = 20_000
START = datetime(2025, 1, 6, tzinfo=UTC)
# 10.250.19.102 | 0x1fe0 | deadbeef01 | 4711, but not the 2 of ssh2: what is drawn anew
_VALUE = re.compile(
    r"(\d{1,3}(?:\.\d{1,3}){3}|0x[0-9a-f]+|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d{2,}|(?<![A-Za-z])\d)"
)
# "user webmaster from", "for invalid user admin from": the name is drawn from a pool
_USER = re.compile(r"(?<=user )\w+|(?<=password for )(?!invalid)\w+|(?<=user=)\w+")
Part = str | tuple[str, int]
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
        mined: whether its templates are mined from messages; else they are columns.
    """

    name: str
    sample: Path
    head_fields: int
    head: Callable[[datetime, list[str], random.Random], str]
    lines_per_second: int
    real: bool
    mined: bool = True


def systems(data: Path | None) -> list[System]:
    """Returns the text logs to measure: loghub's from ``data``, else two of ``sample_logs``."""
    loghub = data / "parsing" / "loghub_2k" if data else None
    if data and loghub and loghub.is_dir():
        return [
            System("OpenSSH", loghub / "OpenSSH/OpenSSH_2k.log", 5, _ssh_head, 4, True),
            System("HDFS", loghub / "HDFS/HDFS_2k.log", 5, _hdfs_head, 80, True),
            System("BGL", loghub / "BGL/BGL_2k.log", 9, _bgl_head, 20, True),
            System("access log", data / _ACCESS_LOG, 5, _web_head, 40, True, mined=False),
        ]
    return [
        System("syslog (made)", SAMPLES / "syslog.log", 3, _iso_head, 4, False),
        System("HDFS (made)", SAMPLES / "text.log.gz", 5, _hdfs_head, 80, False),
        System("access log (made)", SAMPLES / "weblog.log", 5, _web_head, 40, False, mined=False),
    ]


def write_text_log(system: System, path: Path, lines: int) -> None:
    """Writes ``lines`` lines of a system to ``path``."""
    shapes = _shapes(system)
    rng = random.Random(SEED)  # noqa: S311 - measurements need no secrets
    step = timedelta(microseconds=1_000_000 // system.lines_per_second)
    moment = START
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, lines, CHUNK_LINES):
            written = []
            for _ in range(min(CHUNK_LINES, lines - start)):
                fields, parts = shapes[int(rng.random() * len(shapes))]
                written.append(system.head(moment, fields, rng) + drawn(parts, rng))
                moment += step
            file.write("\n".join(written) + "\n")


def messages_of(system: System, path: Path) -> Iterator[str]:
    """Yields the message of each line of a written log."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n").split(None, system.head_fields)[-1]


def _shapes(system: System) -> list[tuple[list[str], list[Part]]]:
    shapes = []
    for line in system.sample.read_text("utf-8", errors="replace").splitlines():
        fields = line.split(None, system.head_fields)
        if len(fields) > system.head_fields:
            shapes.append((fields[:-1], parts_of(fields[-1])))
    return shapes


def parts_of(message: str) -> list[Part]:
    """Cuts a message into literals and (kind, width) pairs of values."""
    parts: list[Part] = []
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


def drawn(parts: list[Part], rng: random.Random) -> str:
    """Returns the parts with values drawn anew."""
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


def _web_head(moment: datetime, fields: list[str], _rng: random.Random) -> str:
    return f"{fields[0]} {fields[1]} {fields[2]} [{moment:%d/%b/%Y:%H:%M:%S} +0000] "


def _iso_head(moment: datetime, fields: list[str], rng: random.Random) -> str:
    tag = re.sub(r"\d+", str(int(rng.random() * 32768)), fields[2])
    return f"{moment.isoformat(timespec='microseconds')} {fields[1]} {tag} "


def digest(paths: list[Path]) -> str:
    """Returns a sha256 over the files' contents, in order."""
    state = hashlib.sha256()
    for path in paths:
        state.update(path.read_bytes())
    return state.hexdigest()
