"""Where each column of an OCSF event stands (Open Cybersecurity Schema Framework, 1.0 and later).

Behind the schema's names stand those of its release candidates. What a producer could not map
stands in ``unmapped``, and becomes labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

UNWRAPPED = ("_source", "ocsf", "event")

IGNORED = (
    "_index", "_id", "_score", "_type", "category_uid", "category_name", "time_dt",
    "start_time_dt", "end_time_dt", "timezone_offset", "observables", "raw_data", "raw_data_hash",
    "raw_data_size", "metadata.version", "metadata.profiles", "metadata.uid",
    "metadata.processed_time", "metadata.processed_time_dt", "metadata.logged_time",
    "metadata.logged_time_dt", "metadata.original_time", "metadata.sequence",
    "metadata.extension.", "metadata.extensions", "metadata.product.lang",
    "metadata.product.version", "metadata.product.uid", "metadata.product.url_string",
    "severity", "status_id", "api.request.data", "api.response.data", "device.os.type_id",
    "device.type_id", "src_endpoint.type_id", "dst_endpoint.type_id", "actor.user.type_id",
    "user.type_id", "file.type_id", "process.file.type_id", "actor.process.file.type_id",
    "connection_info.protocol_ver_id", "connection_info.boundary_id", "query.opcode_id",
    "rcode_id", "logon_type_id", "auth_protocol_id", "confidence_id", "impact_id",
    "risk_level_id", "unmapped.raw",
)  # fmt: skip
"""What is left out; a path that ends in a dot only as an object."""


def _process(own: str) -> dict[str, tuple[str, ...]]:
    """Returns the paths of a process, by what they tell of it."""
    return {
        "name": (f"{own}.name", f"{own}.file.name"),
        "executable": (f"{own}.file.path", f"{own}.path"),
        "command_line": (f"{own}.cmd_line",),
        "entity_id": (f"{own}.uid", f"{own}.cpid"),
        "pid": (f"{own}.pid",),
        "working_directory": (f"{own}.working_directory", f"{own}.file.working_directory"),
        "user": (f"{own}.user.name",),
    }


PROCESSES: Mapping[str, str] = {
    "subject": "process",
    "subject_parent": "process.parent_process",
    "actor": "actor.process",
    "actor_parent": "actor.process.parent_process",
}
"""The processes that an event may tell of -> their objects."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "time_dt", "start_time", "_time", "metadata.original_time"),
    "class": ("class_uid",),
    "class_name": ("class_name",),
    "activity": ("activity_id",),
    "activity_name": ("activity_name",),
    "type_name": ("type_name",),
    "operation": ("api.operation",),
    "status": ("status", "status_id"),
    "error": ("api.response.error", "api.response.error_message"),
    "actor_user": ("actor.user.name", "actor.user.email_addr"),
    "actor_user_id": ("actor.user.uid", "actor.user.uid_alt", "actor.user.credential_uid"),
    "actor_user_domain": ("actor.user.domain",),
    "other_user": ("user.name", "user.email_addr", "user_result.name"),
    "other_user_id": ("user.uid", "user.uid_alt"),
    "other_user_domain": ("user.domain",),
    "invoker": ("actor.invoked_by", "actor.app_name"),
    "source_host": ("src_endpoint.hostname", "src_endpoint.name", "src_endpoint.domain"),
    "destination_host": ("dst_endpoint.hostname", "dst_endpoint.name", "dst_endpoint.domain"),
    "protocol_number": ("connection_info.protocol_num",),
    "direction": ("connection_info.direction",),
    "direction_id": ("connection_info.direction_id",),
    "duration": ("duration",),
    "url": ("http_request.url.url_string", "http_request.url.text", "http_request.url"),
    **{
        f"{who}.{what}": paths
        for who, own in PROCESSES.items()
        for what, paths in _process(own).items()
    },
}  # fmt: skip
"""What rules make columns of -> its paths, the first with a value."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "host_name": (
        "device.hostname", "device.name", "device.instance_uid", "device.ip", "device.uid",
    ),
    "event_provider": (
        "metadata.product.name", "metadata.log_provider", "metadata.product.vendor_name",
        "metadata.log_name",
    ),
    "event_code": ("metadata.event_code", "metadata.correlation_uid"),
    "log_level": ("severity",),
    "log_logger": ("metadata.log_name",),
    "service_name": ("api.service.name", "service.name", "dst_endpoint.svc_name", "app.name"),
    "cloud_account_id": (
        "cloud.account.uid", "cloud.account_uid", "actor.user.account.uid", "user.account.uid",
    ),
    "cloud_region": ("cloud.region", "region"),
    "rule_name": (
        "rule.name", "firewall_rule.name", "finding_info.title", "finding.title", "policy.name",
        "finding_info.analytic.name", "analytic.name",
    ),
    "session_id": ("actor.session.uid", "session.uid"),
    "source_ip": ("src_endpoint.ip", "actor.endpoint.ip"),
    "source_port": ("src_endpoint.port",),
    "destination_ip": ("dst_endpoint.ip",),
    "destination_port": ("dst_endpoint.port",),
    "network_transport": ("connection_info.protocol_name",),
    "network_protocol": ("app_name", "connection_info.app_name"),
    "source_bytes": ("traffic.bytes_out",),
    "destination_bytes": ("traffic.bytes_in",),
    "file_path": (
        "file.path", "module.file.path", "driver.file.path", "job.file.path", "script.file.path",
        "file.name", "job.name", "module.file.name",
    ),
    "registry_path": ("reg_key.path", "reg_value.path", "win/reg_key.path", "reg_value.name"),
    "registry_data": ("reg_value.data",),
    "dns_question_name": ("query.hostname",),
    "http_request_method": ("http_request.http_method",),
    "http_version": ("http_request.version",),
    "http_request_referrer": ("http_request.referrer",),
    "http_response_status_code": ("http_response.code", "http_status"),
    "http_response_bytes": ("http_response.body_length", "http_response.length"),
    "url_path": ("http_request.url.path",),
    "url_query": ("http_request.url.query_string",),
    "url_domain": ("http_request.url.hostname", "tls.sni", "tls.certificate.sni"),
    "user_agent_original": ("http_request.user_agent",),
    "message": ("message", "finding_info.desc", "finding.desc", "status_detail"),
    "ocsf_action": ("action",),
    "ocsf_actor_type": ("actor.user.type",),
    "ocsf_attacks": ("attacks", "finding_info.attacks"),
    "ocsf_auth_protocol": ("auth_protocol",),
    "ocsf_bytes": ("traffic.bytes",),
    "ocsf_disposition": ("disposition",),
    "ocsf_dns_answers": ("answers", "answers.rdata"),
    "ocsf_dns_query_type": ("query.type",),
    "ocsf_dns_rcode": ("rcode",),
    "ocsf_file_hashes": ("file.hashes", "file.fingerprints"),
    "ocsf_finding_types": ("finding_info.types", "finding.types"),
    "ocsf_is_mfa": ("is_mfa", "actor.session.is_mfa", "mfa"),
    "ocsf_logon_type": ("logon_type", "logon_type_id"),
    "ocsf_process_hashes": ("process.file.hashes", "actor.process.file.hashes"),
    "ocsf_product_feature": ("metadata.product.feature.name",),
    "ocsf_resources": ("resources", "resource.uid"),
    "ocsf_session_issuer": ("actor.session.issuer",),
    "ocsf_severity_id": ("severity_id",),
    "ocsf_status_code": ("status_code",),
    "ocsf_type_uid": ("type_uid",),
}  # fmt: skip
"""Columns that stand in the log as they are -> their paths, the first with a value."""

_RULED: Mapping[str, str] = {
    "time": "time, in milliseconds of the epoch or as ISO 8601",
    "event_action": "api.operation, else the class and its activity: process-activity-launch",
    "event_category": "the ECS category of class_uid",
    "event_outcome": "status, status_id; a failure where api.response.error tells one",
    "user_name": "actor.user.name; of an authentication user.name",
    "user_domain": "the domain that goes with it",
    "user_id": "the uid that goes with it",
    "user_target_name": "user.name, where another one acts",
    "process_name": "process of a launch or an end, else actor.process",
    "process_executable": "its file.path",
    "process_entity_id": "its uid",
    "process_command_line": "its cmd_line",
    "process_working_directory": "its working_directory",
    "process_pid": "its pid",
    "process_parent_name": "its parent_process; of a launch, else actor.process",
    "process_parent_executable": "the parent's file.path",
    "process_parent_entity_id": "the parent's uid",
    "process_parent_command_line": "the parent's cmd_line",
    "process_parent_pid": "the parent's pid",
    "source_domain": "src_endpoint.hostname",
    "destination_domain": "dst_endpoint.hostname",
    "network_transport": "connection_info.protocol_name, else protocol_num",
    "network_direction": "connection_info.direction_id, direction",
    "event_duration": "duration, from milliseconds",
    "ocsf_class_uid": "class_uid",
    "ocsf_target_process_entity_id": "process.uid, where actor.process acts on it",
    "ocsf_target_process_executable": "its file.path",
    "ocsf_target_process_pid": "its pid",
    "labels": "every other field",
}

FIELDS: Mapping[str, str] = {
    **{name: ", ".join(paths) for name, paths in COLUMNS.items()},
    **_RULED,
}
"""Every column of an OCSF event -> where in the log it comes from."""

_NUMBERS = frozenset(
    (
        "ocsf_bytes",
        "ocsf_class_uid",
        "ocsf_severity_id",
        "ocsf_target_process_pid",
        "ocsf_type_uid",
    )
)
EXTENSIONS = pa.schema(
    [
        pa.field(name, pa.int64() if name in _NUMBERS else pa.string())
        for name in sorted(FIELDS)
        if name.startswith("ocsf_")
    ]
)
"""The columns of OCSF events beyond EVENTS."""
