"""``secad events``, ``secad rejects`` and ``secad scores``: rows of the store, filtered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import pyarrow as pa

from secad.cli.options import Span, time_options
from secad.cli.output import Output, row_options
from secad.cli.session import common_options, session_of

F = TypeVar("F", bound=Callable[..., Any])

_SHOWN = (
    "time",
    "dataset",
    "host_name",
    "event_action",
    "event_outcome",
    "user_name",
    "process_name",
    "source_ip",
    "message",
    "source_path",
    "line",
)


@click.group()
@common_options
def events() -> None:
    """List and export events."""


def _event_options(command: F) -> F:
    options = [
        click.option("--dataset", help="Only of this dataset."),
        click.option(
            "--where",
            metavar="SQL",
            help="Only rows that hold, e.g. \"user_name = 'root' and event_outcome = 'failure'\".",
        ),
        click.option("--columns", metavar="NAME,...", help="Only these columns."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@events.command("list")
@_event_options
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@time_options
@row_options
@common_options
@click.pass_context
def list_events(
    context: click.Context,
    *,
    dataset: str | None,
    where: str | None,
    columns: str | None,
    limit: int,
    span: Span,
    output: Output,
) -> None:
    """Print the first events, by time."""
    session = session_of(context)
    wanted = columns.split(",") if columns else list(_SHOWN)
    rows = session.known_store().events(
        dataset=dataset,
        where=where,
        columns=wanted,
        since=span.since,
        until=span.until,
        limit=limit,
    )
    output.emit(rows)


@events.command("export")
@_event_options
@time_options
@row_options
@common_options
@click.pass_context
def export_events(
    context: click.Context,
    *,
    dataset: str | None,
    where: str | None,
    columns: str | None,
    span: Span,
    output: Output,
) -> None:
    """Write all events with every column, their places, template ids and templates."""
    session = session_of(context)
    rows = session.known_store().events(
        dataset=dataset,
        where=where,
        columns=columns.split(",") if columns else None,
        since=span.since,
        until=span.until,
        templates=True,
    )
    output.emit(rows)


@click.group()
@common_options
def rejects() -> None:
    """List and export what could not be parsed."""


@rejects.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@row_options
@common_options
@click.pass_context
def list_rejects(context: click.Context, limit: int, output: Output) -> None:
    """Print the first rejected records with their reasons."""
    output.emit(_readable(session_of(context).known_store().rejects().slice(0, limit)))


@rejects.command("export")
@row_options
@common_options
@click.pass_context
def export_rejects(context: click.Context, output: Output) -> None:
    """Write all rejected records with their reasons."""
    output.emit(_readable(session_of(context).known_store().rejects()))


def _readable(rows: pa.Table) -> pa.Table:
    """Returns rejects with ``raw`` as text, damaged UTF-8 in it replaced."""
    raw = [
        None if value is None else value.decode("utf-8", "replace")
        for value in rows["raw"].to_pylist()
    ]
    return rows.set_column(rows.column_names.index("raw"), "raw", pa.array(raw, pa.string()))


@click.group()
@common_options
def scores() -> None:
    """Export every subject's score."""


@scores.command("export")
@click.option("--model", required=True, metavar="NAME", help="The model, e.g. ape.")
@time_options
@row_options
@common_options
@click.pass_context
def export_scores(
    context: click.Context,
    *,
    model: str,
    span: Span,
    output: Output,
) -> None:
    """Write each subject's score and p-value with the places of its events."""
    session = session_of(context)
    output.emit(session.known_store().scores(model, since=span.since, until=span.until))
