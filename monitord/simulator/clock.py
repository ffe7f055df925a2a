"""The simulator's only clock and its only way to wait: timers in virtual time."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# After this many timers the event loop gets its turn, so that a fast clock cannot
# keep the clients' sockets from being read and written.
BATCH = 200


@dataclass(order=True, slots=True)
class Timer:
    due: float
    number: int
    callback: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        self.callback = None


class Clock:
    """Virtual seconds since the centre opened.

    Timers that are due at the same moment run in the order in which they were set, so a
    seeded run is the same each time. `now` is a timer's own moment while it runs.
    """

    def __init__(self, wall_at_zero: float) -> None:
        self.now = 0.0
        self._wall_at_zero = wall_at_zero
        self._timers: list[Timer] = []
        self._number = 0
        self._reached: Callable[[], float] | None = None

    @property
    def wall(self) -> float:
        """Epoch seconds, UTC."""
        return self._wall_at_zero + self.now

    def after(self, delay: float, callback: Callable[[], None]) -> Timer:
        self._number += 1
        timer = Timer(self.now + max(delay, 0.0), self._number, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def next_due(self) -> float | None:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0].due if self._timers else None

    def step(self, until: float) -> bool:
        """Run the next timer that is due by then; False if there is none."""
        due = self.next_due()
        if due is None or due > until:
            self.now = max(self.now, until)
            return False
        timer = heapq.heappop(self._timers)
        self.now = max(self.now, timer.due)
        callback, timer.callback = timer.callback, None
        if callback is not None:
            callback()
        return True

    def run_to(self, until: float) -> None:
        while self.step(until):
            pass

    def catch_up(self) -> None:
        """Between two timers `now` stands still; called before a client is told the time."""
        if self._reached is not None:
            due = self.next_due()
            reached = self._reached()
            self.now = max(self.now, reached if due is None else min(reached, due))

    async def run(self, speed: float) -> None:
        """Let virtual time pass, `speed` virtual seconds to each real one, until cancelled."""
        started, zero = time.monotonic(), self.now

        def reached() -> float:
            return zero + (time.monotonic() - started) * speed

        self._reached = reached
        steps = 0
        while True:
            if self.step(reached()):
                steps += 1
                if steps % BATCH == 0:
                    await asyncio.sleep(0)
                continue
            due = self.next_due()
            # Wakes at least ten times a second, as a client's action may set a timer meanwhile.
            wait = 0.1 if due is None else (due - self.now) / speed
            await asyncio.sleep(min(max(wait, 0.0), 0.1))
