"""The audit log of Kubernetes: ``audit.k8s.io`` events, one a line or in an ``EventList``.

A record is a request to the API server at one of its stages. The kind of an event is its verb and
what it is about (``create-pods-exec``).

Format: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.json import lists as json_lists
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.events import Declaration, parse_records, share_of
from secad.collect.json.rules import Columns, kind, once_each, url_parts, worded
from secad.collect.times import parse_iso

_DOCUMENTS = JsonDocuments(("items", "logEvents"))
_MARKS = (b"auditID", b"verb", b"stage")
_DECISION = "annotations.authorization.k8s.io/decision"
_DECLARED = Declaration(
    what="Kubernetes audit event",
    time=("stageTimestamp", "requestReceivedTimestamp", "timestamp", "metadata.creationTimestamp"),
    mark=("auditID", "verb"),
    columns={
        "user_name": ("user.username",),
        "user_id": ("user.uid",),
        "user_effective_name": ("impersonatedUser.username",),
        "user_agent_original": ("userAgent",),
        "http_response_status_code": ("responseStatus.code",),
        "message": ("responseStatus.message",),
        "kubernetes_api_group": ("objectRef.apiGroup",),
        "kubernetes_container_image": ("requestObject.image",),
        "kubernetes_decision": (_DECISION,),
        "kubernetes_decision_reason": ("annotations.authorization.k8s.io/reason",),
        "kubernetes_level": ("level",),
        "kubernetes_name": ("objectRef.name",),
        "kubernetes_namespace": ("objectRef.namespace", "namespace"),
        "kubernetes_pod_security": ("annotations.pod-security.kubernetes.io/audit-violations",),
        "kubernetes_resource": ("objectRef.resource",),
        "kubernetes_role_ref": ("requestObject.roleRef.name",),
        "kubernetes_stage": ("stage",),
        "kubernetes_subresource": ("objectRef.subresource",),
        "kubernetes_verb": ("verb",),
    },
    parts={
        "sources": ("sourceIPs",),
        "groups": ("user.groups",),
        "uri": ("requestURI",),
        "received": ("requestReceivedTimestamp",),
        "staged": ("stageTimestamp",),
        "pod": ("user.extra.authentication.kubernetes.io/pod-name",),
        "node": ("user.extra.authentication.kubernetes.io/node-name",),
    },
    ruled={
        "event_action": "verb, objectRef.resource and subresource",
        "event_category": "by objectRef",
        "event_outcome": "responseStatus.code: failure from 400 on; failure where forbidden",
        "event_provider": "kubernetes",
        "event_duration": "stageTimestamp less requestReceivedTimestamp",
        "source_ip": "the first of sourceIPs",
        "url_path": "requestURI before ?",
        "url_query": "requestURI behind ?",
        "kubernetes_groups": "user.groups",
        "kubernetes_source_ips": "sourceIPs, where there are more",
        "kubernetes_user_node": "the node of a service account's pod",
        "kubernetes_user_pod": "the pod of a service account",
    },
    ignored=(
        "kind", "apiVersion", "auditID", "responseObject.", "requestObject.kind",
        "requestObject.apiVersion", "requestObject.metadata.managedFields",
        "requestObject.metadata.creationTimestamp", "objectRef.resourceVersion",
        "objectRef.apiVersion", "objectRef.uid", "responseStatus.metadata.",
    ),
    unwrapped=("_source", "log", "json", "properties.log"),
    nested=(
        "message", "log", "properties.log", "event.original", "_raw", "result._raw",
    ),  # properties: of Azure's diagnostic settings
)  # fmt: skip
_CATEGORIES = {
    name: category
    for category, names in {
        "iam": """roles clusterroles rolebindings clusterrolebindings serviceaccounts
            subjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews users groups
            certificatesigningrequests""",
        "authentication": "tokenreviews serviceaccounts/token",
        "process": "pods/exec pods/attach pods/portforward pods/ephemeralcontainers pods/proxy",
        "network": "services endpoints endpointslices ingresses networkpolicies",
        "configuration": """configmaps secrets customresourcedefinitions namespaces
            mutatingwebhookconfigurations validatingwebhookconfigurations""",
        "host": "nodes nodes/proxy",
    }.items()
    for name in names.split()
}
_ALLOWED = {"allow": "success", "forbid": "failure"}


class Kubernetes:
    """Audit events of a Kubernetes API server; see ``Format``."""

    name = "kubernetes"
    dataset = "kubernetes"
    fields: Mapping[str, str] = _DECLARED.fields()
    extensions: pa.Schema = _DECLARED.extensions()
    template_columns = ("event_action",)

    def matches(self, head: bytes) -> float:
        """Returns the share of audit events among the first records; see ``Format``."""
        return share_of(head, _DOCUMENTS, _MARKS, _is_record, _DECLARED.nested)

    def is_framed(self, head: bytes) -> bool:
        """Returns whether its records are not its lines; see ``Frames``."""
        return _DOCUMENTS.is_framed(head)

    def frames(self, file: BinaryIO, batch_bytes: int) -> Iterator[tuple[pa.RecordBatch, pa.Table]]:
        """Yields its records as LINES; see ``Frames``."""
        return _DOCUMENTS.frames(file, batch_bytes)

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns one event per record; see ``Format``."""
        return parse_records(lines, context, _DECLARED, _rules)


