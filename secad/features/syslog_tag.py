"""The tag of a syslog line: a compiled reader of the program's name, its pid and its PAM module.

It knows ``sshd[123]:``, ``sshd(pam_unix)[123]:``, ``/usr/sbin/cron[1]:``, ``kernel:``, tags with
blanks (``syslogd 1.4.1:``, ``Google Chrome[12]:``) and macOS' ``launchd[1] (com.apple.x):``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from secad.features.clock_read import Program
from secad.features.inlined import inlined, peek
from secad.features.slot_types import is_space
from secad.features.spans import Bytes, Places

(
    STATUS,
    MICROS,
    IS_ZONED,
    IS_YEARLESS,
    PRIORITY,
    REPEATED,
    HOST,
    PROGRAM,
    PID,
    MESSAGE,
    CORE,
    MODULE,
    DATA,
    MESSAGE_ID,
) = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20)
WIDTH = 22
"""Columns of a frame; from HOST on each is a span: first byte (NONE where absent) and bytes.

CORE is the message without what wraps it, see ``secad.features.syslog_unwrap``; MODULE is the
name under which phrases know it, where that is not the program's. DATA is RFC 5424's structured
data.
"""

NO_TIME, CONTINUED, UNTAGGED, TAGGED = range(4)
"""STATUS: no time found, none and the line begins with a blank, framed without a program's name,
framed with one."""

NONE = -1

_OPEN, _CLOSE, _OPEN_ROUND, _CLOSE_ROUND = ord("["), ord("]"), ord("("), ord(")")
_COLON, _SLASH, _DOT, _MORE = ord(":"), ord("/"), ord("."), ord(">")
_MOST_TAG_BYTES = 64  # of a tag with blanks inside
_MOST_DIGITS = 18
_PAM = np.frombuffer(b"pam_", dtype=np.uint8).copy()


class Scan(NamedTuple):
    """What every function of the scanner needs.

    Args:
        data: the buffer.
        frames: (N, WIDTH), what is filled.
        clocks: the programs of the two times.
        fields: scratch of a clock.
    """

    data: Bytes
    frames: Places
    clocks: Program
    fields: Places


@inlined
def skip_blanks(data: Bytes, at: int, end: int) -> int:
    """Returns the first place from ``at`` on that is no blank."""
    while at < end and is_space(peek(data, at)):
        at += 1
    return at


@inlined
def word_end(data: Bytes, at: int, end: int) -> int:
    """Returns the first place from ``at`` on that is a blank."""
    while at < end and not is_space(peek(data, at)):
        at += 1
    return at


@inlined
def begins(data: Bytes, at: int, end: int, word: Bytes) -> bool:
    """Returns whether ``word`` stands at ``at``."""
    if at + len(word) > end:
        return False
    step = 0
    while step < len(word) and peek(data, at + step) == word[step]:
        step += 1
    return step == len(word)


@inlined
def keep(scan: Scan, row: int, part: int, at: int, end: int) -> None:
    """Keeps the span of a part, if it holds anything."""
    if end > at:
        scan.frames[row, part] = at
        scan.frames[row, part + 1] = end - at


@inlined
def read_number(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the place after the digits at ``at``, and their value."""
    value = 0
    stop = min(end, at + _MOST_DIGITS)
    while at < stop and 48 <= peek(data, at) <= 57:
        value = value * 10 + (peek(data, at) - 48)
        at += 1
    return at, value


@inlined
def read_tag(scan: Scan, row: int, at: int, end: int) -> int:
    """Returns the place after a tag, whose program and pid it keeps; NONE where there is none."""
    data = scan.data
    stop = at
    while stop < end and not is_space(peek(data, stop)):
        byte = peek(data, stop)
        if byte == _OPEN and stop > at:
            return _tag_with_pid(scan, row, at, stop, end)
        if byte == _COLON and stop > at and _ends_tag(data, stop, end):
            keep_program(scan, row, at, stop)
            return stop + 1
        stop += 1
    return _tag_with_blanks(scan, row, at, stop, end)


@inlined
def _ends_tag(data: Bytes, colon: int, end: int) -> bool:
    return colon + 1 >= end or is_space(peek(data, colon + 1)) or peek(data, colon + 1) == _OPEN


