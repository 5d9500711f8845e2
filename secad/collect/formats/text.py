"""Plain text logs with a header in front of each message, to EVENTS.

The headers are those of ``rules/text_headers.toml`` (HDFS, BGL, OpenStack, log4j, ...). A source
is read with the one that fits its head best; a line that it does not fit (a stack trace, a
continuation) is rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import RuleError
from secad.base.protocols import ParseContext, Parsed
from secad.base.schemas import ECS, LABELS
from secad.collect.columns import by_pieces, labels_of, lines_of, utc_times
from secad.collect.rules import Rule, RuleFile, read_rules
from secad.collect.text import Text, decode, reject
from secad.features.phrases import Found, Phrase, PhraseBook, words
from secad.features.slot_types import integers
from secad.features.spans import Bytes, Places, buffer_of, gather

RULES_FILE = "text_headers.toml"
RULE_KEYS = (
    ("also", list),
    ("confidence", float),
    ("nulls", dict),
    ("parts", dict),
    ("patterns", list),
    ("words", dict),
)

_CONFIDENCE = 0.9  # of a header that says no other
_LEAST_SHARE = 0.1  # of a head's lines that a header must fit
_LABEL = "labels."
_HEAD_LINES = 200  # of the batch, where the source's head is not known

_NO_HEADER = "no header: expected the layout {!r}, a continuation of the line before?"
_NO_LAYOUT = "no header: no layout of rules/" + RULES_FILE + " fits the file's first lines"
_NO_YEAR = "no time: the day exists in none of the last 8 years"

_SLOT_FIELDS = (
    "host_name",
    "log_level",
    "log_logger",
    "service_name",
    "process_name",
    "process_pid",
    "session_id",
    "user_name",
    "user_id",
    "source_ip",
    "source_port",
    "destination_ip",
    "destination_domain",
    "destination_port",
    "http_request_method",
    "http_version",
    "http_request_referrer",
    "http_response_status_code",
    "http_response_bytes",
    "url_path",
    "url_query",
    "url_domain",
    "text_thread",
    "text_state",
)


class PlainText:
    """Plain text logs: a header that holds a time, then a message."""

    name = "text"
    dataset = "text"
    fields: Mapping[str, str] = {
        "time": "the header's, of the latest year that fits where it has none",
        "event_provider": "the header's id",
        "event_action": "the header's id",
        "message": "what follows the header",
        "labels": "slots of the header that no model may read (alert_tag)",
        **dict.fromkeys(_SLOT_FIELDS, f"a slot of rules/{RULES_FILE}"),
    }
    extensions = pa.schema(
        [pa.field("text_thread", pa.string()), pa.field("text_state", pa.string())]
    )
    template_columns: tuple[str, ...] = ()

    def matches(self, head: bytes) -> float:
        """Returns how much of the head the best header fits, times how special that header is."""
        return _best(head)[1]

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        header, _ = _best(context.head or _head_of(lines))
        return by_pieces(lines, lambda piece: _parse(decode(piece), header, context))


_COLUMNS = tuple(name for name in PlainText.fields if name != "time")


@dataclass(frozen=True)
class Header:
    """A header of the rules, compiled.

    Args:
        id: the name, which becomes the events' provider.
        book: its patterns; those up to ``special`` count when a head is recognised.
        special: how many patterns these are.
        confidence: how sure a head is of this header where it fits every line.
        parts: slot -> patterns of what it holds.
        starts: column -> what the first word of the message for it begins with.
        nulls: column -> the text that stands for nothing.
    """

    id: str
    book: PhraseBook
    special: int
    confidence: float
    parts: Mapping[str, PhraseBook]
    starts: Mapping[str, str]
    nulls: Mapping[str, str]


@lru_cache(maxsize=1)
def headers() -> tuple[Header, ...]:
    """Returns the headers of ``rules/text_headers.toml``, read once for each process."""
    return compile_headers(read_rules(RULES_FILE, "header", RULE_KEYS))


def compile_headers(file: RuleFile) -> tuple[Header, ...]:
    """Returns headers ready to match.

    Raises:
        RuleError: a pattern is not well formed, or names a column that text does not have.
    """
    return tuple(_compiled(rule) for rule in file.rules)


def _compiled(rule: Rule) -> Header:
    patterns, also = rule.body.get("patterns", []), rule.body.get("also", [])
    if not patterns:
        raise rule.error("'patterns' is missing, it must be a list of one or more patterns")
    for pattern in [*patterns, *also]:
        if "{time:" not in str(pattern):
            raise rule.error(f"pattern {pattern!r} has no slot {{time:FORMAT}}")
    parts = {name: _book(rule, texts) for name, texts in rule.body.get("parts", {}).items()}
    starts, nulls = rule.body.get("words", {}), rule.body.get("nulls", {})
    _check_columns(rule, [*starts, *nulls])
    return Header(
        rule.id,
        _book(rule, [*patterns, *also]),
        len(patterns),
        rule.body.get("confidence", _CONFIDENCE),
        parts,
        starts,
        nulls,
    )


def _book(rule: Rule, texts: Sequence[Any]) -> PhraseBook:
    phrases = [Phrase(str(text), rule=number) for number, text in enumerate(texts)]
    try:
        book = PhraseBook(phrases)
    except RuleError as error:
        raise rule.error(error.message) from error
    _check_columns(rule, book.columns)
    return book


def _check_columns(rule: Rule, names: Sequence[str]) -> None:
    allowed = sorted({"message", *_SLOT_FIELDS})
    for name in names:
        if name not in allowed and not name.startswith((_LABEL, "_")):
            raise rule.error(
                f"{name!r} is no column of text, allowed are {', '.join(allowed)}, labels.NAME "
                "and, for slots that parts read, names that begin with '_'"
            )


@lru_cache(maxsize=16)
def _best(head: bytes) -> tuple[Header | None, float]:
    """Returns the header that fits a head best, and how sure that is."""
    text = decode(lines_of(head))
    count = text.lines.num_rows + text.rejects.num_rows
    if not text.lines.num_rows:
        return None, 0.0
    data, places = _located(text)
    best: Header | None = None
    sure = 0.0
    for header in headers():
        rule = header.book.match(data, places).rule
        share = np.count_nonzero((rule >= 0) & (rule < header.special)) / count
        if share >= _LEAST_SHARE and share * header.confidence > sure:
            best, sure = header, float(share * header.confidence)
    return best, sure


def _head_of(lines: pa.RecordBatch) -> bytes:
    return b"\n".join(lines.column("raw").slice(0, _HEAD_LINES).to_pylist())


def _located(text: Text) -> tuple[Bytes, Places]:
    data, ends = buffer_of(text.text)
    return data, np.stack([ends[:-1], np.diff(ends)])


def _parse(text: Text, header: Header | None, context: ParseContext) -> Parsed:
    if header is None:
        everything = np.ones(text.lines.num_rows, dtype=np.bool_)
        rejects = [text.rejects, reject(text.lines, everything, _NO_LAYOUT)]
        return Parsed(_no_events(), pa.concat_tables(rejects), skipped=text.skipped)
    found = header.book.match(*_located(text))
    fits = found.rule >= 0
    times = utc_times(found.micros, found.zoned, found.yearless, context)
    timed = np.asarray(pc.is_valid(times))
    good = fits & timed
    rejects = [
        text.rejects,
        reject(text.lines, ~fits, _NO_HEADER.format(header.id)),
        reject(text.lines, fits & ~timed, _NO_YEAR),
    ]
    place = {"time": times, **text.locators()}
    if not good.all():
        place = {name: column.filter(pa.array(good)) for name, column in place.items()}
    events = pa.table({**place, **_columns(found.where(good), header)})
    return Parsed(events, pa.concat_tables(rejects), skipped=text.skipped)


def _columns(found: Found, header: Header) -> dict[str, pa.Array]:
    count = len(found.matches)
    made = _slots(found)
    for name, book in header.parts.items():
        for column, values in _slots(book.match(found.data, found.spans(name))).items():
            made.setdefault(column, values)
    for name, start in header.starts.items():
        spans = words(found.data, found.spans("message"), start)
        made[name] = gather(found.data, *spans)
    for name, nothing in header.nulls.items():
        if name in made:
            made[name] = pc.if_else(pc.equal(made[name], nothing), None, made[name])
    labels = {name[len(_LABEL) :]: made[name] for name in sorted(made) if name.startswith(_LABEL)}
    made["event_provider"] = made["event_action"] = pa.repeat(header.id, count)
    made["labels"] = labels_of(labels, count)
    return {name: made[name] if name in made else pa.nulls(count, _type(name)) for name in _COLUMNS}


def _slots(found: Found) -> dict[str, pa.Array]:
    return {
        name: integers(found.data, found.spans(name))
        if pa.types.is_int64(_type(name))
        else found.column(name)
        for name in found.columns
        if not name.startswith("_")
    }


def _type(name: str) -> pa.DataType:
    if name == "labels":
        return LABELS
    return ECS.field(name).type if name in ECS.names else pa.string()


def _no_events() -> pa.Table:
    empty = decode(lines_of(b""))
    place = {"time": pa.array([], pa.timestamp("us", tz="UTC")), **empty.locators()}
    columns = {name: pa.array([], _type(name)) for name in _COLUMNS}
    return pa.table({**place, **columns})
