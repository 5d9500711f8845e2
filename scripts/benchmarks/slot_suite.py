"""The suite ``slots``: types of templates' slots against labels made by reading.

``tests/data/slot_labels.csv`` names a type for each slot of the corrected templates of seven
systems of loghub: three to develop on, four that were looked at only when the rules stood. The
values of a slot are what stands at its place in the lines of the template.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from measure import ROOT, Figure

from secad.features.mining.drain import WILDCARD
from secad.features.slots import slot_types

LABELS = ROOT / "tests" / "data" / "slot_labels.csv"
_LEAST = 0.85
_SAMPLED_LINES = 20  # of each template, as at ingest
_PARTS = {"dev": "developed on", "test": "held out until the rules stood"}

Slots = Mapping[tuple[str, str], Sequence[str]]


def slots(data: Path) -> tuple[list[Figure], list[Path]]:
    """Returns the figures of both parts and the files behind them."""
    figures, sources = [], [LABELS]
    for part, words in _PARTS.items():
        labels = _labels(part)
        systems = sorted({system for system, _ in labels})
        files = [_file(data, system) for system in systems]
        pairs = [
            pair
            for system, path in zip(systems, files, strict=True)
            for pair in _pairs(system, path, labels)
        ]
        precision, recall = _precision_recall(pairs)
        f1 = 2 * precision * recall / (precision + recall)
        right = sum(found == true for found, true in pairs) / len(pairs)
        how = (
            f"{len(pairs)} slots of {', '.join(systems)}, {words}; precision {precision:.3f}, "
            f"recall {recall:.3f}; of all slots, words included, {right:.3f} are right"
        )
        target = f"at least {_LEAST}" if part == "test" else None
        met = f1 >= _LEAST if part == "test" else None
        figures.append(Figure(f"slot types: micro-F1, {part}", f1, "", how, target, met))
        sources += files
    return figures, sources


def _labels(part: str) -> Slots:
    found: dict[tuple[str, str], list[str]] = {}
    with LABELS.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["part"] == part:
                found.setdefault((row["system"], row["event_id"]), []).append(row["type"])
    return found


def _file(data: Path, system: str) -> Path:
    folder = data / "parsing" / "loghub_2k" / system
    path = folder / f"{system}_2k.log_structured_corrected.csv"
    if not path.is_file():
        sys.exit(f"{path} is not there")
    return path


def _pairs(system: str, path: Path, labels: Slots) -> list[tuple[str, str]]:
    """Returns (found, true) types of a system's slots."""
    templates: dict[str, str] = {}
    lines: dict[str, list[str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            templates[row["EventId"]] = row["EventTemplate"]
            lines.setdefault(row["EventId"], []).append(row["Content"])
    pairs = []
    for (of, event), true in labels.items():
        if of == system:
            rows = _values(templates[event], lines[event])[:_SAMPLED_LINES]
            pairs += zip(slot_types(templates[event], rows), true, strict=True)
    return pairs


def _values(template: str, lines: Sequence[str]) -> list[tuple[str, ...]]:
    pattern = re.compile("(.*?)".join(map(re.escape, template.split(WILDCARD))), re.DOTALL)
    return [found.groups() for line in lines if (found := pattern.fullmatch(line))]


def _precision_recall(pairs: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Returns micro precision and recall over all types but ``word``."""
    hits = sum(found == true != "word" for found, true in pairs)
    found = sum(found != "word" for found, _ in pairs)
    true = sum(true != "word" for _, true in pairs)
    return hits / found, hits / true
