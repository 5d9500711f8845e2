"""Measures accuracy on labelled data, beside peers and trivial baselines.

    python scripts/benchmarks/accuracy.py --suite templates --data ../shared/data
    python scripts/benchmarks/accuracy.py --data ../shared/data                      all suites

Prints JSON and a Markdown table and keeps both under ``results/``. A suite is a function that
takes the folder of the labelled data and returns its figures and the files behind them; it stands
in a module of its own, which is loaded only when the suite runs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import inputs
from measure import RESULTS, ROOT, Figure, keep, section

SUITES: Mapping[str, str] = {
    "templates": "template_suite:templates",
    "slots": "slot_suite:slots",
}
"""Suite -> module and function; the order is that of the results."""


def run(suite: str, data: Path) -> tuple[list[Figure], list[Path]]:
    """Returns a suite's figures and the files behind them."""
    module, _, name = SUITES[suite].partition(":")
    figures, sources = getattr(importlib.import_module(module), name)(data)
    return figures, sources


def main() -> int:
    """Runs the suites asked for; exit code 1 where a target is missed."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--data", type=Path, required=True, help="folder of the labelled data")
    arguments.add_argument("--suite", action="append", choices=list(SUITES), help="a suite")
    arguments.add_argument("--out", type=Path, default=RESULTS, help="where results are kept")
    chosen = arguments.parse_args()
    if not chosen.data.is_dir():
        arguments.error(f"--data {chosen.data} is no folder")
    found: dict[str, Mapping[str, Any]] = {}
    for suite in chosen.suite or SUITES:
        print(f"measuring {suite}", file=sys.stderr)
        load = os.getloadavg()[0]
        figures, sources = run(suite, chosen.data.resolve())
        told = f"python scripts/benchmarks/accuracy.py --suite {suite} --data ../shared/data"
        found[suite] = section(figures, told, inputs.digest(sources), load)
    print(json.dumps(found, indent=1))
    print(keep("accuracy", found, list(SUITES), chosen.out))
    return 0 if all(row["met"] is not False for s in found.values() for row in s["figures"]) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
