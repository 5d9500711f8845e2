"""Packets that pf was told to log: filterlog of pfSense and OPNsense, and tcpdump's text of pflog.

filterlog writes comma-separated values behind a syslog frame, tcpdump a line with a time in front
(``tcpdump -tttt``, or ``-tt`` with seconds since 1970). What they say is read by
``rules/syslog/firewall.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.own_files import OwnFile

_FILE = OwnFile(
    marks=(b"filterlog", b"rule "),
    programs="^(filterlog|pf|pflog|pflogd)$",
    program="pf",
    headers=("{time:iso} {message:rest}", "{time:%s.%f} {message:rest}"),
    words=r"^rule [0-9.]+/",
)


class Pf:
    """Files of pf; see ``Format``."""

    name = "pf"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of the head are pf's."""
        return _FILE.matches(head)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return _FILE.parse(lines, context)
