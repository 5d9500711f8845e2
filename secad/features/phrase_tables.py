"""Phrases from text to tables: the language of ``secad.features.phrases``, read and compiled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

import numpy as np

from secad.base.errors import ConfigError, RuleError
from secad.features.clock import compile_clock
from secad.features.clock_read import Program
from secad.features.phrase_match import (
    ACCEPTS,
    BOUNDS,
    CANDIDATES,
    CHAINS,
    CLASSES,
    CLOCKS,
    COMMON,
    EDGES,
    END,
    GAP,
    HEADER,
    IGNORED_REST,
    LITERAL,
    LITERALS,
    NAMES,
    NO_REST,
    NONE,
    ROOTS,
    STEPS,
    TEXT,
    TIME,
    TOKEN,
    WIDTH,
    Code,
)
from secad.features.phrase_trie import build_trie
from secad.features.slot_types import ANY, INTEGER, IP, LEVEL

_TYPES = {"": ANY, "ip": IP, "int": INTEGER, "level": LEVEL}
_KINDS = ("text", "rest", *(name for name in _TYPES if name))
_IGNORED = "_"
_NAME = re.compile(r"[a-z_][a-z0-9_.]*")
# {{ or }} or {anything else} or a run of other characters
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<slot>[^{}]*)\}|(?P<text>[^{}]+)|(?P<stray>[{}])")
_MOST_VARIANTS = 256


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as it is written: its column, ``text``, ``rest`` or a type, and the other column."""

    name: str
    kind: str = ""
    other: str | None = None


Item = str | Slot
"""A literal, or a slot; the gap ``{ }`` is ``Slot(" ")``."""

_GAP = Slot(" ")


@dataclass(frozen=True)
class Built:
    """Phrases compiled.

    Args:
        code: what the matcher reads.
        columns: the names of all slots, sorted.
        slot_of: (phrases + 1, columns) int32, the slot that fills a column, or NONE; the last
            row is of "no phrase".
        origins: for each phrase (a variant of a given one) the number of the given one.
        most_slots: slots that the richest phrase has.
    """

    code: Code
    columns: tuple[str, ...]
    slot_of: Code
    origins: tuple[int, ...]
    most_slots: int


@dataclass
class _Compiled:
    """One variant of a phrase."""

    leading: bytes
    head: list[tuple[int, int, int, int]] = field(default_factory=list)
    tail: list[tuple[int, int, int, int]] = field(default_factory=list)
    rest: int = NO_REST
    slots: dict[str, int] = field(default_factory=dict)


def build(phrases: Sequence[tuple[str, tuple[str, ...]]]) -> Built:
    """Returns the tables of phrases, each a text and the programs that it is for.

    Raises:
        RuleError: a text is not well formed; the message quotes it.
    """
    pool = _Pool()
    compiled: list[_Compiled] = []
    programs: list[tuple[str, ...]] = []
    origins: list[int] = []
    for number, (text, names) in enumerate(phrases):
        for items in variants(text):
            compiled.append(_compile(items, text, pool))
            programs.append(names)
            origins.append(number)
    columns = tuple(sorted({name for one in compiled for name in one.slots}))
    slot_of = np.full((len(compiled) + 1, len(columns)), NONE, dtype=np.int32)
    for row, one in enumerate(compiled):
        for name, slot in one.slots.items():
            slot_of[row, columns.index(name)] = slot
    most = max((len(one.slots) for one in compiled), default=0)
    return Built(_code(compiled, programs, pool), columns, slot_of, tuple(origins), max(most, 1))


def names_in(text: str) -> set[str]:
    """Returns the names of a phrase's slots without compiling it, as ``slots_of`` does.

    Raises:
        RuleError: a slot is not well formed.
    """
    slots = [item for items in variants(text) for item in items if isinstance(item, Slot)]
    names = {name for slot in slots for name in (slot.name, slot.other) if name}
    return names - {_IGNORED, _GAP.name, "time"}


