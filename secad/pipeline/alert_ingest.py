"""Ingest of other tools' alerts: each occurrence exactly once, each finding's episode one alert.

The same protocol as for logs: a commit names the files of occurrences, how far each source is
read and, in the same transaction, what that makes of the alerts. A run that is killed has done
all of a commit or nothing of it. Every occurrence stays, in Parquet beside the events: a column of
times is read a hundred times faster than rows of SQL, and neither an index nor an alert that
takes over another has to touch millions of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from secad import plugins
from secad.base.config import Config
from secad.base.protocols import Format, Recognised
from secad.base.schemas import OCCURRENCES, TIME, conform
from secad.collect.alerts.maps import ALERT_COLUMNS
from secad.collect.field_maps import load_field_map
from secad.events.store import EventStore, Pending, Replaced
from secad.pipeline.alert_rows import AlertRows, Untemplated
from secad.pipeline.ingest import IngestOptions, ingest
from secad.pipeline.ingest import options_of as ingest_options
from secad.pipeline.ingest_report import IngestReport
from secad.pipeline.source_kinds import Reading
from secad.scoring.alerts import AlertRules
from secad.scoring.tool_alerts import fold
from secad.triage.columns import to_us
from secad.triage.merging import known_findings, remove_alerts
from secad.triage.store import AlertStore
from secad.triage.writing import check_alerts, write_alerts

_COMMIT_ROWS = 250_000  # were each a finding of its own, their alerts still fit in memory
_COMMIT_BYTES = 400 << 20
_READ_BACK = ["event_id", "alert_fingerprint", "time"]


@dataclass
class AlertCounts:
    """What a run did to the alerts.

    Args:
        new: alerts that were made.
        updated: alerts that grew.
        taken_over: alerts that became a part of another.
    """

    new: int = 0
    updated: int = 0
    taken_over: int = 0


@dataclass(frozen=True)
class AlertIngest:
    """What one run of ingest alerts did.

    Args:
        report: of the sources; its events are occurrences.
        alerts: what they came to.
    """

    report: IngestReport
    alerts: AlertCounts


def options_of(config: Config, *, format_name: str, map_file: Path | None) -> IngestOptions:
    """Returns the options that settings and a command's arguments make.

    Args:
        config: settings in force.
        format_name: an alert format's name, or ``auto``.
        map_file: TOML field map of JSON lines or CSV.
    """
    options = ingest_options(config, format_name=format_name)
    columns = load_field_map(map_file, ALERT_COLUMNS) if map_file else None
    return replace(options, field_map=columns, commit_rows=_COMMIT_ROWS)


def ingest_alerts(
    events: EventStore,
    paths: Sequence[str],
    options: IngestOptions,
    rules: AlertRules,
    *,
    now: datetime,
    told: Callable[[str, int], None] | None = None,
) -> AlertIngest:
    """Reads alerts of other tools into the store and returns what became of each source.

    Args:
        events: the store of occurrences; alerts go into its database.
        paths: files, folders, archives, ``-`` for standard input.
        options: how they are read.
        rules: gap of episodes and number of evidence rows.
        now: aware, the time of the run.
        told: called with a stream's path and how many of its bytes were read since.

    Raises:
        ConfigError: an option is not allowed; nothing was read then.
        BusyError: another process writes to the store.
        Interrupted: ``told`` did.
    """
    counts = AlertCounts()

    def reading() -> Reading:
        return Reading(
            "alerts",
            events.alert_ledger,
            partial(_recognise, rules),
            partial(_named, rules),
            Untemplated(),
            _Folding(events, rules, counts, to_us(now)).add,
            _COMMIT_BYTES,
        )

    return AlertIngest(ingest(events, paths, options, reading, now=now, told=told), counts)


def occurrences(events: EventStore, alerts: AlertStore, alert_id: str) -> pa.Table:
    """Returns OCCURRENCES rows of one alert, by time.

    Args:
        events: the store of occurrences.
        alerts: the alert store.
        alert_id: an id or its first letters.
    """
    found = alerts.find(alert_id).to_pylist()[0]
    condition = (
        (pc.field("alert_fingerprint") == found["fingerprint"])
        & (pc.field("time") >= pa.scalar(found["time_start"], TIME))
        & (pc.field("time") <= pa.scalar(found["time_end"], TIME))
    )
    return events.occurrences(condition).sort_by([("time", "ascending"), ("event_id", "ascending")])


def _recognise(rules: AlertRules, head: bytes) -> Recognised | None:
    found = plugins.recognise_alerts(head)
    return replace(found, format=AlertRows(found.format, rules)) if found else None


def _named(rules: AlertRules, name: str) -> Format:
    return AlertRows(plugins.alert_format_named(name), rules)


@dataclass(frozen=True)
class _Folding:
    """Brings the alerts to what the occurrences of a commit say.

    Args:
        events: the store of occurrences.
        rules: gap of episodes and number of evidence rows.
        counts: counts what comes of it.
        now_us: the time of the run.
    """

    events: EventStore
    rules: AlertRules
    counts: AlertCounts
    now_us: int

    def add(self, pending: Pending, rows: list[tuple[str, pa.Table]]) -> None:
        """Puts occurrences into a commit, and what they make of the alerts."""
        pending.alerts = rows
        tables = [conform(table, OCCURRENCES, room="the alert ingest") for _, table in rows]
        made = pa.concat_tables([OCCURRENCES.empty_table(), *tables])
        pending.also = partial(self._fold, made, pending.replaced)

    def _fold(self, rows: pa.Table, replaced: Sequence[Replaced], connection: Connection) -> None:
        """Writes alerts, inside the commit's transaction."""
        gap_us = int(self.rules.episode_gap_s * 1e6)
        gone = _occurrences_from(self.events, replaced)
        again, dropped = _taken_apart(self.events, connection, gone)
        rows = pa.concat_tables([again, rows], promote_options="default")
        if not rows.num_rows:
            remove_alerts(connection, dict.fromkeys(dropped))
            return
        span = pc.min_max(rows["time"].cast(pa.int64()))
        known = known_findings(
            connection,
            pc.unique(rows["alert_fingerprint"]).to_pylist(),
            span["min"].as_py() - gap_us,
            span["max"].as_py() + gap_us,
        )
        known = known.filter(pc.invert(pc.is_in(known["alert_id"], pa.array(dropped, pa.string()))))
        folded = fold(rows, known, gap_us=gap_us, evidence_rows=self.rules.evidence_rows)
        check_alerts(folded.alerts)
        count = write_alerts(connection, folded.alerts, self.now_us)
        left = set(dropped) - set(folded.alerts["alert_id"].to_pylist())
        remove_alerts(connection, {**dict.fromkeys(left), **folded.taken_over})
        self.counts.new += count.new
        self.counts.updated += count.updated
        self.counts.taken_over += len(folded.taken_over)


