"""Settings: defaults, files, environment and flags, merged per key, with where each value is from.

Order, strongest first: flag > ``SECAD_SECTION__KEY`` > ``./secad.toml`` >
``$XDG_CONFIG_HOME/secad/config.toml`` > ``/etc/secad/config.toml`` > default. ``--config FILE``
replaces the three files. An unknown key is an error that names the nearest one.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from secad.base.errors import ConfigError

Value = str | int | float | bool | list[object]

FILE_NAME = "secad.toml"
ENV_PREFIX = "SECAD_"


@dataclass(frozen=True)
class Setting:
    """One key that a settings file may hold.

    Args:
        default: its value where nobody sets it; its type is the type allowed.
        meaning: one line for ``secad config init``.
        least: the smallest allowed number.
    """

    default: Value
    meaning: str
    least: float | None = None


KNOWN: Mapping[str, Mapping[str, Setting]] = {
    "store": {
        "path": Setting("./secad-store", "folder of the event store and the database"),
    },
    "ingest": {
        "tz": Setting("UTC", "zone of times that name none: an IANA name or +HH:MM"),
        "max_error_rate": Setting(
            0.1, "share of rejected records above which a run ends with exit code 3", least=0
        ),
        "max_line_bytes": Setting(
            1 << 20, "a longer line is quarantined, its first bytes kept", least=1024
        ),
        "max_inflated_bytes": Setting(
            64 << 30, "bytes that one compressed file or archive may expand to", least=1024
        ),
        "max_inflated_ratio": Setting(
            1000, "times its own size that it may, beyond the first 64 MiB", least=1
        ),
        "batch_bytes": Setting(
            8 << 20, "most bytes of log text that are parsed at a time", least=4096
        ),
        "commit_rows": Setting(250_000, "events that one commit may hold", least=1),
        "templates": Setting(
            "learn", "a line of no known template opens one (learn) or has the id new (frozen)"
        ),
        "workers": Setting(0, "parsing threads; 0 is one for each core, at most 8", least=0),
    },
    "detect": {
        "models": Setting(["ape", "rarity"], "models that score when none is named"),
        "blocks": Setting(5, "time blocks of a cross-fit", least=2),
        "seed": Setting(0, "seed of everything that draws at random"),
        "max_rows": Setting(
            2_000_000, "events of one dataset that a fit reads, the newest ones", least=100
        ),
    },
    "alerts": {
        "models": Setting(
            ["ape"],
            "models whose findings become alerts; one named on the command line always does",
        ),
        "budget_per_day": Setting(50, "alerts kept for each day of log time", least=1),
        "episode_gap_s": Setting(
            3600, "seconds of quiet after which the same finding is a new alert", least=1
        ),
        "evidence_rows": Setting(20, "evidence rows kept for each alert", least=1),
    },
}
"""Every setting but those of the models, whose keys are the models' constructor arguments."""


@dataclass(frozen=True)
class Config:
    """Merged settings.

    Args:
        values: ``section.key`` -> value, of every known setting.
        origins: ``section.key`` -> where the value is from.
        models: model name -> its ``[models.<name>]`` keys.
    """

    values: Mapping[str, Value]
    origins: Mapping[str, str]
    models: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Returns a text setting."""
        return str(self.values[key])

    def whole(self, key: str) -> int:
        """Returns a whole-number setting."""
        value = self.values[key]
        if isinstance(value, list):
            raise ConfigError(f"{key} is a list, not a number")
        return int(value)

    def number(self, key: str) -> float:
        """Returns a number setting."""
        value = self.values[key]
        if isinstance(value, list):
            raise ConfigError(f"{key} is a list, not a number")
        return float(value)

    def names(self, key: str) -> list[str]:
        """Returns a setting that is a list of names."""
        value = self.values[key]
        return [str(name) for name in value] if isinstance(value, list) else [str(value)]


def load_config(
    *,
    file: Path | None = None,
    flags: Mapping[str, Value] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Returns the settings in force.

    Args:
        file: ``--config``; in its absence the usual places are looked at.
        flags: ``section.key`` -> value given on the command line.
        environment: the process environment.

    Raises:
        ConfigError: a file cannot be read, a key is unknown, or a value is not allowed.
    """
    environment = os.environ if environment is None else environment
    merged = _Merged()
    for path in _files(file, environment):
        merged.add_file(path)
    for key, text in sorted(_from_environment(environment).items()):
        merged.set(key, text, f"environment {_variable(key)}")
    for key, value in (flags or {}).items():
        merged.set(key, value, "flag")
    return Config(merged.values, merged.origins, merged.models)


