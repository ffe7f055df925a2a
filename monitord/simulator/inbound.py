"""An inbound call: trunk leg, queue, ringing agents, bridge, AgentComplete, wrap-up."""

from __future__ import annotations

from collections.abc import Callable

from monitord.simulator.agents import Agent
from monitord.simulator.calls import Call, World
from monitord.simulator.campaigns import Campaign
from monitord.simulator.pbx import Channel, Party, State
from monitord.simulator.queues import Entry

RETRY = 1.0  # seconds between two looks for a free member
RING_TIMEOUT = 15.0


class InboundCall(Call):
    direction = "inbound"

    def __init__(
        self,
        world: World,
        campaign: Campaign,
        party: Party,
        ended: Callable[[Call], None],
        silent: bool,
    ) -> None:
        super().__init__(world, campaign, party, ended)
        self.queue = campaign.queue
        self.silent = silent
        self._entry: Entry | None = None
        self._joined = 0.0
        self._rang_at = 0.0
        self._hold = 0.0

    def start(self) -> None:
        pbx = self.world.pbx
        self.customer = pbx.new_channel(
            "trunk",
            state=State.RING,
            context="from-trunk",
            exten=self.campaign.inbound,
            caller=self.party,
            owner=self,
        )
        self.world.truth.write("call_started", **self.facts())
        self.label(self.customer)
        pbx.execute(self.customer, "Answer", priority=3)
        self.after(0.05, self._join)

    def _join(self) -> None:
        if self.customer is None:
            return
        pbx = self.world.pbx
        pbx.set_state(self.customer, State.UP)
        pbx.execute(self.customer, "Queue", f"{self.queue},tT", priority=4)
        self._joined = self.world.clock.now
        self._entry = self.world.queues.join(self.queue, self.customer)
        pbx.emit("MusicOnHoldStart", self.customer, Class="default")
        rng = self.world.rng
        patience = rng.uniform(2, 6) if rng.random() < 0.08 else 20 + rng.expovariate(1 / 90)
        self.after(patience, self._give_up)
        self.after(0.2, self._try)

    def _give_up(self) -> None:
        if self.answered_at is None:
            self.hang_up("customer")

    def _try(self) -> None:
        if self._entry is None or self.agent is not None:
            return
        free = self.world.floor.free(self.queue)
        if self.world.queues.turn(self.queue, self._entry, len(free)):
            self._entry.ringing = True
            self._ring(free[0])
        else:
            self.after(RETRY, self._try)

    def _ring(self, agent: Agent) -> None:
        if self.customer is None:
            return
        pbx = self.world.pbx
        self.agent = agent
        self._rang_at = self.world.clock.now
        leg = self.dialled_leg(agent, "AppQueue")
        pbx.emit(
            "AgentCalled",
            self.customer,
            dest=leg,
            Queue=self.queue,
            Interface=agent.device,
            MemberName=agent.name,
        )
        pbx.emit("DialBegin", self.customer, dest=leg, DialString=agent.device)
        pbx.set_connected(self.customer, leg.caller)
        self.world.floor.set_status(agent, "ringing", self.world.clock.now)
        pbx.announce(leg)
        self.after(0.15, self._ringing)
        if self.world.rng.random() < 0.06:
            self.after(RING_TIMEOUT, self._no_answer)
        else:
            self.after(self.world.rng.uniform(1.5, 7), self._answer)

    def dialled_leg(self, agent: Agent, application: str) -> Channel:
        """The agent's leg, as Queue or Dial makes it for this customer."""
        if self.customer is None:
            raise RuntimeError("nobody calls")
        pbx = self.world.pbx
        leg = self.agent_leg = pbx.new_channel(
            agent.endpoint,
            state=State.DOWN,
            context="from-internal",
            exten="s",
            caller=Party(agent.endpoint, agent.name),
            owner=self,
            linked=self.customer,
        )
        leg.silent = self.silent
        pbx.execute(leg, application, "(Outgoing Line)")
        pbx.set_connected(leg, self.customer.caller)
        pbx.inherit(self.customer, leg)
        pbx.execute(leg, application, "(Outgoing Line)", exten=self.customer.exten)
        return leg

    def _ringing(self) -> None:
        if self.agent_leg is not None:
            self.world.pbx.set_state(self.agent_leg, State.RINGING)
            self.world.pbx.emit(
                "DialState", self.customer, dest=self.agent_leg, DialStatus="RINGING"
            )

    def _no_answer(self) -> None:
        agent, leg = self._agent(), self.agent_leg
        if leg is None:
            return
        pbx = self.world.pbx
        pbx.emit("DialEnd", self.customer, dest=leg, DialStatus="NOANSWER")
        pbx.emit(
            "AgentRingNoAnswer",
            self.customer,
            dest=leg,
            Queue=self.queue,
            Interface=agent.device,
            MemberName=agent.name,
            RingTime=int(RING_TIMEOUT * 1000),
        )
        self._back_in_line(agent, leg, 0)

    def _back_in_line(self, agent: Agent, leg: Channel, cause: int) -> None:
        self.agent = self.agent_leg = None
        if self._entry is not None:
            self._entry.ringing = False
        self.world.pbx.hang_up(leg, cause)
        self.release(agent, 0)
        self.after(RETRY, self._try)

    def _answer(self) -> None:
        agent, leg = self._agent(), self.agent_leg
        if leg is None or self.customer is None or self._entry is None:
            return
        pbx, queues, now = self.world.pbx, self.world.queues, self.world.clock.now
        pbx.set_state(leg, State.UP)
        pbx.emit("DialEnd", self.customer, dest=leg, DialStatus="ANSWER")
        pbx.emit("MusicOnHoldStop", self.customer)
        queues.leave(self.queue, self._entry)
        self._entry = None
        self._hold = now - self._joined
        queues.connected(self.queue, agent.device, self._hold)
        pbx.emit(
            "AgentConnect",
            self.customer,
            dest=leg,
            Queue=self.queue,
            Interface=agent.device,
            MemberName=agent.name,
            HoldTime=int(self._hold),
            RingTime=int(now - self._rang_at),
        )
        self.bridged(leg, self.customer)

    def hang_up(self, by: str, cause: int = 16) -> None:
        if self.over or self.customer is None:
            return
        if self.taken is not None:
            self.taken.end(by, cause, soft=self._soft)
            return
        pbx, agent, leg = self.world.pbx, self.agent, self.agent_leg
        if by == "agent" and leg is not None and self.answered_at is None:
            # The ringing leg alone was hung up: the caller stays in the queue.
            pbx.emit("DialEnd", self.customer, dest=leg, DialStatus="CANCEL")
            self._back_in_line(self._agent(), leg, cause)
            return
        self.says_bye(leg if by == "agent" else self.customer, cause)
        if self.answered_at is None:
            self._abandoned()
            reason = "abandoned"
        else:
            reason = by
            if self.bridge is None and leg is not None:  # whom it was transferred to was ringing
                pbx.emit("DialEnd", self.customer, dest=leg, DialStatus="CANCEL")
            for channel in (self.customer, leg) if by == "customer" else (leg, self.customer):
                if channel is not None:
                    pbx.leave(channel)
            self._part(by, cause)
        pbx.hang_up(self.customer, cause)  # if it is still there
        self.finish(reason)
        if agent is not None:
            wrapup = self.world.queues.queues[self.queue].wrapup
            by_queue = self.answered_at is not None and not self.transferred
            self.release(agent, wrapup if by_queue else 0)

    def _abandoned(self) -> None:
        pbx = self.world.pbx
        if self.agent_leg is not None:
            pbx.emit("DialEnd", self.customer, dest=self.agent_leg, DialStatus="CANCEL")
            pbx.hang_up(self.agent_leg, 26)
        if self._entry is not None:
            self.world.queues.abandon(self.queue, self._entry)
            self._entry = None

    def _part(self, by: str, cause: int) -> None:
        """AgentComplete comes before, between or after the two Hangups, as it happens; it
        shows only the legs that are still there (app_queue.c:2434)."""
        pbx, leg, customer = self.world.pbx, self.agent_leg, self.customer
        if leg is None or customer is None:
            return
        legs = [leg, customer] if self.world.rng.random() < 0.7 else [customer, leg]
        when = -1 if self.transferred else self.world.rng.randrange(3)
        for i, channel in enumerate((*legs, None)):
            if i == when:
                self.complete("caller" if by == "customer" else "agent")
            if channel is not None:
                pbx.hang_up(channel, cause)

    def complete(self, reason: str) -> None:
        """The queue is done with the call."""
        agent, leg, customer = self._agent(), self.agent_leg, self.customer
        talk = self.world.clock.now - (self.answered_at or 0.0)
        self.world.queues.completed(self.queue, agent.device, talk)
        self.world.pbx.emit(
            "AgentComplete",
            customer if customer is not None and not customer.gone else None,
            dest=leg if leg is not None and not leg.gone else None,
            Queue=self.queue,
            Interface=agent.device,
            MemberName=agent.name,
            HoldTime=int(self._hold),
            TalkTime=int(talk),
            Reason=reason,
        )
