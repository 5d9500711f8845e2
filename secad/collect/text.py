"""From LINES to text: what every line format does first, before its own grammar.

Lines enter as bytes; those that are valid UTF-8 without NUL leave as a string array, blank ones
are counted as skipped, the rest become rejects that say what is wrong with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.schemas import LOCATOR, REJECTS
from secad.features.spans import buffer_of

RAW_CAP_BYTES = 4096

PARSE_REJECTS = pa.schema([field for field in REJECTS if field.name != "source_path"])
"""The rejects that a format returns; the pipeline adds the path."""


@dataclass(frozen=True)
class Text:
    """The readable lines of a batch.

    Args:
        lines: LINES rows that are text, N of them.
        text: (N,) string, the same lines without a trailing carriage return.
        rejects: the unreadable ones, as PARSE_REJECTS.
        skipped: how many lines were blank.
    """

    lines: pa.RecordBatch
    text: pa.StringArray
    rejects: pa.Table
    skipped: int

    def locators(self) -> dict[str, pa.Array]:
        """Returns the locator columns of the N lines, ready to stand in an events table."""
        return {name: self.lines.column(name) for name in LOCATOR.names}


def reject(lines: pa.RecordBatch, rows: npt.NDArray[np.bool_], error: str | pa.Array) -> pa.Table:
    """Returns PARSE_REJECTS for the rows of ``lines`` at which ``rows`` is true.

    Args:
        lines: N rows of LINES.
        rows: (N,) which of them are rejected.
        error: one reason for all, or one for each of the rejected rows.
    """
    taken = lines.filter(pa.array(rows))
    reasons = pa.repeat(error, taken.num_rows) if isinstance(error, str) else error
    return pa.table(
        [
            taken.column("line"),
            taken.column("byte_offset"),
            reasons,
            pc.binary_slice(taken.column("raw"), 0, RAW_CAP_BYTES),
        ],
        schema=PARSE_REJECTS,
    )


def decode(lines: pa.RecordBatch) -> Text:
    """Returns the lines of a batch that are text; see ``Text``."""
    raw = lines.column("raw")
    blank = _flags(pc.equal(pc.binary_length(_trimmed(raw)), 0))
    nul = _holds_nul(raw) & ~blank
    invalid = _invalid_utf8(raw) & ~nul & ~blank
    good = ~(blank | nul | invalid)
    kept = lines if good.all() else lines.filter(pa.array(good))
    rejects = [
        reject(lines, nul, "a NUL byte inside the line"),
        reject(lines, invalid, "not valid UTF-8"),
    ]
    text = pc.utf8_rtrim(kept.column("raw").cast(pa.string()), "\r")
    return Text(kept, text, pa.concat_tables(rejects), int(blank.sum()))


def _trimmed(raw: pa.BinaryArray) -> pa.Array:
    return pc.ascii_trim_whitespace(raw.view(pa.string()))


def _holds_nul(raw: pa.BinaryArray) -> npt.NDArray[np.bool_]:
    data, offsets = buffer_of(raw)
    if (data[offsets[0] : offsets[-1]] != 0).all():  # one pass over the bytes, almost always enough
        return np.zeros(len(raw), dtype=np.bool_)
    return _flags(pc.match_substring(raw, b"\x00"))


def _flags(array: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _invalid_utf8(raw: pa.BinaryArray) -> npt.NDArray[np.bool_]:
    try:
        raw.cast(pa.string())  # validates the whole batch at once
    except pa.ArrowInvalid:
        return np.array([not _is_utf8(value) for value in raw.to_pylist()], dtype=np.bool_)
    return np.zeros(len(raw), dtype=np.bool_)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
