"""``auditd.log``: Thursday and Friday of web01 as the Linux audit daemon writes them (enriched).

Rules in force: execve by people and by www-data, reads of /etc/shadow, connect by www-data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from samples import audit_records as records
from samples.audit_records import UNSET, Process, Records
from samples.intrusion import shell_steps
from samples.log import Log, Sample, after, at, dice, moments
from samples.server import GUESSED, GUESSER, STAGE, Command, CronRun, Pids, Session, guesses, week
from samples.syslog import path_of

_DAYS = range(3, 5)
_FIRST_SERIAL = 48213
_PHP = "/usr/sbin/php-fpm8.3"
_GUESS_WHY = "password guessing over ssh"
_SHELL_WHY = "a command through the uploaded web shell"
_ROOT = Process(0, UNSET, UNSET)
_WWW = Process(33, UNSET, UNSET)


@dataclass(frozen=True)
class _Event:
    time: datetime
    records: Records
    why: str | None


class _Trail:
    def __init__(self) -> None:
        self.events: list[_Event] = []
        self.pids = Pids()

    def add(self, time: datetime, event: Records, why: str | None = None) -> None:
        self.events.append(_Event(time, event, why))


def make() -> Sample:
    """Returns ``auditd.log.gz``."""
    trail = _Trail()
    sessions, runs = week(_DAYS, trail.pids)
    for session in sessions:
        _login(trail, session)
    for run in runs:
        _cron(trail, run)
    for day in _DAYS:
        _shop(trail, day)
        _services(trail, day)
    _guessing(trail)
    _web_shell(trail)
    _user_added(trail, next(session for session in sessions if session.why))
    log = Log()
    for serial, event in enumerate(sorted(trail.events, key=_by_time), start=_FIRST_SERIAL):
        stamp = f"{event.time.timestamp():.3f}:{serial}"
        log.add(
            event.time, *(_line(kind, stamp, body) for kind, body in event.records), why=event.why
        )
    return log.sample("auditd.log.gz")


def _by_time(event: _Event) -> datetime:
    return event.time


def _line(kind: str, stamp: str, body: str) -> str:
    return f"type={kind} msg=audit({stamp}): {body}"


def _login(trail: _Trail, session: Session) -> None:
    rng = dice(f"audit login {session.number}")
    name, why, address = session.person.name, session.why, session.source
    login = Process(session.person.uid, session.person.uid, session.number)
    time = session.start - timedelta(milliseconds=40)
    sshd = ("/usr/sbin/sshd", address, "ssh", session.pid)
    keyed = session.method == "publickey"
    operation = (
        "op=pubkey_auth grantors=auth-key" if keyed else "op=PAM:authentication grantors=pam_unix"
    )
    trail.add(time, records.user("USER_AUTH", _ROOT, operation, name, sshd), why)
    time = after(time, rng, 2, 8)
    account = "op=PAM:accounting grantors=pam_permit"
    trail.add(time, records.user("USER_ACCT", _ROOT, account, name, sshd), why)
    granted = "op=PAM:setcred grantors=pam_permit"
    trail.add(after(time, rng, 1, 3), records.user("CRED_ACQ", _ROOT, granted, name, sshd), why)
    time = after(time, rng, 4, 8)
    trail.add(time, records.login(session.pid, login), why)
    as_root = Process(0, login.auid, login.session)
    opened = "op=PAM:session_open grantors=pam_loginuid,pam_keyinit,pam_permit,pam_unix,pam_systemd"
    time = after(time, rng, 4, 40)
    trail.add(time, records.user("USER_START", as_root, opened, name, sshd), why)
    shell = trail.pids.at(session.start)
    for command in session.commands:
        _typed(trail, session, command, shell)
    if name == "backup":
        argv = ("rsync", "--server", "--sender", "-logDtpre.iLsfxCIvu", ".", "/var/backups/")
        trail.add(
            after(time, rng, 80, 200),
            records.execve(login, (shell, session.pid), argv, "/usr/bin/rsync", "/home/backup"),
        )
    closed = opened.replace("open", "close")
    trail.add(session.end, records.user("USER_END", as_root, closed, name, sshd), why)
    trail.add(
        after(session.end, rng, 1, 3), records.user("CRED_DISP", as_root, granted, name, sshd), why
    )


def _typed(trail: _Trail, session: Session, command: Command, shell: int) -> None:
    name, why = session.person.name, session.why
    who = Process(
        session.person.uid, session.person.uid, session.number, session.tty.replace("/", "")
    )
    root = Process(0, who.auid, who.session, who.tty)
    home = "/var/www/shop" if name == "deploy" else f"/home/{name}"
    if not command.root:
        inside = root if name == "sysupd" else who  # he types in the root shell that sudo gave
        event = records.execve(
            inside, (command.pid, shell), command.argv, path_of(command.argv[0]), home
        )
        trail.add(command.time, event, why)
        _touched(trail, command, inside, shell, why)
        return
    rng = dice(f"audit sudo {command.pid} {command.time}")
    time = command.time - timedelta(milliseconds=30)
    asked = ("sudo", *command.argv)
    event = records.execve(who, (command.pid, shell), asked, "/usr/bin/sudo", home, effective=0)
    trail.add(time, event, why)
    time = after(time, rng, 3, 9)
    chain = (command.pid, shell)
    trail.add(
        time, records.opened(root, chain, asked, "/usr/bin/sudo", "/etc/shadow", cwd=home), why
    )
    if command.argv == ("-l",):
        return
    time = after(time, rng, 5, 12)
    full = (path_of(command.argv[0]), *command.argv[1:])
    trail.add(time, records.sudo_command(who, command.pid, full, home, session.tty), why)
    sudo = ("/usr/bin/sudo", "?", f"/dev/{session.tty}", command.pid)
    opened = "op=PAM:session_open grantors=pam_limits,pam_permit,pam_unix"
    time = after(time, rng, 1, 4)
    trail.add(time, records.user("USER_START", who, opened, "root", sudo), why)
    child = trail.pids.at(command.time)
    time = after(time, rng, 2, 6)
    trail.add(time, records.execve(root, (child, command.pid), command.argv, full[0], home), why)
    closed = opened.replace("open", "close")
    time = session.end if command.argv[0] == "/bin/bash" else after(time, rng, 40, 2000)
    trail.add(time, records.user("USER_END", who, closed, "root", sudo), why)


def _touched(trail: _Trail, command: Command, who: Process, shell: int, why: str | None) -> None:
    time = command.time + timedelta(milliseconds=2)
    if command.argv == ("cat", "/etc/shadow"):
        chain = (command.pid, shell)
        event = records.opened(who, chain, command.argv, "/usr/bin/cat", "/etc/shadow", cwd="/root")
        trail.add(time, event, why)


def _cron(trail: _Trail, run: CronRun) -> None:
    rng = dice(f"audit cron {run.number}")
    uid = {"root": 0, "www-data": 33}.get(run.user, 1003)
    cron = ("/usr/sbin/cron", "?", "cron", run.pid)
    time = run.time
    account = "op=PAM:accounting grantors=pam_permit"
    trail.add(time, records.user("USER_ACCT", _ROOT, account, run.user, cron), run.why)
    granted = "op=PAM:setcred grantors=pam_permit"
    time = after(time, rng, 1, 3)
    trail.add(time, records.user("CRED_ACQ", _ROOT, granted, run.user, cron), run.why)
    login = Process(0, uid, run.number)
    time = after(time, rng, 1, 3)
    trail.add(time, records.login(run.pid, login), run.why)
    opened = "op=PAM:session_open grantors=pam_loginuid,pam_env,pam_permit,pam_unix,pam_limits"
    trail.add(
        after(time, rng, 1, 4), records.user("USER_START", login, opened, run.user, cron), run.why
    )
    if run.user != "root":
        job = Process(uid, uid, run.number)
        child = trail.pids.at(run.time)
        shell = ("/bin/sh", "-c", run.command)
        home = "/var/www" if uid == 33 else "/home/petra"
        trail.add(
            after(time, rng, 5, 9),
            records.execve(job, (child, run.pid), shell, "/usr/bin/dash", home),
        )
        argv = tuple(run.command.split())
        grandchild = trail.pids.at(run.time)
        trail.add(
            after(time, rng, 10, 15),
            records.execve(job, (grandchild, child), argv, "/usr/bin/php8.3", home),
        )
    end = after(time, rng, 30, 2500)
    closed = opened.replace("open", "close")
    trail.add(end, records.user("CRED_DISP", login, granted, run.user, cron), run.why)
    trail.add(
        after(end, rng, 1, 3), records.user("USER_END", login, closed, run.user, cron), run.why
    )


def _shop(trail: _Trail, day: int) -> None:
    """What the shop's PHP does all day: mails, thumbnails, payments, now and then a disk check."""
    rng = dice(f"shop {day}")
    public = "/var/www/shop/public"
    for time in moments(rng, day, 7, 23, 34):
        _spawned(trail, time, "/usr/sbin/sendmail -t -i", "/usr/sbin/sendmail", cwd=public)
    for time in moments(rng, day, 8, 21, 16):
        size = rng.choice(("300x300", "640x480", "1200x1200"))
        name = f"/tmp/php{rng.randrange(36**6):06d}"  # noqa: S108 - the made server's
        shrink = (
            f"convert {name} -resize {size} /var/www/shop/storage/thumbs/{rng.randrange(9999)}.webp"
        )
        _spawned(trail, time, shrink, "/usr/bin/convert-im6.q16", cwd=public)
    for time in moments(rng, day, 8, 18, 2):
        _spawned(trail, time, "df -P /var/www", "/usr/bin/df", cwd=public)
    if day == 3:
        _spawned(trail, at(3, "11:20:31.442"), "which gs", "/usr/bin/which.debianutils", cwd=public)
        _spawned(trail, at(3, "11:20:33.107"), "gs --version", "/usr/bin/gs", cwd=public)
    for time in moments(rng, day, 0, 24, 36):
        peer = ("192.0.2.60", 443) if rng.randrange(8) else ("2001:db8:40::15", 443)
        event = records.connect(_WWW, (_worker(rng.randrange(4)), 981), _PHP, *peer)
        trail.add(time, event)


