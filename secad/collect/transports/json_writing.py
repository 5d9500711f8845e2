"""Arrow tables as JSON text, whole columns at a time: one object for each row.

Keys come in the order of the schema and nulls are left out (in lists they stand as ``null``).
Times are ISO 8601, in UTC with ``Z`` where the column has a zone and bare where it has none;
decimals are numbers; bytes are text where they are UTF-8, else hexadecimal; a map is an object.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.compiled import kernel
from secad.features.spans import Bytes, Places

_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint8).reshape(256, 2)
_QUOTE, _BACKSLASH, _BLANK, _U, _ZERO = 34, 92, 32, 117, 48
_SHORT = np.zeros(32, dtype=np.uint8)  # \b \t \n \f \r
_SHORT[[8, 9, 10, 12, 13]] = np.frombuffer(b"btnfr", np.uint8)
_UUID = r"^(.{8})(.{4})(.{4})(.{4})(.{12})$"


def as_json(batch: pa.RecordBatch) -> pa.Array:
    """Returns (N,) large_string, the JSON of each row.

    Args:
        batch: N rows, of any columns but unions and intervals.

    Raises:
        pa.ArrowException: a column is of another kind.
    """
    return _objects(batch.schema.names, batch.columns, batch.num_rows)


def quoted(texts: pa.Array) -> pa.Array:
    """Returns JSON strings.

    Args:
        texts: (N,) large_binary, nulls stay null.

    Returns:
        (N,) large_string.
    """
    filled = pc.fill_null(texts, b"")
    _, offsets, data = filled.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[filled.offset : filled.offset + len(filled) + 1]
    values, places = _quote_all(np.frombuffer(data or b"", dtype=np.uint8), ends)
    buffers = [None, pa.py_buffer(places), pa.py_buffer(values)]
    return _where_valid(texts, pa.Array.from_buffers(pa.large_string(), len(texts), buffers))


def _objects(names: Sequence[str], columns: Sequence[pa.Array], count: int) -> pa.Array:
    """Returns the objects with these members, without those that are null."""
    members = [_member(name, column) for name, column in zip(names, columns, strict=True)]
    members = [pc.fill_null(member, "") for member in members if member.null_count < count]
    if not members:
        return pa.repeat(_large("{}"), count)
    inside = pc.binary_join_element_wise(*members, _large(""))
    return _wrapped("", pc.binary_replace_slice(inside, 0, 1, "{"), "}")  # the first comma


def _member(name: str, column: pa.Array) -> pa.Array:
    """Returns ``,"name":value``, null where the value is."""
    return _wrapped("," + json.dumps(name, ensure_ascii=False) + ":", _values(column), "")


def _wrapped(before: str, text: pa.Array, behind: str) -> pa.Array:
    return pc.binary_join_element_wise(_large(before), text, _large(behind), _large(""))


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _where_valid(column: pa.Array, text: pa.Array) -> pa.Array:
    return pc.if_else(column.is_valid(), text, None) if column.null_count else text


def _values(column: pa.Array) -> pa.Array:
    """Returns (N,) large_string, the JSON of each value, null where it is null."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _extension(column)
    if pa.types.is_dictionary(kind):
        return _values(column.dictionary).take(column.indices)
    if pa.types.is_struct(kind):
        names = [kind.field(place).name for place in range(kind.num_fields)]
        return _where_valid(column, _objects(names, column.flatten(), len(column)))
    if pa.types.is_map(kind):
        return _lists(column.cast(pa.list_(pa.struct([kind.key_field, kind.item_field]))), "{}")
    if pa.types.is_fixed_size_list(kind):
        column = column.cast(pa.list_(kind.value_type))
    return _lists(column, "[]") if pa.types.is_nested(kind) else _plain(column)


def _lists(column: pa.Array, brackets: str) -> pa.Array:
    """Returns the JSON of lists, of lists of keys and values as objects."""
    inside = column.flatten()
    parts = _entries(inside) if brackets == "{}" else pc.fill_null(_values(inside), "null")
    counts = np.asarray(pc.fill_null(pc.list_value_length(column), 0))
    ends = np.concatenate([[0], np.cumsum(counts)])
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), parts)
    joined = _wrapped(brackets[0], pc.binary_join(lists, _large(",")), brackets[1])
    return _where_valid(column, joined)


