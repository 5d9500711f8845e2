"""Which bytes of a message are a value: a number, an address, a hexadecimal word.

The rules stand in ``canonical``. Each function looks at bytes from one place on and says where
what it looks for ends; where it is not there, that is the place itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from secad.base.compiled import kernel
from secad.features.inlined import inlined, peek
from secad.features.spans import Bytes

MASK = 0x1A  # SUB, "substitute", in ASCII
LONG_HEX = 8  # so long a word of only a to f is no English word

DIGIT, HEX_LETTER, LETTER, SPACE, SIGN, MARK = 1, 2, 4, 8, 16, 32
HEX = DIGIT | HEX_LETTER
LETTERS = HEX_LETTER | LETTER
WORD = DIGIT | LETTERS

_COLON, _DOT, _DASH, _ZERO, _X = ord(":"), ord("."), ord("-"), ord("0"), ord("x")
_STAR, _GREATER, _BLANK = ord("*"), ord(">"), ord(" ")
_UUID = (8, 4, 4, 4, 12)
_MAC = (2, 2, 2, 2, 2, 2)


def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[0x80:] = LETTER
    for letters, kind in (
        (b"ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ", LETTER),
        (b"abcdefABCDEF", HEX_LETTER),
        (b"0123456789", DIGIT),
        (b" \t\n\v\f\r", SPACE),
        (b"+-", SIGN),
        (b"<" + bytes([MASK]), MARK),
    ):
        kinds[list(letters)] = kind
    return kinds


KIND = _kinds()
"""The kind of each byte: one of the above, 0 for the rest of ASCII."""


@inlined
def value_end(data: Bytes, at: int, word: int, seen: int, end: int) -> int:
    """Returns the end of the value that starts with the first byte of a word.

    Args:
        data: the bytes.
        at: first byte of the word.
        word: its end.
        seen: the kinds of its bytes.
        end: how far a value may reach.
    """
    if seen & LETTER:
        stop = _prefixed_end(data, at, end)
    else:
        stop = _address_end(data, at, word, end)
        if stop == at and seen & HEX_LETTER and (seen & DIGIT or word - at >= LONG_HEX):
            stop = word
    if stop == at and KIND[peek(data, at)] == DIGIT:
        stop = number_end(data, at, end)
    return stop


@inlined
def number_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of digits and of the digits joined to them by ``.`` and ``:``."""
    at = _run_end(data, at, end, DIGIT)
    while at + 1 < end and (peek(data, at) == _DOT or peek(data, at) == _COLON):
        stop = _run_end(data, at + 1, end, DIGIT)
        if stop == at + 1 or _is_hex_word(data, at + 1, stop, end):
            break
        at = stop
    return at


@inlined
def mark_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of a ``MASK`` or a ``<*>`` that the message holds itself."""
    if peek(data, at) == MASK:
        return at + 1
    found = byte_at(data, at + 1, end) == _STAR and byte_at(data, at + 2, end) == _GREATER
    return at + 3 if found else at


@inlined
def starts_signed(data: Bytes, at: int, start: int, end: int) -> bool:
    """Says whether a signed number starts at ``at``, in a token that starts at ``start``."""
    if KIND[peek(data, at)] != SIGN or KIND[byte_at(data, at + 1, end)] != DIGIT:
        return False
    return at == start or not KIND[peek(data, at - 1)] & WORD


@inlined
def byte_at(data: Bytes, at: int, end: int) -> int:
    """Returns the byte at ``at``, a space from ``end`` on."""
    return int(peek(data, at)) if at < end else _BLANK


@inlined
def _run_end(data: Bytes, at: int, end: int, kinds: int) -> int:
    while at < end and KIND[peek(data, at)] & kinds:
        at += 1
    return at


@inlined
def _word_kinds(data: Bytes, at: int, end: int) -> int:
    """Returns the kinds of the bytes of the word that starts at ``at``."""
    seen = 0
    while at < end and KIND[peek(data, at)] & WORD:
        seen |= KIND[peek(data, at)]
        at += 1
    return seen


@kernel
def _is_hex_word(data: Bytes, at: int, digits: int, end: int) -> bool:
    """Says whether digits that end at ``digits`` start a hexadecimal word such as 9f3 or 0x1f."""
    if digits >= end or not KIND[peek(data, digits)] & LETTERS:
        return False
    return not _word_kinds(data, digits, end) & LETTER or _prefixed_end(data, at, end) > at


@inlined
def _prefixed_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of a word such as ``0x1f``."""
    if peek(data, at) != _ZERO or byte_at(data, at + 1, end) | 0x20 != _X:
        return at
    stop = _run_end(data, at + 2, end, HEX)
    return stop if stop > at + 2 and not KIND[byte_at(data, stop, end)] & WORD else at


@inlined
def _address_end(data: Bytes, at: int, word: int, end: int) -> int:
    """Returns the end of the address that starts with the hexadecimal word up to ``word``."""
    following = byte_at(data, word, end)
    if following == _COLON:
        return _colon_groups_end(data, at, end)
    if following == _DASH and word - at == _UUID[0]:
        return _dashed_groups_end(data, at, end, _UUID)
    if following == _DASH and word - at == _MAC[0]:
        return _dashed_groups_end(data, at, end, _MAC)
    return at


@kernel
def _colon_groups_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of an IPv6 or MAC address: groups of at most 4 hexadecimal digits.

    There are two colons at least, and a decimal digit or six groups; digits joined to the last
    group belong to it (a port, the IPv4 address within an IPv6 address).
    """
    start, last, group, groups, colons, seen = at, at, at, 0, 0, 0
    while True:
        stop = _run_end(data, at, end, HEX)
        if stop == at or stop - at > 4 or KIND[byte_at(data, stop, end)] & WORD:
            break
        group, groups, colons = at, groups + 1, colons + at - last
        seen |= _word_kinds(data, at, stop)
        last = at = stop
        while at - last < 2 and byte_at(data, at, end) == _COLON:
            at += 1
        if at == last:
            break
    if colons < 2 or not (seen & DIGIT or groups >= 6):
        return start
    return max(last, number_end(data, group, end)) if KIND[peek(data, group)] == DIGIT else last


@kernel
def _dashed_groups_end(data: Bytes, at: int, end: int, widths: tuple[int, ...]) -> int:
    """Returns the end of hexadecimal groups of the given widths, joined by dashes."""
    start = at
    for index in range(len(widths)):
        if index:
            if byte_at(data, at, end) != _DASH:
                return start
            at += 1
        stop = _run_end(data, at, end, HEX)
        if stop - at != widths[index]:
            return start
        at = stop
    return start if KIND[byte_at(data, at, end)] & WORD else at
