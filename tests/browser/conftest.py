"""The whole product in a browser: `monitord run` as a process, real Asterisk, Chromium."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.page_parts import CoachManager
from tests.kit.browser import chromium
from tests.kit.daemon import PASSWORD, Site
from tests.lab.fixtures import asterisk16, asterisk22, pbx, scene
from tests.lab.install import LabMissing, required
from tests.lab.relay import Relay
from tests.lab.scene import Scene

__all__ = ["asterisk16", "asterisk22", "pbx", "scene"]

PICTURES = Path(__file__).parent.parent.parent / "build" / "pictures"
STARTED = re.compile(r"serves the page at (http://\S+)")

# A test ends at the event it waits for; how long that takes on a busy machine proves nothing.
expect.set_options(timeout=30_000)

only22 = pytest.mark.parametrize(
    "pbx",
    [
        pytest.param(
            "asterisk22", marks=[pytest.mark.asterisk, pytest.mark.xdist_group("asterisk22")]
        )
    ],
    indirect=True,
)
"""For what does not depend on Asterisk's version: the page and its own states."""


@asynccontextmanager
async def process(config: Path) -> AsyncIterator[str]:
    """`monitord run` until the end of the block; gives its address."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord", "run", "--config", str(config)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert running.stderr is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(120):  # on a machine with other work
            while True:
                line = (await running.stderr.readline()).decode()
                lines.append(line)
                assert line, "".join(lines)
                if match := STARTED.search(line):
                    break
        drain = asyncio.create_task(running.stderr.read())
        yield match[1]
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 120) == 0, (await drain).decode()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


@dataclass
class Visitor:
    """Somebody with the page open."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    """Errors that the page itself threw or logged."""

    async def sign_in(self, login: str) -> None:
        await self.page.goto(self.url)
        await self.fill_in(login)
        await self.page.wait_for_url("**/coach-manager*")

    async def fill_in(self, login: str) -> None:
        """The form of the sign-in page, where that is open."""
        await self.page.get_by_label("Login").fill(login)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()

    def coach_manager(self) -> CoachManager:
        return CoachManager(self.page)

    async def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


async def _chromium() -> AsyncIterator[Browser]:
    try:
        async with chromium() as started:
            yield started
    except LabMissing as missing:
        if required():
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async for started in _chromium():
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser() -> AsyncIterator[Browser]:
    """One for all tests of a module; each visitor has cookies and storage of their own in it."""
    async for started in _chromium():
        yield started


ONE_STAGE = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
"""For a module whose tests share what they start. Each of them must hold alone and in any company:
another worker may have the test before it."""


@asynccontextmanager
async def visitor(
    browser: Browser,
    url: str,
    *,
    width: int = 1440,
    dark: bool = False,
    expected: re.Pattern[str] | None = None,
) -> AsyncIterator[Visitor]:
    """A person with a browser of their own. Whatever the page logs as wrong fails the test, but
    for what is `expected`: the browser's own words on a server that the test has cut off."""
    context = await browser.new_context(
        viewport=ViewportSize(width=width, height=900),
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        timezone_id="Europe/London",
    )
    page = await context.new_page()
    page.set_default_timeout(30_000)
    someone = Visitor(page, url)
    page.on("pageerror", lambda error: someone.faults.append(str(error)))
    page.on(
        "console",
        lambda message: (
            someone.faults.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    try:
        yield someone
        faults = [f for f in someone.faults if expected is None or not expected.search(f)]
        assert faults == []
    finally:
        await context.close()


@pytest.fixture
async def daemon_url(scene: Scene, tmp_path: Path) -> AsyncIterator[str]:
    """A daemon of its own on the scene's PBX."""
    server = scene.server
    site = Site(ami_port=server.ports.ami, secret=server.secrets["monitord"])
    async with process(site.write(tmp_path)) as url:
        yield url


@dataclass
class Wires:
    """A daemon on the scene's PBX of which every wire can be cut."""

    url: str
    ami: Relay
    http: Relay


@pytest.fixture
async def wires(scene: Scene, tmp_path: Path) -> AsyncIterator[Wires]:
    server = scene.server
    async with Relay(server.ports.ami) as ami:
        site = Site(ami_port=ami.port, secret=server.secrets["monitord"])
        async with process(site.write(tmp_path)) as url, Relay(int(url.rpartition(":")[2])) as http:
            yield Wires(f"http://127.0.0.1:{http.port}", ami, http)
