"""Provenance edge lists: who did what to what, as StreamSpot, Unicorn and sets from DARPA's CDM.

Lines enter, one event an edge leaves. An edge without a time takes the file's date and, so that
the order stays, a microsecond for each line before it; so does one whose time is a mere count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import TIME as TIME_TYPE
from secad.collect.csv.fields import UNCLOSED, count_fields, cut_fields
from secad.collect.json.columns import JsonColumns, first_objects, read_json
from secad.collect.json.rules import event_table, parsed
from secad.collect.provenance.ends import classes, ends, relations
from secad.collect.provenance.plan import (
    DEFAULT,
    GRAPH,
    HOST,
    NAMES,
    RELATION,
    SOURCE,
    SOURCE_NAME,
    SOURCE_TYPE,
    SURE_ROLES,
    TARGET,
    TARGET_NAME,
    TARGET_TYPE,
    TIME,
    Plan,
    named_roles,
    plan_of,
)
from secad.collect.text import Text, decode
from secad.collect.times import parse_any
from secad.features.key_values import labels

_SURE = 0.96
_LOOKED_AT = 50
_COUNT = r"^\d{1,8}$"  # a logical time; nine digits are seconds since 1970
_NO_EDGE = "no edge: expected a source and a target"
_NO_TIME = "no time in the column of times"
_ACTION = "edge"
_ROLES = tuple(NAMES)


class Provenance:
    """Edge lists; see ``Format``."""

    name = "provenance"
    dataset = "provenance"
    fields: Mapping[str, str] = {
        "time": "the edge's; without one the file's date and a microsecond a line",
        "host_name": "host",
        "event_action": "relation in small letters without EVENT_, letters of StreamSpot spelt out",
        "event_category": "the type of the end that is acted on",
        "process_entity_id": "the end that is a process; of two that make each other the made one",
        "process_executable": "its name, where it is a path",
        "process_name": "its name",
        "process_parent_entity_id": "the source of a fork, clone, start or execution",
        "process_parent_executable": "its name, where it is a path",
        "process_parent_name": "its name",
        "file_path": "the end that is a file: its name, else its identity",
        "registry_path": "the end that is a registry key",
        "destination_ip": "the end that is a connection",
        "destination_port": "the same",
        "destination_domain": "the same, where it is no address",
        "provenance_source": "source",
        "provenance_source_type": "source type",
        "provenance_target": "target",
        "provenance_target_type": "target type",
        "provenance_relation": "relation, as written",
        "provenance_graph": "graph id; it also stands before the identities of processes",
        "labels": "every other column",
    }
    extensions = pa.schema(
        [
            pa.field(f"provenance_{name}", pa.string())
            for name in (SOURCE, SOURCE_TYPE, TARGET, TARGET_TYPE, RELATION, GRAPH)
        ]
    )
    template_columns = ("event_action", "provenance_source_type", "provenance_target_type")

    def matches(self, head: bytes) -> float:
        """Returns how sure it is: only where all parts of edges are named or known by value."""
        objects = first_objects(head, _LOOKED_AT) if head.lstrip()[:1] == b"{" else []
        if any(objects):
            edges = sum(set(SURE_ROLES) <= set(named_roles([*(one or {})])) for one in objects)
            return _SURE * edges / len(objects)
        plan = plan_of(head)
        if plan is None or plan.delimiter is None or not plan.is_sure:
            return 0.0
        return _SURE * _share_of_edges(head, plan)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per edge; see ``Format``."""
        text = decode(lines)
        plan = plan_of(context.head) or DEFAULT
        read = _objects(text.text) if plan.delimiter is None else _columns(text.text, plan)
        edges = read.columns
        time, timeless = _times(text, edges.get(TIME), context)
        columns = self._filled(edges)
        events = event_table(text, read, time, columns, self.extensions)
        nowhere = np.asarray(pc.or_(edges[SOURCE].is_null(), edges[TARGET].is_null()))
        header = np.asarray(pc.starts_with(text.text, "#"))
        if plan.header is not None:
            header |= np.asarray(pc.equal(text.text, plan.header))
        refused = [(nowhere, _NO_EDGE), (timeless, _NO_TIME)]
        return parsed(text, read, events, refused=refused, passed=header)

    def _filled(self, edges: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        made = {f"provenance_{name}": edges[name] for name in (SOURCE, TARGET, RELATION, GRAPH)}
        made |= {f"provenance_{name}": edges[name] for name in (SOURCE_TYPE, TARGET_TYPE)}
        relation = relations(edges[RELATION])
        local = {
            end: pc.coalesce(pc.binary_join_element_wise(edges[GRAPH], edges[end], "/"), edges[end])
            for end in (SOURCE, TARGET)
        }
        made |= ends(
            {
                **local,
                "source_shown": edges[SOURCE],
                "target_shown": edges[TARGET],
                SOURCE_NAME: edges[SOURCE_NAME],
                TARGET_NAME: edges[TARGET_NAME],
                "source_class": classes(edges[SOURCE_TYPE]),
                "target_class": classes(edges[TARGET_TYPE]),
                RELATION: relation,
            }
        )
        return made | {"event_action": pc.coalesce(relation, _ACTION), "host_name": edges[HOST]}


def _share_of_edges(head: bytes, plan: Plan) -> float:
    """Returns the share of a head's lines whose ends have types that are known."""
    lines = [line for line in head.decode("utf-8", "replace").split("\n")[:-1] if line.strip()]
    lines = [line.rstrip("\r") for line in lines if line != plan.header][:_LOOKED_AT]
    if not lines:
        return 0.0
    found = _columns(pa.array(lines, pa.string()), plan).columns
    if plan.header is not None:
        return float(pc.mean(found[TARGET].is_valid()).as_py())
    known = [classes(found[role]).is_valid() for role in (SOURCE_TYPE, TARGET_TYPE)]
    process = [
        pc.fill_null(pc.equal(classes(found[role]), "process"), False)
        for role in (SOURCE_TYPE, TARGET_TYPE)
    ]
    return float(pc.mean(pc.and_(pc.and_(*known), pc.or_(*process))).as_py())


def _objects(text: pa.Array) -> JsonColumns:
    return read_json(text, NAMES)


def _columns(text: pa.Array, plan: Plan) -> JsonColumns:
    """Returns the roles' columns of separated lines, the other columns as labels."""
    count = len(text)
    if plan.colons:
        text = pc.replace_substring(text, ":", plan.delimiter)
    delimiter = str(plan.delimiter)
    counts = count_fields(text, delimiter)
    good = counts == len(plan.roles)
    fields = cut_fields(text, delimiter, np.flatnonzero(good), len(plan.roles))
    back = np.full(count, -1, dtype=np.int64)
    back[good] = np.arange(int(good.sum()))
    rows = pa.array(back, mask=~good)
    columns = {}
    for role in _ROLES:
        place = plan.place(role)
        found = None if place is None else fields.text(place).take(rows)
        columns[role] = pa.nulls(count, pa.string()) if found is None else found
    others = [place for place, role in enumerate(plan.roles) if role not in _ROLES]
    at, which, values = fields.filled(others)
    names = pa.array([plan.roles[place] for place in others], pa.string()).take(pa.array(which))
    kept = labels(np.flatnonzero(good)[at], count, names, values)
    wrong = pa.array(np.unique(counts[~good]))
    reasons = [
        "a quote is not closed"
        if number == UNCLOSED
        else f"expected {len(plan.roles)} columns, found {number}"
        for number in wrong.to_pylist()
    ]
    place = pc.index_in(pa.array(np.where(good, -2, counts)), wrong)
    return JsonColumns(columns, kept, pa.array(reasons, pa.string()).take(place))


def _times(
    text: Text, written: pa.Array | None, context: ParseContext
) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Returns (N,) times, and where one is written that is none."""
    start = pa.scalar(context.anchor_time, TIME_TYPE)
    if written is None or written.null_count == len(written):
        steps = text.lines.column("line")
        return _after(start, steps), np.zeros(len(steps), dtype=np.bool_)
    time = parse_any(written, context.tz, context.anchor_time)
    counted = pc.if_else(pc.match_substring_regex(written, _COUNT), written, None)
    time = pc.coalesce(time, _after(start, pc.cast(counted, pa.int64())))
    return time, np.asarray(time.is_null())


def _after(start: pa.Scalar, steps: pa.Array) -> pa.Array:
    return pc.add(start, steps.cast(pa.duration("us"))).cast(TIME_TYPE)
