"""Timestamps to ISO 8601 text in UTC with ``Z`` and microseconds, a whole column at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_DAY_US = 86_400_000_000
_FIRST_DAY = -719_528  # 0000-01-01
_LAST_DAY = 2_932_896  # 9999-12-31
_PATTERN = np.frombuffer(b"0000-00-00T00:00:00.000000Z", dtype=np.uint8)
# where each digit of the time of day stands, and how many microseconds one of it is
_DIGITS = (
    (11, 36_000_000_000, 10),
    (12, 3_600_000_000, 10),
    (14, 600_000_000, 6),
    (15, 60_000_000, 10),
    (17, 10_000_000, 6),
    (18, 1_000_000, 10),
    *((20 + place, 10 ** (5 - place), 10) for place in range(6)),
)


def iso_column(times: pa.TimestampArray) -> pa.StringArray:
    """Returns (N,) texts such as ``2020-09-21T22:57:34.000123Z``; nulls stay.

    A time finer than a microsecond is cut to it; one without a zone counts as UTC; one outside
    the years 0 to 9999 is written with the year's own digits.

    >>> iso_column(pa.array([0], pa.timestamp("us", "UTC")))[0].as_py()
    '1970-01-01T00:00:00.000000Z'
    """
    exact = times.cast(pa.timestamp("us", times.type.tz), safe=False)
    stamps = exact.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    days = stamps // _DAY_US
    if len(days) and (days.min() < _FIRST_DAY or days.max() > _LAST_DAY):
        text = exact.cast(pa.timestamp("us", "UTC")).cast(pa.string())
        return pc.replace_substring(text, " ", "T")
    letters = np.tile(_PATTERN, (len(stamps), 1))  # (N, 27)
    letters[:, :10] = _dates(days)
    time_of_day = stamps - days * _DAY_US
    for place, unit, base in _DIGITS:
        letters[:, place] += (time_of_day // unit % base).astype(np.uint8)
    offsets = np.arange(len(stamps) + 1, dtype=np.int32) * _PATTERN.size
    written = pa.StringArray.from_buffers(
        len(stamps), pa.py_buffer(offsets), pa.py_buffer(letters.reshape(-1))
    )
    return written if not times.null_count else pc.if_else(pc.is_valid(times), written, None)


def _dates(days: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    distinct, which = np.unique(days, return_inverse=True)
    names = pa.array(distinct.astype(np.int32), pa.int32()).cast(pa.date32()).cast(pa.string())
    digits = np.frombuffer("".join(names.to_pylist()).encode(), dtype=np.uint8)
    return digits.reshape(-1, 10)[which.reshape(-1)]
