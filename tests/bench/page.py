"""How smoothly the page runs with 2,000 agents and 200 supervisions that change all the time.

    python -m tests.bench.page [--seconds 10]

Three simulated PBX (in this process) feed the real daemon (a process of its own), Chromium shows
the page. In turn the list of users is let alone, scrolled by wheel, and walked through by keyboard,
and the time between pictures is noted. The same is done with a static list that nothing changes,
in the same browser and under the same load: a machine without a graphics card drops frames of that
as well, and only the difference is the page's. Writes build/bench/page.json.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import process, visitor
from tests.kit.browser import chromium
from tests.kit.daemon import Site

RESULT = Path(__file__).parents[2] / "build" / "bench" / "page.json"
SECRET = "a secret only for benches"
PBXS, AGENTS, SUPERVISORS = 3, 670, 134
WARM_UP_S = 180.0
"""Of the simulated centres' time, which is fast then: until their lines are busy."""
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


async def measure(page: Page, doing: Activity, seconds: float) -> dict[str, Any]:
    await page.evaluate(RESET)
    await doing(page, seconds)
    seen = await page.evaluate(READ)
    times, long = seen["times"], seen["long"]
    deltas = sorted(b - a for a, b in itertools.pairwise(times))
    if not deltas:
        raise RuntimeError("the browser drew no picture")

    def share(q: float) -> float:
        return round(deltas[min(len(deltas) - 1, int(q * len(deltas)))], 1)

    dropped = sum(max(0, round(d / FRAME_MS) - 1) for d in deltas)
    return {
        "seconds": round((times[-1] - times[0]) / 1000, 1),
        "pictures": len(times),
        "frame_ms": {"p50": share(0.5), "p95": share(0.95), "p99": share(0.99), "max": share(1)},
        "dropped": dropped,
        "dropped_share": round(dropped / (dropped + len(deltas)), 4),
        "long_tasks": len(long),
        "long_task_ms_max": round(max(long, default=0)),
    }


@asynccontextmanager
async def centres() -> AsyncIterator[list[Simulator]]:
    """Busy simulated PBX, whose clocks then run with the real one."""
    user = User(secret=SECRET)
    async with AsyncExitStack() as stack:
        sims = [
            await stack.enter_async_context(
                Simulator(
                    Settings(
                        user=user, port=0, speed=0, seed=n, agents=AGENTS, supervisors=SUPERVISORS
                    )
                )
            )
            for n in range(1, PBXS + 1)
        ]
        for sim in sims:
            await sim.advance(WARM_UP_S)

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


def machine(version: str) -> dict[str, Any]:
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.partition(":")[2].strip() for x in lines if "model name" in x), "")
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "chromium": version,
        "drawing": "software, headless",
    }


async def bench(seconds: float) -> dict[str, Any]:
    activities: dict[str, Activity] = {"idle": idle, "wheel": wheel, "keyboard": keys}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            chromium() as browser,
            centres() as sims,
            process(settings(Path(folder), sims)) as url,
            visitor(browser, url) as ina,
        ):
            result: dict[str, Any] = {"machine": machine(browser.version)}
            page, sizes = ina.page, list[int]()
            page.on(
                "websocket",
                lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))),
            )
            await ina.sign_in("ina")
            await page.locator("[data-key]").first.wait_for()
            await page.evaluate(WATCH)
            await asyncio.sleep(5)  # the first picture of everything is another matter
            listed = await page.locator("[data-key]").first.get_attribute("aria-setsize")
            result["users_listed"] = int(listed or 0)
            result["agents"] = sum(len(sim.centre.floor.agents) for sim in sims)
            result["supervisions"] = sum(len(sim.centre.supervisions) for sim in sims)
            result["page"] = {}
            for name, doing in activities.items():
                before = len(sizes)
                measured = await measure(page, doing, seconds)
                measured["state_frames_per_s"] = round(
                    (len(sizes) - before) / measured["seconds"], 1
                )
                result["page"][name] = measured
            static = await page.context.new_page()
            rows = "".join(f"<div>Row {n}</div>" for n in range(result["users_listed"]))
            await static.set_content(STATIC % rows)
            await static.evaluate(WATCH)
            result["static_list"] = {
                name: await measure(static, activities[name], seconds) for name in ("idle", "wheel")
            }
            ours = result["page"]["wheel"]["dropped_share"]
            theirs = result["static_list"]["wheel"]["dropped_share"]
            result["dropped_wheel_page_to_static"] = round(ours / theirs, 2) if theirs else None
            return result


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    given = options.parse_args()
    if not 1 <= given.seconds <= 600:
        options.error("--seconds must be between 1 and 600")
    result = asyncio.run(bench(given.seconds))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
