from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.collect.json import columns as json_columns
from secad.collect.json import paths as json_paths
from secad.collect.json.columns import first_objects, read_json

KEYS = ["a", "A", "b", "c.d", "c", "d", "k\u00e9y", '"q\\', "\U0001f600", "\n", "", "long" * 9]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["", "-", "\x00", "%"])
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from(KEYS), SCALARS | st.lists(SCALARS, max_size=3), max_size=6),
    lambda inner: st.dictionaries(
        st.sampled_from(KEYS), SCALARS | inner | st.lists(inner, max_size=2)
    ),
    max_leaves=12,
)
CUT = json_columns.LABEL_CAP_BYTES - 4
PATHS = ["a", "c.d", "d.a", "k\u00e9y", "c.c.a", '"q\\', "b"]


def read_one(line: str | bytes, **settings_: Any) -> json_columns.JsonColumns:
    return read_json(pa.array([line]), settings_.pop("wanted", {}), **settings_)


def flatten(value: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for key, inner in value.items():
        if isinstance(inner, dict):
            leaves += flatten(inner, f"{above}{key}.")
        elif inner is not None and inner != "":
            leaves.append((above + key, inner))
    return leaves


def says(text: str | None, value: Any) -> bool:
    if text is None or isinstance(value, str):
        return text == value
    return len(text.encode()) > CUT or json.loads(text) == value


def ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(OBJECTS, st.booleans(), st.sampled_from([None, 1])), max_size=6))
def test_columns_and_labels_are_what_pythons_json_reads(
    rows: list[tuple[dict[str, Any], bool, int | None]],
) -> None:
    lines = [json.dumps(o, ensure_ascii=e, indent=i).replace("\n", " ") for o, e, i in rows]
    read = read_json(pa.array(lines, pa.string()), {path: (path,) for path in PATHS})
    assert read.errors.null_count == len(rows)
    for row, (value, _, _) in enumerate(rows):
        labels: dict[str, Any] = {}
        for path in PATHS:
            values = [inner for name, inner in flatten(value) if ascii_lower(name) == path]
            assert says(read.columns[path][row].as_py(), values[0] if values else None)
        for name, inner in flatten(value):
            if ascii_lower(name) not in PATHS:
                labels.setdefault(name, inner)
        found = dict(read.labels[row].as_py())
        assert found.keys() == labels.keys()
        assert all(says(found[name], labels[name]) for name in labels)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_line_is_sound_exactly_where_pythons_strict_json_says_so(data: st.DataObject) -> None:
    text = json.dumps(data.draw(OBJECTS), ensure_ascii=data.draw(st.booleans()))
    place = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text(st.sampled_from('{}[]",:\\u0e-+.1tfn \t\x01d8'), max_size=4))
    line = text[:place] + put + text[place + cut :]
    try:
        sound = isinstance(json.loads(line, parse_constant=lambda _: 1 / 0), dict)
    except (ValueError, ZeroDivisionError):
        sound = False
    error = read_one(line).errors[0].as_py()
    assert (error is None) == sound, line


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=8))
def test_no_text_makes_it_raise_and_every_line_has_its_row(lines: list[str]) -> None:
    read = read_json(pa.array(lines, pa.string()), {"a": ("a",), "b": ("b", "c")})
    assert len(read.labels) == len(read.errors) == len(read.columns["b"]) == len(lines)
    assert pa.table(read.columns).validate(full=True) is None
    assert read.labels.validate(full=True) is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", "expected an object, at byte 0"),
        ("[1]", "expected an object, at byte 0"),
        ('{"a" 1}', "expected ':' after key, at byte 5"),
        ('{"a":1,}', "expected a key in double quotes, at byte 7"),
        ("{'a':1}", "expected a key in double quotes, at byte 1"),
        ('{"a":}', "expected a value, at byte 5"),
        ('{"a":NaN}', "expected a value, at byte 5"),
        ('{"a":tru}', "expected a value, at byte 5"),
        ('{"a":1 "b":2}', "expected ',' or '}', at byte 7"),
        ('{"a":[1 2]}', "expected ',' or ']', at byte 8"),
        ('{"a":[1}', "expected ',' or ']', at byte 7"),
        ('{"a":"b', "a string without its closing quote, at byte 7"),
        ('{"a":"\t"}', "a control character inside a string, at byte 6"),
        (r'{"a":"\x"}', "an escape that JSON does not have, at byte 6"),
        (r'{"a":"\u12g4"}', "an escape that JSON does not have, at byte 6"),
        ('{"a":01}', "a number that JSON does not have, at byte 5"),
        ('{"a":1.}', "a number that JSON does not have, at byte 7"),
        ('{"a":-}', "a number that JSON does not have, at byte 6"),
        ('{"a":1}x', "text after the object, at byte 7"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested deeper than 64 levels, at byte 320"),
        ('{"a":' + "[" * 64 + "]" * 64 + "}", "nested deeper than 64 levels, at byte 68"),
    ],
)
def test_a_malformed_line_is_told_with_reason_and_byte(line: str, error: str) -> None:
    read = read_one(line, wanted={"a": ("a",)})
    assert read.errors.to_pylist() == [error]
    assert read.columns["a"].to_pylist() == [None]
    assert read.labels.to_pylist() == [[]]


