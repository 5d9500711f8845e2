"""The two ends of provenance edges as columns of EVENTS, so that a process graph can be built.

Identities, types and relations of N edges enter; leaves which process did it, and to what file,
registry key, connection or other process.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json.rules import base_name, once_each

Columns = dict[str, pa.Array]

# the first class whose pattern a type has, in small letters; single letters are StreamSpot's
_CLASSES = (
    ("process", r"process|^proc|subject|thread|task|^program$|activity|^[abp]$"),
    ("registry", r"registry|reg_?key"),
    ("file", r"unix_?socket"),
    ("network", r"net_?flow|network|^net|inet|remote|socket|connection|^flow$|^ip|addr|^[sni]$"),
    ("file", r"file|dir|path|pipe|inode|link|object_(char|block)|device|std(in|out|err)|^[cfgh]$"),
)
# letters of StreamSpot's edges
_CALLS = dict(zip(
    "ijklmnopqrstuvwxyzABCDEFGH",
    ("accept", "access", "bind", "chmod", "clone", "close", "connect", "execve", "fstat",
     "ftruncate", "listen", "mmap2", "open", "read", "recv", "recvfrom", "recvmsg", "send",
     "sendmsg", "sendto", "stat", "truncate", "unlink", "waitpid", "write", "writev"),
    strict=True,
))  # fmt: skip
_MAKES = r"fork|clone|spawn|create|start|exec|child|launch"  # relations between two processes
# 192.0.2.1:443 | [2001:db8::1]:443 | 192.0.2.1, the last in the text: 10.0.0.1:5->192.0.2.1:443
_PLACE = (
    r"(?:^|[^0-9A-Za-z.:])(?P<ip>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\])"
    r"(?:[:#, ](?P<port>\d{1,5}))?$"
)
_BARE_V6 = r"^[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}$"
_CATEGORIES = {"file": "file", "network": "network", "registry": "registry", "process": "process"}


def classes(types: pa.Array) -> pa.Array:
    """Returns the class of each type: process, file, network, registry, else null.

    >>> classes(pa.array(["SUBJECT_PROCESS", "FILE_OBJECT_DIR", "NetFlowObject", "x"])).to_pylist()
    ['process', 'file', 'network', None]
    """
    return once_each(types, _classes)


def _classes(types: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(types)
    found = pa.nulls(len(types), pa.string())
    for name, pattern in _CLASSES:
        fits = pc.match_substring_regex(lower, pattern)
        found = pc.coalesce(found, pc.if_else(fits, name, None))
    return found


def relations(written: pa.Array) -> pa.Array:
    """Returns relations as kinds of events, without ``EVENT_``; null where there is none."""
    return once_each(written, _relations)


def _relations(written: pa.Array) -> pa.Array:
    call = pa.array(list(_CALLS.values())).take(pc.index_in(written, pa.array(list(_CALLS))))
    words = pc.replace_substring_regex(pc.utf8_lower(written), r"^(event|sys)_", "")
    words = pc.utf8_trim(pc.replace_substring_regex(words, r"[^a-z0-9]+", "-"), "-")
    return pc.coalesce(call, pc.if_else(pc.equal(words, ""), None, words))


def ends(edges: Mapping[str, pa.Array]) -> Columns:
    """Returns the columns that an edge's ends fill.

    Args:
        edges: ``source``, ``source_name``, ``source_class``, ``target``, ``target_name``,
            ``target_class`` and ``relation``, (N,) string each; ``source_shown`` and
            ``target_shown``, identities without the graph that they hold in.
    """
    is_source = _is(edges["source_class"], "process")
    is_target = _is(edges["target_class"], "process")
    both = pc.and_(is_source, is_target)
    makes = pc.fill_null(pc.match_substring_regex(edges["relation"], _MAKES), False)
    child = pc.and_(both, makes)
    # who acts: the source, save where a process takes in what a file or a connection gives
    acts = pc.and_(is_source, pc.invert(child))
    name_of = {end: pc.coalesce(edges[f"{end}_name"], edges[end]) for end in ("source", "target")}
    shown_as = {end: pc.coalesce(edges[f"{end}_name"], edges[f"{end}_shown"]) for end in name_of}
    by_target = pc.and_(is_target, pc.or_(child, pc.invert(is_source)))
    process = pc.if_else(acts, edges["source"], pc.if_else(by_target, edges["target"], None))
    shown = pc.if_else(acts, shown_as["source"], pc.if_else(by_target, shown_as["target"], None))
    parent = pc.if_else(child, edges["source"], None)
    parent_shown = pc.if_else(child, shown_as["source"], None)
    object_class = pc.if_else(is_source, edges["target_class"], edges["source_class"])
    thing = pc.if_else(is_source, name_of["target"], name_of["source"])
    return {
        "process_entity_id": process,
        "process_parent_entity_id": parent,
        **_program("process", shown),
        **_program("process_parent", parent_shown),
        "file_path": pc.if_else(_is(object_class, "file"), thing, None),
        "registry_path": pc.if_else(_is(object_class, "registry"), thing, None),
        **_connection(pc.if_else(_is(object_class, "network"), thing, None)),
        "event_category": _category(object_class),
    }


def _is(found: pa.Array, name: str) -> pa.Array:
    return pc.fill_null(pc.equal(found, name), False)


def _category(object_class: pa.Array) -> pa.Array:
    place = pc.index_in(object_class, pa.array(list(_CATEGORIES)))
    return pa.array(list(_CATEGORIES.values())).take(place)


def _program(name: str, shown: pa.Array) -> Columns:
    """Returns the name and, where it is a path, the executable of processes."""
    is_path = pc.match_substring_regex(shown, r"[\\/]")
    is_number = pc.match_substring_regex(shown, r"^[0-9A-Fa-f{}-]*\d[0-9A-Fa-f{}-]*$")  # an id
    path = pc.if_else(is_path, shown, None)
    return {
        f"{name}_executable": path,
        f"{name}_name": pc.if_else(is_number, None, base_name(shown)),
    }


def _connection(thing: pa.Array) -> Columns:
    """Returns the peer of connections, as an address with its port or as a name."""
    parts = once_each(thing, lambda text: pc.extract_regex(text, _PLACE))
    address = pc.utf8_trim(pc.struct_field(parts, ["ip"]), "[]")
    bare = pc.if_else(pc.match_substring_regex(thing, _BARE_V6), thing, None)
    found = pc.coalesce(address, bare)
    return {
        "destination_ip": found,
        "destination_port": pc.struct_field(parts, ["port"]),
        "destination_domain": pc.if_else(found.is_null(), thing, None),
    }
