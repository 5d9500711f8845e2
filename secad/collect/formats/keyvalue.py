"""Lines of ``key=value`` pairs: logfmt, FortiGate, Sophos, SonicWall and whoever writes alike.

Lines enter, one event each leaves. The keys' names decide the columns, by the table that JSON logs
are read with and a few names of firewalls; every pair that no column takes is kept as a label.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.devices.keyvalue_headers import HEADER, Headed, without_headers
from secad.collect.devices.keyvalue_pairs import Keyed, by_names
from secad.collect.json.columns import JsonColumns
from secad.collect.json.names import NAMES
from secad.collect.json.rules import address, event_table, kind, once_each, parsed, worded
from secad.collect.text import decode
from secad.collect.times import parse_any

Columns = dict[str, pa.Array]

_NO_PAIRS = "no key=value pair"
_NO_TIME = "no time: expected a key such as time, ts, timestamp, eventtime, or date and time"
_LOOKED_AT = 50
_SURE, _LIKELY = 0.96, 0.7
# key="value" key=value ...: nothing else on the line but a priority before it
_PAIRS = r'([A-Za-z_@][\w.@/-]*=("([^"\\]|\\.)*"|[^\s"]*)[\s,;]*){3,}$'
_LINE = rf"^(<\d{{1,3}}>)?\s*{_PAIRS}"
_HEADED = rf"^{HEADER}{_PAIRS}"
_AUDIT = r"^(node=\S+ )?type=\S+ msg=audit\("
# keys that a maker's lines have, all of them: FortiGate, Sophos Firewall, SonicWall
_MAKERS = {
    "fortinet": ("logid", "type", "subtype"),
    "sophos": ("device_name", "log_type", "log_component"),
    "sonicwall": ("sn", "fw", "pri", "m"),
    "sophos-utm": ("severity", "sys", "sub"),
}
_MARKED = (
    r"\b(logid=.*\bsubtype=|log_type=.*\blog_component=|sn=\S+ .*\bfw=.*\bpri=|"
    r"severity=.*\bsys=\S+ .*\bsub=)"
)

_MORE = {
    "host_name": ("devname", "device_name", "fw"),
    "user_name": ("usr", "unauthuser", "xauthuser", "dstuser", "suser"),
    "user_target_name": ("duser",),
    "source_ip": ("src", "remip", "source"),
    "source_port": ("src_port", "spt"),
    "source_domain": ("srcname", "src_host"),
    "destination_ip": ("dst",),
    "destination_port": ("dst_port", "dpt"),
    "destination_domain": ("dstname", "dst_host"),
    "network_protocol": ("app_proto",),
    "network_direction": ("direction",),
    "rule_name": ("policyname", "rule", "fw_rule_name", "policyid", "fw_rule_id", "fwrule"),
    "event_code": ("logid", "log_id", "m"),
    "event_outcome": ("status",),
    "source_bytes": ("sentbyte", "sent_bytes", "bytes_sent", "sent"),
    "destination_bytes": ("rcvdbyte", "recv_bytes", "bytes_received", "rcvd"),
    "log_level": ("pri", "priority"),
    "log_logger": ("caller", "subsystem"),
    "url_domain": ("dstdomain", "domain", "dstname"),
    "user_agent_original": ("agent", "http_user_agent"),
    "message": ("logdesc", "err", "error"),
}
_TIMES = tuple(key.lower() for key in NAMES["time"])
_READ_BY_HAND = ("time", "event_action")
_NAMES = {
    name: (*NAMES.get(name, ()), *_MORE.get(name, ()))
    for name in (*NAMES, *_MORE)
    if name not in _READ_BY_HAND
} | {"network_transport": ("proto", "protocol", "network_transport", "network.transport")}
_ALLOWED = ("accept", "allow", "allowed", "close", "pass", "passed", "passthrough", "permit",
            "permitted", "start", "timeout", "client-rst", "server-rst", "dns", "ip-conn",
            "detected", "login", "success", "succeeded", "ok", "true")  # fmt: skip
_REFUSED = ("deny", "denied", "block", "blocked", "drop", "dropped", "reset", "reject", "rejected",
            "quarantine", "violation", "discard", "failure", "failed", "fail", "false",
            "error")  # fmt: skip
_OUTCOMES = dict.fromkeys(_ALLOWED, "success") | dict.fromkeys(_REFUSED, "failure")
_TRANSPORTS = {"1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp",
               "58": "ipv6-icmp"}  # fmt: skip
_VERBS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
          "PROPFIND")  # fmt: skip
_SEVERITIES = {"0": "emerg", "1": "alert", "2": "crit", "3": "err", "4": "warning",
               "5": "notice", "6": "info", "7": "debug"}  # fmt: skip
_PLACE = r"^(?P<ip>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})(?::.*)?$"


class KeyValue:
    """Lines of ``key=value`` pairs; see ``Format``."""

    name = "keyvalue"
    dataset = "keyvalue"
    fields: Mapping[str, str] = {
        "time": "eventtime; date, time and tz; else the first key that holds a time",
        "event_provider": "fortinet, sophos, sophos-utm or sonicwall, by their keys",
        "event_category": "network where a firewall tells of a connection",
        "event_action": "type and subtype of a firewall, else action, event, ...; else log",
        **{name: ", ".join(dict.fromkeys(keys)) for name, keys in _NAMES.items()},
        "labels": "every other pair",
    }
    extensions = pa.schema([])
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how sure it is by the share of lines that are pairs and nothing else."""
        if b"=" not in head[:4096]:
            return 0.0
        text = decode(lines_of(head).slice(0, _LOOKED_AT)).text
        if not len(text):
            return 0.0
        pairs = pc.match_substring_regex(text, _LINE)
        audit = pc.match_substring_regex(text, _AUDIT)
        pairs = pc.and_(pairs, pc.invert(audit))
        marked = pc.match_substring_regex(text, _MARKED)
        known = pc.and_(marked, pc.or_(pairs, pc.match_substring_regex(text, _HEADED)))
        shares = (float(pc.mean(fits).as_py()) for fits in (known, pairs))
        return max(trust * share for trust, share in zip((_SURE, _LIKELY), shares, strict=True))

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        text = decode(lines)
        headed = without_headers(text.text)
        keyed = Keyed(headed.pairs)
        time = _times(keyed, headed, context)
        errors = pc.if_else(pa.array(keyed.has_pairs), pa.scalar(None, pa.string()), _NO_PAIRS)
        columns = _columns(keyed)
        host = columns.get("host_name", pa.nulls(keyed.count, pa.string()))
        columns["host_name"] = pc.coalesce(host, headed.host)
        read = JsonColumns({}, keyed.labels(), errors)
        events = event_table(text, read, time, columns, self.extensions)
        return parsed(text, read, events, refused=[(np.asarray(time.is_null()), _NO_TIME)])


