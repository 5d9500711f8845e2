"""Saved model state: JSON for what is named, safetensors for arrays, a manifest with hashes.

Nothing is pickled. A folder is written beside its place and renamed, so that it is whole or
absent; on loading, every file is checked against its SHA-256 in the manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from secad.base.errors import ModelError

LAYOUT = 1  # of the folder; a later layout is refused
_MANIFEST = "manifest.json"
_STATE = "state.json"
_ARRAYS = "arrays.safetensors"


@dataclass(frozen=True)
class Artifact:
    """The saved state of one model.

    Args:
        model: the model's name.
        state: JSON values: hyper-parameters, views, vocabularies.
        arrays: name -> array of numbers.
    """

    model: str
    state: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]


def save(artifact: Artifact, folder: Path) -> None:
    """Writes an artifact into an empty or absent folder, all of it or nothing.

    Args:
        artifact: what to keep.
        folder: its parent is made where it is absent.

    Raises:
        ModelError: the folder holds files already, or cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ModelError(f"{folder} is not empty, a model is saved into an empty or new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        _write(artifact, beside)
        beside.chmod(0o755)
        if folder.exists():
            folder.rmdir()  # empty, as seen above
        beside.rename(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def load(folder: Path, model: str) -> Artifact:
    """Returns the artifact in ``folder``.

    Args:
        folder: as written by ``save``.
        model: the name that it must be of.

    Raises:
        ModelError: a file is missing or differs from its hash, or the artifact is of another
            model or a later layout.
    """
    manifest = _json(_read(folder / _MANIFEST), folder / _MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("sha256"), dict):
        raise _damaged(folder / _MANIFEST, "is no manifest")
    if manifest.get("layout") != LAYOUT:
        raise ModelError(
            f"{folder} has layout {manifest.get('layout')!r}, this secad reads {LAYOUT}",
            hint="fit the model again: secad fit",
        )
    if manifest.get("model") != model:
        raise ModelError(f"{folder} holds model {manifest.get('model')!r}, not {model!r}")
    contents = {}
    for name in (_STATE, _ARRAYS):
        contents[name] = _read(folder / name)
        if hashlib.sha256(contents[name]).hexdigest() != manifest["sha256"].get(name):
            raise _damaged(folder / name, "differs from its hash in the manifest")
    state = _json(contents[_STATE], folder / _STATE)
    try:
        arrays = safetensors.numpy.load(contents[_ARRAYS])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise _damaged(folder / _ARRAYS, "is no safetensors file") from error
    return Artifact(model, state, arrays)


def _write(artifact: Artifact, folder: Path) -> None:
    arrays = {name: np.ascontiguousarray(array) for name, array in artifact.arrays.items()}
    contents = {
        _STATE: _dumped(artifact.state),
        _ARRAYS: safetensors.numpy.save(arrays),
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = {"layout": LAYOUT, "model": artifact.model, "sha256": hashes}
    for name, content in (*contents.items(), (_MANIFEST, _dumped(manifest))):
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _dumped(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, indent=1)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _damaged(path, f"cannot be read: {error.strerror}") from error


def _json(content: bytes, path: Path) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise _damaged(path, "is not JSON") from error


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(f"{path} {what}", hint="fit the model again: secad fit")
