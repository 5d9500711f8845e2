from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import lines_of
from secad.collect.formats.jsonl import JsonLines
from secad.collect.formats.windows import WindowsJson
from secad.collect.windows.kinds import kinds

CONTEXT = ParseContext(datetime(2026, 11, 20, tzinfo=UTC))
FORM = WindowsJson()
GUID = "{14475CD4-5CF8-5F9B-7801-000000000500}"

DATA = {
    "UtcTime": "2026-03-02 10:15:00.123",
    "ProcessGuid": GUID,
    "ProcessId": "3752",
    "Image": r"C:\Windows\System32\cmd.exe",
    "CommandLine": "cmd /c whoami",
    "CurrentDirectory": "C:\\",
    "User": r"CORP\ann",
    "IntegrityLevel": "High",
    "Hashes": "SHA1=00",
    "ParentProcessGuid": GUID,
    "ParentProcessId": "7804",
    "ParentImage": r"C:\Windows\explorer.exe",
    "ParentCommandLine": "explorer",
    "RuleName": "-",
    "Company": "ACME",
}
CHANNEL, PROVIDER = "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon"
FLAT = {
    **DATA,
    "EventID": 1, "Channel": CHANNEL, "SourceName": PROVIDER, "Hostname": "ws1.corp",
    "EventTime": "2026-03-02 05:15:00", "EventReceivedTime": "2026-03-02 05:15:02",
    "@timestamp": "2026-03-02T10:15:03.000Z", "RecordNumber": 9, "Severity": "INFO",
    "Message": "Process Create:\r\nRuleName: -", "EventType": "INFO",
}  # fmt: skip
WINLOGBEAT = {
    "@timestamp": "2026-03-02T10:15:00.200Z",
    "host": {"name": "ws1.corp"},
    "agent": {"type": "winlogbeat"},
    "log": {"level": "information"},
    "message": "Process Create:\nRuleName: -",
    "winlog": {
        "event_id": 1, "channel": CHANNEL, "provider_name": PROVIDER, "record_id": 9,
        "computer_name": "ws1.corp", "event_data": DATA, "user": {"name": "SYSTEM"},
    },
}  # fmt: skip
ECS = {
    "@timestamp": "2026-03-02T10:15:00.123Z",
    "event": {"code": "1", "provider": PROVIDER, "kind": "event", "module": "sysmon"},
    "host": {"name": "ws1.corp"},
    "log": {"level": "information"},
    "user": {"name": "ann", "domain": "CORP"},
    "process": {
        "entity_id": GUID, "pid": 3752, "executable": DATA["Image"],
        "command_line": DATA["CommandLine"], "working_directory": "C:\\",
        "parent": {
            "entity_id": GUID, "pid": 7804, "executable": DATA["ParentImage"],
            "command_line": "explorer",
        },
    },
    "winlog": {
        "channel": CHANNEL, "record_id": "9",
        "event_data": {"IntegrityLevel": "High", "Hashes": "SHA1=00", "Company": "ACME"},
    },
}  # fmt: skip
EVENT = {
    "Event": {
        "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
        "System": {
            "Provider": {"#attributes": {"Name": PROVIDER, "Guid": "x"}},
            "EventID": 1, "Level": 4, "EventRecordID": 9, "Channel": CHANNEL,
            "Computer": "ws1.corp", "Correlation": None,
            "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T10:15:00.200000Z"}},
            "Execution": {"#attributes": {"ProcessID": 1, "ThreadID": 2}},
            "Security": {"#attributes": {"UserID": "S-1-5-18"}},
        },
        "EventData": DATA,
    }
}  # fmt: skip
FORMS = {"flat": FLAT, "winlogbeat": WINLOGBEAT, "ecs": ECS, "event": EVENT}


def parse(*records: dict[str, Any], context: ParseContext = CONTEXT) -> Parsed:
    return FORM.parse(lines_of("\n".join(map(json.dumps, records)).encode()), context)


