"""``suricata.json``: the made office's morning as Suricata's EVE log tells of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from samples.log import Log, Sample, dice
from samples.network import Session, sessions

_IN = "ens5"
_SCAN = {
    "action": "allowed", "gid": 1, "signature_id": 2001569, "rev": 15,
    "signature": "ET SCAN Behavioral Unusual Port 445 traffic Potential Scan or Infection",
    "category": "Misc activity", "severity": 3,
    "metadata": {"created_at": ["2010_07_30"], "signature_severity": ["Informational"]},
}  # fmt: skip
_SELF_SIGNED = {
    "action": "allowed", "gid": 1, "signature_id": 2013659, "rev": 4,
    "signature": "ET INFO Self Signed SSL Certificate (Default Company)",
    "category": "Potentially Bad Traffic", "severity": 2,
}  # fmt: skip
_PROTOCOLS = {"krb": "krb5", "ssl": "tls"}

Fields = dict[str, object]


def make() -> Sample:
    """Returns ``suricata.json``."""
    log = Log()
    rng = dice("suricata")
    previous: datetime | None = None
    for session in sessions():
        flow = rng.randrange(10**14, 2 * 10**15)
        told = _protocol(session, flow)
        for time, record in told:
            log.add(time, json.dumps(record, separators=(",", ":")), why=session.why)
        end = session.time + timedelta(seconds=session.seconds)
        flow_time = end + timedelta(seconds=rng.randrange(5, 60))
        log.add(flow_time, _line(session, flow, flow_time, "flow", _flow(session)), why=session.why)
        if previous is None or session.time - previous > timedelta(minutes=20):
            previous = session.time
            counters = {"uptime": 3600, "capture": {"kernel_packets": 91_114, "kernel_drops": 0}}
            record = {"timestamp": _stamp(session.time), "event_type": "stats", "stats": counters}
            log.add(session.time, json.dumps(record, separators=(",", ":")))
    return log.sample("suricata.json")


def _stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f%z")


def _record(session: Session, flow: int, time: datetime, kind: str) -> Fields:
    return {
        "timestamp": _stamp(time),
        "flow_id": flow,
        "in_iface": _IN,
        "event_type": kind,
        "src_ip": session.source[0],
        "src_port": session.source[1],
        "dest_ip": session.destination[0],
        "dest_port": session.destination[1],
        "proto": session.transport.upper(),
    }


def _line(session: Session, flow: int, time: datetime, kind: str, more: Fields) -> str:
    return json.dumps(_record(session, flow, time, kind) | more, separators=(",", ":"))


def _flow(session: Session) -> Fields:
    sent, received = session.sent
    answered = session.state == "SF"
    more: Fields = {"app_proto": _PROTOCOLS.get(session.service, session.service or "failed")}
    end = session.time + timedelta(seconds=session.seconds)
    more["flow"] = {
        "pkts_toserver": sent // 1400 + 1, "pkts_toclient": received // 1400 + answered,
        "bytes_toserver": sent + 66, "bytes_toclient": received + 66 * answered,
        "start": _stamp(session.time), "end": _stamp(end), "age": int(session.seconds),
        "state": "closed" if answered else "new", "reason": "timeout",
        "alerted": session.why is not None,
    }  # fmt: skip
    if session.transport == "tcp":
        flags = "1b" if answered else "02"
        more["tcp"] = {"tcp_flags": flags, "tcp_flags_ts": flags, "syn": True, "state": "closed"}
    return more


def _protocol(session: Session, flow: int) -> list[tuple[datetime, Fields]]:
    """Returns the records of a session's application protocol, and its alert."""
    time = session.time + timedelta(milliseconds=2)
    return [
        (time, _record(session, flow, time, kind) | more) for kind, more in _told(session).items()
    ]


def _told(session: Session) -> dict[str, Fields]:
    if session.service in _TOLD:
        return _TOLD[session.service](session)
    return {"alert": {"alert": _SCAN, "direction": "to_server"}} if session.why else {}


def _smb(session: Session) -> dict[str, Fields]:
    smb = {
        "id": 4, "dialect": "3.11", "command": "SMB2_COMMAND_CREATE",
        "status": "STATUS_SUCCESS", "status_code": "0x0", "session_id": 4398046511201,
        "tree_id": 1, "filename": session.detail["file"], "share": session.detail["share"],
        "disposition": "FILE_OPEN", "access": "normal",
    }  # fmt: skip
    return {"smb": {"smb": smb}}


