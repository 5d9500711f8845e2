r"""Names of files and of archives' members as text, whatever bytes they are made of.

Linux allows any bytes in a name, and archives carry names in the encodings of other machines;
databases and Arrow take UTF-8 only. Bytes that are none are written out as ``\xe9``.
"""

from __future__ import annotations

import re
from pathlib import Path

_WRITTEN_OUT = re.compile(rb"\\x([89a-f][0-9a-f])")


def as_text(name: str) -> str:
    r"""Returns a name as text that has an encoding.

    >>> as_text("caf\udce9.log")
    'caf\\xe9.log'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def on_disk(path: str) -> Path:
    """Returns where the file lies that a path means, whose name may have gone through as_text."""
    found = Path(path)
    if "\\x" not in path or found.exists():
        return found
    raw = path.encode("utf-8", "surrogateescape")
    raw = _WRITTEN_OUT.sub(lambda written: bytes.fromhex(written[1].decode()), raw)
    return Path(raw.decode("utf-8", "surrogateescape"))
