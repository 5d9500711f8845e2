"""Names to classes: a literal table of the built-ins, then the entry points of other packages.

A class is imported only when it is asked for, so that naming formats costs nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from secad.base.errors import ConfigError
from secad.base.protocols import Format, Model, Recognised, Sink

FORMATS: Mapping[str, str] = {
    "apache_error": "secad.collect.formats.apache_error:ApacheError",
    "asa": "secad.collect.formats.asa:Asa",
    "auditd": "secad.collect.formats.auditd:Auditd",
    "azure": "secad.collect.formats.azure:Azure",
    "bind": "secad.collect.formats.bind:Bind",
    "cef": "secad.collect.formats.cef:Cef",
    "cloudtrail": "secad.collect.formats.cloudtrail:CloudTrail",
    "csv": "secad.collect.formats.csv:Csv",
    "dnsmasq": "secad.collect.formats.dnsmasq:Dnsmasq",
    "dovecot": "secad.collect.formats.dovecot:Dovecot",
    "ecs": "secad.collect.formats.ecs:ElasticCommonSchema",
    "entra": "secad.collect.formats.entra:Entra",
    "evtx": "secad.collect.formats.evtx:Evtx",
    "github": "secad.collect.formats.github:GitHub",
    "haproxy": "secad.collect.formats.haproxy:HaProxy",
    "http_api": "secad.collect.formats.http_api:HttpApi",
    "journald": "secad.collect.formats.journald:Journald",
    "jsonl": "secad.collect.formats.jsonl:JsonLines",
    "keyvalue": "secad.collect.formats.keyvalue:KeyValue",
    "kubernetes": "secad.collect.formats.kubernetes:Kubernetes",
    "leef": "secad.collect.formats.leef:Leef",
    "netfilter": "secad.collect.formats.netfilter:Netfilter",
    "nginx_error": "secad.collect.formats.nginx_error:NginxError",
    "ocsf": "secad.collect.formats.ocsf:Ocsf",
    "okta": "secad.collect.formats.okta:Okta",
    "osquery": "secad.collect.formats.osquery:Osquery",
    "otel": "secad.collect.formats.otel:OpenTelemetry",
    "pf": "secad.collect.formats.pf:Pf",
    "postfix": "secad.collect.formats.postfix:Postfix",
    "provenance": "secad.collect.formats.provenance:Provenance",
    "suricata": "secad.collect.formats.suricata:Suricata",
    "syslog": "secad.collect.formats.syslog:Syslog",
    "syslog_json": "secad.collect.formats.syslog_json:SyslogJson",
    "text": "secad.collect.formats.text:PlainText",
    "weblog": "secad.collect.formats.weblog:WebLog",
    "windows": "secad.collect.formats.windows:WindowsJson",
    "zeek": "secad.collect.formats.zeek:Zeek",
}
ALERT_FORMATS: Mapping[str, str] = {
    "ait_ads": "secad.collect.alert_formats.ait_ads:AitAds",
    "aminer": "secad.collect.alert_formats.aminer:AMiner",
    "chainsaw": "secad.collect.alert_formats.chainsaw:Chainsaw",
    "csv": "secad.collect.alert_formats.csv:CsvAlerts",
    "elastic": "secad.collect.alert_formats.elastic:Elastic",
    "hayabusa": "secad.collect.alert_formats.hayabusa:Hayabusa",
    "jsonl": "secad.collect.alert_formats.jsonl:JsonAlerts",
    "ocsf": "secad.collect.alert_formats.ocsf:Ocsf",
    "opensearch": "secad.collect.alert_formats.opensearch:OpenSearch",
    "rsigma": "secad.collect.alert_formats.rsigma:RSigma",
    "snort": "secad.collect.alert_formats.snort:Snort",
    "suricata": "secad.collect.alert_formats.suricata:Suricata",
    "wazuh": "secad.collect.alert_formats.wazuh:Wazuh",
    "zircolite": "secad.collect.alert_formats.zircolite:Zircolite",
}
MODELS: Mapping[str, str] = {
    "ape": "secad.models.ape:APE",
    "rarity": "secad.models.rarity:Rarity",
}
SINKS: Mapping[str, str] = {
    "csv": "secad.triage.sinks.files:CsvFile",
    "json": "secad.triage.sinks.files:JsonFile",
    "ndjson": "secad.triage.sinks.files:NdjsonFile",
    "parquet": "secad.triage.sinks.files:ParquetFile",
}


_GENERAL = ("csv", "jsonl", "keyvalue")  # asked last: what they fit, another format may know better
_SURE = 0.9  # no general format is that sure
_JSON = frozenset({
    "azure", "cloudtrail", "ecs", "entra", "github", "kubernetes", "ocsf", "okta", "osquery",
    "otel", "suricata", "windows",
})  # fmt: skip
_JSON_STARTS = (b"{", b"[", b"#", b"\x1e")  # other heads need not wait for their import


def format_names() -> list[str]:
    """Returns the names of all formats, sorted."""
    return _names(FORMATS, "secad.formats")


def alert_format_names() -> list[str]:
    """Returns the names of the formats of other tools' alerts, sorted."""
    return _names(ALERT_FORMATS, "secad.alert_formats")


