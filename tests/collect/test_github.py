from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of
from secad.collect.formats.github import GitHub

FORM = GitHub()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
EVENT: dict[str, Any] = {
    "@timestamp": 1772445600123,
    "_document_id": "x",
    "action": "org.add_member",
    "actor": "ann",
    "actor_id": 7,
    "actor_ip": "192.0.2.1",
    "actor_location": {"country_code": "DE"},
    "created_at": 1772445600123,
    "org": "corp",
    "user": "bob",
}


def row(**more: Any) -> dict[str, Any]:
    parsed = FORM.parse(lines_of(json.dumps(EVENT | more).encode()), CONTEXT)
    [found] = parsed.events.to_pylist()
    return {name: value for name, value in found.items() if value is not None}


def test_who_did_what_to_whom() -> None:
    found = row()
    assert found["time"] == datetime(2026, 3, 2, 10, 0, 0, 123000, tzinfo=UTC)
    assert (found["user_name"], found["user_id"], found["user_target_name"]) == ("ann", "7", "bob")
    assert (found["event_action"], found["event_category"]) == ("org.add_member", "iam")
    assert (found["github_org"], found["github_country"]) == ("corp", "DE")


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({}, "success"),
        ({"action": "user.failed_login"}, "failure"),
        ({"action": "two_factor_authentication.recovery_codes_failed"}, "failure"),
        ({"action": "api.request", "status_code": 404}, "failure"),
        ({"action": "api.request", "status_code": 200}, "success"),
        ({"action": "workflows.completed_workflow_run", "conclusion": "failure"}, "failure"),
    ],
)
def test_failures_are_told_by_action_or_status(more: dict[str, Any], outcome: str) -> None:
    assert row(**more)["event_outcome"] == outcome


def test_exports_as_arrays_and_lines_are_recognised() -> None:
    for text in (json.dumps([EVENT]), json.dumps(EVENT) + "\n", json.dumps([EVENT], indent=1)):
        assert FORM.matches(text.encode()) == pytest.approx(0.98)


def test_other_actions_are_not_ours() -> None:
    assert FORM.matches(b'{"@timestamp":"2026-01-01","action":"a.b","event":{"kind":"x"}}\n') == 0
    assert FORM.matches(b'{"created_at":1,"action":"opened","repo":"x"}\n') == 0


def test_exports_keep_what_an_action_is_about_under_data() -> None:
    found = row(action="team.create", data={"team": "corp/authors"})
    assert (found["github_team"], found["event_category"]) == ("corp/authors", "iam")


def test_wazuh_wraps_events() -> None:
    line = json.dumps({"integration": "github", "github": EVENT}).encode()
    assert FORM.matches(line + b"\n") == pytest.approx(0.98)
    [found] = FORM.parse(lines_of(line), CONTEXT).events.to_pylist()
    assert (found["user_name"], found["event_action"]) == ("ann", "org.add_member")
