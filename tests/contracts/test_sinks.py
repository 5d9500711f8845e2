"""What is true of every registered sink."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from secad import plugins
from secad.base.errors import SecadError
from secad.base.schemas import ALERTS
from tests.triage.alerts import made_alerts

NAMES = plugins.sink_names()


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str) -> None:
    kind = plugins.sink_class(name)
    assert kind.name == name
    assert kind.__doc__
    assert "path" in inspect.signature(kind).parameters


@pytest.mark.parametrize("name", NAMES)
def test_writing_again_changes_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "alerts"
    sink = plugins.sink_class(name)(path, overwrite=True)  # type: ignore[call-arg]
    sink.write(made_alerts(5))
    first = path.read_bytes()
    sink.write(made_alerts(5))
    assert path.read_bytes() == first
    assert [other.name for other in tmp_path.iterdir()] == ["alerts"]


@pytest.mark.parametrize("name", NAMES)
def test_no_alerts_are_no_error(name: str, tmp_path: Path) -> None:
    sink = plugins.sink_class(name)(tmp_path / "alerts", overwrite=True)  # type: ignore[call-arg]
    sink.write(ALERTS.empty_table())
    assert (tmp_path / "alerts").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_place_that_cannot_be_written_is_an_error_of_ours(name: str, tmp_path: Path) -> None:
    with pytest.raises(SecadError):
        plugins.sink_class(name)(tmp_path / "no" / "alerts", overwrite=True).write(  # type: ignore[call-arg]
            made_alerts(1)
        )
