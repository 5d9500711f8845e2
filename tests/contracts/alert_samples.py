"""The sample of each alert format, found by the format's name, and its records."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import pyarrow as pa

from secad import plugins
from secad.base.protocols import FieldMap, Format, Frames, ParseContext
from secad.collect.alerts.maps import ALERT_COLUMNS
from secad.collect.field_maps import load_field_map
from secad.collect.transports.files import Stream, find_streams
from secad.collect.transports.lines import Place, read_lines

FOLDER = Path(__file__).resolve().parents[2] / "sample_logs" / "alerts"


def sample_path(name: str) -> Path:
    """Returns the sample of an alert format."""
    found = [path for path in sorted(FOLDER.glob(f"{name}.*")) if path.suffix != ".toml"]
    assert len(found) == 1, f"sample_logs/alerts/{name}.* must be one file, it is {found}"
    return found[0]


def map_path(name: str) -> Path | None:
    """Returns the field map that goes with a sample, where one does."""
    path = FOLDER / f"{name}.toml"
    return path if path.is_file() else None


def sample(name: str) -> tuple[Format, pa.RecordBatch, ParseContext]:
    """Returns an alert format, LINES of its sample and the context to parse them in."""
    return plugins.alert_format_named(name), *read_sample(name)


@cache
def read_sample(name: str) -> tuple[pa.RecordBatch, ParseContext]:
    """Returns LINES of a sample and the context to parse them in; both are the same each time."""
    form = plugins.alert_format_named(name)
    streams = find_streams(str(sample_path(name)))  # kept, since it closes the file when it goes
    stream = next(streams)
    assert isinstance(stream, Stream)
    path = map_path(name)
    field_map: FieldMap | None = load_field_map(path, ALERT_COLUMNS) if path else None
    with stream:
        if isinstance(form, Frames) and form.is_framed(stream.head):
            stream.spool()
            batches = [lines for lines, _ in form.frames(stream.file, 1 << 20)]
        else:
            parts = read_lines(stream.file, Place(), batch_bytes=1 << 20, max_line_bytes=1 << 20)
            batches = [part.lines for part in itertools.islice(parts, 4)]
        context = ParseContext(stream.modified_time, head=stream.head, field_map=field_map)
    lines = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    return lines, context
