"""Outages: the connection is cut for some seconds, or the PBX crashes and starts again."""

from __future__ import annotations

import random
from collections.abc import Callable

from monitord.simulator.clock import Clock
from monitord.simulator.truth import Truth

CUT = (4.0, 20.0)  # seconds without a connection
RESTART = (8.0, 15.0)  # seconds until a crashed PBX listens again
BOOT = 2.0  # from then on until it is FullyBooted
EVERY_CRASH = 4  # one outage in so many is a crash


class Faults:
    """`away`: clients find nobody; `booting`: they find a PBX that is not FullyBooted. `next_at`:
    when the next outage begins, virtual seconds."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        truth: Truth,
        *,
        cut: Callable[[], None],
        crash: Callable[[], None],
        booted: Callable[[], None],
    ) -> None:
        self.away = False
        self.booting = False
        self.next_at: float | None = None
        self._clock = clock
        self._rng = rng
        self._truth = truth
        self._cut = cut
        self._crash = crash
        self._booted = booted
        self._count = 0

    def begin(self, per_hour: float) -> None:
        if per_hour:
            delay = self._rng.uniform(0.5, 1.5) * 3600 / per_hour
            self.next_at = self._clock.now + delay
            self._clock.after(delay, lambda: self._next(per_hour))

    def _next(self, per_hour: float) -> None:
        if not self.away and not self.booting:
            self._count += 1
            if self._count % EVERY_CRASH == 0:
                self.crash()
            else:
                self.cut()
        self.begin(per_hour)

    def cut(self) -> None:
        """Nobody can connect for a while; the centre goes on."""
        self._truth.write("outage_began", why="connection")
        self.away = True
        self._cut()
        self._clock.after(self._rng.uniform(*CUT), self._back)

    def crash(self) -> None:
        """As after kill -9: no event tells of it, and all calls are gone."""
        self._truth.write("outage_began", why="restart")
        self.away = True
        self._cut()
        self._crash()
        self._clock.after(self._rng.uniform(*RESTART), self._listening)

    def _back(self) -> None:
        self.away = False
        self._truth.write("outage_ended")

    def _listening(self) -> None:
        self.away, self.booting = False, True
        self._clock.after(BOOT, self._up)

    def _up(self) -> None:
        self.booting = False
        self._booted()
        self._truth.write("outage_ended")
