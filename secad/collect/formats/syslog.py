"""Syslog: lines of RFC 3164, RFC 5424 and rsyslog's ISO form, in any mixture, to EVENTS.

The line's frame (time, host, program, pid, message) is found by ``secad.features.syslog_frame``;
what the message of sshd, sudo, su, cron, login, PAM and the like says is found by the phrases of
``rules/syslog_phrases.toml``. A line without a time is rejected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import RuleError
from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ECS, LABELS
from secad.collect.columns import by_pieces, labels_from, lines_of
from secad.collect.rules import Rule, RuleFile, read_rules
from secad.collect.syslog_header import (
    NO_YEAR,
    action_of,
    framed,
    header_columns,
    header_times,
)
from secad.collect.text import decode, reject
from secad.features.phrase_tables import slots_of
from secad.features.phrases import Phrase, PhraseBook
from secad.features.slot_types import integers
from secad.features.spans import Bytes, Places, gather
from secad.features.structured_data import elements
from secad.features.syslog_frame import CONTINUED, NO_TIME, TAGGED, UNTAGGED, span
from secad.features.syslog_tag import (
    CORE,
    DATA,
    MESSAGE,
    MESSAGE_ID,
    MODULE,
    PROGRAM,
    REPEATED,
    STATUS,
)

RULES_FILE = "syslog_phrases.toml"
RULE_KEYS = (("phrases", list), ("programs", list), ("sets", dict))

# a line that has a time but no program's name may be of many formats
_SURE, _UNSURE = 0.95, 0.3

_NO_TIME = "no time: expected 'Mmm dd hh:mm:ss', an ISO 8601 time or RFC 5424 at the line's start"
_CONTINUED = "no time: a continuation of the line before?"

_FRAME_FIELDS = {
    "time": "the line's, of the latest year that fits where it has none",
    "host_name": "the host",
    "process_name": "the program, without its path and its PAM module",
    "process_pid": "the number in [] behind the program",
    "log_level": "the severity in the priority",
    "syslog_facility": "the facility in the priority",
    "syslog_message_id": "RFC 5424's MSGID",
    "syslog_repeat_count": "N of 'message repeated N times'",
    "event_action": "the phrase's, else the program without digits",
    "message": "what follows the program",
    "labels": "RFC 5424's structured data, as id.name",
}
_PHRASE_FIELDS = (
    "event_category",
    "event_outcome",
    "service_name",
    "user_name",
    "user_id",
    "user_effective_name",
    "user_target_name",
    "session_id",
    "process_command_line",
    "process_working_directory",
    "source_ip",
    "source_domain",
    "source_port",
    "destination_ip",
    "destination_port",
    "network_transport",
    "file_path",
    "syslog_tty",
    "syslog_auth_method",
    "syslog_key_fingerprint",
    "syslog_group",
    "syslog_reason",
)


class Syslog:
    """Syslog files: auth.log, secure, messages, syslog, kern.log, cron."""

    name = "syslog"
    dataset = "syslog"
    fields: Mapping[str, str] = {
        **_FRAME_FIELDS,
        **dict.fromkeys(_PHRASE_FIELDS, f"a slot of rules/{RULES_FILE}"),
    }
    extensions = pa.schema(
        [
            pa.field("syslog_facility", pa.string()),
            pa.field("syslog_message_id", pa.string()),
            pa.field("syslog_tty", pa.string()),
            pa.field("syslog_auth_method", pa.string()),
            pa.field("syslog_key_fingerprint", pa.string()),
            pa.field("syslog_group", pa.string()),
            pa.field("syslog_reason", pa.string()),
            pa.field("syslog_repeat_count", pa.int64()),
        ]
    )
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how much of the head is framed as syslog, most where a program is named."""
        text = decode(lines_of(head))
        count = text.lines.num_rows + text.rejects.num_rows
        if not text.lines.num_rows:
            return 0.0
        status = framed(text.text)[1][:, STATUS]
        sure = _SURE * np.count_nonzero(status == TAGGED)
        unsure = _UNSURE * np.count_nonzero(status == UNTAGGED)
        return float((sure + unsure) / count)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return by_pieces(lines, lambda piece: self._parse(piece, context))

    def _parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        text = decode(lines)
        data, frames = framed(text.text)
        status = frames[:, STATUS]
        times = header_times(frames, context)
        timed = np.asarray(pc.is_valid(times))
        good = (status >= UNTAGGED) & timed
        rejects = [
            text.rejects,
            reject(text.lines, status == NO_TIME, _NO_TIME),
            reject(text.lines, status == CONTINUED, _CONTINUED),
            reject(text.lines, (status >= UNTAGGED) & ~timed, NO_YEAR),
        ]
        place = {"time": times, **text.locators()}
        if not good.all():
            frames = frames[good]
            place = {name: column.filter(pa.array(good)) for name, column in place.items()}
        events = pa.table({**place, **self._columns(data, frames)})
        return Parsed(events, pa.concat_tables(rejects), skipped=text.skipped)

    def _columns(self, data: Bytes, frames: Places) -> dict[str, pa.Array]:
        said = _said(data, frames)
        folded = pa.array(frames[:, REPEATED], mask=frames[:, REPEATED] < 0)
        columns = header_columns(data, frames)
        columns |= {
            "syslog_message_id": gather(data, *span(frames, MESSAGE_ID)),
            "syslog_repeat_count": folded,
            "event_action": action_of(columns["process_name"]),
            "message": gather(data, *span(frames, MESSAGE)),
            "labels": _labels(data, span(frames, DATA)),
        }
        for name, column in said.items():
            columns[name] = pc.coalesce(column, columns[name]) if name in columns else column
        nothing = pa.nulls(len(frames), pa.string())
        return {
            name: columns.get(name, nothing).cast(self._type(name))
            for name in self.fields
            if name != "time"
        }

    def _type(self, name: str) -> pa.DataType:
        if name in {"message", "labels"}:
            return LABELS if name == "labels" else pa.string()
        return (ECS if name in ECS.names else self.extensions).field(name).type


