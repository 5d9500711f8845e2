"""``weblog.log``: three days of a small shop as nginx writes them (combined), Wednesday to Friday.

People browse and buy along habitual paths, crawlers and a monitor pass by, the internet knocks
for old holes as it does everywhere; on Thursday night someone scans the shop for real, and on
Friday morning uses the page that they could upload.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, quote_plus

from samples.intrusion import SCAN_START, SHELL_PATH, UPLOADED, shell_steps
from samples.log import IGNORE, Log, Sample, after, at, dice, moments, utc, weighted
from samples.server import STAGE

_DAYS = (2, 3, 4)
_SITE = "https://www.shop.example"
_SCAN_WHY = "scanning the shop: %s"
_SHELL_WHY = "the uploaded web shell"
_KNOCK_WHY = "the internet's usual knocking, no part of the attack"
_AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/145.0.0.0 Safari/537.36": 30,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0": 14,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1": 24,
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/145.0.0.0 Mobile Safari/537.36": 20,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Safari/605.1.15": 9,
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": 2,
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko": 1,
}
_SHELVES = {
    "saws": ("ryoba-240", "dozuki-210", "bow-saw", "coping-saw"),
    "planes": ("block-plane-60", "jack-plane-5", "scrub-plane"),
    "chisels": ("chisel-set-6", "mortise-8mm", "paring-25mm", "corner-chisel"),
    "finishes": ("linseed-oil-500", "shellac-flakes", "beeswax"),
    "sharpening": ("waterstone-1000", "waterstone-6000", "strop", "honing-guide"),
}
_SEARCHES = {
    "ryoba": 9, "plane": 8, "waterstone": 7, "chisel 8mm": 5, "gift voucher": 3, "o'brien vise": 1,
    "hobel": 2, "select grade maple": 1, "1/2\" mortise": 1, "union jack plane": 1,
}  # fmt: skip
_REFERRERS = {
    "-": 50, "https://www.search.example/": 30, "https://forum.woodwork.example/t/4417": 6,
    "https://newsletter.shop.example/march": 8,
}  # fmt: skip
_CRAWLERS = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "203.0.113.8",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": "203.0.113.19",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)": "203.0.113.27",
}
_SIZES = {"/static/app.css": 18233, "/static/app.js": 64120, "/static/logo.svg": 2911}


@dataclass(frozen=True)
class _Client:
    address: str
    agent: str


class _Access:
    def __init__(self) -> None:
        self.log = Log()

    def hit(
        self,
        time: datetime,
        client: _Client,
        request: str,
        answer: tuple[int, int],
        referrer: str = "-",
        *,
        why: str | None = None,
        label: str = "hostile",
    ) -> None:
        stamp = utc(time).strftime("%d/%b/%Y:%H:%M:%S +0000")
        status, size = answer
        browser = client.agent.startswith("Mozilla/5.0 (") and "compatible" not in client.agent
        full = f"{request} HTTP/{'2.0' if browser else '1.1'}"
        line = (
            f'{client.address} - - [{stamp}] "{full}" {status} {size} "{referrer}" "{client.agent}"'
        )
        self.log.add(time, line, why=why, label=label)


def make() -> Sample:
    """Returns ``weblog.log``."""
    out = _Access()
    for day in _DAYS:
        rng = dice(f"visits {day}")
        for time in moments(rng, day, 6, 24, 96):
            _visit(out, rng, time)
        for time in moments(rng, day, 0, 6, 3):
            _visit(out, rng, time)
        _crawl(out, day)
        _watch(out, day)
        _knocking(out, day)
    _odd_but_harmless(out)
    _scan(out)
    _use(out)
    return out.log.sample("weblog.log")


def _someone(rng: random.Random) -> _Client:
    agent = weighted(rng, _AGENTS)
    if rng.randrange(6) == 0:
        address = f"2001:db8:{rng.randrange(0x100, 0x180):x}::{rng.randrange(1, 0xFFFF):x}"
    else:
        address = f"198.51.100.{rng.randrange(100, 200)}" if rng.randrange(2) else (
            f"203.0.113.{rng.randrange(30, 76)}"
        )  # fmt: skip
    return _Client(address, agent)


def _size(path: str) -> int:
    # the same page has about the same size at every visit
    known = _SIZES.get(path)
    return known if known else 9000 + sum(path.encode()) * 37 % 24000


def _visit(out: _Access, rng: random.Random, time: datetime) -> None:
    client = _someone(rng)
    page = weighted(rng, {"/": 6, "/shelf/" + rng.choice(list(_SHELVES)): 3, "/blog/sharpening": 1})
    referrer = weighted(rng, _REFERRERS)
    first = True
    for _ in range(rng.randrange(1, 9)):
        out.hit(time, client, f"GET {page}", (200, _size(page) + rng.randrange(60)), referrer)
        _assets(out, rng, time, client, page, cached=not first)
        first = False
        referrer = _SITE + page
        time = after(time, rng, 4000, 70_000)
        page = _next_page(rng, page)
        if page == "/cart" and rng.randrange(2):
            _order(out, rng, time, client)
            return


def _next_page(rng: random.Random, page: str) -> str:
    if page.startswith("/shelf/"):
        return "/product/" + rng.choice(_SHELVES[page.rpartition("/")[2]])
    if page.startswith("/product/") and rng.randrange(3) == 0:
        return "/cart"
    choice = rng.randrange(10)
    if choice < 2:
        return "/search?q=" + quote_plus(weighted(rng, _SEARCHES))
    if choice < 4:
        return "/"
    return "/shelf/" + rng.choice(list(_SHELVES))


def _assets(
    out: _Access, rng: random.Random, time: datetime, client: _Client, page: str, *, cached: bool
) -> None:
    time = after(time, rng, 80, 600)
    if page.startswith("/product/"):
        image = f"/img{page}.webp"
        out.hit(time, client, f"GET {image}", (200, _size(image)), _SITE + page)
    if cached:
        return
    for path, full in _SIZES.items():
        status, size = (304, 0) if rng.randrange(3) == 0 else (200, full)
        out.hit(time, client, f"GET {path}", (status, size), _SITE + page)
    if rng.randrange(5) == 0:
        out.hit(time, client, "GET /favicon.ico", (200, 1406), _SITE + page)


def _order(out: _Access, rng: random.Random, time: datetime, client: _Client) -> None:
    steps = (("GET /cart", 200), ("GET /account/login", 200), ("POST /account/login", 302),
             ("GET /checkout", 200), ("POST /checkout", 302),
             ("GET /checkout/thanks", 200))  # fmt: skip
    referrer = _SITE + "/cart"
    for request, status in steps:
        path = request.split()[1]
        if request == "POST /account/login" and rng.randrange(7) == 0:
            out.hit(time, client, request, (422, 5120), referrer)
            time = after(time, rng, 4000, 9000)
        size = 0 if status == 302 else _size(path) + rng.randrange(60)
        out.hit(time, client, request, (status, size), referrer)
        referrer = _SITE + path
        time = after(time, rng, 3000, 40_000)
    if rng.randrange(4) == 0:
        out.hit(time, client, "GET /account/avatar", (200, 8120), referrer)
        time = after(time, rng, 9000, 40_000)
        out.hit(time, client, "POST /account/avatar", (302, 0), _SITE + "/account/avatar")
        image = f"/uploads/avatars/{rng.randrange(1000, 8800)}.jpg"
        time = after(time, rng, 300, 900)
        out.hit(time, client, f"GET {image}", (200, _size(image)), _SITE + "/account")


def _crawl(out: _Access, day: int) -> None:
    rng = dice(f"crawl {day}")
    products = [f"/product/{name}" for shelf in _SHELVES.values() for name in shelf]
    pages = [
        "/robots.txt",
        "/sitemap.xml",
        "/",
        *(f"/shelf/{name}" for name in _SHELVES),
        *products,
    ]
    for agent, address in _CRAWLERS.items():
        for time in moments(rng, day, 0, 24, 26):
            page = rng.choice(pages)
            status = 200
            if rng.randrange(12) == 0:
                page, status = f"/product/old-{rng.randrange(300)}", 404
            out.hit(time, _Client(address, agent), f"GET {page}", (status, _size(page)))


def _watch(out: _Access, day: int) -> None:
    monitor = _Client("192.0.2.51", "shop-monitor/2.3")
    rng = dice(f"watch {day}")
    for step in range(96):
        time = after(at(day, "00:00:20") + timedelta(minutes=15 * step), rng, 0, 800)
        if not at(2, "04:11:50") < time < at(2, "04:13:10"):
            out.hit(time, monitor, "GET /health", (200, 15))


def _knocking(out: _Access, day: int) -> None:
    rng = dice(f"knocking {day}")
    paths = (
        "/wp-login.php",
        "/.env",
        "/.git/config",
        "/phpmyadmin/",
        "/cgi-bin/luci",
        "/xmlrpc.php",
    )
    for time in moments(rng, day, 0, 24, rng.randrange(3, 8)):
        agent = rng.choice(("Mozilla/5.0 zgrab/0.x", "python-requests/2.32.4", "-"))
        client = _Client(f"203.0.113.{rng.randrange(100, 250)}", agent)
        request = f"GET {rng.choice(paths)}"
        out.hit(time, client, request, (404, 1190), why=_KNOCK_WHY, label=IGNORE)


def _odd_but_harmless(out: _Access) -> None:
    """Rare things that happen in any shop: an outage, a partner's script, an admin, a resume."""
    rng = dice("odd")
    for clock in ("04:11:58", "04:12:03", "04:12:31"):
        out.hit(at(2, clock + ".211"), _someone(rng), "GET /", (502, 556))
    partner = _Client("192.0.2.77", "price-feed/1.4 (+https://partner.example)")
    for day in _DAYS:
        out.hit(at(day, "05:00:02.480"), partner, "GET /export/prices.xml", (200, 48211))
    admin = _Client("198.51.100.14", next(iter(_AGENTS)))
    for day, clock in ((2, "10:02:11.3"), (3, "14:41:50.9"), (4, "08:55:31.6")):
        time = at(day, clock)
        for request in ("GET /admin", "GET /admin/orders", "POST /admin/orders/export"):
            out.hit(time, admin, request, (200, _size(request)), _SITE + "/admin")
            time = after(time, rng, 5000, 30_000)
    resumed = _someone(rng)
    for time in (at(3, "19:20:41.07"), at(3, "19:20:58.61")):
        out.hit(time, resumed, "GET /files/catalogue-2026.pdf", (206, 1048576))
    out.hit(at(4, "11:10:09.77"), _someone(rng), "HEAD /product/strop", (200, 0))
    out.hit(at(2, "20:31:15.04"), _someone(rng), "GET /checkout", (500, 3120), _SITE + "/cart")
    out.hit(at(3, "12:44:20.5"), _someone(rng), "GET /search?q=" + "plane+" * 40, (414, 179))


