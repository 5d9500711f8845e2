"""Settings: who wins, what is refused, and where each value is from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from secad.base.config import KNOWN, load_config, template
from secad.base.errors import ConfigError


def settings(tmp_path: Path, text: str, **environment: str) -> dict[str, str]:
    folder = tmp_path / "secad"
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(text)
    return {"XDG_CONFIG_HOME": str(tmp_path), **environment}


@pytest.fixture(autouse=True)
def _empty_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    environment = settings(tmp_path, "[ingest]\ntz = 'Asia/Tokyo'\ncommit_rows = 7\n")
    environment |= {"SECAD_INGEST__TZ": "Europe/Rome"}
    config = load_config(flags={"ingest.tz": "Europe/Paris"}, environment=environment)
    assert config.text("ingest.tz") == "Europe/Paris"
    assert config.origins["ingest.tz"] == "flag"
    assert config.whole("ingest.commit_rows") == 7
    assert config.origins["ingest.commit_rows"].endswith("config.toml")
    assert config.origins["store.path"] == "default"
    assert load_config(environment=environment).text("ingest.tz") == "Europe/Rome"


def test_file_in_the_working_folder_beats_the_users_own(tmp_path: Path) -> None:
    environment = settings(tmp_path, "[ingest]\ntz = 'Asia/Tokyo'\n")
    Path("secad.toml").write_text("[ingest]\ntz = 'Europe/Oslo'\n")
    assert load_config(environment=environment).text("ingest.tz") == "Europe/Oslo"


def test_named_file_replaces_the_usual_places(tmp_path: Path) -> None:
    environment = settings(tmp_path, "[ingest]\ntz = 'Asia/Tokyo'\n")
    named = tmp_path / "own.toml"
    named.write_text("[ingest]\ncommit_rows = 3\n")
    config = load_config(file=named, environment=environment)
    assert (config.text("ingest.tz"), config.whole("ingest.commit_rows")) == ("UTC", 3)


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ingest.tzz.*did you mean 'ingest.tz'"):
        load_config(environment=settings(tmp_path, "[ingest]\ntzz = 'UTC'\n"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[ingest]\ncommit_rows = 'many'\n", "whole number"),
        ("[ingest]\ncommit_rows = 0\n", "at least 1"),
        ("[ingest]\ntz = 3\n", "a text"),
        ("[ingest\n", "not TOML"),
        ("tz = 'UTC'\n", "outside a section"),
        ("[models]\nape = 3\n", "must be a section"),
        ("[models.ape]\ndim = {a = 1}\n", "plain value"),
    ],
)
def test_wrong_files_are_refused_with_the_reason(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_config(environment=settings(tmp_path, text))


def test_missing_named_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="secad config init"):
        load_config(file=tmp_path / "nowhere.toml", environment={})


def test_model_arguments_come_from_file_and_environment(tmp_path: Path) -> None:
    environment = settings(tmp_path, "[models.ape]\ndim = 8\n", SECAD_MODELS__APE__EPOCHS="3")
    assert load_config(environment=environment).models == {"ape": {"dim": 8, "epochs": 3}}


def test_lists_are_read_from_the_environment() -> None:
    config = load_config(environment={"SECAD_DETECT__MODELS": "ape,rarity"})
    assert config.names("detect.models") == ["ape", "rarity"]


def test_template_holds_every_key_at_its_default() -> None:
    content = tomllib.loads(template())
    defaults = {name: {k: s.default for k, s in keys.items()} for name, keys in KNOWN.items()}
    assert content == defaults
