"""What is true of every registered model."""

from __future__ import annotations

import inspect
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from secad import plugins
from secad.base.errors import ModelError
from secad.base.protocols import Model
from secad.base.schemas import EVENT_ID, EVENTS, EXPLANATIONS, SCORES, TIME
from secad.scoring.metrics import auroc

NAMES = plugins.model_names()
_DAY_US = 86_400_000_000


def made_events(count: int, *, seed: int, odd: int = 0) -> pa.Table:
    """Returns events of three users with habits; the last ``odd`` mix habits that never meet."""
    draw = np.random.default_rng(seed)
    who = draw.integers(0, 3, count)
    users = np.array(["ann", "bob", "cyd"])[who]
    programs = np.array([["bash", "vim"], ["excel", "outlook"], ["psql", "cron"]])
    hosts = np.array([["dev1", "dev2"], ["desk1", "desk2"], ["db1", "db2"]])
    program = programs[who, draw.integers(0, 2, count)]
    host = hosts[who, draw.integers(0, 2, count)]
    if odd:
        program[-odd:] = programs[(who[-odd:] + 1) % 3, 0]
        host[-odd:] = hosts[(who[-odd:] + 2) % 3, 1]
    ids = np.zeros((count, 16), dtype=np.uint8)
    ids[:, 8:] = np.arange(count).astype(">u8").view(np.uint8).reshape(-1, 8)
    times = np.sort(draw.integers(0, 5 * _DAY_US, count))
    columns = {
        "event_id": pa.array([bytes(row) for row in ids], EVENT_ID),
        "time": pa.array(times + 20_000 * _DAY_US, pa.int64()).cast(TIME),
        "ingested_time": pa.array(np.full(count, 21_000 * _DAY_US), pa.int64()).cast(TIME),
        "dataset": ["made"] * count,
        "source_id": ["00" * 10] * count,
        "source_path": ["made.log"] * count,
        "line": np.arange(1, count + 1),
        "byte_offset": np.arange(count) * 100,
        "byte_length": np.full(count, 99),
        "event_provider": ["made"] * count,
        "event_action": ["process-start"] * count,
        "host_name": host,
        "user_name": users,
        "process_name": program,
    }
    fields = [EVENTS.field(name) for name in EVENTS.names if name in columns]
    return pa.table(
        [
            pa.array(columns[field.name], field.type)
            if not isinstance(columns[field.name], pa.Array)
            else columns[field.name]
            for field in fields
        ],
        schema=pa.schema(fields),
    )


@pytest.fixture(scope="module")
def normal() -> pa.Table:
    return made_events(3000, seed=1)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest, normal: pa.Table) -> Model:
    return plugins.model_class(request.param)().fit(normal)


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str) -> None:
    kind = plugins.model_class(name)
    model = kind()
    assert model.name == name
    assert isinstance(model.lookback, timedelta)
    assert kind.__doc__
    for argument in inspect.signature(kind).parameters.values():
        assert argument.default is not inspect.Parameter.empty, argument
        assert getattr(model, argument.name) == argument.default  # stored as they came


@pytest.mark.parametrize("name", NAMES)
def test_unfitted_says_so(name: str, normal: pa.Table, tmp_path: Path) -> None:
    model = plugins.model_class(name)()
    with pytest.raises(ModelError, match="fit"):
        model.score(normal)
    with pytest.raises(ModelError, match="fit"):
        model.save(tmp_path / "model")


@pytest.mark.parametrize("name", NAMES)
def test_says_why_it_is_inert(name: str, normal: pa.Table) -> None:
    with pytest.raises(ModelError):
        plugins.model_class(name)().fit(normal.slice(0, 0))


def test_scores_have_the_schema_and_are_finite(fitted: Model, normal: pa.Table) -> None:
    scores = fitted.score(normal)
    assert scores.schema.equals(SCORES)
    assert scores.num_rows == normal.num_rows
    assert np.isfinite(scores.column("score").to_numpy()).all()
    assert set(scores.column("subject").to_pylist()) == set(normal.column("event_id").to_pylist())


def test_input_is_left_untouched(fitted: Model, normal: pa.Table) -> None:
    before = pa.table(normal.columns, schema=normal.schema)
    fitted.score(normal)
    assert normal.equals(before)


def by_subject(scores: pa.Table) -> list[tuple[bytes, float]]:
    pairs = zip(
        scores.column("subject").to_pylist(), scores.column("score").to_pylist(), strict=True
    )
    return sorted(pairs)


def test_order_of_rows_does_not_matter(fitted: Model, normal: pa.Table) -> None:
    shuffled = normal.take(np.random.default_rng(3).permutation(normal.num_rows))
    for one, other in zip(
        by_subject(fitted.score(normal)), by_subject(fitted.score(shuffled)), strict=True
    ):
        assert one == pytest.approx(other)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_scores(name: str, normal: pa.Table) -> None:
    first, second = (plugins.model_class(name)().fit(normal).score(normal) for _ in range(2))
    assert first.equals(second)


def test_saved_and_loaded_is_the_same(fitted: Model, normal: pa.Table, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    again = type(fitted).load(tmp_path / "model")
    assert again.score(normal).equals(fitted.score(normal))
    for path in (tmp_path / "model").rglob("*"):
        assert path.is_dir() or path.suffix in {".json", ".safetensors"}, path


def test_damaged_folder_is_refused(fitted: Model, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    files = [path for path in sorted((tmp_path / "model").rglob("*")) if path.is_file()]
    for path in files:
        whole = path.read_bytes()
        for damaged in (whole[:-5], whole[: len(whole) // 2] + b"#" + whole[len(whole) // 2 + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(ModelError):
                type(fitted).load(tmp_path / "model")
        path.write_bytes(whole)
    with pytest.raises(ModelError):
        type(fitted).load(tmp_path / "nowhere")


def test_every_score_can_be_explained(fitted: Model, normal: pa.Table) -> None:
    scores = fitted.score(normal).slice(0, 20)
    told = fitted.explain(normal, scores)
    assert told.schema.equals(EXPLANATIONS)
    assert told.column("subject").equals(scores.column("subject"))
    assert all(told.column("reason").to_pylist())
    assert all(told.column("evidence").to_pylist())


def test_unseen_entities_and_empty_tables_survive(fitted: Model, normal: pa.Table) -> None:
    assert fitted.score(normal.slice(0, 0)).num_rows == 0
    place = normal.column_names.index("user_name")
    strangers = pa.array(["stranger"] * normal.num_rows, pa.string())
    unseen = normal.set_column(place, normal.schema.field(place), strangers).slice(0, 50)
    scores = fitted.score(unseen)
    assert np.isfinite(scores.column("score").to_numpy()).all()
    usual = fitted.score(normal)
    assert pc.mean(scores.column("score")).as_py() > pc.mean(usual.column("score")).as_py()
    nulls = normal.set_column(
        place, normal.schema.field(place), pa.nulls(normal.num_rows, pa.string())
    )
    assert np.isfinite(fitted.score(nulls).column("score").to_numpy()).all()
    without = normal.drop_columns(["user_name"])
    assert np.isfinite(fitted.score(without).column("score").to_numpy()).all()


def test_planted_anomalies_in_later_data_rank_above_normal(fitted: Model) -> None:
    later = made_events(600, seed=2, odd=30)
    scores = fitted.score(later)
    values = dict(by_subject(scores))
    ordered = [values[subject] for subject in later.column("event_id").to_pylist()]
    labels = np.r_[np.zeros(570), np.ones(30)].astype(bool)
    assert auroc(labels, np.array(ordered)) > 0.9
