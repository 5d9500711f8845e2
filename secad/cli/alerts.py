"""``secad rank-alerts`` and ``secad alerts``: what was found, why, and the rows that show it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from secad.cli.options import Span, time_options
from secad.cli.output import Output, row_options
from secad.cli.session import common_options, session_of

if TYPE_CHECKING:
    import pyarrow as pa

    from secad.triage.reading import AlertFilter

F = TypeVar("F", bound=Callable[..., Any])

SEVERITIES = ("informational", "low", "medium", "high", "critical", "fatal")
"""OCSF's words for severities 1 to 6."""

_SHORT = ("alert_id", "severity", "detector", "view", "time_start", "count", "status", "reason")
_GATE_TRIPPED = 1


@click.command("rank-alerts")
@click.option(
    "--top",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Only the first N.",
)
@click.option("--budget", type=click.IntRange(1), metavar="N", help="At most N of each day.")
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="Exit code 1 where an alert is at least this severe.",
)
@time_options
@row_options
@common_options
@click.pass_context
def rank_alerts(
    context: click.Context,
    *,
    top: int,
    budget: int | None,
    fail_on: str | None,
    span: Span,
    output: Output,
) -> int:
    """Print the alerts to read first: by severity, then by how unlikely they are by chance.

    Alerts of other tools have no p-value; they stand behind ours of the same severity.
    """
    session = session_of(context)
    ranked = session.known_store().rank(top=top, budget=budget, since=span.since, until=span.until)
    if output.form == "table":
        output.emit(_for_people(ranked))
    else:
        output.emit(ranked)
    if not ranked.num_rows:
        session.say("no alerts; score the events with: secad detect")
    worst = max(ranked.column("severity").to_pylist(), default=0)
    return _GATE_TRIPPED if fail_on and worst >= SEVERITIES.index(fail_on) + 1 else 0


def _for_people(ranked: pa.Table) -> pa.Table:
    """Returns what fits a screen: who and what in words, ids short, times to the second."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pa.array([SEVERITIES[number - 1] for number in ranked.column("severity").to_pylist()])
    seconds = pc.floor_temporal(ranked.column("time_start"), unit="second")
    columns = {
        "rank": ranked.column("rank"),
        "alert": pc.utf8_slice_codeunits(ranked.column("alert_id"), 0, 8),
        "severity": words,
        "p": pc.round(ranked.column("p_value"), 6),
        "detector": ranked.column("detector"),
        "time": seconds,
        "count": ranked.column("count"),
        "reason": ranked.column("reason"),
    }
    return pa.table(columns)


@click.group()
@common_options
def alerts() -> None:
    """List, show, explain and export alerts."""


def _filter_options(command: F) -> F:
    """Adds the filters of alerts, which reach the command as ``where``."""

    @wraps(command)
    def with_filter(
        *args: Any,
        span: Span,
        detector: str | None,
        severity: str | None,
        status: str | None,
        host: str | None,
        entity: str | None,
        text: str | None,
        **options: Any,
    ) -> Any:
        from secad.triage.reading import AlertFilter

        where = AlertFilter(
            time_from=span.since,
            time_to=span.until,
            detector=detector,
            min_severity=SEVERITIES.index(severity) + 1 if severity else None,
            status=status,
            host=host,
            entity=entity,
            text=text,
        )
        return command(*args, where=where, **options)

    added: Any = time_options(with_filter)
    for option in reversed(_FILTERS):
        added = option(added)
    return cast("F", added)


_FILTERS = (
    click.option("--detector", metavar="NAME", help="Only of this model."),
    click.option("--severity", type=click.Choice(SEVERITIES), help="At least this severe."),
    click.option(
        "--status",
        type=click.Choice(["new", "acknowledged", "in_progress", "closed", "suppressed"]),
    ),
    click.option("--host", metavar="NAME", help="Only on this host."),
    click.option("--entity", metavar="VALUE", help="Only with this user, process, address, ..."),
    click.option("--text", metavar="TEXT", help="Only where the reason or an entity holds it."),
)


@alerts.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@_filter_options
@row_options
@common_options
@click.pass_context
def list_alerts(context: click.Context, limit: int, where: AlertFilter, output: Output) -> None:
    """Print the latest alerts."""
    store = session_of(context).known_store().alert_store
    output.emit(store.alerts(where, limit=limit).select(_SHORT))


@alerts.command("export")
@_filter_options
@row_options
@common_options
@click.pass_context
def export_alerts(context: click.Context, where: AlertFilter, output: Output) -> None:
    """Write alerts with everything that is known of them."""
    output.emit(session_of(context).known_store().alert_store.alerts(where))


@alerts.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@row_options
@common_options
@click.pass_context
def evidence(context: click.Context, ids: tuple[str, ...], output: Output) -> None:
    """Write one row per alert and evidence record, of all alerts or of those named."""
    store = session_of(context).known_store().alert_store
    whole = [store.resolve(prefix) for prefix in ids] or None
    output.emit(store.evidence(whole))


@alerts.command()
@click.argument("alert_id", metavar="ID")
@row_options
@common_options
@click.pass_context
def occurrences(context: click.Context, alert_id: str, output: Output) -> None:
    """Write every occurrence of another tool's alert, by time, with its place in its file."""
    found = session_of(context).known_store().occurrences(alert_id)
    filled = [name for name in found.column_names if found[name].null_count < found.num_rows]
    output.emit(found.select(filled))


@alerts.command()
@click.argument("alert_id", metavar="ID")
@row_options
@common_options
@click.pass_context
def show(context: click.Context, alert_id: str, output: Output) -> None:
    """Print one alert; ID may be the first letters of an id."""
    found = session_of(context).known_store().alert_store.find(alert_id)
    output.emit(_upright(found) if output.form == "table" else found)


def _upright(found: pa.Table) -> pa.Table:
    """Returns one row as rows of name and value, without the lists that have commands of theirs."""
    import pyarrow as pa

    from secad.base.json_text import plain_column

    names = [name for name in found.column_names if name not in {"evidence", "explanation"}]
    values = [plain_column(found.column(name).combine_chunks())[0].as_py() for name in names]
    return pa.table({"field": names, "value": pa.array(values, pa.string())})


@alerts.command()
@click.argument("alert_id", metavar="ID")
@click.option("--raw", is_flag=True, help="Read the source rows again and verify their hashes.")
@row_options
@common_options
@click.pass_context
def explain(context: click.Context, alert_id: str, raw: bool, output: Output) -> None:
    """Print why an alert was raised: the terms of its score, or with --raw the source rows."""
    session = session_of(context)
    store = session.known_store()
    if raw:
        rows = store.raw_evidence(alert_id)
        output.emit(rows)
        lost = sum(state != "verified" for state in rows.column("state").to_pylist())
        if lost:
            session.say(f"{lost} of {rows.num_rows} records could not be verified, see state")
        return
    terms = store.explain(alert_id)
    if output.form == "table":
        session.say(terms.column("reason")[0].as_py())
        terms = terms.drop_columns(["alert_id", "reason"])
    output.emit(terms)
