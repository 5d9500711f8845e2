"""Reasons: why a model finds an event odd, in a sentence with the counts behind it.

A model says how odd each value and each pair of values is; what is said about them here comes
from the background alone, so that a reader can check it: "winword.exe has never started
powershell.exe (0 of 1,204 other events with winword.exe)".
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from secad.base.schemas import EXPLANATIONS
from secad.features.backgrounds import Background, Coded
from secad.features.entities import thing, words
from secad.features.tuples import ABSENT

Weights = npt.NDArray[np.float64]
MOST_EVIDENCE = 6
_VALUE_CAP = 80
_CLASS_DISCOUNT = 0.8

# What the first thing does to the second, where the pair has a verb.
_VERBS: Mapping[tuple[str, str], str] = {
    ("process_parent", "process"): "started",
    ("process", "winlog_target"): "opened",
    ("process", "process_command_line"): "run with the command line",
    ("process", "file_path"): "touched",
    ("process", "winlog_image_loaded"): "loaded",
    ("process", "registry_path"): "touched",
    ("process", "destination_ip"): "connected to",
    ("process", "destination_port"): "connected to port",
    ("process", "dns_question"): "asked for",
    ("process", "winlog_granted_access"): "asked for access",
    ("user", "process"): "run",
    ("user", "host"): "been seen on",
    ("user", "source_ip"): "come from",
    ("source_ip", "url_path"): "asked for",
    ("source_ip", "user_agent_original"): "come as",
}
# Derivations that name a thing; the others put it into a class.
_NAMING = {"", "name", "shape", "key", "network", "service", "domain", "route", "product"}


@dataclass(frozen=True)
class Oddness:
    """How odd a model finds the values of one event, in the unit of its score.

    Args:
        values: (m,) of each value by itself.
        pairs: (m, m) of each pair, above the diagonal; the rest is not read.
    """

    values: Weights
    pairs: Weights


def explanations(parts: Sequence[tuple[Coded, Sequence[Oddness]]], subjects: pa.Array) -> pa.Table:
    """Returns EXPLANATIONS of events.

    Args:
        parts: for each view its rows, places among ``subjects``, with the oddness of each of its
            distinct tuples.
        subjects: (N,) the subjects in the order to answer in.
    """
    reasons = [""] * len(subjects)
    evidence: list[list[dict[str, object]]] = [[] for _ in range(len(subjects))]
    for coded, odd in parts:
        known: dict[tuple[int, tuple[str, ...]], tuple[str, list[dict[str, object]]]] = {}
        values = _values(coded)
        for row, place in enumerate(coded.rows):
            key = (int(coded.tuples.of_row[row]), values[row])
            if key not in known:  # two unknown values share a code, and differ here
                known[key] = _told(coded, *key, odd[key[0]])
            reasons[place], evidence[place] = known[key]
    return pa.table(
        [subjects, pa.array(reasons, pa.string()), pa.array(evidence, _EVIDENCE)],
        schema=EXPLANATIONS,
    )


_EVIDENCE = EXPLANATIONS.field("evidence").type


@dataclass(frozen=True)
class _Fact:
    """One thing that is odd: a rare value, or a pair that is rarer than its values."""

    columns: tuple[str, ...]
    value: str
    expected: str
    weight: float
    sentence: str

    @property
    def things(self) -> set[str]:
        """What it speaks of."""
        return {thing(column) for column in self.columns}

    @property
    def rank(self) -> float:
        """Its weight, less where it speaks of a class: a name tells a reader more."""
        classes = sum(column.partition("__")[2] not in _NAMING for column in self.columns)
        return self.weight * _CLASS_DISCOUNT**classes

    def evidence(self) -> dict[str, object]:
        return {
            "name": " × ".join(self.columns),
            "value": self.value,
            "expected": self.expected,
            "weight": self.weight,
        }


def _values(coded: Coded) -> list[tuple[str, ...]]:
    """Returns the values of each row in the view's columns."""
    columns = [
        coded.table[name].cast(pa.string()).to_pylist()
        if name in coded.table.column_names
        else [ABSENT] * len(coded.rows)
        for name in coded.background.view.columns
    ]
    return list(zip(*columns, strict=True))


def _told(
    coded: Coded, number: int, values: tuple[str, ...], odd: Oddness
) -> tuple[str, list[dict[str, object]]]:
    codes = coded.tuples.codes[number : number + 1]
    facts = _facts(coded.background, codes, values, odd)
    first = facts[0]
    others = [fact.sentence for fact in facts[1:] if not fact.things & first.things]
    reason = "; ".join([first.sentence, *others[:1]])
    return reason, [fact.evidence() for fact in facts]


def _facts(
    background: Background, codes: npt.NDArray[np.int32], values: tuple[str, ...], odd: Oddness
) -> list[_Fact]:
    """Returns what is odd, the oddest first.

    A pair whose rarer value never has another partner tells of that value, not of the pair.
    """
    counts = background.pair_counts(codes)[0]  # (m, m)
    own = odd.values.copy()
    facts = []
    for pair in itertools.combinations(range(len(own)), 2):
        alone = min(pair, key=lambda place: (counts[place, place], place))
        if counts[pair] == counts[alone, alone]:
            own[alone] += max(odd.pairs[pair], 0.0)
        elif odd.pairs[pair] > 0:
            facts.append(_pair(background, counts, values, pair, float(odd.pairs[pair])))
    facts.extend(
        _value(background, int(counts[place, place]), values[place], place, float(own[place]))
        for place in range(len(own))
        if own[place] > 0 or not facts
    )
    facts.sort(key=lambda fact: (-fact.rank, fact.columns))
    return facts[:MOST_EVIDENCE]


def _value(background: Background, count: int, value: str, place: int, weight: float) -> _Fact:
    column = background.view.columns[place]
    of = f"{count:,} of {background.events:,} other events"
    how = "is new" if not count else "is rare"
    sentence = f"{words(column)} {_shown(value)} {how} ({of})"
    return _Fact((column,), _cut(value), of, weight, sentence)


def _pair(
    background: Background,
    counts: npt.NDArray[np.int64],
    values: tuple[str, ...],
    places: tuple[int, int],
    weight: float,
) -> _Fact:
    columns = background.view.columns
    first, second = places
    if _verb(columns[second], columns[first]):
        first, second = second, first
    together = int(counts[first, second])
    # the commoner of the two says more by never having met the other
    base = first if counts[first, first] >= counts[second, second] else second
    of = f"{together:,} of {counts[base, base]:,} other events with {_shown(values[base])}"
    verb = _verb(columns[first], columns[second])
    if verb:
        subject, thing = _shown(values[first]), f"{verb} {_shown(values[second])}"
    else:
        subject = f"{words(columns[first])} {_shown(values[first])}"
        thing = f"come with {words(columns[second])} {_shown(values[second])}"
    often = "has never" if not together else "has seldom"
    return _Fact(
        columns=(columns[first], columns[second]),
        value=f"{_cut(values[first])} × {_cut(values[second])}",
        expected=of,
        weight=weight,
        sentence=f"{subject} {often} {thing} ({of})",
    )


def _verb(subject: str, other: str) -> str | None:
    """Returns the verb between two entity columns, where both name a thing and not its class."""
    named = all(column.partition("__")[2] in _NAMING for column in (subject, other))
    return _VERBS.get((thing(subject), thing(other))) if named else None


def _cut(value: str) -> str:
    return value if len(value) <= _VALUE_CAP else value[: _VALUE_CAP - 1] + "…"


def _shown(value: str) -> str:
    value = _cut(value)
    return f"'{value}'" if " " in value or not value else value
