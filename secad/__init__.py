"""secad: a security event and log anomaly engine.

``import secad; s = secad.open("./secad-store")`` is the way in from Python; the command line is
a thin layer over the same calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from secad.api import Secad
    from secad.base.config import Config

__version__ = "0.1.0"


def open(folder: Path | str = "./secad-store", config: Config | None = None) -> Secad:  # noqa: A001 - secad.open reads like what it does
    """Returns the store in a folder, made where it is absent.

    Args:
        folder: the store.
        config: settings in force; None reads them from the usual places.
    """
    from secad.api import Secad

    return Secad(folder, config)
