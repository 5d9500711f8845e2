from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.features.key_values import (
    LEFT_OUT,
    UNKNOWN,
    Pairs,
    first_of_each_key,
    integers,
    labels,
    scan,
)
from secad.features.spans import buffer_of


def scanned(lines: list[str], *known: str) -> Pairs:
    text = pa.array(lines, pa.string())
    _, ends = buffer_of(text)
    return scan(text, ends[:-1].copy(), known)


def read(lines: list[str], *known: str) -> list[tuple[int, str, str]]:
    pairs = scanned(lines, *known)
    every = np.arange(len(pairs.row))
    keys, values = pairs.keys(every).to_pylist(), pairs.values(every).to_pylist()
    return list(zip(pairs.row.tolist(), keys, values, strict=True))


def test_reads_bare_and_quoted_values() -> None:
    assert read(["user pid=7 acct=\"ro ot\" note='a b' tty=(none)"]) == [
        (0, "pid", "7"),
        (0, "acct", "ro ot"),
        (0, "note", "a b"),
        (0, "tty", "(none)"),
    ]


def test_looks_into_a_nested_message_and_behind_it() -> None:
    line = 'uid=0 msg=\'op=login exe="/bin/su" res=failed\'UID="root"'
    assert [key for _, key, _ in read([line])] == ["uid", "op", "exe", "res", "UID"]
    assert read([line])[3] == (0, "res", "failed")


def test_looks_into_braces() -> None:
    assert read(["SADDR={ saddr_fam=inet lport=53 } x=1"]) == [
        (0, "saddr_fam", "inet"),
        (0, "lport", "53"),
        (0, "x", "1"),
    ]


def test_leaves_the_punctuation_of_prose_out_of_values() -> None:
    line = "PAM: bad (hostname=1.2.3.4, addr=1.2.3.4; res=failed)"
    assert [value for *_, value in read([line])] == ["1.2.3.4", "1.2.3.4", "failed"]


def test_a_quote_that_is_not_closed_ends_with_its_line() -> None:
    assert read(['a="open', "b=1"]) == [(0, "a", "open"), (1, "b", "1")]


def test_marks_known_keys_by_their_place_and_others_as_unknown() -> None:
    pairs = scanned(["a=1 b=2 c=3 a=4"], "c", "a")
    assert pairs.key.tolist() == [1, UNKNOWN, 0, 1]
    assert pairs.values(pairs.of(1)).to_pylist() == ["1", "4"]
    assert pairs.keys(pairs.of(UNKNOWN)).to_pylist() == ["b"]
    pairs = scanned(["a=1 b=2"], "a")
    pairs.key[:1] = LEFT_OUT
    assert pairs.of(0).tolist() == []


def test_reads_only_rows_with_a_begin_and_from_there() -> None:
    text = pa.array(["skip=1", "a=1 b=2", "c=3"]).slice(1)
    pairs = scan(text, np.array([10, -1]), ())
    assert pairs.keys(np.arange(len(pairs.row))).to_pylist() == ["b"]


def test_values_of_no_pair_are_null() -> None:
    pairs = scanned(["a=1"], "a")
    assert pairs.values(np.array([-1, 0])).to_pylist() == [None, "1"]
    assert scanned([], "a").values(np.array([-1])).to_pylist() == [None]


def test_reads_integers_and_nothing_else() -> None:
    pairs = scanned(["a=12 a=-3 a=x a= a=- a=999999999999999999 a=1000000000000000000"], "a")
    assert pairs.integers(pairs.of(0)).to_pylist() == [12, -3, None, None, None, 10**18 - 1, None]
    data = np.frombuffer(b"12", dtype=np.uint8)
    assert integers(data, np.array([0, -1]), np.array([2, 0])).to_pylist() == [12, None]


def test_the_first_pair_of_a_key_stands_for_it_in_each_group() -> None:
    pairs = scanned(["a=1 b=2 a=3", "a=4 a=5"])
    every = np.arange(5)
    first = first_of_each_key(pairs, every, pairs.row)
    assert first.tolist() == [True, True, False, True, False]


def test_groups_of_very_many_keys_are_capped() -> None:
    pairs = scanned([" ".join(f"k{number}=1" for number in range(600)), "k1=1"])
    first = first_of_each_key(pairs, np.arange(601), pairs.row)
    assert first[:512].all()
    assert not first[512:600].any()
    assert first[600]


def test_labels_gather_pairs_by_event() -> None:
    made = labels(np.array([0, 2, 2]), 3, pa.array(["a", "b", "c"]), pa.array(["1", None, "3"]))
    assert made.to_pylist() == [[("a", "1")], [], [("b", None), ("c", "3")]]


WORDS = st.text(st.sampled_from("abcXYZ019_-./:"), min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.tuples(WORDS, WORDS, st.booleans()), max_size=6), max_size=5))
def test_finds_again_what_was_written(rows: list[list[tuple[str, str, bool]]]) -> None:
    lines = [
        " ".join(f'{key}="{value}"' if quoted else f"{key}={value}" for key, value, quoted in row)
        for row in rows
    ]
    expected = [(row, key, value) for row, pairs in enumerate(rows) for key, value, _ in pairs]
    assert read(lines) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab=\"' {}(),;\x1d\té"), max_size=40), max_size=6))
def test_every_span_lies_in_its_line(lines: list[str]) -> None:
    pairs = scanned(lines, "a", "b")
    _, ends = buffer_of(pa.array(lines, pa.string()))
    assert (pairs.key_start >= ends[pairs.row]).all()
    assert (pairs.start + pairs.length <= ends[pairs.row + 1]).all()
    assert (pairs.length >= 0).all()
