from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.protocols import ParseContext, Parsed
from secad.collect.auditd.records import JOIN_LINES
from secad.collect.formats.auditd import Auditd

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
MakeLines = Callable[[list[bytes]], pa.RecordBatch]
Row = dict[str, object]

ID = b"msg=audit(1642723741.072:375):"
SYSCALL = (
    b"type=SYSCALL " + ID + b" arch=c000003e syscall=%d success=%b exit=%d a0=7 items=2 ppid=41 "
    b'pid=42 auid=1000 uid=33 gid=33 euid=0 tty=pts0 ses=5 comm="cat" exe="/usr/bin/cat" key=(null)'
)


@pytest.fixture
def parse(make_lines: MakeLines) -> Callable[..., Parsed]:
    return lambda *lines: Auditd().parse(make_lines(list(lines)), CONTEXT)


@pytest.fixture
def event(parse: Callable[..., Parsed]) -> Callable[..., Row]:
    def made(*lines: bytes) -> Row:
        parsed = parse(*lines)
        assert parsed.rejects.to_pylist() == []
        (row,) = parsed.events.to_pylist()
        assert parsed.joined == len(lines) - 1
        return {name: value for name, value in row.items() if value not in (None, [])}

    return made


def test_joins_the_records_of_a_started_program(event: Callable[..., Row]) -> None:
    lines = [
        SYSCALL % (59, b"yes", 0)
        + b'\x1dARCH=x86_64 SYSCALL=execve AUID="ann" UID="www" EUID="root"',
        b"type=EXECVE " + ID + b' argc=3 a0="cat" a1=2F746D702F612062 a2="-n"',
        b"type=CWD " + ID + b' cwd="/root"',
        b"type=PATH " + ID + b' item=0 name="/usr/bin/cat" mode=0104755 nametype=NORMAL'
        b'\x1dOUID="root"',
        b"type=PATH " + ID + b' item=1 name="/lib64/ld.so" mode=0100755 nametype=NORMAL',
        b"type=PROCTITLE " + ID + b" proctitle=636174002F746D702F6120620A",
    ]
    row = event(*lines)
    assert row.pop("labels") == [
        *(("a0", "7"), ("items", "2"), ("gid", "33"), ("ARCH", "x86_64")),
    ]
    assert str(row.pop("message")).startswith("arch=c000003e syscall=59")
    assert row == {
        "time": datetime(2022, 1, 21, 0, 9, 1, 72000, tzinfo=UTC),
        "line": 1,
        "byte_offset": 0,
        "byte_length": sum(map(len, lines)) + 5,
        "event_code": "SYSCALL",
        "event_action": "execve",
        "event_outcome": "success",
        "user_name": "ann",
        "user_id": "1000",
        "user_effective_name": "root",
        "session_id": "5",
        "process_pid": 42,
        "process_parent_pid": 41,
        "process_executable": "/usr/bin/cat",
        "process_name": "cat",
        "process_command_line": "cat /tmp/a b -n",
        "process_working_directory": "/root",
        "file_path": "/usr/bin/cat",
        "auditd_auid": "1000",
        "auditd_uid": "33",
        "auditd_euid": "0",
        "auditd_exit": "0",
        "auditd_file_mode": "0104755",
        "auditd_paths": ["/usr/bin/cat", "/lib64/ld.so"],
        "auditd_record_count": 6,
        "auditd_record_types": "SYSCALL,EXECVE,CWD,PATH,PROCTITLE",
        "auditd_syscall": "execve",
        "auditd_terminal": "pts0",
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b"type=USER_AUTH " + ID + b" user pid=7 uid=0 auid=4294967295 ses=4294967295 "
            b"msg='op=PAM:authentication acct=28756E6B6E6F776E207573657229 exe=\"/usr/sbin/sshd\" "
            b"hostname=? addr=192.0.2.7 terminal=ssh res=failed'UID=\"root\" AUID=\"unset\"",
            {
                "event_action": "user-auth",
                "event_outcome": "failure",
                "user_name": "(unknown user)",
                "user_id": "0",
                "source_ip": "192.0.2.7",
                "process_executable": "/usr/sbin/sshd",
                "auditd_terminal": "ssh",
                "auditd_operation": "PAM:authentication",
            },
        ),
        (
            b"type=USER_CMD " + ID + b" pid=7 uid=33 auid=-1 msg='cwd=\"/var/www\" "
            b"cmd=636174202F6574632F736861646F77 terminal=pts/1 res=success'",
            {
                "event_action": "user-cmd",
                "user_id": "33",
                "process_command_line": "cat /etc/shadow",
                "process_working_directory": "/var/www",
            },
        ),
        (
            b"type=SERVICE_START " + ID + b" pid=1 uid=0 msg='unit=cron comm=\"systemd\" "
            b"exe=\"/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'",
            {"event_action": "service-start", "auditd_unit": "cron", "process_name": "systemd"},
        ),
        (
            b"type=LOGIN " + ID + b" pid=1 uid=0 old-auid=4294967295 auid=7 tty=(none) res=1",
            {"event_action": "login", "event_outcome": "success", "user_id": "7"},
        ),
        (
            b"type=USER_LOGIN " + ID + b" pid=1 msg='op=login acct=\"?\" hostname=box.example "
            b"addr=UNKNOWN res=failed'",
            {"source_domain": "box.example", "event_outcome": "failure"},
        ),
        (
            b"type=CRYPTO_SESSION " + ID + b" pid=1 msg='op=start laddr=192.0.2.1 lport=22 "
            b"rport=5022 addr=192.0.2.9 res=success'",
            {
                "source_ip": "192.0.2.9",
                "source_port": 5022,
                "destination_ip": "192.0.2.1",
                "destination_port": 22,
            },
        ),
        (
            b"type=AVC " + ID + b" avc:  denied  { read write } for  pid=5 comm=\"httpd\" "
            b"name=\"shadow\" scontext=a:b tclass=file permissive=0",
            {"event_action": "avc-denied", "event_outcome": "failure", "file_path": "shadow"},
        ),
        (
            b'type=AVC ' + ID + b' apparmor="STATUS" operation="profile_load" name="/sbin/x" pid=2',
            {"event_action": "avc-status", "file_path": "/sbin/x"},
        ),
        (
            b"node=web1 type=UNKNOWN[1420] " + ID + b" x=1",
            {"event_action": "unknown-1420", "host_name": "web1"},
        ),
        (
            b"Dec  1 01:02:03 web2 kernel: [ 1.5] audit: type=1400 audit(1.5:4): apparmor=DENIED",
            {"event_code": "AVC", "event_action": "avc-denied", "host_name": "web2"},
        ),
        (
            b"<13>2024-01-01T00:00:00Z web3 audispd: node=web4 type=EOE " + ID,
            {"event_action": "eoe", "host_name": "web4"},
        ),
        (b"audispd: type=EOE " + ID, {"event_action": "eoe"}),
    ],
)  # fmt: skip
def test_reads_records_of_every_kind(event: Callable[..., Row], body: bytes, expected: Row) -> None:
    row = event(body)
    assert {name: row.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("arch", "number", "call", "kind"),
    [
        (b"c000003e", 257, "openat", "open"),
        (b"40000003", 11, "execve", "execve"),
        (b"c00000b7", 220, "clone", "clone"),
        (b"c000003e", 101, "ptrace", "ptrace"),
        (b"c000003e", 113, "setreuid", "setuid"),
        (b"c000003e", 263, "unlinkat", "unlink"),
        (b"c000003e", 9999, "syscall-9999", "syscall-9999"),
        (b"deadbeef", 1, "syscall-1", "syscall-1"),
    ],
)
def test_names_system_calls_by_architecture(
    event: Callable[..., Row], arch: bytes, number: int, call: str, kind: str
) -> None:
    row = event((SYSCALL % (number, b"no", -13)).replace(b"c000003e", arch))
    assert (row["auditd_syscall"], row["event_action"]) == (call, kind)
    assert (row["event_outcome"], row["auditd_exit"]) == ("failure", "-13")


