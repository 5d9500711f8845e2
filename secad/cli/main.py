"""The root of the command tree: global options, commands found by name, errors told in one line.

A command's module is imported only when the command runs, so that ``secad --help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from io import StringIO

import click

from secad import __version__
from secad.base.errors import ConfigError, SecadError
from secad.cli.session import Session, common_options

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

COMMANDS: Mapping[str, tuple[str, str]] = {
    "ingest": ("secad.cli.ingest:ingest", "Read logs into the store."),
    "fit": ("secad.cli.detect:fit", "Fit models on the events of the store."),
    "detect": ("secad.cli.detect:detect", "Score events and write alerts."),
    "rank-alerts": ("secad.cli.alerts:rank_alerts", "Print the alerts to read first."),
    "alerts": ("secad.cli.alerts:alerts", "List, show, explain and export alerts."),
    "events": ("secad.cli.rows:events", "List and export events."),
    "rejects": ("secad.cli.rows:rejects", "List and export what could not be parsed."),
    "scores": ("secad.cli.rows:scores", "Export every subject's score."),
    "models": ("secad.cli.models:models", "List and show fitted models."),
    "status": ("secad.cli.health:status", "Tell what the store holds and what went wrong."),
    "doctor": ("secad.cli.health:doctor", "Check this installation and its settings."),
    "store": ("secad.cli.health:store", "Check the store."),
    "config": ("secad.cli.config:config", "Make, show and validate settings."),
    "completion": ("secad.cli.config:completion", "Print a shell's completion script."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names in the order of work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command that the arguments begin with.

        Raises:
            ConfigError: there is none; the message names the nearest.
        """
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from secad.plugins import nearest

            near = nearest(name, COMMANDS)
            raise ConfigError(f"command {name!r} is not known", hint=f"did you mean {near!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands' own lines, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="secad")
@common_options
@click.pass_context
def cli(context: click.Context) -> None:
    """Security event and log anomaly engine.

    Point it at the logs you have: `secad ingest logs PATH...`, then `secad detect`, then
    `secad rank-alerts`. Exit codes: 0 done, 1 a gate that was asked for tripped, 2 usage or
    settings, 3 finished but degraded, 4 data, model or store error, 75 try again later, 130 and
    143 interrupted after a clean checkpoint.
    """
    context.ensure_object(Session)


def run() -> None:
    """Runs the command line; exits with the code that DESIGN names for what happened."""
    sys.exit(_guarded(lambda: cli.main(prog_name="secad", standalone_mode=False)))


def _guarded(work: Callable[[], object]) -> int:
    """Returns the exit code of ``work``, having told what went wrong."""
    try:
        code = work()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("secad: interrupted", err=True)
        return 130
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except SecadError as error:
        tell(error)
        return error.exit_code
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _show(error: click.ClickException) -> None:
    """Writes a usage error; in ``secad ingest logs *`` what it quotes may be a file's name."""
    from secad.base.escapes import visible

    shown, message = StringIO(), error.format_message()
    error.show(shown)
    click.echo(shown.getvalue().replace(message, visible(message)), err=True, nl=False)


def tell(error: SecadError) -> None:
    """Writes an error to standard error: what is wrong, where, and the next step."""
    from secad.base.escapes import visible

    where = f" (at {error.at})" if error.at else ""
    click.echo(visible(f"secad: error: {error.message}{where}"), err=True)
    if error.hint:
        click.echo(visible(f"secad: hint: {error.hint}"), err=True)
