"""Alerts of any tool as JSON lines, by a field map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import BinaryIO

import pyarrow as pa

from secad.base.errors import ConfigError
from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, declared
from secad.collect.alerts.json import Layout, parse_json
from secad.collect.alerts.maps import ALERT_COLUMNS, detector_of, texts_by
from secad.collect.field_maps import read_times
from secad.collect.json.documents import JsonDocuments

_DOCUMENTS = JsonDocuments(
    ("alerts", "findings", "results", "items", "data", "hits.hits"), repeated=False
)


class JsonAlerts:
    """JSON lines with a field map; see ``Format``."""

    name = "jsonl"
    dataset = "alerts"
    fields: Mapping[str, str] = declared(dict.fromkeys(ALERT_COLUMNS, "the map's field"))
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, _head: bytes) -> float:
        """Returns 0: only a map tells what is what."""
        return 0.0

    def is_framed(self, head: bytes) -> bool:
        """Returns whether the alerts stand in a document; see ``Frames``."""
        return _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the alerts of a document; see ``Frames``."""
        return _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one row per alert; see ``Format``.

        Raises:
            ConfigError: there is no field map.
        """
        field_map = context.field_map
        if field_map is None:
            raise ConfigError(
                "alerts of format 'jsonl' need a field map", hint="add --map FILE, see the README"
            )
        written = partial(_times, field_map.time_format)
        paths = {name: (path,) for name, path in texts_by(field_map).items()}
        layout = Layout(detector_of(field_map), paths, "ocsf", read_times=written)
        return parse_json(lines, context, layout)


def _times(time_format: str, text: pa.Array, context: ParseContext) -> pa.Array:
    return read_times(text, time_format, context)
