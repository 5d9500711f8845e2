"""What the formats of declared JSON share: small steps of their rules, and the table of events.

Columns of text as ``read_json`` gives them enter; ``Parsed`` leaves. What a field of one format
means stands with that format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import Parsed
from secad.base.schemas import ECS
from secad.collect.columns import labels_with
from secad.collect.json.columns import JsonColumns
from secad.collect.text import Text, reject

Columns = Mapping[str, pa.Array]
Flags = npt.NDArray[np.bool_]

_INTEGER = r"^-?[0-9]{1,18}$"
_WHOLE = r"^(-?[0-9]{1,18})\.0*$"  # 443.0, as tools write that know only floats
_ADDRESS = r"^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(%[\w.-]+)?)$"
# https://www.shop.example:8443/cart?id=7#top | /cart?id=7
_URL = (
    r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://(?:[^/?#@]*@)?(?P<domain>\[[^\]/]*\]|[^/?#:]*)(?::\d*)?)?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#.*)?$"
)
_ACTION_CAP = 64  # characters; what is longer is no kind


def once_each(text: pa.Array, derive: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Returns ``derive(text)``, worked out once for each distinct text."""
    coded = text.dictionary_encode()
    return derive(coded.dictionary).take(coded.indices)


def worded(text: pa.Array, words: Mapping[str, str], otherwise: str | None = None) -> pa.Array:
    """Returns what stands for each text in a table of words, regardless of case.

    Args:
        text: (N,) string.
        words: small letters -> what they mean.
        otherwise: for a text that is not in the table.
    """
    place = pc.index_in(pc.utf8_lower(text), pa.array(list(words), pa.string()))
    found = pa.array(list(words.values()), pa.string()).take(place)
    if otherwise is None:
        return found
    return pc.if_else(pc.is_valid(text), pc.coalesce(found, otherwise), None)


def kind(text: pa.Array) -> pa.Array:
    """Returns names as kinds: small letters, a hyphen for what parts words; null where empty.

    >>> kind(pa.array(["Process Create", "process_started", "PAM:session_open", "  "])).to_pylist()
    ['process-create', 'process_started', 'pam-session_open', None]
    """
    return once_each(text, _kind)


def _kind(text: pa.Array) -> pa.Array:
    words = pc.replace_substring_regex(pc.utf8_lower(text), r"[^\w.]+", "-")
    words = pc.utf8_slice_codeunits(pc.utf8_trim(words, "-"), 0, _ACTION_CAP)
    return pc.if_else(pc.equal(words, ""), None, words)


def address(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Returns texts that are IP addresses, and those that are not."""
    is_address = once_each(text, lambda distinct: pc.match_substring_regex(distinct, _ADDRESS))
    return pc.if_else(is_address, text, None), pc.if_else(is_address, None, text)


def base_name(path: pa.Array) -> pa.Array:
    """Returns the file names of paths, of Unix and of Windows."""
    return once_each(path, lambda distinct: pc.replace_substring_regex(distinct, r"^.*[\\/]", ""))


def url_parts(url: pa.Array) -> dict[str, pa.Array]:
    """Returns ``url_domain``, ``url_path`` and ``url_query`` of URLs, null where they have none."""
    parts = once_each(url, lambda distinct: pc.extract_regex(distinct, _URL))
    found = {name: pc.struct_field(parts, [name]) for name in ("domain", "path", "query")}
    return {
        f"url_{name}": pc.if_else(pc.equal(text, ""), None, text) for name, text in found.items()
    }


def event_table(
    text: Text,
    read: JsonColumns,
    time: pa.Array,
    columns: Columns,
    extensions: pa.Schema,
) -> pa.Table:
    """Returns the events of all lines, each column in its type and the columns in order.

    A number that its column cannot hold becomes a label.

    Args:
        text: N lines.
        read: what they hold.
        time: (N,) TIME.
        columns: column -> (N,) string, ``event_action`` without nulls among them.
        extensions: the columns beyond EVENTS.
    """
    made, lost = dict(columns), {}
    types = {field.name: field.type for field in [*ECS, *extensions]}
    for name, column in columns.items():
        if pa.types.is_integer(types.get(name, pa.string())):
            made[name] = _integers(column)
            if made[name].null_count > column.null_count:
                lost[name] = pc.if_else(pc.is_valid(made[name]), None, column)
    names = [name for name in (*ECS.names, "message", *extensions.names) if name in made]
    others = labels_with(read.labels, lost) if lost else read.labels
    return pa.table(
        {
            "time": time,
            **text.locators(),
            **{name: made[name] for name in names},
            "labels": others,
        }
    )


def _integers(text: pa.Array) -> pa.Array:
    whole = pc.match_substring_regex(text, _INTEGER)
    if not pc.all(pc.fill_null(whole, True)).as_py():
        text = pc.replace_substring_regex(text, _WHOLE, r"\1")
        whole = pc.match_substring_regex(text, _INTEGER)
    return pc.cast(pc.if_else(whole, text, None), pa.int64())


def parsed(
    text: Text,
    read: JsonColumns,
    events: pa.Table,
    *,
    refused: Sequence[tuple[Flags, str]],
    passed: Flags | None = None,
) -> Parsed:
    """Returns the events that are none of malformed, passed over or refused; see ``Parsed``.

    Args:
        text: N lines.
        read: what they hold.
        events: (N,) a row for each line.
        refused: (N,) which lines are refused, and why; the first reason counts.
        passed: (N,) which lines are no records at all.
    """
    gone = np.zeros(events.num_rows, dtype=np.bool_) if passed is None else passed.copy()
    broken = np.asarray(read.errors.is_valid()) & ~gone
    rejects = [text.rejects, reject(text.lines, broken, read.errors.filter(pa.array(broken)))]
    skipped = text.skipped + int(gone.sum())
    gone |= broken
    for rows, reason in refused:
        rejects.append(reject(text.lines, rows & ~gone, reason))
        gone |= rows
    kept = events.filter(pa.array(~gone)) if gone.any() else events
    return Parsed(kept, pa.concat_tables(rejects), skipped=skipped)
