"""Slot types: what the wildcards of a template stand for.

A template's text and sampled parameters of its lines enter; a type of SLOT_TYPES for each
wildcard leaves. Three things vote: the look of the values, of which nearly all must agree; the
name before a slot (``rhost=<*>``, ``from port <*>``) and the unit behind it (``<*> seconds``); and
the neighbours, since what stands behind an address and a colon is a port.

``session`` is any identifier of one run of something (a session, job, block, trace), by which
lines belong together; ``number`` any other number, addresses of memory included; ``word`` is what
is left.

Differs from GLAD (Li et al., ICKG 2023), which tags the fields of templates by a language model
prompted with examples: types here come from the values of many lines, which one template does not
show, and need neither examples nor a download.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import SchemaError
from secad.features.mining.drain import WILDCARD

SLOT_TYPES = (
    "ip", "port", "user", "host", "path", "url", "domain", "email", "pid", "uid", "session",
    "hash", "uuid", "time", "duration", "size", "version", "number", "word",
)  # fmt: skip

_MOST = 0.9  # of the values; a few odd ones are left to it
_SOME = 0.2
_TRIMMED = "\"'`()[]{}<>,; "
_HIGHEST_PORT = 65_535
_LONG = 6  # characters
_DIGESTS = (32, 40, 56, 64, 96, 128)  # hexadecimal digits of MD5 to SHA-512
_NUMBERS = ("port", "uid", "pid", "version", "duration", "size")  # told by name alone

Rows = Sequence[Sequence[str | None]]

_DECIMAL = r"[-+]?\d+(?:[.,]\d+)?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_LOOKS = {  # how whole values look, in RE2
    "number": rf"{_DECIMAL}%?",
    "integer": r"\d{1,19}",
    "hexadecimal": r"(?i)0x[0-9a-f]+",
    # 33557fe4 | ffff3000
    "digest": r"(?i)[0-9a-f]{8,128}",
    "uuid": r"(?i)\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?",
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    # hdfs://host:9000/a | akka.tcp://x@y
    "url": r"(?i)[a-z][a-z0-9+.-]*://\S+",
    # 10.0.0.7 | /10.0.0.7:50010 | ::ffff:10.0.0.7 | 2001:db8::1
    "ip": r"(?i)/?(?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?"
    r"|\[?[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?\]?(?::\d+)?",
    # /var/log/x | C:\Users\x | \\server\share | ~/x | \\?\pipe
    "path": r"(?s)~?/.*|[A-Za-z]:[\\/].*|\\\\.*|\\[\w ].*\\.*",
    # 2026-03-02T07:32:55.4+01:00 | 02/Mar/2026:07:32:55 | 07:32:55,411 | Fri Jun 17 07:12
    "time": r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T _-]?\d{1,2}[:.]\d{2}.*)?"
    rf"|\d{{1,2}}[-/ ]{_MONTH}[-/ ]\d{{2,4}}.*"
    r"|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AP]M)?"
    rf"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*|{_MONTH} +\d{{1,2}}(?: .*)?",
    "epoch": r"1\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?",
    # 731ms | 1.5 seconds | 00h12m
    "duration": rf"(?i){_DECIMAL}\s?(?:ns|us|µs|ms|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?"
    r"|hours?|d|days?)",
    # 5.2 KB | 16K | 125312k/129720k
    "size": rf"(?i){_DECIMAL}\s?(?:bytes?|b|[kmgtp]i?b?)(?:/{_DECIMAL}\s?(?:[kmgtp]i?b?))?",
    # v1.0.0 | 2.6.5-1.358 | dquot_6.5.1 | 3.3.3 20040412
    "version": r"(?i)v\d+(?:[._]\d+)*\S*|(?:[a-z]+[_-])?\d+(?:\.\d+){2,}\S*(?: \d{8})?"
    r"|\d+\.\d+(?:\.\d+)*[-_a-z]\S*",
    # blk_-1608999687919862906 | job_1445144423722_0020 | broadcast_9_piece0 | 9f3c.a81d-77
    "identifier": r"[A-Za-z][A-Za-z]*[_-]-?\d\w*(?:[-_]\w+)*",
    "mixed": r"[\w.:-]*\d[\w.:-]*",
    # ns.example.com | desk-12 | LabSZ
    "hostname": r"(?i)[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_-]+)*\.?",
    "qualified": r"[A-Z0-9-]+(?:\.[A-Z0-9-]+)*\.[A-Z]{2,}"
    r"|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z]{2,}\.?"
    r"|[A-Z0-9-]+(?:\.[a-z0-9-]+)+\.[a-z]{2,}",
    "name": r"[\w.$\\@+-]{1,64}",
}

_NAMES = {  # parts of the names before slots
    "port": {"port", "ports", "sport", "dport", "spt", "dpt"},
    "uid": {"uid", "euid", "gid", "egid", "auid", "suid", "fsuid", "ruid"},
    "pid": {"pid", "ppid", "tgid", "processid"},
    "user": {"user", "username", "ruser", "logname", "acct", "account", "login", "usr", "owner",
             "suser", "duser", "member"},
    "host": {"host", "rhost", "hostname", "server", "node", "machine", "computer", "workstation",
             "peer", "datanode", "broker", "client"},
    "domain": {"domain", "query", "zone", "dns", "qname", "fqdn"},
    "session": {"session", "sessionid", "sid", "trace", "traceid", "span", "transaction",
                "transactionid", "txn", "requestid", "correlation"},
    "hash": {"hash", "md5", "sha1", "sha256", "sha512", "digest", "checksum", "fingerprint"},
    "time": {"time", "timestamp", "date", "datetime", "ts", "epoch", "since", "until"},
    "duration": {"timeout", "took", "elapsed", "duration", "latency", "delay", "period", "uptime",
                 "interval", "sleep", "sleeping", "rtt", "ttl"},
    "size": {"size", "bytes", "memory", "capacity", "length", "len"},
    "version": {"version", "ver", "revision", "release"},
    "path": {"path", "file", "filename", "dir", "directory", "folder", "cwd", "exe"},
}  # fmt: skip
_UNITS = {
    "duration": re.compile(
        r"\s?(?:ns|us|ms|msecs?|milli\w*|s|secs?|seconds?|mins?|minutes?|hours?|hrs?|days?)\b",
        re.IGNORECASE,
    ),
    "size": re.compile(
        r"\s?(?:bytes?|[kmgt]i?b|kilobytes?|megabytes?|gigabytes?)\b", re.IGNORECASE
    ),
}  # fmt: skip
# rhost= | "size": " | port [ | id #, but not the n.sid of "(n.sid), "
_NAME = re.compile(r"([A-Za-z][\w.-]*)[\s=:\"'(\[{<#]{0,4}$")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_AUTHENTICATED = re.compile(r"password|authentic|login|logon|session|user|publickey", re.IGNORECASE)


@dataclass(frozen=True)
class _Slot:
    """What is known of one slot.

    Args:
        values: its distinct values, trimmed.
        shares: look -> share of the values that look so.
        left: the text of the template between the slot before and this one.
        right: the text between this slot and the next one.
    """

    values: Sequence[str]
    shares: Mapping[str, float]
    left: str
    right: str

    def is_mostly(self, *looks: str) -> bool:
        """Returns whether most values look so."""
        return any(self.shares[look] >= _MOST for look in looks)

    def is_named(self, kind: str) -> bool:
        """Returns whether the name before the slot tells this type."""
        found = _NAME.search(self.left)
        if not found:
            return False
        words = {part.lower() for part in _PARTS.findall(found[1])}
        return bool((words | {found[1].lower()}) & _NAMES[kind])

    def is_long(self) -> bool:
        """Returns whether there are values too long for a count."""
        return max(map(len, self.values)) >= _LONG

    def is_port(self) -> bool:
        """Returns whether all values could be ports."""
        whole = self.shares["integer"] == 1
        return whole and all(0 < int(value) <= _HIGHEST_PORT for value in self.values)


def slot_types(template: str, rows: Rows) -> tuple[str, ...]:
    """Returns the type of each slot of a template.

    Args:
        template: its text, with ``<*>`` for S slots.
        rows: sampled lines' parameters, S each; none at all leaves every slot a word.

    Returns:
        (S,) of SLOT_TYPES.

    Raises:
        SchemaError: a row has another number of parameters.

    >>> slot_types("Failed password for <*> from <*> port <*>", [("root", "192.0.2.1", "4711")])
    ('user', 'ip', 'port')
    """
    return all_slot_types([(template, rows)])[0]


def all_slot_types(sampled: Sequence[tuple[str, Rows]]) -> list[tuple[str, ...]]:
    """Returns the types of the slots of many templates, which costs less than one by one.

    Args:
        sampled: template and rows of each, as in ``slot_types``.

    Raises:
        SchemaError: a row has another number of parameters than its template has slots.
    """
    pieces = [template.split(WILDCARD) for template, _ in sampled]
    for (template, rows), parts in zip(sampled, pieces, strict=True):
        for row in rows:
            if len(row) != len(parts) - 1:
                raise SchemaError(
                    f"template {template!r} has {len(parts) - 1} slots, for {len(row)} parameters"
                )
    values = [
        _distinct([row[number] for row in rows])
        for (_, rows), parts in zip(sampled, pieces, strict=True)
        for number in range(len(parts) - 1)
    ]
    shares = _shares(values)
    types, first = [], 0
    for parts in pieces:
        slots = [
            _Slot(values[first + number], shares[first + number], *parts[number : number + 2])
            for number in range(len(parts) - 1)
        ]
        types.append(_types_of(slots))
        first += len(slots)
    return types


def _distinct(values: Sequence[str | None]) -> list[str]:
    trimmed = (value.strip(_TRIMMED) for value in values if value)
    return [*dict.fromkeys(value for value in trimmed if value)]


def _shares(values: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    """Returns for each slot the share of its values that have each look."""
    counts = np.array([len(own) for own in values], dtype=np.int64)
    slot = np.repeat(np.arange(len(values)), counts)
    every = pa.array([value for own in values for value in own], pa.string())
    shares = {}
    for look, pattern in _LOOKS.items():
        fits = pc.match_substring_regex(every, rf"^(?:{pattern})$")
        hits = np.bincount(slot, weights=np.asarray(fits), minlength=len(values))
        shares[look] = (hits / np.maximum(counts, 1)).tolist()
    return [
        {look: every[number] for look, every in shares.items()} for number in range(len(values))
    ]


def _types_of(slots: Sequence[_Slot]) -> tuple[str, ...]:
    types: list[str] = []
    for number, slot in enumerate(slots):
        before = types[-1] if types else None
        following = slots[number + 1] if number + 1 < len(slots) else None
        types.append(_type_of(slot, before, following))
    return tuple(types)


def _type_of(slot: _Slot, before: str | None, following: _Slot | None) -> str:
    """Asks those first whose looks are the most special."""
    if not slot.values:
        return "word"
    return (
        _by_look(slot)
        or _by_neighbour(slot, before, following)
        or _by_number(slot)
        or _by_identity(slot)
        or _by_name(slot)
        or ("number" if slot.is_mostly("hexadecimal", "digest", "number") else "word")
    )


def _by_look(slot: _Slot) -> str | None:
    """Returns a type that values show by themselves."""
    for kind in ("uuid", "email", "url"):
        if slot.is_mostly(kind):
            return kind
    if slot.left.endswith("://"):
        return "url"
    addresses = slot.shares["ip"]
    if addresses >= _MOST:
        return "ip"
    if addresses >= _SOME and slot.is_mostly("hostname"):
        return "host"
    for kind in ("time", "path"):
        if slot.is_mostly(kind):
            return kind
    return None


def _by_neighbour(slot: _Slot, before: str | None, following: _Slot | None) -> str | None:
    """Returns a type that follows from what stands beside the slot."""
    if slot.left in (":", "/") and before in ("ip", "host") and slot.is_mostly("integer"):
        return "port"
    if before == "time" and slot.left in (":", ".", " ", ",", "-") and slot.is_mostly("number"):
        return "time"
    if following is None or slot.is_mostly("number") or not slot.is_mostly("hostname"):
        return None
    address = slot.right in ("/", " (", "(", " [") and following.is_mostly("ip")
    port = slot.right == ":" and following.is_port()
    return "host" if address or port else None


def _by_number(slot: _Slot) -> str | None:
    """Returns the type of numbers, by their unit and by the name before them."""
    for kind in ("duration", "size"):
        if slot.is_mostly(kind):
            return kind
    if not slot.is_mostly("number"):
        return None
    units = (kind for kind, unit in _UNITS.items() if unit.match(slot.right))
    names = (kind for kind in _NUMBERS if slot.is_named(kind))
    named = next(units, None) or next(names, None)
    if named is None and slot.is_named("session") and slot.is_long():
        named = "session"
    elif named is None and slot.is_named("time") and slot.is_mostly("epoch"):
        named = "time"
    if named is None and (slot.is_named("user") or _is_authenticated(slot)):
        return None  # somebody's name may be a number
    return named or "number"


def _by_identity(slot: _Slot) -> str | None:
    """Returns the type of versions, digests and identifiers."""
    if slot.is_mostly("version"):
        return "version"
    if slot.is_mostly("hexadecimal", "digest") and slot.is_named("session") and slot.is_long():
        return "session"
    if slot.is_mostly("digest"):
        known = all(len(value) in _DIGESTS for value in slot.values)
        return "hash" if known or slot.left.endswith("@") or slot.is_named("hash") else None
    if slot.is_mostly("identifier") and not slot.is_named("user") and not slot.is_named("host"):
        return "session"
    named = slot.is_named("session") and slot.is_mostly("mixed")
    return "session" if named else None


def _by_name(slot: _Slot) -> str | None:
    """Returns the type of words, by the name before them."""
    if slot.is_mostly("name"):
        if slot.is_named("user") or _is_authenticated(slot):
            return "user"
        if slot.is_named("domain") and slot.is_mostly("qualified"):
            return "domain"
    if slot.is_mostly("qualified") or (slot.is_named("host") and slot.is_mostly("hostname")):
        return "host"
    return "path" if slot.is_named("path") and slot.shares["path"] >= _SOME else None


def _is_authenticated(slot: _Slot) -> bool:
    """Returns whether a slot stands behind words such as ``Failed password for``."""
    return slot.left.rstrip().endswith((" for", " by")) and bool(_AUTHENTICATED.search(slot.left))
