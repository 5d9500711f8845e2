"""How grave other tools say that their alerts are, in the numbers of OCSF (1 to 6).

| scale | of | 6 | 5 | 4 | 3 | 2 | 1 |
|---|---|---|---|---|---|---|---|
| words | Sigma, Elastic, maps | fatal | critical | high | medium | low | informational |
| priority | Suricata, Snort | | | 1 | 2 | 3 | 4 and more |
| wazuh | Wazuh ``rule.level`` | | 15 and more | 12-14 | 7-11 | 4-6 | 0-3 |
| opensearch | OpenSearch ``severity`` | | 1 | 2 | 3 | 4 | 5 |
| ocsf | OCSF ``severity_id``, maps | 6 | 5 | 4 | 3 | 2 | 1 |

Sources: *words*: the Sigma specification's ``level`` and OCSF's own captions; Hayabusa shortens
them (``crit``, ``med``, ``info``, and ``emer`` above critical). *priority*: Snort's manual (1 high,
2 medium, 3 low, 4 very low), which Suricata takes over; 0 is a rule that has neither a class nor a
priority and so says nothing. *wazuh*: the overview of its dashboard ("Rule level 0 to 6" low, "7 to
11" medium, "12 to 14" high, "15 or higher" critical); its rules classification (user manual,
ruleset) calls 0-3 ignored, notifications and successful events, which are lower still.
*opensearch*: its alerting plugin (1 highest to 5 lowest).
A tool that says nothing, such as AMiner, is taken to say low.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

UNSAID = 2
"""The severity of an alert whose tool does not say one."""

_WORDS = {
    "fatal": 6, "emergency": 6, "emer": 6,
    "critical": 5, "crit": 5, "very high": 5, "severe": 5,
    "high": 4, "major": 4, "error": 4,
    "medium": 3, "med": 3, "moderate": 3, "warning": 3, "warn": 3,
    "low": 2, "minor": 2, "notice": 2,
    "informational": 1, "information": 1, "info": 1, "undefined": 1, "debug": 1,
}  # fmt: skip
_BANDS = {  # the number from which on each severity holds, the lowest number first
    "priority": ((0, UNSAID), (1, 4), (2, 3), (3, 2), (4, 1)),
    "wazuh": ((0, 1), (4, 2), (7, 3), (12, 4), (15, 5)),
    "opensearch": ((1, 5), (2, 4), (3, 3), (4, 2), (5, 1)),
    "ocsf": ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, UNSAID)),
}
_NUMBER = r"^\s*\d{1,9}(\.\d*)?\s*$"


def severities(text: pa.Array, scale: str) -> pa.Array:
    """Returns (N,) int64, 1 to 6.

    Args:
        text: (N,) string, what the tool says.
        scale: ``words``, ``priority``, ``wazuh``, ``opensearch`` or ``ocsf``; a word is
            understood on each scale.

    >>> severities(pa.array(["crit", "12", None]), "wazuh").to_pylist()
    [5, 4, 2]
    """
    coded = text.dictionary_encode()
    words = pc.utf8_lower(pc.utf8_trim_whitespace(coded.dictionary))
    place = pc.index_in(words, pa.array(list(_WORDS)))
    found = pa.array(list(_WORDS.values()), pa.int64()).take(place)
    found = pc.coalesce(found, _banded(words, _BANDS.get(scale, _BANDS["ocsf"])))
    return pc.fill_null(found.take(coded.indices), UNSAID)


def numbers(text: pa.Array) -> pa.Array:
    """Returns (N,) float64 from plain numbers, null from all else."""
    plain = pc.match_substring_regex(text, r"^\s*-?\d{1,15}(\.\d{1,15})?\s*$")
    return pc.cast(pc.utf8_trim_whitespace(pc.if_else(plain, text, None)), pa.float64())


def _banded(words: pa.Array, bands: tuple[tuple[int, int], ...]) -> pa.Array:
    whole = pc.if_else(pc.match_substring_regex(words, _NUMBER), words, None)
    number = pc.cast(pc.cast(pc.utf8_rtrim(whole, "."), pa.float64()), pa.int64(), safe=False)
    found = pa.nulls(len(words), pa.int64())
    for least, severity in bands:
        found = pc.if_else(pc.fill_null(pc.greater_equal(number, least), False), severity, found)
    return found
