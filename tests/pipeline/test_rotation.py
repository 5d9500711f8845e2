"""A simulated log writer: however logs are rotated, each record is in the store exactly once.

What cannot be known, and is not asked for: what is deleted before a run has read it; which of two
short logs (under 4 KiB) of the same bytes, both there, is a copy of the other (both are read); and
a first line that a run met half written and that went into another file before the next run.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from secad import plugins
from tests.pipeline.test_ingest import Store

HEADER = b"1790000000 the header that every log begins with\n"
EPOCH = 1_790_000_000
KEPT_LOGS = 4


@dataclass
class File:
    """One file of bytes, wherever it lies."""

    path: Path
    content: bytes
    seen: int = 0  # bytes at the last ingest

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self.content += data


@dataclass
class Writer:
    """Writes one log in a folder and rotates it; remembers what it wrote."""

    folder: Path
    name: str
    files: list[File] = field(default_factory=list)  # the newest is first, as logs are numbered
    gone: list[File] = field(default_factory=list)
    clock: int = EPOCH
    written: int = 0
    half: bytes = b""  # what the newest file's last line still lacks

    def _current(self) -> File:
        path = self.folder / self.name
        if not self.files or self.files[0].path != path:
            self.files.insert(0, File(path, b""))
            self.files[0].write(HEADER)
        return self.files[0]

    def _line(self, size: int) -> bytes:
        self.written += 1
        self.clock += 1
        return f"{self.clock} {self.name} {self.written} {'x' * size}\n".encode()

    def append(self, size: int) -> None:
        self.finish()
        self._current().write(self._line(size) + self._line(size))

    def append_half(self, size: int) -> None:
        self.finish()
        line = self._line(size)
        self.half = line[max(14, len(line) // 2) :]  # a line without its whole time is none
        self._current().write(line[: -len(self.half)])

    def finish(self) -> None:
        if self.half:
            self.files[0].write(self.half)
            self.half = b""

    def jump(self, size: int) -> None:
        """Sets the clock, forwards or backwards."""
        self.clock += (size - 300) * 86_400

    def _shift(self) -> None:
        for number, old in reversed([*enumerate(self.files, 1)]):
            suffix = ".gz" if old.path.suffix == ".gz" else ""
            old.path = old.path.rename(self.folder / f"{self.name}.{number}{suffix}")

    def rename(self, _: int) -> None:
        """Rotates by rename; a half line is ended in the renamed file."""
        self._shift()
        self.finish()

    def copytruncate(self, size: int) -> None:
        self.finish()
        current = self._current()
        older = self.files[1:]
        self.files = older
        for number, old in reversed([*enumerate(older, 2)]):
            suffix = ".gz" if old.path.suffix == ".gz" else ""
            old.path = old.path.rename(self.folder / f"{self.name}.{number}{suffix}")
        copy = self.folder / f"{self.name}.1"
        shutil.copyfile(current.path, copy)
        self.files.insert(0, File(copy, current.content, current.seen))
        current.path.write_bytes(b"")
        fresh = File(current.path, b"")
        self.files.insert(0, fresh)
        if size % 2:
            fresh.write(HEADER)
        else:
            fresh.write(self._line(size))

    def compress(self, _: int) -> None:
        for old in self.files[1:]:
            if old.path.suffix != ".gz":
                packed = Path(f"{old.path}.gz")
                packed.write_bytes(gzip.compress(old.content))
                old.path.unlink()
                old.path = packed

    def delete_oldest(self, _: int) -> None:
        if len(self.files) > 1:
            self.files[-1].path.unlink()
            self.gone.append(self.files.pop())

    def expected(self) -> Counter[str]:
        """Returns the messages that a reader can have met."""
        read = [old.content for old in self.files] + [old.content[: old.seen] for old in self.gone]
        lines = [line for content in read for line in content.decode().splitlines()]
        return Counter(line.split(" ", 1)[1] for line in lines if not is_header(line))


def is_header(line: str) -> bool:
    return line in HEADER.decode() or "the header" in line


class World:
    """A folder of logs, who writes them, and the store that reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.store = Store(folder / "store")
        self.writers = [Writer(self.folder, "a.log"), Writer(self.folder, "b.log")]

    def step(self, what: str, which: int, size: int) -> None:
        if what == "ingest":
            self.ingest()
        elif what in {"symlink", "hardlink"}:
            self.under_two_names(self.writers[which], what)
        else:
            getattr(self.writers[which], what)(size)

    def ingest(self) -> None:
        report = self.store.ingest(self.folder, commit_rows=3)
        assert [source.problem for source in report.sources if source.problem] == []
        for writer in self.writers:
            for file in writer.files:
                file.seen = len(file.content)

    def under_two_names(self, writer: Writer, how: str) -> None:
        """Reads while a file is there under another name too."""
        if not writer.files:
            return
        other = self.folder / f"0{writer.name}"
        (other.symlink_to if how == "symlink" else other.hardlink_to)(writer.files[0].path)
        self.ingest()
        other.unlink()

    def check(self) -> None:
        found = Counter(text for text in self.store.messages() if "the header" not in text)
        assert found == self.writers[0].expected() + self.writers[1].expected()


