"""Templates across runs of ingest: ids that stand for others, and templates that are frozen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import secad
from secad import plugins
from secad.api import Secad
from secad.base.config import load_config
from secad.base.errors import ConfigError
from secad.features.templates import NEW
from secad.pipeline.templating import STATE_PREFIX, Templating
from secad.pipeline.training import training_events

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWN = [f"login of {user} from 10.0.0.{n} ok" for n, user in enumerate("abcd")]


@pytest.fixture(autouse=True)
def _tiny_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "FORMATS", {"tiny": "tests.pipeline.tiny_format:Tiny"})


@pytest.fixture
def store(tmp_path: Path) -> Secad:
    return secad.open(tmp_path / "store")


def ingest(store: Secad, folder: Path, name: str, messages: list[str], mode: str = "learn") -> None:
    path = folder / name
    first = 1_790_000_000 + 1000 * len(list(folder.glob("*.log")))
    path.write_text("".join(f"{first + n} {line}\n" for n, line in enumerate(messages)))
    frozen = secad.open(store.event_store.folder, load_config(flags={"ingest.templates": mode}))
    frozen.ingest([str(path)], now=NOW)


def rows(store: Secad, where: str | None = None) -> list[dict[str, str]]:
    columns = ["message", "template_id", "template"]
    return store.events(columns=columns, where=where, templates=True).read_all().to_pylist()


def test_rows_from_before_templates_became_one_are_read_under_its_id(
    store: Secad, tmp_path: Path
) -> None:
    ingest(store, tmp_path, "a.log", KNOWN)
    before = [row["template_id"] for row in rows(store)]
    assert len(set(before)) == 4
    ingest(store, tmp_path, "b.log", ["login of eve from 10.0.0.9 ok"])
    found = rows(store)
    assert {row["template_id"] for row in found} == {before[0]}
    assert {row["template"] for row in found} == {"login of <*> from <*> ok"}
    assert len(rows(store, f"template_id = '{before[0]}'")) == 5
    events = training_events(
        store.event_store, "tiny", since=None, until=None, ingested_until=None, most=100
    )
    assert set(events.column("template_id").to_pylist()) == {before[0]}


def test_frozen_templates_call_a_strange_line_new_and_stay_as_they_are(
    store: Secad, tmp_path: Path
) -> None:
    ingest(store, tmp_path, "a.log", KNOWN)
    before = {row["message"]: row["template_id"] for row in rows(store)}
    state = store.event_store.states(STATE_PREFIX)
    ingest(store, tmp_path, "b.log", [*KNOWN, "login of eve from 10.0.0.9 ok"], "frozen")
    ingest(store, tmp_path, "c.log", ["who is this", "login of a from 10.7.7.7 ok"], "frozen")
    assert store.event_store.states(STATE_PREFIX) == state
    found = {row["message"]: row for row in rows(store)}
    assert {line: found[line]["template_id"] for line in KNOWN} == before
    assert found["login of a from 10.7.7.7 ok"]["template_id"] == before[KNOWN[0]]
    for line in ("login of eve from 10.0.0.9 ok", "who is this"):
        assert (found[line]["template_id"], found[line]["template"]) == (NEW, "<*>")
    facts = {row["name"]: row["value"] for row in store.status().to_pylist()}
    assert facts["new in tiny"] == "2"


def test_a_dataset_that_is_not_known_yet_is_learnt_though_templates_are_frozen(
    store: Secad, tmp_path: Path
) -> None:
    ingest(store, tmp_path, "a.log", KNOWN, "frozen")
    assert NEW not in {row["template_id"] for row in rows(store)}


def test_frozen_combinations_of_columns_call_a_strange_one_new(
    store: Secad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.pipeline.tiny_format.Tiny.template_columns", ("message",))
    ingest(store, tmp_path, "a.log", ["one", "two"])
    ingest(store, tmp_path, "b.log", ["two", "three", "three"], "frozen")
    ids = [row["template_id"] for row in rows(store)]
    assert ids[1] == ids[2]
    assert ids[3:] == [NEW, NEW]
    facts = {row["name"]: row["value"] for row in store.status().to_pylist()}
    assert facts["new in tiny"] == "2"


def test_another_word_for_how_templates_are_used_is_refused(store: Secad) -> None:
    with pytest.raises(ConfigError, match="'thaw', not 'learn' or 'frozen'"):
        Templating(store.event_store, "thaw")


def test_an_empty_batch_of_frozen_templates_is_no_fault(store: Secad, tmp_path: Path) -> None:
    ingest(store, tmp_path, "a.log", KNOWN)
    form = plugins.format_named("tiny")
    templating = Templating(store.event_store, "frozen")
    events = store.event_store.events()[0].to_table().slice(0, 0)
    events = events.drop_columns(["template_id", "template_params"])
    finish = templating.learn(events, form, "tiny", templating.prepare(events, form, "tiny"))
    assert isinstance(finish(), pa.Table)
    assert templating.changed() == {}
