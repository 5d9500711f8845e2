"""The records of the Linux audit daemon in its enriched layout, as (type, body) pairs."""

from __future__ import annotations

import ipaddress
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

UNSET = 4294967295
Records = list[tuple[str, str]]
Place = tuple[str, str, str, int]
"""A program, the peer's address, the terminal and the process id of a user-space record."""

_NAMES = {0: "root", 33: "www-data", 1001: "mira", 1002: "jonas", 1003: "petra", 1004: "lena",
          1005: "tomas", 1006: "sysupd", 1010: "deploy", 1011: "backup",
          UNSET: "unset"}  # fmt: skip
_LOADER = "/lib64/ld-linux-x86-64.so.2"


@dataclass(frozen=True)
class Process:
    """Who a process runs as, and the login it belongs to."""

    uid: int
    auid: int
    session: int
    tty: str = "(none)"


def user(
    kind: str, who: Process, operation: str, account: str, place: Place, *, success: bool = True
) -> Records:
    """Returns a record that a program such as sshd, cron or useradd sent (PAM and the like)."""
    exe, address, terminal, pid = place
    result = "success" if success else "failed"
    named = f'acct="{account}"' if kind not in {"ADD_GROUP"} else f'grp="{account}"'
    if account == "(invalid user)":
        named = "acct=" + account.encode().hex().upper()
    inner = (
        f'{operation} {named} exe="{exe}" hostname={address} addr={address} '
        f"terminal={terminal} res={result}"
    )
    return [(kind, _head(who, pid) + f" msg='{inner}'" + _who(who))]


def login(pid: int, who: Process) -> Records:
    """Returns the record by which the kernel notes a new login session."""
    body = (
        f"pid={pid} uid=0 subj=unconfined old-auid={UNSET} auid={who.auid} tty=(none) "
        f'old-ses={UNSET} ses={who.session} res=1\x1dUID="root" OLD-AUID="unset" '
        f'AUID="{_NAMES[who.auid]}"'
    )
    return [("LOGIN", body)]


def service(kind: str, unit: str) -> Records:
    """Returns systemd's record that a unit started or stopped."""
    inner = (
        f'unit={unit} comm="systemd" exe="/usr/lib/systemd/systemd" hostname=? addr=? '
        "terminal=? res=success"
    )
    who = Process(0, UNSET, UNSET)
    return [(kind, _head(who, 1) + f" msg='{inner}'" + _who(who))]


def sudo_command(who: Process, pid: int, argv: Sequence[str], cwd: str, terminal: str) -> Records:
    """Returns sudo's record of the command that it was asked for."""
    text = _untrusted(" ".join(argv))
    inner = f'cwd="{cwd}" cmd={text} exe="/usr/bin/sudo" terminal={terminal} res=success'
    return [("USER_CMD", _head(who, pid) + f" msg='{inner}'" + _who(who))]


def execve(
    who: Process,
    chain: tuple[int, int],
    argv: Sequence[str],
    exe: str,
    cwd: str,
    *,
    effective: int | None = None,
) -> Records:
    """Returns the records of a program start.

    Args:
        who: the identity.
        chain: process id and parent's.
        argv: the arguments.
        exe: the file that was started.
        cwd: the working directory.
        effective: the effective user where it differs (sudo).
    """
    key = "web-exec" if who.uid == 33 else "exec"
    arguments = " ".join(f"a{row}={_untrusted(text)}" for row, text in enumerate(argv))
    return [
        _syscall(59, who, chain, (argv[0], exe), key, items=2, effective=effective),
        ("EXECVE", f"argc={len(argv)} {arguments}"),
        ("CWD", f'cwd="{cwd}"'),
        _path(0, exe),
        _path(1, _LOADER),
        ("PROCTITLE", "proctitle=" + _title(argv)),
    ]


def opened(
    who: Process,
    chain: tuple[int, int],
    argv: Sequence[str],
    exe: str,
    path: str,
    *,
    cwd: str,
    success: bool = True,
) -> Records:
    """Returns the records of a watched file being opened; arguments as for ``execve``."""
    effective = 0 if exe.endswith("/sudo") else None
    return [
        _syscall(
            257, who, chain, (argv[0], exe), "shadow", items=1, success=success, effective=effective
        ),
        ("CWD", f'cwd="{cwd}"'),
        _path(0, path, mode="0100640"),
        ("PROCTITLE", "proctitle=" + _title(argv)),
    ]


