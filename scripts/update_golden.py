"""Writes what secad makes of each format's sample log, ``tests/golden/<format>.jsonl``.

    python scripts/update_golden.py [FORMAT...]   write, and say which changed
    python scripts/update_golden.py --check       only say which would change, exit 1 then
    python scripts/update_golden.py --alerts      the same of alert formats, ``golden/alerts/``

A golden file holds one JSON object a line: first how many lines became what, then the first
events (by time, without what is empty and the time of ingest), then the first rejects. A change of
a parser shows as a change of these files: read the diff before it is committed.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from secad.api import Secad
from secad.base.config import load_config
from secad.base.rows import write_rows
from secad.plugins import alert_format_names, format_names

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
ROWS = 200
ALERT_ROWS = 20  # each with its evidence
_NOW = datetime(2026, 11, 20, tzinfo=UTC)
_EMPTY = "# no settings of this machine take part\n"


def golden(name: str) -> bytes:
    """Returns the golden file of a format.

    Args:
        name: a format with one sample, ``sample_logs/<name>.*``, and perhaps a map beside it.
    """
    with chdir(ROOT), TemporaryDirectory() as folder:
        settings = Path(folder) / "secad.toml"
        settings.write_text(_EMPTY, encoding="utf-8")
        store = Secad(Path(folder) / "store", load_config(file=settings, environment={}))
        field_map = Path("sample_logs") / f"{name}.toml"
        report = store.ingest(
            [str(_sample(name))],
            format=name,
            map_file=field_map if field_map.is_file() else None,
            now=_NOW,
        )
        rows: list[dict[str, object]] = [asdict(report.total())]
        rows += _plain(store.events(limit=ROWS))
        rows += _plain(store.rejects().slice(0, ROWS))
    return "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode()


def golden_alerts(name: str) -> bytes:
    """Returns the golden file of a format of other tools' alerts: counts, then alerts.

    Args:
        name: an alert format with one sample, ``sample_logs/alerts/<name>.*``.
    """
    with chdir(ROOT), TemporaryDirectory() as folder:
        settings = Path(folder) / "secad.toml"
        settings.write_text(_EMPTY, encoding="utf-8")
        store = Secad(Path(folder) / "store", load_config(file=settings, environment={}))
        field_map = Path("sample_logs/alerts") / f"{name}.toml"
        done = store.ingest_alerts(
            [str(_sample(name, "sample_logs/alerts"))],
            format=name,
            map_file=field_map if field_map.is_file() else None,
            now=_NOW,
        )
        rows: list[dict[str, object]] = [asdict(done.report.total()), asdict(done.alerts)]
        stored = store.alert_store.alerts(limit=ALERT_ROWS)
        rows += _plain(stored.drop_columns(["created_time", "updated_time"]))
        rows += _plain(store.event_store.occurrences().slice(0, ALERT_ROWS))
        rows += _plain(store.rejects().slice(0, ROWS))
    return "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode()


def _sample(name: str, folder: str = "sample_logs") -> Path:
    found = [path for path in Path(folder).glob(f"{name}.*") if path.suffix != ".toml"]
    if len(found) != 1:
        raise SystemExit(f"{folder}/{name}.* must be one log, it is {sorted(map(str, found))}")
    return found[0]


def _plain(rows: pa.Table | pa.RecordBatchReader) -> Iterator[dict[str, object]]:
    """Yields rows as the command line writes them, without what is empty and the time of ingest."""
    text = io.BytesIO()
    write_rows(rows, "ndjson", text, terminal=False)
    for line in text.getvalue().splitlines():
        row = json.loads(line)
        row.pop("ingested_time", None)
        yield {key: value for key, value in row.items() if value not in (None, {}, [])}


def main() -> int:
    """Writes or checks the golden files; returns the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("formats", nargs="*", metavar="FORMAT", help="all where none is named")
    arguments.add_argument("--check", action="store_true", help="only compare")
    arguments.add_argument("--alerts", action="store_true", help="of the alert formats")
    chosen = arguments.parse_args()
    changed = 0
    folder, names, make = GOLDEN, format_names(), golden
    if chosen.alerts:
        folder, names, make = GOLDEN / "alerts", alert_format_names(), golden_alerts
    folder.mkdir(exist_ok=True)
    for name in chosen.formats or names:
        path = folder / f"{name}.jsonl"
        data = make(name)
        if path.is_file() and path.read_bytes() == data:
            continue
        changed += 1
        if chosen.check:
            print(f"differs: {path.relative_to(ROOT)}")
        else:
            print(f"{'changed' if path.exists() else 'new'}: {path.relative_to(ROOT)}")
            path.write_bytes(data)
    print(f"{changed} golden files {'differ' if chosen.check else 'written'}")
    return 1 if chosen.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
