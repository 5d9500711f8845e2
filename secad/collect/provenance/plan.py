"""What the head of an edge list tells: its separator, and which column is which part of an edge.

A file's first bytes enter, a ``Plan`` leaves, by which every batch is read. Lists come with a
header line, without one (then values tell types from identities and times), as JSON lines, and as
Unicorn writes them (``0 1 a:c:p:0``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.csv.fields import count_fields, cut_fields
from secad.collect.json.columns import first_objects
from secad.collect.times import parse_any

SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE = "source", "source_type", "target", "target_type"
RELATION, TIME, GRAPH, HOST = "relation", "time", "graph", "host_name"
SOURCE_NAME, TARGET_NAME = "source_name", "target_name"
SURE_ROLES = (SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE, RELATION)
"""A list that names all of them is an edge list and nothing else."""

NAMES: Mapping[str, tuple[str, ...]] = {
    role: tuple(names.split())
    for role, names in {
        SOURCE: "source source_id sourceid source.id src src_id srcid src_node src_uuid srcnode "
        "source_node source_uuid subject_id subject_uuid subject.uuid subject actor_id actorid "
        "actor.id actor from_id from u",
        SOURCE_TYPE: "source_type sourcetype source.type src_type srctype src_node_type "
        "source_node_type subject_type subjecttype subject.type actor_type actortype actor.type "
        "from_type",
        TARGET: "target target_id targetid target.id dst dst_id dstid dst_node dst_uuid dstnode "
        "dest dest_id destid destination destination_id destinationid target_node target_uuid "
        "object_id objectid object_uuid object.uuid object.id object to_id to v",
        TARGET_TYPE: "target_type targettype target.type dst_type dsttype dst_node_type dest_type "
        "desttype destination_type destinationtype target_node_type object_type objecttype "
        "object.type to_type object",
        RELATION: "relation edge_type edgetype relation_type relationship rel edge action "
        "operation event_type event syscall op label type",
        TIME: "timestamp time ts datetime event_time eventtime timestamp_nanos timestampnanos "
        "timestamp_rec @timestamp time_stamp t date",
        GRAPH: "graph_id graphid graph",
        SOURCE_NAME: "source_name sourcename source.name src_name srcname actor_name actor.name "
        "subject_name exec process_name source.path",
        TARGET_NAME: "target_name targetname target.name dst_name dstname dest_name object_name "
        "object.name path filename target.path",
        HOST: "host_name host hostname host_id",
    }.items()
}

_LOOKED_AT = 60
_DELIMITERS = ("\t", ",", ";", "|", " ")
_MOST_COLUMNS = 16
_MOST_TYPES = 48  # distinct words in a column of types
_ANCHOR = datetime(2000, 1, 1, tzinfo=UTC)  # any will do to tell whether a text is a time
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{0,40}")
_UNICORN = re.compile(r"\d+[ \t]\d+[ \t](?:[^\s:]+:){3}\d+")
# where the columns of types stand among those that hold no time -> the roles of all of them
_LAYOUTS: Mapping[tuple[int, ...], tuple[str, ...]] = {
    (1, 3, 4): (SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE, RELATION),
    (1, 2, 4): (SOURCE, SOURCE_TYPE, RELATION, TARGET, TARGET_TYPE),
    (2, 3, 4): (SOURCE, TARGET, SOURCE_TYPE, TARGET_TYPE, RELATION),
    (1,): (SOURCE, RELATION, TARGET),
    (2,): (SOURCE, TARGET, RELATION),
}
_UNICORN_ROLES = (SOURCE, TARGET, SOURCE_TYPE, TARGET_TYPE, RELATION, TIME)
_STREAMSPOT_ROLES = (SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE, RELATION, GRAPH)


@dataclass(frozen=True)
class Plan:
    """How the lines of one edge list are read.

    Args:
        delimiter: between columns; None for JSON lines.
        roles: the role of each column, or a name of its own.
        header: the text of the header line, None where there is none.
        colons: whether colons part columns too (Unicorn).
    """

    delimiter: str | None
    roles: tuple[str, ...]
    header: str | None = None
    colons: bool = False

    def place(self, role: str) -> int | None:
        """Returns the place of a role's column, None where there is none."""
        return self.roles.index(role) if role in self.roles else None

    @property
    def is_sure(self) -> bool:
        """Whether the columns name or show all parts of an edge."""
        return set(SURE_ROLES) <= set(self.roles)


