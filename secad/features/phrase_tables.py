"""Phrases from text to tables: the language of ``secad.features.phrases``, read and compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from secad.base.errors import ConfigError, RuleError
from secad.features.clock import compile_clock
from secad.features.clock_read import Program
from secad.features.phrase_match import (
    ACCEPTS,
    BOUNDS,
    CANDIDATES,
    CLASSES,
    CLOCKS,
    COMMON_ROOT,
    EDGES,
    END,
    GAP,
    HEADER,
    IGNORED_REST,
    LITERAL,
    LITERALS,
    NO_REST,
    NONE,
    PROGRAMS_ROOT,
    ROOTS,
    STEPS,
    TEXT,
    TIME,
    TOKEN,
    WIDTH,
    Code,
)
from secad.features.slot_types import ANY, INTEGER, IP, LEVEL

_TYPES = {"": ANY, "ip": IP, "int": INTEGER, "level": LEVEL}
_KINDS = ("text", "rest", *(name for name in _TYPES if name))
_IGNORED = "_"
_NAME = re.compile(r"[a-z_][a-z0-9_.]*")
# {{ or }} or {anything else} or a run of other characters
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<slot>[^{}]*)\}|(?P<text>[^{}]+)|(?P<stray>[{}])")
_MOST_VARIANTS = 256


@dataclass(frozen=True)
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


def variants(text: str) -> Iterator[list[Item]]:
    """Yields a phrase's items once for each choice that ``{?x}`` and ``{=a|b}`` leave.

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
    for picked in product(*choices):
        yield _joined(picked)


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
        elif item.kind == "rest" or (item.kind == "text" and place == len(items) - 1):
            if one.rest != NO_REST:
                raise RuleError(f"phrase {text!r} has two slots of type 'rest', one is allowed")
            one.rest = _place(one, item.name, text)
            steps = one.tail
        else:
            steps.append(_step(one, item, text, pool, in_tail=one.rest != NO_REST))
    return one


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


class _Trie:
    """Names of programs, and for each program the leading literals of its phrases."""

    def __init__(self) -> None:
        self.edges: list[dict[int, int]] = [{}, {}, {}]  # nothing, names, common phrases
        self.accepts: list[list[int]] = [[], [], []]
        self.roots: dict[int, int] = {}

    def add(self, root: int, text: bytes, phrase: int) -> None:
        """Lets messages of ``root`` that begin with ``text`` try a phrase."""
        self.accepts[self.node(root, text)].append(phrase)

    def root_of(self, program: str) -> int:
        """Returns the root of a program's phrases, made where it is new."""
        node = self.node(PROGRAMS_ROOT, program.encode())
        if node not in self.roots:
            self.roots[node] = self._new()
        return self.roots[node]

    def node(self, root: int, text: bytes) -> int:
        """Returns the node that ``text`` leads to."""
        for byte in text:
            if byte not in self.edges[root]:
                self.edges[root][byte] = self._new()
            root = self.edges[root][byte]
        return root

    def _new(self) -> int:
        self.edges.append({})
        self.accepts.append([])
        return len(self.edges) - 1


def _code(compiled: Sequence[_Compiled], programs: Sequence[tuple[str, ...]], pool: _Pool) -> Code:
    """Returns all tables in one array, as ``phrase_match`` describes it."""
    trie = _Trie()
    for number, one in enumerate(compiled):
        for root in [trie.root_of(name) for name in programs[number]] or [COMMON_ROOT]:
            trie.add(root, one.leading, number)
    classes, width, edges, accepts, candidates, roots = _flat(trie)
    clocks = [number for clock in pool.clocks for number in clock.tolist()]
    literals = list(pool.literals)
    sizes = {
        BOUNDS: 6 * len(compiled),
        STEPS: 4 * sum(len(one.head) + 1 + len(one.tail) for one in compiled),
        LITERALS: len(literals),
        CLASSES: len(classes),
        EDGES: len(edges),
        ACCEPTS: len(accepts),
        CANDIDATES: len(candidates),
        ROOTS: len(roots),
        CLOCKS: len(clocks),
    }
    at, header = HEADER, [0] * HEADER
    for table, size in sizes.items():
        header[table] = at
        at += size
    header[WIDTH] = width
    bounds, steps = _placed(compiled, header)
    tables = [header, bounds, steps, literals, classes, edges, accepts, candidates, roots, clocks]
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


def _flat(trie: _Trie) -> tuple[list[int], int, list[int], list[int], list[int], list[int]]:
    """Returns CLASSES, WIDTH, EDGES, ACCEPTS, CANDIDATES and ROOTS of a trie."""
    used = sorted({byte for edges in trie.edges for byte in edges})
    width = len(used) + 1
    classes = [0] * 256  # class 0: a byte that leads nowhere
    for place, byte in enumerate(used):
        classes[byte] = place + 1
    edges = [0] * (width * len(trie.edges))
    accepts = [0] * (2 * len(trie.edges))
    candidates: list[int] = []
    waiting: list[tuple[int, list[int], tuple[int, int]]] = [
        (root, [], (0, 0)) for root in (PROGRAMS_ROOT, COMMON_ROOT, *trie.roots.values())
    ]
    while waiting:
        node, inherited, span = waiting.pop()
        if trie.accepts[node]:
            inherited = sorted([*inherited, *trie.accepts[node]])
            span = (len(candidates), len(candidates) + len(inherited))
            candidates += inherited
        accepts[2 * node], accepts[2 * node + 1] = span
        for byte, following in trie.edges[node].items():
            edges[node * width + classes[byte]] = following
            waiting.append((following, inherited, span))
    roots = [trie.roots.get(node, 0) for node in range(len(trie.edges))]
    return classes, width, edges, accepts, candidates, roots