def _worker(number: int) -> int:
    return 1290 + number


def _spawned(
    trail: _Trail, time: datetime, command: str, exe: str, *, cwd: str, why: str | None = None
) -> int:
    """A PHP worker runs ``sh -c command``; returns the process id of the command."""
    shell, child = trail.pids.at(time), trail.pids.at(time)
    worker = _worker(shell % 4)
    argv = ("sh", "-c", command)
    trail.add(time, records.execve(_WWW, (shell, worker), argv, "/usr/bin/dash", cwd), why)
    time += timedelta(milliseconds=3)
    event = records.execve(_WWW, (child, shell), tuple(command.split()), exe, cwd)
    trail.add(time, event, why)
    return child


def _services(trail: _Trail, day: int) -> None:
    rng = dice(f"services {day}")
    for hour, unit in ((0, "logrotate"), (0, "dpkg-db-backup"), (3, "apt-daily"), (4, "certbot"),
                       (6, "apt-daily-upgrade"), (15, "apt-daily"), (16, "certbot"),
                       (22, "systemd-tmpfiles-clean")):  # fmt: skip
        time = after(at(day, f"{hour:02}:00:00"), rng, 0, 1_800_000)
        trail.add(time, records.service("SERVICE_START", unit))
        trail.add(after(time, rng, 90, 9000), records.service("SERVICE_STOP", unit))


