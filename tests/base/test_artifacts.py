from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from secad.base.artifacts import Artifact, load, save
from secad.base.errors import ModelError

FILES = ("manifest.json", "state.json", "arrays.safetensors")


@pytest.fixture
def artifact() -> Artifact:
    arrays = {
        "codes": np.arange(6, dtype=np.int32).reshape(2, 3),
        "empty": np.zeros((0, 2), dtype=np.float32),
        "turned": np.arange(6.0).reshape(2, 3).T,
    }
    return Artifact("rarity", {"variant": "pairs", "values": ["ü", "", "a\nb"]}, arrays)


def test_what_is_saved_is_loaded(artifact: Artifact, tmp_path: Path) -> None:
    save(artifact, tmp_path / "made" / "model")
    found = load(tmp_path / "made" / "model", "rarity")
    assert found.state == artifact.state
    assert set(found.arrays) == set(artifact.arrays)
    for name, array in artifact.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype


def test_nothing_but_the_folder_is_left(artifact: Artifact, tmp_path: Path) -> None:
    save(artifact, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert {path.name for path in (tmp_path / "model").iterdir()} == set(FILES)


def test_same_state_same_bytes(artifact: Artifact, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(artifact, tmp_path / name)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_folder_in_use_is_refused(artifact: Artifact, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    save(artifact, tmp_path / "model")
    with pytest.raises(ModelError, match="not empty"):
        save(artifact, tmp_path / "model")


def test_a_state_that_json_cannot_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save(Artifact("rarity", {"score": float("nan")}, {}), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_told(artifact: Artifact, tmp_path: Path, name: str) -> None:
    save(artifact, tmp_path / "model")
    (tmp_path / "model" / name).unlink()
    with pytest.raises(ModelError, match=name):
        load(tmp_path / "model", "rarity")


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(artifact: Artifact, tmp_path: Path, name: str) -> None:
    save(artifact, tmp_path / "model")
    content = bytearray((tmp_path / "model" / name).read_bytes())
    content[len(content) // 2] ^= 0x55
    (tmp_path / "model" / name).write_bytes(bytes(content))
    with pytest.raises(ModelError):
        load(tmp_path / "model", "rarity")


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_refused(artifact: Artifact, tmp_path: Path, name: str) -> None:
    save(artifact, tmp_path / "model")
    content = (tmp_path / "model" / name).read_bytes()
    (tmp_path / "model" / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError):
        load(tmp_path / "model", "rarity")


def test_another_models_folder_is_refused(artifact: Artifact, tmp_path: Path) -> None:
    save(artifact, tmp_path / "model")
    with pytest.raises(ModelError, match="'rarity', not 'ape'"):
        load(tmp_path / "model", "ape")


def test_a_later_layout_is_refused(artifact: Artifact, tmp_path: Path) -> None:
    save(artifact, tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    manifest["layout"] = 99
    (tmp_path / "model" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="layout 99"):
        load(tmp_path / "model", "rarity")
