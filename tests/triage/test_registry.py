from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from secad.base.errors import ConfigError
from secad.triage.registry import ModelEntry, ModelRegistry

ENTRY = ModelEntry(
    model_id="ape-aaaa",
    name="ape",
    dataset="windows",
    created_time=datetime(2026, 3, 1, 12, tzinfo=UTC),
    train_start=datetime(2026, 2, 1, tzinfo=UTC),
    train_end=datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),
    rows=1_234,
    ingested_until=datetime(2026, 11, 2, tzinfo=UTC),
    folder="models/ape-aaaa",
    hashes={"weights.safetensors": "0" * 64},
    calibration={"windows/logon": {"scores": [0.1, 2.5], "tail": None}},
    settings={"dimensions": 10, "seed": 3},
    seed=3,
)


@pytest.fixture
def registry(engine: Engine) -> ModelRegistry:
    return ModelRegistry(engine)


def test_entry_comes_back(registry: ModelRegistry) -> None:
    kept = registry.register(ENTRY)
    assert kept == replace(ENTRY, version=1)
    assert registry.show("ape-a") == kept
    assert registry.models() == registry.active() == [kept]


def test_entry_of_a_model_that_saw_nothing_comes_back(registry: ModelRegistry) -> None:
    empty = replace(ENTRY, train_start=None, train_end=None, ingested_until=None, rows=0)
    assert registry.register(empty) == replace(empty, version=1)


def test_new_model_retires_the_one_before(registry: ModelRegistry) -> None:
    registry.register(ENTRY)
    registry.register(replace(ENTRY, model_id="ape-bbbb"))
    registry.register(replace(ENTRY, model_id="ape-cccc", dataset="auditd"))
    registry.register(replace(ENTRY, model_id="rarity-a", name="rarity"))
    told = [(entry.model_id, entry.version, entry.state) for entry in registry.models()]
    assert told == [
        ("ape-cccc", 1, "active"),
        ("ape-aaaa", 1, "retired"),
        ("ape-bbbb", 2, "active"),
        ("rarity-a", 1, "active"),
    ]
    assert [entry.model_id for entry in registry.active("ape")] == ["ape-cccc", "ape-bbbb"]
    assert [entry.model_id for entry in registry.active("ape", "windows")] == ["ape-bbbb"]
    assert registry.active("gid") == []


def test_same_model_again_keeps_its_version_and_is_active(registry: ModelRegistry) -> None:
    registry.register(ENTRY)
    registry.register(replace(ENTRY, model_id="ape-bbbb"))
    later = replace(ENTRY, created_time=datetime(2027, 1, 1, tzinfo=UTC), rows=9)
    assert registry.register(later) == replace(ENTRY, version=1, rows=9)
    assert [entry.model_id for entry in registry.active()] == ["ape-aaaa"]


def test_unknown_and_unclear_ids_are_config_errors(registry: ModelRegistry) -> None:
    registry.register(ENTRY)
    registry.register(replace(ENTRY, model_id="ape-bbbb"))
    with pytest.raises(ConfigError, match="no model has an id that starts with 'gid'"):
        registry.show("gid")
    with pytest.raises(ConfigError, match="it could be ape-aaaa, ape-bbbb"):
        registry.show("ape")
