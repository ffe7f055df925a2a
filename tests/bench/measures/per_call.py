"""The daemon's CPU for a call against Asterisk's own for the same call.

Real Asterisk 22, telephones that ring a queue, the shipped AMI user with its filter, the ledger on
disk and one page that sees everything.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import Figure, Goal, Report
from tests.bench.live import cpu_s, daemon
from tests.bench.load import ring_in, server
from tests.bench.site import settings
from tests.bench.worker import Worker

RATE = 20.0
CALLS = 160


class Size(NamedTuple):
    rate: float = RATE
    calls: int = CALLS


USUAL, TINY = Size(), Size(4.0, 4)


async def measure(rounds: int, size: Size = USUAL) -> Report:
    rate, calls = size
    ours: list[float] = []
    theirs: list[float] = []
    rates: list[float] = []
    async with server() as asterisk, Worker("tests.bench.crowd") as crowd:
        with tempfile.TemporaryDirectory() as folder:
            secret = asterisk.secrets["monitord"]
            config = settings(Path(folder), asterisk.ports.ami, secret)
            assert asterisk.process is not None
            pid = asterisk.process.pid
            async with daemon(config) as started:
                await crowd.ask("open", url=started.url, logins=["all"])
                for _ in range(rounds):
                    before = started.cpu_s, cpu_s(pid)
                    load = await ring_in(asterisk, rate, calls)
                    await asyncio.sleep(1)  # for what follows the last call's end
                    ours.append(1000 * (started.cpu_s - before[0]) / calls)
                    theirs.append(1000 * (cpu_s(pid) - before[1]) / calls)
                    rates.append(load.per_s)
                told = await crowd.ask("told")
                if told["frames"][0] < calls:
                    raise RuntimeError("the page did not see the calls")
    return Report(
        "per_call",
        [
            Figure(
                *("the daemon's CPU for a call", "Asterisk's own for it, without sound"),
                *("ms", ours, theirs),
                goal=Goal("most", 0.10),
                note=f"At {statistics.median(rates):.1f} calls/s.",
            ),
            Figure("calls a second, as it was", "", "", rates),
        ],
    )
