"""Templates of events on their way into the store: one miner a dataset, saved with its rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock

import pyarrow as pa

from secad.base.protocols import Format
from secad.base.schemas import EVENTS
from secad.events.store import EventStore
from secad.features.mining.canonical import Canonical
from secad.features.templates import Assigned, TemplateMiner, column_templates

STATE_PREFIX = "templates/"
_TEXT_PREFIX = "template-texts/"
_PLACE = EVENTS.get_field_index("template_id")


class Templating:
    """Gives events their templates, going on from what the store's last commit knew.

    Args:
        store: the saved states.
    """

    def __init__(self, store: EventStore) -> None:
        self._saved = store.states(STATE_PREFIX)
        self._miners: dict[str, TemplateMiner] = {}
        self._texts = _saved_texts(store)
        self._touched: set[str] = set()
        self._lock = Lock()

    def prepare(self, events: pa.Table, form: Format, dataset: str) -> Canonical | None:
        """Does the part of the work that needs no order; called from worker threads."""
        if form.template_columns or not events.num_rows:
            return None
        return self._miner(dataset).canonicalise(_messages(events))

    def learn(
        self, events: pa.Table, form: Format, dataset: str, prepared: Canonical | None
    ) -> Callable[[], pa.Table]:
        """Learns from events, which must come in the order of their source.

        Args:
            events: of one batch.
            form: their format.
            dataset: theirs.
            prepared: what ``prepare`` returned for them.

        Returns:
            a function that returns the events with ``template_id`` and ``template_params``; it
            needs no order and may run in a thread.
        """
        if prepared is None:
            ids, texts = column_templates(events, form.template_columns, dataset)
            self._keep_texts(dataset, texts)
            params = pa.nulls(events.num_rows, EVENTS.field("template_params").type)
            return lambda: _with_templates(events, Assigned(ids, params))
        learnt = self._miner(dataset).learn(prepared)
        self._touched.add(STATE_PREFIX + dataset)
        return lambda: _with_templates(events, learnt.assigned())

    def changed(self) -> dict[str, bytes]:
        """Returns the states that saw rows since the last call, by name."""
        states = {}
        for name in sorted(self._touched):
            if name.startswith(STATE_PREFIX):
                states[name] = self._miners[name.removeprefix(STATE_PREFIX)].state()
            else:
                texts = self._texts[name.removeprefix(_TEXT_PREFIX)]
                states[name] = json.dumps(texts, sort_keys=True).encode()
        self._touched.clear()
        return states

    def _keep_texts(self, dataset: str, found: pa.Table) -> None:
        texts = _texts(found)
        known = self._texts.setdefault(dataset, {})
        if not texts.keys() <= known.keys():
            known.update(texts)
            self._touched.add(_TEXT_PREFIX + dataset)

    def _miner(self, dataset: str) -> TemplateMiner:
        with self._lock:
            if dataset not in self._miners:
                saved = self._saved.get(STATE_PREFIX + dataset)
                self._miners[dataset] = (
                    TemplateMiner.from_state(saved) if saved else TemplateMiner(dataset)
                )
            return self._miners[dataset]


def template_texts(store: EventStore) -> dict[str, str]:
    """Returns the text of every template in the store, by id, as it is now."""
    texts: dict[str, str] = {}
    for known in _saved_texts(store).values():
        texts |= known
    for state in store.states(STATE_PREFIX).values():
        texts |= _texts(TemplateMiner.from_state(state).templates())
    return texts


def has_column_templates(store: EventStore, dataset: str) -> bool:
    """Returns whether a dataset's templates are combinations of its columns."""
    return bool(store.states(_TEXT_PREFIX + dataset).get(_TEXT_PREFIX + dataset))


def _texts(found: pa.Table) -> dict[str, str]:
    ids, texts = found.column("template_id").to_pylist(), found.column("template").to_pylist()
    return dict(zip(ids, texts, strict=True))


def _with_templates(events: pa.Table, assigned: Assigned) -> pa.Table:
    """Returns the events with their templates where EVENTS has them."""
    known = [name for name in events.column_names if name in EVENTS.names]
    place = sum(1 for name in known if EVENTS.get_field_index(name) < _PLACE)
    events = events.add_column(place, EVENTS.field("template_params"), assigned.params)
    return events.add_column(place, EVENTS.field("template_id"), assigned.template_id)


def _saved_texts(store: EventStore) -> dict[str, dict[str, str]]:
    states = store.states(_TEXT_PREFIX)
    return {name.removeprefix(_TEXT_PREFIX): json.loads(value) for name, value in states.items()}


def _messages(events: pa.Table) -> pa.StringArray:
    if "message" not in events.column_names:
        return pa.nulls(events.num_rows, pa.string())
    return events.column("message").combine_chunks()
