from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from secad.base.errors import ConfigError, SchemaError, SourceError
from secad.plugins import SINKS, sink_class
from secad.triage.store import AlertStore

Maker = Callable[..., pa.Table]
AlertMaker = Callable[..., dict[str, Any]]
NAMES = sorted(SINKS)


def made(name: str, path: Path, **settings: bool) -> Any:
    maker: Any = sink_class(name)
    return maker(path, **settings)


def read_ids(name: str, path: Path) -> list[str]:
    if name == "parquet":
        return list(pq.read_table(path).column("alert_id").to_pylist())
    content = path.read_text()
    if name == "csv":
        return [row["alert_id"] for row in csv.DictReader(content.splitlines())]
    rows = json.loads(content)["rows"] if name == "json" else map(json.loads, content.splitlines())
    return [row["alert_id"] for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_file_holds_the_alerts(
    name: str, tmp_path: Path, make_alerts: Maker, alert: AlertMaker
) -> None:
    path = tmp_path / "alerts"
    kept = make_alerts(alert(1), alert(2))
    sink = made(name, path)
    assert sink.name == name
    sink.write(kept)
    assert read_ids(name, path) == kept.column("alert_id").to_pylist()
    assert [one.name for one in tmp_path.iterdir()] == ["alerts"]


@pytest.mark.parametrize("name", NAMES)
def test_writing_again_changes_nothing(
    name: str, tmp_path: Path, make_alerts: Maker, alert: AlertMaker
) -> None:
    path = tmp_path / "alerts"
    kept = make_alerts(alert(1))
    sink = made(name, path)
    sink.write(kept)
    first = path.read_bytes()
    sink.write(kept)
    assert path.read_bytes() == first
    made(name, path, overwrite=True).write(kept)
    assert path.read_bytes() == first


@pytest.mark.parametrize("name", NAMES)
def test_file_of_somebody_else_is_not_touched(
    name: str, tmp_path: Path, make_alerts: Maker, alert: AlertMaker
) -> None:
    path = tmp_path / "alerts"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="exists already; add --force to overwrite it"):
        made(name, path)
    path.unlink()
    late = made(name, path)
    path.write_text("mine")  # came between
    with pytest.raises(ConfigError, match="exists already"):
        late.write(make_alerts(alert(1)))
    assert path.read_text() == "mine"


def test_columns_beyond_the_alert_are_written(
    store: AlertStore, tmp_path: Path, make_alerts: Maker, alert: AlertMaker
) -> None:
    store.upsert(make_alerts(alert(1)))
    made("ndjson", tmp_path / "alerts").write(store.alerts())
    assert json.loads((tmp_path / "alerts").read_text())["status"] == "new"


def test_other_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="the csv sink needs column 'alert_id'"):
        made("csv", tmp_path / "alerts").write(pa.table({"a": [1]}))
    assert not list(tmp_path.iterdir())


def test_folder_that_went_away_is_told(
    tmp_path: Path, make_alerts: Maker, alert: AlertMaker
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = made("csv", folder / "alerts")
    folder.rmdir()
    with pytest.raises((ConfigError, SourceError), match="folder"):
        sink.write(make_alerts(alert(1)))
