"""Alerts: one row for each episode that the budget keeps, with evidence and a reason.

SCORES, their events and their calibration enter; rows of ALERTS leave. An alert is an episode of
one acting entity in one view (see ``episodes``); it never stands for one event. Of each day (UTC)
the least likely are kept, as many as the budget allows.

**Identity.** The fingerprint is a digest of detector, view, host and acting entity: the same
finding has the same fingerprint for ever. The alert's id adds the time of the episode's first
event, so that an episode that grows keeps its id, and the same run gives the same ids. Where a
later fit draws an episode's beginning elsewhere, the alerts that are known already are asked:
an episode that meets one of the same fingerprint within the gap takes its id.

**Likelihood.** The p-value is the share of actors that show as much (see ``Calibration``), and
the severity follows from it alone (see ``severity``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.ids import digest
from secad.base.picking import pick
from secad.base.schemas import ALERTS, TIME
from secad.scoring.calibrate import Calibration
from secad.scoring.episodes import Episodes, find_episodes, places_behind
from secad.scoring.severity import severities

Rows = npt.NDArray[np.int64]
KNOWN = pa.schema([ALERTS.field(n) for n in ("alert_id", "fingerprint", "time_start", "time_end")])
"""What is asked of the alerts that are stored already."""

_DAY_US = 86_400_000_000
_ENTITIES_PER_ROLE = 3
_EVIDENCE = ALERTS.field("evidence").type.value_type

# What an EVENTS column names, by the end of the column's name.
ENTITY_TYPES = (
    ("host_name", "host"),
    ("user_name", "user"),
    ("user_target_name", "user"),
    ("user_effective_name", "user"),
    ("_executable", "process"),
    ("process_name", "process"),
    ("_ip", "ip"),
    ("file_path", "file"),
    ("registry_path", "registry"),
    ("dns_question_name", "domain"),
    ("source_domain", "domain"),
    ("destination_domain", "domain"),
    ("url_path", "url"),
    ("service_name", "service"),
)


@dataclass(frozen=True)
class AlertRules:
    """What becomes an alert.

    Args:
        budget_per_day: how many alerts of a day of log time are kept.
        episode_gap_s: seconds of quiet after which the same finding is a new alert.
        evidence_rows: how many events of an alert are kept as evidence.
    """

    budget_per_day: int = 50
    episode_gap_s: float = 3600.0
    evidence_rows: int = 20


@dataclass(frozen=True)
class Detector:
    """What gave the scores.

    Args:
        name: the model's name.
        model_id: the fitted model's identity, if it is registered.
        explain: returns EXPLANATIONS of events and some of their scores.
        badges: returns what a reader should know of a view's scores.
    """

    name: str
    model_id: str | None
    explain: Callable[[pa.Table, pa.Table], pa.Table]
    badges: Callable[[str], Sequence[str]] = lambda _: ()


@dataclass(frozen=True)
class Raised:
    """What became of the episodes.

    Args:
        alerts: ALERTS, the first to read first; ``sha256`` of the evidence is not filled.
        over_budget: episodes that the budget left out.
        nameless: odd events that name nobody who acts, which therefore are in no alert.
    """

    alerts: pa.Table
    over_budget: int
    nameless: int


def calibrate_alerts(
    scores: pa.Table, events: pa.Table, calibration: Calibration, rules: AlertRules
) -> Calibration:
    """Returns the calibration with how strong alerts are in the events that it was fitted on.

    Args:
        scores: the SCORES that it was fitted on.
        events: EVENTS rows, the scored ones among them.
        calibration: of scores.
        rules: what becomes an alert.
    """
    found = find_episodes(scores, events, calibration, gap_s=rules.episode_gap_s, own=True)
    return calibration.with_alerts(found.strength, found.quiet)


def raise_alerts(
    scores: pa.Table,
    events: pa.Table,
    calibration: Calibration,
    detector: Detector,
    rules: AlertRules | None = None,
    *,
    own: bool,
    known: pa.Table | None = None,
) -> Raised:
    """Returns the alerts of scored events.

    Args:
        scores: SCORES.
        events: EVENTS rows, the scored ones among them.
        calibration: of the model, by ``calibrate_alerts``.
        detector: what gave the scores.
        rules: what becomes an alert.
        own: the scores are those that the calibration was fitted on (a cross-fit's).
        known: KNOWN rows of stored alerts whose ids may go on.

    Raises:
        ModelError: a scored event is not in the table, or the calibration knows no alerts.
    """
    rules = rules or AlertRules()
    found = find_episodes(scores, events, calibration, gap_s=rules.episode_gap_s, own=own)
    p, extrapolated = calibration.p_alerts(found.strength, own=own)
    kept = _within_budget(found, scores, p, rules.budget_per_day)
    if not len(kept):
        return Raised(ALERTS.empty_table(), 0, found.nameless)
    strongest = pick(scores, found.strongest[kept])
    told = detector.explain(events, strongest).to_pylist()
    score = scores["score"].to_numpy()
    evidence = [_evidence(found.of(episode), score, rules.evidence_rows) for episode in kept]
    behind = pick(events, places_behind(scores, events)[np.concatenate(evidence)])
    starts = np.cumsum([0, *(len(rows) for rows in evidence)])
    writer = _Writer(found, scores, detector, int(rules.episode_gap_s * 1e6), known)
    rows = [
        writer.row(
            int(episode),
            told[place],
            evidence[place],
            behind.slice(starts[place], len(evidence[place])),
        )
        | {
            "p_value": float(p[episode]),
            "p_extrapolated": bool(extrapolated[episode]),
            "severity": int(severities(p[episode : episode + 1])[0]),
        }
        for place, episode in enumerate(kept)
    ]
    alerts = in_order(pa.Table.from_pylist(rows, schema=ALERTS))
    return Raised(alerts, len(p) - len(kept), found.nameless)


def in_order(alerts: pa.Table) -> pa.Table:
    """Returns ALERTS, the first to read first: by severity, p-value, score, id."""
    keys = [("severity", "descending"), ("p_value", "ascending"), ("score", "descending")]
    return alerts.take(pc.sort_indices(alerts, sort_keys=[*keys, ("alert_id", "ascending")]))


def _within_budget(
    found: Episodes, scores: pa.Table, p: npt.NDArray[np.float64], budget: int
) -> Rows:
    """Returns the episodes that are kept of each day, by the day of their first event."""
    times = scores["time_start"].cast(pa.int64()).to_numpy()
    day = times[found.members[found.edges[:-1]]] // _DAY_US
    score = scores["score"].to_numpy()[found.strongest]
    order = np.lexsort((np.arange(len(p)), -score, p, day))
    starts = np.searchsorted(day[order], day[order])
    return np.sort(order[np.arange(len(order)) - starts < budget])


class _Writer:
    """Writes episodes as rows of ALERTS, but for what follows from their p-values.

    Args:
        found: the episodes.
        scores: SCORES.
        detector: what gave the scores.
        gap_us: microseconds of quiet after which the same finding is a new alert.
        known: KNOWN rows.
    """

    def __init__(
        self,
        found: Episodes,
        scores: pa.Table,
        detector: Detector,
        gap_us: int,
        known: pa.Table | None,
    ) -> None:
        self._found = found
        self._scores = scores
        self._score = scores["score"].to_numpy()
        self._start, self._end = (
            scores[name].cast(pa.int64()).to_numpy() for name in ("time_start", "time_end")
        )
        self._detector = detector
        self._gap_us = gap_us
        self._known = KNOWN.empty_table() if known is None else known
        self._taken: set[str] = set()

    def row(
        self, episode: int, told: dict[str, Any], evidence: Rows, events: pa.Table
    ) -> dict[str, Any]:
        """Returns an ALERTS row.

        Args:
            episode: which.
            told: the EXPLANATIONS row of its strongest event.
            evidence: places of its evidence among the scores.
            events: the events of the evidence.
        """
        members, strongest = self._found.of(episode), int(self._found.strongest[episode])
        view = self._scores["view"][strongest].as_py()
        key = {"view": view, **self._found.actors.key_of(strongest)}
        fingerprint = digest([self._detector.name, *_flat(key)], person="fingerprint")
        start, end = int(self._start[members[0]]), int(self._end[members].max())
        return {
            "alert_id": self._alert_id(fingerprint, start, end),
            "fingerprint": fingerprint,
            "fingerprint_key": [(name, value) for name, value in key.items() if value is not None],
            "detector": self._detector.name,
            "model_id": self._detector.model_id,
            "dataset": events["dataset"][0].as_py(),
            "view": view,
            "time_start": pa.scalar(start, TIME).as_py(),
            "time_end": pa.scalar(end, TIME).as_py(),
            "count": len(members),
            "score": float(self._score[members].max()),
            "reason": self._reason(episode, told["reason"]),
            "badges": list(self._detector.badges(view)),
            "entities": _entities(events),
            "techniques": [],
            "explanation": told["evidence"],
            "evidence": self._located(evidence, events),
        }

    def _alert_id(self, fingerprint: str, start: int, end: int) -> str:
        """Returns the id of a known alert that the episode meets, else one of its own."""
        same = self._known.filter(pc.equal(self._known["fingerprint"], fingerprint))
        for known in same.sort_by([("time_start", "ascending")]).to_pylist():
            first, last = (_microseconds(known[name]) for name in ("time_start", "time_end"))
            meets = first - self._gap_us <= end and start <= last + self._gap_us
            if meets and known["alert_id"] not in self._taken:
                self._taken.add(known["alert_id"])
                return str(known["alert_id"])
        return digest([self._detector.name, fingerprint, str(start)], person="alert")

    def _located(self, evidence: Rows, events: pa.Table) -> list[dict[str, Any]]:
        columns = [field.name for field in _EVIDENCE if field.name in events.column_names]
        return [
            row | {"contribution": float(score)}
            for row, score in zip(
                events.select(columns).to_pylist(), self._score[evidence], strict=True
            )
        ]

    def _reason(self, episode: int, told: str) -> str:
        strongest, support = int(self._found.strongest[episode]), int(self._found.support[episode])
        actors = self._found.actors
        name, host = str(actors.name[strongest].as_py()), actors.host[strongest].as_py()
        who = name.replace("\\", "/").rpartition("/")[2] or name
        where = f" on {host}" if host and host != who else ""
        more = f"; odd in {support} other view{'s' * (support > 1)} too" if support else ""
        return f"{who}{where}: {told}{more}"


def _evidence(members: Rows, score: npt.NDArray[np.float64], most: int) -> Rows:
    """Returns the strongest members, one of each behaviour before the second of any."""
    order = np.lexsort((np.arange(len(members)), -score[members]))
    _, first = np.unique(score[members][order], return_index=True)
    again = np.ones(len(order), dtype=np.bool_)
    again[first] = False
    chosen = members[order[np.argsort(again, kind="stable")][:most]]
    return np.asarray(chosen[np.argsort(-score[chosen], kind="stable")], dtype=np.int64)


def _microseconds(time: datetime) -> int:
    return int(pa.scalar(time, TIME).cast(pa.int64()).as_py())


def _flat(key: dict[str, str | None]) -> list[str | None]:
    return [part for name, value in key.items() for part in (name, value)]


def _entities(events: pa.Table) -> list[dict[str, str]]:
    """Returns the entities that events name, the first few of each column."""
    found = []
    for column in sorted(events.column_names):
        kind = next((kind for ending, kind in ENTITY_TYPES if column.endswith(ending)), None)
        if kind is None:
            continue
        values = pc.drop_null(events[column].cast(pa.string()).unique())
        found += [
            {"type": kind, "value": value, "role": column}
            for value in values.to_pylist()[:_ENTITIES_PER_ROLE]
        ]
    return found
