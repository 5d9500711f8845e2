"""Syslog: lines of RFC 3164, RFC 5424 and rsyslog's ISO form, in any mixture, to EVENTS.

The line's frame (time, host, program, pid, message) is found by ``secad.features.syslog_frame``;
what the message of sshd, sudo, cron, named, postfix, the kernel's firewall and the like says is
found by the phrases of ``rules/syslog/``. A line without a time is rejected.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import by_pieces, lines_of, without_comments
from secad.collect.syslog.columns import DATASET, EXTENSIONS, FIELDS
from secad.collect.syslog.events import events_of
from secad.collect.syslog.header import framed
from secad.collect.text import decode
from secad.features.syslog_tag import STATUS, TAGGED, UNTAGGED

# a line that has a time but no program's name may be of many formats
_SURE, _UNSURE = 0.95, 0.3


class Syslog:
    """Syslog files: auth.log, secure, messages, syslog, kern.log, mail.log, cron."""

    name = "syslog"
    dataset = DATASET
    fields: Mapping[str, str] = FIELDS
    extensions = EXTENSIONS
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how much of the head is framed as syslog, most where a program is named."""
        text = decode(without_comments(lines_of(head)))
        count = text.lines.num_rows + text.rejects.num_rows
        if not text.lines.num_rows:
            return 0.0
        status = framed(text.text)[1][:, STATUS]
        sure = _SURE * np.count_nonzero(status == TAGGED)
        unsure = _UNSURE * np.count_nonzero(status == UNTAGGED)
        return float((sure + unsure) / count)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return by_pieces(lines, lambda piece: self._parse(piece, context))

    def _parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        text = decode(lines)
        return events_of(text, *framed(text.text), context)
