"""An outbound call: the agent's leg first, then Dial through the trunk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from monitord.simulator.agents import Agent
from monitord.simulator.calls import Call
from monitord.simulator.pbx import Channel, Party, State


@dataclass(frozen=True, slots=True)
class Failure:
    status: str  # DialStatus
    cause: int
    sip: int
    share: float  # of all outbound calls


FAILURES = (Failure("BUSY", 17, 486, 0.06), Failure("NOANSWER", 19, 0, 0.08))


class OutboundCall(Call):
    direction = "outbound"

    def start(self, agent: Agent) -> None:
        pbx = self.world.pbx
        self.agent = agent
        self.agent_leg = pbx.new_channel(
            agent.endpoint,
            state=State.RING,
            context="from-internal",
            exten=self.party.number,
            caller=Party(agent.endpoint, agent.name),
            owner=self,
        )
        self.agent_leg.silent = self.silent
        self.world.floor.set_status(agent, "dialing", self.world.clock.now)
        self.world.truth.write("call_started", **self.facts(), agent=agent.device)
        self.label(self.agent_leg)
        pbx.announce(self.agent_leg)
        self.after(0.05, self._dial)

    def _dial(self) -> None:
        leg, pbx = self.agent_leg, self.world.pbx
        if leg is None:
            return
        number = f"{self.party.number}@trunk"
        pbx.execute(leg, "Dial", f"PJSIP/{number},60,tT", priority=3)
        customer = self.customer = pbx.new_channel(
            "trunk",
            state=State.DOWN,
            context="from-trunk",
            exten="s",
            owner=self,
            linked=leg,
        )
        pbx.execute(customer, "AppDial", "(Outgoing Line)")
        pbx.inherit(leg, customer)
        pbx.execute(customer, "AppDial", "(Outgoing Line)", exten=leg.exten)
        pbx.set_caller(customer, Party(leg.exten))
        pbx.set_connected(customer, leg.caller)
        pbx.emit("DialBegin", leg, dest=customer, DialString=number)
        pbx.set_connected(leg, customer.caller)
        self.after(0.8, lambda: self._ringing(customer))
        chance = self.world.rng.random()
        for failure in FAILURES:
            if chance < failure.share:
                self.after(8.0, partial(self._failed, failure))
                return
            chance -= failure.share
        self.after(self.world.rng.uniform(3, 12), self._answer)

    def _ringing(self, customer: Channel) -> None:
        self.world.pbx.set_state(customer, State.RINGING)
        self.world.pbx.emit("DialState", self.agent_leg, dest=customer, DialStatus="RINGING")

    def _failed(self, failure: Failure) -> None:
        pbx, leg, agent = self.world.pbx, self.agent_leg, self._agent()
        if leg is None or self.customer is None:
            return
        pbx.emit("DialEnd", leg, dest=self.customer, DialStatus=failure.status)
        pbx.hang_up(self.customer, failure.cause, failure.sip)
        # The dialplan goes on behind Dial, and keeps the outcome as the call's result.
        pbx.execute(leg, "Set", f"RESULT={failure.status}", priority=4)
        self.result = failure.status
        pbx.set_variable(leg, "RESULT", self.result)
        pbx.hang_up(leg, failure.cause)
        self.finish(failure.status.lower())
        self.release(agent, 0)

    def _answer(self) -> None:
        pbx, leg, customer = self.world.pbx, self.agent_leg, self.customer
        if leg is None or customer is None:
            return
        pbx.set_state(customer, State.UP)
        pbx.emit("DialEnd", leg, dest=customer, DialStatus="ANSWER")
        pbx.set_state(leg, State.UP)
        # app_dial empties the extension of the leg that it bridges.
        pbx.execute(customer, "AppDial", "(Outgoing Line)", exten="")
        self.bridged(customer, leg)

    def hang_up(self, by: str, cause: int = 16) -> None:
        if self.over or self.agent_leg is None:
            return
        pbx, leg, agent = self.world.pbx, self.agent_leg, self._agent()
        self.says_bye(self.customer if by == "customer" else leg, cause)
        if self.customer is not None:
            if self.answered_at is None:
                pbx.emit("DialEnd", leg, dest=self.customer, DialStatus="CANCEL")
            elif by == "customer":
                pbx.leave(self.customer)
                pbx.leave(leg)
            else:
                pbx.leave(leg)
                pbx.leave(self.customer)
            pbx.hang_up(self.customer, cause)
        pbx.hang_up(leg, cause)
        self.finish(by if self.answered_at is not None else "cancelled")
        self.release(agent, 0)
