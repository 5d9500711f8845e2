"""The registry of models: which were fitted, on what, and which one of them scores now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, func, select, update

from secad.base.alert_tables import model
from secad.base.database import write_columns, writing
from secad.triage.columns import from_us, to_us
from secad.triage.reading import resolve

_KEPT = ("model_id", "version", "created_us")  # registering again leaves these as they are


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One fitted model.

    Args:
        model_id: its identity.
        name: the model's name, ``ape`` or another.
        dataset: of the events that it scores.
        created_time: aware; when it was fitted.
        train_start: aware; time of the first event that it was fitted on.
        train_end: aware; time of the last.
        rows: how many events it was fitted on.
        ingested_until: aware; ``ingested_time`` of the newest event that the fit had seen.
        folder: where it is saved, relative to the store.
        hashes: file in the folder -> sha256.
        calibration: what turns its scores into p-values.
        settings: its hyper-parameters.
        seed: of its random numbers.
        version: from 1, within name and dataset; the registry counts it.
        state: the active one of a name and dataset is the one that scores.
    """

    model_id: str
    name: str
    dataset: str
    created_time: datetime
    train_start: datetime | None
    train_end: datetime | None
    rows: int
    ingested_until: datetime | None
    folder: str
    hashes: Mapping[str, str]
    calibration: Mapping[str, Any]
    settings: Mapping[str, Any]
    seed: int
    version: int = 0
    state: Literal["active", "retired"] = "active"


class ModelRegistry:
    """The models of one database.

    Args:
        engine: of ``secad.base.database.open_database``.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def register(self, entry: ModelEntry) -> ModelEntry:
        """Makes a model the active one of its name and dataset, and retires the one before.

        Returns:
            the entry as it is kept, with its version. A model that is registered again keeps
            its version and the time it was created.
        """
        with writing(self._engine).begin() as connection:
            same = (model.c.name == entry.name) & (model.c.dataset == entry.dataset)
            newest = connection.scalar(select(func.max(model.c.version)).where(same)) or 0
            connection.execute(update(model).where(same).values(state="retired"))
            columns = _columns(replace(entry, version=newest + 1, state="active"))
            taken_over = [name for name in columns if name not in _KEPT]
            write_columns(
                connection,
                model,
                {name: [value] for name, value in columns.items()},
                update=taken_over,
            )
            return _read(connection, entry.model_id)

    def models(self) -> list[ModelEntry]:
        """Returns all models, by name, dataset and version."""
        query = select(model).order_by(model.c.name, model.c.dataset, model.c.version)
        with self._engine.begin() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def active(self, name: str | None = None, dataset: str | None = None) -> list[ModelEntry]:
        """Returns the models that score now, by name and dataset.

        Args:
            name: only of this name.
            dataset: only for this dataset.
        """
        return [
            entry
            for entry in self.models()
            if entry.state == "active"
            and name in (None, entry.name)
            and dataset in (None, entry.dataset)
        ]

    def show(self, prefix: str) -> ModelEntry:
        """Returns the one model whose id starts with ``prefix``.

        Raises:
            ConfigError: there is none, or more than one; the message names them.
        """
        with self._engine.begin() as connection:
            return _read(connection, resolve(connection, model.c.model_id, prefix, "model"))


def _read(connection: Connection, model_id: str) -> ModelEntry:
    return _entry(connection.execute(select(model).where(model.c.model_id == model_id)).one())


def _columns(entry: ModelEntry) -> dict[str, Any]:
    return {
        "model_id": entry.model_id,
        "name": entry.name,
        "dataset": entry.dataset,
        "version": entry.version,
        "created_us": to_us(entry.created_time),
        "train_start_us": entry.train_start and to_us(entry.train_start),
        "train_end_us": entry.train_end and to_us(entry.train_end),
        "rows": entry.rows,
        "ingested_until_us": entry.ingested_until and to_us(entry.ingested_until),
        "state": entry.state,
        "folder": entry.folder,
        "hashes": json.dumps(dict(entry.hashes), sort_keys=True),
        "calibration": json.dumps(dict(entry.calibration), sort_keys=True),
        "settings": json.dumps(dict(entry.settings), sort_keys=True),
        "seed": entry.seed,
    }


def _entry(row: Row[Any]) -> ModelEntry:
    stored = dict(row._mapping)
    for name in ("hashes", "calibration", "settings"):
        stored[name] = json.loads(stored[name])
    created, start, end, until = (
        stored.pop(f"{name}_us")
        for name in ("created", "train_start", "train_end", "ingested_until")
    )
    return ModelEntry(
        **stored,
        created_time=from_us(created),
        train_start=None if start is None else from_us(start),
        train_end=None if end is None else from_us(end),
        ingested_until=None if until is None else from_us(until),
    )
