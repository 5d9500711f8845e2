"""From the pairs of CEF and LEEF records to columns of EVENTS: what both formats share.

Spans enter, columns leave: unescaped texts, addresses apart from names, ECS's words for what a
device did, slugs of what it calls its events, URLs in their parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.base.protocols import ParseContext
from secad.base.schemas import ECS, LABELS
from secad.collect.columns import utc_times
from secad.collect.devices.pairs import Pairs
from secad.collect.devices.times import Instants, first_of
from secad.collect.net_parts import is_address, read_urls
from secad.collect.syslog.header import header_columns, header_instants
from secad.features.key_values import labels
from secad.features.slot_types import integers
from secad.features.spans import Bytes, Places, buffer_of, gather
from secad.features.syslog_frame import frame

NO_TIME = "no time: neither the record's fields nor a syslog header before it hold one"

# letters beyond ASCII by their numbers: classes of Unicode take long to compile
_NO_WORD, _TWO_LETTERS = r"[^0-9a-z\x{80}-\x{10FFFF}]+", r"[a-z\x{80}-\x{10FFFF}]{2}"
_MOST_SLUG = 48
_MOST_NAME = 80  # characters; a longer name is a message
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "58": "ipv6-icmp"}
_DIRECTIONS = {"0": "inbound", "1": "outbound"}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "network_transport": _PROTOCOLS,
    "network_direction": _DIRECTIONS,
    "network_protocol": {},
}
_SUCCESS = r"succe|^ok$|allow|accept|permit|pass(ed|$)|^true$|grant|complete"
_FAILURE = r"fail|block|den(y|ied)|drop|reject|prevent|error|quarantin|reset|terminat|^false$|refus"
_NEGATED = r"^not[ _-]"
# the first class whose pattern is found in a device's own words is ECS's category
_CATEGORIES = (
    ("malware", r"malware|virus|trojan|ransom|spyware|worm\b|backdoor"),
    ("authentication", r"log ?-?(i|o)n\b|log ?-?(out|off)|authenticat|sign-?in|password|\bmfa\b"),
    ("intrusion_detection", r"intrusion|\bip[sd]s?\b|exploit|attack|threat|scan|inject"),
    ("email", r"e-?mail|smtp|phish|\bspam\b"),
    ("web", r"\bweb\b|\burl|http|proxy|\bwaf\b"),
    ("iam", r"account|\bgroup\b|privilege|\brole\b"),
    ("process", r"process"),
    ("file", r"\bfiles?\b|document"),
    ("configuration", r"config|policy (change|install)|\baudit"),
    ("network", r"traffic|firewall|connection|session|flow|packet|\bvpn\b|\bnat\b|dns|dhcp"),
)  # fmt: skip
_LEVELS = {
    **dict.fromkeys(["0", "1", "2", "3", "low"], "low"),
    **dict.fromkeys(["4", "5", "6", "medium"], "medium"),
    **dict.fromkeys(["7", "8", "high"], "high"),
    **dict.fromkeys(["9", "10", "very-high", "veryhigh", "very high"], "very-high"),
}
_BACKSLASH, _N, _R = ord("\\"), ord("n"), ord("r")
_ESCAPED = np.zeros(256, dtype=np.bool_)
_ESCAPED[[ord(mark) for mark in "\\=|"]] = True


def texts(pairs: Pairs) -> dict[str, pa.Array]:
    """Returns the columns that some row fills, as text, escapes resolved."""
    columns = {}
    for name, spans in pairs.spans.items():
        column = gather(pairs.data, *spans)
        if name in pairs.escaped:
            column = unescaped(column, lines=name == "message")
        columns[name] = column
    return columns


def unescaped(text: pa.StringArray, *, lines: bool = False) -> pa.StringArray:
    r"""Returns texts with ``\=``, ``\|`` and ``\\`` resolved.

    Args:
        text: (N,) string.
        lines: whether ``\n`` and ``\r`` stand for line ends; in a path they do not.
    """
    data, ends = buffer_of(pc.fill_null(text, ""))
    if not (data[ends[0] : ends[-1]] == _BACKSLASH).any():
        return text
    values, offsets = _resolve(data, ends, lines)
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(values)]
    resolved = pa.StringArray.from_buffers(len(text), buffers[1], buffers[2])
    return pc.if_else(text.is_valid(), resolved, None)


@kernel
def _resolve(data: Bytes, ends: Places, lines: bool) -> tuple[Bytes, Places]:
    values = np.empty(ends[-1] - ends[0], dtype=np.uint8)
    offsets = np.zeros(len(ends), dtype=np.int64)
    count = 0
    for row in range(len(ends) - 1):
        at, end = ends[row], ends[row + 1]
        while at < end:
            byte = data[at]
            if byte == _BACKSLASH and at + 1 < end:
                follows = data[at + 1]
                if _ESCAPED[follows]:
                    byte = follows
                    at += 1
                elif lines and follows in (_N, _R):
                    byte = 10 if follows == _N else 13
                    at += 1
            values[count] = byte
            count += 1
            at += 1
        offsets[row + 1] = count
    return values[:count], offsets


def label_maps(pairs: Pairs, count: int) -> pa.MapArray:
    """Returns (N,) labels; of a name that a row has twice both values stay.

    Args:
        pairs: of N rows.
        count: N.
    """
    if not len(pairs.labels):
        return pa.nulls(count, LABELS)
    rows, *spans, escapes = (np.ascontiguousarray(part) for part in pairs.labels.T)
    keys = gather(pairs.data, spans[0], spans[1])
    values = gather(pairs.data, spans[2], spans[3])
    if escapes.any():
        values = unescaped(values)
    maps = labels(rows, count, keys, values)
    return pc.if_else(pa.array(np.bincount(rows, minlength=count) > 0), maps, None)


def distinct(column: pa.Array, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Returns ``change(column)``, done once for each distinct value; it may come encoded."""
    encoded = pa.types.is_dictionary(column.type)
    coded = column if encoded else column.dictionary_encode()
    return change(coded.dictionary).take(coded.indices)


