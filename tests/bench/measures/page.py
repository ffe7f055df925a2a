"""The page: what it costs to open, and how late it shows what the PBX said.

A simulated PBX (in this process) with 500 live calls and 20 supervisions feeds the real daemon (a
process of its own); Chromium shows the page. One more supervision is the bench's own: the result
code of its call is changed, and the page's DOM watched for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from monitord.simulator import Settings, Simulator, User
from monitord.simulator.pbx import Channel, Party, State
from tests.bench.figures import Figure, Goal, Report, percentile
from tests.browser.conftest import Visitor, process, visitor
from tests.kit.browser import chromium
from tests.kit.daemon import PASSWORD, Site

SECRET = "a secret only for benches"
SUPERVISOR, AGENT = "2991", "10011"
"""Telephones that the simulated centre has none of; the second is an agent's to the daemon."""

STEP_S = 0.05
COACH_MANAGER = "/quality/quality-assurance/coach-manager"


@dataclass(frozen=True)
class Size:
    agents: int
    supervisors: int
    supervisions: int
    warm_up_s: float
    """Of the centre's own time, until its lines are busy."""
    changes: int
    """In each round."""


FULL = Size(agents=1060, supervisors=40, supervisions=20, warm_up_s=240, changes=200)
SMALL = Size(agents=10, supervisors=2, supervisions=1, warm_up_s=60, changes=5)

# When the first user of the list is there, by the clock that began with the navigation; and, by
# the wall clock, when each awaited text came into the DOM.
WATCH = """
window.bench = { first: null, seen: {}, wanted: null };
new MutationObserver(() => {
  if (bench.first === null && document.querySelector('[data-key]')) bench.first = performance.now();
  const wanted = bench.wanted;
  if (wanted !== null && !(wanted in bench.seen)) {
    const cell = document.querySelector('td[data-label="Result code"]');
    if (cell && cell.textContent.includes(wanted)) {
      bench.seen[wanted] = performance.timeOrigin + performance.now();
    }
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""


# Evaluated as functions: the page's security policy lets no text become code.
FIRST = (
    "() => new Promise(done => { const look = () => bench.first === null"
    " ? setTimeout(look, 20) : done(bench.first); look(); })"
)
SEEN = (
    "() => new Promise(done => { const look = () => bench.wanted in bench.seen"
    " ? done(bench.seen[bench.wanted]) : setTimeout(look, 5); look(); })"
)


@dataclass
class Own:
    """The bench's own supervision."""

    sim: Simulator
    customer: Channel

    def change(self, text: str) -> float:
        """Gives the moment at which the PBX sent it, ms by the wall clock."""
        at = time.time_ns() / 1e6
        self.sim.centre.pbx.set_variable(self.customer, "RESULT", text)
        return at


def supervise(sim: Simulator) -> Own:
    """A call between a customer and an agent, and a supervisor who listens to it."""
    pbx = sim.centre.pbx
    customer = pbx.new_channel(
        "trunk", state=State.UP, context="inbound", exten="s", caller=Party("5550142")
    )
    agent = pbx.new_channel(
        AGENT, state=State.UP, context="agents", exten=AGENT, caller=Party(AGENT), linked=customer
    )
    pbx.emit("DialBegin", customer, dest=agent, DialString=AGENT)
    bridge = pbx.new_bridge()
    pbx.enter(bridge, agent)
    pbx.enter(bridge, customer)
    spyer = pbx.new_channel(
        SUPERVISOR,
        state=State.UP,
        context="monitord-supervisor",
        exten=f"*222{AGENT}",
        caller=Party(SUPERVISOR),
    )
    pbx.execute(spyer, "ChanSpy", f"{agent.uniqueid},uqESw", priority=3)
    spyer.spying = True
    pbx.emit("ChanSpyStart", spyer=spyer, spyee=agent)
    return Own(sim, customer)


