"""What syslog lines say, in each of their writings and in any mixture."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.formats.syslog import Syslog

DataFile = Callable[[str], Path]
CONTEXT = ParseContext(datetime(2026, 11, 23, 12, tzinfo=UTC))


def parse(lines: list[str], context: ParseContext = CONTEXT) -> Parsed:
    return Syslog().parse(lines_of("\n".join(lines).encode()), context)


def event(line: str, context: ParseContext = CONTEXT) -> dict[str, Any]:
    events = parse([line], context).events.to_pylist()
    assert len(events) == 1
    return {name: value for name, value in events[0].items() if value is not None}


def parts(line: str) -> tuple[Any, ...]:
    got = event(line)
    return tuple(got.get(name) for name in ("host_name", "process_name", "process_pid", "message"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Oct 11 22:14:15 host prog[12]: a msg ", ("host", "prog", 12, "a msg")),
        ("<34>Oct 11 22:14:15 host su: 'su root' failed", ("host", "su", None, "'su root' failed")),
        ("Mar  6 04:05:19 combo syslogd 1.4.1: restart.", ("combo", "syslogd", None, "restart.")),
        ("Oct 11 22:14:15 kernel: [ 12.3] x: y", (None, "kernel", None, "[ 12.3] x: y")),
        ("Oct 11 22:14:15 h kernel:[ 12.3] x", ("h", "kernel", None, "[ 12.3] x")),
        ("Oct 11 22:14:15 dropbear[12]: x", (None, "dropbear", 12, "x")),
        ("Oct 11 22:14:15 h sshd(pam_unix)[19]: x", ("h", "sshd", 19, "x")),
        ("Oct 11 22:14:15 h /usr/sbin/cron[9]: x", ("h", "cron", 9, "x")),
        ("Oct 11 22:14:15 h postfix/smtpd[9]: x", ("h", "postfix/smtpd", 9, "x")),
        ("Oct 11 22:14:15 h sshd[9] x", ("h", "sshd", 9, "x")),
        ("Oct 11 22:14:15 h foo[bar]: x", ("h", "foo", None, "x")),
        ("Oct 11 22:14:15 h Google Chrome[9]: x", ("h", "Google Chrome", 9, "x")),
        ("Oct 11 22:14:15 h Chrome Helper (GPU)[9]: x", ("h", "Chrome Helper", 9, "x")),
        (
            "Oct 11 22:14:15 h -- root[9]: ROOT LOGIN ON tty2",
            ("h", "-- root", 9, "ROOT LOGIN ON tty2"),
        ),
        (
            "Jul  1 09:00:55 h com.apple.xpc.launchd[1] (com.apple.x.1): y",
            ("h", "com.apple.xpc.launchd", 1, "y"),
        ),
        (
            "Jul  1 09:00:55 h kernel[0]: IOThunderboltSwitch<0>(0x0)::listen - x",
            ("h", "kernel", 0, "IOThunderboltSwitch<0>(0x0)::listen - x"),
        ),
        ("Oct 11 22:14:15 h just words here", ("h", None, None, "just words here")),
        (
            "Oct 11 22:14:15 h last message repeated 2 times",
            ("h", None, None, "last message repeated 2 times"),
        ),
        (
            "Oct 11 22:14:15 last message repeated 2 times",
            (None, None, None, "last message repeated 2 times"),
        ),
        ("Oct 11 22:14:15 fe80::1 sshd[9]: x", ("fe80::1", "sshd", 9, "x")),
        ("2026-11-20T10:00:00.123456+00:00 host sshd[123]: msg", ("host", "sshd", 123, "msg")),
        ("<13>2026-11-20T10:00:00Z host sshd: msg", ("host", "sshd", None, "msg")),
        ("<34>1 2003-10-11T22:14:15.003Z h app 12 ID47 - a msg", ("h", "app", 12, "a msg")),
        ("<34>1 2003-10-11T22:14:15.003Z - - - - -", (None, None, None, None)),
        ("<34>1 2003-10-11T22:14:15Z h app - - [x] \ufeffmsg", ("h", "app", None, "msg")),
        ("Oct 11 22:14:15: %SYS-5-CONFIG_I: changed", (None, "%SYS-5-CONFIG_I", None, "changed")),
    ],
)
def test_line_is_framed(line: str, expected: tuple[Any, ...]) -> None:
    assert parts(line) == expected


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("Oct 11 22:14:15 h p: m", "2026-10-11T22:14:15"),
        ("Nov 24 11:00:00 h p: m", "2026-11-24T11:00:00"),  # a clock that is ahead
        ("Nov 25 11:00:00 h p: m", "2025-11-25T11:00:00"),
        ("Feb 29 11:00:00 h p: m", "2024-02-29T11:00:00"),
        ("Oct 11 2003 22:14:15 h p: m", "2003-10-11T22:14:15"),
        ("<34>1 2003-10-11T22:14:15.003Z h p - - - m", "2003-10-11T22:14:15.003"),
        ("2026-11-20T10:00:00.123456+01:00 h p: m", "2026-11-20T09:00:00.123456"),
    ],
)
def test_time_is_utc_with_the_latest_year_that_fits(line: str, time: str) -> None:
    assert event(line)["time"] == datetime.fromisoformat(time + "+00:00")


def test_times_without_zone_are_of_the_given_one() -> None:
    context = ParseContext(CONTEXT.anchor_time, tz="Europe/Berlin")
    events = parse(["Jul 11 22:14:15 h p: m", "2026-07-11T22:14:15 h p: m"], context).events
    assert {time.isoformat() for time in events["time"].to_pylist()} == {
        "2026-07-11T20:14:15+00:00"
    }


def test_priority_names_level_and_facility() -> None:
    got = event("<86>Oct 11 22:14:15 h sshd[1]: x")
    assert (got["log_level"], got["syslog_facility"]) == ("info", "authpriv")
    assert parse(["<999>Oct 11 22:14:15 h p: x"]).rejects.num_rows == 1  # there is no such one


def test_structured_data_becomes_labels() -> None:
    line = '<34>1 2003-10-11T22:14:15Z h p 1 ID [a@1 x="1" y="q\\"]\\\\"][b z=""] m'
    got = event(line)
    assert got["labels"] == [("a@1.x", "1"), ("a@1.y", 'q"]\\'), ("b.z", "")]
    assert (got["message"], got["syslog_message_id"]) == ("m", "ID")


@pytest.mark.parametrize("data", ["[a", '[a x="1', "[a x=1] m", "[a x]", "[]", "[ ]", '[="]', "["])
def test_broken_structured_data_loses_no_line(data: str) -> None:
    parsed = parse([f"<34>1 2003-10-11T22:14:15Z h p 1 ID {data}"])
    assert parsed.events.num_rows == 1


def test_module_and_repetition_are_unwrapped() -> None:
    got = event(
        "Oct 11 22:14:15 h sshd[1]: message repeated 5 times: [ Failed password for root from "
        "192.0.2.1 port 22 ssh2]"
    )
    assert (got["event_action"], got["syslog_repeat_count"]) == ("ssh-login", 5)
    assert got["source_ip"] == "192.0.2.1"
    for wrapped in ("pam_unix(sshd:auth): ", "pam_unix: ", "(pam_unix) "):
        got = event(f"Oct 11 22:14:15 h sshd[1]: {wrapped}session closed for user eve")
        assert (got["event_action"], got["user_name"]) == ("session-closed", "eve")
    got = event("Oct 11 22:14:15 h sshd[1]: [ID 800047 auth.info] Invalid user x from 192.0.2.1")
    assert got["event_action"] == "ssh-invalid-user"


@pytest.mark.parametrize(
    ("program", "action"),
    [
        ("systemd-logind", "systemd-logind"),
        ("CRON", "cron"),
        ("postfix/smtpd", "postfix-smtpd"),
        ("getty@tty1", "getty"),
        ("kworker/0:1", "kworker"),
        ("rpc.statd", "rpc-statd"),
        ("dhclient6", "dhclient"),
        ("123", "message"),
        ("a" * 99, "a" * 48),
    ],
)
def test_program_without_phrase_names_the_kind(program: str, action: str) -> None:
    assert event(f"Oct 11 22:14:15 h {program}[1]: something")["event_action"] == action


def test_forged_user_name_does_not_move_the_address() -> None:
    got = event(
        "Oct 11 22:14:15 h sshd[1]: Failed password for invalid user "
        "root from 192.0.2.9 port 22 ssh2 from 198.51.100.7 port 5 ssh2"
    )
    assert (got["source_ip"], got["source_port"]) == ("198.51.100.7", 5)
    assert got["user_name"] == "root from 192.0.2.9 port 22 ssh2"


def test_lines_without_time_are_rejected_with_a_reason() -> None:
    parsed = parse(
        ["Oct 11 22:14:15 h p: m", "\tat line 3", "no time here", "", "<34>1 - h p - - -"]
    )
    assert parsed.events.num_rows == 1
    assert parsed.skipped == 1
    assert dict(
        zip(parsed.rejects["line"].to_pylist(), parsed.rejects["error"].to_pylist(), strict=True)
    ) == {
        2: "no time: a continuation of the line before?",
        3: "no time: expected 'Mmm dd hh:mm:ss', an ISO 8601 time or RFC 5424 at the line's start",
        5: "no time: expected 'Mmm dd hh:mm:ss', an ISO 8601 time or RFC 5424 at the line's start",
    }


def test_impossible_day_is_no_time() -> None:
    assert parse(["Feb 30 11:00:00 h p: m", "Oct 11 25:00:00 h p: m"]).rejects.num_rows == 2


SOUP = st.lists(
    st.sampled_from(
        [
            *(b"Oct 11 22:14:15 ", b"2026-11-20T10:00:00Z ", b"<34>", b"<34>1 ", b"host ", b"sshd"),
            *(b"[1]", b": ", b"(pam_unix)", b"pam_unix(a:b): ", b"message repeated 2 times: [ "),
            *(b"]", b'[a b="c"]', b"- ", b"Failed password for ", b" from 1.2.3.4 port 5", b"\t"),
            *(
                b"\xff",
                b"\x00",
                b"\xef\xbb\xbf",
                b"session opened for user ",
                b"rhost=",
                b"kernel:[",
            ),
        ]
    ),
    max_size=10,
).map(b"".join)


@settings(max_examples=50, deadline=None)
@given(st.lists(SOUP | st.binary(max_size=80), max_size=8))
def test_any_bytes_end_in_events_rejects_or_skipped(records: list[bytes]) -> None:
    head = b"\n".join(records)
    lines = lines_of(head)
    parsed = Syslog().parse(lines, CONTEXT)
    total = parsed.events.num_rows + parsed.joined + parsed.rejects.num_rows + parsed.skipped
    assert total == lines.num_rows
    assert 0.0 <= Syslog().matches(head) <= 1.0
    assert parsed.events["event_action"].null_count == 0


def test_slices_and_order_change_nothing() -> None:
    text = [
        "Oct 11 22:14:15 h sshd[1]: Invalid user a from 192.0.2.1",
        "x",
        "Oct 11 22:14:16 h b: c",
    ]
    lines = lines_of("\n".join(text * 3).encode())
    whole = Syslog().parse(lines, CONTEXT).events
    part = Syslog().parse(lines.slice(3, 3), CONTEXT).events
    assert part.equals(whole.slice(2, 2))


def test_no_lines_make_the_same_columns() -> None:
    empty = Syslog().parse(lines_of(b"").slice(0, 0), CONTEXT)
    assert empty.events.schema == parse(["Oct 11 22:14:15 h p: m"]).events.schema
    assert empty.events.num_rows == 0


@pytest.mark.parametrize("system", ["OpenSSH", "Linux"])
def test_messages_are_those_of_the_labelled_sample(system: str, data_file: DataFile) -> None:
    raw = data_file(f"parsing/loghub_2k/{system}/{system}_2k.log").read_bytes()
    truth = data_file(f"parsing/loghub_2k/{system}/{system}_2k.log_structured.csv")
    with truth.open(encoding="utf-8") as file:
        contents = [row["Content"] for row in csv.DictReader(file)]
    parsed = whole(raw)
    assert parsed.rejects.num_rows == 0
    assert parsed.events["message"].to_pylist() == contents
    assert Syslog().matches(raw[:65536]) > 0.9


def whole(raw: bytes) -> Parsed:
    """Returns a whole file parsed, however long."""
    pieces = [lines_of(line) for line in raw.split(b"\n")]
    return Syslog().parse(pa.concat_batches(pieces), CONTEXT)


LABEL = re.compile(rb"\s*#\s*failJSON:\s*(\{.*\})\s*$")


def labelled(raw: bytes, prefix: bytes = b"") -> list[tuple[dict[str, Any], bytes]]:
    found: list[tuple[dict[str, Any], bytes]] = []
    label: dict[str, Any] | None = None
    for line in raw.split(b"\n"):
        if match := LABEL.match(line):
            label = json.loads(match[1])
        elif line.strip() and not line.startswith(b"#") and label is not None:
            found.append((label, prefix + line))
            label = None
    return found


@pytest.mark.parametrize("name", ["pam-generic", "dropbear", "vsftpd", "gssftpd", "pure-ftpd"])
def test_address_and_time_are_those_of_the_labels(name: str, data_file: DataFile) -> None:
    shaped = [
        (label, line)
        for label, line in labelled(data_file(f"parsing/fail2ban_logs/{name}").read_bytes())
        if re.match(rb"[A-Z][a-z]{2} [ 0-9]\d \d\d:", line) and label["match"]
    ]
    assert shaped
    anchor = datetime(2005, 12, 31, tzinfo=UTC)
    for label, line in shaped:
        got = event(line.decode(), ParseContext(anchor))
        assert label["host"] in {got.get("source_ip"), got.get("source_domain")}
        assert got.get("user_name") == label.get("user", got.get("user_name"))
        assert got["time"].strftime("%m-%dT%H:%M:%S") == label["time"][5:]


def test_address_of_sshd_lines_is_that_of_the_labels(data_file: DataFile) -> None:
    lines = labelled(
        data_file("parsing/fail2ban_logs/sshd-journal").read_bytes(), b"Nov 20 10:00:00 "
    )
    wrong = []
    for label, line in lines:
        host = label.get("host", "in no line")
        got = event(line.decode())
        if host.encode() in line and host not in {got.get("source_ip"), got.get("source_domain")}:
            wrong.append(line)
    # fail2ban takes the address in front of what may as well be the name's second half
    assert len(wrong) == 1
    assert wrong[0].endswith(b"ssh2: from 10.10.1.2 port 55555 ssh2")


def test_recorded_server_keeps_every_readable_line(data_file: DataFile) -> None:
    folder = data_file("glad/sotm34/raw/syslog")
    for path in sorted(folder.iterdir()):
        parsed = whole(path.read_bytes())
        reasons = set(parsed.rejects["error"].to_pylist())
        assert reasons <= {"not valid UTF-8"}
        assert Syslog().matches(path.read_bytes()[:65536]) > 0.8
