"""``osquery.log``: a day of a made fleet's osquery results, in all the forms that osquery writes.

Processes, sockets and changed files of three servers as events, listening ports and logged-in users
as snapshots, packages and accounts as batches, and the daemons' status logs. At noon someone who
came in through a web server opens a shell to a far address, leaves a key and a cron job.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any

from samples.log import Log, Sample, after, at, dice, moments, utc

_DAY = 1
_HOSTS = ("web03", "db01", "app02")
_WHY = "a shell to a far address through the web server, then a key and a cron job to come back"
_PROGRAMS = (
    ("/usr/bin/bash", "bash -c backup.sh", "0"), ("/usr/bin/rsync", "rsync -a /srv /mnt/b", "0"),
    ("/usr/sbin/cron", "/usr/sbin/cron -f", "0"), ("/usr/bin/psql", "psql -c 'select 1'", "999"),
    ("/usr/bin/python3.12", "python3 /opt/app/worker.py", "1001"),
    ("/usr/bin/apt-get", "apt-get -q update", "0"),
)  # fmt: skip
_FILES = ("/etc/resolv.conf", "/etc/ssh/sshd_config", "/etc/hosts", "/etc/cron.d/backup")
_PACK = "pack_incident-response_"


class _Fleet:
    """The log in the making; epochs and counters go on as those of a daemon do."""

    def __init__(self) -> None:
        self.log = Log()
        self.pid = 4000
        self.counter = 0

    def add(
        self,
        time: datetime,
        host: str,
        query: str,
        body: dict[str, Any],
        *,
        why: str | None = None,
    ) -> None:
        self.counter += 1
        row = {
            "name": query, "hostIdentifier": host, "calendarTime": _calendar(time),
            "unixTime": int(utc(time).timestamp()), "epoch": 0, "counter": self.counter,
            "numerics": False,
            "decorations": {"host_uuid": f"4c4c4544-{len(host):04}", "hostname": host},
        }  # fmt: skip
        self.log.add(time, json.dumps(row | body, separators=(",", ":")), why=why)

    def row(
        self,
        time: datetime,
        host: str,
        query: str,
        columns: dict[str, Any],
        *,
        why: str | None = None,
    ) -> None:
        """Adds a row in event format."""
        self.add(time, host, query, {"columns": columns, "action": "added"}, why=why)

    def status(self, time: datetime, host: str, severity: int, said: tuple[str, str]) -> None:
        body = {
            "hostIdentifier": host, "calendarTime": _calendar(time),
            "unixTime": int(utc(time).timestamp()), "severity": str(severity), "filename": said[0],
            "line": "253", "message": said[1], "version": "5.14.1",
        }  # fmt: skip
        self.log.add(time, json.dumps(body, separators=(",", ":")))


def make() -> Sample:
    """Returns ``osquery.log``."""
    out = _Fleet()
    for host in _HOSTS:
        _processes(out, dice(f"osquery processes {host}"), host)
        _snapshots(out, dice(f"osquery snapshots {host}"), host)
        _changes(out, dice(f"osquery changes {host}"), host)
    _shell(out, dice("osquery shell"))
    return out.log.sample("osquery.log")


def _calendar(time: datetime) -> str:
    return f"{utc(time):%a %b} {utc(time).day:2} {utc(time):%H:%M:%S %Y} UTC"


def _process(
    out: _Fleet,
    time: datetime,
    host: str,
    program: tuple[str, str, str],
    parent: int = 1,
    *,
    why: str | None = None,
) -> int:
    out.pid += 7
    path, cmdline, uid = program
    columns = {
        "pid": str(out.pid), "parent": str(parent), "path": path, "cmdline": cmdline,
        "cwd": '"/srv"', "uid": uid, "euid": uid, "auid": "4294967295",
        "time": str(int(utc(time).timestamp()) - 2), "eid": f"{out.pid:010}", "syscall": "execve",
    }  # fmt: skip
    out.row(time, host, f"{_PACK}process_events", columns, why=why)
    return out.pid


def _connection(
    out: _Fleet,
    time: datetime,
    host: str,
    process: tuple[int, str],
    peer: tuple[str, int],
    *,
    why: str | None = None,
) -> None:
    columns = {
        "action": "connect", "pid": str(process[0]), "path": process[1], "fd": "3",
        "success": "1", "family": "2", "protocol": "6", "local_address": "", "local_port": "0",
        "remote_address": peer[0], "remote_port": str(peer[1]),
        "time": str(int(utc(time).timestamp()) - 1), "eid": f"{process[0] * 3:010}",
    }  # fmt: skip
    out.row(time, host, f"{_PACK}socket_events", columns, why=why)


def _changed(
    out: _Fleet, time: datetime, host: str, path: str, did: str, *, why: str | None = None
) -> None:
    columns = {
        "target_path": path, "category": "etc", "action": did, "uid": "0", "mode": "0644",
        "sha256": f"{dice(f'{time}{path}').randrange(16**64):064x}", "eid": "0000000217",
        "time": str(int(utc(time).timestamp()) - 3),
    }  # fmt: skip
    out.row(time, host, "pack/fim/file_events", columns, why=why)


def _processes(out: _Fleet, rng: random.Random, host: str) -> None:
    for time in moments(rng, _DAY, 6, 18, 26):
        program = rng.choice(_PROGRAMS)
        pid = _process(out, time, host, program)
        if program[0].endswith(("psql", "rsync", "apt-get")):
            peer = ("10.8.0.12", 5432) if "psql" in program[0] else ("10.4.8.20", 443)
            _connection(out, time + timedelta(seconds=1), host, (pid, program[0]), peer)


def _snapshots(out: _Fleet, rng: random.Random, host: str) -> None:
    ports = {"web03": (22, 80, 443), "db01": (22, 5432), "app02": (22, 8000)}[host]
    for time in moments(rng, _DAY, 6, 18, 3):
        rows = [
            {"pid": str(600 + port), "port": str(port), "protocol": "6", "family": "2",
             "address": "0.0.0.0", "path": ""}  # noqa: S104 - an address in a log
            for port in ports
        ]  # fmt: skip
        out.add(time, host, "listening_ports", {"snapshot": rows, "action": "snapshot"})
        users = [
            {
                "user": rng.choice(("kim", "omar")),
                "tty": "pts/0",
                "host": "10.4.1.31",
                "time": str(int(utc(time).timestamp()) - 900),
                "pid": "2211",
                "type": "user",
            }
        ]
        who = users if rng.randrange(2) else []  # fmt: skip
        out.add(time, host, "logged_in_users", {"snapshot": who, "action": "snapshot"})


def _changes(out: _Fleet, rng: random.Random, host: str) -> None:
    for time in moments(rng, _DAY, 6, 18, 4):
        _changed(out, time, host, rng.choice(_FILES), "UPDATED")
    time = moments(rng, _DAY, 6, 8, 1)[0]
    added = [{"name": "openssl", "version": "3.0.16-1", "arch": "amd64"},
             {"name": "libssl3", "version": "3.0.16-1", "arch": "amd64"}]  # fmt: skip
    removed = [{"name": "openssl", "version": "3.0.15-1", "arch": "amd64"}]
    batch = {"diffResults": {"removed": removed, "added": added}}
    out.add(time, host, "deb_packages", batch)
    for time in moments(rng, _DAY, 6, 18, 2):
        out.status(time, host, 0, ("scheduler.cpp", "Executing scheduled query deb_packages"))
    out.status(time, host, 1, ("tls.cpp", "TLS/HTTPS POST request failed: timeout"))


def _shell(out: _Fleet, rng: random.Random) -> None:
    time, host = at(_DAY, "12:07:31"), "web03"
    php = _process(
        out, time, host, ("/usr/bin/dash", "sh -c id; uname -a", "33"), parent=871, why=_WHY
    )
    time = after(time, rng, 4000, 9000)
    program = ("/usr/bin/bash", "bash -i", "33")
    shell = _process(out, time, host, program, parent=php, why=_WHY)
    far = ("198.51.100.44", 4444)
    _connection(out, time + timedelta(seconds=1), host, (shell, program[0]), far, why=_WHY)
    time = after(time, rng, 60_000, 90_000)
    _changed(out, time, host, "/var/www/.ssh/authorized_keys", "CREATED", why=_WHY)
    _changed(
        out, after(time, rng, 9000, 20_000), host, "/etc/cron.d/php-clean", "CREATED", why=_WHY
    )
