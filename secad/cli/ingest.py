"""``secad ingest``: logs into the store, with what became of each told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from secad.base.errors import SourceError
from secad.cli.session import F, Session, common_options, progress_bar, session_of, stoppable

if TYPE_CHECKING:
    from secad.pipeline.ingest_report import IngestReport, SourceReport
    from secad.pipeline.reading import Progress

_DEGRADED = 3
_MOST_LISTED = 50  # sources; of more, only those with something to tell are listed
_NAMED = 3


class Words(NamedTuple):
    """What records, the rows that they become, and those that become none are called."""

    lines: str
    events: str
    skipped: str


EVENT_WORDS = Words("lines", "events", "blank or comment")
ALERT_WORDS = Words("records", "occurrences", "no alerts")


_READING = (
    click.option(
        "--map",
        "map_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Field map of JSON lines or CSV (TOML).",
    ),
    click.option("--tz", metavar="ZONE", help="Zone of times that name none.  [default: UTC]"),
    click.option(
        "--max-error-rate",
        type=float,
        metavar="R",
        help="Share of rejects above which the exit code is 3.  [default: 0.1]",
    ),
)


def _how_to_read(command: F) -> F:
    """Adds the options that logs and other tools' alerts are read with alike."""
    for option in reversed(_READING):
        command = option(command)
    return command


@click.group()
@common_options
def ingest() -> None:
    """Read logs into the store."""


@ingest.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Format of the logs; `secad doctor` lists them.",
)
@_how_to_read
@click.option(
    "--templates",
    type=click.Choice(["learn", "frozen"]),
    help="Open templates for new kinds of lines, or give these the id new.  [default: learn]",
)
@common_options
@click.pass_context
def logs(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    format_name: str,
    map_file: Path | None,
    tz: str | None,
    max_error_rate: float | None,
    templates: str | None,
) -> int:
    """Read log files, folders and archives (`-` is standard input) into the store.

    Each record becomes an event or, where it cannot be read, a reject with the reason; reading
    the same bytes again adds nothing.
    """
    session = session_of(context)
    if tz is not None:
        session.flags["ingest.tz"] = tz
    if max_error_rate is not None:
        session.flags["ingest.max_error_rate"] = max_error_rate
    if templates is not None:
        session.flags["ingest.templates"] = templates
    limit = session.config.number("ingest.max_error_rate")
    with stoppable() as check, progress_bar(session, _size(paths), "bytes") as step:

        def told(path: str, size: int) -> None:
            step(path, size)
            check()

        report = session.store.ingest(
            paths, format=format_name, map_file=map_file, now=session.now, told=told
        )
    _tell(session, report)
    return _exit_code(report, limit, session)


@ingest.command("alerts")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Format of the alerts: suricata, wazuh, snort, ...; `secad doctor` lists them.",
)
@_how_to_read
@common_options
@click.pass_context
def ingest_alerts(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    format_name: str,
    map_file: Path | None,
    tz: str | None,
    max_error_rate: float | None,
) -> int:
    """Read alerts of other tools (Suricata, Wazuh, Sigma runners, ...) into the alert store.

    Each alert is one more occurrence of a finding: the same rule about the same entities makes one
    alert an episode. Reading the same bytes again adds nothing.
    """
    session = session_of(context)
    if tz is not None:
        session.flags["ingest.tz"] = tz
    if max_error_rate is not None:
        session.flags["ingest.max_error_rate"] = max_error_rate
    limit = session.config.number("ingest.max_error_rate")
    with stoppable() as check, progress_bar(session, _size(paths), "bytes") as step:

        def told(path: str, size: int) -> None:
            step(path, size)
            check()

        done = session.store.ingest_alerts(
            paths, format=format_name, map_file=map_file, now=session.now, told=told
        )
    _tell(session, done.report, ALERT_WORDS)
    counts = done.alerts
    more = f", {counts.taken_over:,} joined to another" if counts.taken_over else ""
    session.say(
        f"{counts.new:,} alerts new, {counts.updated:,} updated{more}; read them with: "
        "secad rank-alerts",
        **vars(counts),
    )
    return _exit_code(done.report, limit, session, ALERT_WORDS)


def _size(paths: tuple[str, ...]) -> int | None:
    """Returns the bytes of plain files, None where it cannot be known before reading."""
    try:
        return sum(os.stat(path).st_size for path in paths)  # noqa: PTH116 - paths are strings
    except OSError:
        return None


def _tell(session: Session, report: IngestReport, words: Words = EVENT_WORDS) -> None:
    beside = report.beside()
    others = [source for source in report.sources if not source.is_beside]
    many = len(others) > _MOST_LISTED
    for source in others:
        plain = many and not source.problem and not source.read.rejects
        told = session.say_more if plain else session.say
        told(_line(source, words), path=source.path, outcome=source.outcome, **vars(source.read))
    for source in beside:
        session.say_more(_line(source, words), path=source.path, outcome=source.outcome)
    if beside:
        first = ", ".join(source.path for source in beside[:_NAMED])
        more = f" and {len(beside) - _NAMED:,} more (--verbose lists them)"
        session.say(
            f"of no known format, left alone: {first}{more if len(beside) > _NAMED else ''}",
            unrecognised=len(beside),
        )
    if len(others) > 1:
        for name, (count, read) in report.by_format().items():
            session.say(
                f"{name}: {count:,} sources, {_counts(read, words)}", format=name, **vars(read)
            )
    total = report.total()
    rate = total.lines / report.seconds if report.seconds else 0.0
    session.say(
        f"{total.lines:,} {words.lines} = {total.events:,} {words.events} "
        f"+ {total.joined:,} joined + {total.rejects:,} rejects "
        f"+ {total.skipped:,} {words.skipped}; {len(report.sources):,} sources, "
        f"{report.seconds:.1f} s, {rate:,.0f} {words.lines}/s",
        **vars(total),
        seconds=round(report.seconds, 3),
        sources=len(report.sources),
    )


def _line(source: SourceReport, words: Words) -> str:
    head = f"{source.path}: {source.outcome}"
    if source.format:
        head += f" as {source.format}"
    if source.read.lines:
        head += f", {_counts(source.read, words)}"
    return f"{head}: {source.problem}" if source.problem else head


def _counts(read: Progress, words: Words) -> str:
    """Returns what became of lines, without what did not happen."""
    text = f"{read.lines:,} {words.lines} = {read.events:,} {words.events}"
    for count, word in (
        (read.joined, "joined"),
        (read.rejects, "rejects"),
        (read.skipped, words.skipped),
    ):
        text += f" + {count:,} {word}" if count else ""
    return text


def _exit_code(
    report: IngestReport, limit: float, session: Session, words: Words = EVENT_WORDS
) -> int:
    failed = report.failed()
    total = report.total()
    unread = [*failed, *report.beside()]
    if unread and len(unread) == len(report.sources) and not total.lines:
        raise SourceError(
            f"nothing could be read: {unread[0].path}: {unread[0].problem}",
            hint="check the paths, or name a format with --format",
        )
    if failed:
        session.say(f"{len(failed)} of {len(report.sources)} sources could not be read in full")
        return _DEGRADED
    rejected = total.rejects / total.lines if total.lines else 0.0
    if rejected > limit:
        session.say(
            f"{rejected:.1%} of the {words.lines} were rejected, over the limit of {limit:.1%}; "
            "see them with: secad rejects list"
        )
        return _DEGRADED
    return 0
