"""What the error logs of Apache and nginx say, as phrases: the kinds of their messages.

A client chooses the path, the user and the request that a message quotes: they stand in ``rest``
slots, which are matched from the message's end.
"""

from __future__ import annotations

from functools import lru_cache

from secad.features.phrases import Phrase, PhraseBook

Kinds = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Each kind: its action, its outcome, its phrases."""

_OPEN = '{_}() "{file_path:rest}" failed '
NGINX: Kinds = (
    ("file-not-found", "failure", (
        _OPEN + "(2: No such file or directory)", _OPEN + "(20: Not a directory)",
        '"{file_path:rest}" is not found (2: No such file or directory)',
        '"{file_path:rest}" is not found (20: Not a directory)',
        '"{file_path:rest}" is not found (3: The system cannot find the path specified)',
        _OPEN + "(2: The system cannot find the file specified)",
        _OPEN + "(3: The system cannot find the path specified)",
    )),
    ("file-forbidden", "failure", (
        _OPEN + "(13: Permission denied)",
        '"{file_path:rest}" is forbidden (13: Permission denied)',
    )),
    ("file-name-too-long", "failure", (_OPEN + "(36: File name too long)",)),
    ("directory-index-forbidden", "failure", (
        'directory index of "{file_path:rest}" is forbidden',
    )),
    ("access-forbidden", "failure", ("access forbidden by rule",)),
    ("user-not-found", "failure", (
        'user "{user_name:rest}" was not found in "{file_path}"',
        'user "{user_name:rest}": was not found in "{file_path}"',
    )),
    ("login-failed", "failure", ("PAM: user '{user_name:text}' - {error_reason:rest}",)),
    ("password-mismatch", "failure", ('user "{user_name:rest}": password mismatch',)),
    ("no-credentials", "failure", (
        "no user/password was provided for basic authentication",
    )),
    ("requests-limited", "failure", (
        'limiting requests, excess: {_} by zone "{nginx_zone}"',
        'limiting requests, dry run, excess: {_} by zone "{nginx_zone}"',
        'delaying request, excess: {_}, by zone "{nginx_zone}"',
    )),
    ("connections-limited", "failure", ('limiting connections by zone "{nginx_zone}"',)),
    ("upstream-connect-failed", "failure", (
        "connect() failed ({error_reason:text}) while connecting to upstream",
        "connect() to {_} failed ({error_reason:text}) while connecting to upstream",
    )),
    ("upstream-timeout", "failure", ("upstream timed out ({error_reason:text}) while {_:rest}",)),
    ("upstream-closed", "failure", ("upstream prematurely closed {_:rest}",)),
    ("no-live-upstreams", "failure", ("no live upstreams while connecting to upstream",)),
    ("upstream-bad-response", "failure", ("upstream sent {error_reason:rest}",)),
    ("upstream-disabled", "failure", ("upstream server temporarily disabled while {_:rest}",)),
    ("fastcgi-stderr", "failure", ("FastCGI sent in stderr: {error_reason:rest}",)),
    ("tls-handshake-failed", "failure", (
        "SSL_do_handshake() failed ({error_reason:text}) while SSL handshaking{_:rest}",
        "peer closed connection in SSL handshake{_:rest}",
    )),
    ("connection-failed", "failure", (
        "recv() failed ({error_reason:text}) while {_:rest}",
        "send() failed ({error_reason:text}) while {_:rest}",
        "writev() failed ({error_reason:text}) while {_:rest}",
        "SSL_read() failed ({error_reason:text}) while {_:rest}",
        "SSL_write() failed ({error_reason:text}) while {_:rest}",
    )),
    ("request-too-large", "failure", ("client intended to send too large body: {_} bytes",)),
    ("bad-request", "failure", ("client sent {error_reason:rest}",)),
    ("client-timeout", "failure", ("client timed out ({error_reason:text}) while {_:rest}",)),
    ("client-closed", "unknown", (
        "client {_} closed keepalive connection{_:rest}", "client closed {_:rest}",
        "client prematurely closed {_:rest}", "epoll_wait() reported that client {_:rest}",
        "kevent() reported that client {_:rest}",
    )),
    ("body-buffered", "unknown", (
        "a client request body is buffered to a temporary file {file_path}",
        "an upstream response is buffered to a temporary file {file_path} while {_:rest}",
    )),
    ("redirect-cycle", "failure", ("rewrite or internal redirection cycle {_:rest}",)),
    ("modsecurity", "failure", ("{_:text}ModSecurity: {_:rest}",)),
    ("lua", "unknown", ("[lua] {error_reason:rest}", "lua {error_reason:rest}")),
    ("bind-failed", "failure", ("bind() to {_} failed ({error_reason:rest}",)),
    ("worker-crashed", "failure", ("worker process {_:int} exited on signal {_:rest}",)),
    ("server-process", "unknown", (
        "signal {_:rest}", "worker process {_:rest}", "start {_:rest}", "gracefully shutting down",
        "exiting", "exit", "reconfiguring", "reopening logs", "using {_:rest}", "nginx/{_:rest}",
        "built by {_:rest}", "OS: {_:rest}", "getrlimit{_:rest}", "cache {_:rest}",
        "shutting down", "getting {_:rest}", "openresty/{_:rest}",
    )),
    ("configuration", "unknown", (
        "conflicting server name {_:rest}", "the {_:rest}", "could not build {_:rest}",
        "duplicate {_:rest}", "unknown directive {_:rest}", "unexpected {_:rest}",
        "invalid {_:rest}", "cannot load certificate {_:rest}", '"ssl_stapling" ignored{_:rest}',
        "host not found in upstream {_:rest}",
    )),
)  # fmt: skip
APACHE: Kinds = (
    ("access-denied", "failure", (
        "client denied by server configuration: {file_path:rest}",
        "client denied by server configuration",
        "access to {url_path:rest} denied", "access to {url_path:rest} failed",
        "access to {url_path:text} denied (filesystem path '{file_path:text}') because {_:rest}",
        "access to {url_path:text} failed, reason: {error_reason:rest}",
    )),
    ("file-not-found", "failure", (
        "File does not exist: {file_path:rest}",
        "script not found or unable to stat: {file_path:rest}",
        "script '{file_path:rest}' not found or unable to stat",
        "stderr from {_:text}: script not found or unable to stat{_:rest}",
    )),
    ("user-not-found", "failure", (
        "user `{user_name:text}' in realm `{_:text}' not found: {url_path:rest}",
        "Digest: user `{user_name:text}' in realm `{_:text}' not found: {url_path:rest}",
        "user {user_name:rest} not found: {url_path}", "user {user_name:rest} not found",
    )),
    ("password-mismatch", "failure", (
        'user {user_name:rest}: authentication failure for "{url_path}": Password Mismatch',
        'user {user_name:rest}: authentication failure for "{url_path}":',
        "Digest: user {user_name:rest}: password mismatch: {url_path}",
        "user {user_name:rest}: password mismatch: {url_path}",
    )),
    ("authorization-failure", "failure", (
        'user {user_name:rest}: authorization failure for "{url_path}":',
        "Authorization of user {user_name:text} to access {url_path:text} failed, {_:rest}",
    )),
    ("bad-authentication", "failure", (
        "client used wrong authentication scheme: {url_path:rest}",
        "{?Digest: }invalid nonce {_:rest}", "{?Digest: }invalid qop {_:rest}",
        "{?Digest: }realm mismatch {_:rest}", "{?Digest: }unknown algorithm {_:rest}",
    )),
    ("directory-index-forbidden", "failure", (
        "Directory index forbidden by rule: {file_path:rest}",
        "Directory index forbidden by Options directive: {file_path:rest}",
        "Cannot serve directory {file_path:text}: No matching DirectoryIndex {_:rest}",
        "attempt to invoke directory as script: {file_path:rest}",
    )),
    ("options-forbidden", "failure", (
        "Options ExecCGI is off in this directory: {file_path:rest}",
        "Options {_} is off in this directory: {file_path:rest}",
        "Symbolic link not allowed {_:rest}",
    )),
    ("bad-request", "failure", (
        "Invalid URI in request {error_reason:rest}",
        "Invalid method in request {error_reason:rest}",
        "invalid URI path {error_reason:rest}", "request failed: {error_reason:rest}",
        "Request header {error_reason:rest}", "Client sent malformed Host header{_:rest}",
        "client sent {error_reason:rest}",
        "erroneous characters after protocol string: {error_reason:rest}",
        "URI too long {_:rest}", "Request exceeded the limit of {_:rest}",
    )),
    ("modsecurity", "failure", ("ModSecurity: {_:rest}",)),
    ("tls", "failure", (
        "Hostname {url_domain} provided via SNI {_:rest}",
        "Hostname {url_domain} provided via SNI, {_:rest}",
        "No hostname was provided via SNI {_:rest}",
        "SSL Library Error: {error_reason:rest}", "SSL {_:rest}", "Init: {_:rest}",
        "Certificate {_:rest}",
    )),
    ("script-error", "failure", (
        "PHP {_:text}: {error_reason:rest}", "Premature end of script headers: {file_path:rest}",
        "End of script output before headers: {file_path:rest}", "Got error '{error_reason:rest}",
        "malformed header from script{_:rest}", "mod_wsgi {_:rest}", "Traceback {_:rest}",
    )),
    ("proxy-error", "failure", (
        "proxy: {error_reason:rest}", "failed to make connection to backend: {error_reason:rest}",
        "attempt to connect to {error_reason:rest}", "Error reading from remote server {_:rest}",
        "error reading {error_reason:rest}", "Failed to read FastCGI header",
    )),
    ("client-timeout", "failure", (
        "Timeout {_:rest}", "The timeout {_:rest}", "Request timeout{_:rest}",
    )),
    ("child-crashed", "failure", ("child pid {_:int} exit signal {error_reason:rest}",)),
    ("server-busy", "failure", (
        "server reached {_:rest}", "server seems busy, {_:rest}", "scoreboard is full{_:rest}",
    )),
    ("jk-child", "unknown", (
        "jk2_init() Found child {_:int} in scoreboard slot {_:int}",
        "jk2_init() Can't find child {_:int} in scoreboard",
    )),
    ("jk-worker", "success", ("workerEnv.init() ok {file_path}",)),
    ("jk-worker", "failure", (
        "mod_jk child workerEnv in error state {_:int}", "mod_jk child init {_:rest}",
    )),
    ("server-started", "success", (
        "{_:text}configured -- resuming normal operations", "{_:text}configured. {_:rest}",
    )),
    ("server-stopped", "unknown", ("caught SIG{_:rest}", "SIG{_} received. {_:rest}")),
    ("server-process", "unknown", (
        "Graceful restart requested{_:rest}", "Command line: {_:rest}", "Digest: {_:rest}",
        "LDAP: {_:rest}", "suEXEC {_:rest}", "mod_{_:rest}", "Server built: {_:rest}",
        "generating secret {_:rest}", "Parent: {_:rest}", "Child{_:rest}", "Starting {_:rest}",
        "long lost child {_:rest}",
    )),
)  # fmt: skip


@lru_cache(maxsize=16)
def layouts(texts: tuple[str, ...]) -> PhraseBook:
    """Returns the phrases of a layout; a phrase's rule is 0."""
    return PhraseBook([Phrase(text) for text in texts])


@lru_cache(maxsize=2)
def book_of(kinds: Kinds) -> PhraseBook:
    """Returns the phrases of kinds; a phrase's rule is the place of its kind."""
    return PhraseBook(
        [Phrase(text, rule=rule) for rule, (_, _, texts) in enumerate(kinds) for text in texts]
    )
