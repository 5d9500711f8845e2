"""Runs of secad's command line as processes of their own, timed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import Run, run_process


@dataclass(frozen=True)
class Setting:
    """What every section gets.

    Args:
        data: folder of the labelled data, None where there is none.
        work: an empty folder for the large files.
        lines: lines of each text log.
    """

    data: Path | None
    work: Path
    lines: int


def secad(*arguments: str, allowed: Sequence[int] = (0,)) -> Run:
    """Runs secad's command line as a process of its own."""
    return run_process([sys.executable, "-m", "secad", *arguments], allowed=allowed)


@dataclass(frozen=True)
class Ingest:
    """One ingest.

    Args:
        seconds: from the first byte read to the last event committed.
        events: that were committed.
        process: the whole process.
    """

    seconds: float
    events: int
    process: Run

    def words(self) -> str:
        """Returns what it took, for a line of the results."""
        whole = self.process
        return (
            f"{whole.cpu_s / self.events * 1e6:.1f} µs of CPU each, "
            f"{whole.cpu_s / whole.seconds:.1f} cores, {whole.peak_mb:,.0f} MB; with start-up "
            f"{self.events / whole.seconds:,.0f}/s"
        )


def ingest(store: Path, log: Path) -> Ingest:
    """Reads a log into a store."""
    # exit code 3: some of the samples' own records are damaged, and are rejects
    run = secad("--store", str(store), "--log-format", "json", "--no-progress", "ingest", "logs",
                str(log), allowed=(0, 3))  # fmt: skip
    rows = [json.loads(line) for line in run.told.splitlines() if line.startswith("{")]
    total = next(row for row in rows if "seconds" in row)
    return Ingest(total["seconds"], total["events"], run)


def remove(work: Path) -> None:
    """Removes what a section left in its folder."""
    for path in work.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
