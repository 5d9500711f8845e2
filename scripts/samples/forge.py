"""``github.jsonl``: a week of a made organisation's GitHub audit log, as it is streamed.

People clone and push, workflows run, members come. The thief of Ana's session makes a token, adds a
deploy key, makes a repository public and clones what there is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from samples.cloud import ANA, BROWSER, THIEF, THIEF_AGENT, Person, Records, guid
from samples.log import Sample

_WHY = "someone with a stolen session makes a token, opens a repository and clones others"
_REPOS = {"platform": "infra", "shop": "shop", "data": "reports", "security": "rules", "it": "it"}
_ACTIONS = ("git.clone", "git.push", "git.fetch", "pull_request.create", "pull_request.merge",
            "workflows.created_workflow_run", "repo.access")  # fmt: skip


def make() -> Sample:
    """Returns ``github.jsonl``."""
    records = Records("github.jsonl")

    def work(time: datetime, person: Person) -> None:
        action = records.rng.choice(_ACTIONS)
        event = _event(records, person, action, person.ip)
        records.add(time, event | {"@timestamp": _epoch(time), "created_at": _epoch(time)})

    records.days(work, 7)
    steps = [
        _event(records, ANA, action, THIEF)
        | {"@timestamp": _epoch, "created_at": _epoch, "user_agent": THIEF_AGENT,
           "actor_location": {"country_code": "BR"}}
        | more
        for action, more in (
            ("personal_access_token.create", {"token_scopes": "repo, admin:org"}),
            ("repo.change_visibility", {"visibility": "public", "previous_visibility": "private"}),
            ("public_key.create", {"fingerprint": "SHA256:EXAMPLE", "read_only": False}),
            ("protected_branch.destroy", {"branch": "main"}),
            ("git.clone", {"repo": "corp/shop"}),
            ("git.clone", {"repo": "corp/reports"}),
            ("git.clone", {"repo": "corp/rules"}),
        )
    ]  # fmt: skip
    records.intrusion(steps, _WHY)
    return records.sample()


def _epoch(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _event(records: Records, person: Person, action: str, ip: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "@timestamp": 0, "_document_id": guid(records.rng).replace("-", "")[:22],
        "action": action, "actor": f"{person.name}-corp",
        "actor_id": 1000 + sum(map(ord, person.name)), "actor_ip": ip,
        "actor_location": {"country_code": "DE"}, "business": "corp", "business_id": 71,
        "created_at": 0, "external_identity_nameid": person.mail, "org": "corp", "org_id": 4242,
        "operation_type": "access" if action.startswith("git") else "create",
        "repo": f"corp/{_REPOS[person.team]}", "repo_id": 500 + len(person.team),
        "public_repo": False, "user_agent": BROWSER,
    }  # fmt: skip
    if action.startswith("git."):
        event |= {
            "transport_protocol": 2,
            "transport_protocol_name": "ssh",
            "user_agent": "git/2.53.0",
        }
    return event