def slug(text: pa.Array) -> pa.Array:
    """Returns texts in small letters and digits with hyphens, null where nothing is left."""
    words = pc.replace_substring_regex(pc.utf8_lower(text), _NO_WORD, "-")
    words = pc.utf8_trim(pc.utf8_slice_codeunits(words, 0, _MOST_SLUG), "-")
    return pc.if_else(pc.equal(words, ""), None, words)


def kind_of(*names: pa.Array) -> pa.Array:
    """Returns the kind of event: the words without numbers of the first name that has some, else
    the last one's with its numbers.
    """
    kinds = [distinct(name, _kind) for name in names]
    return pc.coalesce(*kinds, distinct(names[-1], slug), "event")


def _kind(name: pa.Array) -> pa.Array:
    short = pc.if_else(pc.less_equal(pc.utf8_length(name), _MOST_NAME), name, None)
    apart = pc.replace_substring_regex(short, r"([a-z])([A-Z])", r"\1 \2")  # LoginFailed
    words = slug(pc.replace_substring_regex(apart, r"\S*\d\S*", " "))
    return pc.if_else(pc.match_substring_regex(words, _TWO_LETTERS), words, None)


def level_of(severity: pa.Array) -> pa.Array:
    """Returns low, medium, high or very-high for 0 to 10 and for these words; others stay."""
    return distinct(severity, _level)


def _level(severity: pa.Array) -> pa.Array:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(severity))
    return pc.coalesce(_looked_up(words, _LEVELS), words)


def _looked_up(words: pa.Array, table: Mapping[str, str]) -> pa.Array:
    place = pc.index_in(words, pa.array(list(table)))
    return pa.array(list(table.values())).take(place)


def outcome_of(*said: pa.Array) -> pa.Array:
    """Returns success, failure or unknown by the first of several columns that tells."""
    return pc.coalesce(*(distinct(column, _outcome) for column in said), "unknown")


def _outcome(text: pa.Array) -> pa.Array:
    words = pc.utf8_lower(text)
    failed = pc.match_substring_regex(words, _FAILURE)
    done = pc.and_not(pc.match_substring_regex(words, _SUCCESS), failed)
    denied = pc.match_substring_regex(words, _NEGATED)  # "not blocked"
    failed, done = pc.if_else(denied, done, failed), pc.if_else(denied, failed, done)
    return pc.if_else(failed, "failure", pc.if_else(done, "success", None))


