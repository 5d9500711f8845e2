"""Parquet files as JSON lines: one object a row, keys in the order of the schema, nulls left out.

The same file gives the same bytes each time, so that a row has a place among them by which it is
read again. Rows are decoded a batch at a time, and never a whole row group.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from secad.collect.transports.json_writing import as_json

MAGIC = b"PAR1"
_ENCRYPTED = b"PARE"
_BUFFER_BYTES = 1 << 18  # of each column while it is read
_BATCH_BYTES = 16 << 20  # of the plain values of a batch, by the file's own word
_PART_BYTES = 64 << 20  # of the texts that are written out together
_MOST_ROWS = 8192
_MOST_RATIO = 20_000  # plain bytes of a row group for each of the file; runs come to 5,000
_FREE_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20
_LINE_END = pa.scalar("\n", pa.large_string())
_NO_TEXT = frozenset(range(32)) - frozenset(b"\t\n\r")
_THRIFT_BYTES = 256 << 20  # of the footer's description of columns


def is_parquet(head: bytes) -> bool:
    """Returns whether a stream with this head is a Parquet file, and no text that begins so."""
    return head.startswith((MAGIC, _ENCRYPTED)) and len(head) > 4 and head[4] in _NO_TEXT


def json_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yields the rows of a Parquet file as JSON lines, in pieces of whole lines.

    Args:
        file: seekable.

    Raises:
        ValueError: a row group is too large for its bytes, or the file is encrypted.
        pa.ArrowException: it is damaged, or of a kind that is not read.
        OSError: as before.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(4) == _ENCRYPTED:
        raise ValueError("its footer is encrypted")
    metadata = pq.read_metadata(file)
    source = pq.ParquetFile(
        file,
        metadata=metadata,
        read_dictionary=_texts(metadata),
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,  # else whole row groups would be read ahead
        thrift_string_size_limit=_THRIFT_BYTES,
        thrift_container_size_limit=_THRIFT_BYTES,
    )
    for number in range(metadata.num_row_groups):
        rows = _rows_of_batch(metadata.row_group(number), size_bytes)
        for batch in source.iter_batches(rows, row_groups=[number], use_threads=False):
            for part in _small(batch):
                yield from _pieces(as_json(part))


def _texts(metadata: pq.FileMetaData) -> list[str]:
    """Returns the columns of texts: a value that many rows share is then held once."""
    columns = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    return [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY" and column.max_repetition_level == 0
    ]


def _small(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yields a batch in parts whose texts, written out, are small or those of one row."""
    size = sum(map(_written_out, batch.columns))
    if size <= _PART_BYTES or batch.num_rows <= 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _small(batch.slice(0, half))
    yield from _small(batch.slice(half))


def _written_out(column: pa.Array) -> int:
    """Returns how many bytes the texts of a column take."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary.cast(pa.large_binary()))
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _rows_of_batch(group: pq.RowGroupMetaData, size_bytes: int) -> int:
    """Returns how many rows of a row group are read at a time.

    Its columns' own descriptions are not looked at: pyarrow ends the process on a damaged one.

    Raises:
        ValueError: it is larger than any that a log has.
    """
    total = group.total_byte_size
    if total > max(_FREE_BYTES, _MOST_RATIO * size_bytes):
        raise ValueError(f"a row group of {total} bytes in a file of {size_bytes}")
    bytes_of_row = max(total, 0) // max(group.num_rows, 1) + 1
    return int(min(max(_BATCH_BYTES // bytes_of_row, 1), _MOST_ROWS))


def _pieces(lines: pa.Array) -> Iterator[bytes]:
    """Yields the bytes of lines, (N,) large_string, with an end behind each."""
    ended = pc.binary_join_element_wise(lines, pa.scalar("", pa.large_string()), _LINE_END)
    text = ended.buffers()[2] if len(ended) else pa.py_buffer(b"")
    for first in range(0, text.size, _PIECE_BYTES):
        yield text.slice(first, min(_PIECE_BYTES, text.size - first)).to_pybytes()
