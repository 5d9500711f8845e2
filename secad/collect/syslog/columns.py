"""The columns of syslog events: what a line's frame fills, what the phrases of its message fill.

Every format whose lines are syslog lines, or say the same in a framing of their own (BIND's log
files), has these columns and the dataset ``syslog``, so that models learn them together.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from secad.base.schemas import ECS, LABELS

RULES_FOLDER = "syslog"
DATASET = "syslog"

FRAME_FIELDS = {
    "time": "the line's, of the latest year that fits where it has none",
    "host_name": "the host",
    "process_name": "the program, without its path and its PAM module",
    "process_pid": "the number in [] behind the program",
    "log_level": "the severity in the priority",
    "syslog_facility": "the facility in the priority",
    "syslog_message_id": "RFC 5424's MSGID; the number or word of Cisco's %ASA-6-302013",
    "syslog_repeat_count": "N of 'message repeated N times'",
    "event_action": "the phrase's, else the program without digits",
    "message": "what follows the program",
    "labels": "RFC 5424's structured data, as id.name",
}

PHRASE_FIELDS = (
    "event_category",
    "event_outcome",
    "service_name",
    "rule_name",
    "user_name",
    "user_domain",
    "user_id",
    "user_effective_name",
    "user_target_name",
    "session_id",
    "process_command_line",
    "process_working_directory",
    "source_ip",
    "source_domain",
    "source_port",
    "source_bytes",
    "destination_ip",
    "destination_domain",
    "destination_port",
    "network_transport",
    "network_protocol",
    "network_direction",
    "dns_question_name",
    "file_path",
    "syslog_tty",
    "syslog_auth_method",
    "syslog_key_fingerprint",
    "syslog_group",
    "syslog_reason",
    "syslog_dns_type",
    "syslog_dns_answer",
    "syslog_interface_in",
    "syslog_interface_out",
    "syslog_mac",
    "syslog_mail_id",
    "syslog_mail_from",
    "syslog_mail_to",
    "syslog_mail_status",
)

EXTENSIONS = pa.schema(
    [
        *(
            pa.field(name, pa.string())
            for name in ("syslog_facility", "syslog_message_id", *PHRASE_FIELDS)
            if name.startswith("syslog_")
        ),
        pa.field("syslog_repeat_count", pa.int64()),
    ]
)

FIELDS: Mapping[str, str] = {
    **FRAME_FIELDS,
    **dict.fromkeys(PHRASE_FIELDS, f"a slot of rules/{RULES_FOLDER}"),
}

COLUMNS = tuple(name for name in FIELDS if name != "time")


def type_of(name: str) -> pa.DataType:
    """Returns the type of a column."""
    if name in {"message", "labels"}:
        return LABELS if name == "labels" else pa.string()
    return (ECS if name in ECS.names else EXTENSIONS).field(name).type


INTEGERS = frozenset(name for name in COLUMNS if pa.types.is_int64(type_of(name)))
ADDRESSES = frozenset(name for name in COLUMNS if name.endswith("_ip"))
