"""Alerts of other tools into rows of ALERTS: one row per finding and episode, like ours.

New occurrences and the stored alerts that they may go on enter; the rows to keep leave. What
comes of occurrences does not depend on how they are dealt out over runs: an alert's count, span,
severity, entities and evidence are sums, extremes and unions, so a log that is read in two halves
gives the alerts of one that is read at once.

**Identity.** The id adds to detector and fingerprint the time of the occurrence that was read
first; an episode that grows keeps it, at either end. Where a late occurrence joins two alerts,
the older one takes over the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.ids import digest
from secad.base.schemas import ALERTS
from secad.scoring.alerts import ENTITY_TYPES
from secad.scoring.episodes import Rows
from secad.scoring.occurrences import episode_starts, key_in_clear, keys, strongest_of_each

_ENTITIES_PER_ROLE = 10
_TECHNIQUES = 20
_RULE_LETTERS = 16  # of an id that people know rules by; a UUID says nothing
_EVIDENCE = [field.name for field in ALERTS.field("evidence").type.value_type]
_Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Folded:
    """What became of occurrences.

    Args:
        alerts: ALERTS rows, new and grown.
        taken_over: alert id -> id of the alert that it is now a part of.
    """

    alerts: pa.Table
    taken_over: Mapping[str, str]


def fold(rows: pa.Table, known: pa.Table, *, gap_us: int, evidence_rows: int) -> Folded:
    """Returns the alerts of occurrences, joined to those that are known.

    Args:
        rows: (N,) OCCURRENCES columns in the order in which they were read; maybe with
            ``alert_id``, the alert to which a row has belonged already.
        known: ALERTS rows of the same fingerprints, as they are stored.
        gap_us: microseconds of quiet after which the same finding is a new alert.
        evidence_rows: how many occurrences are kept as evidence.
    """
    if not rows.num_rows:
        return Folded(ALERTS.empty_table(), {})
    runs = _Runs.of(rows, gap_us)
    olds = known.select(["fingerprint", "time_start", "time_end"])
    group = _joined(runs, olds, gap_us)  # (R + K,) runs, then known alerts
    of_run, of_known = group[: runs.count], group[runs.count :]
    _, dense = np.unique(of_run, return_inverse=True)
    made = _summed(rows, runs, dense, evidence_rows)
    members: list[list[dict[str, Any]]] = [[] for _ in made]
    place = {int(number): int(row) for number, row in zip(of_run, dense, strict=True)}
    touched = [row for row, number in enumerate(of_known) if int(number) in place]
    for old, row in zip(
        known.take(pa.array(touched, pa.int64())).to_pylist(), touched, strict=True
    ):
        members[place[int(of_known[row])]].append(old)
    taken_over: dict[str, str] = {}
    alerts = [
        _with_known(new, olds_of, evidence_rows, taken_over) if olds_of else new
        for new, olds_of in zip(made, members, strict=True)
    ]
    return Folded(pa.Table.from_pylist(alerts, schema=ALERTS), taken_over)


@dataclass(frozen=True)
class _Runs:
    """R runs of N occurrences: of one fingerprint, without a gap.

    Args:
        of_row: (N,) the run of each row.
        fingerprint: (R,) string.
        start: (R,) microseconds.
        end: (R,) microseconds.
        first: (R,) the row that was read first.
    """

    of_row: Rows
    fingerprint: pa.Array
    start: Rows
    end: Rows
    first: Rows

    @property
    def count(self) -> int:
        """How many."""
        return len(self.start)

    @classmethod
    def of(cls, rows: pa.Table, gap_us: int) -> _Runs:
        """Returns the runs of occurrences."""
        coded = rows["alert_fingerprint"].combine_chunks().dictionary_encode()
        unit = coded.indices.to_numpy().astype(np.int64)
        times = rows["time"].cast(pa.int64()).to_numpy()
        order, starts = episode_starts(unit, times, gap_us)
        of_row = np.empty(len(order), dtype=np.int64)
        mark = np.zeros(len(order), dtype=np.int64)
        mark[starts[1:]] = 1
        of_row[order] = np.cumsum(mark)
        ends = np.append(starts[1:], len(order)) - 1
        return cls(
            of_row,
            coded.dictionary.take(pa.array(unit[order[starts]])),
            times[order[starts]],
            times[order[ends]],
            np.minimum.reduceat(order, starts),
        )


def _joined(runs: _Runs, known: pa.Table, gap_us: int) -> Rows:
    """Returns (R + K,) which runs and known alerts are one episode."""
    prints = pa.concat_arrays([runs.fingerprint, known["fingerprint"].combine_chunks()])
    unit = prints.dictionary_encode().indices.to_numpy().astype(np.int64)
    old_start, old_end = (known[n].cast(pa.int64()).to_numpy() for n in ("time_start", "time_end"))
    start, end = np.append(runs.start, old_start), np.append(runs.end, old_end)
    order = np.lexsort((end, start, unit))
    # the latest end so far within a fingerprint: ends as ranks, so that a fingerprint's lie above
    _, rank = np.unique(end, return_inverse=True)
    values = np.unique(end)
    height = unit[order] * len(values) + rank[order]
    latest = values[np.maximum.accumulate(height) % len(values)]
    new = (np.diff(unit[order]) != 0) | (start[order][1:] - latest[:-1] > gap_us)
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(np.append(0, new))
    return group


def _summed(rows: pa.Table, runs: _Runs, of_run: Rows, evidence_rows: int) -> list[dict[str, Any]]:
    """Returns ALERTS rows of new occurrences alone, one per episode.

    Args:
        rows: OCCURRENCES columns.
        runs: of the rows.
        of_run: (R,) the episode of each run, 0 to E - 1.
        evidence_rows: how many of each are kept as evidence.
    """
    episode = of_run[runs.of_row]  # (N,)
    size = int(of_run.max()) + 1
    first = np.full(size, rows.num_rows)
    np.minimum.at(first, of_run, runs.first)
    start, end = np.full(size, 2**62), np.full(size, -(2**62))
    np.minimum.at(start, of_run, runs.start)
    np.maximum.at(end, of_run, runs.end)
    severity = _highest(rows, "alert_severity", episode, size).astype(np.int64)
    score = _highest(rows, "alert_score", episode, size)
    entities = _entities(rows, episode, size)
    techniques = _least(rows, "alert_techniques", episode, size, most=_TECHNIQUES)
    names = _least(rows, "rule_name", episode, size, most=1)
    heads = _heads(rows, first)
    proofs = _evidence(rows, episode, size, evidence_rows)
    times = [
        pa.array(part).cast(ALERTS.field("time_start").type).to_pylist() for part in (start, end)
    ]
    counts = np.bincount(episode, minlength=size).tolist()
    return [
        _row(heads[row], names[row], score=float(score[row]))
        | {
            "time_start": times[0][row],
            "time_end": times[1][row],
            "count": counts[row],
            "severity": int(severity[row]),
            "entities": entities[row],
            "techniques": _split(techniques[row]),
            "evidence": proofs[row],
        }
        for row in range(size)
    ]


def _heads(rows: pa.Table, first: Rows) -> list[dict[str, Any]]:
    """Returns of each episode's first read occurrence what all of its occurrences share."""
    columns = ["alert_fingerprint", "alert_detector", "alert_rule_id", "dataset", "time"]
    columns += ["alert_id"] if "alert_id" in rows.column_names else []
    picked = rows.take(pa.array(first))
    found: list[dict[str, Any]] = picked.select(columns).to_pylist()
    stamps = picked["time"].cast(pa.int64()).to_pylist()
    for head, stamp, key in zip(found, stamps, keys(picked).to_pylist(), strict=True):
        head["key"] = key
        parts = [head["alert_detector"], head["alert_fingerprint"], str(stamp)]
        head["id"] = head.get("alert_id") or digest(parts, person="tool alert")
    return found


