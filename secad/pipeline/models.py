"""Models by name with the settings that a user gave them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from secad import plugins
from secad.base.config import Config, Value
from secad.base.errors import ConfigError
from secad.base.protocols import Model


def make_model(name: str, config: Config, **given: Value) -> Model:
    """Returns an unfitted model, its arguments from ``[models.<name>]``.

    Args:
        name: a model's name.
        config: settings in force.
        given: arguments that the run decides; those that the model does not have are left out.

    Raises:
        ConfigError: no such model, or a setting is not one of its arguments or of another type.
    """
    kind = plugins.model_class(name)
    known = inspect.signature(kind).parameters
    settings = config.models.get(name, {})
    for key, value in settings.items():
        _check(f"models.{name}.{key}", key, value, known, config)
    decided = {key: value for key, value in given.items() if key in known}
    try:
        return kind(**{**decided, **settings})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"[models.{name}] cannot be used: {error}") from error


def settings_of(model: Model) -> dict[str, object]:
    """Returns a model's constructor arguments as it holds them."""
    return {name: getattr(model, name) for name in inspect.signature(type(model)).parameters}


def check_settings(config: Config) -> None:
    """Raises ConfigError where a model's settings cannot be used, or a named model is not known."""
    for name in {*config.models, *config.names("detect.models")}:
        make_model(name, config)


def _check(
    key: str,
    name: str,
    value: Value,
    known: Mapping[str, inspect.Parameter],
    config: Config,
) -> None:
    at = config.origins.get(key)
    if name not in known:
        near = plugins.nearest(name, known)
        raise ConfigError(f"setting {key!r} is not known", at=at, hint=f"did you mean {near!r}?")
    default = known[name].default
    if default is None or isinstance(value, type(default)):
        return
    if not (isinstance(default, float) and type(value) is int):
        raise ConfigError(f"{key} must be like its default {default!r}, not {value!r}", at=at)
