"""Makes the made files of ``sample_logs/`` and all label files; the same bytes in every run.

    python scripts/make_sample_logs.py            write them
    python scripts/make_sample_logs.py --check    tell which differ from what would be written

The recorded ``windows.zip`` is copied, not made: ``--recording FOLDER`` takes it and its labels
from the folder that holds the original archive and its two label tables; without it, only the
archive's checksum is verified. Detection scores had no part in making these files.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from importlib import import_module
from pathlib import Path

from samples import alerts, recording
from samples.log import label_table

MADE = [
    "apache_error",
    "asa",
    "auditd",
    "aws",
    "bind",
    "cef",
    "cluster",
    "directory",
    "dns",
    "dnsmasq",
    "dovecot",
    "elastic",
    "evtx",
    "fleet",
    "forge",
    "haproxy",
    "http_api",
    "journald",
    "keyvalue",
    "leef",
    "netfilter",
    "nginx_error",
    "okta",
    "opentelemetry",
    "pf",
    "postfix",
    "provenance",
    "security_lake",
    "signins",
    "subscription",
    "suricata",
    "syslog",
    "syslog_json",
    "text",
    "weblog",
    "zeek",
]  # modules of samples/, each with make()
FOLDER = Path(__file__).resolve().parent.parent / "sample_logs"


def made_files() -> dict[str, bytes]:
    """Returns every made file and its label file, by path under ``sample_logs/``."""
    files = alerts.make_all()
    for name in MADE:
        sample = import_module(f"samples.{name}").make()
        packed = sample.name.endswith(".gz")
        files[sample.name] = gzip.compress(sample.data, mtime=0) if packed else sample.data
        files[_label_file(sample.name)] = label_table(sample.name, sample.labels)
    return files


def recorded_files(folder: Path) -> dict[str, bytes]:
    """Returns the recording and its label file, by path under ``sample_logs/``."""
    archive, labels = recording.read(folder)
    return {
        recording.ARCHIVE: archive,
        _label_file(recording.ARCHIVE): label_table(recording.SOURCE_FILE, labels),
    }


def _label_file(name: str) -> str:
    return f"labels/{name.partition('.')[0]}.csv"


def _differing(files: dict[str, bytes], out: Path) -> list[str]:
    return [
        name
        for name, data in files.items()
        if not (out / name).is_file()
        or _plain(name, (out / name).read_bytes()) != _plain(name, data)
    ]


def _plain(name: str, data: bytes) -> bytes:
    """Returns what a file holds: compressors differ from machine to machine."""
    return gzip.decompress(data) if name.endswith(".gz") else data


def main() -> int:
    """Writes or checks the files; returns the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument(
        "--check", action="store_true", help="only compare, exit 1 on a difference"
    )
    arguments.add_argument("--out", type=Path, default=FOLDER, help="where the files go")
    arguments.add_argument("--recording", type=Path, help="folder of the original recording")
    chosen = arguments.parse_args()
    files = made_files()
    if chosen.recording:
        files |= recorded_files(chosen.recording)
    elif chosen.check:
        recording.check((chosen.out / recording.ARCHIVE).read_bytes())
    differing = _differing(files, chosen.out)
    for name in differing:
        print(f"{'differs' if chosen.check else 'written'}: {name}")
        if not chosen.check:
            path = chosen.out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
    print(f"{len(files)} files, {len(files) - len(differing)} as they should be")
    return 1 if chosen.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
