"""``syslog.log``: the week of web01 as rsyslog writes it with ISO times (auth, cron, system)."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from samples.log import IGNORE, Log, Sample, after, at, dice, iso, moments
from samples.server import (
    GUESSED,
    GUESSED_WHY,
    GUESSER,
    HOST,
    REBOOT,
    SYSUPD,
    Command,
    CronRun,
    Pids,
    Session,
    guesses,
    week,
)

_ROOT_TOOLS = {"apt": "bin", "useradd": "sbin", "nginx": "sbin", "ufw": "sbin", "usermod": "sbin"}
_GUESS_WHY = "password guessing over ssh"
_KNOCK_WHY = "the internet's usual knocking, no part of the attack"
_TIMERS = (  # clock, unit, description; each day, some minutes late
    ("00:00:00", "logrotate", "Rotate log files"),
    ("00:00:00", "dpkg-db-backup", "Daily dpkg database backup service"),
    ("00:25:00", "man-db", "Daily man-db regeneration"),
    ("03:05:00", "apt-daily", "Daily apt download activities"),
    ("04:40:00", "certbot", "Certbot"),
    ("05:50:00", "motd-news", "Message of the Day"),
    ("06:12:00", "apt-daily-upgrade", "Daily apt upgrade and clean activities"),
    ("11:30:00", "fwupd-refresh", "Refresh fwupd metadata and update motd"),
    ("15:20:00", "apt-daily", "Daily apt download activities"),
    ("16:48:00", "certbot", "Certbot"),
    ("17:35:00", "motd-news", "Message of the Day"),
    ("22:15:00", "systemd-tmpfiles-clean", "Cleanup of Temporary Directories"),
)
_BOOT = (
    "Linux version 6.8.0-101-generic (buildd@example) (gcc 13.3.0) #101-Ubuntu SMP",
    "Command line: BOOT_IMAGE=/vmlinuz-6.8.0-101-generic root=UUID=5d0e4c1a ro quiet",
    "x86/fpu: Supporting XSAVE feature 0x001: 'x87 floating point registers'",
    "ACPI: Core revision 20230628",
    "smpboot: CPU0: AMD EPYC Processor (family: 0x17, model: 0x31, stepping: 0x0)",
    "clocksource: Switched to clocksource kvm-clock",
    "EXT4-fs (vda1): mounted filesystem 5d0e4c1a ro with ordered data mode. Quota mode: none.",
    "audit: type=1404 audit(1772593960.101:2): enforcing=0 old_enforcing=0 auid=4294967295",
    "virtio_net virtio0 ens3: renamed from eth0",
    "EXT4-fs (vda1): re-mounted 5d0e4c1a r/w. Quota mode: none.",
    "IPv6: ADDRCONF(NETDEV_CHANGE): ens3: link becomes ready",
)
_BOOT_UNITS = (
    "Started cron.service - Regular background program processing daemon.",
    "Started ssh.service - OpenBSD Secure Shell server.",
    "Started mariadb.service - MariaDB 10.11.11 database server.",
    "Started php8.3-fpm.service - The PHP 8.3 FastCGI Process Manager.",
    "Started nginx.service - A high performance web server and a reverse proxy server.",
    "Reached target multi-user.target - Multi-User System.",
    "Startup finished in 2.418s (kernel) + 9.022s (userspace) = 11.441s.",
)


class _Writer:
    def __init__(self) -> None:
        self.log = Log()
        self.pids = Pids()

    def write(
        self,
        time: datetime,
        tag: str,
        text: str,
        *,
        why: str | None = None,
        label: str = "hostile",
    ) -> None:
        self.log.add(time, f"{iso(time)} {HOST} {tag}: {text}", why=why, label=label)


def make() -> Sample:
    """Returns ``syslog.log``."""
    out = _Writer()
    sessions, runs = week(range(7), out.pids)
    for session in sessions:
        _login(out, session)
    for run in runs:
        _cron(out, run)
    for day in range(7):
        _timers(out, day)
        _network(out, day)
    _new_colleague(out)
    _mistakes(out)
    _update_and_reboot(out)
    _guessing(out)
    _traces(out)
    return out.log.sample("syslog.log")


def _login(out: _Writer, session: Session) -> None:
    rng = dice(f"syslog login {session.number} {session.start}")
    name, uid, why = session.person.name, session.person.uid, session.why
    peer = f"{session.source} port {session.port}"
    sshd = f"sshd[{session.pid}]"
    proof = f": {session.person.key}" if session.method == "publickey" else ""
    time = session.start
    out.write(time, sshd, f"Accepted {session.method} for {name} from {peer} ssh2{proof}", why=why)
    pam = f"pam_unix(sshd:session): session %s for user {name}"
    opened = pam % "opened" + f"(uid={uid}) by {name}(uid=0)"
    time = after(time, rng, 2, 9)
    out.write(time, sshd, opened, why=why)
    time = after(time, rng, 5, 30)
    logind = "systemd-logind[712]"
    out.write(time, logind, f"New session {session.number} of user {name}.", why=why)
    started = f"Started session-{session.number}.scope - Session {session.number} of User {name}."
    out.write(after(time, rng, 5, 40), "systemd[1]", started, why=why)
    if name == "lena":
        child = f"sshd[{out.pids.at(time)}]"
        out.write(after(time, rng, 60, 300), child, f"subsystem request for sftp by user {name}")
    for command in session.commands:
        if command.root:
            _sudo(out, session, command)
    time = session.end
    child = f"sshd[{out.pids.at(session.start)}]"
    goodbye = f"Received disconnect from {peer}:11: disconnected by user"
    if session.person.name != "backup":
        out.write(time, child, goodbye, why=why)
    out.write(after(time, rng, 0, 1), child, f"Disconnected from user {name} {peer}", why=why)
    out.write(after(time, rng, 2, 9), sshd, pam % "closed", why=why)
    time = after(time, rng, 10, 40)
    scope = f"session-{session.number}.scope: Deactivated successfully."
    out.write(time, "systemd[1]", scope, why=why)
    left = f"Session {session.number} logged out. Waiting for processes to exit."
    out.write(after(time, rng, 0, 2), logind, left, why=why)
    out.write(after(time, rng, 3, 9), logind, f"Removed session {session.number}.", why=why)


def path_of(tool: str) -> str:
    """Returns where a program stands that sudo or execve names."""
    return tool if tool.startswith("/") else f"/usr/{_ROOT_TOOLS.get(tool, 'bin')}/{tool}"


def _sudo(out: _Writer, session: Session, command: Command) -> None:
    name, uid, why = session.person.name, session.person.uid, session.why
    rng = dice(f"syslog sudo {command.pid} {command.time}")
    home = "/tmp" if session.why and name == "deploy" else f"/home/{name}"  # noqa: S108
    if name == "deploy" and not session.why:
        home = "/var/www/shop"
    text = " ".join((path_of(command.argv[0]), *command.argv[1:]))
    if command.argv == ("-l",):
        text = "list"
    line = f"{name:>8} : TTY={session.tty} ; PWD={home} ; USER=root ; COMMAND={text}"
    time = command.time
    out.write(time, f"sudo[{command.pid}]", line, why=why)
    if text == "list":
        return
    pam = "pam_unix(sudo:session): session %s for user root"
    opened = pam % "opened" + f"(uid=0) by {name}(uid={uid})"
    out.write(after(time, rng, 1, 4), f"sudo[{command.pid}]", opened, why=why)
    _effects(out, command, why)
    long = command.argv[0] in {"/bin/bash", "vim", "tail", "apt", "passwd"}
    shut = after(time, rng, 15_000, 40_000) if long else after(time, rng, 40, 900)
    shut = min(shut, session.end)
    if command.argv[0] == "/bin/bash":
        shut = session.end
    out.write(shut, f"sudo[{command.pid}]", pam % "closed", why=why)


def _effects(out: _Writer, command: Command, why: str | None) -> None:
    rng = dice(f"syslog effects {command.pid} {command.time}")
    time = after(command.time, rng, 12, 60)
    match command.argv:
        case ("systemctl", "restart", _):
            unit = "php8.3-fpm.service - The PHP 8.3 FastCGI Process Manager"
            out.write(time, "systemd[1]", f"Stopping {unit}...")
            time = after(time, rng, 60, 400)
            out.write(time, "systemd[1]", f"Stopped {unit}.")
            out.write(after(time, rng, 60, 400), "systemd[1]", f"Started {unit}.")
        case ("systemctl", "reload", service):
            unit = f"{service}.service"
            out.write(time, "systemd[1]", f"Reloading {unit}...")
            out.write(after(time, rng, 30, 200), "systemd[1]", f"Reloaded {unit}.")
        case ("useradd", *_):
            _useradd(out, time, SYSUPD.name, SYSUPD.uid, origin="/dev/pts/3", why=why)
        case ("passwd", user):
            changed = f"pam_unix(passwd:chauthtok): password changed for {user}"
            out.write(
                after(time, rng, 9000, 14_000), f"passwd[{command.pid + 1}]", changed, why=why
            )
        case _:
            pass


def _useradd(
    out: _Writer, time: datetime, name: str, uid: int, *, origin: str, why: str | None
) -> None:
    tag = f"useradd[{out.pids.at(time)}]"
    home = f"home=/home/{name}, shell=/bin/bash, from={origin}"
    out.write(time, tag, f"new group: name={name}, GID={uid}", why=why)
    out.write(time, tag, f"new user: name={name}, UID={uid}, GID={uid}, {home}", why=why)
    out.write(time, tag, f"add '{name}' to group 'sudo'", why=why)
    out.write(time, tag, f"add '{name}' to shadow group 'sudo'", why=why)


def _cron(out: _Writer, run: CronRun) -> None:
    rng = dice(f"syslog cron {run.number} {run.time}")
    uid = {"root": 0, "www-data": 33}.get(run.user, 1003)
    tag = f"CRON[{run.pid}]"
    pam = f"pam_unix(cron:session): session %s for user {run.user}"
    opened = pam % "opened" + f"(uid={uid}) by {run.user}(uid=0)"
    out.write(run.time, tag, opened, why=run.why)
    time = after(run.time, rng, 1, 4)
    out.write(time, f"CRON[{run.pid + 1}]", f"({run.user}) CMD ({run.command})", why=run.why)
    out.write(after(time, rng, 20, 2500), tag, pam % "closed", why=run.why)


def _timers(out: _Writer, day: int) -> None:
    rng = dice(f"timers {day}")
    table = [*_TIMERS]
    if day == 0:
        table.append(("01:00:00", "fstrim", "Discard unused filesystem blocks"))
    for clock, unit, text in table:
        time = after(at(day, clock), rng, 0, 600_000)
        name = f"{unit}.service"
        out.write(time, "systemd[1]", f"Starting {name} - {text}...")
        time = after(time, rng, 80, 12_000)
        out.write(time, "systemd[1]", f"{name}: Deactivated successfully.")
        out.write(time, "systemd[1]", f"Finished {name} - {text}.")
        if rng.randrange(4) == 0:
            used = f"{name}: Consumed {rng.randrange(1, 9)}.{rng.randrange(1000):03}s CPU time."
            out.write(time, "systemd[1]", used)
    rotated = after(at(day, "00:00:02"), rng, 0, 900)
    out.write(rotated, "systemd[1]", "rsyslog.service: Sent signal SIGHUP to main process.")
    if day == 2:
        time = at(day, "16:49:31.207733")
        out.write(time, f"certbot[{out.pids.at(time)}]", "Congratulations, all renewals succeeded")
    for time in moments(rng, day, 0, 24, rng.randrange(3)):
        server = f"192.0.2.{rng.randrange(3, 6)}"
        out.write(time, "chronyd[688]", f"Selected source {server} (ntp.shop.example)")


def _network(out: _Writer, day: int) -> None:
    rng = dice(f"network {day}")
    for hour in range(24):
        time = after(at(day, f"{hour:02}:40:00"), rng, 0, 1500)
        if time < REBOOT - timedelta(minutes=1) or time > REBOOT + timedelta(minutes=1):
            peer = f"192.0.2.51 port {rng.randrange(32768, 61000)}"
            out.write(time, f"sshd[{out.pids.at(time)}]", f"Connection closed by {peer}")
    for time in moments(rng, day, 0, 24, rng.randrange(14, 30)):
        source = f"203.0.113.{rng.randrange(1, 255)}"
        target = rng.choice(
            (23, 445, 3389, 5900, 6379, 8080, 8443, 2375, rng.randrange(1024, 65535))
        )
        packet = (
            f"[UFW BLOCK] IN=ens3 OUT= MAC=52:54:00:1f:0a:10 SRC={source} DST=192.0.2.10 LEN=40 "
            f"TTL={rng.randrange(230, 250)} ID={rng.randrange(65536)} PROTO=TCP "
            f"SPT={rng.randrange(1024, 65535)} DPT={target} WINDOW=1024 RES=0x00 SYN URGP=0"
        )
        out.write(time, "kernel", packet)
    for time in moments(rng, day, 0, 24, rng.randrange(2, 6)):
        _knock(out, rng, time)


def _knock(out: _Writer, rng: random.Random, time: datetime) -> None:
    peer = f"203.0.113.{rng.randrange(100, 250)} port {rng.randrange(1024, 65535)}"
    tag = f"sshd[{out.pids.at(time)}]"
    if rng.randrange(3) == 0:
        odd = "kex_exchange_identification: Connection closed by remote host"
        out.write(time, tag, odd, why=_KNOCK_WHY, label=IGNORE)
        return
    name = rng.choice(("admin", "pi", "test", "user", "ftp"))
    out.write(time, tag, f"Invalid user {name} from {peer}", why=_KNOCK_WHY, label=IGNORE)
    closed = f"Connection closed by invalid user {name} {peer} [preauth]"
    out.write(after(time, rng, 100, 900), tag, closed, why=_KNOCK_WHY, label=IGNORE)


def _new_colleague(out: _Writer) -> None:
    """On Tuesday mira makes an account for a new colleague: a new user need not be an attack."""
    time = at(1, "10:12:31.418820")
    tag = f"sudo[{out.pids.at(time)}]"
    line = (
        "    mira : TTY=pts/0 ; PWD=/home/mira ; USER=root ; "
        "COMMAND=/usr/sbin/useradd -m -G sudo -s /bin/bash tomas"
    )
    out.write(time, tag, line)
    pam = "pam_unix(sudo:session): session %s for user root"
    out.write(time, tag, pam % "opened" + "(uid=0) by mira(uid=1001)")
    _useradd(out, time + timedelta(milliseconds=31), "tomas", 1005, origin="/dev/pts/0", why=None)
    out.write(time + timedelta(milliseconds=84), tag, pam % "closed")


def _mistakes(out: _Writer) -> None:
    """People mistype passwords, and once an administrator takes a root shell."""
    rng = dice("mistakes")
    for day, clock in (
        (0, "09:41:12.118"),
        (1, "13:02:44.702"),
        (3, "09:15:20.551"),
        (4, "10:52:03.094"),
    ):
        time = at(day, clock)
        tag = f"sshd[{out.pids.at(time)}]"
        peer = f"198.51.100.14 port {rng.randrange(32768, 61000)}"
        failure = (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
            "rhost=198.51.100.14  user=lena"
        )
        out.write(time, tag, failure)
        failed = after(time, rng, 1500, 2300)
        out.write(failed, tag, f"Failed password for lena from {peer} ssh2")
        out.write(
            after(failed, rng, 6000, 9000),
            tag,
            f"Connection closed by authenticating user lena {peer} [preauth]",
        )
    time = at(2, "17:31:40.650912")
    tag = f"sudo[{out.pids.at(time)}]"
    out.write(
        time, tag, "   jonas : TTY=pts/1 ; PWD=/home/jonas ; USER=root ; COMMAND=/usr/bin/bash"
    )
    pam = "pam_unix(sudo:session): session %s for user root"
    out.write(after(time, rng, 1, 4), tag, pam % "opened" + "(uid=0) by jonas(uid=1002)")
    su = f"su[{out.pids.at(time)}]"
    time = after(time, rng, 20_000, 30_000)
    out.write(time, su, "(to www-data) root on pts/4")
    switch = "pam_unix(su:session): session %s for user www-data"
    out.write(time, su, switch % "opened" + "(uid=33) by jonas(uid=0)")
    out.write(at(2, "17:44:05.330481"), su, switch % "closed")
    out.write(at(2, "17:44:09.871206"), tag, pam % "closed")


def _update_and_reboot(out: _Writer) -> None:
    rng = dice("reboot")
    time = REBOOT - timedelta(seconds=48)
    unit = "unattended-upgrades.service - Unattended Upgrades Shutdown"
    out.write(time, "systemd[1]", f"Stopping {unit}...")
    for text in ("The system will reboot now!", "System is rebooting."):
        time = after(time, rng, 100, 900)
        out.write(time, "systemd-logind[709]", text)
    for text in ("cron.service", "ssh.service", "nginx.service", "mariadb.service"):
        time = after(time, rng, 100, 3000)
        out.write(time, "systemd[1]", f"Stopped {text}.")
    time = REBOOT
    for text in _BOOT:
        out.write(time, "kernel", text)
        time = after(time, rng, 1, 300)
    for text in _BOOT_UNITS:
        time = after(time, rng, 100, 1500)
        out.write(time, "systemd[1]", text)
    listening = "Server listening on 0.0.0.0 port 22."
    out.write(time, f"sshd[{out.pids.at(time)}]", listening)
    out.write(time, f"sshd[{out.pids.at(REBOOT)}]", "Server listening on :: port 22.")


def _guessing(out: _Writer) -> None:
    rng = dice("syslog guessing")
    for time, name, port, known in guesses():
        tag = f"sshd[{out.pids.at(time)}]"
        who = name if known else f"invalid user {name}"
        peer = f"{GUESSER} port {port}"
        if not known:
            out.write(time, tag, f"Invalid user {name} from {peer}", why=_GUESS_WHY)
        rhost = f"rhost={GUESSER} " + (f" user={name}" if known else "")
        failure = (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
            f"{rhost}"
        )
        out.write(after(time, rng, 1, 20), tag, failure, why=_GUESS_WHY)
        failed = after(time, rng, 1600, 2500)
        out.write(failed, tag, f"Failed password for {who} from {peer} ssh2", why=_GUESS_WHY)
        closed = f"Connection closed by {'authenticating' if known else 'invalid'} user {name}"
        out.write(after(failed, rng, 5, 90), tag, f"{closed} {peer} [preauth]", why=_GUESS_WHY)


def _traces(out: _Writer) -> None:
    """What the attacker's root shell leaves behind in the system log."""
    time = GUESSED + timedelta(seconds=641)
    tag = f"crontab[{out.pids.at(time)}]"
    out.write(time, tag, "(root) BEGIN EDIT (root)", why=GUESSED_WHY)
    time += timedelta(seconds=38)
    out.write(time, tag, "(root) REPLACE (root)", why=GUESSED_WHY)
    out.write(time, tag, "(root) END EDIT (root)", why=GUESSED_WHY)
