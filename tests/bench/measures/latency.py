"""From an AMI event to the frame at a client, at 2,000 and 8,000 events a second.

100 clients, each with frames of its own, the recorder on. Held against a process that passes the
same probes on and does nothing else, fed by the same feeder at the same rate.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from tests.bench.figures import Figure, Goal, Report
from tests.bench.latencies import latencies, p99
from tests.bench.live import stage
from tests.bench.site import VIEWERS
from tests.bench.traffic import stream
from tests.bench.worker import Worker

SECONDS = 4.0
RATES = (2000, 8000)
RUNNING = 300


async def measure(
    rounds: int,
    rates: tuple[int, ...] = RATES,
    seconds: float = SECONDS,
    running: int = RUNNING,
    viewers: list[str] = VIEWERS,
) -> Report:
    events = rounds * sum(rates) * seconds
    data, _ = stream(int(events / 100) + running, running=running)
    ours: dict[int, list[float]] = {rate: [] for rate in rates}
    medians: dict[int, list[float]] = {rate: [] for rate in rates}
    bare: dict[int, list[float]] = {rate: [] for rate in rates}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events"
        file.write_bytes(data)
        async with (
            stage(data) as s,
            Worker("tests.bench.feeder") as feeder,
            Worker("tests.bench.relay") as relay,
            Worker("tests.bench.crowd") as crowd,
        ):
            await s.crowd.ask("open", url=s.daemon.url, logins=viewers)
            await feeder.ask("load", file=str(file))
            await relay.ask("attach", port=await feeder.ask("port"))
            await crowd.ask("connect", port=await relay.ask("port"), count=len(viewers))
            for _ in range(rounds):
                for rate in rates:
                    found = await latencies(s.feeder, s.crowd, rate, seconds)
                    ours[rate].append(p99(found))
                    medians[rate].append(statistics.median(found))
                    bare[rate].append(p99(await latencies(feeder, crowd, rate, seconds)))
    figures = []
    for rate in rates:
        what = f"p99 from AMI event to frame, {rate:,} events/s, {len(viewers)} clients"
        first = rate == rates[0]
        figures += [
            Figure(
                *(what, "a bare loopback", "ms", ours[rate], bare[rate]),
                goal=Goal("most", 5.0) if first else None,
                compare="difference",
            ),
            Figure(f"median, {rate:,} events/s", "", "ms", medians[rate]),
        ]
        if not first:
            figures.append(Figure(what, "", "ms", ours[rate], goal=Goal("most", 50.0)))
    return Report("latency", figures)
