"""What a CSV file's head tells: its separator, its header, and which EVENTS column each field is.

The head's bytes and the user's map enter, a ``Plan`` leaves, by which every batch is read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ConfigError
from secad.base.protocols import FieldMap, ParseContext
from secad.collect.csv.fields import Fields, count_fields, cut_fields
from secad.collect.field_maps import COLUMNS, read_times

DELIMITERS = (",", "\t", ";", "|")
"""The separators that are recognised without a map."""

_SAMPLE_LINES = 50  # behind the header, from which the separator and the time are judged
_CONSISTENT = 0.8  # share of them that must have as many fields as the header
_WORD_BREAKS = re.compile(r"[^a-z0-9@]+")
_DATE, _CLOCK = "date", "time"  # the names of two fields that tell the time together

# EVENTS column: the names that fields of its kind have, the surest first
_NAMES = """
time: timestamp @timestamp datetime date_time event_time eventtime utc_time ts _time date
  time_generated timegenerated start_time created_at unix_time unixtime epoch
host_name: host hostname computer computer_name device node machine
user_name: user username account account_name login actor
source_ip: src_ip source_address srcip src client_ip clientip remote_addr srcaddr ip client
source_port: src_port srcport sport
destination_ip: dst_ip dest_ip destination_address dstip dst dest server_ip dstaddr
destination_port: dst_port dest_port dstport dport
network_transport: transport proto protocol
event_action: action event_type eventtype event_name event operation activity
event_code: event_id eventid signature_id
event_outcome: outcome result
log_level: level severity loglevel
log_logger: logger component
service_name: service application app program
process_name: process proc
process_executable: image exe executable
process_pid: pid process_id
process_parent_pid: ppid parent_process_id
process_command_line: command_line commandline cmdline command cmd
file_path: file filename file_name filepath
http_request_method: method http_method
http_response_status_code: status_code statuscode response_code http_status
http_request_referrer: referer referrer
url_path: uri url path
user_agent_original: user_agent useragent
dns_question_name: query qname dns_query
session_id: session sessionid
message: msg content description details text
"""


@dataclass(frozen=True)
class Plan:
    """How the lines of one CSV file become events.

    Args:
        delimiter: between fields.
        names: of the C fields, each once.
        header_line: the number of the header's line.
        columns: EVENTS column -> place of its field; ``time`` is not among them.
        time: the place of the field that holds it, or of its date and its clock.
        time_format: as in ``FieldMap``.
    """

    delimiter: str
    names: Sequence[str]
    header_line: int
    columns: Mapping[str, int]
    time: tuple[int, ...]
    time_format: str

    @property
    def others(self) -> list[int]:
        """The places of the fields that no column takes."""
        taken = {*self.columns.values(), *self.time}
        return [place for place in range(len(self.names)) if place not in taken]

    def times(self, fields: Fields, context: ParseContext) -> pa.Array:
        """Returns the times of lines, null where there is none."""
        written = [fields.text(place) for place in self.time]
        joined = pc.binary_join_element_wise(*written, " ") if len(written) > 1 else written[0]
        return read_times(joined, self.time_format, context)


def make_plan(context: ParseContext) -> Plan:
    """Returns how to read a file, from its head and the user's map.

    Raises:
        ConfigError: there is no header, the map names fields that it lacks, or, without a map,
            no field holds a time.
    """
    lines, header_line = _text_lines(context.head)
    if not lines:
        raise ConfigError("a CSV file needs a header line that names its fields, it has none")
    field_map = context.field_map
    delimiter = field_map.delimiter if field_map else (sniff_delimiter(lines) or DELIMITERS[0])
    names = _field_names(lines[0], delimiter)
    if field_map:
        columns = _mapped(field_map, names)
        time = (columns.pop("time"),)
        return Plan(delimiter, names, header_line, columns, time, field_map.time_format)
    plan = _recognised(names, delimiter, header_line, lines, context)
    if plan is None:
        raise ConfigError(
            f"no field of the CSV header holds a time that is recognised: {', '.join(names)}",
            hint='name it in a map:  --map map.toml  with  [columns]  time = "FIELD"',
        )
    return plan


def confidence(context: ParseContext) -> float:
    """Returns how sure a head is that of a CSV file with a time, 0 to 0.6."""
    lines, header_line = _text_lines(context.head)
    delimiter = sniff_delimiter(lines)
    if delimiter is None or len(lines) < 2:
        return 0.0
    names = _field_names(lines[0], delimiter)
    if _recognised(names, delimiter, header_line, lines, context) is None:
        return 0.0
    return 0.6 * len(_sample(lines, delimiter, len(names)).spans) / (len(lines) - 1)


def header_of(head: bytes, delimiter: str) -> tuple[list[str], int]:
    """Returns the names of a header's fields and the number of its line.

    Raises:
        ConfigError: there is no header.
    """
    lines, header_line = _text_lines(head)
    if not lines:
        raise ConfigError("a CSV file needs a header line that names its fields, it has none")
    return _field_names(lines[0], delimiter), header_line


def sniff_delimiter(lines: Sequence[str]) -> str | None:
    """Returns the separator that cuts most lines into as many fields as the first, or None."""
    best, most = None, 1
    for delimiter in DELIMITERS:
        counts = count_fields(pa.array(lines, pa.string()), delimiter)
        alike = np.count_nonzero(counts == counts[0]) if len(counts) else 0
        if alike >= _CONSISTENT * len(counts) and len(counts) and counts[0] > most:
            best, most = delimiter, counts[0]
    return best


def _text_lines(head: bytes) -> tuple[list[str], int]:
    """Returns the header and some whole lines behind it, and the header's line number."""
    text = head.decode("utf-8-sig", "replace").replace("\0", "")
    lines = text.split("\n")
    whole = lines[:-1] if len(lines) > 1 else lines
    filled = [(number, line) for number, line in enumerate(whole, 1) if line.strip()]
    lines = [line.rstrip("\r") for _, line in filled[: _SAMPLE_LINES + 1]]
    return lines, filled[0][0] if filled else 1


