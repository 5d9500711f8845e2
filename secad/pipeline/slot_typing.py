"""Types of templates' slots, voted on the first lines of each template and saved with its rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from secad.events.store import EventStore
from secad.features.mining.drain import WILDCARD
from secad.features.slots import all_slot_types

TYPED_TEMPLATES = pa.schema(
    [
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("template_id", pa.string(), nullable=False),
        pa.field("template", pa.string(), nullable=False),
        pa.field("slot_types", pa.list_(pa.string()), nullable=False),
    ]
)
"""One row per template, with the type of each ``<*>`` in its text."""

_PREFIX = "slots/"
_SAMPLED_LINES = 20  # of each template: enough for nine in ten to agree

Texts = Mapping[str, Mapping[str, str]]


class SlotTyping:
    """Votes on the types of slots, going on from what the store's last commit knew.

    Args:
        store: the saved samples.
    """

    def __init__(self, store: EventStore) -> None:
        self._known = _saved(store)

    def learn(self, events: Iterable[tuple[str, pa.Table]], texts: Texts) -> dict[str, bytes]:
        """Returns the states that change by events, which come in the order of their commit.

        Args:
            events: dataset and EVENTS rows with templates.
            texts: dataset -> template id -> text, as it is behind those rows.
        """
        changed: dict[str, set[str]] = {}
        for dataset, rows in events:
            if dataset in texts:
                sampled = self._sample(dataset, rows, texts[dataset])
                changed.setdefault(dataset, set()).update(sampled)
        for dataset, ids in changed.items():
            self._vote(dataset, sorted(ids), texts[dataset])
        return {
            _PREFIX + dataset: json.dumps(self._known[dataset], sort_keys=True).encode()
            for dataset, ids in sorted(changed.items())
            if ids
        }

    def _sample(self, dataset: str, events: pa.Table, texts: Mapping[str, str]) -> set[str]:
        """Takes the first lines of templates that are sampled too little; returns their ids."""
        coded = events.column("template_id").combine_chunks().dictionary_encode()
        known = self._known.setdefault(dataset, {})
        ids = coded.dictionary.to_pylist()
        for name in known.keys() & texts.keys():  # a word that became a slot: sample again
            slots = texts[name].count(WILDCARD)
            known[name]["rows"] = [row for row in known[name]["rows"] if len(row) == slots]
        room = [
            _SAMPLED_LINES - len(known[name]["rows"] if name in known else ())
            if name in texts
            else 0
            for name in ids
        ]
        if not any(count > 0 for count in room):
            return set()
        codes = coded.indices.fill_null(len(ids)).to_numpy(zero_copy_only=False)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(ids) + 1))
        sampled = set()
        for number, name in enumerate(ids):
            first = order[starts[number] : starts[number + 1]][: max(room[number], 0)]
            if len(first):
                rows = events.column("template_params").take(pa.array(first)).to_pylist()
                known.setdefault(name, {"rows": [], "types": []})["rows"] += rows
                sampled.add(name)
        return sampled

    def _vote(self, dataset: str, ids: Sequence[str], texts: Mapping[str, str]) -> None:
        known = self._known[dataset]
        sampled = []
        for name in ids:  # lines from before a word became a slot have one parameter less
            slots = texts[name].count(WILDCARD)
            sampled.append((texts[name], [row for row in known[name]["rows"] if len(row) == slots]))
        types = all_slot_types(sampled)
        for name, own in zip(ids, types, strict=True):
            known[name]["types"] = list(own)


def typed_templates(store: EventStore, texts: Mapping[str, str]) -> pa.Table:
    """Returns TYPED_TEMPLATES of a store, by dataset and text.

    Args:
        store: the saved types.
        texts: template id -> text, as it is now.
    """
    rows = [
        (dataset, name, texts[name], entry["types"])
        for dataset, known in _saved(store).items()
        for name, entry in known.items()
        if name in texts and len(entry["types"]) == texts[name].count(WILDCARD)
    ]
    rows.sort(key=lambda row: (row[0], row[2], row[1]))
    columns = zip(*rows, strict=True) if rows else ((),) * len(TYPED_TEMPLATES)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, TYPED_TEMPLATES, strict=True)]
    return pa.Table.from_arrays(arrays, schema=TYPED_TEMPLATES)


def _saved(store: EventStore) -> dict[str, dict[str, dict[str, list[Any]]]]:
    states = store.states(_PREFIX)
    return {name.removeprefix(_PREFIX): json.loads(value) for name, value in states.items()}
