"""``ocsf.json``: a day of a made company in OCSF, as a security lake gathers it, one event a line.

The cloud account's calls and sign-ins, flows and DNS queries of its network, processes and files of
two endpoints, web requests, a finding. At night someone with a key that leaked from a repository
looks around in the account, makes a user with all rights, and reads a bucket empty.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

from samples.log import Log, Sample, after, at, dice, moments, utc

_DAY = 1
_ACCOUNT, _REGION = "123456789012", "eu-central-1"
_WHY = "a leaked key is used to look around, make an admin and read a bucket"
_CLASSES = {
    1001: ("File System Activity", 1),
    1007: ("Process Activity", 1), 2004: ("Detection Finding", 2),
    3001: ("Account Change", 3), 3002: ("Authentication", 3), 4001: ("Network Activity", 4),
    4002: ("HTTP Activity", 4), 4003: ("DNS Activity", 4), 6003: ("API Activity", 6),
}  # fmt: skip
_PEOPLE = {"ana": "10.4.2.7", "kim": "10.4.1.31", "omar": "10.4.1.44"}
_CALLS = {"DescribeInstances": ("ec2", 2, "Read"), "ListBuckets": ("s3", 2, "Read"),
          "GetObject": ("s3", 2, "Read"), "PutObject": ("s3", 1, "Create"),
          "AssumeRole": ("sts", 99, "Other"), "RunInstances": ("ec2", 1, "Create")}  # fmt: skip
_PROGRAMS = {
    "bash": "/usr/bin/bash", "python3": "/usr/bin/python3.12", "git": "/usr/bin/git",
    "ls": "/usr/bin/ls", "docker": "/usr/bin/docker",
}  # fmt: skip


class _Lake:
    """The log in the making, with what every event of the schema carries."""

    def __init__(self) -> None:
        self.log = Log()

    def add(
        self,
        time: datetime,
        kind: tuple[int, int, str],
        product: tuple[str, str],
        body: dict[str, Any],
        *,
        why: str | None = None,
    ) -> None:
        class_uid, activity, activity_name = kind
        name, category = _CLASSES[class_uid]
        event = {
            "metadata": {"product": {"name": product[0], "vendor_name": product[1]},
                         "version": "1.1.0", "profiles": ["cloud"]},
            "time": int(utc(time).timestamp() * 1000),
            "class_uid": class_uid, "class_name": name, "category_uid": category,
            "activity_id": activity, "activity_name": activity_name,
            "type_uid": class_uid * 100 + activity, "type_name": f"{name}: {activity_name}",
            "severity_id": 1, "severity": "Informational",
        }  # fmt: skip
        self.log.add(time, json.dumps(event | body, separators=(",", ":")), why=why)


def make() -> Sample:
    """Returns ``ocsf.json``."""
    out = _Lake()
    _calls(out, dice("ocsf calls"))
    _sign_ins(out, dice("ocsf sign-ins"))
    _flows(out, dice("ocsf flows"))
    _names(out, dice("ocsf names"))
    _endpoints(out, dice("ocsf endpoints"))
    _web(out, dice("ocsf web"))
    _leaked_key(out, dice("ocsf leaked key"))
    return out.log.sample("ocsf.json")


def _call(
    out: _Lake,
    time: datetime,
    who: tuple[str, str],
    operation: str,
    more: dict[str, Any] | None = None,
    *,
    why: str | None = None,
) -> None:
    service, activity, name = _CALLS.get(operation, ("iam", 1, "Create"))
    body = {
        "actor": {"user": {"type": "IAMUser", "name": who[0], "account": {"uid": _ACCOUNT},
                           "uid": f"arn:aws:iam::{_ACCOUNT}:user/{who[0]}"},
                  "session": {"is_mfa": why is None}},
        "api": {"operation": operation, "service": {"name": f"{service}.amazonaws.com"},
                "request": {"uid": f"{dice(str(time)).randrange(16**12):012x}"}},
        "cloud": {"provider": "AWS", "region": _REGION},
        "src_endpoint": {"ip": who[1]},
        "http_request": {"user_agent": "aws-cli/2.24.1" if why is None else "Boto3/1.35.10"},
        "status": "Success", "status_id": 1,
    }  # fmt: skip
    number = 3001 if operation == "CreateUser" else 6003
    kind = (number, activity, name)
    out.add(time, kind, ("CloudTrail", "AWS"), body | (more or {}), why=why)


def _calls(out: _Lake, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 7, 18, 34):
        name = rng.choice(list(_PEOPLE))
        operation = rng.choice(list(_CALLS))
        more: dict[str, Any] = {}
        if rng.randrange(9) == 0:
            more = {"api": {"operation": operation, "service": {"name": "ec2.amazonaws.com"},
                            "response": {"error": "UnauthorizedOperation"}},
                    "status": "Failure", "status_id": 2}  # fmt: skip
        _call(out, time, (name, "198.51.100.20"), operation, more)


def _sign_ins(out: _Lake, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 7, 10, 9):
        name = rng.choice(list(_PEOPLE))
        good = rng.randrange(4) > 0
        body = {
            "user": {"name": name, "uid": f"u-{len(name)}0{name[0]}", "type": "User"},
            "actor": {"invoked_by": "console"},
            "src_endpoint": {"ip": "198.51.100.20"}, "is_mfa": True, "logon_type": "Interactive",
            "cloud": {"account": {"uid": _ACCOUNT}, "provider": "AWS", "region": _REGION},
            "status": "Success" if good else "Failure", "status_id": 1 if good else 2,
        }  # fmt: skip
        out.add(time, (3002, 1, "Logon"), ("CloudTrail", "AWS"), body)


def _flows(out: _Lake, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 6, 20, 36):
        port = rng.choice((443, 443, 53, 5432, 22))
        allowed = rng.randrange(8) > 0
        body = {
            "cloud": {"account": {"uid": _ACCOUNT}, "provider": "AWS", "region": _REGION},
            "src_endpoint": {"ip": rng.choice(list(_PEOPLE.values())),
                             "port": rng.randrange(32_768, 60_000), "vpc_uid": "vpc-0a1b2c3d"},
            "dst_endpoint": {"ip": f"10.8.0.{rng.randrange(10, 14)}", "port": port,
                             "instance_uid": "i-0f00ba4", "interface_uid": "eni-0c0ffee"},
            "connection_info": {"protocol_num": 17 if port == 53 else 6, "direction_id": 1,
                                "direction": "Inbound", "protocol_ver": "IPv4"},
            "traffic": {"bytes": rng.randrange(100, 90_000), "packets": rng.randrange(1, 90)},
            "duration": rng.randrange(1000, 60_000),
            "action": "Allowed" if allowed else "Denied", "status_code": "OK",
            "disposition": "Allowed" if allowed else "Blocked",
        }  # fmt: skip
        out.add(time, (4001, 6, "Traffic"), ("Amazon VPC", "AWS"), body)


def _names(out: _Lake, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 6, 20, 24):
        name = rng.choice(("db.corp.example", "git.corp.example", "api.partner.example"))
        body = {
            "cloud": {"account_uid": _ACCOUNT, "provider": "AWS", "region": _REGION},
            "query": {"hostname": f"{name}.", "type": "A", "class": "IN"},
            "answers": [{"class": "IN", "rdata": "10.8.0.12", "type": "A"}],
            "rcode": "NoError", "rcode_id": 0, "connection_info": {"protocol_name": "UDP"},
            "src_endpoint": {"ip": "10.8.0.11", "port": str(rng.randrange(32_768, 60_000))},
        }  # fmt: skip
        out.add(time, (4003, 2, "Response"), ("Route 53", "AWS"), body)


def _endpoints(out: _Lake, rng: random.Random) -> None:
    for number, time in enumerate(moments(rng, _DAY, 8, 18, 30)):
        name = rng.choice(list(_PEOPLE))
        program = rng.choice(list(_PROGRAMS))
        above = {"pid": 811, "uid": f"{name}-811", "file": {"path": "/usr/bin/bash",
                                                            "name": "bash"}}  # fmt: skip
        process = {
            "pid": 3000 + number, "uid": f"{name}-{3000 + number}", "name": program,
            "cmd_line": f"{program} --help" if number % 3 else program,
            "file": {"path": _PROGRAMS[program], "name": _PROGRAMS[program].rpartition("/")[2]},
            "created_time": int(utc(time).timestamp() * 1000),
        }  # fmt: skip
        host = {"hostname": f"lt-{name}", "ip": _PEOPLE[name], "os": {"name": "Linux"}}
        body: dict[str, Any] = {"device": host, "actor": {"process": above, "user": {"name": name}}}
        if number % 5 == 4:
            body["actor"]["process"] = process | {"parent_process": above}
            body["file"] = {"path": f"/home/{name}/notes-{number}.txt", "name": "notes.txt"}
            kind = (1001, 1, "Create")
        else:
            body["process"] = process
            kind = (1007, 1, "Launch")
        out.add(time, kind, ("Endpoint Sensor", "Sensor Example"), body)


def _web(out: _Lake, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 8, 18, 16):
        path = rng.choice(("/", "/orders", "/orders/17", "/login"))
        body = {
            "src_endpoint": {"ip": f"203.0.113.{rng.randrange(2, 60)}"},
            "http_request": {"http_method": "GET", "version": "HTTP/2.0",
                             "url": {"path": path, "hostname": "shop.example", "query_string": ""},
                             "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/147.0"},
            "http_response": {"code": 200, "length": rng.randrange(400, 20_000)},
            "disposition": "Allowed",
        }  # fmt: skip
        out.add(time, (4002, 3, "Get"), ("AWS WAF", "AWS"), body)


def _leaked_key(out: _Lake, rng: random.Random) -> None:
    time, who = at(_DAY, "23:12:08.100"), ("svc-reports", "192.0.2.213")
    for operation in ("GetCallerIdentity", "ListBuckets", "DescribeInstances", "CreateUser",
                      "AttachUserPolicy", "GetObject", "GetObject", "GetObject"):  # fmt: skip
        more = {"user": {"name": "backup-admin"}} if operation == "CreateUser" else None
        _call(out, time, who, operation, more, why=_WHY)
        time = after(time, rng, 900, 20_000)
    finding = {
        "finding_info": {"title": "Credential access from an unusual network", "uid": "f-0017",
                         "types": ["CredentialAccess"], "desc": "A key is used from a new network"},
        "src_endpoint": {"ip": who[1]}, "severity_id": 4, "severity": "High",
        "cloud": {"account": {"uid": _ACCOUNT}, "provider": "AWS", "region": _REGION},
        "resources": [{"type": "AwsIamAccessKey", "uid": "svc-reports"}],
    }  # fmt: skip
    kind = (2004, 1, "Create")
    out.add(time + timedelta(minutes=4), kind, ("GuardDuty", "AWS"), finding, why=_WHY)
