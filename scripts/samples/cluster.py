"""``kubernetes.log``: a week of a made cluster's audit log, one event a line.

Controllers watch, a pipeline deploys, people look at their pods. The thief of Ana's session asks
what it may do, reads secrets, opens a shell in a pod and binds an account to ``cluster-admin``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from samples.cloud import ANA, THIEF, THIEF_AGENT, Person, Records, guid, later, stamp
from samples.log import Sample, dice, moments

_WHY = "someone with a stolen token reads secrets, opens a shell and makes itself administrator"
_KUBECTL = "kubectl/v1.35.1 (linux/amd64) kubernetes/8f1e2d3"
_SPACES = {"platform": "kube-system", "shop": "shop", "data": "reports", "security": "shop",
           "it": "default"}  # fmt: skip
_LOOKS = (("get", "pods"), ("list", "pods"), ("get", "deployments"), ("list", "events"),
          ("get", "pods/log"), ("watch", "pods"), ("list", "services"))  # fmt: skip
_GROUPS = {"deployments": "apps", "clusterrolebindings": "rbac.authorization.k8s.io",
           "selfsubjectrulesreviews": "authorization.k8s.io", "leases": "coordination.k8s.io",
           "endpointslices": "discovery.k8s.io"}  # fmt: skip


def make() -> Sample:
    """Returns ``kubernetes.log``."""
    records = Records("kubernetes.log")

    def work(time: datetime, person: Person) -> None:
        verb, resource = records.rng.choice(_LOOKS)
        user = _user(person.mail, ["corp:" + person.team, "system:authenticated"])
        event = _event(records, user, verb, resource, _SPACES[person.team])
        denied = records.rng.randrange(25) == 0
        records.add(time, _at(event, time, person.ip, _KUBECTL, 403 if denied else 200))

    records.days(work, 3)
    for day in range(5):
        _machines(records, day)
    records.intrusion(_theft(records), _WHY)
    return records.sample()


def _user(name: str, groups: list[str]) -> dict[str, Any]:
    return {"username": name, "groups": groups}


def _account(space: str, name: str) -> dict[str, Any]:
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"]
    extra = {"authentication.kubernetes.io/pod-name": [f"{name}-7c9d8f6b5-x2x4z"],
             "authentication.kubernetes.io/node-name": ["node-2"]}  # fmt: skip
    return _user(f"system:serviceaccount:{space}:{name}", groups) | {
        "uid": "5a0c1f6e-1f0e-4c0b-9d3e-0a1b2c3d4e5f",
        "extra": extra,
    }


def _event(
    records: Records, user: dict[str, Any], verb: str, resource: str, space: str | None
) -> dict[str, Any]:
    kind, _, below = resource.partition("/")
    group = _GROUPS.get(kind)
    uri = f"/apis/{group}/v1" if group else "/api/v1"
    uri += (f"/namespaces/{space}" if space else "") + f"/{kind}"
    name = {"pods": "cart-0", "secrets": "database"}.get(kind)
    named = bool(name) and verb not in {"list", "watch"}
    uri += (f"/{name}" if named else "") + (f"/{below}" if below else "")
    reference = {"resource": kind, "namespace": space, "name": name if named else None,
                 "apiGroup": group, "apiVersion": "v1", "subresource": below or None}  # fmt: skip
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
        "auditID": guid(records.rng), "stage": "ResponseComplete", "requestURI": uri,
        "verb": verb, "user": user, "sourceIPs": [], "userAgent": "",
        "objectRef": {key: value for key, value in reference.items() if value},
        "responseStatus": {"metadata": {}, "code": 200},
    }  # fmt: skip


def _at(
    event: dict[str, Any], time: datetime, ip: str, agent: str, code: int = 200
) -> dict[str, Any]:
    allowed = code != 403
    status = {"metadata": {}, "code": code}
    if not allowed:
        who, what = event["user"]["username"], event["objectRef"]["resource"]
        message = f'{what} is forbidden: User "{who}" cannot {event["verb"]}'
        status |= {"status": "Failure", "reason": "Forbidden", "message": message}
    return event | {
        "sourceIPs": [ip],
        "userAgent": agent,
        "responseStatus": status,
        "requestReceivedTimestamp": stamp(time, "microseconds"),
        "stageTimestamp": stamp(later(time, 7), "microseconds"),
        "annotations": {
            "authorization.k8s.io/decision": "allow" if allowed else "forbid",
            "authorization.k8s.io/reason": 'RBAC: allowed by ClusterRoleBinding "view"'
            if allowed else "",
        },
    }  # fmt: skip


def _machines(records: Records, day: int) -> None:
    rng = dice(f"controllers {day}")
    node = _user("system:node:node-2", ["system:nodes", "system:authenticated"])
    ways = (
        (_account("kube-system", "deployment-controller"), "update", "deployments", "shop",
         "10.20.0.4", "kube-controller-manager/v1.35.1"),
        (_account("ci", "deployer"), "patch", "deployments", "shop", "10.20.7.9", "helm/3.17.1"),
        (node, "get", "secrets", "shop", "10.20.0.12", "kubelet/v1.35.1"),
        (_user("system:kube-scheduler", ["system:authenticated"]), "update", "leases",
         "kube-system", "10.20.0.4", "kube-scheduler/v1.35.1"),
    )  # fmt: skip
    for user, verb, resource, space, ip, agent in ways:
        for time in moments(rng, day, 0, 24, 4):
            records.add(time, _at(_event(records, user, verb, resource, space), time, ip, agent))


def _theft(records: Records) -> list[Any]:
    user = _user(ANA.mail, ["corp:platform", "system:authenticated"])
    calls = (
        ("create", "selfsubjectrulesreviews", None, 201),
        ("list", "secrets", "kube-system", 403),
        ("list", "secrets", "shop", 200),
        ("get", "secrets", "shop", 200),
        ("create", "pods/exec", "shop", 101),
        ("create", "clusterrolebindings", None, 201),
    )

    def step(event: dict[str, Any], code: int) -> Any:
        return lambda time: _at(event, time, THIEF, THIEF_AGENT, code)

    return [
        step(_event(records, user, verb, resource, space), code)
        for verb, resource, space, code in calls
    ]
