r"""The compiled walk under ``json.nested``: documents in, the records inside their arrays out.

The walk follows the containers that lead to records and passes everything else by its brackets and
quotes alone; what is wrong inside a record its reader tells. Of each document it leaves nodes:
the objects that hold arrays on the way (elements), these arrays, and the records (leaves). From
them a record is written with all that is around it, arrays on the way taking the place of the one
object that leads to the record.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from secad.base.compiled import kernel
from secad.collect.json.scan import space
from secad.collect.json.texts import Bytes, Numbers, copy
from secad.features.inlined import inlined

DEPTH_CAP = 64  # of what is passed, as json_scan
COPIES_CAP = 64  # how much longer a document may become, and
FREE_BYTES = 1 << 20  # so much in any case
NODE_BYTES = 2  # the fewest that make a node

ABOVE, BEGIN, END, KIND, NEXT, FIRST, LAST, SHELL = 0, 1, 2, 3, 4, 5, 6, 7
"""The columns of nodes: the node around or -1; the place; what it is; of an array the next one in
its element; of an element its first and last array, and the size of all that is not in them."""
NODE_COLUMNS = 8
ELEMENT, ARRAY, LEAF = 0, 1, 2

STRETCH_COLUMNS = 5
"""The columns of stretches: begin, end, what it is, its first node and the one behind its last."""
WHOLE, BROKEN, CUT_OFF, TOO_MUCH = 0, 1, 2, 3
REASONS = (
    "",
    "a document whose brackets or quotes do not match",
    "the file ends inside a document",
    "records with too much around them to repeat it for each",
)

_MORE, _FAULT = -1, -2  # in place of a place: the data end; nothing that JSON allows
_OBJECT = 1
_STACK = 24
_NULL = np.frombuffer(b"null", dtype=np.uint8)
_QUOTE, _BACKSLASH, _NEWLINE, _COMMA = ord('"'), ord("\\"), ord("\n"), ord(",")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")


class Steps(NamedTuple):
    """The keys that lead to records, as steps from one state to the next; state 0 is the start.

    Args:
        keys: the bytes of the keys.
        ends: (S,) where each ends in ``keys``.
        sources: (S,) the state that each leads from.
        targets: (S,) the state that each leads to.
        last: (T,) 1 for the states at which arrays hold records.
    """

    keys: Bytes
    ends: Numbers
    sources: Numbers
    targets: Numbers
    last: Numbers


class Walk(NamedTuple):
    """What the walk works on.

    Args:
        data: a piece of a file.
        steps: the ways to records.
        nodes: (M, 8) filled.
        stack: (_STACK, 3) the containers that are open: kind, state, and the node of the array or
            of the element around.
    """

    data: Bytes
    steps: Steps
    nodes: Numbers
    stack: Numbers


@kernel
def documents(
    data: Bytes, final: bool, steps: Steps, nodes: Numbers, stretches: Numbers
) -> tuple[int, int]:
    """Finds the documents of a piece of a file.

    Args:
        data: begins at a document, or between two.
        final: the file ends with it.
        steps: the ways to records.
        nodes: (len(data) // NODE_BYTES + 2, 8) filled.
        stretches: (K, 5) filled as far as there is room.

    Returns:
        how many stretches there are, and where the first document begins that is not whole.
    """
    stack = np.zeros((_STACK, 3), dtype=np.int64)
    walk = Walk(data, steps, nodes, stack)
    at, end, used, count = 0, len(data), 0, 0
    while count < len(stretches):
        at = _outside(data, at, end)
        if at == end:
            break
        stop, last = _FAULT, used
        if data[at] == _BRACE:
            stop, last = _document(walk, at, used)
        if stop == _MORE and not final:
            break
        kind = WHOLE if stop >= 0 else BROKEN if stop == _FAULT else CUT_OFF
        if kind != WHOLE:
            stop, last = _next_line(data, at, end), used
        stretches[count, 0], stretches[count, 1], stretches[count, 2] = at, stop, kind
        stretches[count, 3], stretches[count, 4] = used, last
        count, at, used = count + 1, stop, last
    return count, at


@inlined
def _outside(data: Bytes, at: int, end: int) -> int:
    """Passes what may stand around documents: blanks, and an array that holds them."""
    at = _between(data, at, end)
    while at < end and data[at] in (_BRACKET, _BRACKET_END):
        at = _between(data, at + 1, end)
    return at


@inlined
def _between(data: Bytes, at: int, end: int) -> int:
    """Passes blanks and commas between documents."""
    at = space(data, at, end)
    while at < end and data[at] == _COMMA:
        at = space(data, at + 1, end)
    return at


@inlined
def _next_line(data: Bytes, at: int, end: int) -> int:
    """Returns where the next line begins that begins with a brace, or the end."""
    at += 1
    while at < end and not (data[at] == _BRACE and data[at - 1] == _NEWLINE):
        at += 1
    return at


@kernel
def _document(walk: Walk, begin: int, used: int) -> tuple[int, int]:
    """Walks one document; returns the place behind it or why there is none, and the next node."""
    data, nodes, stack = walk.data, walk.nodes, walk.stack
    end, at, height = len(data), begin + 1, 1
    stack[0, 0], stack[0, 1], stack[0, 2] = _OBJECT, 0, used
    used = _node(nodes, used, -1, begin, ELEMENT)
    while height > 0:
        at = _between(data, at, end)
        if at == end:
            return _MORE, used
        around = height - 1
        closing = _BRACE_END if stack[around, 0] == _OBJECT else _BRACKET_END
        if data[at] == closing:
            at, height = at + 1, around
            owns = around == 0 or stack[around, 2] != stack[around - 1, 2]
            if owns:
                nodes[stack[around, 2], END] = at
        elif stack[around, 0] == _OBJECT:
            at, used, height = _member(walk, at, used, height)
        else:
            at, used, height = _item(walk, at, used, height)
        if at < 0:
            return at, used
    return at, used


@inlined
def _node(nodes: Numbers, node: int, above: int, begin: int, kind: int) -> int:
    nodes[node, ABOVE], nodes[node, BEGIN], nodes[node, KIND] = above, begin, kind
    nodes[node, NEXT], nodes[node, FIRST], nodes[node, LAST] = -1, -1, -1
    return node + 1


@inlined
def _push(stack: Numbers, height: int, kind: int, state: int, node: int) -> int:
    stack[height, 0], stack[height, 1], stack[height, 2] = kind, state, node
    return height + 1


@inlined
def _member(walk: Walk, at: int, used: int, height: int) -> tuple[int, int, int]:
    """Passes a key, and its value unless it leads to records."""
    data, nodes, stack = walk.data, walk.nodes, walk.stack
    end, state, element = len(data), stack[height - 1, 1], stack[height - 1, 2]
    key = at + 1
    at = _string(data, key, end) if data[at] == _QUOTE else _FAULT
    if at < 0:
        return at, used, height
    target = _step(data, (key, at - 1), walk.steps, state)
    at = space(data, at, end)
    if at < end and data[at] != ord(":"):
        return _FAULT, used, height
    at = space(data, min(at + 1, end), end)
    byte = data[at] if at < end else 0
    if target >= 0 and byte == _BRACKET:
        _link(nodes, element, used)
        height = _push(stack, height, 0, target, used)
        return at + 1, _node(nodes, used, element, at, ARRAY), height
    if target >= 0 and byte == _BRACE and not walk.steps.last[target]:
        return at + 1, used, _push(stack, height, _OBJECT, target, element)
    return passed(data, at, end), used, height


@inlined
def _link(nodes: Numbers, element: int, array: int) -> None:
    """Appends an array to those of its element."""
    last = nodes[element, LAST]
    if last >= 0:
        nodes[last, NEXT] = array
    else:
        nodes[element, FIRST] = array
    nodes[element, LAST] = array


@inlined
def _item(walk: Walk, at: int, used: int, height: int) -> tuple[int, int, int]:
    """Steps into an object on the way to records, or passes a record."""
    data, nodes, stack = walk.data, walk.nodes, walk.stack
    state, array = stack[height - 1, 1], stack[height - 1, 2]
    if data[at] == _BRACE and not walk.steps.last[state]:
        height = _push(stack, height, _OBJECT, state, used)
        return at + 1, _node(nodes, used, array, at, ELEMENT), height
    after = _FAULT if data[at] in (_BRACE_END, _BRACKET_END) else passed(data, at, len(data))
    if after < 0:
        return after, used, height
    nodes[used, END] = after
    return after, _node(nodes, used, array, at, LEAF), height


@inlined
def _step(data: Bytes, span: tuple[int, int], steps: Steps, state: int) -> int:
    """Returns the state that a key leads to, or -1."""
    key, stop = span
    for step in range(len(steps.ends)):
        first = steps.ends[step - 1] if step > 0 else 0
        size = steps.ends[step] - first
        if steps.sources[step] != state or size != stop - key:
            continue
        place = 0
        while place < size and data[key + place] == steps.keys[first + place]:
            place += 1
        if place == size:
            return int(steps.targets[step])
    return -1


@inlined
def _string(data: Bytes, at: int, end: int) -> int:
    """Returns the place behind the string whose first byte is at ``at``."""
    while at < end:
        byte = data[at]
        if byte == _QUOTE:
            return at + 1
        if byte == _NEWLINE:
            return _FAULT
        at += 2 if byte == _BACKSLASH else 1
    return _MORE


@inlined
def passed(data: Bytes, at: int, end: int) -> int:
    """Returns the place behind the value at ``at``."""
    if at < end and data[at] in (_BRACE, _BRACKET):
        return _container(data, at, end)
    if at < end and data[at] == _QUOTE:
        return _string(data, at + 1, end)
    while at < end and data[at] not in (_COMMA, _BRACE_END, _BRACKET_END, _NEWLINE):
        at += 1
    return at if at < end else _MORE


@inlined
def _container(data: Bytes, at: int, end: int) -> int:
    depth = 0
    while at < end:
        byte = data[at]
        at += 1
        if byte == _QUOTE:
            at = _string(data, at, end)
            if at < 0:
                return at
        elif byte in (_BRACE, _BRACKET):
            depth += 1
            if depth > DEPTH_CAP:
                return _FAULT
        elif byte in (_BRACE_END, _BRACKET_END):
            depth -= 1
            if depth == 0:
                return at
    return _MORE


@kernel
def sizes(nodes: Numbers, stretches: Numbers, rows: Numbers) -> int:
    """Counts the records and the bytes that they have with what is around them.

    Args:
        nodes: (M, 8) as ``documents`` left them; SHELL is filled.
        stretches: (K, 5); what holds too much becomes TOO_MUCH.
        rows: (R, 4) filled: the leaf's node or ``~stretch`` of a document without records; where
            it begins and ends in the data, and its size.

    Returns:
        how many rows there are.
    """
    count = 0
    for stretch in range(len(stretches)):
        if stretches[stretch, 2] != WHOLE:
            continue
        first, last = stretches[stretch, 3], stretches[stretch, 4]
        whole = stretches[stretch, 1] - stretches[stretch, 0]
        _shells(nodes, first, last)
        before, total = count, 0
        for node in range(first, last):
            if nodes[node, KIND] == LEAF:
                size = _size(nodes, node)
                rows[count, 0], rows[count, 3] = node, size
                rows[count, 1], rows[count, 2] = nodes[node, BEGIN], nodes[node, END]
                count, total = count + 1, total + size
        if total > COPIES_CAP * whole + FREE_BYTES:
            count, stretches[stretch, 2] = before, TOO_MUCH
        elif count == before:
            rows[count, 0], rows[count, 3] = ~stretch, whole
            rows[count, 1], rows[count, 2] = stretches[stretch, 0], stretches[stretch, 1]
            count += 1
    return count


@inlined
def _shells(nodes: Numbers, first: int, last: int) -> None:
    """Fills in how long each element is with ``null`` for its arrays."""
    for node in range(first, last):
        if nodes[node, KIND] == ELEMENT:
            nodes[node, SHELL] = nodes[node, END] - nodes[node, BEGIN]
        elif nodes[node, KIND] == ARRAY:
            size = nodes[node, END] - nodes[node, BEGIN]
            nodes[nodes[node, ABOVE], SHELL] += len(_NULL) - size


@inlined
def _size(nodes: Numbers, leaf: int) -> int:
    size = nodes[leaf, END] - nodes[leaf, BEGIN]
    array = nodes[leaf, ABOVE]
    while array >= 0:
        element = nodes[array, ABOVE]
        size += nodes[element, SHELL] - len(_NULL)
        array = nodes[element, ABOVE]
    return int(size)


@kernel
def texts(data: Bytes, nodes: Numbers, rows: Numbers) -> Bytes:
    """Returns the records with what is around them, one behind the other.

    Args:
        data: the piece of the file.
        nodes: (M, 8).
        rows: (R, 4) as ``sizes`` filled them.
    """
    total = 0
    for row in range(len(rows)):
        total += rows[row, 3]
    out = np.empty(total, dtype=np.uint8)
    arrays = np.zeros(_STACK, dtype=np.int64)
    piece, put = (data, nodes), 0
    for row in range(len(rows)):
        leaf, begin, end = rows[row, 0], rows[row, 1], rows[row, 2]
        levels = 0
        array = nodes[leaf, ABOVE] if leaf >= 0 else -1
        while array >= 0:
            arrays[levels] = array
            levels += 1
            array = nodes[nodes[array, ABOVE], ABOVE]
        for level in range(levels - 1, -1, -1):
            element = nodes[arrays[level], ABOVE]
            span = (nodes[element, BEGIN], nodes[arrays[level], BEGIN])
            put = _around(piece, span, nodes[element, FIRST], out, put)
        copy(data, begin, out, put, end - begin)
        put += end - begin
        for level in range(levels):
            element = nodes[arrays[level], ABOVE]
            span = (nodes[arrays[level], END], nodes[element, END])
            put = _around(piece, span, nodes[arrays[level], NEXT], out, put)
    return out


@inlined
def _around(
    piece: tuple[Bytes, Numbers], span: tuple[int, int], array: int, out: Bytes, put: int
) -> int:
    """Puts a stretch of an element with ``null`` for its arrays, from ``array`` on."""
    (data, nodes), (at, stop) = piece, span
    while array >= 0 and nodes[array, BEGIN] < stop:
        copy(data, at, out, put, nodes[array, BEGIN] - at)
        put += nodes[array, BEGIN] - at
        copy(_NULL, 0, out, put, len(_NULL))
        put += len(_NULL)
        at, array = nodes[array, END], nodes[array, NEXT]
    copy(data, at, out, put, stop - at)
    return int(put + stop - at)
