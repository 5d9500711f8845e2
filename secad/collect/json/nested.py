r"""Records inside nested arrays of JSON documents, cut into LINES with what stands around them.

A line of OpenTelemetry's file exporter holds many log records, and tells once for all of them which
resource they are of. Bytes enter; LINES leave, one for each record, in whose ``raw`` the arrays on
the way hold just that record; a document without such arrays is a record itself. Documents may
follow each other with or without line ends in and between them, or stand in an array.

>>> from io import BytesIO
>>> nested = NestedRecords(("hosts.rows",))
>>> text = b'{"hosts": [{"host": "a", "rows": [{"id": 1}, {"id": 2}]}], "day": 5}'
>>> [(lines, rejects)] = nested.frames(BytesIO(text), 1024)
>>> lines.column("raw").to_pylist()[1]
b'{"hosts": {"host": "a", "rows": {"id": 2}}, "day": 5}'
>>> lines.column("byte_offset").to_pylist()
[34, 45]
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.schemas import LINES
from secad.collect.text import PARSE_REJECTS, RAW_CAP_BYTES

if TYPE_CHECKING:
    from secad.collect.json import nesting as json_nesting

LIMIT_BYTES = 64 << 20  # of a document; a collector's batch has a few megabytes
_TOO_LONG = f"a document over {LIMIT_BYTES >> 20} MiB, the most that is allowed"
_STRETCHES = 1 << 16
_PIECE_BYTES = 4 << 20  # at most read at once

Tables = tuple[pa.RecordBatch, pa.Table]


@dataclass(frozen=True)
class NestedRecords:
    """How records stand in the documents of a format; does the work of ``Frames`` for it.

    Args:
        paths: where arrays of records may stand, keys joined by dots; arrays on the way are
            walked through.
    """

    paths: tuple[str, ...]

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[Tables]:
        """Yields the records as LINES, and rejects of what is none; see ``Frames``.

        ``line`` counts the records and what is rejected between them; ``byte_offset`` and
        ``byte_length`` are a record's place in the file, without what stands around it.
        """
        cutter = _Cutter(self.paths)
        rest, base = file.read(len(codecs.BOM_UTF8)), 0
        if rest == codecs.BOM_UTF8:
            rest, base = b"", len(codecs.BOM_UTF8)
        final = False
        while not final:
            size = max(1, min(batch_bytes, _PIECE_BYTES), len(rest))  # a longer one, twice as much
            chunk = file.read(size)
            final = not chunk
            data = rest + chunk
            while data:
                tables, kept = cutter.cut(data, base, final=final)
                if tables is not None:
                    yield tables
                data, base = data[kept:], base + kept
                if not kept:
                    break
            rest = data


class _Cutter:
    """Cuts one file piece by piece."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        from secad.collect.json import nesting as json_nesting

        self._nesting = json_nesting
        self._steps = _steps(paths)
        self._number = 1

    def cut(self, data: bytes, base: int, *, final: bool) -> tuple[Tables | None, int]:
        """Returns what the whole documents of a piece hold, and where the rest begins.

        Args:
            data: the piece.
            base: where it begins in the file.
            final: the file ends with it.
        """
        nesting = self._nesting
        piece = np.frombuffer(data, dtype=np.uint8)
        nodes = np.empty((len(data) // nesting.NODE_BYTES + 2, nesting.NODE_COLUMNS), np.int64)
        stretches = np.empty((_STRETCHES, nesting.STRETCH_COLUMNS), np.int64)
        count, kept = nesting.documents(piece, final, self._steps, nodes, stretches)
        stretches = stretches[:count]
        if not count and len(data) - kept > LIMIT_BYTES:
            return self._too_long(data, base)
        if not count:
            return None, kept if kept == len(data) else 0
        rows = np.empty((int(stretches[-1, 4]) + count, 4), dtype=np.int64)
        rows = rows[: nesting.sizes(nodes, stretches, rows)]
        bad = stretches[stretches[:, 2] != nesting.WHOLE]
        reasons = pa.array(nesting.REASONS).take(pa.array(bad[:, 2]))
        raw = nesting.texts(piece, nodes, rows)
        return self._tables((data, base), (raw, rows), (bad[:, :2], reasons)), kept

    def _tables(
        self,
        piece: tuple[bytes, int],
        records: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]],
        bad: tuple[npt.NDArray[np.int64], pa.Array],
    ) -> Tables:
        """Returns LINES and PARSE_REJECTS, numbered in the order of the file.

        Args:
            piece: its bytes and where it begins.
            records: their texts one behind the other, and (R, 4) rows of ``json_nesting.sizes``.
            bad: (B, 2) begin and end of what is rejected, and the reasons.
        """
        (data, base), (raw, rows), (spans, reasons) = piece, records, bad
        order = np.argsort(np.concatenate([rows[:, 1], spans[:, 0]]), kind="stable")
        numbers = np.empty(len(order), dtype=np.int64)
        numbers[order] = np.arange(self._number, self._number + len(order))
        self._number += len(order)
        ends = np.concatenate([[0], np.cumsum(rows[:, 3])]).astype(np.int32)
        texts = pa.BinaryArray.from_buffers(
            pa.binary(), len(rows), [None, pa.py_buffer(ends), pa.py_buffer(raw)]
        )
        lengths = rows[:, 2] - rows[:, 1]
        columns = [texts, *map(pa.array, (numbers[: len(rows)], rows[:, 1] + base, lengths))]
        lines = pa.RecordBatch.from_arrays(columns, schema=LINES)
        held = [data[begin : min(end, begin + RAW_CAP_BYTES)] for begin, end in spans.tolist()]
        rejected = [pa.array(numbers[len(rows) :]), pa.array(spans[:, 0] + base), reasons,
                    pa.array(held, pa.binary())]  # fmt: skip
        return lines, pa.Table.from_arrays(rejected, schema=PARSE_REJECTS)

    def _too_long(self, data: bytes, base: int) -> tuple[Tables, int]:
        """Gives up a document that is over the limit, up to the next that begins a line."""
        found = data.find(b"\n{", 1)
        stop = found + 1 if found >= 0 else len(data)
        nothing = (np.empty(0, dtype=np.uint8), np.empty((0, 4), dtype=np.int64))
        span = np.array([[0, stop]], dtype=np.int64)
        return self._tables((data, base), nothing, (span, pa.array([_TOO_LONG]))), stop


def _steps(paths: tuple[str, ...]) -> json_nesting.Steps:
    """Returns the paths as steps from key to key."""
    from secad.collect.json import nesting as json_nesting

    states: dict[str, int] = {"": 0}
    keys, sources, targets = [], [], []
    for path in paths:
        way = ""
        for key in path.split("."):
            longer = f"{way}.{key}"
            if longer not in states:
                states[longer] = len(states)
                keys.append(key.encode())
                sources.append(states[way])
                targets.append(states[longer])
            way = longer
    last = np.zeros(len(states), dtype=np.int64)
    last[[states[f".{path}"] for path in paths]] = 1
    return json_nesting.Steps(
        np.frombuffer(b"".join(keys), dtype=np.uint8),
        np.cumsum([len(key) for key in keys], dtype=np.int64),
        np.array(sources, dtype=np.int64),
        np.array(targets, dtype=np.int64),
        last,
    )
