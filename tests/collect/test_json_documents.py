from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.collect.json.cuts import LIMIT_BYTES
from secad.collect.json.documents import JsonDocuments

FORM = JsonDocuments(("Records", "hits.hits"))
Found = tuple[list[tuple[int, bytes]], list[tuple[int, int, str]]]


def cut(data: bytes, batch_bytes: int = 1 << 20, form: JsonDocuments = FORM) -> Found:
    records, rejects = [], []
    for lines, damaged in form.frames(io.BytesIO(data), batch_bytes):
        for row in lines.to_pylist():
            begin, size = row["byte_offset"], row["byte_length"]
            assert data[begin : begin + size] == row["raw"]
            records.append((row["line"], row["raw"]))
        for row in damaged.to_pylist():
            assert data[row["byte_offset"] :].startswith(row["raw"])
            rejects.append((row["line"], row["byte_offset"], row["error"]))
    return records, rejects


WHOLE = {
    "array": b'[{"a":1},{"a":2}]',
    "pretty array": json.dumps([{"a": 1}, {"a": 2}], indent=2).encode(),
    "one a line": b'[\n{"a":1},\n{"a":2}\n]\n',
    "envelope": b'{"Records":[{"a":1},{"a":2}]}',
    "pretty envelope": json.dumps({"n": [{}], "Records": [{"a": 1}, {"a": 2}]}, indent=1).encode(),
    "envelopes": b'{"Records":[{"a":1}]}\n{"x":"Records","Records":[{"a":2}]}',
    "deep envelope": b'{"hits":{"total":{"hits":[]},"hits":[{"a":1},{"a":2}]}}',
    "objects over lines": b'{\n"a":1\n}\n{\n"a":2\n}\n',
    "no line ends": b'{"a":1}{"a":2}',
    "commas": b'{"a":1},\n{"a":2},\n',
    "text sequence": b'\x1e{"a":1}\n\x1e{"a":2}\n',
    "byte order mark": b'\xef\xbb\xbf\r\n[ {"a":1} , {"a":2} ]',
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_layout_gives_its_records(name: str) -> None:
    data = WHOLE[name]
    head = data.removeprefix(b"\xef\xbb\xbf")
    assert FORM.is_framed(head)
    records, rejects = cut(data)
    assert [(line, json.loads(raw)) for line, raw in records] == [(1, {"a": 1}), (2, {"a": 2})]
    assert not rejects
    assert FORM.first_records(head, 1) == [{"a": 1}]


@pytest.mark.parametrize(
    "data",
    [b'{"a":1}\n{"a":2}\n', b'{"a":1}', b"", b"# note\n{}", b"[1, 2]", b"text", b'{"Records":[]}'],
)
def test_what_is_no_document_stays_lines(data: bytes) -> None:
    assert not FORM.is_framed(data)


def test_records_with_such_a_key_are_no_envelopes_where_others_follow() -> None:
    data = b'{"t":1,"items":[{"id":1}]}\n{"t":2,"items":[{"id":1}]}\n'
    assert JsonDocuments(("items",)).is_framed(data)
    assert not JsonDocuments(("items",), repeated=False).is_framed(data)


UNBALANCED = "a record whose brackets or quotes do not match"
DAMAGED = {
    b'[{"a":1},{"a":2,"b":[1,2},{"a":3}]': ([1, 3], [(2, 9, UNBALANCED)]),
    b'[{"a":1},{"a":2,{"a":3},{"a":4}]': ([1, 3, 4], [(2, 9, UNBALANCED)]),
    b'[{"a":1},{"a":"2\n},{"a":3}]': ([1, 3], [(2, 9, UNBALANCED), (3, 17, "no record: ")]),
    b'[{"a":1},junk {"a":3}]': ([1, 3], [(2, 9, "no record: ")]),
    b'[{"a":1},{"a":2': ([1], [(2, 9, "the file ends inside a record")]),
    b'[{"a":1},{"a":2}': ([1, 2], [(3, 0, "the file ends before this document")]),
    b'{"Records":[{"a":1}]}{"b":[]}': ([1], [(2, 21, "an object without the records")]),
}


@pytest.mark.parametrize("data", DAMAGED, ids=repr)
def test_the_rest_is_read_where_a_record_is_damaged(data: bytes) -> None:
    numbers, faults = DAMAGED[data]
    for batch_bytes in (1, 2, 3, 5, 1000):
        records, rejects = cut(data, batch_bytes)
        assert [json.loads(raw)["a"] for _, raw in records] == numbers
        assert [place[:2] for place in rejects] == [place[:2] for place in faults]
        for found, expected in zip(rejects, faults, strict=True):
            assert found[2].startswith(expected[2])


def test_a_record_over_the_limit_is_rejected_and_the_next_one_read() -> None:
    data = b'[{"a":1},{"b":"' + b"x" * 3 * LIMIT_BYTES + b'"},{"a":2}]'
    for batch_bytes in (1 << 16, 1 << 30):
        records, rejects = cut(data, batch_bytes)
        assert records == [(1, b'{"a":1}'), (3, b'{"a":2}')]
        assert rejects == [(2, 9, f"a record over {LIMIT_BYTES} bytes, the most that is allowed")]


HOSTILE = {
    "deep objects": b"[" + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b',{"a":1}]',
    "deep arrays": b'{"a":' + b"[" * 500_000,
    "open records": b'[{"a":1,' * 130_000,
    "open strings": b'[{"a":"' * 150_000,
    "closers": b"[" + b"}" * 1_000_000,
    "mismatches": b'[{"a":]' * 150_000,
    "garbage": b"[{},x" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_take_linear_time(name: str) -> None:
    cut(b"[{}]")  # compiled by now
    start = time.process_time()
    list(FORM.frames(io.BytesIO(HOSTILE[name]), 1 << 16))
    assert time.process_time() - start < 1.5
    FORM.first_records(HOSTILE[name][: 1 << 16], 20)


VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), max_size=6),
    st.sampled_from([None, 0, 1, 4]),
    st.booleans(),
    st.integers(1, 64),
)
def test_any_records_come_out_as_they_went_in(
    written: list[dict[str, Any]], indent: int | None, envelope: bool, batch_bytes: int
) -> None:
    document: Any = {"a": 1, "Records": written} if envelope else written
    data = json.dumps(document, indent=indent).encode()
    if written or not envelope:
        records, rejects = cut(data, batch_bytes)
        assert [json.loads(raw) for _, raw in records] == written
        assert not rejects


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([b'{"a":1}', b"[", b"]", b'"', b"{", b"}", b",", b"\\", b"x", b"\n",
                              b'{"Records":[', b'"Records"', b":", b" "]), max_size=30),
    st.integers(1, 20),
)  # fmt: skip
def test_pieces_do_not_matter_and_nothing_is_told_twice(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    whole = cut(data)
    assert cut(data, size) == whole
    numbers = sorted([line for line, _ in whole[0]] + [line for line, _, _ in whole[1]])
    assert numbers == list(range(1, len(numbers) + 1))