def _columns(keyed: Keyed) -> Columns:
    columns = by_names(keyed, _NAMES)
    maker = _maker(keyed)
    columns |= _asked(keyed, columns, maker)
    columns |= _network(columns)
    columns["event_outcome"] = _outcome(keyed, columns)
    columns["event_action"] = _action(keyed, maker)
    columns["event_category"] = pc.if_else(
        pc.and_(maker.is_valid(), _given(columns, "destination_ip", len(maker))), "network", None
    )
    columns["event_provider"] = maker
    if keyed.has("duration"):  # firewalls count seconds; others write 1.5ms or what they like
        seconds = pc.cast(keyed.value("duration", whole=True, keep=True), pa.int64())
        seconds = pc.if_else(maker.is_valid(), seconds, None)
        columns["event_duration"] = pc.multiply(seconds, 1_000_000_000).cast(pa.string())
    if "log_level" in columns:
        level = pc.utf8_lower(columns["log_level"])
        columns["log_level"] = pc.coalesce(worded(level, _SEVERITIES), level)
    return columns


def _asked(keyed: Keyed, columns: Columns, maker: pa.Array) -> Columns:
    """Returns the columns of a request: FortiGate's hostname is the site's, its method no verb."""
    made: Columns = {}
    nothing = pa.nulls(keyed.count, pa.string())
    if "http_request_method" in columns:
        method = columns["http_request_method"]
        is_verb = pc.is_in(pc.utf8_upper(method), pa.array(_VERBS))
        made["http_request_method"] = pc.if_else(is_verb, method, None)
    if keyed.has("hostname"):
        asked = pc.and_(pc.equal(maker, "fortinet"), keyed.value("url", keep=True).is_valid())
        asked = pc.fill_null(asked, False)
        site = pc.if_else(asked, keyed.value("hostname", keep=True), None)
        made["url_domain"] = pc.coalesce(site, columns.get("url_domain", nothing))
        device = keyed.value("devname")
        made["host_name"] = pc.if_else(asked, device, columns.get("host_name", nothing))
    return made