def _entries(pairs: pa.StructArray) -> pa.Array:
    """Returns ``key:value`` of the entries of maps."""
    keys, items = pairs.flatten()
    names = _values(keys)
    bare = pc.invert(pc.starts_with(names, '"'))
    names = pc.if_else(bare, quoted(names.cast(pa.large_binary())), names)
    return pc.binary_join_element_wise(names, pc.fill_null(_values(items), "null"), _large(":"))


def _extension(column: pa.ExtensionArray) -> pa.Array:
    """Returns the JSON of an extension type's storage, UUIDs in their usual form."""
    if column.type.extension_name != "arrow.uuid":
        return _values(column.storage)
    text = _hexadecimal(column.storage.cast(pa.large_binary())).cast(pa.large_string())
    text = pc.replace_substring_regex(text, _UUID, r"\1-\2-\3-\4-\5")
    return quoted(text.cast(pa.large_binary()))


def _plain(column: pa.Array) -> pa.Array:
    """Returns the JSON of values that are not nested."""
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.large_string())
    if pa.types.is_floating(kind):
        wide = column.cast(pa.float64())
        finite = pc.if_else(pc.is_finite(wide), column, None)  # JSON has no word for the others
        return finite.cast(pa.large_string())
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.large_string())
    if pa.types.is_duration(kind):
        return column.cast(pa.int64()).cast(pa.large_string())
    if pa.types.is_temporal(kind):
        return _times(column)
    return quoted(_readable(column.cast(pa.large_binary())))


def _times(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type) and column.type.tz:
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    text = column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        text = pc.replace_substring(text, " ", "T", max_replacements=1)
    return quoted(text.cast(pa.large_binary()))


def _readable(data: pa.Array) -> pa.Array:
    """Returns bytes that are text as they are, others in hexadecimal digits."""
    try:
        data.cast(pa.large_string())
    except pa.ArrowInvalid:
        text = pa.array([value is None or _is_utf8(value) for value in data.to_pylist()])
        return pc.if_else(text, data, _hexadecimal(data))
    return data


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _hexadecimal(data: pa.Array) -> pa.Array:
    """Returns (N,) large_binary, bytes in hexadecimal digits, nulls as none."""
    filled = pc.fill_null(data, b"")
    _, offsets, values = filled.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[filled.offset : filled.offset + len(filled) + 1]
    used = np.frombuffer(values or b"", dtype=np.uint8)[ends[0] : ends[-1]]
    buffers = [None, pa.py_buffer(2 * (ends - ends[0])), pa.py_buffer(_HEX[used].reshape(-1))]
    text = pa.Array.from_buffers(pa.large_binary(), len(filled), buffers)
    return _where_valid(data, text)


@kernel
def _quote_all(data: Bytes, ends: Places) -> tuple[Bytes, Places]:
    """Returns the bytes of JSON strings and (N + 1,) their offsets."""
    places = np.zeros(len(ends), dtype=np.int64)
    for row in range(len(ends) - 1):
        size = 2
        for place in range(ends[row], ends[row + 1]):
            size += _size(data[place])
        places[row + 1] = places[row] + size
    values = np.empty(places[-1], dtype=np.uint8)
    for row in range(len(ends) - 1):
        used = places[row]
        values[used] = _QUOTE
        used += 1
        for place in range(ends[row], ends[row + 1]):
            used = _write(data[place], values, used)
        values[used] = _QUOTE
    return values, places


@kernel
def _size(byte: int) -> int:
    """Returns how many bytes a byte takes inside a JSON string."""
    if byte >= _BLANK:
        return 2 if byte in (_QUOTE, _BACKSLASH) else 1
    return 2 if _SHORT[byte] else 6


@kernel
def _write(byte: int, values: Bytes, used: int) -> int:
    size = _size(byte)
    if size == 1:
        values[used] = byte
        return used + 1
    values[used] = _BACKSLASH
    if size == 2:
        values[used + 1] = byte if byte >= _BLANK else _SHORT[byte]
        return used + 2
    values[used + 1] = _U
    values[used + 2 : used + 4] = _ZERO
    values[used + 4 : used + 6] = _HEX[byte]
    return used + 6
