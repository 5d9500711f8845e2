"""Access to joined audit records: a column of one value per event out of N lines.

Text and headers enter; ``Joined`` knows which line belongs to which event and gives, for a key,
the first value that any record of each event has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.collect.auditd.names import record_type
from secad.collect.auditd.records import Headers, events_of
from secad.collect.auditd.values import unhex
from secad.collect.text import Text
from secad.features.key_values import LEFT_OUT, Pairs, scan
from secad.features.spans import Bytes, Places, buffer_of, gather

KEYS = (
    *("acct", "addr", "apparmor", "arch", "auid", "cmd", "comm", "cwd", "euid", "exe", "exit"),
    *("hostname", "key", "laddr", "lport", "mode", "name", "nametype", "op", "path", "pid"),
    *("ppid", "proctitle", "res", "rport", "saddr", "ses", "success", "syscall", "terminal"),
    *("tty", "uid", "unit", "AUID", "EUID", "SYSCALL", "UID"),
)
"""The fields that stand in columns; every other one is a label."""

_IDS = np.array([key in {"auid", "euid", "ses", "uid"} for key in KEYS])
_UNSET = (b"?", b"(null)", b"(none)", b"unset")
_UNSET_ID = (b"4294967295", b"-1")  # (uint32) -1, as the kernel writes "none"


@dataclass(frozen=True)
class Joined:
    """E events over N lines.

    Args:
        text: the N lines.
        headers: what stands at their begin.
    """

    text: Text
    headers: Headers

    @cached_property
    def _numbered(self) -> tuple[Places, int]:
        numbers = self.text.lines.column("line").to_numpy()
        return events_of(self.text.text, self.headers, numbers)

    @property
    def event(self) -> Places:
        """(N,) the event of each line, -1 where it is of none."""
        return self._numbered[0]

    @property
    def count(self) -> int:
        """E."""
        return self._numbered[1]

    @cached_property
    def rows(self) -> Places:
        """The lines that belong to an event, ascending."""
        return np.flatnonzero(self.event >= 0)

    @cached_property
    def pairs(self) -> Pairs:
        """All fields of all lines; known ones that say "nothing" are left out."""
        found = scan(self.text.text, self.headers.body, KEYS)
        _leave_out_unset(found.data, found.start, found.length, found.key, _IDS)
        return found

    @cached_property
    def types(self) -> pa.DictionaryArray:
        """(N,) record types, numbers of the kernel log by their names."""
        data, _ = buffer_of(self.text.text)
        coded = gather(data, *self.headers.type).dictionary_encode()
        names = pa.array([record_type(name) for name in coded.dictionary.to_pylist()], pa.string())
        return pa.DictionaryArray.from_arrays(coded.indices, names)

    @cached_property
    def type_codes(self) -> npt.NDArray[np.int64]:
        """(N,) the place of each line's type in the dictionary of ``types``, 0 where faulty."""
        codes: npt.NDArray[np.int64] = self.types.indices.fill_null(0).cast(pa.int64()).to_numpy()
        return codes

    def is_type(self, *types: str) -> npt.NDArray[np.bool_]:
        """Returns (N,) which lines are records of one of the given types."""
        names = self.types.dictionary.to_pylist()
        named = np.array([name in types for name in names] or [False], dtype=np.bool_)
        chosen: npt.NDArray[np.bool_] = named[self.type_codes]
        return chosen & (self.event >= 0)

    def first(self, rows: Places) -> Places:
        """Returns (E,) the first of the given lines in each event, -1 where there is none."""
        return self.per_event(rows, rows)

    def per_event(self, rows: Places, values: Places) -> Places:
        """Returns (E,) the value at the first of the given lines in each event, else -1."""
        return _first_per_group(self.event, rows, values, self.count)

    def pick(self, key: str, lines: npt.NDArray[np.bool_] | None = None) -> Places:
        """Returns (E,) the first pair of a key in each event, -1 where it has none.

        Args:
            key: one of ``KEYS``.
            lines: (N,) the lines to look at, if not all.
        """
        chosen = self._chosen(key, lines)
        return self.per_event(self.pairs.row[chosen], chosen)

    def per_line(self, key: str, lines: npt.NDArray[np.bool_]) -> Places:
        """Returns (N,) the first pair of a key on each of the given lines, else -1."""
        chosen = self._chosen(key, lines)
        every = np.arange(len(lines))
        return _first_per_group(every, self.pairs.row[chosen], chosen, len(lines))

    def value(self, key: str) -> pa.StringArray:
        """Returns (E,) the values of a key."""
        return self.pairs.values(self.pick(key))

    def words(self, key: str, lines: npt.NDArray[np.bool_] | None = None) -> pa.StringArray:
        """Returns (E,) the values of a key that may be in hex."""
        return unhex(self.pairs, self.pick(key, lines))

    def number(self, key: str) -> pa.Array:
        """Returns (E,) the values of a key as int64, null where they are no such number."""
        return self.pairs.integers(self.pick(key))

    def _chosen(self, key: str, lines: npt.NDArray[np.bool_] | None) -> Places:
        chosen = self.pairs.of(KEYS.index(key))
        return chosen if lines is None else chosen[lines[self.pairs.row[chosen]]]


def each_distinct(text: pa.Array, name: Callable[[str], str | None]) -> pa.Array:
    """Returns ``name`` of every value, worked out once per distinct one; null stays null."""
    coded = text.dictionary_encode()
    names = [name(value) for value in coded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(coded.indices)


def _spelled(words: tuple[bytes, ...]) -> npt.NDArray[np.uint8]:
    """Returns words as rows of bytes, each behind its length."""
    rows = np.zeros((len(words), 1 + max(map(len, words))), dtype=np.uint8)
    for row, word in zip(rows, words, strict=True):
        row[: len(word) + 1] = [len(word), *word]
    return rows


_UNSET_ROWS, _UNSET_ID_ROWS = _spelled(_UNSET), _spelled(_UNSET_ID)


@kernel
def _is_one_of(data: Bytes, start: int, length: int, words: npt.NDArray[np.uint8]) -> bool:
    for word in words:
        if word[0] != length:
            continue
        step = 0
        while step < length and data[start + step] == word[step + 1]:
            step += 1
        if step == length:
            return True
    return False


@kernel
def _leave_out_unset(
    data: Bytes,
    starts: Places,
    lengths: Places,
    keys: npt.NDArray[np.int16],
    ids: npt.NDArray[np.bool_],
) -> None:
    for pair in range(len(keys)):
        if keys[pair] < 0:
            continue
        start, length = starts[pair], lengths[pair]
        nothing = length == 0 or _is_one_of(data, start, length, _UNSET_ROWS)
        if ids[keys[pair]]:
            nothing = nothing or _is_one_of(data, start, length, _UNSET_ID_ROWS)
        if nothing:
            keys[pair] = LEFT_OUT


@kernel
def _first_per_group(groups: Places, rows: Places, values: Places, count: int) -> Places:
    """Returns of each group the value that stands first; ``rows`` say where its group is told."""
    found = np.full(count, -1, dtype=np.int64)
    for place in range(len(rows) - 1, -1, -1):
        group = groups[rows[place]]
        if group >= 0:
            found[group] = values[place]
    return found
