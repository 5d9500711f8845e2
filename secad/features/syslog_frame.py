"""The frame of a syslog line: a compiled scanner that finds time, host, program, pid and message.

Lines (spans of a byte buffer) enter; for each, its time and the spans of its parts leave. It reads,
line by line and in any mixture, RFC 5424, RFC 3164 with or without priority and host, the ISO form
that rsyslog writes, and what programs make of them: ``sshd(pam_unix)[123]:``, tags with blanks
(``Google Chrome[12]:``), lines without a tag.
"""

from __future__ import annotations

import numpy as np

from secad.base.compiled import kernel
from secad.features.clock import compile_clock
from secad.features.clock_read import FIELDS, YEARLESS, ZONED, Reader, instant, read_time
from secad.features.inlined import borrowed, inlined, peek
from secad.features.slot_types import is_space
from secad.features.spans import Bytes, Places
from secad.features.syslog_tag import (
    CONTINUED,
    DATA,
    HOST,
    IS_YEARLESS,
    IS_ZONED,
    MESSAGE,
    MESSAGE_ID,
    MICROS,
    NO_TIME,
    NONE,
    PID,
    PRIORITY,
    PROGRAM,
    STATUS,
    TAGGED,
    UNTAGGED,
    WIDTH,
    Scan,
    begins,
    keep,
    keep_program,
    read_number,
    read_tag,
    skip_blanks,
    word_end,
)
from secad.features.syslog_unwrap import unwrap

_ISO, _SYSLOG = compile_clock("iso"), compile_clock("syslog")
_ISO_END, _SYSLOG_END = len(_ISO), len(_ISO) + len(_SYSLOG)

_OPEN, _CLOSE = ord("["), ord("]")
_LESS, _MORE, _QUOTE, _BACKSLASH, _DASH = (ord(mark) for mark in '<>"\\-')
_COLON, _T = ord(":"), ord("T")
_VERSION = ord("1")  # of RFC 5424
_MOST_PRIORITY = 191


def _marks(characters: bytes) -> Bytes:
    marks = np.zeros(256, dtype=np.uint8)
    marks[np.frombuffer(characters, dtype=np.uint8)] = 1
    return marks


_NOT_IN_HOST = _marks(b"[](){}=\"'<>|,;!?\\")


_LAST = np.frombuffer(b"last message repeated ", dtype=np.uint8).copy()


def frame(data: Bytes, places: Places) -> Places:
    """Returns (N, WIDTH) the frames of the lines at ``places``.

    Args:
        data: the buffer.
        places: (2, N) first byte and bytes of each line.
    """
    frames = np.empty((places.shape[1], WIDTH), dtype=np.int64)
    if places.shape[1]:
        clocks = np.concatenate([_ISO, _SYSLOG])
        _frame_all(Scan(data, frames, clocks, np.zeros(FIELDS, dtype=np.int64)), places)
    return frames


def rewrap(data: Bytes, frames: Places) -> None:
    """Finds CORE and MODULE of frames that were made from PROGRAM and MESSAGE alone."""
    if len(frames):
        clocks = np.concatenate([_ISO, _SYSLOG])
        _unwrap_all(Scan(data, frames, clocks, np.zeros(FIELDS, dtype=np.int64)))


def span(frames: Places, part: int) -> Places:
    """Returns (2, N) the spans of a part, contiguous."""
    return np.ascontiguousarray(frames[:, part : part + 2].T)


@kernel
def _unwrap_all(scan: Scan) -> None:
    scan = Scan(
        borrowed(scan.data), borrowed(scan.frames), borrowed(scan.clocks), borrowed(scan.fields)
    )
    for row in range(scan.frames.shape[0]):
        unwrap(scan, row)


@kernel
def _frame_all(scan: Scan, places: Places) -> None:
    scan = Scan(
        borrowed(scan.data), borrowed(scan.frames), borrowed(scan.clocks), borrowed(scan.fields)
    )
    data, frames = scan.data, scan.frames
    for row in range(places.shape[1]):
        at = places[0, row]
        end = at + places[1, row]
        for column in range(WIDTH):
            frames[row, column] = NONE
        frames[row, STATUS] = CONTINUED if at < end and is_space(peek(data, at)) else NO_TIME
        at = _priority(scan, row, at, end)
        if at + 1 < end and peek(data, at) == _VERSION and is_space(peek(data, at + 1)):
            _frame_5424(scan, row, at + 2, end)
            continue
        at = _time(scan, row, at, end)
        if at >= 0:
            _frame_3164(scan, row, skip_blanks(data, at, end), end)
            unwrap(scan, row)


