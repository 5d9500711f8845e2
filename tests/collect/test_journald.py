"""systemd's journal, as JSON and in the export format."""

from __future__ import annotations

import io
import json
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import secad
from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of
from secad.collect.formats.journald import Journald
from secad.collect.syslog.journal_export import cut_entries, is_export
from secad.collect.transports.pieces import PieceReader

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
SSHD = {
    "__CURSOR": "s=1",
    "__REALTIME_TIMESTAMP": "1700000000123456",
    "_SOURCE_REALTIME_TIMESTAMP": "1700000000120000",
    "_BOOT_ID": "b",
    "PRIORITY": "6",
    "SYSLOG_FACILITY": "10",
    "SYSLOG_IDENTIFIER": "sshd",
    "_PID": "812",
    "_HOSTNAME": "web01",
    "_UID": "0",
    "_EXE": "/usr/sbin/sshd",
    "_SYSTEMD_UNIT": "ssh.service",
    "_TRANSPORT": "syslog",
    "MESSAGE": "Failed password for invalid user x from 192.0.2.9 port 22 ssh2",
}


def entry(**fields: Any) -> dict[str, Any]:
    return {"__REALTIME_TIMESTAMP": "1700000001000000", "_BOOT_ID": "b", **fields}


def exported(*entries: dict[str, str | bytes]) -> bytes:
    data = b""
    for fields in entries:
        for name, value in fields.items():
            raw = value if isinstance(value, bytes) else value.encode()
            if all(32 <= byte < 127 for byte in raw):
                data += name.encode() + b"=" + raw + b"\n"
            else:
                data += name.encode() + b"\n" + struct.pack("<Q", len(raw)) + raw + b"\n"
        data += b"\n"
    return data


