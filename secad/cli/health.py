"""``secad status``, ``secad doctor`` and ``secad store check``: health is told."""

from __future__ import annotations

import click
import pyarrow as pa
import pyarrow.compute as pc

from secad.cli.output import Output, row_options
from secad.cli.session import common_options, session_of

_DATA_ERROR = 4


@click.command()
@row_options
@common_options
@click.pass_context
def status(context: click.Context, output: Output) -> None:
    """Tell what the store holds, what was rejected, and what the last runs could not do."""
    output.emit(session_of(context).known_store().status())


@click.command()
@row_options
@common_options
@click.pass_context
def doctor(context: click.Context, output: Output) -> int:
    """Check this installation, its settings and the store's folder."""
    from secad.pipeline.health import checks

    session = session_of(context)
    found = checks(lambda: session.config)
    output.emit(found)
    return _DATA_ERROR if _any(found, "state", "failed") else 0


@click.group()
@common_options
def store() -> None:
    """Check the store."""


@store.command()
@row_options
@common_options
@click.pass_context
def check(context: click.Context, output: Output) -> int:
    """Verify that files, database and evidence agree; exit code 4 where they do not."""
    found = session_of(context).known_store().check()
    output.emit(found)
    return _DATA_ERROR if _any(found, "state", "damaged") else 0


def _any(rows: pa.Table, column: str, value: str) -> bool:
    return bool(pc.any(pc.equal(rows.column(column), value)).as_py())
