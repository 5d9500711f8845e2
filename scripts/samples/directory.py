"""``entra.json``: a week of a made Entra tenant, ``records`` as diagnostic settings write them.

People sign in and are asked for a second factor, apps sign in, the IT team keeps groups. The thief
of Ana's session signs in from elsewhere, adds a credential to an app and itself to a group.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from samples.cloud import ANA, BROWSER, PEOPLE, THIEF, THIEF_AGENT, Person, Records, guid, stamp
from samples.log import Sample, dice, moments

_TENANT = "3f1c7c1e-0000-4000-8000-00000000c0de"
_WHY = "someone with a stolen session signs in from elsewhere and widens its rights"
_APPS = ("Office 365 Exchange Online", "Microsoft Teams", "Azure Portal", "SharePoint Online")
_MFA = "Due to a configuration change, you must use multi-factor authentication."


def make() -> Sample:
    """Returns ``entra.json``."""
    records = Records("entra.json")

    def work(time: datetime, person: Person) -> None:
        error = records.rng.choice((0, 0, 0, 0, 0, 0, 0, 0, 50126, 50076))
        app = records.rng.choice(_APPS)
        records.add(time, _signed(records, person, app, error, person.ip) | _times(time))

    records.days(work, 5)
    for day in range(5):
        _administration(records, day)
    steps: list[Any] = [
        lambda time: _signed(records, ANA, "Azure Portal", 0, THIEF) | _times(time),
        lambda time: _signed(records, ANA, "Microsoft Graph", 0, THIEF) | _times(time),
        lambda time: _audit(
            records,
            ANA,
            "Add service principal credentials",
            ("ServicePrincipal", "reports-app"),
            ip=THIEF,
            time=stamp(time, "microseconds"),
        ),
        lambda time: _audit(
            records,
            ANA,
            "Add member to group",
            ("User", ANA.mail),
            ip=THIEF,
            time=stamp(time, "microseconds"),
        ),
    ]
    records.intrusion(steps, _WHY)
    return records.sample('{"records":[', ",\n", "]}\n")


def _times(time: datetime) -> dict[str, Any]:
    return {"time": stamp(time, "microseconds")}


def _identity(person: Person) -> str:
    return f"00000000-0000-4000-8000-{sum(map(ord, person.name)):012}"


def _signed(records: Records, person: Person, app: str, error: int, ip: str) -> dict[str, Any]:
    stolen = ip == THIEF
    reason = {0: "Other.", 50126: "Invalid username or password.", 50076: _MFA}[error]
    place = (
        {"city": "Recife", "countryOrRegion": "BR"}
        if stolen
        else {"city": "Berlin", "countryOrRegion": "DE"}
    )
    event = {
        "id": guid(records.rng), "userDisplayName": person.name.title(),
        "userPrincipalName": person.mail, "userId": _identity(person), "appDisplayName": app,
        "appId": f"00000000-0000-0000-0000-{len(app):012}", "ipAddress": ip,
        "status": {"errorCode": error, "failureReason": reason},
        "clientAppUsed": "Browser", "userAgent": THIEF_AGENT if stolen else BROWSER,
        "deviceDetail": {"deviceId": "", "operatingSystem": "" if stolen else "Linux",
                         "browser": "Python Requests 2.32" if stolen else "Firefox 147.0"},
        "location": place | {"geoCoordinates": {}}, "isInteractive": not stolen,
        "conditionalAccessStatus": "notApplied" if stolen else "success",
        "authenticationRequirement": "singleFactorAuthentication",
        "riskState": "none", "riskLevelDuringSignIn": "none", "resourceDisplayName": app,
        "userType": "Member",
    }  # fmt: skip
    return {
        "time": "", "resourceId": f"/tenants/{_TENANT}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity", "operationVersion": "1.0",
        "category": "NonInteractiveUserSignInLogs" if stolen else "SignInLogs",
        "tenantId": _TENANT, "resultType": str(error), "resultSignature": "None",
        "durationMs": 0, "callerIpAddress": ip, "correlationId": guid(records.rng),
        "identity": person.name.title(), "Level": 4, "location": place["countryOrRegion"],
        "properties": event,
    }  # fmt: skip


def _audit(
    records: Records, person: Person, activity: str, target: tuple[str, str], **where: str
) -> dict[str, Any]:
    time, ip = where["time"], where["ip"]
    kind, name = target
    whom = {"id": guid(records.rng), "type": kind, "displayName": None if kind == "User" else name,
            "modifiedProperties": []}  # fmt: skip
    if kind == "User":
        whom["userPrincipalName"] = name
    user = {"id": _identity(person), "displayName": None, "userPrincipalName": person.mail,
            "ipAddress": ip}  # fmt: skip
    group = {"id": guid(records.rng), "type": "Group", "displayName": "vpn-users"}
    event = {
        "id": guid(records.rng), "category": "GroupManagement", "result": "success",
        "resultReason": "", "activityDisplayName": activity,
        "activityDateTime": time, "loggedByService": "Core Directory",
        "operationType": "Assign", "initiatedBy": {"user": user},
        "targetResources": [whom, group] if kind == "User" else [whom],
    }  # fmt: skip
    return {
        "time": time, "category": "AuditLogs", "tenantId": _TENANT,
        "resourceId": f"/tenants/{_TENANT}/providers/Microsoft.aadiam",
        "operationName": activity, "resultSignature": "None", "callerIpAddress": ip,
        "correlationId": guid(records.rng), "Level": 4, "properties": event,
    }  # fmt: skip


def _administration(records: Records, day: int) -> None:
    rng = dice(f"administration {day}")
    admin = PEOPLE[-1]
    for time in moments(rng, day, 8, 16, 3):
        someone = rng.choice(PEOPLE)
        activity = rng.choice(("Update user", "Add member to group", "Reset user password"))
        event = _audit(
            records,
            admin,
            activity,
            ("User", someone.mail),
            ip=admin.ip,
            time=stamp(time, "microseconds"),
        )
        records.add(time, event)
