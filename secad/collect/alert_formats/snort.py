"""Alerts of Snort and Suricata as lines: the fast format, and what Snort sends to syslog.

Lines of Snort's ``alerts.csv`` and ``alerts.json`` are read as the fast lines that say the same.

A line of the fast format begins with a date: Snort's has no year, or one of two digits, Suricata's
has one of four digits; by it the tool is told.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS
from secad.collect.alerts.columns import TEMPLATE_COLUMNS, Flags, Found, alerts, declared
from secad.collect.alerts.snort_lines import CSV, as_fast, is_json
from secad.collect.columns import lines_of
from secad.collect.text import decode
from secad.collect.times import parse_iso, parse_syslog

_RULE = r"\[(?P<generator>\d{1,10}):(?P<rule>\d{1,12}):\d{1,10}\]\s*(?:<[^>]*>\s*)?"
# 08/05-12:34:56.789012  [**] [1:2100498:7] GPL ATTACK_RESPONSE id check [**] [Priority: 2] {TCP} ..
_FAST = (
    r"^\s*(?P<month>\d{2})/(?P<day>\d{2})(?:/(?P<year>\d{4}|\d{2}))?-"
    r"(?P<clock>\d{1,2}:\d{2}:\d{2}(?:\.\d{1,9})?)\s+(?:\[\*\*\]\s*)?(?:\[\w+\]\s*)?(?:\[\*\*\]\s*)?"
    + _RULE
    + r"(?P<name>.*?)\s*\[\*\*\](?P<rest>.*)$"
)
# Mar  3 09:12:44 gate snort[812]: [1:2100498:7] GPL ATTACK_RESPONSE id check [Classification: ..
_SYSLOG = (
    r"^(?:<\d{1,3}>)?(?:1 )?(?P<stamp>[A-Z][a-z]{2} +\d{1,2} \d{2}:\d{2}:\d{2}|"
    r"\d{4}-\d{2}-\d{2}T\S+)\s+(?P<host>\S+)\s+(?P<tool>snort|suricata)[^\[:]*(?:\[\d+\])?:?\s+"
    + _RULE
    + r"(?P<name>.*?)\s*(?P<rest>(?:\[Classification:|\[Priority:|\{).*)$"
)
_CLASS = r"\[Classification: (?P<value>[^\]]*)\]"
_PRIORITY = r"\[Priority: (?P<value>\d{1,9})\]"
_PROTOCOL = r"\{(?P<value>[^}]*)\}"
_ENDS = r"\}\s+(?P<source>\S+) -> (?P<destination>\S+)"
_IPV4 = r"^(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d{1,5}))?$"
_IPV6_PORT = r"^\[?(?P<address>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*?)\]?:(?P<port>\d{1,5})$"
_IPV6 = r"^\[?(?P<address>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]?$"
_MONTHS = pa.array(
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
)
_FIELDS = {
    "time": "before the rule",
    "rule_name": "the message",
    "alert_rule_id": "generator:rule, without the revision",
    "severity": "Priority",
    "message": "Classification",
    **dict.fromkeys(("source_ip", "source_port", "destination_ip", "destination_port"), "the ends"),
    "network_transport": "in braces",
}


class Snort:
    """Fast and syslog alerts of Snort and Suricata; see ``Format``."""

    name = "snort"
    dataset = "snort"
    fields: Mapping[str, str] = declared(
        {**_FIELDS, "alert_detector": "by the date, or syslog's tag"}
    )
    extensions = ALERT_FIELDS
    template_columns = TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns how sure it is by the share of such lines; see ``Format``."""
        if not any(mark in head for mark in (b"[Priority:", b"[**]", b"/", b'"rule"')):
            return 0.0
        text = decode(lines_of(head[: 1 << 14])).text
        if not len(text):
            return 0.0
        known = is_json(text)
        for pattern in (_FAST, _SYSLOG, CSV):
            known = pc.or_(known, pc.match_substring_regex(text, pattern))
        return 0.98 * float(pc.sum(known).as_py() or 0) / len(text)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one row per alert; see ``Format``."""
        text = decode(lines)
        fast, syslog = _groups(as_fast(text.text), _FAST), _groups(text.text, _SYSLOG)
        both = {
            name: pc.coalesce(fast[name], syslog[name])
            for name in ("name", "rest", "rule", "generator")
        }
        rest = both["rest"]
        ends = _groups(rest, _ENDS)
        protocol = pc.utf8_lower(_groups(rest, _PROTOCOL)["value"])
        source, source_port = _address(ends["source"], protocol)
        destination, destination_port = _address(ends["destination"], protocol)
        four = pc.equal(pc.binary_length(fast["year"]), 4)
        columns = {
            "time": _time_text(fast, syslog),
            "rule_name": pc.utf8_trim(both["name"], '" '),
            "alert_rule_id": pc.binary_join_element_wise(both["generator"], both["rule"], ":"),
            "severity": _groups(rest, _PRIORITY)["value"],
            "message": _groups(rest, _CLASS)["value"],
            "network_transport": protocol,
            "source_ip": source,
            "source_port": source_port,
            "destination_ip": destination,
            "destination_port": destination_port,
            "alert_detector": pc.coalesce(syslog["tool"], pc.if_else(four, "suricata", "snort")),
        }
        none = _flags(pc.is_null(both["rule"]))
        errors = pc.if_else(pa.array(none), "not an alert of the fast or the syslog format", None)
        return alerts(
            Found(text, columns, errors, np.zeros(len(none), dtype=np.bool_)),
            context,
            detector="snort",
            scale="priority",
            read_times=lambda written: _times(written, context),
        )


def _time_text(fast: Mapping[str, pa.Array], syslog: Mapping[str, pa.Array]) -> pa.Array:
    """Returns the times as ISO or syslog text: with a year, or with the month's name."""
    short = pc.equal(pc.binary_length(fast["year"]), 2)
    year = pc.if_else(short, pc.binary_join_element_wise("20", fast["year"], ""), fast["year"])
    date = pc.binary_join_element_wise(year, fast["month"], fast["day"], "-")
    dated = pc.binary_join_element_wise(date, fast["clock"], " ")
    number = pc.subtract(pc.cast(fast["month"], pa.int64()), 1)
    known = pc.and_(pc.greater_equal(number, 0), pc.less(number, 12))
    name = _MONTHS.take(pc.if_else(known, number, None))
    yearless = pc.binary_join_element_wise(name, fast["day"], fast["clock"], " ")
    return pc.coalesce(dated, yearless, syslog["stamp"])


def _times(text: pa.Array, context: ParseContext) -> pa.Array:
    iso = parse_iso(text, context.tz)
    return pc.coalesce(iso, parse_syslog(text, context.tz, context.anchor_time))


def _address(text: pa.Array, protocol: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Returns addresses and ports; behind an IPv6 address a port is told only by the protocol."""
    four, six = _groups(text, _IPV4), _groups(text, _IPV6)
    with_port = _groups(text, _IPV6_PORT)
    ported = pc.fill_null(pc.is_in(protocol, value_set=pa.array(["tcp", "udp", "sctp"])), False)
    address = pc.if_else(ported, pc.coalesce(with_port["address"], six["address"]), six["address"])
    port = pc.if_else(ported, with_port["port"], None)
    return pc.coalesce(four["address"], address), pc.coalesce(four["port"], port)


def _groups(text: pa.Array, pattern: str) -> dict[str, pa.Array]:
    """Returns the named groups of a pattern, null where it does not match or a group is empty."""
    found = pc.extract_regex(text, pattern)
    groups = {}
    for field in found.type:
        values = pc.struct_field(found, [field.name])
        groups[field.name] = pc.if_else(pc.equal(values, ""), None, values)
    return groups


def _flags(array: pa.Array) -> Flags:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
