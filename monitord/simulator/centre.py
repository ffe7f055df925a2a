"""The call centre: who is there, and the pace at which calls, pauses and supervisions come."""

from __future__ import annotations

import random

from monitord.simulator.agents import (
    AGENT_NAMES,
    SUPERVISOR_NAMES,
    Agent,
    Floor,
    Supervisor,
    extension,
    names,
)
from monitord.simulator.calls import Call, World
from monitord.simulator.campaigns import INBOUND, OUTBOUND, QUEUES, customer
from monitord.simulator.clock import Clock
from monitord.simulator.inbound import InboundCall
from monitord.simulator.messages import Composer
from monitord.simulator.outbound import OutboundCall
from monitord.simulator.pbx import Pbx
from monitord.simulator.plans import KINDS, Deck, Plan
from monitord.simulator.queues import Queues
from monitord.simulator.settings import Settings
from monitord.simulator.shifts import Shifts
from monitord.simulator.supervisions import Supervision
from monitord.simulator.truth import Truth

PACE = 2.0  # seconds between two looks at how busy the floor is
BUSY = (0.5, 0.66)  # share of the agents on calls


class Centre:
    def __init__(self, settings: Settings, clock: Clock, truth: Truth) -> None:
        self.settings = settings
        self.clock = clock
        self.rng = random.Random(settings.seed)  # noqa: S311 - reproducible on purpose
        composer = Composer(settings.version, settings.channelvars)
        # Generators of their own: a bridge's id must not shift what people do, nor a payment.
        ids = random.Random(settings.seed + 1)  # noqa: S311
        payments = random.Random(settings.seed + 3)  # noqa: S311
        self.pbx = Pbx(clock, composer, ids, settings.system_name)
        self.queues = Queues(self.pbx, QUEUES)
        self.floor = self._staff(truth)
        self.world = World(
            clock,
            self.pbx,
            self.queues,
            self.floor,
            truth,
            self.rng,
            payments,
            settings.payment_share,
        )
        self.shifts = Shifts(clock, self.rng, self.floor, self.queues)
        self.calls: dict[Call, None] = {}
        self.supervisions: dict[Supervision, None] = {}
        self._deck = Deck(self.rng)
        self._crashed = False

    def _staff(self, truth: Truth) -> Floor:
        settings, rng = self.settings, self.rng
        agents = [
            Agent(name, extension(i), queues=self._memberships(i))
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
                self.queues.add(queue, agent.device, agent.name)
        return Floor(agents, supervisors, self.queues, truth)

    def _memberships(self, index: int) -> tuple[str, ...]:
        # Every third agent serves both; a team of one must serve all.
        if index % 3 == 0:
            return QUEUES
        return (QUEUES[index % 2],)

    def open(self) -> None:
        """Start, and run through the warm-up: afterwards the picture is a living one."""
        if self.settings.calls_per_hour:
            self._arrivals(self.settings.calls_per_hour / 3600)
        self._pace()
        self.shifts.begin()
        warm_up = self.settings.warm_up
        self.clock.run_to(warm_up - 5)
        # Somebody must be listened to when the first client looks; a call that ends just
        # then may cost some more half seconds.
        for _ in range(30):
            wanted = self._low_supervisions - sum(s.spyee is not None for s in self.supervisions)
            if self.clock.now >= warm_up and wanted <= 0:
                break
            coming = sum(not s.attached for s in self.supervisions)
            for _ in range(wanted - coming):
                self.new_supervision()
            self.clock.run_to(self.clock.now + 0.5)

    def crash(self) -> None:
        """All calls are gone at once; nobody can phone until `booted`."""
        self._crashed = self.pbx.down = True
        for supervision in list(self.supervisions):
            supervision.gone("pbx_restarted", 0)
        for call in list(self.calls):
            call.crashed()
        self.pbx.restart()
        self.queues.restart()

    def booted(self) -> None:
        self._crashed = self.pbx.down = False

    # -- calls ------------------------------------------------------------------

    def _pace(self) -> None:
        self.clock.after(PACE, self._pace)
        if self._crashed:
            return
        if not self.settings.calls_per_hour:
            low, high = (share * len(self.floor.agents) for share in BUSY)
            missing = int(low + 0.999) - len(self.calls)
            for _ in range(max(missing, 0)):
                self.new_call()
            if missing <= 0 and len(self.calls) < high and self.rng.random() < 0.15:
                self.new_call()
        self._pace_supervisions()

    def _arrivals(self, per_second: float) -> None:
        self.clock.after(self.rng.expovariate(per_second), lambda: self._arrivals(per_second))
        # Who finds twice as many callers as there are agents hears that all lines are busy.
        if not self._crashed and len(self.calls) < 2 * len(self.floor.agents):
            self.new_call()

    def new_call(self) -> Call | None:
        free = self.floor.free()
        if free and self.rng.random() < 0.3:
            return self.outbound(free[0])
        return self.inbound()

    def inbound(self) -> Call:
        rng = self.rng
        call = InboundCall(
            self.world,
            rng.choice(INBOUND),
            customer(rng),
            self._call_ended,
            silent=rng.random() < self.settings.silent_share,
        )
        self.calls[call] = None
        call.start()
        return call

    def outbound(self, agent: Agent) -> Call:
        rng = self.rng
        call = OutboundCall(self.world, rng.choice(OUTBOUND), customer(rng), self._call_ended)
        call.silent = rng.random() < self.settings.silent_share
        self.calls[call] = None
        call.start(agent)
        return call

    def _call_ended(self, call: Call) -> None:
        del self.calls[call]

    # -- supervisions -----------------------------------------------------------

    @property
    def _low_supervisions(self) -> int:
        return self.settings.supervisions or (len(self.floor.supervisors) + 1) // 2

    def _pace_supervisions(self) -> None:
        high = self.settings.supervisions or len(self.floor.supervisors)
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
        watched = {s.agent for s in self.supervisions}
        talking = [c for c in self.calls if c.talking]
        if not supervisors or not talking:
            return None
        card, plan = self._deck.deal()
        wanted = [c for c in talking if (c.agent in watched) == (card == "join")]
        if plan.needs_time:
            now = self.clock.now
            wanted = [
                c
                for c in wanted
                if isinstance(c, InboundCall)
                and not (c.silent or c.transferred)
                and c.ends_at - now > 30
            ]
            if not wanted:  # another time; meanwhile something that any call is good for
                plan = Plan(rng.choice(KINDS), False, True, plan.length)
        call = rng.choice(wanted or [c for c in talking if c.agent not in watched] or talking)
        if call.agent is None:
            return None
        return self.supervise(rng.choice(supervisors), call.agent, call, plan)

    def supervise(
        self, supervisor: Supervisor, agent: Agent, call: Call, plan: Plan
    ) -> Supervision:
        supervision = Supervision(
            self.world, supervisor, agent, call, plan, self._supervision_ended
        )
        self.supervisions[supervision] = None
        supervision.start()
        return supervision

    def _supervision_ended(self, supervision: Supervision) -> None:
        del self.supervisions[supervision]
