"""Alerts that are JSON objects, one a line or in a document: paths in, parsed alerts out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.alerts.columns import Columns, Flags, Found, alerts, no_alerts
from secad.collect.json.columns import read_json
from secad.collect.json.documents import JsonDocuments
from secad.collect.text import decode

_LOOKED_AT = 30
_SURE = 0.97

Paths = Mapping[str, Sequence[str]]


def none_skipped(columns: Columns) -> Flags:
    """Takes every record for an alert."""
    return no_alerts(len(next(iter(columns.values()))))


def as_they_are(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Leaves the columns as they are."""
    return columns


@dataclass(frozen=True)
class Layout:
    """How a tool writes its alerts.

    Args:
        detector: the tool.
        paths: column -> where its text is, the first that is there; see ``alert_columns.Found``.
        scale: of severities.
        unwrapped: objects that may stand around an alert, such as ``_source``.
        skipped: returns which records are no alerts, from the columns.
        prepared: rewrites columns before they are typed.
    """

    detector: str
    paths: Paths
    scale: str = "words"
    unwrapped: Sequence[str] = ("_source",)
    skipped: Callable[[Columns], Flags] = none_skipped
    prepared: Callable[[dict[str, pa.Array]], dict[str, pa.Array]] = as_they_are
    read_times: Callable[[pa.Array, ParseContext], pa.Array] | None = field(default=None)


def parse_json(lines: pa.RecordBatch, context: ParseContext, layout: Layout) -> Parsed:
    """Returns the alerts of LINES that are JSON objects; see ``Format.parse``."""
    text = decode(lines)
    read = read_json(text.text, layout.paths, unwrapped=layout.unwrapped, blank="-")
    columns = {name: pa.array(column) for name, column in read.columns.items()}
    comment = _flags(read.errors.is_valid()) & _flags(pc.starts_with(text.text, "#"))
    skipped = layout.skipped(columns) | comment
    errors = pc.if_else(pa.array(comment), None, read.errors)
    columns = layout.prepared(columns)
    times = layout.read_times
    return alerts(
        Found(text, columns, errors, skipped),
        context,
        detector=layout.detector,
        scale=layout.scale,
        read_times=(lambda written: times(written, context)) if times else None,
    )


def share(
    head: bytes, documents: JsonDocuments, mark: bytes, fits: Callable[[dict[str, Any]], bool]
) -> float:
    """Returns how sure a head is of a format: the share of its records that fit.

    Args:
        head: the first bytes of a source.
        documents: how records stand in a document.
        mark: bytes without which no record can fit.
        fits: whether a record, out of what may stand around it, is one of the format.
    """
    if mark not in head:
        return 0.0
    objects = [_unwrapped(found) for found in documents.first_records(head, _LOOKED_AT)]
    if not objects:
        return 0.0
    return _SURE * sum(found is not None and fits(found) for found in objects) / len(objects)


def has(record: Mapping[str, Any], *paths: str) -> bool:
    """Returns whether a record has every path, its keys nested or with dots."""
    return all(_value(record, path) is not None for path in paths)


def _value(record: Mapping[str, Any], path: str) -> Any:
    if path in record:
        return record[path]
    head, _, rest = path.partition(".")
    inner = record.get(head)
    return _value(inner, rest) if rest and isinstance(inner, Mapping) else None


def _unwrapped(record: dict[str, Any] | None) -> dict[str, Any] | None:
    inner = record.get("_source") if record else None
    return inner if isinstance(inner, dict) else record


def _flags(array: pa.Array) -> Flags:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
