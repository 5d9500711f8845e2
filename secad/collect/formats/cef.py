"""ArcSight's Common Event Format, bare or behind a syslog header of either RFC, as events.

``CEF:0|vendor|product|version|signature|name|severity|src=192.0.2.1 msg=blanks are part of it``

Lines enter, one event each leaves. Keys of the extension dictionary fill columns, custom fields
become labels under the names that they carry (``cs1Label=Zone cs1=dmz``), all others labels too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import by_pieces, lines_of
from secad.collect.devices import columns as device
from secad.collect.devices.pairs import PIECE_ROWS, Pairs, read_pairs, wanted
from secad.collect.devices.records import NO_RECORD, SHORT, WHOLE, Records, read_records
from secad.collect.devices.times import Instants, read_instants
from secad.collect.text import decode, reject
from secad.features.spans import gather

_WORD = "CEF:"
_VENDOR, _PRODUCT, _VERSION, _SIGNATURE, _NAME, _SEVERITY = range(6)
_FIELDS = 6
_SURE = 0.99
_NO_RECORD = "no CEF record: expected 'CEF:0|' with six more fields between pipes"
_SHORT = "the CEF header ends early: expected vendor|product|version|signature|name|severity|"

# column -> keys, the surest first; what stands before "=" is the column's name
_KEYS = """
source_ip=src sourceAddress c6a2
source_port=spt sourcePort
source_domain=shost sourceHostName sourceDnsDomain
destination_ip=dst destinationAddress c6a3
destination_port=dpt destinationPort
destination_domain=dhost destinationHostName destinationDnsDomain
source_user=suser sourceUserName
destination_user=duser destinationUserName
user_id=suid duid sourceUserId destinationUserId
user_domain=sntdom dntdom sourceNtDomain destinationNtDomain
process_name=sproc sourceProcessName deviceProcessName dproc destinationProcessName
process_pid=spid sourceProcessId dvcpid deviceProcessId dpid destinationProcessId
service_name=destinationServiceName sourceServiceName
file_path=filePath fname fileName
source_bytes=in bytesIn
destination_bytes=out bytesOut
network_transport=proto transportProtocol
network_protocol=app applicationProtocol
network_direction=deviceDirection
http_request_method=requestMethod
http_request_referrer=requestContext
user_agent_original=requestClientApplication
url=request requestUrl requestURL
event_outcome=outcome eventOutcome categoryOutcome
host_name=dvchost deviceHostName
message=msg message
rule_name=
cef_action=act deviceAction
cef_category=cat deviceEventCategory
cef_reason=reason
cef_device_ip=dvc deviceAddress
cef_count=cnt baseEventCount
cef_file_hash=fileHash
received=rt deviceReceiptTime
started=start startTime
ended=end endTime
agent_received=art agentReceiptTime
unkept=c6a2Label c6a3Label
"""
_COLUMNS = tuple(
    (name, tuple(keys.split()))
    for name, _, keys in (line.partition("=") for line in _KEYS.strip().splitlines())
)
_CUSTOMS = (
    *(f"cs{number}" for number in range(1, 7)),
    *(f"cn{number}" for number in range(1, 4)),
    *(f"cfp{number}" for number in range(1, 5)),
    *("c6a1", "c6a4", "deviceCustomDate1", "deviceCustomDate2", "flexDate1"),
    *("flexString1", "flexString2", "flexNumber1", "flexNumber2"),
)
_NAMES = [name for name, _ in _COLUMNS]
_TIMES = ("received", "started", "ended", "agent_received")
_NANOSECONDS = 1000  # in a microsecond


class Cef:
    """Common Event Format; see ``Format``."""

    name = "cef"
    dataset = "cef"
    fields: Mapping[str, str] = {
        **{
            name: ", ".join(keys)
            for name, keys in _COLUMNS
            if name not in {"url", "source_user", "destination_user", "unkept", *_TIMES}
        },
        "time": "rt, else start, else end, else art, else the syslog header's",
        "host_name": "dvchost, else the syslog header's",
        "event_provider": "vendor and product",
        "event_code": "signature",
        "event_action": "the name's words without numbers, else the signature",
        "event_category": "by the words of cat, name and app",
        "event_outcome": "outcome, else what act says",
        "event_duration": "end less start",
        "log_level": "severity: low, medium, high, very-high",
        "rule_name": "a custom field whose label is rule or policy",
        "user_name": "suser, else duser",
        "user_target_name": "duser",
        "process_executable": "the same keys as process_name, where they hold a path",
        "url_domain": "request",
        "url_path": "request",
        "url_query": "request",
        "message": "msg, else the name",
        "cef_name": "name",
        "cef_severity": "severity as it is written",
        "cef_device_version": "version",
        "labels": "custom fields by their labels, and every other key",
    }
    extensions = pa.schema(
        [
            *(
                pa.field(f"cef_{name}", pa.string())
                for name in (
                    *("name", "severity", "device_version", "action", "category", "reason"),
                    *("device_ip", "file_hash"),
                )
            ),
            pa.field("cef_count", pa.int64()),
        ]
    )
    template_columns: tuple[str, ...] = ("event_provider", "event_action")

    def matches(self, head: bytes) -> float:
        """Returns the share of lines that hold a record; see ``Format``."""
        if _WORD.encode() not in head:
            return 0.0
        text = decode(lines_of(head))
        status = read_records(text.text, _WORD, _FIELDS).status
        count = np.count_nonzero(status == WHOLE)
        return float(_SURE * count / max(len(status) + text.rejects.num_rows, 1))

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per line; see ``Format``."""
        return by_pieces(lines, lambda piece: _parse(piece, context), PIECE_ROWS)


