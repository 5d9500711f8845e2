"""A run of ingest that is killed at any point and started again ends like one that never was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

import secad

LINES = 120_000
SETTINGS = {"SECAD_INGEST__COMMIT_ROWS": "6000", "SECAD_INGEST__BATCH_BYTES": "200000"}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Returns two logs of made lines: syslog with ever new words, and HDFS."""
    folder = tmp_path_factory.mktemp("logs")
    draw = random.Random(7)  # noqa: S311 - a made log needs no secrets
    syslog = [
        f"2026-11-{1 + row // 6000:02d}T{row % 24:02d}:{row % 60:02d}:{row // 24 % 60:02d}Z web01 "
        f"sshd[{row}]: Failed password for user{draw.randrange(4000)} from "
        f"10.0.{row % 200}.{row % 250} port {1024 + row % 60000} ssh2"
        for row in range(LINES)
    ]
    syslog[5000] = "a line without a time"
    hdfs = [
        f"0811{9 + row // 10000:02d} {row % 24:02d}{row % 60:02d}{row // 24 % 60:02d} {row % 500} "
        f"INFO dfs.DataNode$PacketResponder: PacketResponder {row % 3} for block "
        f"blk_{draw.randrange(10**18)} terminating"
        for row in range(LINES // 4)
    ]
    paths = [folder / "auth.log", folder / "hdfs.log"]
    for path, lines in zip(paths, (syslog, hdfs), strict=True):
        path.write_text("\n".join(lines) + "\n")
    return paths


def start(store: Path, logs: list[Path]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "secad", "--store", str(store), "-q", "ingest", "logs"]
    return subprocess.Popen(
        [*command, *map(str, logs)], env={**os.environ, **SETTINGS}, stderr=subprocess.PIPE
    )


def run(store: Path, logs: list[Path]) -> None:
    with start(store, logs) as process:
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()


def contents(store: Path) -> tuple[pa.Table, pa.Table]:
    """Returns all that is in a store, without what differs between runs by design."""
    opened = secad.open(store)
    events = opened.events(templates=True).read_all().drop_columns(["ingested_time"])
    order = [("source_path", "ascending"), ("byte_offset", "ascending")]
    assert opened.event_store.missing() == []
    return events.sort_by(order), opened.rejects().sort_by(order)


@pytest.fixture(scope="module")
def clean(logs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Returns the store of one clean run, and how many seconds it took."""
    store = tmp_path_factory.mktemp("clean") / "store"
    run(tmp_path_factory.mktemp("warm") / "store", logs)  # compiles the kernels
    began = time.monotonic()
    run(store, logs)
    return store, time.monotonic() - began


def killed_and_resumed(store: Path, logs: list[Path], delays: list[float]) -> int:
    """Kills runs after the given delays, then runs to the end; returns how many were killed."""
    killed = 0
    for delay in delays:
        with start(store, logs) as process:
            time.sleep(delay)  # the point of the kill is real time: that is what is tested
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
    run(store, logs)
    return killed


def test_killed_twice_ends_like_a_clean_run(
    logs: list[Path], clean: tuple[Path, float], tmp_path: Path
) -> None:
    store, seconds = clean
    killed = killed_and_resumed(tmp_path / "store", logs, [0.5 * seconds, 0.7 * seconds])
    assert killed >= 1
    for found, expected in zip(contents(tmp_path / "store"), contents(store), strict=True):
        assert found.equals(expected)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_a_random_point_ends_like_a_clean_run(
    seed: int, logs: list[Path], clean: tuple[Path, float], tmp_path: Path
) -> None:
    store, seconds = clean
    delay = random.Random(seed).uniform(0.15, 1.0) * seconds  # noqa: S311 - a point in time
    killed_and_resumed(tmp_path / "store", logs, [delay])
    for found, expected in zip(contents(tmp_path / "store"), contents(store), strict=True):
        assert found.equals(expected)
