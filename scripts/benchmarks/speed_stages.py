"""Where the time of an ingest goes: CPU of one thread for each step, on the logs of the benchmark.

The steps run one behind the other in this process, so that none waits for another; an ingest runs
them beside each other, on as many cores as it has. What is left of an ingest's CPU is its start.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import inputs
import pyarrow as pa
import records as makers
from measure import Figure
from runs import Setting, remove

from secad import plugins
from secad.base.protocols import Format, ParseContext
from secad.collect.columns import HEAD_BYTES
from secad.collect.transports.lines import Place, read_lines
from secad.events.segments import Slot, by_day, write_part
from secad.features.templates import TemplateMiner

_LINES = 400_000
_COMMIT_ROWS = 250_000
T = TypeVar("T")
_STEPS = ("lines", "parse", "canonical form", "template", "parameters", "Parquet")


def stages(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """CPU of each step of reading text logs and Zeek's."""
    figures, sources = [], []
    for system in inputs.systems(setting.data):
        log = setting.work / "log"
        inputs.write_text_log(system, log, _LINES)
        figures.append(_figure(system.name, log, setting.work))
        sources.append(system.sample)
        remove(setting.work)
    for kind in makers.kinds(setting.data):
        log = setting.work / "log"
        makers.write_records(kind, log, _LINES)
        figures.append(_figure(kind.name, log, setting.work))
        sources.append(kind.source)
        remove(setting.work)
    return figures, sources


def _figure(name: str, log: Path, work: Path) -> Figure:
    with log.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = plugins.recognise(head)
    if found is None:
        raise SystemExit(f"no format reads {name}")
    context = ParseContext(datetime.now(UTC), head=head)
    for _ in range(2):  # the first compiles
        spent = dict.fromkeys(_STEPS, 0.0)
        rows = _run(log, found.format, context, work, _Clock(spent))
    each = {step: seconds / rows * 1e6 for step, seconds in spent.items()}
    words = ", ".join(f"{step} {micros:.2f}" for step, micros in each.items() if micros >= 0.005)
    return Figure(f"{name}: CPU of one thread", sum(each.values()), "µs a line", words)


class _Clock:
    """Adds up the CPU seconds of steps."""

    def __init__(self, spent: dict[str, float]) -> None:
        self._spent = spent

    def __call__(self, step: str, work: Callable[[], T]) -> T:
        """Returns what ``work`` does, which counts as the step's."""
        began = time.thread_time()
        made = work()
        self._spent[step] += time.thread_time() - began
        return made


def _run(log: Path, form: Format, context: ParseContext, work: Path, clock: _Clock) -> int:
    """Takes a log through all steps up to its files; returns how many events it has."""
    miner, count = TemplateMiner("stages"), 0
    waiting: list[pa.Table] = []
    with log.open("rb", buffering=1 << 20) as file:
        batches = read_lines(file, Place(), batch_bytes=8 << 20, max_line_bytes=1 << 20)
        while batch := clock("lines", lambda: next(batches, None)):
            events = clock("parse", partial(form.parse, batch.lines, context)).events
            if not form.template_columns:
                texts = events.column("message").combine_chunks()
                forms = clock("canonical form", partial(miner.canonicalise, texts))
                learnt = clock("template", partial(miner.learn, forms))
                assigned = clock("parameters", learnt.assigned)
                events = events.append_column("template_id", assigned.template_id)
                events = events.append_column("template_params", assigned.params)
            waiting.append(events)
            count += events.num_rows
            if sum(table.num_rows for table in waiting) >= _COMMIT_ROWS:
                clock("Parquet", partial(_write, work, waiting, count))
                waiting = []
    if waiting:
        clock("Parquet", partial(_write, work, waiting, count))
    return count


def _write(work: Path, tables: list[pa.Table], number: int) -> None:
    for day, rows in by_day(pa.concat_tables(tables)):
        write_part(work / "store", Slot("events", "stages", day, number), rows)
