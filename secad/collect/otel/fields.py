"""Where each column of an OpenTelemetry log record stands, by its semantic conventions.

Attributes of the record are read as if they stood at its top, those of its resource below
``resource``; the older names of an attribute stand behind the present one. Beside OTLP's own JSON
(a record as ``otel.values`` leaves it) these are the single records that SDKs print and stores of
logs export.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

UNWRAPPED = (
    "_source", "resourceLogs", "resource_logs", "scopeLogs", "scope_logs",
    "instrumentationLibraryLogs", "logRecords", "log_records", "logs", "attributes",
    "LogAttributes", "attributes_string", "attributes_number", "attributes_int64",
    "attributes_bool", "body.kvlistValue.values", "body.structured",
)  # fmt: skip

_RESOURCES = ("resource.attributes", "resource", "ResourceAttributes", "resources_string")

IGNORED = (
    "schemaUrl", "schema_url", "ResourceSchemaUrl", "ScopeSchemaUrl", "flags", "traceFlags",
    "trace_flags", "TraceFlags", "droppedAttributesCount", "dropped_attributes_count",
    "DroppedAttributes", "scope.droppedAttributesCount", "resource.droppedAttributesCount",
    "resource.schema_url", "resource.schemaUrl", "_index", "_id", "_score",
    *(f"{place}.telemetry." for place in _RESOURCES),
    *(f"{place}.process.runtime." for place in _RESOURCES),
    *(f"{place}.os." for place in _RESOURCES),
)  # fmt: skip
"""What is left out; a path that ends in a dot only as an object."""


def _anywhere(*names: str) -> tuple[str, ...]:
    """Returns the paths of attributes of the record, then of the resource."""
    return (*names, *_resource(*names))


def _resource(*names: str) -> tuple[str, ...]:
    return tuple(f"{place}.{name}" for name in names for place in _RESOURCES)


PARTS: Mapping[str, tuple[str, ...]] = {
    "time": ("timeUnixNano", "time_unix_nano", "Timestamp", "@timestamp", "time"),
    "observed": (
        "observedTimeUnixNano", "observed_time_unix_nano", "ObservedTimestamp",
        "observed_timestamp", "observedTimestamp",
    ),
    "requests": ("resourceLogs", "resource_logs"),
    "event": ("eventName", "event_name", "event.name", "otel.event.name"),
    "severity": ("severityText", "severity_text", "level", "severity"),
    "severity_number": ("severityNumber", "severity_number"),
    "status": ("event.outcome", "otel.status_code"),
    "client": (
        "client.address", "source.address", "http.client_ip", "net.sock.client.addr",
        "client.socket.address", "source.ip", "client.ip",
    ),
    "server": (
        "server.address", "destination.address", "net.host.ip", "net.host.name", "http.host",
        "destination.ip", "server.ip",
    ),
    "peer": ("network.peer.address", "net.sock.peer.addr", "net.peer.ip", "net.peer.name"),
    "peer_port": ("network.peer.port", "net.sock.peer.port", "net.peer.port"),
    "client_port": ("client.port", "source.port"),
    "server_port": ("server.port", "destination.port", "net.host.port"),
    "url": ("url.full", "url.original", "http.url", "http.target"),
    "route": ("http.route",),
    "database": ("db.system.name", "db.system"),
    "procedure": ("rpc.method",),
    "exception": ("exception.type",),
}  # fmt: skip
"""What rules make columns of -> its paths, the first with a value."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "host_name": (
        *_anywhere("host.name", "k8s.node.name", "host.hostname", "host.id"),
        *_resource("k8s.pod.name", "container.name"),
    ),
    "event_code": ("event.code", "winlog.event_id", "event_id.id"),
    "log_logger": (
        "scope.name", "ScopeName", "scope_name", "instrumentationLibrary.name",
        "instrumentation_scope.name", "logger.name", "logger", "code.namespace",
    ),
    "service_name": (*_resource("service.name"), "ServiceName", "service.name"),
    "cloud_account_id": _anywhere("cloud.account.id"),
    "cloud_region": _anywhere("cloud.region"),
    "rule_name": ("rule.name", "security_rule.name"),
    "user_name": ("user.name", "enduser.name", "user.email", "enduser.id", "user.full_name"),
    "user_id": ("user.id", "enduser.id", "enduser.pseudo.id"),
    "user_domain": ("user.domain",),
    "session_id": ("session.id",),
    "process_name": ("process.executable.name", "process.name", "appname",
                     *_resource("process.executable.name")),
    "process_executable": _anywhere("process.executable.path"),
    "process_command_line": _anywhere(
        "process.command_line", "process.command_args", "process.command"
    ),
    "process_working_directory": _anywhere("process.working_directory"),
    "process_pid": ("process.pid", "procid", *_resource("process.pid")),
    "process_parent_pid": _anywhere("process.parent_pid"),
    "network_transport": ("network.transport", "net.transport"),
    "network_protocol": ("network.protocol.name", "net.protocol.name", "net.app.protocol.name"),
    "network_direction": ("network.io.direction", "network.direction"),
    "file_path": ("file.path",),
    "dns_question_name": ("dns.question.name",),
    "http_request_method": ("http.request.method", "http.method"),
    "http_version": ("network.protocol.version", "http.flavor", "net.protocol.version"),
    "http_response_status_code": ("http.response.status_code", "http.status_code"),
    "http_response_bytes": (
        "http.response.body.size", "http.response.size", "http.response_content_length",
    ),
    "http_request_referrer": ("http.request.header.referer", "http.referer"),
    "url_path": ("url.path",),
    "url_query": ("url.query",),
    "url_domain": ("url.domain",),
    "user_agent_original": (
        "user_agent.original", "http.user_agent", "http.request.header.user_agent",
        "http.request.header.user-agent",
    ),
    "source_bytes": ("http.request.body.size", "http.request_content_length"),
    "message": (
        "body.stringValue", "body.string_value", "body.text", "body.message", "body.msg",
        "body.Value", "body", "message", "msg", "exception.message",
    ),
    "otel_code_function": ("code.function.name", "code.function"),
    "otel_container_id": _anywhere("container.id"),
    "otel_db_operation": ("db.operation.name", "db.operation"),
    "otel_db_query": ("db.query.text", "db.statement"),
    "otel_environment": _anywhere("deployment.environment.name", "deployment.environment"),
    "otel_k8s_container": _anywhere("k8s.container.name"),
    "otel_k8s_namespace": _anywhere("k8s.namespace.name"),
    "otel_k8s_pod": _anywhere("k8s.pod.name"),
    "otel_log_file": _anywhere("log.file.path", "log.file.name"),
    "otel_messaging_destination": ("messaging.destination.name", "messaging.destination"),
    "otel_service_instance": _resource("service.instance.id"),
    "otel_service_namespace": _resource("service.namespace"),
    "otel_service_version": _resource("service.version"),
    "otel_span_id": ("spanId", "span_id"),
    "otel_trace_id": ("traceId", "trace_id"),
}  # fmt: skip
"""Columns that stand in the log as they are -> their paths, the first with a value."""

