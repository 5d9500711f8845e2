"""From frames of syslog lines to EVENTS: times, rejects, columns.

The text of lines and their frames enter, as ``secad.features.syslog_frame`` or a format with a
framing of its own found them; events and rejects leave.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import LABELS
from secad.collect.columns import labels_from
from secad.collect.syslog.columns import COLUMNS, type_of
from secad.collect.syslog.header import NO_YEAR, action_of, header_columns, header_times
from secad.collect.syslog.said import said
from secad.collect.text import Text, reject
from secad.features.spans import Bytes, Places, gather
from secad.features.structured_data import elements
from secad.features.syslog_frame import span
from secad.features.syslog_tag import (
    CONTINUED,
    DATA,
    MESSAGE,
    MESSAGE_ID,
    NO_TIME,
    REPEATED,
    STATUS,
    UNTAGGED,
)

_NO_TIME = "no time: expected 'Mmm dd hh:mm:ss', an ISO 8601 time or RFC 5424 at the line's start"
_CONTINUED = "no time: a continuation of the line before?"


def events_of(text: Text, data: Bytes, frames: Places, context: ParseContext) -> Parsed:
    """Returns the events and rejects of framed lines.

    Args:
        text: the N lines.
        data: the buffer that the frames point into.
        frames: (N, WIDTH), see ``secad.features.syslog_tag``.
        context: of the source.
    """
    status = frames[:, STATUS]
    times = header_times(frames, context)
    timed = np.asarray(pc.is_valid(times))
    good = (status >= UNTAGGED) & timed
    comment = (status == NO_TIME) & np.asarray(pc.starts_with(text.text, "#"))
    rejects = [
        text.rejects,
        reject(text.lines, (status == NO_TIME) & ~comment, _NO_TIME),
        reject(text.lines, status == CONTINUED, _CONTINUED),
        reject(text.lines, (status >= UNTAGGED) & ~timed, NO_YEAR),
    ]
    place = {"time": times, **text.locators()}
    if not good.all():
        frames = frames[good]
        place = {name: column.filter(pa.array(good)) for name, column in place.items()}
    events = pa.table({**place, **_columns(data, frames)})
    skipped = text.skipped + int(comment.sum())
    return Parsed(events, pa.concat_tables(rejects), skipped=skipped)


def _columns(data: Bytes, frames: Places) -> dict[str, pa.Array]:
    spoken = said(data, frames)
    folded = pa.array(frames[:, REPEATED], mask=frames[:, REPEATED] < 0)
    columns = header_columns(data, frames)
    columns |= {
        "syslog_message_id": gather(data, *span(frames, MESSAGE_ID)),
        "syslog_repeat_count": folded,
        "event_action": action_of(columns["process_name"]),
        "message": gather(data, *span(frames, MESSAGE)),
        "labels": _labels(data, span(frames, DATA)),
    }
    for name, column in spoken.items():
        columns[name] = pc.coalesce(column, columns[name]) if name in columns else column
    nothing = {kind: pa.nulls(len(frames), kind) for kind in (pa.string(), pa.int64())}
    return {
        name: columns[name].cast(type_of(name)) if name in columns else nothing[type_of(name)]
        for name in COLUMNS
    }


def _labels(data: Bytes, places: Places) -> pa.Array:
    if not (places[0] >= 0).any():
        return pa.nulls(places.shape[1], LABELS)
    found = elements(data, places)
    keys = pc.binary_join_element_wise(gather(data, *found.ids), gather(data, *found.names), ".")
    values = pc.replace_substring_regex(gather(data, *found.values), r'\\(["\\\]])', r"\1")
    return labels_from(keys, pc.coalesce(values, ""), found.counts)