def template() -> str:
    """Returns a settings file that holds every key at its default, with its meaning."""
    lines = ["# secad settings; every key is at its default. See `secad config show --origin`."]
    for section, keys in KNOWN.items():
        lines += ["", f"[{section}]"]
        for key, setting in keys.items():
            lines += [f"# {setting.meaning}", f"{key} = {toml_value(setting.default)}"]
    lines += ["", "# [models.ape]  # keys are the model's own, see `secad models show ape`", ""]
    return "\n".join(lines)


def toml_value(value: Value) -> str:
    """Returns ``value`` as TOML writes it.

    >>> toml_value(["a", 1, True])
    '["a", 1, true]'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"  # type: ignore[arg-type]
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def _files(file: Path | None, environment: Mapping[str, str]) -> list[Path]:
    """Returns the settings files to read, the weakest first."""
    if file is not None:
        if not file.is_file():
            raise ConfigError(
                f"settings file {str(file)!r} is not there",
                hint=f"make one with: secad config init -o {file}",
            )
        return [file]
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")) / ".config")
    usual = [Path("/etc/secad/config.toml"), Path(home) / "secad/config.toml", Path(FILE_NAME)]
    return [path for path in usual if path.is_file()]


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, text in environment.items():
        if name.startswith(ENV_PREFIX) and "__" in name:
            found[name.removeprefix(ENV_PREFIX).lower().replace("__", ".")] = text
    return found


def _variable(key: str) -> str:
    return ENV_PREFIX + key.upper().replace(".", "__")


class _Merged:
    """Settings while they are laid over each other, the weakest first."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.origins: dict[str, str] = {}
        self.models: dict[str, dict[str, Value]] = {}
        for section, keys in KNOWN.items():
            for key, setting in keys.items():
                self.values[f"{section}.{key}"] = setting.default
                self.origins[f"{section}.{key}"] = "default"

    def add_file(self, path: Path) -> None:
        """Lays a settings file over what stands."""
        for section, keys in _read(path).items():
            if not isinstance(keys, dict):
                raise ConfigError(
                    f"{section!r} stands outside a section, "
                    f"allowed are {_listed([*KNOWN, 'models'])}",
                    at=str(path),
                )
            for key, value in keys.items():
                inner = value if section == "models" and isinstance(value, dict) else {"": value}
                for name, plain in inner.items():
                    self.set(f"{section}.{key}.{name}".rstrip("."), plain, str(path))

    def set(self, key: str, value: object, origin: str) -> None:
        """Lays one value over what stands."""
        section, _, name = key.partition(".")
        if section == "models":
            self._set_model(name, value, origin)
        elif key not in self.values:
            near = _nearest(key, [*self.values, "models"])
            raise ConfigError(
                f"setting {key!r} is not known", at=origin, hint=f"did you mean {near!r}?"
            )
        else:
            self.values[key] = _checked(key, value, KNOWN[section][name], origin)
        self.origins[key] = origin

    def _set_model(self, name: str, value: object, origin: str) -> None:
        model, _, argument = name.partition(".")
        if not argument:
            raise ConfigError(f"'models.{name}' must be a section, [models.<name>]", at=origin)
        if not isinstance(value, (str, int, float, bool, list)):
            raise ConfigError(f"models.{name} must be a plain value, not {value!r}", at=origin)
        self.models.setdefault(model, {})[argument] = _from_text(value)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"settings file is not TOML: {error}", at=str(path)) from error
    except OSError as error:
        raise ConfigError(
            f"settings file cannot be read: {error.strerror}", at=str(path)
        ) from error


def _checked(key: str, value: object, setting: Setting, origin: str) -> Value:
    kind = type(setting.default)
    if isinstance(value, str) and kind is not str:
        value = _from_text(value)
        if kind is list and not isinstance(value, list):
            value = str(value).split(",")
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ConfigError(f"{key} must be {_kind_word(kind)}, not {value!r}", at=origin)
    if setting.least is not None and isinstance(value, (int, float)) and value < setting.least:
        raise ConfigError(f"{key} must be at least {setting.least:g}, not {value!r}", at=origin)
    return value


def _from_text(value: object) -> Value:
    if not isinstance(value, str):
        return value  # type: ignore[return-value]
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value
    return read if isinstance(read, int | float | bool | list) else value


def _kind_word(kind: type) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
    return words.get(kind, "a text")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return close[0] if close else _listed(names)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
