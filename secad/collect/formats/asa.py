"""Logs of Cisco's firewalls: ASA, Firepower (FTD), PIX and FWSM.

Each line names its message by a number, ``%ASA-6-302013``, behind any of the times and hosts that
these devices and the servers that collect from them write. What the messages say stands in
``rules/syslog/asa.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.own_files import OwnFile

_FILE = OwnFile(marks=(b"%ASA-", b"%FTD-", b"%PIX-", b"%FWSM-"), programs="^%(ASA|FTD|PIX|FWSM)-")


class Asa:
    """Files of Cisco's firewalls; see ``Format``."""

    name = "asa"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of the head are Cisco firewalls'."""
        return _FILE.matches(head)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return _FILE.parse(lines, context)
