"""Microsoft Entra ID (Azure AD): sign-ins and directory audits, of Graph and diagnostic settings.

Graph answers with ``value``, diagnostic settings write ``records`` or lines, in which the event of
Graph stands under ``properties``; Log Analytics has the same names at the top. The kind of an event
is ``sign-in``, or the activity of an audit (``add-member-to-group``).

Format: https://learn.microsoft.com/en-us/graph/api/resources/signin and .../directoryaudit
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.elements import Elements
from secad.collect.json.events import Declaration, parse_records, share_of
from secad.collect.json.rules import Columns, address, kind, worded

_DOCUMENTS = JsonDocuments(("value", "records", "items"))
_BY_USER, _BY_APP = "initiatedBy.user", "initiatedBy.app"
_DEVICE = "deviceDetail"
_DECLARED = Declaration(
    what="Entra event",
    time=("createdDateTime", "activityDateTime", "time", "TimeGenerated", "activityDate"),
    mark=("appDisplayName", "activityDisplayName", "operationName", "userPrincipalName", "appId"),
    columns={
        "cloud_account_id": ("tenantId", "AADTenantId", "homeTenantId", "resourceTenantId"),
        "user_name": (
            "userPrincipalName", f"{_BY_USER}.userPrincipalName", "servicePrincipalName",
            f"{_BY_APP}.displayName", f"{_BY_USER}.displayName", "userDisplayName",
            "initiatedBy.name", "initiatedBy.displayName", "identity",
            f"{_BY_APP}.servicePrincipalName",
        ),
        "user_id": (
            "userId", f"{_BY_USER}.id", "servicePrincipalId", f"{_BY_APP}.servicePrincipalId",
        ),
        "service_name": ("appDisplayName", "loggedByService"),
        "session_id": ("sessionId", "uniqueTokenIdentifier"),
        "user_agent_original": ("userAgent",),
        "message": ("status.failureReason", "resultReason", "resultDescription",
                    "provisioningStatusInfo.errorInformation.reason"),
        "entra_app_id": ("appId", f"{_BY_APP}.appId"),
        "entra_authentication_protocol": ("authenticationProtocol",),
        "entra_authentication_requirement": ("authenticationRequirement",),
        "entra_browser": (f"{_DEVICE}.browser",),
        "entra_city": ("location.city", "locationDetails.city"),
        "entra_client_app": ("clientAppUsed",),
        "entra_conditional_access": ("conditionalAccessStatus",),
        "entra_correlation_id": ("correlationId",),
        "entra_country": ("location.countryOrRegion", "locationDetails.countryOrRegion",
                          "location"),
        "entra_device_id": (f"{_DEVICE}.deviceId",),
        "entra_device_managed": (f"{_DEVICE}.isManaged",),
        "entra_device_name": (f"{_DEVICE}.displayName",),
        "entra_error_code": ("status.errorCode", "resultType"),
        "entra_interactive": ("isInteractive",),
        "entra_operation_type": ("operationType",),
        "entra_os": (f"{_DEVICE}.operatingSystem",),
        "entra_resource": ("resourceDisplayName",),
        "entra_risk_detail": ("riskDetail",),
        "entra_risk_level": ("riskLevelDuringSignIn", "riskLevelAggregated", "riskLevel"),
        "entra_risk_state": ("riskState",),
        "entra_trust_type": (f"{_DEVICE}.trustType",),
        "entra_user_type": ("userType",),
    },
    parts={
        "address": ("ipAddress", "callerIpAddress", f"{_BY_USER}.ipAddress"),
        "category": ("category",),
        "activity": ("activityDisplayName", "activity"),
        "operation": ("operationName",),
        "logger": ("loggedByService",),
        "result": ("result", "provisioningStatusInfo.status"),
        "targets": ("targetResources",),
        "source": ("sourceIdentity.details.userPrincipalName", "sourceIdentity.name",
                   "sourceIdentity.displayName"),
        "risk_event": ("riskEventType", "riskType"),
        "code": ("status.errorCode",),
    },
    ruled={
        "event_action": "sign-in, or activityDisplayName, operationName",
        "event_category": "authentication of sign-ins, iam of audits",
        "event_code": "status.errorCode, resultType of sign-ins",
        "event_outcome": "of sign-ins by the error, requests for more are unknown; else result",
        "event_provider": "loggedByService, category; of Graph's sign-ins SignInLogs",
        "source_ip": "ipAddress, callerIpAddress, initiatedBy.user.ipAddress",
        "user_name": "userPrincipalName, initiatedBy, servicePrincipalName; of sign-ins the app",
        "user_target_name": "the first user of targetResources; sourceIdentity",
        "entra_category": "category",
        "entra_target_group": "displayName of the first group of targetResources",
        "entra_target_id": "id of the first of targetResources",
        "entra_target_name": "displayName of the first of targetResources",
        "entra_target_type": "type of the first of targetResources",
    },
    ignored=(
        "id", "operationVersion", "resultSignature", "Level", "userDisplayName", "Type",
        "resourceId", "location.geoCoordinates.", "@odata.type", "_ResourceId", "SourceSystem",
        "durationMs", "originalRequestId", "status.additionalDetails",
    ),
    unwrapped=("properties", "_source", "_source.properties"),
    nested=("message", "event.original", "_raw", "result._raw"),
)  # fmt: skip
_CATEGORIES = (
    "SignInLogs", "SignIn", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs",
    "ManagedIdentitySignInLogs", "ADFSSignInLogs", "AuditLogs", "UserRiskEvents", "RiskyUsers",
    "ProvisioningLogs", "ServicePrincipalRiskEvents", "MicrosoftServicePrincipalSignInLogs",
)  # fmt: skip
_SIGN_IN = "(?i)sign.?in"
_NO_ERROR = r"^0+$"
# the user is asked for more (a second factor, consent, to stay signed in): no end of a sign-in yet
_INTERRUPTS = pa.array(
    ["16000", "50055", "50058", "50072", "50074", "50076", "50079", "50097", "50125", "50127",
     "50129", "50140", "50143", "50199", "51006", "65001"]
)  # fmt: skip
_RESULTS = {"success": "success", "failure": "failure", "timeout": "failure", "0": "success"}
_AUDIT_KEYS = frozenset(("activityDisplayName", "activityDateTime", "targetResources"))
_SIGN_IN_KEYS = frozenset(
    ("userPrincipalName", "appDisplayName", "conditionalAccessStatus", "clientAppUsed",
     "resourceDisplayName", "servicePrincipalId", "isInteractive")
)  # fmt: skip


class Entra:
    """Sign-ins and audits of Microsoft Entra ID; see ``Format``."""

    name = "entra"
    dataset = "entra"
    fields: Mapping[str, str] = _DECLARED.fields()
    extensions: pa.Schema = _DECLARED.extensions()
    template_columns = ("event_provider", "event_action")

    def matches(self, head: bytes) -> float:
        """Returns the share of Entra's events among the first records; see ``Format``."""
        if not any(mark in head for mark in (b"DateTime", b"SignIn")):
            return 0.0
        return share_of(head, _DOCUMENTS, (), _is_record, _DECLARED.nested)

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
    """Returns whether an object is an event of Graph, or holds one under ``properties``."""
    for wrapper in ("_source", "properties"):
        inner = record.get(wrapper)
        if record.get("category", record.get("Category")) in _CATEGORIES:
            return True
        record = inner if isinstance(inner, dict) else record
    if len(_AUDIT_KEYS.intersection(record)) >= 2:
        return True
    known = {key[:1].lower() + key[1:] for key in record}
    timed = not known.isdisjoint(("createdDateTime", "timeGenerated"))
    return timed and len(_SIGN_IN_KEYS & known) >= 3


