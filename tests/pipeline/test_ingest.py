"""The way into the store: each record exactly once, whatever happens to files and runs."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad import plugins
from secad.base.database import open_database
from secad.base.errors import BusyError, ConfigError, Interrupted
from secad.events.store import EventStore
from secad.pipeline.ingest import IngestOptions, IngestReport, ingest_logs

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LINES = [
    f"{1_790_000_000 + 977 * number} message {number} of user{number % 7}" for number in range(3000)
]
FILE = "\n".join(LINES) + "\n"


@pytest.fixture(autouse=True)
def _tiny_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "FORMATS", {"tiny": "tests.pipeline.tiny_format:Tiny"})


class Store:
    """A store in a folder, as tests look at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = open_database(folder)
        self.events = EventStore(folder, self.engine)

    def ingest(self, *paths: Path | str, **options: object) -> IngestReport:
        told = options.pop("told", None)
        return ingest_logs(
            self.events,
            [str(path) for path in paths],
            IngestOptions(**options),  # type: ignore[arg-type]
            now=NOW,
            told=told,  # type: ignore[arg-type]
        )

    def rows(self) -> pa.Table:
        return (
            self.events.events()[0]
            .to_table()
            .sort_by([("time", "ascending"), ("event_id", "ascending")])
        )

    def messages(self) -> list[str]:
        table = self.rows()
        assert len(set(table.column("event_id").to_pylist())) == table.num_rows
        return table.column("message").to_pylist()  # type: ignore[no-any-return]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def outcomes(report: IngestReport) -> list[str]:
    return [source.outcome for source in report.sources]


EXPECTED = [line.split(" ", 1)[1] for line in LINES]


def test_every_line_becomes_an_event_with_its_place(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(FILE)
    report = store.ingest(path, batch_bytes=1000)
    assert report.total().events == len(LINES)
    assert store.messages() == EXPECTED
    data = FILE.encode()
    for row in store.rows().slice(1000, 50).to_pylist():
        raw = data[row["byte_offset"] :][: row["byte_length"]].decode()
        assert raw == LINES[row["line"] - 1]
        assert raw.endswith(row["message"])
        assert row["source_path"] == str(path)


def test_counts_add_up_and_rejects_keep_reason_and_place(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    bad = [b"no time here", b"", b"1790000000 nul \x00", b"1790000000 \xff", b"x" * 5000]
    good = [line.encode() for line in LINES[:10]]
    path.write_bytes(b"\r\n".join([good[0], *bad, *good[1:]]))
    report = store.ingest(path, max_line_bytes=2000)
    total = report.total()
    assert (total.lines, total.events, total.rejects, total.skipped) == (15, 10, 4, 1)
    rejects = store.events.rejects().sort_by("line").to_pylist()
    assert [row["line"] for row in rejects] == [2, 4, 5, 6]
    assert [row["error"].split(",")[0] for row in rejects] == [
        "no time",
        "a NUL byte inside the line",
        "not valid UTF-8",
        "a line of 5000 bytes",
    ]


def test_running_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(FILE)
    store.ingest(path)
    before = store.rows()
    assert outcomes(store.ingest(path)) == ["unchanged"]
    path.touch()
    assert outcomes(store.ingest(path)) == ["unchanged"]
    assert store.rows().equals(before)


def test_grown_file_adds_what_is_new(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    for count in (10, 11, 2000, 3000):
        path.write_text("\n".join(LINES[:count]) + "\n")
        store.ingest(path)
        assert store.messages() == EXPECTED[:count]
    clean = Store(tmp_path / "clean")
    clean.ingest(path)
    assert (
        clean.rows()
        .drop_columns(["template_id"])
        .equals(store.rows().drop_columns(["template_id"]))
    )


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 2000), min_size=1, max_size=6).map(sorted))
def test_file_that_grows_inside_lines_ends_like_one_read_whole(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("grow")
    plugins_before = plugins.FORMATS
    plugins.FORMATS = {"tiny": "tests.pipeline.tiny_format:Tiny"}
    try:
        data = ("\n".join([*LINES[:20], "no time", *LINES[20:40]]) + "\n").encode()
        grown, path = Store(folder / "grown"), folder / "a.log"
        for cut in [*cuts, len(data)]:
            path.write_bytes(data[:cut])
            report = grown.ingest(path)
            assert all(source.problem is None for source in report.sources)
        whole = Store(folder / "whole")
        whole.ingest(path)
        kept = ["message", "byte_offset", "line"]
        assert grown.rows().select(kept).equals(whole.rows().select(kept))
        kept = ["line", "byte_offset", "error"]
        assert grown.events.rejects().select(kept).equals(whole.events.rejects().select(kept))
        assert [source.lines for source in grown.events.ledger.sources()] == [41]
    finally:
        plugins.FORMATS = plugins_before
        shutil.rmtree(folder)


def test_a_document_that_grows_inside_records_ends_like_one_read_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plugins, "FORMATS", {"jsonl": "secad.collect.formats.jsonl:JsonLines"})
    data = b"".join(
        b'{\n "time": "2026-03-02T12:00:%02dZ",\n "message": "no. %d"\n}\n' % (row, row)
        for row in range(12)
    )
    size = len(data) // 12
    grown, path = Store(tmp_path / "grown"), tmp_path / "a.json"
    for cut in (size + 1, size + 2, 3 * size + 20, 3 * size + 21, 7 * size - 1, len(data)):
        path.write_bytes(data[:cut])
        grown.ingest(path)
    whole = Store(tmp_path / "whole")
    whole.ingest(path)
    kept = ["message", "byte_offset", "line"]
    assert grown.rows().select(kept).equals(whole.rows().select(kept))
    assert grown.rows().num_rows == 12
    assert grown.events.rejects().num_rows == 0
    assert [source.lines for source in grown.events.ledger.sources()] == [12]


