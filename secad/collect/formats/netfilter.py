"""Packets that Linux' firewall was told to log: iptables, nftables, UFW, firewalld, Shorewall.

The lines are syslog lines of the kernel with any words of the administrator in front, or what ulogd
writes without a program's name. What they say is read by ``rules/syslog/firewall.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.own_files import OwnFile

_FILE = OwnFile(
    marks=(b" SRC=",),
    programs="^(kernel|ulogd)$",
    program="kernel",
    headers=(
        "{time:syslog} {host_name} {message:rest}",
        "{time:iso} {host_name} {message:rest}",
    ),
    words="IN=[^ ]* OUT=[^ ]* .*SRC=[^ ]+ DST=",
)


class Netfilter:
    """Files of firewall packets; see ``Format``."""

    name = "netfilter"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of the head are a packet filter's."""
        return _FILE.matches(head)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return _FILE.parse(lines, context)