def _given(columns: Columns, name: str, count: int) -> pa.Array:
    if name not in columns:
        return pa.repeat(False, count)
    return columns[name].is_valid()


def _times(keyed: Keyed, headed: Headed, context: ParseContext) -> pa.Array:
    """Returns (N,) the times: the surest key that has one counts, line by line."""
    time = parse_any(keyed.value("eventtime"), context.tz, context.anchor_time)
    if keyed.has("date"):
        day, clock, zone = (keyed.value(key) for key in ("date", "time", "tz"))
        zone = pc.if_else(pc.match_substring_regex(zone, r"^[+-]\d\d:?\d\d$"), zone, None)
        written = pc.binary_join_element_wise(
            day, clock, pc.coalesce(zone, ""), " ", null_handling="emit_null"
        )
        joined = parse_any(pc.utf8_trim_whitespace(written), context.tz, context.anchor_time)
        time = pc.coalesce(time, joined)
    for key in _TIMES:
        if time.null_count and keyed.has(key):
            found = parse_any(keyed.value(key), context.tz, context.anchor_time)
            time = pc.coalesce(time, found)
    if time.null_count and headed.stamp.null_count < keyed.count:
        time = pc.coalesce(time, parse_any(headed.stamp, context.tz, context.anchor_time))
    return time


def _maker(keyed: Keyed) -> pa.Array:
    """Returns (N,) the maker of the device that wrote a line, null where no key tells."""
    maker = pa.nulls(keyed.count, pa.string())
    for name, keys in _MAKERS.items():
        if all(map(keyed.has, keys)):
            rows: npt.NDArray[np.bool_] = np.ones(keyed.count, dtype=np.bool_)
            for key in keys:
                rows &= np.asarray(keyed.value(key, keep=True).is_valid())
            maker = pc.coalesce(maker, pc.if_else(pa.array(rows), name, None))
    return maker


def _action(keyed: Keyed, maker: pa.Array) -> pa.Array:
    """Returns (N,) the kind of event: of a firewall its log's kind, else what a key says."""
    parts = {
        "fortinet": ("type", "subtype"),
        "sophos": ("log_type", "log_subtype"),
        "sophos-utm": ("sub", "action"),
    }
    action = pc.if_else(pc.equal(maker, "sonicwall"), "sonicwall-event", None)
    for name, keys in parts.items():
        if pc.any(pc.equal(maker, name)).as_py():
            words = [pc.coalesce(kind(keyed.value(key)), "unknown") for key in keys]
            joined = pc.binary_join_element_wise(*words, "-")
            action = pc.coalesce(action, pc.if_else(pc.equal(maker, name), joined, None))
    named = keyed.value(*(key.lower() for key in NAMES["event_action"]))
    return pc.coalesce(action, kind(named), "log")


def _outcome(keyed: Keyed, columns: Columns) -> pa.Array:
    """Returns (N,) the outcome, which a firewall tells by what it did."""
    keys = ("action", "log_subtype", "utmaction", "fw_action")
    given = columns.get("event_outcome", pa.nulls(keyed.count, pa.string()))
    done = worded(keyed.value(*keys, keep=True), _OUTCOMES)
    return pc.coalesce(done, worded(given, _OUTCOMES, "unknown"))


def _network(columns: Columns) -> Columns:
    """Returns the columns of a connection's ends, addresses parted from ports and names."""
    made: Columns = {}
    for end in ("source", "destination"):
        if f"{end}_ip" not in columns:
            continue
        written = columns[f"{end}_ip"]
        parts = once_each(written, lambda text: pc.extract_regex(text, _PLACE))
        bare = pc.utf8_trim(pc.struct_field(parts, ["ip"]), "[]")
        found, other = address(pc.coalesce(bare, written))
        made[f"{end}_ip"] = found
        made[f"{end}_domain"] = pc.coalesce(columns.get(f"{end}_domain", other), other)
        port = pc.struct_field(parts, ["port"])
        made[f"{end}_port"] = pc.coalesce(columns.get(f"{end}_port", port), port)
    if "network_transport" in columns:
        words = pc.split_pattern(pc.utf8_lower(columns["network_transport"]), "/", max_splits=1)
        first = pc.list_element(words, 0)
        made["network_transport"] = pc.coalesce(worded(first, _TRANSPORTS), first)
        several = pc.greater(pc.list_value_length(words), 1)
        service = pc.list_element(pc.if_else(several, words, pa.scalar(["", None], words.type)), 1)
        made["network_protocol"] = pc.coalesce(columns.get("network_protocol", service), service)
    return made
