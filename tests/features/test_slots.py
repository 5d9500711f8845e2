"""Slot types: by the look of values, the names before them, their neighbours."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import SchemaError
from secad.features.slots import SLOT_TYPES, all_slot_types, slot_types

LABELS = Path(__file__).resolve().parents[1] / "data" / "slot_labels.csv"


@pytest.mark.parametrize(
    ("template", "row", "types"),
    [
        ("Invalid user <*> from <*>", ("admin", "192.0.2.1"), ("user", "ip")),
        ("Accepted password for <*> from <*> port <*>", ("7", "::1", "22"), ("user", "ip", "port")),
        ("uid=<*> euid=<*> rhost=<*>", ("0", "0", "desk-7.example"), ("uid", "uid", "host")),
        ("<*>:<*> is added to <*> size <*>", ("192.0.2.1", "50010", "blk_-71", "67"),
         ("ip", "port", "session", "size")),
        ("Connecting to <*>:<*>", ("desk-7", "8020"), ("host", "port")),
        ("took <*> seconds, read <*> of <*>", ("1.5", "5.2 KB", "/var/log/x"),
         ("duration", "size", "path")),
        ("started <*> at <*>", ("v1.0.2", "2026-03-02T07:32:55Z"), ("version", "time")),
        ("fetch <*> for <*>", ("https://a.example/x", "ann@a.example"), ("url", "email")),
        ("checksum <*>", ("d41d8cd98f00b204e9800998ecf8427e",), ("hash",)),
        ("request <*>", ("6f9619ff-8b86-d011-b42d-00cf4fc964ff",), ("uuid",)),
        ("sessionid <*> pid <*>", ("0x14ed93111f20005", "4711"), ("session", "pid")),
        ("query domain <*>", ("mail.example.org",), ("domain",)),
        ("state <*> of <*>", ("RUNNING", "17"), ("word", "number")),
    ],
)  # fmt: skip
def test_types_of_what_logs_say(
    template: str, row: tuple[str, ...], types: tuple[str, ...]
) -> None:
    assert slot_types(template, [row]) == types


def test_a_few_odd_values_do_not_change_the_vote() -> None:
    rows = [(f"192.0.2.{number}",) for number in range(1, 20)] + [("unknown host",)]
    assert slot_types("from <*>", rows) == ("ip",)


def test_names_and_addresses_at_one_place_are_hosts() -> None:
    rows = [("192.0.2.1",), ("198.51.100.7",), ("desk-7.example.org",), ("a.example",)]
    assert slot_types("rhost=<*>", rows) == ("host",)


def test_without_a_line_a_slot_is_a_word() -> None:
    assert slot_types("a <*> b <*>", []) == ("word", "word")
    assert slot_types("a <*>", [(None,), ("",)]) == ("word",)
    assert slot_types("no slot", []) == ()


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(SchemaError, match="has 1 slots, for 2 parameters"):
        slot_types("a <*>", [("1", "2")])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=20), st.lists(st.tuples(st.text(max_size=20)), max_size=4)),
        max_size=5,
    )
)
def test_many_at_once_are_as_one_by_one(sampled: list[tuple[str, list[tuple[str]]]]) -> None:
    templates = [(text.replace("<*>", "") + " <*>", rows) for text, rows in sampled]
    together = all_slot_types(templates)
    assert together == [slot_types(template, rows) for template, rows in templates]
    assert {kind for types in together for kind in types} <= set(SLOT_TYPES)


def test_labels_name_known_types_and_are_enough() -> None:
    with LABELS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 400
    assert {row["type"] for row in rows} <= set(SLOT_TYPES)
    systems = {
        part: {row["system"] for row in rows if row["part"] == part} for part in ("dev", "test")
    }
    assert not systems["dev"] & systems["test"]
