"""HTTP messages in parts, and what their headers say: host, client, user, session, time.

A request's parts enter as text columns, whichever layout they come from; columns of EVENTS leave.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from secad.collect.json.columns import read_json
from secad.collect.json.rules import address, once_each, url_parts
from secad.collect.times import parse_pattern
from secad.features.base64_texts import decode_base64

Columns = dict[str, pa.Array]

METHOD, URL, VERSION = "method", "url", "version"
REQUEST_HEADERS, REQUEST_BODY = "request_headers", "request_body"
STATUS, RESPONSE_HEADERS, RESPONSE_BODY = "status", "response_headers", "response_body"
PARTS = (
    METHOD, URL, VERSION, REQUEST_HEADERS, REQUEST_BODY, STATUS, RESPONSE_HEADERS, RESPONSE_BODY,
)  # fmt: skip

_BLOCK = (
    r"(?s)^(?P<method>[A-Z]{3,16}) (?P<url>[^ \r\n]+) HTTP/(?P<version>\d(?:\.\d)?)\r?\n?"
    r"(?P<headers>(?:[^\r\n]+\r?\n?)*)(?:\r?\n(?P<rest>.*))?$"
)
_ANSWERED = r"(?s)^(?P<body>.*?)(?:(?:^|\r?\n)(?P<answer>HTTP/\d(?:\.\d)? \d{3}.*))?$"
_ANSWER = (
    r"(?s)^HTTP/[\d.]+ (?P<status>\d{3})[^\r\n]*\r?\n?(?P<headers>(?:[^\r\n]+\r?\n?)*)"
    r"(?:\r?\n(?P<body>.*))?$"
)
_STATUS = r"^(?P<status>[1-5]\d\d)\b"
# names of cookies that servers keep sessions by
_SESSION = (
    r"(?i)(?:^|[;'\s\[])(?:JSESSIONID|PHPSESSID|ASP\.NET_SessionId|connect\.sid|sessionid|"
    r"session_id|session|sid)=(?P<id>[^;,'\s]+)"
)
_BEARER = r"(?i)^bearer\s+[^.\s]+\.(?P<payload>[^.\s]+)\."
_BASIC = r"(?i)^basic\s+(?P<pair>\S+)$"
_CLIENT = (
    r"(?i)(?:^|[;,\s])for=\"?\[?(?P<client>[0-9A-Fa-f.:]+?)\]?(?::(?P<port>\d+))?\"?(?:[;,]|$)"
)
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S"
_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "user_name": ("preferred_username", "username", "user_name", "upn", "email", "sub"),
    "user_id": ("id", "user_id", "uid", "oid", "sub"),
    "session_id": ("sid", "session_state", "jti"),
    "http_roles": ("roles", "role", "realm_access.roles", "scope", "groups"),
    "issued": ("iat",),
}


def parts_of(blocks: pa.Array) -> Columns:
    """Returns the parts of raw requests, with their responses where they follow.

    Args:
        blocks: (N,) string; what is no request has only nulls.
    """
    found = pc.extract_regex(blocks, _BLOCK)
    part = {name: _filled(pc.struct_field(found, [name])) for name in _names(found)}
    rest = pc.extract_regex(part["rest"], _ANSWERED)
    answer = pc.extract_regex(pc.struct_field(rest, ["answer"]), _ANSWER)
    return {
        METHOD: part["method"],
        URL: part["url"],
        VERSION: part["version"],
        REQUEST_HEADERS: _lines(part["headers"]),
        REQUEST_BODY: _filled(_trimmed(pc.struct_field(rest, ["body"]))),
        STATUS: _filled(pc.struct_field(answer, ["status"])),
        RESPONSE_HEADERS: _lines(pc.struct_field(answer, ["headers"])),
        RESPONSE_BODY: _filled(_trimmed(pc.struct_field(answer, ["body"]))),
    }


def columns_of(parts: Mapping[str, pa.Array]) -> Columns:
    """Returns the columns that a message's parts fill.

    Args:
        parts: PARTS -> (N,) string; headers as ``Name: value``, one a line.
    """
    headers = parts[REQUEST_HEADERS]
    said = pc.extract_regex(pc.coalesce(parts[STATUS], ""), _STATUS)
    status = pc.struct_field(said, ["status"])
    url = url_parts(parts[URL])
    domain = pc.coalesce(url["url_domain"], _host(header(headers, "host")))
    client, port = _client(headers)
    cookies = pc.coalesce(header(headers, "cookie"), header(headers, "set-cookie"))
    columns = {
        **url,
        **who(header(headers, "authorization")),
        "url_domain": domain,
        "http_request_method": pc.utf8_upper(parts[METHOD]),
        "http_version": parts[VERSION],
        "http_response_status_code": status,
        "http_response_bytes": header(parts[RESPONSE_HEADERS], "content-length"),
        "http_request_referrer": header(headers, "referer"),
        "user_agent_original": header(headers, "user-agent"),
        "source_ip": client,
        "source_port": port,
        "http_request_headers": headers,
        "http_request_body": parts[REQUEST_BODY],
        "http_response_headers": parts[RESPONSE_HEADERS],
        "http_response_body": parts[RESPONSE_BODY],
    }
    session = pc.struct_field(pc.extract_regex(cookies, _SESSION), ["id"])
    columns["session_id"] = pc.coalesce(session, columns["session_id"])
    failed = pc.greater_equal(pc.utf8_slice_codeunits(status, 0, 1), "4")
    columns["event_outcome"] = pc.if_else(failed, "failure", "success")
    return columns


def header(headers: pa.Array, name: str) -> pa.Array:
    """Returns (N,) string, the first header of a name, null where there is none.

    Args:
        headers: (N,) string, ``Name: value``, one a line.
        name: in any case.
    """
    pattern = rf"(?im)^{name}:[ \t]*(?P<value>[^\r\n]*)"
    return _filled(pc.struct_field(pc.extract_regex(headers, pattern), ["value"]))


def who(authorization: pa.Array) -> Columns:
    """Returns whom an ``Authorization`` header names, and when its token was issued."""
    coded = authorization.dictionary_encode()
    return {name: column.take(coded.indices) for name, column in _who(coded.dictionary).items()}


def dates(headers: pa.Array) -> pa.Array:
    """Returns (N,) the times of ``Date`` headers."""
    written = pc.replace_substring_regex(header(headers, "date"), r"\s+(GMT|UTC|\+0000)$", "")
    return parse_pattern(written, _HTTP_DATE, "UTC")


def _who(distinct: pa.Array) -> Columns:
    payload = pc.struct_field(pc.extract_regex(distinct, _BEARER), ["payload"])
    claims = read_json(pc.coalesce(decode_base64(payload), "{}"), _CLAIMS).columns
    pair = decode_base64(pc.struct_field(pc.extract_regex(distinct, _BASIC), ["pair"]))
    named = pc.struct_field(pc.extract_regex(pair, r"^(?P<user>[^:]+):"), ["user"])
    claims["user_name"] = pc.coalesce(claims["user_name"], named)
    return claims


def _client(headers: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Returns the address and port of the client that proxies tell of."""
    found = pc.extract_regex(header(headers, "forwarded"), _CLIENT)
    chain = header(headers, "x-forwarded-for")
    first = pc.replace_substring_regex(chain, r"\s*,.*$", "")
    client, _ = address(pc.coalesce(pc.struct_field(found, ["client"]), first))
    return client, _filled(pc.struct_field(found, ["port"]))


def _host(written: pa.Array) -> pa.Array:
    return once_each(written, lambda text: pc.replace_substring_regex(text, r":\d+$", ""))


def _names(found: pa.StructArray) -> list[str]:
    return [found.type.field(place).name for place in range(found.type.num_fields)]


def _lines(headers: pa.Array) -> pa.Array:
    return _filled(pc.replace_substring(_trimmed(headers), "\r", ""))


def _trimmed(text: pa.Array) -> pa.Array:
    return pc.utf8_trim(text, "\r\n")


def _filled(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, ""), None, text)
