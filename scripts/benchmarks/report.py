"""Puts the kept results together into ``results/RESULTS.md``.

python scripts/benchmarks/report.py
"""

from __future__ import annotations

import sys

from measure import RESULTS

HEAD = """# Results

Made by `python scripts/benchmarks/report.py` from the files beside it, which the benchmarks write.
Rates are of shared machines and move by some tens of percent; ratios were measured in one run.
"""


def main() -> int:
    """Runs it."""
    paths = [path for path in sorted(RESULTS.glob("*.md")) if path.name != "RESULTS.md"]
    parts = [HEAD, *(path.read_text("utf-8").strip() + "\n" for path in paths)]
    (RESULTS / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
