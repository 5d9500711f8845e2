"""Postfix' logs: who connects, who logs in, what is refused, where mail goes.

The lines are syslog lines. What they say stands in ``rules/syslog/mail.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.own_files import OwnFile

_FILE = OwnFile(marks=(b" postfix",), programs="^postfix")


class Postfix:
    """Files of Postfix; see ``Format``."""

    name = "postfix"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of the head are Postfix'."""
        return _FILE.matches(head)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return _FILE.parse(lines, context)
