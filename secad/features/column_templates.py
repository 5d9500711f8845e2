"""Templates of structured logs: the combinations of the columns that name a kind of record.

Events enter, the id of each one's template and the TEMPLATES table leave.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.ids import digest
from secad.features.templates import TEMPLATES


def column_templates(
    events: pa.Table, columns: Sequence[str], scope: str
) -> tuple[pa.StringArray, pa.Table]:
    """Returns the templates of events whose columns name them, such as a provider and a code.

    A template is one combination of values, as in ``event_provider=sshd event_action=login``; a
    null, like a column that the table lacks, is left out, and a row of only nulls has no template.

    Args:
        events: N rows.
        columns: names of columns with few different values.
        scope: part of each template's id.

    Returns:
        (N,) the ids; TEMPLATES of these rows, in the order of their first row.
    """
    codes, texts = np.zeros(events.num_rows, dtype=np.int64), [""]
    for name in columns:
        if name not in events.column_names:
            continue
        values = events.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
        parts = ["", *(f"{name}={_quoted(value)}" for value in values.dictionary.to_pylist())]
        places = values.indices.fill_null(-1).to_numpy().astype(np.int64) + 1
        joined = pa.array(codes * len(parts) + places).dictionary_encode()
        pairs = [divmod(code, len(parts)) for code in joined.dictionary.to_pylist()]
        texts = [" ".join(filter(None, (texts[head], parts[tail]))) for head, tail in pairs]
        codes = joined.indices.to_numpy().astype(np.int64)
    ids = [digest([scope, text], person="template") if text else None for text in texts]
    sizes = np.bincount(codes, minlength=len(texts))
    table = pa.table([pa.array(ids, pa.string()), texts, sizes], names=TEMPLATES.names)
    used = table.filter(pc.and_(pc.is_valid(table["template_id"]), pc.greater(table["size"], 0)))
    return table["template_id"].combine_chunks().take(pa.array(codes)), used.cast(TEMPLATES)


def _quoted(value: str) -> str:
    """Returns a value as it stands in a text, in quotes where it could be taken for more."""
    plain = value and not any(letter.isspace() or letter in '"=' for letter in value)
    return value if plain else json.dumps(value, ensure_ascii=False)
