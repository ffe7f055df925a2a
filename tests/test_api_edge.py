"""The edge: TLS, proxies and what they claim, cookies bound to https, slow and large requests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from monitord.api import listen
from monitord.api.edge import Came, _came, networks
from monitord.api.listen import Tls, TlsError
from monitord.app import Running
from monitord.assembly.errors import StartError
from monitord.config import ConfigError, load
from tests.kit import certificate
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import PASSWORD, Site, daemon
from tests.kit.http import raw
from tests.test_config import PBX

PROXIES = 'proxies = ["127.0.0.1", "10.0.0.0/8"]\norigins = ["https://monitord.example"]\n'
BODY = f'{{"login": "sue", "password": "{PASSWORD}"}}'


class Request(dict):  # type: ignore[type-arg]
    """As much of a request as the rules look at."""

    def __init__(self, peer: str | None, *headers: tuple[str, str]) -> None:
        super().__init__()
        from multidict import CIMultiDict

        self.remote, self.scheme, self.headers = peer, "http", CIMultiDict(headers)


FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"
CAME: list[Any] = [
    pytest.param([("192.0.2.9", "https")], "192.0.2.9", True, id="one"),
    pytest.param([("6.6.6.6, 192.0.2.9", "https")], "192.0.2.9", True, id="spoofed-before-it"),
    pytest.param([("192.0.2.9, 10.1.1.1", "")], "192.0.2.9", False, id="two-proxies"),
    pytest.param([("192.0.2.9", ""), ("10.1.1.1", "")], "192.0.2.9", False, id="two-headers"),
    pytest.param([("2001:db8::1", "https")], "2001:db8::1", True, id="ipv6"),
    pytest.param([("10.1.1.1", "https")], "10.1.1.1", True, id="from-inside"),
    pytest.param([("", "")], "127.0.0.1", False, id="empty"),
    pytest.param([("unknown", "")], "127.0.0.1", False, id="no-address"),
    pytest.param([("<script>, 10.1.1.1", "")], "10.1.1.1", False, id="no-address-before"),
    pytest.param([("192.0.2.9:443", "")], "127.0.0.1", False, id="with-a-port"),
    pytest.param([("192.0.2.9\t", "HTTPS")], "192.0.2.9", True, id="spaces-and-case"),
    pytest.param([("1.1.1.1", "https, http")], "1.1.1.1", False, id="the-last-proto"),
    pytest.param([("1.1.1.1", "javascript")], "1.1.1.1", False, id="no-proto"),
    pytest.param([("6.6.6.6," * 5000 + "10.1.1.1", "")], "6.6.6.6", False, id="very-many"),
]


@pytest.mark.parametrize("given, address, https", CAME)
def test_what_a_proxy_says(given: list[tuple[str, str]], address: str, https: bool) -> None:
    proxies = networks(["127.0.0.1", "10.0.0.0/8"])
    headers = [(FOR, a) for a, _ in given] + [(PROTO, p) for _, p in given if p]
    for peer in ("127.0.0.1", "::ffff:127.0.0.1"):
        came = _came(Request(peer, *headers), proxies)  # type: ignore[arg-type]
        assert came == Came(address if address != "127.0.0.1" else peer, https)
    # From anybody else it is a claim and nothing more.
    stranger = _came(Request("192.0.2.1", *headers), proxies)  # type: ignore[arg-type]
    assert stranger == Came("192.0.2.1", False)
    assert _came(Request(None, *headers), proxies) == Came("unknown", False)  # type: ignore[arg-type]


def post(*lines: str, host: str = "monitord.example") -> bytes:
    head = [
        *("POST /api/v1/session HTTP/1.1", f"Host: {host}", "Content-Type: application/json"),
        *(f"Content-Length: {len(BODY)}", *lines),
    ]
    return "\r\n".join([*head, "", BODY]).encode("latin-1")


async def test_behind_a_proxy(tmp_path: Path) -> None:
    async with daemon(Site(ami_port=9, secret="s", server=PROXIES), tmp_path) as running:
        https = ("X-Forwarded-Proto: https", "Origin: https://monitord.example")
        status, headers, _ = await raw(running.url, post(*https, "X-Forwarded-For: 192.0.2.9"))
        assert status == 200 and headers["strict-transport-security"] == "max-age=31536000"
        cookie = headers["set-cookie"]
        assert cookie.startswith("__Host-monitord_") and "Path=/" in cookie
        assert "Secure" in cookie and "Domain" not in cookie
        # Its own address by plain http, as whoever runs it may look, is another origin.
        for name in ("evil.example", "10.0.0.1.evil.example"):
            lines = (f"Origin: http://{name}",)
            assert (await raw(running.url, post(*lines, host=name)))[0] == 403, "DNS rebinding"
        port = urlsplit(running.url).port
        for name in ("127.0.0.1", "localhost", "[::1]"):
            lines = (f"Origin: http://{name}:{port}",)
            status, headers, _ = await raw(running.url, post(*lines, host=f"{name}:{port}"))
            assert status == 200 and headers["set-cookie"].startswith("monitord_")
            assert "strict-transport-security" not in headers
        found = running.web[_sessions()].of("sue")
        assert [s.address for s in found] == ["127.0.0.1"] * 3 + ["192.0.2.9"]


def _sessions() -> Any:
    from monitord.api.keys import SESSIONS

    return SESSIONS


async def test_a_cookie_without_its_prefix_counts_for_nothing_by_https(tmp_path: Path) -> None:
    """One that a sibling domain, or somebody on the way by plain http, has put there."""
    async with (
        daemon(Site(ami_port=9, secret="s", server=PROXIES), tmp_path) as running,
        Client(running.url) as sue,
    ):
        assert await sue.sign_in("sue") == 200
        value = {c.key: c.value for c in sue.http.cookie_jar}["monitord_session"]
        for name, status in (("monitord_session", 401), ("__Host-monitord_session", 200)):
            lines = [
                *("GET /api/v1/session HTTP/1.1", "Host: monitord.example"),
                *("X-Forwarded-Proto: https", f"Cookie: {name}={value}"),
            ]
            data = "\r\n".join([*lines, "", ""]).encode()
            assert (await raw(running.url, data))[0] == status


async def test_tries_count_by_the_clients_address(tmp_path: Path) -> None:
    from monitord.people.tries import ADDRESS_TRIES

    wrong = post().replace(PASSWORD.encode(), b"x" * len(PASSWORD))

    def from_(address: str) -> bytes:
        return wrong.replace(b"Host:", f"X-Forwarded-For: {address}\r\nHost:".encode(), 1)

    for proxies, second in ((PROXIES, 401), ("", 429)):
        folder = tmp_path / str(second)
        folder.mkdir()
        async with daemon(Site(ami_port=9, secret="s", server=proxies), folder) as running:
            for _ in range(ADDRESS_TRIES):
                assert (await raw(running.url, from_("192.0.2.1")))[0] == 401
            assert (await raw(running.url, from_("192.0.2.1")))[0] == 429
            # Behind no proxy of ours the header changes nothing.
            assert (await raw(running.url, from_("192.0.2.2")))[0] == second


@pytest.mark.parametrize(
    "line",
    ["X-Forwarded-For: 1.1.1.1\r\n evil", "X-Forwarded-Proto: https\x00", "X-Forwarded-For: \xff"],
    ids=["folded", "nul", "not-ascii"],
)
async def test_injected_into_forwarded_headers(line: str, tmp_path: Path) -> None:
    async with daemon(Site(ami_port=9, secret="s", server=PROXIES), tmp_path) as running:
        status, headers, _ = await raw(running.url, post(line))
        assert status in (200, 400) and headers["x-content-type-options"] == "nosniff"
        assert all(s.address == "127.0.0.1" for s in running.web[_sessions()].of())


# --- TLS ---------------------------------------------------------------------------------


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Running, ssl.SSLContext]]:
    trusts = certificate.write(tmp_path, "monitord")
    lines = 'tls_certificate = "cert.pem"\ntls_key = "key.pem"\n'
    async with daemon(Site(ami_port=9, secret="s", server=lines), tmp_path) as running:
        yield running, trusts


async def test_tls(secure: tuple[Running, ssl.SSLContext]) -> None:
    running, trusts = secure
    assert running.url.startswith("https://")
    connector = aiohttp.TCPConnector(ssl=trusts)
    async with (
        aiohttp.ClientSession(running.url, connector=connector) as http,
        http.post(
            "/api/v1/session",
            data=BODY,
            headers={"Origin": running.url, "Content-Type": "application/json"},
        ) as response,
    ):
        assert response.status == 200
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert set(response.cookies) == {"__Host-monitord_session", "__Host-monitord_device"}
        assert all(c["secure"] for c in response.cookies.values())


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
async def test_only_what_is_still_good(
    version: str, secure: tuple[Running, ssl.SSLContext]
) -> None:
    running, trusts = secure
    wanted = ssl.TLSVersion[version]
    with pytest.warns(DeprecationWarning) if wanted < ssl.TLSVersion.TLSv1_2 else _nothing():
        trusts.minimum_version = trusts.maximum_version = wanted
    trusts.set_ciphers("ALL:@SECLEVEL=0")
    port = urlsplit(running.url).port
    if wanted < ssl.TLSVersion.TLSv1_2:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=trusts)
        return
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusts)
    name, _, _ = writer.get_extra_info("cipher")
    assert "GCM" in name or "CHACHA20" in name
    writer.close()


def _nothing() -> contextlib.nullcontext[None]:
    return contextlib.nullcontext()


async def _name_at(port: int) -> str:
    """The common name of the certificate that is shown there."""
    from cryptography import x509

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).subject.rfc4514_string()


async def test_a_new_certificate_by_sighup(tmp_path: Path) -> None:
    certificate.write(tmp_path, "old")
    lines = 'tls_certificate = "cert.pem"\ntls_key = "key.pem"\n'
    path = Site(ami_port=9, secret="s", server=lines).write(tmp_path)
    page = tmp_path / "page"
    page.mkdir()
    for name in ("index.html", "sign-in.html", "link.html"):
        (page / name).write_text("")
    program = "import sys; from pathlib import Path; from monitord.api import page; "
    program += "from monitord import app, cli; import functools; "
    program += "cli.running = functools.partial(app.running, page_folder=Path(sys.argv.pop(1))); "
    program += "cli.main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(page), "run", "--config", str(path)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None

    async def until(words: bytes) -> str:
        assert process.stderr is not None
        async with asyncio.timeout(4 * DEADLINE):
            while words not in (line := await process.stderr.readline()):
                assert line, "it ended"
        return line.decode()

    try:
        url = re.search(r"https://\S+", await until(b"the page at "))
        assert url is not None
        port = urlsplit(url[0]).port or 0
        link = await until(b"/sign-in/link#")
        assert link.strip().startswith(url[0])
        assert await _name_at(port) == "CN=old"
        certificate.write(tmp_path, "new")
        process.send_signal(signal.SIGHUP)
        await until(b"certificate_reloaded")
        assert await _name_at(port) == "CN=new"
        (tmp_path / "key.pem").write_text("damaged")
        process.send_signal(signal.SIGHUP)
        await until(b"certificate_not_reloaded")
        assert await _name_at(port) == "CN=new"
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize(
    "spoil, words",
    [
        pytest.param(lambda f: (f / "key.pem").chmod(0o644), "chmod it to 600", id="open-key"),
        pytest.param(lambda f: (f / "key.pem").unlink(), "server.tls_key: .*No such", id="no-key"),
        pytest.param(lambda f: (f / "cert.pem").unlink(), "tls_certificate: .*No such", id="none"),
        pytest.param(
            lambda f: (f / "cert.pem").write_text("x"), "cannot be used together", id="no-pem"
        ),
    ],
)
async def test_bad_certificates(spoil: Any, words: str, tmp_path: Path) -> None:
    certificate.write(tmp_path, "a")
    spoil(tmp_path)
    with pytest.raises(TlsError, match=words):
        Tls(tmp_path / "cert.pem", tmp_path / "key.pem")
    lines = 'tls_certificate = "cert.pem"\ntls_key = "key.pem"\n'
    with pytest.raises(StartError, match=words):
        async with daemon(Site(ami_port=9, secret="s", server=lines), tmp_path):
            pass


@pytest.mark.parametrize(
    "lines, words",
    [
        ('tls_key = "k"', "server.tls_certificate: is missing"),
        ('tls_certificate = "c"', "server.tls_key: is missing"),
        ('proxies = ["proxy.example"]', "server.proxies: .*proxy.example"),
        ('proxies = ["10.0.0.1/8"]', "server.proxies: .*host bits"),
    ],
)
def test_settings_refused(lines: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "monitord.toml"
    path.write_text(f"{PBX}[server]\n{lines}\n")
    with pytest.raises(ConfigError, match=words):
        load(path, {"AMI": "s"})


# --- slow and large ----------------------------------------------------------------------


async def _said(url: str, data: bytes) -> bytes:
    """All that comes after these bytes, until the server closes."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(data)
        async with asyncio.timeout(DEADLINE):
            with contextlib.suppress(ConnectionError):
                return await reader.read()
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "data",
    [b"", b"GET /sign-in HTTP/1.1\r\n", b"GET /sign-in HTTP/1.1\r\nHost: a\r\nX: y"],
    ids=["nothing", "a-line", "half-a-head"],
)
async def test_who_says_nothing_is_left(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "HEAD_S", 0.05)
    async with daemon(Site(ami_port=9, secret="s"), tmp_path) as running:
        assert await _said(running.url, data) == b""


