"""``journald.json``: a day of a made build server's journal, as ``journalctl -o json`` writes it.

Jobs run under a service, timers fire, an administrator works with sudo. In the evening a stranger
guesses passwords, gets in as the account of the jobs, takes a root shell and adds a user.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from samples.log import Log, Sample, at, dice, moments, utc

_DAY = 4
_WHY = "guessed passwords, a login with one, a root shell and a new user"
_BOOT = "5f0c6a1be7d84c0d9a53b1f2c4e60d11"
_TOOLS = ("gcc", "ld", "cargo", "npm", "pytest", "docker")


@dataclass
class _Journal:
    log: Log = field(default_factory=Log)
    number: int = 41_000

    def say(
        self, time: datetime, program: str, message: str, *, why: str | None = None, **more: str
    ) -> None:
        self.number += 1
        stamp = int(utc(time).timestamp() * 1_000_000)
        entry = {
            "__CURSOR": f"s=c0ffee;i={self.number:x};b={_BOOT}",
            "__REALTIME_TIMESTAMP": str(stamp),
            "_BOOT_ID": _BOOT,
            "_HOSTNAME": "build02",
            "_TRANSPORT": "syslog",
            "PRIORITY": "6",
            "SYSLOG_IDENTIFIER": program,
            "_UID": "0",
            **more,
            "MESSAGE": message,
            "_SOURCE_REALTIME_TIMESTAMP": str(stamp - 37),
        }
        shown = {key: value for key, value in entry.items() if value}
        row: dict[str, object] = dict(shown)
        if "\x1b" in message:  # journalctl writes bytes that are no plain text as numbers
            row["MESSAGE"] = list(message.encode())
        self.log.add(time, json.dumps(row, separators=(",", ":")), why=why)


def make() -> Sample:
    """Returns ``journald.json``."""
    journal, rng = _Journal(), dice("build server")
    for number, time in enumerate(moments(rng, _DAY, 0, 23, 62)):
        _job(journal, rng, time, number)
    for hour in range(0, 24, 2):
        _timer(journal, at(_DAY, f"{hour:02}:17:01.2"), rng)
    for clock in ("08:31:10.0", "13:05:44.5"):
        _administrator(journal, rng, at(_DAY, clock))
    _intrusion(journal, rng, at(_DAY, "21:12:03.6"))
    return journal.log.sample("journald.json")


def _job(journal: _Journal, rng: random.Random, time: datetime, number: int) -> None:
    unit = {"_SYSTEMD_UNIT": "runner.service", "_UID": "990", "_PID": "1204", "_COMM": "runner"}
    tool = rng.choice(_TOOLS)
    failed = rng.randrange(9) == 0
    colour = "\x1b[31mfailed\x1b[0m" if failed else "succeeded"
    journal.say(time, "runner", f"job {4000 + number} started: {tool}", _EXE="/opt/runner/bin/run",
                **unit)  # fmt: skip
    time += timedelta(seconds=rng.randrange(20, 400))
    journal.say(time, "runner", f"job {4000 + number} {colour} after {rng.randrange(20, 400)} s",
                _EXE="/opt/runner/bin/run", **unit)  # fmt: skip
    if rng.randrange(2):
        journal.say(time, "systemd", "runner.service: Consumed 12.4s CPU time.",
                    UNIT="runner.service", _PID="1", _COMM="systemd",
                    _SYSTEMD_UNIT="init.scope")  # fmt: skip


def _timer(journal: _Journal, time: datetime, rng: random.Random) -> None:
    unit = {"_PID": "1", "_COMM": "systemd", "_SYSTEMD_UNIT": "init.scope"}
    journal.say(time, "systemd", "Starting cleanup.service - Remove old workspaces...",
                UNIT="cleanup.service", **unit)  # fmt: skip
    pid = str(rng.randrange(2000, 9000))
    journal.say(time + timedelta(seconds=1), "CRON",
                f"(root) CMD (find /srv/work -mtime +{rng.randrange(3, 9)} -delete)",
                SYSLOG_FACILITY="9", _PID=pid, _COMM="cron",
                _SYSTEMD_UNIT="cron.service")  # fmt: skip
    journal.say(time + timedelta(seconds=4), "systemd",
                "Finished cleanup.service - Remove old workspaces.", UNIT="cleanup.service",
                **unit)  # fmt: skip


def _ssh(pid: int) -> dict[str, str]:
    return {"SYSLOG_FACILITY": "4", "_PID": str(pid), "_COMM": "sshd", "_EXE": "/usr/sbin/sshd",
            "_SYSTEMD_UNIT": "ssh.service"}  # fmt: skip


def _administrator(journal: _Journal, rng: random.Random, time: datetime) -> None:
    sshd = _ssh(rng.randrange(9000, 20_000))
    journal.say(time, "sshd", f"Accepted publickey for h.lind from 10.20.0.9 port "
                f"{rng.randrange(40000, 60000)} ssh2: ED25519 SHA256:made0by0nobody",
                **sshd)  # fmt: skip
    journal.say(time + timedelta(seconds=1), "sshd",
                "pam_unix(sshd:session): session opened for user h.lind(uid=1000) by h.lind(uid=0)",
                **sshd)  # fmt: skip
    for step, command in enumerate(("/usr/bin/apt-get update", "/usr/bin/systemctl status runner")):
        journal.say(time + timedelta(seconds=20 + 9 * step), "sudo",
                    f"  h.lind : TTY=pts/0 ; PWD=/home/h.lind ; USER=root ; COMMAND={command}",
                    SYSLOG_FACILITY="10", PRIORITY="5", _UID="1000", _COMM="sudo",
                    _AUDIT_SESSION="12", _SYSTEMD_UNIT="session-12.scope")  # fmt: skip


def _intrusion(journal: _Journal, rng: random.Random, time: datetime) -> None:
    for name in ("root", "admin", "git", "runner", "runner", "deploy", "runner", "test", "runner"):
        known = name in {"root", "runner"}
        journal.say(time, "sshd", f"Failed password for {'' if known else 'invalid user '}{name} "
                    f"from 203.0.113.88 port {rng.randrange(40000, 60000)} ssh2",
                    why=_WHY, **_ssh(rng.randrange(20_000, 30_000)))  # fmt: skip
        time += timedelta(seconds=rng.randrange(2, 9))
    sshd = _ssh(30_111)
    journal.say(time, "sshd", "Accepted password for runner from 203.0.113.88 port 51944 ssh2",
                why=_WHY, **sshd)  # fmt: skip
    journal.say(time, "sshd", "pam_unix(sshd:session): session opened for user runner(uid=990) "
                "by runner(uid=0)", why=_WHY, **sshd)  # fmt: skip
    steps = (
        ("sudo", "  runner : TTY=pts/3 ; PWD=/srv/work ; USER=root ; COMMAND=/bin/bash"),
        ("useradd", "new user: name=svc-sync, UID=1007, GID=1007, home=/home/svc-sync"),
        ("passwd", "pam_unix(passwd:chauthtok): password changed for svc-sync"),
    )  # fmt: skip
    for program, message in steps:
        time += timedelta(seconds=rng.randrange(10, 50))
        journal.say(time, program, message, why=_WHY, SYSLOG_FACILITY="10", _COMM=program,
                    _SYSTEMD_UNIT="session-31.scope", _AUDIT_SESSION="31")  # fmt: skip