_INJECTIONS = (
    "1'", "1' OR '1'='1", "1' AND SLEEP(5)-- -", "1 UNION SELECT NULL-- -",
    "1' UNION SELECT NULL,NULL,NULL-- -",
    "-1' UNION SELECT 1,concat(email,0x3a,password),3 FROM users-- -",
    "1'; SELECT pg_sleep(5)--", "1' AND extractvalue(1,concat(0x7e,version()))-- -",
)  # fmt: skip
_TRAVERSALS = (
    "/files/../../../../etc/passwd", "/files/..%2f..%2f..%2fetc%2fpasswd",
    "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/files/....//....//etc/hosts",
    "/export/prices.xml?template=../../../../var/www/shop/.env",
)  # fmt: skip
_PROBES = (
    "/admin/config.php", "/backup.zip", "/shop.sql", "/server-status", "/vendor/phpunit/phpunit/",
    "/uploads/", "/storage/logs/laravel.log", "/.svn/entries", "/debug/default/view",
    "/api/v1/users",     "/actuator/env", "/old/", "/test.php", "/info.php",
)  # fmt: skip


def _scan(out: _Access) -> None:
    rng = dice("scan")
    time = SCAN_START
    finder = _Client(STAGE, "Mozilla/5.0 (compatible; Nmap Scripting Engine)")
    for path in _PROBES:
        status = 403 if path in {"/uploads/", "/server-status"} else 404
        out.hit(time, finder, f"GET {path}", (status, 1190), why=_SCAN_WHY % "looking for files")
        time = after(time, rng, 120, 900)
    injector = _Client(STAGE, "sqlmap/1.9.8#stable (https://sqlmap.org)")
    for target in ("/search?q=", "/product/strop?variant=", "/blog?id="):
        for payload in _INJECTIONS:
            status = rng.choice((200, 200, 500, 403)) if "search" in target else 404
            request = f"GET {target}{quote(payload)}"
            out.hit(time, injector, request, (status, 3120), why=_SCAN_WHY % "SQL injection")
            time = after(time, rng, 200, 1500)
    walker = _Client(STAGE, "curl/8.14.1")
    for path in _TRAVERSALS:
        out.hit(time, walker, f"GET {path}", (400, 157), why=_SCAN_WHY % "path traversal")
        time = after(time, rng, 900, 4000)


def _use(out: _Access) -> None:
    rng = dice("use")
    browser = _Client(
        STAGE, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    )
    time = UPLOADED - timedelta(seconds=74)
    for request, status, size in (
        ("GET /account/login", 200, 7440), ("POST /account/register", 302, 0),
        ("GET /account/avatar", 200, 8120),
    ):  # fmt: skip
        out.hit(time, browser, request, (status, size), _SITE + "/", why="preparing the upload")
        time = after(time, rng, 9000, 20_000)
    upload = "the web shell is uploaded as a picture"
    out.hit(
        UPLOADED, browser, "POST /account/avatar", (302, 0), _SITE + "/account/avatar", why=upload
    )
    for moment, command, worked in shell_steps():
        client = (
            browser if moment < UPLOADED + timedelta(seconds=90) else _Client(STAGE, "curl/8.14.1")
        )
        size = rng.randrange(60, 2400) if worked else 0
        request = f"GET {SHELL_PATH}?c={quote(command)}"
        out.hit(moment, client, request, (200, size), why=_SHELL_WHY)
