"""secad: a security event and log anomaly engine.

``import secad; s = secad.open("./secad-store")`` is the way in from Python; the command line is
a thin layer over the same calls.
"""

from __future__ import annotations

__version__ = "0.1.0"
