"""kill -9 around a Disconnect: no act without its row, and no row that says more than is known."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from monitord.simulator import Settings, Simulator, User
from monitord.simulator.pbx import Channel
from tests.kit.centre import SECRET, until
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.stores import SqliteStore
from tests.test_api_audit import every_row, proved, with_aldo
from tests.test_cli import start

RUNS = 8
LONGEST_S = 0.3
"""From the request to the kill; most kills come much sooner."""


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_kill_9_around_a_disconnect(tmp_path: Path) -> None:
    choose = random.Random(9)
    store = SqliteStore.in_folder(tmp_path / "data")
    settings = Settings(user=User(secret=SECRET), port=0, speed=0, seed=7, silent_share=0.0)
    hangups: list[str] = []
    async with Simulator(settings) as sim:
        pbx = sim.centre.pbx
        carry_out = pbx.request_hangup

        def asked(channel: Channel, cause: int) -> None:
            hangups.append(channel.uniqueid)
            carry_out(channel, cause)

        pbx.request_hangup = asked  # type: ignore[method-assign]
        site = Site(ami_port=sim.port, secret=SECRET, store=store, people=with_aldo())
        config = str(site.write(tmp_path))
        for run in range(RUNS):
            # The first one is killed when the PBX has been asked, so that nobody knows the rest.
            await _killed(
                tmp_path,
                config,
                sim,
                hangups,
                None if run == 0 else LONGEST_S * choose.random() ** 3,
            )
        async with daemon(site, tmp_path) as again, Client(again.url) as aldo:
            assert await aldo.sign_in("aldo") == 200
            rows = await every_row(aldo, kind="command", folded="true")
            result = await proved(aldo)
    acts = [r for r in rows if r["action"] == "disconnect"]
    assert hangups and set(hangups) <= {r["detail"]["channel"] for r in acts}
    for act in acts:
        # The PBX's clock stood still: nothing was ever confirmed before the kill.
        assert act["outcome"]["state"] == "unknown", act
        assert "outcome unknown" in act["outcome"]["why"]
    assert result["outcome"] == "whole"


async def _killed(
    folder: Path, config: str, sim: Simulator, hangups: list[str], after: float | None
) -> None:
    """A daemon that is killed some seconds after somebody asked for a disconnect; None: as soon
    as the PBX was asked."""
    process = await start(folder, "run", "--config", config)
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(DEADLINE):
        while b"the page at " not in said or not said.endswith(b"\n"):
            more = await process.stderr.read(4096)
            assert more, said
            said += more
    url = said.split(b"the page at ")[1].split()[0].decode()
    async with Client(url) as sue:
        assert await sue.sign_in("sue") == 200
        async with sue.stream() as stream:
            await stream.until(lambda s: any(p["link"] == "live" for p in s.of("pbx")), "live")

            def active(_: Any) -> list[str]:
                return [s["id"] for s in stream.of("supervision") if s["state"] == "active"]

            while not active(stream):
                await sim.advance(5)
                await stream.level()
            before = len(hangups)
            act = asyncio.create_task(sue.disconnect(active(stream)[0]))
            if after is None:
                await until(lambda: len(hangups) > before, "the PBX was asked")
            else:
                await asyncio.sleep(after)
            process.kill()
            await process.communicate()
            await asyncio.gather(act, return_exceptions=True)
