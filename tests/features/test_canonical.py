from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import SchemaError
from secad.features.mining.canonical import (
    FORM_BYTES,
    TOKEN_BYTES,
    TOKENS,
    Canonical,
    canonicalise,
    form_texts,
)

SHOWN, GLUED = "§", "~"
MASK, GLUE = "\x1a", "\x1e"
WHITESPACE = " \t\n\v\f\r"

# what comes near the rules: values, what looks like one, marks, words, separators
UUID = "123e4567-e89b-12d3-a456-426614174000"
NUMBERS = ["0x1f", "0x", "xx", "10.0.0.7", ":22", "-5", "+3.14", "1e5", "eth0", "cafe9", "٣"]
ADDRESSES = ["fe80::1", "::", "a:b:c", "00:1a:2b:3c:4d:5e", "deadbeef", "face", UUID]
DATES = ["Fri ", "Jun ", "17", ", ", "for user ", "KB", "://", "/a", "C:\\", "a=", "_-1", GLUE]
MARKS = [
    GLUE,
    "<*>",
    "<",
    "*",
    ">",
    MASK,
    ".",
    ":",
    "-",
    "=",
    "[",
    "]",
    "user",
    "éa",
    "日本",
    "\x00",
]
pieces = st.sampled_from([*NUMBERS, *ADDRESSES, *DATES, *MARKS])
messages = st.lists(
    st.one_of(pieces, st.sampled_from([*WHITESPACE, "  "]), st.text(max_size=4)), max_size=30
).map("".join)


def values_of(canonical: Canonical, row: int) -> list[str]:
    first, last = canonical.value_ends[row : row + 2]
    return [
        bytes(canonical.data[start:end]).decode() for start, end, _ in canonical.spans[first:last]
    ]


def form_of(message: str) -> tuple[str, list[str]]:
    canonical = canonicalise(pa.array([message], pa.string()), 1)
    form = form_texts(canonical, np.array([0])).form(0)
    return form.replace(GLUE + " ", GLUED).replace(MASK, SHOWN), values_of(canonical, 0)


def normal(message: str) -> str:
    return re.sub(f"[{WHITESPACE}]+", " ", message).strip(" ")


@pytest.mark.parametrize(
    ("message", "form", "values"),
    [
        ("port 22", "port §", ["22"]),
        ("x=-1 y=+3.14", "x=~§ y=~§", ["-1", "+3.14"]),
        ("1-2 a-3", "§-§ a-§", ["1", "2", "3"]),
        ("v6.1.7601 300ms 0.25ms v6.1", "§ § § §", ["v6.1.7601", "300ms", "0.25ms", "v6.1"]),
        ("12:34:56,789", "§,§", ["12:34:56", "789"]),
        ("10.250.19.102:54106:Got", "§:§:Got", ["10.250.19.102", "54106"]),
        ("127.0.0.1.", "§.", ["127.0.0.1"]),
        (
            "eth0 ssh2 blk_-17 node12 x86_64 task_5",
            "eth0 ssh2 § § § §",
            ["blk_-17", "node12", "x86_64", "task_5"],
        ),
        ("0x1F -0x1f 0x 0xzz", "§ § § §", ["0x1F", "-0x1f", "0x", "0xzz"]),
        ("9f3 deadbeef cafe failed", "§ § cafe failed", ["9f3", "deadbeef"]),
        ("1:9f3e 0:0x1f", "§:§ §:§", ["1", "9f3e", "0", "0x1f"]),
        ("fe80::1%eth0", "§%eth0", ["fe80::1"]),
        ("[2001:db8::8a2e:370:7334]:443", "[§]:§", ["2001:db8::8a2e:370:7334", "443"]),
        ("0:0:0:0:0:0:0:0:50010", "§", ["0:0:0:0:0:0:0:0:50010"]),
        ("std::add a:b:c", "std::add a:b:c", []),
        ("00:1a:ff:ee:dd:cc 00-1A-FF-EE-DD-CC", "§ §", ["00:1a:ff:ee:dd:cc", "00-1A-FF-EE-DD-CC"]),
        ("ff:ff:ff:ff:ff:ff", "§", ["ff:ff:ff:ff:ff:ff"]),
        (
            "{abcdefab-cdef-abcd-efab-cdefabcdefab}",
            "{§}",
            ["abcdefab-cdef-abcd-efab-cdefabcdefab"],
        ),
        ("2005-06-03-15.42.50 1-2 3.4", "§ §-§ §", ["2005-06-03-15.42.50", "1", "2", "3.4"]),
        (
            "R02-M1-N0 node-12 web-3.lan.example org.a.b",
            "§ node-§ § org.a.b",
            ["R02-M1-N0", "12", "web-3.lan.example"],
        ),
        ("a.log.1.", "§.", ["a.log.1"]),
        (
            "at /etc/hosts, (/a/b=/c) x/y C:\\Temp\\x, D:/y",
            "at §, (§=~§) x/y §, §",
            ["/etc/hosts", "/a/b", "/c", "C:\\Temp\\x", "D:/y"],
        ),
        ("\\\\host\\share a\\b / // /", "§ a\\b / // /", ["\\\\host\\share"]),
        (
            "hdfs://node:9000/tmp, https://a/?q=1 ://",
            "hdfs://§, https://§=~§ ://",
            ["node:9000/tmp", "a/?q", "1"],
        ),
        ("at Fri Jun 17 20:55:06 2005 x", "at § x", ["Fri Jun 17 20:55:06 2005"]),
        ("(Sat, Jul 2) Jun  May be", "(§~) Jun May be", ["Sat, Jul 2"]),
        ("(4.2 KB, 3 B) 5 Bits 7 MiB", "(§~, §~) § Bits §", ["4.2 KB", "3 B", "5", "7 MiB"]),
        ("for user root, for user=eve user bob", "for user §, for user=~eve user bob", ["root"]),
        ("a==b key='v' x= y ==5", "a==~b key=~'v' x= y ==~§", ["5"]),
        ("a\x1e b", "a§ b", [GLUE]),
        ("is <*> and \x1a", "is § and §", ["<*>", "\x1a"]),
        ("<<*>", "<§", ["<*>"]),
        ("é12 é1 ٣", "§ é1 ٣", ["é12"]),
        ("  a \t\r\n b  ", "a b", []),
        ("", "", []),
        (" \t ", "", []),
    ],
)
def test_values_are_masked_and_spaces_joined(message: str, form: str, values: list[str]) -> None:
    assert form_of(message) == (form, values)