def model_names() -> list[str]:
    """Returns the names of all models, sorted."""
    return _names(MODELS, "secad.models")


def sink_names() -> list[str]:
    """Returns the names of all sinks, sorted."""
    return _names(SINKS, "secad.sinks")


def format_named(name: str) -> Format:
    """Returns the format called ``name``.

    Raises:
        ConfigError: there is none.
    """
    made: Format = _load(name, FORMATS, "secad.formats", "format")()
    return made


def alert_format_named(name: str) -> Format:
    """Returns the format of other tools' alerts called ``name``.

    Raises:
        ConfigError: there is none.
    """
    made: Format = _load(name, ALERT_FORMATS, "secad.alert_formats", "alert format")()
    return made


def model_class(name: str) -> type[Model]:
    """Returns the class of the model called ``name``.

    Raises:
        ConfigError: there is none.
    """
    found: type[Model] = _load(name, MODELS, "secad.models", "model")
    return found


def sink_class(name: str) -> type[Sink]:
    """Returns the class of the sink called ``name``.

    Raises:
        ConfigError: there is none.
    """
    found: type[Sink] = _load(name, SINKS, "secad.sinks", "sink")
    return found


def recognise(head: bytes) -> Recognised | None:
    """Returns the format that is surest of a head, or None where none is.

    Args:
        head: the first bytes of a source, at most 64 KiB.
    """
    may_be_json = head.lstrip().startswith(_JSON_STARTS)
    names = [name for name in format_names() if may_be_json or name not in _JSON]
    likely = _likely([name for name in names if name not in _GENERAL], head, format_named)
    if max(likely.values(), default=0.0) < _SURE:
        likely |= _likely([name for name in names if name in _GENERAL], head, format_named)
    return _surest(likely, format_named)


def recognise_alerts(head: bytes) -> Recognised | None:
    """Returns the alert format that is surest of a head, or None where none is.

    Args:
        head: the first bytes of a source, at most 64 KiB.
    """
    return _surest(_likely(alert_format_names(), head, alert_format_named), alert_format_named)


def _likely(names: Iterable[str], head: bytes, named: Callable[[str], Format]) -> dict[str, float]:
    sure = {name: named(name).matches(head) for name in names}
    return {name: confidence for name, confidence in sure.items() if confidence > 0}


def _surest(likely: Mapping[str, float], named: Callable[[str], Format]) -> Recognised | None:
    if not likely:
        return None
    best = max(sorted(likely), key=lambda name: likely[name])
    others = {name: confidence for name, confidence in likely.items() if name != best}
    return Recognised(named(best), likely[best], others)


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns ``name`` or, for a message, the known one that it may have meant."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return close[0] if close else ", ".join(sorted(known))


@cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


def _names(table: Mapping[str, str], group: str) -> list[str]:
    return sorted({*table, *(point.name for point in _points(group))})


def _load(name: str, table: Mapping[str, str], group: str, kind: str) -> Any:
    if name in table:
        module, _, attribute = table[name].partition(":")
        return getattr(import_module(module), attribute)
    for point in _points(group):
        if point.name == name:
            return point.load()
    known = _names(table, group)
    raise ConfigError(
        f"{kind} {name!r} is not known, known are {', '.join(known)}",
        hint=f"did you mean {nearest(name, known)!r}?",
    )
