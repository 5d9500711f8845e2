"""Measures speed and memory beside a peer, on this machine, in this run.

    python scripts/benchmarks/speed.py --data ../shared/data          everything
    python scripts/benchmarks/speed.py --only start --only ranking    some sections

Prints JSON and a Markdown table and keeps both under ``results/``. Without ``--data`` the text logs
are made from ``sample_logs``, which the results say. A rate counts from the first byte read to the
last event committed, as ``secad ingest`` tells it, and the peer's loop likewise; the rate of the
whole process, with its start-up, stands beside it. numba's kernels were compiled before, by a run
on a small file, as after a first use.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import inputs
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from measure import RESULTS, ROOT, Figure, keep, run_process, section
from runs import Setting, ingest, remove, secad
from speed_records import evtx, records, windows

_PEER = str(Path(__file__).parent / "peer_drain3.py")
_LOGNORM_RULES = str(Path(__file__).parent / "peer_liblognorm.rb")
_RUNS = 3
_WARM_LINES = 2_000
_BATCH_ROWS = 200_000
_MEMORY_TIMES = 10
_ALERTS = 100_000


def text(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Lines per second of text logs, templates included, beside drain3 and beside reading alone."""
    figures: list[Figure] = []
    systems = inputs.systems(setting.data)
    for system in systems:
        small, log = setting.work / "small.log", setting.work / "text.log"
        inputs.write_text_log(system, small, _WARM_LINES)
        inputs.write_text_log(system, log, setting.lines)
        ingest(setting.work / "warm", small)
        figures += _beside_drain3(system, setting, log)
        if system.name == "OpenSSH":
            figures += _beside_liblognorm(log, setting.lines)
        remove(setting.work)
    return figures, [system.sample for system in systems]


