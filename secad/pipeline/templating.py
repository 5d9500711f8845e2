"""Templates of events on their way into the store: one miner a dataset, saved with its rows.

Where templates turn out to be one, rows that are stored keep the id that they were given, and
who reads them puts the one that stands for it in its place (``template_aliases``, ``resolved``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ConfigError
from secad.base.protocols import Format
from secad.base.schemas import EVENTS
from secad.events.store import EventStore
from secad.features.column_templates import column_templates
from secad.features.mining.canonical import Canonical
from secad.features.mining.drain import WILDCARD
from secad.features.templates import NEW, Assigned, TemplateMiner

STATE_PREFIX = "templates/"
LEARN, FROZEN = "learn", "frozen"
"""What a line that is in no known template does: it opens one, or it has the id ``new``."""

_TEXT_PREFIX = "template-texts/"
_ALIAS_PREFIX = "template-aliases/"
_NEW_PREFIX = "new-lines/"
_PLACE = EVENTS.get_field_index("template_id")


class Templates(Protocol):
    """What becomes of parsed rows on their way into the store, beside their parsing."""

    def prepare(self, events: pa.Table, form: Format, dataset: str) -> Canonical | None:
        """Does the part of the work that needs no order; called from worker threads."""
        ...

    def learn(
        self, events: pa.Table, form: Format, dataset: str, prepared: Canonical | None
    ) -> Callable[[], pa.Table]:
        """Takes rows in the order of their source and returns a function that finishes them."""
        ...

    def changed(self) -> dict[str, bytes]:
        """Returns the states that belong into the next commit, by name."""
        ...


class Templating:
    """Gives events their templates, going on from what the store's last commit knew.

    Args:
        store: the saved states.
        mode: LEARN or FROZEN; a dataset that the store does not know yet is learnt in any case.

    Attributes:
        texts: dataset -> id -> text of mined templates, as they were when ``changed`` was called.

    Raises:
        ConfigError: the mode is neither.
    """

    def __init__(self, store: EventStore, mode: str = LEARN) -> None:
        if mode not in (LEARN, FROZEN):
            raise ConfigError(f"ingest.templates is {mode!r}, not {LEARN!r} or {FROZEN!r}")
        self._saved = store.states(STATE_PREFIX)
        self._miners: dict[str, TemplateMiner] = {}
        self._texts = _saved_texts(store)
        self._frozen = (
            {
                *(name.removeprefix(STATE_PREFIX) for name in self._saved),
                *(name for name, known in self._texts.items() if known),
            }
            if mode == FROZEN
            else set()
        )
        self._new = new_lines(store)
        self._touched: set[str] = set()
        self.texts: Mapping[str, Mapping[str, str]] = {}
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
        frozen = dataset in self._frozen
        if prepared is None:
            ids = self._column_ids(events, form, dataset, frozen=frozen)
            params = pa.nulls(events.num_rows, EVENTS.field("template_params").type)
            return lambda: _with_templates(events, Assigned(ids, params))
        miner = self._miner(dataset)
        learnt = miner.recognise(prepared) if frozen else miner.learn(prepared)
        if frozen:
            self._count_new(dataset, learnt.new)
        else:
            self._touched.add(STATE_PREFIX + dataset)
        return lambda: _with_templates(events, learnt.assigned())

    def changed(self) -> dict[str, bytes]:
        """Returns the states that saw rows since the last call, by name."""
        states = {}
        for name in sorted(self._touched):
            kind, _, dataset = name.partition("/")
            if kind + "/" == STATE_PREFIX:
                miner = self._miners[dataset]
                states[name] = miner.state()
                if aliases := miner.aliases():
                    states[_ALIAS_PREFIX + dataset] = _packed(aliases)
            elif kind + "/" == _NEW_PREFIX:
                states[name] = _packed(self._new[dataset])
            else:
                states[name] = _packed(self._texts[dataset])
        with self._lock:
            miners = dict(self._miners)
        self.texts = {name: _texts(miner.templates()) for name, miner in miners.items()}
        self._touched.clear()
        return states

    def _column_ids(
        self, events: pa.Table, form: Format, dataset: str, *, frozen: bool
    ) -> pa.StringArray:
        ids, found = column_templates(events, form.template_columns, dataset)
        if not frozen:
            self._keep_texts(dataset, found)
            return ids
        known = pa.array(self._texts.get(dataset, {}), pa.string())
        strange = pc.and_(pc.invert(pc.is_in(ids, value_set=known)), ids.is_valid())
        self._count_new(dataset, pc.sum(strange).as_py() or 0)
        return pc.if_else(strange, NEW, ids)

    def _count_new(self, dataset: str, count: int) -> None:
        if count:
            self._new[dataset] = self._new.get(dataset, 0) + count
            self._touched.add(_NEW_PREFIX + dataset)

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
    texts |= {old: texts[one] for old, one in template_aliases(store).items() if one in texts}
    if new_lines(store):
        texts[NEW] = WILDCARD
    return texts


def template_aliases(store: EventStore) -> dict[str, str]:
    """Returns the template id that stands for each id whose template became part of another."""
    aliases: dict[str, str] = {}
    for value in store.states(_ALIAS_PREFIX).values():
        aliases |= json.loads(value)
    return aliases


def resolved(events: pa.Table, aliases: Mapping[str, str]) -> pa.Table:
    """Returns events with the template ids that stand for theirs.

    Args:
        events: with or without ``template_id``.
        aliases: see ``template_aliases``.
    """
    if not aliases or "template_id" not in events.column_names:
        return events
    ids = events.column("template_id")
    places = pc.index_in(ids, value_set=pa.array(list(aliases), pa.string()))
    ones = pc.take(pa.array(list(aliases.values()), pa.string()), places)
    place = events.schema.get_field_index("template_id")
    return events.set_column(place, events.schema.field(place), pc.coalesce(ones, ids))


def new_lines(store: EventStore) -> dict[str, int]:
    """Returns how many lines of each dataset were in none of its frozen templates."""
    states = store.states(_NEW_PREFIX)
    return {name.removeprefix(_NEW_PREFIX): json.loads(value) for name, value in states.items()}


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


def _packed(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
