"""The tables that rooms hand to each other, as Arrow schemas, and ``conform()``, each room's door.

Column names follow the Elastic Common Schema with ``_`` for ``.``; severities are OCSF numbers
(1 informational to 6 fatal); times are UTC in microseconds.
"""

from __future__ import annotations

import pyarrow as pa

from secad.base.errors import SchemaError

TIME = pa.timestamp("us", tz="UTC")
EVENT_ID = pa.binary(16)
LABELS = pa.map_(pa.string(), pa.string())

LINES = pa.schema(
    [
        pa.field("raw", pa.binary(), nullable=False),  # one record's bytes, no line ending
        pa.field("line", pa.int64(), nullable=False),  # 1-based; for binary files the record number
        pa.field("byte_offset", pa.int64(), nullable=False),  # in the decompressed stream
        pa.field("byte_length", pa.int64(), nullable=False),  # without the line ending
    ]
)
"""What a transport hands to a format: one row per line (or framed record) of one source."""

LOCATOR = pa.schema([LINES.field("line"), LINES.field("byte_offset"), LINES.field("byte_length")])
"""The columns by which an event points back into its source."""

_ECS_TEXT = (
    "host_name",
    "event_provider",
    "event_code",
    "event_action",  # the kind of event, few values; with dataset and provider it names a view
    "event_category",
    "event_outcome",  # success | failure | unknown
    "log_level",
    "log_logger",
    "service_name",
    "cloud_account_id",
    "cloud_region",
    "rule_name",  # what another tool or a firewall calls the rule that fired
    "user_name",
    "user_domain",
    "user_id",
    "user_effective_name",
    "user_target_name",
    "session_id",
    "process_name",
    "process_executable",
    "process_entity_id",
    "process_command_line",
    "process_working_directory",
    "process_parent_name",
    "process_parent_executable",
    "process_parent_entity_id",
    "process_parent_command_line",
    "source_ip",
    "source_domain",
    "destination_ip",
    "destination_domain",
    "network_transport",
    "network_protocol",  # of the application: dns, http, tls
    "network_direction",
    "file_path",
    "registry_path",
    "registry_data",
    "dns_question_name",
    "http_request_method",
    "http_version",
    "http_request_referrer",
    "url_path",
    "url_query",
    "url_domain",
    "user_agent_original",
)
_ECS_INTEGER = (
    "process_pid",
    "process_parent_pid",
    "source_port",
    "destination_port",
    "http_response_status_code",
    "http_response_bytes",
    "source_bytes",
    "destination_bytes",
    "event_duration",  # nanoseconds
)

ECS = pa.schema(
    [pa.field(name, pa.string()) for name in _ECS_TEXT]
    + [pa.field(name, pa.int64()) for name in _ECS_INTEGER]
)
"""The entity columns that models may read; a format fills those it knows."""

EVENTS = pa.schema(
    [
        pa.field("event_id", EVENT_ID, nullable=False),
        pa.field("time", TIME, nullable=False),
        pa.field("ingested_time", TIME, nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),  # hex of the source's identity
        pa.field("source_path", pa.string(), nullable=False),
        *LOCATOR,
        *ECS,
        pa.field("template_id", pa.string()),
        pa.field("template_params", pa.list_(pa.string())),
        pa.field("message", pa.string()),
        pa.field("labels", LABELS),  # what no column foresaw
    ]
)
"""One row per event. A dataset's partition stores only the columns that its format fills, and
the format's extension columns beside them; a reader gets what it asks for, null where absent."""

PARSED = pa.schema(
    [EVENTS.field("time"), *LOCATOR, *ECS, EVENTS.field("message"), EVENTS.field("labels")]
)
"""What a format may return; it leaves out the columns that it never fills, save time and place."""

ALERT_FIELDS = pa.schema(
    [
        pa.field("alert_detector", pa.string()),  # the tool: suricata, wazuh, ...
        pa.field("alert_rule_id", pa.string()),  # rule_name is its name
        pa.field("alert_severity", pa.int64()),  # OCSF 1 to 6
        pa.field("alert_score", pa.float64()),  # the tool's own number, higher is graver
        pa.field("alert_techniques", pa.string()),  # ATT&CK ids, sorted, a comma between
    ]
)
"""What another tool's alert says beyond the columns of an event; an alert format fills them."""

OCCURRENCES = pa.schema(
    [
        *EVENTS,
        *ALERT_FIELDS,
        pa.field("alert_fingerprint", pa.string(), nullable=False),
        pa.field("alert_sha256", pa.string()),  # of the raw record; only where it may be evidence
    ]
)
"""One row per alert that another tool wrote. Which row of ALERTS it belongs to follows from its
fingerprint and its time: the episodes of a fingerprint do not overlap."""

