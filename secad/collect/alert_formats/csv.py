"""Alerts of any tool as a CSV file with a header, by a field map."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pyarrow as pa

from secad.base.errors import ConfigError
from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, alerts, declared
from secad.collect.alerts.csv import read_rows
from secad.collect.alerts.maps import ALERT_COLUMNS, detector_of, texts_by
from secad.collect.field_maps import read_times


class CsvAlerts:
    """Rows of a CSV file with a field map; see ``Format``."""

    name = "csv"
    dataset = "alerts"
    fields: Mapping[str, str] = declared(dict.fromkeys(ALERT_COLUMNS, "the map's field"))
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, _head: bytes) -> float:
        """Returns 0: only a map tells what is what."""
        return 0.0

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one row per alert; see ``Format``.

        Raises:
            ConfigError: there is no field map, or the header does not fit it.
        """
        field_map = context.field_map
        if field_map is None:
            raise ConfigError(
                "alerts of format 'csv' need a field map", hint="add --map FILE, see the README"
            )
        found = read_rows(lines, context.head, texts_by(field_map), field_map.delimiter)
        written = partial(read_times, time_format=field_map.time_format, context=context)
        return alerts(
            found, context, detector=detector_of(field_map), scale="ocsf", read_times=written
        )
