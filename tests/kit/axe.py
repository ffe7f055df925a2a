"""Accessibility as axe-core sees it, on a page that is open in the browser."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.async_api import Page

_FILE = Path(__file__).parent.parent.parent / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def _source() -> str:
    return _FILE.read_text()


async def violations(page: Page) -> list[str]:
    """Rule and first element of each."""
    # By the debugger's own way in: the content security policy rightly refuses an injected script.
    await page.evaluate(_source())
    found = await page.evaluate(
        "rules => axe.run(document, { runOnly: rules }).then(r => r.violations)", _RULES
    )
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]