def parse(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    parsed = Journald().parse(batch, CONTEXT)
    assert parsed.rejects.num_rows == 0, parsed.rejects.to_pylist()
    rows = parsed.events.to_pylist()
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def parse_json(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return parse(lines_of("\n".join(map(json.dumps, entries)).encode()))


def expect(row: dict[str, Any], **columns: Any) -> None:
    assert {name: row.get(name) for name in columns} == columns


def test_an_entry_has_the_columns_that_syslog_has() -> None:
    (row,) = parse_json(SSHD)
    expect(
        row,
        time=datetime(2023, 11, 14, 22, 13, 20, 120000, UTC),
        host_name="web01",
        process_name="sshd",
        process_pid=812,
        process_executable="/usr/sbin/sshd",
        service_name="ssh.service",
        log_level="info",
        syslog_facility="authpriv",
        event_action="ssh-login",
        event_outcome="failure",
        user_name="x",
        user_id=None,  # sshd runs as root, but the message is about x
        source_ip="192.0.2.9",
        message=SSHD["MESSAGE"],
    )
    assert row["labels"] == [("_BOOT_ID", "b"), ("_TRANSPORT", "syslog")]


def test_phrases_of_sudo_and_pam() -> None:
    rows = parse_json(
        entry(
            SYSLOG_IDENTIFIER="sudo",
            MESSAGE="   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id",
        ),
        entry(
            SYSLOG_IDENTIFIER="sshd",
            MESSAGE="pam_unix(sshd:session): session opened for user bob(uid=1000) by (uid=0)",
        ),
    )
    expect(rows[0], user_name="alice", process_command_line="/usr/bin/id", log_level=None)
    expect(rows[1], user_name="bob", event_action="session-opened")


def test_bytes_several_values_and_null() -> None:
    rows = parse_json(
        entry(SYSLOG_IDENTIFIER="my app", MESSAGE=[27, 91, 48, 109, 104, 105, 255]),
        entry(_COMM="x", _PID=["7", "8"], MESSAGE='says ["a"]'),
        entry(MESSAGE=None),
    )
    expect(rows[0], process_name="my app", message="\x1b[0mhi\ufffd")
    expect(rows[1], process_name="x", process_pid=7, message='says ["a"]')
    expect(rows[2], message=None, event_action="message")


def test_what_is_no_entry_is_rejected() -> None:
    batch = lines_of(b'{"a":1}\n{"__REALTIME_TIMESTAMP":"soon"}\n{\n')
    reasons = Journald().parse(batch, CONTEXT).rejects.column("error").to_pylist()
    assert len(reasons) == 3
    assert any(reason.startswith("no journal entry") for reason in reasons)
    assert any(reason.startswith("no time") for reason in reasons)


EXPORT = exported(
    dict(SSHD),
    {**entry(), "MESSAGE": "two\n\nlines \xe4 ".encode() + b"\xff\x00", "_HOSTNAME": "web01"},
    {**entry(), "MESSAGE": "end", "EMPTY": ""},
)


@pytest.mark.parametrize("batch_bytes", [1, 50, 1 << 20])
def test_export_is_cut_into_entries(batch_bytes: int) -> None:
    found = list(cut_entries(io.BytesIO(EXPORT), batch_bytes))
    assert all(rejects.num_rows == 0 for _, rejects in found)
    rows = [row for lines, _ in found for row in lines.to_pylist()]
    assert [row["line"] for row in rows] == [1, 2, 3]
    assert json.loads(rows[0]["raw"]) == SSHD
    assert json.loads(rows[1]["raw"])["MESSAGE"] == "two\n\nlines ä \ufffd\x00"
    for row in rows:
        piece = EXPORT[row["byte_offset"] : row["byte_offset"] + row["byte_length"]]
        assert piece.endswith(b"\n")
        assert b"__REALTIME_TIMESTAMP=" in piece
    events = [row for lines, _ in found for row in parse(lines)]
    expect(events[0], user_name="x", source_ip="192.0.2.9", event_action="ssh-login")
    expect(events[2], message="end")


def test_damage_in_an_export_costs_its_own_entry() -> None:
    data = (
        b"not a field\nX=1\n\n"
        + EXPORT
        + b"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffx\n\n"
        + EXPORT[:99]
    )
    found = list(cut_entries(io.BytesIO(data), 64))
    assert sum(lines.num_rows for lines, _ in found) in {3, 4}
    reasons = [reason for _, rejects in found for reason in rejects.column("error").to_pylist()]
    assert len(reasons) >= 2
    assert reasons[0].startswith("no field of the journal export format")
    for cut in range(0, len(EXPORT), 7):
        whole = list(cut_entries(io.BytesIO(EXPORT[:cut]), 64))
        assert sum(lines.num_rows + rejects.num_rows for lines, rejects in whole) <= 3


def test_export_survives_any_bytes() -> None:
    random = np.random.default_rng(3)
    for _ in range(150):
        data = bytearray(EXPORT)
        for place in random.integers(0, len(data), 6):
            data[place] = random.integers(256)
        for lines, _ in cut_entries(io.BytesIO(bytes(data)), 100):
            for raw in lines.column("raw").to_pylist():
                json.loads(raw)
            Journald().parse(lines, CONTEXT)


def test_export_is_ingested_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.export"
    path.write_bytes(EXPORT)
    store = secad.open(tmp_path / "store")
    reports = [store.ingest([str(path)]).sources[0] for _ in range(2)]
    assert [(report.format, report.outcome) for report in reports] == [
        ("journald", "ingested"),
        ("journald", "unchanged"),
    ]
    rows = store.events().read_all().sort_by("line").to_pylist()
    with PieceReader() as reader:
        raw = reader.read(str(path), rows[1]["byte_offset"], rows[1]["byte_length"])
    assert raw is not None
    assert b"two\n\nlines" in raw


@pytest.mark.parametrize(
    "head",
    [
        json.dumps(SSHD).encode() + b"\n",
        EXPORT,
        json.dumps(SSHD, indent=1).encode()
        + b"\n"
        + json.dumps(entry(MESSAGE="b"), indent=1).encode(),
    ],
)
def test_is_recognised(head: bytes) -> None:
    found = plugins.recognise(head)
    assert found is not None
    assert found.format.name == "journald"


def test_sshd_config_is_no_export() -> None:
    assert not is_export(b"PATH=/bin\nHOME=/root\n")


@pytest.mark.parametrize(
    "data",
    [
        b"A\n" * 500_000,
        b"A=\n" * 330_000,
        b"\n" * 1_000_000,
        b"A=1\n\n" * 200_000,
        b"A" * 1_000_000,
    ],
)
def test_takes_a_second_for_a_megabyte_at_most(data: bytes) -> None:
    for _ in range(2):  # the first time compiles
        began = time.monotonic()
        for lines, _ in cut_entries(io.BytesIO(data), 1 << 18):
            Journald().parse(lines, CONTEXT)
    assert time.monotonic() - began < 2
