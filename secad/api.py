"""The package as a library: one open store, with everything that the command line does.

``secad.open("./secad-store")`` returns a ``Secad``; its methods take and return Arrow tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from secad.base.config import Config, load_config
from secad.base.database import open_database
from secad.events.store import EventStore
from secad.triage.registry import ModelRegistry
from secad.triage.store import AlertStore

if TYPE_CHECKING:
    from secad.pipeline.alert_ingest import AlertIngest
    from secad.pipeline.ingest_report import IngestReport
    from secad.pipeline.runs import DetectReport

Told = Callable[[str, int], None]


class Secad:
    """One open store.

    Args:
        folder: the store; made where it is absent.
        config: settings in force; None reads them from the usual places.

    Attributes:
        alert_store: the alerts, for what the methods here do not offer.
        event_store: the events.
        registry: the fitted models.
    """

    def __init__(self, folder: Path | str, config: Config | None = None) -> None:
        self.folder = Path(folder)
        self.config = load_config() if config is None else config
        engine = open_database(self.folder)
        self.event_store = EventStore(self.folder, engine)
        self.alert_store = AlertStore(engine)
        self.registry = ModelRegistry(engine)

    def ingest(
        self,
        paths: Sequence[str],
        *,
        format: str = "auto",  # noqa: A002 - the word that users know
        map_file: Path | None = None,
        now: datetime | None = None,
        told: Told | None = None,
    ) -> IngestReport:
        """Reads logs into the store; see ``secad.pipeline.ingest.ingest_logs``.

        Args:
            paths: files, folders, archives, ``-`` for standard input.
            format: a format's name, or ``auto``.
            map_file: TOML field map of JSON lines or CSV.
            now: aware, the time of the run.
            told: called with a path and how many of its bytes were read since.
        """
        from secad.pipeline.ingest import ingest_logs, options_of

        options = options_of(self.config, format_name=format, map_file=map_file)
        return ingest_logs(
            self.event_store, paths, options, now=now or datetime.now(UTC), told=told
        )

    def ingest_alerts(
        self,
        paths: Sequence[str],
        *,
        format: str = "auto",  # noqa: A002 - the word that users know
        map_file: Path | None = None,
        now: datetime | None = None,
        told: Told | None = None,
    ) -> AlertIngest:
        """Reads alerts of other tools; see ``secad.pipeline.alert_ingest.ingest_alerts``.

        Args:
            paths: files, folders, archives, ``-`` for standard input.
            format: an alert format's name, or ``auto``.
            map_file: TOML field map of JSON lines or CSV.
            now: aware, the time of the run.
            told: called with a path and how many of its bytes were read since.
        """
        from secad.pipeline.alert_ingest import ingest_alerts, options_of
        from secad.pipeline.fitting import rules_of

        options = options_of(self.config, format_name=format, map_file=map_file)
        moment = now or datetime.now(UTC)
        return ingest_alerts(
            self.event_store, paths, options, rules_of(self.config), now=moment, told=told
        )

    def fit(
        self,
        models: Sequence[str] = (),
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        now: datetime | None = None,
        told: Told | None = None,
    ) -> DetectReport:
        """Fits models on stored events; see ``secad.pipeline.detect.fit_models``.

        Args:
            models: their names; none for those of ``detect.models``.
            since: only events at or after this time.
            until: only events before this time.
            now: aware, the time of the run.
            told: called with what was just done, and 1.
        """
        from secad.pipeline.detect import fit_models, plan_of

        plan = plan_of(self.config, models, since=since, until=until)
        return fit_models(self.stores, plan, now=now or datetime.now(UTC), told=told)

    def detect(
        self,
        models: Sequence[str] = (),
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        now: datetime | None = None,
        told: Told | None = None,
    ) -> DetectReport:
        """Scores stored events and writes alerts; see ``secad.pipeline.detect.detect_events``.

        Args:
            models: their names; none for those of ``detect.models``.
            since: only events at or after this time.
            until: only events before this time.
            now: aware, the time of the run.
            told: called with what was just done, and 1.
        """
        from secad.pipeline.detect import detect_events, plan_of

        plan = plan_of(self.config, models, since=since, until=until)
        return detect_events(self.stores, plan, now=now or datetime.now(UTC), told=told)

    def rank(
        self,
        *,
        top: int | None = None,
        budget: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pa.Table:
        """Returns the alerts to read first, as ``secad.triage.ranking.RANKED`` rows.

        Args:
            top: at most that many.
            budget: at most that many of each UTC day.
            since: only alerts that last until then or longer.
            until: only alerts that start before.
        """
        return self.alert_store.rank(top=top, budget=budget, time_from=since, time_to=until)

    def events(
        self,
        *,
        dataset: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        where: str | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        templates: bool = False,
    ) -> pa.RecordBatchReader:
        """Returns EVENTS rows, by time and then by id.

        Args:
            dataset: only of this dataset.
            since: only at or after this time.
            until: only before this time.
            where: an SQL condition on columns.
            columns: only these.
            limit: only the first ones.
            templates: with a column ``template``, the text behind ``template_id``.
        """
        from secad.events.query import EventQuery, find_events
        from secad.pipeline.templating import template_aliases, template_texts

        query = EventQuery(dataset, since, until, where, columns, limit)
        texts = template_texts(self.event_store) if templates else None
        return find_events(self.event_store, query, texts, template_aliases(self.event_store))

    def occurrences(self, alert_id: str) -> pa.Table:
        """Returns every occurrence of another tool's alert, by time, as OCCURRENCES rows.

        Args:
            alert_id: an id or its first letters.
        """
        from secad.pipeline.alert_ingest import occurrences

        return occurrences(self.event_store, self.alert_store, alert_id)

    def templates(self) -> pa.Table:
        """Returns mined templates with the types of their slots.

        Rows are ``secad.pipeline.slot_typing.TYPED_TEMPLATES``, by dataset and text.
        """
        from secad.pipeline.slot_typing import typed_templates
        from secad.pipeline.templating import template_texts

        return typed_templates(self.event_store, template_texts(self.event_store))

    def rejects(self) -> pa.Table:
        """Returns REJECTS rows, in the order of their commits."""
        return self.event_store.rejects()

    def scores(
        self, model: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> pa.Table:
        """Returns every subject's score with the places of its events.

        Args:
            model: a model's name.
            since: only subjects that start at or after this time.
            until: only subjects that start before this time.
        """
        from secad.pipeline.reports import located_scores

        return located_scores(self.event_store, self.registry, model, since=since, until=until)

    def explain(self, alert_id: str) -> pa.Table:
        """Returns the terms of an alert's score, one row each, with its reason.

        Args:
            alert_id: an id or its first letters.
        """
        from secad.pipeline.reports import explained

        return explained(self.alert_store, alert_id)

    def raw_evidence(self, alert_id: str) -> pa.Table:
        """Returns an alert's source rows, read again, and whether their hashes still hold.

        Args:
            alert_id: an id or its first letters.
        """
        from secad.pipeline.reports import raw_evidence

        return raw_evidence(self.event_store, self.alert_store, alert_id)

    def status(self) -> pa.Table:
        """Returns what the store holds and what its last runs could not do."""
        from secad.pipeline.health import status

        return status(self.event_store, self.alert_store, self.registry)

    def check(self) -> pa.Table:
        """Returns whether files, database and evidence agree, one row a finding."""
        from secad.pipeline.reports import store_findings

        return store_findings(self.event_store, self.alert_store)

    @cached_property
    def stores(self) -> tuple[EventStore, AlertStore, ModelRegistry]:
        """The three stores, as the pipeline takes them."""
        return self.event_store, self.alert_store, self.registry