_RULED: Mapping[str, str] = {
    "time": "timeUnixNano, else observedTimeUnixNano",
    "event_provider": "scope.name, else service.name",
    "event_action": "eventName, event.name; else http, database, rpc, exception or log",
    "event_category": "web of HTTP, database of db.system",
    "event_outcome": "event.outcome, otel.status_code, else the class of the HTTP status",
    "log_level": "severityText, else the range of severityNumber",
    "source_ip": "client.address; network.peer.address of a served request",
    "source_domain": "client.address that is a name",
    "source_port": "client.port; network.peer.port of a served request",
    "destination_ip": "server.address; else network.peer.address",
    "destination_domain": "server.address that is a name",
    "destination_port": "server.port; else network.peer.port",
    "url_path": "url.path, else of url.full, http.target",
    "url_query": "url.query, else of url.full, http.target",
    "url_domain": "url.domain, else of url.full",
    "otel_db_system": "db.system.name, db.system",
    "otel_exception_type": "exception.type",
    "otel_route": "http.route",
    "otel_rpc_method": "rpc.method",
    "otel_severity_number": "severityNumber",
    "labels": "every other attribute of the record, its scope and its resource",
}

FIELDS: Mapping[str, str] = {
    **{name: ", ".join(paths[:6]) for name, paths in COLUMNS.items()},
    **_RULED,
}
"""Every column of a log record -> where it comes from."""

EXTENSIONS = pa.schema(
    [
        pa.field(name, pa.int64() if name == "otel_severity_number" else pa.string())
        for name in sorted(FIELDS)
        if name.startswith("otel_")
    ]
)
"""The columns of OpenTelemetry events beyond EVENTS."""
