"""What every command shares: the global options, settings, the open store, and how it is told.

Data goes to standard output; everything said here goes to standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from secad.base.config import Config, Value, load_config
from secad.base.errors import ConfigError, Interrupted

if TYPE_CHECKING:
    from secad.api import Secad

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Session:
    """One run of the command line.

    Args:
        flags: settings given as options, ``section.key`` -> value.
        config_file: ``--config``.
        quiet: say errors only.
        verbose: say more.
        log_format: ``text`` or ``json``, of what goes to standard error.
        progress: whether bars may be drawn.
        color: None decides by the terminal.
    """

    flags: dict[str, Value] = field(default_factory=dict)
    config_file: Path | None = None
    quiet: bool = False
    verbose: bool = False
    log_format: str = "text"
    progress: bool = True
    color: bool | None = None

    @cached_property
    def config(self) -> Config:
        """The settings in force."""
        return load_config(file=self.config_file, flags=self.flags)

    @cached_property
    def now(self) -> datetime:
        """The time of this run."""
        return datetime.now(UTC)

    @property
    def store_path(self) -> Path:
        """The store's folder."""
        return Path(self.config.text("store.path"))

    @cached_property
    def store(self) -> Secad:
        """The store, made where it is absent."""
        from secad.api import Secad

        return Secad(self.store_path, self.config)

    def known_store(self) -> Secad:
        """Returns the store.

        Raises:
            ConfigError: there is none yet.
        """
        from secad.base.database import FILE_NAME

        if not (self.store_path / FILE_NAME).is_file():
            raise ConfigError(
                f"no store is at {str(self.store_path)!r}",
                hint="fill one with: secad ingest logs PATH..., or name one with --store",
            )
        return self.store

    def say(self, text: str, **facts: object) -> None:
        """Writes one line for people, or its facts as JSON for machines, to standard error."""
        from secad.base.escapes import visible

        if self.quiet:
            return
        if self.log_format == "json":
            line = {"time": datetime.now(UTC).isoformat(), "message": text, **facts}
            click.echo(json.dumps(line, default=str), err=True)
        else:
            click.echo(visible(text), err=True)

    def say_more(self, text: str, **facts: object) -> None:
        """Says what only ``--verbose`` asks for."""
        if self.verbose:
            self.say(text, **facts)


def common_options(command: F) -> F:
    """Adds the global options, which may stand before or behind the command's name."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


def session_of(context: click.Context) -> Session:
    """Returns the run's session."""
    return context.find_root().ensure_object(Session)


def _setting(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None:
            session_of(context).flags[key] = value

    return keep


def _attribute(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in {None, False}:
            setattr(session_of(context), name, value)

    return keep


def _no_progress(context: click.Context, _: click.Parameter, value: Any) -> None:
    if value:
        session_of(context).progress = False


def _color(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        color = {"always": True, "never": False, "auto": None}[value]
        session_of(context).color = color
        context.find_root().color = color
        if color is False:
            os.environ["NO_COLOR"] = "1"  # rich asks for it too


_COMMON = (
    click.option(
        "--store",
        metavar="PATH",
        expose_value=False,
        callback=_setting("store.path"),
        help="Folder of the store.  [default: ./secad-store]",
    ),
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=_attribute("config_file"),
        help="Settings file, instead of the usual places.",
    ),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_attribute("quiet"),
        help="Say errors only.",
    ),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_attribute("verbose"),
        help="Say more.",
    ),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        expose_value=False,
        callback=_attribute("log_format"),
        help="Of what goes to standard error.",
    ),
    click.option(
        "--no-progress",
        is_flag=True,
        expose_value=False,
        callback=_no_progress,
        help="Draw no progress bars.",
    ),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        expose_value=False,
        callback=_color,
        help="Colour on standard output and error.",
    ),
)


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Yields a check that raises Interrupted once SIGINT or SIGTERM has asked to stop.

    Work calls it between two steps, so that a stop never cuts one; a second signal stops at once.
    """
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked:
            signal.default_int_handler(number, frame)
        asked.append(number)
        click.echo("secad: stopping at the next checkpoint", err=True)

    def check() -> None:
        if asked:
            raise Interrupted(asked[0])

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar(
    session: Session, total: int | None, unit: str
) -> Iterator[Callable[[str, int], None]]:
    """Yields a function that takes steps; a bar appears once the work has taken two seconds.

    Args:
        session: says whether bars may be drawn.
        total: all steps, None where nobody knows.
        unit: ``bytes`` or a plural noun.
    """
    if session.quiet or not session.progress or not sys.stderr.isatty():
        yield lambda _label, _steps: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

    from secad.base.escapes import visible

    counter = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        counter,
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("", total=total)
    began, shown = monotonic(), False

    def step(label: str, steps: int) -> None:
        nonlocal shown
        if not shown and monotonic() - began > 2:
            bar.start()
            shown = True
        bar.update(task, advance=steps, description=visible(label)[-40:])

    try:
        yield step
    finally:
        if shown:
            bar.stop()
