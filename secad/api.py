"""The package as a library: one open store, with everything that the command line does.

``secad.open("./secad-store")`` returns a ``Secad``; its methods take and return Arrow tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from secad.base.config import Config, load_config
from secad.base.database import open_database

if TYPE_CHECKING:
    from secad.pipeline.ingest import IngestReport
    from secad.triage.store import AlertStore


class Secad:
    """One open store.

    Args:
        folder: the store; made where it is absent.
        config: settings in force; None reads them from the usual places.
    """

    def __init__(self, folder: Path | str, config: Config | None = None) -> None:
        self.folder = Path(folder)
        self.config = load_config() if config is None else config
        self.engine = open_database(self.folder)

    @cached_property
    def alert_store(self) -> AlertStore:
        """The alerts, for what the methods here do not offer."""
        from secad.triage.store import AlertStore

        return AlertStore(self.engine)

    def ingest(
        self,
        paths: Sequence[str],
        *,
        format: str = "auto",  # noqa: A002 - the word that users know
        map_file: Path | None = None,
        now: datetime | None = None,
        told: Callable[[str, int], None] | None = None,
    ) -> IngestReport:
        """Reads logs into the store; see ``secad.pipeline.ingest.ingest_logs``.

        Args:
            paths: files, folders, archives, ``-`` for standard input.
            format: a format's name, or ``auto``.
            map_file: TOML field map of JSON lines or CSV.
            now: aware, the time of the run.
            told: called with a path and how many of its bytes were read since.
        """
        from secad.collect.field_maps import load_field_map
        from secad.pipeline.ingest import IngestOptions, ingest_logs

        options = IngestOptions(
            format=format,
            field_map=load_field_map(map_file) if map_file else None,
            tz=self.config.text("ingest.tz"),
            batch_bytes=self.config.whole("ingest.batch_bytes"),
            max_line_bytes=self.config.whole("ingest.max_line_bytes"),
            commit_rows=self.config.whole("ingest.commit_rows"),
            workers=self.config.whole("ingest.workers"),
        )
        return ingest_logs(self._events, paths, options, now=now or datetime.now(UTC), told=told)
