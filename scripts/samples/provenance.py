"""``provenance.tsv``: a day of a made web server as provenance edges, with a header line.

nginx and PHP serve the shop, cron makes backups, an administrator looks around. In the afternoon a
PHP worker starts a shell, which fetches a program, runs it, reads what it should not and calls out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from samples.log import Log, Sample, at, dice, moments, utc

_DAY = 2
_WHY = "a web shell's descendants, from the shell to the connection to the outside"
_HEADER = "source\tsource_type\tsource_name\ttarget\ttarget_type\ttarget_name\trelation\ttime"
_PAGES = ("index.php", "cart.php", "account.php", "search.php")
_End = tuple[str, str, str]
"""Identity, type, name."""


@dataclass
class _Host:
    log: Log = field(default_factory=Log)
    last: int = 700

    def process(self, name: str) -> _End:
        self.last += 3
        return f"p{self.last}", "process", name

    def edge(
        self, time: datetime, source: _End, relation: str, target: _End, why: str | None = None
    ) -> None:
        written = f"{utc(time):%Y-%m-%dT%H:%M:%S.%f}Z"
        self.log.add(time, "\t".join((*source, *target, relation, written)), why=why)


def make() -> Sample:
    """Returns ``provenance.tsv``."""
    host, rng = _Host(), dice("provenance")
    nginx, php = host.process("/usr/sbin/nginx"), host.process("/usr/sbin/php-fpm8.2")
    cron, sshd = host.process("/usr/sbin/cron"), host.process("/usr/sbin/sshd")
    for time in moments(rng, _DAY, 0, 23, 85):
        _request(host, rng, time, nginx, php)
    for hour in range(24):
        _backup(host, at(_DAY, f"{hour:02}:17:01.0"), cron)
    for clock in ("08:40:11.3", "15:02:50.9"):
        _administrator(host, at(_DAY, clock), sshd)
    _intrusion(host, at(_DAY, "14:21:33.2"), php)
    return host.log.sample("provenance.tsv", _HEADER)


def _file(path: str) -> _End:
    return f"f{sum(map(ord, path)) * 31 + len(path)}", "file", path


def _peer(address: str, port: int) -> _End:
    return f"n{address}:{port}", "socket", f"{address}:{port}"


def _request(host: _Host, rng: random.Random, time: datetime, nginx: _End, php: _End) -> None:
    client = _peer(f"203.0.113.{rng.randrange(2, 200)}", rng.randrange(1025, 65000))
    page = _file(f"/var/www/shop/{rng.choice(_PAGES)}")
    steps = (
        (nginx, "accept", client), (nginx, "send", _peer("127.0.0.1", 9000)), (php, "read", page),
        (php, "connect", _peer("10.20.0.5", 3306)),
        (nginx, "write", _file("/var/log/nginx/access.log")),
    )  # fmt: skip
    for number, (source, relation, target) in enumerate(steps):
        host.edge(time + timedelta(milliseconds=7 * number), source, relation, target)


def _backup(host: _Host, time: datetime, cron: _End) -> None:
    shell, tar = host.process("/bin/sh"), host.process("/usr/bin/tar")
    archive = _file("/var/backups/shop.tar.gz")
    pages = [_file(f"/var/www/shop/{page}") for page in _PAGES]
    steps = [(cron, "fork", shell), (shell, "execute", _file("/bin/sh")), (shell, "fork", tar),
             (tar, "execute", _file("/usr/bin/tar")), *((tar, "read", page) for page in pages),
             (tar, "create", archive), (tar, "write", archive)]  # fmt: skip
    for number, (source, relation, target) in enumerate(steps):
        host.edge(time + timedelta(milliseconds=40 * number), source, relation, target)


def _administrator(host: _Host, time: datetime, sshd: _End) -> None:
    session, shell = host.process("/usr/sbin/sshd"), host.process("/usr/bin/bash")
    tool = host.process("/usr/bin/less")
    steps = [(sshd, "accept", _peer("10.20.0.9", 52110)), (sshd, "fork", session),
             (session, "fork", shell), (shell, "read", _file("/home/a.moreau/.bashrc")),
             (shell, "fork", tool), (tool, "execute", _file("/usr/bin/less")),
             (tool, "read", _file("/var/log/nginx/error.log"))]  # fmt: skip
    for number, (source, relation, target) in enumerate(steps):
        host.edge(time + timedelta(seconds=2 * number), source, relation, target)


def _intrusion(host: _Host, time: datetime, php: _End) -> None:
    shell, curl = host.process("/bin/sh"), host.process("/usr/bin/curl")
    agent = host.process("/tmp/.cache-1f")  # noqa: S108 - a name in a made log
    dropped = _file("/tmp/.cache-1f")  # noqa: S108
    steps = [(php, "fork", shell), (shell, "execute", _file("/bin/sh")), (shell, "fork", curl),
             (curl, "execute", _file("/usr/bin/curl")),
             (curl, "connect", _peer("198.51.100.77", 80)), (curl, "create", dropped),
             (curl, "write", dropped),
             (shell, "chmod", dropped), (shell, "fork", agent), (agent, "execute", dropped),
             (agent, "read", _file("/etc/passwd")), (agent, "read", _file("/etc/shadow")),
             (agent, "connect", _peer("198.51.100.77", 4444))]  # fmt: skip
    for number, (source, relation, target) in enumerate(steps):
        host.edge(time + timedelta(seconds=number), source, relation, target, why=_WHY)
