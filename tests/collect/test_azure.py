from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from secad.base.protocols import ParseContext
from secad.collect.formats.azure import Azure

FORM = Azure()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
RECORD: dict[str, Any] = {
    "time": "2026-03-02T10:00:00Z",
    "resourceId": "/SUBSCRIPTIONS/S1/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.COMPUTE/VM/WEB",
    "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
    "category": "Administrative",
    "resultType": "Success",
    "callerIpAddress": "192.0.2.1:5000",
    "identity": {
        "authorization": {"scope": "/s", "evidence": {"role": "Owner", "principalType": "User"}},
        "claims": {UPN: "ann@corp.example", "aud": "x"},
    },
    "level": "Information",
}
ANSWER: dict[str, Any] = {
    "caller": "ann@corp.example",
    "eventTimestamp": "2026-03-02T10:00:00Z",
    "category": {"value": "Administrative", "localizedValue": "Administrative"},
    "operationName": {"value": "Microsoft.Compute/virtualMachines/write", "localizedValue": "x"},
    "status": {"value": "Failed"},
    "resourceId": "/subscriptions/s1/resourceGroups/Shop/providers/x",
    "subscriptionId": "s1",
    "resourceGroupName": "Shop",
    "httpRequest": {
        "clientIpAddress": "192.0.2.1",
        "method": "PUT",
        "uri": "https://m.example/a?b",
    },
}


def row(document: Any) -> dict[str, Any]:
    text = json.dumps(document).encode() + b"\n"
    assert FORM.matches(text) == pytest.approx(0.98)
    [(lines, _)] = FORM.frames(io.BytesIO(text), 1000)
    [found] = FORM.parse(lines, CONTEXT).events.to_pylist()
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("document", [{"records": [RECORD]}, {"value": [ANSWER]}, [RECORD], RECORD])
def test_both_forms_give_the_same_columns(document: Any) -> None:
    found = row(document)
    assert found["event_action"] == "microsoft.compute-virtualmachines-write"
    assert (found["event_provider"], found["event_category"]) == ("microsoft.compute", "host")
    assert (found["user_name"], found["source_ip"]) == ("ann@corp.example", "192.0.2.1")
    assert (found["cloud_account_id"], found["azure_resource_group"]) == ("s1", "shop")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("Success", "success"), ("Failure", "failure"), ("Start", "unknown"), ("Accept", "unknown")],
)
def test_what_only_starts_has_no_outcome(status: str, outcome: str) -> None:
    assert row([RECORD | {"resultType": status}])["event_outcome"] == outcome


def test_sign_ins_are_not_ours() -> None:
    record = {"time": "x", "operationName": "Sign-in activity", "category": "SignInLogs",
              "resourceId": "/tenants/t"}  # fmt: skip
    assert FORM.matches(json.dumps(record).encode() + b"\n") == 0
