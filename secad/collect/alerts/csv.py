"""Alerts that are rows of a CSV file: fields by the header's names in, texts by column out."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from secad.base.errors import ConfigError
from secad.collect.alerts.columns import Found
from secad.collect.csv.fields import UNCLOSED, count_fields, cut_fields
from secad.collect.csv.header import header_of
from secad.collect.text import decode


def read_rows(
    lines: pa.RecordBatch, head: bytes, wanted: Mapping[str, str], delimiter: str
) -> Found:
    """Returns the wanted fields of LINES of a CSV file.

    Args:
        lines: LINES rows.
        head: of the file, with its header.
        wanted: column -> name of its field.
        delimiter: between fields.

    Raises:
        ConfigError: there is no header, or it lacks a field.
    """
    names, header_line = header_of(head, delimiter)
    text = decode(lines)
    counts = count_fields(text.text, delimiter)
    header = text.lines.column("line").to_numpy() == header_line
    wrong = (counts != len(names)) & ~header
    rows = np.flatnonzero(~wrong & ~header)
    fields = cut_fields(text.text, delimiter, rows, len(names))
    places = np.full(len(counts), -1, dtype=np.int64)
    places[rows] = np.arange(len(rows))
    back = pa.array(places, mask=places < 0)
    columns = {
        column: fields.text(_place(names, name, column)).take(back)
        for column, name in wanted.items()
    }
    return Found(text, columns, _faults(counts, wrong, len(names)), header)


def _place(names: Sequence[str], name: str, column: str) -> int:
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        raise ConfigError(
            f"columns.{column} is the field {name!r}, which the CSV header lacks; it has "
            f"{', '.join(names)}",
            hint=f"did you mean {near[0]!r}?" if near else "is the delimiter right?",
        )
    return names.index(name)


def _faults(counts: np.ndarray, wrong: np.ndarray, expected: int) -> pa.Array:
    reasons: list[str | None] = [None] * len(counts)
    for row in np.flatnonzero(wrong).tolist():
        found = int(counts[row])
        reasons[row] = (
            "a quote is not closed; a record over several lines cannot be read"
            if found == UNCLOSED
            else f"expected {expected} fields, found {found}"
        )
    return pa.array(reasons, pa.string())