def _row(head: Mapping[str, Any], names: Sequence[str], *, score: float) -> dict[str, Any]:
    key = head["key"]
    name = names[0] if names else head["alert_rule_id"]
    return {
        "alert_id": head["id"],
        "fingerprint": head["alert_fingerprint"],
        "fingerprint_key": key_in_clear(key),
        "detector": head["alert_detector"],
        "model_id": None,
        "dataset": head["dataset"],
        "view": head["dataset"],
        "score": score,
        "p_value": None,
        "p_extrapolated": False,
        "reason": _reason(key, name),
        "badges": [],
        "explanation": [{"name": "rule", "value": name, "expected": None, "weight": score}],
    }


def _reason(key: Mapping[str, str | None], name: str) -> str:
    who, host = key["actor"], key["host_name"]
    who = (who or "").replace("\\", "/").rpartition("/")[2] or who
    if key["source_ip"]:
        who = f"{key['source_ip']} to {who}"
    told = f"{who}: " if who and who != host else ""
    where = f" on {host}" if host else ""
    return f"{told}{_rule(name, key['rule'])}{where}"


def _rule(name: str, rule: str | None) -> str:
    if rule is None or rule == name or len(rule) > _RULE_LETTERS:
        return name
    return f"{name} (rule {rule})"


def _with_known(
    new: dict[str, Any],
    olds: Sequence[dict[str, Any]],
    evidence_rows: int,
    taken_over: dict[str, str],
) -> dict[str, Any]:
    """Returns an alert that goes on from stored ones; notes those that it takes over."""
    olds = sorted(olds, key=lambda old: (old["created_time"], old["time_start"], old["alert_id"]))
    oldest = olds[0]
    parts = [oldest, *olds[1:], new]
    taken_over |= {old["alert_id"]: oldest["alert_id"] for old in olds[1:]}
    name = min(part["explanation"][0]["value"] for part in parts)
    score = max(part["score"] for part in parts)
    shown = min(parts, key=lambda part: part["explanation"][0]["value"])
    proofs = [proof for part in parts for proof in part["evidence"]]
    proofs.sort(key=lambda proof: (-proof["contribution"], proof["time"], proof["event_id"]))
    return {
        **{field: oldest[field] for field in new},
        "time_start": min(part["time_start"] for part in parts),
        "time_end": max(part["time_end"] for part in parts),
        "count": sum(part["count"] for part in parts),
        "severity": max(part["severity"] for part in parts),
        "score": score,
        "reason": shown["reason"],
        "explanation": [{"name": "rule", "value": name, "expected": None, "weight": score}],
        "entities": _united(parts),
        "techniques": sorted({each for part in parts for each in part["techniques"]})[:_TECHNIQUES],
        "evidence": proofs[:evidence_rows],
    }


