from __future__ import annotations

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.base.errors import SchemaError, StoreError
from secad.base.ids import digest
from secad.features.column_templates import column_templates
from secad.features.mining.state import pack
from secad.features.templates import NEW, Assigned, TemplateMiner, render

WHITESPACE = " \t\n\v\f\r"

# few words, so that forms come again, fit templates and widen them
words = st.sampled_from(
    [
        "a",
        "b",
        "k=a",
        "user.of.b",
        "Jun 5",
        "c",
        "d",
        "e",
        "f:",
        "1",
        "-2.5",
        "x1",
        "10.0.0.7",
        "0x1f",
        "<*>",
        "\x1a",
        "٣\u2003z",
    ]
)
messages = st.one_of(
    st.lists(words, min_size=1, max_size=5).map("  ".join),
    st.tuples(words, words).map(lambda pair: f"log in of {pair[0]} from {pair[1]}"),
    st.text(alphabet="ab1 \t<*>\x1aé", max_size=12),
)
logs = st.lists(messages, max_size=40)
limits = st.sampled_from([{}, {"max_forms": 3}, {"max_templates": 3}])


def assign(miner: TemplateMiner, lines: Sequence[str | None]) -> list[tuple[str, list[str]]]:
    assigned = miner.assign(pa.array(lines, pa.string()))
    return rows_of(assigned)


def rows_of(assigned: Assigned) -> list[tuple[str, list[str]]]:
    return list(zip(assigned.template_id.to_pylist(), assigned.params.to_pylist(), strict=True))


def texts_of(miner: TemplateMiner) -> dict[str, str]:
    table = miner.templates()
    return dict(zip(table["template_id"].to_pylist(), table["template"].to_pylist(), strict=True))


def normal(message: str) -> str:
    return re.sub(f"[{WHITESPACE}]+", " ", message).strip(" ")


@settings(max_examples=100, deadline=None)
@given(logs, limits)
def test_template_and_parameters_give_each_line_back(
    lines: list[str], limit: dict[str, int]
) -> None:
    miner = TemplateMiner("test", 1, **limit)
    for line in lines:
        ((template_id, params),) = assign(miner, [line])
        assert normal(render(texts_of(miner)[template_id], params)) == normal(line)


@settings(max_examples=100, deadline=None)
@given(logs, st.sets(st.integers(0, 40)), limits)
def test_batches_may_be_cut_anywhere(
    lines: list[str], cuts: set[int], limit: dict[str, int]
) -> None:
    whole, parts = TemplateMiner("test", 1, **limit), TemplateMiner("test", 1, **limit)
    places = [0, *sorted(cuts), len(lines)]
    batches = [lines[start:end] for start, end in pairwise(places)]
    assert assign(whole, lines) == [row for batch in batches for row in assign(parts, batch)]
    assert whole.state() == parts.state()


@settings(max_examples=100, deadline=None)
@given(logs, st.integers(0, 40), limits)
def test_a_restored_miner_goes_on_as_if_it_had_never_stopped(
    lines: list[str], cut: int, limit: dict[str, int]
) -> None:
    steady, stopped = TemplateMiner("test", 1, **limit), TemplateMiner("test", 1, **limit)
    assign(steady, lines[:cut])
    assign(stopped, lines[:cut])
    restored = TemplateMiner.from_state(stopped.state())
    assert restored.state() == stopped.state()
    assert assign(restored, lines[cut:]) == assign(steady, lines[cut:])
    assert restored.templates().equals(steady.templates())
    assert restored.state() == steady.state()


def test_a_restored_tree_sends_new_first_words_where_the_old_one_does() -> None:
    # past 100 first words, Drain's tree has a branch for all others: it depends on the order
    lines = [f"{chr(97 + n // 26)}{chr(103 + n % 20)}w said {n} and more of it" for n in range(260)]
    steady = TemplateMiner("test", 1)
    assign(steady, lines[:150])
    restored = TemplateMiner.from_state(steady.state())
    assert assign(restored, lines[150:]) == assign(steady, lines[150:])
    assert len(steady.templates()) < len(set(lines))


@settings(max_examples=50, deadline=None)
@given(logs)
def test_the_key_changes_no_result(lines: list[str]) -> None:
    one, other = TemplateMiner("test", 1), TemplateMiner("test", None)
    assert one.key != other.key
    assert assign(one, lines) == assign(other, lines)


def test_an_id_is_the_digest_of_scope_and_opening_form() -> None:
    miner = TemplateMiner("sshd", 1)
    ((template_id, _),) = assign(miner, ["session 7 opened for  root"])
    assert template_id == digest(["sshd", "session <*> opened for root"], person="template")