def slots_of(text: str) -> tuple[str, ...]:
    """Returns the names of a phrase's slots, sorted.

    Raises:
        RuleError: the text is not well formed.

    >>> slots_of("Invalid user {user_name:rest} from {source_ip:ip}{= port 22|}")
    ('source_ip', 'user_name')
    """
    pool = _Pool()
    return tuple(
        sorted({name for items in variants(text) for name in _compile(items, text, pool).slots})
    )


@lru_cache(maxsize=4096)  # rules are checked before they are compiled
def variants(text: str) -> tuple[list[Item], ...]:
    """Returns a phrase's items once for each choice that ``{?x}`` and ``{=a|b}`` leave.

    Raises:
        RuleError: the text is not well formed.
    """
    choices: list[list[Item]] = []
    for piece in _PIECE.finditer(text):
        if piece["stray"]:
            raise RuleError(f"phrase {text!r} has a lone {piece['stray']!r}, write it twice")
        choices.append(_choices(piece, text))
    count = int(np.prod([len(choice) for choice in choices], dtype=np.float64))
    if count > _MOST_VARIANTS:
        raise RuleError(f"phrase {text!r} has {count} variants, at most {_MOST_VARIANTS} may be")
    return tuple(_joined(picked) for picked in product(*choices))


def _choices(piece: re.Match[str], text: str) -> list[Item]:
    if piece["text"] is not None:
        return [piece["text"]]
    inside = piece["slot"]
    if inside is None:
        return [piece[0][0]]
    if inside == " ":
        return [_GAP]
    if inside.startswith("?"):
        return [inside[1:], ""]
    if inside.startswith("="):
        return list(inside[1:].split("|"))
    return [_slot(inside, text)]


def _slot(inside: str, text: str) -> Slot:
    name, _, kind = inside.partition(":")
    if not _NAME.fullmatch(name):
        raise RuleError(f"phrase {text!r} has a slot {inside!r}, its name must be lower case")
    if name == "time":
        return Slot(name, kind)
    kind, _, other = kind.partition("|")
    if kind and kind not in _KINDS:
        raise RuleError(
            f"phrase {text!r} has a slot of type {kind!r}, allowed are {', '.join(_KINDS)}"
        )
    if other and (not _NAME.fullmatch(other) or kind in {"", "text", "rest"}):
        raise RuleError(f"phrase {text!r}: only a slot with a type may have another, {inside!r}")
    return Slot(name, kind, other or None)


def _joined(picked: Sequence[Item]) -> list[Item]:
    items: list[Item] = []
    for item in picked:
        if isinstance(item, str) and items and isinstance(items[-1], str):
            items[-1] += item
        elif item != "":
            items.append(item)
    return items


class _Pool:
    """Literals and clocks that phrases share."""

    def __init__(self) -> None:
        self.literals = bytearray()
        self.clocks: list[Program] = []
        self._offsets: dict[bytes, int] = {}
        self._places: dict[str, tuple[int, int]] = {}

    def literal(self, text: bytes) -> tuple[int, int, int, int]:
        """Returns the step that matches ``text``."""
        if text not in self._offsets:
            self._offsets[text] = len(self.literals)
            self.literals += text
        return LITERAL, self._offsets[text], len(text), 0

    def clock(self, pattern: str) -> tuple[int, int, int, int]:
        """Returns the step that reads a time."""
        if pattern not in self._places:
            program = compile_clock(pattern)
            first = sum(len(clock) for clock in self.clocks)
            self.clocks.append(program)
            self._places[pattern] = (first, first + len(program))
        return TIME, *self._places[pattern], 0


def _compile(items: list[Item], text: str, pool: _Pool) -> _Compiled:
    if not items:
        raise RuleError(f"phrase {text!r} is empty")
    leading = items[0].encode() if isinstance(items[0], str) else b""
    one = _Compiled(leading)
    steps = one.head
    previous: Item | None = None
    for place, item in enumerate(items):
        if _is_value(item) and previous is not None and _is_value(previous):
            raise RuleError(f"phrase {text!r} has two slots with nothing between them")
        previous = item
        if isinstance(item, str):
            if place or not leading:
                steps.append(pool.literal(item.encode()))
        elif item.kind == "rest" or _is_last_text(item, place, items, one):
            if one.rest != NO_REST:
                raise RuleError(f"phrase {text!r} has two slots of type 'rest', one is allowed")
            one.rest = _place(one, item.name, text)
            steps = one.tail
        else:
            steps.append(_step(one, item, text, pool, in_tail=one.rest != NO_REST))
    return one