def event(record: dict[str, Any], context: ParseContext = CONTEXT) -> dict[str, Any]:
    parsed = parse(record, context=context)
    assert parsed.events.num_rows == 1, parsed.rejects.to_pylist()
    return {name: value for name, value in parsed.events.to_pylist()[0].items() if value != []}


def security(code: int, **data: Any) -> dict[str, Any]:
    provider = "Microsoft-Windows-Security-Auditing"
    return {
        "EventID": code, "Channel": "Security", "SourceName": provider, "Hostname": "dc1",
        "@timestamp": "2026-03-02T10:00:00Z", "Keywords": -9214364837600034816, **data,
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_one_event_in_four_forms_gives_the_same_columns(form: str) -> None:
    found = {name: value for name, value in event(FORMS[form]).items() if value is not None}
    assert found.pop("time") == datetime(2026, 3, 2, 10, 15, 0, 123000, tzinfo=UTC)
    for name in ("line", "byte_offset", "byte_length"):
        found.pop(name)
    assert found == {
        "host_name": "ws1.corp",
        "event_provider": PROVIDER,
        "event_code": "1",
        "event_action": "process-create",
        "event_category": "process",
        "log_level": "information",
        "user_name": "ann",
        "user_domain": "CORP",
        "process_name": "cmd.exe",
        "process_executable": DATA["Image"],
        "process_pid": 3752,
        "process_entity_id": "14475cd4-5cf8-5f9b-7801-000000000500",
        "process_command_line": "cmd /c whoami",
        "process_working_directory": "C:\\",
        "process_parent_name": "explorer.exe",
        "process_parent_executable": DATA["ParentImage"],
        "process_parent_pid": 7804,
        "process_parent_entity_id": "14475cd4-5cf8-5f9b-7801-000000000500",
        "process_parent_command_line": "explorer",
        "winlog_channel": CHANNEL,
        "winlog_record_id": "9",
        "winlog_hashes": "SHA1=00",
        "winlog_integrity_level": "High",
        "labels": [("Company", "ACME")],
    }


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_recognised_and_more_surely_than_as_plain_json(form: str) -> None:
    head = (json.dumps(FORMS[form]) + "\n").encode() * 3
    assert FORM.matches(head) >= 0.95
    assert JsonLines().matches(head) <= 0.5


def test_other_json_is_not_taken_for_windows() -> None:
    others: list[dict[str, Any]] = [
        {"eventid": "cowrie.login.success", "sensor": "x", "timestamp": "2026-03-02T10:00:00Z"},
        {"@timestamp": "2026-03-02T10:00:00Z", "host": {"name": "x"}, "event": {"code": "1"}},
        {"EventID": 1, "when": "2026-03-02"},
        {"system": {"cpu": 1}, "time": 1},
        {"eventVersion": "1.08", "eventName": "GetObject", "eventSource": "s3.amazonaws.com"},
    ]
    for other in others:
        assert FORM.matches(json.dumps(other).encode() + b"\n") == 0
    assert FORM.matches(b"Mar  2 10:00:00 host sshd[1]: EventID Channel\n") == 0


def test_a_first_line_longer_than_the_head_is_recognised_by_its_keys() -> None:
    record = {**FLAT, "ScriptBlockText": "x" * 70_000}
    assert FORM.matches(json.dumps(record).encode()[:65536]) >= 0.8


def test_sysmons_process_access_names_source_and_target() -> None:
    found = event(
        {
            "EventID": 10, "Channel": CHANNEL, "SourceName": PROVIDER, "Hostname": "ws1",
            "UtcTime": "2026-03-02 10:15:00.123", "SourceProcessGUID": GUID,
            "SourceProcessId": "948", "SourceImage": r"C:\a\evil.exe", "TargetProcessGUID": GUID,
            "TargetProcessId": "700", "TargetImage": r"C:\Windows\System32\lsass.exe",
            "GrantedAccess": "0x1010", "CallTrace": r"C:\ntdll.dll+9c584|UNKNOWN(0001)",
            "SourceUser": r"CORP\ann", "TargetUser": r"NT AUTHORITY\SYSTEM",
            "AccountName": "SYSTEM", "Domain": "NT AUTHORITY", "AccountType": "User",
        }
    )  # fmt: skip
    expected = {
        "event_action": "process-access", "process_name": "evil.exe", "process_pid": 948,
        "user_name": "ann", "user_domain": "CORP", "winlog_target_name": "lsass.exe",
        "winlog_target_pid": 700, "winlog_target_user": r"NT AUTHORITY\SYSTEM",
        "winlog_granted_access": "0x1010", "winlog_call_trace": r"C:\ntdll.dll+9c584|UNKNOWN(0001)",
        "winlog_target_entity_id": "14475cd4-5cf8-5f9b-7801-000000000500",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_securitys_process_creation_has_the_parent_in_process_id() -> None:
    found = event(
        security(
            4688, NewProcessId="0x1858", NewProcessName=r"C:\a\b.exe", ProcessId="0x6a4",
            ParentProcessName=r"C:\Windows\cmd.exe", SubjectUserName="ann",
            SubjectDomainName="CORP", TargetUserName="-", SubjectLogonId="0x2b78cd",
        )
    )  # fmt: skip
    assert (found["process_pid"], found["process_parent_pid"]) == (0x1858, 0x6A4)
    assert (found["process_name"], found["process_parent_name"]) == ("b.exe", "cmd.exe")
    assert (found["user_name"], found["user_target_name"]) == ("ann", None)
    assert found["event_outcome"] == "success"
    assert found["winlog_logon_id"] == "0x2b78cd"


def test_of_a_logon_the_user_is_who_logs_on() -> None:
    found = event(
        security(
            4624, SubjectUserName="DC1$", SubjectDomainName="CORP", TargetUserName="ann",
            TargetDomainName="CORP.LOCAL", TargetUserSid="S-1-5-21-1", TargetLogonId="0xa6",
            LogonType="3", IpAddress="::ffff:10.0.0.5", IpPort="56567", LogonProcessName="Advapi  ",
        )
    )  # fmt: skip
    assert (found["user_name"], found["user_domain"]) == ("ann", "CORP.LOCAL")
    assert (found["user_id"], found["winlog_logon_id"]) == ("S-1-5-21-1", "0xa6")
    assert (found["user_target_name"], found["winlog_subject_user_name"]) == (None, "DC1$")
    assert (found["source_ip"], found["source_port"]) == ("10.0.0.5", 56567)
    assert found["winlog_logon_process"] == "Advapi"
    ticket = event(security(4769, TargetUserName="ann@CORP.LOCAL", ServiceName="krbtgt"))
    assert (ticket["user_name"], ticket["user_domain"]) == ("ann", "CORP.LOCAL")


def test_an_account_that_was_acted_on_is_the_target() -> None:
    found = event(security(4720, SubjectUserName="admin", TargetUserName="new"))
    assert (found["user_name"], found["user_target_name"]) == ("admin", "new")
    assert found["event_action"] == "user-create"


@pytest.mark.parametrize(
    ("keywords", "outcome"),
    [
        (-9214364837600034816, "success"),
        (-9218868437227405312, "failure"),
        ("0x8020000000000000", "success"),
        ("0x8010000000000000", "failure"),
        (["Audit Failure"], "failure"),
        ("0x8000000000000000", None),
        (0, None),
    ],
)
def test_keywords_tell_the_outcome(keywords: Any, outcome: str | None) -> None:
    assert event(security(4673, Keywords=keywords))["event_outcome"] == outcome


def test_an_object_is_a_file_a_key_or_something_else() -> None:
    key = event(security(4663, ObjectType="Key", ObjectName=r"\REGISTRY\MACHINE\X"))
    file = event(security(4663, ObjectType="File", ObjectName=r"C:\x.txt"))
    other = event(security(4663, ObjectType="Mutant", ObjectName=r"\BaseNamedObjects\m"))
    assert (key["registry_path"], key["file_path"]) == (r"\REGISTRY\MACHINE\X", None)
    assert (file["registry_path"], file["file_path"]) == (None, r"C:\x.txt")
    assert other["winlog_object_name"] == r"\BaseNamedObjects\m"


def test_network_fields_of_sysmon_and_security_are_the_same_columns() -> None:
    sysmon = {
        "EventID": 3, "Channel": CHANNEL, "SourceName": PROVIDER, "UtcTime": "2026-03-02 10:00:00",
        "SourceIp": "10.0.0.1", "SourcePort": "5000", "DestinationIp": "10.0.0.2",
        "DestinationPort": "445", "Protocol": "tcp", "Initiated": "true",
    }  # fmt: skip
    filtering = security(
        5156, SourceAddress="10.0.0.1", SourcePort="5000", DestAddress="10.0.0.2",
        DestPort="445", Protocol="6", Direction="%%14593", Application=r"\device\x\a.exe",
    )  # fmt: skip
    names = ("source_ip", "source_port", "destination_ip", "destination_port",
             "network_transport", "network_direction", "event_action")  # fmt: skip
    found = [[event(record)[name] for name in names] for record in (sysmon, filtering)]
    assert found[0] == found[1]
    assert found[0] == [
        "10.0.0.1", 5000, "10.0.0.2", 445, "tcp", "outbound", "network-connection",
    ]  # fmt: skip


def test_a_service_account_is_not_the_user() -> None:
    found = event(
        {
            "EventID": 7045, "Channel": "System", "SourceName": "Service Control Manager",
            "@timestamp": "2026-03-02T10:00:00Z", "ServiceName": "x", "ImagePath": "rundll32 x",
            "AccountName": "LocalSystem",
        }
    )  # fmt: skip
    assert (found["user_name"], found["winlog_service_account"]) == (None, "LocalSystem")
    assert (found["event_action"], found["winlog_service_command"]) == (
        "service-install", "rundll32 x",
    )  # fmt: skip


def test_local_event_times_get_the_zone_that_the_record_tells() -> None:
    record = {key: value for key, value in FLAT.items() if key != "UtcTime"}
    assert event(record)["time"] == datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
    alone = {key: value for key, value in record.items() if "eceived" not in key}
    alone.pop("@timestamp")
    assert event(alone)["time"] == datetime(2026, 3, 2, 5, 15, tzinfo=UTC)
    berlin = ParseContext(CONTEXT.anchor_time, tz="Europe/Berlin")
    assert event(alone, berlin)["time"] == datetime(2026, 3, 2, 4, 15, tzinfo=UTC)


def test_without_an_event_id_or_a_time_a_record_is_rejected_with_the_reason() -> None:
    parsed = parse({"Channel": "x"}, {"EventID": 1, "Channel": "x"}, FLAT)
    reasons = parsed.rejects.column("error").to_pylist()
    assert parsed.events.num_rows == 1
    assert [reason.partition(":")[0] for reason in reasons] == ["no Windows event", "no time"]


def test_an_event_without_data_keeps_the_first_line_of_its_message() -> None:
    record = {
        "EventID": 104, "Channel": "System", "SourceName": "Microsoft-Windows-Eventlog",
        "@timestamp": "2026-03-02T10:00:00Z", "Message": "\r\nThe log was cleared. \r\nBy ann",
    }  # fmt: skip
    assert event(record)["message"] == "The log was cleared."
    assert event(FLAT)["message"] is None


def test_user_data_and_unnamed_data_become_labels_or_columns() -> None:
    system = EVENT["Event"]["System"]
    cleared = {
        "Event": {
            "System": {**system, "EventID": 1102, "Channel": "Security"},
            "UserData": {"LogFileCleared": {"SubjectUserName": "ann", "Channel": "Security"}},
        }
    }
    unnamed = {
        "Event": {
            "System": {**system, "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 800}},
            "EventData": {"Data": {"#text": ["one", "two"]}, "Binary": None},
        }
    }
    assert event(cleared)["user_name"] == "ann"
    found = event(unnamed)
    assert found["event_code"] == "800"
    assert found["labels"] == [("Data.#text", '["one","two"]'.replace(",", ", "))]


def test_kinds_that_the_table_lacks_are_named_after_provider_and_id() -> None:
    columns = ([None, "Foo-Bar", "Microsoft-Windows-X", None], ["1", "2", '["a"]', None],
               ["Security", "C", None, None])  # fmt: skip
    found = kinds(*(pa.array(column, pa.string()) for column in columns))
    assert found["event_action"].to_pylist() == [
        "microsoft-windows-security-auditing-1".removeprefix("microsoft-windows-"),
        "foo-bar-2",
        "x-a",
        "unknown",
    ]
    assert found["event_provider"][0].as_py() == "Microsoft-Windows-Security-Auditing"


def recording(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist() if name.endswith(".json")]


def test_a_recorded_campaign_is_read_whole(data_file: Callable[[str], Path]) -> None:
    [data] = recording(data_file("ape/lsass_campaigns/campaign_02_host.zip"))
    lines = lines_of(data[:8_000_000].rpartition(b"\n")[0])
    parsed = FORM.parse(lines, ParseContext(CONTEXT.anchor_time, head=data[:65536]))
    assert parsed.rejects.num_rows == 0
    assert parsed.events.num_rows == lines.num_rows
    events = parsed.events.filter(pc.equal(parsed.events["event_provider"], PROVIDER))
    assert events["process_executable"].null_count < events.num_rows // 100
    span = pc.subtract(pc.max(events["time"]), pc.min(events["time"])).as_py()
    assert span.total_seconds() < 600


def test_local_times_of_a_recording_agree_with_sysmons_to_the_second(
    data_file: Callable[[str], Path],
) -> None:
    [data] = recording(data_file("gid/otrf_sysmon/empire_launcher_vbs.zip"))
    records = [json.loads(line) for line in data.splitlines()[::10]]
    sysmon = [record for record in records if "UtcTime" in record]
    local = [{k: v for k, v in record.items() if k != "UtcTime"} for record in sysmon]
    times = [parse(*form).events["time"].to_pylist() for form in (sysmon, local)]
    apart = [(a - b).total_seconds() for a, b in zip(*times, strict=True)]
    assert len(apart) > 100
    assert sum(abs(seconds) <= 2 for seconds in apart) > 0.95 * len(apart)


def test_labelled_hostile_processes_are_found_by_their_entity_ids(
    data_file: Callable[[str], Path],
) -> None:
    name = "empire_launcher_vbs"
    [data] = recording(data_file(f"gid/otrf_sysmon/{name}.zip"))
    folder = data_file("gid/otrf_sysmon/labels")
    table = next(folder.glob(f"{name}*_positive_events.csv"))
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    parsed = FORM.parse(lines_of(data), ParseContext(CONTEXT.anchor_time, head=data[:65536]))
    hostile = {int(row["line"]) for row in rows}
    lines = parsed.events["line"].to_pylist()
    assert parsed.rejects.num_rows == 0
    assert hostile <= set(lines)
    codes = dict(zip(lines, parsed.events["event_code"].to_pylist(), strict=True))
    assert all(codes[int(row["line"])] == row["event_id"] for row in rows)


NAMED = [
    {"@Name": name, "#text": text} for name, text in {**DATA, "CommandLine": 'say "[{]}"'}.items()
]
NAMED.append({"@Name": "Empty"})


@pytest.mark.parametrize(
    "record",
    [
        {
            "PayloadData1": "ProcessID: 3752",
            "UserName": r"CORP\svc (S-1-5-21-1-2-3-500)",
            "Computer": "ws1.corp",
            "Payload": json.dumps({"EventData": {"Data": NAMED}}),
            "Channel": CHANNEL,
            "Provider": PROVIDER,
            "EventId": 1,
            "EventRecordId": "9",
            "TimeCreated": "2026-03-02T10:15:00.2000000+00:00",
            "ProcessId": 7,
            "Level": "LogAlways",
        },
        {
            "Event": {
                "System": {
                    "Provider": {"@Name": PROVIDER},
                    "EventID": "1",
                    "TimeCreated": {"@SystemTime": "2026-03-02T10:15:00.2Z"},
                    "Channel": CHANNEL,
                    "Computer": "ws1.corp",
                },
                "EventData": {"Data": NAMED},
            }
        },
    ],
    ids=["EvtxECmd", "XML"],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_lists_of_named_data_are_fields(record: dict[str, Any], separators: Any) -> None:
    line = json.dumps(record, separators=separators).encode()
    assert FORM.matches(line + b"\n") == pytest.approx(0.97)
    [found] = FORM.parse(lines_of(line), CONTEXT).events.to_pylist()
    assert (found["user_name"], found["process_name"]) == ("ann", "cmd.exe")
    assert found["process_command_line"] == 'say "[{]}"'
    assert (found["host_name"], found["event_code"]) == ("ws1.corp", "1")
    assert found["process_pid"] == 3752  # not that of who wrote the record
    assert "Payload" not in dict(found["labels"])


@pytest.mark.parametrize("named", [[{"@Name": "Image"}], [{"@Name": "Image", "#text": "x"}]])
def test_a_list_of_one_is_read_too(named: list[dict[str, str]]) -> None:
    record = FLAT | {"EventData": {"Data": named}}
    assert FORM.parse(lines_of(json.dumps(record).encode()), CONTEXT).events.num_rows == 1


def test_events_of_powershell_are_read() -> None:
    record = {
        "Id": 7045, "ProviderName": "Service Control Manager", "LogName": "System",
        "MachineName": "ws1.corp", "TimeCreated": "/Date(1772446500000)/", "RecordId": 9,
        "Level": 4, "LevelDisplayName": "Information", "Message": "A service was installed.",
    }  # fmt: skip
    text = json.dumps([record]).encode()
    assert FORM.matches(text) == pytest.approx(0.97)
    [(lines, _)] = FORM.frames(io.BytesIO(text), 1000)
    [found] = FORM.parse(lines, CONTEXT).events.to_pylist()
    assert found["time"] == datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
    assert (found["host_name"], found["event_code"]) == ("ws1.corp", "7045")
    assert (found["winlog_channel"], found["log_level"]) == ("System", "information")


def test_a_forwarded_event_has_the_time_of_its_creation() -> None:
    forwarded = WINLOGBEAT | {
        "winlog": {
            "event_id": "4674", "channel": "Security", "computer_name": "dc1.corp",
            "provider_name": "Microsoft-Windows-Security-Auditing",
            "time_created": "2026-03-02T09:00:00.5Z",
            "event_data": {"SubjectUserName": "ann"},
        }
    }  # fmt: skip
    [found] = FORM.parse(lines_of(json.dumps(forwarded).encode()), CONTEXT).events.to_pylist()
    assert found["time"] == datetime(2026, 3, 2, 9, 0, 0, 500000, tzinfo=UTC)


def test_evtxecmd_names_a_user_with_its_sid() -> None:
    record = {
        "EventId": 4720, "Channel": "Security", "Computer": "ws1.corp",
        "Provider": "Microsoft-Windows-Security-Auditing", "Level": "LogAlways",
        "UserName": r"CORP\ann (S-1-5-21-1-2-3-500)",
        "TimeCreated": "2026-03-02T10:15:00.2000000+00:00",
        "Payload": json.dumps({"EventData": {"Data": [{"@Name": "TargetUserName", "#text": "b"}]}}),
    }  # fmt: skip
    line = json.dumps(record, separators=(",", ":")).encode()
    [found] = FORM.parse(lines_of(line), CONTEXT).events.to_pylist()
    assert (found["user_name"], found["user_domain"]) == ("ann", "CORP")
    assert (found["user_target_name"], found["log_level"]) == ("b", "information")
