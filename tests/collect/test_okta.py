from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of
from secad.collect.formats.okta import Okta

FORM = Okta()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
EVENT: dict[str, Any] = {
    "actor": {"id": "00u1", "type": "User", "alternateId": "ann@corp.example"},
    "client": {"userAgent": {"rawUserAgent": "Mozilla"}, "zone": "null", "ipAddress": "192.0.2.1"},
    "authenticationContext": {"externalSessionId": "unknown"},
    "displayMessage": "User single sign on to app",
    "eventType": "user.authentication.sso",
    "outcome": {"result": "SUCCESS"},
    "published": "2026-03-02T10:00:00.123Z",
    "severity": "INFO",
    "request": {"ipChain": [{"ip": "192.0.2.9"}]},
    "target": [
        {"id": "0oa1", "type": "AppInstance", "alternateId": "m", "displayName": "Mail"},
        {"id": "00u2", "type": "User", "alternateId": "bob@corp.example", "displayName": "Bob"},
        {"id": "00g1", "type": "UserGroup", "displayName": "Admins"},
    ],
}


def row(**more: Any) -> dict[str, Any]:
    parsed = FORM.parse(lines_of(json.dumps(EVENT | more).encode()), CONTEXT)
    [found] = parsed.events.to_pylist()
    return {name: value for name, value in found.items() if value is not None}


def test_targets_are_told_apart() -> None:
    found = row()
    assert (found["service_name"], found["user_target_name"]) == ("Mail", "bob@corp.example")
    assert (found["okta_target_group"], found["okta_target_type"]) == ("Admins", "AppInstance")
    assert found["event_category"] == "authentication"
    assert "service_name" not in row(target=None)


def test_unknown_is_no_value() -> None:
    found = row()
    assert "session_id" not in found
    assert "okta_zone" not in found


@pytest.mark.parametrize(
    ("result", "outcome"),
    [("SUCCESS", "success"), ("ALLOW", "success"), ("FAILURE", "failure"), ("DENY", "failure"),
     ("CHALLENGE", "unknown"), ("SKIPPED", "unknown")],
)  # fmt: skip
def test_results_are_outcomes(result: str, outcome: str) -> None:
    assert row(outcome={"result": result, "reason": "why"})["event_outcome"] == outcome


def test_the_chain_gives_an_address_where_the_client_has_none() -> None:
    assert row()["source_ip"] == "192.0.2.1"
    assert row(client={})["source_ip"] == "192.0.2.9"


@pytest.mark.parametrize(
    "document",
    [[EVENT], {"eventType": "com.okta.event_hook", "data": {"events": [EVENT]}}, {"detail": EVENT}],
    ids=["array", "hook", "EventBridge"],
)
def test_every_envelope_is_recognised_and_read(document: Any) -> None:
    text = json.dumps(document).encode() + b"\n"
    assert FORM.matches(text) == pytest.approx(0.98)
    [(lines, _)] = FORM.frames(io.BytesIO(text), 1000)
    assert FORM.parse(lines, CONTEXT).events.column("user_name").to_pylist() == ["ann@corp.example"]


def test_stores_write_names_in_lower_case() -> None:
    lower = {name.lower(): value for name, value in EVENT.items()}
    line = json.dumps(lower).encode()
    assert FORM.matches(line + b"\n") == pytest.approx(0.98)
    [found] = FORM.parse(lines_of(line), CONTEXT).events.to_pylist()
    assert (found["event_code"], found["user_name"]) == (EVENT["eventType"], "ann@corp.example")
