"""A small format for tests of the way in: ``<epoch seconds> <message>`` on each line."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.text import decode, reject
from secad.collect.times import parse_epoch


class Tiny:
    """Epoch seconds, a space, a message; lines that begin with ``+`` join the one before."""

    name = "tiny"
    dataset = "tiny"
    fields: ClassVar = {"time": "first field", "message": "the rest", "event_action": "always line"}
    extensions = pa.schema([])
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        return 1.0 if head[:1].isdigit() else 0.0

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:  # noqa: ARG002
        text = decode(lines)
        parts = pc.split_pattern(text.text, " ", max_splits=1)
        times = parse_epoch(pc.list_element(parts, 0), "s")
        message = pc.utf8_slice_codeunits(text.text, 11)
        bad = pc.is_null(times).to_numpy(zero_copy_only=False)
        columns = {**text.locators(), "time": times, "message": message}
        columns["event_action"] = pa.repeat("line", len(times))
        events = pa.table(columns).filter(pa.array(~bad))
        rejects = pa.concat_tables([text.rejects, reject(text.lines, bad, "no time")])
        return Parsed(events, rejects, 0, text.skipped)
