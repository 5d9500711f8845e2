"""Field maps of other tools' alerts: as of logs (see ``field_maps``), with rule and severity.

```toml
dataset = "edr"            # also the detector's name, where no field gives one

[columns]                  # column = field of the record
time = "detected_at"
rule_name = "title"        # a rule's name or its id must be there
rule_id = "signature"
severity = "risk"          # words (low ... critical) or OCSF numbers 1 to 6
score = "confidence"       # a number, higher is graver
techniques = "mitre"       # any text that holds ATT&CK ids
host_name = "endpoint"
source_ip = "src"
```
"""

from __future__ import annotations

from collections.abc import Mapping

from secad.base.errors import ConfigError
from secad.base.protocols import FieldMap
from secad.collect.field_maps import COLUMNS

_OWN = {"rule_id": "alert_rule_id", "detector": "alert_detector"}
ALERT_COLUMNS = (*COLUMNS, *_OWN, "severity", "score", "techniques")
"""The columns that a map of alerts may fill."""


def texts_by(field_map: FieldMap) -> dict[str, str]:
    """Returns the field of each column that ``alert_columns.Found`` takes.

    Raises:
        ConfigError: the map names no rule.
    """
    if not {"rule_name", "rule_id"} & set(field_map.columns):
        raise ConfigError(
            "a field map of alerts needs 'rule_name' or 'rule_id' under [columns]",
            hint='add:  [columns]  rule_name = "FIELD"',
        )
    columns: Mapping[str, str] = field_map.columns
    return {_OWN.get(name, name): path for name, path in columns.items()}


def detector_of(field_map: FieldMap) -> str:
    """Returns the detector of alerts whose fields name none."""
    return field_map.dataset or "alerts"