def test_an_id_stays_when_the_template_widens() -> None:
    miner = TemplateMiner("sshd", 1)
    first, second, again = assign(
        miner, ["read lan.a.b in 5 s", "read lan.c.d in 6 s", "read lan.a.b in 7 s"]
    )
    assert first[0] == second[0] == again[0]
    assert texts_of(miner) == {first[0]: "read <*> in <*> s"}
    assert first[1] == ["5"]  # read before the host was known to vary
    assert second[1] == ["lan.c.d", "6"]
    assert again[1] == ["lan.a.b", "7"]


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        ("up eth0 now", "up eth1 now", "up <*> now"),
        ("from a.b.c now", "from () now", "from <*> now"),
        ("key=a.b.c ok", "key=node-12 ok", "key=<*> ok"),
        ("from node_a7 now", "from node_b3 now", "from <*> now"),
        ("link ok now", "link error now", None),
        ("on=true now", "on=false now", None),
        ("up ee0 now", "up alt1 now", None),
        ("index:5", "count:6", None),
        ("size 5 KB, ok", "size 6 , ok", None),
    ],
)
def test_what_varies_by_nature_widens_and_words_do_not(
    one: str, other: str, text: str | None
) -> None:
    miner = TemplateMiner("test", 1)
    assign(miner, [one, other])
    assert list(texts_of(miner).values()) == [text] if text else len(texts_of(miner)) == 2


def test_five_words_at_one_place_are_a_slot_under_the_oldest_id() -> None:
    miner = TemplateMiner("sshd", 1)
    lines = [f"login of {user} from 10.0.0.7 ok" for user in ("ann", "bob", "cy", "dan", "eve")]
    rows = assign(miner, lines)
    assert len({template_id for template_id, _ in rows}) == 4
    assert rows[4] == (rows[0][0], ["eve", "10.0.0.7"])
    assert texts_of(miner) == {rows[0][0]: "login of <*> from <*> ok"}
    assert miner.templates()["size"].to_pylist() == [5]
    assert miner.aliases() == {template_id: rows[0][0] for template_id, _ in rows[1:4]}
    assert [row[0] for row in assign(miner, lines)] == [rows[0][0]] * 5
    assert TemplateMiner.from_state(miner.state()).aliases() == miner.aliases()


def test_a_place_without_any_other_word_is_no_slot() -> None:
    miner = TemplateMiner("test", 1)
    assign(miner, [f"{word} 1" for word in ("red", "green", "blue", "black", "white", "grey")])
    assert len(texts_of(miner)) == 6


def test_free_text_does_not_open_templates_without_end() -> None:
    rng = np.random.default_rng(3)
    letters = rng.integers(97, 123, size=(2000, 4, 6), dtype=np.uint8)
    lines = [
        "the user said " + b" ".join(bytes(word) for word in line).decode() for line in letters
    ]
    miner = TemplateMiner("test", 1)
    assign(miner, lines)
    assert len(texts_of(miner)) < 20


def test_templates_come_in_the_order_of_their_opening_with_their_lines() -> None:
    miner = TemplateMiner("test", 1)
    assign(miner, ["two words 1", "one", "two words 2", None])
    assert miner.templates().select(["template", "size"]).to_pylist() == [
        {"template": "two words <*>", "size": 2},
        {"template": "one", "size": 1},
    ]


def test_a_null_message_has_neither_template_nor_parameters() -> None:
    rows = assign(TemplateMiner("test", 1), [None, "port 22", None, "", "port 23"])
    assert [params for _, params in rows] == [None, ["22"], None, [], ["23"]]
    assert [template_id is None for template_id, _ in rows] == [True, False, True, False, False]
    assert assign(TemplateMiner("test", 1), [None]) == [(None, None)]
    assert assign(TemplateMiner("test", 1), []) == []


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(SchemaError, match="not double"):
        TemplateMiner("test", 1).assign(pa.array([1.5]))


def test_forms_may_be_found_in_threads_and_columns_made_in_threads() -> None:
    batches = [
        pa.array(
            [f"job {n} of user{n % 7} {'ended' if n % 3 else 'died'}" for n in range(at, at + 50)]
        )
        for at in range(0, 1000, 50)
    ]
    alone, shared = TemplateMiner("test", 1), TemplateMiner("test", 1)
    with ThreadPoolExecutor(4) as pool:
        canonical = pool.map(shared.canonicalise, batches)
        learnt = [shared.learn(batch) for batch in canonical]
        assigned = list(pool.map(lambda batch: batch.assigned(), learnt))
    assert [rows_of(batch) for batch in assigned] == [
        rows_of(alone.assign(batch)) for batch in batches
    ]


