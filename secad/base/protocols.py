"""The three things one can add (a format, a model, a sink) and what passes between rooms with them.

Everything here is structural: a class belongs to a protocol by its shape, and
``tests/contracts`` holds every registered one to every promise written below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, Self, runtime_checkable

import pyarrow as pa


@dataclass(frozen=True)
class FieldMap:
    """A user's map from the fields of a JSON or CSV log to EVENTS columns (``--map map.toml``).

    Args:
        columns: EVENTS column -> name of the log's field (dots reach into nested objects).
        time_format: how the field mapped to ``time`` is written: ``auto``, ``epoch_s``,
            ``epoch_ms``, ``epoch_us``, ``epoch_ns`` or a strptime pattern.
        delimiter: the separator of a CSV file.
        dataset: the name that EVENTS.dataset takes, so that unlike logs keep apart.
    """

    columns: Mapping[str, str]
    time_format: str = "auto"
    delimiter: str = ","
    dataset: str | None = None


@dataclass(frozen=True)
class ParseContext:
    """What a format may know about a source besides its bytes.

    Args:
        anchor_time: aware; the file's date, from which times without a year take it: the latest
            year that does not put them more than a day after it.
        tz: IANA name or ``+HH:MM`` of times that carry no zone.
        head: the first bytes of the source (at most 64 KiB), for formats with a header line.
        field_map: the user's map, for the formats that take one.
    """

    anchor_time: datetime
    tz: str = "UTC"
    head: bytes = b""
    field_map: FieldMap | None = None


@dataclass(frozen=True)
class Parsed:
    """What became of one batch of LINES: lines = events + joined + rejects + skipped.

    Args:
        events: columns of PARSED that the format fills, and its extension columns.
        rejects: ``line``, ``byte_offset``, ``error``, ``raw`` of the records it could not read.
        joined: lines that went into an event beside its first one (auditd).
        skipped: blank lines, comments and header lines.
    """

    events: pa.Table
    rejects: pa.Table
    joined: int = 0
    skipped: int = 0


@runtime_checkable
class Format(Protocol):
    """One log format: Arrow lines in, Arrow events out.

    Attributes:
        name: the word for ``--format``, ``sample_logs/`` and ``tests/golden/``.
        dataset: EVENTS.dataset, shared by formats that carry the same events.
        fields: EVENTS or extension column -> where in the log it comes from.
        extensions: columns of this dataset beyond EVENTS.
        template_columns: columns whose values together name an event's template; empty where
            the template is mined from ``message``.
    """

    name: str
    dataset: str
    fields: Mapping[str, str]
    extensions: pa.Schema
    template_columns: tuple[str, ...]

    def matches(self, head: bytes) -> float:
        """Returns how sure it is, 0 to 1, that a source with this head is of this format.

        ``head`` is at most 64 KiB and may end inside a record. Never raises.
        """
        ...

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows.

        A pure function of its arguments; raises on no bytes whatever.

        Raises:
            ConfigError: the context's field map does not fit this format.
        """
        ...


@runtime_checkable
class HoldsBack(Protocol):
    """A format whose events span lines, which must not be cut by the end of a batch."""

    def hold_back(self, lines: pa.RecordBatch) -> int:
        """Returns how many of the last lines must wait for the next batch."""
        ...


@runtime_checkable
class Frames(Protocol):
    """A format whose records are not lines: it cuts a binary file or a document into LINES."""

    def is_framed(self, head: bytes) -> bool:
        """Returns whether a source with this head must be cut by ``frames``; else it has lines."""
        ...

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields LINES batches, each with the rejects (as in ``Parsed``) of damaged stretches.

        Args:
            file: seekable, at its start.
            batch_bytes: about how many bytes of records a batch may hold.
        """
        ...


class Model(Protocol):
    """One way to score events: fitted on a table, it scores others.

    Constructor arguments are hyper-parameters, stored as they came, and the keys of
    ``[models.<name>]``. Fitted state is saved as JSON and safetensors, never pickled.

    Attributes:
        name: the word for ``secad fit NAME``.
        reads: columns that it can use; a table may lack any of them.
        lookback: how much past ``score`` needs before the first scored row.
    """

    name: str
    reads: pa.Schema
    lookback: timedelta

    def fit(self, events: pa.Table) -> Self:
        """Learns from EVENTS rows and returns itself.

        Raises:
            ModelError: there is nothing to learn from (the model is inert on this table; the
                message says why).
        """
        ...

    def score(self, events: pa.Table) -> pa.Table:
        """Returns SCORES, higher is more anomalous; rows that it has no view of are left out.

        Raises:
            ModelError: not fitted.
        """
        ...

    def explain(self, events: pa.Table, scores: pa.Table) -> pa.Table:
        """Returns EXPLANATIONS, one row per row of ``scores``, from the events they score."""
        ...

    def save(self, folder: Path) -> None:
        """Writes the fitted state into an empty or absent folder."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Returns the model saved in ``folder``.

        Raises:
            ModelError: the folder is damaged or of another model.
        """
        ...


class Sink(Protocol):
    """A place that alerts are delivered to.

    Attributes:
        name: the word for the sink in settings and on the command line.
    """

    name: str

    def write(self, alerts: pa.Table) -> None:
        """Delivers rows of ALERTS; writing the same rows again changes nothing.

        Raises:
            SourceError: the place cannot be reached or written.
        """
        ...


@dataclass(frozen=True)
class Recognised:
    """Which format a head was taken for, and how sure that is."""

    format: Format
    confidence: float
    others: Mapping[str, float] = field(default_factory=dict)
