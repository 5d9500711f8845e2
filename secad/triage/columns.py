"""Between the columns of Arrow and the rows of SQL: times, lists of children, ids in portions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Select

from secad.base.errors import ConfigError
from secad.base.schemas import TIME

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PARTITION = 1_000
_PORTION = 900  # below the 999 values that older SQLite takes in one statement


def to_us(time: datetime) -> int:
    """Returns an aware time as microseconds since the epoch.

    Raises:
        ConfigError: the time has no zone.
    """
    if time.tzinfo is None:
        raise ConfigError(f"time {time.isoformat()!r} has no zone, such as Z or +02:00")
    return (time - _EPOCH) // _MICROSECOND


def from_us(stamp: int) -> datetime:
    """Returns the time, in UTC, of microseconds since the epoch."""
    return _EPOCH + stamp * _MICROSECOND


def times(stamps: Sequence[int | None]) -> pa.Array:
    """Returns a column of times from microseconds since the epoch."""
    return pa.array(stamps, pa.int64()).cast(TIME)


def values(column: pa.Array) -> list[Any]:
    """Returns a column as the database's driver takes it, times in microseconds."""
    return list((column.cast(pa.int64()) if column.type == TIME else column).to_pylist())


def fetch(
    connection: Connection,
    query: Select[Any],
    owner: ColumnElement[str] | None = None,
    ids: Sequence[str] = (),
) -> dict[str, list[Any]]:
    """Returns what a query finds, as columns.

    Args:
        connection: the store.
        query: in its order; with ``owner``, in its order within each portion of ids.
        owner: where given, only rows in which this column is one of ``ids``.
        ids: any number of them; they go out in portions that one statement can name.
    """
    columns: dict[str, list[Any]] = {str(column.key): [] for column in query.selected_columns}
    queries = [query]
    if owner is not None:
        portions = (ids[start : start + _PORTION] for start in range(0, len(ids), _PORTION))
        queries = [query.where(owner.in_(portion)) for portion in portions]
    for one in queries:
        # few rows at a time: many living tuples keep the garbage collector busy
        for rows in connection.execute(one).partitions(_PARTITION):
            for column, found in zip(columns.values(), zip(*rows, strict=True), strict=True):
                column.extend(found)
    return columns


def children(ids: Sequence[str], lists: pa.ListArray) -> Mapping[str, Sequence[Any]]:
    """Returns the structs of (N,) lists as columns, with their owner and their place in its list.

    Args:
        ids: (N,) who owns each list.
        lists: (N,) lists of structs, none null.
    """
    lengths = lists.value_lengths().to_numpy()
    items = lists.flatten()
    owners = np.repeat(np.arange(len(ids)), lengths)
    starts = np.cumsum(lengths) - lengths
    columns: dict[str, Sequence[Any]] = {
        "alert_id": [ids[owner] for owner in owners.tolist()],
        "position": (np.arange(len(items)) - starts[owners]).tolist(),
    }
    for place, field in enumerate(items.type):
        name = f"{field.name}_us" if field.type == TIME else field.name
        columns[name] = values(pc.struct_field(items, place))
    return columns


def grouped(ids: Sequence[str], owners: Sequence[Any], items: pa.Array) -> pa.ListArray:
    """Returns (N,) lists of the items that each id owns.

    Args:
        ids: (N,) distinct.
        owners: (M,) who owns each item, one of ``ids``; each owner's items in their order.
        items: (M,) of any type.
    """
    place = {owner: row for row, owner in enumerate(ids)}
    rows = np.fromiter((place[str(owner)] for owner in owners), np.int64, len(owners))
    offsets = np.zeros(len(ids) + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=len(ids)), out=offsets[1:])
    return pa.ListArray.from_arrays(
        pa.array(offsets), items.take(pa.array(np.argsort(rows, kind="stable")))
    )
