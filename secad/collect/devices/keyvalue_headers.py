"""What syslog writes in front of the pairs of a firewall's line.

Lines enter; the pairs alone, and the header's time and host, leave. The header may be that of RFC
3164 or 5424, with or without a priority, or the one of Sophos UTM (``2026:11:20-10:00:01 host``).
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_PRIORITY = r"(?:<\d{1,3}>\s*)?"
_TAG = r"(?:[^\s=\[\]:]+(?:\[\d{1,9}\])?:\s+)?"
_CLOCK = r"\d{2}:\d{2}:\d{2}"
# Nov 20 10:00:01 | Nov 20 2026 10:00:01 | 2026-11-20T10:00:01Z | 2026:11:20-10:00:01
_STAMP = (
    rf"[A-Z][a-z]{{2}} [ \d]?\d (?:\d{{4}} )?{_CLOCK}|\d{{4}}-\d{{2}}-\d{{2}}T{_CLOCK}[^\s=]*|"
    rf"\d{{4}}:\d{{2}}:\d{{2}}-{_CLOCK}"
)
_STRUCTURED = r"[^\s=]+ [^\s=]+ [^\s=]+ (?:-|\[[^\]]*\])\s*\x{FEFF}?"
HEADER = rf"{_PRIORITY}(?:1 )?(?P<stamp>{_STAMP})\s+(?P<host>[^\s=]+)\s+(?:{_STRUCTURED}\s*|{_TAG})"
"""Pattern of a header, without anchors."""
_LINE = rf"^{HEADER}(?P<pairs>[A-Za-z_@][\w.@/-]*=.*)$"
_UTM = r"^(\d{4}):(\d{2}):(\d{2})-"
_BARE = r"^(<\d{1,3}>)?[A-Za-z_@][\w.@/-]*="


class Headed(NamedTuple):
    """Lines and what stood before their pairs.

    Args:
        pairs: (N,) string, the line without its header.
        stamp: (N,) string, the header's time as it is written, null without a header.
        host: (N,) string, the header's host.
    """

    pairs: pa.Array
    stamp: pa.Array
    host: pa.Array


def without_headers(text: pa.Array) -> Headed:
    """Returns lines without their syslog headers.

    Args:
        text: (N,) string without nulls.
    """
    if pc.all(pc.match_substring_regex(text, _BARE)).as_py():
        nothing = pa.nulls(len(text), pa.string())
        return Headed(text, nothing, nothing)
    found = pc.extract_regex(text, _LINE)
    pairs, stamp, host = (pc.struct_field(found, [name]) for name in ("pairs", "stamp", "host"))
    stamp = pc.replace_substring_regex(stamp, _UTM, r"\1-\2-\3 ")
    bare = pc.replace_substring_regex(text, r"^(<\d{1,3}>)?\s+", r"\1")
    return Headed(pc.coalesce(pairs, bare), stamp, host)
