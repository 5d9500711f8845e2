from __future__ import annotations

import csv
import gzip
import io
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from evtx import PyEvtxParser

from secad.base.protocols import Frames
from secad.plugins import format_named, format_names

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_logs"
LABELS = sorted((SAMPLES / "labels").glob("*.csv"))
MAX_BYTES = 8_000_000
ADDRESSES = {  # where the addresses of a made log stand
    "asa": r"[^\d.](\d+\.\d+\.\d+\.\d+)(?=[/ )]|$)",
    "auditd": r" l?addr=(\S+)",
    "bind": r"client @\S+ ([^#]+)#",
    "dnsmasq": r" from ([0-9.]+)$",
    "dovecot": r" rip=([^,]+)",
    "netfilter": r" (?:SRC|DST)=(\S+)",
    "pf": r",(\d+\.\d+\.\d+\.\d+|2001:[0-9a-f:]+)(?=,)",
    "postfix": r"[^d]\[([0-9][^\]]*\.[^\]]*)\]",
    "csv": r"^2026[^,]*,([^,]+),",
    "jsonl": r'"ip":"([^"]+)"',
    "suricata": r'_ip":"([0-9a-f:.]+)"',
    "syslog": r"(?: from |rhost=|SRC=|DST=)([0-9a-f:.]+\d)(?= |$)",
    "weblog": r"^(\S+) ",
    "zeek": r"\b(\d+\.\d+\.\d+\.\d+)\b",
}


def sample_of(name: str) -> Path:
    found = [path for path in SAMPLES.glob(f"{name}.*") if path.suffix != ".toml"]
    assert len(found) == 1, f"one sample of {name} is expected, found {found}"
    return found[0]


def plain(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def label_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def records(name: str) -> int:
    path = sample_of(name)
    if name == "evtx":
        return sum(1 for _ in PyEvtxParser(str(path)).records())
    data = plain(path)
    form = format_named(name)
    if isinstance(form, Frames) and form.is_framed(data[: 1 << 16]):
        return sum(lines.num_rows for lines, _ in form.frames(io.BytesIO(data), 1 << 20))
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(archive.namelist()[0])
    return data.count(b"\n")


def test_the_made_files_are_what_the_script_makes() -> None:
    script = ROOT / "scripts" / "make_sample_logs.py"
    run = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", format_names())
def test_every_format_has_one_sample_with_labels(name: str) -> None:
    assert sample_of(name).stat().st_size > 0
    assert (SAMPLES / "labels" / f"{name}.csv").is_file()


@pytest.mark.parametrize("path", LABELS, ids=lambda path: path.stem)
def test_labels_point_at_lines_of_their_sample_and_say_why(path: Path) -> None:
    last = records(path.stem)
    rows = label_rows(path)
    lines = [int(row["line"]) for row in rows]
    assert lines == sorted(set(lines))
    assert lines[0] >= 1
    assert lines[-1] <= last
    for row in rows:
        assert row["source_file"].startswith(sample_of(path.stem).name)
        assert row["label"] in {"hostile", "ignore"}
        assert row["why"]
    hostile = sum(row["label"] == "hostile" for row in rows)
    assert 0 < hostile < 0.1 * last


def test_the_readme_names_every_file() -> None:
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for path in SAMPLES.iterdir():
        if path.is_file() and path.name != "README.md":
            assert f"`{path.name}`" in text


def test_the_samples_together_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < MAX_BYTES


@pytest.mark.parametrize("name", ADDRESSES)
def test_made_logs_use_only_documentation_and_private_addresses(name: str) -> None:
    text = plain(sample_of(name)).decode()
    addresses = set(re.findall(ADDRESSES[name], text, re.MULTILINE)) - {"?"}
    assert addresses
    for address in addresses:
        assert address.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "10.", "2001:db8:"))


def test_the_made_evtx_carries_the_checksums_that_windows_writes() -> None:
    data = sample_of("evtx").read_bytes()
    assert struct.unpack_from("<I", data, 124)[0] == zlib.crc32(data[:120])
    for start in range(4096, len(data), 65536):
        chunk = data[start : start + 65536]
        free, records_sum = struct.unpack_from("<II", chunk, 48)
        assert records_sum == zlib.crc32(chunk[512:free])
        assert struct.unpack_from("<I", chunk, 124)[0] == zlib.crc32(chunk[:120] + chunk[128:512])
