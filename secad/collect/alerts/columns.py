"""What every format of other tools' alerts ends in: texts by column become typed rows.

A reader (JSON, CSV, lines) found a text for each column; times, severities, ATT&CK ids and
integers are read out of them here, in the same way for all tools. An alert without a time, or
without a rule, is a reject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS, ECS, LOCATOR, PARSED
from secad.collect.alerts.severity import numbers, severities
from secad.collect.text import Text, reject
from secad.collect.times import parse_any

Flags = npt.NDArray[np.bool_]
Columns = Mapping[str, pa.Array]

ALERT = "alert"
"""The event_action of every occurrence."""

TEMPLATE_COLUMNS = ("event_action",)
"""Occurrences take no part in the mining of templates."""

# one value out of an array: ["WS1"] | [1642411593, 1642411594]
_FIRST_OF = r'^\s*\[\s*"?([^",\[\]{}\\]*)"?.*$'
_LOWER = ("network_transport", "network_protocol", "network_direction")
_WITH_PORT = r"^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$"
_INTEGER = "^[0-9]{1,18}$"
# T1059 | t1059.001 | attack.t1059.001 | T1059/001 in a link
_TECHNIQUE = r"(?s).*?\b[tT](\d{4})(?:[./_](\d{3}))?\b"


@dataclass(frozen=True)
class Found:
    """What a reader found in a batch.

    Args:
        text: the readable records, N of them.
        columns: column -> (N,) string: ``time``, ECS columns, ``alert_rule_id`` and its kin, and
            ``severity``, ``score`` and ``techniques`` as the tool writes them.
        errors: (N,) string, why a record is rejected, null for a sound one.
        skipped: (N,) sound records that are no alerts.
    """

    text: Text
    columns: Columns
    errors: pa.Array
    skipped: Flags


def no_alerts(count: int) -> Flags:
    """Returns (N,) flags that skip nothing."""
    return np.zeros(count, dtype=np.bool_)


def alerts(
    found: Found,
    context: ParseContext,
    *,
    detector: str,
    scale: str,
    read_times: Callable[[pa.Array], pa.Array] | None = None,
) -> Parsed:
    """Returns the parsed alerts of a batch; see ``Format.parse``.

    Args:
        found: by a reader.
        context: zone and date of times.
        detector: the tool, where ``alert_detector`` does not say.
        scale: of severities, see ``alerts.severity``.
        read_times: returns UTC times; None for every known writing.
    """
    columns = {name: _single(column) for name, column in found.columns.items()}
    nothing = pa.nulls(len(found.text.text), pa.string())
    read = read_times or (lambda text: parse_any(text, context.tz, context.anchor_time))
    time = read(columns.pop("time", nothing))
    rule = pc.coalesce(columns.get("rule_name", nothing), columns.get("alert_rule_id", nothing))
    columns["rule_name"] = rule
    broken = _flags(found.errors.is_valid())
    skipped = found.skipped & ~broken
    ruleless = _flags(rule.is_null()) & ~broken & ~skipped
    timeless = _flags(time.is_null()) & ~broken & ~skipped & ~ruleless
    rejects = [
        found.text.rejects,
        reject(found.text.lines, broken, found.errors.filter(pa.array(broken))),
        reject(found.text.lines, ruleless, "no rule: an alert must say which rule raised it"),
        reject(found.text.lines, timeless, "no time in the alert"),
    ]
    kept = pa.array(~(broken | skipped | ruleless | timeless))
    rows = pa.table(
        {"time": time, **found.text.locators(), **_typed(columns, detector, scale)}
    ).filter(kept)
    count = found.text.skipped + int(skipped.sum())
    return Parsed(_in_order(rows), pa.concat_tables(rejects), skipped=count)


def techniques(text: pa.Array) -> pa.Array:
    """Returns (N,) string, the ATT&CK ids in texts, sorted, a comma between; null without any.

    >>> techniques(pa.array(['["attack.t1059.001","attack.execution"]', "none"])).to_pylist()
    ['T1059.001', None]
    """
    coded = text.dictionary_encode()
    some = pc.match_substring_regex(coded.dictionary, _TECHNIQUE)
    marked = pc.replace_substring_regex(
        pc.if_else(some, coded.dictionary, None), _TECHNIQUE, "\x1fT\\1.\\2"
    )
    listed = pc.replace_substring_regex(marked, "(?s)^((?:\x1fT[0-9]{4}\\.[0-9]*)*).*$", "\\1")
    plain = pc.replace_substring_regex(listed, "\\.(\x1f|$)", "\\1")
    words = [
        ",".join(sorted(set(ids.split("\x1f")[1:]))) if ids else None for ids in plain.to_pylist()
    ]
    return pa.array(words, pa.string()).take(coded.indices)


def _single(text: pa.Array) -> pa.Array:
    """Returns texts as they are, save that blank ones are null."""
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(text), ""), None, text)


def first_of(text: pa.Array) -> pa.Array:
    """Returns texts, of a JSON array its first value."""
    arrays = pc.fill_null(pc.starts_with(text, "["), False)
    if not pc.any(arrays).as_py():
        return text
    return pc.if_else(arrays, pc.replace_substring_regex(text, _FIRST_OF, r"\1"), text)


def _typed(columns: dict[str, pa.Array], detector: str, scale: str) -> dict[str, pa.Array]:
    count = len(columns["rule_name"])
    nothing = pa.nulls(count, pa.string())
    severity = severities(columns.get("severity", nothing), scale)
    score = numbers(columns.get("score", nothing))
    typed: dict[str, pa.Array] = {
        "event_action": pa.repeat(ALERT, count),
        "message": columns.get("message", nothing),
        "alert_detector": pc.coalesce(columns.get("alert_detector", nothing), detector),
        "alert_rule_id": columns.get("alert_rule_id", nothing),
        "alert_severity": severity,
        "alert_score": pc.coalesce(score, pc.cast(severity, pa.float64())),
        "alert_techniques": techniques(columns.get("techniques", nothing)),
    }
    for name, column in columns.items():
        if name in ECS.names and name not in typed and (name == "rule_name" or _some(column)):
            values = first_of(column)
            if name in _LOWER:
                values = pc.utf8_lower(values)
            if name.endswith("_ip"):  # 192.0.2.1:443
                values = pc.replace_substring_regex(values, _WITH_PORT, r"\1")
            if pa.types.is_integer(ECS.field(name).type):
                values = pc.cast(
                    pc.if_else(pc.match_substring_regex(values, _INTEGER), values, None),
                    pa.int64(),
                )
            typed[name] = values
    return typed


def _some(column: pa.Array) -> bool:
    return bool(column.null_count < len(column))


def _in_order(rows: pa.Table) -> pa.Table:
    """Returns rows with their columns in the order of PARSED and ALERT_FIELDS, typed so."""
    fields = [field for field in [*PARSED, *ALERT_FIELDS] if field.name in rows.column_names]
    return pa.table(
        [rows[field.name].cast(field.type) for field in fields], schema=pa.schema(fields)
    )


def _flags(array: pa.Array) -> Flags:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)


def declared(columns: Mapping[str, object]) -> dict[str, str]:
    """Returns the ``fields`` of a format: EVENTS or alert column -> where it comes from.

    Args:
        columns: column -> path or paths.
    """
    names = {"severity": "alert_severity", "score": "alert_score", "techniques": "alert_techniques"}
    told = {
        names.get(name, name): where if isinstance(where, str) else ", ".join(map(str, where))  # type: ignore[call-overload]
        for name, where in columns.items()
    }
    always = ("event_action", "alert_detector", "alert_severity", "alert_score", "rule_name")
    return {**dict.fromkeys((*always, "alert_rule_id", "alert_techniques"), "the tool"), **told}


__all__ = ["LOCATOR", "Found", "alerts", "declared", "first_of", "no_alerts", "techniques"]
