"""What syslog messages say, as columns: the phrases of ``rules/syslog/`` applied to whole columns.

Frames of lines enter; leave the columns that slots fill, that rules set, that ``key=value`` pairs
give, and that cases decide.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.syslog.columns import ADDRESSES, INTEGERS
from secad.collect.syslog.rules import PAIRS_SLOT, Case, PhraseRules, phrase_rules
from secad.features.key_values import Pairs, scan
from secad.features.phrases import Found
from secad.features.slot_types import integers, only_addresses
from secad.features.spans import Bytes, Places, buffer_of, gather
from secad.features.syslog_frame import span
from secad.features.syslog_tag import CORE, MODULE, PROGRAM

Rows = npt.NDArray[np.bool_]
Columns = dict[str, pa.Array]

_TRANSPORTS = {"1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp"}
_TRANSPORTS |= {"58": "ipv6-icmp", "icmpv6": "ipv6-icmp", "icmp6": "ipv6-icmp"}


def said(data: Bytes, frames: Places) -> Columns:
    """Returns the columns that phrases fill, each (N,), those that none fills left out."""
    rules = phrase_rules()
    module, program = span(frames, MODULE), span(frames, PROGRAM)
    found = rules.book.match(data, span(frames, CORE), np.where(module[0] >= 0, module, program))
    columns: Columns = {
        name: integers(data, found.spans(name)) if name in INTEGERS else found.column(name)
        for name in found.columns
        if not name.startswith("_")
    }
    used = found.used
    _set(columns, found, rules, used)
    for number in used.tolist():
        if number in rules.pairs:
            _pair(columns, found, found.rule == number, rules.pairs[number])
        if number in rules.cases:
            _decide(columns, found, found.rule == number, rules.cases[number])
    if "network_transport" in columns:
        columns["network_transport"] = _transport(columns["network_transport"])
    return columns


def _set(columns: Columns, found: Found, rules: PhraseRules, used: npt.NDArray[np.int32]) -> None:
    """Sets what the rules that were found set."""
    rows: pa.Array = None
    for name, values in rules.sets.items():
        if not values.take(pa.array(used)).null_count < len(used):
            continue
        if rows is None:
            last = len(values) - 1
            rows = pa.array(np.where(found.rule < 0, last, found.rule).astype(np.int32))
        fixed = values.take(rows)
        columns[name] = pc.coalesce(columns[name], fixed) if name in columns else fixed


def _pair(columns: Columns, found: Found, rows: Rows, wanted: tuple[tuple[str, str], ...]) -> None:
    """Fills columns from the ``key=value`` pairs of some rows; of equal keys the first counts.

    What stands in brackets behind them (the packet that an ICMP error is about) is left out.
    """
    whole = pc.coalesce(found.where(rows).column(PAIRS_SLOT), "")
    text = pc.list_element(pc.split_pattern(whole, " [", max_splits=1), 0)
    pairs = scan(text, buffer_of(text)[1][:-1], tuple(key for key, _ in wanted))
    for place, (_, name) in enumerate(wanted):
        chosen = pairs.of(place)
        if len(chosen):
            first = np.full(len(text), -1, dtype=np.int64)
            first[pairs.row[chosen[::-1]]] = chosen[::-1]
            _fill(columns, name, _values(pairs, first, name), rows)


def _values(pairs: Pairs, chosen: Places, name: str) -> pa.Array:
    if name in INTEGERS:
        return pairs.integers(chosen)
    there = chosen >= 0
    spans = np.stack([np.where(there, pairs.start[chosen], -1), pairs.length[chosen]])
    if name in ADDRESSES:
        return gather(pairs.data, *only_addresses(pairs.data, spans))
    bare = pc.utf8_trim(gather(pairs.data, *spans), "<>,")
    return pc.if_else(pc.equal(bare, ""), None, bare)


def _decide(columns: Columns, found: Found, rows: Rows, cases: tuple[Case, ...]) -> None:
    """Sets, in some rows, what the first case that fits sets."""
    here = pa.array(rows)
    fitted = np.zeros(int(rows.sum()), dtype=np.bool_)
    for case in cases:
        hidden = case.slot.startswith("_")
        if not hidden and case.slot not in columns:
            continue
        text = found.where(rows).column(case.slot) if hidden else columns[case.slot].filter(here)
        coded = text.dictionary_encode()
        words = "|".join(re.escape(word) for word in case.has)
        fits = pc.match_substring_regex(pc.utf8_lower(coded.dictionary), words).take(coded.indices)
        taken = np.asarray(fits.fill_null(False)) & ~fitted
        fitted |= taken
        for name, value in case.sets.items():
            _fill(columns, name, pc.if_else(pa.array(taken), value, None), rows, over=True)


def _fill(columns: Columns, name: str, values: pa.Array, rows: Rows, *, over: bool = False) -> None:
    """Puts values into a column at some rows, where it has none yet, or over what it has."""
    if name not in columns:
        columns[name] = pa.nulls(len(rows), values.type)
    old = columns[name].filter(pa.array(rows))
    new = pc.coalesce(values, old) if over else pc.coalesce(old, values)
    columns[name] = pc.replace_with_mask(columns[name], pa.array(rows), new)


def _transport(values: pa.Array) -> pa.Array:
    """Returns transports in lower case, numbers of protocols as names."""
    coded = values.dictionary_encode()
    written = pc.utf8_lower(coded.dictionary)
    known = pc.index_in(written, value_set=pa.array(list(_TRANSPORTS)))
    return pc.coalesce(pa.array(_TRANSPORTS.values()).take(known), written).take(coded.indices)
