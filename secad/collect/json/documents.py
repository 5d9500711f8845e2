r"""JSON whose records are not lines, cut into LINES: arrays, envelopes, objects over many lines.

Bytes enter, LINES leave, and rejects of what is damaged between them. A file may hold an array of
records; one object, or one after another, with the records in an array at a known path
(``Records`` of CloudTrail); or objects with or without line ends in and between them. Its head
tells which, and whether it is cut here at all: JSON lines stay lines.

>>> from io import BytesIO
>>> documents = JsonDocuments(("Records",))
>>> [(lines, rejects)] = documents.frames(BytesIO(b'{"Records": [{"id": 1}, {"id": 2}]}'), 1024)
>>> lines.select(["raw", "line", "byte_offset"]).to_pylist()[1]
{'raw': b'{"id": 2}', 'line': 2, 'byte_offset': 24}
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.schemas import LINES
from secad.collect.columns import HEAD_BYTES
from secad.collect.json.columns import first_objects
from secad.collect.text import PARSE_REJECTS, RAW_CAP_BYTES

_PIECE_BYTES = 4 << 20  # at most read at once
_FOUND = 1 << 16
_BLANK = " \t\r\n"
_BETWEEN = _BLANK + ",\x1e"
_SEPARATOR = b"\x1e"  # before each record of a JSON text sequence, RFC 7464
_DECODER = json.JSONDecoder()

Records = list[dict[str, Any] | None]


@dataclass(frozen=True)
class JsonDocuments:
    """How records stand in the documents of a format; does the work of ``Frames`` for it.

    Args:
        paths: where an array of records may stand in an object, keys joined by dots (``Records``,
            ``hits.hits``); arrays on the way are walked through.
        repeated: whether such objects may also follow each other, one a line or not; else an
            object that others follow is a record, whatever it holds.
    """

    paths: tuple[str, ...] = ()
    repeated: bool = True

    def is_framed(self, head: bytes) -> bool:
        """Returns whether records are to be cut out of a source with this head; see ``Frames``."""
        return self._layout(head) is not None

    def first_records(self, head: bytes, count: int) -> Records:
        """Returns the first records of a head in whichever layout, None for what is no object."""
        text = _text(head)
        if not text.startswith(("{", "[")):
            return first_objects(head, count)
        layout = self._layout(head)
        if layout is None:
            return first_objects(head, count)
        at = _records_at(text, layout.split(".")) if layout else 0
        return _objects(text, at, count)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields the records as LINES, and rejects of what is none; see ``Frames``.

        ``line`` counts the records and what is rejected between them; ``byte_offset`` and
        ``byte_length`` are a record's place in the file.
        """
        head = file.read(HEAD_BYTES)
        file.seek(0)
        path = self._layout(head.removeprefix(codecs.BOM_UTF8)) or ""
        return _frames(file, batch_bytes, [key.encode() for key in path.split(".") if key])

    def inner_frames(
        self, file: BinaryIO, batch_bytes: int
    ) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields what stands in the first of ``paths`` of every object of a file; see ``frames``.

        So records that stand two arrays deep are cut, of objects in an array or one a line.
        """
        return _frames(file, batch_bytes, [key.encode() for key in self.paths[0].split(".")])

    def _layout(self, head: bytes) -> str | None:
        """Returns the path of the records, empty where they stand at the top, None for lines."""
        text = _text(head)
        if head.startswith(_SEPARATOR):
            return ""
        if text.startswith("["):
            return "" if text[1:].lstrip(_BLANK)[:1] in {"{", "]", ""} else None
        if not text.startswith("{"):
            return None
        end = _end_of_value(text, 0)
        follows = end is not None and text[end:].lstrip(_BETWEEN).startswith("{")
        if self.repeated or not follows:
            for path in self.paths:
                keys = path.split(".")
                if f'"{keys[0]}"' in text and _records_at(text, keys) >= 0:
                    return path
        if end is None:  # a record that is longer than the head, on one line or on many
            return "" if "\n" in text and not _is_line(text) else None
        return "" if "\n" in text[:end] or _passed_on(text, end) in {",", "{"} else None


def stretches(
    data: npt.NDArray[np.uint8], first: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns where the objects begin and end that stand in arrays or one behind the other.

    Args:
        data: JSON, of which what is damaged is left out.
        first: where in it to begin.
    """
    from secad.collect.json import cuts as json_cuts

    found = _Walk([]).on(data[first:].tobytes(), first, final=True)
    whole = found[found[:, 2] == json_cuts.WHOLE]
    return whole[:, 0], whole[:, 1]


def _text(head: bytes) -> str:
    return head.decode("utf-8", "replace").lstrip("\ufeff\x1e" + _BLANK)


def _is_line(text: str) -> bool:
    """Returns whether the first line of a text is a whole object, or one that is damaged."""
    return text.partition("\n")[0].rstrip().endswith("}")


def _passed_on(text: str, at: int) -> str:
    """Returns the first character behind ``at`` on the same line that is no blank."""
    return text[at:].lstrip(" \t")[:1]


def _end_of_value(text: str, at: int) -> int | None:
    """Returns the place behind the JSON value at ``at``, None where it is damaged or cut off."""
    try:
        return _DECODER.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return None


def _records_at(text: str, path: list[str]) -> int:
    """Returns where the first record of the array at ``path`` stands, -1 where there is none.

    Args:
        text: begins with an object.
        path: keys.
    """
    at = 0
    for place, key in enumerate(path):
        at = _member(text, at, key)
        if at < 0:
            return -1
        if text[at : at + 1] == "[":
            at = _passed(text, at + 1, _BLANK)
        elif place == len(path) - 1:
            return -1
        if text[at : at + 1] != "{":
            return -1
    return at


