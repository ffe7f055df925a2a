"""`monitord` with a watch on its event loop: how late what was due came, and how long the garbage
collector took.

    python -m tests.bench.watched FILE run --config monitord.toml

SIGUSR2 begins anew; at the end FILE gets the longest of both in ms.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from monitord.cli import main

EVERY_S = 0.002


class Watch:
    def __init__(self) -> None:
        self.began = 0.0
        self.begin()

    def begin(self) -> None:
        self.late: list[float] = []
        self.collections: list[tuple[int, float]] = []

    def collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self.began = time.perf_counter()
        else:
            self.collections.append((info["generation"], time.perf_counter() - self.began))

    def tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = loop.time()
        self.late.append(now - due)
        loop.call_at(now + EVERY_S, self.tick, loop, now + EVERY_S)

    def told(self) -> dict[str, Any]:
        late = sorted(self.late)
        return {
            "longest_ms": 1000 * late[-1],
            "p99_ms": 1000 * late[int(0.99 * len(late))],
            "looked": len(late),
            "gc_longest_ms": 1000 * max((t for _, t in self.collections), default=0.0),
            "gc_full": sum(generation == 2 for generation, _ in self.collections),
        }


def run() -> None:
    watch, file = Watch(), Path(sys.argv.pop(1))
    gc.callbacks.append(watch.collected)

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            loop = super().new_event_loop()
            loop.call_soon(watch.tick, loop, loop.time())
            return loop

    asyncio.set_event_loop_policy(Policy())
    signal.signal(signal.SIGUSR2, lambda *_: watch.begin())
    signal.signal(signal.SIGRTMIN, lambda *_: file.write_text(json.dumps(watch.told())))
    main(standalone_mode=False)


if __name__ == "__main__":
    run()
