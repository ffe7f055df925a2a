"""The call centre: who is there, and the pace at which calls, pauses and supervisions come."""

from __future__ import annotations

import random

from monitord.simulator.agents import (
    AGENT_NAMES,
    PAUSE_REASONS,
    SUPERVISOR_NAMES,
    Agent,
    Floor,
    Supervisor,
    names,
)
from monitord.simulator.calls import Call, World
from monitord.simulator.campaigns import CAMPAIGNS, QUEUES, customer
from monitord.simulator.clock import Clock
from monitord.simulator.inbound import InboundCall
from monitord.simulator.messages import Composer
from monitord.simulator.outbound import OutboundCall
from monitord.simulator.pbx import Pbx
from monitord.simulator.queues import Queues
from monitord.simulator.settings import Settings
from monitord.simulator.supervisions import KINDS, Plan, Supervision
from monitord.simulator.truth import Truth

PACE = 2.0  # seconds between two looks at how busy the floor is
# Open this long before the first client can attach, so that it finds a living centre.
WARM_UP = 900.0
BUSY = (0.5, 0.66)  # share of the agents on calls


class Centre:
    def __init__(self, settings: Settings, clock: Clock, truth: Truth) -> None:
        self.settings = settings
        self.clock = clock
        self.rng = random.Random(settings.seed)  # noqa: S311 - reproducible on purpose
        composer = Composer(settings.version, settings.channelvars)
        # Its own generator: a bridge's id must not shift what people do.
        ids = random.Random(settings.seed + 1)  # noqa: S311
        self.pbx = Pbx(clock, composer, ids, settings.system_name)
        self.queues = Queues(self.pbx, QUEUES)
        self.floor = self._staff(truth)
        self.world = World(clock, self.pbx, self.queues, self.floor, truth, self.rng)
        self.calls: list[Call] = []
        self.supervisions: list[Supervision] = []

    def _staff(self, truth: Truth) -> Floor:
        settings, rng = self.settings, self.rng
        agents = [
            Agent(name, str(1001 + i), queues=self._memberships(i))
            for i, name in enumerate(names(AGENT_NAMES, settings.agents, rng))
        ]
        supervisors = [
            Supervisor(name, str(2001 + i))
            for i, name in enumerate(names(SUPERVISOR_NAMES, settings.supervisors, rng))
        ]
        self.pbx.add_device("PJSIP/trunk")
        for person in (*agents, *supervisors):
            self.pbx.add_device(person.device)
        for agent in agents:
            for queue in agent.queues:
                self.queues.add(queue, agent.device, agent.name, dynamic=False)
        return Floor(agents, supervisors, self.queues, truth)

    def _memberships(self, index: int) -> tuple[str, ...]:
        # Every third agent serves both; a team of one must serve all.
        if index % 3 == 0:
            return QUEUES
        return (QUEUES[index % 2],)

    def open(self) -> None:
        """Start, and run through the warm-up: afterwards the picture is a living one."""
        self._pace()
        self._pauses()
        self._helpers()
        self.clock.run_to(WARM_UP - 5)
        # Somebody must be listened to when the first client looks; a call that ends just
        # then may cost some more half seconds.
        for _ in range(30):
            wanted = self._low_supervisions - sum(s.spyee is not None for s in self.supervisions)
            if self.clock.now >= WARM_UP and wanted <= 0:
                break
            coming = sum(not s.attached for s in self.supervisions)
            for _ in range(wanted - coming):
                self.new_supervision()
            self.clock.run_to(self.clock.now + 0.5)

    # -- calls ------------------------------------------------------------------

    @property
    def busy(self) -> int:
        """Agents on a call, and callers who will need one."""
        return len(self.calls)

    def _pace(self) -> None:
        self.clock.after(PACE, self._pace)
        low, high = (share * len(self.floor.agents) for share in BUSY)
        missing = int(low + 0.999) - self.busy
        for _ in range(max(missing, 0)):
            self.new_call()
        if missing <= 0 and self.busy < high and self.rng.random() < 0.15:
            self.new_call()
        self._pace_supervisions()

    def new_call(self) -> Call | None:
        free = self.floor.free()
        if free and self.rng.random() < 0.3:
            return self.outbound(free[0])
        return self.inbound()

    def inbound(self) -> Call:
        rng = self.rng
        call = InboundCall(
            self.world,
            rng.choice(CAMPAIGNS),
            customer(rng),
            self._call_ended,
            silent=rng.random() < self.settings.silent_share,
        )
        self.calls.append(call)
        call.start()
        return call

    def outbound(self, agent: Agent) -> Call:
        rng = self.rng
        call = OutboundCall(self.world, rng.choice(CAMPAIGNS), customer(rng), self._call_ended)
        call.silent = rng.random() < self.settings.silent_share
        self.calls.append(call)
        call.start(agent)
        return call

    def _call_ended(self, call: Call) -> None:
        self.calls.remove(call)

    # -- supervisions -----------------------------------------------------------

    @property
    def _low_supervisions(self) -> int:
        return (len(self.floor.supervisors) + 1) // 2

    def _pace_supervisions(self) -> None:
        high = len(self.floor.supervisors)
        low = self._low_supervisions
        active = len(self.supervisions)
        for _ in range(low - active):
            self.new_supervision()
        if low <= active < high and self.rng.random() < 0.04:
            self.new_supervision()

    def new_supervision(self) -> Supervision | None:
        """None when no supervisor is free or nobody talks."""
        rng = self.rng
        supervisors = [s for s in self.floor.supervisors if not s.busy]
        watched = {s.agent.endpoint for s in self.supervisions}
        talking = [c for c in self.calls if c.talking]
        fresh = [c for c in talking if c.agent and c.agent.endpoint not in watched]
        # Now and then two supervisors listen to the same agent.
        choice = fresh if fresh and rng.random() < 0.9 else talking
        if not supervisors or not choice:
            return None
        call = rng.choice(choice)
        if call.agent is None:
            return None
        plan = Plan(
            kind=rng.choices(KINDS, weights=(5, 3, 2))[0],
            originate=rng.random() < 0.3,
            exits=rng.random() < 0.8,
            length=min(max(rng.gauss(110, 60), 20), 300),
        )
        return self.supervise(rng.choice(supervisors), call.agent, call, plan)

    def supervise(
        self, supervisor: Supervisor, agent: Agent, call: Call, plan: Plan
    ) -> Supervision:
        supervision = Supervision(
            self.world, supervisor, agent, call, plan, self.supervisions.remove
        )
        self.supervisions.append(supervision)
        supervision.start()
        return supervision

    # -- pauses and dynamic members ---------------------------------------------

    def _pauses(self) -> None:
        self.clock.after(self.rng.expovariate(len(self.floor.agents) / 900), self._pauses)
        free = self.floor.free()
        paused = sum(a.status == "paused" for a in self.floor.agents)
        if not free or paused >= max(len(self.floor.agents) // 6, 1):
            return
        agent = self.rng.choice(free)
        reason, mean = self.rng.choice(PAUSE_REASONS)
        self.floor.pause(agent, reason, self.clock.now)
        length = self.rng.uniform(0.5, 1.5) * mean
        self.clock.after(length, lambda: self.floor.unpause(agent, self.clock.now))

    def _helpers(self) -> None:
        """Somebody helps out in the other queue for a while, as a dynamic member."""
        self.clock.after(self.rng.uniform(60, 240), self._helpers)
        agent = self.rng.choice(self.floor.agents)
        others = [q for q in QUEUES if q not in agent.queues]
        if not others:
            return
        members = self.queues.queues[others[0]].members
        if agent.device not in members:
            self.queues.add(others[0], agent.device, agent.name, dynamic=True)
        elif agent.status in ("available", "paused"):
            self.queues.remove(others[0], agent.device)
