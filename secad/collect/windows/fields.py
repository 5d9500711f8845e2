"""Where each column of a Windows event stands, in every form that Windows events are written in.

Four forms, one table: the fields at the top (NXLog, OTRF's recordings), below ``winlog``
(Winlogbeat), under ECS names (Elastic's integrations), and ``Event.System`` beside
``Event.EventData`` (EVTX readers). The objects in UNWRAPPED are read as if what is in them stood
at the top, so that ``Image`` is found in all of them. Names are compared without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

UNWRAPPED = (
    "Event.System",
    "Event.EventData",
    "Event.UserData",
    "Event.ProcessingErrorData",
    "System",
    "EventData",
    "Fields",  # of windows_forms
    "UserData",
    "winlog.event_data",
    "winlog.user_data",
)

IGNORED = (
    # the rendered text repeats the fields, as do the names of numbers
    "Message", "event.original", "Category", "Opcode", "OpcodeValue", "Task", "SeverityValue",
    "winlog.opcode", "winlog.task", "winlog.level", "event.severity", "related.",
    # what collected the event, and how
    "tags", "ERROR_EVT_UNRESOLVED", "EventTypeOrignal", "SourceModuleName", "SourceModuleType",
    "@version", "@metadata.", "agent.", "beat.", "ecs.", "input.", "elastic_agent.",
    "data_stream.", "winlog.api", "event.kind", "event.created", "event.ingested",
    "event.module", "event.dataset",
    # of the manifest, constant for a provider and an id
    "Version", "ProviderGuid", "Provider.#attributes.Guid", "Provider.@Guid", "Provider.Guid",
    "Provider.#attributes.EventSourceName", "winlog.provider_guid", "winlog.version",
    "EventID.#attributes.", "EventID.@Qualifiers", "EventID.Qualifiers",
    "Event.#attributes.", "Event.@xmlns",
    # the thread that wrote the record
    "ThreadID", "Execution.#attributes.ThreadID", "Execution.@ThreadID", "Execution.ThreadID",
    "winlog.process.thread.",
)  # fmt: skip
"""What is left out; a path that ends in a dot only as an object."""


def _attribute(element: str, name: str) -> tuple[str, ...]:
    """Returns how tools write the XML attribute ``name`` of ``element``."""
    return (
        f"{element}.#attributes.{name}",
        f"{element}_attributes.{name}",
        f"{element}.@{name}",
        f"{element}.{name}",
    )


PARTS: Mapping[str, tuple[str, ...]] = {
    "provider": (
        *_attribute("Provider", "Name"), "SourceName", "winlog.provider_name", "event.provider",
        "Provider", "ProviderName", "EventSourceName",
    ),
    "code": ("EventID", "EventID.#text", "EventID.Value", "winlog.event_id", "event.code",
             "Id"),  # of Get-WinEvent
    "channel": ("Channel", "winlog.channel", "LogName"),
    "host": ("Computer", "Hostname", "winlog.computer_name", "host.name", "ComputerName",
             "MachineName"),
    "level": ("LevelDisplayName", "Level", "Severity", "log.level"),
    "keywords": ("Keywords", "winlog.keywords"),
    "event_type": ("EventType",),
    "outcome": ("event.outcome", "winlog.outcome"),
    "utc_time": ("UtcTime",),
    "system_time": (*_attribute("TimeCreated", "SystemTime"), "TimeCreated", "SystemTime",
                    "winlog.time_created", "TimeGenerated"),
    "event_time": ("EventTime",),
    "received_time": ("EventReceivedTime",),
    "timestamp": ("@timestamp",),
    "writer_pid": (*_attribute("Execution", "ProcessID"), "ExecutionProcessID",
                   "winlog.process.pid"),
    "writer_sid": (*_attribute("Security", "UserID"), "UserID", "winlog.user.identifier"),
    "writer_name": ("AccountName", "winlog.user.name"),
    "writer_domain": ("Domain", "AccountDomain", "winlog.user.domain"),
    "writer_type": ("AccountType", "winlog.user.type"),
    "full_user": ("User", "SourceUser", "UserName"),
    "plain_user": ("user.name",),
    "plain_domain": ("user.domain",),
    "plain_sid": ("UserSid", "user.id"),
    "subject_user": ("SubjectUserName", "LogFileCleared.SubjectUserName"),
    "subject_domain": ("SubjectDomainName", "LogFileCleared.SubjectDomainName"),
    "subject_sid": ("SubjectUserSid", "LogFileCleared.SubjectUserSid"),
    "subject_logon_id": ("SubjectLogonId", "LogonId", "LogFileCleared.SubjectLogonId"),
    "target_user": ("TargetUserName", "user.target.name"),
    "target_domain": ("TargetDomainName", "user.target.domain"),
    "target_sid": ("TargetUserSid", "user.target.id"),
    "target_logon_id": ("TargetLogonId", "winlog.logon.id"),
    "pid": ("NewProcessId", "SourceProcessId", "process.pid", "ProcessId", "ClientProcessId",
            "CallerProcessId"),
    "creator_pid": ("ProcessId",),
    "new_pid": ("NewProcessId",),
    "parent_pid": ("ParentProcessId", "process.parent.pid"),
    "entity_id": ("ProcessGuid", "SourceProcessGuid", "process.entity_id"),
    "parent_entity_id": ("ParentProcessGuid", "process.parent.entity_id"),
    "target_entity_id": ("TargetProcessGuid",),
    "target_pid": ("TargetProcessId",),
    "target_account": ("TargetUser",),
    "address": ("SourceIp", "SourceAddress", "IpAddress", "ClientAddress", "source.ip"),
    "peer": ("DestinationIp", "DestAddress", "destination.ip"),
    "source_port": ("SourcePort", "IpPort", "source.port"),
    "destination_port": ("DestinationPort", "DestPort", "destination.port"),
    "protocol": ("Protocol", "network.transport"),
    "direction": ("Initiated", "Direction", "network.direction"),
    "source_name": ("SourceHostname", "WorkstationName", "Workstation", "ClientName",
                    "source.domain"),
    "file": ("TargetFilename", "ImageLoaded", "RelativeTargetName", "file.path", "dll.path",
             "KeyFilePath", "Path"),
    "object_name": ("ObjectName",),
    "key": ("TargetObject", "registry.path"),
}  # fmt: skip
"""What the rules of ``windows.events`` make columns of -> its paths, the first with a value."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "process_executable": (
        "Image", "SourceImage", "NewProcessName", "ProcessName", "CallerProcessName",
        "Application", "ApplicationPath", "process.executable",
    ),
    "process_command_line": ("CommandLine", "ProcessCommandLine", "process.command_line"),
    "process_working_directory": ("CurrentDirectory", "process.working_directory"),
    "process_parent_executable": (
        "ParentImage", "ParentProcessName", "process.parent.executable",
    ),
    "process_parent_command_line": ("ParentCommandLine", "process.parent.command_line"),
    "destination_domain": ("DestinationHostname", "TargetServerName", "destination.domain"),
    "registry_data": ("Details", "NewValue", "registry.data.strings"),
    "dns_question_name": ("QueryName", "dns.question.name"),
    "winlog_access_mask": ("AccessMask",),
    "winlog_authentication_package": ("AuthenticationPackageName",),
    "winlog_call_trace": ("CallTrace",),
    "winlog_granted_access": ("GrantedAccess",),
    "winlog_hashes": ("Hashes", "Hash"),
    "winlog_image_loaded": ("ImageLoaded", "dll.path"),
    "winlog_integrity_level": ("IntegrityLevel", "MandatoryLabel"),
    "winlog_logon_process": ("LogonProcessName",),
    "winlog_logon_type": ("LogonType",),
    "winlog_member_name": ("MemberName", "MemberSid"),
    "winlog_object_type": ("ObjectType",),
    "winlog_original_file_name": ("OriginalFileName", "process.pe.original_file_name"),
    "winlog_pipe_name": ("PipeName",),
    "winlog_privileges": ("PrivilegeList", "EnabledPrivilegeList"),
    "winlog_record_id": ("EventRecordID", "RecordNumber", "winlog.record_id", "RecordId"),
    "winlog_rule_name": ("RuleName",),
    "winlog_script_block_text": ("ScriptBlockText", "powershell.file.script_block_text"),
    "winlog_service_account": ("ServiceAccount",),
    "winlog_service_command": ("ImagePath", "ServiceFileName"),
    "winlog_service_name": ("ServiceName",),
    "winlog_share_name": ("ShareName",),
    "winlog_signature": ("Signature",),
    "winlog_signature_status": ("SignatureStatus",),
    "winlog_signed": ("Signed",),
    "winlog_start_address": ("StartAddress",),
    "winlog_start_module": ("StartModule",),
    "winlog_status": ("Status",),
    "winlog_sub_status": ("SubStatus",),
    "winlog_target_executable": ("TargetImage",),
    "winlog_task_name": ("TaskName",),
    "winlog_ticket_encryption": ("TicketEncryptionType",),
    "winlog_ticket_options": ("TicketOptions",),
}  # fmt: skip
"""Columns that stand in the log as they are -> their paths, the first with a value."""

