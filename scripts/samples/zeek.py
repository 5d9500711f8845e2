"""``zeek.log``: the made office's morning as Zeek logs it, several logs one behind the other.

First TSV logs, each under its own header, as ``cat *.log`` gives them; then JSON lines, with and
without ``_path``, as a second sensor writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from samples.log import HOSTILE, Label, Sample, dice, utc
from samples.network import Session, sessions, uid

_BASE = ("ts:time", "uid:string", "id.orig_h:addr", "id.orig_p:port", "id.resp_h:addr",
         "id.resp_p:port")  # fmt: skip
_FIELDS = {
    "conn": """proto:enum service:string duration:interval orig_bytes:count resp_bytes:count
        conn_state:string local_orig:bool local_resp:bool missed_bytes:count history:string
        orig_pkts:count orig_ip_bytes:count resp_pkts:count resp_ip_bytes:count
        tunnel_parents:set[string]""",
    "dns": """proto:enum trans_id:count rtt:interval query:string qclass:count qclass_name:string
        qtype:count qtype_name:string rcode:count rcode_name:string AA:bool TC:bool RD:bool RA:bool
        Z:count answers:vector[string] TTLs:vector[interval] rejected:bool""",
    "http": """trans_depth:count method:string host:string uri:string referrer:string
        version:string user_agent:string origin:string request_body_len:count
        response_body_len:count status_code:count status_msg:string info_code:count
        info_msg:string tags:set[enum] username:string password:string proxied:set[string]
        resp_fuids:vector[string] resp_mime_types:vector[string]""",
    "ssl": """version:string cipher:string curve:string server_name:string resumed:bool
        last_alert:string next_protocol:string established:bool ssl_history:string
        cert_chain_fps:vector[string] validation_status:string""",
    "kerberos": """request_type:string client:string service:string success:bool error_msg:string
        from:time till:time cipher:string forwardable:bool renewable:bool""",
    "ntlm": """username:string hostname:string domainname:string server_nb_computer_name:string
        server_dns_computer_name:string server_tree_name:string success:bool""",
    "smb_files": """fuid:string action:enum path:string name:string size:count prev_name:string
        times.modified:time times.accessed:time times.created:time times.changed:time""",
    "smtp": """trans_depth:count helo:string mailfrom:string rcptto:set[string] date:string
        from:string to:set[string] subject:string last_reply:string path:vector[addr]
        user_agent:string tls:bool""",
    "ssh": """version:count auth_success:bool auth_attempts:count direction:enum client:string
        server:string cipher_alg:string mac_alg:string kex_alg:string host_key_alg:string
        host_key:string""",
}  # fmt: skip
_ALONE = {
    "files": """ts:time fuid:string tx_hosts:set[addr] rx_hosts:set[addr] conn_uids:set[string]
        source:string depth:count analyzers:set[string] mime_type:string filename:string
        duration:interval local_orig:bool is_orig:bool seen_bytes:count total_bytes:count
        missing_bytes:count overflow_bytes:count timedout:bool parent_fuid:string md5:string
        sha1:string""",
    "x509": """ts:time fingerprint:string certificate.version:count certificate.serial:string
        certificate.subject:string certificate.issuer:string certificate.not_valid_before:time
        certificate.not_valid_after:time certificate.key_alg:string certificate.sig_alg:string
        certificate.key_type:string certificate.key_length:count san.dns:vector[string]
        basic_constraints.ca:bool host_cert:bool client_cert:bool""",
    "notice": """ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port
        proto:enum note:enum msg:string sub:string src:addr dst:addr p:port n:count
        peer_descr:string actions:set[enum] suppress_for:interval""",
    "weird": """ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port
        name:string addl:string notice:bool peer:string source:string""",
    "dhcp": """ts:time uids:set[string] client_addr:addr server_addr:addr mac:string
        host_name:string client_fqdn:string domain:string requested_addr:addr assigned_addr:addr
        lease_time:interval client_message:string server_message:string msg_types:vector[string]
        duration:interval""",
}  # fmt: skip
_HALF = 0.55  # the share of the morning that the first sensor saw
_HISTORY = {"SF": "ShADadFf", "S0": "S", "REJ": "Sr"}
_SELF_SIGNED = "CN=localhost,O=Default Company Ltd"

Row = dict[str, object]
Rows = dict[str, list[tuple[Row, str | None]]]


def make() -> Sample:
    """Returns ``zeek.log``."""
    every = sessions()
    cut = int(len(every) * _HALF)
    lines: list[str] = []
    labels: list[Label] = []

    def add(text: str, why: str | None = None) -> None:
        lines.append(text)
        if why is not None:
            labels.append(Label(len(lines), HOSTILE, why))

    for log, rows in _rows(every[:cut]).items():
        fields = _fields(log)
        for text in _header(log, fields, every[0].time):
            add(text)
        for row, why in rows:
            add("\t".join(_written(row.get(name), kind) for name, kind in fields.items()), why)
        add(f"#close\t{utc(every[cut].time):%Y-%m-%d-%H-%M-%S}")
    for log, rows in _rows(every[cut:]).items():
        for row, why in rows:
            add(_json(log, row, named=log in {"conn", "http", "weird", "notice"}), why)
    return Sample("zeek.log", ("\n".join(lines) + "\n").encode(), labels)


def _fields(log: str) -> dict[str, str]:
    words = _ALONE[log].split() if log in _ALONE else [*_BASE, *_FIELDS[log].split()]
    return dict(word.rsplit(":", 1) for word in words)


def _header(log: str, fields: dict[str, str], opened: datetime) -> list[str]:
    return [
        "#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-",
        f"#path\t{log}", f"#open\t{utc(opened):%Y-%m-%d-%H-%M-%S}",
        "\t".join(("#fields", *fields)), "\t".join(("#types", *fields.values())),
    ]  # fmt: skip


def _written(value: object, kind: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, list):
        return ",".join(_written(item, "") for item in value) or "(empty)"
    if isinstance(value, datetime):
        return f"{value.timestamp():.6f}"
    if isinstance(value, float) or kind == "interval":
        return f"{value:.6f}"
    text = str(value).replace("\\", "\\\\")
    return text.replace("\t", "\\x09").replace("é", "\\xc3\\xa9") or "(empty)"


def _json(log: str, row: Row, *, named: bool) -> str:
    time = datetime.fromisoformat(str(row["ts"]))
    iso = utc(time).isoformat(timespec="microseconds").replace("+00:00", "Z")
    written: Row = {"_path": log, "_system_name": "uplink-2", "_write_ts": iso} if named else {}
    written |= {"ts": iso} if log == "http" else {"ts": round(time.timestamp(), 6)}
    written |= {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in row.items()
        if name != "ts" and value is not None
    }
    return json.dumps(written, separators=(",", ":"), ensure_ascii=False)


def _rows(every: list[Session]) -> Rows:
    rows: Rows = {}
    rng = dice("zeek")
    makers: dict[str, Callable[[Session, Row], Rows]] = {
        "dns": _dns, "http": _http, "ssl": _ssl, "krb": _kerberos, "smb": _smb, "smtp": _smtp,
        "ssh": _ssh, "dhcp": _dhcp,
    }  # fmt: skip
    for session in every:
        base: Row = {
            "ts": session.time,
            "uid": session.uid,
            "id.orig_h": session.source[0],
            "id.orig_p": session.source[1],
            "id.resp_h": session.destination[0],
            "id.resp_p": session.destination[1],
        }
        found: Rows = {"conn": [(base | _conn(session), session.why)]}
        if session.service in makers:
            found |= makers[session.service](session, base)
        if rng.randrange(40) == 0:
            odd = {"name": "data_before_established", "notice": False, "peer": "zeek"}
            found["weird"] = [(base | odd, None)]
        for log, more in found.items():
            rows.setdefault(log, []).extend(more)
    return {log: rows[log] for log in (*_FIELDS, *_ALONE) if log in rows}


def _conn(session: Session) -> Row:
    sent, received = session.sent
    answered = session.state == "SF"
    packets = (sent // 1400 + 3, received // 1400 + 3) if answered else (1, 1)
    return {
        "proto": session.transport,
        "service": session.service or None,
        "duration": float(session.seconds) if answered else None,
        "orig_bytes": sent if answered else None,
        "resp_bytes": received if answered else None,
        "conn_state": session.state,
        "local_orig": True,
        "local_resp": session.destination[0].startswith("10."),
        "missed_bytes": 0,
        "history": "Dd" if session.transport == "udp" else _HISTORY[session.state],
        "orig_pkts": packets[0],
        "orig_ip_bytes": sent + 40 * packets[0],
        "resp_pkts": packets[1],
        "resp_ip_bytes": received + 40 * packets[1],
        "tunnel_parents": [] if session.source[1] % 2 else None,
    }


def _dns(session: Session, base: Row) -> Rows:
    detail = session.detail
    row = base | {
        "proto": "udp",
        "trans_id": session.source[1] * 7 % 65536,
        "rtt": float(session.seconds),
        "query": detail["name"],
        "qclass": 1,
        "qclass_name": "C_INTERNET",
        "qtype": 1,
        "qtype_name": "A",
        "rcode": int(detail["code"] or 0),
        "rcode_name": "NXDOMAIN" if detail["code"] else "NOERROR",
        "AA": False, "TC": False, "RD": True, "RA": True,
        "Z": 0,
        "answers": [f"alias.{detail['name']}", detail["answer"]] if detail["answer"] else None,
        "TTLs": [300.0, 60.0] if detail["answer"] else None,
        "rejected": False,
    }  # fmt: skip
    return {"dns": [(row, session.why)]}


def _http(session: Session, base: Row) -> Rows:
    detail, rng = session.detail, dice(session.uid)
    file = uid(rng, "F")
    row = base | {
        "trans_depth": 1,
        "method": "GET",
        "host": detail["name"],
        "uri": detail["uri"],
        "version": "1.1",
        "user_agent": detail["agent"],
        "request_body_len": 0,
        "response_body_len": session.sent[1],
        "status_code": int(detail["status"]),
        "status_msg": {"200": "OK", "304": "Not Modified", "404": "Not Found"}[detail["status"]],
        "tags": [],
        "resp_fuids": [file],
        "resp_mime_types": ["text/html"],
    }
    about: Row = {
        "ts": session.time, "fuid": file, "tx_hosts": [session.destination[0]],
        "rx_hosts": [session.source[0]], "conn_uids": [session.uid], "source": "HTTP", "depth": 0,
        "analyzers": ["SHA1", "MD5"], "mime_type": "text/html", "duration": 0.0,
        "local_orig": False, "is_orig": False, "seen_bytes": session.sent[1],
        "total_bytes": session.sent[1], "missing_bytes": 0, "overflow_bytes": 0, "timedout": False,
        "md5": f"{rng.getrandbits(128):032x}", "sha1": f"{rng.getrandbits(160):040x}",
    }  # fmt: skip
    return {"http": [(row, None)], "files": [(about, None)]}


def _ssl(session: Session, base: Row) -> Rows:
    detail, rng = session.detail, dice(session.detail["name"] or "home")
    print_of = f"{rng.getrandbits(256):064x}"
    mine = "self_signed" in detail
    row = base | {
        "version": detail["version"],
        "cipher": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "curve": "x25519",
        "server_name": detail["name"] or None,
        "resumed": False,
        "next_protocol": None if mine else "h2",
        "established": True,
        "ssl_history": "CsxkrnXYGFD",
        "cert_chain_fps": [print_of] if detail["version"] == "TLSv12" else [],
        "validation_status": "self signed certificate" if mine else "ok",
    }
    found: Rows = {"ssl": [(row, session.why)]}
    if detail["version"] == "TLSv12":
        found["x509"] = [(_certificate(session, print_of, mine=mine), session.why)]
    if mine:
        notice = base | {
            "proto": "tcp", "note": "SSL::Invalid_Server_Cert",
            "msg": "SSL certificate validation failed with (self signed certificate)",
            "sub": _SELF_SIGNED, "src": session.source[0], "dst": session.destination[0],
            "p": session.destination[1], "actions": ["Notice::ACTION_LOG"],
            "suppress_for": 3600.0,
        }  # fmt: skip
        found["notice"] = [(notice, session.why)]
    return found


def _certificate(session: Session, print_of: str, *, mine: bool) -> Row:
    name = session.detail["name"]
    return {
        "ts": session.time,
        "fingerprint": print_of,
        "certificate.version": 3,
        "certificate.serial": print_of[:16].upper(),
        "certificate.subject": _SELF_SIGNED if mine else f"CN={name}",
        "certificate.issuer": _SELF_SIGNED if mine else "CN=Example CA R3,O=Example Trust",
        "certificate.not_valid_before": datetime.fromisoformat("2026-01-15T00:00:00+00:00"),
        "certificate.not_valid_after": datetime.fromisoformat("2026-07-15T00:00:00+00:00"),
        "certificate.key_alg": "rsaEncryption",
        "certificate.sig_alg": "sha256WithRSAEncryption",
        "certificate.key_type": "rsa",
        "certificate.key_length": 2048,
        "san.dns": None if mine else [name, f"www2.{name}"],
        "host_cert": True,
        "client_cert": False,
    }


def _kerberos(session: Session, base: Row) -> Rows:
    row = base | {
        "request_type": "TGS", "client": session.detail["client"],
        "service": session.detail["service"], "success": True, "till": session.time,
        "cipher": "aes256-cts-hmac-sha1-96", "forwardable": True, "renewable": True,
    }  # fmt: skip
    return {"kerberos": [(row, session.why)]}


def _smb(session: Session, base: Row) -> Rows:
    detail = session.detail
    login = base | {
        "username": detail["user"], "hostname": detail["host"].upper(), "domainname": "OFFICE",
        "server_nb_computer_name": "FILES01", "server_dns_computer_name": "files01.office.example",
        "success": True,
    }  # fmt: skip
    file = base | {
        "action": "SMB::FILE_OPEN", "path": detail["share"], "name": detail["file"],
        "size": session.sent[1], "times.modified": session.time,
    }  # fmt: skip
    return {"ntlm": [(login, session.why)], "smb_files": [(file, session.why)]}


def _smtp(session: Session, base: Row) -> Rows:
    detail = session.detail
    row = base | {
        "trans_depth": 1, "helo": "desk.office.example", "mailfrom": detail["from"],
        "rcptto": [detail["to"]], "from": f"<{detail['from']}>", "to": [detail["to"]],
        "subject": detail["subject"].replace("Lunch?", "Lunch\tau caf\u00e9?"),
        "last_reply": "250 2.0.0 Ok: queued", "path": [session.destination[0], session.source[0]],
        "tls": False,
    }  # fmt: skip
    return {"smtp": [(row, session.why)]}


def _ssh(session: Session, base: Row) -> Rows:
    row = base | {
        "version": 2, "auth_success": True, "auth_attempts": 1, "client": "SSH-2.0-OpenSSH_9.6",
        "server": "SSH-2.0-OpenSSH_9.2p1", "cipher_alg": "aes256-gcm@openssh.com",
        "kex_alg": "curve25519-sha256", "host_key_alg": "ssh-ed25519",
    }  # fmt: skip
    return {"ssh": [(row, session.why)]}


def _dhcp(session: Session, base: Row) -> Rows:
    detail = session.detail
    row: Row = {
        "ts": base["ts"], "uids": [session.uid], "client_addr": detail["address"],
        "server_addr": session.destination[0], "mac": detail["mac"], "host_name": detail["host"],
        "requested_addr": detail["address"], "assigned_addr": detail["address"],
        "lease_time": 86400.0, "msg_types": ["REQUEST", "ACK"], "duration": session.seconds,
    }  # fmt: skip
    return {"dhcp": [(row, session.why)]}
