"""What wraps a syslog message: a compiled reader that finds the words of the message itself.

A frame enters with PROGRAM and MESSAGE; CORE (what phrases are matched with) and MODULE (the name
under which they are known) leave. It takes off

- ``message repeated 2 times: [ ... ]``, whose number becomes REPEATED;
- Solaris' ``[ID ...]`` and a kernel's stamp (``kernel:[ 9.1]: ...`` behind another program's tag);
- a PAM module's name, ``pam_unix(sshd:auth): ...``: the module is ``pam_unix``;
- Cisco's ``%ASA-6-302013: ...``: the module is ``302013``, which also becomes MESSAGE_ID;
- the service behind ``dovecot:``, as in ``imap-login: ...``: the module is ``imap-login``;
- BIND's category and severity (its options ``print-category`` and ``print-severity``), as in
  ``security: info: ...``.
"""

from __future__ import annotations

import numpy as np

from secad.features.inlined import inlined, peek
from secad.features.slot_types import LEVEL, holds, is_space
from secad.features.spans import Bytes
from secad.features.syslog_tag import (
    CORE,
    MESSAGE,
    MESSAGE_ID,
    MODULE,
    PROGRAM,
    REPEATED,
    STATUS,
    TAGGED,
    Scan,
    begins,
    keep,
    read_number,
    read_tag,
    skip_blanks,
)

_OPEN, _CLOSE, _OPEN_ROUND, _CLOSE_ROUND = ord("["), ord("]"), ord("("), ord(")")
_COLON, _COMMA, _DASH, _PERCENT, _UNDERSCORE = (ord(mark) for mark in ":,-%_")


def _word(text: bytes) -> Bytes:
    return np.frombuffer(text, dtype=np.uint8).copy()


_REPEATED, _TIMES = _word(b"message repeated "), _word(b" times: [ ")
_PAM, _SOLARIS, _KERNEL = _word(b"pam_"), _word(b"[ID "), _word(b"kernel:")
_DOVECOT, _NAMED, _AUTH = _word(b"dovecot"), _word(b"named"), _word(b"auth")
_CLIENT = _word(b"client ")
# services of Dovecot whose tag names the user in its own log
_MOST_SERVICE_BYTES = 24
_IMAP, _POP3, _LMTP, _LDA = _word(b"imap("), _word(b"pop3("), _word(b"lmtp("), _word(b"lda(")
_AUTH_USER = _word(b"auth(")


@inlined
def unwrap(scan: Scan, row: int) -> None:
    """Keeps CORE and MODULE of a row, where it has a message."""
    data, frames = scan.data, scan.frames
    at = frames[row, MESSAGE]
    if at < 0:
        return
    end = at + frames[row, MESSAGE + 1]
    while end > at and is_space(peek(data, end - 1)):
        end -= 1
    frames[row, MESSAGE + 1] = end - at
    if peek(data, end - 1) == _CLOSE and begins(data, at, end, _REPEATED):
        stop, count = read_number(data, at + len(_REPEATED), end)
        if begins(data, stop, end, _TIMES):
            frames[row, REPEATED] = count
            at, end = stop + len(_TIMES), end - 1
    if begins(data, at, end, _SOLARIS) or begins(data, at, end, _KERNEL):
        while at < end and peek(data, at) != _CLOSE:
            at += 1
        at = at + 2 if at + 1 < end and peek(data, at + 1) == _COLON else at + 1
        at = skip_blanks(data, at, end)
    keep(scan, row, CORE, _own_words(scan, row, at, end), end)


@inlined
def _own_words(scan: Scan, row: int, at: int, end: int) -> int:
    """Returns the place after what a program puts in front of its words."""
    data, frames = scan.data, scan.frames
    if at < end and peek(data, at) == _PERCENT:
        after = read_tag(scan, row, at, end)  # behind "CiscoASA[999]:" or no tag at all
        if after >= 0:
            at = skip_blanks(data, after, end)
            frames[row, STATUS] = TAGGED
            frames[row, MESSAGE], frames[row, MESSAGE + 1] = at, end - at
    program, size = frames[row, PROGRAM], frames[row, PROGRAM + 1]
    if program < 0:
        return at
    stop = program + size
    if peek(data, program) == _PERCENT:
        _number(scan, row, program, stop)
    elif size == len(_DOVECOT) and begins(data, program, stop, _DOVECOT):
        at = _service(scan, row, at, end)
    elif size >= len(_NAMED) and begins(data, program, stop, _NAMED):
        at = _category(data, at, end)
    elif stop < end and peek(data, stop) == _OPEN_ROUND and _is_service(data, program, end):
        at = _service(scan, row, program, end)
    return _module(scan, row, at, end)