def _rules(raw: Columns) -> dict[str, pa.Array]:
    category, operation = raw["category"], pc.coalesce(raw["activity"], raw["operation"])
    told = pc.coalesce(category, raw["operation"], "SignInLogs")
    audit = pc.is_valid(raw["activity"])
    signs_in = pc.and_not(pc.match_substring_regex(told, _SIGN_IN), audit)
    error = pc.if_else(signs_in, raw["entra_error_code"], None)
    ip, _ = address(raw["address"])
    return {
        "event_action": pc.if_else(
            signs_in,
            "sign-in",
            pc.coalesce(kind(operation), kind(raw["risk_event"]), kind(category), "event"),
        ),
        "event_category": pc.if_else(signs_in, "authentication", "iam"),
        "event_code": error,
        "event_outcome": _outcome(raw, signs_in),
        "event_provider": pc.coalesce(raw["logger"], told),
        "user_name": pc.coalesce(  # an application signs in as itself
            raw["user_name"], pc.if_else(signs_in, raw["service_name"], None)
        ),
        "source_ip": pc.coalesce(ip, address(_without_port(raw["address"]))[0]),
        "entra_category": category,
        **_targets(raw["targets"], raw["source"]),
    }


def _without_port(text: pa.Array) -> pa.Array:
    """Returns ``192.0.2.1`` of ``192.0.2.1:5000`` and ``2001:db8::1`` of ``[2001:db8::1]:5000``."""
    return pc.replace_substring_regex(text, r"^\[?([^\]]*?)\]?:\d+$", r"\1")


def _outcome(raw: Columns, signs_in: pa.Array) -> pa.Array:
    sound = pc.match_substring_regex(raw["entra_error_code"], _NO_ERROR)
    asked = pc.is_in(raw["entra_error_code"], _INTERRUPTS)
    signed = pc.if_else(sound, "success", pc.if_else(asked, "unknown", "failure"))
    result = worded(pc.coalesce(raw["result"], raw["entra_error_code"]), _RESULTS)
    return pc.coalesce(pc.if_else(signs_in, pc.coalesce(signed, result), result), "unknown")


def _targets(target: pa.Array, source: pa.Array) -> dict[str, pa.Array]:
    """Returns whom and what an audit is about, from its array of targets."""
    targets = Elements.of(target)
    found = targets.read(
        {"id": ("id",), "type": ("type",), "user": ("userPrincipalName", "displayName"),
         "name": ("displayName", "userPrincipalName")}
    )  # fmt: skip
    name, kinds = found["name"], found["type"]
    return {
        "user_target_name": pc.coalesce(
            targets.first(found["user"], pc.equal(kinds, "User")), source
        ),
        "entra_target_group": targets.first(name, pc.equal(kinds, "Group")),
        "entra_target_id": targets.first(found["id"]),
        "entra_target_name": targets.first(name),
        "entra_target_type": targets.first(kinds),
    }