@inlined
def _priority(scan: Scan, row: int, at: int, end: int) -> int:
    data, frames = scan.data, scan.frames
    if at >= end or peek(data, at) != _LESS:
        return at
    stop, value = read_number(data, at + 1, end)
    if stop == at + 1 or stop >= end or peek(data, stop) != _MORE or value > _MOST_PRIORITY:
        return at
    frames[row, PRIORITY] = value
    return skip_blanks(data, stop + 1, end)


@inlined
def _time(scan: Scan, row: int, at: int, end: int) -> int:
    """Returns the place after a line's time, NONE where it has none that ends like a word."""
    data, frames = scan.data, scan.frames
    if at >= end:
        return NONE
    reader = Reader(data, scan.clocks, scan.fields)
    if 48 <= peek(data, at) <= 57:
        stop = read_time(reader, at, end, 0, _ISO_END)
        if stop >= 0 and peek(data, at + 10) != _T:  # a blank would be another format
            return NONE
    else:
        stop = read_time(reader, at, end, _ISO_END, _SYSLOG_END)
    if stop >= 0 and stop < end and peek(data, stop) == _COLON:
        stop += 1
    if stop < 0 or (stop < end and not is_space(peek(data, stop))):
        return NONE
    frames[row, STATUS] = UNTAGGED
    frames[row, MICROS] = instant(scan.fields)
    frames[row, IS_ZONED] = scan.fields[ZONED]
    frames[row, IS_YEARLESS] = scan.fields[YEARLESS]
    return stop


@inlined
def _frame_3164(scan: Scan, row: int, at: int, end: int) -> None:
    data, frames = scan.data, scan.frames
    stop = word_end(data, at, end)
    if at < end and peek(data, at) == _LESS and peek(data, stop - 1) == _MORE:
        at = skip_blanks(data, stop, end)  # FreeBSD's "<mail.info>"
        stop = word_end(data, at, end)
    if _is_host(data, at, stop) and not begins(data, at, end, _LAST):
        keep(scan, row, HOST, at, stop)
        at = skip_blanks(data, stop, end)
        if at + 1 < end and peek(data, at) == _COLON and is_space(peek(data, at + 1)):
            at = skip_blanks(data, at + 1, end)  # "fw1 : %ASA-6-302013: Built ..."
    after = read_tag(scan, row, at, end)
    if after >= 0:
        frames[row, STATUS] = TAGGED
        at = after
    keep(scan, row, MESSAGE, skip_blanks(data, at, end), end)


@inlined
def _is_host(data: Bytes, at: int, stop: int) -> bool:
    if stop == at or peek(data, stop - 1) == _COLON:  # "kernel:" is a tag, the line has no host
        return False
    while at < stop and not _NOT_IN_HOST[peek(data, at)]:
        at += 1
    return at == stop


@inlined
def _frame_5424(scan: Scan, row: int, at: int, end: int) -> None:
    data, frames = scan.data, scan.frames
    at = _time(scan, row, at, end)
    if at < 0:
        return
    for place in (HOST, PROGRAM, PID, MESSAGE_ID):
        at = skip_blanks(data, at, end)
        stop = word_end(data, at, end)
        if not (stop == at + 1 and peek(data, at) == _DASH):
            keep(scan, row, place, at, stop)
        at = stop
    if frames[row, PROGRAM] >= 0:
        frames[row, STATUS] = TAGGED
        keep_program(scan, row, frames[row, PROGRAM], _part_end(frames, row, PROGRAM))
    at = _structured(scan, row, skip_blanks(data, at, end), end)
    at = skip_blanks(data, at, end)
    if (
        at + 3 <= end
        and peek(data, at) == 0xEF
        and peek(data, at + 1) == 0xBB
        and peek(data, at + 2) == 0xBF
    ):
        at += 3  # the byte order mark that says "this is UTF-8"
    keep(scan, row, MESSAGE, at, end)
    unwrap(scan, row)


@inlined
def _part_end(frames: Places, row: int, part: int) -> int:
    return int(frames[row, part] + frames[row, part + 1])


@inlined
def _structured(scan: Scan, row: int, at: int, end: int) -> int:
    """Returns the place after the structured data, which it keeps."""
    data = scan.data
    if at < end and peek(data, at) == _DASH:
        return at + 1
    stop, quoted = at, False
    while stop < end and (quoted or peek(data, stop) == _OPEN or stop > at):
        if quoted:
            if peek(data, stop) == _BACKSLASH:
                stop += 1
            elif peek(data, stop) == _QUOTE:
                quoted = False
        elif peek(data, stop) == _QUOTE:
            quoted = True
        elif peek(data, stop) == _CLOSE and (stop + 1 >= end or peek(data, stop + 1) != _OPEN):
            keep(scan, row, DATA, at, stop + 1)
            return stop + 1
        stop += 1
    return at
