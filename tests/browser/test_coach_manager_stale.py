"""What the page says when it cannot know: a PBX that is lost, a page that is cut off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import only22, process, visitor
from tests.kit.daemon import Site
from tests.lab.relay import Relay
from tests.lab.scene import MONITOR, Scene

pytestmark = pytest.mark.browser

UNREACHABLE = re.compile(r"ERR_CONNECTION|WebSocket connection")
SECRET = "a secret only for tests"


@dataclass
class TwoPbx:
    """The scene's Asterisk and a simulated one under one daemon."""

    url: str
    real: Relay
    http: Relay


@pytest.fixture
async def two(scene: Scene, tmp_path: Path) -> AsyncIterator[TwoPbx]:
    server = scene.server
    settings = Settings(
        user=User(secret=SECRET), port=0, speed=0, seed=7, agents=6, supervisors=1, silent_share=0.0
    )
    async with Simulator(settings) as sim, Relay(server.ports.ami) as real:
        secret = tmp_path / "second-secret"
        secret.touch(mode=0o600)
        secret.write_text(SECRET + "\n")
        second = f'[[pbx]]\nid = "second"\nport = {sim.port}\nsecret_file = "second-secret"'
        site = Site(ami_port=real.port, secret=server.secrets["monitord"], extra=second)
        async with process(site.write(tmp_path)) as url, Relay(int(url.rpartition(":")[2])) as http:
            for _ in range(120):  # until its one supervisor, who is Sue here, is on a call
                await sim.advance(1)
                if any(s.spyee is not None for s in sim.centre.supervisions):
                    break
            yield TwoPbx(f"http://127.0.0.1:{http.port}", real, http)


async def ticks(moving: Locator, times: int = 2) -> None:
    for _ in range(times):
        before = await moving.inner_text()
        await expect(moving).not_to_have_text(before)


@only22
async def test_a_lost_pbx_greys_its_own_rows_and_a_lost_page_all(
    scene: Scene, two: TwoPbx, browser: Browser
) -> None:
    await scene.customer_calls_agent("5551234", "1001")
    await scene.supervisor_dials("2002", MONITOR, "1001")
    async with visitor(browser, two.url, expected=UNREACHABLE) as sue:
        page, here = sue.page, sue.coach_manager()
        await page.clock.install()
        await sue.sign_in("sue")
        await expect(here.names).to_have_text(["Sue Supervisor", "Tom Trainer"])
        await here.choose("Tom Trainer")
        toms = here.entry("Tom Trainer").locator(".length time")
        sues = here.entry("Sue Supervisor").locator(".length time")
        stale = here.users.locator(".entry.stale .name")
        link, alert = page.get_by_test_id("connection"), page.get_by_role("alert").last
        await ticks(toms)
        await expect(stale).to_have_count(0)
        await expect(link).to_contain_text(re.compile(r"Live.*lag \d+ ms", re.DOTALL))

        await two.real.refuse()
        await expect(page.get_by_test_id("pbx-stale")).to_contain_text("lab: lost since")
        await expect(stale).to_have_text(["Tom Trainer"])
        await expect(here.entry("Tom Trainer")).to_contain_text("no data from lab for")
        await expect(here.current).to_contain_text(re.compile(r"as of .* ago"))
        await expect(link).to_contain_text("1 of 2 PBX not live")
        await expect(here.disconnect).to_be_disabled()
        await expect(here.selected).to_contain_text("Waits until lab can be reached again")
        await page.keyboard.press("d")
        await expect(here.question).to_have_count(0)
        for _ in range(2):
            await ticks(sues)  # the page knows the server's clock only to a part of a second
        stood = await toms.inner_text()
        await ticks(sues)
        assert await toms.inner_text() == stood, "nobody can know how long it lasts"

        await two.real.accept()
        await expect(stale).to_have_count(0)
        await expect(here.disconnect).to_be_enabled()
        await ticks(toms)

        await two.http.refuse()
        await expect(link).to_contain_text("Reconnecting")
        await expect(alert).to_contain_text("connection to monitord is lost")
        await expect(stale).to_have_text(["Sue Supervisor", "Tom Trainer"])
        await expect(here.disconnect).to_be_disabled()
        banner = page.get_by_test_id("stale")
        await expect(banner).to_contain_text("Timers stand still")
        stood = await toms.inner_text()
        await ticks(banner)
        assert await toms.inner_text() == stood
        await page.clock.fast_forward("00:40")
        await expect(link).to_contain_text("No data")
        await expect(banner).to_contain_text("nothing has arrived since")
        await expect(here.names).to_have_count(2)  # what was seen is kept

        await two.http.accept()
        await page.clock.fast_forward("00:20")  # the page's own patience between two tries
        await here.live()
        await expect(alert).to_be_empty()
        await expect(stale).to_have_count(0)
        await expect(here.disconnect).to_be_enabled()
