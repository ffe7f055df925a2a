"""Looks at a state of the page as people and machines do: pictures, axe, and sideways scrolling."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page, ViewportSize

from tests.browser.conftest import PICTURES

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {1440: 900, 390: 844}
ALL = "MONITORD_PICTURES" in os.environ


@cache
def _axe() -> str:
    return AXE.read_text()


async def violations(page: Page, *, but: str = "") -> list[str]:
    """What axe finds, one line each; `but` is a rule that is not looked at."""
    # By the debugger's own way in: the content security policy rightly refuses such a script.
    await page.evaluate(_axe())
    found: list[Any] = await page.evaluate(
        "async (tags) => (await axe.run(document, { runOnly: tags })).violations", RULES
    )
    return [
        f"{v['id']}: {n['html'][:160]}" for v in found if v["id"] != but for n in v["nodes"][:3]
    ]


async def too_wide(page: Page) -> int:
    """By how many px the page scrolls sideways."""
    over: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return max(0, over)


async def look(page: Page, state: str) -> list[str]:
    """Pictures of the state in both widths and themes; gives what is wrong with it. Each width and
    each theme once, which is what axe looks at; all four for `make pictures`."""
    wrong = []
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for width, height in WIDTHS.items():
            # each theme and each layout once
            first = (theme == "light") == (width == 1440)
            if not (first or ALL):
                continue
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            name = f"{state}-{width}-{theme}"
            # a dialog's backdrop covers the window, not the whole page
            whole = not await page.locator("dialog[open]").count()
            await page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
            if over := await too_wide(page):
                wrong.append(f"{name}: scrolls sideways by {over} px")
            if first:
                wrong += [f"{name}: {found}" for found in await violations(page)]
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(ViewportSize(width=1440, height=900))
    return wrong
