"""Events per second through the whole daemon, against nothing but the parsing of the same bytes.

The daemon is `monitord run`: a real socket, the ledger in SQLite (WAL, FULL) with the audit chain,
and 100 clients of the stream, each with frames of its own (50 teams, and of each one who sees
numbers whole and one masked). It is done when all clients have the last change and the ledger has
the last row.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.figures import Figure, Goal, Report
from tests.bench.libraries import Parsed, fastest, parsed
from tests.bench.live import stage
from tests.bench.site import TEAMS, VIEWERS
from tests.bench.traffic import stream

CALLS = 800
END = "the-end"


async def through(data: bytes, calls: int, viewers: list[str]) -> tuple[Parsed, float]:
    """What the whole costs the daemon in CPU, and the seconds that it took."""
    async with stage(data) as s:
        await s.crowd.ask("open", url=s.daemon.url, logins=viewers)
        await s.crowd.ask("begin", word=END)
        before = s.daemon.cpu_s
        fed = await s.feeder.ask("flood", end=END)
        if fed["asked"]:
            raise RuntimeError(f"{fed['asked']} channels were asked for, though all was told")
        shown = await s.crowd.ask("all_saw")
        written = await s.daemon.written(calls, END, TEAMS)
        spent = s.daemon.cpu_s - before
        told = await s.crowd.ask("told")
        if told["lost"]:
            raise RuntimeError(f"{told['lost']} clients were cut")
    return Parsed(fed["events"], spent), max(shown, written) - fed["began"]


async def measure(
    rounds: int, calls: int = CALLS, running: int = 300, viewers: list[str] = VIEWERS
) -> Report:
    data, _ = stream(calls, running=running)
    few, _ = stream(calls, running=running, filtered=True)
    whole: dict[str, list[float]] = {"cpu": [], "wall": [], "few": [], "few wall": []}
    bare: dict[str, list[float]] = {"panoramisk": [], "fastest": [], "aiopyami": [], "few": []}
    with tempfile.TemporaryDirectory() as folder:
        file, few_file = Path(folder) / "all", Path(folder) / "few"
        file.write_bytes(data)
        few_file.write_bytes(few)
        best = fastest(file)
        for _ in range(rounds):
            done, seconds = await through(data, calls, viewers)
            whole["cpu"].append(done.rate)
            whole["wall"].append(done.events / seconds)
            for name, library in (("panoramisk", "panoramisk"), ("fastest", best)):
                bare[name].append(parsed(library, file).rate)
            bare["aiopyami"].append(parsed("aiopyami", file).rate)
            done, seconds = await through(few, calls, viewers)
            whole["few"].append(done.rate)
            whole["few wall"].append(done.events / seconds)
            bare["few"].append(parsed("panoramisk", few_file).rate)
    unit = "events/s"
    note = (
        "Per second of CPU, of the daemon's own process and of the parser's: feeder and clients "
        "share the processors with the daemon, so the time on the clock is theirs as well."
    )
    what = "whole daemon, all that Asterisk sends"
    figures = [
        Figure(
            *(what, "panoramisk's bare parse", unit, whole["cpu"], bare["panoramisk"]),
            goal=Goal("least", 2.0),
            note=note,
        ),
        Figure(
            *(what, f"{best}'s bare parse", unit, whole["cpu"], bare["fastest"]),
            goal=Goal("least", 1.0),
            note=f"{best} is the fastest of those that read events by themselves.",
        ),
        Figure(
            *(what, "aiopyami's function for answers", unit, whole["cpu"], bare["aiopyami"]),
            note="aiopyami gives its messages to nobody, unless they answer an action.",
        ),
        Figure(
            f"{what}, by the clock",
            *("", unit, whole["wall"]),
            note="Until the last frame is at its client and the last row in the ledger; feeder and "
            "clients are on the same processors.",
        ),
        Figure(
            "whole daemon, what the shipped filter lets through",
            *("panoramisk's bare parse", unit, whole["few"], bare["few"]),
        ),
        Figure(
            "the same, by the clock",
            *("", unit, whole["few wall"]),
        ),
    ]
    return Report("throughput", figures)
