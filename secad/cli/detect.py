"""``secad fit`` and ``secad detect``: models over the events of the store, alerts out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from secad.base.errors import ModelError
from secad.cli.options import Span, time_options
from secad.cli.session import Session, common_options, progress_bar, session_of, stoppable

if TYPE_CHECKING:
    from secad.pipeline.runs import DetectReport

_DEGRADED = 3


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@time_options
@common_options
@click.pass_context
def fit(context: click.Context, models: tuple[str, ...], span: Span) -> int:
    """Fit models anew on the events of the store, without scoring any."""
    return _run(context, models, span, scoring=False)


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@time_options
@common_options
@click.pass_context
def detect(context: click.Context, models: tuple[str, ...], span: Span) -> int:
    """Score the events that were not scored yet and write alerts; fits what is not fitted."""
    return _run(context, models, span, scoring=True)


def _run(context: click.Context, models: tuple[str, ...], span: Span, *, scoring: bool) -> int:
    session = session_of(context)
    store = session.known_store()
    work = store.detect if scoring else store.fit
    with stoppable() as check, progress_bar(session, None, "steps") as step:

        def told(label: str, steps: int) -> None:
            step(label, steps)
            session.say_more(label)
            check()

        report = work(models, since=span.since, until=span.until, now=session.now, told=told)
    _tell(session, report)
    if report.inert and not report.fits:
        raise ModelError(
            f"no model could run: {report.inert[0].told()}",
            hint="look at what the store holds with: secad status",
        )
    return _DEGRADED if models and report.inert else 0


def _tell(session: Session, report: DetectReport) -> None:
    for fit_told in report.fits:
        session.say(fit_told.told(), **fit_told.facts())
    for inert in report.inert:
        session.say(inert.told(), **vars(inert))
    session.say(report.told(), **report.facts())
