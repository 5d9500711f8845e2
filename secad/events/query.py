"""Questions to the event store in SQL, answered by DuckDB over its files, in the process.

The engine sees the rows that it is handed and nothing else: it may open no file and load no
extension, whatever a condition says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from secad.base.errors import ConfigError
from secad.events.store import EventStore

_TEMPLATE = pa.field("template", pa.string())
_RESOLVED = """(
    SELECT row.* REPLACE (coalesce(template_alias.template, row.template_id) AS template_id)
    FROM event AS row LEFT JOIN template_alias ON row.template_id = template_alias.template_id
)"""


@dataclass(frozen=True)
class EventQuery:
    """Which events, and which of their columns.

    Args:
        dataset: only of this dataset.
        since: only at or after this time.
        until: only before this time.
        where: an SQL condition on columns.
        columns: only these, None for all.
        limit: only the first ones.
    """

    dataset: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    where: str | None = None
    columns: Sequence[str] | None = None
    limit: int | None = None


def find_events(
    store: EventStore,
    query: EventQuery,
    templates: Mapping[str, str] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> pa.RecordBatchReader:
    """Returns the events that a query names, by time and then by id.

    Args:
        store: the events.
        query: which of them.
        templates: template id -> text; given, the rows have a column ``template``.
        aliases: template id -> the one that stands for it in the rows.

    Raises:
        ConfigError: a column is not known or the condition is not SQL.
    """
    rows, condition = store.events(dataset=query.dataset, since=query.since, until=query.until)
    schema = rows.schema if templates is None else rows.schema.append(_TEMPLATE)
    names = _checked_columns(query.columns, schema)
    tables = {"event": rows.scanner(filter=condition)}
    events, join = "event", ""
    if aliases:
        tables["template_alias"] = _by_id(aliases)
        events = _RESOLVED
    if templates is not None:
        tables["template_text"] = _by_id(templates)
        join = " LEFT JOIN template_text USING (template_id)"
    where = f" WHERE ({query.where})" if query.where else ""
    limit = f" LIMIT {query.limit:d}" if query.limit is not None else ""
    listed = ", ".join(f'"{name}"' for name in names)
    sql = f"SELECT {listed} FROM {events}{join}{where} ORDER BY time, event_id{limit}"  # noqa: S608
    return _typed(_answer(sql, tables), schema)


def _by_id(values: Mapping[str, str]) -> pa.Table:
    columns = {"template_id": list(values), "template": list(values.values())}
    return pa.table(columns, pa.schema([_TEMPLATE.with_name("template_id"), _TEMPLATE]))


def _checked_columns(columns: Sequence[str] | None, schema: pa.Schema) -> list[str]:
    if columns is None:
        return list(schema.names)
    for name in columns:
        if name not in schema.names:
            raise ConfigError(
                f"column {name!r} is not known", hint=f"known are {', '.join(schema.names)}"
            )
    return list(columns)


def _answer(sql: str, tables: Mapping[str, object]) -> pa.RecordBatchReader:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    for name, rows in tables.items():
        connection.register(name, rows)
    try:
        return connection.sql(sql).to_arrow_reader(65_536)
    except duckdb.Error as error:
        raise ConfigError(f"the condition cannot be used: {error}") from error


def _typed(rows: pa.RecordBatchReader, schema: pa.Schema) -> pa.RecordBatchReader:
    """Returns the rows in the types of the store, which DuckDB widens."""
    fields = pa.schema([schema.field(name) for name in rows.schema.names])

    def batches() -> object:
        for batch in rows:
            yield batch.cast(fields)

    return pa.RecordBatchReader.from_batches(fields, batches())