def _occurrences_from(events: EventStore, replaced: Sequence[Replaced]) -> pa.Table:
    """Returns the stored occurrences that are to go: last lines that were read before their end."""
    found = [OCCURRENCES.empty_table().select(_READ_BACK)]
    for end in replaced:
        condition = (pc.field("source_id") == end.source_id) & (
            pc.field("byte_offset") >= end.byte_offset
        )
        found.append(events.occurrences(condition, _READ_BACK))
    return pa.concat_tables(found)


def _taken_apart(
    events: EventStore, connection: Connection, gone: pa.Table
) -> tuple[pa.Table, list[str]]:
    """Returns what is left of the alerts that lose an occurrence, and the ids of these alerts.

    Their other occurrences come with ``alert_id``, so that what goes on keeps its id.
    """
    left = [OCCURRENCES.empty_table().append_column("alert_id", pa.nulls(0, pa.string()))]
    dropped: list[str] = []
    for row in gone.to_pylist():
        stamp = to_us(row["time"])
        for old in known_findings(connection, [row["alert_fingerprint"]], stamp, stamp).to_pylist():
            if old["alert_id"] in dropped:
                continue
            dropped.append(old["alert_id"])
            condition = (
                (pc.field("alert_fingerprint") == old["fingerprint"])
                & (pc.field("time") >= pa.scalar(old["time_start"], TIME))
                & (pc.field("time") <= pa.scalar(old["time_end"], TIME))
            )
            stays = events.occurrences(condition)
            stays = stays.filter(pc.invert(pc.is_in(stays["event_id"], gone["event_id"])))
            left.append(stays.append_column("alert_id", pa.repeat(old["alert_id"], len(stays))))
    return pa.concat_tables(left), dropped
