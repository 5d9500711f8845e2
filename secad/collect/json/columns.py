r"""JSON lines to Arrow columns: what every JSON format stands on.

Lines enter as text; the values of wanted paths leave as one string column each, all other leaves
as a ``labels`` map, and of a malformed line the reason. No row becomes a Python object: one
compiled pass finds the leaves and tells where they belong (``json.walk`` by ``json.scan`` and
``json.paths``), another copies them out column by column (``json.texts``).

>>> lines = pa.array(['{"id": 1, "user": {"name": "eve"}}', '{"id": 2,}'])
>>> read = read_json(lines, {"user_name": ("user.name", "user")})
>>> read.columns["user_name"].to_pylist(), read.labels.to_pylist()
(['eve', None], [[('id', '1')], []])
>>> read.errors.to_pylist()
[None, 'expected a key in double quotes, at byte 9']
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json import paths as json_paths
from secad.collect.json.paths import Paths
from secad.collect.json.scan import FAULTS, nodes_for
from secad.collect.json.texts import Bytes, Integers, Numbers, column_texts, label_texts, spread
from secad.collect.json.walk import Found, Lines, walk
from secad.features.spans import buffer_of, gather

LABEL_CAP_BYTES = 1024  # a label is context; a longer text is read from its line
_MEMO_SIZE = 1 << 12  # several times the names that a log has
_SLOTS = 2 * json_paths.PATHS_CAP  # half full at most
_SECRET = np.array([secrets.randbits(62), secrets.randbits(62) | 1], dtype=np.int64)

_Wanted = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class JsonColumns:
    """What N lines hold.

    Args:
        columns: name -> (N,) string; null where the line has no such value.
        labels: (N,) map of the leaves that nobody wanted.
        errors: (N,) string, what is wrong with a malformed line and at which of its bytes
            (the first is 0); null for a sound line.
    """

    columns: dict[str, pa.Array]
    labels: pa.MapArray
    errors: pa.Array


def read_json(
    text: pa.Array,
    wanted: Mapping[str, Sequence[str]],
    *,
    ignored: Collection[str] = (),
    unwrapped: Collection[str] = (),
    blank: str = "",
    joined: bool = False,
) -> JsonColumns:
    """Returns the columns, labels and errors of JSON lines, each of which must be an object.

    Numbers, true and false give their text, an array its JSON. Null, the empty text and the
    ``blank`` one are no values. Of a path that a line has twice the first value counts, and
    upper and lower case (ASCII) are one, save in labels. Half a surrogate pair becomes U+FFFD.

    Args:
        text: (N,) string or binary, valid UTF-8, no nulls.
        wanted: column -> its paths (keys joined by dots); the first with a value gives it.
        ignored: paths of leaves and of objects to leave out, with all that is in them; those
            that end in a dot only of objects.
        unwrapped: paths of objects whose leaves are read as if they stood at the top.
        blank: a text that means that there is no value, such as ``-``.
        joined: whether an array gives its values with commas between them in place of its JSON;
            an empty one then is no value.
    """
    data, starts = buffer_of(text)
    columns = tuple((column, tuple(column_paths)) for column, column_paths in wanted.items())
    plan = _plan(columns, tuple(ignored), tuple(unwrapped))
    paths = _known_paths(plan)
    lines = Lines(data, starts, np.frombuffer(blank.encode(), dtype=np.uint8), joined)
    longest = int(np.diff(starts).max(initial=0))
    room = nodes_for(int(starts[-1] - starts[0])) * plan.most  # is taken as it is filled
    found = Found(
        cells=np.empty((room, 4), dtype=np.int32),
        nodes=np.empty((nodes_for(longest), 4), dtype=np.int32),
        best=np.full((len(wanted), 3), -1, dtype=np.int64),
        labels=np.zeros(len(text), dtype=np.int64),
        faults=np.zeros((len(text), 2), dtype=np.int64),
    )
    taken = found.cells[: walk(lines, paths, found)]
    return JsonColumns(
        _columns(data, taken, list(wanted), len(text), joined=joined),
        _labels(data, taken, found.labels, paths),
        _errors(found.faults),
    )


def first_objects(head: bytes, count: int) -> list[dict[str, Any] | None]:
    """Returns the first lines of a source's head as JSON objects, to recognise its format by.

    Args:
        head: the first bytes of the source; what stands behind its last line end is left out,
            if there is more.
        count: how many lines to look at, blank lines and comments (``#``) not counted.

    Returns:
        an object for each line, None for a line that is none.
    """
    lines = head.split(b"\n")
    lines = [line.strip() for line in lines[: max(len(lines) - 1, 1)]]
    return [_object(line) for line in [*filter(_is_record, lines)][:count]]


def _is_record(line: bytes) -> bool:
    return bool(line) and not line.startswith(b"#")


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line) if line.startswith(b"{") else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class _Plan:
    """The paths that are known beforehand, as ``json_paths.admit`` takes them.

    Args:
        names: the bytes of the paths.
        starts: (P + 1,) where each begins in ``names``.
        fates: (P, 3) what becomes of each.
        uses: (U, 2) column and rank of wanted paths.
        most: how many columns want the same path, at most.
    """

    names: Bytes
    starts: Numbers
    fates: Numbers
    uses: Numbers
    most: int


@lru_cache(maxsize=32)  # a format asks for the same with each batch
def _plan(wanted: _Wanted, ignored: tuple[str, ...], unwrapped: tuple[str, ...]) -> _Plan:
    uses: dict[str, list[tuple[int, int]]] = {}
    for column, (_, paths) in enumerate(wanted):
        for rank, path in enumerate(paths):
            uses.setdefault(path.lower(), []).append((column, rank))
    left_out = [path.lower() for path in ignored]
    leaves = dict.fromkeys(left_out, (json_paths.IGNORED, 0, 0))
    last = 0
    for path, path_uses in uses.items():
        first, last = last, last + len(path_uses)
        leaves[path] = (json_paths.WANTED, first, last)
    objects = dict.fromkeys((path.lower() for path in unwrapped), (json_paths.UNWRAPPED, 0, 0))
    objects |= {path.removesuffix("."): (json_paths.DROPPED, 0, 0) for path in left_out}
    for path in _objects_on_the_way(wanted):
        if path.lower() not in objects:
            objects[path] = (json_paths.OBJECT, 0, 0)
    known = leaves | {f"{path}.": fate for path, fate in objects.items()}
    fates = {path.encode(): fate for path, fate in known.items()}
    names = [name for name in fates if len(name) < json_paths.PATH_CAP_BYTES]
    return _Plan(
        np.frombuffer(b"".join(names), dtype=np.uint8),
        np.cumsum([0, *map(len, names)]),
        np.array([fates[name] for name in names], dtype=np.int64).reshape(-1, 3),
        np.array([use for every in uses.values() for use in every], np.int64).reshape(-1, 2),
        max(map(len, uses.values()), default=1),
    )


def _objects_on_the_way(wanted: _Wanted) -> list[str]:
    """Returns the objects that wanted paths lead through, so that there is a place for them."""
    parts = [path.split(".") for _, paths in wanted for path in paths]
    return [".".join(path[:count]) for path in parts for count in range(1, len(path))]


def _known_paths(plan: _Plan) -> Paths:
    count, size = json_paths.PATHS_CAP, json_paths.PATH_CAP_BYTES
    paths = Paths(  # most of this room is never touched, and so never taken
        slots=np.zeros(_SLOTS, dtype=np.int64),
        entries=np.empty((count, 6), dtype=np.int64),
        pool=np.empty(count * size, dtype=np.uint8),
        uses=plan.uses,
        memo=np.zeros((_MEMO_SIZE, 4), dtype=np.int64),
        follows=np.zeros((count + 1, 4), dtype=np.int32),
        path=np.empty(size + 8, dtype=np.uint8),
        used=np.zeros(2, dtype=np.int64),
        secret=_SECRET,
    )
    json_paths.admit(paths, plan.names, plan.starts, plan.fates)
    return paths


def _columns(
    data: Bytes, cells: Integers, names: list[str], count: int, *, joined: bool
) -> dict[str, pa.Array]:
    rows, ends, firsts, begins, values = column_texts(data, cells, len(names), joined)
    nothing = pa.nulls(count, pa.string())
    buffer = pa.py_buffer(values)
    columns = {}
    for column, name in enumerate(names):
        held = slice(firsts[column], firsts[column + 1])
        if held.start == held.stop:
            columns[name] = nothing
            continue
        offsets, valid = map(pa.py_buffer, spread(rows[held], ends[held], count))
        texts = buffer.slice(begins[column], begins[column + 1] - begins[column])
        columns[name] = pa.StringArray.from_buffers(count, offsets, texts, valid)
    return columns


def _labels(data: Bytes, cells: Integers, labels: Numbers, paths: Paths) -> pa.MapArray:
    entries, offsets, values = label_texts(data, cells, LABEL_CAP_BYTES)
    known = paths.entries[: paths.used[0]]
    begins, ends = known[:, json_paths.BEGIN].copy(), known[:, json_paths.END]
    names = gather(paths.pool, begins, ends - begins)
    texts = pa.StringArray.from_buffers(len(entries), pa.py_buffer(offsets), pa.py_buffer(values))
    rows = np.zeros(len(labels) + 1, dtype=np.int32)
    np.cumsum(labels, out=rows[1:])
    return pa.MapArray.from_arrays(pa.array(rows), names.take(pa.array(entries)), texts)


def _errors(faults: Numbers) -> pa.Array:
    if not faults[:, 0].any():
        return pa.nulls(len(faults), pa.string())
    wrong = pa.array(faults[:, 0])
    places = pa.array(faults[:, 1]).cast(pa.string())
    told = pc.binary_join_element_wise(pa.array(FAULTS).take(wrong), places, ", at byte ")
    return pc.if_else(pc.equal(wrong, 0), None, told)
