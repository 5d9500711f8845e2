"""``azure.jsonl``: a week of a made subscription's activity log, ``records`` a few to a line.

People start and change machines, a policy checks. The thief of Ana's session lists keys, opens a
network and gives itself a role.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from samples.cloud import ANA, THIEF, Person, Records, guid, stamp
from samples.log import Sample

_WHY = "someone with a stolen session takes storage keys, opens a network and takes a role"
_SUBSCRIPTION = "6F1A7C1E-0000-4000-8000-0000000C10D5"
_OPERATIONS = (
    "MICROSOFT.COMPUTE/VIRTUALMACHINES/START/ACTION",
    "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
    "MICROSOFT.RESOURCES/DEPLOYMENTS/WRITE",
    "MICROSOFT.WEB/SITES/RESTART/ACTION",
    "MICROSOFT.INSIGHTS/METRICALERTS/WRITE",
)
_UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
_OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_A_LINE = 4


def make() -> Sample:
    """Returns ``azure.jsonl``."""
    records = Records("azure.jsonl")

    def work(time: datetime, person: Person) -> None:
        event = _event(records, person, records.rng.choice(_OPERATIONS), person.ip)
        records.add(time, event | {"time": stamp(time, "microseconds")})

    records.days(work, 5)
    steps = [
        _event(records, ANA, operation, THIEF)
        | {"time": lambda time: stamp(time, "microseconds"), "resultType": result}
        for operation, result in (
            ("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION", "Success"),
            ("MICROSOFT.KEYVAULT/VAULTS/ACCESSPOLICIES/WRITE", "Failure"),
            ("MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/SECURITYRULES/WRITE", "Success"),
            ("MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE", "Success"),
        )
    ]
    records.intrusion(steps, _WHY)
    made = records.sample()
    rows = made.data.decode().splitlines()
    lines = [
        '{"records": [' + ", ".join(rows[first : first + _A_LINE]) + "]}\n"
        for first in range(0, len(rows), _A_LINE)
    ]
    return replace(made, data="".join(lines).encode())


def _event(records: Records, person: Person, operation: str, ip: str) -> dict[str, Any]:
    provider, kind, *_ = operation.split("/")
    resource = (
        f"/SUBSCRIPTIONS/{_SUBSCRIPTION}/RESOURCEGROUPS/{person.team.upper()}"
        f"/PROVIDERS/{provider}/{kind}/{person.team.upper()}01"
    )
    result = records.rng.choice(("Start", "Success", "Success", "Success", "Failure"))
    claims = {"aud": "https://management.core.windows.net/", _UPN: person.mail, "ipaddr": ip,
              _OBJECT: f"00000000-0000-4000-8000-{sum(map(ord, person.name)):012}",
              "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"}  # fmt: skip
    return {
        "time": "", "resourceId": resource, "operationName": operation,
        "category": "Administrative", "resultType": result, "resultSignature": f"{result}.",
        "durationMs": 0, "callerIpAddress": ip, "correlationId": guid(records.rng),
        "identity": {
            "authorization": {
                "scope": resource, "action": operation.title(),
                "evidence": {"role": "Contributor", "principalType": "User"},
            },
            "claims": claims,
        },
        "level": "Information", "location": "global",
        "properties": {"eventCategory": "Administrative"},
    }  # fmt: skip
