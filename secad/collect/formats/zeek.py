"""Zeek's logs: TSV under header lines and JSON lines, of any log, as events.

Lines enter, one event each leaves. Records of several logs may stand in one stream: TSV follows
the header before it, JSON says its log in ``_path`` or by its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.json.columns import first_objects
from secad.collect.json.events import opened
from secad.collect.text import decode
from secad.collect.zeek import json as zeek_json
from secad.collect.zeek import tsv as zeek_tsv
from secad.collect.zeek.fields import EXTENSIONS, LOGS, UNKNOWN, log_by_fields
from secad.collect.zeek.headers import HEADERS_CAP, Header, header_before
from secad.features.spans import buffer_of

_SURE = 0.99
_HEADERLESS = 0.9  # names of fields alone
_SURE_JSON = 0.97
_LOOKED_AT = 20
_MARKS = (b'"ts"', b'"_path"', b'"_write_ts"', b'"ts\\"')
_LIKE_OTHERS = frozenset(
    {UNKNOWN, "broker", "cluster", "config", "postgresql", "redis", "reporter", "stats", "syslog"}
)
_OF_STATS = frozenset({"peer", "pkts_proc", "events_proc"})  # no other program's names
_BRACE = ord("{")
_HASH = ord("#")


def _sources() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for log in LOGS.values():
        for field, column in log.columns.items():
            known = found.setdefault(column, [])
            if field not in known:
                known.append(field)
    return {column: ", ".join(fields) for column, fields in found.items() if column[0] != "~"}


class Zeek:
    """Zeek's logs, TSV and JSON; see ``Format``."""

    name = "zeek"
    dataset = "zeek"
    fields: Mapping[str, str] = {
        **_sources(),
        "event_provider": "#path, _path, or what the fields tell",
        "event_action": "zeek- and the log's name, such as zeek-conn",
        "event_category": "by the log",
        "event_outcome": "conn_state, rcode, status_code, auth_success, established, success ...",
        "url_path": "uri before ?",
        "url_query": "uri behind ?",
        "user_name": "user, username, client of kerberos before /, cookie of rdp",
        "user_domain": "domainname, client of kerberos behind /",
        "file_path": "filename; path and name of smb_files; arg of ftp's transfers",
        "zeek_path": "path",
        "zeek_name": "name",
        "labels": "the fields that no known log has",
    }
    extensions: pa.Schema = EXTENSIONS
    template_columns = ("event_action", "network_protocol", "event_outcome")

    def matches(self, head: bytes) -> float:
        """Returns how sure it is by the header, or by the first JSON objects; see ``Format``."""
        if head.startswith(b"#separator ") or b"\n#fields\tts\t" in head[:4096]:
            return _SURE
        if head.startswith((b"ts\tuid\t", b"#fields\tts")):
            return _HEADERLESS
        if not any(mark in head for mark in _MARKS):
            return 0.0
        objects = first_objects(head, _LOOKED_AT)
        if any(objects):
            return (
                _SURE_JSON
                * sum(_is_record(opened(record or {}, zeek_json.ENVELOPES)) for record in objects)
                / len(objects)
            )
        return 0.0

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per record; see ``Format``."""
        text = decode(lines)
        parts = _by_writing(text.lines, text.text, context)
        rejects = pa.concat_tables([text.rejects, *(part.rejects for part in parts)])
        events = pa.concat_tables(
            [zeek_tsv.NO_EVENTS, *(part.events for part in parts)], promote_options="default"
        )
        if sum(part.events.num_rows > 0 for part in parts) > 1:
            events = events.sort_by("byte_offset")
        skipped = lines.num_rows - events.num_rows - rejects.num_rows
        return Parsed(events, rejects, skipped=skipped)


def _is_record(record: dict[str, Any] | None) -> bool:
    """Returns whether an object has the marks of a Zeek record."""
    if record is None or not {"ts", "_write_ts"} & record.keys():
        return False
    if isinstance(record.get("_path"), str):
        return True
    addressed = {"id.orig_h", "id_orig_h"} & record.keys() or isinstance(record.get("id"), dict)
    if isinstance(record.get("uid"), str) and addressed:
        return True
    if record.keys() >= _OF_STATS:
        return True
    log = LOGS[log_by_fields(record.keys())]
    known = sum(key in log.columns for key in record)
    return log.name not in _LIKE_OTHERS and known >= max(3, 0.8 * len(record))


def _by_writing(lines: pa.RecordBatch, text: pa.StringArray, context: ParseContext) -> list[Parsed]:
    """Returns what becomes of the records, those of one writing together; headers are left out."""
    if not lines.num_rows:
        return []
    first = _first_bytes(text)
    json, marked = first == _BRACE, first == _HASH
    marked |= np.asarray(pc.starts_with(text, "ts\t"))
    parts = []
    if json.any():
        parts.append(
            _with(lines, text, json, lambda some, of: zeek_json.parse_records(some, of, context))
        )
    if (json | marked).all():
        return parts
    offset = lines.column("byte_offset")[0].as_py()
    before = header_before(context.head, offset)
    headers, places = zeek_tsv.headers_of(lines, np.flatnonzero(marked), before)
    records = ~(json | marked)
    for place in np.unique(places[records]).tolist():
        header = headers[place] if place < HEADERS_CAP else None
        parts.append(_with(lines, text, records & (places == place), _under(header, context)))
    return parts


def _under(
    header: Header | None, context: ParseContext
) -> Callable[[pa.RecordBatch, pa.StringArray], Parsed]:
    """Returns what parses the records under a header, None for one too many."""
    if header is None:
        return lambda lines, _text: zeek_tsv.too_many(lines)
    return lambda lines, text: zeek_tsv.parse_records(lines, text, header, context)


def _with(
    lines: pa.RecordBatch,
    text: pa.StringArray,
    rows: npt.NDArray[np.bool_],
    parse: Callable[[pa.RecordBatch, pa.StringArray], Parsed],
) -> Parsed:
    """Returns what ``parse`` makes of the lines at which ``rows`` is true."""
    first, last = rows.argmax(), len(rows) - rows[::-1].argmax()
    if rows[first:last].all():  # they stand together: no copy
        return parse(lines.slice(first, last - first), text.slice(first, last - first))
    chosen = pa.array(rows)
    return parse(lines.filter(chosen), text.filter(chosen))


def _first_bytes(text: pa.StringArray) -> npt.NDArray[np.uint8]:
    """Returns (N,) the first byte of each text; none is empty."""
    data, starts = buffer_of(text)
    found: npt.NDArray[np.uint8] = data[starts[:-1]]
    return found
