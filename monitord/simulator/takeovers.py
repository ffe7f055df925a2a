"""Barge-Kick: a supervisor takes the customer over from the agent, in the two ways that are kept
in recordings of real Asterisk, and both end together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitord.simulator.inbound import InboundCall
from monitord.simulator.pbx import Bridge, Channel

if TYPE_CHECKING:
    from monitord.simulator.supervisions import Supervision

CONTEXT = "monitord-takeover"


def can_be_taken(call: InboundCall, spyer: Channel) -> bool:
    """A customer who waits on hold has nobody to be taken from, and out of a spy on a leg without
    sound nobody gets (asterisk#978)."""
    return (
        call.talking
        and not call.held
        and call.taken is None
        and call.bridge is not None
        and call.agent_leg is not None
        and not call.agent_leg.silent
        and spyer.spying
    )


class Takeover:
    """From the moment in which the agent is out to the common end."""

    def __init__(self, supervision: Supervision, call: InboundCall, spyer: Channel) -> None:
        if call.customer is None or call.agent_leg is None:
            raise RuntimeError("there is no call to take over")
        self._supervision = supervision
        self._call = call
        self._pbx = call.world.pbx
        self._spyer = spyer
        self._customer = call.customer
        self._agent_leg = call.agent_leg
        self._room = ""

    def begin(self, way: str) -> None:
        """`way`: conference or bridge. The supervision's segment has ended."""
        call, rng = self._call, self._call.world.rng
        call.forget_plans()
        call.stop_talking()
        call.taken = self
        self._spyer.spying = False
        if way == "conference":
            self._by_conference(rng.random() < 0.5)
        else:
            self._by_bridge()
        chosen = rng.choice(call.campaign.results)
        length = rng.uniform(25, 90)
        call.after(length - 3, lambda: call.set_result(chosen))
        by = "customer" if rng.random() < 0.6 else "supervisor"
        call.after(length, lambda: self.end(by, 16))

    def end(self, by: str, cause: int, *, soft: bool = False) -> None:
        """`by`: customer, supervisor, or disconnected (the supervisor's channel, by AMI). `soft`:
        asked for by AMI, which has been announced."""
        call = self._call
        if call.over:
            return
        if by == "disconnected":
            self._pbx.soft_hangup(self._spyer, cause)
        elif not soft:
            who = self._customer if by == "customer" else self._spyer
            self._pbx.emit("HangupRequest", who, Cause=cause)
        first = self._customer if by == "customer" else self._spyer
        if self._room:
            self._end_conference(first)
        else:
            self._end_bridge(first)
        agent = call.agent
        call.finish("customer" if by == "customer" else "supervisor")
        if agent is not None:
            call.release(agent, call.world.queues.queues[call.queue].wrapup)
        reason = {"supervisor": "hung_up", "disconnected": "disconnected"}.get(by, "call_ended")
        self._supervision.gone(reason, cause)

    # -- ChannelRedirect of the customer into a conference (*225, 0) --------------------

    def _by_conference(self, agent_first: bool) -> None:
        pbx, spyer, customer = self._pbx, self._spyer, self._customer
        self._room = room = "".join(c for c in spyer.uniqueid if c.isdigit())
        lines = (
            ("Set", f"MONITORD_PEER={customer.name}"),
            ("GotoIf", "0?again"),
            ("Set", f"MONITORD_ROOM={room}"),
            ("Set", f"GLOBAL(MONITORD_{room})={spyer.name}"),
            ("ChannelRedirect", f"{customer.name},{CONTEXT},{room},1"),
            ("Set", "CONFBRIDGE(user,marked)=yes"),
            ("Set", "CONFBRIDGE(user,quiet)=yes"),
            ("ConfBridge", room),
        )
        for priority, (application, data) in enumerate(lines, start=1):
            pbx.execute(spyer, application, data, priority=priority)
            if application == "ChannelRedirect":
                customer.context, customer.exten, customer.priority = CONTEXT, room, 1
                pbx.leave(customer)
        # Three threads go on side by side: both orders are in the recordings.
        bridge = pbx.new_bridge(room)
        if agent_first:
            self._agent_out()
        self._join(bridge, spyer)
        if not agent_first:
            self._agent_out()
        for priority, (application, data) in enumerate(
            (
                ("Set", f"MONITORD_ROOM={room}"),
                ("Set", "CONFBRIDGE(user,end_marked)=yes"),
                ("Set", "CONFBRIDGE(user,quiet)=yes"),
                ("ConfBridge", room),
            ),
            start=1,
        ):
            pbx.execute(customer, application, data, priority=priority, returned=priority == 1)
        self._join(bridge, customer)

    def _agent_out(self) -> None:
        self._pbx.leave(self._agent_leg)
        self._pbx.hang_up(self._agent_leg)

    def _join(self, bridge: Bridge, channel: Channel) -> None:
        self._pbx.enter(bridge, channel)
        self._pbx.emit(
            "ConfbridgeJoin",
            channel,
            bridge=bridge,
            Conference=self._room,
            Admin="No",
            Muted="No",
        )

    def _part(self, channel: Channel) -> None:
        bridge = channel.bridge
        self._pbx.emit("ConfbridgeLeave", channel, bridge=bridge, Conference=self._room, Admin="No")
        self._pbx.leave(channel)

    def _end_conference(self, first: Channel) -> None:
        pbx, spyer, customer = self._pbx, self._spyer, self._customer
        if first is customer:
            self._part(customer)
            self._call.complete("caller")
            pbx.execute(spyer, "ConfBridge", self._room, exten="bye", priority=1)
            self._part(spyer)
        else:
            self._part(spyer)
            self._part(customer)
            self._call.complete("caller")
        customer.exten, customer.priority = "h", 7
        pbx.execute(spyer, "GotoIf", "1?done", exten="h", priority=1)
        pbx.execute(spyer, "NoOp", "", priority=6)
        for channel in (first, customer if first is spyer else spyer):
            pbx.hang_up(channel)

    # -- AMI Bridge of the supervisor's channel and the customer's ----------------------

    def _by_bridge(self) -> None:
        """No ChanSpyStop comes, and the two get one linkedid (the older one)."""
        pbx, spyer, customer = self._pbx, self._spyer, self._customer
        spyer.priority += 1
        spyer.application = spyer.data = ""
        bridge = pbx.new_bridge()
        pbx.enter(bridge, spyer)
        pbx.leave(customer)
        pbx.enter(bridge, customer)
        spyer.linkedid = customer.linkedid
        pbx.set_connected(spyer, customer.caller)
        pbx.set_connected(customer, spyer.caller)
        self._agent_out()

    def _end_bridge(self, first: Channel) -> None:
        pbx, spyer, customer = self._pbx, self._spyer, self._customer
        self._call.complete("caller")
        second = customer if first is spyer else spyer
        pbx.leave(first)
        pbx.leave(second)
        if second is spyer:
            pbx.execute(spyer, "Hangup", "16", returned=True)
        pbx.hang_up(first)
        pbx.hang_up(second)
