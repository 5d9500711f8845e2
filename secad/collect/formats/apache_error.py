"""Apache's error log, of 2.2 and 2.4, bare or behind a syslog header, as events.

``[Wed Oct 11 14:32:52 2000] [error] [client 192.0.2.1] client denied by server configuration: /x``
``[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 7:tid 8] [client 192.0.2.1:9] AH00037: ...``

Lines enter, one event each leaves: what happened and to whom.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ECS
from secad.collect.columns import by_pieces, share_of_lines, utc_times
from secad.collect.devices.times import first_of, made
from secad.collect.net_parts import NO_NUMBER, read_ends
from secad.collect.syslog.header import framed, header_columns, header_instants, message_places
from secad.collect.text import decode, reject
from secad.collect.web import errors
from secad.collect.web.error_phrases import APACHE, layouts
from secad.features.phrases import Found
from secad.features.slot_types import integers
from secad.features.spans import Bytes, Places, gather

_SURE = 0.97
_PIECE_ROWS = 32 * 1024
_NO_HEADER = "no header: expected '[Www Mmm dd hh:mm:ss yyyy] [level] ', an output of a script?"
_OTHER = "error-message"
# [Sun Dec 04 04:47:44 2005] [error] | [Fri Jun 10 11:18:32.111 2022] [authz_core:error] [pid 1]
_LINE = (
    r"^(?:[^\[]{0,120} )?\[(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}|"
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+(?: [+-]\d{4})?)\] "
    r"\[(?:[a-z0-9_]*:)?(?:emerg|alert|crit|error|warn|notice|info|debug|trace\d)\] "
)
_TIMES = ("%a %b %e %H:%M:%S.%f %Y", "%a %b %e %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S.%f %z",
          "%Y-%m-%d %H:%M:%S.%f")  # fmt: skip
_LEVELS = (
    "[{log_logger}:{log_level}] [pid {process_pid:int}:tid {apache_thread_id}] {_said:rest}",
    "[{log_logger}:{log_level}] [pid {process_pid:int}] {_said:rest}",
    "[{log_logger}:{log_level}] {_said:rest}",
    "[{log_level}] [pid {process_pid:int}] {_said:rest}",
    "[{log_level}] {_said:rest}",
    "{_said:rest}",
)
_HEADERS = (
    *(f"[{{time:{time}}}] {level}" for time in _TIMES for level in _LEVELS),
    *_LEVELS[:-1],  # behind a syslog header, which has the time
)
_STARTS = ("", "({_:int}){apache_error:text}: ", "{_}.c({_:int}): ")
_CLIENTS = (
    "[client {_client}] [client {_}] {_core:rest}",
    *(f"{start}[client {{_client}}] {{_core:rest}}" for start in _STARTS),
    *(f"{start}[remote {{_client}}] {{_core:rest}}" for start in _STARTS),
    "({_:int}){apache_error:text}: {_core:rest}",
    "{_core:rest}",
)
_REFERRERS = ("{_core:rest}, referer: {http_request_referrer}", "{_core:rest}")
_CODES = (
    "{event_code}: ({_:int}){apache_error:text}: {_core:rest}",
    "{event_code}: {_core:rest}",
    "({_:int}){apache_error:text}: {_core:rest}",
)
_SAID = ("file_path", "user_name", "url_path", "url_domain")


class ApacheError:
    """The error log of Apache httpd; see ``Format``."""

    name = "apache_error"
    dataset = "apache_error"
    fields: Mapping[str, str] = {
        "time": "[...], the first",
        "host_name": "the syslog header's",
        "log_logger": "module",
        "log_level": "level",
        "process_pid": "pid",
        "apache_thread_id": "tid",
        "event_code": "the number that begins with AH, or ModSecurity's id",
        "event_action": "the message's kind",
        "event_category": "web",
        "event_outcome": "failure where the kind is one",
        "rule_name": "ModSecurity's msg",
        "source_ip": "client or remote",
        "source_domain": "client, where it is a name",
        "source_port": "client",
        "user_name": "the user that a message quotes",
        "file_path": "the file that a message quotes",
        "url_path": "the path that a message quotes, or ModSecurity's uri",
        "url_domain": "the host that a message quotes, or ModSecurity's hostname",
        "apache_error": "the system's error, (13)Permission denied",
        "apache_reason": "what a message gives as the reason",
        "http_request_referrer": "referer, at the end",
        "message": "the message, without client and referer",
    }
    extensions = pa.schema(
        [pa.field(f"apache_{name}", pa.string()) for name in ("thread_id", "error", "reason")]
    )
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns the share of lines with Apache's header; see ``Format``."""
        return _SURE * share_of_lines(head, _LINE)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        return by_pieces(lines, lambda piece: _parse(piece, context), _PIECE_ROWS)


