"""How long a change takes from AMI to a client's socket."""

from __future__ import annotations

from tests.bench.worker import Worker

PROBES = 100.0
"""Per second."""
WARM_UP = 20
"""Probes at the beginning that do not count."""


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]


async def latencies(
    feeder: Worker, crowd: Worker, rate: float, seconds: float, *, to_each: int = 2
) -> list[float]:
    """ms of every probe to every client that was to see it.

    Raises:
        RuntimeError: the feeder could not keep the rate, or a probe did not arrive.
    """
    await crowd.ask("begin", probing=True)
    fed = await feeder.ask("pace", rate=rate, seconds=seconds, probes=PROBES)
    await crowd.ask("arrived", probe=len(fed["sent"]) - 1, times=to_each)
    told = await crowd.ask("told")
    if fed["events"] < 0.95 * rate * seconds:
        raise RuntimeError(f"only {fed['events'] / fed['seconds']:.0f} events/s could be sent")
    sent = fed["sent"]
    found = [1000 * (at - sent[n]) for n, at in told["seen"] if n >= WARM_UP]
    wanted = (len(sent) - WARM_UP) * to_each
    # Two states of one agent in one frame are one change: the first of them is never shown.
    if not 0.9 * wanted <= len(found) <= wanted:
        raise RuntimeError(f"{len(found)} of {wanted} probes arrived")
    return found
