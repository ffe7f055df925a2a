"""Calls between a customer and an agent, from the first leg to the last hang-up."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from monitord.simulator.agents import Agent, Floor
from monitord.simulator.campaigns import FIRST_RESULT, Campaign
from monitord.simulator.clock import Clock, Timer
from monitord.simulator.pbx import Bridge, Channel, Party, Pbx
from monitord.simulator.queues import Queues
from monitord.simulator.truth import Truth


@dataclass(frozen=True, slots=True)
class World:
    """What a call needs of its surroundings."""

    clock: Clock
    pbx: Pbx
    queues: Queues
    floor: Floor
    truth: Truth
    rng: random.Random
    payments: random.Random
    payment_share: float  # of the long calls


class TakenOver(Protocol):
    """A call that a supervisor took from its agent: both end together."""

    def end(self, by: str, cause: int, *, soft: bool) -> None: ...


class Call:
    """What both directions share: talking, labels, hold, and the end."""

    direction = ""

    def __init__(
        self, world: World, campaign: Campaign, party: Party, ended: Callable[[Call], None]
    ) -> None:
        self.world = world
        self.campaign = campaign
        self.list = world.rng.choice(campaign.lists)
        self.party = party
        self.queue = ""
        self.result = ""
        self.silent = False
        self.agent: Agent | None = None
        self.customer: Channel | None = None
        self.agent_leg: Channel | None = None
        self.bridge: Bridge | None = None
        self.answered_at: float | None = None  # virtual seconds
        self.ends_at = 0.0  # what it is planned to, while they talk
        self.over = False
        self.held = False
        self.paying = False
        self.taken: TakenOver | None = None
        self.transferred = False  # to another agent, who may not have answered yet
        # Told when another agent talks to the customer.
        self.on_agent: dict[Callable[[], None], None] = {}
        self._talked = 0.0  # seconds, before the talk that is going on
        self._talks_since: float | None = None
        self._soft = False
        self._ended = ended
        self._timers: list[Timer] = []

    @property
    def talking(self) -> bool:
        """An agent and the customer hear each other, or one of them is on hold."""
        return self._talks_since is not None and not self.over

    @property
    def linkedid(self) -> str:
        leg = self.customer if self.direction == "inbound" else self.agent_leg
        return leg.linkedid if leg else ""

    def after(self, delay: float, callback: Callable[[], None]) -> Timer:
        """A timer that dies with the call."""

        def unless_over() -> None:
            if not self.over:
                callback()

        timer = self.world.clock.after(delay, unless_over)
        self._timers = [t for t in self._timers if t.callback is not None]
        self._timers.append(timer)
        return timer

    def forget_plans(self) -> None:
        """What was to come no longer does: holds, result codes, the end."""
        self.pay(False)
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def label(self, channel: Channel) -> None:
        """The dialplan's Set(__CAMPAIGN=...) and Set(__LIST=...)."""
        pbx = self.world.pbx
        for priority, (name, value) in enumerate(
            (("__CAMPAIGN", self.campaign.name), ("__LIST", self.list)), start=1
        ):
            pbx.execute(channel, "Set", f"{name}={value}", priority=priority)
            pbx.set_variable(channel, name, value)

    def set_result(self, result: str) -> None:
        if self.customer is not None and not self.customer.gone and result != self.result:
            self.result = result
            self.world.pbx.set_variable(self.customer, "RESULT", result)

    def bridged(self, first: Channel, second: Channel) -> None:
        pbx = self.world.pbx
        self.bridge = pbx.new_bridge()
        pbx.enter(self.bridge, first)
        pbx.enter(self.bridge, second)
        self.talk()

    def talk(self) -> None:
        agent, rng, now = self._agent(), self.world.rng, self.world.clock.now
        self._talks_since = now
        self.world.floor.set_status(agent, "talking", now)
        facts = {**self.facts(), "agent": agent.device, "name": agent.name}
        if self.answered_at is None:
            self.answered_at = now
            self.world.truth.write("call_answered", **facts, silent=self.silent)
            self.after(2.0, lambda: self.set_result(FIRST_RESULT))
        else:
            self.world.truth.write("call_transferred", **facts)
        length = min(max(rng.gauss(150, 60), 20), 420)
        self.ends_at = now + length
        chosen = rng.choice(self.campaign.results)
        if rng.random() < 0.3:  # the agent changes her mind
            first_thought = rng.choice(self.campaign.results)
            self.after(length * 0.5, lambda: self.set_result(first_thought))
        self.after(length - 3, lambda: self.set_result(chosen))
        if length > 60 and rng.random() < 0.35:
            start, hold = rng.uniform(0.2, 0.6) * length, rng.uniform(5, 25)
            self.after(start, self.hold)
            self.after(start + hold, self.unhold)
        self._plan_payment(length)
        by = "customer" if rng.random() < 0.6 else "agent"
        self.after(length, lambda: self.hang_up(by))

    def _plan_payment(self, length: float) -> None:
        rng = self.world.payments
        if length > 60 and rng.random() < self.world.payment_share:
            start = rng.uniform(0.2, 0.5) * length
            self.after(start, lambda: self.pay(True))
            self.after(start + rng.uniform(15, 40), lambda: self.pay(False))

    def pay(self, on: bool) -> None:
        """The dialplan's UserEvent on the agent's leg."""
        leg = self.agent_leg
        if leg is not None and not leg.gone and not self.world.pbx.down and on != self.paying:
            self.paying = on
            state = "on" if on else "off"
            self.world.pbx.emit("UserEvent", leg, UserEvent="MonitordPayment", State=state)

    def stop_talking(self) -> None:
        """The agent and the customer are no longer in one bridge."""
        if self._talks_since is not None:
            self._talked += self.world.clock.now - self._talks_since
            self._talks_since = None

    def hold(self) -> None:
        if self.agent_leg is not None:
            self.held = True
            self.world.pbx.hold(self.agent_leg)
            self.world.floor.set_status(self._agent(), "hold", self.world.clock.now)

    def unhold(self) -> None:
        if self.agent_leg is not None:
            self.held = False
            self.world.pbx.unhold(self.agent_leg)
            self.world.floor.set_status(self._agent(), "talking", self.world.clock.now)

    def hangup_requested(self, channel: Channel, cause: int) -> None:
        if not self.over:
            self.world.pbx.soft_hangup(channel, cause)
            self._soft = True
            self.hang_up("agent" if channel is self.agent_leg else "customer", cause)
            self._soft = False

    def says_bye(self, channel: Channel | None, cause: int) -> None:
        """HangupRequest is the phone's own; AMI's has been announced as SoftHangupRequest."""
        if channel is not None and not self._soft:
            self.world.pbx.emit("HangupRequest", channel, Cause=cause)

    def hang_up(self, by: str, cause: int = 16) -> None:
        raise NotImplementedError

    def crashed(self) -> None:
        """The PBX is gone, and all phones with it; nothing is told."""
        self.finish("pbx_restarted")
        if self.agent is not None:
            self.release(self.agent, 0)

    def finish(self, reason: str) -> None:
        self.stop_talking()
        self.over = True
        self.forget_plans()
        answered = self.answered_at is not None
        # The agent whose phone merely rang had no part in it.
        agent = self.agent if answered or self.direction == "outbound" else None
        self.world.truth.write(
            "call_ended",
            **self.facts(),
            agent=agent.device if agent else None,
            answered=answered,
            result=self.result,
            reason=reason,
            talk=round(self._talked, 3),
        )
        self._ended(self)

    def facts(self) -> dict[str, object]:
        return {
            "call": self.linkedid,
            "direction": self.direction,
            "number": self.party.number,
            "queue": self.queue,
            "campaign": self.campaign.name,
            "list": self.list,
        }

    def _agent(self) -> Agent:
        if self.agent is None:
            raise RuntimeError("the call has no agent yet")
        return self.agent

    def release(self, agent: Agent, wrapup: float) -> None:
        floor, clock = self.world.floor, self.world.clock
        if not wrapup:
            floor.set_status(agent, "available", clock.now)
            return
        floor.set_status(agent, "wrapup", clock.now)

        def over() -> None:
            if agent.status == "wrapup":
                floor.set_status(agent, "available", clock.now)

        clock.after(wrapup, over)
