r"""The header lines of Zeek's TSV logs, wherever in a stream they stand.

``#separator \x09``, ``#fields\tts\tuid ...`` and their kin hold for the records that follow, until
another header changes them: logs are rotated and concatenated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from string import hexdigits

FIELDS_CAP = 256  # the widest logs have 80; a record under more is rejected
HEADERS_CAP = 96  # different ones in a batch; a record under one more is rejected
_SEPARATOR = b"#separator"
_TAB = 9
_HEADLESS = b"ts\t"  # tsv mode: the fields' names alone stand in the first line


@dataclass(frozen=True)
class Header:
    """What is known of the records that follow.

    Args:
        separator: the byte between fields.
        empty: how an empty field is written.
        unset: how a field without a value is written.
        path: the log's name, empty where it is not told.
        opened: when the log was begun, ``yyyy-mm-dd-HH-MM-SS``.
        fields: their names.
        types: their types, or none.
    """

    separator: int = _TAB
    empty: bytes = b"(empty)"
    unset: bytes = b"-"
    path: str = ""
    opened: str = ""
    fields: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


def is_header(line: bytes) -> bool:
    """Returns whether a line tells of records, and is none."""
    return line.startswith((b"#", _HEADLESS))


def read_header(lines: Iterable[bytes], before: Header) -> Header:
    """Returns what holds behind header lines.

    Args:
        lines: without line ends, in order.
        before: what held before them.
    """
    header = before
    for line in lines:
        header = _read(line, header)
    return header


def header_before(head: bytes, offset: int) -> Header:
    """Returns what the head of a source says of the record at an offset.

    Args:
        head: the first bytes of the source, maybe cut off in a line.
        offset: where the record begins.
    """
    part = head[:offset]
    lines = part.split(b"\n")[:-1]  # the last is empty, or cut off
    return read_header((line.rstrip(b"\r") for line in lines if is_header(line)), Header())


def _read(line: bytes, header: Header) -> Header:
    if line.startswith(_SEPARATOR):
        return Header(separator=_byte(line[len(_SEPARATOR) :].lstrip(b" \t")))
    cut = line.decode("utf-8", "replace").split(chr(header.separator))
    word, values = cut[0], tuple(cut[1:])
    if word == "ts":
        return replace(Header(), fields=tuple(cut))
    if not values:
        return header
    first = values[0]
    told: dict[str, Callable[[], Header]] = {
        "#fields": lambda: replace(header, fields=values),
        "#types": lambda: replace(header, types=values),
        "#empty_field": lambda: replace(header, empty=first.encode()),
        "#unset_field": lambda: replace(header, unset=first.encode()),
        "#path": lambda: replace(header, path=first),
        "#open": lambda: replace(header, opened=first),
    }
    return told.get(word, lambda: header)()


def _byte(written: bytes) -> int:
    r"""Returns the byte that ``\x09`` stands for, or that stands there itself; else a tab."""
    digits = written[2:4].decode("ascii", "replace")
    if written.startswith(b"\\x") and digits and set(digits) <= set(hexdigits):
        return int(digits, 16)
    return written[0] if written else _TAB
