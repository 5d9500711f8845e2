"""BIND's logs: queries, security and all other categories, in syslog or in files of its own.

A file of its own has BIND's time in front (``20-Nov-2026 10:00:00.123``, or ISO 8601), then perhaps
category and severity. What the messages say stands in ``rules/syslog/dns.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.own_files import OwnFile

_FILE = OwnFile(
    marks=(b"named[", b"client ", b": query", b" zone "),
    programs="^named",
    program="named",
    headers=(
        "{time:%d-%b-%Y %H:%M:%S.%f} {message:rest}",
        "{time:iso} {message:rest}",
        "{time:syslog} {message:rest}",
    ),
    words=r"^([a-z-]+: )?((info|notice|warning|error|critical|debug [0-9]+): |client [@0-9])",
)


class Bind:
    """Files of BIND; see ``Format``."""

    name = "bind"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of the head are BIND's."""
        return _FILE.matches(head)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return _FILE.parse(lines, context)
