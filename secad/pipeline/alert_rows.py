"""An alert format as the pipeline reads it: its rows with fingerprints and hashes of evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import Format, Frames, ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS, OCCURRENCES
from secad.features.mining.canonical import Canonical
from secad.scoring.alerts import AlertRules
from secad.scoring.episodes import Rows
from secad.scoring.occurrences import episode_starts, fingerprints, strongest_of_each

_ADDED = ("alert_fingerprint", "alert_sha256")


class AlertRows:
    """A format whose events are occurrences of alerts; see ``Format``.

    Only what may become evidence is hashed: the strongest few of each run of a batch, among
    which are the strongest few of every episode.

    Args:
        form: parses the records.
        rules: gap of episodes and number of evidence rows.
    """

    def __init__(self, form: Format, rules: AlertRules) -> None:
        self._form = form
        self._rules = rules
        self.name = form.name
        self.dataset = form.dataset
        self.fields = form.fields
        added = [OCCURRENCES.field(name) for name in _ADDED]
        self.extensions = pa.schema([*ALERT_FIELDS, *added])
        self.template_columns = form.template_columns

    def matches(self, head: bytes) -> float:
        """Returns how sure the format is of a head."""
        return self._form.matches(head)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether the format's records are not lines; see ``Frames``."""
        return isinstance(self._form, Frames) and self._form.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields records; see ``Frames``."""
        if isinstance(self._form, Frames):
            yield from self._form.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one row per alert; see ``Format``."""
        parsed = self._form.parse(lines, context)
        rows = parsed.events
        dataset = (context.field_map.dataset if context.field_map else None) or self.dataset
        prints = fingerprints(rows.append_column("dataset", pa.repeat(dataset, rows.num_rows)))
        rows = rows.append_column(OCCURRENCES.field("alert_fingerprint"), prints)
        hashes = self._hashes(rows, lines)
        return replace(parsed, events=rows.append_column(OCCURRENCES.field("alert_sha256"), hashes))

    def _hashes(self, rows: pa.Table, lines: pa.RecordBatch) -> pa.Array:
        """Returns (N,) the hashes of the records that may be evidence, null elsewhere."""
        unit = rows["alert_fingerprint"].combine_chunks().dictionary_encode().indices.to_numpy()
        times = rows["time"].cast(pa.int64()).to_numpy()
        order, starts = episode_starts(
            unit.astype(np.int64), times, int(self._rules.episode_gap_s * 1e6)
        )
        run = np.zeros(len(order), dtype=np.int64)
        run[order[starts[1:]]] = 1
        run[order] = np.cumsum(run[order])
        ranked = rows.append_column("event_id", _places(rows))
        chosen = strongest_of_each(run, ranked, self._rules.evidence_rows)
        raw = _raw(rows, lines, chosen).to_pylist()
        sizes = rows["byte_length"].combine_chunks().take(pa.array(chosen)).to_pylist()
        mask = np.ones(rows.num_rows, dtype=np.bool_)
        mask[chosen] = False
        texts = np.full(rows.num_rows, None, dtype=object)
        texts[chosen] = [
            hashlib.sha256(record[len(record) - size :]).hexdigest()  # its rule may stand before it
            for record, size in zip(raw, sizes, strict=True)
        ]
        return pa.array(texts, pa.string(), mask=mask)


class Untemplated:
    """Finishes occurrences without templates; see ``Templates``."""

    def prepare(self, _events: pa.Table, _form: Format, _dataset: str) -> Canonical | None:
        """Prepares nothing."""
        return None

    def learn(
        self, events: pa.Table, _form: Format, _dataset: str, _prepared: Canonical | None
    ) -> Callable[[], pa.Table]:
        """Returns what returns the rows as they are."""
        return lambda: events

    def changed(self) -> dict[str, bytes]:
        """Returns no states."""
        return {}


def _places(rows: pa.Table) -> pa.Array:
    """Returns byte offsets as binary that sorts like event ids do."""
    places = rows["byte_offset"].to_numpy().astype(">u8")
    return pa.array(places.view("S8").astype(object), pa.binary()) if len(places) else _NONE


_NONE = pa.array([], pa.binary())


def _raw(rows: pa.Table, lines: pa.RecordBatch, chosen: Rows) -> pa.Array:
    """Returns the records behind some rows."""
    offsets = rows["byte_offset"].combine_chunks().take(pa.array(chosen))
    return lines.column("raw").take(pc.index_in(offsets, lines.column("byte_offset")))
