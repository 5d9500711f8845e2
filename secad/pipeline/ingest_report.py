"""What a run of ingest says of its sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from secad.pipeline.reading import Progress


@dataclass(frozen=True)
class SourceReport:
    """What one run did with one stream.

    Args:
        path: how the user knows it.
        format: the format it was taken for, None where none was.
        outcome: ``ingested``, ``continued``, ``unchanged``, ``empty``, ``unrecognised`` or
            ``unreadable``.
        read: what this run read of it; ``offset`` counts its bytes.
        problem: why it could not be read, or not to its end.
        is_beside: it is unrecognised, and was not named but lay in a folder or an archive.
    """

    path: str
    format: str | None
    outcome: str
    read: Progress = field(default_factory=Progress)
    problem: str | None = None
    is_beside: bool = False


def _sum(reports: Sequence[SourceReport]) -> Progress:
    rows = [asdict(report.read) for report in reports]
    return Progress(**{name: sum(row[name] for row in rows) for name in asdict(Progress())})


@dataclass
class IngestReport:
    """What one run of ingest did.

    Args:
        sources: one report for each stream, in the order they were read.
        seconds: how long it took.
    """

    sources: list[SourceReport] = field(default_factory=list)
    seconds: float = 0.0

    def total(self) -> Progress:
        """Returns the sums over all streams."""
        return _sum(self.sources)

    def failed(self) -> list[SourceReport]:
        """Returns the streams that could not be read, or not to their end.

        What lies in a folder or an archive and is of no known format is none of them: few
        folders of logs hold nothing else.
        """
        return [report for report in self.sources if report.problem and not report.is_beside]

    def beside(self) -> list[SourceReport]:
        """Returns what lay in a folder or an archive and is of no known format."""
        return [report for report in self.sources if report.is_beside]

    def by_format(self) -> dict[str, tuple[int, Progress]]:
        """Returns how many streams of each format were read and what came of them, by name."""
        found: dict[str, list[SourceReport]] = {}
        for report in self.sources:
            if report.format and report.read.lines:
                found.setdefault(report.format, []).append(report)
        return {name: (len(rows), _sum(rows)) for name, rows in sorted(found.items())}