@dataclass(frozen=True)
class PhraseRules:
    """The phrase rules, compiled.

    Args:
        book: the phrases; a match gives the number of its rule.
        sets: column -> (rules + 1,) what each rule sets it to; the last is of no rule.
    """

    book: PhraseBook
    sets: Mapping[str, pa.Array]


@lru_cache(maxsize=1)
def phrase_rules() -> PhraseRules:
    """Returns the rules of ``rules/syslog_phrases.toml``, read once for each process."""
    return compile_rules(read_rules(RULES_FILE, "phrase", RULE_KEYS))


def compile_rules(file: RuleFile) -> PhraseRules:
    """Returns phrase rules ready to match.

    Raises:
        RuleError: a rule's phrase is not well formed, or names a column that syslog does not have.
    """
    phrases = [
        Phrase(text, programs_of(rule, file), number)
        for number, rule in enumerate(file.rules)
        for text in _phrases(rule)
    ]
    names = sorted({name for rule in file.rules for name in rule.body.get("sets", {})})
    sets = {
        name: pa.array([*(rule.body.get("sets", {}).get(name) for rule in file.rules), None])
        for name in names
    }
    return PhraseRules(PhraseBook(phrases), sets)


def programs_of(rule: Rule, file: RuleFile) -> tuple[str, ...]:
    """Returns the programs that a rule is for, lists of ``[programs]`` written out."""
    return tuple(
        program
        for name in rule.body.get("programs", [])
        for program in file.programs.get(name, (name,))
    )


def _phrases(rule: Rule) -> Iterator[str]:
    texts = rule.body.get("phrases", [])
    if not texts or not all(isinstance(text, str) for text in texts):
        raise rule.error(f"'phrases' is {texts!r}, it must be a list of one or more texts")
    for text in texts:
        try:
            names = slots_of(text)
        except RuleError as error:
            raise rule.error(error.message) from error
        _check_columns(rule, names)
        yield text
    _check_columns(rule, tuple(rule.body.get("sets", {})))


def _check_columns(rule: Rule, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in Syslog.fields or name in {"message", "labels"}:
            allowed = ", ".join(sorted({*Syslog.fields} - {"message", "labels"}))
            raise rule.error(f"{name!r} is no column of syslog, allowed are {allowed}")


def _said(data: Bytes, frames: Places) -> dict[str, pa.Array]:
    """Returns the columns that phrases fill."""
    rules = phrase_rules()
    module, program = span(frames, MODULE), span(frames, PROGRAM)
    found = rules.book.match(data, span(frames, CORE), np.where(module[0] >= 0, module, program))
    columns: dict[str, pa.Array] = {
        name: integers(data, found.spans(name)) if name in _INTEGERS else found.column(name)
        for name in found.columns
    }
    for name, values in rules.sets.items():
        fixed = values.take(pa.array(_rule_rows(found.rule, len(values))))
        columns[name] = pc.coalesce(columns[name], fixed) if name in columns else fixed
    return columns


_INTEGERS = {field.name for field in [*ECS, *Syslog.extensions] if pa.types.is_int64(field.type)}


def _rule_rows(rule: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int32]:
    return np.where(rule < 0, size - 1, rule).astype(np.int32)


def _labels(data: Bytes, places: Places) -> pa.Array:
    if not (places[0] >= 0).any():
        return pa.nulls(places.shape[1], LABELS)
    found = elements(data, places)
    keys = pc.binary_join_element_wise(gather(data, *found.ids), gather(data, *found.names), ".")
    values = pc.replace_substring_regex(gather(data, *found.values), r'\\(["\\\]])', r"\1")
    return labels_from(keys, pc.coalesce(values, ""), found.counts)
