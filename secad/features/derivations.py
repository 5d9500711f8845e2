r"""Derivations: from the distinct values of a column to the classes that a model can learn from.

Each function takes and returns string arrays of one length, null where there is nothing to say.
They run on distinct values only, and with RE2 (Arrow's kernels), since the values come from logs.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

NAME_CAP = 120  # characters of a masked text; what differs only beyond is taken as one
_EPHEMERAL_PORT = 32768  # lowest port that Linux hands out by default; Windows begins at 49152

# The first class whose pattern is found is the folder's. Patterns see the lower-case path, its
# drive or device taken off: \windows\system32\cmd.exe, /usr/bin/python3
_FOLDERS: tuple[tuple[str, str], ...] = (
    ("share", r"^\\\\[^?.\\]"),
    ("temp", r"^\\(users\\[^\\]+\\appdata\\local|windows|programdata)?\\?te?mp\\"),
    ("downloads", r"^(\\users|/home)[\\/][^\\/]+[\\/]downloads[\\/]"),
    ("desktop", r"^(\\users|/home)[\\/][^\\/]+[\\/]desktop[\\/]"),
    ("documents", r"^(\\users|/home)[\\/][^\\/]+[\\/]documents[\\/]"),
    ("users/public", r"^\\users\\public\\"),
    ("users/startup", r"^\\(users|programdata)\\.*\\start menu\\programs\\startup\\"),
    ("users/appdata", r"^\\users\\[^\\]+\\appdata\\"),
    ("users", r"^\\users\\"),
    ("recycle bin", r"^\\\$recycle\.bin\\"),
    ("system32", r"^\\windows\\system32\\[^\\]*$"),
    ("system32/drivers", r"^\\windows\\system32\\drivers\\"),
    ("system32/tasks", r"^\\windows\\system32\\tasks\\"),
    ("system32/*", r"^\\windows\\system32\\"),
    ("syswow64", r"^\\windows\\syswow64\\"),
    ("windows/winsxs", r"^\\windows\\winsxs\\"),
    ("windows/assembly", r"^\\windows\\assembly\\"),
    ("windows/prefetch", r"^\\windows\\prefetch\\"),
    ("windows/microsoft.net", r"^\\windows\\microsoft\.net\\"),
    ("windows/*", r"^\\windows\\[^\\]+\\"),
    ("windows", r"^\\windows\\"),
    ("program files", r"^\\program files( \(x86\))?\\"),
    ("programdata", r"^\\programdata\\"),
    ("root of the drive", r"^\\[^\\]*$"),
    ("other (windows)", r"^\\"),
    ("tmp", r"^/(var/)?tmp/"),
    ("dev/shm", r"^/dev/shm/"),
    ("hidden in home", r"^/(home/[^/]+|root)/\."),
    ("home", r"^/home/"),
    ("root's home", r"^/root/"),
    ("usr/bin", r"^(/usr)?/bin/"),
    ("usr/sbin", r"^(/usr)?/sbin/"),
    ("usr/lib", r"^(/usr)?/lib(32|64|exec|x32)?/"),
    ("usr/local", r"^/usr/local/"),
    ("usr/share", r"^/usr/share/"),
    ("usr", r"^/usr/"),
    ("opt", r"^/opt/"),
    ("var/www", r"^/(var/www|srv)/"),
    ("var/log", r"^/var/log/"),
    ("var/lib", r"^/var/lib/"),
    ("var/spool", r"^/var/spool/"),
    ("var", r"^/var/"),
    ("etc/cron", r"^/etc/cron"),
    ("etc", r"^/etc/"),
    ("proc", r"^/proc/"),
    ("sys", r"^/sys/"),
    ("run", r"^/run/"),
    ("dev", r"^/dev/"),
    ("snap", r"^/snap/"),
    ("boot", r"^/boot/"),
    ("media", r"^/(mnt|media)/"),
    ("root of the tree", r"^/[^/]*$"),
    ("other (unix)", r"^/"),
)
_USERS: tuple[tuple[str, str], ...] = (
    ("machine", r"\$$"),
    ("system", r"^(system|root|local service|network service|local system|s-1-5-(18|19|20)|0)$"),
    ("nobody", r"^(-|\?|unset|unknown|anonymous( logon)?|nobody|\(unknown user\)|4294967295|-1)$"),
    ("service", r"^(svc|_|(dwm|umfd)-[0-9]+$)|[-_.](svc|service|bot)$|service$"),
    ("service", r"^(www-data|daemon|sshd|mysql|postgres|apache|nginx|bind|named|mail|postfix)$"),
    ("service", r"^(systemd-|dbus|messagebus|syslog|ntp|chrony|redis|rabbitmq|tomcat|git$)"),
    ("admin", r"adm"),
    ("person", r""),
)
_ADDRESSES: tuple[tuple[str, str], ...] = (
    ("loopback", r"^(127\.|::1$|::ffff:127\.|localhost$)"),
    ("unspecified", r"^(0\.0\.0\.0|::)$"),
    ("private", r"^(::ffff:)?(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.)"),
    ("private", r"^f[cd][0-9a-f]{2}:"),
    ("link-local", r"^(169\.254\.|fe[89ab][0-9a-f]:)"),
    ("multicast", r"^(22[4-9]\.|23[0-9]\.|ff[0-9a-f]{2}:)"),
    ("broadcast", r"^255\.255\.255\.255$"),
    ("public", r"^(::ffff:)?[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$|^[0-9a-f]{1,4}:[0-9a-f:.]*$"),
    ("a name", r""),
)
# What may be hidden or fetched by a command line; each pattern found adds its word.
_COMMAND_SIGNS: tuple[tuple[str, str], ...] = (
    ("encoded", r"(?i)-e(nc?|ncodedcommand)?\s|frombase64|base64|[a-z0-9+/]{60,}"),
    ("hidden", r"(?i)-w(in(dowstyle)?)?\s+(h|1\b)|-nop\b|-noni\b|-noprofile"),
    ("address", r"(?i)(https?|ftp)://|\\\\[0-9a-z]"),
    ("script", r"(?i)\.(ps1|vbs|js|hta|bat|cmd|sct|py|sh|pl)\b"),
    ("temp", r"(?i)\\te?mp\\|/tmp/|/dev/shm/|\\appdata\\|\\downloads\\|\\public\\"),
    ("chain", r"&&|\|\||[|;]|`|\$\("),
    ("redirect", r"[<>]"),
)
_CHARACTER_SIGNS: tuple[tuple[str, str], ...] = (
    ("%", r"%"),
    ("..", r"\.\.|%2e%2e"),
    ("'", r"'|%27"),
    ('"', r'"|%22'),
    ("<>", r"[<>]|%3c|%3e"),
    (";", r";|%3b"),
    ("|", r"\||%7c"),
    ("$", r"\$|%24"),
    ("()", r"[()]|%28|%29"),
    ("\\", r"\\|%5c"),
    ("not ascii", r"[^\x20-\x7e]|\\x[0-9a-f]{2}"),
    ("address", r"https?:|ftp:|//"),
)
_MASKS: tuple[tuple[str, str], ...] = (
    (r"\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?", "<guid>"),
    (r"s-1-[0-9]+-[0-9-]+(_classes)?", "<sid>"),
    (r"[a-z0-9+/]{60,}={0,2}", "<base64>"),
    (r"\b(0x)?[0-9a-f]{8,}\b", "<hex>"),
    (r"[0-9]+", "#"),
)
# Modules that stand on top of most stacks and say nothing of the caller.
_STACK_TOP = (
    r"^((ntdll|kernelbase|kernel32|wow64|wow64win|wow64cpu|win32u|user32|advapi32|sechost"
    r"|rpcrt4|combase)\.dll\|?)+"
)


def folder(paths: pa.StringArray) -> pa.Array:
    """Returns the folder class of file paths, of Windows and of Unix."""
    bare = _without_drive(paths)
    return _first_class(bare, _FOLDERS, otherwise="no folder")


def base_name(paths: pa.StringArray) -> pa.Array:
    r"""Returns the lower-case last part of paths, long identifiers masked.

    >>> base_name(pa.array(["C:\\Windows\\System32\\CMD.exe", "/usr/bin/python3"])).to_pylist()
    ['cmd.exe', 'python3']
    """
    names = _replace(pc.utf8_lower(paths), r'^"?.*[\\/]', "")
    for pattern, mask in _MASKS[:-1]:  # a program's digits are part of its name
        names = _replace(names, pattern, mask)
    return _cap(pc.utf8_trim(names, '" '))


def file_name(paths: pa.StringArray) -> pa.Array:
    """Returns the lower-case last part of paths, identifiers and digits masked."""
    return mask(_replace(paths, r"^.*[\\/]", ""))


def extension(paths: pa.StringArray) -> pa.Array:
    """Returns the lower-case extension of paths (at most 8 characters), ``none`` without one."""
    found = pc.extract_regex(pc.utf8_lower(paths), r"\.(?P<extension>[a-z0-9_]{1,8})$")
    return _else(pc.struct_field(found, "extension"), paths, "none")


def mask(texts: pa.StringArray) -> pa.Array:
    """Returns lower-case texts with GUIDs, SIDs, base64, hex words and digit runs masked.

    >>> mask(pa.array(["Job 17 of deadbeef01"])).to_pylist()
    ['job # of <hex>']
    """
    shapes = pc.utf8_lower(texts)
    for pattern, replacement in _MASKS:
        shapes = _replace(shapes, pattern, replacement)
    return _cap(shapes)


def lower(texts: pa.StringArray) -> pa.Array:
    """Returns lower-case texts, capped."""
    return _cap(pc.utf8_lower(texts))


def command_shape(commands: pa.StringArray) -> pa.Array:
    """Returns command lines with folders dropped, names kept, and all identifiers masked."""
    bare = _replace(pc.utf8_lower(commands), r'"', "")
    # c:\program files (x86)\a\b.exe, \\server\share\b.exe, /usr/local/bin/b
    bare = _replace(bare, r"([a-z]:)?(\\(program files( \(x86\))?|[^\\/:*?<>|\s]*))*\\", "")
    bare = _replace(bare, r"(/[\w.+-]+)+/", "")
    return mask(pc.utf8_trim(_replace(bare, r"\s+", " "), " "))


def command_signs(commands: pa.StringArray) -> pa.Array:
    """Returns which of a few signs (encoded, hidden, address, ...) command lines show."""
    return _signs(commands, _COMMAND_SIGNS)


def character_signs(texts: pa.StringArray) -> pa.Array:
    """Returns which unusual characters texts hold, plain or percent-encoded."""
    return _signs(pc.utf8_lower(texts), _CHARACTER_SIGNS)


def length(texts: pa.StringArray) -> pa.Array:
    """Returns the length of texts in bins of powers of two, in characters."""
    return _binned(pc.utf8_length(texts))


def size(numbers: pa.StringArray) -> pa.Array:
    """Returns whole numbers in bins of powers of two."""
    return _binned(numbers.cast(pa.int64()))


def user_class(users: pa.StringArray) -> pa.Array:
    """Returns what sort of account names stand for: system, machine, service, admin, person."""
    names = _replace(pc.utf8_lower(users), r"^.*\\", "")
    return _first_class(names, _USERS)


def address_role(addresses: pa.StringArray) -> pa.Array:
    """Returns the role of IP addresses: loopback, private, link-local, public, multicast, ..."""
    return _first_class(pc.utf8_lower(addresses), _ADDRESSES)


def network(addresses: pa.StringArray) -> pa.Array:
    """Returns the /24 of private IPv4 addresses, the /16 of public ones, the /64 of IPv6.

    >>> network(pa.array(["10.1.2.3", "52.109.6.7", "fe80::1:2"])).to_pylist()
    ['10.1.2.0/24', '52.109.0.0/16', 'fe80::/64']
    """
    v4 = r"^(::ffff:)?([0-9]+\.[0-9]+)\.([0-9]+)\.[0-9]+$"
    near = _replace(addresses, v4, r"\2.\3.0/24")
    far = _replace(addresses, v4, r"\2.0.0/16")
    v6 = _replace(pc.utf8_lower(addresses), r"^(([0-9a-f]{1,4}:){1,4}).*$", r"\1:/64")
    is_v4 = pc.match_substring_regex(addresses, v4)
    local = pc.is_in(address_role(addresses), pa.array(["private", "loopback", "link-local"]))
    return pc.if_else(is_v4, pc.if_else(local, near, far), v6)


def service_port(ports: pa.StringArray) -> pa.Array:
    """Returns port numbers, those that systems hand out to clients as ``dynamic``."""
    return pc.if_else(pc.less(ports.cast(pa.int64()), _EPHEMERAL_PORT), ports, "dynamic")


def registry_key(paths: pa.StringArray) -> pa.Array:
    """Returns the first six levels of registry paths, identifiers masked."""
    # \registry\a\<guid>\root, hklm\software\microsoft
    pattern = r"^(?P<key>\\?[^\\]*(?:\\[^\\]*){0,5})"
    return _group(mask(paths), pattern, "key")


def stack_module(traces: pa.StringArray) -> pa.Array:
    """Returns the first module of call traces that is not part of every call."""
    frames = _replace(pc.utf8_lower(traces), r"unknown\([0-9a-f]+\)", "unknown")
    frames = _replace(frames, r"\+[0-9a-f]+(\([a-z]+\))?", "")
    frames = _replace(frames, r"[^|]*\\", "")
    named = _group(_replace(frames, _STACK_TOP, ""), r"^(?P<module>[^|]*)", "module")
    return pc.if_else(pc.equal(named, ""), "system only", _cap(named))


def stack_unknown(traces: pa.StringArray) -> pa.Array:
    """Returns whether call traces pass through memory that belongs to no module."""
    unknown = pc.match_substring(traces, "UNKNOWN")
    return pc.if_else(unknown, "memory outside modules", "modules only")


def domain(names: pa.StringArray) -> pa.Array:
    """Returns the last two labels of domain names."""
    return mask(_group(pc.utf8_rtrim(names, "."), r"(?P<end>(?:[^.]*\.)?[^.]*)$", "end"))


def route(paths: pa.StringArray) -> pa.Array:
    """Returns the first three segments of URL paths, identifiers masked."""
    pattern = r"^(?P<route>/?[^/?#]*(?:/[^/?#]*){0,2})"  # /app/users/17
    return mask(_group(paths, pattern, "route"))


def query_keys(queries: pa.StringArray) -> pa.Array:
    """Returns the names of URL parameters, without their values."""
    return mask(_replace(queries, r"=[^&;]*", ""))


def product(agents: pa.StringArray) -> pa.Array:
    """Returns the product that user agents name first."""
    return _cap(_group(pc.utf8_lower(agents), r"^(?P<product>[^/ (;]*)", "product"))


def status_class(codes: pa.StringArray) -> pa.Array:
    """Returns the hundreds of HTTP status codes."""
    return _replace(codes, r"^([0-9])[0-9]{2}$", r"\1xx")


def _replace(texts: pa.Array, pattern: str, replacement: str) -> pa.Array:
    return pc.replace_substring_regex(texts, pattern, replacement)


def _cap(texts: pa.Array) -> pa.Array:
    return pc.utf8_slice_codeunits(texts, 0, NAME_CAP)


def _group(texts: pa.Array, pattern: str, name: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(texts, pattern), name)


def _else(found: pa.Array, texts: pa.Array, otherwise: str) -> pa.Array:
    return pc.if_else(pc.is_valid(texts), pc.fill_null(found, otherwise), None)


def _without_drive(paths: pa.Array) -> pa.Array:
    # \??\C:\Windows, %SystemRoot%\System32, \SystemRoot\System32, \Device\HarddiskVolume3\Windows
    bare = _replace(pc.utf8_lower(paths), r'^"', "")
    bare = _replace(bare, r"^(%systemroot%|\\systemroot)\\", r"\\windows\\")
    return _replace(bare, r"^(\\\\?\?\?\\|\\\\[?.]\\)?([a-z]:|\\device\\harddiskvolume[0-9]+)", "")


def _first_class(
    texts: pa.Array, classes: Sequence[tuple[str, str]], otherwise: str | None = None
) -> pa.Array:
    found = pa.nulls(len(texts), pa.string())
    for name, pattern in reversed(classes):
        found = pc.if_else(pc.match_substring_regex(texts, pattern), name, found)
    return found if otherwise is None else _else(found, texts, otherwise)


def _signs(texts: pa.Array, signs: Sequence[tuple[str, str]]) -> pa.Array:
    found = pc.if_else(pc.is_valid(texts), " ", None)  # not empty: Arrow loses all-empty joins
    for word, pattern in signs:
        shown = pc.if_else(pc.match_substring_regex(texts, pattern), f"{word} ", "")
        found = pc.binary_join_element_wise(found, shown, "")
    joined = pc.utf8_trim(found, " ")
    return pc.if_else(pc.equal(joined, ""), "plain", joined)


def _binned(numbers: pa.Array) -> pa.Array:
    positive = pc.max_element_wise(numbers, 1, skip_nulls=False)
    exponent = pc.floor(pc.log2(positive.cast(pa.float64()))).cast(pa.int64())
    low = pc.shift_left(pa.scalar(1, pa.int64()), exponent)
    bins = pc.binary_join_element_wise(
        low.cast(pa.string()), pc.subtract(pc.multiply(low, 2), 1).cast(pa.string()), "-"
    )
    return pc.if_else(pc.less(numbers, 1), "0", bins)