def _parse(lines: pa.RecordBatch, context: ParseContext) -> Parsed:
    text = decode(lines)
    records = read_records(text.text, _WORD, _FIELDS)
    whole = records.status == WHOLE
    delimiters = np.zeros(len(whole), dtype=np.int64)
    table = wanted(_COLUMNS, _CUSTOMS)
    pairs = read_pairs(records.data, records.rest, delimiters, _NAMES, table)
    said = {
        name: read_instants(records.data, pairs.spans[name])
        for name in _TIMES
        if name in pairs.spans
    }
    header, columns = device.headers(records.data, records.before)
    time = device.times_of([*said.values(), header], context)
    timed = np.asarray(time.is_valid())
    rejects = [
        text.rejects,
        reject(text.lines, records.status == NO_RECORD, _NO_RECORD),
        reject(text.lines, records.status == SHORT, _SHORT),
        reject(text.lines, whole & ~timed, device.NO_TIME),
    ]
    columns = _columns(records, pairs, columns, said)
    made = device.complete(columns, Cef.fields, Cef.extensions, len(whole))
    events = pa.table({"time": time, **text.locators(), **made})
    good = whole & timed
    kept = events if good.all() else events.filter(pa.array(good))
    return Parsed(kept, pa.concat_tables(rejects), skipped=text.skipped)


def _columns(
    records: Records, pairs: Pairs, header: Mapping[str, pa.Array], said: Mapping[str, Instants]
) -> dict[str, pa.Array]:
    count = len(records.status)
    nothing = pa.nulls(count, pa.string())
    columns = device.texts(pairs)
    fields = [device.unescaped(gather(records.data, *field)) for field in records.fields]
    device.split_ends(columns, pairs, count)
    device.split_url(columns)
    device.write_words(columns)
    device.split_process(columns)
    device.read_numbers(columns, pairs, Cef.extensions)
    user, target = columns.pop("source_user", nothing), columns.pop("destination_user", nothing)
    provider = pc.binary_join_element_wise(fields[_VENDOR], fields[_PRODUCT], " ")
    name = fields[_NAME].dictionary_encode()
    acts = [columns[key] for key in ("event_outcome", "cef_action") if key in columns]
    said_of = [columns["cef_category"]] if "cef_category" in columns else []
    apps = [columns["network_protocol"]] if "network_protocol" in columns else []
    return columns | {
        "host_name": pc.coalesce(columns.get("host_name", nothing), header["host_name"]),
        "event_provider": device.distinct(provider, device.slug),
        "event_code": fields[_SIGNATURE],
        "event_action": device.kind_of(name, fields[_SIGNATURE]),
        "event_category": device.category_of(*said_of, name, *apps),
        "event_outcome": device.outcome_of(*acts, name),
        "event_duration": _duration(said, count),
        "log_level": device.level_of(fields[_SEVERITY]),
        "user_name": pc.coalesce(user, target),
        "user_target_name": target,
        "message": pc.coalesce(columns.get("message", nothing), fields[_NAME]),
        "cef_name": fields[_NAME],
        "cef_severity": fields[_SEVERITY],
        "cef_device_version": fields[_VERSION],
        "labels": device.label_maps(pairs, count),
    }


def _duration(said: Mapping[str, Instants], count: int) -> pa.Array:
    """Returns (N,) nanoseconds from start to end, null where they are not both there."""
    start, end = said.get("started"), said.get("ended")
    if start is None or end is None:
        return pa.nulls(count, pa.int64())
    lasted = end.micros - start.micros
    given = start.valid & end.valid & (start.zoned == end.zoned) & (lasted >= 0)
    return pa.array(lasted * _NANOSECONDS, mask=~given)