def _member(text: str, at: int, key: str) -> int:
    """Returns where the value of ``key`` begins in the object at ``at``, -1 where there is none."""
    at = _passed(text, at + 1, _BETWEEN)
    while text[at : at + 1] == '"':
        end = _end_of_value(text, at)
        if end is None:
            return -1
        name, at = text[at + 1 : end - 1], _passed(text, end, _BLANK)
        if text[at : at + 1] != ":":
            return -1
        at = _passed(text, at + 1, _BLANK)
        if name == key:
            return at
        end = _end_of_value(text, at)
        if end is None:
            return -1
        at = _passed(text, end, _BETWEEN)
    return -1


def _passed(text: str, at: int, marks: str) -> int:
    while at < len(text) and text[at] in marks:
        at += 1
    return at


def _objects(text: str, at: int, count: int) -> Records:
    """Returns up to ``count`` objects that stand one behind the other, as far as they are whole."""
    at += text[at : at + 1] == "["
    found: Records = []
    while len(found) < count:
        at = _passed(text, at, _BETWEEN)
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(value if isinstance(value, dict) else None)
    return found


def _frames(
    file: BinaryIO, batch_bytes: int, keys: list[bytes]
) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
    walk = _Walk(keys)
    rest, base, number = b"", 0, 1
    if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
        base = len(codecs.BOM_UTF8)
    else:
        file.seek(0)
    final = False
    while not final:
        chunk = file.read(max(1, min(batch_bytes, _PIECE_BYTES)))
        final = not chunk
        data = rest + chunk
        found = walk.on(data, base, final=final)
        if len(found):
            place = file.tell()
            yield _tables(data, base, found, number, file)
            file.seek(place)
            number += len(found)
        kept = walk.kept(len(data))
        rest, base = data[kept:], base + kept


class _Walk:
    """The walk through one file; see ``json_cuts.Walk``."""

    def __init__(self, keys: list[bytes]) -> None:
        from secad.collect.json import cuts as json_cuts

        self._cuts = json_cuts
        self._state = np.zeros(json_cuts.STATE, dtype=np.int64)
        self._state[[json_cuts.START, json_cuts.LONG]] = -1
        self._walk = json_cuts.Walk(
            data=np.frombuffer(b"", dtype=np.uint8),
            path=np.frombuffer(b"".join(keys), dtype=np.uint8),
            ends=np.cumsum([len(key) for key in keys], dtype=np.int64),
            state=self._state,
            stack=np.zeros((json_cuts.STACK, 3), dtype=np.int64),
            found=np.empty((_FOUND, 3), dtype=np.int64),
        )

    def on(self, data: bytes, base: int, *, final: bool) -> npt.NDArray[np.int64]:
        """Returns (N, 3) what the next piece holds, in order."""
        walk = self._walk._replace(data=np.frombuffer(data, dtype=np.uint8))
        state, pieces, done = self._state, [], False
        state[self._cuts.BASE], state[self._cuts.FINAL] = base, final
        while not done:
            state[self._cuts.COUNT] = 0
            done = self._cuts.cut(walk)
            pieces.append(walk.found[: state[self._cuts.COUNT]].copy())
        return np.concatenate(pieces)

    def kept(self, size: int) -> int:
        """Returns from where on the piece is still needed, and takes its places as from there."""
        cuts, state = self._cuts, self._state
        begun = int(state[cuts.START])
        kept = begun if begun >= 0 else size
        state[cuts.START] = min(begun, 0)
        state[cuts.AT] -= kept
        return kept


def _tables(
    data: bytes, base: int, found: npt.NDArray[np.int64], number: int, file: BinaryIO
) -> tuple[pa.RecordBatch, pa.Table]:
    """Returns LINES and PARSE_REJECTS of stretches of a file.

    Args:
        data: a piece of the file.
        base: where it begins.
        found: (N, 3) see ``json_cuts.cut``.
        number: of the first stretch.
        file: where what stands before the piece can be read again.
    """
    from secad.collect.json import cuts as json_cuts
    from secad.features.spans import gather

    begins, lengths, kinds = found[:, 0], found[:, 1] - found[:, 0], found[:, 2]
    numbers = np.arange(number, number + len(found))
    piece = np.frombuffer(data, dtype=np.uint8)
    whole = kinds == json_cuts.WHOLE
    raw = gather(piece, begins[whole] - base, lengths[whole]).view(pa.binary())
    columns = [raw, *(pa.array(part[whole]) for part in (numbers, begins, lengths))]
    lines = pa.RecordBatch.from_arrays(columns, schema=LINES)
    capped = np.minimum(lengths[~whole], RAW_CAP_BYTES)
    held = begins[~whole] >= base
    text = gather(piece, np.where(held, begins[~whole] - base, -1), capped).view(pa.binary())
    if not held.all():
        text = _with_earlier(text, begins[~whole], capped, file)
    reasons = pa.array(json_cuts.REASONS).take(pa.array(kinds[~whole]))
    rejected = [pa.array(numbers[~whole]), pa.array(begins[~whole]), reasons, text]
    return lines, pa.Table.from_arrays(rejected, schema=PARSE_REJECTS)


def _with_earlier(
    text: pa.Array, begins: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], file: BinaryIO
) -> pa.Array:
    """Returns bytes of stretches, those before the piece (few: what is too long) read again."""
    values = text.to_pylist()
    for row in np.flatnonzero(np.asarray(text.is_null())):
        file.seek(int(begins[row]))
        values[row] = file.read(int(sizes[row]))
    return pa.array(values, pa.binary())
