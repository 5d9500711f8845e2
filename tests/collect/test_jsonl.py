from __future__ import annotations

import io
import json
import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import ConfigError
from secad.base.protocols import FieldMap, ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.field_maps import COLUMNS
from secad.collect.formats.jsonl import JsonLines
from secad.collect.formats.windows import WindowsJson
from secad.collect.json.names import NAMES

ANCHOR = datetime(2026, 11, 20, tzinfo=UTC)
FORM = JsonLines()
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def parse(*lines: dict[str, Any] | str, field_map: FieldMap | None = None) -> Parsed:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return FORM.parse(lines_of(text.encode()), ParseContext(ANCHOR, field_map=field_map))


def event(line: dict[str, Any], field_map: FieldMap | None = None) -> dict[str, Any]:
    parsed = parse(line, field_map=field_map)
    assert parsed.events.num_rows == 1, parsed.rejects.to_pylist()
    row: dict[str, Any] = parsed.events.to_pylist()[0]
    return {name: value for name, value in row.items() if name not in {"line", "byte_offset"}}


def test_a_map_says_which_field_is_which_column() -> None:
    field_map = FieldMap({"time": "meta.when", "user_name": "who.id", "source_port": "from.port"})
    line = {"meta": {"when": "2026-03-02T12:00:00Z"}, "who": {"id": "ann"}, "from": {"port": 22}}
    found = event({**line, "user": {"name": "not mapped"}}, field_map)
    assert (found["time"], found["user_name"], found["source_port"]) == (NOON, "ann", 22)
    assert found["labels"] == [("user.name", "not mapped")]
    assert found["event_action"] == "json"


def test_a_maps_time_format_is_followed() -> None:
    epoch = FieldMap({"time": "t"}, time_format="epoch_ms")
    pattern = FieldMap({"time": "t"}, time_format="%d.%m.%Y %H:%M:%S")
    assert event({"t": 1772452800000}, epoch)["time"] == NOON
    assert event({"t": "02.03.2026 12:00:00"}, pattern)["time"] == NOON


def test_two_columns_may_take_the_same_field() -> None:
    field_map = FieldMap({"time": "t", "host_name": "h", "source_domain": "h"})
    found = event({"t": "2026-03-02T12:00:00Z", "h": "web1"}, field_map)
    assert (found["host_name"], found["source_domain"]) == ("web1", "web1")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"time": "t", "usr_name": "u"}, "did you mean 'user_name'"),
        ({"time": "t", "source.ip": "u"}, "did you mean 'source_ip'"),
        ({"user_name": "u"}, "'time'"),
    ],
)
def test_a_bad_map_is_an_error_that_says_how_to_mend_it(
    columns: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        parse({"t": 1}, field_map=FieldMap(columns))


def test_without_a_map_the_names_of_ecs_fill_their_columns() -> None:
    found = event(
        {
            "@timestamp": "2026-03-02T12:00:00Z",
            "event": {"action": "User Login", "outcome": "success", "category": ["authentication"]},
            "user": {"name": "ann", "effective": {"name": "root"}},
            "source": {"ip": "10.0.0.1", "port": 22},
            "process": {"parent": {"entity_id": "x"}, "command_line": "sh -c x"},
            "user_agent": {"original": "curl"},
            "http": {"response": {"status_code": 404}},
            "log": {"level": "info"},
            "message": "hello",
            "extra": {"deep": [1, 2]},
        }
    )
    expected = {
        "time": NOON, "event_action": "user-login", "event_category": "authentication",
        "user_effective_name": "root", "process_parent_entity_id": "x", "source_port": 22,
        "user_agent_original": "curl", "http_response_status_code": 404, "message": "hello",
        "labels": [("extra.deep", "[1, 2]")],
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "times",
    [
        {"timestamp": "2026-03-02 12:00:00"},
        {"ts": 1772452800},
        {"time": "1772452800.000"},
        {"eventTime": "2026-03-02T13:00:00+01:00"},
        {"LogData": {"DetectionTimestamp": [1772452800]}},
        {"datetime": "02/Mar/2026:12:00:00 +0000"},
    ],
)
def test_times_are_found_by_their_usual_names_in_any_writing(times: dict[str, Any]) -> None:
    assert event(times)["time"] == NOON


def test_a_record_without_a_time_is_rejected() -> None:
    parsed = parse({"a": 1}, {"time": "soon"}, field_map=None)
    assert parsed.events.num_rows == 0
    assert set(parsed.rejects["error"].to_pylist()) == {
        "no time: expected a field such as @timestamp, timestamp, time, ts"
    }
    mapped = parse({"a": 1}, field_map=FieldMap({"time": "when"}))
    assert mapped.rejects["error"].to_pylist() == ["no time in the field 'when'"]


def test_malformed_lines_are_rejected_and_comments_and_blanks_skipped() -> None:
    parsed = parse("# note", "", '{"ts": 1772452800', "[]", {"ts": 1772452800})
    assert (parsed.events.num_rows, parsed.skipped) == (1, 2)
    assert parsed.rejects["error"].to_pylist() == [
        "expected ',' or '}', at byte 17",
        "expected an object, at byte 0",
    ]


def test_what_an_integer_column_cannot_hold_becomes_a_label() -> None:
    parsed = parse(
        {"ts": 1772452800, "source": {"port": "ssh"}, "a": 1},
        {"ts": 1772452800, "source": {"port": "22"}},
        {"ts": 1772452800, "source": {"port": 1e30}, "b": 2},
    )
    assert parsed.events["source_port"].to_pylist() == [None, 22, None]
    assert parsed.events["labels"].to_pylist() == [
        [("a", "1"), ("source.port", "ssh")],
        [],
        [("b", "2"), ("source.port", "1e+30")],
    ]


@pytest.mark.parametrize(
    ("given_outcome", "outcome"),
    [("Succeeded", "success"), ("fail", "failure"), (True, "success"), ("partial", "partial")],
)
def test_outcomes_are_put_into_the_words_of_ecs(given_outcome: Any, outcome: str) -> None:
    found = event({"ts": 1772452800, "outcome": given_outcome})
    assert found["event_outcome"] == outcome


def test_every_column_has_names_and_none_is_named_twice_for_it() -> None:
    assert set(NAMES) == set(COLUMNS)
    assert all(len(paths) == len({path.lower() for path in paths}) for paths in NAMES.values())
    assert "user_agent.original" in NAMES["user_agent_original"]


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("gid/auditbeat_nano_scp/auditbeat.jsonl.xz", "read"),
        ("parsing/fail2ban_logs/cowrie", "cowrie.session.connect"),
        ("parsing/raw_ids_alerts/aminer_attack_lines.json", "json"),
        ("parsing/raw_ids_alerts/wazuh_attack_lines.json", "json"),
        ("mines/atrdf/dataset_1_dev.jsonl.xz", None),
        ("mines/trainticket_webnorm/api_records_dev.jsonl.xz", None),
    ],
)
def test_known_logs_are_recognised_and_those_with_times_read(
    data_file: Callable[[str], Path], name: str, action: str | None
) -> None:
    path = data_file(name)
    with (lzma.open if path.suffix == ".xz" else open)(path, "rb") as file:
        head = file.read(65536)
    assert 0.3 <= FORM.matches(head) <= 0.5
    assert WindowsJson().matches(head) == 0
    lines = lines_of(head)
    parsed = FORM.parse(lines, ParseContext(ANCHOR, head=head))
    events, rejects = parsed.events.num_rows, parsed.rejects.num_rows
    assert events + rejects + parsed.skipped == lines.num_rows
    if action is None:
        assert events == 0
    else:
        assert action in parsed.events["event_action"].to_pylist()
        assert rejects <= 1


