"""Agents come and go: pauses, logging out and in, and helping out in the other queue."""

from __future__ import annotations

import random

from monitord.simulator.agents import PAUSE_REASONS, Agent, Floor
from monitord.simulator.campaigns import QUEUES
from monitord.simulator.clock import Clock
from monitord.simulator.queues import Queues

AWAY = (300.0, 900.0)  # seconds that somebody is logged out


class Shifts:
    def __init__(self, clock: Clock, rng: random.Random, floor: Floor, queues: Queues) -> None:
        self._clock = clock
        self._rng = rng
        self._floor = floor
        self._queues = queues

    def begin(self) -> None:
        self._pauses()
        self._log_outs()
        self._helpers()

    def _idle(self) -> Agent | None:
        """Somebody free, if not too many are gone already."""
        free = self._floor.free()
        if not free or self._floor.gone >= max(len(self._floor.agents) // 6, 1):
            return None
        return self._rng.choice(free)

    def _pauses(self) -> None:
        agents = len(self._floor.agents)
        self._clock.after(self._rng.expovariate(agents / 900), self._pauses)
        agent = self._idle()
        if agent is None:
            return
        reason, mean = self._rng.choice(PAUSE_REASONS)
        self._floor.pause(agent, reason, self._clock.now)
        length = self._rng.uniform(0.5, 1.5) * mean
        self._clock.after(length, lambda: self._floor.unpause(agent, self._clock.now))

    def _log_outs(self) -> None:
        agents = len(self._floor.agents)
        self._clock.after(self._rng.expovariate(agents / 9000), self._log_outs)
        agent = self._idle()
        if agent is None:
            return
        self._floor.log_out(agent, self._clock.now)
        length = self._rng.uniform(*AWAY)
        self._clock.after(length, lambda: self._floor.log_in(agent, self._clock.now))

    def _helpers(self) -> None:
        self._clock.after(self._rng.uniform(60, 240), self._helpers)
        agent = self._rng.choice(self._floor.agents)
        others = [q for q in QUEUES if q not in agent.queues]
        if not others or agent.status not in ("available", "paused"):
            return
        if agent.device in self._queues.queues[others[0]].members:
            self._queues.remove(others[0], agent.device)
        else:
            self._queues.add(others[0], agent.device, agent.name)
