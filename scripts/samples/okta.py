"""``okta.json``: a week of a made company's Okta System Log, an array as the API answers.

People sign in, mistype, open apps, confirm pushes. The thief of Ana's session comes from elsewhere,
turns her second factor off, enrols another and gives itself a role.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from samples.cloud import ANA, BROWSER, THIEF, THIEF_AGENT, Person, Records, guid, stamp
from samples.log import Sample

_WHY = "someone with a stolen session replaces the second factor and takes a role"
_APPS = {"platform": "AWS", "shop": "GitHub", "data": "Reports", "security": "AWS", "it": "Mail"}
_TITLES = {
    "user.session.start": "User login to Okta",
    "user.authentication.sso": "User single sign on to app",
    "user.authentication.auth_via_mfa": "Authentication of user via MFA",
    "user.session.access_admin_app": "User accessing Okta admin app",
    "user.mfa.factor.deactivate": "Reset factor for user",
    "user.mfa.factor.activate": "Enroll factor for user",
    "user.account.privilege.grant": "Grant user privilege",
    "policy.evaluate_sign_on": "Evaluation of sign-on policy",
}


def make() -> Sample:
    """Returns ``okta.json``."""
    records = Records("okta.json")

    def work(time: datetime, person: Person) -> None:
        kind = records.rng.choice(tuple(_TITLES)[:3])
        event = _event(records, person, kind, person.ip, BROWSER)
        if kind == "user.session.start" and records.rng.randrange(8) == 0:
            event["outcome"] = {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"}
        records.add(time, event | {"published": stamp(time)})

    records.days(work, 5)
    records.intrusion(
        [
            _event(records, ANA, kind, THIEF, THIEF_AGENT) | {"published": stamp}
            for kind in ("policy.evaluate_sign_on", "user.session.access_admin_app",
                         "user.mfa.factor.deactivate", "user.mfa.factor.activate",
                         "user.account.privilege.grant")
        ],
        _WHY,
    )  # fmt: skip
    return records.sample("[", ",\n", "]\n")


def _event(records: Records, person: Person, kind: str, ip: str, agent: str) -> dict[str, Any]:
    stolen = ip == THIEF
    place = (
        {"city": "Recife", "country": "Brazil"}
        if stolen
        else {"city": "Berlin", "country": "Germany"}
    )
    identity = f"00u{sum(map(ord, person.name)):05}EXAMPLE"
    app = _APPS[person.team]
    target: list[dict[str, Any]] | None = [
        {"id": identity, "type": "User", "alternateId": person.mail,
         "displayName": person.name.title(), "detailEntry": None}
    ]  # fmt: skip
    if kind == "user.authentication.sso":
        target = [
            {"id": f"0oa{len(app):05}EXAMPLE", "type": "AppInstance", "alternateId": app,
             "displayName": app, "detailEntry": {"signOnModeType": "SAML_2_0"}},
            *(target or []),
        ]  # fmt: skip
    elif kind.startswith("user.session"):
        target = None
    return {
        "actor": {"id": identity, "type": "User", "alternateId": person.mail,
                  "displayName": person.name.title(), "detailEntry": None},
        "client": {
            "userAgent": {"rawUserAgent": agent, "os": "Unknown" if stolen else "Linux",
                          "browser": "UNKNOWN" if stolen else "FIREFOX"},
            "zone": "null", "device": "Unknown" if stolen else "Computer", "id": None,
            "ipAddress": ip,
            "geographicalContext": place | {"state": None, "postalCode": None, "geolocation": None},
        },
        "authenticationContext": {
            "authenticationProvider": None, "credentialProvider": None, "credentialType": None,
            "issuer": None, "interface": None, "authenticationStep": 0,
            "externalSessionId": f"102{person.name}EXAMPLE",
        },
        "displayMessage": _TITLES[kind],
        "eventType": kind,
        "outcome": {"result": "ALLOW" if "policy" in kind else "SUCCESS", "reason": None},
        "published": "",
        "securityContext": {"asNumber": 64500 + stolen, "asOrg": "far net" if stolen else "office",
                            "isp": None, "domain": None, "isProxy": stolen},
        "severity": "WARN" if stolen else "INFO",
        "debugContext": {"debugData": {"requestUri": "/api/v1/authn",
                                       "threatSuspected": str(stolen).lower()}},
        "legacyEventType": None,
        "transaction": {"type": "WEB", "id": guid(records.rng)[:13], "detail": {}},
        "uuid": guid(records.rng),
        "version": "0",
        "request": {"ipChain": [{"ip": ip, "version": "V4", "source": None}]},
        "target": target,
    }  # fmt: skip