def connect(who: Process, chain: tuple[int, int], exe: str, address: str, port: int) -> Records:
    """Returns the records of a connection to ``address`` and ``port``."""
    peer = ipaddress.ip_address(address)
    if peer.version == 4:
        raw = f"0200{port:04X}{peer.packed.hex().upper()}{'0' * 16}"
        family = "inet"
    else:
        raw = f"0A00{port:04X}{'0' * 8}{peer.packed.hex().upper()}{'0' * 8}"
        family = "inet6"
    clear = f"SADDR={{ saddr_fam={family} laddr={address} lport={port} }}"
    return [
        _syscall(42, who, chain, (exe, exe), "net", items=0),
        ("SOCKADDR", f"saddr={raw}\x1d{clear}"),
        (
            "PROCTITLE",
            "proctitle=" + _title((exe,) if "php" not in exe else ("php-fpm: pool www",)),
        ),
    ]


_SYSCALLS = {42: "connect", 59: "execve", 257: "openat"}


def _syscall(
    number: int,
    who: Process,
    chain: tuple[int, int],
    program: tuple[str, str],
    key: str,
    *,
    items: int,
    success: bool = True,
    effective: int | None = None,
) -> tuple[str, str]:
    pid, parent = chain
    called, exe = program
    euid = who.uid if effective is None else effective
    pointer = zlib.crc32(f"{pid} {exe}".encode())
    arguments = f"a0=55d5{pointer:08x} a1=7ffc{pointer ^ 0x5A5A5A5A:08x} a2=0 a3=8"
    comm = called.rpartition("/")[2][:15]
    exit_code = {True: "3" if number == 257 else "0", False: "-13"}[success]
    body = (
        f"arch=c000003e syscall={number} success={'yes' if success else 'no'} exit={exit_code} "
        f"{arguments} items={items} ppid={parent} pid={pid} auid={who.auid} uid={who.uid} "
        f"gid={who.uid} euid={euid} suid={euid} fsuid={euid} egid={euid} sgid={euid} "
        f'fsgid={euid} tty={who.tty} ses={who.session} comm="{comm}" exe="{exe}" '
        f'subj=unconfined key="{key}"'
    )
    name, effective_name = _NAMES[who.uid], _NAMES[euid]
    clear = (
        f'ARCH=x86_64 SYSCALL={_SYSCALLS[number]} AUID="{_NAMES[who.auid]}" UID="{name}" '
        f'GID="{name}" EUID="{effective_name}" SUID="{effective_name}" FSUID="{effective_name}" '
        f'EGID="{effective_name}" SGID="{effective_name}" FSGID="{effective_name}"'
    )
    return "SYSCALL", f"{body}\x1d{clear}"


def _path(item: int, path: str, mode: str = "0100755") -> tuple[str, str]:
    inode = 1000 + zlib.crc32(path.encode()) % 900_000
    owner = "shadow" if path == "/etc/shadow" else "root"
    group = 42 if owner == "shadow" else 0
    return "PATH", (
        f'item={item} name="{path}" inode={inode} dev=fd:01 mode={mode} ouid=0 ogid={group} '
        "rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0"
        f'\x1dOUID="root" OGID="{owner}"'
    )


def _head(who: Process, pid: int) -> str:
    return f"pid={pid} uid={who.uid} auid={who.auid} ses={who.session} subj=unconfined"


def _who(who: Process) -> str:
    return f'\x1dUID="{_NAMES[who.uid]}" AUID="{_NAMES[who.auid]}"'


def _untrusted(text: str) -> str:
    # the kernel writes hex where a value holds blanks, quotes or control bytes
    plain = all(" " < character <= "~" and character != '"' for character in text)
    return f'"{text}"' if plain and text else text.encode().hex().upper()


def _title(argv: Sequence[str]) -> str:
    return _untrusted("\0".join(argv)[:128])
