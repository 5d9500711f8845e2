"""Alerts of other tools, one by one: which finding each is, and which of them may be evidence.

Rows that an alert format parsed enter; they leave with a fingerprint each. The fingerprint is a
digest of the tool, the log, the rule and the entity at fault: who acts, on which host, as for our
own alerts (see ``episodes.acting``). Where nothing but addresses acts, as in what a network
sensor sees, both ends are the entity. Ports, times and process numbers have no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.ids import digest
from secad.scoring.episodes import Rows, acting, codes

_FIRST_KEYS = ("detector", "view", "rule")


def keys(rows: pa.Table) -> pa.Table:
    """Returns what makes each row's fingerprint: ``detector``, ``view``, ``rule``, ..., (N,) each.

    Args:
        rows: (N,) parsed alerts with ``dataset``.
    """
    actors = acting(rows)
    source = _text(rows, "source_ip")
    ends = pc.equal(pc.coalesce(actors.kind, ""), "destination_ip")
    columns = {
        "detector": _text(rows, "alert_detector"),
        "view": _text(rows, "dataset"),
        "rule": pc.coalesce(_text(rows, "alert_rule_id"), _text(rows, "rule_name")),
        "host_name": actors.host,
        "actor_column": actors.kind,
        "actor": actors.name,
        "source_ip": pc.if_else(ends, source, None),
    }
    return pa.table(columns)


def fingerprints(rows: pa.Table) -> pa.Array:
    """Returns (N,) string, the fingerprint of each row.

    Args:
        rows: (N,) parsed alerts with ``dataset``.
    """
    if not rows.num_rows:
        return pa.array([], pa.string())
    made = keys(rows)
    same = codes([column.combine_chunks() for column in made.columns])
    _, first, of_row = np.unique(same, return_index=True, return_inverse=True)
    distinct = made.take(pa.array(first)).to_pylist()
    texts = [digest(list(key.values()), person="tool finding") for key in distinct]
    return pa.array(texts, pa.string()).take(pa.array(of_row))


def key_in_clear(key: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Returns the pairs of a row of ``keys`` as ``ALERTS.fingerprint_key`` holds them."""
    pairs = [(name, key[name]) for name in (*_FIRST_KEYS, "host_name")]
    pairs += [(key["actor_column"] or "", key["actor"]), ("source_ip", key["source_ip"])]
    return [(name, value) for name, value in pairs if name and value is not None]


def episode_starts(unit: Rows, times: Rows, gap_us: int) -> tuple[Rows, Rows]:
    """Returns the order of rows by unit and time, (N,), and where runs start in it.

    A run ends where its unit is quiet for longer than the gap.

    Args:
        unit: (N,) codes.
        times: (N,) microseconds.
        gap_us: microseconds.
    """
    order = np.lexsort((np.arange(len(unit)), times, unit))
    if not len(order):
        return order, order
    new = (np.diff(unit[order]) != 0) | (np.diff(times[order]) > gap_us)
    return order, np.append(0, np.flatnonzero(new) + 1)


def strongest_of_each(unit: Rows, rows: pa.Table, most: int) -> Rows:
    """Returns places of the first rows of each unit: by score, then time, then place, (K,).

    Args:
        unit: (N,) codes.
        rows: (N,) with ``time``, ``event_id`` and ``alert_score``.
        most: how many of each unit.
    """
    score = np.asarray(rows["alert_score"].to_numpy(), dtype=np.float64)
    times = rows["time"].cast(pa.int64()).to_numpy()
    ids = np.asarray(pc.rank(rows["event_id"].combine_chunks().cast(pa.binary())))
    order = np.lexsort((ids, times, -score, unit))
    starts = np.searchsorted(unit[order], unit[order])
    return np.asarray(order[np.arange(len(order)) - starts < most], dtype=np.int64)


def _text(rows: pa.Table, name: str) -> pa.Array:
    if name not in rows.column_names:
        return pa.nulls(len(rows), pa.string())
    return rows[name].cast(pa.string()).combine_chunks()
