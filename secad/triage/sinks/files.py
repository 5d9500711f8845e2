"""Alerts into one file: CSV, JSON, NDJSON or Parquet.

The file appears whole or not at all, and what lies there is overwritten only where that was
asked for. Columns beyond ALERTS, such as the status, are written too. See ``secad.base.rows``
for the forms.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from secad.base.rows import check_writable, write_file
from secad.base.schemas import ALERTS, conform


class _RowsFile:
    """A file that one sink keeps, and so may replace by what it is given next."""

    def __init__(self, path: Path | str, form: str, *, overwrite: bool) -> None:
        self._path = Path(path)
        self._form = form
        self._mine = overwrite
        check_writable(self._path, overwrite=overwrite)

    def write(self, alerts: pa.Table) -> None:
        conform(alerts, ALERTS, room=f"the {self._form} sink")
        write_file(alerts, self._form, self._path, overwrite=self._mine)
        self._mine = True


class CsvFile:
    """Keeps alerts in a CSV file, for spreadsheets.

    Args:
        path: the file.
        overwrite: whether it may be there already.

    Raises:
        ConfigError: it is there already, or cannot be a file.
    """

    name = "csv"

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self._file = _RowsFile(path, "csv", overwrite=overwrite)

    def write(self, alerts: pa.Table) -> None:
        """Puts these alerts, and no others, into the file; see ``Sink.write``."""
        self._file.write(alerts)


class JsonFile:
    """Keeps alerts in one JSON document; arguments and errors as of ``CsvFile``."""

    name = "json"

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self._file = _RowsFile(path, "json", overwrite=overwrite)

    def write(self, alerts: pa.Table) -> None:
        """Puts these alerts, and no others, into the file; see ``Sink.write``."""
        self._file.write(alerts)


class NdjsonFile:
    """Keeps alerts as a JSON object a line; arguments and errors as of ``CsvFile``."""

    name = "ndjson"

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self._file = _RowsFile(path, "ndjson", overwrite=overwrite)

    def write(self, alerts: pa.Table) -> None:
        """Puts these alerts, and no others, into the file; see ``Sink.write``."""
        self._file.write(alerts)


class ParquetFile:
    """Keeps alerts in a Parquet file; arguments and errors as of ``CsvFile``."""

    name = "parquet"

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self._file = _RowsFile(path, "parquet", overwrite=overwrite)

    def write(self, alerts: pa.Table) -> None:
        """Puts these alerts, and no others, into the file; see ``Sink.write``."""
        self._file.write(alerts)
