"""How smoothly the page runs with 2,000 agents and 200 supervisions that change all the time.

Three simulated PBX (in this process) feed the real daemon (a process of its own), Chromium shows
the page. In turn the list of users is let alone, scrolled by wheel, and walked through by keyboard,
and the time between pictures is noted. The same is done with a static list that nothing changes,
in the same browser and under the same load: a machine without a graphics card drops frames of that
as well, and only the difference is the page's.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page

from monitord.simulator import Settings, Simulator, User
from tests.bench.figures import Figure, Report
from tests.browser.conftest import process, visitor
from tests.kit.browser import chromium
from tests.kit.daemon import Site

SECRET = "a secret only for benches"
PBXS = 3
STEP_S = 0.1
FRAME_MS = 1000 / 60

# Pictures that the browser drew, by their own clock, and pieces of work of more than 50 ms.
WATCH = """
() => {
  window.bench = { times: [], long: [], on: true };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) bench.long.push(entry.duration);
  }).observe({ type: 'longtask' });
  const picture = (at) => { bench.times.push(at); if (bench.on) requestAnimationFrame(picture); };
  requestAnimationFrame(picture);
}
"""
RESET = "() => { bench.times.length = 0; bench.long.length = 0; }"
READ = "() => ({ times: [...bench.times], long: [...bench.long] })"

STATIC = """
<!doctype html><title>static</title><style>
  .box { position: fixed; inset: 0 auto 0 0; width: 320px; overflow-y: auto; font: 15px sans-serif }
  .box div { padding: 12px 16px; border-bottom: 1px solid #ccc; height: 98px }
</style><div class="box">%s</div>
"""


@dataclass(frozen=True)
class Size:
    agents: int
    """Of each PBX, as are the next."""
    supervisors: int
    warm_up_s: float
    """Of the simulated centres' time, which is fast then: until their lines are busy."""
    seconds: float
    """Of each activity."""


FULL = Size(670, 134, 180, 10)
SMALL = Size(10, 4, 60, 1)

Activity = Callable[[Page, float], Awaitable[None]]


async def idle(_page: Page, seconds: float) -> None:
    await asyncio.sleep(seconds)


async def wheel(page: Page, seconds: float) -> None:
    await page.mouse.move(150, 500)
    end, down = time.monotonic() + seconds, True
    while time.monotonic() < end:
        for _ in range(30):
            await page.mouse.wheel(0, 120 if down else -120)
            await asyncio.sleep(1 / 30)
        down = not down
    await page.mouse.move(900, 700)


async def keys(page: Page, seconds: float) -> None:
    await page.locator("#content").focus()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await page.keyboard.press("ArrowDown")
        await asyncio.sleep(1 / 20)


async def watched(page: Page, doing: Activity, seconds: float) -> dict[str, float]:
    """Dropped pictures in per cent, and the longest task in ms (0: none of over 50)."""
    await page.evaluate(RESET)
    await doing(page, seconds)
    seen = await page.evaluate(READ)
    times, long = seen["times"], seen["long"]
    deltas = [b - a for a, b in itertools.pairwise(times)]
    if not deltas:
        raise RuntimeError("the browser drew no picture")
    dropped = sum(max(0, round(d / FRAME_MS) - 1) for d in deltas)
    return {"dropped": 100 * dropped / (dropped + len(deltas)), "longest": max(long, default=0.0)}


@asynccontextmanager
async def centres(size: Size) -> AsyncIterator[list[Simulator]]:
    """Busy simulated PBX, whose clocks then run with the real one."""
    user = User(secret=SECRET)
    async with AsyncExitStack() as stack:
        sims = [
            await stack.enter_async_context(
                Simulator(
                    Settings(
                        user=user,
                        port=0,
                        speed=0,
                        seed=n,
                        agents=size.agents,
                        supervisors=size.supervisors,
                    )
                )
            )
            for n in range(1, PBXS + 1)
        ]
        for sim in sims:
            await sim.advance(size.warm_up_s)

        async def run() -> None:
            done = time.monotonic()
            while True:
                await asyncio.sleep(STEP_S)
                now = time.monotonic()
                for sim in sims:
                    await sim.advance(now - done)
                done = now

        clock = asyncio.create_task(run())
        try:
            yield sims
        finally:
            clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await clock


def settings(folder: Path, sims: list[Simulator]) -> Path:
    tables = [
        f'[[pbx]]\nid = "p{n}"\nport = {sim.port}\nsecret_file = "secret"'
        for n, sim in enumerate(sims[1:], 2)
    ]
    site = Site(ami_port=sims[0].port, secret=SECRET, pbx="p1", extra="\n".join(tables))
    return site.write(folder)


async def measure(rounds: int, size: Size = FULL) -> Report:
    activities: dict[str, Activity] = {"idle": idle, "wheel": wheel, "keyboard": keys}
    ours: dict[str, list[dict[str, float]]] = {name: [] for name in activities}
    theirs: dict[str, list[dict[str, float]]] = {"idle": [], "wheel": []}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            chromium() as browser,
            centres(size) as sims,
            process(settings(Path(folder), sims)) as url,
            visitor(browser, url) as ina,
        ):
            await ina.sign_in("ina")
            await ina.page.locator("[data-key]").first.wait_for()
            await ina.page.evaluate(WATCH)
            await asyncio.sleep(5 if size is FULL else 0)  # the first picture is another matter
            listed = await ina.page.locator("[data-key]").first.get_attribute("aria-setsize")
            supervisions = sum(len(sim.centre.supervisions) for sim in sims)
            static = await ina.page.context.new_page()
            rows = "".join(f"<div>Row {n}</div>" for n in range(int(listed or 0)))
            await static.set_content(STATIC % rows)
            await static.evaluate(WATCH)
            for _ in range(rounds):
                for name, doing in activities.items():
                    await ina.page.bring_to_front()
                    ours[name].append(await watched(ina.page, doing, size.seconds))
                    if name in theirs:
                        await static.bring_to_front()
                        theirs[name].append(await watched(static, doing, size.seconds))
    about = f"{listed} users listed, {supervisions} supervisions, {PBXS} PBX."
    figures = [
        Figure(
            f"pictures dropped, {name}",
            "a list that nothing changes, in the same browser",
            "%",
            [one["dropped"] for one in ours[name]],
            [one["dropped"] for one in theirs[name]],
            compare="difference",
            note=f"{about} Drawn by software, which drops some of anything.",
        )
        for name in theirs
    ]
    for name, found in ours.items():
        longest = [one["longest"] for one in found]
        figures.append(Figure(f"longest piece of the page's work, {name}", "", "ms", longest))
    return Report("smooth", figures)
