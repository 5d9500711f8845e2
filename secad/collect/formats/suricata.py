"""Suricata's EVE records, JSON lines of every event type, as events.

Lines enter, one event each leaves, alerts among them. Records of ``stats`` tell of the program,
not of the network: they are skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import labels_with
from secad.collect.json.columns import first_objects, read_json
from secad.collect.json.events import opened, without_envelope
from secad.collect.suricata.events import columns_of
from secad.collect.suricata.fields import COLUMNS, EXTENSIONS, IGNORED, PART
from secad.collect.text import decode, reject

_SURE = 0.98
_LIKELY = 0.9  # the first line is longer than the head
_LOOKED_AT = 20
_STATS = "stats"
_ENVELOPES = ("result._raw", "_raw", "message", "event.original")  # of Splunk, of shippers
_HELD = '\\"event_type\\":'  # in a record that an envelope holds as text
_NO_TYPE = "no EVE record: expected the field event_type"
_NO_TIME = "no time: expected ISO 8601 in the field timestamp"
_ENDS = frozenset({"src_ip", "dest_ip", "flow_id", "proto", "in_iface", "pcap_cnt"})


class Suricata:
    """Suricata's EVE JSON; see ``Format``."""

    name = "suricata"
    dataset = "suricata"
    fields: Mapping[str, str] = {
        **{name: ", ".join(paths) for name, paths in COLUMNS.items() if not name.startswith(PART)},
        "event_action": "suricata- and event_type, such as suricata-flow",
        "event_category": "by event_type",
        "event_provider": "suricata",
        "event_outcome": "http.status, dns.rcode, krb5.failed_request, smb.status, nfs.status",
        "event_duration": "flow.end less flow.start",
        "network_protocol": "app_proto; else event_type, where it is one",
        "url_path": "http.url before ?",
        "url_query": "http.url behind ?",
        "http_version": "http.protocol, behind HTTP/",
        "dns_question_name": "dns.rrname, dns.queries[0].rrname, dns.query[0].rrname",
        "user_name": ", ".join((*COLUMNS["user_name"], "ftp.command_data of USER")),
        "suricata_flow_start": "flow.start, netflow.start",
        "labels": "every other field",
    }
    extensions: pa.Schema = EXTENSIONS.append(pa.field("suricata_flow_start", pa.string()))
    template_columns = ("event_action", "network_protocol", "rule_name")

    def matches(self, head: bytes) -> float:
        """Returns the share of EVE records among the first JSON objects; see ``Format``."""
        if b"event_type" not in head:
            return 0.0
        objects = first_objects(head, _LOOKED_AT)
        if any(objects):
            return (
                _SURE
                * sum(_is_record(opened(record or {}, _ENVELOPES)) for record in objects)
                / len(objects)
            )
        cut_off = head.startswith(b"{") and b"\n" not in head
        return _LIKELY if cut_off and b'"timestamp"' in head and b'"stats"' in head else 0.0

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line, none of statistics; see ``Format``."""
        text = decode(lines)
        bare = without_envelope(text.text, _ENVELOPES, _HELD)
        read = read_json(bare, COLUMNS, ignored=IGNORED, joined=True)
        broken = np.asarray(read.errors.is_valid())
        types = read.columns["~type"]
        untyped = np.asarray(types.is_null()) & ~broken
        stats = np.asarray(pc.equal(types, _STATS).fill_null(False))
        count = len(text.text)
        found = {
            name: column
            for name, column in read.columns.items()
            if column.null_count < count or name in {"time", "~type"}
        }
        columns, more = columns_of(found, context)
        timeless = np.asarray(columns["time"].is_null()) & ~(broken | untyped | stats)
        rejects = [
            text.rejects,
            reject(text.lines, broken, read.errors.drop_null()),
            reject(text.lines, untyped, _NO_TYPE),
            reject(text.lines, timeless, _NO_TIME),
        ]
        labels = labels_with(read.labels, more) if more else read.labels
        events = pa.table({**columns, **text.locators(), "labels": labels})
        left_out = broken | untyped | timeless | stats
        if left_out.any():
            events = events.filter(pa.array(~left_out))
        skipped = text.skipped + int(stats.sum())
        return Parsed(events, pa.concat_tables(rejects), skipped=skipped)


def _is_record(record: dict[str, Any] | None) -> bool:
    """Returns whether an object has the marks of an EVE record."""
    if record is None or "timestamp" not in record:
        return False
    kind = record.get("event_type")
    if not isinstance(kind, str):
        return False
    return isinstance(record.get(kind), dict) or len(_ENDS & record.keys()) >= 3
