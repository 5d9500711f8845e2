"""Counts how many of the first alerts of the quick start are hostile by the label files.

    python scripts/benchmarks/quickstart.py

Ingests ``sample_logs`` as the quick start does and ranks the alerts of each model by itself, the
frequency baseline beside APE. An alert is hostile where most of its evidence is labelled hostile,
``ignore`` left out. One recording is real, the other samples are made: this shows what a reader of
the README sees, and measures nothing else.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import ROOT, Figure, keep, section

import secad
from secad.base.config import load_config
from secad.triage.reading import AlertFilter

SAMPLES = ROOT / "sample_logs"
PLAIN = (
    "auditd.log.gz", "syslog.log", "text.log.gz", "weblog.log", "evtx.evtx", "windows.zip",
)  # fmt: skip
MAPPED = (("jsonl", "jsonl.jsonl.gz"), ("csv", "csv.csv.gz"))
MODELS = ("ape", "rarity")
FIRST = (10, 20, 50)
_HOW = "sample_logs, cross-fit, seed 0, each model's alerts ranked by themselves"


def labels() -> dict[tuple[str, int], str]:
    """Returns (source, line) -> label; a source in an archive is ``archive!member``."""
    found = {}
    for path in sorted((SAMPLES / "labels").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["source_file"], int(row["line"])] = row["label"]
    return found


def hostility(store: secad.Secad, model: str) -> list[tuple[bool, str]]:
    """Returns for each ranked alert of a model whether it is hostile, and its dataset."""
    truth = labels()
    of_alert: dict[str, list[str]] = {}
    for row in store.alert_store.evidence().to_pylist():
        source = str(Path(row["source_path"]).relative_to(SAMPLES))
        label = truth.get((source, row["line"]), "normal")
        of_alert.setdefault(row["alert_id"], []).append(label)
    stored = store.alert_store.alerts(AlertFilter(detector=model)).to_pylist()
    dataset = {alert["alert_id"]: alert["dataset"] for alert in stored}
    told = []
    for alert in store.rank().to_pylist():
        if alert["alert_id"] in dataset:
            counted = [label for label in of_alert[alert["alert_id"]] if label != "ignore"]
            hostile = counted.count("hostile") * 2 > len(counted)
            told.append((hostile, dataset[alert["alert_id"]]))
    return told


def figures(store: secad.Secad) -> list[Figure]:
    """Returns the counts of each model."""
    rows = []
    for model in MODELS:
        told = hostility(store, model)
        for first in FIRST:
            hostile = sum(flag for flag, _ in told[:first])
            what = f"{model}: hostile among the first {first}"
            rows.append(Figure(what, hostile, "alerts", _HOW))
        places = [place for place, row in enumerate(told, 1) if row == (True, "windows")]
        first_place = float(places[0]) if places else float("nan")
        what = f"{model}: place of the recorded attack's first alert"
        rows.append(Figure(what, first_place, "of the ranking", _HOW))
    return rows


def main() -> int:
    """Runs it."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with TemporaryDirectory() as folder:
        store = secad.open(Path(folder) / "store", load_config(environment={}))
        store.ingest([str(SAMPLES / name) for name in PLAIN])
        for name, file in MAPPED:
            store.ingest([str(SAMPLES / file)], format=name, map_file=SAMPLES / f"{name}.toml")
        store.detect(MODELS)
        found = figures(store)
    data = hashlib.sha256()
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file():
            data.update(path.read_bytes())
    command = "python scripts/benchmarks/quickstart.py"
    sections = {"ranking": section(found, command, data.hexdigest(), os.getloadavg()[0])}
    print(keep("quickstart", sections, ["ranking"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
