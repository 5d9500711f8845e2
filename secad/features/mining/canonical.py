"""The canonical form of a message: its values masked, its whitespace runs made one space.

A message enters as UTF-8 text and is cut into tokens at ASCII whitespace. What varies by nature
is a *value* and becomes the one byte ``MASK``; the rest of the token stays as it is:

- a number: digits with an optional sign, and further digits joined by ``.`` or ``:``, so that a
  decimal, a version, a clock time and an IPv4 address with or without its port are one value;
  also inside a word (``eth0``, ``blk_-17``);
- a hexadecimal word: ``0x1f``; a whole word of hexadecimal digits that holds a decimal digit or
  is at least 8 long; a UUID; a MAC address; an IPv6 address;
- a token of more than TOKEN_BYTES, and everything from the first token on that comes after
  TOKENS tokens or FORM_BYTES bytes of form (the *tail*, one value whatever it holds), so that no
  line, however long, costs more than its bytes once and leaves more than a small form;
- the text ``<*>`` and the byte ``MASK`` itself, so that in a template ``<*>`` always is a slot.

A form is hashed where it stands and written out only for the miner. The hash has a secret key, so
that nobody who writes log lines can make two forms collide on purpose; two of n forms collide by
chance with a probability of n**2 / 2**65, for a million forms 3e-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.compiled import kernel
from secad.features.inlined import borrowed, inlined
from secad.features.mining.siphash import Hashes, key_halves, siphash
from secad.features.mining.values import (
    DIGIT,
    KIND,
    LETTER,
    MARK,
    MASK,
    SIGN,
    SPACE,
    WORD,
    mark_end,
    number_end,
    starts_signed,
    value_end,
)
from secad.features.spans import Bytes, Places, buffer_of

Spans = npt.NDArray[np.int32]

TOKENS = 128
TOKEN_BYTES = 256
FORM_BYTES = 2048

_SCRATCH_BYTES = FORM_BYTES + TOKEN_BYTES + 16  # the last token, the tail, spaces, padding


@dataclass(frozen=True)
class Canonical:
    """The canonical forms of N messages, as their hashes and the V values masked in them.

    Args:
        present: of the messages asked for, which are not null: these are the N; None for all.
        data: the bytes behind the messages.
        ends: (N + 1,) offsets of the messages in ``data``.
        hashes: (N,) keyed hash of each form.
        value_ends: (N + 1,) offsets of the messages' values in ``spans``.
        spans: (V, 3) start and end of each value in ``data``, and the index of its token.
    """

    present: npt.NDArray[np.bool_] | None
    data: Bytes
    ends: Places
    hashes: Hashes
    value_ends: Places
    spans: Spans


def canonicalise(messages: pa.StringArray, key: int) -> Canonical:
    """Returns the hashed forms of messages; a pure function that runs outside the interpreter lock.

    Args:
        messages: string; null messages have no form.
        key: 128 secret bits.

    Raises:
        SchemaError: the messages are not strings.
    """
    present = None
    if messages.null_count:
        present = messages.is_valid().to_numpy(zero_copy_only=False)
        messages = messages.drop_null()
    data, ends = buffer_of(messages)
    data.flags.writeable = False  # as Arrow's own buffers are; or the kernel is compiled twice
    scratch = np.empty(_SCRATCH_BYTES, dtype=np.uint8)
    found = _scan(_Messages(data, ends[:-1], ends[1:]), key_halves(key), scratch, False)
    return Canonical(present, data, ends, found.hashes, found.value_ends, found.spans)


class Texts(NamedTuple):
    """F forms as text: (F + 1,) offsets in UTF-8, values as the byte ``MASK``."""

    text: Bytes
    ends: Places

    def form(self, at: int) -> str:
        """Returns one of them."""
        return self.text[self.ends[at] : self.ends[at + 1]].tobytes().decode()


def form_texts(canonical: Canonical, rows: Places) -> Texts:
    """Returns the canonical forms of some rows as text.

    Args:
        canonical: N forms.
        rows: (F,) which of them.
    """
    messages = _Messages(canonical.data, canonical.ends[rows], canonical.ends[rows + 1])
    scratch = np.empty(_SCRATCH_BYTES, dtype=np.uint8)
    return _scan(messages, key_halves(0), scratch, True).texts


class _Messages(NamedTuple):
    """M messages as places in a buffer."""

    data: Bytes
    starts: Places  # (M,)
    stops: Places  # (M,)


class _Scanned(NamedTuple):
    """What comes of M messages: as in ``Canonical``, and the forms as text."""

    hashes: Hashes
    value_ends: Places
    spans: Spans
    texts: Texts


class _Page(NamedTuple):
    """What a form is read from and written to."""

    data: Bytes  # the messages
    form: Bytes  # (_SCRATCH_BYTES,)
    spans: Spans  # (any, 3)


class _Place(NamedTuple):
    """How far the reading and the writing are."""

    at: int  # next byte of the messages
    length: int  # bytes of the form
    values: int  # rows of the spans


@inlined
def token_start(data: Bytes, at: int, end: int) -> int:
    """Returns the first byte from ``at`` on that is not whitespace."""
    while at < end and KIND[data[at]] == SPACE:
        at += 1
    return at


@inlined
def token_end(data: Bytes, at: int, end: int) -> int:
    """Returns the first byte from ``at`` on that is whitespace."""
    while at < end and KIND[data[at]] != SPACE:
        at += 1
    return at


@inlined
def text_end(data: Bytes, start: int, end: int) -> int:
    """Returns the end of a message without its trailing whitespace."""
    while end > start and KIND[data[end - 1]] == SPACE:
        end -= 1
    return end


@inlined
def _write_value(page: _Page, place: _Place, stop: int) -> _Place:
    """Puts the value from the place to ``stop`` into the form."""
    page.form[place.length] = MASK
    page.spans[place.values, 0] = place.at
    page.spans[place.values, 1] = stop
    return _Place(stop, place.length + 1, place.values + 1)


@inlined
def _write_byte(page: _Page, place: _Place) -> _Place:
    page.form[place.length] = page.data[place.at]
    return _Place(place.at + 1, place.length + 1, place.values)


@inlined
def _copy_word(page: _Page, at: int, end: int, length: int) -> tuple[int, int]:
    """Copies the word at ``at``; returns its end and the kinds of its bytes."""
    seen = 0
    while at < end:
        byte = page.data[at]
        kind = KIND[byte]
        if not kind & WORD:
            break
        seen |= kind
        page.form[length] = byte
        at, length = at + 1, length + 1
    return at, seen


@inlined
def _write_digits_and_letters(page: _Page, place: _Place, word: int, end: int) -> _Place:
    """Writes a word up to ``word``, or beyond where its last digits start a longer number."""
    while place.at < word:
        if KIND[page.data[place.at]] == DIGIT:
            place = _write_value(page, place, number_end(page.data, place.at, end))
        else:
            place = _write_byte(page, place)
    return place


@inlined
def _write_word(page: _Page, place: _Place, end: int) -> _Place:
    """Writes a word with the sign before it, and what follows if it is the start of a value."""
    at = place.at + (KIND[page.data[place.at]] == SIGN)
    word, seen = _copy_word(page, at, end, place.length)
    if seen & LETTER and not seen & DIGIT:  # the most frequent: nothing in it is a value
        return _Place(word, place.length + word - at, place.values)
    stop = value_end(page.data, at, word, seen, end)
    if stop > at:
        return _write_value(page, place, stop)
    return _write_digits_and_letters(page, place, word, end)


@inlined
def _write_token(page: _Page, place: _Place, end: int) -> _Place:
    """Writes what stands from the place to whitespace or ``end``."""
    start = place.at
    while place.at < end:
        kind = KIND[page.data[place.at]]
        if kind == SPACE:
            break
        if kind & WORD or starts_signed(page.data, place.at, start, end):
            place = _write_word(page, place, end)
            continue
        stop = mark_end(page.data, place.at, end) if kind == MARK else place.at
        found = stop > place.at
        place = _write_value(page, place, stop) if found else _write_byte(page, place)
    return place


@inlined
def _write_form(page: _Page, at: int, end: int, values: int) -> tuple[int, int]:
    """Writes a message's form, its values after those there are; returns its length and theirs."""
    end = text_end(page.data, at, end)
    place = _Place(token_start(page.data, at, end), 0, values)
    token = 0
    while place.at < end:
        if token:
            page.form[place.length] = 0x20
            place = _Place(place.at, place.length + 1, place.values)
        start = place
        tail = token == TOKENS or place.length >= FORM_BYTES
        if not tail:
            place = _write_token(page, place, min(end, place.at + TOKEN_BYTES + 1))
        if tail or place.at - start.at > TOKEN_BYTES:
            stop = end if tail else token_end(page.data, place.at, end)
            place = _write_value(page, start, stop)
        for value in range(start.values, place.values):
            page.spans[value, 2] = token
        token += 1
        place = _Place(token_start(page.data, place.at, end), place.length, place.values)
    return place.length, place.values


