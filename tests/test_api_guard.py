"""What holds for every answer: nobody gets in unasked, nothing without its headers, never a 5xx."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from monitord.api.route import Route
from monitord.api.server import ROUTES
from tests.kit.centre import Centre, centre
from tests.kit.http import raw

ID = "0" * 20
CLOSED = [
    ("GET", "/"),
    ("GET", "/index.html"),
    ("GET", "/quality/quality-assurance/coach-manager"),
    ("GET", "/assets/app/app.js"),
    ("GET", "/assets/sign-in/../app/app.js"),
    ("GET", "/assets/sign-in/..%2fapp%2fapp.js"),
    ("GET", "/assets//app/app.js"),
    ("GET", "//api/v1/supervisions"),
    ("GET", "/api/v1/supervisions"),
    ("HEAD", "/api/v1/supervisions"),
    ("GET", f"/api/v1/supervisions/{ID}"),
    ("POST", f"/api/v1/supervisions/{ID}/disconnect"),
    ("GET", "/api/v1/alerts"),
    ("POST", f"/api/v1/alerts/{ID}.coach/acknowledge"),
    ("GET", "/api/v1/team"),
    ("GET", "/api/v1/views"),
    ("PUT", "/api/v1/views"),
    ("GET", "/team"),
    ("GET", "/api/v1/calls"),
    ("GET", "/api/v1/agent-status"),
    ("GET", "/api/v1/gaps"),
    ("GET", "/api/v1/calls/count"),
    ("GET", "/api/v1/supervisions/export?format=csv"),
    ("GET", "/api/v1/history/choices?ledger=calls&filter=agent"),
    ("GET", "/quality/quality-assurance/history"),
    ("GET", "/api/v1/stream"),
    ("GET", "/api/v1/session"),
    ("GET", "/settings/sign-in"),
    ("GET", "/api/v1/account"),
    ("PUT", "/api/v1/account/password"),
    ("GET", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions"),
    ("GET", "/api/v1/sessions/all"),
    ("DELETE", f"/api/v1/sessions/{ID}"),
    ("GET", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens"),
    ("GET", "/api/v1/tokens/all"),
    ("DELETE", "/api/v1/tokens/0123456789abcdef"),
    ("POST", "/api/v1/people/sue/link"),
    ("GET", "/no/such/page"),
    ("OPTIONS", "/api/v1/calls"),
    ("PROPFIND", "/api/v1/calls"),
    ("TRACE", "/"),
]
HEADERS = {
    "content-security-policy": "default-src 'self'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    folder = tmp_path_factory.mktemp("guard")
    async with centre(folder) as made:
        assets = folder / "page" / "assets" / "app"
        (assets / "out.js").symlink_to("/etc/hostname")
        (assets / ".env").write_text("hidden")
        yield made


pytestmark = pytest.mark.asyncio(loop_scope="module")


def check_headers(headers: dict[str, str]) -> None:
    for name, start in HEADERS.items():
        assert headers.get(name, "missing").startswith(start), name
    assert headers["server"] == "monitord"


def request(method: str, path: str, here: Centre, *lines: str, cookie: str = "") -> bytes:
    host = here.daemon.url.removeprefix("http://")
    given = [f"{method} {path} HTTP/1.1", f"Host: {host}", *lines]
    if cookie:
        given.append(f"Cookie: {cookie}")
    return "\r\n".join([*given, "", ""]).encode("latin-1")


@pytest.mark.fault("CSWSH / expired cookie / wrong team")
@pytest.mark.parametrize("method, path", CLOSED, ids=[f"{m}-{p}" for m, p in CLOSED])
@pytest.mark.parametrize("cookie", ["", "monitord_session=made-up"], ids=["none", "made-up"])
async def test_nobody_gets_in(here: Centre, method: str, path: str, cookie: str) -> None:
    status, headers, body = await raw(here.daemon.url, request(method, path, here, cookie=cookie))
    assert status == (404 if path.startswith("/assets/sign-in/") else 401)
    assert b"app.js" not in body
    check_headers(headers)


async def test_a_browser_is_led_to_the_sign_in_page(here: Centre) -> None:
    # with the way back to where they wanted to go; a page of ours, never another site's
    for path, address in (
        ("/", "/sign-in"),
        ("/x?user=a&b=c", "/sign-in?next=/x?user%3Da%26b%3Dc"),
        ("//evil.example/", "/sign-in"),
    ):
        data = request("GET", path, here, "Accept: text/html")
        status, headers, _ = await raw(here.daemon.url, data)
        assert (status, headers["location"]) == (303, address)
        check_headers(headers)
    for path in ("/sign-in", "/assets/sign-in/in.js"):
        status, headers, _ = await raw(here.daemon.url, request("GET", path, here))
        assert status == 200
        check_headers(headers)


OPEN = {
    "GET /api/v1/sign-in/ways": 200,
    "POST /api/v1/links/look": 415,
    "POST /api/v1/links/use": 415,
    "GET /sign-in/link": 200,
    "GET /sign-in/provider": 404,  # there is none here
    "GET /sign-in/callback": 404,
}


@pytest.mark.parametrize("line", OPEN)
async def test_by_what_one_gets_in(here: Centre, line: str) -> None:
    method, path = line.split()
    status, headers, _ = await raw(here.daemon.url, request(method, path, here))
    assert status == OPEN[line]
    check_headers(headers)


SIGNED_IN = {
    "not-found": ("GET", "/nothing", (), 404),
    "not-found-in-a-browser": ("GET", "/nothing", ("Accept: text/html",), 404),
    "not-found-deep": ("GET", "/quality/nothing/at/all", ("Accept: text/html",), 404),
    "not-found-api-in-a-browser": ("GET", "/api/v2/nothing", ("Accept: text/html",), 404),
    "method-in-a-browser": ("GET", f"/api/v1/supervisions/{ID}/disconnect", (), 405),
    "not-found-api": ("GET", "/api/v2/nothing", (), 404),
    "method": ("DELETE", "/api/v1/calls", (), 405),
    "options": ("OPTIONS", "/api/v1/calls", (), 405),
    "unknown-method": ("PROPFIND", "/", (), 405),
    "head": ("HEAD", "/api/v1/calls", (), 200),
    "head-of-the-stream": ("HEAD", "/api/v1/stream", (), 405),
    "redirect": ("GET", "/", (), 303),
    "signed-in-already": ("GET", "/sign-in", (), 303),
    "page": ("GET", "/quality/quality-assurance/coach-manager", (), 200),
    "page-of-the-history": ("GET", "/quality/quality-assurance/history", (), 200),
    "head-of-an-export": ("HEAD", "/api/v1/calls/export", (), 405),
    "asset": ("GET", "/assets/app/app.js", (), 200),
    "asset-range": ("GET", "/assets/app/app.js", ("Range: bytes=0-3",), 206),
    "asset-bad-range": ("GET", "/assets/app/app.js", ("Range: bytes=999-",), 416),
    "asset-up": ("GET", "/assets/app/../../index.html", (), 404),
    "asset-up-encoded": ("GET", "/assets/app/%2e%2e%2f%2e%2e%2findex.html", (), 404),
    "asset-double-slash": ("GET", "/assets/app//app.js", (), 404),
    "asset-dotfile": ("GET", "/assets/app/.env", (), 404),
    "asset-link-out": ("GET", "/assets/app/out.js", (), 404),
    "asset-nul": ("GET", "/assets/app/a%00.js", (), 404),
    "asset-long": ("GET", f"/assets/app/{'a' * 4000}", (), 404),
    "asset-folder": ("GET", "/assets/app/", (), 404),
    "path-not-utf8": ("GET", "/%ff%fe", (), 404),
    "stream-without-origin": ("GET", "/api/v1/stream", (), 403),
    "stream-foreign": ("GET", "/api/v1/stream", ("Origin: https://evil.example",), 403),
    "stream-null": ("GET", "/api/v1/stream", ("Origin: null",), 403),
    "stream-no-upgrade": ("GET", "/api/v1/stream", ("Origin: {url}",), 400),
    "foreign-sign-out": ("DELETE", "/api/v1/session", ("Origin: https://evil.example",), 403),
    "foreign-post": (
        "POST",
        f"/api/v1/supervisions/{ID}/disconnect",
        ("Origin: https://evil.example", "Content-Length: 0"),
        403,
    ),
    "disconnect-as-form": (
        "POST",
        f"/api/v1/supervisions/{ID}/disconnect",
        ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 0"),
        415,
    ),
    "id-too-long": ("GET", f"/api/v1/supervisions/{ID}0", (), 404),
    "id-unknown": ("GET", f"/api/v1/supervisions/{ID}", (), 404),
}


@pytest.mark.parametrize("name", SIGNED_IN)
async def test_signed_in(here: Centre, name: str) -> None:
    method, path, lines, expected = SIGNED_IN[name]
    given = [line.format(url=here.daemon.url) for line in lines]
    data = request(method, path, here, *given, cookie=here.sue.cookie)
    status, headers, body = await raw(here.daemon.url, data)
    assert status == expected, body
    check_headers(headers)
    assert b"Traceback" not in body and b"hidden" not in body
    shows_page = "/nothing" in path and "/api/" not in path and lines != ()
    assert (b"index.html" in body) == (shows_page or name.startswith("page"))


BROKEN: dict[str, bytes] = {
    "no-http": b"\x16\x03\x01\x02\x00\x01secret-in-garbage\r\n\r\n",
    "no-version": b"GET /\r\n\r\n",
    "header-too-long": b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    "line-too-long": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "too-many-headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
    "header-without-colon": b"GET / HTTP/1.1\r\nHost: a\r\nsecret-in-garbage\r\n\r\n",
    "two-lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length-and-chunks": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "cookie-not-utf8": b"GET / HTTP/1.1\r\nHost: a\r\nCookie: monitord_session=\xff\xfe\r\n\r\n",
    "host-broken": b"GET / HTTP/1.1\r\nHost: [::\r\nOrigin: x\r\n\r\n",
    "no-host": b"POST /api/v1/session HTTP/1.1\r\nOrigin: http://\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "connect": b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n",
    "absolute": b"GET http://evil/api/v1/calls HTTP/1.1\r\nHost: evil\r\n\r\n",
    "expect": b"POST /api/v1/session HTTP/1.1\r\nHost: a\r\nExpect: nothing\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_requests(here: Centre, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    status, headers, body = await raw(here.daemon.url, BROKEN[name])
    assert 400 <= status < 500, body
    check_headers(headers)
    assert "secret-in-garbage" not in "".join(capfd.readouterr())


POST = "POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
BODIES: dict[str, tuple[bytes, int, str | None]] = {
    "empty": (b"Content-Length: 0\r\n\r\n", 400, None),
    "not-gzip": (b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 400, None),
    "bad-chunk": (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400, None),
}


@pytest.mark.parametrize("name", BODIES)
async def test_broken_bodies(here: Centre, name: str) -> None:
    rest, expected, _ = BODIES[name]
    status, headers, body = await raw(here.daemon.url, POST.encode() + rest)
    assert status == expected, body
    check_headers(headers)


JSON: list[Any] = [
    pytest.param('{"login": "a"}', 400, "password", id="missing"),
    pytest.param('{"login": "a", "password": "b", "x": 1}', 400, "x", id="unknown"),
    pytest.param('{"login": 1, "password": "b"}', 400, "login", id="type"),
    pytest.param('{"login": "", "password": "b"}', 400, "login", id="empty"),
    pytest.param('{"login": "%s", "password": "b"}' % ("a" * 129), 400, "login", id="long"),
    pytest.param('{"login": "a", "password": "%s"}' % ("b" * 1025), 400, "password", id="long-pw"),
    pytest.param('{"login": "\\ud800", "password": "b"}', 400, None, id="half-a-character"),
    pytest.param("[]", 400, None, id="list"),
    pytest.param("[" * 60_000, 400, None, id="deep"),
    pytest.param('{"x":' + "[" * 60_000, 400, "x", id="deep-inside"),
    pytest.param("{", 400, None, id="cut"),
    pytest.param(" " * 70_000, 413, None, id="large"),
]


@pytest.mark.parametrize("text, expected, field", JSON)
async def test_bad_json(here: Centre, text: str, expected: int, field: str | None) -> None:
    async with aiohttp.ClientSession(here.daemon.url) as http:
        headers = {"Content-Type": "application/json"}
        async with http.post("/api/v1/session", data=text.encode(), headers=headers) as response:
            body = await response.json()
            assert (response.status, body.get("field")) == (expected, field), body
            assert body["message"]


QUERIES: list[Any] = [
    ("limit=0", "limit"),
    ("limit=501", "limit"),
    ("limit=1e3", "limit"),
    ("limit=", "limit"),
    ("limit=" + "9" * 300, "limit"),
    ("limit=1&limit=2", "limit"),
    ("begin=-1", "begin"),
    ("end=x", "end"),
    ("type=Spy", "type"),
    ("agent=", "agent"),
    ("agent=" + "a" * 301, "agent"),
    ("supervisor=%00", "supervisor"),
    ("nonsense=1", "nonsense"),
    ("cursor=garbage", "cursor"),
    ("cursor=%F0%9F%98%80", "cursor"),
    ("cursor=OjE", "cursor"),
    ("cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5Omlk", "cursor"),  # 9…9:id
    ("cursor=LTE6aWQ", "cursor"),  # -1:id
]


@pytest.mark.parametrize("query, field", QUERIES, ids=[q[:30] for q, _ in QUERIES])
async def test_bad_query(here: Centre, query: str, field: str) -> None:
    data = request("GET", f"/api/v1/supervisions?{query}", here, cookie=here.ina.cookie)
    status, headers, body = await raw(here.daemon.url, data)
    assert status == 400, body
    assert f'"field":"{field}"'.encode() in body
    check_headers(headers)


async def test_the_limits_of_numbers_are_taken(here: Centre) -> None:
    page = await here.ina.get(
        "/api/v1/calls", limit="500", begin="0", end=str(1 << 52), agent="nobody' OR 1=1 --"
    )
    assert page == {"rows": [], "next": None}


WAYS_IN = {
    *(("POST", "/api/v1/session"), ("DELETE", "/api/v1/session")),
    *(("GET", "/sign-in/provider"), ("GET", "/sign-in/callback"), ("GET", "/api/v1/sign-in/ways")),
    *(("POST", "/api/v1/links/look"), ("POST", "/api/v1/links/use")),
}
"""By which one gets in."""


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method}-{r.address}")
async def test_no_route_is_open_by_mistake(here: Centre, route: Route) -> None:
    path = route.address.replace("{id}", ID).replace("{n}", "1")
    status, headers, _ = await raw(here.daemon.url, request(route.method, path, here))
    assert status == 401 or (route.method, path) in WAYS_IN
    check_headers(headers)