def _field_names(header: str, delimiter: str) -> list[str]:
    """Returns the names of a header's fields, each made unique."""
    text = pa.array([header], pa.string())
    count = int(count_fields(text, delimiter)[0])
    if count < 1:  # a quote that is not closed
        cells = [cell.strip('" ') for cell in header.split(delimiter)]
    else:
        fields = cut_fields(text, delimiter, np.zeros(1, dtype=np.int64), count)
        cells = [(fields.text(place)[0].as_py() or "").strip() for place in range(count)]
    names: dict[str, None] = {}
    for place, cell in enumerate(cells, 1):
        name = cell or f"column_{place}"
        while name in names:
            name += f"_{place}"
        names[name] = None
    return list(names)


def _sample(lines: Sequence[str], delimiter: str, columns: int) -> Fields:
    """Returns the fields of the lines behind the header that have as many as it."""
    text = pa.array(lines[1:], pa.string())
    rows = np.flatnonzero(count_fields(text, delimiter) == columns)
    return cut_fields(text, delimiter, rows, columns)


def _mapped(field_map: FieldMap, names: Sequence[str]) -> dict[str, int]:
    """Returns the place of each mapped column's field."""
    for column, name in field_map.columns.items():
        if column not in COLUMNS:
            raise ConfigError(f"field map: {column!r} is no column that a map may fill")
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            raise ConfigError(
                f"field map: columns.{column} names the field {name!r}, which the CSV header "
                f"lacks; it has {', '.join(names)}",
                hint=f"did you mean {near[0]!r}?" if near else "is the delimiter right?",
            )
    if "time" not in field_map.columns:
        raise ConfigError("field map: the key 'time' under [columns] is missing")
    return {column: names.index(name) for column, name in field_map.columns.items()}


def _recognised(
    names: Sequence[str],
    delimiter: str,
    header_line: int,
    lines: Sequence[str],
    context: ParseContext,
) -> Plan | None:
    """Returns the plan that a header's names tell, None where no field holds times."""
    known = {_plain(name): place for place, name in reversed(list(enumerate(names)))}
    sample = _sample(lines, delimiter, len(names))
    single = [(known[alias],) for alias in _ALIASES["time"] if alias in known]
    both = [(known[_DATE], known[_CLOCK])] if {_DATE, _CLOCK} <= set(known) else []
    for time in (*single, *both):
        plan = Plan(delimiter, names, header_line, _by_name(known, time), time, "auto")
        if _holds_times(plan, sample, context):
            return plan
    return None


def _by_name(known: Mapping[str, int], time: tuple[int, ...]) -> dict[str, int]:
    """Returns the place of the field of each EVENTS column that a header's names tell."""
    columns: dict[str, int] = {}
    for column, aliases in _ALIASES.items():
        places = [known[alias] for alias in aliases if alias in known]
        free = [place for place in places if place not in {*columns.values(), *time}]
        if free and column != "time":
            columns[column] = free[0]
    return columns


def _holds_times(plan: Plan, sample: Fields, context: ParseContext) -> bool:
    """Returns whether most sampled values are times; without any the name decides."""
    given = np.count_nonzero(sample.spans[:, plan.time[0], 0] >= 0)
    times = plan.times(sample, context)
    return bool(2 * (len(times) - times.null_count) >= given)


def _plain(name: str) -> str:
    return _WORD_BREAKS.sub("_", name.strip().lower()).strip("_").rstrip("@")


def _read_names(table: str) -> dict[str, tuple[str, ...]]:
    aliases: dict[str, tuple[str, ...]] = {column: (column,) for column in COLUMNS}
    column = ""
    for word in table.split():
        if word.endswith(":"):
            column = word[:-1]
        else:
            aliases[column] += (_plain(word),)
    return aliases


_ALIASES = _read_names(_NAMES)