@kernel
def _scan(messages: _Messages, key: Hashes, scratch: Bytes, written: bool) -> _Scanned:
    """Scans messages; the texts are filled only where ``written`` asks for them."""
    count = len(messages.starts)
    hashes = np.empty(count, dtype=np.uint64)
    value_ends, text_ends = np.zeros(count + 1, dtype=np.int64), np.zeros(count + 1, dtype=np.int64)
    spans = np.empty((max(4 * count, 2 * _SCRATCH_BYTES), 3), dtype=np.int32)
    texts = np.empty(2 * _SCRATCH_BYTES, dtype=np.uint8)
    page = _Page(borrowed(messages.data), borrowed(scratch), borrowed(spans))
    values = filled = 0
    for row in range(count):
        if len(spans) - values < _SCRATCH_BYTES:  # a form holds at most one value a byte
            spans = np.concatenate((spans, np.empty_like(spans)))
            page = _Page(page.data, page.form, borrowed(spans))
        length, values = _write_form(page, messages.starts[row], messages.stops[row], values)
        hashes[row] = siphash(page.form, length, key)
        value_ends[row + 1] = values
        if written:
            if len(texts) - filled < length:
                texts = np.concatenate((texts, np.empty_like(texts)))
            texts[filled : filled + length] = scratch[:length]
            filled += length
            text_ends[row + 1] = filled
    return _Scanned(hashes, value_ends, spans[:values], Texts(texts[:filled], text_ends))