def test_beyond_the_last_template_lines_are_in_the_overflow_template() -> None:
    miner = TemplateMiner("test", 1, max_templates=2)
    rows = assign(
        miner, ["one", "two words", "  three more\twords 7 ", "two words", "five of them on 5"]
    )
    assert rows[2] == (digest(["test", None], person="template"), ["three more\twords 7"])
    assert rows[4][0] == rows[2][0]
    assert rows[3] == rows[1]
    assert miner.templates().to_pylist()[0] == {
        "template_id": rows[2][0],
        "template": "<*>",
        "size": 2,
    }


def test_endless_distinct_lines_leave_a_small_state() -> None:
    rng = np.random.default_rng(1)
    letters = rng.integers(97, 123, size=(3000, 6, 8), dtype=np.uint8)
    lines = [b" ".join(bytes(word) for word in line).decode() for line in letters]
    miner = TemplateMiner("test", 1, max_templates=100, max_forms=500)
    rows = assign(miner, [*lines, lines[0]])
    assert len({template_id for template_id, _ in rows}) == 101
    assert rows[-1][0] == rows[0][0]
    assert len(miner.state()) < 100 * 100 + 500 * 12 + 1000


def test_large_batches_are_read_as_small_ones() -> None:
    rng = np.random.default_rng(2)
    names = rng.integers(97, 123, size=(5000, 5, 7), dtype=np.uint8)
    words = [[bytes(name).decode() for name in row] for row in names]
    lines = [f"user {a} moved {b} over to {c} and {d} for {e} in time" for a, b, c, d, e in words]
    lines += [
        f"{kind} {' '.join(map(str, range(row, row + 9)))}" for row, kind in enumerate("xyz" * 700)
    ]
    lines += [f"{first} opens {row}" for row, (first, *_) in enumerate(words[:300])]
    whole, parts = TemplateMiner("test", 1), TemplateMiner("test", 1)
    rows = assign(whole, lines)
    assert rows == [
        row for at in range(0, len(lines), 999) for row in assign(parts, lines[at : at + 999])
    ]
    assert rows[4999][1] == words[4999]
    assert rows[7099][1] == [str(number) for number in range(2099, 2108)]
    assert whole.state() == parts.state()
    assert TemplateMiner.from_state(whole.state()).state() == whole.state()


