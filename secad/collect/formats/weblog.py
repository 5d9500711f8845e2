"""Access logs of web servers (Apache, nginx and their kin), common and combined, as events.

Lines enter, one event each leaves: client, user, request line, status, size, referrer and agent.
A virtual host may stand first; whatever stands behind the agent is kept as the label ``extra``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import TIME
from secad.collect.text import Text, decode, reject
from secad.collect.times import parse_clf, parse_iso
from secad.collect.web import weblog_parts as parts
from secad.collect.web.weblog_lines import read
from secad.collect.web.weblog_parts import NO_NUMBER, Lines
from secad.features.key_values import labels
from secad.features.spans import Bytes, Places, buffer_of, gather

_NO_TIME = "no time: expected [dd/Mmm/yyyy:HH:MM:SS +HHMM]"
_FAULTS = {
    parts.NO_TIME_PART: f'{_NO_TIME} before the quoted request, as in [..] "GET / HTTP/1.1"',
    parts.NO_REQUEST: 'no closing quote of the request before a status, as in "GET / HTTP/1.1" 200',
}
_FIRST_FAILURE = 400  # RFC 9110: 4xx and 5xx are errors of the client and of the server
_LABELS = {"extra": parts.EXTRA, "forwarded_for": parts.CHAIN, "ident": parts.IDENT}

# www.example.com:80 192.0.2.1 - alice [06/Mar/2005:05:28:52 -0500] "GET / HTTP/1.1" 200 -
_LINE = (
    r"^[^\[\"\t][^\"]{0,1000} "
    r"\[(?:\d\d/[A-Za-z]{3}/\d{4}:|\d{4}-\d\d-\d\dT)\d\d:\d\d:\d\d[^\]]{0,15}\] "
    r"\".*\" (?:\d{3}|-)(?: |\r?$)"
)


class WebLog:
    """Web access lines, common and combined; see ``Format``."""

    name = "weblog"
    dataset = "weblog"
    fields: Mapping[str, str] = {
        "time": "[...]",
        "source_ip": "client, where it is an address",
        "source_domain": "client, where it is a name",
        "source_port": "client, behind the address",
        "user_name": "user",
        "http_request_method": "request, first word",
        "url_domain": "request, host of an absolute URL; else the virtual host",
        "url_path": "request, target before ?",
        "url_query": "request, target behind ?",
        "http_version": "request, behind HTTP/",
        "http_response_status_code": "status",
        "http_response_bytes": "size",
        "http_request_referrer": "referrer",
        "user_agent_original": "agent",
        "event_action": "web-request, or web-malformed-request",
        "event_outcome": "status: failure from 400 on",
        "message": "request",
        "labels": "extra (behind the agent), forwarded_for (a list of clients), ident",
    }
    extensions = pa.schema([])
    template_columns = ("event_action", "http_request_method", "http_response_status_code")

    def matches(self, head: bytes) -> float:
        """Returns the share of lines that are access lines; see ``Format``."""
        lines = head.split(b"\n")
        lines = [line for line in lines[: max(len(lines) - 1, 1)] if line.strip()]
        lines = [line for line in lines if not line.startswith(b"#")]
        if not lines:
            return 0.0
        found = pc.match_substring_regex(pa.array(lines, pa.binary()), _LINE)
        return 0.95 * float(pc.mean(found).as_py())

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        text = decode(lines)
        found = read(text.text)
        times = _times(text, found, context.tz)
        comment = np.asarray(pc.starts_with(text.text, "#")) & (found.fault > 0)
        timeless = (found.fault == 0) & np.asarray(times.is_null())
        rejects = [text.rejects, reject(text.lines, timeless, _NO_TIME)]
        for fault, reason in _FAULTS.items():
            rejects.append(reject(text.lines, (found.fault == fault) & ~comment, reason))
        rows = np.flatnonzero((found.fault == 0) & ~timeless)
        return Parsed(
            _events(text, found, times, rows),
            pa.concat_tables(rejects),
            skipped=text.skipped + int(comment.sum()),
        )


def _times(text: Text, found: Lines, tz: str) -> pa.Array:
    """Returns (N,) the times, those in other shapes read the slower way."""
    known = found.time_us != NO_NUMBER
    times = pa.array(np.where(known, found.time_us, 0), mask=~known).cast(TIME)
    others = np.flatnonzero(~known & (found.fault == 0))
    if not len(others):
        return times
    data, _ = buffer_of(text.text)
    written = gather(data, *found.spans[others, parts.TIME].T)
    slower = pc.coalesce(parse_clf(written, tz), parse_iso(written, tz))
    return pc.replace_with_mask(times, pa.array(~known & (found.fault == 0)), slower)


def _events(text: Text, found: Lines, times: pa.Array, rows: Places) -> pa.Table:
    data, _ = buffer_of(text.text)
    spans = found.spans if len(rows) == len(found.spans) else found.spans[rows]

    def part(which: int, only: npt.NDArray[np.bool_] | None = None) -> pa.StringArray:
        starts, lengths = spans[:, which].T
        return gather(data, starts if only is None else np.where(only, starts, -1), lengths)

    named, malformed = found.named[rows], pa.array(found.malformed[rows])
    status = _numbers(found.status[rows])
    outcome = pc.if_else(pc.less(status, _FIRST_FAILURE), "success", "failure")
    locators = text.locators()
    chosen = pa.array(rows)
    columns = {
        "time": times.take(chosen),
        **{name: column.take(chosen) for name, column in locators.items()},
        "source_ip": part(parts.CLIENT, ~named),
        "source_domain": part(parts.CLIENT, named),
        "source_port": _numbers(found.port[rows]),
        "user_name": part(parts.USER),
        "http_request_method": part(parts.METHOD),
        "url_domain": pc.coalesce(part(parts.HOST), part(parts.VHOST)),
        "url_path": part(parts.PATH),
        "url_query": part(parts.QUERY),
        "http_version": part(parts.VERSION),
        "http_response_status_code": status,
        "http_response_bytes": _numbers(found.size[rows]),
        "http_request_referrer": part(parts.REFERRER),
        "user_agent_original": part(parts.AGENT),
        "event_action": pc.if_else(malformed, "web-malformed-request", "web-request"),
        "event_outcome": outcome,
        "message": part(parts.REQUEST),
        "labels": _labels(data, spans),
    }
    return pa.table(columns)


def _numbers(values: Places) -> pa.Array:
    return pa.array(values, mask=values == NO_NUMBER)


def _labels(data: Bytes, spans: npt.NDArray[np.int64]) -> pa.MapArray:
    """Returns the labels of E events; spans: (E, 15, 2)."""
    places = list(_LABELS.values())
    starts, lengths = (spans[:, places, which] for which in (0, 1))  # (E, 3)
    given = starts >= 0
    events, which = np.nonzero(given)
    keys = pa.array(list(_LABELS), pa.string()).take(pa.array(which))
    values = gather(data, starts[given], lengths[given])
    return labels(events, len(spans), keys, values)
