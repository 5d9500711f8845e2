from __future__ import annotations

import json
import time
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.collect.json.nested import NestedRecords
from secad.collect.text import PARSE_REJECTS

NESTED = NestedRecords(("groups.sets.rows", "snapshot", "diff.added", "diff.removed"))
APART = NestedRecords(("groups.sets.rows", "snapshot"))


def cut(text: bytes, batch_bytes: int = 1 << 20) -> tuple[list[dict[str, Any]], list[str]]:
    lines: list[dict[str, Any]] = []
    errors: list[str] = []
    for batch, rejects in NESTED.frames(BytesIO(text), batch_bytes):
        assert rejects.schema.equals(PARSE_REJECTS)
        lines += batch.to_pylist()
        errors += rejects.column("error").to_pylist()
    for line in lines:
        assert 0 <= line["byte_offset"] < line["byte_offset"] + line["byte_length"] <= len(text)
    assert len({line["byte_offset"] for line in lines}) == len(lines)
    return lines, errors


def objects(text: bytes, batch_bytes: int = 1 << 20) -> list[Any]:
    return [json.loads(line["raw"]) for line in cut(text, batch_bytes)[0]]


def test_each_record_keeps_what_is_around_it() -> None:
    document = {
        "groups": [
            {"of": "a", "sets": [{"by": 1, "rows": [{"id": 1}, {"id": 2}]}, {"rows": []}]},
            {"of": "b", "sets": [{"rows": [{"id": 3, "rows": [7]}], "by": 2}], "end": True},
        ],
        "day": 5,
    }
    for indent in (None, 2):
        text = json.dumps(document, indent=indent).encode()
        assert objects(text) == [
            {"groups": {"of": "a", "sets": {"by": 1, "rows": {"id": 1}}}, "day": 5},
            {"groups": {"of": "a", "sets": {"by": 1, "rows": {"id": 2}}}, "day": 5},
            {
                "groups": {
                    "of": "b",
                    "sets": {"rows": {"id": 3, "rows": [7]}, "by": 2},
                    "end": True,
                },
                "day": 5,
            },
        ]
        for line in cut(text)[0]:
            place = text[line["byte_offset"] :][: line["byte_length"]]
            assert json.loads(place)["id"] in {1, 2, 3}


def test_arrays_beside_the_records_are_left_out() -> None:
    document = {"diff": {"added": [{"n": 1}], "removed": [{"n": 2}, {"n": 3}]}, "name": "q"}
    assert objects(json.dumps(document).encode()) == [
        {"diff": {"added": {"n": 1}, "removed": None}, "name": "q"},
        {"diff": {"added": None, "removed": {"n": 2}}, "name": "q"},
        {"diff": {"added": None, "removed": {"n": 3}}, "name": "q"},
    ]


def test_a_document_without_records_is_one() -> None:
    text = b'{"a": 1}\n{"snapshot": [], "b": "}"}\r\n\n  {"snapshot": {"c": 1}}'
    lines, errors = cut(text)
    assert [json.loads(line["raw"]) for line in lines] == [
        {"a": 1},
        {"snapshot": [], "b": "}"},
        {"snapshot": {"c": 1}},
    ]
    assert [line["line"] for line in lines] == [1, 2, 3]
    assert errors == []


def test_documents_may_stand_in_an_array() -> None:
    text = b'[{"snapshot": [1]},\n {"snapshot": [2, 3]}]\n'
    assert objects(text) == [{"snapshot": number} for number in (1, 2, 3)]


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pieces_do_not_matter(size: int) -> None:
    document = {"snapshot": [{"n": n, "t": '"]}\\'} for n in range(9)], "name": "x"}
    text = ("\n".join([json.dumps(document)] * 3)).encode()
    assert objects(text, size) == objects(text)
    assert len(objects(text)) == 27


def test_goes_on_behind_what_is_damaged() -> None:
    text = b'{"snapshot": [{"n": 1}, }\n{"n": "2\n{"n": 3}\nx\n{"snapshot": [{"n": 4'
    lines, errors = cut(text)
    assert [line["raw"] for line in lines] == [b'{"n": 3}']
    assert errors == [
        "a document whose brackets or quotes do not match",
        "a document whose brackets or quotes do not match",
        "a document whose brackets or quotes do not match",
        "the file ends inside a document",
    ]


def test_refuses_what_would_grow_without_bound() -> None:
    around = json.dumps({"snapshot": [0] * 20_000, "name": "x" * 20_000}).encode()
    lines, errors = cut(around + b'\n{"a": 1}')
    assert len(lines) == 1
    assert errors == ["records with too much around them to repeat it for each"]


@pytest.mark.parametrize(
    "text",
    [
        b'{"snapshot":[\n' * 70_000,
        b'{"groups":[{"sets":[{"rows":[' * 35_000,
        b'{"a":[' * 160_000,
        b'{"snapshot":[' + b"{}," * 330_000,
        b'{"snapshot":[1],' + b'"snapshot":[1],' * 66_000 + b'"a":1}',
        (b'{"a":[' + b"1," * 500 + b"\n") * 1000,
        b'{"' + b"\\" * 1_000_000,
        b"[" * 1_000_000,
    ],
)
def test_time_stays_linear(text: bytes) -> None:
    cut(b'{"snapshot": [1]}')  # compiled from here on
    began = time.monotonic()
    for _ in NESTED.frames(BytesIO(text), 1 << 20):
        pass
    assert time.monotonic() - began < 3.0


VALUES = st.recursive(
    st.integers() | st.text(max_size=5) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["groups", "sets", "rows", "snapshot", "diff", "added", "a"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["groups", "snapshot", "diff", "b"]), VALUES),
    st.integers(1, 60),
)
def test_every_record_is_found_once_and_is_json(document: dict[str, Any], size: int) -> None:
    text = json.dumps(document).encode()
    found = [row for lines, _ in APART.frames(BytesIO(text), size) for row in lines.to_pylist()]
    assert all(isinstance(json.loads(row["raw"]), dict) for row in found)
    assert len(found) == max(1, len(_records(document)))


def _records(document: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for path in APART.paths:
        level = [document]
        for key in path.split("."):
            last = key == path.rpartition(".")[2]
            following: list[Any] = []
            for value in (each.get(key) for each in level if isinstance(each, dict)):
                if isinstance(value, list):
                    following += value
                elif isinstance(value, dict) and not last:
                    following.append(value)
            level = following
            if not last:  # what is no object on the way is a record itself
                found += [value for value in level if not isinstance(value, dict)]
                level = [value for value in level if isinstance(value, dict)]
        found += level
    return found


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80) | st.text('{}[]",:a \n\\', max_size=80).map(str.encode))
def test_no_bytes_raise(text: bytes) -> None:
    cut(text, 9)
    cut(b'{"snapshot": [' + text + b"]}")