def test_text_that_is_no_json_is_not_recognised() -> None:
    assert FORM.matches(b"Mar  2 10:00:00 host sshd[1]: {x}\n" * 9) == 0
    assert FORM.matches(b"") == 0
    assert FORM.matches(b'{"a":1}\n' + b"text\n" * 9) == 0


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["2026-03-02T12:00:00Z", "-", "[]", '["x"]', "0x1f"]),
    st.lists(st.text(max_size=4), max_size=2),
)  # fmt: skip
PLACES = st.sampled_from([path for paths in NAMES.values() for path in paths] + ["x", ""])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.dictionaries(PLACES, VALUES, max_size=8), st.text(max_size=30))))
def test_whatever_the_fields_hold_every_line_ends_in_one_place(lines: list[Any]) -> None:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    batch = lines_of(text.encode("utf-8", "surrogatepass"))
    parsed = FORM.parse(batch, ParseContext(ANCHOR))
    assert batch.num_rows == parsed.events.num_rows + parsed.rejects.num_rows + parsed.skipped
    parsed.events.validate(full=True)


def test_arrays_and_envelopes_are_cut_into_records() -> None:
    records = [{"time": f"2026-03-02T12:00:0{row}Z", "who": "ann"} for row in range(4)]
    for document in (records, {"count": 4, "value": records}):
        text = json.dumps(document, indent=2).encode()
        assert FORM.is_framed(text)
        assert FORM.matches(text) == pytest.approx(0.5)
        [(lines, rejects)] = FORM.frames(io.BytesIO(text), 1 << 20)
        field_map = FieldMap({"time": "time", "user_name": "who"})
        events = FORM.parse(lines, ParseContext(ANCHOR, field_map=field_map)).events
        assert (events.num_rows, rejects.num_rows) == (4, 0)
        assert events.column("user_name").to_pylist() == ["ann"] * 4


def test_exports_wrap_their_records() -> None:
    record = {"_time": "2026-03-02T12:00:00Z", "user": "ann", "x": "1"}
    for wrapped in ({"_index": "i", "_source": record}, {"preview": False, "result": record}):
        assert FORM.matches(json.dumps([wrapped]).encode()) == pytest.approx(0.5)
        found = event(wrapped)
        assert (found["time"], found["user_name"]) == (NOON, "ann")
        assert ("x", "1") in found["labels"]


def test_a_document_without_times_is_no_log() -> None:
    assert FORM.matches(b'{\n "name": "secad",\n "scripts": {"a": "b"}\n}\n') == 0
    assert FORM.matches(b'[{"name": "a"}, {"name": "b"}]') == 0