@inlined
def _tag_with_pid(scan: Scan, row: int, at: int, bracket: int, end: int) -> int:
    data = scan.data
    close = bracket + 1
    while close < end and peek(data, close) != _CLOSE and not is_space(peek(data, close)):
        close += 1
    if close >= end or peek(data, close) != _CLOSE:
        return NONE
    digits, _ = read_number(data, bracket + 1, close)
    is_pid = digits == close > bracket + 1
    after = _after_pid(data, close + 1, end, is_pid)
    if after >= 0:
        keep_program(scan, row, at, bracket)
        if is_pid:
            keep(scan, row, PID, bracket + 1, close)
    return after


@inlined
def _after_pid(data: Bytes, at: int, end: int, is_pid: bool) -> int:
    """Returns the place after ``:``, which a pid may lack, and after macOS' `` (service)``."""
    if at < end and peek(data, at) == _COLON:
        return at + 1
    if not is_pid or (at < end and not is_space(peek(data, at))):
        return NONE
    if at + 1 < end and peek(data, at + 1) == _OPEN_ROUND:
        close = at + 2
        while close + 1 < end and not (
            peek(data, close) == _CLOSE_ROUND and peek(data, close + 1) == _COLON
        ):
            close += 1
        if close + 1 < end:
            return close + 2
    return at


@inlined
def _tag_with_blanks(scan: Scan, row: int, at: int, blank: int, end: int) -> int:
    """Reads ``syslogd 1.4.1:`` and ``Google Chrome[12]:``."""
    data = scan.data
    stop, digits = blank + 1, True
    last = min(end, at + _MOST_TAG_BYTES)
    while stop < last and peek(data, stop) != _COLON and peek(data, stop) != _OPEN:
        digits = digits and (peek(data, stop) == _DOT or 48 <= peek(data, stop) <= 57)
        stop += 1
    if stop >= last or blank == at:
        return NONE
    if peek(data, stop) == _OPEN:
        close, _ = read_number(data, stop + 1, end)
        if (
            stop + 1 < close < end
            and peek(data, close) == _CLOSE
            and not is_space(peek(data, stop - 1))
        ):
            return _tag_with_pid(scan, row, at, stop, end)
        return NONE
    if digits and stop > blank + 1 and _ends_tag(data, stop, end):
        keep_program(scan, row, at, blank)
        return stop + 1
    return NONE


@inlined
def keep_program(scan: Scan, row: int, at: int, stop: int) -> None:
    """Keeps a program's name without its path, and what names its messages better as MODULE.

    That is the PAM module behind it, or the last part of ``postfix/submission/smtpd``, ``/smtpd``.
    """
    data = scan.data
    at = _behind_path(data, at, stop)
    opened, part = at, at
    while opened < stop and peek(data, opened) != _OPEN_ROUND:
        if peek(data, opened) == _SLASH:
            part = opened
        opened += 1
    if part > at:
        keep(scan, row, MODULE, part, opened)
    keep(scan, row, PROGRAM, at, _name_end(scan, row, at, opened, stop))


@inlined
def _behind_path(data: Bytes, at: int, stop: int) -> int:
    if peek(data, at) == _SLASH:
        for place in range(at, stop - 1):
            if peek(data, place) == _SLASH:
                at = place + 1
    return at


@inlined
def _name_end(scan: Scan, row: int, at: int, opened: int, stop: int) -> int:
    """Returns where a program's name ends that may have a ``(`` inside, at ``opened``."""
    data = scan.data
    if opened == at:
        return stop
    if peek(data, stop - 1) == _CLOSE_ROUND:
        if begins(data, opened + 1, stop, _PAM):
            keep(scan, row, MODULE, opened + 1, stop - 1)
        stop = opened  # "sshd(pam_unix)", "auth-worker(304)", "Google Chrome Helper (GPU)"
        while stop > at and is_space(peek(data, stop - 1)):
            stop -= 1
    elif peek(data, stop - 1) == _MORE:
        stop = opened  # Dovecot's "imap(alice)<4711><DaFEs1Y>", "auth(alice,192.0.2.1)<DaFEs1Y>"
    return stop
