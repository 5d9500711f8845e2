"""Where each column of an event in the Elastic Common Schema stands.

The schema's own names come first; behind them the names that Beats wrote before it (version 6) and
those of integrations. Keys may be nested or dotted, and Elasticsearch's wrappers (``_source``,
``fields``) are read as if what is in them stood at the top.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

UNWRAPPED = ("_source", "fields", "_source.fields")

IGNORED = (
    # of the document, not of the event
    "_index", "_type", "_id", "_score", "_version", "_seq_no", "_primary_term", "_ignored",
    "_routing", "sort", "@version", "@metadata.type", "@metadata.version", "@metadata.pipeline",
    "@metadata.raw_index", "@metadata._id", "ecs.", "data_stream.namespace", "data_stream.type",
    "event.created", "event.ingested", "event.id", "event.sequence", "event.timezone",
    "event.start", "event.end", "event.agent_id_status", "event.hash",
    # what collected it, and how
    "agent.version", "agent.ephemeral_id", "agent.id", "agent.build.", "beat.version",
    "elastic_agent.", "input.", "prospector.", "offset", "log.offset", "log.flags",
    "host.architecture", "host.containerized", "host.mac", "host.ip", "host.uptime",
    "host.os.build", "host.os.codename", "host.os.family", "host.os.full", "host.os.kernel",
    "host.os.name", "host.os.version", "host.os.Ext.", "os.",
    "metricset.rtt", "metricset.host", "metricset.period", "service.type",
    # of objects left out, where keys are dotted
    "ecs.version", "input.type", "elastic_agent.id", "elastic_agent.version",
    "elastic_agent.snapshot", "related.ip", "related.user", "related.hosts", "related.hash",
    # the processes that lead groups and sessions, told again with each of their processes
    "process.group_leader.", "process.session_leader.", "process.parent.group_leader.",
    "process.parent.user.", "process.parent.group.", "process.parent.real_user.",
    "process.parent.real_group.", "process.parent.saved_user.", "process.parent.saved_group.",
    "process.parent.supplemental_groups", "process.previous", "process.supplemental_groups",
    "process.real_user.", "process.real_group.", "process.saved_user.", "process.saved_group.",
    *(
        f"process.entry_leader.{name}"
        for name in (
            "args", "args_count", "entry_meta", "executable", "group", "interactive", "name",
            "parent", "pid", "real_group", "real_user", "same_as_process", "saved_group",
            "saved_user", "start", "supplemental_groups", "tty", "user", "vpid",
            "working_directory",
        )
    ),
    # what repeats other fields
    "related.", "process.args_count", "process.parent.args_count", "process.command_line.text",
    "file.extension", "file.directory", "url.extension", "auditd.summary.",
    "auditd.messages", "auditd.user.", "auditd.data.argc",
    "auditd.data.arch", "user.name_map.fsuid", "user.name_map.fsgid", "user.name_map.suid",
    "user.name_map.sgid", "user.name_map.egid", "user.fsuid", "user.fsgid", "user.suid",
    "user.sgid", "user.egid", "user.saved.", "user.filesystem.",
)  # fmt: skip
"""What is left out; a path that ends in a dot only as an object."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "time": ("@timestamp", "event.created", "timestamp"),
    "action": ("event.action",),
    "types": ("event.type",),
    "dataset": ("event.dataset", "data_stream.dataset", "fileset.name", "metricset.name"),
    "module": ("event.module", "fileset.module", "metricset.module", "agent.type",
               "@metadata.beat"),
    "packet": ("type",),
    "record_type": ("auditd.message_type", "auditd.record_type"),
    "operation": ("auditd.data.op",),
    "outcome": ("event.outcome", "auditd.result"),
    "provider": ("event.provider",),
    "source_address": ("source.address", "client.address"),
    "destination_address": ("destination.address", "server.address"),
    "socket_address": ("auditd.data.socket.addr",),
    "socket_port": ("auditd.data.socket.port",),
    "direction": ("network.direction", "direction"),
    "original": ("event.original",),
    "url": ("url.original", "url.full", "nginx.access.url", "apache2.access.url"),
}  # fmt: skip
"""What rules make columns of -> its paths, the first with a value."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "host_name": (
        "host.name", "host.hostname", "agent.hostname", "beat.hostname", "agent.name",
        "beat.name", "system.auth.hostname", "system.syslog.hostname", "observer.name",
        "observer.hostname", "host", "host.id",
    ),
    "event_code": ("event.code",),
    "event_category": ("event.category",),
    "log_level": ("log.level", "log.syslog.severity.name", "level"),
    "log_logger": ("log.logger",),
    "service_name": ("service.name",),
    "cloud_account_id": ("cloud.account.id", "cloud.project.id"),
    "cloud_region": ("cloud.region",),
    "rule_name": ("rule.name", "kibana.alert.rule.name", "signal.rule.name", "rule.id"),
    "user_name": (
        "user.name", "user.name_map.auid", "user.name_map.uid", "source.user.name",
        "client.user.name", "user.email", "system.auth.user", "nginx.access.user_name",
        "apache2.access.user_name", "auditd.data.acct",
    ),
    "user_domain": ("user.domain", "source.user.domain", "client.user.domain"),
    "user_id": ("user.id", "user.auid", "user.uid", "source.user.id", "client.user.id"),
    "user_effective_name": ("user.effective.name", "user.name_map.euid"),
    "user_target_name": (
        "user.target.name", "user.changes.name", "destination.user.name", "server.user.name",
        "auditd.data.acct", "system.auth.sudo.user",
    ),
    "session_id": ("auditd.session", "session.id", "process.entry_leader.entity_id"),
    "process_name": (
        "process.name", "source.process.name", "system.auth.program", "system.syslog.program",
    ),
    "process_executable": ("process.executable", "process.exe", "source.process.executable"),
    "process_entity_id": ("process.entity_id", "source.process.entity_id"),
    "process_command_line": (
        "process.command_line", "process.args", "process.title", "source.process.args",
        "system.auth.sudo.command",
    ),
    "process_working_directory": (
        "process.working_directory", "process.cwd", "source.process.working_directory",
        "system.auth.sudo.pwd",
    ),
    "process_parent_name": ("process.parent.name",),
    "process_parent_executable": ("process.parent.executable",),
    "process_parent_entity_id": ("process.parent.entity_id",),
    "process_parent_command_line": (
        "process.parent.command_line", "process.parent.args", "process.parent.title",
    ),
    "process_pid": (
        "process.pid", "source.process.pid", "system.auth.pid", "system.syslog.pid",
    ),
    "process_parent_pid": ("process.parent.pid", "process.ppid", "source.process.ppid"),
    "source_ip": (
        "source.ip", "client.ip", "client_ip", "nginx.access.remote_ip",
        "apache2.access.remote_ip", "system.auth.ssh.ip",
    ),
    "source_domain": ("source.domain", "client.domain"),
    "source_port": ("source.port", "client.port", "client_port", "system.auth.ssh.port"),
    "source_bytes": ("source.bytes", "client.bytes", "bytes_in"),
    "destination_ip": ("destination.ip", "server.ip", "dest.ip", "ip"),
    "destination_domain": ("destination.domain", "server.domain"),
    "destination_port": ("destination.port", "server.port", "dest.port", "port"),
    "destination_bytes": ("destination.bytes", "server.bytes", "bytes_out"),
    "network_transport": ("network.transport", "transport"),
    "network_protocol": ("network.protocol", "network.application"),
    "file_path": (
        "file.path", "dll.path", "destination.path", "auditd.data.socket.path",
        "file.name", "dll.name",
    ),
    "registry_path": ("registry.path", "registry.key"),
    "registry_data": ("registry.data.strings",),
    "dns_question_name": ("dns.question.name",),
    "http_request_method": (
        "http.request.method", "nginx.access.method", "apache2.access.method",
    ),
    "http_version": (
        "http.version", "nginx.access.http_version", "apache2.access.http_version",
    ),
    "http_response_status_code": (
        "http.response.status_code", "http.response.code", "nginx.access.response_code",
        "apache2.access.response_code",
    ),
    "http_response_bytes": (
        "http.response.body.bytes", "http.response.bytes", "nginx.access.body_sent.bytes",
        "apache2.access.body_sent.bytes",
    ),
    "http_request_referrer": (
        "http.request.referrer", "nginx.access.referrer", "apache2.access.referrer",
    ),
    "url_path": ("url.path", "path"),
    "url_query": ("url.query",),
    "url_domain": ("url.domain", "tls.client.server_name"),
    "user_agent_original": (
        "user_agent.original", "nginx.access.agent", "apache2.access.agent",
    ),
    "event_duration": ("event.duration",),
    "message": (
        "message", "log.original", "system.auth.message", "system.syslog.message",
        "event.summary", "error.message",
    ),
    "ecs_auditd_a0": ("auditd.data.a0",),
    "ecs_auditd_a1": ("auditd.data.a1",),
    "ecs_auditd_exit": ("auditd.data.exit",),
    "ecs_auditd_fd0": ("auditd.data.fd0",),
    "ecs_auditd_fd1": ("auditd.data.fd1",),
    "ecs_auditd_paths": ("auditd.paths",),
    "ecs_auditd_sequence": ("auditd.sequence",),
    "ecs_auditd_socket_family": ("auditd.data.socket.family",),
    "ecs_auditd_syscall": ("auditd.data.syscall",),
    "ecs_community_id": ("network.community_id",),
    "ecs_container_id": ("container.id",),
    "ecs_container_name": ("container.name", "kubernetes.container.name"),
    "ecs_dns_answers": ("dns.resolved_ip",),
    "ecs_dns_question_type": ("dns.question.type",),
    "ecs_dns_response_code": ("dns.response_code",),
    "ecs_event_kind": ("event.kind",),
    "ecs_file_inode": ("file.inode",),
    "ecs_file_mode": ("file.mode",),
    "ecs_file_owner": ("file.owner",),
    "ecs_file_target_path": ("file.target_path", "file.Ext.original.path"),
    "ecs_group_name": ("user.group.name", "group.name", "user.name_map.gid"),
    "ecs_host_os": ("host.os.type", "host.os.platform"),
    "ecs_md5": ("file.hash.md5", "dll.hash.md5", "hash.md5", "process.hash.md5"),
    "ecs_pod_name": ("kubernetes.pod.name", "orchestrator.resource.name"),
    "ecs_process_ancestry": ("process.Ext.ancestry",),
    "ecs_process_start": ("process.start",),
    "ecs_reason": ("event.reason", "error.code"),
    "ecs_sha1": ("file.hash.sha1", "dll.hash.sha1", "hash.sha1", "process.hash.sha1"),
    "ecs_sha256": (
        "file.hash.sha256", "dll.hash.sha256", "hash.sha256", "process.hash.sha256",
    ),
    "ecs_socket_entity_id": ("socket.entity_id",),
    "ecs_tags": ("tags",),
    "ecs_terminal": ("auditd.data.terminal", "auditd.data.tty", "system.login.tty"),
    "ecs_user_effective_id": ("user.effective.id", "user.euid"),
    "ecs_user_login_id": ("user.audit.id", "user.auid"),
}  # fmt: skip
"""Columns that stand in the log as they are -> their paths, the first with a value."""

_RULED: Mapping[str, str] = {
    "time": "@timestamp",
    "event_provider": "event.provider, else event.dataset, else event.module",
    "event_action": "event.action, else the kind of system call, else event.type or event.dataset",
    "event_category": "event.category, several joined by a comma; else of the system call",
    "event_outcome": "event.outcome, auditd.result",
    "process_name": "process.name, else the file name of the executable",
    "process_parent_name": "process.parent.name, else the file name of its executable",
    "source_ip": "source.ip, client.ip; source.address that is one; the peer of accept",
    "source_domain": "source.domain, client.domain; source.address that is a name",
    "source_port": "source.port, client.port; the peer's of accept",
    "destination_ip": "destination.ip, server.ip; the peer of connect",
    "destination_domain": "destination.domain, server.domain",
    "destination_port": "destination.port, server.port; the peer's of connect",
    "network_direction": "network.direction: inbound, outbound",
    "message": "message, log.original; else event.original but of audit records",
    "url_path": "url.path, else of url.original",
    "url_query": "url.query, else of url.original",
    "url_domain": "url.domain, else of url.original",
    "ecs_dataset": ", ".join(PARTS["dataset"]),
    "ecs_event_type": "event.type, several joined by a comma",
    "ecs_module": ", ".join(PARTS["module"]),
    "labels": "every other field",
}

FIELDS: Mapping[str, str] = {
    **{name: ", ".join(paths) for name, paths in COLUMNS.items()},
    **_RULED,
}
"""Every column of an ECS event -> where in the log it comes from."""

EXTENSIONS = pa.schema(
    [
        pa.field(name, pa.int64() if name == "ecs_auditd_sequence" else pa.string())
        for name in sorted(FIELDS)
        if name.startswith("ecs_")
    ]
)
"""The columns of ECS events beyond EVENTS."""
