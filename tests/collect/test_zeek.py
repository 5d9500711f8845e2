from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from secad.api import Secad
from secad.base.config import load_config
from secad.base.protocols import ParseContext, Parsed
from secad.collect.formats.zeek import Zeek
from secad.plugins import recognise

Lines = Callable[[list[bytes]], pa.RecordBatch]
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
UID = "CHhAvVGS1DHFjwGM9"
ENDS = f"{UID}\t192.0.2.1\t40000\t198.51.100.2\t80"


def header(path: str, *fields: str, opened: str = "2026-11-20-10-00-00") -> list[bytes]:
    """Returns the header lines of a log; a field is its name, or name:type."""
    every = (
        "ts:time",
        "uid",
        "id.orig_h:addr",
        "id.orig_p:port",
        "id.resp_h:addr",
        "id.resp_p:port",
        *fields,
    )
    names, kinds = zip(*((*word.split(":"), "string")[:2] for word in every), strict=True)
    lines = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{path}",
        f"#open\t{opened}",
        "\t".join(("#fields", *names)),
        "\t".join(("#types", *kinds)),
    ]
    return [line.encode() for line in lines]


def record(*values: str, ts: str = "1258531221.486539") -> bytes:
    return "\t".join((ts, ENDS, *values)).encode()


def parse(make_lines: Lines, lines: list[bytes], head: bytes = b"") -> Parsed:
    context = ParseContext(CONTEXT.anchor_time, head=head)
    parsed = Zeek().parse(make_lines(lines), context)
    parsed.events.validate(full=True)
    return parsed


def events(make_lines: Lines, lines: list[bytes]) -> list[dict[str, Any]]:
    parsed = parse(make_lines, lines)
    assert not parsed.rejects.num_rows, parsed.rejects.to_pylist()
    return [{k: v for k, v in row.items() if v is not None} for row in parsed.events.to_pylist()]


def one(make_lines: Lines, lines: list[bytes]) -> dict[str, Any]:
    found = events(make_lines, lines)
    assert len(found) == 1
    return found[0]


def written(log: dict[str, Any], **more: Any) -> bytes:
    ends = {"id.orig_h": "192.0.2.1", "id.orig_p": 40000, "id.resp_h": "198.51.100.2"}
    return json.dumps({"ts": 1258531221.486539, "uid": UID, **ends, **log, **more}).encode()


def test_a_connection_fills_the_columns_that_models_read(make_lines: Lines) -> None:
    fields = (
        "proto:enum",
        "service",
        "duration:interval",
        "orig_bytes:count",
        "resp_bytes:count",
        "conn_state",
        "local_orig:bool",
        "history",
        "tunnel_parents:set[string]",
    )
    row = record("tcp", "http", "3.780125", "350", "0", "SF", "T", "ShAD", "(empty)")
    found = one(make_lines, [*header("conn", *fields), row])
    assert found["time"] == datetime(2009, 11, 18, 8, 0, 21, 486539, UTC)
    assert {k: found[k] for k in found if k not in {"time", "line", "byte_offset"}} == {
        "byte_length": len(row),
        "session_id": UID,
        "source_ip": "192.0.2.1",
        "source_port": 40000,
        "destination_ip": "198.51.100.2",
        "destination_port": 80,
        "network_transport": "tcp",
        "network_protocol": "http",
        "event_duration": 3_780_125_000,
        "source_bytes": 350,
        "destination_bytes": 0,
        "zeek_conn_state": "SF",
        "zeek_local_orig": "true",
        "zeek_history": "ShAD",
        "event_outcome": "success",
        "event_provider": "conn",
        "event_action": "zeek-conn",
        "event_category": "network",
    }


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("SF", "success"),
        ("S0", "failure"),
        ("REJ", "failure"),
        ("RSTR", "success"),
        ("OTH", "unknown"),
    ],
)
def test_what_became_of_a_connection_is_its_outcome(
    make_lines: Lines, state: str, outcome: str
) -> None:
    found = one(make_lines, [*header("conn", "conn_state"), record(state)])
    assert found["event_outcome"] == outcome


