from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from secad.base.protocols import ParseContext
from secad.collect.columns import lines_of
from secad.collect.formats.kubernetes import Kubernetes

FORM = Kubernetes()
CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
EVENT: dict[str, Any] = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "auditID": "a",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/shop/pods/cart-0/exec?command=sh&stdin=true",
    "verb": "create",
    "user": {"username": "ann", "groups": ["dev", "system:authenticated"]},
    "impersonatedUser": {"username": "system:admin"},
    "sourceIPs": ["192.0.2.1", "10.0.0.1"],
    "userAgent": "kubectl/v1.35",
    "objectRef": {"resource": "pods", "namespace": "shop", "name": "cart-0", "subresource": "exec"},
    "responseStatus": {"metadata": {}, "code": 101},
    "requestReceivedTimestamp": "2026-03-02T10:00:00.000100Z",
    "stageTimestamp": "2026-03-02T10:00:00.000400Z",
    "annotations": {"authorization.k8s.io/decision": "allow"},
}


def row(**more: Any) -> dict[str, Any]:
    parsed = FORM.parse(lines_of(json.dumps(EVENT | more).encode()), CONTEXT)
    [found] = parsed.events.to_pylist()
    return {name: value for name, value in found.items() if value is not None}


def test_a_request_is_told_by_its_verb_and_its_object() -> None:
    found = row()
    assert (found["event_action"], found["event_category"]) == ("create-pods-exec", "process")
    assert (found["user_name"], found["user_effective_name"]) == ("ann", "system:admin")
    assert (found["source_ip"], found["kubernetes_source_ips"]) == (
        "192.0.2.1",
        "192.0.2.1,10.0.0.1",
    )
    assert found["url_query"] == "command=sh&stdin=true"
    assert (found["event_duration"], found["event_outcome"]) == (300_000, "success")
    assert found["kubernetes_groups"] == "dev,system:authenticated"
    assert found["kubernetes_decision"] == "allow"


def test_outcomes_come_from_status_decision_and_stage() -> None:
    assert row(responseStatus={"code": 404})["event_outcome"] == "failure"
    assert row(responseStatus=None)["event_outcome"] == "unknown"
    forbidden = row(responseStatus=None, annotations={"authorization.k8s.io/decision": "forbid"})
    assert forbidden["event_outcome"] == "failure"
    assert row(stage="Panic")["event_outcome"] == "failure"


def test_requests_for_no_resource_and_old_versions_are_read() -> None:
    found = row(objectRef=None, verb="get", requestURI="/healthz")
    assert (found["event_action"], found["url_path"]) == ("get", "/healthz")
    old = {"stageTimestamp": None, "requestReceivedTimestamp": None}
    assert row(**old, timestamp="2018-01-01T00:00:00Z")["time"].year == 2018


@pytest.mark.parametrize("bare", [True, False])
def test_a_list_of_events_is_recognised(bare: bool) -> None:
    items = [{k: v for k, v in EVENT.items() if not bare or k not in {"kind", "apiVersion"}}] * 2
    document = {
        "kind": "EventList",
        "apiVersion": "audit.k8s.io/v1",
        "metadata": {},
        "items": items,
    }
    text = json.dumps(document).encode()
    assert FORM.is_framed(text)
    assert FORM.matches(text) == pytest.approx(0.98)


def test_other_objects_of_kubernetes_are_not_ours() -> None:
    event = {"kind": "Event", "apiVersion": "v1", "stage": "x", "verb": "y", "message": "auditID"}
    assert FORM.matches(json.dumps(event).encode() + b"\n") == 0


@pytest.mark.parametrize("written", [json.dumps, dict])
def test_azure_holds_an_event_in_its_own_record(written: Callable[[Any], Any]) -> None:
    record = {
        "category": "kube-audit",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": written(EVENT), "pod": "kube-apiserver-1"},
        "time": "2026-03-02T10:00:00Z",
    }
    assert FORM.matches(json.dumps(record).encode() + b"\n") == pytest.approx(0.98)
    [found] = FORM.parse(lines_of(json.dumps(record).encode()), CONTEXT).events.to_pylist()
    assert (found["user_name"], found["event_action"]) == ("ann", "create-pods-exec")