DEFAULT = Plan("\t", _STREAMSPOT_ROLES)


def plan_of(head: bytes) -> Plan | None:
    """Returns how to read an edge list with this head, None where nothing tells."""
    if any(found is not None for found in first_objects(head, _LOOKED_AT)):
        return Plan(None, tuple(NAMES))
    lines = _text_lines(head)
    if not lines:
        return None
    if all(_UNICORN.fullmatch(line) for line in lines):
        return Plan("\t" if "\t" in lines[0] else " ", _UNICORN_ROLES, colons=True)
    for delimiter in _DELIMITERS:
        found = _separated(lines, delimiter)
        if found:
            return found
    return None


def named_roles(names: Sequence[str]) -> dict[str, str]:
    """Returns role -> name of the columns or keys that are known by their names."""
    known = {_plain(name): name for name in reversed(names)}
    roles: dict[str, str] = {}
    for role, aliases in NAMES.items():
        free = (known[alias] for alias in aliases if alias in known)
        name = next((name for name in free if name not in roles.values()), None)
        if name is not None:
            roles[role] = name
    return roles


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.@]+", "_", name.strip().strip('"').lower()).strip("_")


def _text_lines(head: bytes) -> list[str]:
    lines = head.split(b"\n")
    lines = [line.rstrip(b"\r") for line in lines[: max(len(lines) - 1, 1)]]
    kept = [line for line in lines if line.strip() and not line.startswith(b"#")][:_LOOKED_AT]
    return [line.decode("utf-8", "replace") for line in kept]


def _separated(lines: list[str], delimiter: str) -> Plan | None:
    """Returns the plan of separated columns, where most lines have as many."""
    counts = count_fields(pa.array(lines, pa.string()), delimiter)
    columns = int(counts[0])
    if not 3 <= columns <= _MOST_COLUMNS or 2 * np.count_nonzero(counts == columns) < len(counts):
        return None
    rows = np.flatnonzero(counts == columns)
    fields = cut_fields(pa.array(lines, pa.string()), delimiter, rows, columns)
    cells = [fields.text(place) for place in range(columns)]
    names = [str(cell[0].as_py() or "") for cell in cells]
    roles = {name: role for role, name in named_roles(names).items()}
    if {SOURCE, TARGET} <= set(roles.values()):
        own = [roles.get(name) or name or f"column_{place}" for place, name in enumerate(names, 1)]
        return Plan(delimiter, tuple(own), header=lines[0])
    found = _by_values(cells)
    return Plan(delimiter, found) if found else None


def _by_values(cells: list[pa.Array]) -> tuple[str, ...] | None:
    """Returns the roles of columns without a header, by what stands in them."""
    times = [place for place, cell in enumerate(cells) if _are_times(cell)]
    time = times[-1] if times else None
    others = [place for place in range(len(cells)) if place != time]
    types = tuple(rank for rank, place in enumerate(others) if _are_types(cells[place]))
    layout = _LAYOUTS.get(types[:3])
    if layout is None:
        return None
    roles = [f"column_{place}" for place in range(1, len(cells) + 1)]
    for place, role in zip(others, layout, strict=False):
        roles[place] = role
    if time is not None:
        roles[time] = TIME
    elif len(others) > len(layout):
        roles[others[len(layout)]] = GRAPH
    return tuple(roles)


def _are_times(cell: pa.Array) -> bool:
    given = cell.drop_null()
    long = pc.greater_equal(pc.binary_length(given), 10)
    return bool(
        len(given) and pc.all(long).as_py() and not parse_any(given, "UTC", _ANCHOR).null_count
    )


def _are_types(cell: pa.Array) -> bool:
    values = set(cell.drop_null().to_pylist())
    return 0 < len(values) <= _MOST_TYPES and all(map(_WORD.fullmatch, values))
