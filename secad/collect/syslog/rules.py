"""The phrase rules of ``rules/syslog/``, checked and compiled: what syslog messages say.

The files of the folder enter; one book of phrases leaves, and beside it, by the number of a rule,
what the rule sets, where it looks for ``key=value`` pairs and what its cases are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from secad.base.errors import RuleError
from secad.collect.rules import Rule, RuleFile, read_rules
from secad.collect.syslog.columns import PHRASE_FIELDS, RULES_FOLDER
from secad.features.phrase_tables import names_in, slots_of
from secad.features.phrases import Phrase, PhraseBook

RULE_KEYS = (
    ("cases", list),
    ("pairs", dict),
    ("phrases", list),
    ("programs", list),
    ("sets", dict),
)
PAIRS_SLOT = "_pairs"

_CASE_KEYS = {"slot", "has", "sets"}
_CHOICE = re.compile(r"\{&(?P<name>[a-z0-9_]+)\}")  # {&bind_client}
_ALLOWED = frozenset({"event_action", "syslog_repeat_count", *PHRASE_FIELDS})


@dataclass(frozen=True)
class Case:
    """What a rule sets where a slot's text holds one of some words.

    Args:
        slot: whose text is looked at, in lower case.
        has: the words.
        sets: column -> value.
    """

    slot: str
    has: tuple[str, ...]
    sets: Mapping[str, str]


@dataclass(frozen=True)
class PhraseRules:
    """The phrase rules, compiled.

    Args:
        book: the phrases; a match gives the number of its rule.
        sets: column -> (rules + 1,) what each rule sets it to; the last is of no rule.
        pairs: for each rule that has any, key -> column.
        cases: for each rule that has any, its cases; the first that fits is taken.
    """

    book: PhraseBook
    sets: Mapping[str, pa.Array]
    pairs: Mapping[int, tuple[tuple[str, str], ...]]
    cases: Mapping[int, tuple[Case, ...]]


@lru_cache(maxsize=1)
def phrase_rules() -> PhraseRules:
    """Returns the rules of ``rules/syslog/``, read once for each process."""
    return compile_rules(read_rules(RULES_FOLDER, "phrase", RULE_KEYS))


def compile_rules(file: RuleFile) -> PhraseRules:
    """Returns phrase rules ready to match.

    Raises:
        RuleError: a rule's phrase is not well formed, or names a column that syslog does not have.
    """
    phrases = [
        Phrase(text, programs_of(rule, file), number)
        for number, rule in enumerate(file.rules)
        for text in _phrases(rule, file)
    ]
    names = sorted({name for rule in file.rules for name in rule.body.get("sets", {})})
    sets = {
        name: pa.array([*(rule.body.get("sets", {}).get(name) for rule in file.rules), None])
        for name in names
    }
    pairs = {number: _pairs(rule) for number, rule in enumerate(file.rules) if "pairs" in rule.body}
    cases = {number: _cases(rule) for number, rule in enumerate(file.rules) if "cases" in rule.body}
    try:
        return PhraseRules(PhraseBook(phrases), sets, pairs, cases)
    except RuleError:
        _check_phrases(file, phrases)
        raise


def _check_phrases(file: RuleFile, phrases: Sequence[Phrase]) -> None:
    """Raises the error of the first rule that has a phrase which cannot be compiled."""
    for phrase in phrases:
        try:
            slots_of(phrase.text)
        except RuleError as error:
            raise file.rules[phrase.rule].error(error.message) from error


def programs_of(rule: Rule, file: RuleFile) -> tuple[str, ...]:
    """Returns the programs that a rule is for, lists of ``[programs]`` written out."""
    return tuple(
        program
        for name in rule.body.get("programs", [])
        for program in file.programs.get(name, (name,))
    )


def _phrases(rule: Rule, file: RuleFile) -> Iterator[str]:
    texts = rule.body.get("phrases", [])
    if not texts or not all(isinstance(text, str) for text in texts):
        raise rule.error(f"'phrases' is {texts!r}, it must be a list of one or more texts")
    for phrase in (plain for text in texts for plain in _written_out(text, rule, file)):
        try:
            names = names_in(phrase)
        except RuleError as error:
            raise rule.error(error.message) from error
        hidden = {name for name in names if name.startswith("_")}
        _check_hidden(rule, hidden)
        _check_columns(rule, [name for name in names if name not in hidden])
        yield phrase
    _check_columns(rule, tuple(rule.body.get("sets", {})))


def _written_out(text: str, rule: Rule, file: RuleFile) -> Iterator[str]:
    """Yields a phrase once for each text that its ``{&name}`` stand for."""
    place = _CHOICE.search(text)
    if place is None:
        yield text
        return
    if place["name"] not in file.choices:
        raise rule.error(
            f"{place[0]!r} is not known, [choices] has {', '.join(sorted(file.choices)) or 'none'}"
        )
    for choice in file.choices[place["name"]]:
        yield from _written_out(text[: place.start()] + choice + text[place.end() :], rule, file)


def _pairs(rule: Rule) -> tuple[tuple[str, str], ...]:
    columns = rule.body["pairs"]
    _check_columns(rule, list(columns.values()))
    return tuple(columns.items())


def _cases(rule: Rule) -> tuple[Case, ...]:
    cases = []
    for entry in rule.body["cases"]:
        if not isinstance(entry, dict) or set(entry) != _CASE_KEYS:
            raise rule.error(f"case {entry!r} must have the keys {', '.join(sorted(_CASE_KEYS))}")
        _check_columns(rule, tuple(entry["sets"]))
        cases.append(Case(entry["slot"], tuple(entry["has"]), entry["sets"]))
    return tuple(cases)


def _check_hidden(rule: Rule, names: set[str]) -> None:
    read = {str(entry.get("slot")) for entry in rule.body.get("cases", []) if entry}
    for name in sorted(names):
        if name not in read and not (name == PAIRS_SLOT and "pairs" in rule.body):
            raise rule.error(f"nothing reads the slot {name!r}: no case, and 'pairs' {PAIRS_SLOT}")


def _check_columns(rule: Rule, names: Sequence[str]) -> None:
    for name in names:
        if name not in _ALLOWED:
            allowed = ", ".join(sorted(_ALLOWED))
            raise rule.error(f"{name!r} is no column of syslog, allowed are {allowed}")