def test_renamed_and_rotated_file_is_known_again(store: Store, tmp_path: Path) -> None:
    path, old = tmp_path / "a.log", tmp_path / "a.log.1"
    path.write_text("\n".join(LINES[:2000]) + "\n")
    store.ingest(path)
    path.rename(old)
    assert outcomes(store.ingest(old)) == ["unchanged"]
    old.write_text("\n".join(LINES[:2500]) + "\n")  # written on after the rename
    path.write_text("\n".join(LINES[2500:]) + "\n")
    assert outcomes(store.ingest(old, path)) == ["continued", "ingested"]
    packed = tmp_path / "a.log.2.gz"
    packed.write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()
    assert outcomes(store.ingest(packed)) == ["unchanged"]
    assert store.messages() == EXPECTED


def test_copy_adds_nothing_and_short_twins_stay_apart(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(FILE)
    (tmp_path / "copy.log").write_text(FILE)
    report = store.ingest(tmp_path / "a.log", tmp_path / "copy.log")
    assert outcomes(report) == ["ingested", "unchanged"]
    for name in ("web1", "web2"):
        (tmp_path / name).write_text(LINES[0] + "\nno time on " + name + "\n")
    assert store.ingest(tmp_path / "web1", tmp_path / "web2").total().events == 2
    assert store.rows().num_rows == len(LINES) + 2


def test_new_log_under_an_old_name_starts_afresh(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("\n".join(LINES[:1500]) + "\n")
    store.ingest(path)
    path.write_text("\n".join(LINES[1500:]) + "\n")
    assert outcomes(store.ingest(path)) == ["ingested"]
    assert store.messages() == EXPECTED


def test_cut_archive_keeps_what_it_held_and_goes_on_once_mended(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.log.gz"
    whole = gzip.compress(FILE.encode())
    path.write_bytes(whole[: len(whole) // 2])
    (source,) = store.ingest(path).sources
    assert "cut off" in str(source.problem)
    assert 0 < store.rows().num_rows < len(LINES)
    (row,) = [r for r in store.events.rejects().to_pylist() if "cut off" in r["error"]]
    assert row["source_path"] == str(path)
    path.write_bytes(whole)
    assert store.ingest(path).sources[0].problem is None
    assert store.messages() == EXPECTED
    assert store.events.rejects().num_rows == 0


def test_stopped_run_goes_on_where_it_stopped(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(FILE)

    def stop_after(batches: int) -> Callable[[str, int], None]:
        left = [batches]

        def told(_path: str, _size: int) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Interrupted(15)

        return told

    for batches in (3, 5, 1, 7):
        with pytest.raises(Interrupted):
            store.ingest(path, batch_bytes=5000, commit_rows=200, told=stop_after(batches))
    store.ingest(path, batch_bytes=5000)
    assert store.messages() == EXPECTED


def test_small_files_are_joined(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    for count in range(50, 2050, 50):
        path.write_text("\n".join(LINES[:count]) + "\n")
        store.ingest(path)
    days = {part.day for part in store.events.manifest.segments("events")}
    assert len(store.events.manifest.segments("events")) <= 16 * len(days)
    assert store.messages() == EXPECTED[:2000]
    assert store.events.missing() == []


def test_files_that_no_commit_names_are_removed(store: Store, tmp_path: Path) -> None:
    stray = store.folder / "events" / "day=2026-01-01" / "dataset=tiny" / "part-9.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"left by a killed run")
    (tmp_path / "a.log").write_text(FILE)
    store.ingest(tmp_path / "a.log")
    assert not stray.exists()
    assert store.messages() == EXPECTED


def test_second_writer_is_told_to_come_back(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(FILE)
    with store.events.writer(), pytest.raises(BusyError, match="another secad process"):
        store.ingest(tmp_path / "a.log")


def test_what_cannot_be_read_is_told_and_the_rest_is_read(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(FILE)
    (tmp_path / "noise.bin").write_bytes(b"\x7fELF" + bytes(range(256)) * 20)
    (tmp_path / "empty.log").write_bytes(b"")
    report = store.ingest(
        tmp_path / "nowhere.log", tmp_path / "noise.bin", tmp_path / "empty.log", tmp_path / "a.log"
    )
    assert outcomes(report) == ["unreadable", "unrecognised", "empty", "ingested"]
    assert len(report.failed()) == 2
    assert store.messages() == EXPECTED


def test_wrong_option_stops_before_any_work(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(FILE)
    with pytest.raises(ConfigError, match="not known"):
        store.ingest(tmp_path / "a.log", format="tinny")
    with pytest.raises(ConfigError, match="time zone"):
        store.ingest(tmp_path / "a.log", tz="Mars/Olympus")
    assert store.events.ledger.sources() == []


def test_a_folder_may_hold_what_is_no_log(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.log").write_text(FILE)
    (folder / "notes.md").write_text("# not a log\n")
    report = store.ingest(folder)
    assert outcomes(report) == ["ingested", "unrecognised"]
    assert not report.failed()
    assert [source.path for source in report.beside()] == [str(folder / "notes.md")]
    assert len(store.ingest(folder / "notes.md").failed()) == 1  # who names it wants it read


def test_store_inside_a_folder_of_logs_is_no_log(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(FILE)
    for _ in range(2):
        report = store.ingest(tmp_path)
        assert [source.path for source in report.sources] == [str(tmp_path / "a.log")]
    assert store.messages() == EXPECTED