def _united(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Returns the entities of all parts, those of each role that come first."""
    values: dict[tuple[str, str], set[str]] = {}
    for part in parts:
        for entity in part["entities"]:
            values.setdefault((entity["role"], entity["type"]), set()).add(entity["value"])
    return [
        {"type": kind, "value": value, "role": role}
        for (role, kind), found in sorted(values.items())
        for value in sorted(found)[:_ENTITIES_PER_ROLE]
    ]


def _entities(rows: pa.Table, episode: Rows, size: int) -> list[list[dict[str, str]]]:
    """Returns what the occurrences of each episode name, by role and value."""
    found: list[list[dict[str, str]]] = [[] for _ in range(size)]
    for role in sorted(rows.column_names):
        kind = next((kind for ending, kind in ENTITY_TYPES if role.endswith(ending)), None)
        if kind is None:
            continue
        for row, named in enumerate(_least(rows, role, episode, size, most=_ENTITIES_PER_ROLE)):
            found[row] += [{"type": kind, "value": value, "role": role} for value in named]
    return found


def _least(rows: pa.Table, name: str, episode: Rows, size: int, *, most: int) -> list[list[str]]:
    """Returns the distinct values of a column in each episode, those that sort first.

    Which ones are kept does not depend on the order of the rows.
    """
    found: list[list[str]] = [[] for _ in range(size)]
    if name not in rows.column_names or rows[name].null_count == rows.num_rows:
        return found
    coded = rows[name].combine_chunks().dictionary_encode()
    held = np.flatnonzero(np.asarray(coded.indices.is_valid()))
    order = pc.sort_indices(coded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    codes = np.asarray(coded.indices.fill_null(0))[held]
    pairs = np.unique(episode[held] * len(order) + rank[codes])
    owner = pairs // len(order)
    kept = np.arange(len(pairs)) - np.searchsorted(owner, owner) < most
    values = coded.dictionary.take(pa.array(order[pairs[kept] % len(order)])).to_pylist()
    for row, value in zip(owner[kept].tolist(), values, strict=True):
        found[row].append(value)
    return found


def _split(texts: Sequence[str]) -> list[str]:
    return sorted({each for text in texts for each in text.split(",")})[:_TECHNIQUES]


def _highest(rows: pa.Table, name: str, episode: Rows, size: int) -> _Values:
    found = np.full(size, -np.inf)
    np.maximum.at(found, episode, rows[name].to_numpy().astype(np.float64))
    return found


def _evidence(rows: pa.Table, episode: Rows, size: int, most: int) -> list[list[dict[str, Any]]]:
    """Returns the evidence of each episode, the strongest first."""
    hashed = np.flatnonzero(np.asarray(rows["alert_sha256"].combine_chunks().is_valid()))
    names = [name for name in _EVIDENCE if name in rows.column_names]
    candidates = rows.select([*names, "alert_score", "alert_sha256"]).take(pa.array(hashed))
    chosen = strongest_of_each(episode[hashed], candidates, most)
    found: list[list[dict[str, Any]]] = [[] for _ in range(size)]
    taken = candidates.take(pa.array(chosen)).rename_columns([*names, "contribution", "sha256"])
    for owner, row in zip(episode[hashed][chosen].tolist(), taken.to_pylist(), strict=True):
        found[owner].append(row)
    return found
