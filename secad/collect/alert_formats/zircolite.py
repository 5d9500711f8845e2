"""The matches of Zircolite: rules with the events that each matched (``detected_events.json``).

Each match is an alert of its own. What its rule says stands outside of it in the file, so the
record that is parsed begins with that and ends in the match, whose bytes alone are its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS, LINES, LOCATOR
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, declared
from secad.collect.alerts.json import Layout, has, parse_json, share
from secad.collect.json.columns import read_json
from secad.collect.json.documents import JsonDocuments

_PATHS = {
    "time": (
        "match.SystemTime",
        "match.UtcTime",
        "match.timestamp",
        "match.@timestamp",
        "match.TimeCreated",
        "match._time",
    ),
    "rule_name": ("title",),
    "alert_rule_id": ("id", "sigmafile"),
    "severity": ("rule_level",),
    "techniques": ("tags",),
    "host_name": ("match.Computer",),
    "event_code": (
        "match.EventID.#text",
        "match.EventID",
    ),
    "event_provider": (
        "match.Provider_attributes.Name",
        "match.Channel",
    ),
    "user_name": (
        "match.SubjectUserName",
        "match.User",
    ),
    "user_target_name": ("match.TargetUserName",),
    "process_executable": (
        "match.Image",
        "match.NewProcessName",
        "match.SourceImage",
        "match.ProcessName",
    ),
    "process_command_line": ("match.CommandLine",),
    "process_parent_executable": (
        "match.ParentImage",
        "match.ParentProcessName",
    ),
    "process_parent_command_line": ("match.ParentCommandLine",),
    "service_name": ("match.ServiceName",),
    "source_ip": (
        "match.SourceIp",
        "match.IpAddress",
    ),
    "destination_ip": ("match.DestinationIp",),
    "destination_port": ("match.DestinationPort",),
    "file_path": ("match.TargetFilename",),
    "registry_path": ("match.TargetObject",),
    "dns_question_name": ("match.QueryName",),
}

_RULES = JsonDocuments(("matches",))
_BETWEEN_BYTES = 64  # more than what stands between two matches, less than a rule
_OF_RULE = {name: (name,) for name in ("title", "id", "sigmafile", "rule_level", "tags")}
_LAYOUT = Layout("zircolite", _PATHS)


class Zircolite:
    """Zircolite alerts; see ``Format``."""

    name = "zircolite"
    dataset = "zircolite"
    fields: Mapping[str, str] = declared(_PATHS)
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure a head is one of such alerts; see ``Format``."""
        return share(head, JsonDocuments(), b'"rule_level"', _fits)

    def is_framed(self, _head: bytes) -> bool:
        """Returns True: a record is a match inside a rule; see ``Frames``."""
        return True

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the matches; see ``Frames``."""
        rule, end = b"", 0
        for matches, rejects in _RULES.inner_frames(file, batch_bytes):
            place = file.tell()
            begins = matches.column("byte_offset").to_numpy()
            ends = begins + matches.column("byte_length").to_numpy()
            gaps = begins - np.append(end, ends[:-1])
            cuts = np.flatnonzero(gaps > _BETWEEN_BYTES)
            rules = [rule]
            for cut in cuts.tolist():
                file.seek(begins[cut] - gaps[cut])
                rules.append(_rule(file.read(gaps[cut])) or rules[-1])
            which = np.searchsorted(cuts, np.arange(len(begins)), side="right")
            yield _behind(matches, pa.array(rules, pa.binary()).take(pa.array(which))), rejects
            rule, end = rules[-1], int(ends[-1]) if len(ends) else end
            file.seek(place)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one row per alert; see ``Format``."""
        closed = pc.binary_join_element_wise(lines.column("raw"), b"}", b"")
        columns = [closed, *(lines.column(name) for name in LOCATOR.names)]
        whole = pa.RecordBatch.from_arrays(columns, schema=LINES)
        return parse_json(whole, context, _LAYOUT)


def _fits(record: Mapping[str, Any]) -> bool:
    return has(record, "title", "rule_level", "matches")


def _rule(gap: bytes) -> bytes | None:
    """Returns the beginning of a record: what a rule says, None where no rule begins in the gap.

    Args:
        gap: the bytes before a match, behind the one before.
    """
    if b'"matches"' not in gap:
        return None
    text = gap[max(gap.find(b"{"), 0) :].decode("utf-8", "replace") + "]}"
    read = read_json(pa.array([text]), _OF_RULE)
    told = {name: column[0].as_py() for name, column in read.columns.items()}
    return json.dumps(told)[:-1].encode() + b', "match": '


def _behind(matches: pa.RecordBatch, rules: pa.Array) -> pa.RecordBatch:
    """Returns LINES of matches, each behind its rule."""
    raw = pc.binary_join_element_wise(rules, matches.column("raw"), b"")
    return pa.RecordBatch.from_arrays(
        [raw, *(matches.column(name) for name in LOCATOR.names)], schema=LINES
    )