def _parse(lines: pa.RecordBatch, context: ParseContext) -> Parsed:
    text = decode(lines)
    data, frames = framed(text.text)
    found = layouts(_HEADERS).match(data, message_places(text.text, frames))
    own = made(found.micros, found.zoned, found.yearless, found.rule >= 0)
    own.flags[found.micros == 0] = 0
    best = first_of([own, header_instants(frames)])
    times = utc_times(best.micros, best.zoned, best.yearless, context)
    good = (found.rule >= 0) & best.valid & np.asarray(times.is_valid())
    comment = ~good & np.asarray(pc.starts_with(text.text, "#"))
    rejects = [text.rejects, reject(text.lines, ~good & ~comment, _NO_HEADER)]
    found, times = found.where(good), times.filter(pa.array(good))
    place = {name: column.filter(pa.array(good)) for name, column in text.locators().items()}
    host = header_columns(data, frames[good])["host_name"]
    events = pa.table({"time": times, **place, **_columns(data, found, host)})
    skipped = text.skipped + int(comment.sum())
    return Parsed(events, pa.concat_tables(rejects), skipped=skipped)


def _columns(data: Bytes, found: Found, host: pa.Array) -> dict[str, pa.Array]:
    clients = layouts(_CLIENTS).match(data, found.spans("_said"))
    referred = layouts(_REFERRERS).match(data, clients.spans("_core"))
    core = referred.spans("_core")
    coded = layouts(_CODES).match(data, core)
    numbered = _is_code(data, coded.spans("event_code"))
    inner = np.where(numbered & (coded.spans("_core")[0] >= 0), coded.spans("_core"), core)
    said, kinds = errors.kinds_of(data, inner, APACHE, _OTHER)
    code, number = coded.column("event_code"), pa.array(numbered)
    error = pc.if_else(number, coded.column("apache_error"), None)
    columns = {
        "host_name": host,
        "log_logger": found.column("log_logger"),
        "log_level": found.column("log_level"),
        "process_pid": integers(data, found.spans("process_pid")),
        "apache_thread_id": found.column("apache_thread_id"),
        "event_code": pc.if_else(number, code, None),
        **kinds,
        "event_category": pa.repeat("web", len(found.matches)),
        **_client(data, clients),
        **{name: said.column(name) for name in _SAID},
        "apache_error": pc.coalesce(clients.column("apache_error"), error),
        "apache_reason": said.column("error_reason"),
        "http_request_referrer": referred.column("http_request_referrer"),
        "message": gather(data, *core),
    }
    for name, tag in errors.modsecurity(data, inner, kinds["event_action"]).items():
        columns[name] = pc.coalesce(columns.get(name, tag), tag)
    nothing = pa.nulls(len(found.matches), pa.string())
    return {
        name: columns.get(name, nothing).cast(_type(name))
        for name in ApacheError.fields
        if name != "time"
    }


def _is_code(data: Bytes, places: Places) -> npt.NDArray[np.bool_]:
    """Returns (N,) whether a place holds ``AH01630``; true where it is empty."""
    code = gather(data, *places)
    return np.asarray(pc.fill_null(pc.match_substring_regex(code, r"^AH\d{5}$"), True))


def _type(name: str) -> pa.DataType:
    if name == "message":
        return pa.string()
    return (ECS if name in ECS.names else ApacheError.extensions).field(name).type


def _client(data: Bytes, clients: Found) -> dict[str, pa.Array]:
    ends = read_ends(data, clients.spans("_client"), ported=False)
    hosts, addressed = gather(data, *ends.hosts), pa.array(ends.addressed)
    return {
        "source_ip": pc.if_else(addressed, hosts, None),
        "source_domain": pc.if_else(addressed, None, hosts),
        "source_port": pa.array(ends.ports, mask=ends.ports == NO_NUMBER),
    }
