"""Phrases: editable patterns of messages, compiled to a matcher that runs over whole columns.

Messages (spans of a byte buffer) enter; for each, which phrase it is and what stands in the
phrase's slots leave, as spans of the same buffer.

A phrase is text with slots: ``Failed password for {user_name:rest} from {source_ip:ip} port
{source_port:int} ssh2``. It must fit the whole message, blanks around it aside.

| written | matches |
|---|---|
| ``{name}`` | text without blanks, up to the next literal; may be empty, which is null |
| ``{name:ip}``, ``{name:int}``, ``{name:level}`` | the same, of that type, else the phrase fails |
| ``{name:ip|other}`` | into ``name`` where it is an address, else into ``other`` |
| ``{name:text}`` | text with blanks, up to the first next literal |
| ``{name:rest}`` | text with blanks, up to the last place where all that follows it still fits |
| ``{time:FORMAT}`` | a time, see ``secad.features.clock``; several in one phrase add up |
| ``{_}``, ``{_:text}``, ... | the same, not kept |
| ``{ }`` | one or more blanks |
| ``{?text}`` | this text, or nothing |
| ``{=one|two}`` | one of these texts |
| ``{{`` and ``}}`` | a brace |

What an attacker can write (a user name, a path) belongs into a ``rest`` slot: what follows it is
matched from the message's end, where he cannot write, so a user called ``x from 192.0.2.1 port 1
ssh2`` does not move the address. A phrase has at most one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.features.clock_read import FIELDS
from secad.features.phrase_match import (
    FIRST_SLOT,
    FLAGS,
    IS_YEARLESS,
    IS_ZONED,
    MICROS,
    NONE,
    PHRASE,
    Scan,
    find_words,
    match_all,
    pick_slot,
)
from secad.features.phrase_tables import build
from secad.features.spans import Bytes, Places, gather

TIME_SLOT = "time"


@dataclass(frozen=True)
class Phrase:
    """One pattern.

    Args:
        text: in the language above.
        programs: names of the programs whose messages it fits; none for all messages.
        rule: the caller's number for it, which a match gives back.
    """

    text: str
    programs: tuple[str, ...] = ()
    rule: int = 0


@dataclass(frozen=True)
class Found:
    """What was found in N messages.

    Args:
        data: the buffer that spans point into.
        matches: (N, .) what the matcher filled, see ``secad.features.phrase_match``.
        rules: (phrases + 1,) int32, the caller's number of each phrase; the last is of none.
        slot_of: (phrases + 1, slots) int32, where a phrase keeps a slot.
        names: the names of all slots.
    """

    data: Bytes
    matches: Places
    rules: npt.NDArray[np.int32]
    slot_of: npt.NDArray[np.int32]
    names: tuple[str, ...]

    @cached_property
    def rule(self) -> npt.NDArray[np.int32]:
        """(N,) the number of the phrase that fits first, -1 where none does."""
        return self.rules[self.matches[:, PHRASE]]

    @property
    def micros(self) -> Places:
        """(N,) the sum of the time slots, microseconds since 1970."""
        return self.matches[:, MICROS]

    @property
    def zoned(self) -> npt.NDArray[np.bool_]:
        """(N,) whether the time is UTC; else it is in the log's own zone."""
        return (self.matches[:, FLAGS] & IS_ZONED) > 0

    @property
    def yearless(self) -> npt.NDArray[np.bool_]:
        """(N,) whether the time came without a year, see ``secad.features.clock.in_year``."""
        return (self.matches[:, FLAGS] & IS_YEARLESS) > 0

    @cached_property
    def _matched(self) -> npt.NDArray[np.bool_]:
        """(phrases + 1,) which phrases fit some message; the last: whether none fits one."""
        matched = np.zeros(len(self.rules), dtype=np.bool_)
        matched[self.matches[:, PHRASE]] = True
        return matched

    @cached_property
    def used(self) -> npt.NDArray[np.int32]:
        """The numbers of the rules that some message fits, ascending."""
        return np.unique(self.rules[self._matched & (self.rules >= 0)])

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the slots that some matched phrase has."""
        present = (self.slot_of[self._matched] != NONE).any(axis=0)
        return tuple(name for name, here in zip(self.names, present.tolist(), strict=True) if here)

    def spans(self, name: str) -> Places:
        """Returns (2, N) first byte and bytes of a slot, first byte -1 where it is not filled."""
        spans = np.full((2, len(self.matches)), NONE, dtype=np.int64)
        if name in self.columns:
            slot_of = np.ascontiguousarray(self.slot_of[:, self.names.index(name)])
            pick_slot(self.matches, slot_of, spans)
        return spans

    def where(self, rows: npt.NDArray[np.bool_]) -> Found:
        """Returns what was found in the messages at which ``rows`` is true."""
        return self if rows.all() else replace(self, matches=self.matches[rows])

    def column(self, name: str) -> pa.StringArray:
        """Returns (N,) string, a slot's values, null where it is not filled."""
        return gather(self.data, *self.spans(name))


def words(data: Bytes, places: Places, start: str) -> Places:
    """Returns (2, N) spans of the first word of each text that begins with ``start``.

    Args:
        data: the buffer.
        places: (2, N) first byte and bytes of each text, first byte -1 for none.
        start: not empty; the word goes on with letters, digits, ``_`` and ``-``.
    """
    spans = np.full_like(places, NONE)
    if places.shape[1]:
        find_words(data, places, np.frombuffer(start.encode(), dtype=np.uint8), spans)
    return spans


class PhraseBook:
    """Phrases ready to match; the first that fits a message, in the order given, is taken.

    Args:
        phrases: any number of them.

    Raises:
        RuleError: a phrase is not well formed.

    >>> book = PhraseBook([Phrase("Invalid user {user_name:rest} from {source_ip:ip}")])
    >>> from secad.features.spans import buffer_of
    >>> data, ends = buffer_of(pa.array(["Invalid user a from b from 192.0.2.1"]))
    >>> found = book.match(data, np.stack([ends[:-1], np.diff(ends)]))
    >>> found.column("user_name").to_pylist()
    ['a from b']
    """

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        built = build([(phrase.text, phrase.programs) for phrase in phrases])
        self.columns: tuple[str, ...] = built.columns
        self._code = built.code
        self._slot_of = built.slot_of
        self._most_slots = built.most_slots
        # a variant of a phrase ({?x}, {=a|b}) carries the number of its phrase
        self._rules = np.array(
            [phrases[origin].rule for origin in built.origins] + [NONE], dtype=np.int32
        )

    def match(self, data: Bytes, places: Places, programs: Places | None = None) -> Found:
        """Returns what the messages at ``places`` are.

        Args:
            data: the buffer.
            places: (2, N) first byte and bytes of each message; first byte -1 for no message.
            programs: (2, N) the same of the names of the programs that wrote them.
        """
        count = places.shape[1]
        matches = np.empty((count, FIRST_SLOT + 2 * self._most_slots), dtype=np.int64)
        if count:
            named = np.full_like(places, NONE) if programs is None else programs
            scan = Scan(data, self._code, matches, np.zeros(FIELDS, dtype=np.int64))
            match_all(scan, places, named)
        return Found(data, matches, self._rules, self._slot_of, self.columns)