REJECTS = pa.schema(
    [
        pa.field("source_path", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("byte_offset", pa.int64(), nullable=False),
        pa.field("error", pa.string(), nullable=False),
        pa.field("raw", pa.binary()),  # capped
    ]
)
"""One row per record that could not be normalised, with the reason."""

SCORES = pa.schema(
    [
        pa.field("subject", pa.binary(), nullable=False),
        pa.field("view", pa.string(), nullable=False),  # scores calibrate within one view
        pa.field("member_ids", pa.list_(EVENT_ID), nullable=False),
        pa.field("time_start", TIME, nullable=False),
        pa.field("time_end", TIME, nullable=False),
        pa.field("score", pa.float64(), nullable=False),  # higher is more anomalous
    ]
)
"""One row per scored subject (event, path, edge, call or alert)."""

EXPLANATIONS = pa.schema(
    [
        pa.field("subject", pa.binary(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # one sentence
        pa.field(
            "evidence",
            pa.list_(
                pa.struct(
                    [
                        pa.field("name", pa.string()),  # the columns at odds, "a × b" for a pair
                        pa.field("value", pa.string()),
                        pa.field("expected", pa.string()),
                        pa.field("weight", pa.float64()),  # share of the score, same unit
                    ]
                )
            ),
            nullable=False,
        ),
    ]
)
"""One row per explained subject."""


_EVIDENCE = pa.struct(
    [
        pa.field("event_id", EVENT_ID),
        pa.field("time", TIME),
        pa.field("source_id", pa.string()),
        pa.field("source_path", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("byte_offset", pa.int64()),
        pa.field("byte_length", pa.int64()),
        pa.field("sha256", pa.string()),  # of the raw record; null where the source is gone
        pa.field("contribution", pa.float64()),  # the event's score
    ]
)

ALERTS = pa.schema(
    [
        pa.field(
            "alert_id", pa.string(), nullable=False
        ),  # digest of detector, fingerprint, episode
        pa.field("fingerprint", pa.string(), nullable=False),
        pa.field("fingerprint_key", pa.map_(pa.string(), pa.string()), nullable=False),  # in clear
        pa.field("detector", pa.string(), nullable=False),
        pa.field("model_id", pa.string()),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("view", pa.string(), nullable=False),
        pa.field("time_start", TIME, nullable=False),
        pa.field("time_end", TIME, nullable=False),
        pa.field("count", pa.int64(), nullable=False),  # member events
        pa.field("severity", pa.int8(), nullable=False),  # OCSF 1 to 6
        pa.field("score", pa.float64(), nullable=False),
        pa.field("p_value", pa.float64()),  # null where another tool raised it
        pa.field("p_extrapolated", pa.bool_(), nullable=False),  # from the fitted tail
        pa.field("reason", pa.string(), nullable=False),
        pa.field("badges", pa.list_(pa.string()), nullable=False),  # "cold start", ...
        pa.field(
            "entities",
            pa.list_(
                pa.struct(
                    [
                        pa.field("type", pa.string()),  # host | user | process | ip | file | ...
                        pa.field("value", pa.string()),
                        pa.field("role", pa.string()),  # the EVENTS column it comes from
                    ]
                )
            ),
            nullable=False,
        ),
        pa.field("techniques", pa.list_(pa.string()), nullable=False),  # ATT&CK ids
        pa.field("explanation", EXPLANATIONS.field("evidence").type, nullable=False),
        pa.field("evidence", pa.list_(_EVIDENCE), nullable=False),  # strongest first, capped
    ]
)
"""One row per fingerprint and episode, as scoring makes it and the alert store keeps it."""


def empty(schema: pa.Schema) -> pa.Table:
    """Returns a table of no rows."""
    return schema.empty_table()


def conform(table: pa.Table, schema: pa.Schema, *, room: str) -> pa.Table:
    """Returns ``table`` with exactly the columns of ``schema``, in order and type.

    A missing nullable column is filled with nulls; columns beyond the schema are left out.

    Args:
        table: any number of rows.
        schema: the columns that the room reads.
        room: who asks, for the message.

    Raises:
        SchemaError: a column that may not be null is missing or holds nulls, or a type differs
            and does not cast without loss.
    """
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            if not field.nullable:
                raise SchemaError(
                    f"{room} needs column {field.name!r} ({field.type}), the table has "
                    f"{', '.join(table.column_names) or 'no columns'}"
                )
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(field.name)
        if not column.type.equals(field.type):
            try:
                column = column.cast(field.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise SchemaError(
                    f"{room} needs column {field.name!r} as {field.type}, not {column.type}"
                ) from error
        if not field.nullable and column.null_count:
            raise SchemaError(f"{room}: column {field.name!r} holds {column.null_count} nulls")
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)
