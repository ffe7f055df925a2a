"""CPU for one frame to one client, with 500 and 2,000 clients who see the same, against a loop that
writes the same number of bytes to as many bare sockets."""

from __future__ import annotations

from typing import NamedTuple

from tests.bench.figures import Figure, Goal, Report
from tests.bench.live import stage
from tests.bench.site import TEAMS
from tests.bench.worker import Worker

SIZES = (500, 2000)
FRAMES_PER_S = 15_000
"""To all of them together."""
SECONDS = 3.0
LOGIN = f"sees-{TEAMS - 1}"
"""Of the team whose agents are the probed ones, with a stride of all teams."""


class Size(NamedTuple):
    sizes: tuple[int, ...] = SIZES
    seconds: float = SECONDS
    per_s: int = FRAMES_PER_S


USUAL, SMALL = Size(), Size((2, 4), 0.5, 40)


async def measure(rounds: int, size: Size = USUAL) -> Report:
    sizes, seconds, per_s = size
    figures, curve = [], []
    async with (
        stage(b"") as s,
        Worker("tests.bench.bare") as bare,
        Worker("tests.bench.crowd") as crowd,
    ):
        there = 0
        for clients in sizes:
            fresh, there = clients - there, clients
            await s.crowd.ask("open", url=s.daemon.url, logins=[LOGIN] * fresh)
            await crowd.ask("connect", port=await bare.ask("port"), count=fresh)
            await bare.ask("accept", count=clients)
            ours, theirs = [], []
            for _ in range(rounds):
                await s.crowd.ask("begin", probing=True)
                before = s.daemon.cpu_s
                fed = await s.feeder.ask(
                    "pace", rate=0, seconds=seconds, probes=per_s / clients, stride=TEAMS
                )
                times = len(fed["sent"])
                await s.crowd.ask("arrived", probe=fed["first"] + times - 1, times=clients)
                spent = s.daemon.cpu_s - before
                told = await s.crowd.ask("told")
                frames = sum(told["frames"])
                # Heartbeats are frames as well; and changes may go out together where it is late.
                if told["lost"] or frames < 0.2 * times * clients:
                    raise RuntimeError(f"{frames} frames came of {times} to {clients} clients")
                ours.append(1e6 * spent / frames)
                mean = round(sum(told["bytes"]) / frames)
                cost = await bare.ask("send", size=mean, times=times, gap=clients / per_s)
                theirs.append(1e6 * cost / (times * clients))
            figures.append(
                Figure(
                    *(f"CPU for a frame to each of {clients:,} clients", "bare socket writes"),
                    *("us", ours, theirs),
                    goal=Goal("most", 1.4),
                    note=f"{mean} bytes each.",
                )
            )
            curve.append((float(clients), sorted(ours)[len(ours) // 2]))
    return Report("fan_out", figures, {"us of CPU for a frame, by clients": curve})