def _kerberos(session: Session) -> dict[str, Fields]:
    krb = {
        "msg_type": "KRB_TGS_REP", "cname": session.detail["client"].partition("/")[0],
        "realm": "OFFICE.EXAMPLE", "sname": session.detail["service"], "encryption":
        "aes256-cts-hmac-sha1-96", "weak_encryption": False, "failed_request": False,
    }  # fmt: skip
    return {"krb5": {"krb5": krb}}


def _dhcp(session: Session) -> dict[str, Fields]:
    detail = session.detail
    dhcp = {
        "type": "reply", "id": 719_885_386, "client_mac": detail["mac"],
        "assigned_ip": detail["address"], "dhcp_type": "ack", "hostname": detail["host"],
        "lease_time": 86400, "dns_servers": ["10.30.0.2", "10.30.0.3"],
    }  # fmt: skip
    return {"dhcp": {"dhcp": dhcp}}


def _smtp(session: Session) -> dict[str, Fields]:
    sender, receiver = session.detail["from"], session.detail["to"]
    smtp = {"helo": "desk", "mail_from": sender, "rcpt_to": [receiver]}
    email = {"status": "PARSE_DONE", "from": sender, "to": [receiver]}
    return {"smtp": {"smtp": smtp, "email": email}}


def _ssh(_session: Session) -> dict[str, Fields]:
    ends = {"proto_version": "2.0", "software_version": "OpenSSH_9.6"}
    return {"ssh": {"ssh": {"client": ends, "server": ends}}}


def _dns(session: Session) -> dict[str, Fields]:
    """Returns a DNS record in one of the three layouts that Suricata has had."""
    detail, layout = session.detail, session.source[1] % 3
    asked = {"rrname": detail["name"], "rrtype": "A"}
    number = session.source[1]
    if layout == 0:
        query = {"type": "query", "id": number, **asked, "tx_id": 0, "opcode": 0}
        return {"dns": {"dns": query}}
    answer: Fields = {
        "version": layout + 1, "type": "answer" if layout == 1 else "response", "id": number,
        "flags": "8180", "qr": True, "rd": True, "ra": True,
        "rcode": "NXDOMAIN" if detail["code"] else "NOERROR",
    }  # fmt: skip
    answer |= asked if layout == 1 else {"queries": [asked | {"tx_id": 0}]}
    if detail["answer"]:
        answer["answers"] = [asked | {"ttl": 60, "rdata": detail["answer"]}]
        answer["grouped"] = {"A": [detail["answer"]]}
    return {"dns": {"dns": answer}}


def _http(session: Session) -> dict[str, Fields]:
    detail = session.detail
    http = {
        "hostname": detail["name"], "url": detail["uri"], "http_user_agent": detail["agent"],
        "http_content_type": "text/html", "http_method": "GET", "protocol": "HTTP/1.1",
        "status": int(detail["status"]), "length": session.sent[1],
    }  # fmt: skip
    file = {
        "filename": detail["uri"].partition("?")[0], "gaps": False, "state": "CLOSED",
        "stored": False, "size": session.sent[1], "tx_id": 0,
    }  # fmt: skip
    told: dict[str, Fields] = {"http": {"tx_id": 0, "http": http}}
    if detail["status"] == "200":
        told["fileinfo"] = {"http": http, "app_proto": "http", "fileinfo": file}
    return told


def _tls(session: Session) -> dict[str, Fields]:
    detail = session.detail
    mine = "self_signed" in detail
    subject = "O=Default Company Ltd, CN=localhost" if mine else f"CN={detail['name']}"
    tls: Fields = {
        "subject": subject,
        "issuerdn": subject if mine else "O=Example Trust, CN=Example CA R3",
        "fingerprint": ":".join(f"{byte:02x}" for byte in dice(subject).randbytes(20)),
        "version": {"TLSv12": "TLS 1.2", "TLSv13": "TLS 1.3"}[detail["version"]],
        "notbefore": "2026-01-15T00:00:00",
        "notafter": "2026-07-15T00:00:00",
        "ja3": {"hash": f"{dice(str(mine)).getrandbits(128):032x}"},
    }
    if detail["name"]:
        tls["sni"] = detail["name"]
    told: dict[str, Fields] = {"tls": {"tls": tls}}
    if mine:
        told["alert"] = {"alert": _SELF_SIGNED, "tls": tls, "app_proto": "tls"}
    return told


_TOLD: Mapping[str, Callable[[Session], dict[str, Fields]]] = {
    "dns": _dns, "http": _http, "ssl": _tls, "smb": _smb, "krb": _kerberos, "dhcp": _dhcp,
    "smtp": _smtp, "ssh": _ssh,
}  # fmt: skip
