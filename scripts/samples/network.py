"""The traffic of a made office on a Monday morning, as two sensors on its uplink saw it.

``zeek.log`` and ``suricata.json`` tell of the same sessions. Desktops look names up, browse, take
leases, log on to a file server and send mail. One desktop is not its owner's any more: it looks
around for file servers, calls home every fifteen minutes, and carries an archive out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from samples.log import after, dice, moments, weighted

DAY = 0
RESOLVER, FILES, MAIL = "10.30.0.2", "10.30.0.10", "10.30.0.25"
_PEOPLE = {
    "10.30.1.21": ("desk21", "l.brandt"),
    "10.30.1.22": ("desk22", "o.ferreira"),
    "10.30.1.23": ("desk23", "s.lindqvist"),
    "10.30.1.24": ("desk24", "y.tanaka"),
    "10.30.1.25": ("desk25", "m.okafor"),
    "10.30.1.26": ("desk26", "j.novak"),
}
_ILL = "10.30.1.25"
_HOME = "203.0.113.140"
_SITES = {
    "www.news.example": "198.51.100.10",
    "cdn.news.example": "198.51.100.11",
    "mail.cloud.example": "198.51.100.20",
    "docs.cloud.example": "198.51.100.21",
    "updates.vendor.example": "192.0.2.30",
    "shop.tools.example": "192.0.2.44",
}
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Firefox/124.0"
_WITHOUT_CONNECTION = ("dhcp", "dns")
_ROOMS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ123456789"


@dataclass(frozen=True)
class Session:
    """One session on the wire.

    Args:
        time: its first packet.
        uid: Zeek's name for it.
        source: who opened it, and its port.
        destination: the other end.
        transport: ``tcp`` or ``udp``.
        service: the application's protocol, empty where none was recognised.
        seconds: how long it took; 0 where nobody answered.
        sent: bytes of the source's, and of the answer.
        state: Zeek's conn_state.
        detail: what the application's protocol told.
        why: why it is hostile, None where it is not.
    """

    time: datetime
    uid: str
    source: tuple[str, int]
    destination: tuple[str, int]
    transport: str
    service: str
    seconds: float
    sent: tuple[int, int]
    state: str = "SF"
    detail: dict[str, str] = field(default_factory=dict)
    why: str | None = None


class _Office:
    def __init__(self) -> None:
        self.rng = dice("office network")
        self.sessions: list[Session] = []

    def add(
        self,
        time: datetime,
        source: str,
        destination: tuple[str, int],
        service: str,
        *,
        state: str = "SF",
        detail: dict[str, str] | None = None,
        sent: tuple[int, int] | None = None,
        why: str | None = None,
    ) -> None:
        rng = self.rng
        answered = state == "SF"
        transport = "udp" if service in _WITHOUT_CONNECTION else "tcp"
        size = sent or (rng.randrange(200, 4000), rng.randrange(400, 90_000))
        self.sessions.append(
            Session(
                time,
                uid(rng),
                (source, rng.randrange(49_152, 65_535)),
                destination,
                transport,
                service,
                round(rng.uniform(0.002, 0.2 if transport == "udp" else 40), 6) if answered else 0,
                size if answered else (0, 0),
                state,
                detail or {},
                why,
            )
        )


def uid(rng: random.Random, first: str = "C") -> str:
    """Returns a name as Zeek makes them for connections and, with ``F``, for files."""
    return first + "".join(rng.choice(_ROOMS) for _ in range(17))


def sessions() -> list[Session]:
    """Returns the sessions of the morning by time."""
    office = _Office()
    for desk, (name, user) in _PEOPLE.items():
        _arrives(office, desk, name, user)
        for time in moments(office.rng, DAY, 8, 12, 7):
            _browses(office, desk, time)
    for time in moments(office.rng, DAY, 9, 12, 10):
        _mails(office, time)
    _strangers(office)
    _is_ill(office)
    return sorted(office.sessions, key=lambda session: session.time)


def _arrives(office: _Office, desk: str, name: str, user: str) -> None:
    rng = office.rng
    time = moments(rng, DAY, 7, 9, 1)[0]
    lease = {"host": name, "mac": f"02:00:5e:00:53:{desk[-2:]}", "address": desk}
    office.add(time, desk, (RESOLVER, 67), "dhcp", detail=lease, sent=(600, 600))
    time = after(time, rng, 20_000, 90_000)
    ticket = {"client": f"{user}/OFFICE.EXAMPLE", "service": "cifs/files01.office.example"}
    office.add(time, desk, (RESOLVER, 88), "krb", detail=ticket | {"ok": "T"}, sent=(1500, 1600))
    for _ in range(2):
        time = after(time, rng, 1000, 900_000)
        path = rng.choice(("plans\\floor2.dwg", "offers\\offer-114.docx", "staff\\rota.xlsx"))
        _opens_file(office, desk, time, (name, user), path)


def _opens_file(
    office: _Office,
    desk: str,
    time: datetime,
    who: tuple[str, str],
    path: str,
    *,
    why: str | None = None,
) -> None:
    detail = {"host": who[0], "user": who[1], "share": "\\\\files01\\office", "file": path}
    office.add(time, desk, (FILES, 445), "smb", detail=detail, why=why)


def _looks_up(office: _Office, desk: str, time: datetime, name: str, address: str | None) -> None:
    detail = {"name": name, "type": "A", "answer": address or "", "code": "" if address else "3"}
    office.add(time, desk, (RESOLVER, 53), "dns", detail=detail, sent=(45, 61))


def _browses(office: _Office, desk: str, time: datetime) -> None:
    rng = office.rng
    site = rng.choice(list(_SITES))
    _looks_up(office, desk, time, site, _SITES[site])
    time = after(time, rng, 5, 80)
    if rng.randrange(4):
        detail = {"name": site, "version": rng.choice(("TLSv13", "TLSv12"))}
        office.add(time, desk, (_SITES[site], 443), "ssl", detail=detail)
        return
    status = weighted(rng, {"200": 12, "304": 4, "404": 1})
    uri = f"/{rng.choice(('news', 'img', 'lib'))}/{rng.randrange(900)}"
    uri += f"?page={rng.randrange(9)}" if rng.randrange(2) else ".html"
    detail = {"name": site, "uri": uri, "status": status, "agent": _AGENT}
    office.add(time, desk, (_SITES[site], 80), "http", detail=detail)


def _mails(office: _Office, time: datetime) -> None:
    rng = office.rng
    sender, receiver = rng.sample([user for _, user in _PEOPLE.values()], 2)
    desk = next(desk for desk, (_, user) in _PEOPLE.items() if user == sender)
    detail = {
        "from": f"{sender}@office.example",
        "to": f"{receiver}@office.example",
        "subject": rng.choice(("Lunch?", "Offer 114", "Floor plan", "Rota, week 10")),
    }
    office.add(time, desk, (MAIL, 25), "smtp", detail=detail)


def _strangers(office: _Office) -> None:
    """Adds what stands beside the usual: an administrator, a name that is not, a closed port."""
    rng = office.rng
    for time in moments(rng, DAY, 9, 12, 4):
        office.add(time, "10.30.1.21", (FILES, 22), "ssh", detail={"ok": "T"})
    for time in moments(rng, DAY, 8, 12, 5):
        _looks_up(office, "10.30.1.24", time, "wpad.office.example", None)
    for time in moments(rng, DAY, 8, 12, 4):
        office.add(time, "10.30.1.26", ("192.0.2.99", 8080), "", state="S0")


def _is_ill(office: _Office) -> None:
    rng = office.rng
    start = moments(rng, DAY, 9, 10, 1)[0]
    for beat in range(4):
        time = after(start + timedelta(minutes=15 * beat), rng, 0, 4000)
        detail = {"name": "", "version": "TLSv12", "self_signed": "T"}
        office.add(
            time, _ILL, (_HOME, 8443), "ssl", detail=detail, sent=(310, 190), why="a call home"
        )
    time = start + timedelta(minutes=12)
    for host in range(8, 12):
        time = after(time, rng, 30, 220)
        state = "SF" if f"10.30.0.{host}" == FILES else "REJ" if host % 3 else "S0"
        office.add(
            time, _ILL, (f"10.30.0.{host}", 445), "", state=state, why="looks for file servers"
        )
    time = start + timedelta(minutes=24)
    _opens_file(
        office, _ILL, time, ("desk25", "m.okafor"), "board\\budget.7z", why="takes an archive"
    )
    time = after(time, rng, 30_000, 90_000)
    detail = {"name": "", "version": "TLSv12", "self_signed": "T"}
    office.add(
        time,
        _ILL,
        (_HOME, 8443),
        "ssl",
        detail=detail,
        sent=(48_113_920, 2210),
        why="an archive is carried out",
    )
