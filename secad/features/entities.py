r"""Entities: categorical columns derived from EVENTS columns, once per distinct value.

EVENTS rows enter; a table of the same length leaves, whose columns are dictionary-encoded and
named ``<events column>`` or ``<events column>__<derivation>``. The names stand in explanations:
``words("process_executable__folder")`` is ``process executable folder``.

Which derivations a column gets is decided by its name, extension columns of a format included:
``*_executable`` is a program, ``*_ip`` an address, ``*_command_line`` a command. A text column
that no rule knows gives its value and its masked form; ``views`` keeps what is of use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.schemas import EVENTS, LOCATOR, TIME
from secad.features import derivations as derive

ENTITY = pa.dictionary(pa.int32(), pa.string())
Derivation = Callable[[pa.StringArray], pa.Array]

_PLACE = {"event_id", "time", "ingested_time", "dataset", "source_id", "source_path"}
# An identity is new with each thing that it names, a kind is what divides events into views,
# and free text is the concern of templates.
_NO_ENTITY = {
    *_PLACE, *LOCATOR.names, "template_params", "labels", "message",
    "event_provider", "event_action", "event_code", "session_id",
}  # fmt: skip
_IDENTITY_ENDINGS = (
    "_pid",
    "_entity_id",
    "_logon_id",
    "_record_id",
    "_guid",
    "_hash",
    "_hashes",
    "_sha256",
    "_md5",
    "_fingerprint",
)


@dataclass(frozen=True)
class Rule:
    """Which derivations the columns with certain names get.

    Args:
        endings: what a column's name ends in, or is.
        derivations: suffix -> function; the empty suffix names the column itself.
    """

    endings: tuple[str, ...]
    derivations: Mapping[str, Derivation]


def _rule(*endings: str, **derivations: Derivation) -> Rule:
    return Rule(endings, MappingProxyType({_suffix(name): f for name, f in derivations.items()}))


def _suffix(name: str) -> str:
    return "" if name == "value" else name


RULES: tuple[Rule, ...] = (
    _rule("_executable", name=derive.base_name, folder=derive.folder),
    _rule("process_name", "parent_name", "service_name", value=derive.base_name),
    _rule(
        "_command_line",
        shape=derive.command_shape,
        signs=derive.command_signs,
        length=derive.length,
    ),
    _rule("_working_directory", folder=derive.folder),
    _rule("registry_path", key=derive.registry_key, name=derive.file_name),
    _rule("url_path", route=derive.route, extension=derive.extension, signs=derive.character_signs),
    _rule("url_query", keys=derive.query_keys, signs=derive.character_signs, length=derive.length),
    _rule("_path", folder=derive.folder, name=derive.file_name, extension=derive.extension),
    _rule("_call_trace", module=derive.stack_module, memory=derive.stack_unknown),
    _rule("_agent_original", product=derive.product, shape=derive.mask),
    _rule("_referrer", route=derive.mask),
    _rule("_ip", role=derive.address_role, network=derive.network),
    _rule("_port", service=derive.service_port),
    _rule("_status_code", value=derive.lower, **{"class": derive.status_class}),
    _rule("_bytes", "_count", "_duration", size=derive.size),
    _rule("user_domain", value=derive.lower),
    _rule("_domain", "_question_name", domain=derive.domain),
    _rule("user_id", "_uid", "_auid", "_euid", "_access", "_mask", "_exit", value=derive.lower),
    _rule("user_name", "_user", "user_effective_name", "user_target_name", value=derive.lower,
          **{"class": derive.user_class}),
)  # fmt: skip
_PLAIN = _rule(value=derive.lower, shape=derive.mask)


def entities(events: pa.Table, *, clock: bool = False) -> pa.Table:
    """Returns the entity columns of EVENTS rows, sorted by name.

    Args:
        events: any number of rows; columns beyond EVENTS are taken by their names.
        clock: with ``time__hour`` and ``time__weekday`` (UTC).

    Returns:
        as many rows, each column ENTITY, null where the event says nothing.

    >>> table = pa.table({"process_executable": ["/usr/bin/id", None]})
    >>> entities(table).to_pydict()["process_executable__folder"]
    ['usr/bin', None]
    """
    made: dict[str, pa.Array] = {}
    for name in events.column_names:
        if not _is_entity(name, events.schema.field(name).type):
            continue
        column = _encode(events.column(name))
        for suffix, function in _rule_of(name).derivations.items():
            made[f"{name}__{suffix}" if suffix else name] = _derived(column, function)
    if clock and "time" in events.column_names:
        made.update(_clock(events.column("time")))
    names = sorted(made)
    return pa.table([made[name] for name in names], names=names)


def source_column(entity: str) -> str:
    """Returns the EVENTS column that an entity column comes from."""
    return entity.partition("__")[0]


def thing(entity: str) -> str:
    """Returns what an entity column is of: a program's name and its path are of one program.

    >>> thing("process_executable__folder") == thing("process_name")
    True
    """
    return source_column(entity).removesuffix("_executable").removesuffix("_name")


def words(entity: str) -> str:
    """Returns the name of an entity column as words for a sentence.

    >>> words("winlog_target_executable__name")
    'target executable name'
    """
    column, _, derivation = entity.partition("__")
    if column not in EVENTS.names:
        column = column.partition("_")[2] or column  # a format's prefix says nothing to a reader
    return f"{column} {derivation}".replace("_", " ").strip()


def _is_entity(name: str, kind: pa.DataType) -> bool:
    if name in _NO_ENTITY or name.endswith(_IDENTITY_ENDINGS):
        return False
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))
    )


def _rule_of(name: str) -> Rule:
    for rule in RULES:
        if name.endswith(rule.endings):
            return rule
    return _PLAIN


def _encode(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _derived(column: pa.DictionaryArray, function: Derivation) -> pa.DictionaryArray:
    classes = function(column.dictionary.cast(pa.string())).dictionary_encode()
    indices = classes.indices.take(column.indices).cast(pa.int32())
    return pa.DictionaryArray.from_arrays(indices, classes.dictionary)


def _clock(times: pa.ChunkedArray) -> dict[str, pa.Array]:
    times = times.cast(TIME)
    hour = pc.strftime(times, "%H").dictionary_encode()
    weekday = pc.strftime(times, "%A").dictionary_encode()
    return {"time__hour": hour.combine_chunks(), "time__weekday": weekday.combine_chunks()}
