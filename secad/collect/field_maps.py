"""Reads a user's map from the fields of a JSON or CSV log to EVENTS columns (``--map map.toml``).

```toml
dataset = "vpn"            # EVENTS.dataset of these records; the format's own name if left out
time_format = "auto"       # or epoch_s, epoch_ms, epoch_us, epoch_ns, or a strptime pattern
delimiter = ";"            # of a CSV file; a comma if left out

[columns]                  # EVENTS column = field of the log
time = "ts"                # the one that must be there
user_name = "actor.email"  # dots reach into nested JSON objects
source_ip = "client"
```

Fields that no column takes are kept as labels.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from secad.base.errors import ConfigError
from secad.base.protocols import FieldMap, ParseContext
from secad.base.schemas import LOCATOR, PARSED
from secad.collect.times import parse_any, parse_epoch, parse_pattern

COLUMNS = tuple(name for name in PARSED.names if name not in {*LOCATOR.names, "labels"})
"""The EVENTS columns that a map may fill."""

TIME_FORMATS = ("auto", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
"""The words that ``time_format`` knows besides strptime patterns."""

BUILT_IN_DATASETS = (
    "apache_error",
    "auditd",
    "azure",
    "cef",
    "cloudtrail",
    "ecs",
    "entra",
    "github",
    "haproxy",
    "http_api",
    "keyvalue",
    "kubernetes",
    "leef",
    "nginx_error",
    "ocsf",
    "okta",
    "osquery",
    "otel",
    "provenance",
    "suricata",
    "syslog",
    "syslog_json",
    "text",
    "weblog",
    "windows",
    "zeek",
)
"""The datasets of the formats that take no map: a map may not put its records among theirs."""

_EPOCH = "epoch_"
_KEYS = ("columns", "dataset", "delimiter", "time_format")
_DIRECTIVES = "aAbBcdDeFHhIjklmMnpRrSsTtyYz%f"  # of strptime
_YEARS = "cDFsyY"  # those from which a time knows its year
_DATASET = re.compile(r"[a-z0-9_.-]+")
_PARSE_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load_field_map(path: Path, allowed: Sequence[str] = COLUMNS) -> FieldMap:
    """Returns the map in a TOML file.

    Args:
        path: the file.
        allowed: the columns that it may fill.

    Raises:
        ConfigError: the file is missing, unreadable, no TOML, or holds what is not allowed.
    """
    settings = _read(path)
    for key in settings:
        if key not in _KEYS:
            raise ConfigError(
                f"{key!r} is no setting of a field map, allowed are {', '.join(_KEYS)}",
                at=str(path),
                hint=_meant(key, _KEYS) if key not in allowed else f"put {key} under [columns]",
            )
    return FieldMap(
        columns=_columns(settings.get("columns"), path, allowed),
        time_format=_time_format(settings.get("time_format", "auto"), path),
        delimiter=_delimiter(settings.get("delimiter", ","), path),
        dataset=_dataset(settings.get("dataset"), path),
    )


def read_times(text: pa.Array, time_format: str, context: ParseContext) -> pa.Array:
    """Returns times as a map says they are written, null where they are not so.

    Args:
        text: (N,) string.
        time_format: as in ``FieldMap``.
        context: whose zone and date the times are read with.
    """
    if time_format == "auto":
        return parse_any(text, context.tz, context.anchor_time)
    if time_format.startswith(_EPOCH):
        return parse_epoch(text, time_format.removeprefix(_EPOCH))
    return parse_pattern(text, time_format, context.tz)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"field map {str(path)!r} does not exist") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"field map {str(path)!r} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"field map {str(path)!r} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        fault = _PARSE_PLACE.sub("", str(error))
        fault = fault[:1].lower() + fault[1:]
        place = _PARSE_PLACE.search(str(error))
        line = f":{place[1]}" if place and place[1] else ""
        raise ConfigError(f"field map is not valid TOML: {fault}", at=f"{path}{line}") from error


def _columns(given: object, path: Path, allowed: Sequence[str]) -> Mapping[str, str]:
    if not isinstance(given, Mapping) or "time" not in given:
        raise ConfigError(
            "a field map needs the key 'time' under [columns]: the field that holds the time",
            at=str(path),
            hint='add:  [columns]  time = "NAME"',
        )
    for column, field in given.items():
        if column not in allowed:
            raise ConfigError(
                f"columns.{column}: {column!r} is no column that a map may fill",
                at=str(path),
                hint=_meant(column, allowed),
            )
        if not isinstance(field, str) or not field:
            raise ConfigError(
                f"columns.{column} is {field!r}, expected the name of a field in quotes",
                at=str(path),
            )
    return dict(given)


def _time_format(given: object, path: Path) -> str:
    if isinstance(given, str) and given in TIME_FORMATS:
        return given
    if not isinstance(given, str) or "%" not in given:
        raise ConfigError(
            f"time_format is {given!r}, allowed are {', '.join(TIME_FORMATS)} or a strptime "
            "pattern such as '%d/%m/%Y %H:%M:%S'",
            at=str(path),
            hint=_meant(given, TIME_FORMATS) if isinstance(given, str) else None,
        )
    directives = set(re.findall(r"%(.?)", given))
    unknown = sorted(directives - set(_DIRECTIVES))
    if unknown or not directives & set(_YEARS):
        fault = f"%{unknown[0]} is no directive" if unknown else "it has no year (%Y)"
        raise ConfigError(f"time_format {given!r} cannot be used: {fault}", at=str(path))
    if "%z" in given and not given.rstrip().endswith("%z"):
        raise ConfigError(
            f"time_format {given!r} has text after %z, which must end it", at=str(path)
        )
    return given


def _delimiter(given: object, path: Path) -> str:
    usable = isinstance(given, str) and len(given) == 1 and given.isascii()
    if not usable or str(given).isalnum() or str(given) in '"\r\n\0':
        raise ConfigError(
            f"delimiter is {given!r}, expected one ASCII character such as ',' ';' '|' or "
            "'\\t', no letter, digit or quote",
            at=str(path),
        )
    return str(given)


def _dataset(given: object, path: Path) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not _DATASET.fullmatch(given):
        raise ConfigError(
            f"dataset is {given!r}, expected small letters, digits, '.', '_' and '-'",
            at=str(path),
        )
    if given in BUILT_IN_DATASETS:
        raise ConfigError(
            f"dataset {given!r} is that of a built-in format, which a map may not take",
            at=str(path),
            hint=f"choose another name, such as {given + '-custom'!r}",
        )
    return given


def _meant(name: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(name.replace(".", "_").lower(), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else None
