"""The Coach Manager as tests see it: its regions, and what people do there."""

from __future__ import annotations

import re
from typing import cast

from playwright.async_api import Locator, Page, expect

SECTIONS = [
    "Coaching / Monitoring Users",
    "Selected User",
    "Currently Coaching / Monitoring",
    "Users",
    "Coaching / Monitoring History",
]


class CoachManager:
    def __init__(self, page: Page) -> None:
        self.page = page
        regions = [page.get_by_role("region", name=name, exact=True) for name in SECTIONS]
        self.users, self.selected, self.current, self.calls, self.history = regions
        self.names = self.users.locator("a.name")
        self.disconnect = page.get_by_role("button", name="Disconnect User")
        self.question = page.get_by_role("dialog")

    def entry(self, name: str) -> Locator:
        """A user's entry in the left panel."""
        link = self.page.get_by_role("link", name=name, exact=True)
        return self.users.locator("li[data-key]").filter(has=link)

    async def choose(self, name: str) -> None:
        """Click on the name, and until the page is about them."""
        await self.entry(name).get_by_role("link", name=name).click()
        await expect(self.page.get_by_test_id("selected-name")).to_have_text(name)

    def cell(self, column: str, row: int = 0) -> Locator:
        """A cell of the table of calls, by its column's title."""
        return self.calls.locator(f'tbody tr >> nth={row} >> td[data-label="{column}"]')

    async def columns(self, region: Locator) -> list[str]:
        return cast(list[str], await region.get_by_role("columnheader").all_inner_texts())

    async def confirm(self, button: str = "Disconnect") -> None:
        await self.question.get_by_role("button", name=button, exact=True).click()

    async def live(self) -> None:
        await expect(self.page.get_by_test_id("connection")).to_contain_text(re.compile("Live"))


def frames(page: Page) -> list[str]:
    """All frames of the stream that come from now on; call it before the page is opened."""
    came: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: came.append(str(data))),
    )
    return came
