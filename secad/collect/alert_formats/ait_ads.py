"""The CSV layout of the AIT Alert Data Set: alerts of Wazuh, Suricata and AMiner, one a row.

Its header names ``time,name,ip,host,short``. The columns ``time_label`` and ``event_label``, where
they are there, say which alerts belong to an attack: they are truth to measure by, and nothing of
them is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, alerts, declared
from secad.collect.alerts.csv import read_rows
from secad.collect.csv.header import header_of
from secad.collect.times import parse_epoch

_FIELDS = {
    "time": "time",
    "rule_name": "name",
    "alert_rule_id": "short",
    "source_ip": "ip",
    "host_name": "host",
}
_PREFIX = r"(?i)^(?P<tool>wazuh|suricata|aminer):\s+"


class AitAds:
    """CSV files of the AIT Alert Data Set; see ``Format``."""

    name = "ait_ads"
    dataset = "ait_ads"
    fields: Mapping[str, str] = declared({**_FIELDS, "alert_detector": "the word before the colon"})
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure the header is; see ``Format``."""
        if b"short" not in head[:200]:
            return 0.0
        names, _ = header_of(head, ",")
        return 0.98 if set(_FIELDS.values()) <= set(names) else 0.0

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one row per alert; see ``Format``.

        Raises:
            ConfigError: the header is another one.
        """
        found = read_rows(lines, context.head, _FIELDS, ",")
        names = found.columns["rule_name"]
        tool = pc.struct_field(pc.extract_regex(names, _PREFIX), "tool")
        columns = {**found.columns, "alert_detector": pc.utf8_lower(tool)}
        return alerts(
            replace(found, columns=columns),
            context,
            detector="ait_ads",
            scale="words",
            read_times=lambda text: parse_epoch(text, "s"),
        )
