"""An agent hands a call from a queue to another one, without asking first (blind)."""

from __future__ import annotations

from monitord.simulator.agents import Agent
from monitord.simulator.inbound import InboundCall
from monitord.simulator.pbx import State

CONTEXT = "from-internal"


def can_be_transferred(call: InboundCall) -> bool:
    """Once, while they talk; not from hold, whose end would come first."""
    return call.talking and not call.held and not call.transferred and call.taken is None


def transfer(call: InboundCall, to: Agent) -> None:
    """What Asterisk does with the REFER of the agent's phone."""
    pbx, leg, customer, bridge = call.world.pbx, call.agent_leg, call.customer, call.bridge
    agent = call.agent
    if leg is None or customer is None or bridge is None or agent is None:
        return
    call.forget_plans()
    call.stop_talking()
    pbx.emit("Unhold", leg)  # also of one that was not on hold
    pbx.leave(leg)
    bridge.channels.append(leg)  # the message counts both
    pbx.emit(
        "BlindTransfer",
        transferer=leg,
        transferee=customer,
        bridge=bridge,
        Result="Success",
        IsExternal="Yes",
        Context=CONTEXT,
        Extension=to.endpoint,
    )
    bridge.channels.remove(leg)
    call.complete("transfer")
    customer.context, customer.exten, customer.priority = CONTEXT, to.endpoint, 1
    pbx.leave(customer)
    call.bridge, call.transferred, call.agent = None, True, to
    call.world.floor.set_status(to, "ringing", call.world.clock.now)
    pbx.execute(customer, "Dial", to.device, priority=2)
    ringing = call.dialled_leg(to, "AppDial")
    pbx.emit("DialBegin", customer, dest=ringing, DialString=to.endpoint)
    pbx.set_connected(customer, ringing.caller)
    pbx.announce(ringing)
    pbx.hang_up(leg)
    call.release(agent, call.world.queues.queues[call.queue].wrapup)
    call.after(0.1, lambda: pbx.set_state(ringing, State.RINGING))

    def answered() -> None:
        pbx.set_state(ringing, State.UP)
        pbx.emit("DialEnd", customer, dest=ringing, DialStatus="ANSWER")
        pbx.execute(ringing, "AppDial", "(Outgoing Line)", exten="")
        call.bridged(ringing, customer)
        for watcher in list(call.on_agent):
            watcher()

    call.after(call.world.rng.uniform(1.5, 4), answered)
