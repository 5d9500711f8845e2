"""Files of one program: recognised as its own, and read as the same lines are in a mixed file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from secad import plugins
from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of

CONTEXT = ParseContext(datetime(2026, 11, 23, 12, tzinfo=UTC))
CLIENT = "client @0x7f7c95c7 192.0.2.3#60683 (a.example)"
DENIED = f"{CLIENT}: query (cache) 'a.example/A/IN' denied"
ACL = "Deny IP spoof from (192.0.2.1) to 192.0.2.10 on interface outside"
PACKET = "IN=eth0 OUT= MAC= SRC=192.0.2.1 DST=192.0.2.2 LEN=40 PROTO=TCP SPT=1 DPT=2 SYN"
REFUSED = "pam(bob,192.0.2.4): pam_authenticate() failed: Authentication failure"
TCPDUMP = "rule 5/0(match): block in on em0: 192.0.2.1.55 > 192.0.2.2.23: Flags [S], seq 1"
FILTERLOG = "5,,,10,em0,match,block,in,4,0x0,,240,5,0,none,6,tcp,44,192.0.2.1,192.0.2.2,55,23,0,S"

LINES = {
    "asa": [
        f"<162>May  5 17:51:17 fw1 : %ASA-2-106016: {ACL}",
        f"Apr 30 2026 09:22:33: %ASA-2-106016: {ACL}",
        f"Oct 10 2026 12:34:56 fw1 CiscoASA[999]: %ASA-2-106016: {ACL}",
        f"<165>1 2026-06-27T12:17:46Z fw1 - - - - %PIX-2-106016: {ACL}",
        f"Jan  1 2026 10:42:53 UTC: %FTD-2-106016: {ACL}",
        f"2026-06-27T12:17:46Z fw1 : %FWSM-2-106016: {ACL}",
    ],
    "bind": [
        f"23-Aug-2026 10:32:56.621 {DENIED}",
        f"23-Aug-2026 10:32:56.621 security: info: {DENIED}",
        f"2026-08-23T10:32:56.621Z security: {DENIED}",
        f"2026-08-23T10:32:56.621Z {DENIED}",
        f"Oct 23 02:06:39 security: info: {DENIED}",
        f"Oct 23 02:06:39 ns1 named[12]: {DENIED}",
    ],
    "dnsmasq": ["Aug 11 03:56:40 dnsmasq[1]: query[A] a.example from 192.0.2.3"],
    "dovecot": [
        f"2026-08-11 03:56:40 auth-worker(default): Info: {REFUSED}",
        f"Aug 11 03:56:40 auth-worker(default): Info: {REFUSED}",
        f"Aug 11 03:56:40 mx dovecot: auth-worker(22): {REFUSED}",
        f"Aug 11 03:56:40 mx dovecot[9]: auth: {REFUSED}",
    ],
    "netfilter": [
        f"Oct 23 02:06:39 fw1 IPTABLES-DROP: {PACKET}",
        f"Oct 23 02:06:39 fw1 kernel: [  12.1] Firewall: *TCP_IN Blocked* {PACKET}",
        f"2026-10-23T02:06:39Z fw1 kernel: [UFW BLOCK] {PACKET}",
    ],
    "pf": [
        f"2026-10-23 02:06:39.123456 {TCPDUMP}",
        f"1761185199.123456 {TCPDUMP}",
        f"Oct 23 02:06:39 filterlog[55]: {FILTERLOG}",
        f"<134>1 2026-10-23T02:06:39+02:00 fw1.example filterlog 55 - - {FILTERLOG}",
    ],
    "postfix": ["Aug 11 03:56:40 mx postfix-in/smtpd[1]: connect from unknown[192.0.2.3]"],
}
EXPECTED: dict[str, dict[str, Any]] = {
    "asa": {"event_action": "firewall-drop", "source_ip": "192.0.2.1"},
    "bind": {"event_action": "dns-query-denied", "source_ip": "192.0.2.3", "process_name": "named"},
    "dnsmasq": {"event_action": "dns-query", "dns_question_name": "a.example"},
    "dovecot": {"event_action": "mail-login", "user_name": "bob", "source_ip": "192.0.2.4"},
    "netfilter": {"event_action": "firewall-drop", "source_port": 1, "process_name": "kernel"},
    "pf": {"event_action": "firewall-drop", "source_ip": "192.0.2.1", "destination_port": 23},
    "postfix": {"event_action": "mail-connection", "source_ip": "192.0.2.3"},
}


@pytest.mark.parametrize("name", LINES)
def test_every_framing_gives_the_same_event(name: str) -> None:
    head = "\n".join(LINES[name]).encode()
    parsed = plugins.format_named(name).parse(lines_of(head), CONTEXT)
    assert parsed.rejects.num_rows == 0
    for event in parsed.events.to_pylist():
        assert {key: event[key] for key in EXPECTED[name]} == EXPECTED[name], event["message"]


@pytest.mark.parametrize("name", LINES)
def test_file_is_taken_for_its_programs(name: str) -> None:
    for line in LINES[name]:
        found = plugins.recognise(f"{line}\n{line}\n".encode())
        assert found is not None
        assert found.format.name == name, (line, found.confidence, found.others)


@pytest.mark.parametrize("name", LINES)
def test_mixed_file_is_syslog_and_says_the_same(name: str) -> None:
    line = LINES[name][-1]
    others = "Oct 23 02:06:39 host sshd[12]: Invalid user x from 192.0.2.1\n" * 3
    head = f"{line}\n{others}".encode()
    found = plugins.recognise(head)
    assert found is not None
    assert found.format.name == "syslog"
    alone, mixed = (
        plugins.format_named(form).parse(lines_of(head), CONTEXT).events
        for form in (name, "syslog")
    )
    assert alone.equals(mixed)


def test_lines_of_others_stay_theirs() -> None:
    line = b"2026-10-23T02:06:39Z host sshd[12]: Invalid user x from 192.0.2.1"
    for name in LINES:
        event = plugins.format_named(name).parse(lines_of(line), CONTEXT).events.to_pylist()[0]
        assert (event["process_name"], event["event_action"]) == ("sshd", "ssh-invalid-user")


def test_comments_are_no_records_and_do_not_count_against_a_file() -> None:
    line = b"Nov 20 10:00:00 mx postfix/smtpd[7]: connect from unknown[192.0.2.1]\n"
    head = (b"# a note\n" + line) * 20
    found = plugins.recognise(head)
    assert found is not None
    assert found.format.name == "postfix"
    for name in ("postfix", "syslog"):
        parsed = plugins.format_named(name).parse(lines_of(head.rstrip()), CONTEXT)
        assert (parsed.events.num_rows, parsed.rejects.num_rows) == (20, 0)
        assert parsed.skipped == 20
