"""What is true of every registered format of other tools' alerts."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.update_golden import GOLDEN, golden_alerts
from secad import plugins
from secad.base.protocols import FieldMap, Format, Frames, ParseContext, Parsed
from secad.base.schemas import ALERT_FIELDS, EVENTS, LOCATOR, PARSED
from secad.collect.text import PARSE_REJECTS
from secad.pipeline.alert_rows import AlertRows
from secad.scoring.alerts import AlertRules
from tests.contracts.alert_samples import map_path, sample, sample_path
from tests.contracts.test_formats import SHAPES, lines_of

NAMES = plugins.alert_format_names()
RECOGNISED = [name for name in NAMES if not map_path(name)]
CONTEXT = ParseContext(
    datetime(2026, 11, 20, tzinfo=UTC),
    head=b"time,name,ip,host,short\n1,a,192.0.2.1,h,s\n",
    field_map=FieldMap({"time": "time", "rule_name": "name", "host_name": "host"}),
)


def check(form: Format, lines: pa.RecordBatch, parsed: Parsed) -> None:
    events, rejects = parsed.events, parsed.rejects
    assert lines.num_rows == (events.num_rows + rejects.num_rows + parsed.joined + parsed.skipped)
    assert rejects.schema.equals(PARSE_REJECTS)
    assert all(rejects.column("error").to_pylist())
    known = {field.name: field.type for field in [*PARSED, *form.extensions]}
    for field in events.schema:
        assert known[field.name] == field.type, field
    always = ("rule_name", "alert_detector", "alert_severity", "alert_score", "event_action")
    for name in ("time", *LOCATOR.names, *always):
        assert events.column(name).null_count == 0, name
    assert set(events.column("alert_severity").to_pylist()) <= {1, 2, 3, 4, 5, 6}
    events.validate(full=True)


@pytest.mark.parametrize("name", NAMES)
def test_declares_what_it_is(name: str) -> None:
    form = plugins.alert_format_named(name)
    assert isinstance(form, Format)
    assert form.name == name
    assert re.fullmatch(r"[a-z0-9_.-]+", form.dataset)
    assert form.extensions.equals(ALERT_FIELDS)
    assert not set(form.extensions.names) & set(EVENTS.names)
    assert type(form).__doc__


@pytest.mark.parametrize("name", NAMES)
def test_reads_its_sample(name: str) -> None:
    form, lines, context = sample(name)
    parsed = form.parse(lines, context)
    check(form, lines, parsed)
    assert parsed.events.num_rows > 80
    assert parsed.rejects.num_rows == 0
    assert len(set(parsed.events.column("rule_name").to_pylist())) > 3
    if name not in {"aminer", "ait_ads"}:  # they say no severity
        assert len(set(parsed.events.column("alert_severity").to_pylist())) > 3
    named = [
        column
        for column in ("host_name", "source_ip", "service_name", "user_name")
        if column in parsed.events.column_names
    ]
    assert named


@pytest.mark.parametrize("name", NAMES)
def test_no_label_of_a_truth_column_is_read(name: str) -> None:
    form, lines, context = sample(name)
    columns = form.parse(lines, context).events.column_names
    assert not {"labels", "time_label", "event_label"} & set(columns)


@pytest.mark.parametrize("name", NAMES)
def test_batches_do_not_matter(name: str) -> None:
    form, lines, context = sample(name)
    whole = form.parse(lines, context)
    cut = lines.num_rows // 2
    parts = [form.parse(part, context) for part in (lines.slice(0, cut), lines.slice(cut))]
    together = pa.concat_tables([part.events for part in parts], promote_options="default")
    assert together.select(whole.events.column_names).equals(whole.events)


@pytest.mark.parametrize("name", RECOGNISED)
def test_is_recognised_by_the_head_of_its_sample(name: str) -> None:
    _, _, context = sample(name)
    found = plugins.recognise_alerts(context.head)
    assert found is not None
    assert found.format.name == name, (found.format.name, found.confidence, found.others)
    assert not found.others


@pytest.mark.parametrize("name", NAMES)
def test_rows_carry_fingerprints_and_hashes_of_what_may_be_evidence(name: str) -> None:
    form, lines, context = sample(name)
    rows = AlertRows(form, AlertRules(evidence_rows=2)).parse(lines, context).events
    assert rows.column("alert_fingerprint").null_count == 0
    hashed = rows.filter(rows.column("alert_sha256").is_valid())
    assert set(hashed.column("alert_fingerprint").to_pylist()) == set(
        rows.column("alert_fingerprint").to_pylist()
    )


@pytest.mark.parametrize("name", NAMES)
def test_raises_on_no_bytes_whatever(name: str) -> None:
    form, lines, context = sample(name)
    known = [raw for raw in lines.column("raw").to_pylist()[:30] if raw]
    rows = AlertRows(form, AlertRules())

    def damage(raw: bytes, place: float, patch: bytes) -> bytes:
        cut = int(place * len(raw))
        return raw[:cut] + patch + raw[cut + len(patch) :]

    mangled = st.builds(damage, st.sampled_from(known), st.floats(0, 1), st.binary(max_size=4))

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.one_of(SHAPES, mangled), max_size=8))
    def never_raises(records: list[bytes]) -> None:
        batch = lines_of(records)
        check(form, batch, form.parse(batch, context))
        rows.parse(batch, replace(context, field_map=context.field_map or None))

    never_raises()


@pytest.mark.parametrize("name", NAMES)
def test_sniffs_any_head_without_raising(name: str) -> None:
    form = plugins.alert_format_named(name)
    whole = sample_path(name).read_bytes()[: 1 << 16]

    @settings(max_examples=20, deadline=None)
    @given(st.one_of(SHAPES, st.integers(0, len(whole)).map(lambda cut: whole[:cut])))
    def never_raises(head: bytes) -> None:
        assert 0.0 <= form.matches(head) <= 1.0

    never_raises()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if isinstance(plugins.alert_format_named(name), Frames)]
)
def test_document_is_read_like_its_lines(name: str) -> None:
    form, lines, context = sample(name)
    if name == "zircolite":
        pytest.skip("its records are never lines")
    raws = lines.column("raw").to_pylist()
    document = b"[\n" + b",\n".join(raws) + b"\n]\n"
    assert isinstance(form, Frames)
    assert form.is_framed(document[: 1 << 16])
    framed = pa.Table.from_batches([cut for cut, _ in form.frames(io.BytesIO(document), 1 << 20)])
    assert framed.column("raw").to_pylist() == raws
    whole = form.parse(lines, context).events.drop_columns(LOCATOR.names)
    again = form.parse(framed.combine_chunks().to_batches()[0], context).events
    assert again.drop_columns(LOCATOR.names).equals(whole)
    if name in RECOGNISED:
        found = plugins.recognise_alerts(document[: 1 << 16])
        assert found is not None
        assert found.format.name == name


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_read_as_the_golden_file_says(name: str) -> None:
    assert golden_alerts(name) == (GOLDEN / "alerts" / f"{name}.jsonl").read_bytes(), (
        "read the diff after: python scripts/update_golden.py --alerts"
    )
