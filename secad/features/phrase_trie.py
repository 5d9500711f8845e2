"""The trie that says which phrases a message may be: by its program, then by its first bytes.

The programs and leading literals of phrases enter; the tables that ``phrase_match`` walks leave.
A node that only leads on to one other is left out: its bytes go to the chain of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Node:
    """What follows each byte, and what ends here."""

    edges: dict[int, _Node] = field(default_factory=dict)
    accepts: list[int] = field(default_factory=list)  # phrases whose leading literal ends here
    root: _Node | None = None  # of the program whose name ends here

    def under(self, text: bytes) -> _Node:
        """Returns the node that ``text`` leads to, made where it is new."""
        node = self
        for byte in text:
            following = node.edges.get(byte)
            if following is None:
                following = node.edges[byte] = _Node()
            node = following
        return node

    def only_leads_on(self) -> bool:
        """Returns whether nothing ends here and one byte follows."""
        return len(self.edges) == 1 and not self.accepts and self.root is None


@dataclass
class Trie:
    """The tables for T nodes over W classes of bytes.

    Args:
        width: W.
        classes: the class of each of the 256 bytes, 0 for those that lead nowhere.
        edges: W for each node, the node that follows; 0 for none.
        chains: 2 for each node, offset and length of the literal that must stand on the way to it,
            behind the byte of the edge.
        accepts: 2 for each node, the part of ``candidates`` with the phrases that fit so far.
        candidates: phrases in their order.
        roots: one for each node, the root of the program whose name ends there; 0 for none.
        names: the root of the programs' names.
        common: the root of the phrases of every program.
    """

    width: int
    classes: list[int]
    edges: list[int] = field(default_factory=list)
    chains: list[int] = field(default_factory=list)
    accepts: list[int] = field(default_factory=list)
    candidates: list[int] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    names: int = 0
    common: int = 0


def build_trie(
    leading: Sequence[bytes],
    programs: Sequence[tuple[str, ...]],
    literal: Callable[[bytes], int],
) -> Trie:
    """Returns the trie of phrases.

    Args:
        leading: the leading literal of each phrase.
        programs: the programs of each phrase, none for every program.
        literal: keeps a literal and returns its offset.
    """
    names, common = _grown(leading, programs)
    used = sorted({byte for text in leading for byte in text} | _bytes_of(programs))
    classes = [0] * 256
    for place, byte in enumerate(used):
        classes[byte] = place + 1
    trie = Trie(len(used) + 1, classes)
    places: dict[int, int] = {}

    def add(node: _Node, chain: bytes, inherited: list[int]) -> int:
        if id(node) in places:
            return places[id(node)]
        place = places[id(node)] = len(trie.roots)
        phrases = sorted([*inherited, *node.accepts])
        trie.chains += [literal(chain), len(chain)]
        trie.accepts += [len(trie.candidates), len(trie.candidates) + len(phrases)]
        trie.candidates += phrases
        trie.edges += [0] * trie.width
        trie.roots.append(0)
        for byte, following in node.edges.items():
            end, way = _end_of_chain(following)
            trie.edges[place * trie.width + classes[byte]] = add(end, way, phrases)
        if node.root is not None:
            trie.roots[place] = add(node.root, b"", [])
        return place

    nothing = _Node()  # at place 0
    add(nothing, b"", [])
    trie.names = add(names, b"", [])
    trie.common = add(common, b"", [])
    return trie


def _bytes_of(programs: Sequence[tuple[str, ...]]) -> set[int]:
    return {byte for names in programs for name in names for byte in name.encode()}


def _grown(leading: Sequence[bytes], programs: Sequence[tuple[str, ...]]) -> tuple[_Node, _Node]:
    """Returns the roots of the programs' names and of the phrases of every program."""
    names, common = _Node(), _Node()
    phrases_of: dict[str, list[int]] = {}
    for number, text in enumerate(leading):
        if not programs[number]:
            common.under(text).accepts.append(number)
        for program in programs[number]:
            phrases_of.setdefault(program, []).append(number)
    roots: dict[tuple[int, ...], _Node] = {}  # programs with the same phrases share a root
    for program, numbers in phrases_of.items():
        root = roots.get(tuple(numbers))
        if root is None:
            root = roots[tuple(numbers)] = _Node()
            for number in numbers:
                root.under(leading[number]).accepts.append(number)
        names.under(program.encode()).root = root
    return names, common


def _end_of_chain(node: _Node) -> tuple[_Node, bytes]:
    """Returns the next node that does more than lead on, and the bytes on the way to it."""
    way = bytearray()
    while node.only_leads_on():
        ((byte, node),) = node.edges.items()
        way.append(byte)
    return node, bytes(way)
