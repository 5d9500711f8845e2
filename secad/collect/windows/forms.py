"""Windows events whose data stand in lists of names and texts, made into objects of fields.

Converters of XML write ``"Data":[{"@Name":"Image","#text":"cmd.exe"}]``, and EvtxECmd such data as
a text in ``Payload``. Both become ``"Fields":{"Image":"cmd.exe"}``, before a line is read.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json.columns import read_json

_PAYLOAD = '"{\\"EventData\\"'  # "Payload":"{\"EventData\":{...}}"
_PAYLOAD_TEXT = r'"Payload"\s*:\s*"(?:[^"\\]|\\.)*"\s*,?'
_NAMED = '"@Name"'
_ELEMENT = '"@Element"'
_NAME = r'\{\s*"@Element"\s*:\s*("[^"\\]*")'
_TEXT = r'\s*,\s*"#text"\s*:\s*("(?:[^"\\]|\\.)*"|null|true|false|-?[0-9.]+)\s*\}'
_STEPS = (
    (r'([\[,]\s*\{\s*)"@Name"', r'\1"@Element"'),  # not of an object, such as Provider
    (_NAME + r"\s*\}", r'{"@Element":\1,"#text":null}'),  # no text at all
    (_NAME + _TEXT + r"\s*\]", r"\1:\2}"),  # the last of a list
    (r'"Data"\s*:\s*\[\s*(\{\s*"@Element"|"[^"\\]*":)', r'"Fields":{\1'),  # the first
    (_NAME + _TEXT, r"\1:\2"),
)


def as_fields(text: pa.StringArray) -> pa.StringArray:
    """Returns (N,) JSON texts in which lists of named data are objects.

    Args:
        text: (N,) JSON objects; those of another form stay as they are.
    """
    return _rewritten(_with_payload(text))


def _with_payload(text: pa.StringArray) -> pa.StringArray:
    """Returns the texts, with what EvtxECmd keeps as text in ``Payload`` beside it."""
    held = pc.match_substring(text, _PAYLOAD)
    if not pc.any(held).as_py():
        return text
    outer = text.filter(held)
    inner = read_json(outer, {"payload": ("Payload",)}).columns["payload"]
    inner = pc.if_else(pc.match_substring_regex(inner, r"^\{.*\}$"), inner, None)
    rest = pc.replace_substring_regex(outer, _PAYLOAD_TEXT, "")
    rest = pc.replace_substring_regex(rest, r"^\s*\{", "")
    begun = pc.replace_substring_regex(inner, r"\}$", "")  # first, as the first of a name counts
    joined = pc.binary_join_element_wise(begun, rest, ",")
    joined = pc.replace_substring_regex(joined, r",\s*\}\s*$", "}")
    return pc.replace_with_mask(text, held, pc.coalesce(joined, outer))


def _rewritten(text: pa.StringArray) -> pa.StringArray:
    held = pc.match_substring(text, _NAMED)
    if not pc.any(held).as_py():
        return text
    found = text.filter(held)
    for pattern, replacement in _STEPS:
        found = pc.replace_substring_regex(found, pattern, replacement)
    unfit = pc.match_substring(found, _ELEMENT)  # an element of it has more than a name and a text
    return pc.replace_with_mask(text, held, pc.if_else(unfit, text.filter(held), found))
