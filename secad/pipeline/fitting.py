"""One model fitted on one dataset: the fit, its cross-fit, its calibration, and where it lies."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from secad import plugins
from secad.base.config import Config
from secad.base.ids import digest
from secad.base.protocols import Model
from secad.pipeline.models import make_model, settings_of
from secad.pipeline.training import earliest, latest
from secad.scoring.alerts import AlertRules, calibrate_alerts
from secad.scoring.calibrate import Calibration
from secad.scoring.crossfit import CrossFit, cross_fit
from secad.triage.registry import ModelEntry

FOLDER = "models"


@dataclass(frozen=True)
class Fit:
    """A fitted model, ready to score.

    Args:
        entry: what the registry keeps of it.
        model: fitted on all training events.
        calibration: of its scores and alerts, by the cross-fit.
        cross: the cross-fit over the training events; None for a model that was loaded.
    """

    entry: ModelEntry
    model: Model
    calibration: Calibration
    cross: CrossFit | None = None


def fit_on(
    events: pa.Table, name: str, dataset: str, *, root: Path, config: Config, now: datetime
) -> Fit:
    """Fits a model on events and saves it.

    Args:
        events: the training events, by time and id, at least one.
        name: the model's name.
        dataset: theirs.
        root: the store's folder.
        config: settings in force.
        now: aware, the time of the run.

    Raises:
        ModelError: there is too little to learn from.
    """
    cross, calibration = cross_fitted(events, name, config)
    model = _unfitted(name, config).fit(events)
    model_id = _model_id(events, name, dataset, model)
    folder = f"{FOLDER}/{model_id}"
    entry = ModelEntry(
        model_id=model_id,
        name=name,
        dataset=dataset,
        created_time=now,
        train_start=earliest(events, "time"),
        train_end=latest(events, "time"),
        rows=events.num_rows,
        ingested_until=latest(events, "ingested_time"),
        folder=folder,
        hashes=_saved(model, root / folder),
        calibration=calibration.state(),
        settings=settings_of(model),
        seed=config.whole("detect.seed"),
    )
    return Fit(entry, model, calibration, cross)


def cross_fitted(events: pa.Table, name: str, config: Config) -> tuple[CrossFit, Calibration]:
    """Returns the cross-fit over training events, and the calibration by it.

    Args:
        events: as in ``fit_on``.
        name: the model's name.
        config: settings in force.

    Raises:
        ModelError: there is too little to learn from.
    """
    blocks = config.whole("detect.blocks")
    cross = cross_fit(lambda: _unfitted(name, config), events, blocks=blocks)
    calibration = Calibration.fit(cross.scores)
    return cross, calibrate_alerts(cross.scores, events, calibration, rules_of(config))


def load_fit(entry: ModelEntry, root: Path) -> Fit:
    """Returns a registered model.

    Args:
        entry: of the registry.
        root: the store's folder.

    Raises:
        ModelError: its files are damaged or gone.
    """
    model = plugins.model_class(entry.name).load(root / entry.folder)
    return Fit(entry, model, Calibration.restore(entry.calibration))


def rules_of(config: Config) -> AlertRules:
    """Returns what becomes an alert, from the settings in force."""
    return AlertRules(
        budget_per_day=config.whole("alerts.budget_per_day"),
        episode_gap_s=config.whole("alerts.episode_gap_s"),
        evidence_rows=config.whole("alerts.evidence_rows"),
    )


def _unfitted(name: str, config: Config) -> Model:
    return make_model(name, config, seed=config.whole("detect.seed"))


def _model_id(events: pa.Table, name: str, dataset: str, model: Model) -> str:
    """Returns the same id for the same model, settings and training events."""
    ids = b"".join(events.column("event_id").to_pylist())
    seen = hashlib.sha256(ids).hexdigest()
    settings = json.dumps(settings_of(model), sort_keys=True, default=str)
    return digest([name, dataset, settings, seen], person="model")


def _saved(model: Model, folder: Path) -> dict[str, str]:
    """Saves a model and returns the hash of each of its files."""
    beside = folder.with_name(f"{folder.name}.tmp")
    for place in (beside, folder):
        shutil.rmtree(place, ignore_errors=True)
    beside.parent.mkdir(exist_ok=True)
    model.save(beside)
    beside.replace(folder)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
