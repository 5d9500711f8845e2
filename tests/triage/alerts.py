"""Made-up rows of ALERTS, for every test that needs some."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pyarrow as pa

from secad.base.schemas import ALERTS

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def one_alert(number: int, **changes: Any) -> dict[str, Any]:
    """Returns a row of ALERTS that differs from those of other numbers."""
    start = DAY + timedelta(hours=number)
    record = f"record {number}".encode()
    row = {
        "alert_id": sha256(str(number).encode()).hexdigest()[:20],
        "fingerprint": f"{number:020x}",
        "fingerprint_key": [("user_name", f"user{number}"), ("host_name", None)],
        "detector": "ape",
        "model_id": "model-1",
        "dataset": "windows",
        "view": "windows/security/logon",
        "time_start": start,
        "time_end": start + timedelta(minutes=5),
        "count": 2,
        "severity": 3,
        "score": 4.5,
        "p_value": 0.001,
        "p_extrapolated": False,
        "reason": f"user{number} has never logged on to WS1",
        "badges": ["cold start"],
        "entities": [
            {"type": "user", "value": f"user{number}", "role": "user_name"},
            {"type": "host", "value": "WS1.example.org", "role": "host_name"},
        ],
        "techniques": ["T1078"],
        "explanation": [
            {"name": "user_name × host_name", "value": "a × b", "expected": None, "weight": 1.25}
        ],
        "evidence": [
            {
                "event_id": number.to_bytes(16, "big"),
                "time": start,
                "source_id": "0" * 20,
                "source_path": "/var/log/auth.log",
                "line": number + 1,
                "byte_offset": 100 * number,
                "byte_length": len(record),
                "sha256": sha256(record).hexdigest(),
                "contribution": 4.5,
            }
        ],
    }
    return row | changes


def made_alerts(count: int) -> pa.Table:
    """Returns ALERTS that all differ, one an hour."""
    return pa.Table.from_pylist([one_alert(number) for number in range(count)], schema=ALERTS)
