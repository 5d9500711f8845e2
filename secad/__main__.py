"""``python -m secad`` and the ``secad`` command."""

from __future__ import annotations


def main() -> None:
    """Runs the command line and exits with its code."""
    from secad.cli.main import run

    run()


if __name__ == "__main__":
    main()