def test_escapes_in_texts_are_taken_back(make_lines: Lines) -> None:
    subject = r"tab\x09here caf\xc3\xa9 \\srv\x5cshare"
    odd = r"\xff\x00 \x1"
    lines = [*header("smtp", "subject", "helo"), record(subject, odd)]
    found = one(make_lines, lines)
    assert found["zeek_subject"] == "tab\there café \\srv\\share"
    assert found["zeek_helo"] == odd  # no text without them


def test_unset_and_empty_fields_are_null_and_sets_are_joined(make_lines: Lines) -> None:
    lines = [
        *header("dns", "query", "answers:vector[string]", "rcode:count"),
        record("www.example", "a.example,192.0.2.9", "0"),
        record("-", "(empty)", "3"),
    ]
    first, second = events(make_lines, lines)
    assert (first["dns_question_name"], first["zeek_answers"]) == (
        "www.example",
        "a.example,192.0.2.9",
    )
    assert "dns_question_name" not in second
    assert "zeek_answers" not in second
    assert [first["event_outcome"], second["event_outcome"]] == ["success", "failure"]


def test_another_separator_and_other_words_for_nothing_are_understood(make_lines: Lines) -> None:
    lines = [
        b"#separator |",
        b"#empty_field|nothing",
        b"#unset_field|?",
        b"#path|conn",
        b"#fields|ts|uid|service|history",
        b"1258531221.5|C1|?|nothing",
        b"1258531222|C2|-|x",
    ]
    first, second = events(make_lines, lines)
    assert "network_protocol" not in first
    assert "zeek_history" not in first
    assert (second["network_protocol"], second["zeek_history"]) == ("-", "x")


def test_an_unknown_log_keeps_its_fields_as_labels(make_lines: Lines) -> None:
    lines = [
        *header("our_Own log", "colour", "flag:bool", "status_code:count"),
        record("red", "F", "3"),
    ]
    found = one(make_lines, lines)
    assert found["event_action"] == "zeek-our-own-log"
    assert found["event_provider"] == "our_Own log"
    assert dict(found["labels"]) == {"colour": "red", "flag": "false", "status_code": "3"}


def test_a_count_that_is_none_is_kept_as_a_label(make_lines: Lines) -> None:
    lines = [*header("conn", "orig_bytes:count"), record("many"), record("7")]
    first, second = events(make_lines, lines)
    assert dict(first["labels"]) == {"orig_bytes": "many"}
    assert second["source_bytes"] == 7


def test_headers_anywhere_hold_for_what_follows(make_lines: Lines) -> None:
    lines = [
        *header("conn", "service"),
        record("dns"),
        b"#close\t2026-11-20-11-00-00",
        *header("http", "method", "uri"),
        record("GET", "/a?b=c"),
        b"",
        *header("conn", "service"),
        record("ssh"),
    ]
    parsed = parse(make_lines, lines)
    assert parsed.events["event_action"].to_pylist() == ["zeek-conn", "zeek-http", "zeek-conn"]
    assert parsed.events["url_query"].to_pylist() == [None, "b=c", None]
    assert parsed.events["line"].to_pylist() == [9, 19, 29]
    assert parsed.skipped == 26


def test_later_batches_take_the_header_from_the_head(make_lines: Lines) -> None:
    lines = [*header("conn", "service"), record("dns"), record("ssh")]
    batch = make_lines(lines)
    context = ParseContext(CONTEXT.anchor_time, head=b"\r\n".join(lines) + b"\r\n")
    later = Zeek().parse(batch.slice(9), context)
    assert later.events["network_protocol"].to_pylist() == ["ssh"]


def test_records_that_do_not_fit_their_header_are_rejects(make_lines: Lines) -> None:
    lines = [
        record("x"),
        *header("conn", "service"),
        record("dns", "more"),
        record(),
        record("dns", ts="-"),
        record("dns", ts="soon"),
    ]
    lines = [line for line in lines if not line.startswith(b"#open")]
    parsed = parse(make_lines, lines)
    assert parsed.events.num_rows == 0
    assert sorted(parsed.rejects["error"].to_pylist()) == [
        "6 fields, the header names 7",
        "8 fields, the header names 7",
        "no header: expected #fields before the first record",
        "no time: expected seconds since 1970 in the field ts",
        "no time: expected seconds since 1970 in the field ts",
    ]