def test_nesting_up_to_the_cap_is_read() -> None:
    deep = '{"a":' * 62 + '{"b":[]}' + "}" * 62
    assert read_one(deep).errors.to_pylist() == [None]
    assert read_one('{"a":' + "[" * 63 + "]" * 63 + "}").errors.to_pylist() == [None]


def test_the_first_path_with_a_value_gives_the_column() -> None:
    lines = ['{"b":"2","a":"1"}', '{"b":"2","a":""}', '{"b":"2","a":null}', '{"a":"-","c":3}', "{}"]
    read = read_json(pa.array(lines), {"x": ("a", "b"), "y": ("b",)}, blank="-")
    assert read.columns["x"].to_pylist() == ["1", "2", "2", None, None]
    assert read.columns["y"].to_pylist() == ["2", "2", "2", None, None]


def test_keys_that_differ_only_in_case_are_one_field_but_two_labels() -> None:
    line = '{"User":"first","USER":"second","user":"third","Port":1,"port":2,"port":3}'
    read = read_one(line, wanted={"user": ("user",)})
    assert read.columns["user"].to_pylist() == ["first"]
    assert read.labels.to_pylist() == [[("Port", "1"), ("port", "2")]]


def test_escaped_keys_are_found_by_what_they_stand_for() -> None:
    read = read_one(r'{"\u0061":{"\u00e9\ud83d\ude00":"x"},"t\tb":1}', wanted={"x": ("a.é😀",)})
    assert read.columns["x"].to_pylist() == ["x"]
    assert read.labels.to_pylist() == [[("t\tb", "1")]]


def test_escapes_become_what_they_stand_for_and_half_a_pair_is_replaced() -> None:
    values = [
        r"\u0000",
        r"\ud83d\ude00",
        r"\ud83d",
        r"\ude00\ud83dx",
        r"\"\\\/\b\f\n\r\t",
        r"\u20aC",
    ]
    lines = [f'{{"a":"{value}"}}' for value in values]
    read = read_json(pa.array(lines), {"a": ("a",)})
    assert read.columns["a"].to_pylist() == [
        "\0", "\U0001f600", "\ufffd", "\ufffd\ufffdx", '"\\/\b\f\n\r\t', "\u20ac",
    ]  # fmt: skip


def test_numbers_words_and_arrays_give_their_json_text() -> None:
    line = '{"a":1e999,"b":123456789012345678901234567890,"c":true,"d":["x",{"y":[]}],"e":-0.50}'
    read = read_one(line)
    assert dict(read.labels[0].as_py()) == {
        "a": "1e999", "b": "123456789012345678901234567890", "c": "true",
        "d": '["x",{"y":[]}]', "e": "-0.50",
    }  # fmt: skip


def test_ignored_objects_are_left_out_but_checked() -> None:
    lines = ['{"agent":{"id":1,"os":{"x":2}},"Message":"long","a":1}', '{"agent":{"id":}}']
    read = read_json(pa.array(lines), {"a": ("a",)}, ignored=("agent", "message"))
    assert read.columns["a"].to_pylist() == ["1", None]
    assert read.labels.to_pylist() == [[], []]
    assert read.errors[1].as_py() == "expected a value, at byte 15"


def test_unwrapped_objects_are_read_as_if_at_the_top() -> None:
    line = '{"Event":{"System":{"Level":4,"Inner":{"x":1}},"EventData":{"Image":"cmd"}}}'
    unwrapped = ("Event.System", "Event.EventData")
    read = read_one(line, wanted={"image": ("Image",), "level": ("Level",)}, unwrapped=unwrapped)
    assert {name: c.to_pylist() for name, c in read.columns.items()} == {
        "image": ["cmd"], "level": ["4"],
    }  # fmt: skip
    assert read.labels.to_pylist() == [[("Inner.x", "1")]]


