"""The audit log of GitHub: exports as an array or as lines, streams, and answers of its API.

The kind of an event is its ``action`` (``git.clone``, ``org.add_member``). An audit log tells what
was done; what failed tells so in its action or its status.

Format: https://docs.github.com/en/organizations/keeping-your-organization-secure/
managing-security-settings-for-your-organization/audit-log-events-for-your-organization
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.json.documents import JsonDocuments
from secad.collect.json.events import Declaration, parse_records, share_of
from secad.collect.json.rules import Columns, kind, once_each, worded

_DOCUMENTS = JsonDocuments(("items", "data", "events"))
_MARKS = (b"action",)
_BESIDE = frozenset(
    ("_document_id", "org", "org_id", "business", "business_id", "operation_type", "repo",
     "repository", "user_id", "actor_location", "public_repo")
)  # fmt: skip
_DECLARED = Declaration(
    what="GitHub audit event",
    time=("@timestamp", "created_at", "createdAt"),
    mark=("action",),
    columns={
        "event_code": ("action",),
        "user_name": ("actor", "actorLogin", "deploy_key_fingerprint"),
        "user_id": ("actor_id",),
        "user_target_name": ("user", "userLogin", "invitee", "blocked_user"),
        "source_ip": ("actor_ip", "actorIp"),
        "user_agent_original": ("user_agent",),
        "session_id": ("actor_session",),
        "http_request_method": ("request_method",),
        "http_response_status_code": ("status_code",),
        "network_protocol": ("transport_protocol_name",),
        "url_path": ("url_path", "request_path"),
        "url_query": ("query_string",),
        "message": ("message", "explanation", "note"),
        "github_actor_is_bot": ("actor_is_bot",),
        "github_application": ("oauth_application_name", "oauth_application", "integration",
                               "application_name"),
        "github_branch": ("branch", "head_branch", "ref"),
        "github_business": ("business",),
        "github_country": ("actor_location.country_code", "country", "actorLocation.countryCode"),
        "github_external_identity": ("external_identity_nameid",
                                     "external_identity_username"),
        "github_hook": ("config.url", "hook_id"),
        "github_key_fingerprint": ("fingerprint", "pubkey_fingerprint"),
        "github_operation_type": ("operation_type", "operationType"),
        "github_org": ("org", "organization_name", "organization.login"),
        "github_permission": ("permission", "new_repo_permission", "permissions"),
        "github_repo": ("repo", "repository", "repositoryName"),
        "github_runner": ("runner_name", "runner_id"),
        "github_secret": ("key", "secret_name"),
        "github_team": ("team", "teamName"),
        "github_token": ("hashed_token",),
        "github_token_scopes": ("token_scopes", "oauth_scopes"),
        "github_token_type": ("programmatic_access_type",),
        "github_visibility": ("visibility",),
        "github_workflow": ("workflow_name", "name"),
    },
    parts={"conclusion": ("conclusion",)},
    ruled={
        "event_action": "action",
        "event_category": "by what stands before the dot of action",
        "event_outcome": "failure by action, status_code or conclusion; else success",
        "event_provider": "github",
        "github_area": "action before its first dot",
    },
    ignored=("_document_id", "transport_protocol"),
    unwrapped=("_source", "node", "github", "data"),  # github: of Wazuh
    nested=("event.original", "_raw", "result._raw"),
)  # fmt: skip
# user.failed_login | two_factor_authentication.recovery_codes_failed | org.sso_response_rejected
_FAILED = r"(^|[._])(failed|failure|fail|denied|rejected|blocked)([._]|$)"
_CATEGORIES = {
    name: category
    for category, names in {
        "iam": """org team members member organization_role role enterprise business
            external_identity external_group org_credential_authorization invitation
            personal_access_token oauth_authorization public_key ssh_certificate_authority
            deploy_key integration_installation oauth_application oauth_access user_email""",
        "authentication": "user two_factor_authentication sso_response passkey",
        "file": "git",
        "web": "api",
        "configuration": """repo repository protected_branch hook environment workflows actions
            secret_scanning dependabot_alerts repository_ruleset codespaces packages
            repository_vulnerability_alert advanced_security ip_allow_list audit_log_streaming
            secret_scanning_push_protection""",
    }.items()
    for name in names.split()
}


class GitHub:
    """Events of GitHub's audit log; see ``Format``."""

    name = "github"
    dataset = "github"
    fields: Mapping[str, str] = _DECLARED.fields()
    extensions: pa.Schema = _DECLARED.extensions()
    template_columns = ("event_code",)

    def matches(self, head: bytes) -> float:
        """Returns the share of audit events among the first records; see ``Format``."""
        if b"@timestamp" not in head and b"created" not in head:
            return 0.0
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
    """Returns whether an object has a dotted action, a time and what GitHub writes beside."""
    inner = record.get("_source", record.get("node", record.get("github")))
    record = inner if isinstance(inner, dict) else record
    action, time = record.get("action"), record.get("@timestamp", record.get("created_at"))
    if not isinstance(action, str) or "." not in action or isinstance(record.get("event"), dict):
        return "actorLogin" in record and "action" in record
    by_whom = "actor" in record or "actor_id" in record or "actor_ip" in record
    return time is not None and by_whom and not _BESIDE.isdisjoint(record)


def _rules(raw: Columns) -> dict[str, pa.Array]:
    action = raw["event_code"]
    area = once_each(action, lambda text: pc.replace_substring_regex(text, r"\..*$", ""))
    return {
        "event_action": pc.coalesce(kind(action), "event"),
        "event_category": once_each(area, lambda name: worded(name, _CATEGORIES)),
        "event_outcome": _outcome(raw),
        "event_provider": pa.repeat("github", len(action)),
        "github_area": area,
    }


def _outcome(raw: Columns) -> pa.Array:
    failed = once_each(raw["event_code"], lambda text: pc.match_substring_regex(text, _FAILED))
    refused = pc.match_substring_regex(raw["http_response_status_code"], "^[45][0-9][0-9]$")
    ended = pc.equal(raw["conclusion"], "failure")  # of a workflow
    told = [pc.coalesce(flags, False) for flags in (failed, refused, ended)]
    either = pc.or_(pc.or_(told[0], told[1]), told[2])
    return pc.if_else(either, "failure", "success")