@pytest.mark.parametrize(
    ("number", "saddr", "expected"),
    [
        (
            42,
            b"02000035C00002350000000000000000",
            {
                "destination_ip": "192.0.2.53",
                "destination_port": 53,
                "auditd_socket_family": "inet",
            },
        ),
        (
            43,
            b"0A00005000000000" + b"20010DB8" + b"00" * 11 + b"01" + b"00000000",
            {"source_ip": "2001:db8::1", "source_port": 80, "auditd_socket_family": "inet6"},
        ),
        (42, b"01002F72756E2F7800", {"file_path": "/run/x", "auditd_socket_family": "unix"}),
        (42, b"0100007A00", {"file_path": "@z", "auditd_socket_family": "unix"}),
        (42, b"1000", {"auditd_socket_family": "netlink"}),
        (42, b"0200", {"auditd_socket_family": "inet"}),
        (42, b"FF", {}),
        (42, b"xyz", {}),
    ],
)
def test_reads_socket_addresses(
    event: Callable[..., Row], number: int, saddr: bytes, expected: Row
) -> None:
    row = event(SYSCALL % (number, b"yes", 0), b"type=SOCKADDR " + ID + b" saddr=" + saddr)
    names = ("source_ip", "source_port", "destination_ip", "destination_port", "file_path")
    found = {name: row[name] for name in (*names, "auditd_socket_family") if name in row}
    assert found == expected


