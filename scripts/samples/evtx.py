"""``evtx.evtx``: two days of the Security log of a made Windows file server, FS01.

Office people reach their shares, an administrator comes by remote desktop, services and the backup
run. On the second evening a password of the account ``svc_scan`` is guessed from a desktop, a local
administrator is made with it, memory of LSASS is dumped, and another log is cleared.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from samples import evtx_file as binary
from samples.evtx_file import (
    FILETIME,
    GUID,
    HEX32,
    HEX64,
    SID,
    STRING,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
)
from samples.log import HOSTILE, Label, Sample, after, at, dice, moments, utc

_HOST = "FS01.corp.example"
_DAYS = (1, 2)
_WHY = {
    "guess": "guessing the password of svc_scan",
    "in": "a logon with the guessed password",
    "run": "a command of the attacker",
    "user": "a local administrator made by the attacker",
    "clear": "the attacker clears the PowerShell log",
}
_DOMAIN_SID = "S-1-5-21-1004336348-1177238915-682003330"
_PEOPLE = {name: 1104 + row for row, name in enumerate(
    ("a.berg", "c.dorn", "e.falk", "g.hahn", "i.jung", "k.lang", "m.nagel", "o.pohl", "r.stein")
)}  # fmt: skip
_SHARES = ("\\\\*\\projects", "\\\\*\\projects", "\\\\*\\home", "\\\\*\\scans", "\\\\*\\IPC$")
_SYSTEM32 = "C:\\Windows\\System32\\"
_EVENT_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
_AUDITING = ("Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-A5BA-3E3B0328C30D}")
_HEAD_KINDS = (UINT16, UINT8, UINT8, UINT16, UINT8, HEX64, FILETIME, UINT64, UINT32, UINT32)
_NUMBER = 7  # the slot of the record number
_VERSIONS = {4624: 2, 4688: 2, 5140: 1}
_FAILURE, _SUCCESS = 0x8010000000000000, 0x8020000000000000

_SUBJECT = (("SubjectUserSid", SID), ("SubjectUserName", STRING), ("SubjectDomainName", STRING),
            ("SubjectLogonId", HEX64))  # fmt: skip
_TARGET = (("TargetUserSid", SID), ("TargetUserName", STRING), ("TargetDomainName", STRING))
_ACCOUNT = (("TargetUserName", STRING), ("TargetDomainName", STRING), ("TargetSid", SID))
_KINDS: dict[int, tuple[int, tuple[tuple[str, int], ...]]] = {  # event id -> task, data
    4624: (12544, (*_SUBJECT, *_TARGET, ("TargetLogonId", HEX64), ("LogonType", UINT32),
                   ("LogonProcessName", STRING), ("AuthenticationPackageName", STRING),
                   ("WorkstationName", STRING), ("LogonGuid", GUID), ("ProcessId", HEX64),
                   ("ProcessName", STRING), ("IpAddress", STRING), ("IpPort", STRING))),
    4625: (12544, (*_SUBJECT, *_TARGET, ("Status", HEX32), ("FailureReason", STRING),
                   ("SubStatus", HEX32), ("LogonType", UINT32), ("LogonProcessName", STRING),
                   ("AuthenticationPackageName", STRING), ("WorkstationName", STRING),
                   ("ProcessId", HEX64), ("ProcessName", STRING), ("IpAddress", STRING),
                   ("IpPort", STRING))),
    4634: (12545, (*_TARGET, ("TargetLogonId", HEX64), ("LogonType", UINT32))),
    4672: (12548, (*_SUBJECT, ("PrivilegeList", STRING))),
    4688: (13312, (*_SUBJECT, ("NewProcessId", HEX64), ("NewProcessName", STRING),
                   ("TokenElevationType", STRING), ("ProcessId", HEX64), ("CommandLine", STRING),
                   ("ParentProcessName", STRING))),
    5140: (12808, (*_SUBJECT, ("ObjectType", STRING), ("IpAddress", STRING), ("IpPort", STRING),
                   ("ShareName", STRING), ("ShareLocalPath", STRING), ("AccessMask", HEX32))),
    4720: (13824, (*_ACCOUNT, *_SUBJECT, ("SamAccountName", STRING))),
    4732: (13826, (("MemberName", STRING), ("MemberSid", SID), *_ACCOUNT, *_SUBJECT)),
}  # fmt: skip


@dataclass(frozen=True)
class _Logon:
    name: str
    domain: str
    sid: str
    number: int
    address: str
    port: int
    kind: int


class _Security:
    def __init__(self) -> None:
        self.rows: list[
            tuple[datetime, binary.Template, list[binary.Value | None], str | None]
        ] = []
        self._templates = {number: _template(number) for number in _KINDS}
        self._logons = 0x41A2C0

    def log(
        self,
        time: datetime,
        number: int,
        data: dict[str, binary.Value],
        why: str | None = None,
    ) -> None:
        """Adds an event; data that is not given is left empty, as Windows does with ``-``."""
        task, fields = _KINDS[number]
        keywords = _FAILURE if number == 4625 else _SUCCESS
        head: list[binary.Value | None] = [
            number, _VERSIONS.get(number, 0), 0, task, 0, keywords, utc(time), None, 4, 6120,
        ]  # fmt: skip
        values = head + [data.get(name) for name, _ in fields]
        self.rows.append((time, self._templates[number], values, why))

    def logon_number(self, rng: random.Random) -> int:
        self._logons += rng.randrange(0x80, 0x4000)
        return self._logons


def make() -> Sample:
    """Returns ``evtx.evtx``."""
    out = _Security()
    for day in _DAYS:
        for name, rid in _PEOPLE.items():
            _office(out, dice(f"evtx {day} {name}"), day, name, rid)
        _services(out, day)
        _administrator(out, day)
    _attack(out)
    rows = sorted(out.rows, key=lambda row: row[0])
    records = [
        binary.Record(utc(time), template, [*values[:_NUMBER], number, *values[_NUMBER + 1 :]])
        for number, (time, template, values, _) in enumerate(rows, start=1)
    ]
    labels = [
        Label(number, HOSTILE, row[3])
        for number, row in enumerate(rows, start=1)
        if row[3] is not None
    ]
    return Sample("evtx.evtx", binary.write(records), labels)


def _element(name: str, *content: binary.Element | str | binary.Slot) -> binary.Element:
    return binary.Element(name, (), content)


def _system() -> binary.Element:
    slot = binary.Slot
    return _element(
        "System",
        binary.Element("Provider", (("Name", _AUDITING[0]), ("Guid", _AUDITING[1]))),
        _element("EventID", slot(0, UINT16)),
        _element("Version", slot(1, UINT8)),
        _element("Level", slot(2, UINT8)),
        _element("Task", slot(3, UINT16)),
        _element("Opcode", slot(4, UINT8)),
        _element("Keywords", slot(5, HEX64)),
        binary.Element("TimeCreated", (("SystemTime", slot(6, FILETIME)),)),
        _element("EventRecordID", slot(_NUMBER, UINT64)),
        binary.Element("Correlation"),
        binary.Element(
            "Execution", (("ProcessID", slot(8, UINT32)), ("ThreadID", slot(9, UINT32)))
        ),
        _element("Channel", "Security"),
        _element("Computer", _HOST),
        binary.Element("Security"),
    )


def _template(number: int) -> binary.Template:
    fields = _KINDS[number][1]
    data = tuple(
        binary.Element("Data", (("Name", name),), (binary.Slot(len(_HEAD_KINDS) + row, kind),))
        for row, (name, kind) in enumerate(fields)
    )
    root = binary.Element(
        "Event", (("xmlns", _EVENT_NAMESPACE),), (_system(), _element("EventData", *data))
    )
    guid = uuid.uuid5(uuid.NAMESPACE_DNS, f"{number}.security.samples.example")
    return binary.Template(guid, root, (*_HEAD_KINDS, *(kind for _, kind in fields)))


def _subject(who: _Logon | None) -> dict[str, binary.Value]:
    if who is None:
        who = _Logon("FS01$", "CORP", "S-1-5-18", 0x3E7, "-", 0, 0)
    return {"SubjectUserSid": binary.sid(who.sid), "SubjectUserName": who.name,
            "SubjectDomainName": who.domain, "SubjectLogonId": who.number}  # fmt: skip


def _target(who: _Logon) -> dict[str, binary.Value]:
    return {"TargetUserSid": binary.sid(who.sid), "TargetUserName": who.name,
            "TargetDomainName": who.domain, "TargetLogonId": who.number,
            "LogonType": who.kind}  # fmt: skip


def _desk(who: _Logon) -> str:
    return f"DESK-{int(who.address.rpartition('.')[2]) - 20:02}"


def _logged_on(out: _Security, time: datetime, who: _Logon, why: str | None = None) -> None:
    network = who.kind == 3
    nobody = _Logon("-", "-", "S-1-0-0", 0, "-", 0, 0)
    process, package = {3: ("Kerberos", "Kerberos"), 10: ("User32 ", "Negotiate")}.get(
        who.kind, ("Advapi  ", "Negotiate")
    )
    if network and (why or who.name == "svc_backup"):  # from outside the domain
        process, package = "NtLmSsp ", "NTLM"
    out.log(time, 4624, {
        **_subject(nobody if network else None), **_target(who),
        "LogonProcessName": process, "AuthenticationPackageName": package,
        "WorkstationName": _desk(who) if package == "NTLM" else "-" if network else "FS01",
        "LogonGuid": uuid.UUID(int=0), "ProcessId": 0x0 if network else 0x2C8,
        "ProcessName": "-" if network else _SYSTEM32 + "svchost.exe",
        "IpAddress": who.address, "IpPort": str(who.port),
    }, why)  # fmt: skip


def _logged_off(out: _Security, time: datetime, who: _Logon, why: str | None = None) -> None:
    out.log(time, 4634, _target(who), why)


def _office(out: _Security, rng: random.Random, day: int, name: str, rid: int) -> None:
    desk = f"10.4.1.{20 + rid - 1104}"
    for time in moments(rng, day, 7, 18, rng.randrange(3, 8)):
        number = out.logon_number(rng)
        who = _Logon(
            name, "CORP", f"{_DOMAIN_SID}-{rid}", number, desk, rng.randrange(49152, 65535), 3
        )
        if rng.randrange(30) == 0:
            _failed(out, time - timedelta(seconds=9), who, None)
        _logged_on(out, time, who)
        moment = time
        for _ in range(rng.randrange(1, 4)):
            moment = after(moment, rng, 40, 90_000)
            _share(out, moment, who, rng.choice(_SHARES))
        _logged_off(out, after(moment, rng, 9000, 900_000), who)


def _share(out: _Security, time: datetime, who: _Logon, share: str, why: str | None = None) -> None:
    local = "" if share.endswith("$") else "\\??\\D:\\" + share.rpartition("\\")[2]
    out.log(time, 5140, {
        **_subject(who), "ObjectType": "File", "IpAddress": who.address, "IpPort": str(who.port),
        "ShareName": share, "ShareLocalPath": local, "AccessMask": 0x1,
    }, why)  # fmt: skip


def _failed(out: _Security, time: datetime, who: _Logon, why: str | None) -> None:
    nobody = _Logon("-", "-", "S-1-0-0", 0, "-", 0, 0)
    out.log(time, 4625, {
        **_subject(nobody), "TargetUserSid": binary.sid("S-1-0-0"), "TargetUserName": who.name,
        "TargetDomainName": who.domain, "Status": 0xC000006D, "FailureReason": "%%2313",
        "SubStatus": 0xC000006A, "LogonType": 3, "LogonProcessName": "NtLmSsp ",
        "AuthenticationPackageName": "NTLM", "WorkstationName": _desk(who),
        "ProcessId": 0x0, "ProcessName": "-", "IpAddress": who.address, "IpPort": str(who.port),
    }, why)  # fmt: skip


def _privileged(out: _Security, time: datetime, who: _Logon, why: str | None = None) -> None:
    held = "SeSecurityPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\tSeDebugPrivilege"
    out.log(time, 4672, {**_subject(who), "PrivilegeList": held}, why)


def _started(
    out: _Security,
    time: datetime,
    who: _Logon | None,
    command: tuple[str, str],
    why: str | None = None,
) -> None:
    line, parent = command
    rng = dice(f"process {time}")
    program = line.split(maxsplit=1)[0]
    path = program if ":" in program else _SYSTEM32 + program
    out.log(time, 4688, {
        **_subject(who), "NewProcessId": rng.randrange(0x400, 0x4000, 4), "NewProcessName": path,
        "TokenElevationType": "%%1936" if who is None else "%%1937",
        "ProcessId": rng.randrange(0x200, 0x2000, 4), "CommandLine": line,
        "ParentProcessName": parent if ":" in parent else _SYSTEM32 + parent,
    }, why)  # fmt: skip


def _services(out: _Security, day: int) -> None:
    rng = dice(f"evtx services {day}")
    for time in moments(rng, day, 0, 24, 26):
        system = _Logon("SYSTEM", "NT AUTHORITY", "S-1-5-18", 0x3E7, "-", 0, 5)
        _logged_on(out, time, system)
        _privileged(out, after(time, rng, 0, 1), system)
        command, parent = rng.choice((
            ("svchost.exe -k netsvcs -p", "services.exe"), ("taskhostw.exe", "svchost.exe"),
            ("wermgr.exe -upload", "svchost.exe"), ("VSSVC.exe", "services.exe"),
            ("MpCmdRun.exe SignatureUpdate", "svchost.exe"), ("defrag.exe -c -h -o", "svchost.exe"),
        ))  # fmt: skip
        _started(out, after(time, rng, 40, 900), None, (command, parent))
    time = after(at(day, "21:30:00"), rng, 0, 3000)
    backup = _Logon("svc_backup", "CORP", f"{_DOMAIN_SID}-1140", out.logon_number(rng), "10.4.0.53",
                    rng.randrange(49152, 65535), 3)  # fmt: skip
    _logged_on(out, time, backup)
    _privileged(out, after(time, rng, 0, 1), backup)
    for share in ("\\\\*\\projects", "\\\\*\\home", "\\\\*\\scans"):
        time = after(time, rng, 60_000, 400_000)
        _share(out, time, backup, share)
    _logged_off(out, after(time, rng, 60_000, 400_000), backup)


def _administrator(out: _Security, day: int) -> None:
    rng = dice(f"evtx administrator {day}")
    time = after(at(day, "10:12:00"), rng, 0, 3_600_000)
    who = _Logon("t.vogt-adm", "CORP", f"{_DOMAIN_SID}-1121", out.logon_number(rng), "10.4.2.40",
                 rng.randrange(49152, 65535), 10)  # fmt: skip
    _logged_on(out, time, who)
    _privileged(out, after(time, rng, 0, 1), who)
    commands = [("C:\\Windows\\explorer.exe", "userinit.exe"),
                ("mmc.exe compmgmt.msc", "svchost.exe"),
                ("cmd.exe", "svchost.exe"), ("ipconfig.exe /all", "cmd.exe"),
                ("whoami.exe /groups", "cmd.exe"), ("Taskmgr.exe /4", "svchost.exe")]  # fmt: skip
    if day == 1:
        commands.append(("net.exe localgroup Administrators", "cmd.exe"))  # he only looks
    for command, parent in commands:
        time = after(time, rng, 2000, 90_000)
        _started(out, time, who, (command, parent))
    _logged_off(out, after(time, rng, 60_000, 900_000), who)


def _attack(out: _Security) -> None:
    rng = dice("evtx attack")
    time = at(2, "18:52:14.207")
    address = "10.4.2.37"
    guessed = _Logon(
        "svc_scan", "CORP", f"{_DOMAIN_SID}-1141", out.logon_number(rng), address, 0, 3
    )
    for _ in range(11):
        who = _Logon("svc_scan", "CORP", "S-1-0-0", 0, address, rng.randrange(49152, 65535), 3)
        _failed(out, time, who, _WHY["guess"])
        time = after(time, rng, 1200, 9000)
    _logged_on(out, time, guessed, _WHY["in"])
    _privileged(out, after(time, rng, 0, 1), guessed, _WHY["in"])
    for share in ("\\\\*\\IPC$", "\\\\*\\ADMIN$"):
        time = after(time, rng, 200, 900)
        _share(out, time, guessed, share, _WHY["in"])
    for command, parent in (
        ("C:\\Windows\\qkzvtw.exe", "services.exe"),
        ("cmd.exe /c whoami /priv", "C:\\Windows\\qkzvtw.exe"),
        ("net.exe user helpdesk2 * /add", "cmd.exe"),
        ("net1.exe user helpdesk2 * /add", "net.exe"),
    ):
        time = after(time, rng, 900, 20_000)
        _started(out, time, None, (command, parent), _WHY["run"])
    local: dict[str, binary.Value] = {"TargetUserName": "helpdesk2", "TargetDomainName": "FS01",
             "TargetSid": binary.sid("S-1-5-21-88402113-33019021-51120093-1009")}  # fmt: skip
    time = after(time, rng, 30, 200)
    out.log(time, 4720, {**local, **_subject(None), "SamAccountName": "helpdesk2"}, _WHY["user"])
    time = after(time, rng, 3000, 9000)
    group: dict[str, binary.Value] = {
        "MemberName": "-", "MemberSid": local["TargetSid"], "TargetUserName": "Administrators",
        "TargetDomainName": "Builtin", "TargetSid": binary.sid("S-1-5-32-544"),
    }  # fmt: skip
    out.log(time, 4732, {**group, **_subject(None)}, _WHY["user"])
    made = _Logon("helpdesk2", "FS01", "S-1-5-21-88402113-33019021-51120093-1009",
                  out.logon_number(rng), address, rng.randrange(49152, 65535), 10)  # fmt: skip
    time = after(time, rng, 60_000, 120_000)
    _logged_on(out, time, made, _WHY["in"])
    _privileged(out, after(time, rng, 0, 1), made, _WHY["in"])
    for command, parent in (
        ("cmd.exe", "explorer.exe"),
        ('tasklist.exe /fi "imagename eq lsass.exe"', "cmd.exe"),
        ("rundll32.exe comsvcs.dll, MiniDump 668 C:\\Windows\\Temp\\l.dmp full", "cmd.exe"),
        ('wevtutil.exe cl "Windows PowerShell"', "cmd.exe"),
    ):
        time = after(time, rng, 9000, 60_000)
        why = _WHY["clear"] if "wevtutil" in command else _WHY["run"]
        _started(out, time, made, (command, parent), why)