def _beside_drain3(system: inputs.System, setting: Setting, log: Path) -> list[Figure]:
    name, count, work = system.name, setting.lines, setting.work
    clusters = work / "clusters.json"
    runs = [ingest(work / f"text-store-{number}", log) for number in range(_RUNS)]
    ours = sorted(runs, key=lambda run: run.seconds)[_RUNS // 2]
    peer = run_process([sys.executable, _PEER, str(log), str(system.head_fields), str(clusters)])
    told = json.loads(peer.output)
    how = f"{count:,} lines made from {'real' if system.real else 'made'} {name} lines"
    limit = count / _read_seconds(log)
    share = count / ours.seconds / limit
    whole = peer.seconds / ours.process.seconds
    figures = [
        Figure(f"{name}: file to committed events", count / ours.seconds, "lines/s",
               f"{how}; median of {_RUNS}; {ours.words()}"),
        Figure(f"{name}: plain drain3 loop", count / told["seconds"], "lines/s",
               f"the same lines and masks, {told['clusters']} clusters"),
        _ratio(f"{name}: events beside drain3", told["seconds"] / ours.seconds, 8,
               f"whole processes with start-up: {whole:.1f} times"),
        Figure(f"{name}: reading alone", limit, "lines/s",
               f"counting newlines, the limit, of which the events reach {share:.1%}"),
    ]  # fmt: skip
    if system.mined:
        alone = _template_seconds(system, log)
        step = f"both without reading; {count / alone:,.0f} messages/s, one thread"
        agreement = _agreement(work / "text-store-0", clusters, work)
        figures += [
            _ratio(f"{name}: template step beside drain3", told["mining_s"] / alone, 15, step),
            Figure(f"{name}: templates and drain3's", agreement, "adjusted Rand index",
                   "1 is the same grouping of all lines"),
        ]  # fmt: skip
    return figures


def _beside_liblognorm(log: Path, count: int) -> list[Figure]:
    """Returns the rate of Debian's lognormalizer, which parses lines by rules into JSON."""
    what, program = "OpenSSH: lognormalizer", shutil.which("lognormalizer")
    if program is None:
        return [Figure(what, 0.0, "lines/s", "not installed: apt install liblognorm-utils")]
    with log.open("rb") as lines:
        run = run_process([program, "-r", _LOGNORM_RULES, "-e", "json"], stdin=lines)
    parsed = sum(b"unparsed-data" not in line for line in run.output.encode().splitlines())
    how = f"rules in peer_liblognorm.rb, which fit {parsed / count:.1%} of the lines; one thread"
    return [Figure(what, count / run.seconds, "lines/s", how)]


def _ratio(what: str, value: float, least: float, how: str) -> Figure:
    return Figure(what, value, "times", how, f"at least {least:g}", value >= least)


def _read_seconds(log: Path) -> float:
    began = time.perf_counter()
    with log.open("rb", buffering=0) as file:
        while block := file.read(8 << 20):
            block.count(b"\n")
    return time.perf_counter() - began


def _template_seconds(system: inputs.System, log: Path) -> float:
    from secad.features.templates import TemplateMiner

    messages = pa.array(list(inputs.messages_of(system, log)), pa.string())
    TemplateMiner("warm").assign(messages.slice(0, 100))
    miner = TemplateMiner("speed")
    began = time.perf_counter()
    for start in range(0, len(messages), _BATCH_ROWS):
        miner.assign(messages.slice(start, _BATCH_ROWS))
    return time.perf_counter() - began


def _agreement(store: Path, clusters: Path, work: Path) -> float:
    """Returns the adjusted Rand index of our templates and the peer's clusters."""
    rows = work / "templates.parquet"
    secad("--store", str(store), "events", "export", "--columns", "line,template_id",
          "-o", str(rows), "--force")  # fmt: skip
    ours = pq.read_table(rows).sort_by("line")
    theirs = np.array(json.loads(clusters.read_text()))[ours.column("line").to_numpy() - 1]
    codes = ours.column("template_id").combine_chunks().dictionary_encode().indices.to_numpy()
    return adjusted_rand(codes.astype(np.int64), theirs.astype(np.int64))


def adjusted_rand(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """Returns the adjusted Rand index of two groupings of the same things."""
    pairs = np.unique(one * (other.max() + 1) + other, return_counts=True)[1]
    sums = [np.sum(counts * (counts - 1.0)) / 2 for counts in
            (pairs, np.bincount(one), np.bincount(other))]  # fmt: skip
    total = len(one) * (len(one) - 1.0) / 2
    expected = sums[1] * sums[2] / total
    most = (sums[1] + sums[2]) / 2
    return float((sums[0] - expected) / (most - expected)) if most > expected else 1.0


def memory(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Peak memory of a long ingest."""
    system = inputs.systems(setting.data)[0]
    count = setting.lines * _MEMORY_TIMES
    log = setting.work / "long.log"
    inputs.write_text_log(system, log, count)
    run = ingest(setting.work / "long-store", log)
    peak = run.process.peak_mb
    how = (
        f"{count:,} lines of {system.name}, {log.stat().st_size / 1e9:.2f} GB, {run.seconds:.0f} s"
    )
    figure = Figure("peak memory of one ingest", peak, "MB", how, "under 1,500", peak < 1_500)
    remove(setting.work)
    return [figure], [system.sample]


def start(_setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Time of ``secad --help``."""
    times = sorted(secad("--help").seconds for _ in range(6))
    median = times[len(times) // 2]
    how = f"median of {len(times)} processes, {times[0]:.2f} to {times[-1]:.2f}"
    figure = Figure("secad --help", median, "s", how, "under 0.3", median < 0.3)
    return [figure], []


def ranking(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Time of ``rank-alerts`` over a full alert store."""
    from secad.api import Secad

    folder = setting.work / "alert-store"
    Secad(folder).alert_store.upsert(_alerts(_ALERTS))
    runs = [secad("--store", str(folder), "rank-alerts", "--top", "50") for _ in range(3)]
    times = sorted(run.seconds for run in runs)
    if runs[0].output.count("\n") != 50:
        raise SystemExit("rank-alerts did not print 50 alerts")
    how = f"median of {len(times)} processes, top 50"
    what = f"rank-alerts over {_ALERTS:,} stored alerts"
    figure = Figure(what, times[1], "s", how, "under 1", times[1] < 1)
    remove(setting.work)
    return [figure], []


def _alerts(count: int) -> pa.Table:
    """Returns made alerts: 90 days, 500 hosts, four detectors' worth of scores."""
    from secad.base.schemas import ALERTS

    dice = np.random.default_rng(3)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    rows = []
    for number, draw in enumerate(dice.random(count)):
        moment = began + timedelta(seconds=float(draw) * 90 * 86400)
        host = f"host-{number % 500}"
        rows.append({
            "alert_id": f"{number:020x}", "fingerprint": f"{number % 60_000:020x}",
            "fingerprint_key": [("host_name", host)], "detector": ("ape", "rarity")[number % 2],
            "model_id": "m1", "dataset": "windows", "view": f"view {number % 12}",
            "time_start": moment, "time_end": moment + timedelta(minutes=number % 50),
            "count": 1 + number % 9, "severity": 2 + number % 4, "score": 10 * float(draw),
            "p_value": (1 + number % 999) / 1e6, "p_extrapolated": False,
            "reason": f"process {number % 300} with parent {number % 77} on {host}", "badges": [],
            "entities": [{"type": "host", "value": host, "role": "host_name"}], "techniques": [],
            "explanation": [{"name": "process_name", "value": "x", "expected": "y", "weight": 1.0}],
            "evidence": [{
                "event_id": number.to_bytes(16, "big"), "time": moment, "source_id": "00" * 10,
                "source_path": "made.log", "line": number, "byte_offset": number * 100,
                "byte_length": 99, "sha256": f"{number:064x}", "contribution": 1.0,
            }],
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ALERTS)


def _stages(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Where the time goes; loaded only when it is asked for, since it imports all of ingest."""
    from speed_stages import stages

    return stages(setting)


SECTIONS: Mapping[str, Callable[[Setting], tuple[list[Figure], list[Path]]]] = {
    "text": text,
    "stages": _stages,
    "records": records,
    "windows": windows,
    "evtx": evtx,
    "memory": memory,
    "start": start,
    "ranking": ranking,
}


def main() -> int:
    """Runs the sections asked for; exit code 1 where a target is missed."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--data", type=Path, help="folder of the labelled data")
    arguments.add_argument("--only", action="append", choices=list(SECTIONS), help="a section")
    arguments.add_argument("--lines", type=int, default=1_000_000, help="lines of each text log")
    arguments.add_argument("--out", type=Path, default=RESULTS, help="where results are kept")
    chosen = arguments.parse_args()
    data = chosen.data.resolve() if chosen.data else None
    if data and not data.is_dir():
        arguments.error(f"--data {chosen.data} is no folder")
    command = "python scripts/benchmarks/speed.py" + (" --data ../shared/data" if data else "")
    found: dict[str, Mapping[str, Any]] = {}
    for name in chosen.only or SECTIONS:
        print(f"measuring {name}", file=sys.stderr)
        load = os.getloadavg()[0]
        with TemporaryDirectory(prefix="secad-speed-") as work:
            figures, sources = SECTIONS[name](Setting(data, Path(work), chosen.lines))
        told = f"{command} --only {name}"
        if chosen.lines != 1_000_000:
            told += f" --lines {chosen.lines}"
        found[name] = section(figures, told, inputs.digest(sources), load)
    print(json.dumps(found, indent=1))
    print(keep("speed", found, list(SECTIONS), chosen.out))
    return 0 if all(row["met"] is not False for s in found.values() for row in s["figures"]) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