STEPS = (
    *("ingest", "ingest", "append", "append", "append_half", "rename", "copytruncate"),
    *("compress", "delete_oldest", "symlink", "hardlink", "jump"),
)
Steps = list[tuple[str, int, int]]
steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 1), st.sampled_from([0, 1, 40, 700])),
    min_size=4,
    max_size=18,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
)
@given(taken=steps)
@example(taken=[("append", 0, 1), ("ingest", 0, 0), ("copytruncate", 0, 40), ("ingest", 0, 0)]).via(
    "a short log that was copied and truncated"
)
@example(
    taken=[
        ("append", 0, 1),
        ("ingest", 0, 0),
        ("rename", 0, 0),
        ("append", 0, 1),
        ("compress", 0, 0),
    ]
).via("a short log that was renamed and compressed between two runs")
def test_every_record_is_there_once_however_logs_rotate(
    taken: Steps, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rotation")
    before = plugins.FORMATS
    plugins.FORMATS = {"tiny": "tests.pipeline.tiny_format:Tiny"}
    try:
        world = World(folder)
        for what, which, size in taken:
            world.step(what, which, size)
        world.ingest()
        world.check()
        world.ingest()
        world.check()
    finally:
        plugins.FORMATS = before
        shutil.rmtree(folder)


def test_a_first_line_met_half_written_does_not_make_its_log_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "FORMATS", {"tiny": "tests.pipeline.tiny_format:Tiny"})
    store, path = Store(tmp_path / "store"), tmp_path / "a.log"
    path.write_bytes(b"1790000000 fir")
    store.ingest(path)
    path.write_bytes(b"1790000000 first\n1790000001 second\n")
    store.ingest(path)
    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.write_bytes(b"1790000000 fir")  # the name of the source that the log began as is taken
    store.ingest(tmp_path / "a.log.1.gz", path)
    assert store.messages() == ["fir", "first", "second"]


YEAR_END = datetime(2026, 12, 31, 23, 50, tzinfo=UTC)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    minutes=st.lists(st.integers(0, 400), min_size=2, max_size=12).map(sorted),
    cuts=st.sets(st.integers(1, 11), max_size=4),
    skew=st.integers(-3000, 3000),
)
def test_times_without_a_year_pass_the_new_year(
    minutes: list[int], cuts: set[int], skew: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("year")
    store, path = Store(folder / "store"), folder / "syslog"
    times = [YEAR_END + timedelta(minutes=minute) for minute in minutes]
    for end in sorted({cut for cut in cuts if cut < len(times)} | {len(times)}):
        lines = [
            f"{at:%b %d %H:%M:%S} host app: line {row}\n" for row, at in enumerate(times[:end])
        ]
        path.write_text("".join(lines))
        changed = times[end - 1].timestamp() + skew  # the writer's clock and the disk's differ
        os.utime(path, (changed, changed))
        store.ingest(path, format="syslog")
    found = store.rows().sort_by("line").column("time").to_pylist()
    assert found == times
    shutil.rmtree(folder)
