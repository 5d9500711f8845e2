"""Characters of a log that must not act on what shows them: written out instead of sent.

A log holds whatever an attacker put there: escape sequences that recolour or rewrite a terminal,
line ends that forge rows, marks that turn the order of the letters around. Columns that hold
none of them, nearly all, are found by one scan and pass unchanged.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

# control characters, invisible format marks (direction, width, tags), line and paragraph ends
_UNSEEN = r"\p{Cc}\p{Cf}\p{Zl}\p{Zp}"
_UNSEEN_CATEGORIES = ("Cc", "Cf", "Zl", "Zp")
_JSON_SHORT = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


class _Escapes(dict[int, str]):
    """A table for ``str.translate`` that is filled as characters come up."""

    def __init__(self, write_out: Callable[[int], str], first: dict[int, str]) -> None:
        super().__init__(first)
        self._write_out = write_out

    def __missing__(self, code: int) -> str:
        seen = unicodedata.category(chr(code)) not in _UNSEEN_CATEGORIES
        self[code] = chr(code) if seen else self._write_out(code)
        return self[code]


def _as_python(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _as_json(code: int) -> str:
    units = chr(code).encode("utf-16-be").hex()  # one or two units of four digits
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


_VISIBLE = _Escapes(_as_python, {ord(mark): written for mark, written in _JSON_SHORT[2:]})
_JSON = _Escapes(_as_json, {ord(mark): written for mark, written in _JSON_SHORT})


def visible(value: str) -> str:
    r"""Returns a text that is safe on a terminal, on one line.

    >>> visible("ok\x1b[2K\rroot logged out")
    'ok\\x1b[2K\\rroot logged out'
    """
    return value.translate(_VISIBLE)


def visible_column(values: pa.StringArray) -> pa.StringArray:
    """Returns (N,) texts that are safe on a terminal, each on one line; nulls stay."""
    return _translate(values, f"[{_UNSEEN}]", _VISIBLE)


def json_strings(values: pa.StringArray) -> pa.StringArray:
    r"""Returns (N,) JSON strings with their quotes; nulls stay.

    Exact, and safe on a terminal too: what cannot be seen stands as ``\uXXXX``.
    """
    rare = rf'["\\{_UNSEEN}]'
    escaped = values
    if _any(values, rare):
        unusual = pc.match_substring_regex(values, r"[^\P{Cc}\n\r\t]|[\p{Cf}\p{Zl}\p{Zp}]")
        for mark, written in _JSON_SHORT:
            escaped = pc.replace_substring(escaped, mark, written)
        escaped = _replace(escaped, values, unusual, _JSON)
    return pc.binary_join_element_wise('"', escaped, '"', "")


def _translate(values: pa.StringArray, pattern: str, table: _Escapes) -> pa.StringArray:
    return _replace(values, values, pc.match_substring_regex(values, pattern), table)


def _replace(
    texts: pa.StringArray, sources: pa.StringArray, rows: pa.BooleanArray, table: _Escapes
) -> pa.StringArray:
    if not pc.any(rows).as_py():
        return texts
    written = [value.translate(table) for value in sources.filter(rows).to_pylist()]
    return pc.replace_with_mask(texts, rows.fill_null(False), pa.array(written, pa.string()))


def _any(values: pa.StringArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())