def _is_record(record: dict[str, Any]) -> bool:
    """Returns whether an object has the marks of an audit event."""
    for wrapper in ("_source", "properties", "log", "json"):
        inner = record.get(wrapper)
        if isinstance(inner, dict):
            record = inner
    told = "auditID" in record and "stage" in record
    return told and ("verb" in record or "requestURI" in record)


def _rules(raw: Columns) -> dict[str, pa.Array]:
    count = len(raw["sources"])
    sources = json_lists.joined(raw["sources"], ",")
    many = pc.match_substring(sources, ",")
    address = url_parts(raw["uri"])
    return {
        **_kinds(raw),
        "event_outcome": _outcome(raw),
        "event_provider": pa.repeat("kubernetes", count),
        "event_duration": _duration(raw),
        "source_ip": json_lists.first(raw["sources"]),
        "url_path": address["url_path"],
        "url_query": address["url_query"],
        "kubernetes_groups": json_lists.joined(raw["groups"], ","),
        "kubernetes_source_ips": pc.if_else(many, sources, None),
        "kubernetes_user_node": json_lists.first(raw["node"]),
        "kubernetes_user_pod": json_lists.first(raw["pod"]),
    }


def _kinds(raw: Columns) -> dict[str, pa.Array]:
    """Returns ``create-pods-exec`` and what category that is."""
    verb, resource = raw["kubernetes_verb"], raw["kubernetes_resource"]
    below = raw["kubernetes_subresource"]
    whole = pc.coalesce(pc.binary_join_element_wise(resource, below, "/"), resource)
    named = pc.coalesce(pc.binary_join_element_wise(verb, whole, "-"), verb)
    found = [once_each(text, lambda name: worded(name, _CATEGORIES)) for text in (whole, resource)]
    return {
        "event_action": pc.coalesce(kind(named), "request"),
        "event_category": pc.coalesce(*found, "api"),
    }


def _outcome(raw: Columns) -> pa.Array:
    failed = pc.match_substring_regex(raw["http_response_status_code"], "^[45][0-9][0-9]")
    panic = pc.if_else(pc.equal(raw["kubernetes_stage"], "Panic"), "failure", None)
    decided = worded(raw["kubernetes_decision"], _ALLOWED)
    forbidden = pc.if_else(pc.equal(decided, "failure"), decided, None)
    answered = pc.if_else(failed, "failure", "success")
    return pc.coalesce(panic, answered, forbidden, "unknown")


def _duration(raw: Columns) -> pa.Array:
    """Returns nanoseconds between a request and its stage, as text."""
    begin, end = (parse_iso(raw[name], "UTC") for name in ("received", "staged"))
    micros = pc.subtract(end.cast(pa.int64()), begin.cast(pa.int64()))
    told = pc.if_else(pc.greater(micros, 0), micros, None)
    return pc.multiply(told, 1000).cast(pa.string())
