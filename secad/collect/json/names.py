"""Which field of a JSON log is which EVENTS column, where no map says so.

A path whose dots read as ``_`` are a column's name is that column's (ECS); beside them stand the
names that well-known logs use. Upper and lower case are one. Of several the first with a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from secad.collect.field_maps import COLUMNS

# EVENTS column: paths of fields of its kind, the surest first
_ALIASES = """
time: @timestamp timestamp time ts eventTime event_time datetime date_time date created_at
  createdAt event.created start_time startTime time_generated TimeGenerated _time utc_time asctime
  epoch unixtime occurred_at published requestReceivedTimestamp LogData.DetectionTimestamp t
host_name: host.hostname hostname host beat.hostname agent.hostname predecoder.hostname
  observer.hostname computer computer_name device.hostname device.name node machine sensor
  agent.name
event_code: event_id eventid signature_id rule.id
event_action: event.action eventid event_type eventName event.type action operation activity verb
  op auditd.data.syscall type
event_outcome: outcome result auditd.result success
log_level: log.level level severity loglevel lvl levelname
log_logger: log.logger logger component module
service_name: service app application program program_name predecoder.program_name
user_name: username user account.name account actor.name actor user.username user.email
  userIdentity.userName auth.user login email user.name_map.uid
user_id: user.uid uid userIdentity.principalId
user_effective_name: user.name_map.euid
session_id: session.id session sessionid session_id
process_name: process proc
process_executable: process.exe exe image executable
process_pid: pid process_id
process_parent_pid: process.ppid ppid
process_command_line: cmdline command cmd commandline
process_working_directory: process.cwd cwd
source_ip: src_ip srcip client.ip client_ip clientip remote_addr remote_ip remoteAddress
  sourceIPAddress id.orig_h data.srcip data.src_ip source.address ip client
source_port: src_port srcport sport client.port remote_port id.orig_p data.src_port
destination_ip: dst_ip dest_ip dstip server.ip id.resp_h data.dstip data.dest_ip
destination_port: dst_port dest_port dstport dport server.port id.resp_p data.dest_port
network_transport: transport proto
file_path: file.name filename file filepath
dns_question_name: dns.query dns.rrname rrname qname query
http_request_method: http.method http.http_method request.method method http_method
http_version: http.protocol request.version
http_response_status_code: http.status http.status_code response.status_code status_code
  responseStatus.code status
http_response_bytes: http.response.body.bytes http.length response.bytes bytes
http_request_referrer: http.http_refer referrer referer
url_path: http.url request.uri request.path requestURI uri path url.original url data.url
url_domain: http.hostname url.host
user_agent_original: user_agent userAgent http.http_user_agent useragent
  request.headers.User-Agent
message: msg log full_log text description rule.description AnalysisComponent.Message
"""


def _dotted(column: str) -> Iterator[str]:
    """Yields ``user.agent.original``, ``user.agent_original`` ... of user_agent_original."""
    first, *words = column.split("_")
    for marks in product("._", repeat=len(words)):
        yield first + "".join(mark + word for mark, word in zip(marks, words, strict=True))


def _names() -> dict[str, tuple[str, ...]]:
    aliases: dict[str, list[str]] = {column: [] for column in COLUMNS}
    column = ""
    for word in _ALIASES.split():
        if word.endswith(":"):
            column = word[:-1]
        else:
            aliases[column].append(word)
    return {
        name: _once((*(_dotted(name) if name != "time" else ()), *aliases[name]))
        for name in COLUMNS
    }


def _once(paths: Iterable[str]) -> tuple[str, ...]:
    known: dict[str, str] = {}
    for path in paths:
        known.setdefault(path.lower(), path)
    return tuple(known.values())


NAMES: Mapping[str, tuple[str, ...]] = _names()
"""EVENTS column -> the paths that fill it, in order of preference."""
