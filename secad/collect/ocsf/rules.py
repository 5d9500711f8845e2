"""The rules of OCSF events that need more than one field: kinds, who acts, which process is whose.

Texts by part and column enter, as ``ocsf.fields`` names them; the columns of events leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json import lists as json_lists
from secad.collect.json.rules import Columns, address, base_name, kind, url_parts, worded
from secad.collect.ocsf.fields import COLUMNS

_PROCESS, _ACCESSES = "1007", ("3", "4", "5")  # open, inject, set user id: of another process
_SIGN_INS = pa.array(["3002", "3003"])  # here the user is who comes in

# ECS category: class_uid and the name that the class has
_CLASSES: Mapping[str, str] = {
    "file": """1001 file-system-activity, 4010 network-file-activity, 6006 file-hosting-activity,
        2007 application-security-posture-finding""",
    "driver": "1002 kernel-extension-activity",
    "host": """1003 kernel-activity, 1008 event-log-activity, 5001 device-inventory-info,
        5002 device-config-state, 5019 device-config-state-change, 201003 windows-resource-activity,
        201004 windows-service-activity""",
    "process": "1004 memory-activity, 1007 process-activity, 1009 script-activity",
    "library": "1005 module-activity",
    "configuration": "1006 scheduled-job-activity",
    "registry": "201001 registry-key-activity, 201002 registry-value-activity",
    "threat": """2001 security-finding, 2004 detection-finding, 2005 incident-finding,
        2006 data-security-finding""",
    "vulnerability": "2002 vulnerability-finding, 2003 compliance-finding",
    "iam": """3001 account-change, 3004 entity-management, 3005 user-access-management,
        3006 group-management""",
    "authentication": "3002 authentication",
    "session": "3003 authorize-session",
    "network": """4001 network-activity, 4003 dns-activity, 4004 dhcp-activity, 4005 rdp-activity,
        4006 smb-activity, 4007 ssh-activity, 4008 ftp-activity, 4013 ntp-activity,
        4014 tunnel-activity""",
    "web": """4002 http-activity, 6001 web-resources-activity, 6004 web-resource-access-activity""",
    "email": "4009 email-activity, 4011 email-file-activity, 4012 email-url-activity",
    "package": "6002 application-lifecycle, 5020 software-inventory-info",
    "api": "6003 api-activity",
    "database": "6005 datastore-activity",
}
_OUTCOMES = {"success": "success", "1": "success", "failure": "failure", "2": "failure"}
_TRANSPORTS = {
    "1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp",
    "58": "ipv6-icmp", "132": "sctp",
}  # fmt: skip
_DIRECTIONS = {
    "1": "inbound", "2": "outbound", "3": "lateral", "inbound": "inbound", "outbound": "outbound",
    "lateral": "lateral", "ingress": "inbound", "egress": "outbound",
}  # fmt: skip
_JOINED = ("ocsf_finding_types", "ocsf_resources", "ocsf_dns_answers", "ocsf_attacks")
_MILLISECOND = "000000"  # in nanoseconds, behind the digits


def _rows() -> Iterator[tuple[str, str, str]]:
    for category, classes in _CLASSES.items():
        for each in classes.split(","):
            number, name = each.split()
            yield number, name, category


_NUMBERS, _NAMES, _CATEGORIES = (pa.array(column) for column in zip(*_rows(), strict=True))


def columns_of(raw: Columns) -> dict[str, pa.Array]:
    """Returns every column but the time, the place and the labels.

    Args:
        raw: the texts of PARTS and COLUMNS, N of each.
    """
    parts = {
        name: json_lists.joined(text, ",") if name in _JOINED else json_lists.first(text)
        for name, text in raw.items()
    }
    columns = {name: parts[name] for name in COLUMNS}
    columns |= _kinds(parts)
    columns |= _users(parts)
    columns |= _processes(parts)
    columns |= _network(parts)
    whole = url_parts(parts["url"])
    columns |= {name: pc.coalesce(parts[name], text) for name, text in whole.items()}
    return columns


def _kinds(parts: Columns) -> dict[str, pa.Array]:
    place = pc.index_in(parts["class"], _NUMBERS)
    numbered = pc.binary_join_element_wise("class", parts["class"], "-")
    name = pc.coalesce(_NAMES.take(place), kind(parts["class_name"]), numbered)
    told = pc.replace_substring_regex(parts["type_name"], "^[^:]*: *", "")
    activity = pc.coalesce(kind(parts["activity_name"]), kind(told), parts["activity"])
    both = pc.coalesce(pc.binary_join_element_wise(name, activity, "-"), name)
    failed = pc.if_else(pc.is_valid(parts["error"]), "failure", pa.scalar(None, pa.string()))
    outcome = worded(parts["status"], _OUTCOMES)
    other = pc.if_else(pc.is_valid(parts["status"]), "unknown", pa.scalar(None, pa.string()))
    whole = pc.if_else(
        pc.match_substring_regex(parts["duration"], "^[1-9][0-9]{0,11}$"), parts["duration"], None
    )
    return {
        "event_action": pc.coalesce(kind(parts["operation"]), both, "event"),
        "event_category": _CATEGORIES.take(place),
        "event_outcome": pc.coalesce(outcome, failed, other),
        "log_level": pc.utf8_lower(parts["log_level"]),
        "event_duration": pc.binary_join_element_wise(whole, _MILLISECOND, ""),
        "ocsf_class_uid": parts["class"],
    }


def _users(parts: Columns) -> dict[str, pa.Array]:
    """Returns who did it and to whom.

    Of a sign-in the user is who comes in, whoever asked for it; else it is who acts, and another
    user beside them is the target. Who acts may be known by the process alone.
    """
    comes_in = pc.fill_null(pc.is_in(parts["class"], _SIGN_INS), False)
    comes_in = pc.and_(comes_in, pc.is_valid(parts["other_user"]))
    acting = pc.coalesce(parts["actor_user"], parts["actor.user"])
    alone = pc.and_(pc.is_null(acting), pc.is_null(parts["actor_user_id"]))
    is_other = pc.or_(comes_in, alone)
    columns = {
        "user_name": pc.if_else(is_other, parts["other_user"], acting),
        "user_id": pc.if_else(is_other, parts["other_user_id"], parts["actor_user_id"]),
        "user_domain": pc.if_else(is_other, parts["other_user_domain"], parts["actor_user_domain"]),
        "user_target_name": pc.if_else(is_other, None, parts["other_user"]),
    }
    columns["user_name"] = pc.coalesce(
        columns["user_name"], parts["subject.user"], parts["invoker"], columns["user_id"]
    )
    return columns


def _processes(parts: Columns) -> dict[str, pa.Array]:
    """Returns the process, its parent, and the process that it acts on.

    Of a launch or an end the process is the one that begins or ends; where the event does not
    name its parent, who launched it is. Else the process is the one that acts.
    """
    is_process = pc.fill_null(pc.equal(parts["class"], _PROCESS), False)
    accesses = pc.fill_null(pc.is_in(parts["activity"], pa.array(_ACCESSES)), False)
    nobody = np.ones(len(is_process), dtype=np.bool_)
    for part in ("pid", "executable", "name", "entity_id"):
        nobody &= np.asarray(pc.is_null(parts[f"actor.{part}"]))
    own = pc.or_(pc.and_(is_process, pc.invert(accesses)), pa.array(nobody))
    orphan = pa.array(np.ones(len(nobody), dtype=np.bool_))
    for part in ("pid", "executable", "name", "entity_id"):
        orphan = pc.and_(orphan, pc.is_null(parts[f"subject_parent.{part}"]))
    launched = pc.and_(own, pc.and_(orphan, pc.equal(pc.coalesce(parts["activity"], "1"), "1")))
    columns = {}
    for part in ("name", "executable", "command_line", "entity_id", "pid", "working_directory"):
        text = pc.if_else(own, parts[f"subject.{part}"], parts[f"actor.{part}"])
        above = pc.if_else(own, parts[f"subject_parent.{part}"], parts[f"actor_parent.{part}"])
        columns[f"process_{part}"] = text
        columns[f"process_parent_{part}"] = pc.if_else(launched, parts[f"actor.{part}"], above)
    del columns["process_parent_working_directory"]
    for who in ("process", "process_parent"):
        named = base_name(columns[f"{who}_executable"])
        columns[f"{who}_name"] = pc.coalesce(columns[f"{who}_name"], named)
    for part in ("entity_id", "executable", "pid"):
        target = pc.if_else(own, None, parts[f"subject.{part}"])
        columns[f"ocsf_target_process_{part}"] = target
    return columns


def _network(parts: Columns) -> dict[str, pa.Array]:
    source, source_name = address(parts["source_host"])
    destination, destination_name = address(parts["destination_host"])
    number = worded(parts["protocol_number"], _TRANSPORTS)
    told = pc.utf8_lower(parts["network_transport"])
    return {
        "source_ip": pc.coalesce(parts["source_ip"], source),
        "source_domain": source_name,
        "destination_ip": pc.coalesce(parts["destination_ip"], destination),
        "destination_domain": destination_name,
        "network_transport": pc.coalesce(told, number),
        "network_direction": pc.coalesce(
            worded(parts["direction_id"], _DIRECTIONS), worded(parts["direction"], _DIRECTIONS)
        ),
        "network_protocol": pc.utf8_lower(parts["network_protocol"]),
        "dns_question_name": pc.utf8_rtrim(parts["dns_question_name"], "."),
    }
