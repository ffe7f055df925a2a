"""Pages of the history and of the audit log, at ten million rows against one million.

Two daemons as they run at a site, each with a ledger in SQLite in which every large table has so
many rows, are asked in turn, over HTTP. A question is asked twice and the second answer timed: the
first one's row in the audit log is a commit, which is the same at any size.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitord.store import sqlite
from tests.bench.fed import fed
from tests.bench.figures import Figure, Goal, Report
from tests.bench.filled import AGENTS, CAMPAIGNS, QUEUES, SPAN_MS, SUPERVISORS, filled, site
from tests.kit.client import Client

GOAL = Goal("most", 1.5)


@dataclass(frozen=True)
class Size:
    small: int
    large: int
    times: int
    """Questions of each kind in a round."""


FULL = Size(small=1_000_000, large=10_000_000, times=25)
SMALL = Size(small=5_000, large=10_000, times=1)


def questions(n: int, rows: int, now: int) -> dict[str, tuple[str, dict[str, str]]]:
    """The n-th of each kind: address and parameters."""
    past = now - SPAN_MS * (10 + n % 80) // 100
    row = rows * (10 + n % 80) // 100 + n
    number = f"+49{row * 7919 % int(0.3 * rows):09}"
    week = {"begin": str(past), "end": str(past + 7 * 86_400_000)}
    supervisor, agent = f"s{n % SUPERVISORS}", f"a{n * 7 % AGENTS}"
    return {
        "supervisions, newest": ("supervisions", {"limit": str(50 + n % 3)}),
        "supervisions of a supervisor": ("supervisions", {"supervisor": supervisor}),
        "supervisions of an agent and type": ("supervisions", {"agent": agent, "type": "Coach"}),
        "supervisions of a campaign in a week": (
            "supervisions",
            {"campaign": f"campaign {n % CAMPAIGNS}", **week},
        ),
        "calls, newest": ("calls", {"limit": str(50 + n % 3)}),
        "calls with a number": ("calls", {"number": number}),
        "a call by its Call ID": ("calls", {"call": f"lab22-{1_700_000_000 + row}.{row}"}),
        "calls of an agent": ("calls", {"agent": agent}),
        "calls of a queue in a week": ("calls", {"queue": f"queue {n % QUEUES}", **week}),
        "audit log, newest, folded": ("audit/rows", {"folded": "true", "limit": str(50 + n % 3)}),
        "audit log of a kind": ("audit/rows", {"kind": "sign-in", "folded": "true"}),
        "audit log of a kind in a week": ("audit/rows", {"kind": "history", **week}),
        "audit log in a week": ("audit/rows", {"folded": "true", **week}),
    }


async def measure(rounds: int, size: Size = FULL) -> Report:
    folders = {rows: await filled(rows) for rows in (size.small, size.large)}
    found: dict[str, dict[int, list[float]]] = {}
    async with AsyncExitStack() as stack:
        clients: dict[int, dict[str, Client]] = {}
        for rows, folder in folders.items():
            with _not_looked_through():
                here = await stack.enter_async_context(fed(folder, site(folder)))
            for login in ("ina", "ada"):
                client = await stack.enter_async_context(Client(here.daemon.url))
                assert await client.sign_in(login) == 200
                clients.setdefault(rows, {})[login] = client
        asked = 0
        for _ in range(rounds):
            times: dict[str, dict[int, list[float]]] = {}
            for _ in range(size.times):
                asked += 1
                for rows, who in clients.items():
                    now = time.time_ns() // 1_000_000
                    for name, (path, given) in questions(asked, rows, now).items():
                        login = "ada" if path.startswith("audit") else "ina"
                        ms = await _asked(who[login], path, given)
                        times.setdefault(name, {}).setdefault(rows, []).append(ms)
            for name, by_rows in times.items():
                for rows, samples in by_rows.items():
                    found.setdefault(name, {}).setdefault(rows, []).append(
                        statistics.median(samples)
                    )
    figures = [
        Figure(
            f"{name}: a page at {size.large:,} rows",
            f"at {size.small:,}",
            "ms",
            by_rows[size.large],
            by_rows[size.small],
            GOAL,
        )
        for name, by_rows in found.items()
    ]
    return Report("history", figures)


@contextmanager
def _not_looked_through() -> Iterator[None]:
    """A start reads the whole file once, which takes minutes here and is not what is measured."""
    look, sqlite._look_at_file = sqlite._look_at_file, _no_look
    try:
        yield
    finally:
        sqlite._look_at_file = look


def _no_look(_path: Path, _known_from: Path | None = None) -> None:
    pass


async def _asked(client: Client, path: str, given: dict[str, str]) -> float:
    """ms of the second answer."""
    first: Any = await client.get(f"/api/v1/{path}", **given)
    assert first["rows"], f"nothing fits {path} {given}"
    begun = time.perf_counter()
    async with client.http.get(f"/api/v1/{path}", params=given) as response:
        await response.read()
        assert response.status == 200
    return (time.perf_counter() - begun) * 1000