_RULED: Mapping[str, str] = {
    "time": "UtcTime of Sysmon; else TimeCreated; else EventTime, its zone told by @timestamp",
    "host_name": "Computer, Hostname",
    "event_provider": "Provider, SourceName, winlog.provider_name; else of Channel",
    "event_code": "EventID, winlog.event_id, event.code",
    "event_action": "the kind that provider and EventID name, such as process-create",
    "event_category": "the ECS category of that kind",
    "event_outcome": "EventType or Keywords: audit success or failure",
    "log_level": "Level, Severity",
    "user_name": "User (of a process), TargetUserName (of a logon), SubjectUserName, AccountName",
    "user_domain": "the domain that goes with it",
    "user_id": "the SID that goes with it",
    "user_target_name": "TargetUserName, but of a logon",
    "process_name": "file name of the executable",
    "process_pid": "ProcessId, SourceProcessId, NewProcessId; of PowerShell, Execution.ProcessID",
    "process_entity_id": "ProcessGuid, SourceProcessGuid, small letters without braces",
    "process_parent_name": "file name of the parent's executable",
    "process_parent_pid": "ParentProcessId; of Security's process creation, ProcessId",
    "process_parent_entity_id": "ParentProcessGuid, small letters without braces",
    "source_ip": "SourceIp, SourceAddress, IpAddress",
    "source_port": "SourcePort, IpPort",
    "source_domain": "SourceHostname, WorkstationName; IpAddress that is none",
    "destination_ip": "DestinationIp, DestAddress",
    "destination_port": "DestinationPort, DestPort",
    "network_transport": "Protocol, a number by its name",
    "network_direction": "Initiated, Direction",
    "file_path": "TargetFilename, ImageLoaded, RelativeTargetName; ObjectName of a file",
    "registry_path": "TargetObject; ObjectName of a key",
    "message": "first line of Message, where the event has no data",
    "labels": "all other data of the event",
    "winlog_channel": "Channel, winlog.channel",
    "winlog_event_type": "EventType of Sysmon",
    "winlog_logon_id": "LogonId, SubjectLogonId; of a logon, TargetLogonId",
    "winlog_object_name": "ObjectName of what is neither file nor key",
    "winlog_subject_user_name": "SubjectUserName of a logon: who asked for it",
    "winlog_target_domain": "TargetDomainName, but of a logon",
    "winlog_target_entity_id": "TargetProcessGuid, small letters without braces",
    "winlog_target_name": "file name of the target's executable",
    "winlog_target_pid": "TargetProcessId",
    "winlog_target_user": "TargetUser",
}

FIELDS: Mapping[str, str] = {
    **_RULED,
    **{name: ", ".join(paths) for name, paths in COLUMNS.items()},
}
"""Every column of a Windows event -> where in the log it comes from."""

EXTENSIONS = pa.schema(
    [
        pa.field(name, pa.int64() if name == "winlog_target_pid" else pa.string())
        for name in sorted(FIELDS)
        if name.startswith("winlog_")
    ]
)
"""The columns of Windows events beyond EVENTS."""
