"""Snort's alerts of other layouts as lines of its fast format.

Lines enter; those of ``alerts.csv`` (Snort 2, also as pfSense writes it) and of Snort 3's
``alerts.json`` leave as the line of the fast format that says the same, all others as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json.columns import read_json

# 09/04-21:45:37.536335 ,1,1000006,0,"TCP connection",TCP,192.0.2.59,57263,192.0.2.190,22,...
CSV = (
    r"^\s*(?P<stamp>\d{2}/\d{2}(?:/\d{2,4})?-\d{1,2}:\d{2}:\d{2}(?:\.\d{1,9})?)\s*,\s*"
    r'(?P<generator>\d{1,10}),(?P<sid>\d{1,12}),(?P<revision>\d{1,10}),"?(?P<name>[^"]*?)"?,'
    r"(?P<protocol>\w*),(?P<source>[0-9A-Fa-f:.]+),(?P<source_port>\d{0,5}),"
    r"(?P<destination>[0-9A-Fa-f:.]+),(?P<destination_port>\d{0,5})"
    r'(?:,\d*,"?(?P<class>[^",]*)"?,(?P<priority>\d{1,9}),[a-z]+,.*|,.*)?$'
)
"""Pattern of a line of ``alerts.csv``; the class and the priority are pfSense's."""
_PATHS = {
    "stamp": ("timestamp",),
    "seconds": ("seconds",),
    "rule": ("rule",),
    "name": ("msg",),
    "class": ("class",),
    "priority": ("priority",),
    "protocol": ("proto",),
    "source_end": ("src_ap",),
    "source": ("src_addr",),
    "source_port": ("src_port",),
    "destination_end": ("dst_ap",),
    "destination": ("dst_addr",),
    "destination_port": ("dst_port",),
}
_STAMP = r"^(?P<day>\d{2}/\d{2})(?P<year>/\d{2,4})?-(?P<clock>.*)$"
_RULE = r"^\d+:\d+:\d+$"
_SECONDS = r"^\d{9,10}$"


def as_fast(text: pa.Array) -> pa.Array:
    """Returns lines as the fast format writes them.

    Args:
        text: (N,) string without nulls.
    """
    found = pc.extract_regex(text, CSV)
    csv = {field.name: pc.struct_field(found, [field.name]) for field in found.type}
    csv["rule"] = _joined((csv["generator"], csv["sid"], csv["revision"]), ":")
    lines = pc.coalesce(_fast(csv), text)
    if not pc.any(is_json(text)).as_py():
        return lines
    read = read_json(pc.if_else(is_json(text), text, "{}"), _PATHS)
    fields = {name: pa.array(column).cast(pa.string()) for name, column in read.columns.items()}
    fields["stamp"] = _with_year(fields["stamp"], fields["seconds"])
    known = pc.match_substring_regex(fields["rule"], _RULE)
    fields["rule"] = pc.if_else(known, fields["rule"], None)
    fields["class"] = pc.if_else(pc.equal(fields["class"], "none"), None, fields["class"])
    return pc.coalesce(_fast(fields), lines)


def is_json(text: pa.Array) -> pa.Array:
    """Returns (N,) whether lines look like those of ``alerts.json``."""
    return pc.and_(
        pc.match_substring_regex(text, r"^\s*\{"),
        pc.and_(
            pc.match_substring_regex(text, r'"timestamp"\s*:\s*"\d{2}/\d{2}(/\d{2,4})?-'),
            pc.match_substring_regex(text, r'"rule"\s*:\s*"\d+:\d+:\d+"'),
        ),
    )


def _fast(fields: Mapping[str, pa.Array]) -> pa.Array:
    """Returns (N,) lines, null where there is no time or no rule."""
    name = pc.replace_substring(pc.coalesce(fields["name"], fields["rule"]), "[**]", "")
    rule = _joined(("[**] [", fields["rule"], "] ", name, " [**]"))
    given = (
        ("class", " [Classification: ", "]"),
        ("priority", " [Priority: ", "]"),
        ("protocol", " {", "}"),
    )
    said = [pc.coalesce(_joined((before, fields[key], after)), "") for key, before, after in given]
    ends = _joined((_end(fields, "source"), _end(fields, "destination")), " -> ")
    return _joined((fields["stamp"], " ", rule, *said, " ", pc.coalesce(ends, "")))


def _end(fields: Mapping[str, pa.Array], name: str) -> pa.Array:
    address, port = fields[name], fields[f"{name}_port"]
    port = pc.if_else(pc.equal(port, ""), None, port)
    made = pc.coalesce(_joined((address, ":", port)), address)
    return pc.coalesce(made, fields[f"{name}_end"]) if f"{name}_end" in fields else made


def _with_year(stamp: pa.Array, seconds: pa.Array) -> pa.Array:
    """Returns times with the year that the seconds since 1970 tell, where they are given."""
    found = pc.extract_regex(stamp, _STAMP)
    day, year, clock = (pc.struct_field(found, [name]) for name in ("day", "year", "clock"))
    whole = pc.if_else(pc.match_substring_regex(seconds, _SECONDS), seconds, None)
    when = pc.cast(pc.cast(whole, pa.int64()), pa.timestamp("s"))
    told = pc.utf8_slice_codeunits(pc.cast(pc.year(when), pa.string()), 2, 4)
    made = _joined((day, "/", told, "-", clock))
    return pc.coalesce(pc.if_else(pc.equal(year, ""), made, None), stamp)


def _joined(parts: tuple[pa.Array | str, ...], between: str = "") -> pa.Array:
    return pc.binary_join_element_wise(*parts, between, null_handling="emit_null")
