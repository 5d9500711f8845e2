"""The activity log of Azure: diagnostic settings' records or lines, and answers of the REST API.

A record tells of one step of an operation on a resource. The kind of an event is its operation
(``microsoft.compute-virtualmachines-write``), whoever wrote it in whichever case.

Format: https://learn.microsoft.com/en-us/azure/azure-monitor/platform/activity-log-schema
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.events import Declaration, parse_records, share_of
from secad.collect.json.rules import Columns, address, kind, once_each, url_parts, worded

_DOCUMENTS = JsonDocuments(("records", "value"))
_MARKS = (b"perationName", b"esourceI", b"ategory")
_CLAIMS = "identity.claims"
_NAMES = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_EVIDENCE = "identity.authorization.evidence"
_DECLARED = Declaration(
    what="Azure activity",
    time=("eventTimestamp", "time", "TimeGenerated"),
    mark=("operationName.value", "operationName", "OperationNameValue"),
    columns={
        "cloud_account_id": ("subscriptionId", "SubscriptionId"),
        "user_name": (
            "caller", f"{_CLAIMS}.{_NAMES}/upn", f"{_CLAIMS}.{_NAMES}/name", f"{_CLAIMS}.name",
            f"claims.{_NAMES}/upn", f"claims.{_NAMES}/name", "identity.claims.appid",
        ),
        "user_id": (
            f"{_CLAIMS}.http://schemas.microsoft.com/identity/claims/objectidentifier",
            "claims.http://schemas.microsoft.com/identity/claims/objectidentifier",
            f"{_EVIDENCE}.principalId",
        ),
        "http_request_method": ("httpRequest.method",),
        "log_level": ("level",),
        "message": ("properties.statusMessage", "resultDescription", "description"),
        "azure_app_id": (f"{_CLAIMS}.appid", "claims.appid"),
        "azure_category": ("category.value", "category", "CategoryValue"),
        "azure_correlation_id": ("correlationId",),
        "azure_event_name": ("eventName.value",),
        "azure_operation": ("operationName.value", "operationName", "OperationNameValue"),
        "azure_principal_type": (f"{_EVIDENCE}.principalType",),
        "azure_resource_group": ("resourceGroupName", "ResourceGroup"),
        "azure_resource_id": ("resourceId", "_ResourceId"),
        "azure_role": (f"{_EVIDENCE}.role", "authorization.role"),
        "azure_scope": ("identity.authorization.scope", "authorization.scope"),
        "azure_status": ("status.value", "resultType", "ActivityStatusValue"),
        "azure_sub_status": ("subStatus.value", "resultSignature", "ActivitySubstatusValue"),
    },
    parts={
        "address": ("callerIpAddress", "httpRequest.clientIpAddress",
                    f"{_CLAIMS}.ipaddr", "claims.ipaddr"),
        "uri": ("httpRequest.uri",),
    },
    ruled={
        "event_action": "operationName",
        "event_category": "by the provider of the operation",
        "event_outcome": "of the status; unknown of what only starts",
        "event_provider": "the resource provider of operationName",
        "source_ip": "callerIpAddress, httpRequest.clientIpAddress",
        "url_domain": "host of httpRequest.uri",
        "url_path": "path of httpRequest.uri",
        "cloud_account_id": "subscriptionId; else of resourceId",
        "azure_resource_group": "resourceGroupName; else of resourceId",
    },
    ignored=(
        "id", "eventDataId", "submissionTimestamp", "operationName.localizedValue",
        "status.localizedValue", "category.localizedValue", "subStatus.localizedValue",
        "eventName.localizedValue", "resourceProviderName.", "resourceType.", "operationId",
        "channels", "durationMs", "resultSignature.localizedValue",
        *(f"{claims}.{name}" for claims in (_CLAIMS, "claims")
          for name in ("aud", "iss", "iat", "nbf", "exp", "aio", "uti", "ver", "rh", "xms_tcdt")),
    ),
    unwrapped=("_source",),
    nested=("message", "event.original", "_raw", "result._raw"),
)  # fmt: skip
_OUTCOMES = {
    "success": "success", "succeeded": "success", "active": "success", "resolved": "success",
    "failure": "failure", "failed": "failure", "cancelled": "failure", "canceled": "failure",
}  # fmt: skip
_CATEGORIES = {
    "microsoft.authorization": "iam", "microsoft.managedidentity": "iam",
    "microsoft.compute": "host", "microsoft.containerservice": "host", "microsoft.web": "web",
    "microsoft.network": "network", "microsoft.storage": "file", "microsoft.sql": "database",
    "microsoft.documentdb": "database", "microsoft.keyvault": "configuration",
    "microsoft.insights": "configuration", "microsoft.resources": "configuration",
    "microsoft.operationalinsights": "configuration", "microsoft.security": "configuration",
}  # fmt: skip
# /SUBSCRIPTIONS/6f1a…/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/WEB01
_SUBSCRIPTION = r"(?i)^/subscriptions/(?P<part>[^/]+)"
_GROUP = r"(?i)/resourcegroups/(?P<part>[^/]+)"
_LOG_CATEGORIES = frozenset(
    ("administrative", "servicehealth", "resourcehealth", "alert", "autoscale", "security",
     "recommendation", "policy", "write", "delete", "action")
)  # fmt: skip


class Azure:
    """Records of Azure's activity log; see ``Format``."""

    name = "azure"
    dataset = "azure"
    fields: Mapping[str, str] = _DECLARED.fields()
    extensions: pa.Schema = _DECLARED.extensions()
    template_columns = ("event_provider", "event_action")

    def matches(self, head: bytes) -> float:
        """Returns the share of activities among the first records; see ``Format``."""
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
    """Returns whether an object has the marks of the activity log, in either of its forms."""
    inner = record.get("_source")
    record = inner if isinstance(inner, dict) else record
    category = record.get("category", record.get("CategoryValue"))
    if isinstance(category, dict):
        return "operationName" in record and "eventTimestamp" in record
    ours = isinstance(category, str) and category.lower() in _LOG_CATEGORIES
    return ours and not {"operationName", "OperationNameValue"}.isdisjoint(record)


def _rules(raw: Columns) -> dict[str, pa.Array]:
    operation, resource = raw["azure_operation"], raw["azure_resource_id"]
    provider = once_each(operation, _provider)
    uri = url_parts(raw["uri"])
    ip, _ = address(pc.replace_substring_regex(raw["address"], r"^([0-9.]+):\d+$", r"\1"))
    group = once_each(resource, lambda text: _part(text, _GROUP))
    return {
        "event_action": pc.coalesce(kind(operation), "activity"),
        "event_category": once_each(provider, lambda name: worded(name, _CATEGORIES)),
        "event_outcome": worded(raw["azure_status"], _OUTCOMES, "unknown"),
        "event_provider": provider,
        "source_ip": ip,
        "log_level": pc.utf8_lower(raw["log_level"]),
        "url_domain": uri["url_domain"],
        "url_path": uri["url_path"],
        "cloud_account_id": pc.coalesce(
            raw["cloud_account_id"], once_each(resource, lambda text: _part(text, _SUBSCRIPTION))
        ),
        "azure_resource_group": pc.utf8_lower(pc.coalesce(raw["azure_resource_group"], group)),
    }


def _provider(operation: pa.Array) -> pa.Array:
    """Returns ``microsoft.compute`` of ``MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE``."""
    return pc.utf8_lower(pc.replace_substring_regex(operation, "/.*$", ""))


def _part(text: pa.Array, pattern: str) -> pa.Array:
    return pc.utf8_lower(pc.struct_field(pc.extract_regex(text, pattern), ["part"]))
