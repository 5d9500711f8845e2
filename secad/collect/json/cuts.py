r"""The compiled walk under ``json.documents``: bytes of JSON in, the places of its records out.

A record is an object where records stand: in an array at a known path, in an array at the top,
or at the top itself. What is around records is followed by its structure alone; inside a record
only strings and brackets count, since what else is wrong with it its reader tells. The walk keeps
its place in ``state`` between calls, so that a document is read piece by piece; it knows neither
recursion nor a limit to nesting.

Where a record breaks (a bracket that closes another kind, a line end in a string, the end of the
file), the next one is looked for behind its beginning: an object that begins with the same key in
the same layout. Bytes are walked again for that, within a budget that keeps the time linear.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import inlined

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

LIMIT_BYTES = 1 << 20  # of a record, as ingest.max_line_bytes
STACK = 32  # containers around records; documents nest two or three
STATE = 17

AT, START, LONG, BASE, FINAL, COUNT = 0, 1, 2, 3, 4, 5
"""In state: where the walk stands in the data; where the record or garbage in hand begins there, -1
where none; where a record begins in the file that is over the limit already, -1 where none; where
the data begins in the file; whether the file ends with it; how many stretches were found."""
_MODE, _DEPTH, _KINDS, _KNOWN, _STRING = 6, 7, 8, 9, 10  # STRING: 1 inside, 2 behind a backslash
_HEIGHT, _MATCH, _IS_KEY, _ON_PATH, _FOUND, _AGAIN = 11, 12, 13, 14, 15, 16
_OUTSIDE, _RECORD, _SKIPPED, _NAME, _GARBAGE = 0, 1, 2, 3, 4

WHOLE, TOO_LONG, UNBALANCED, CUT_OFF, STRAY, NO_RECORDS, UNENDED = 0, 1, 2, 3, 4, 5, 6
"""What a stretch is: a record, or what is wrong with it."""
REASONS = (
    "",
    f"a record over {LIMIT_BYTES} bytes, the most that is allowed",
    "a record whose brackets or quotes do not match",
    "the file ends inside a record",
    "no record: expected an object",
    "an object without the records that others of this file have",
    "the file ends before this document does",
)

_OBJECT, _ARRAY = 1, 0
_GARBAGE_CAP = 1 << 16
_KEY_CAP = 256
_WALKS = 8  # how often a byte is walked, on average, where a file is broken
_QUOTE, _BACKSLASH, _NEWLINE = ord('"'), ord("\\"), ord("\n")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")


def _class(members: bytes) -> Bytes:
    made = np.zeros(256, dtype=np.uint8)
    made[list(members)] = 1
    return made


_STRUCTURE = _class(b'"{}[]')
_IN_STRING = _class(b'"\\\n')
_BETWEEN = _class(b" \t\r\n,\x1e")  # the last separates records of RFC 7464
_GARBAGE_END = _class(b"{[\n")


class Walk(NamedTuple):
    """A walk and its place.

    Args:
        data: a piece of the file.
        path: the keys that lead to the array of records, one behind the other; empty where
            records stand at the top or in an array there.
        ends: (K,) where each key ends in ``path``.
        state: (STATE,) see AT and its kin.
        stack: (STACK, 3) the containers around: kind, how much of the path led to it, place.
        found: (M, 3) stretches: begin and end in the file, and what it is, see WHOLE.
    """

    data: Bytes
    path: Bytes
    ends: Numbers
    state: Numbers
    stack: Numbers
    found: Numbers


@kernel
def cut(walk: Walk) -> bool:
    """Walks on; returns whether the data is done, not only ``found`` full."""
    state, end = walk.state, len(walk.data)
    while state[COUNT] < len(walk.found) - 2:
        at_end = state[AT] >= end
        if at_end and not (state[FINAL] and state[_MODE] == _RECORD):
            _end_piece(walk)
            if state[AT] >= end:
                return True
        if state[_MODE] == _RECORD:
            _inside(walk)
        elif state[_MODE] == _OUTSIDE:
            _outside(walk)
        else:
            _between(walk)
    return False


@inlined
def _end_piece(walk: Walk) -> None:
    if walk.state[FINAL]:
        _finish(walk)
    else:
        _limit(walk)


@inlined
def _between(walk: Walk) -> None:
    if walk.state[_MODE] == _SKIPPED:
        _skip(walk)
    elif walk.state[_MODE] == _NAME:
        _name(walk)
    else:
        _garbage(walk)


@inlined
def _put(walk: Walk, begin: int, end: int, kind: int) -> None:
    count = walk.state[COUNT]
    walk.found[count, 0], walk.found[count, 1], walk.found[count, 2] = begin, end, kind
    walk.state[COUNT] = count + 1


@inlined
def _begin(state: Numbers, mode: int, at: int) -> None:
    state[_MODE], state[START] = mode, at
    state[_DEPTH], state[_KINDS], state[_KNOWN], state[_STRING] = 0, 0, 0, 0


@inlined
def _outside(walk: Walk) -> None:
    """Passes one byte, or a run of blanks, between records."""
    data, state, height = walk.data, walk.state, walk.state[_HEIGHT]
    at = state[AT]
    byte = data[at]
    inside = height > 0 and walk.stack[height - 1, 0] == _OBJECT
    if byte in (_BRACE, _BRACKET):
        _open(walk, byte == _BRACE)
    elif byte in (_BRACE_END, _BRACKET_END) and height > 0 and inside == (byte == _BRACE_END):
        _shut(walk)
    elif inside:
        _member(byte, state)
    elif _BETWEEN[byte]:
        while at < len(data) and _BETWEEN[data[at]]:
            at += 1
        state[AT] = at
    else:
        _begin(state, _GARBAGE, at)


@inlined
def _member(byte: int, state: Numbers) -> None:
    """Passes a byte of an object around records that opens or closes nothing."""
    if byte == _QUOTE:
        state[_MODE], state[_STRING] = _NAME, 1
        state[_MATCH] = 0 if state[_IS_KEY] else -1
    elif byte == ord(","):
        state[_IS_KEY], state[_ON_PATH] = 1, 0
    elif byte == ord(":"):
        state[_IS_KEY] = 0
    state[AT] += 1


@inlined
def _open(walk: Walk, is_object: bool) -> None:
    """Begins a record, steps into a container on the way to records, or skips another."""
    state, stack, keys = walk.state, walk.stack, len(walk.ends)
    at, height = state[AT], state[_HEIGHT]
    level = 0 if height == 0 else stack[height - 1, 1]
    leads = True
    if height > 0 and stack[height - 1, 0] == _OBJECT:
        level += 1
        leads = state[_ON_PATH] == 1 and (level < keys or not is_object)
    if not leads or height == STACK:
        _begin(state, _SKIPPED, -1)
    elif is_object and level == keys:
        _begin(state, _RECORD, at)
    else:
        stack[height, 0], stack[height, 1], stack[height, 2] = is_object, level, state[BASE] + at
        state[_FOUND] = level == keys or (height > 0 and state[_FOUND] == 1)
        state[_HEIGHT], state[_IS_KEY], state[_ON_PATH], state[AT] = height + 1, 1, 0, at + 1


@inlined
def _shut(walk: Walk) -> None:
    """Steps out of a container."""
    state = walk.state
    height = state[_HEIGHT] - 1
    state[_HEIGHT], state[_IS_KEY], state[_ON_PATH] = height, 0, 0
    state[AT] += 1
    if height == 0 and len(walk.ends) > 0 and state[_FOUND] == 0:
        _put(walk, walk.stack[0, 2], state[BASE] + state[AT], NO_RECORDS)


@inlined
def _name(walk: Walk) -> None:
    """Passes a string around records, and compares it with the key that leads to them."""
    data, state, ends = walk.data, walk.state, walk.ends
    at, match, escaped = state[AT], state[_MATCH], state[_STRING] == 2
    level = walk.stack[state[_HEIGHT] - 1, 1]
    first = ends[level - 1] if level > 0 else 0
    last = ends[level] if level < len(ends) else first
    while at < len(data):
        byte = data[at]
        at += 1
        if byte == _QUOTE and not escaped:
            state[_MODE] = _OUTSIDE
            state[_ON_PATH] = last > first and match == last - first
            break
        same = match >= 0 and first + match < last and walk.path[first + match] == byte
        match = match + 1 if same else -1
        escaped = byte == _BACKSLASH and not escaped
    state[AT], state[_MATCH], state[_STRING] = at, match, 2 if escaped else 1


@inlined
def _string(data: Bytes, at: int, state: Numbers) -> int:
    """Passes bytes of a string; returns the place after its end or that of the data.

    A line end, which no string may hold, is left for the caller, with STRING -1.
    """
    inside = state[_STRING]
    while at < len(data) and inside > 0:
        if inside == 2:
            inside = 1
            at += 1
            continue
        while at < len(data) and not _IN_STRING[data[at]]:
            at += 1
        if at == len(data):
            break
        byte = data[at]
        inside = 0 if byte == _QUOTE else 2 if byte == _BACKSLASH else -1
        at += inside >= 0
    state[_STRING] = inside
    return at


@inlined
def _structure(data: Bytes, at: int) -> int:
    """Returns the next place of a quote or a bracket, or the end of the data."""
    while at < len(data) and not _STRUCTURE[data[at]]:
        at += 1
    return at


@inlined
def _bracket(byte: int, state: Numbers) -> bool:
    """Counts a bracket; returns whether it closes what is open.

    The kinds of the innermost 64 are known, and of more in a deeper nest only how many they are.
    """
    known = state[_KNOWN]
    if byte in (_BRACE, _BRACKET):
        state[_KINDS] = state[_KINDS] << 1 | (byte == _BRACE)
        state[_DEPTH] += 1
        state[_KNOWN] = min(known + 1, 64)
        return True
    if known > 0 and (state[_KINDS] & 1) != (byte == _BRACE_END):
        return False
    state[_KINDS] >>= 1
    state[_DEPTH] -= 1
    state[_KNOWN] = max(known - 1, 0)
    return True


@inlined
def _inside(walk: Walk) -> None:
    """Walks in a record to its end, to what breaks it, or to the end of the data."""
    data, state = walk.data, walk.state
    at, sound = state[AT], True
    while at < len(data) and sound:
        if state[_STRING] != 0:
            at = _string(data, at, state)
            sound = state[_STRING] >= 0
            continue
        at = _structure(data, at)
        if at == len(data):
            break
        if data[at] == _QUOTE:
            state[_STRING] = 1
        else:
            sound = _bracket(data[at], state)
        at += sound
        if state[_DEPTH] == 0:
            _whole(walk, at)
            return
    state[AT] = at
    if at < len(data):  # a stray closing brace belongs to what it was meant to close
        _broken(walk, at + (data[at] != _BRACKET_END), UNBALANCED)
    elif state[FINAL]:
        _broken(walk, at, CUT_OFF)


@inlined
def _whole(walk: Walk, stop: int) -> None:
    state, end = walk.state, walk.state[BASE] + stop
    begin = state[LONG] if state[LONG] >= 0 else state[BASE] + state[START]
    _leave(state, stop)
    _put(walk, begin, end, WHOLE if end - begin <= LIMIT_BYTES else TOO_LONG)


@inlined
def _leave(state: Numbers, stop: int) -> None:
    state[_MODE], state[START], state[LONG], state[AT] = _OUTSIDE, -1, -1, stop


@inlined
def _broken(walk: Walk, stop: int, kind: int) -> None:
    """Gives a record up, and goes on at the next that begins as it does, or at ``stop``."""
    state = walk.state
    begin = state[LONG] if state[LONG] >= 0 else state[BASE] + state[START]
    if state[LONG] < 0:
        stop = _next(walk.data, stop, state)
    _leave(state, stop)
    _put(walk, begin, state[BASE] + stop, kind)


@inlined
def _next(data: Bytes, stop: int, state: Numbers) -> int:
    """Returns where an object begins as the record in hand does, ``stop`` where none does."""
    start = state[START]
    size = _signature(data, start, stop)
    at = start + 1 if size > 0 else stop
    while at < stop - size:
        step = 0
        while step < size and data[at + step] == data[start + step]:
            step += 1
        if step == size:
            state[_AGAIN] += stop - at
            budget = (_WALKS - 1) * (state[BASE] + stop) + LIMIT_BYTES
            return at if state[_AGAIN] <= budget else stop
        at += 1
    return stop


@inlined
def _signature(data: Bytes, start: int, stop: int) -> int:
    """Returns the size of a record's beginning up to its first key's closing quote, 0 if none."""
    at = start + 1
    while at < stop and data[at] <= 0x20:
        at += 1
    if at >= stop or data[at] != _QUOTE:
        return 0
    last = min(at + _KEY_CAP, stop)
    at += 1
    while at < last and not _IN_STRING[data[at]]:
        at += 1
    return at + 1 - start if at < last and data[at] == _QUOTE else 0


@inlined
def _skip(walk: Walk) -> None:
    """Passes a container that holds no records."""
    data, state = walk.data, walk.state
    at = state[AT]
    while at < len(data):
        if state[_STRING] > 0:
            at = _string(data, at, state)
            continue
        state[_STRING] = 0
        at = _structure(data, at)
        if at == len(data):
            break
        byte = data[at]
        at += 1
        if byte == _QUOTE:
            state[_STRING] = 1
            continue
        state[_DEPTH] += 1 if byte in (_BRACE, _BRACKET) else -1
        if state[_DEPTH] == 0:
            state[_MODE] = _OUTSIDE
            break
    state[AT] = at


@inlined
def _garbage(walk: Walk) -> None:
    """Passes what is no record up to an opening bracket, the array's end or that of the line."""
    data, state = walk.data, walk.state
    at, start = state[AT], state[START]
    closing = _BRACKET_END if state[_HEIGHT] > 0 else _NEWLINE
    at += at == start
    while at < len(data) and at - start < _GARBAGE_CAP:
        if _GARBAGE_END[data[at]] or data[at] == closing:
            break
        at += 1
    state[AT] = at
    if at < len(data):
        state[_MODE], state[START] = _OUTSIDE, -1
        _put(walk, state[BASE] + start, state[BASE] + at, STRAY)


@inlined
def _limit(walk: Walk) -> None:
    """Stops keeping a record that is over the limit, or gives it up if another begins in it."""
    state, end = walk.state, len(walk.data)
    start = state[START]
    if state[_MODE] == _RECORD and start >= 0 and end - start > LIMIT_BYTES:
        if _next(walk.data, end, state) < end:
            _broken(walk, end, UNBALANCED)
        else:
            state[START], state[LONG] = -1, state[BASE] + start


@inlined
def _finish(walk: Walk) -> None:
    """Adds what the end of the file leaves open."""
    state, found = walk.state, walk.found
    count, end = state[COUNT], state[BASE] + len(walk.data)
    told = count > 0 and found[count - 1, 1] == end and found[count - 1, 2] == CUT_OFF
    if state[_MODE] == _GARBAGE:
        _put(walk, state[BASE] + state[START], end, STRAY)
    if state[_HEIGHT] > 0 and not told:
        _put(walk, walk.stack[0, 2], end, UNENDED)
    state[_MODE], state[START], state[_HEIGHT] = _OUTSIDE, -1, 0
