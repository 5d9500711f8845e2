"""Rows to bytes in the forms that a user may ask for: table, JSON, NDJSON, CSV and Parquet.

Rows enter as an Arrow table or reader and leave in blocks, so that any number of them takes
little memory; the same rows give the same bytes. Ids are written as hex digits, times as ISO
8601 in UTC, lists, structs and maps as JSON, also inside a table's or a CSV file's cell.
Parquet keeps the columns' own types.

What a log holds never acts on what shows it. A table, and CSV on a terminal, write out control
and direction characters; JSON does so by its own escapes and stays exact. CSV is what
spreadsheets open, so a text that one of them would run as a formula gets an apostrophe before
it; a text that has apostrophes before such a start gets one more, so that taking one away gives
the text back. JSON, NDJSON and Parquet are the forms that hold every byte as it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ConfigError, SourceError
from secad.base.escapes import visible_column
from secad.base.json_text import json_rows, plain_column

FORMS = ("table", "json", "ndjson", "csv", "parquet")
SCHEMA_VERSION = 1  # of the JSON envelope

_BLOCK_ROWS = 16_384
_BLOCK_BYTES = 16 * 2**20
_GROUP_ROWS = 131_072  # of a Parquet file
_PAGE_ROWS = 1_000  # of a table on a terminal, which is measured before it is shown
_CELL_WIDTH = 48  # a longer cell pushes its row aside, it is never cut
# what a spreadsheet takes for the start of a formula, the wide forms included
_FORMULA = r"^'*[=+\-@\t\r\n＝＋－＠]"
_NUMBER = r"^'*[+\-]?[0-9.,]*$"  # "-", "-1.5": harmless and common

Rows: TypeAlias = "pa.Table | pa.RecordBatchReader"
_Writer: TypeAlias = Callable[[Rows, BinaryIO, bool], int]


def write_rows(rows: Rows, form: str, stream: BinaryIO, *, terminal: bool | None = None) -> int:
    """Writes rows and returns how many there were.

    Args:
        rows: a table, or a reader of batches.
        form: one of FORMS.
        stream: takes bytes; is left open.
        terminal: whether a person looks at the stream itself; None asks the stream.

    Raises:
        ConfigError: the form is not known, or is Parquet on a terminal.
    """
    if form not in _WRITERS:
        raise ConfigError(f"form {form!r} is not known, known are {', '.join(FORMS)}")
    return _WRITERS[form](rows, stream, stream.isatty() if terminal is None else terminal)


def write_file(rows: Rows, form: str, path: Path, *, overwrite: bool = False) -> int:
    """Writes rows to a file, which appears whole or not at all, and returns how many there were.

    Raises:
        ConfigError: the file is there already and may not be overwritten, or is no file.
        SourceError: it cannot be written.
    """
    check_writable(path, overwrite=overwrite)
    with _replacing(path) as stream:
        return write_rows(rows, form, stream, terminal=False)


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Passes where ``write_file`` may make or replace the file, so that no work is in vain.

    Raises:
        ConfigError: it may not.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{str(path)!r} is not a regular file", hint="name a file to be made")
    if path.exists() and not overwrite:
        raise ConfigError(f"{str(path)!r} exists already", hint="add --force to overwrite it")
    if not path.parent.is_dir():
        raise ConfigError(f"folder {str(path.parent)!r} is not there", hint="make it first")


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name survives a power cut too
        finally:
            os.close(folder)
    except OSError as error:
        raise SourceError(f"{str(path)!r} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # mostly renamed by now
            beside.unlink()


def _blocks(rows: Rows, size: int = _BLOCK_ROWS) -> Iterator[pa.RecordBatch]:
    if isinstance(rows, pa.Table):
        for start in range(0, rows.num_rows, size):
            yield from _light(rows.slice(start, size).combine_chunks())
        return
    for batch in rows:
        for start in range(0, batch.num_rows, size):
            yield from _light(pa.Table.from_batches([batch.slice(start, size)]))


def _light(block: pa.Table) -> Iterator[pa.RecordBatch]:
    if block.num_rows > 1 and block.nbytes > _BLOCK_BYTES:
        half = block.num_rows // 2
        yield from _light(block.slice(0, half))
        yield from _light(block.slice(half))
    else:
        yield from block.combine_chunks().to_batches()


def _bytes_of(texts: pa.StringArray) -> memoryview:
    _, ends, data = texts.buffers()
    first, last = texts.offset, texts.offset + len(texts)
    offsets = memoryview(ends).cast("i")
    return memoryview(data if data is not None else b"")[offsets[first] : offsets[last]]


def _ndjson(rows: Rows, stream: BinaryIO, _terminal: bool) -> int:
    written = 0
    for block in _blocks(rows):
        stream.write(_bytes_of(json_rows(block, ending="\n")))
        written += block.num_rows
    return written


def _json(rows: Rows, stream: BinaryIO, _terminal: bool) -> int:
    stream.write(b'{"schema_version":%d,"rows":[' % SCHEMA_VERSION)
    written = 0
    for block in _blocks(rows):
        stream.write(b",\n" if written else b"\n")
        stream.write(_bytes_of(json_rows(block, ending=",\n"))[:-2])
        written += block.num_rows
    stream.write(b"\n]}\n" if written else b"]}\n")
    return written


def _csv(rows: Rows, stream: BinaryIO, terminal: bool) -> int:
    from pyarrow.csv import WriteOptions, write_csv

    names = rows.schema.names
    write_csv(pa.table({name: pa.nulls(0, pa.string()) for name in names}), stream)
    written = 0
    for block in _blocks(rows):
        columns = [_csv_cells(column, terminal) for column in block.columns]
        sheet = pa.table(columns, names=names)
        out = pa.BufferOutputStream()
        write_csv(sheet, out, write_options=WriteOptions(include_header=False))
        stream.write(out.getvalue())
        written += block.num_rows
    return written


def _csv_cells(values: pa.Array, terminal: bool) -> pa.Array:
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return values
    cells = plain_column(values)
    runs = pc.and_not(
        pc.match_substring_regex(cells, _FORMULA), pc.match_substring_regex(cells, _NUMBER)
    )
    if pc.any(runs).as_py():
        cells = pc.if_else(runs, pc.binary_join_element_wise("'", cells, ""), cells)
    return visible_column(cells) if terminal else cells


def _parquet(rows: Rows, stream: BinaryIO, terminal: bool) -> int:
    from pyarrow.parquet import ParquetWriter

    if terminal:
        raise ConfigError("form 'parquet' is not for a terminal", hint="add -o FILE")
    written = 0
    out = pa.PythonFile(stream, mode="w")
    with ParquetWriter(out, rows.schema, compression="zstd") as writer:
        for block in _blocks(rows, _GROUP_ROWS):
            writer.write_batch(block)
            written += block.num_rows
    return written


def _table(rows: Rows, stream: BinaryIO, terminal: bool) -> int:
    names = rows.schema.names
    right = [pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in rows.schema.types]
    lay_out = _rich_layout(names, right) if terminal else _plain_layout(names, right)
    written = 0
    for block in _blocks(rows, _PAGE_ROWS):
        stream.write(lay_out([_table_cells(column) for column in block.columns]))
        written += block.num_rows
    if not written:
        stream.write(lay_out([pa.array([], pa.string()) for _ in names]))
    return written


def _table_cells(values: pa.Array) -> pa.StringArray:
    if pa.types.is_floating(values.type):
        numbers = (None if number is None else f"{number:.4g}" for number in values.to_pylist())
        return pa.array(numbers, pa.string()).fill_null("")
    cells = plain_column(values).fill_null("")
    if pa.types.is_timestamp(values.type):
        cells = pc.replace_substring_regex(cells, r"\.000000Z$", "Z")
    return visible_column(cells)


_Layout: TypeAlias = Callable[[list[pa.StringArray]], bytes]


def _plain_layout(names: list[str], right: list[bool]) -> _Layout:
    widths: list[int] = []

    def lay_out(columns: list[pa.StringArray]) -> bytes:
        head = not widths
        if head:  # the first block sets the widths for all
            widths.extend(map(_width, names, columns))
            columns = [
                pa.concat_arrays([pa.array([name]), column])
                for name, column in zip(names, columns, strict=True)
            ]
        padded = [
            (pc.utf8_lpad if to_right else pc.utf8_rpad)(column, width)
            for column, width, to_right in zip(columns, widths, right, strict=True)
        ]
        lines = pc.utf8_rtrim(pc.binary_join_element_wise(*padded, "  "), " ")
        return bytes(_bytes_of(pc.binary_join_element_wise(lines, "\n", "")))

    return lay_out


def _width(name: str, column: pa.StringArray) -> int:
    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    return max(len(name), min(longest, _CELL_WIDTH))


def _rich_layout(names: list[str], right: list[bool]) -> _Layout:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def lay_out(columns: list[pa.StringArray]) -> bytes:
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for name, to_right in zip(names, right, strict=True):
            table.add_column(Text(name), overflow="fold", justify="right" if to_right else "left")
        for row in zip(*(column.to_pylist() for column in columns), strict=True):
            table.add_row(*map(Text, row))  # Text is shown as it is, a string could be markup
        page = Console(
            file=StringIO(), force_terminal=True, width=shutil.get_terminal_size().columns
        )
        with page.capture() as shown:
            page.print(table)
        return shown.get().encode()

    return lay_out


_WRITERS: dict[str, _Writer] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}
