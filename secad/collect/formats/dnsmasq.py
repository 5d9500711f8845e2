"""dnsmasq's logs (and Pi-hole's): queries, answers, leases.

The lines are syslog lines, without a host in a file of their own (``log-facility``). What the
messages say stands in ``rules/syslog/dns.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.own_files import OwnFile

_FILE = OwnFile(marks=(b"dnsmasq", b"pihole-FTL"), programs="^(dnsmasq|pihole-FTL)")


class Dnsmasq:
    """Files of dnsmasq; see ``Format``."""

    name = "dnsmasq"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of the head are dnsmasq's."""
        return _FILE.matches(head)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return _FILE.parse(lines, context)