def category_of(*said: pa.Array) -> pa.Array:
    """Returns ECS's category by the first of several columns whose words tell one."""
    return pc.coalesce(*(distinct(column, _category) for column in said))


def _category(text: pa.Array) -> pa.Array:
    words = pc.utf8_lower(text)
    found = pa.nulls(len(text), pa.string())
    for name, pattern in _CATEGORIES:
        found = pc.coalesce(found, pc.if_else(pc.match_substring_regex(words, pattern), name, None))
    return found


def split_ends(columns: dict[str, pa.Array], pairs: Pairs, count: int) -> None:
    """Splits each end of a connection into ``_ip`` and, where it is a name, ``_domain``."""
    for end in ("source", "destination"):
        spans = pairs.spans.get(f"{end}_ip")
        if spans is None:
            continue
        addressed = is_address(pairs.data, spans)
        if addressed.all():
            continue
        written = columns[f"{end}_ip"]
        named = columns.get(f"{end}_domain", pa.nulls(count, pa.string()))
        mask = pa.array(addressed)
        columns[f"{end}_domain"] = pc.coalesce(named, pc.if_else(mask, None, written))
        columns[f"{end}_ip"] = pc.if_else(mask, written, None)


def split_url(columns: dict[str, pa.Array]) -> None:
    """Replaces the column ``url`` by its host, path and query."""
    written = columns.pop("url", None)
    if written is not None:
        columns |= read_urls(pc.fill_null(written, ""))


def split_process(columns: dict[str, pa.Array]) -> None:
    """Takes the path off a process's name, and makes it the executable."""
    written = columns.get("process_name")
    if written is not None:
        columns["process_executable"] = distinct(written, _path)
        columns["process_name"] = distinct(written, _base_name)


def _path(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(text, r"[\\/]"), text, None)


def _base_name(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, r"^.*[\\/]", "")


def write_words(columns: dict[str, pa.Array]) -> None:
    """Writes protocols and directions in ECS's words."""
    for name, table in _WORDS.items():
        if name in columns:
            columns[name] = distinct(columns[name], partial(_in_words, table=table))


def _in_words(text: pa.Array, table: Mapping[str, str]) -> pa.Array:
    small = pc.utf8_lower(text)
    return pc.coalesce(_looked_up(small, table), small) if table else small


def read_numbers(columns: dict[str, pa.Array], pairs: Pairs, types: pa.Schema) -> None:
    """Turns columns of integers into such, null where no integer stands.

    Args:
        columns: as ``texts`` gives them.
        pairs: what they were taken from.
        types: the format's extension columns.
    """
    for name in [*columns]:
        if name in pairs.spans and pa.types.is_integer(_type(name, types)):
            columns[name] = integers(pairs.data, pairs.spans[name])


def headers(data: Bytes, before: Places) -> tuple[Instants, dict[str, pa.Array]]:
    """Returns times and columns of the syslog headers that stand before records.

    Args:
        data: the buffer.
        before: (2, N) spans of what stands before each record, maybe nothing.
    """
    frames = frame(data, before)
    return header_instants(frames), header_columns(data, frames)


def times_of(candidates: list[Instants], context: ParseContext) -> pa.Array:
    """Returns (N,) UTC times, of each row the first of several candidates."""
    best = first_of(candidates)
    times = utc_times(best.micros, best.zoned, best.yearless, context)
    return pc.if_else(pa.array(best.valid), times, None)


def complete(
    columns: Mapping[str, pa.Array], fields: Mapping[str, str], types: pa.Schema, count: int
) -> dict[str, pa.Array]:
    """Returns every column that a format declares, null where nothing fills it."""
    nothing = pa.nulls(count, pa.string())
    return {
        name: columns.get(name, nothing).cast(_type(name, types))
        for name in fields
        if name != "time"
    }


def _type(name: str, types: pa.Schema) -> pa.DataType:
    if name == "labels":
        return LABELS
    for schema in (ECS, types):
        if name in schema.names:
            return schema.field(name).type
    return pa.string()
