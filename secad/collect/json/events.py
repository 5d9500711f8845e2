"""Formats of declared JSON: a table of where columns stand, and a rule for what needs more.

A format declares the paths of its columns and of the parts that its rules need; LINES enter and
``Parsed`` leaves. Every field that is neither is kept as a label. What is no object, has none of
the format's marks or no time becomes a reject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import PARSED
from secad.collect.json.columns import first_objects, read_json
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.rules import Columns, event_table, parsed
from secad.collect.text import decode
from secad.collect.times import parse_any

_SURE = 0.98
_LIKELY = 0.9  # the first record is longer than the head
_LOOKED_AT = 20
_TIME, _MARK = "~time", "~mark"
_OPENINGS = b"{[\x1e"
_NESTED = '"{\\'  # how an object begins that is written as text: "{\"id\":1}"

Rules = Callable[[Columns], Mapping[str, pa.Array]]
Record = dict[str, Any]


@dataclass(frozen=True)
class Declaration:
    """What a format of JSON records is made of.

    Args:
        what: a record's name, for messages.
        time: paths of the time, the first with a value.
        mark: paths of which every record has at least one.
        columns: EVENTS or extension column -> its paths, the first with a value.
        parts: what the rules make columns of -> its paths.
        ruled: columns that the rules fill -> how, in words.
        integers: the extension columns that hold whole numbers.
        ignored: paths to leave out; those that end in a dot only as objects.
        unwrapped: objects that are read as if what is in them stood at the top.
        nested: paths of texts that hold the record as JSON, in an envelope around it.
        blank: a text that means that there is no value.
    """

    what: str
    time: tuple[str, ...]
    mark: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ruled: Mapping[str, str] = field(default_factory=dict)
    integers: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()
    unwrapped: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    blank: str = ""

    def fields(self) -> Mapping[str, str]:
        """Returns every column -> where in the log it comes from; see ``Format``."""
        declared = {name: ", ".join(paths) for name, paths in self.columns.items()}
        time = ", ".join(self.time)
        return {"time": time, **declared, **self.ruled, "labels": "every other field"}

    def extensions(self) -> pa.Schema:
        """Returns the columns beyond EVENTS."""
        known = {*PARSED.names}
        names = sorted(name for name in self.fields() if name not in known)
        kinds = (pa.int64() if name in self.integers else pa.string() for name in names)
        return pa.schema([pa.field(*pair) for pair in zip(names, kinds, strict=True)])


def parse_records(
    lines: pa.RecordBatch, context: ParseContext, declared: Declaration, rules: Rules
) -> Parsed:
    """Returns one event per record; see ``Format.parse``.

    Args:
        lines: LINES.
        context: the zone of times that carry none.
        declared: where columns and parts stand.
        rules: texts of parts and columns enter, columns leave, ``event_action`` without nulls
            among them.
    """
    text = decode(lines)
    if declared.nested:
        text = replace(text, text=without_envelope(text.text, declared.nested))
    wanted = {_TIME: declared.time, _MARK: declared.mark, **declared.parts, **declared.columns}
    read = read_json(
        text.text,
        wanted,
        ignored=declared.ignored,
        unwrapped=declared.unwrapped,
        blank=declared.blank,
    )
    time = parse_any(read.columns[_TIME], context.tz, context.anchor_time)
    columns = {name: read.columns[name] for name in declared.columns} | dict(rules(read.columns))
    events = event_table(text, read, time, columns, declared.extensions())
    foreign = np.asarray(pc.is_null(read.columns[_MARK]))
    timeless = np.asarray(pc.is_null(time))
    marks, times = ", ".join(declared.mark[:3]), ", ".join(declared.time[:3])
    refused = [
        (foreign, f"no {declared.what}: expected {marks}"),
        (timeless, f"no time: expected {times}"),
    ]
    return parsed(text, read, events, refused=refused)


def share_of(
    head: bytes,
    documents: JsonDocuments,
    marks: tuple[bytes, ...],
    is_record: Callable[[Record], bool],
    nested: tuple[str, ...] = (),
) -> float:
    """Returns how sure it is that a head holds such records; see ``Format.matches``.

    Args:
        head: of a source.
        documents: how the records may stand in it.
        marks: bytes that all stand near each record.
        is_record: tells them from others.
        nested: as in ``Declaration``.
    """
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not begin or begin not in _OPENINGS or not all(mark in head for mark in marks):
        return 0.0
    records = documents.first_records(head, _LOOKED_AT)
    if not any(records):
        return _LIKELY if b"\n" not in head or documents.is_framed(head) else 0.0
    inner = [opened(record, nested) for record in records if record is not None]
    return _SURE * sum(map(is_record, inner)) / len(records)


def opened(record: Record, paths: tuple[str, ...]) -> Record:
    """Returns the record that an envelope holds as JSON text, else the envelope."""
    for path in paths:
        value: Any = record
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and value.lstrip().startswith("{"):
            [inner] = first_objects(value.replace("\n", " ").encode("utf-8", "replace"), 1)
            return record if inner is None else inner
    return record


def without_envelope(
    text: pa.StringArray, paths: tuple[str, ...], mark: str = _NESTED
) -> pa.StringArray:
    """Returns (N,) texts in which a record that an envelope holds as text stands for itself.

    Args:
        text: (N,) JSON objects.
        paths: where envelopes hold it, the first with a value counts.
        mark: what every text with an envelope has in it.
    """
    held = pc.match_substring(text, mark)
    if not pc.any(held).as_py():
        return text
    inner = read_json(text.filter(held), {"record": paths}).columns["record"]
    inner = pc.if_else(pc.match_substring_regex(inner, r"^\s*\{"), inner, None)
    return pc.replace_with_mask(text, held, pc.coalesce(inner, text.filter(held)))
