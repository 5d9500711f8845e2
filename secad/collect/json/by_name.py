"""From the texts of JSON fields to columns of EVENTS, for formats that know only fields' names.

Columns of text by EVENTS name enter; typed columns leave, with the kind of event and the outcome
in ECS's words, and what does not fit its column as a label.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.schemas import ECS, LOCATOR, PARSED
from secad.collect.columns import labels_with

_INTEGER = "^[0-9]{1,18}$"
_ONE_VALUE = r'^\["?([^"\\\[\]{},]*)"?\]$'  # ["process"] | [1642411593]
_OUTCOMES = {
    "success": "success", "succeeded": "success", "ok": "success", "true": "success",
    "pass": "success", "failure": "failure", "failed": "failure", "fail": "failure",
    "false": "failure", "error": "failure", "denied": "failure", "unknown": "unknown",
}  # fmt: skip


def one_value(text: pa.Array) -> pa.Array:
    """Returns texts, those of an array of one value without its brackets."""
    arrays = pc.starts_with(text, "[")
    if not pc.any(arrays).as_py():
        return text
    return pc.if_else(arrays, pc.replace_substring_regex(text, _ONE_VALUE, r"\1"), text)


def typed(
    columns: Mapping[str, pa.Array],
    others: pa.MapArray,
    paths: Mapping[str, tuple[str, ...]],
    *,
    action: str | pa.Array,
) -> dict[str, pa.Array]:
    """Returns the columns in their types; what an integer column cannot hold becomes a label.

    Args:
        columns: EVENTS column -> (N,) string.
        others: (N,) the labels so far.
        paths: EVENTS column -> where it comes from; the first names the label.
        action: the kind of event of rows that have none.
    """
    made: dict[str, pa.Array] = dict(columns)
    lost: dict[str, pa.Array] = {}
    for name, column in columns.items():
        if name in ECS.names and pa.types.is_integer(ECS.field(name).type):
            whole = pc.match_substring_regex(column, _INTEGER)
            made[name] = pc.cast(pc.if_else(whole, column, None), pa.int64())
            if made[name].null_count > column.null_count:
                lost[paths[name][0]] = pc.if_else(whole, None, column)
    nothing = pa.nulls(len(others), pa.string())
    made["event_action"] = pc.coalesce(_action(columns.get("event_action", nothing)), action)
    made["message"] = columns.get("message", nothing)
    if "event_outcome" in columns:
        made["event_outcome"] = _outcome(columns["event_outcome"])
    made["labels"] = labels_with(others, lost) if lost else others
    return made


def _action(text: pa.Array) -> pa.Array:
    """Returns kinds in small letters with hyphens for blanks."""
    coded = text.dictionary_encode()
    words = pc.utf8_trim_whitespace(pc.utf8_lower(coded.dictionary))
    words = pc.replace_substring_regex(words, r"[\s/\\]+", "-")
    words = pc.if_else(pc.equal(words, ""), None, words)
    return words.take(coded.indices)


def _outcome(text: pa.Array) -> pa.Array:
    """Returns ECS's words for outcomes where they are meant; others stay."""
    words = pc.utf8_lower(text)
    place = pc.index_in(words, pa.array(list(_OUTCOMES)))
    return pc.coalesce(pa.array(list(_OUTCOMES.values())).take(place), words)


def without_empty(events: pa.Table) -> pa.Table:
    """Returns events without the columns that hold nothing here, save those that all have."""
    kept = {*LOCATOR.names, "time", "event_action", "message", "labels"}
    names = [name for name in PARSED.names if name in events.column_names]
    return events.select(
        [name for name in names if name in kept or events[name].null_count < events.num_rows]
    )
