"""The project's ``rules/`` folder: finds it, reads its TOML files, checks the shape of each rule.

A file enters by its name; its rules leave as ``Rule`` values, parsed once for each process.
What stands inside a rule (phrases, headers) its reader checks, with ``Rule.error``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from secad.base.errors import RuleError

_PACKAGE = Path(__file__).resolve().parents[1]
_SHARED_KEYS = {"id": str, "why": str, "owner": str, "tests": list}
_HINT = "rules/README.md describes the files"


@dataclass(frozen=True)
class Rule:
    """One entry of a rules file.

    Args:
        id: unique in its file.
        why: what the rule is for.
        owner: who answers for it.
        tests: examples, each with what is expected of it.
        body: all other keys.
        at: ``file:line``, for messages.
    """

    id: str
    why: str
    owner: str
    tests: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any]
    at: str

    def error(self, message: str) -> RuleError:
        """Returns the error that says what is wrong with this rule."""
        return RuleError(f"rule {self.id!r}: {message}", at=self.at, hint=_HINT)


@dataclass(frozen=True)
class RuleFile:
    """A file of rules, or a folder of such files.

    Args:
        path: where it is.
        rules: in the order of the file.
        programs: names for lists of programs, from the table ``[programs]``.
        choices: names for lists of texts, from the table ``[choices]``.
    """

    path: Path
    rules: tuple[Rule, ...]
    programs: Mapping[str, tuple[str, ...]]
    choices: Mapping[str, tuple[str, ...]]


def rules_folder() -> Path:
    """Returns the folder of the rules: inside an installed package, or beside it in a checkout.

    Raises:
        RuleError: there is neither.
    """
    places = (_PACKAGE / "rules", _PACKAGE.parent / "rules")
    for place in places:
        if place.is_dir():
            return place
    raise RuleError(
        f"no folder of rules at {' or '.join(str(place) for place in places)}",
        hint="install secad again",
    )


@lru_cache(maxsize=32)
def read_rules(name: str, table: str, keys: tuple[tuple[str, type], ...]) -> RuleFile:
    """Returns the rules in a file of the rules folder, or in all files of a folder in it."""
    path = rules_folder() / name
    if not path.is_dir():
        return read_rule_file(path, table, dict(keys))
    return joined([read_rule_file(file, table, dict(keys)) for file in sorted(path.glob("*.toml"))])


def joined(files: Sequence[RuleFile]) -> RuleFile:
    """Returns the rules of several files of one folder, in the order given.

    Raises:
        RuleError: two files have an id, or a name of ``[programs]`` or ``[choices]``, in common.
    """
    rules: dict[str, Rule] = {}
    for rule in (rule for file in files for rule in file.rules):
        if rule.id in rules:
            raise rule.error(f"the id is taken by another rule at {rules[rule.id].at}")
        rules[rule.id] = rule
    programs: dict[str, tuple[str, ...]] = {}
    choices: dict[str, tuple[str, ...]] = {}
    for file in files:
        for known, named in ((programs, file.programs), (choices, file.choices)):
            taken = sorted({*known} & {*named})
            if taken:
                raise RuleError(
                    f"the name {taken[0]!r} is taken by another file", at=str(file.path), hint=_HINT
                )
            known.update(named)
    return RuleFile(files[0].path.parent, tuple(rules.values()), programs, choices)


def read_rule_file(path: Path, table: str, keys: Mapping[str, type]) -> RuleFile:
    """Returns the rules of a file.

    Args:
        path: a TOML file.
        table: the name of its array of rules, as in ``[[phrase]]``.
        keys: what a rule may hold besides ``id``, ``why``, ``owner`` and ``tests``.

    Raises:
        RuleError: the file cannot be read, is no TOML, or a rule has a wrong, missing or unknown
            key or an id that is taken.
    """
    text, content = _read(path)
    unknown = sorted({*content} - {table, "programs", "choices"})
    if unknown:
        raise RuleError(
            f"table {unknown[0]!r} is not known, allowed are {table!r}, 'programs' and 'choices'",
            at=str(path),
            hint=_HINT,
        )
    rules: dict[str, Rule] = {}
    for place, entry in enumerate(content.get(table, [])):
        rule = _rule(entry, place, path, text, {**_SHARED_KEYS, **keys})
        if rule.id in rules:
            raise rule.error(f"the id is taken by another rule at {rules[rule.id].at}")
        rules[rule.id] = rule
    programs, choices = _lists(content, "programs", path), _lists(content, "choices", path)
    return RuleFile(path, tuple(rules.values()), programs, choices)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise RuleError(f"cannot read the rules: {error.strerror}", at=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"not valid TOML: {error}", at=str(path), hint=_HINT) from error


def _rule(
    entry: Mapping[str, Any], place: int, path: Path, text: str, keys: Mapping[str, type]
) -> Rule:
    name = entry.get("id", f"number {place + 1}")
    line = text[: max(text.find(f'id = "{name}"'), 0)].count("\n") + 1
    body = {key: value for key, value in entry.items() if key not in _SHARED_KEYS}
    rule = Rule(
        str(name),
        str(entry.get("why", "")),
        str(entry.get("owner", "")),
        tuple(entry.get("tests", ())),
        body,
        f"{path}:{line}",
    )
    for key in ("id", "why", "owner"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise rule.error(f"key {key!r} is missing, every rule has id, why and owner")
    for key, value in entry.items():
        if key not in keys:
            raise rule.error(f"key {key!r} is not known, allowed are {', '.join(sorted(keys))}")
        if not isinstance(value, keys[key]):
            raise rule.error(f"key {key!r} is {value!r}, it must be a {keys[key].__name__}")
    return rule


def _lists(content: Mapping[str, Any], table: str, path: Path) -> dict[str, tuple[str, ...]]:
    named = content.get(table, {})
    for name, texts in named.items():
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise RuleError(f"{table} {name!r} is {texts!r}, it must be a list", at=str(path))
    return {name: tuple(texts) for name, texts in named.items()}
