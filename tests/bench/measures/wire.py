"""Bytes to one client, on its socket: at 2,000 events a second against those that came in, and to a
page on which nothing happens while 1,000 calls run."""

from __future__ import annotations

from typing import NamedTuple

from tests.bench.figures import Figure, Goal, Report
from tests.bench.live import stage
from tests.bench.traffic import setups, stream

SECONDS = 6.0
IDLE_S = 11.0
RATE = 2000
LOGINS = ["all", "sees-0"]
"""Who sees everything, and who sees one team of 50."""


class Size(NamedTuple):
    rate: int = RATE
    seconds: float = SECONDS
    running: int = 300
    calls: int = 1000
    idle_s: float = IDLE_S


USUAL, SMALL = Size(), Size(200, 0.5, 20, 20, 1.0)


async def share(
    rounds: int, rate: int, seconds: float, running: int, *, filtered: bool
) -> tuple[list[float], list[float], list[float]]:
    """Bytes per second: in, to who sees everything, to who sees a team."""
    calls = int(rounds * rate * seconds / (40 if filtered else 100)) + running
    data, _ = stream(calls, running=running, filtered=filtered)
    came: list[float] = []
    went: tuple[list[float], list[float]] = ([], [])
    async with stage(data) as s:
        await s.crowd.ask("open", url=s.daemon.url, logins=LOGINS)
        await s.feeder.ask("pace", rate=rate, seconds=seconds / 2)  # until so many calls run
        for _ in range(rounds):
            await s.crowd.ask("begin")
            fed = await s.feeder.ask("pace", rate=rate, seconds=seconds)
            told = await s.crowd.ask("told")
            came.append(fed["bytes"] / seconds)
            for one, sent in zip(went, told["bytes"], strict=True):
                one.append(sent / seconds)
    return came, *went


async def idle(calls: int, seconds: float) -> tuple[list[float], int]:
    """Bytes per second to each of two clients, and frames that were no heartbeats."""
    data, _ = setups(calls)
    async with stage(data) as s:
        await s.crowd.ask("open", url=s.daemon.url, logins=LOGINS)
        await s.crowd.ask("begin", word="the-end")
        await s.feeder.ask("flood", end="the-end")
        await s.crowd.ask("all_saw")
        # What follows a call's beginning by itself, such as a wrap-up's end, is over then.
        await s.feeder.ask("pace", rate=0, seconds=min(3.0, seconds))
        await s.crowd.ask("begin")
        await s.feeder.ask("pace", rate=0, seconds=seconds)
        told = await s.crowd.ask("told")
    changes = sum(told["frames"]) - sum(told["others"])
    return [sent / seconds for sent in told["bytes"]], changes


async def measure(rounds: int, size: Size = USUAL) -> Report:
    rate, seconds, running, calls, idle_s = size
    came, whole, team = await share(rounds, rate, seconds, running, filtered=False)
    few, whole_few, _ = await share(rounds, rate, seconds, running, filtered=True)
    beats, changes = await idle(calls, idle_s)
    load = f"{rate:,} events/s"
    return Report(
        "wire",
        [
            Figure(
                *(f"bytes to a client who sees everything, {load}", "bytes from AMI"),
                *("B/s", whole, came),
                goal=Goal("most", 0.05),
            ),
            Figure(
                *(f"bytes to a client who sees one team of 50, {load}", "bytes from AMI"),
                *("B/s", team, came),
                goal=Goal("most", 0.05),
            ),
            Figure(
                *(f"the first, {load} as the shipped filter lets through", "bytes from AMI"),
                *("B/s", whole_few, few),
            ),
            Figure(
                *(f"bytes to an idle page with {calls:,} running calls", "", "B/s", beats),
                note="Heartbeats, one every 5 s.",
            ),
            Figure(
                *("frames to it that are no heartbeats", "", "", [float(changes)]),
                goal=Goal("most", 0.0),
            ),
        ],
    )
