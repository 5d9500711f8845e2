"""How much a compressed file, an archive or a Parquet file may expand to before it is refused.

A few kilobytes can stand for terabytes. What a file on disk inflates to is counted over all its
members and layers, so that neither many members over the same bytes nor one in another get by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from secad.base.errors import SourceError

_FREE_BYTES = 64 << 20  # a small file of many like lines harms nobody, whatever its ratio


@dataclass(frozen=True)
class InflateLimits:
    """What one file on disk may expand to.

    Args:
        max_bytes: at most so many plain bytes.
        max_ratio: at most so many plain bytes for each of its own, beyond the first 64 MiB. Logs
            come to 10 or 100, very uniform ones to 300; bombs of zeros to 1030 with gzip, and to
            many thousands with xz, bzip2, zstd and Parquet.
    """

    max_bytes: int = 64 << 30
    max_ratio: int = 1000


UNLIMITED = InflateLimits(1 << 62, 1 << 62)
"""For reading again what was read under a limit before."""


class TooLarge(SourceError):  # noqa: N818 - it says what is wrong
    """A stream has expanded to more than its file may."""


class Allowance:
    """What is left of one file's limits.

    Args:
        size_bytes: of the file as it lies.
        limits: of what it may expand to.
    """

    def __init__(self, size_bytes: int, limits: InflateLimits) -> None:
        self._size_bytes = size_bytes
        self._limits = limits
        self._taken = 0

    def metered(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yields plain bytes as long as they are allowed.

        Raises:
            TooLarge: they are not.
        """
        for piece in pieces:
            self._taken += len(piece)
            problem = self.problem()
            if problem:
                raise TooLarge(problem)
            yield piece

    def problem(self) -> str | None:
        """Returns why no more bytes may come, None where they may."""
        limits, taken = self._limits, self._taken
        if taken > limits.max_bytes:
            return (
                f"it expands to more than {limits.max_bytes} bytes, "
                "which are allowed (ingest.max_inflated_bytes)"
            )
        if taken > max(_FREE_BYTES, limits.max_ratio * self._size_bytes):
            return (
                f"its {self._size_bytes} bytes expand to more than {limits.max_ratio} times "
                "as many, which are allowed (ingest.max_inflated_ratio)"
            )
        return None
