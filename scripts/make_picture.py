"""Draws ``scripts/quickstart.svg``, the quick start's first alerts as a terminal shows them.

bash scripts/quickstart.sh && python scripts/make_picture.py
"""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

import secad

ROOT = Path(__file__).resolve().parent.parent
WORDS = ("informational", "low", "medium", "high", "critical", "fatal")
COLOURS = ("dim", "cyan", "yellow", "red", "bold red", "bold magenta")
ROWS = 8


def main() -> int:
    """Runs it."""
    ranked = secad.open(ROOT / "quickstart-store").rank(top=ROWS).to_pylist()
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("rank", "severity", "time", "count", "reason"):
        table.add_column(name, justify="right" if name in {"rank", "count"} else "left")
    for row in ranked:
        level = row["severity"] - 1
        table.add_row(
            Text(str(row["rank"])),
            Text(WORDS[level], style=COLOURS[level]),
            Text(f"{row['time_start']:%Y-%m-%d %H:%M:%S}"),
            Text(str(row["count"])),
            Text(row["reason"]),
        )
    console = Console(file=StringIO(), record=True, width=132)
    console.print(Text("$ secad rank-alerts", style="bold"))
    console.print(table)
    svg = console.export_svg(title="secad", unique_id="secad")
    (ROOT / "scripts" / "quickstart.svg").write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
