"""``secad config`` and ``secad completion``."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from secad.base.config import FILE_NAME, template, toml_value
from secad.base.errors import ConfigError
from secad.cli.session import common_options, session_of


@click.group()
@common_options
def config() -> None:
    """Make, show and validate settings."""


@config.command()
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(path_type=Path),
    default=Path(FILE_NAME),
    show_default=True,
    metavar="FILE",
    help="The file to make; - for standard output.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@common_options
@click.pass_context
def init(context: click.Context, path: Path, force: bool) -> None:
    """Write a settings file that holds every key at its default, with its meaning."""
    if str(path) == "-":
        click.echo(template(), nl=False)
        return
    if path.exists() and not force:
        raise ConfigError(f"{str(path)!r} exists already", hint="add --force to overwrite it")
    path.write_text(template(), "utf-8")
    session_of(context).say(f"wrote {path}")


@config.command()
@click.option("--origin", is_flag=True, help="Say where each value is from.")
@common_options
@click.pass_context
def show(context: click.Context, origin: bool) -> None:
    """Print the settings in force, as TOML."""
    settings = session_of(context).config
    section = ""
    for key, value in settings.values.items():
        here, _, name = key.partition(".")
        if here != section:
            click.echo(f"[{here}]" if not section else f"\n[{here}]")
            section = here
        click.echo(f"{name} = {toml_value(value)}" + _from(settings.origins[key], origin))
    for model, arguments in settings.models.items():
        click.echo(f"\n[models.{model}]")
        for name, value in arguments.items():
            where = settings.origins[f"models.{model}.{name}"]
            click.echo(f"{name} = {toml_value(value)}" + _from(where, origin))


def _from(where: str, origin: bool) -> str:
    return f"  # {where}" if origin else ""


@config.command()
@common_options
@click.pass_context
def validate(context: click.Context) -> None:
    """Check the settings in force, the models' too."""
    session = session_of(context)
    settings = session.config
    from secad.pipeline.models import check_settings

    check_settings(settings)
    session.say("the settings are valid")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(shell: str) -> None:
    """Print a shell's completion script: eval "$(secad completion bash)"."""
    from secad.cli.main import cli

    made = get_completion_class(shell)
    if made is None:
        raise ConfigError(f"shell {shell!r} is not known, known are bash, zsh and fish")
    sys.stdout.write(made(cli, {}, "secad", "_SECAD_COMPLETE").source() + "\n")