def test_labels_are_capped_in_number_and_length_at_whole_characters() -> None:
    many = json.dumps({f"k{n}": n for n in range(100)})
    cap = json_columns.LABEL_CAP_BYTES
    plain = json.dumps({"a": "é" * cap}, ensure_ascii=False)
    escaped = json.dumps({"a": "x" * (cap - 3) + "é"})
    wide = json.dumps({"a": "\n" + "x" * (cap - 3) + "é"}, ensure_ascii=False)
    read = read_json(pa.array([many, plain, escaped, wide]), {})
    assert [len(row) for row in read.labels.to_pylist()] == [json_paths.LABELS_CAP, 1, 1, 1]
    assert read.labels[1].as_py() == [("a", "é" * (cap // 2))]
    assert read.labels[2].as_py() == [("a", "x" * (cap - 3))]
    assert read.labels[3].as_py() == [("a", "\n" + "x" * (cap - 3))]


def test_a_path_that_is_too_long_is_left_out_without_harm() -> None:
    long = "k" * json_paths.PATH_CAP_BYTES
    read = read_one(
        wanted={"x": (long,)},
        line=f'{{"{long}":1,"{long}":{{"a":2}},"a":3,"{long[:200]}":{{"{long[:200]}":1}}}}',
    )
    assert read.errors.to_pylist() == [None]
    assert read.labels.to_pylist() == [[("a", "3")]]


def test_more_names_than_the_cap_leave_wanted_paths_in_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_paths, "PATHS_CAP", 32)
    monkeypatch.setattr(json_columns, "_SLOTS", 64)
    lines = [f'{{"o{n}":{{"k{n}":{n}}}}}' for n in range(99)] + ['{"deep":{"er":{"x":7}}}']
    read = read_json(pa.array(lines), {"x": ("deep.er.x",)})
    assert read.columns["x"][99].as_py() == "7"
    assert read.labels[0].as_py() == [("o0.k0", "0")]
    assert read.labels[98].as_py() == []


def test_slices_of_an_array_and_binary_text_are_read_like_any_other() -> None:
    lines = pa.array([b'{"a":"no"}', b'{"a":"yes"}', b'{"b":1}', b"no"])[1:3]
    read = read_json(lines, {"a": ("a",)})
    assert read.columns["a"].to_pylist() == ["yes", None]
    assert read.labels.to_pylist() == [[], [("b", "1")]]


def test_no_lines_give_empty_columns() -> None:
    read = read_json(pa.array([], pa.string()), {"a": ("a",)})
    assert (len(read.columns["a"]), len(read.labels), len(read.errors)) == (0, 0, 0)


def test_a_key_is_its_own_objects_whatever_followed_before() -> None:
    lines = ['{"a":{"b":1},"c":2}', '{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":{"d":3}},"c":4}',
             '{"a":{"b":1}, "c" : 5}', '{"a":{"b":1},"cd":6}', '{"a":{"b":1},"c":""}',
             '{"a":{"b":1},"c":7}']  # fmt: skip
    read = read_json(pa.array(lines), {"top": ("c",), "inner": ("a.c",)})
    assert read.columns["top"].to_pylist() == ["2", None, "4", "5", None, None, "7"]
    assert read.columns["inner"].to_pylist() == [None, "2", None, None, None, None, None]
    assert read.labels.to_pylist()[2] == [("a.b", "1"), ("a.c.d", "3")]
    assert read.labels.to_pylist()[4] == [("a.b", "1"), ("cd", "6")]


def test_arrays_are_joined_where_that_is_asked_for() -> None:
    line = '{"a":["x\\n",1, true ,{"b":[",]"]},[2]],"b":[],"c":"[x]","d":["one"]}'
    wanted = {name: (name,) for name in "abcd"}
    read = read_json(pa.array([line]), wanted, joined=True)
    assert {name: column[0].as_py() for name, column in read.columns.items()} == {
        "a": 'x\n,1,true,{"b":[",]"]},[2]', "b": None, "c": "[x]", "d": "one",
    }  # fmt: skip


def test_a_megabyte_in_one_value_is_read() -> None:
    text = "x\\" * (1 << 19)
    read = read_one(json.dumps({"a": text, "b": 1}), wanted={"a": ("a",)})
    assert read.columns["a"][0].as_py() == text


def test_the_first_objects_of_a_head_are_those_of_its_whole_lines() -> None:
    head = b'# note\n{"a":1}\n\n[2]\n{"b":\r\n{"c":3}\r\n{"d"'
    assert first_objects(head, 9) == [{"a": 1}, None, None, {"c": 3}]
    assert first_objects(head, 1) == [{"a": 1}]
    assert first_objects(b'{"only":"one line"}', 9) == [{"only": "one line"}]
    assert first_objects(b'{"a":' * 10000, 3) == [None]
