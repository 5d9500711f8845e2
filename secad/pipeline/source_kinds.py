"""What sources are read as: logs, whose rows are events, or other tools' alerts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from secad.base.protocols import Format, Recognised
from secad.events.ledger import Ledger
from secad.events.store import Pending
from secad.pipeline.templating import Templates


@dataclass(frozen=True)
class Reading:
    """What sources are read as.

    Args:
        kind: ``logs`` or ``alerts``.
        ledger: of the sources of this kind.
        recognise: takes a source's head.
        named: takes a format's name.
        templates: what becomes of parsed rows beside their parsing.
        add: puts finished rows, each with its dataset, into a commit.
        commit_bytes: about how many bytes of rows one commit holds.
    """

    kind: str
    ledger: Ledger
    recognise: Callable[[bytes], Recognised | None]
    named: Callable[[str], Format]
    templates: Templates
    add: Callable[[Pending, list[tuple[str, pa.Table]]], None]
    commit_bytes: int = 160 << 20  # wide events are committed before commit_rows
