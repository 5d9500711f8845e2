"""The System Log of Okta: events of its API, as an array, as lines, or in a hook's envelope.

The kind of an event is its ``eventType`` (``user.session.start``). Whom it was done to stands in
``target``, an array of users, groups and apps.

Format: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
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
from secad.collect.json.rules import Columns, kind, once_each, worded

_DOCUMENTS = JsonDocuments(("events", "data.events", "logs", "items"))
_MARKS = (b"published", b"actor")
_AGENT, _PLACE = "client.userAgent", "client.geographicalContext"
_DEBUG = "debugContext.debugData"
_DECLARED = Declaration(
    what="Okta event",
    time=("published",),
    mark=("eventType",),
    columns={
        "event_code": ("eventType",),
        "user_name": ("actor.alternateId", "actor.displayName"),
        "user_id": ("actor.id",),
        "session_id": ("authenticationContext.externalSessionId",
                       "authenticationContext.rootSessionId"),
        "user_agent_original": (f"{_AGENT}.rawUserAgent",),
        "url_path": (f"{_DEBUG}.requestUri",),
        "message": ("displayMessage",),
        "okta_actor_type": ("actor.type",),
        "okta_as_organisation": ("securityContext.asOrg",),
        "okta_authentication_provider": ("authenticationContext.authenticationProvider",),
        "okta_behaviors": (f"{_DEBUG}.behaviors",),
        "okta_browser": (f"{_AGENT}.browser",),
        "okta_city": (f"{_PLACE}.city",),
        "okta_client_id": ("client.id",),
        "okta_country": (f"{_PLACE}.country",),
        "okta_credential_type": ("authenticationContext.credentialType",),
        "okta_device": ("device.name", "client.device"),
        "okta_device_token": (f"{_DEBUG}.dtHash",),
        "okta_factor": (f"{_DEBUG}.factor",),
        "okta_is_proxy": ("securityContext.isProxy",),
        "okta_os": (f"{_AGENT}.os",),
        "okta_reason": ("outcome.reason",),
        "okta_result": ("outcome.result",),
        "okta_risk": (f"{_DEBUG}.risk",),
        "okta_threat_suspected": (f"{_DEBUG}.threatSuspected",),
        "okta_transaction_type": ("transaction.type",),
        "okta_zone": ("client.zone",),
    },
    parts={
        "severity": ("severity",),
        "target": ("target",),
        "address": ("client.ipAddress",),
        "chain": ("request.ipChain",),
    },
    ruled={
        "event_action": "eventType",
        "event_category": "by eventType",
        "event_outcome": "outcome.result: ALLOW is success, DENY failure; else unknown",
        "event_provider": "okta",
        "log_level": "severity",
        "service_name": "displayName of the first target that is an app",
        "source_ip": "client.ipAddress; else the first of request.ipChain",
        "user_target_name": "alternateId of the first target that is a user",
        "okta_target_group": "displayName of the first target that is a group",
        "okta_target_id": "id of the first target",
        "okta_target_name": "displayName of the first target",
        "okta_target_type": "type of the first target",
    },
    ignored=(
        "version", "uuid", "legacyEventType", "actor.displayName", "actor.detailEntry",
        f"{_PLACE}.geolocation.", "cloudEventsVersion", "eventId", f"{_DEBUG}.requestId",
        f"{_DEBUG}.url",
    ),
    unwrapped=("detail", "_source", "okta", "json"),
    nested=("message", "event.original", "_raw", "result._raw"),
    blank="unknown",
)  # fmt: skip
_OUTCOMES = {"success": "success", "allow": "success", "failure": "failure", "deny": "failure"}
# user.session.start | group.user_membership.add | policy.rule.update
_FAMILIES = {
    "authentication": (
        r"^(user\.(session|authentication|mfa)|app\.(oauth2|saml)|security\.(session|request))"
    ),
    "iam": r"^(user\.|group\.|iam\.|directory\.|app\.(user_m|group_m))",
    "configuration": r"^(policy\.|application\.|system\.|zone\.|org\.|device\.|network_zone\.)",
}
_APPS = pa.array(["AppInstance", "PublicClientApp", "App", "AppUser"])
_GROUPS = pa.array(["UserGroup", "Group", "AppGroup"])


class Okta:
    """Events of Okta's System Log; see ``Format``."""

    name = "okta"
    dataset = "okta"
    fields: Mapping[str, str] = _DECLARED.fields()
    extensions: pa.Schema = _DECLARED.extensions()
    template_columns = ("event_code",)

    def matches(self, head: bytes) -> float:
        """Returns the share of Okta's events among the first records; see ``Format``."""
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
    for wrapper in ("detail", "_source", "okta", "json"):
        inner = record.get(wrapper)
        if isinstance(inner, dict) and "published" in inner:
            record = inner
    keys = {key.lower() for key in record}  # as some stores of logs write them
    return {"eventtype", "published", "actor"} <= keys and not keys.isdisjoint(
        ("outcome", "displaymessage")
    )


def _rules(raw: Columns) -> dict[str, pa.Array]:
    chain = Elements.of(raw["chain"])
    return {
        "event_action": pc.coalesce(kind(raw["event_code"]), "event"),
        "event_category": once_each(raw["event_code"], _category),
        "event_outcome": worded(raw["okta_result"], _OUTCOMES, "unknown"),
        "event_provider": pa.repeat("okta", len(raw["target"])),
        "log_level": pc.utf8_lower(raw["severity"]),
        "okta_zone": pc.if_else(pc.equal(raw["okta_zone"], "null"), None, raw["okta_zone"]),
        "source_ip": pc.coalesce(raw["address"], chain.first(chain.read({"ip": ("ip",)})["ip"])),
        **_targets(raw["target"]),
    }


def _category(name: pa.Array) -> pa.Array:
    found = pa.nulls(len(name), pa.string())
    for category, pattern in _FAMILIES.items():
        fits = pc.match_substring_regex(name, pattern)
        found = pc.coalesce(found, pc.if_else(fits, category, None))
    return found


def _targets(target: pa.Array) -> dict[str, pa.Array]:
    """Returns whom and what an event is about, from its array of targets."""
    targets = Elements.of(target)
    found = targets.read(
        {"id": ("id",), "type": ("type",), "name": ("alternateId", "displayName"),
         "title": ("displayName", "alternateId")}
    )  # fmt: skip
    title, kinds = found["title"], found["type"]
    return {
        "service_name": targets.first(title, pc.is_in(kinds, _APPS)),
        "user_target_name": targets.first(found["name"], pc.equal(kinds, "User")),
        "okta_target_group": targets.first(title, pc.is_in(kinds, _GROUPS)),
        "okta_target_id": targets.first(found["id"]),
        "okta_target_name": targets.first(title),
        "okta_target_type": targets.first(kinds),
    }