async def test_a_slow_body_has_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitord.api.problems.BODY_S", 0.05)
    async with daemon(Site(ami_port=9, secret="s"), tmp_path) as running:
        status, _, body = await raw(running.url, post()[:-5])
        assert status == 408, body


async def test_many_silent_connections_leave_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "WAITING_MOST", 5)
    async with (
        daemon(Site(ami_port=9, secret="s"), tmp_path) as running,
        contextlib.AsyncExitStack() as stack,
    ):
        parts = urlsplit(running.url)
        silent = []
        for _ in range(20):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            stack.callback(writer.close)
            silent.append(reader)
        async with Client(running.url) as sue:
            assert await sue.sign_in("sue") == 200
            async with asyncio.timeout(DEADLINE):
                for reader in silent[:15]:
                    with contextlib.suppress(ConnectionError):
                        assert await reader.read() == b""


async def test_a_quiet_connection_that_has_asked_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is on the first request alone: streams and kept connections go on."""
    monkeypatch.setattr(listen, "HEAD_S", 0.2)
    async with (
        daemon(Site(ami_port=9, secret="s"), tmp_path) as running,
        Client(running.url) as sue,
    ):
        assert await sue.sign_in("sue") == 200
        async with sue.stream() as stream:
            # What says nothing meanwhile is closed after the stream's own time would have run out.
            assert await _said(running.url, b"") == b""
            await stream.socket.send('{"type": "ping", "n": 7}')
            await stream.until(lambda s: any(f.get("n") == 7 for f in s.frames), "the answer")


async def test_oversized_requests(tmp_path: Path) -> None:
    async with daemon(Site(ami_port=9, secret="s"), tmp_path) as running:
        for lines, status in (
            ((f"X-Forwarded-For: {'1.1.1.1,' * 2000}",), 400),
            ((f"Cookie: monitord_session={'a' * 9000}",), 400),
            ((f"Authorization: Bearer {'a' * 9000}",), 400),
            (tuple(f"X-{n}: y" for n in range(500)), 400),
        ):
            assert (await raw(running.url, post(*lines)))[0] == status
        big = post().replace(f"Content-Length: {len(BODY)}".encode(), b"Content-Length: 70000")
        rest = b" " * (70_000 - len(BODY))
        assert (await raw(running.url, big + rest))[0] == 413
