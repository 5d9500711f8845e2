"""Rows on standard output or in a file, in the form that was asked for.

Without ``--format`` it is a table on a terminal and NDJSON in a pipe or a file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import pyarrow as pa

from secad.base.rows import FORMS, check_writable, write_file, write_rows

F = TypeVar("F", bound=Callable[..., Any])

_SUFFIXES = {".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}
_SUFFIXES |= {".parquet": "parquet", ".txt": "table"}


class Output:
    """Where rows go.

    Args:
        form: ``--format``, None to decide.
        path: ``-o``, None for standard output.
        force: whether the file may be there already.
    """

    def __init__(self, form: str | None, path: Path | None, *, force: bool) -> None:
        self._path = path
        self._force = force
        if path is not None:
            check_writable(path, overwrite=force)
        self.form = form or self._usual()

    def emit(self, rows: pa.Table | pa.RecordBatchReader) -> int:
        """Writes the rows and returns how many there were."""
        if self._path is not None:
            return write_file(rows, self.form, self._path, overwrite=self._force)
        return write_rows(rows, self.form, sys.stdout.buffer)

    def _usual(self) -> str:
        if self._path is not None:
            return _SUFFIXES.get(self._path.suffix.lower(), "ndjson")
        return "table" if sys.stdout.isatty() else "ndjson"


def row_options(command: F) -> F:
    """Adds ``--format``, ``-o`` and ``--force``, which reach the command as ``output``."""

    @wraps(command)
    def with_output(
        *args: Any, form: str | None, path: Path | None, force: bool, **options: Any
    ) -> Any:
        return command(*args, output=Output(form, path, force=force), **options)

    added: Any = with_output
    for option in reversed(_OPTIONS):
        added = option(added)
    return cast("F", added)


_OPTIONS = (
    click.option("--format", "form", type=click.Choice(FORMS), help="Form of the rows."),
    click.option(
        "-o",
        "--output",
        "path",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write to a file.",
    ),
    click.option("--force", is_flag=True, help="Overwrite the file."),
)
