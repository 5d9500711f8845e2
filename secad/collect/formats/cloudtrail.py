"""AWS CloudTrail: the files in S3, ``lookup-events``, EventBridge and CloudWatch envelopes, lines.

A record is one call of an API; who made it is told in seven forms of ``userIdentity``. The kind of
an event is its ``eventName``, by words (``run-instances``).

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/
cloudtrail-event-reference-record-contents.html
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
from secad.collect.json.rules import Columns, address, kind, once_each, worded

_DOCUMENTS = JsonDocuments(("Records", "Events", "logEvents"))
_MARKS = (b"eventSource", b"eventName")
_REQUEST, _RESPONSE = "requestParameters", "responseElements"
_IDENTITY, _ISSUER = "userIdentity", "userIdentity.sessionContext.sessionIssuer"
_DECLARED = Declaration(
    what="CloudTrail record",
    time=("eventTime", "@timestamp"),  # Logstash's codec moves it
    mark=("eventName", "insightDetails.eventName"),
    columns={
        "event_provider": ("eventSource", "insightDetails.eventSource"),
        "event_code": ("eventName", "insightDetails.eventName"),
        "cloud_account_id": ("recipientAccountId", f"{_IDENTITY}.accountId", "account"),
        "cloud_region": ("awsRegion", "region"),
        "user_id": (f"{_IDENTITY}.principalId", f"{_IDENTITY}.onBehalfOf.userId"),
        "user_target_name": (f"{_REQUEST}.userName",),
        "session_id": (f"{_IDENTITY}.accessKeyId",),
        "user_agent_original": ("userAgent",),
        "file_path": (f"{_REQUEST}.key",),
        "url_domain": ("tlsDetails.clientProvidedHostHeader",),
        "message": ("errorMessage",),
        "cloudtrail_assumed_role": (f"{_REQUEST}.roleArn",),
        "cloudtrail_bucket_name": (f"{_REQUEST}.bucketName",),
        "cloudtrail_error_code": ("errorCode",),
        "cloudtrail_event_type": ("eventType",),
        "cloudtrail_function_name": (f"{_REQUEST}.functionName",),
        "cloudtrail_group_id": (f"{_REQUEST}.groupId", f"{_REQUEST}.groupName"),
        "cloudtrail_image_id": (f"{_REQUEST}.imageId",),
        "cloudtrail_instance_type": (f"{_REQUEST}.instanceType",),
        "cloudtrail_invoked_by": (f"{_IDENTITY}.invokedBy",),
        "cloudtrail_key_id": (f"{_REQUEST}.keyId",),
        "cloudtrail_mfa": (
            f"{_IDENTITY}.sessionContext.attributes.mfaAuthenticated",
            "additionalEventData.MFAUsed",
        ),
        "cloudtrail_policy_arn": (f"{_REQUEST}.policyArn", f"{_REQUEST}.policyName"),
        "cloudtrail_read_only": ("readOnly",),
        "cloudtrail_role_name": (f"{_REQUEST}.roleName",),
        "cloudtrail_secret_id": (f"{_REQUEST}.secretId",),
        "cloudtrail_source_identity": (f"{_IDENTITY}.sessionContext.sourceIdentity",),
        "cloudtrail_trail_name": (f"{_REQUEST}.trailName",),
        "cloudtrail_user_account": (f"{_IDENTITY}.accountId",),
        "cloudtrail_user_type": (f"{_IDENTITY}.type",),
        "cloudtrail_vpc_endpoint": ("vpcEndpointId",),
    },
    parts={
        "name": (f"{_IDENTITY}.userName",),
        "issuer": (f"{_ISSUER}.userName",),
        "arn": (f"{_IDENTITY}.arn",),
        "address": ("sourceIPAddress",),
        "login": (f"{_RESPONSE}.ConsoleLogin", f"{_RESPONSE}.SwitchRole", f"{_RESPONSE}.CheckMfa"),
        "instance": (f"{_REQUEST}.instanceId", f"{_RESPONSE}.instanceId"),
        "asked_instances": (f"{_REQUEST}.instancesSet.items",),
        "given_instances": (f"{_RESPONSE}.instancesSet.items",),
        "resources": ("resources",),
    },
    ruled={
        "event_action": "eventName, by words, without a version",
        "event_category": "by eventSource",
        "event_outcome": "failure where errorCode, errorMessage or a failed login is told",
        "user_name": "userIdentity.userName, root, a role or the person in its session, invokedBy",
        "user_effective_name": "the role of a session",
        "source_ip": "sourceIPAddress",
        "source_domain": "sourceIPAddress that is the name of a service",
        "cloudtrail_instance_id": "requestParameters or responseElements: instanceId, instancesSet",
        "cloudtrail_resource_arn": "ARN of the first of resources",
        "cloudtrail_session_name": "the last part of the arn of a role's session",
    },
    ignored=(
        "eventVersion", "requestID", "sharedEventID", "version", "detail-type", "id", "source",
        "time",
    ),
    unwrapped=("detail", "_source", "_source.detail", "aws", "data.aws"),  # aws: of Wazuh
    nested=("CloudTrailEvent", "message", "Message", "_raw", "result._raw", "event.original"),
)  # fmt: skip
# arn:aws:sts::111122223333:assumed-role/Admin/ann | arn:aws:iam::111122223333:user/team/ann
_SESSION = r"^arn:[^:]*:sts::[^:]*:(?:assumed-role|federated-user)/(?:[^/]*/)*(?P<name>[^/]+)$"
_LAST = r"^arn:[^:]*:[^:]*:[^:]*:[^:]*:(?:[^/]*/)*(?P<name>[^/]+)$"
_SUFFIX = r"(\d{4}_?\d{2}_?\d{2}(v\d+)?)$"  # ListFunctions20150331 | UpdateFunctionCode20150331v2
_CATEGORIES = {
    name: category
    for category, names in {
        "iam": "iam organizations sso sso-directory identitystore account ram",
        "authentication": "signin sts cognito-idp cognito-identity sso-oauth",
        "file": "s3 glacier elasticfilesystem backup",
        "database": "dynamodb rds rds-data redshift redshift-data elasticache neptune docdb athena",
        "configuration": "cloudtrail config ssm cloudformation guardduty securityhub logs",
        "host": "ec2 ecs eks lambda lightsail autoscaling ec2-instance-connect elasticbeanstalk",
        "network": "elasticloadbalancing route53 cloudfront apigateway vpc-lattice",
    }.items()
    for name in names.split()
}


class CloudTrail:
    """Records of AWS CloudTrail; see ``Format``."""

    name = "cloudtrail"
    dataset = "cloudtrail"
    fields: Mapping[str, str] = _DECLARED.fields()
    extensions: pa.Schema = _DECLARED.extensions()
    template_columns = ("event_provider", "event_code")

    def matches(self, head: bytes) -> float:
        """Returns the share of CloudTrail records among the first; see ``Format``."""
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
    """Returns whether an object has the marks of a record."""
    for wrapper in ("detail", "_source", "data", "aws"):
        inner = record.get(wrapper)
        if isinstance(inner, dict):
            record = inner
    named = {"eventSource", "eventName"} <= set(record) or "insightDetails" in record
    return named and not {"eventVersion", "awsRegion", "userIdentity"}.isdisjoint(record)


def _rules(raw: Columns) -> dict[str, pa.Array]:
    ip, domain = address(raw["address"])
    service = pc.replace_substring_regex(raw["event_provider"], r"\.amazonaws\.com(\.cn)?$", "")
    return {
        "event_action": pc.coalesce(once_each(raw["event_code"], _words), "event"),
        "event_category": once_each(service, lambda name: worded(name, _CATEGORIES)),
        "event_outcome": _outcome(raw),
        "source_ip": ip,
        "source_domain": domain,
        **_who(raw),
        **_what(raw),
    }


def _words(name: pa.Array) -> pa.Array:
    """Returns ``get-bucket-acl`` of ``GetBucketAcl``."""
    bare = pc.replace_substring_regex(name, _SUFFIX, "")
    parted = pc.replace_substring_regex(bare, r"([a-z0-9])([A-Z])", r"\1-\2")
    return kind(pc.replace_substring_regex(parted, r"([A-Z])([A-Z][a-z])", r"\1-\2"))


def _outcome(raw: Columns) -> pa.Array:
    told = pc.or_(pc.is_valid(raw["cloudtrail_error_code"]), pc.is_valid(raw["message"]))
    refused = pc.coalesce(pc.equal(pc.utf8_lower(raw["login"]), "failure"), False)
    return pc.if_else(pc.or_(told, refused), "failure", "success")


def _who(raw: Columns) -> dict[str, pa.Array]:
    """Returns who called: the person whom a role's session is named after, else the role itself."""
    session = once_each(raw["arn"], lambda arn: _part(arn, _SESSION))
    person = pc.if_else(pc.match_substring(session, "@"), session, None)
    root = pc.if_else(pc.equal(raw["cloudtrail_user_type"], "Root"), "root", None)
    of_arn = once_each(raw["arn"], lambda arn: _part(arn, _LAST))
    return {
        "user_name": pc.coalesce(
            root, raw["name"], person, raw["issuer"], of_arn, raw["cloudtrail_invoked_by"],
            pc.replace_substring_regex(raw["user_id"], "^.*:", ""),
        ),
        "user_effective_name": pc.if_else(pc.is_valid(session), raw["issuer"], None),
        "cloudtrail_session_name": session,
    }  # fmt: skip


def _part(text: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(text, pattern), ["name"])


def _what(raw: Columns) -> dict[str, pa.Array]:
    """Returns the first instance and the first resource of a call."""
    asked, given = raw["asked_instances"], raw["given_instances"]
    images = pc.coalesce(raw["cloudtrail_image_id"], _first(asked, "imageId"))
    return {
        "cloudtrail_image_id": images,
        "cloudtrail_instance_id": pc.coalesce(
            raw["instance"], _first(asked, "instanceId"), _first(given, "instanceId")
        ),
        "cloudtrail_resource_arn": _first(raw["resources"], "ARN"),
    }


def _first(array: pa.Array, key: str) -> pa.Array:
    elements = Elements.of(array)
    return elements.first(elements.read({key: (key,)})[key])
