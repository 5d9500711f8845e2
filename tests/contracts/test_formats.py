"""What is true of every registered format."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secad import plugins
from secad.base.protocols import FieldMap, Format, Frames, HoldsBack, ParseContext, Parsed
from secad.base.schemas import EVENTS, LINES, LOCATOR, PARSED
from secad.collect.text import PARSE_REJECTS
from tests.contracts.samples import sample, sample_path

NAMES = plugins.format_names()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))


def context_for(name: str) -> ParseContext:
    """Returns a context in which even a format that needs a map can parse anything."""
    if name not in {"csv", "jsonl"}:
        return CONTEXT
    return ParseContext(
        CONTEXT.anchor_time,
        head=b"time,user,note\n2026-11-20T10:00:00Z,ann,x\n",
        field_map=FieldMap({"time": "time", "user_name": "user"}),
    )


def lines_of(records: list[bytes]) -> pa.RecordBatch:
    columns = [records, range(1, len(records) + 1), range(0, 100 * len(records), 100)]
    lengths = [len(record) for record in records]
    arrays = [pa.array(c, f.type) for c, f in zip([*columns, lengths], LINES, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=LINES)


def check(form: Format, lines: pa.RecordBatch, parsed: Parsed) -> None:
    events, rejects = parsed.events, parsed.rejects
    assert lines.num_rows == (events.num_rows + rejects.num_rows + parsed.joined + parsed.skipped)
    assert rejects.schema.equals(PARSE_REJECTS)
    assert all(rejects.column("error").to_pylist())
    known = {field.name: field.type for field in [*PARSED, *form.extensions]}
    for field in events.schema:
        assert known[field.name] == field.type, field
    for name in ("time", *LOCATOR.names, "event_action"):
        assert events.column(name).null_count == 0, name
    places = set(lines.column("byte_offset").to_pylist())
    assert set(events.column("byte_offset").to_pylist()) <= places
    assert len(set(events.column("byte_offset").to_pylist())) == events.num_rows
    events.validate(full=True)


@pytest.mark.parametrize("name", NAMES)
def test_declares_what_it_is(name: str) -> None:
    form = plugins.format_named(name)
    assert isinstance(form, Format)
    assert form.name == name
    assert re.fullmatch(r"[a-z0-9_.-]+", form.dataset)
    assert not set(form.extensions.names) & set(EVENTS.names)
    columns = {*PARSED.names, *form.extensions.names}
    assert set(form.fields) <= columns
    assert set(form.template_columns) <= columns
    assert type(form).__doc__


@pytest.mark.parametrize("name", NAMES)
def test_reads_its_sample(name: str) -> None:
    form, lines, context = sample(name)
    parsed = form.parse(lines, context)
    check(form, lines, parsed)
    assert parsed.events.num_rows > 20
    assert parsed.rejects.num_rows <= lines.num_rows // 100
    declared = {*form.fields, *LOCATOR.names, "labels", "message"}
    assert set(parsed.events.column_names) <= declared | set(form.extensions.names)


@pytest.mark.parametrize("name", NAMES)
def test_parsing_again_gives_the_same(name: str) -> None:
    form, lines, context = sample(name)
    first, second = form.parse(lines, context), form.parse(lines, context)
    assert first.events.equals(second.events)
    assert first.rejects.equals(second.rejects)


@pytest.mark.parametrize("name", NAMES)
def test_batches_do_not_matter(name: str) -> None:
    form, lines, context = sample(name)
    lines = lines.slice(0, 500)
    whole = form.parse(lines, context)
    cut = lines.num_rows // 2
    if isinstance(form, HoldsBack):
        cut -= form.hold_back(lines.slice(0, cut))
    parts = [form.parse(part, context) for part in (lines.slice(0, cut), lines.slice(cut))]
    together = pa.concat_tables([part.events for part in parts], promote_options="default")
    assert (
        together.sort_by("byte_offset")
        .select(whole.events.column_names)
        .equals(whole.events.sort_by("byte_offset"))
    )


@pytest.mark.parametrize("name", NAMES)
def test_is_recognised_by_the_head_of_its_sample(name: str) -> None:
    _, _, context = sample(name)
    found = plugins.recognise(context.head)
    assert found is not None
    assert found.format.name == name, (found.format.name, found.confidence, found.others)


@pytest.mark.parametrize("name", NAMES)
def test_keeps_nothing_of_an_empty_batch(name: str) -> None:
    form = plugins.format_named(name)
    parsed = form.parse(lines_of([]), context_for(name))
    check(form, lines_of([]), parsed)


SHAPES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [b"", b"\x00", b"\xff\xfe", b"{", b"[]", b'{"a":', b'"' * 50, b"=" * 50, b" " * 40]
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_raises_on_no_bytes_whatever(name: str) -> None:
    form, lines, _ = sample(name)
    known = [raw for raw in lines.column("raw").to_pylist()[:40] if raw]

    def damage(raw: bytes, place: float, patch: bytes) -> bytes:
        cut = int(place * len(raw))
        return raw[:cut] + patch + raw[cut + len(patch) :]

    mangled = st.builds(damage, st.sampled_from(known), st.floats(0, 1), st.binary(max_size=4))

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.one_of(SHAPES, mangled), max_size=8))
    def never_raises(records: list[bytes]) -> None:
        batch = lines_of(records)
        check(form, batch, form.parse(batch, context_for(name)))
        if isinstance(form, HoldsBack):
            assert 0 <= form.hold_back(batch) <= batch.num_rows

    never_raises()


@pytest.mark.parametrize("name", NAMES)
def test_sniffs_any_head_without_raising(name: str) -> None:
    form = plugins.format_named(name)
    whole = sample(name)[2].head

    @settings(max_examples=20, deadline=None)
    @given(st.one_of(SHAPES, st.integers(0, len(whole)).map(lambda cut: whole[:cut])))
    def never_raises(head: bytes) -> None:
        assert 0.0 <= form.matches(head) <= 1.0

    never_raises()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if isinstance(plugins.format_named(name), Frames)]
)
def test_framing_survives_damage(name: str) -> None:
    import io

    form = plugins.format_named(name)
    assert isinstance(form, Frames)
    whole = sample_path(name).read_bytes()
    if not form.is_framed(whole[: 1 << 16]):
        pytest.skip(f"the sample of {name} has lines")

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, len(whole) - 1), st.binary(min_size=1, max_size=64), st.booleans())
    def never_raises(place: int, patch: bytes, cut: bool) -> None:
        data = whole[:place] if cut else whole[:place] + patch + whole[place + len(patch) :]
        for lines, rejects in form.frames(io.BytesIO(data), 1 << 20):
            assert rejects.schema.equals(PARSE_REJECTS)
            check(form, lines, form.parse(lines, context_for(name)))

    never_raises()
