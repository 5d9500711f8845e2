"""Templates of events on their way into the store: one miner a dataset, saved with its rows."""

from __future__ import annotations

import pyarrow as pa

from secad.base.protocols import Format
from secad.base.schemas import EVENTS
from secad.events.store import EventStore
from secad.features.templates import TemplateMiner, column_templates

STATE_PREFIX = "templates/"


class Templating:
    """Gives events their templates, going on from what the store's last commit knew.

    Args:
        store: the saved states.
    """

    def __init__(self, store: EventStore) -> None:
        self._saved = store.states(STATE_PREFIX)
        self._miners: dict[str, TemplateMiner] = {}
        self._touched: set[str] = set()

    def add(self, events: pa.Table, form: Format, dataset: str) -> pa.Table:
        """Returns events with ``template_id`` and ``template_params``, in the order of EVENTS."""
        if form.template_columns:
            ids = column_templates(events, form.template_columns, dataset)
            params = pa.nulls(events.num_rows, EVENTS.field("template_params").type)
        else:
            assigned = self._miner(dataset).assign(events.column("message"))
            ids, params = assigned.template_id, assigned.params
            self._touched.add(dataset)
        names = [name for name in EVENTS.names if name in events.column_names]
        place = sum(1 for name in names if EVENTS.get_field_index(name) < _PLACE)
        events = events.add_column(place, EVENTS.field("template_params"), params)
        return events.add_column(place, EVENTS.field("template_id"), ids)

    def changed(self) -> dict[str, bytes]:
        """Returns the states of the miners that saw rows since the last call, by name."""
        states = {STATE_PREFIX + name: self._miners[name].state() for name in sorted(self._touched)}
        self._touched.clear()
        return states

    def _miner(self, dataset: str) -> TemplateMiner:
        if dataset not in self._miners:
            saved = self._saved.get(STATE_PREFIX + dataset)
            self._miners[dataset] = (
                TemplateMiner.from_state(saved) if saved else TemplateMiner(dataset)
            )
        return self._miners[dataset]


_PLACE = EVENTS.get_field_index("template_id")
