"""Windows events as JSON: NXLog's flat form, Winlogbeat's, ECS, and EVTX readers' Event.

Lines, or the records of an array or of objects over many lines, enter, one event each leaves.
What the forms have in common is in ``windows.events``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa

from secad.base.protocols import ParseContext, Parsed
from secad.collect.json.documents import JsonDocuments
from secad.collect.text import decode
from secad.collect.windows import events as windows_events
from secad.collect.windows.fields import EXTENSIONS, FIELDS

_DOCUMENTS = JsonDocuments()
_SURE = 0.97
_LIKELY = 0.9  # the first line is longer than the head, its first keys are those of an event
_LOOKED_AT = 20
_FLAT = frozenset({"channel", "sourcename", "hostname", "providerguid", "computer", "recordnumber"})
_MARKS = tuple(
    frozenset(mark)
    for mark in (
        {"system", "eventdata"},
        {"system", "userdata"},
        {"channel", "event_id"},
        {"channel", "event_data"},
        {"channel", "record_id"},
        {"channel", "provider_name"},
        {"id", "providername", "timecreated"},  # of PowerShell's Get-WinEvent
        {"id", "providername", "logname"},
    )
)
_CUT_OFF = (
    (b'"EventID"', b'"Channel"'),
    (b'"Event"', b'"System"'),
    (b'"winlog"', b'"channel"'),
)


class WindowsJson:
    """Windows events as JSON lines; see ``Format``."""

    name = "windows"
    dataset = windows_events.DATASET
    fields: Mapping[str, str] = FIELDS
    extensions: pa.Schema = EXTENSIONS
    template_columns = windows_events.TEMPLATE_COLUMNS

    def matches(self, head: bytes) -> float:
        """Returns the share of Windows events among the first JSON objects; see ``Format``."""
        objects = _DOCUMENTS.first_records(head, _LOOKED_AT)
        if any(objects):
            return _SURE * sum(map(_is_event, objects)) / len(objects)
        cut_off = head.startswith(b"{") and b"\n" not in head
        names = any(all(name in head for name in form) for form in _CUT_OFF)
        return _LIKELY if cut_off and names else 0.0

    def is_framed(self, head: bytes) -> bool:
        """Returns whether its records are not its lines; see ``Frames``."""
        return _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields its records as LINES; see ``Frames``."""
        return _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        return windows_events.parse_events(decode(lines), context)


def _is_event(record: dict[str, Any] | None) -> bool:
    """Returns whether an object has the marks of a Windows event in one of its forms."""
    if record is None:
        return False
    keys = {key.lower() for key in record}
    if "eventid" in keys and len(_FLAT & keys) >= 2:
        return True
    inner = [record.get("Event"), record, record.get("winlog")]
    forms = [{key.lower() for key in part} for part in inner if isinstance(part, dict)]
    return any(mark <= form for form in forms for mark in _MARKS)
