"""The hash of each evidence record, taken from its source when the alert is made."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa

from secad.base.schemas import ALERTS
from secad.collect.transports.files import PieceReader


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
