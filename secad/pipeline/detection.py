"""One run of detect: every dataset is fitted first, then each is scored and its alerts drawn.

Two passes, since an alert is judged among the actors of all datasets (see ``pooling``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.config import Config
from secad.base.errors import ModelError
from secad.base.schemas import SCORES
from secad.events.store import EventStore, Pending
from secad.pipeline.evidence import in_words, with_hashes
from secad.pipeline.fitting import Fit, cross_fitted, fit_on, load_fit, rules_of
from secad.pipeline.runs import ModelRun
from secad.pipeline.templating import template_texts
from secad.pipeline.training import (
    affected,
    in_training,
    latest,
    training_events,
    unscored_events,
)
from secad.scoring.alerts import KNOWN, Detector, raise_alerts
from secad.scoring.calibrate import Calibration, Sample
from secad.scoring.pooling import pooled
from secad.triage.reading import AlertFilter
from secad.triage.registry import ModelEntry, ModelRegistry
from secad.triage.store import AlertStore

Stores = tuple[EventStore, AlertStore, ModelRegistry]
Told = Callable[[str, int], None]
_SEEN_PREFIX = "seen/"
_HISTORY_ROWS = 1000  # as many earlier events are worth fitting on instead of a cross-fit


@dataclass(frozen=True)
class Plan:
    """What a run of fit or detect works on.

    Args:
        models: names, in order.
        alerting: those whose findings become alerts.
        since: only events at or after this time.
        until: only events before this time.
        config: settings in force.
    """

    models: tuple[str, ...]
    alerting: frozenset[str]
    since: datetime | None
    until: datetime | None
    config: Config


class Detection:
    """One run of detect.

    Args:
        stores: events, alerts and models.
        plan: what to work on.
        now: aware, the time of the run.
    """

    def __init__(self, stores: Stores, plan: Plan, now: datetime) -> None:
        self._events, self._alerts, self._registry = stores
        self._plan = plan
        self._config = plan.config
        self._now = now
        self._pools: dict[str, Sample] = {}
        self._templates = template_texts(self._events)

    def prepare(self, name: str, dataset: str) -> Fit:
        """Returns the fit that scores a dataset, made now where there is none.

        Raises:
            ModelError: there is too little to learn from, or a saved model is damaged.
        """
        active = self._registry.active(name=name, dataset=dataset)
        if active:
            return load_fit(active[0], self._events.folder)
        plan = self._plan
        events = training_range(self._events, dataset, plan, before=True)
        if plan.since is None or events.num_rows < _HISTORY_ROWS:
            events = training_range(self._events, dataset, plan)
        if not events.num_rows:
            raise ModelError("no event of it lies in the range")
        fit = fit_on(
            events, name, dataset, root=self._events.folder, config=self._config, now=self._now
        )
        self._registry.register(fit.entry)  # a run killed from here on goes on with this fit
        return fit

    def detect(self, fit: Fit) -> ModelRun:
        """Scores what a fit has not scored yet, and writes alerts."""
        entry = fit.entry
        fitted = entry.rows if fit.cross is not None else 0
        run = ModelRun(entry.name, entry.dataset, entry.model_id, fitted)
        new = unscored_events(
            self._events,
            entry,
            since=self._plan.since,
            until=self._plan.until,
            seen_until=self._seen(entry),
        )
        if new.num_rows:
            inside = in_training(new, entry)
            self._score_training(fit, new.filter(inside), run)
            self._score_later(fit, new.filter(pc.invert(inside)), run)
        self._looked_at(entry, new)
        return run

    def _score_training(self, fit: Fit, new: pa.Table, run: ModelRun) -> None:
        """Scores events that the fit saw: by its cross-fit, which is made again if it is gone."""
        if not new.num_rows:
            return
        entry, cross = fit.entry, fit.cross
        events = training_events(
            self._events,
            entry.dataset,
            since=entry.train_start,
            until=None,
            ingested_until=entry.ingested_until,
            most=self._config.whole("detect.max_rows"),
        )
        events = events.filter(in_training(events, entry))
        if cross is None:
            cross, _ = cross_fitted(events, entry.name, self._config)
        run.no_view += cross.unscored
        detector = Detector(entry.name, entry.model_id, cross.explain, cross.badges)
        self._raise(fit, cross.scores, events, detector, run, own=True)
        self._commit(entry, fit.calibration.p_values(cross.scores, own=True), run)

    def _score_later(self, fit: Fit, new: pa.Table, run: ModelRun) -> None:
        """Scores events that the fit did not see, and raises alerts from them and their like."""
        scores = fit.model.score(new) if new.num_rows else SCORES.empty_table()
        run.no_view += new.num_rows - scores.num_rows
        if not scores.num_rows:
            return
        gap_s = self._config.whole("alerts.episode_gap_s")
        near, near_scores = affected(
            self._events, fit.entry, new, self._known(fit.entry), gap_s=gap_s
        )
        detector = Detector(fit.entry.name, fit.entry.model_id, fit.model.explain)
        everything = pa.concat_tables([near_scores, scores])
        events = pa.concat_tables([near, new], promote_options="default")
        self._raise(fit, everything, events, detector, run, own=False)
        self._commit(fit.entry, fit.calibration.p_values(scores, own=False), run)

    def _raise(
        self,
        fit: Fit,
        scores: pa.Table,
        events: pa.Table,
        detector: Detector,
        run: ModelRun,
        *,
        own: bool,
    ) -> None:
        if fit.entry.name not in self._plan.alerting:
            return
        raised = raise_alerts(
            scores,
            events,
            replace(fit.calibration, alerts=self._pool(fit.entry.name)),
            detector,
            rules_of(self._config),
            own=own,
            known=self._known(fit.entry),
        )
        alerts = in_words(with_hashes(raised.alerts), self._templates)
        count = self._alerts.upsert(alerts)
        run.new += count.new
        run.updated += count.updated
        run.over_budget += raised.over_budget
        run.nameless += raised.nameless

    def _pool(self, name: str) -> Sample:
        """Returns the strengths of a model's alerts in all datasets."""
        if name not in self._pools:
            active = self._registry.active(name=name)
            self._pools[name] = pooled([Calibration.restore(e.calibration) for e in active])
        return self._pools[name]

    def _known(self, entry: ModelEntry) -> pa.Table:
        stored = self._alerts.alerts(AlertFilter(detector=entry.name))
        mine = stored.filter(pc.equal(stored.column("dataset"), entry.dataset))
        return mine.select(KNOWN.names)

    def _seen(self, entry: ModelEntry) -> datetime | None:
        """Returns until when all that was ingested has been looked at."""
        value = self._events.states(_SEEN_PREFIX).get(_SEEN_PREFIX + entry.model_id)
        return datetime.fromisoformat(value.decode()) if value else None

    def _commit(self, entry: ModelEntry, scored: pa.Table, run: ModelRun) -> None:
        """Keeps scores; those of subjects that have one already are left out."""
        known = self._events.scores(entry.model_id)
        if known is not None:
            subjects = known.column("subject").combine_chunks()
            again = pc.is_in(scored.column("subject"), value_set=subjects)
            scored = scored.filter(pc.invert(again))
        if scored.num_rows:
            self._events.commit(Pending(scores=[(entry.model_id, scored)]), self._now)
        run.scored += scored.num_rows

    def _looked_at(self, entry: ModelEntry, events: pa.Table) -> None:
        """Keeps that a run over all there is has looked at these events."""
        until = latest(events, "ingested_time")
        if until is None or self._plan.since is not None or self._plan.until is not None:
            return
        states = {_SEEN_PREFIX + entry.model_id: until.isoformat().encode()}
        self._events.commit(Pending(states=states), self._now)


def training_range(
    store: EventStore, dataset: str, plan: Plan, *, before: bool = False
) -> pa.Table:
    """Returns the events of a plan's range, or those before it, by time and id.

    Args:
        store: the events.
        dataset: theirs.
        plan: names the range.
        before: those before the range.
    """
    since, until = (None, plan.since) if before else (plan.since, plan.until)
    if before and until is None:
        return pa.table({})
    return training_events(
        store,
        dataset,
        since=since,
        until=until,
        ingested_until=None,
        most=plan.config.whole("detect.max_rows"),
    )