@inlined
def _number(scan: Scan, row: int, at: int, stop: int) -> None:
    """Keeps the number (or word) behind the last dash of ``%ASA-6-302013``."""
    first = stop
    while first > at and peek(scan.data, first - 1) != _DASH:
        first -= 1
    if first > at:
        keep(scan, row, MODULE, first, stop)
        keep(scan, row, MESSAGE_ID, first, stop)


@inlined
def _is_service(data: Bytes, at: int, end: int) -> bool:
    if begins(data, at, end, _IMAP) or begins(data, at, end, _POP3):
        return True
    if begins(data, at, end, _LMTP) or begins(data, at, end, _LDA):
        return True
    return begins(data, at, end, _AUTH_USER)


@inlined
def _service(scan: Scan, row: int, at: int, end: int) -> int:
    """Returns the place after Dovecot's service; one that names a user stays in front of it.

    ``auth-worker(304): x`` and ``imap-login: x`` give ``x``, ``imap(alice)<4711>: x`` all of it.
    """
    data = scan.data
    stop, last = at, min(end, at + _MOST_SERVICE_BYTES)
    while stop < last and (_in_name(peek(data, stop)) or peek(data, stop) == _DASH):
        stop += 1
    after = stop
    if after < end and peek(data, after) == _OPEN_ROUND:
        named = not begins(data, at, end, _AUTH)
        while after < end and peek(data, after) != _CLOSE_ROUND:
            named = named or peek(data, after) == _COMMA
            after += 1
        if named:
            keep(scan, row, MODULE, at, stop)
            return at
        after += 1
    if (
        stop == at
        or after + 1 >= end
        or peek(data, after) != _COLON
        or not is_space(peek(data, after + 1))
    ):
        return at
    keep(scan, row, MODULE, at, stop)
    return skip_blanks(data, after + 1, end)


@inlined
def _category(data: Bytes, at: int, end: int) -> int:
    """Returns the place after ``security: info: ``, ``info: `` or nothing."""
    after = at
    for _ in range(2):
        stop = after
        while stop < end and (peek(data, stop) == _DASH or 97 <= peek(data, stop) <= 122):
            stop += 1
        if stop == after or stop + 1 >= end or peek(data, stop) != _COLON:
            return at
        if not is_space(peek(data, stop + 1)):
            return at
        level = holds(data, after, stop, LEVEL)
        after = skip_blanks(data, stop + 1, end)
        if level or begins(data, after, end, _CLIENT):
            return after
    return at


@inlined
def _module(scan: Scan, row: int, at: int, end: int) -> int:
    """Returns the place after ``pam_unix(sshd:auth): ``, whose module's name it keeps."""
    data = scan.data
    first = at + 1 if at < end and peek(data, at) == _OPEN_ROUND else at
    if not begins(data, first, end, _PAM):
        return at
    stop = first
    while stop < end and _in_name(peek(data, stop)):
        stop += 1
    after = stop
    if after < end and peek(data, after) == _OPEN_ROUND:
        while after < end and peek(data, after) != _CLOSE_ROUND:
            after += 1
    if after < end and peek(data, after) == _CLOSE_ROUND:
        after += 1
    if after < end and peek(data, after) == _COLON:
        after += 1
    if after >= end or not is_space(peek(data, after)):
        return at
    keep(scan, row, MODULE, first, stop)
    return skip_blanks(data, after, end)


@inlined
def _in_name(byte: int) -> bool:
    return byte == _UNDERSCORE or 48 <= byte <= 57 or 97 <= byte <= 122
