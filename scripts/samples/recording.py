"""``windows.zip``: a recorded attack of the OTRF Security-Datasets, copied whole, with its labels.

The archive is the original one, byte for byte. The labels were made for this project: the payload
is known by its name and the description, hostile is what it and its descendants did.
"""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from pathlib import Path

from samples.log import HOSTILE, IGNORE, Label

ARCHIVE = "windows.zip"
SHA256 = "2b32f11b1465f49df8bb4040652b001e4bb8a92de6ae7e84c2977abe68273f04"
MEMBER = "metasploit_procdump_lsass_memory_dump.json"
SOURCE_FILE = f"{ARCHIVE}!{MEMBER}"
_ORIGINAL = "campaign_02_host.zip"
_PROCESSES = "campaign_02_malicious_processes.csv"
_EVENTS = "campaign_02_positive_events.csv"
_DEEDS = {
    1: "started by",
    3: "connection by",
    5: "end of",
    7: "library loaded by",
    10: "process opened by",
    11: "file made by",
    12: "registry key touched by",
    13: "registry value set by",
    17: "pipe made by",
    18: "pipe opened by",
    22: "name looked up by",
    23: "file deleted by",
    29: "executable dropped by",
}


def read(folder: Path) -> tuple[bytes, list[Label]]:
    """Returns the archive and the labels of its lines.

    Args:
        folder: holds the archive and the two label tables as they were made.

    Raises:
        ValueError: the archive is not the one that the labels belong to.
    """
    archive = (folder / _ORIGINAL).read_bytes()
    check(archive)
    with zipfile.ZipFile(folder / _ORIGINAL) as members, members.open(MEMBER) as lines:
        events = dict(enumerate(lines, start=1))
        positives = _rows(folder / _EVENTS)
        names = {row["process_guid"].lower(): _name(row) for row in _rows(folder / _PROCESSES)}
        labels = [_label(row, json.loads(events[int(row["line"])]), names) for row in positives]
    return archive, sorted(labels, key=lambda label: label.line)


def check(archive: bytes) -> None:
    """Raises ValueError where ``archive`` is not the original recording."""
    found = hashlib.sha256(archive).hexdigest()
    if found != SHA256:
        raise ValueError(f"{ARCHIVE} has sha256 {found}, the original has {SHA256}")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _name(row: dict[str, str]) -> str:
    return row["image"].rpartition("\\")[2] + (" (payload)" if row["role"] == "payload" else "")


def _label(row: dict[str, str], event: dict[str, str], names: dict[str, str]) -> Label:
    line, number = int(row["line"]), int(row["event_id"])
    keys = ("SourceProcessGUID", "SourceProcessGuid", "ParentProcessGuid", "ProcessGuid")
    guids = [event[key].lower() for key in keys if key in event]
    if row["kind"] == "target_only":
        return Label(line, IGNORE, "a normal process opens a hostile one")
    if row["kind"] == "root_start":
        return Label(line, HOSTILE, f"the payload is started: {event['Image']}")
    who = next((names[guid] for guid in guids if guid in names), "a hostile process")
    if number == 1:
        return Label(line, HOSTILE, f"{event['Image']} started by {who}")
    if row["targets_lsass"] == "1":
        return Label(line, HOSTILE, f"LSASS opened by {who}")
    return Label(line, HOSTILE, f"{_DEEDS[number]} {who}")
