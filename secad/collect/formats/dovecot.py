"""Dovecot's logs: who reads mail, from where, and who may not.

The lines are syslog lines of ``dovecot``, or those of a file of its own (``log_path``), where the
services stand without it and the time may be ``2026-11-20 10:00:00``. What they say stands in
``rules/syslog/mail.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.own_files import OwnFile

_SERVICES = "imap|pop3|lmtp|lda|managesieve|submission|auth|auth-worker|master|config|anvil|stats"
_FILE = OwnFile(
    marks=(b"dovecot", b"-login: ", b"auth: ", b"auth-worker"),
    programs=f"^(dovecot|({_SERVICES})(-login)?)$",
    program="dovecot",
    headers=("{time:iso} {message:rest}",),
    words=f"^({_SERVICES})(-login)?[(:]",
)


class Dovecot:
    """Files of Dovecot; see ``Format``."""

    name = "dovecot"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of the head are Dovecot's."""
        return _FILE.matches(head)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return _FILE.parse(lines, context)