@asynccontextmanager
async def centre(size: Size) -> AsyncIterator[Simulator]:
    """Its clock runs with the real one when it is busy."""
    settings = Settings(
        user=User(secret=SECRET),
        port=0,
        speed=0,
        seed=1,
        agents=size.agents,
        supervisors=size.supervisors,
        supervisions=size.supervisions,
        silent_share=0.0,
    )
    async with Simulator(settings) as sim:
        await sim.advance(size.warm_up_s)

        async def run() -> None:
            done = time.monotonic()
            while True:
                await asyncio.sleep(STEP_S)
                now = time.monotonic()
                await sim.advance(now - done)
                done = now

        clock = asyncio.create_task(run())
        try:
            yield sim
        finally:
            clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await clock


async def opened(ina: Visitor) -> tuple[float, float, float]:
    """With a cold cache: bytes transferred and ms until the first users are in the DOM; and bytes
    of the live picture, which come by the stream and depend on the site."""
    await ina.page.context.add_init_script(WATCH)
    signed_in = await ina.page.context.request.post(
        f"{ina.url}/api/v1/session",
        data={"login": "ina", "password": PASSWORD},
        headers={"Origin": ina.url},
    )
    assert signed_in.status == 200
    session = await ina.page.context.new_cdp_session(ina.page)
    await session.send("Network.enable")
    transferred, streamed = list[float](), list[int]()
    session.on("Network.loadingFinished", lambda e: transferred.append(e["encodedDataLength"]))
    session.on(
        "Network.webSocketFrameReceived",
        lambda e: streamed.append(len(e["response"]["payloadData"].encode())),
    )
    await ina.page.goto(ina.url + COACH_MANAGER)
    first = await ina.page.evaluate(FIRST)
    return sum(transferred), first, sum(streamed)


async def changes(page: Page, own: Own, count: int, ids: itertools.count[int]) -> list[float]:
    """ms from each change at the PBX to its being in the DOM."""
    late = []
    for _ in range(count):
        text = f"RESULT {next(ids):06}"
        await page.evaluate("(text) => { bench.wanted = text }", text)
        at = own.change(text)
        late.append(await page.evaluate(SEEN) - at)
    return late


async def select(page: Page) -> None:
    """The bench's own supervisor, whose call is then shown."""
    await page.goto(f"{page.url.partition('?')[0]}?user=lab/PJSIP/{SUPERVISOR}")
    await page.locator('td[data-label="Result code"]').first.wait_for()


async def one_round(browser: Browser, url: str, own: Own, count: int, ids: Any) -> dict[str, float]:
    async with visitor(browser, url) as ina:
        total, first, live = await opened(ina)
        await select(ina.page)
        late = await changes(ina.page, own, count, ids)
    return {
        "bytes": total,
        "first": first,
        "live": live,
        "p50": percentile(late, 0.5),
        "p99": percentile(late, 0.99),
    }


async def measure(rounds: int, size: Size = FULL) -> Report:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        async with chromium() as browser, centre(size) as sim:
            site = Site(ami_port=sim.port, secret=SECRET)
            async with process(site.write(Path(folder))) as url:
                own, ids = supervise(sim), itertools.count(1)
                for _ in range(rounds):
                    found.append(await one_round(browser, url, own, size.changes, ids))
                channels = sim.centre.pbx.channels.values()
                live = len({c.linkedid for c in channels if c.bridge is not None})
                listened = sum(c.spying for c in channels)
    about = f"{live} live calls, {listened} supervisions at the end"
    column = {name: [round_[name] for round_ in found] for name in found[0]}
    return Report(
        "page",
        [
            Figure(
                "page: transferred to its first view, compressed",
                "",
                "kB",
                [n / 1000 for n in column["bytes"]],
                goal=Goal("most", 150),
                note="Cold cache, fonts and API included, the stream's picture of the site not.",
            ),
            Figure(
                "page: first view on loopback",
                "",
                "ms",
                column["first"],
                goal=Goal("most", 1000),
                note=f"Cold cache, to the first users in the DOM; {about}.",
            ),
            Figure(
                "page: p99 from the PBX's event to the DOM",
                "",
                "ms",
                column["p99"],
                goal=Goal("most", 100),
                note=f"{size.changes} changes of one call's result code a round; {about}.",
            ),
            Figure("page: median of the same", "", "ms", column["p50"]),
            Figure(
                "stream: the first picture of this site",
                "",
                "kB",
                [n / 1000 for n in column["live"]],
                note=about,
            ),
        ],
    )
