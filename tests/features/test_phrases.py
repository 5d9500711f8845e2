"""What a phrase matches, and what a stranger cannot make it match."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import RuleError
from secad.features.phrases import Found, Phrase, PhraseBook, words
from secad.features.spans import Places, buffer_of


def spans_of(texts: list[str]) -> tuple[np.ndarray, Places]:
    data, ends = buffer_of(pa.array(texts, pa.string()))
    return data, np.stack([ends[:-1], np.diff(ends)])


def match(book: PhraseBook, messages: list[str], programs: list[str] | None = None) -> Found:
    data, places = spans_of(messages + (programs or []))
    count = len(messages)
    named = np.ascontiguousarray(places[:, count:]) if programs else None
    return book.match(data, np.ascontiguousarray(places[:, :count]), named)


def read(phrase: str, message: str) -> dict[str, str] | None:
    """Returns the slots of a message, None where the phrase does not fit."""
    found = match(PhraseBook([Phrase(phrase)]), [message])
    if found.rule[0] < 0:
        return None
    return {name: found.column(name)[0].as_py() for name in found.columns}


FAILED = "Failed {method} for {user:rest} from {ip:ip} port {port:int}{= ssh2|}"


@pytest.mark.parametrize(
    ("phrase", "message", "expected"),
    [
        ("{a} b {c}", "x b y", {"a": "x", "c": "y"}),
        ("{a} b {c}", "x y b z", None),  # a token holds no blank
        ("{a:text} b {c}", "x y b z", {"a": "x y", "c": "z"}),
        ("{a:text} b {c:text}", "x b y b z", {"a": "x", "c": "y b z"}),
        ("{a:rest} b {c}", "x b y b z", {"a": "x b y", "c": "z"}),
        ("a={a} b={b}", "a= b=1", {"a": None, "b": "1"}),
        ("a={a:int}", "a=12", {"a": "12"}),
        ("a={a:int}", "a=1x", None),
        ("a={a:int}", "a=", None),
        ("a={a:int}", "a=1234567890123456789", None),  # does not fit 64 bits
        ("[{l:level}]", "[Warning]", {"l": "Warning"}),
        ("[{l:level}]", "[Warnings]", None),
        ("a{ }b", "a   b", {}),
        ("a{ }b", "ab", None),
        ("x{? y}", "x y", {}),
        ("x{? y}", "x", {}),
        ("{=a|b} {c}", "b 1", {"c": "1"}),
        ("{=a|b} {c}", "d 1", None),
        ("{{{a}}}", "{1}", {"a": "1"}),
        ("a {_} {b}", "a c d", {"b": "d"}),
        ("a {b}", "  a c  ", {"b": "c"}),  # blanks around a message
        ("a {b}", "a c d", None),  # it fits the whole message
        ("a", "ab", None),
        ("({u}) CMD ({c:rest})", "(root) CMD (a (b) c)", {"u": "root", "c": "a (b) c"}),
        ("{ip:ip}:{port:int}", "::1:22", {"ip": "::1", "port": "22"}),
        (
            "<{ip:ip}:{port:int}>: {_:rest}",
            "<192.0.2.1:22>: x:y",
            {"ip": "192.0.2.1", "port": "22"},
        ),
        ("from {ip:ip|name} x", "from a.example x", {"ip": None, "name": "a.example"}),
        ("from {ip:ip|name} x", "from 192.0.2.1 x", {"ip": "192.0.2.1", "name": None}),
        ("{a:rest}{ }user={b}", "x  user=y", {"a": "x", "b": "y"}),
    ],
)
def test_phrase_matches(phrase: str, message: str, expected: dict[str, str] | None) -> None:
    assert read(phrase, message) == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.030.0.6", "192.030.0.6"),
        ("2001:db8::80da:af6b:8b2c", "2001:db8::80da:af6b:8b2c"),
        ("::", "::"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:192.0.2.1", "192.0.2.1"),
        ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.1"),
        ("256.0.0.1", None),
        ("1.2.3", None),
        ("1.2.3.4.5", None),
        ("1..2.3", None),
        ("1:2:3:4:5:6:7", None),
        ("1:2:3:4:5:6:7:", None),
        ("1::2::3", None),
        ("12:34:56", None),
        ("12345::", None),
        ("a.example", None),
        ("", None),
    ],
)
def test_address_is_an_address(text: str, kept: str | None) -> None:
    assert (read("from {ip:ip} x", f"from {text} x") or {}).get("ip") == kept


def test_name_that_looks_like_the_tail_does_not_move_the_address() -> None:
    message = "Failed password for x from 192.0.2.9 port 1 ssh2 from 198.51.100.7 port 22 ssh2"
    assert read(FAILED, message) == {
        "method": "password",
        "user": "x from 192.0.2.9 port 1 ssh2",
        "ip": "198.51.100.7",
        "port": "22",
    }


@settings(max_examples=50, deadline=None)
@given(
    user=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    injected=st.sampled_from(["", " from 192.0.2.9 port 1 ssh2", " from 192.0.2.9", " port 1"]),
    address=st.ip_addresses(),
    port=st.integers(0, 65535),
)
def test_whatever_the_name_is_the_tail_is_the_servers(
    user: str, injected: str, address: object, port: int
) -> None:
    name = user + injected
    slots = read(FAILED, f"Failed password for {name} from {address} port {port} ssh2")
    assert slots is not None
    assert slots["port"] == str(port)
    assert (slots["user"] or "") == name.strip(" \t")
    assert str(slots["ip"]) in str(address)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_text_is_read_without_error(messages: list[str]) -> None:
    phrases = [
        FAILED,
        "{a:text}:{b:ip}{ }{c:rest}]",
        "{time:iso} {l:level} {m:rest}",
        "{x}={y:int}",
    ]
    book = PhraseBook([Phrase(text, rule=row) for row, text in enumerate(phrases)])
    found = match(book, messages)
    for name in book.columns:
        for value, message in zip(found.column(name).to_pylist(), messages, strict=True):
            assert value is None or value in message


def test_first_phrase_in_order_wins_whatever_its_program() -> None:
    book = PhraseBook(
        [
            Phrase("a {x}", ("p", "q"), 0),
            Phrase("{x} b", (), 1),
            Phrase("a b", ("p",), 2),
            Phrase("{x:rest}", (), 3),
        ]
    )
    messages = ["a b", "a b", "c b", "c d", "a b"]
    programs = ["p", "r", "p", "p", "pq"]
    assert match(book, messages, programs).rule.tolist() == [0, 1, 1, 3, 1]


def test_absent_messages_and_programs_are_no_match() -> None:
    book = PhraseBook([Phrase("{x:rest}", rule=7)])
    data, places = spans_of(["a", "b"])
    places[0, 0] = -1
    found = book.match(data, places)
    assert found.rule.tolist() == [-1, 7]
    assert found.column("x").to_pylist() == [None, "b"]


def test_no_messages_make_no_matches() -> None:
    found = match(PhraseBook([Phrase("{x}")]), [])
    assert len(found.rule) == 0
    assert found.column("x").to_pylist() == []


def test_book_without_phrases_matches_nothing() -> None:
    assert match(PhraseBook([]), ["a"]).rule.tolist() == [-1]


def test_times_add_up() -> None:
    found = match(
        PhraseBook([Phrase("{time:%s} {_}.{time:%f} {m}")]), ["1117838570 42.50.675872 x"]
    )
    assert found.rule.tolist() == [-1]
    found = match(PhraseBook([Phrase("{time:%s} {_}.{time:%f} {m}")]), ["1117838570 42.675872 x"])
    assert found.micros.tolist() == [1117838570_675872]
    assert found.zoned.tolist() == [True]


def test_hundreds_of_phrases_find_theirs() -> None:
    book = PhraseBook([Phrase(f"event {n} of {{a}}", ("p",), n) for n in range(300)])
    found = match(book, [f"event {n} of {n}" for n in range(300)], ["p"] * 300)
    assert found.rule.tolist() == list(range(300))
    assert found.column("a").to_pylist() == [str(n) for n in range(300)]


def test_filtered_matches_keep_their_spans() -> None:
    found = match(PhraseBook([Phrase("{a}")]), ["x", "y", "z"])
    assert found.where(np.array([True, False, True])).column("a").to_pylist() == ["x", "z"]


def test_words_begin_where_a_word_begins() -> None:
    data, places = spans_of(["on blk_-12, blk_3", "xblk_4 blk_5.", "none", "", "blk_"])
    starts, lengths = words(data, places, "blk_")
    text = bytes(data)
    got = [
        text[at : at + size].decode() if at >= 0 else None
        for at, size in zip(starts.tolist(), lengths.tolist(), strict=True)
    ]
    assert got == ["blk_-12", "blk_5", None, None, "blk_"]


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("a {b", "a lone '{'"),
        ("a b}", "a lone '}'"),
        ("{A}", "must be lower case"),
        ("{a:word}", "allowed are text, rest, ip, int, level"),
        ("{a}{b}", "two slots with nothing between them"),
        ("{a:rest} x {b:rest}", "two slots of type 'rest'"),
        ("{a} x {a}", "two slots 'a'"),
        ("{a:rest} {time:iso}", "a time behind a slot of type 'rest'"),
        ("{time:%Q}", "allowed are %H"),
        ("{a:text|b}", "only a slot with a type may have another"),
        ("", "is empty"),
        ("{=a|b|c}" * 6, "variants"),
    ],
)
def test_malformed_phrase_is_refused_with_what_is_allowed(phrase: str, said: str) -> None:
    with pytest.raises(RuleError, match=said.replace("%", "%")) as caught:
        PhraseBook([Phrase(phrase)])
    assert repr(phrase) in str(caught.value)
