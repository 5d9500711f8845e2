"""Health: what a store holds, what its last runs could not do, and whether this machine can work.

Every run leaves a short report in the store, so that what went wrong in a scheduled job is still
there to be asked for.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from secad import plugins
from secad.base.config import Config
from secad.base.errors import SecadError
from secad.events.store import EventStore
from secad.triage.registry import ModelRegistry
from secad.triage.store import AlertStore

HEALTH_PREFIX = "health/"
FACTS = pa.schema([pa.field(name, pa.string()) for name in ("area", "name", "value", "note")])
"""Rows of ``status``: facts for people to read and machines to pick from."""

CHECKS = pa.schema([pa.field(name, pa.string()) for name in ("check", "state", "detail")])
"""Rows of ``doctor``: ``state`` is ok, warning or failed."""

_LEAST_FREE_BYTES = 1 << 30
_PACKAGES = ("numba", "pyarrow", "duckdb", "sqlalchemy", "evtx", "torch")


@dataclass(frozen=True)
class Fact:
    """One line of ``status``."""

    area: str
    name: str
    value: str
    note: str = ""


def status(events: EventStore, alerts: AlertStore, registry: ModelRegistry) -> pa.Table:
    """Returns FACTS rows: what the store holds, what was rejected, what the last runs said."""
    facts = store_facts(events)
    for entry in registry.active():
        trained = f"{entry.train_start} to {entry.train_end}"
        note = f"{entry.rows} events, {trained}"
        facts.append(Fact("models", f"{entry.name} on {entry.dataset}", entry.model_id, note))
    for row in alerts.counts().to_pylist():
        name = f"{row['detector']}, severity {row['severity']}, {row['status']}"
        facts.append(Fact("alerts", name, f"{row['alerts']}"))
    return pa.Table.from_pylist([vars(fact) for fact in facts], schema=FACTS)


def store_facts(store: EventStore) -> list[Fact]:
    """Returns what the event store holds: datasets, sources, rejects, and the last runs."""
    facts = [Fact("store", "folder", str(store.folder))]
    for kind, area in (("events", "events"), ("alerts", "occurrences")):
        for dataset, (count, first, last) in _datasets(store, kind).items():
            facts.append(Fact(area, dataset, f"{count}", f"{first} to {last}"))
    sources = store.ledger.sources()
    facts.append(Fact("sources", "known", f"{len(sources)}"))
    facts += [
        Fact("sources", total, f"{sum(getattr(source, total) for source in sources)}")
        for total in ("lines", "events", "rejects", "joined", "skipped")
    ]
    reasons = pc.value_counts(store.rejects().column("error")).to_pylist()
    reasons.sort(key=lambda row: (-row["counts"], row["values"]))
    facts += [Fact("rejects", row["values"], f"{row['counts']}") for row in reasons[:10]]
    facts += _new_lines(store)
    for name, value in store.states(HEALTH_PREFIX).items():
        facts += _run_facts(name.removeprefix(HEALTH_PREFIX), json.loads(value))
    return facts


def _new_lines(store: EventStore) -> list[Fact]:
    from secad.pipeline.templating import new_lines  # numba is slow to load

    note = "lines in none of the frozen templates"
    return [
        Fact("templates", f"new in {name}", f"{n}", note) for name, n in new_lines(store).items()
    ]


def _datasets(store: EventStore, kind: str) -> dict[str, tuple[int, str, str]]:
    found: dict[str, tuple[int, int, int]] = {}
    for part in store.manifest.segments(kind):
        count, first, last = found.get(part.dataset, (0, 2**62, -(2**62)))
        found[part.dataset] = (
            count + part.rows,
            min(first, part.time_first_us),
            max(last, part.time_last_us),
        )
    return {name: (count, _iso(first), _iso(last)) for name, (count, first, last) in found.items()}


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _run_facts(name: str, report: Mapping[str, object]) -> list[Fact]:
    facts = []
    for key, value in report.items():
        if isinstance(value, list):
            facts += [Fact(f"last {name}", key, str(item)) for item in value]
        else:
            facts.append(Fact(f"last {name}", key, str(value)))
    return facts


def checks(config: Callable[[], Config]) -> pa.Table:
    """Returns what ``secad doctor`` finds: CHECKS rows, all of them whatever fails.

    Args:
        config: reads the settings.
    """
    rows = [_python(), *(_package(name) for name in _PACKAGES)]
    rows.append(_try("compiled kernels", _kernel))
    rows.append(_try("settings", lambda: _settings(config)))
    rows.append(_try("store folder", lambda: _folder(config)))
    rows.append(_try("formats", lambda: ", ".join(_loaded(plugins.format_names()))))
    rows.append(_try("alert formats", lambda: ", ".join(_loaded_alert_formats())))
    rows.append(("models", "ok", ", ".join(plugins.model_names())))
    rows.append(("sinks", "ok", ", ".join(plugins.sink_names())))
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.Table.from_arrays(columns, schema=CHECKS)


def _python() -> tuple[str, str, str]:
    state = "ok" if sys.version_info >= (3, 11) else "failed"
    cores = os.cpu_count() or 1
    return "python", state, f"{platform.python_version()} on {platform.machine()}, {cores} cores"


def _package(name: str) -> tuple[str, str, str]:
    try:
        return name, "ok", importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return name, "failed", "not installed; pip install secad"


def _try(name: str, work: Callable[[], str]) -> tuple[str, str, str]:
    try:
        return name, "ok", work()
    except SecadError as error:
        return name, "failed", str(error)
    except (OSError, ImportError, ValueError) as error:
        return name, "failed", f"{type(error).__name__}: {error}"


def _kernel() -> str:
    from secad.features.spans import buffer_of, gather

    text = pa.array(["kernels", "work"])
    data, offsets = buffer_of(text)
    again = gather(data, offsets[:-1].copy(), offsets[1:] - offsets[:-1])
    if not again.equals(text):
        raise ValueError("a compiled kernel gave a wrong result; reinstall numba")
    return "compile and run"


def _settings(config: Callable[[], Config]) -> str:
    files = sorted({origin for origin in config().origins.values() if origin.endswith(".toml")})
    return f"valid, from {', '.join(files) or 'the defaults'}"


def _folder(config: Callable[[], Config]) -> str:
    folder = Path(config().text("store.path")).absolute()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(there, os.W_OK):
        raise OSError(f"{there} cannot be written")
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE_BYTES:
        raise OSError(f"only {free >> 20} MiB are free in {there}")
    return f"{folder}, {free >> 30} GiB free"


def _loaded(names: list[str]) -> list[str]:
    for name in names:
        plugins.format_named(name)
    return names


def _loaded_alert_formats() -> list[str]:
    names = plugins.alert_format_names()
    for name in names:
        plugins.alert_format_named(name)
    return names
