"""Speed of structured logs: Zeek, Suricata, Windows events as JSON lines and as EVTX."""

from __future__ import annotations

from pathlib import Path

import inputs
import records as makers
from measure import Figure
from runs import Setting, ingest, remove

_WARM_RECORDS = 2_000
_WINDOWS_COPIES = 5
_EVTX_RECORDS = 400_000


def records(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Events per second of Zeek's and Suricata's logs."""
    figures: list[Figure] = []
    kinds = makers.kinds(setting.data)
    for kind in kinds:
        small, log = setting.work / "small.log", setting.work / "records.log"
        makers.write_records(kind, small, _WARM_RECORDS)
        makers.write_records(kind, log, setting.lines)
        ingest(setting.work / "warm", small)
        run = ingest(setting.work / "store", log)
        rate, size = setting.lines / run.seconds, log.stat().st_size / setting.lines
        how = f"{setting.lines:,} records of {size:,.0f} bytes; {run.words()}"
        target, met = f"at least {kind.least:,}", rate >= kind.least
        what = f"{kind.name}: file to committed events"
        figures.append(Figure(what, rate, "events/s", how, target, met))
        remove(setting.work)
    return figures, [kind.source for kind in kinds]


def windows(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Events per second of Windows events as JSON lines."""
    log = setting.work / "windows.json"
    makers.write_windows_log(log, 1)
    ingest(setting.work / "warm", log)
    count = makers.write_windows_log(log, _WINDOWS_COPIES)
    run = ingest(setting.work / "windows-store", log)
    rate, size = count / run.seconds, log.stat().st_size / count
    how = f"{count:,} events of {size:,.0f} bytes, from the recording in sample_logs; {run.words()}"
    figure = Figure("Windows JSON lines: file to committed events", rate, "events/s", how,
                    "at least 150,000", rate >= 150_000)  # fmt: skip
    remove(setting.work)
    return [figure], [inputs.SAMPLES / "windows.zip"]


def evtx(setting: Setting) -> tuple[list[Figure], list[Path]]:
    """Records per second of EVTX."""
    log = setting.work / "log.evtx"
    makers.write_evtx(log, setting.data, 1_000)
    ingest(setting.work / "warm", log)
    count, origin = makers.write_evtx(log, setting.data, _EVTX_RECORDS)
    run = ingest(setting.work / "evtx-store", log)
    rate = count / run.seconds
    how = f"{run.events:,} of {count:,} records, {origin}, repeated; {run.words()}"
    what = "EVTX: file to committed events"
    figure = Figure(what, rate, "records/s", how, "at least 60,000", rate >= 60_000)
    remove(setting.work)
    return [figure], [makers.evtx_source(setting.data)]