def _is_last_text(item: Slot, place: int, items: list[Item], one: _Compiled) -> bool:
    """Returns whether a slot of type ``text`` takes all that is left of the message."""
    return item.kind == "text" and place == len(items) - 1 and one.rest == NO_REST


def _is_value(item: Item) -> bool:
    return isinstance(item, Slot) and item != _GAP


def _step(
    one: _Compiled, item: Slot, text: str, pool: _Pool, *, in_tail: bool
) -> tuple[int, int, int, int]:
    if item == _GAP:
        return GAP, 0, 0, 0
    if item.name == "time":
        if in_tail:
            raise RuleError(f"phrase {text!r} has a time behind a slot of type 'rest'")
        try:
            return pool.clock(item.kind)
        except ConfigError as error:
            raise RuleError(f"phrase {text!r}: {error}") from error
    slot = _place(one, item.name, text)
    other = NONE if item.other is None else _place(one, item.other, text)
    if item.kind == "text":
        return TEXT, slot, ANY, NONE
    return TOKEN, slot, _TYPES[item.kind], other


def _place(one: _Compiled, name: str, text: str) -> int:
    if name == _IGNORED:
        return IGNORED_REST
    if name in one.slots:
        raise RuleError(f"phrase {text!r} has two slots {name!r}")
    one.slots[name] = len(one.slots)
    return one.slots[name]


def _code(compiled: Sequence[_Compiled], programs: Sequence[tuple[str, ...]], pool: _Pool) -> Code:
    """Returns all tables in one array, as ``phrase_match`` describes it."""
    trie = build_trie(
        [one.leading for one in compiled], programs, lambda text: pool.literal(text)[1]
    )
    parts = {
        BOUNDS: 6 * len(compiled),
        STEPS: 4 * sum(len(one.head) + 1 + len(one.tail) for one in compiled),
        LITERALS: len(pool.literals),
        CLASSES: len(trie.classes),
        EDGES: len(trie.edges),
        CHAINS: len(trie.chains),
        ACCEPTS: len(trie.accepts),
        CANDIDATES: len(trie.candidates),
        ROOTS: len(trie.roots),
        CLOCKS: sum(len(clock) for clock in pool.clocks),
    }
    at, header = HEADER, [0] * HEADER
    for table, size in parts.items():
        header[table] = at
        at += size
    header[WIDTH], header[NAMES], header[COMMON] = trie.width, trie.names, trie.common
    bounds, steps = _placed(compiled, header)
    clocks = [number for clock in pool.clocks for number in clock.tolist()]
    tables = [header, bounds, steps, list(pool.literals), trie.classes, trie.edges, trie.chains]
    tables += [trie.accepts, trie.candidates, trie.roots, clocks]
    return np.array([number for table in tables for number in table], dtype=np.int32)


def _placed(compiled: Sequence[_Compiled], header: list[int]) -> tuple[list[int], list[int]]:
    """Returns the tables BOUNDS and STEPS, their offsets now places in the code."""
    bounds: list[int] = []
    steps: list[int] = []
    for one in compiled:
        head = header[STEPS] + len(steps)
        end = head + 4 * len(one.head)
        bounds += [len(one.leading), head, end, end + 4, end + 4 + 4 * len(one.tail), one.rest]
        for kind, first, second, third in [*one.head, (END, 0, 0, 0), *one.tail]:
            if kind == LITERAL:
                steps += [kind, first + header[LITERALS], second, third]
            elif kind == TIME:
                steps += [kind, first + header[CLOCKS], second + header[CLOCKS], third]
            else:
                steps += [kind, first, second, third]
    return bounds, steps
