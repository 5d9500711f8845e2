"""What HAProxy writes, as phrases: the layouts of its traffic logs, and its words about itself."""

from __future__ import annotations

from functools import lru_cache

from secad.features.phrases import Phrase, PhraseBook

HTTP, TCP, ERROR, CLF, CONNECT = range(5)
"""Layouts of entries; a phrase's rule."""

_ACCEPTED = "[{time:%d/%b/%Y:%H:%M:%S.%f}]"
_COUNTS = (
    "{haproxy_connections}/{_}/{_}/{haproxy_server_connections}/{haproxy_retries} "
    "{haproxy_server_queue}/{haproxy_backend_queue}"
)
_ENTRY = f"{{_client}} {_ACCEPTED} {{haproxy_frontend}} {{_backend}}/{{_server}} {{_timers}} "
_REQUEST = "{_status} {_bytes} {_} {_} {haproxy_state} "
_CLF_START = '{_host} - - [{time:%d/%b/%Y:%H:%M:%S %z}] "{_request:rest}" {_status} {_bytes} "" "" '
_CLF_END = (
    '{_port} {_ms} "{haproxy_frontend}" "{_backend}" "{_server}" {_t1} {_t2} {_t3} {_t4} '
    '{_total} "{haproxy_state}" {haproxy_connections} {_} {_} {haproxy_server_connections} '
    "{haproxy_retries} {haproxy_server_queue} {haproxy_backend_queue}"
)
_ENTRIES = (
    (HTTP, f"{_ENTRY}{_REQUEST}{_COUNTS} {{_tail:rest}}"),
    (TCP, f"{_ENTRY}{{_bytes}} {{haproxy_state}} {_COUNTS}"),
    (HTTP, f"{_ENTRY}{_REQUEST}{_COUNTS}"),
    (TCP, f"{_ENTRY}{{_bytes}} {{haproxy_state}} {_COUNTS} {{_tail:rest}}"),
    (ERROR, f"{{_client}} {_ACCEPTED} {{haproxy_frontend}}/{{_}}: {{haproxy_reason:rest}}"),
    (CLF, _CLF_START + _CLF_END + " {_} {_}"),
    (CLF, _CLF_START + _CLF_END + " {_} {_} {_} {_}"),
    (CLF, _CLF_START + _CLF_END + " {_} {_} {_}"),
    (CLF, _CLF_START + _CLF_END),
    (CONNECT, "Connect from {_client} to {_target} ({haproxy_frontend}/{_})"),
)
# what follows the counters: captured headers, the request, and with HTTPS the state of TLS
_HEADERS = "{{{haproxy_request_headers:text}}} {{{haproxy_response_headers:text}}} "
_HEADER = "{{{haproxy_request_headers:text}}} "
_QUOTED = '"{_request:rest}"'
_TLS = " {_} {_sni}/{haproxy_tls_version}/{haproxy_tls_cipher}"
_CUT = '"{_request:rest}'  # at the longest line
_TAILS = (
    *(start + _QUOTED + _TLS for start in (_HEADERS, _HEADER, "")),
    *(start + _QUOTED for start in (_HEADERS, _HEADER, "")),
    *(start + _CUT for start in (_HEADERS, _HEADER, "")),
)
# action, outcome (of none: None) and phrases of what the proxy says
_SERVER, _WHY = "{_:text}erver {_backend}/{_server} ", "{haproxy_reason:rest}"
_CHECK = "Health check for {_:text}server {_backend}/{_server} "
_KINDS = "{=GLOBAL|proxy|frontend|backend} "
_SAID: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("health-check", "failure", (f"{_CHECK}failed{_WHY}",)),
    ("health-check", "success", (f"{_CHECK}succeeded{_WHY}",)),
    ("server-down", "failure", (f"{_SERVER}is DOWN{_WHY}", f"{_SERVER}is going DOWN{_WHY}")),
    ("server-up", "success", (f"{_SERVER}is UP{_WHY}",)),
    ("server-stopping", None, (f"{_SERVER}is stopping{_WHY}",)),
    ("server-state", None, (f"{_SERVER}{_WHY}",)),
    ("backend-down", "failure", ("{_:text}ackend {_backend} has no server available!",)),
    ("backend-down", "failure", ("proxy {_backend} has no server available!",)),
    ("proxy-started", "success", ("Proxy {_backend} started.",)),
    ("proxy-stopped", None, (f"Proxy {{_backend}} stopped{_WHY}",)),
    ("proxy-stopped", None, (f"Stopping {_KINDS}{{_backend}} in {{_:rest}}",)),
    ("proxy-paused", None, (f"Pausing {_KINDS}{{_backend}}.",)),
)


@lru_cache(maxsize=1)
def entries() -> PhraseBook:
    """Returns the layouts of entries."""
    return PhraseBook([Phrase(text, rule=layout) for layout, text in _ENTRIES])


@lru_cache(maxsize=1)
def tails() -> PhraseBook:
    """Returns the layouts of what follows an entry's counters."""
    return PhraseBook([Phrase(text) for text in _TAILS])


@lru_cache(maxsize=1)
def said() -> PhraseBook:
    """Returns what the proxy says; a phrase's rule is its place in ACTIONS."""
    return PhraseBook(
        [Phrase(text, rule=rule) for rule, (_, _, texts) in enumerate(_SAID) for text in texts]
    )


ACTIONS = [action for action, _, _ in _SAID]
OUTCOMES = [outcome for _, outcome, _ in _SAID]
"""For each rule of ``said``."""