def test_a_log_without_times_has_that_of_its_beginning(make_lines: Lines) -> None:
    lines = [
        b"#separator \\x09",
        b"#path\tloaded_scripts",
        b"#open\t2026-11-20-10-00-00",
        b"#fields\tname",
        b"#types\tstring",
        b"/opt/zeek/share/base/init-bare.zeek",
    ]
    assert one(make_lines, lines)["time"] == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_line_of_names_is_a_header_too(make_lines: Lines) -> None:
    lines = [b"ts\tuid\tid.orig_h\tconn_state\thistory", b"1258531221.5\tC1\t192.0.2.1\tSF\tDd"]
    found = one(make_lines, lines)
    assert (found["event_action"], found["zeek_history"]) == ("zeek-conn", "Dd")


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            {"_path": "http", "method": "GET", "uri": "http://w.example/x?y"},
            {
                "event_action": "zeek-http",
                "url_domain": "w.example",
                "url_path": "/x",
                "url_query": "y",
                "network_protocol": "http",
            },
        ),
        (
            {"conn_state": "S0", "duration": 2.1457672119140625e-06},
            {"event_action": "zeek-conn", "event_outcome": "failure", "event_duration": 2145},
        ),
        (
            {"rejected": False, "query": "q.example", "answers": ["a,b", 'c"'], "rcode": 3},
            {"event_action": "zeek-dns", "zeek_answers": 'a,b,c"', "event_outcome": "failure"},
        ),
        (
            {"_path": "ssh", "auth_success": True, "direction": "INBOUND"},
            {"event_outcome": "success", "network_direction": "inbound"},
        ),
        (
            {"request_type": "TGS", "client": "ann/CORP.EXAMPLE", "success": False},
            {
                "event_action": "zeek-kerberos",
                "user_name": "ann",
                "user_domain": "CORP.EXAMPLE",
                "event_outcome": "failure",
            },
        ),
        (
            {"_path": "smb_files", "path": "\\\\srv\\C$", "name": "a\\b.txt"},
            {"file_path": "\\\\srv\\C$\\a\\b.txt", "zeek_path": "\\\\srv\\C$"},
        ),
        (
            {"_path": "notice", "note": "Scan::Port", "msg": "a scan", "src": "192.0.2.7"},
            {"rule_name": "Scan::Port", "message": "a scan", "source_ip": "192.0.2.1"},
        ),
        (
            {"_path": "weird", "name": "bad_TCP", "_system_name": "tap-1"},
            {"rule_name": "bad_TCP", "host_name": "tap-1"},
        ),
        (
            {"_path": "ftp", "user": "ann", "command": "RETR", "arg": "/x", "reply_code": 550},
            {"user_name": "ann", "file_path": "/x", "event_outcome": "failure"},
        ),
        ({"unheard": 1}, {"event_action": "zeek-unknown", "labels": [("unheard", "1")]}),
        (
            {"_path": "new_log", "query": "x"},
            {
                "event_provider": "new_log",
                "event_action": "zeek-new-log",
                "labels": [("query", "x")],
            },
        ),
    ],
)
def test_json_records_are_of_the_log_that_they_name_or_look_like(
    make_lines: Lines, log: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = one(make_lines, [written(log)])
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    "ts", [1258531221.486539, "2009-11-18T08:00:21.486539Z", 1258531221486, "1258531221.486539"]
)
def test_json_times_are_epochs_or_iso(make_lines: Lines, ts: object) -> None:
    time = one(make_lines, [written({"_path": "conn"}, ts=ts)])["time"]
    assert time.replace(microsecond=0) == datetime(2009, 11, 18, 8, 0, 21, tzinfo=UTC)
    assert time.microsecond in {486539, 486000}


def test_files_say_who_sent_and_who_received(make_lines: Lines) -> None:
    files = {"_path": "files", "fuid": "F1", "tx_hosts": ["192.0.2.80"], "rx_hosts": ["192.0.2.1"]}
    times = {"ts": 1258531221.4}
    down, up = (json.dumps({**times, **files, "is_orig": up}).encode() for up in (False, True))
    found = events(make_lines, [down, up])
    ends = [(row["source_ip"], row["destination_ip"]) for row in found]
    assert ends == [("192.0.2.1", "192.0.2.80"), ("192.0.2.80", "192.0.2.1")]


