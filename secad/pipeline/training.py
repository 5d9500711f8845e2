"""Which events a model is fitted on, scored on, and has been scored on already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from secad.base.schemas import SCORES, TIME
from secad.events.store import EventStore
from secad.pipeline.templating import has_column_templates, resolved, template_aliases
from secad.triage.registry import ModelEntry

ORDER = [("time", "ascending"), ("event_id", "ascending")]


def training_events(
    store: EventStore,
    dataset: str,
    *,
    since: datetime | None,
    until: datetime | None,
    ingested_until: datetime | None,
    most: int,
) -> pa.Table:
    """Returns the events that a fit reads, by time and id: the newest ones, where there are many.

    Args:
        store: the events.
        dataset: theirs.
        since: only at or after this time.
        until: only before this time.
        ingested_until: only what was ingested until then.
        most: at most that many.
    """
    condition = pc.scalar(True)
    if ingested_until is not None:
        condition = ds.field("ingested_time") <= pa.scalar(ingested_until, TIME)
    events = _events(store, dataset, since, until, condition)
    return events.slice(max(0, events.num_rows - most))


def unscored_events(
    store: EventStore,
    entry: ModelEntry,
    *,
    since: datetime | None,
    until: datetime | None,
    seen_until: datetime | None,
) -> pa.Table:
    """Returns the events that a model has not scored yet, by time and id.

    Args:
        store: the events, and the scores so far.
        entry: the model.
        since: only at or after this time.
        until: only before this time.
        seen_until: what was ingested until then needs no second look.
    """
    condition = pc.scalar(True)
    if seen_until is not None:
        condition = ds.field("ingested_time") > pa.scalar(seen_until, TIME)
    events = _events(store, entry.dataset, since, until, condition)
    scores = store.scores(entry.model_id)
    if scores is None or not events.num_rows:
        return events
    ids = events.column("event_id").cast(pa.binary())
    known = pc.is_in(ids, value_set=scores.column("subject").combine_chunks())
    return events.filter(pc.invert(known))


def in_training(events: pa.Table, entry: ModelEntry) -> pa.ChunkedArray:
    """Returns for each event whether the model's fit saw it."""
    if entry.ingested_until is None or entry.train_start is None or entry.train_end is None:
        return pa.chunked_array([pa.repeat(False, events.num_rows)])
    time, ingested = events.column("time"), events.column("ingested_time")
    return pc.and_(
        pc.less_equal(ingested, pa.scalar(entry.ingested_until, TIME)),
        pc.and_(
            pc.greater_equal(time, pa.scalar(entry.train_start, TIME)),
            pc.less_equal(time, pa.scalar(entry.train_end, TIME)),
        ),
    )


def earliest(events: pa.Table, column: str) -> datetime | None:
    """Returns the smallest time in a column, None without rows."""
    found = pc.min(events.column(column)).as_py()
    return None if found is None else found.astimezone(UTC)


def latest(events: pa.Table, column: str) -> datetime | None:
    """Returns the largest time in a column, None without rows."""
    found = pc.max(events.column(column)).as_py()
    return None if found is None else found.astimezone(UTC)


def affected(
    store: EventStore, entry: ModelEntry, new: pa.Table, known: pa.Table, *, gap_s: int
) -> tuple[pa.Table, pa.Table]:
    """Returns the scored events of the days that new ones fall on, and their scores.

    A day's budget is shared and an episode may go on, so that alerts are drawn anew from all that
    is near the new events: whole days, and back to where an alert that may go on began.

    Args:
        store: the events and scores.
        entry: the model.
        new: the new events, at least one.
        known: alerts of the model, with ``time_start`` and ``time_end``.
        gap_s: seconds that an episode may be quiet.
    """
    scores = store.scores(entry.model_id)
    first, last = earliest(new, "time"), latest(new, "time")
    if scores is None or first is None or last is None:
        return new.slice(0, 0), SCORES.empty_table()
    start = first.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(seconds=gap_s)
    end = last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    open_alerts = known.filter(pc.greater_equal(known.column("time_end"), pa.scalar(start, TIME)))
    start = min(start, earliest(open_alerts, "time_start") or start)
    events = _events(store, entry.dataset, start, end, pc.scalar(True))
    ids = pc.is_in(scores.column("subject"), value_set=events.column("event_id").cast(pa.binary()))
    near = scores.filter(ids).select(SCORES.names)
    subjects = near.column("subject").combine_chunks()
    found = pc.is_in(events.column("event_id").cast(pa.binary()), value_set=subjects)
    return events.filter(found), near


def _events(
    store: EventStore,
    dataset: str,
    since: datetime | None,
    until: datetime | None,
    condition: pc.Expression,
) -> pa.Table:
    """Returns events as models see them, by time and id.

    Templates that are only a combination of columns say nothing that the columns do not.
    """
    rows, in_range = store.events(dataset=dataset, since=since, until=until)
    names = list(rows.schema.names)
    if has_column_templates(store, dataset):
        names.remove("template_id")
    events = rows.to_table(columns=names, filter=in_range & condition).sort_by(ORDER)
    return resolved(events, template_aliases(store))
