"""nginx' error log, bare or behind a syslog header, as events.

``2023/11/20 10:00:00 [error] 12#34: *99 open() "/x" failed (2: ...), client: 192.0.2.1, server: a``

Lines enter, one event each leaves: what happened and, from the fields behind it, to whom.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ECS
from secad.collect.columns import by_pieces, share_of_lines, utc_times
from secad.collect.net_parts import NO_NUMBER, read_ends, read_requests
from secad.collect.syslog.header import framed, header_columns, message_places
from secad.collect.text import decode, reject
from secad.collect.web import errors
from secad.collect.web.error_phrases import NGINX, layouts
from secad.features.phrases import Found
from secad.features.slot_types import integers
from secad.features.spans import Bytes, Places, gather

_SURE = 0.97
_PIECE_ROWS = 32 * 1024
_NO_HEADER = "no header: expected 'yyyy/mm/dd hh:mm:ss [level] pid#thread: '"
_OTHER = "error-message"
# 2023/11/20 10:00:00 [error] 1234#5678: *99
_LINE = r"^(?:.{0,120} )?\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[[a-z]+\] \d+#\d+: "
_HEADER = "{time:%Y/%m/%d %H:%M:%S} [{log_level}] {process_pid:int}#{nginx_thread_id:int}: "
_HEADERS = (_HEADER + "*{nginx_connection_id:int} {_said:rest}", _HEADER + "{_said:rest}")
_UPSTREAMS = ("{_}://{_end}/{_:rest}", "{_}://{_end}")
_SAID = ("file_path", "user_name", "nginx_zone")


class NginxError:
    """The error log of nginx and OpenResty; see ``Format``."""

    name = "nginx_error"
    dataset = "nginx_error"
    fields: Mapping[str, str] = {
        "time": "the line's",
        "host_name": "the syslog header's",
        "log_level": "[level]",
        "process_pid": "before #",
        "nginx_thread_id": "behind #",
        "nginx_connection_id": "behind *",
        "event_action": "the message's kind",
        "event_category": "web",
        "event_outcome": "failure where the kind is one",
        "event_code": "ModSecurity's id",
        "rule_name": "ModSecurity's msg",
        "user_name": "the user that a message quotes",
        "file_path": "the file that a message quotes",
        "nginx_zone": "the zone of a limit",
        "nginx_reason": "what a message gives as the reason",
        "source_ip": "client",
        "nginx_server": "server",
        "http_request_method": "request",
        "http_version": "request",
        "url_path": "request, else ModSecurity's uri",
        "url_query": "request",
        "url_domain": "host without its port, else the request's, else ModSecurity's hostname",
        "http_request_referrer": "referrer",
        "nginx_subrequest": "subrequest",
        "nginx_upstream": "upstream",
        "destination_ip": "upstream",
        "destination_domain": "upstream, where it is a name",
        "destination_port": "upstream",
        "message": "the message without the fields behind it",
    }
    extensions = pa.schema(
        [
            *(pa.field(f"nginx_{name}_id", pa.int64()) for name in ("thread", "connection")),
            *(
                pa.field(f"nginx_{name}", pa.string())
                for name in ("zone", "reason", "server", "subrequest", "upstream")
            ),
        ]
    )
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns the share of lines with nginx' header; see ``Format``."""
        return _SURE * share_of_lines(head, _LINE)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        return by_pieces(lines, lambda piece: _parse(piece, context), _PIECE_ROWS)


def _parse(lines: pa.RecordBatch, context: ParseContext) -> Parsed:
    text = decode(lines)
    data, frames = framed(text.text)
    found = layouts(_HEADERS).match(data, message_places(text.text, frames))
    good = found.rule >= 0
    comment = ~good & np.asarray(pc.starts_with(text.text, "#"))
    rejects = [text.rejects, reject(text.lines, ~good & ~comment, _NO_HEADER)]
    found = found.where(good)
    times = utc_times(found.micros, found.zoned, found.yearless, context)
    place = {name: column.filter(pa.array(good)) for name, column in text.locators().items()}
    host = header_columns(data, frames[good])["host_name"]
    events = pa.table({"time": times, **place, **_columns(data, found, host)})
    skipped = text.skipped + int(comment.sum())
    return Parsed(events, pa.concat_tables(rejects), skipped=skipped)


def _columns(data: Bytes, found: Found, host: pa.Array) -> dict[str, pa.Array]:
    parts = errors.nginx_parts(data, found.spans("_said"))
    text = errors.part(parts, errors.TEXT)
    said, kinds = errors.kinds_of(data, text, NGINX, _OTHER)
    columns = {
        "host_name": host,
        "log_level": found.column("log_level"),
        **{
            name: integers(data, found.spans(name))
            for name in ("process_pid", "nginx_thread_id", "nginx_connection_id")
        },
        **kinds,
        "event_category": pa.repeat("web", len(found.matches)),
        **{name: said.column(name) for name in _SAID},
        "nginx_reason": said.column("error_reason"),
        "nginx_server": gather(data, *errors.part(parts, errors.SERVER)),
        "nginx_subrequest": gather(data, *errors.part(parts, errors.SUBREQUEST)),
        "http_request_referrer": gather(data, *errors.part(parts, errors.REFERRER)),
        "message": gather(data, *text),
        **read_requests(data, errors.part(parts, errors.REQUEST)),
        **_ends(data, parts),
    }
    site = read_ends(data, errors.part(parts, errors.HOST), ported=False)
    columns["url_domain"] = pc.coalesce(gather(data, *site.hosts), columns["url_domain"])
    for name, tag in errors.modsecurity(data, text, kinds["event_action"]).items():
        columns[name] = pc.coalesce(columns.get(name, tag), tag)
    nothing = pa.nulls(len(found.matches), pa.string())
    return {
        name: columns.get(name, nothing).cast(_type(name))
        for name in NginxError.fields
        if name != "time"
    }


def _type(name: str) -> pa.DataType:
    if name == "message":
        return pa.string()
    return (ECS if name in ECS.names else NginxError.extensions).field(name).type


def _ends(data: Bytes, parts: Places) -> dict[str, pa.Array]:
    client = read_ends(data, errors.part(parts, errors.CLIENT), ported=False)
    upstream = errors.part(parts, errors.UPSTREAM)
    target = read_ends(data, layouts(_UPSTREAMS).match(data, upstream).spans("_end"), ported=False)
    names, addressed = gather(data, *target.hosts), pa.array(target.addressed)
    addresses = gather(data, *client.hosts)
    return {
        "source_ip": pc.if_else(pa.array(client.addressed), addresses, None),
        "nginx_upstream": gather(data, *upstream),
        "destination_ip": pc.if_else(addressed, names, None),
        "destination_domain": pc.if_else(
            pc.or_(addressed, pc.fill_null(pc.equal(names, "unix:"), False)), None, names
        ),
        "destination_port": pa.array(target.ports, mask=target.ports == NO_NUMBER),
    }
