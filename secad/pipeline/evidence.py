"""What is added to alerts when they are made: hashes of evidence, templates in words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from secad.base.schemas import ALERTS
from secad.collect.transports.pieces import PieceReader

_TEMPLATE = re.compile(r"template id ([0-9a-f]{20})")  # as reasons of alerts write it
_TEMPLATE_LETTERS = 80


def in_words(alerts: pa.Table, templates: Mapping[str, str]) -> pa.Table:
    """Returns ALERTS rows whose reasons name templates by their text, not by their id.

    Args:
        alerts: ALERTS rows.
        templates: id -> text.
    """

    def worded(found: re.Match[str]) -> str:
        text = templates.get(found[1])
        return f"template {text[:_TEMPLATE_LETTERS]!r}" if text else found[0]

    reasons = [_TEMPLATE.sub(worded, reason) for reason in alerts.column("reason").to_pylist()]
    place = alerts.column_names.index("reason")
    return alerts.set_column(place, ALERTS.field("reason"), pa.array(reasons, pa.string()))


def with_hashes(alerts: pa.Table) -> pa.Table:
    """Returns ALERTS rows whose evidence carries the sha256 of its source record.

    It stays null where the source is gone already; ``store check`` then says so.

    Args:
        alerts: ALERTS rows.
    """
    lists: list[list[dict[str, Any]]] = alerts.column("evidence").to_pylist()
    rows = [row for evidence in lists for row in evidence]
    rows.sort(key=lambda row: (row["source_path"], row["byte_offset"]))  # each source once
    with PieceReader() as reader:
        for row in rows:
            raw = reader.read(row["source_path"], row["byte_offset"], row["byte_length"])
            row["sha256"] = None if raw is None else hashlib.sha256(raw).hexdigest()
    place = alerts.column_names.index("evidence")
    field = ALERTS.field("evidence")
    return alerts.set_column(place, field, pa.array(lists, field.type))
