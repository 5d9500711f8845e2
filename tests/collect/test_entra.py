from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from secad.base.protocols import ParseContext
from secad.collect.formats.entra import Entra

FORM = Entra()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
SIGN_IN: dict[str, Any] = {
    "createdDateTime": "2026-03-02T10:00:00Z",
    "userPrincipalName": "ann@corp.example",
    "userId": "u1",
    "appDisplayName": "Azure Portal",
    "ipAddress": "192.0.2.1",
    "clientAppUsed": "Browser",
    "conditionalAccessStatus": "success",
    "status": {"errorCode": 50126, "failureReason": "Invalid username or password."},
    "location": {"city": "Berlin", "countryOrRegion": "DE"},
    "deviceDetail": {"operatingSystem": "Linux", "browser": "Firefox"},
}
AUDIT: dict[str, Any] = {
    "category": "GroupManagement",
    "result": "success",
    "activityDisplayName": "Add member to group",
    "activityDateTime": "2026-03-02T10:00:00Z",
    "loggedByService": "Core Directory",
    "initiatedBy": {"user": {"id": "u1", "userPrincipalName": "ann@corp.example", "ipAddress": ""}},
    "targetResources": [
        {"id": "u2", "type": "User", "userPrincipalName": "bob@corp.example"},
        {"id": "g1", "type": "Group", "displayName": "Admins"},
    ],
}


def settings(inner: dict[str, Any], **outer: Any) -> dict[str, Any]:
    """Returns an event of Graph as diagnostic settings wrap it."""
    return {
        "time": "2026-03-02T10:00:01Z",
        "operationName": "Sign-in activity",
        "category": "SignInLogs",
        "tenantId": "t1",
        "resultType": "0",
        "callerIpAddress": "192.0.2.1",
        "location": "DE",
        **outer,
        "properties": inner,
    }


def rows(document: Any) -> list[dict[str, Any]]:
    text = json.dumps(document).encode() + b"\n"
    assert FORM.matches(text) == pytest.approx(0.98)
    found = []
    for lines, _ in FORM.frames(io.BytesIO(text), 1000):
        parsed = FORM.parse(lines, CONTEXT)
        assert parsed.rejects.num_rows == 0, parsed.rejects.to_pylist()
        found += parsed.events.to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def test_sign_ins_of_graph_and_of_diagnostic_settings_are_the_same() -> None:
    passed = SIGN_IN | {"status": {"errorCode": 0}}
    [graph] = rows({"@odata.context": "x", "value": [passed]})
    [wrapped] = rows({"records": [settings(passed)]})
    assert wrapped.pop("cloud_account_id") == "t1"
    assert wrapped.pop("entra_category") == "SignInLogs"
    places = {"byte_offset", "byte_length"}
    assert {k: v for k, v in graph.items() if k not in places} == {
        k: v for k, v in wrapped.items() if k not in places
    }
    assert (graph["event_action"], graph["event_outcome"]) == ("sign-in", "success")
    assert (graph["entra_country"], graph["service_name"]) == ("DE", "Azure Portal")


def test_an_error_is_a_failure_with_its_reason() -> None:
    [found] = rows([SIGN_IN])
    assert (found["event_outcome"], found["event_code"]) == ("failure", "50126")
    assert found["message"] == "Invalid username or password."


def test_a_request_for_more_is_no_end() -> None:
    [found] = rows([SIGN_IN | {"status": {"errorCode": 50140}}])
    assert found["event_outcome"] == "unknown"


def test_audits_tell_who_did_what_to_whom() -> None:
    wrapped = settings(AUDIT, category="AuditLogs", operationName="Add member to group")
    for found in rows({"value": [AUDIT]}) + rows(wrapped):
        assert found["event_action"] == "add-member-to-group"
        assert (found["event_provider"], found["event_outcome"]) == ("Core Directory", "success")
        assert (found["user_name"], found["user_target_name"]) == (
            "ann@corp.example",
            "bob@corp.example",
        )
        assert found["entra_target_group"] == "Admins"


def test_an_app_may_be_the_actor() -> None:
    app = {"app": {"displayName": "sync", "servicePrincipalId": "s1"}, "user": None}
    [found] = rows([AUDIT | {"initiatedBy": app}])
    assert (found["user_name"], found["user_id"]) == ("sync", "s1")


def test_addresses_may_have_ports() -> None:
    [first, second] = rows([SIGN_IN | {"ipAddress": a} for a in ("192.0.2.7:443", "2001:db8::1")])
    assert (first["source_ip"], second["source_ip"]) == ("192.0.2.7", "2001:db8::1")


def test_tables_of_log_analytics_are_read() -> None:
    flat = {"TimeGenerated": "2026-03-02T10:00:00Z", "Category": "SignInLogs", "ResultType": "0",
            "UserPrincipalName": "ann@corp.example", "AppDisplayName": "Mail",
            "IPAddress": "192.0.2.1", "OperationName": "Sign-in activity"}  # fmt: skip
    [found] = rows([flat])
    assert (found["user_name"], found["event_outcome"]) == ("ann@corp.example", "success")
    assert found["source_ip"] == "192.0.2.1"


def test_an_application_signs_in_as_itself_at_a_time_of_twelve_hours() -> None:
    inner = {"appDisplayName": "Scanner", "servicePrincipalId": "s1", "userPrincipalName": ""}
    outer = {"category": "ServicePrincipalSignInLogs", "time": "3/2/2026 1:05:06 PM"}
    [found] = rows(settings(inner, **outer))
    assert found["time"] == datetime(2026, 3, 2, 13, 5, 6, tzinfo=UTC)
    assert (found["user_name"], found["user_id"]) == ("Scanner", "s1")


def test_names_may_begin_with_capitals() -> None:
    [found] = rows(
        {
            "Category": "ServicePrincipalSignInLogs",
            "CreatedDateTime": "2026-03-02T10:00:00Z",
            "OperationName": "Sign-in activity",
            "TenantId": "t1",
        }
    )
    assert (found["event_action"], found["cloud_account_id"]) == ("sign-in", "t1")


def test_risky_users_and_provisioning_are_recognised_alone() -> None:
    user = {"userPrincipalName": "ann@corp.example", "riskLastUpdatedDateTime": "x"}
    outer = {"category": "RiskyUsers", "operationName": "Risky user"}
    [found] = rows(settings(user, **outer, time="8/22/2026 6:11:52 PM"))
    assert (found["user_name"], found["event_action"]) == ("ann@corp.example", "risky-user")
    inner = {
        "activityDateTime": "2026-03-02T10:00:00Z",
        "initiatedBy": {"Type": "system", "Name": "Provisioning Service"},
        "sourceIdentity": {"details": {"UserPrincipalName": "bob@corp.example"}, "Name": "Bob"},
        "provisioningStatusInfo": {"Status": "failure", "errorInformation": {"reason": "Twice"}},
    }
    outer = {"category": "ProvisioningLogs", "operationName": "Provisioning activity"}
    [found] = rows(settings(inner, **outer, identity="d6cbb0bd", resultType="Success"))
    assert (found["user_name"], found["user_target_name"]) == (
        "Provisioning Service",
        "bob@corp.example",
    )
    assert (found["event_outcome"], found["message"]) == ("failure", "Twice")