def _guessing(trail: _Trail) -> None:
    rng = dice("audit guessing")
    for time, name, _, known in guesses():
        sshd = ("/usr/sbin/sshd", GUESSER, "ssh", trail.pids.at(time))
        operation = "op=PAM:authentication grantors=?"
        account = name if known else "(invalid user)"
        event = records.user("USER_AUTH", _ROOT, operation, account, sshd, success=False)
        trail.add(after(time, rng, 20, 40), event, _GUESS_WHY)
        event = records.user("USER_LOGIN", _ROOT, "op=login", account, sshd, success=False)
        trail.add(after(time, rng, 1600, 2500), event, _GUESS_WHY)


def _web_shell(trail: _Trail) -> None:
    public = "/var/www/shop/public/uploads/avatars"
    for time, command, worked in shell_steps():
        tool = command.split()[0]
        exe = tool if tool.startswith("/") else f"/usr/bin/{tool}"
        exe = "/usr/bin/nc.openbsd" if tool == "nc" else exe
        pid = _spawned(trail, time, command, exe, cwd=public, why=_SHELL_WHY)
        chain = (pid, pid - 1)
        argv = tuple(command.split())
        moment = time + timedelta(milliseconds=9)
        if command.startswith("cat /etc/shadow"):
            event = records.opened(
                _WWW, chain, argv, exe, "/etc/shadow", cwd=public, success=worked
            )
            trail.add(moment, event, _SHELL_WHY)
        if STAGE in command or tool == "/tmp/.x":  # noqa: S108 - the attacker's place
            port = {"curl": 80, "nc": 4444}.get(tool, 8443)
            trail.add(moment, records.connect(_WWW, chain, exe, STAGE, port), _SHELL_WHY)


def _user_added(trail: _Trail, stolen: Session) -> None:
    """The records of useradd and passwd beside those of the sudo that ran them."""
    deploy = Process(0, stolen.person.uid, stolen.number, "pts3")
    why = "the attacker adds a user"
    time = GUESSED + timedelta(seconds=96, milliseconds=410)
    tool = ("/usr/sbin/useradd", "?", "pts/3", trail.pids.at(time))
    for step, (kind, operation) in enumerate(
        (("ADD_GROUP", "op=add-group"), ("ADD_USER", "op=add-user"),
         ("USER_MGMT", "op=add-user-to-group grp=\"sudo\""))
    ):  # fmt: skip
        moment = time + timedelta(milliseconds=4 * step)
        trail.add(moment, records.user(kind, deploy, operation, "sysupd", tool), why)
    time = GUESSED + timedelta(seconds=130)
    tool = ("/usr/bin/passwd", "?", "pts/3", trail.pids.at(time))
    operation = "op=PAM:chauthtok grantors=pam_unix"
    trail.add(time, records.user("USER_CHAUTHTOK", deploy, operation, "sysupd", tool), why)
