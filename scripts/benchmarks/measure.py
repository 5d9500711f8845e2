"""Whole processes measured, the machine described, results kept as JSON and Markdown."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "scripts" / "benchmarks" / "results"


@dataclass(frozen=True)
class Run:
    """What one process took.

    Args:
        seconds: from its start to its end, start-up included.
        cpu_s: user and system time of all its threads.
        peak_mb: the most memory that it held, in units of 10**6 bytes.
        output: its standard output.
        told: its standard error.
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    output: str
    told: str


@dataclass(frozen=True)
class Figure:
    """One line of the results.

    Args:
        what: what was measured.
        value: the number.
        unit: of the number.
        how: what it was measured on, and how.
        target: what the number should be, in words; None where nothing was promised.
        met: whether it is; None without a target.
    """

    what: str
    value: float
    unit: str
    how: str
    target: str | None = None
    met: bool | None = None


def run_process(
    command: Sequence[str], *, allowed: Sequence[int] = (0,), stdin: IO[bytes] | None = None
) -> Run:
    """Runs a command to its end.

    Args:
        command: the words.
        allowed: exit codes that are no failure.
        stdin: what it reads, where it does.

    Raises:
        SystemExit: it failed; the message carries what it wrote to standard error.
    """
    began = time.perf_counter()
    with TemporaryFile("w+") as output, TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdin=stdin, stdout=output, stderr=told, cwd=ROOT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [(file.seek(0), file.read())[1] for file in (output, told)]
    if process.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{texts[1]}")
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return Run(seconds, used.ru_utime + used.ru_stime, peak, *texts)


def machine() -> dict[str, Any]:
    """Returns what the figures depend on besides the program."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(": ")[2] if lines else ""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "cpu": model or platform.processor(),
        "memory_gb": round(pages / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def commit() -> str:
    """Returns the checkout's commit, with ``+`` where the tree differs from it."""

    def git(*arguments: str) -> str:
        run = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return run.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + ("+" if changed else "")


def keep(
    name: str,
    sections: Mapping[str, Mapping[str, Any]],
    order: Sequence[str],
    folder: Path = RESULTS,
) -> str:
    """Lays sections over those kept in ``<name>.json``, writes it and ``<name>.md``.

    Args:
        name: of the benchmark.
        sections: as ``section`` makes them, by name.
        order: of all sections in the Markdown text.
        folder: where the files go.

    Returns:
        the Markdown text.
    """
    path = folder / f"{name}.json"
    kept = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    newest = {**kept, **sections}
    merged = {key: newest[key] for key in order if key in newest}
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    text = _markdown(name, merged)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return text


def section(
    figures: Sequence[Figure], command: str, data_sha256: str, load: float
) -> dict[str, Any]:
    """Returns a section of the results: figures, and what they depend on.

    Args:
        figures: in the order of the table.
        command: that measured them.
        data_sha256: of the samples behind them.
        load: how many processes were running or waiting before, on average over a minute.
    """
    return {
        "figures": [asdict(figure) for figure in figures],
        "command": command,
        "commit": commit(),
        "data_sha256": data_sha256,
        "load_before": round(load, 1),
        "machine": machine(),
    }


def _markdown(name: str, sections: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"# {name.capitalize()}", "", "Written by the commands below; do not edit.", ""]
    lines += ["| what | figure | target | met | how |", "|---|---|---|---|---|"]
    for found in sections.values():
        for row in found["figures"]:
            met = {True: "yes", False: "**no**", None: ""}[row["met"]]
            value = f"{_number(row['value'])} {row['unit']}".strip()
            lines.append(
                f"| {row['what']} | {value} | {row['target'] or ''} | {met} | {row['how']} |"
            )
    lines.append("")
    for key, found in sections.items():
        host = found["machine"]
        lines.append(
            f"- **{key}**: `{found['command']}`, commit {found['commit']}, data sha256 "
            f"{found['data_sha256'][:12]}; {host['cores']} cores of {host['cpu']}, "
            f"{host['memory_gb']} GB, {host['system']}, Python {host['python']}, "
            f"load before {found['load_before']}"
        )
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