def test_the_most_telling_path_names_the_file(event: Callable[..., Row]) -> None:
    row = event(
        SYSCALL % (82, b"yes", 0),
        b"type=CWD " + ID + b" cwd=2F612062",
        b"type=PATH " + ID + b' item=0 name="/srv" nametype=PARENT mode=041777',
        b"type=PATH " + ID + b' item=1 name="old" nametype=DELETE',
        b"type=PATH " + ID + b' item=2 name="new" nametype=CREATE mode=0100644',
        b"type=PATH " + ID + b" item=3 name=(null) nametype=CREATE",
    )
    assert row["file_path"] == "/a b/new"
    assert row["auditd_paths"] == ["/srv", "old", "new"]
    assert (row["event_action"], row["auditd_file_mode"]) == ("rename", "0100644")


def test_long_arguments_are_put_together_again(event: Callable[..., Row]) -> None:
    row = event(
        b"type=SYSCALL " + ID + b" arch=c000003e syscall=59 success=yes",
        b"type=EXECVE " + ID + b' argc=3 a0="sh" a1_len=6 a1[0]=6162 a1[1]="cd"',
        b"type=EXECVE " + ID + b" a1[2]=C3 a2=E282AC",
    )
    assert row["process_command_line"] == "sh abcd� €"


def test_a_rule_with_several_keys_tells_all(event: Callable[..., Row]) -> None:
    line = (SYSCALL % (59, b"yes", 0)).replace(b"key=(null)", b"key=657865630161646D696E")
    assert event(line)["auditd_key"] == "exec,admin"


def test_an_auxiliary_record_leads_only_alone(event: Callable[..., Row]) -> None:
    row = event(b"type=PROCTITLE " + ID + b' proctitle="x"', SYSCALL % (59, b"yes", 0))
    assert (row["event_code"], row["process_command_line"]) == ("SYSCALL", "x")
    assert event(b"type=PROCTITLE " + ID + b' proctitle="x"')["event_action"] == "proctitle"


def numbered(serial: int, kind: bytes = b"A", node: bytes = b"") -> bytes:
    return node + b"type=" + kind + b" msg=audit(1.000:%d): x=%d" % (serial, serial)


def test_joins_records_that_stand_between_each_other(parse: Callable[..., Parsed]) -> None:
    lines = [numbered(1), numbered(2), b"", numbered(1), b"junk", numbered(2), numbered(3)]
    parsed = parse(*lines)
    assert parsed.events["line"].to_pylist() == [1, 2, 7]
    assert parsed.events["auditd_record_count"].to_pylist() == [2, 2, 1]
    size = len(lines[0])
    assert parsed.events["byte_length"].to_pylist() == [3 * size + 3, 3 * size + 8, size]
    assert (parsed.joined, parsed.skipped, parsed.rejects.num_rows) == (2, 1, 1)


def test_joins_neither_other_hosts_nor_ended_events_nor_far_lines(
    parse: Callable[..., Parsed],
) -> None:
    assert parse(numbered(1, node=b"node=a "), numbered(1, node=b"node=b ")).joined == 0
    parsed = parse(numbered(1), numbered(1, b"EOE"), numbered(1))
    assert parsed.events["auditd_record_count"].to_pylist() == [2, 1]
    far = [numbered(1), *(numbered(serial) for serial in range(2, JOIN_LINES + 2)), numbered(1)]
    assert parse(*far).joined == 0
    assert parse(*far[1:], numbered(2)).joined == 0
    assert parse(far[0], *far[2:]).joined == 1


def test_what_is_no_record_is_rejected_with_a_reason(parse: Callable[..., Parsed]) -> None:
    parsed = parse(
        b"type=SYSCALL arch=c000003e",
        b"audit(1.5:1): pid=1",
        b"type=A msg=audit(1.5:): x",
        b"type=a msg=audit(1.5:1): x",
        b"# comment",
        b"\xff",
    )
    assert parsed.events.num_rows == 0
    assert parsed.skipped == 1
    reasons = parsed.rejects.sort_by("line")["error"].to_pylist()
    assert [reason.split(":")[0] for reason in reasons] == [
        *("no audit id", "no record type", "no audit id", "no record type", "not valid UTF-8"),
    ]