def test_monstrous_lines_leave_small_templates() -> None:
    lines = [
        "x" * 1_000_000,
        "y " * 100_000,
        "=".join(["k"] * 50_000),
        "z" * 200 + " " + "w " * 9000,
    ]
    miner = TemplateMiner("test", 1)
    for line, (template_id, params) in zip(lines, assign(miner, lines), strict=True):
        assert normal(render(texts_of(miner)[template_id], params)) == normal(line)
    assert len(miner.state()) < 3000


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_damaged_state_is_refused(data: st.DataObject) -> None:
    miner = TemplateMiner("test", 1)
    assign(miner, ["session 7 opened for root", "session 8 opened for eve", "other"])
    state = bytearray(miner.state())
    if data.draw(st.booleans(), label="cut"):
        del state[data.draw(st.integers(0, len(state) - 1)) :]
    else:
        state[data.draw(st.integers(0, len(state) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreError, match="state of a template miner"):
        TemplateMiner.from_state(bytes(state))


@settings(max_examples=50, deadline=None)
@given(st.binary())
def test_bytes_that_are_no_state_are_refused(state: bytes) -> None:
    with pytest.raises(StoreError, match="state of a template miner"):
        TemplateMiner.from_state(state)


@pytest.mark.parametrize(
    "fault",
    [
        {"scope": None},
        {"key": "no"},
        {"key": 5},
        {"openings": ["one", "one"]},
        {"openings": 3},
        {"openings": ["a " * 300]},
        {"wildcards": [[7, 1, 0]]},
        {"wildcards": [[1, -1, 0]]},
        {"wildcards": ["no"]},
        {"merged": [[1, 1]]},
        {"merged": [[1, 0]]},
        {"merged": [5]},
        {"sizes": [1]},
        {"max_forms": 0},
        {"max_templates": None},
    ],
)
def test_a_state_that_contradicts_itself_is_refused(fault: dict[str, object]) -> None:
    header = {
        "scope": "test",
        "key": "1",
        "max_templates": 10,
        "max_forms": 10,
        "openings": ["one"],
        "wildcards": [],
        "merged": [],
        "sizes": [0, 1],
    }
    hashes, numbers = np.array([5], dtype=np.uint64), np.array([1], dtype=np.int32)
    TemplateMiner.from_state(pack(header, hashes, numbers))
    with pytest.raises(StoreError, match="contradicts itself"):
        TemplateMiner.from_state(pack({**header, **fault}, hashes, numbers))
    with pytest.raises(StoreError, match="contradicts itself"):
        TemplateMiner.from_state(pack(header, hashes, numbers + 1))
    with pytest.raises(StoreError, match="contradicts itself"):
        TemplateMiner.from_state(pack(header, hashes.repeat(2), numbers.repeat(2)))


def test_the_state_holds_no_code() -> None:
    miner = TemplateMiner("test", 1)
    assign(miner, ["one", "two words 2"])
    state = miner.state()
    head, tail = state.index(b"{"), state.rindex(b"}") + 1
    assert json.loads(state[head:tail])["openings"] == ["one", "two words \x1a"]
    assert len(state) - tail == 2 * 12


def test_render_says_when_parameters_do_not_fit() -> None:
    with pytest.raises(SchemaError, match="has 2 slots, for 1 parameters"):
        render("a <*> <*>", ["b"])


def test_an_older_state_is_refused_with_the_command_that_mends_it() -> None:
    with pytest.raises(StoreError, match="older secad") as refused:
        TemplateMiner.from_state(b"secad templates 1\n and more")
    assert "secad --store NEW_STORE ingest logs" in str(refused.value.hint)


def test_frozen_templates_know_lines_and_call_others_new() -> None:
    miner = TemplateMiner("sshd", 1)
    known = ["login of ann from 10.0.0.7", "link eth0 up", "link eth1 up", None, "job 5 done"]
    before = assign(miner, known)
    state = miner.state()
    strange = ["link eth7 up", "login of eve from 10.0.0.7", "  job x\tdone ", "job 6 done", ""]
    lines = pa.array([*known, *strange, *strange], pa.string())
    learnt = miner.recognise(miner.canonicalise(lines))
    rows = rows_of(learnt.assigned())
    assert [row[0] for row in rows[:5]] == [row[0] for row in before]
    assert rows[5] == (before[1][0], ["eth7"])
    assert rows[6] == (NEW, ["login of eve from 10.0.0.7"])
    assert rows[7] == (NEW, ["job x\tdone"])
    assert rows[8] == (before[4][0], ["6"])
    assert rows[9] == (NEW, [""])
    assert rows[5:10] == rows[10:]
    assert learnt.new == 6
    assert miner.state() == state


@settings(max_examples=50, deadline=None)
@given(logs, logs, limits)
def test_frozen_templates_give_what_was_learnt_and_stay_as_they_are(
    lines: list[str], others: list[str], limit: dict[str, int]
) -> None:
    miner = TemplateMiner("test", 1, **limit)
    assign(miner, lines)
    state, texts = miner.state(), {**texts_of(miner), NEW: "<*>"}
    both = pa.array([*lines, *others], pa.string())
    rows = rows_of(miner.recognise(miner.canonicalise(both)).assigned())
    assert miner.state() == state
    for line, (template_id, params) in zip([*lines, *others], rows, strict=True):
        assert normal(render(texts[template_id], params)) == normal(line)
    if not limit:
        assert NEW not in {template_id for template_id, _ in rows[: len(lines)]}
        again = rows_of(miner.assign(pa.array(lines, pa.string())))
        assert [row[0] for row in rows[: len(lines)]] == [row[0] for row in again]


def test_columns_together_name_a_template() -> None:
    events = pa.table(
        {
            "event_provider": ["sshd", "sudo", None, "sshd", 'a "b'],
            "event_code": [1, 2, None, 1, None],
            "other": ["x", "y", "z", "z", "z"],
        }
    )
    ids, templates = column_templates(events, ["event_provider", "absent", "event_code"], "test")
    assert templates.to_pylist() == [
        {"template_id": ids[0].as_py(), "template": "event_provider=sshd event_code=1", "size": 2},
        {"template_id": ids[1].as_py(), "template": "event_provider=sudo event_code=2", "size": 1},
        {"template_id": ids[4].as_py(), "template": 'event_provider="a \\"b"', "size": 1},
    ]
    assert ids[0] == ids[3]
    assert not ids[2].is_valid
    assert ids[0].as_py() == digest(["test", "event_provider=sshd event_code=1"], person="template")


def test_columns_that_are_all_absent_name_no_template() -> None:
    ids, templates = column_templates(pa.table({"other": ["x", "y"]}), ["absent"], "test")
    assert ids.to_pylist() == [None, None]
    assert templates.num_rows == 0
    ids, templates = column_templates(pa.table({"a": pa.array([], pa.string())}), ["a"], "test")
    assert len(ids) == templates.num_rows == 0
