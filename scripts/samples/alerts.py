"""``alerts/``: what other tools would have said of one made week, a file for each format.

A workstation is phished, its user's account tries passwords on a server and gets in; beside it
stand the daily alerts of scanners, updates and administrators. Addresses are those of
documentation and of private networks, names are invented.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from samples.log import dice

_START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
_COUNT = 120
_HOSTS = ("WS-014.corp.example", "WS-022.corp.example", "FS-01.corp.example", "DC-01.corp.example")
_USERS = ("anna.berg", "jonas.falk", "svc-backup", "mira.holt")
_SCANNERS = ("203.0.113.17", "203.0.113.88", "198.51.100.4", "2001:db8::17")
_SERVERS = ("192.0.2.10", "192.0.2.11", "10.20.1.5", "10.20.1.9")
_WORDS = {1: "informational", 2: "low", 3: "medium", 4: "high", 5: "critical"}


@dataclass(frozen=True)
class _Rule:
    number: int
    name: str
    severity: int  # OCSF
    technique: str
    weight: int


_RULES = (
    _Rule(2001219, "SCAN Potential SSH scan", 3, "T1046", 30),
    _Rule(2013504, "POLICY Package manager user agent outbound", 2, "T1071.001", 40),
    _Rule(2024364, "SCAN Possible web application probe", 3, "T1595.002", 20),
    _Rule(2027863, "INFO Observed DNS query to a .biz domain", 1, "T1071.004", 15),
    _Rule(2210045, "MALWARE Suspicious PowerShell download", 4, "T1059.001", 5),
    _Rule(2210077, "EXPLOIT Credential dumping from LSASS memory", 5, "T1003.001", 2),
)


@dataclass(frozen=True)
class _Alert:
    """One made alert, before a tool writes it."""

    time: datetime
    rule: _Rule
    host: str
    user: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    rng: random.Random


def _alerts(name: str, count: int = _COUNT) -> Iterator[_Alert]:
    rng = dice(f"alerts {name}")
    time = _START
    for _ in range(count):
        time += timedelta(
            seconds=rng.choice((2, 5, 5, 40, 40, 300, 900, 7200)), microseconds=rng.randrange(10**6)
        )
        rule = rng.choices(_RULES, [rule.weight for rule in _RULES])[0]
        yield _Alert(
            time,
            rule,
            rng.choices(_HOSTS, (6, 2, 1, 1))[0],
            rng.choices(_USERS, (6, 2, 1, 1))[0],
            rng.choices(_SCANNERS, (12, 2, 1, 1))[0],
            rng.randrange(1024, 65535),
            rng.choices(_SERVERS, (12, 2, 1, 1))[0],
            rng.choice((22, 80, 443)),
            rng,
        )


def make_all() -> dict[str, bytes]:
    """Returns every sample of alerts, by path under ``sample_logs/``."""
    files = {
        "suricata.json": _lines(_suricata, "suricata"),
        "wazuh.json": _lines(_wazuh, "wazuh"),
        "aminer.json": _lines(_aminer, "aminer"),
        "snort.log": _snort(),
        "hayabusa.jsonl": _lines(_hayabusa, "hayabusa"),
        "chainsaw.jsonl": _lines(_chainsaw, "chainsaw"),
        "zircolite.json": _zircolite(),
        "rsigma.jsonl": _lines(_rsigma, "rsigma"),
        "elastic.jsonl": _lines(_elastic, "elastic"),
        "opensearch.jsonl": _lines(_opensearch, "opensearch"),
        "ocsf.json": _lines(_ocsf, "ocsf"),
        "ait_ads.csv": _ait_ads(),
        "csv.csv": _csv(),
        "csv.toml": _map("edr", ";", "level", "signature"),
        "jsonl.jsonl": _lines(_jsonl, "jsonl"),
        "jsonl.toml": _map("edr", None, "verdict.level", "rule.id"),
    }
    return {f"alerts/{name}": data for name, data in files.items()}


def _lines(write: Callable[[_Alert], dict[str, Any]], name: str) -> bytes:
    return "".join(json.dumps(write(alert)) + "\n" for alert in _alerts(name)).encode()


def _stamp(time: datetime, end: str = "Z", digits: int = 6) -> str:
    text = time.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text[: len(text) - 6 + digits] + end


def _suricata(alert: _Alert) -> dict[str, Any]:
    record: dict[str, Any] = {
        "timestamp": _stamp(alert.time, "+0000"),
        "flow_id": alert.rng.randrange(10**15),
        "in_iface": "eth1",
        "event_type": "alert",
        "src_ip": alert.source,
        "src_port": alert.source_port,
        "dest_ip": alert.destination,
        "dest_port": alert.destination_port,
        "proto": "TCP",
    }
    if alert.rng.random() < 0.2:
        flow = {"pkts_toserver": 9, "pkts_toclient": 7, "bytes_toserver": 804, "state": "closed"}
        return record | {"event_type": "flow", "flow": flow}
    record["alert"] = {
        "action": "allowed",
        "gid": 1,
        "signature_id": alert.rule.number,
        "rev": 3,
        "signature": alert.rule.name,
        "category": "Potentially Bad Traffic",
        "severity": max(1, 5 - alert.rule.severity),
        "metadata": {"mitre_technique_id": [alert.rule.technique], "confidence": ["Medium"]},
    }
    if alert.destination_port == 80:
        web = {"hostname": "shop.example", "url": "/login", "http_method": "GET", "status": 404}
        record |= {"app_proto": "http", "http": web}
    return record


def _wazuh(alert: _Alert) -> dict[str, Any]:
    levels = {1: 3, 2: 5, 3: 8, 4: 12, 5: 15}
    return {
        "timestamp": _stamp(alert.time, "+0000", 3),
        "rule": {
            "level": levels[alert.rule.severity],
            "description": alert.rule.name,
            "id": str(alert.rule.number % 100000),
            "mitre": {"id": [alert.rule.technique], "tactic": ["Discovery"]},
            "firedtimes": alert.rng.randrange(1, 90),
            "groups": ["syslog", "sshd"],
        },
        "agent": {"id": "007", "name": alert.host.split(".")[0].lower(), "ip": "10.20.4.7"},
        "manager": {"name": "wazuh.corp.example"},
        "id": f"{alert.time.timestamp():.0f}.{alert.rng.randrange(10**6)}",
        "decoder": {"name": "sshd"},
        "data": {"srcip": alert.source, "srcport": str(alert.source_port), "dstuser": alert.user},
        "location": "/var/log/auth.log",
    }


def _aminer(alert: _Alert) -> dict[str, Any]:
    return {
        "AnalysisComponent": {
            "AnalysisComponentIdentifier": alert.rule.number % 50,
            "AnalysisComponentType": "NewMatchPathValueDetector",
            "AnalysisComponentName": f"AMiner: {alert.rule.name}.",
            "Message": "New value(s) detected",
            "AffectedLogAtomPaths": ["/model/user"],
            "AffectedLogAtomValues": [alert.user],
        },
        "LogData": {
            "RawLogData": [f"session opened for {alert.user}"],
            "Timestamps": [int(alert.time.timestamp())],
            "DetectionTimestamp": [int(alert.time.timestamp()) + 1],
            "LogLinesCount": 1,
            "LogResources": ["/var/log/auth.log"],
        },
        "AMiner": {"ID": alert.host},
    }


def _snort() -> bytes:
    written = []
    for number, alert in enumerate(_alerts("snort")):
        ends = f"{alert.source}:{alert.source_port} -> {alert.destination}:{alert.destination_port}"
        rule = f"[1:{alert.rule.number}:3] {alert.rule.name}"
        priority = max(1, 5 - alert.rule.severity)
        about = f"[Classification: Attempted Information Leak] [Priority: {priority}]"
        if number % 3 == 0:
            head = f"{alert.time:%m/%d/%y-%H:%M:%S.%f} "
            written.append(f"{head} [**] {rule} [**] {about} {{TCP}} {ends}")
        elif number % 3 == 1:
            head = f"{alert.time:%m/%d/%Y-%H:%M:%S.%f} "
            written.append(f"{head} [**] {rule} [**] {about} {{TCP}} {ends}")
        else:
            head = f"{_stamp(alert.time)} gate snort[812]:"
            written.append(f"{head} {rule} {about} {{TCP}} {ends}")
    return ("\n".join(written) + "\n").encode()


def _hayabusa(alert: _Alert) -> dict[str, Any]:
    short = {1: "info", 2: "low", 3: "med", 4: "high", 5: "crit"}
    return {
        "Timestamp": f"{alert.time:%Y-%m-%d %H:%M:%S}.{alert.time.microsecond // 1000:03} +00:00",
        "RuleTitle": alert.rule.name,
        "Level": short[alert.rule.severity],
        "Computer": alert.host,
        "Channel": "Sysmon",
        "EventID": 1,
        "RecordID": alert.rng.randrange(10**6),
        "Details": {
            "Cmdline": "powershell -nop -w hidden",
            "Proc": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
            "User": "CORP\\" + alert.user,
            "PID": alert.source_port,
        },
        "MitreTags": [alert.rule.technique],
        "RuleID": _uuid(alert.rule.number),
    }


def _chainsaw(alert: _Alert) -> dict[str, Any]:
    system = {"EventID": 1, "Computer": alert.host, "Channel": "Security"}
    data = {"Image": r"C:\Windows\System32\cmd.exe", "User": "CORP\\" + alert.user}
    document = {"Event": {"System": system, "EventData": data}}
    return {
        "group": "Sigma",
        "kind": "individual",
        "document": {"kind": "evtx", "path": "Security.evtx", "data": document},
        "name": alert.rule.name,
        "timestamp": _stamp(alert.time, "+00:00"),
        "authors": ["A. Author"],
        "level": _WORDS[alert.rule.severity],
        "source": "sigma",
        "status": "stable",
        "id": _uuid(alert.rule.number),
        "tags": ["attack.execution", "attack." + alert.rule.technique.lower()],
    }


def _zircolite() -> bytes:
    found: dict[int, dict[str, Any]] = {}
    for alert in _alerts("zircolite"):
        rule = found.setdefault(
            alert.rule.number,
            {
                "title": alert.rule.name,
                "id": _uuid(alert.rule.number),
                "description": "A made rule",
                "sigmafile": f"rule_{alert.rule.number}.yml",
                "sigma": ["SELECT * FROM logs WHERE EventID=1"],
                "rule_level": _WORDS[alert.rule.severity],
                "tags": ["attack." + alert.rule.technique.lower()],
                "count": 0,
                "matches": [],
            },
        )
        match = {
            "row_id": alert.rng.randrange(10**5),
            "EventID": 1,
            "Computer": alert.host,
            "SystemTime": _stamp(alert.time),
            "Image": r"C:\Windows\System32\rundll32.exe",
            "User": "CORP\\" + alert.user,
        }
        rule["matches"].append(match)
        rule["count"] += 1
    return (json.dumps(list(found.values()), indent=4) + "\n").encode()


def _rsigma(alert: _Alert) -> dict[str, Any]:
    event = {
        "UtcTime": f"{alert.time:%Y-%m-%d %H:%M:%S}.{alert.time.microsecond // 1000:03}",
        "Computer": alert.host,
        "User": alert.user,
        "Image": r"C:\Windows\System32\whoami.exe",
        "CommandLine": "whoami /all",
    }
    return {
        "rule_title": alert.rule.name,
        "rule_id": _uuid(alert.rule.number),
        "level": _WORDS[alert.rule.severity],
        "tags": ["attack." + alert.rule.technique.lower()],
        "matched_selections": ["selection"],
        "matched_fields": [{"field": "CommandLine", "value": "whoami /all"}],
        "event": event,
    }


def _elastic(alert: _Alert) -> dict[str, Any]:
    technique = {"id": alert.rule.technique.split(".")[0], "name": "Technique"}
    source = {
        "@timestamp": _stamp(alert.time + timedelta(minutes=5), digits=3),
        "kibana.alert.original_time": _stamp(alert.time, digits=3),
        "kibana.alert.rule.name": alert.rule.name,
        "kibana.alert.rule.rule_id": _uuid(alert.rule.number),
        "kibana.alert.severity": _WORDS[max(2, alert.rule.severity)],
        "kibana.alert.risk_score": 15 * alert.rule.severity,
        "kibana.alert.rule.threat": [{"framework": "MITRE ATT&CK", "technique": [technique]}],
        "kibana.alert.reason": f"{alert.rule.name} by {alert.user}",
        "host": {"name": alert.host},
        "user": {"name": alert.user},
        "process": {"executable": r"C:\Windows\explorer.exe", "pid": alert.source_port},
        "source": {"ip": alert.source},
    }
    index = ".internal.alerts-security.alerts-default-000001"
    return {"_index": index, "_id": f"{alert.rng.getrandbits(64):016x}", "_source": source}


def _opensearch(alert: _Alert) -> dict[str, Any]:
    stamp = int(alert.time.timestamp() * 1000)
    if alert.rng.random() < 0.5:
        return {
            "id": _uuid(alert.rng.randrange(10**6)),
            "monitor_id": "made-monitor",
            "monitor_name": "network",
            "trigger_id": _uuid(alert.rule.number),
            "trigger_name": alert.rule.name,
            "severity": str(6 - alert.rule.severity),
            "state": "ACTIVE",
            "start_time": stamp,
            "last_notification_time": stamp + 60000,
        }
    level = _WORDS[alert.rule.severity]
    query = {
        "id": _uuid(alert.rule.number),
        "name": alert.rule.name,
        "fields": [],
        "query": "message: *failed*",
        "tags": [level, "linux", "attack." + alert.rule.technique.lower()],
    }
    return {
        "detectorId": "made-detector",
        "id": _uuid(alert.rng.randrange(10**6)),
        "related_doc_ids": ["made-document"],
        "index": "linux-2026.03",
        "queries": [query],
        "timestamp": stamp,
    }


def _ocsf(alert: _Alert) -> dict[str, Any]:
    return {
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "activity_id": 1,
        "severity_id": alert.rule.severity,
        "time": int(alert.time.timestamp() * 1000),
        "metadata": {"version": "1.3.0", "product": {"name": "Made EDR", "vendor_name": "Made"}},
        "finding_info": {
            "title": alert.rule.name,
            "uid": _uuid(alert.rng.randrange(10**6)),
            "analytic": {"type_id": 1, "uid": str(alert.rule.number)},
            "attacks": [{"technique": {"uid": alert.rule.technique, "name": "Technique"}}],
        },
        "device": {"hostname": alert.host},
        "actor": {"user": {"name": alert.user}},
        "evidences": [{"src_endpoint": {"ip": alert.source, "port": alert.source_port}}],
    }


def _ait_ads() -> bytes:
    rows = ["time,name,ip,host,short,time_label,event_label"]
    tools = ("Wazuh: ", "Suricata: Alert - ", "AMiner: ")
    for alert in _alerts("ait_ads"):
        tool = alert.rng.choice(tools)
        short = f"{tool[0]}-{alert.rule.number % 1000}"
        label = "attacker_login" if alert.rule.severity > 3 else "-"
        host = alert.host.split(".")[0].lower()
        fields = (f"{alert.time.timestamp():.0f}", tool + alert.rule.name, alert.destination, host)
        rows.append(",".join([*fields, short, "false_positive", label]))
    return ("\n".join(rows) + "\n").encode()


def _csv() -> bytes:
    rows = ["detected;title;signature;level;machine;login;remote"]
    for alert in _alerts("csv"):
        about = (alert.rule.name, f"R{alert.rule.number}", _WORDS[alert.rule.severity])
        rows.append(";".join([_stamp(alert.time), *about, alert.host, alert.user, alert.source]))
    return ("\n".join(rows) + "\n").encode()


def _jsonl(alert: _Alert) -> dict[str, Any]:
    return {
        "detected": int(alert.time.timestamp() * 1000),
        "title": alert.rule.name,
        "rule": {"id": f"R{alert.rule.number}"},
        "verdict": {"level": _WORDS[alert.rule.severity]},
        "machine": alert.host,
        "login": alert.user,
        "remote": alert.source,
    }


def _map(dataset: str, delimiter: str | None, level: str, rule: str) -> bytes:
    head = [f'dataset = "{dataset}"', *([f'delimiter = "{delimiter}"'] if delimiter else [])]
    columns = {
        "time": "detected",
        "rule_name": "title",
        "rule_id": rule,
        "severity": level,
        "host_name": "machine",
        "user_name": "login",
        "source_ip": "remote",
    }
    rows = [f'{column} = "{field}"' for column, field in columns.items()]
    return "\n".join([*head, "", "[columns]", *rows, ""]).encode()


def _uuid(number: int) -> str:
    digits = f"{random.Random(number).getrandbits(128):032x}"  # noqa: S311 - a name, no secret
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
