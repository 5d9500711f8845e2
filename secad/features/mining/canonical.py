r"""The canonical form of a message: its values masked, its whitespace runs made one space.

A message enters as UTF-8 text and is cut into tokens at ASCII whitespace. What varies by nature
is a *value* and becomes the one byte ``MASK``; the rest of the token stays as it is:

- a name (letters, digits and ``_``) that starts with a digit, has two digits or more, or a digit
  behind a ``_``: ``22``, ``-5``, ``300ms``, ``x86_64``, ``blk_-17``; but ``eth0`` and ``ssh2``
  are words, and which of them vary the miner finds out;
- a hexadecimal word, ``0x1f``, ``9f3e``, ``deadbeef``; a UUID; a MAC address; an IPv6 address;
- names joined by ``.`` and ``-``: two with digits and a dot between, ``3.14``, ``v1.0``, or three
  of which one is a value, ``10.0.0.7``, ``2005-06-03``, ``web-3.lan.example``;
- digits joined by ``:``, as in ``12:34:56``; a port is a value of its own;
- a date in words, ``Fri Jun 17 20:55:06 2005``, and a number with its unit, ``4.2 KB``;
- a path, ``/etc/hosts`` or ``C:\Windows``, and what follows the ``://`` of a URL;
- what is called a user in words: ``root`` in ``for user root``;
- a token of more than TOKEN_BYTES, and everything from the first token on that comes after
  TOKENS tokens or FORM_BYTES bytes of form (the *tail*, one value whatever it holds), so that no
  line, however long, costs more than its bytes once and leaves more than a small form;
- the text ``<*>`` and the bytes ``MASK`` and ``GLUE`` themselves, so that in a template ``<*>``
  always is a slot.

A token ends at whitespace, behind the ``=`` of ``key=value``, and behind a value that has
whitespace in it. Where no whitespace follows, the token ends with the byte ``GLUE`` in the form.

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
from secad.features.inlined import borrowed, inlined, peek
from secad.features.mining.siphash import Hashes, key_halves, siphash
from secad.features.mining.values import (
    KIND,
    LETTER,
    MARK,
    MASK,
    SIGN,
    SPACE,
    mark_end,
    starts_signed,
    value_end,
)
from secad.features.mining.words import (
    GLUE,
    MARKS,
    NAME,
    bare_end,
    copy_name,
    date_end,
    drive_path_end,
    ends_key,
    is_date_word,
    is_user,
    is_value,
    joined_end,
    joins,
    path_end,
    size_end,
    url_end,
)
from secad.features.spans import Bytes, Places, buffer_of

Spans = npt.NDArray[np.int32]

TOKENS = 128
TOKEN_BYTES = 256
FORM_BYTES = 2048

_COLON, _SLASH, _BACKSLASH, _BLANK = ord(":"), ord("/"), ord("\\"), ord(" ")
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
    scratch: Bytes  # (_SCRATCH_BYTES,)
    spans: Spans  # (any, 3)


class _Place(NamedTuple):
    """How far the reading and the writing are."""

    at: int  # next byte of the messages
    length: int  # bytes of the form
    values: int  # rows of the spans


@inlined
def token_start(data: Bytes, at: int, end: int) -> int:
    """Returns the first byte from ``at`` on that is not whitespace."""
    while at < end and peek(KIND, peek(data, at)) == SPACE:
        at += 1
    return at


@inlined
def token_end(data: Bytes, at: int, end: int) -> int:
    """Returns the end of a token that starts at ``at`` and has no whitespace in its values."""
    while at < end and peek(KIND, peek(data, at)) != SPACE:
        at += 1
        if ends_key(data, at - 1, end):
            break
    return at


@inlined
def text_end(data: Bytes, start: int, end: int) -> int:
    """Returns the end of a message without its trailing whitespace."""
    while end > start and peek(KIND, peek(data, end - 1)) == SPACE:
        end -= 1
    return end


@inlined
def _write_value(page: _Page, place: _Place, stop: int) -> _Place:
    """Puts the value from the place to ``stop`` into the form."""
    page.form[np.uint64(place.length)] = MASK
    page.spans[place.values, 0] = place.at
    page.spans[place.values, 1] = stop
    return _Place(stop, place.length + 1, place.values + 1)


@inlined
def _write_byte(page: _Page, place: _Place) -> _Place:
    page.form[np.uint64(place.length)] = peek(page.data, place.at)
    return _Place(place.at + 1, place.length + 1, place.values)


@inlined
def _write_name(page: _Page, place: _Place, start: int, end: int) -> _Place:
    """Writes a name with the sign before it, and what is joined to it if it is part of a value."""
    data = page.data
    at = place.at + (peek(KIND, peek(data, place.at)) == SIGN)
    name = copy_name(data, at, end, page.form, place.length)
    stop = at
    if joins(data, name.end, end):
        stop = joined_end(data, at, name, end, page.scratch)
    elif name.end < end and peek(data, name.end) == _COLON:
        if name.end - at == 1:
            stop = drive_path_end(data, at, start, end)
        if stop == at and not name.seen & LETTER:
            stop = value_end(data, at, name.end, name.seen, end)
    if stop == at and is_value(name, name.end - at):
        stop = name.end
    if stop > at:
        return _write_value(page, place, stop)
    return _Place(name.end, place.length + name.end - at, place.values)


@inlined
def _write_sign(page: _Page, place: _Place, start: int, end: int) -> _Place:
    """Writes a byte that is in no name, and the value that starts with it or behind it."""
    data, at = page.data, place.at
    stop = at
    if peek(KIND, peek(data, at)) == MARK:
        stop = mark_end(data, at, end)
    elif peek(data, at) == GLUE:
        stop = at + 1
    elif peek(data, at) == _SLASH or peek(data, at) == _BACKSLASH:
        stop = path_end(data, at, start, end)
    if stop > at:
        return _write_value(page, place, stop)
    place = _write_byte(page, place)
    stop = url_end(data, at, start, end)
    return _write_value(page, place, stop) if stop > at + 1 else place


@inlined
def _spaced_value(page: _Page, start: _Place, place: _Place, end: int) -> _Place:
    """Writes a value that has whitespace in it and starts with the name before the place."""
    if is_date_word(page.data, start.at, place.at):
        stop = date_end(page.data, start.at, end)
        return _write_value(page, start, stop) if stop > start.at else place
    if place.values > start.values:
        stop = size_end(page.data, place.at, end)
        page.spans[place.values - 1, 1] = stop
        return _Place(stop, place.length, place.values)
    return place


@inlined
def _write_token(page: _Page, place: _Place, start: int, end: int, last: int) -> _Place:
    """Writes the token that starts at ``start`` from the place on, as far as ``end``.

    A value with whitespace in it may reach as far as ``last``.
    """
    while place.at < end:
        byte = peek(page.data, place.at)
        if peek(KIND, byte) == SPACE:
            break
        if peek(MARKS, byte) & NAME or starts_signed(page.data, place.at, start, end):
            name = place
            place = _write_name(page, name, start, end)
            stop = place.at
            place = _spaced_value(page, name, place, last)
            if place.at > stop:
                break
        else:
            place = _write_sign(page, place, start, end)
            if ends_key(page.data, place.at - 1, last):
                break
    return place


@inlined
def _write_next(page: _Page, start: _Place, end: int, named: bool) -> _Place:
    """Writes one token and, where nothing parts it from the next, the byte that says so."""
    place = start
    limit = min(end, start.at + TOKEN_BYTES + 1)
    if named:
        stop = bare_end(page.data, place.at, limit)
        if stop > place.at:
            place = _write_value(page, place, stop)
    place = _write_token(page, place, start.at, limit, end)
    if place.at - start.at > TOKEN_BYTES:
        place = _write_value(page, start, token_end(page.data, start.at, end))
    if place.at < end and peek(KIND, peek(page.data, place.at)) != SPACE:
        page.form[np.uint64(place.length)] = GLUE
        place = _Place(place.at, place.length + 1, place.values)
    return place


@inlined
def _write_form(page: _Page, at: int, end: int, values: int) -> tuple[int, int]:
    """Writes a message's form, its values after those there are; returns its length and theirs."""
    end = text_end(page.data, at, end)
    place = _Place(token_start(page.data, at, end), 0, values)
    token, named = 0, False
    while place.at < end:
        if token:
            page.form[np.uint64(place.length)] = _BLANK
            place = _Place(place.at, place.length + 1, place.values)
        start = place
        if token == TOKENS or place.length >= FORM_BYTES:
            place = _write_value(page, start, end)
        else:
            place = _write_next(page, start, end, named)
        named = is_user(page.form, start.length, place.length)
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
    aside = np.empty_like(scratch)
    page = _Page(borrowed(messages.data), borrowed(scratch), borrowed(aside), borrowed(spans))
    values = filled = 0
    for row in range(count):
        if len(spans) - values < _SCRATCH_BYTES:  # a form holds at most one value a byte
            spans = np.concatenate((spans, np.empty_like(spans)))
            page = _Page(page.data, page.form, page.scratch, borrowed(spans))
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
