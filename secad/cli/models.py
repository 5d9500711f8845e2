"""``secad models``: which models are fitted, on what, and how."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
import pyarrow as pa

from secad.cli.output import Output, row_options
from secad.cli.session import common_options, session_of

_LISTED = ("model_id", "name", "dataset", "version", "state", "rows", "train_start", "train_end")


@click.group()
@common_options
def models() -> None:
    """List and show fitted models."""


@models.command("list")
@row_options
@common_options
@click.pass_context
def list_models(context: click.Context, output: Output) -> None:
    """Print every fitted model."""
    entries = session_of(context).known_store().registry.models()
    columns = {name: [getattr(entry, name) for entry in entries] for name in _LISTED}
    output.emit(pa.table(columns))


@models.command()
@click.argument("model", metavar="ID")
@row_options
@common_options
@click.pass_context
def show(context: click.Context, model: str, output: Output) -> None:
    """Print one model: its settings, what it was fitted on, its views and calibration."""
    entry = session_of(context).known_store().registry.show(model)
    samples = entry.calibration.get("samples", {})
    views = {view: len(sample["values"]) for view, sample in samples.items()}
    facts = asdict(entry) | {"calibration": {"distinct scores by view": views}}
    values = [
        value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
        for value in facts.values()
    ]
    output.emit(pa.table({"field": list(facts), "value": pa.array(values, pa.string())}))
