"""Fit and detect: stored events become scores, and the least likely of them alerts.

A model is fitted for each dataset. What it was fitted on is scored by cross-fit, each part by a
fit on the others; what came later is scored by the fit on all of it. Both are calibrated by the
cross-fit's scores, so no record is scored or calibrated by a fit that saw it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from time import monotonic

from secad.base.config import Config
from secad.base.errors import ConfigError, ModelError
from secad.events.store import EventStore, Pending
from secad.pipeline.detection import Detection, Plan, Stores, Told, training_range
from secad.pipeline.fitting import fit_on
from secad.pipeline.health import HEALTH_PREFIX
from secad.pipeline.models import make_model
from secad.pipeline.runs import DetectReport, Inert, ModelRun


def plan_of(
    config: Config,
    models: Sequence[str],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Plan:
    """Returns what a run works on.

    Args:
        config: settings in force.
        models: named by the user; none for those of ``detect.models``.
        since: only events at or after this time.
        until: only events before this time.

    Raises:
        ConfigError: a model is not known, or its settings cannot be used.
    """
    names = tuple(dict.fromkeys(models or config.names("detect.models")))
    for name in names:
        make_model(name, config)
    alerting = frozenset(models or config.names("alerts.models"))
    return Plan(names, alerting, since, until, config)


def fit_models(
    stores: Stores, plan: Plan, *, now: datetime, told: Told | None = None
) -> DetectReport:
    """Fits models anew on stored events and registers them; scores nothing.

    Args:
        stores: events, alerts and models.
        plan: what to work on.
        now: aware, the time of the run.
        told: called with what was just done, and 1; it may raise Interrupted.

    Raises:
        ConfigError: the store holds no events.
        BusyError: another process writes to the store.
    """
    began = monotonic()
    report = DetectReport()
    events_store, _, registry = stores
    with events_store.writer():
        for dataset, name in _work(events_store, plan, told):
            events = training_range(events_store, dataset, plan)
            try:
                fit = fit_on(
                    events, name, dataset, root=events_store.folder, config=plan.config, now=now
                )
            except ModelError as error:
                report.inert.append(Inert(name, dataset, error.message))
                continue
            registry.register(fit.entry)
            report.fits.append(ModelRun(name, dataset, fit.entry.model_id, events.num_rows))
        report.seconds = monotonic() - began
        _remember(events_store, "fit", report, now)
    return report


def detect_events(
    stores: Stores, plan: Plan, *, now: datetime, told: Told | None = None
) -> DetectReport:
    """Scores the events that were not scored yet and writes alerts.

    What is not fitted yet is fitted: on the events before ``since`` where there are enough, else
    on what is scored, by cross-fit.

    Args:
        stores: events, alerts and models.
        plan: what to work on.
        now: aware, the time of the run.
        told: called with what was just done, and 1; it may raise Interrupted.

    Raises:
        ConfigError: the store holds no events.
        BusyError: another process writes to the store.
    """
    began = monotonic()
    report = DetectReport()
    with stores[0].writer():
        run = Detection(stores, plan, now)
        fits = []
        for dataset, name in _work(stores[0], plan, told):
            try:
                fits.append(run.prepare(name, dataset))
            except ModelError as error:
                report.inert.append(Inert(name, dataset, error.message))
        for fit in fits:
            if told:
                told(f"scoring by {fit.entry.name} on {fit.entry.dataset}", 1)
            report.fits.append(run.detect(fit))
        report.seconds = monotonic() - began
        _remember(stores[0], "detect", report, now)
    return report


def _work(store: EventStore, plan: Plan, told: Told | None) -> Iterator[tuple[str, str]]:
    """Yields each dataset and model of a plan."""
    datasets = store.datasets()
    if not datasets:
        raise ConfigError("the store holds no events", hint="secad ingest logs PATH...")
    for dataset in datasets:
        for name in plan.models:
            if told:
                told(f"fitting {name} on {dataset}", 1)
            yield dataset, name


def _remember(store: EventStore, name: str, report: DetectReport, now: datetime) -> None:
    """Keeps what a run did, for ``secad status``."""
    facts = {
        "time": now.isoformat(timespec="seconds"),
        **report.facts(),
        "models": [run.told() for run in report.fits],
        "inert models": [inert.told() for inert in report.inert],
    }
    pending = Pending(states={HEALTH_PREFIX + name: json.dumps(facts).encode()})
    store.commit(pending, now)
