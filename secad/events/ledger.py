"""The ledger: which source is which, and up to where each is committed.

A source is known again by its bytes, not by its name: by its first record, and by the last
committed bytes lying where they lay. So a renamed, rotated, compressed or copied log goes on
where it stopped, and a new log under an old name starts afresh.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import BinaryIO

from sqlalchemy import Connection, Engine, RowMapping, and_, bindparam, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from secad.base.ids import source_id
from secad.base.ledger_tables import source as source_table
from secad.base.names import on_disk

TAIL_BYTES = 1 << 16
_TELLING_BYTES = 4096  # two logs that agree on as much are one log in two places
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Source:
    """What is committed of one source; the fields are the columns of the ``source`` table."""

    source_id: str
    first_record_sha256: str
    path: str
    format: str
    kind: str = "logs"
    device: int | None = None
    inode: int | None = None
    size_bytes: int | None = None  # None until the source was read to its end
    modified_ns: int | None = None
    offset: int = 0
    lines: int = 0
    tail_bytes: int = 0
    tail_sha256: str = ""
    open_place: str | None = None
    events: int = 0
    rejects: int = 0
    joined: int = 0
    skipped: int = 0


class Ledger:
    """Reads and writes the ``source`` table.

    Args:
        engine: the store's database.
        kind: what its sources are read as; those of other kinds are no concern of its.
    """

    def __init__(self, engine: Engine, kind: str = "logs") -> None:
        self._engine = engine
        self._kind = kind

    def unchanged(self, path: str, stamp: Stamp | None) -> Source | None:
        """Returns the source that was read to its end from this very file, if it was."""
        if stamp is None:
            return None
        table = source_table.c
        where = and_(
            table.kind == self._kind,
            table.path == path,
            table.device == stamp[0],
            table.inode == stamp[1],
            table.size_bytes == stamp[2],
            table.modified_ns == stamp[3],
        )
        with self._engine.connect() as connection:
            row = connection.execute(select(source_table).where(where)).mappings().first()
        return _source(row) if row else None

    def continued(
        self, file: BinaryIO, first: bytes, path: str, stamp: Stamp | None
    ) -> Source | None:
        """Returns the source that a stream goes on from, None for a new one.

        Args:
            file: the stream, seekable; left at any place.
            first: its first record's bytes.
            path: how the user knows it.
            stamp: of the file it lies in.
        """
        found = [
            known
            for known in self._candidates(first, path, stamp)
            if _holds(file, known) and _is_same(known, path, stamp)
        ]
        return max(found, key=lambda known: (known.offset, known.source_id), default=None)

    def has_candidates(self, first: bytes, path: str, stamp: Stamp | None) -> bool:
        """Returns whether ``continued`` would have to read the stream."""
        return bool(self._candidates(first, path, stamp))

    def new_source(self, first: bytes, path: str, format_name: str) -> Source:
        """Returns a source that no other known one collides with, nothing of it read yet."""
        digest = bytes_digest(first)
        table = source_table.c
        with self._engine.connect() as connection:
            alike = and_(table.first_record_sha256 == digest, table.kind == self._kind)
            others = connection.execute(select(func.count()).where(alike)).scalar_one()
            known_as = source_id(first, others, self._kind)
            taken = select(func.count()).where(table.source_id == bindparam("known_as"))
            # by a log whose first line was once met half written, as this one's is
            while connection.execute(taken, {"known_as": known_as}).scalar_one():
                others += 1
                known_as = source_id(first, others, self._kind)
        return Source(known_as, digest, path, format_name, self._kind)

    def sources(self) -> list[Source]:
        """Returns all sources of every kind, by path."""
        order = (source_table.c.path, source_table.c.source_id)
        with self._engine.connect() as connection:
            rows = connection.execute(select(source_table).order_by(*order)).mappings().all()
        return [_source(row) for row in rows]

    def _candidates(self, first: bytes, path: str, stamp: Stamp | None) -> list[Source]:
        table = source_table.c
        same = [table.first_record_sha256 == bytes_digest(first), table.path == path]
        if stamp is not None:
            same.append(and_(table.device == stamp[0], table.inode == stamp[1]))
        with self._engine.connect() as connection:
            query = select(source_table).where(source_table.c.kind == self._kind, or_(*same))
            rows = connection.execute(query).mappings().all()
        return [_source(row) for row in rows]


def save(connection: Connection, known: Source) -> None:
    """Writes a source's new state, inside the commit that makes it true."""
    row = asdict(known)
    connection.execute(
        insert(source_table).values(row).on_conflict_do_update(["source_id"], set_=row)
    )


def bytes_digest(data: bytes) -> str:
    """Returns the digest by which a first record or the last bytes of a source are known again."""
    return hashlib.sha256(data).hexdigest()


def tail_of(file: BinaryIO, end: int, size: int) -> tuple[int, str]:
    """Returns how many bytes before ``end`` were digested, and their digest.

    Args:
        file: seekable.
        end: the place behind the last committed record.
        size: the most bytes to digest.
    """
    count = min(size, end)
    file.seek(end - count)
    return count, bytes_digest(file.read(count))


def _holds(file: BinaryIO, known: Source) -> bool:
    if known.offset == 0:
        return False
    count, digest = tail_of(file, known.offset, known.tail_bytes)
    return digest == known.tail_sha256 and file.tell() == known.offset and count > 0


def _is_same(known: Source, path: str, stamp: Stamp | None) -> bool:
    """Returns whether equal bytes mean the same source, or only two short logs that begin alike."""
    if known.path == path or (stamp and (known.device, known.inode) == stamp[:2]):
        return True
    return known.offset >= _TELLING_BYTES or not _is_still_there(known)


def _is_still_there(known: Source) -> bool:
    """Returns whether a source still lies where it was last read; another may have its name now."""
    place = on_disk(known.path)
    if not place.is_file():
        place = on_disk(known.path.split("!")[0])  # an archive with the source inside
    try:
        found = place.stat()
        stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if stamp == (known.device, known.inode, known.size_bytes, known.modified_ns):
            return True
        with place.open("rb") as file:
            return _holds(file, known)
    except OSError:
        return False


def _source(row: RowMapping) -> Source:
    return Source(**row)
