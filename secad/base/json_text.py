"""Arrow columns to JSON text, a whole column at a time.

Ids and other bytes become hex digits, times ISO 8601 in UTC with ``Z``, a number that is not
finite null (JSON has no word for it), lists, structs and maps JSON of their own.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import SchemaError
from secad.base.escapes import json_strings
from secad.base.iso_times import iso_column

_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def json_column(values: pa.Array) -> pa.StringArray:
    """Returns (N,) JSON documents, ``null`` for a null.

    Args:
        values: (N,) of any type that a table of secad holds.

    Raises:
        SchemaError: the type has no JSON form here.
    """
    return pc.fill_null(_encoded(values), "null")


def json_rows(batch: pa.RecordBatch, ending: str = "") -> pa.StringArray:
    """Returns (N,) JSON objects, one per row, their keys in the order of the columns.

    Args:
        batch: N rows.
        ending: what stands after each object.
    """
    return _objects(batch.schema.names, batch.columns, batch.num_rows, ending)


def plain_column(values: pa.Array) -> pa.StringArray:
    """Returns (N,) texts without JSON's quotes: strings as they are; nulls stay null."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return plain_column(values.cast(kind.value_type))
    if pa.types.is_nested(kind):
        return _encoded(values)
    if _is_binary(kind):
        return hex_column(values)
    if pa.types.is_timestamp(kind):
        return iso_column(values)
    return values.cast(pa.string())


def hex_column(values: pa.Array) -> pa.StringArray:
    """Returns (N,) hex digits of binary values of fixed or varying size; nulls stay."""
    packed = values.cast(pa.large_binary())
    _, ends, data = packed.buffers()
    size = len(packed)
    offsets = np.frombuffer(ends, dtype=np.int64)[packed.offset : packed.offset + size + 1]
    content = np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, dtype=np.uint8)
    used = content[offsets[0] : offsets[-1]]
    digits = np.empty((len(used), 2), dtype=np.uint8)
    digits[:, 0] = _HEX_DIGITS[used >> 4]
    digits[:, 1] = _HEX_DIGITS[used & 15]
    places = ((offsets - offsets[0]) * 2).astype(np.int32)
    present = pc.is_valid(packed).to_numpy(zero_copy_only=False)
    valid = pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(size, pa.py_buffer(places), pa.py_buffer(digits), valid)


def _encoded(values: pa.Array) -> pa.StringArray:
    kind = values.type
    if pa.types.is_map(kind):
        return _map(values)
    if pa.types.is_struct(kind):
        return _struct(values)
    if _is_list(kind):
        return _list(values)
    if pa.types.is_dictionary(kind):
        return _encoded(values.cast(kind.value_type))
    return _scalar(values)


def _scalar(values: pa.Array) -> pa.StringArray:
    kind = values.type
    if pa.types.is_null(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(pa.string())
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_finite(values), values, pa.scalar(None, kind))
        return finite.cast(pa.string())
    if _is_string(kind):
        return json_strings(values.cast(pa.string()))
    if _is_binary(kind) or pa.types.is_temporal(kind):
        return pc.binary_join_element_wise('"', plain_column(values), '"', "")
    raise SchemaError(f"values of type {kind} cannot be written as JSON")


def _list(values: pa.Array) -> pa.StringArray:
    items = json_column(values.flatten())
    return _grouped(values, items, "[", "]")


def _map(values: pa.MapArray) -> pa.StringArray:
    kind = values.type
    pair = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
    lists = values.cast(pa.list_(pair))
    pairs = lists.flatten()
    keys = json_strings(plain_column(pc.struct_field(pairs, 0)))
    items = json_column(pc.struct_field(pairs, 1))
    return _grouped(lists, pc.binary_join_element_wise(keys, items, ":"), "{", "}")


def _grouped(lists: pa.Array, items: pa.StringArray, opening: str, closing: str) -> pa.StringArray:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lists) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), items), ",")
    whole = pc.binary_join_element_wise(opening, joined, closing, "")
    return pc.if_else(pc.is_valid(lists), whole, None)


def _struct(values: pa.StructArray) -> pa.StringArray:
    names = [field.name for field in values.type]
    columns = [pc.struct_field(values, place) for place in range(len(names))]
    whole = _objects(names, columns, len(values))
    return pc.if_else(pc.is_valid(values), whole, None)


def _objects(
    names: list[str], columns: list[pa.Array], size: int, ending: str = ""
) -> pa.StringArray:
    if not names:
        return pa.repeat("{}" + ending, size)
    keys = json_strings(pa.array(names, pa.string())).to_pylist()
    pieces: list[pa.StringArray | str] = []
    constant = "{"  # what all rows have in common up to the next piece
    for place, (key, column) in enumerate(zip(keys, columns, strict=True)):
        constant += f"{',' if place else ''}{key}:"
        if column.null_count == size:
            constant += "null"
        else:
            pieces += [constant, json_column(column)]
            constant = ""
    whole = pc.binary_join_element_wise(*pieces, constant + "}" + ending, "")
    return whole if pieces else pa.repeat(whole, size)


def _is_string(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
