"""``python -m secad`` and the ``secad`` command."""

from __future__ import annotations

import gc
import os


def main() -> None:
    """Runs the command line and exits with its code."""
    # Arrow's own allocator gives pages back at once and gets them zeroed again for every batch
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from secad.cli.main import run

    # modules and tables, which a command makes many of, are no cycles: look for those seldom
    gc.set_threshold(100_000, 20, 100)
    run()


if __name__ == "__main__":
    main()
