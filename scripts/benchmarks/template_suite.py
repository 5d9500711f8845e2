"""The suite ``templates``: mined templates against the true ones of loghub's systems.

One default configuration for all systems. The true templates are the corrected ones (Khan et al.,
ICSE 2022) where there are any, the original ones else (Android, Windows). drain3 stands beside
with its defaults, on the bare lines. Each system's lines are read in the order of their file, and
the templates taken as they are after the last line, ids that became part of others included.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from measure import Figure

from secad.features.templates import TemplateMiner
from secad.scoring.grouping import Agreement, agreement

Found = tuple[Sequence[str], Sequence[str]]
_GROUPING, _F1 = 0.90, 0.80  # what the means must reach
_FIGURES = {
    "GA": "grouping_accuracy",
    "FGA": "grouping_f1",
    "PA": "parsing_accuracy",
    "FTA": "template_f1",
}


def templates(data: Path) -> tuple[list[Figure], list[Path]]:
    """Returns the figures of all systems and the files behind them."""
    files = _files(data / "parsing" / "loghub_2k")
    read = {name: _read(path) for name, path in files.items()}
    rows = {
        miner: {name: _agreement(work, *lines) for name, lines in read.items()}
        for miner, work in (("secad", mined), ("drain3", mined_by_drain3))
    }
    figures = [_mean(rows, short) for short in _FIGURES]
    for name, path in files.items():
        kind = "corrected" if path.stem.endswith("corrected") else "original"
        figures.append(_of_system(rows["secad"][name], rows["drain3"][name], name, kind))
    return figures, list(files.values())


def mined(lines: Sequence[str]) -> Found:
    """Returns the template id and the template's text of each line, by secad."""
    miner = TemplateMiner("benchmark")
    ids = miner.assign(pa.array(lines, pa.string())).template_id.to_pylist()
    aliases = miner.aliases()
    ids = [aliases.get(template_id, template_id) for template_id in ids]
    table = miner.templates()
    texts = dict(zip(table["template_id"].to_pylist(), table["template"].to_pylist(), strict=True))
    return ids, [texts[template_id] for template_id in ids]


def mined_by_drain3(lines: Sequence[str]) -> Found:
    """Returns the cluster and its text of each line, by drain3 with its defaults."""
    from drain3 import TemplateMiner as Peer
    from drain3.template_miner_config import TemplateMinerConfig

    peer = Peer(config=TemplateMinerConfig())
    ids = [peer.add_log_message(line)["cluster_id"] for line in lines]
    texts = {cluster.cluster_id: cluster.get_template() for cluster in peer.drain.clusters}
    return [str(cluster) for cluster in ids], [texts[cluster] for cluster in ids]


def _files(folder: Path) -> dict[str, Path]:
    files = {}
    for system in sorted(path for path in folder.glob("*") if path.is_dir()):
        original = system / f"{system.name}_2k.log_structured.csv"
        corrected = original.with_name(f"{original.stem}_corrected.csv")
        files[system.name] = corrected if corrected.is_file() else original
    if not files:
        sys.exit(f"{folder} has no labelled logs")
    return files


def _read(path: Path) -> tuple[list[str], list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["Content"] for row in rows], [row["EventTemplate"] for row in rows]


def _agreement(
    work: Callable[[Sequence[str]], Found], lines: Sequence[str], truth: Sequence[str]
) -> Agreement:
    return agreement(*work(lines), truth)


def _mean(rows: Mapping[str, Mapping[str, Agreement]], short: str) -> Figure:
    ours, theirs = (_values(rows[miner], short) for miner in ("secad", "drain3"))
    how = (
        f"mean of {len(ours)} systems, least {ours.min():.3f}, "
        f"standard deviation {ours.std():.3f}; drain3 {theirs.mean():.3f}"
    )
    least = {"GA": _GROUPING, "FGA": _F1}.get(short)
    if least is None:
        return Figure(f"templates: mean {short}", ours.mean(), "", how)
    target, met = f"at least {least:.2f}", bool(ours.mean() >= least)
    return Figure(f"templates: mean {short}", float(ours.mean()), "", how, target, met)


def _values(rows: Mapping[str, Agreement], short: str) -> np.ndarray:
    return np.array([getattr(found, _FIGURES[short]) for found in rows.values()])


def _of_system(ours: Agreement, theirs: Agreement, name: str, kind: str) -> Figure:
    how = (
        f"{_others(ours)}; drain3 GA {theirs.grouping_accuracy:.3f}, {_others(theirs)}; "
        f"{ours.true} true ones, {kind}"
    )
    return Figure(f"{name}: GA", ours.grouping_accuracy, "", how)


def _others(found: Agreement) -> str:
    rest = list(_FIGURES.items())[1:]
    words = [f"{short} {getattr(found, name):.3f}" for short, name in rest]
    return ", ".join([*words, f"{found.found} templates"])