def test_a_long_token_is_one_value() -> None:
    longest, longer = "z" * TOKEN_BYTES, "é1" * TOKEN_BYTES
    assert form_of(f"{longest} {longer} x") == (f"{longest} {SHOWN} x", [longer])


def test_what_follows_so_many_tokens_is_one_value() -> None:
    head, tail = " ".join(["a"] * TOKENS), "b  " * 100_000 + "7"
    assert form_of(head) == (head, [])
    assert form_of(f"{head}   {tail} ") == (f"{head} {SHOWN}", [tail])


def test_what_follows_so_many_bytes_is_one_value() -> None:
    words = ["w" * 250] * 12
    form, (tail,) = form_of(" ".join(words))
    kept = FORM_BYTES // 251 + 1
    assert form == " ".join([*words[:kept], SHOWN])
    assert tail == " ".join(words[kept:])


@settings(max_examples=200, deadline=None)
@given(messages)
def test_form_and_values_give_the_message_back(message: str) -> None:
    form, values = form_of(message.replace(SHOWN, "").replace(GLUED, ""))
    form = form.replace(GLUED, "")
    for value in values:
        form = form.replace(SHOWN, value, 1)
    assert normal(form) == normal(message.replace(SHOWN, "").replace(GLUED, ""))


@settings(max_examples=50, deadline=None)
@given(st.lists(messages, max_size=20), st.integers(0, 2**128 - 1))
def test_hashes_are_equal_where_forms_are(lines: list[str], key: int) -> None:
    canonical = canonicalise(pa.array(lines, pa.string()), key)
    texts = form_texts(canonical, np.arange(len(lines)))
    forms = [texts.form(row) for row in range(len(lines))]
    assert len(set(canonical.hashes.tolist())) == len(set(forms))
    assert len({*zip(canonical.hashes.tolist(), forms, strict=True)}) == len(set(forms))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 2**64))
def test_numbers_and_addresses_do_not_change_the_form(one: int, other: int, word: int) -> None:
    address = ".".join(str(word >> shift & 255) for shift in (0, 8, 16, 24))
    line = f"user_{one} at {address}:{other % 65536} took -{one}.{other}s 0x{word:x} [{other}]"
    assert form_of(line)[0] == "§ at §:§ took § § [§]"


def test_the_hash_is_siphash_1_3() -> None:
    # of bytes in CPython 3.11 with PYTHONHASHSEED=0, which is the key of zeros
    texts = pa.array(["a", "hello wo", "hello world this is it"])
    assert canonicalise(texts, 0).hashes.tolist() == [
        4644417185603328019,
        10260330891384554701,
        14297310083312116187,
    ]


def test_both_halves_of_the_key_count() -> None:
    hashes = {
        int(canonicalise(pa.array(["a"]), key).hashes[0]) for key in (0, 1, 1 << 64, 1 << 127)
    }
    assert len(hashes) == 4


def test_slices_and_nulls_are_read_where_they_stand() -> None:
    lines = pa.array(["skipped 1", None, "port 22", "é <*>", None, "skipped 2"], pa.string())
    canonical = canonicalise(lines.slice(1, 4), 7)
    assert canonical.present is not None
    assert canonical.present.tolist() == [False, True, True, False]
    texts = form_texts(canonical, np.array([1, 0]))
    assert [texts.form(0), texts.form(1)] == [f"é {MASK}", f"port {MASK}"]
    assert canonical.hashes.tolist() == canonicalise(pa.array(["port 9", "é 1"]), 7).hashes.tolist()


def test_no_messages_have_no_forms() -> None:
    canonical = canonicalise(pa.array([], pa.string()), 7)
    assert len(canonical.hashes) == 0
    assert form_texts(canonical, np.array([], dtype=np.int64)).ends.tolist() == [0]


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected string or binary values, not int64"):
        canonicalise(pa.array([1, 2]), 7)