def test_lines_of_open_events_are_held_back(make_lines: MakeLines) -> None:
    form = Auditd()
    whole = [numbered(serial // 2) for serial in range(600)]
    for cut in (401, 402, 599, 600):
        batch = make_lines(whole[:cut])
        held = form.hold_back(batch)
        assert JOIN_LINES <= held <= JOIN_LINES + 2
        first = form.parse(batch.slice(0, cut - held), CONTEXT)
        rest = form.parse(make_lines(whole).slice(cut - held), CONTEXT)
        together = pa.concat_tables([first.events, rest.events])
        assert together.equals(form.parse(make_lines(whole), CONTEXT).events)


def test_an_ended_event_waits_for_nothing(make_lines: MakeLines) -> None:
    lines = [numbered(1), numbered(1, b"EOE"), numbered(2), numbered(2, b"EOE")]
    assert Auditd().hold_back(make_lines(lines)) == 0
    assert Auditd().hold_back(make_lines(lines[:3])) == 1
    assert Auditd().hold_back(make_lines([])) == 0


def test_never_everything_is_held_back(make_lines: MakeLines) -> None:
    assert Auditd().hold_back(make_lines([numbered(1)] * 50)) == 0
    assert Auditd().hold_back(make_lines([numbered(1), *[numbered(2)] * 3])) == 3
    crossed = [numbered(serial % 7) for serial in range(3000)]
    assert Auditd().hold_back(make_lines(crossed)) == 0


def test_is_sure_of_audit_logs_alone() -> None:
    line = numbered(1) + b"\n"
    assert Auditd().matches(line * 3 + line[:8]) == pytest.approx(0.98)
    wrapped = b"Dec  1 01:02:03 h audispd: " + line
    assert Auditd().matches(wrapped * 2) == pytest.approx(0.98)
    assert Auditd().matches(b"Dec  1 01:02:03 h sshd[1]: type=A\n") == 0
    assert Auditd().matches(b'{"raw": "type=A msg=audit(1.5:1): "}\n') == 0
    assert Auditd().matches(b"") == 0


def test_reads_every_line_of_a_real_log(
    data_file: Callable[[str], Path], make_lines: MakeLines
) -> None:
    raw = data_file("glad/ait_audit/intranet_server_audit.log").read_bytes().split(b"\n")[:-1]
    parsed = Auditd().parse(make_lines(raw), CONTEXT)
    assert (parsed.events.num_rows, parsed.joined, parsed.rejects.num_rows) == (2308, 8, 0)
    rows = parsed.events.to_pylist()
    (command,) = [row for row in rows if row["event_action"] == "user-cmd"]
    assert (command["line"], command["process_command_line"]) == (1864, "cat /etc/shadow")
    assert {row["event_action"] for row in rows if row["auditd_record_count"] == 3} == {
        "avc-status"
    }


def test_reads_failed_logins_of_a_real_log(
    data_file: Callable[[str], Path], make_lines: MakeLines
) -> None:
    raw = data_file("parsing/fail2ban_logs/selinux-ssh").read_bytes().split(b"\n")[:-1]
    parsed = Auditd().parse(make_lines(raw), CONTEXT)
    assert parsed.rejects.num_rows == 0
    assert set(parsed.events["event_outcome"].to_pylist()) == {"failure"}
    assert None not in parsed.events["source_ip"].to_pylist()


PIECES = st.sampled_from(
    [
        *(b"type=SYSCALL ", b"type=EXECVE ", b"type=PATH ", b"type=", b"node=h ", b"msg=audit("),
        *(ID, ID, b"1.5:7):", b" a0=", b'"', b"'", b"msg='", b"=", b" saddr=02", b" name=C3"),
        *(b"0A", b"FF", b" key=", b"\x1d", b" SADDR={", b" }", b"\x00", b"\xff", b" ", b"#"),
        *(b" syscall=59 arch=c000003e", b" a1[3]=", b" pid=99999999999999999999", b" comm=ED"),
    ]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=12).map(b"".join), max_size=10))
def test_every_line_ends_in_one_place(lines: list[bytes]) -> None:
    lengths = [len(line) for line in lines]
    batch = pa.record_batch(
        {
            "raw": pa.array(lines, pa.binary()),
            "line": pa.array(range(1, len(lines) + 1), pa.int64()),
            "byte_offset": pa.array([sum(lengths[:row]) for row in range(len(lines))], pa.int64()),
            "byte_length": pa.array(lengths, pa.int64()),
        }
    )
    parsed = Auditd().parse(batch, CONTEXT)
    parsed.events.validate(full=True)
    rejected = parsed.rejects.num_rows
    assert len(lines) == parsed.events.num_rows + parsed.joined + rejected + parsed.skipped
    assert 0 <= Auditd().hold_back(batch) <= len(lines)
