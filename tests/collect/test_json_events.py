from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.elements import Elements
from secad.collect.json.events import Declaration, parse_records, share_of

DECLARED = Declaration(
    what="door record",
    time=("when",),
    mark=("door",),
    columns={"user_name": ("who.name", "who"), "door_floor": ("floor",)},
    parts={"door": ("door",)},
    ruled={"event_action": "door"},
    integers=frozenset({"door_floor"}),
    nested=("message",),
)
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))


def rules(raw: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    return {"event_action": pc.coalesce(raw["door"], "none")}


def parse(*records: Any) -> Parsed:
    lines = "\n".join(r if isinstance(r, str) else json.dumps(r) for r in records)
    return parse_records(lines_of(lines.encode()), CONTEXT, DECLARED, rules)


GOOD = {"when": "2026-03-02T12:00:00Z", "door": "open", "who": {"name": "ann"}, "floor": 3}


def test_declared_columns_are_filled_and_the_rest_kept() -> None:
    [row] = parse(GOOD | {"badge": {"id": 7}, "floor": "three"}).events.to_pylist()
    assert row["user_name"] == "ann"
    assert row["door_floor"] is None
    assert row["labels"] == [("badge.id", "7"), ("door_floor", "three")]
    assert DECLARED.extensions().field("door_floor").type == pa.int64()


def test_what_is_no_record_is_rejected_with_its_reason() -> None:
    parsed = parse(GOOD, {"when": 1}, {"door": "open"}, '{"door": ')
    assert parsed.events.num_rows == 1
    reasons = {row["line"]: row["error"] for row in parsed.rejects.to_pylist()}
    assert reasons[2] == "no door record: expected door"
    assert reasons[3] == "no time: expected when"
    assert reasons[4].startswith("expected a value")


def test_a_record_inside_an_envelope_stands_for_itself() -> None:
    envelope = {"id": "1", "message": json.dumps(GOOD)}
    pretty = {"id": "1", "message": json.dumps(GOOD, indent=1)}
    broken = {"id": "1", "message": '{"door'}
    parsed = parse(envelope, pretty, broken)
    assert parsed.events.column("user_name").to_pylist() == ["ann", "ann"]
    assert parsed.rejects.num_rows == 1


def test_surety_is_the_share_of_records_that_fit() -> None:
    def share(head: bytes) -> float:
        return share_of(
            head, JsonDocuments(("log",)), (b'"door"',), lambda record: "door" in record
        )

    assert share(json.dumps([GOOD, {"a": 1}]).encode()) == 0.49
    assert share(json.dumps({"log": [GOOD]}).encode()) == 0.98
    assert share(json.dumps(GOOD).encode() + b"\n") == 0.98
    assert share(b'{"door": "' + b"x" * 70_000) == 0.9
    assert share(b'text "door"') == share(b"") == share(b'[{"a": 1}]') == 0.0


def test_surety_looks_into_envelopes_and_raises_on_nothing() -> None:
    def share(record: object) -> float:
        head = json.dumps(record).encode() + b"\n"
        return share_of(head, JsonDocuments(), (b"door",), lambda found: "when" in found, ("a.b",))

    assert share({"a": {"b": json.dumps(GOOD, indent=1)}}) == 0.98
    assert share({"a": {"b": '{"door": "\ud800'}}) == 0.0
    assert share({"a": "door"}) == 0.0


def test_a_text_that_only_looks_like_an_array_opens_nothing() -> None:
    texts = pa.array(['[{"a"', "[[", '[{"a":1}]', None, '{"a":2}', '[{"b":1},{"a":3}]'])
    elements = Elements.of(texts)
    assert elements.rows.tolist() == [2, 4, 5, 5]
    values = elements.read({"a": ("a",)})["a"]
    assert elements.first(values).to_pylist() == [None, None, "1", None, "2", "3"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text('[{}]",:a\\1 ', max_size=12)), max_size=6))
def test_elements_raise_on_no_text(texts: list[str | None]) -> None:
    elements = Elements.of(pa.array(texts, pa.string()))
    assert len(elements.rows) == len(elements.text)
    assert len(elements.first(elements.text)) == len(texts)