def test_broken_and_timeless_json_lines_are_rejects(make_lines: Lines) -> None:
    parsed = parse(make_lines, [b'{"ts":1258531221,', b'{"uid":"C1"}', written({})])
    assert parsed.events.num_rows == 1
    assert parsed.rejects["line"].to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\n".join(header("any")), "zeek"),
        (written({"conn_state": "SF"}), "zeek"),
        (b'{"_path":"conn","ts":"2026-01-01T00:00:00Z","uid":"C"}', "zeek"),
        (b'{"ts":1.5,"fingerprint":"aa","certificate.version":3,"certificate.serial":"1"}', "zeek"),
        (b'{"ts":1700000000.5,"level":"info","message":"started"}', "jsonl"),
        (b'{"ts":"2026-01-01T00:00:00Z","caller":"x","uid":"1234"}', "jsonl"),
    ],
)
def test_heads_are_recognised(head: bytes, name: str) -> None:
    found = recognise(head + b"\n")
    assert found is not None
    assert found.format.name == name


def test_thousands_of_headers_take_no_longer_than_lines(make_lines: Lines) -> None:
    lines = [line for n in range(3000) for line in (b"#fields\tts\tf%d" % n, b"1258531221\tx")]
    parsed = parse(make_lines, lines)
    assert parsed.events.num_rows + parsed.rejects.num_rows == 3000
    assert parsed.events.num_rows > 90


def test_a_header_of_too_many_fields_is_refused(make_lines: Lines) -> None:
    names = b"\t".join(b"f%d" % n for n in range(100_000))
    parsed = parse(make_lines, [b"#fields\tts\t" + names, b"1258531221" + b"\tx" * 100_000])
    assert parsed.rejects["error"].to_pylist() == ["a header of more than 256 fields"]


def test_files_with_the_same_first_line_are_different_sources(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for path, value in (("conn", "dns"), ("http", "GET"), ("weird", "odd")):
        field = {"conn": "service", "http": "method", "weird": "name"}[path]
        lines = [*header(path, field), record(value), record(value)]
        (logs / f"{path}.log").write_bytes(b"\n".join(lines) + b"\n")
    (logs / "conn.2.log").write_bytes(
        b"\n".join([*header("conn", "service"), record("ssh")]) + b"\n"
    )
    settings = tmp_path / "secad.toml"
    settings.write_text("", encoding="utf-8")
    store = Secad(tmp_path / "store", load_config(file=settings, environment={}))
    now = datetime(2026, 11, 20, tzinfo=UTC)
    first = store.ingest([str(logs)], now=now)
    assert {row.outcome for row in first.sources} == {"ingested"}
    assert {row.format for row in first.sources} == {"zeek"}
    assert first.total().events == 7
    again = store.ingest([str(logs)], now=now)
    assert {row.outcome for row in again.sources} == {"unchanged"}
    with (logs / "http.log").open("ab") as log:
        log.write(record("POST") + b"\n")
    third = store.ingest([str(logs)], now=now)
    assert third.total().events == 1
    rows = store.events(columns=["event_action"]).read_all()["event_action"].to_pylist()
    assert sorted(rows) == ["zeek-conn"] * 3 + ["zeek-http"] * 3 + ["zeek-weird"] * 2


@pytest.mark.parametrize("wrap", [lambda t: {"message": t}, lambda t: {"result": {"_raw": t}}])
def test_envelopes_of_shippers_and_splunk_hold_records_as_text(
    make_lines: Lines, wrap: Callable[[str], dict[str, Any]]
) -> None:
    inner = {"ts": 1772445600.5, "uid": "C1", "id.orig_h": "192.0.2.1"}
    line = json.dumps({"@timestamp": "2026-03-02T11:00:00Z", **wrap(json.dumps(inner))}).encode()
    assert Zeek().matches(line + b"\n") > 0.9
    found = one(make_lines, [line])
    assert (found["source_ip"], found["session_id"]) == ("192.0.2.1", "C1")


def test_statistics_of_zeek_alone_are_recognised(make_lines: Lines) -> None:
    stats = {"ts": 1772445600.5, "peer": "zeek", "mem": 94, "pkts_proc": 296, "events_proc": 723}
    line = json.dumps(stats).encode()
    assert Zeek().matches(line + b"\n") > 0.9
    assert one(make_lines, [line])["event_action"] == "zeek-stats"
