"""Channels and bridges: which legs there are, whose call each belongs to, and who is together."""

from __future__ import annotations

from sys import intern

from monitord.domain import agents, calls, recordings, supervisions, takeover
from monitord.domain import events as ev
from monitord.domain.endpoint import endpoint_of, is_snoop
from monitord.domain.events import At, Snapshot
from monitord.domain.state import GONE_KEPT, Call, Channel, Shard
from monitord.domain.words import Provenance

# --- channels ----------------------------------------------------------------------------


def see(shard: Shard, snap: Snapshot, at: At, *, created: bool = False) -> Channel | None:
    """The channel of a snapshot, made known if it was not; None where it is gone already."""
    channel = shard.channels.get(snap.uniqueid)
    if channel is None:
        if snap.uniqueid in shard.gone or not snap.uniqueid:
            return None
        # Interned: thousands of legs have the same, each in a text of its own out of a message.
        channel = Channel(
            uniqueid=intern(snap.uniqueid),
            name=snap.name,
            endpoint=intern(endpoint_of(snap.name)),
            linkedid=intern(snap.linkedid),
            created=at,
            exact=created,
            exten=intern(snap.exten),
            account=intern(snap.account),
            spy=is_snoop(snap.name),
        )
        shard.channels[channel.uniqueid] = channel
        _join_call(shard, channel, at, exact=created)
    elif snap.linkedid and snap.linkedid != channel.linkedid:
        _relink(shard, channel, snap.linkedid, at)
    if snap.state:
        channel.state = snap.state
    if snap.caller:
        channel.caller = snap.caller
    if snap.account:
        channel.account = snap.account
    channel.seen = True
    if snap.variables != channel.told:  # else each of them is a label already, or is none
        channel.told = snap.variables
        for name, value in snap.variables:
            calls.take_label(shard, channel, name, value, at, announced=False)
    return channel


def _relink(shard: Shard, channel: Channel, linkedid: str, at: At) -> None:
    """A bridge gives all who are in it the oldest linkedid (bridge_channel.c). Between two real
    calls the leg moves; where the other is nobody's call, such as a supervisor's own line, the
    call stays what it is and has one more name."""
    own = shard.calls.get(channel.call)
    other = shard.calls.get(shard.by_linkedid.get(linkedid, ""))
    channel.linkedid = linkedid
    if own is not None and own.real and not channel.spy and (other is None or not other.real):
        if other is not None and other is not own:
            for uniqueid in list(other.legs):
                leg = shard.channels[uniqueid]
                leg.call = own.id
                own.legs[uniqueid] = None
                shard.name_call(own, uniqueid)
            other.legs.clear()
            calls.end_call(shard, other, at)
        shard.name_call(own, linkedid, linkedid=True)
        calls.update(shard, own, at)
        return
    _leave_call(shard, channel, at)
    _join_call(shard, channel, at, exact=True)


def _join_call(shard: Shard, channel: Channel, at: At, *, exact: bool) -> None:
    linkedid = channel.linkedid or channel.uniqueid
    known = shard.by_linkedid.get(linkedid)
    call = shard.calls.get(known) if known is not None else None
    if call is None and channel.spy:
        channel.call = ""
        return
    if call is None:
        call_id = calls.new_id(shard, linkedid)
        call = Call(
            id=call_id,
            call_id=linkedid,
            started=at,
            started_exact=exact,
            origin=channel.uniqueid,
        )
        old = shard.old_calls.pop(call_id, None)
        if old is not None:
            calls.restore(call, old, at)
        shard.calls[call_id] = call
        shard.name_call(call, linkedid, linkedid=True)
    if channel.uniqueid == linkedid:
        call.origin = channel.uniqueid  # also where the PBX lists another leg first
    channel.call = call.id
    shard.name_call(call, channel.uniqueid)
    if not channel.spy:
        call.legs[channel.uniqueid] = None
        shard.touch_call(call)


def _leave_call(shard: Shard, channel: Channel, at: At) -> None:
    call = shard.calls.get(channel.call)
    if call is None or channel.uniqueid not in call.legs:
        return
    del call.legs[channel.uniqueid]
    if call.legs:
        calls.update(shard, call, at)
    else:
        calls.end_call(shard, call, at)


def become_spy(shard: Shard, channel: Channel, at: At) -> None:
    """A channel turned out to be a supervisor's: take it out of the calls."""
    if not channel.spy:
        channel.spy = True
        _leave_call(shard, channel, at)


def remove(shard: Shard, uniqueid: str, at: At, *, exact: bool = True) -> None:
    """A channel is gone. Not ``exact``: it was missed when the PBX was asked what it has."""
    shard.gone[uniqueid] = shard.spies_of.get(uniqueid) or shard.gone.get(uniqueid, 0)
    if len(shard.gone) > GONE_KEPT:
        del shard.gone[next(iter(shard.gone))]
    channel = shard.channels.get(uniqueid)
    if channel is None:
        return
    bridge = channel.bridge
    supervisions.channel_gone(shard, channel, at, exact=exact)
    leave_bridge(shard, channel)
    if bridge is not None:
        takeover.bridge_left(shard, channel, bridge, at)
    call = shard.call_of(uniqueid)
    agent = shard.agent_of(channel)
    recordings.channel_gone(shard, channel, at, exact=exact)
    # Only for whom the queue itself has connected: one whose telephone merely rang, or to whom the
    # call was transferred, has no wrap-up.
    if call is not None and agent is not None and exact and channel.agent and channel.talked:
        agents.leg_gone(shard, agent, call, at)
    _leave_call(shard, channel, at)
    shard.paying.pop(uniqueid, None)
    del shard.channels[uniqueid]


# --- bridges -----------------------------------------------------------------------------


def leave_bridge(shard: Shard, channel: Channel, at: At | None = None) -> None:
    if channel.bridge is None:
        return
    if at is not None:
        channel.unbridged = at.mono
    members = shard.bridges.get(channel.bridge)
    if members is not None:
        members.pop(channel.uniqueid, None)
        if not members:
            del shard.bridges[channel.bridge]
    channel.bridge = None


def _refresh(shard: Shard, channel: Channel | None, at: At) -> None:
    if channel is not None and not channel.spy:
        call = shard.calls.get(channel.call)
        if call is not None:
            calls.update(shard, call, at)


def _refresh_bridge(shard: Shard, bridge: str, at: At) -> None:
    for call_id in {shard.channels[u].call: None for u in shard.bridges.get(bridge, ())}:
        call = shard.calls.get(call_id)
        if call is not None and call.legs:
            calls.update(shard, call, at)


# --- events ------------------------------------------------------------------------------


def on_created(shard: Shard, event: ev.ChannelCreated, at: At) -> None:
    channel = see(shard, event.channel, at, created=True)
    if channel is not None:
        channel.exact = True  # another event may have named it a moment before
    _refresh(shard, channel, at)


def on_changed(shard: Shard, event: ev.ChannelChanged, at: At) -> None:
    """Half of these events tell nothing that is followed."""
    channel = shard.channels.get(event.channel.uniqueid)
    before = (channel.state, channel.caller, channel.account) if channel is not None else None
    channel = see(shard, event.channel, at)
    if channel is not None and before != (channel.state, channel.caller, channel.account):
        _refresh(shard, channel, at)


def on_renamed(shard: Shard, event: ev.ChannelRenamed, at: At) -> None:
    channel = shard.channels.get(event.uniqueid)
    if channel is not None:
        channel.name = event.name
        channel.endpoint = endpoint_of(event.name)
        _refresh(shard, channel, at)


def on_hung_up(shard: Shard, event: ev.ChannelHungUp, at: At) -> None:
    remove(shard, event.uniqueid, at)


def on_dial(shard: Shard, event: ev.DialBegun, at: At) -> None:
    dest = see(shard, event.dest, at)
    caller = see(shard, event.caller, at) if event.caller is not None else None
    if dest is None:
        return
    dest.dialled = True
    call = shard.calls.get(dest.call)
    if call is None or dest.spy:
        return
    if caller is not None and not caller.spy:
        calls.make_real(shard, call)
    calls.update(shard, call, at)


def on_bridge_entered(shard: Shard, event: ev.BridgeEntered, at: At) -> None:
    channel = see(shard, event.channel, at)
    if channel is None:
        return
    if channel.bridge != event.bridge:
        leave_bridge(shard, channel, at)
        channel.bridge = event.bridge
    shard.bridges.setdefault(event.bridge, {})[channel.uniqueid] = None
    _refresh_bridge(shard, event.bridge, at)
    takeover.bridge_entered(shard, channel, event.bridge, at)
    supervisions.recheck(shard, event.bridge, at)


def on_bridge_left(shard: Shard, event: ev.BridgeLeft, at: At) -> None:
    channel = shard.channels.get(event.uniqueid)
    if channel is not None and channel.bridge == event.bridge:
        leave_bridge(shard, channel, at)
        _refresh(shard, channel, at)
        _refresh_bridge(shard, event.bridge, at)
        takeover.bridge_left(shard, channel, event.bridge, at)
        supervisions.recheck(shard, event.bridge, at)


def on_hold(shard: Shard, event: ev.HoldChanged, at: At) -> None:
    channel = shard.channels.get(event.uniqueid)
    if channel is not None:
        channel.held = event.held
        _refresh(shard, channel, at)


def on_queue_joined(shard: Shard, event: ev.QueueJoined, at: At) -> None:
    channel = see(shard, event.channel, at)
    call = shard.call_of(event.channel.uniqueid) if channel is not None else None
    if call is not None:
        call.queue = event.queue
        calls.make_real(shard, call)
        calls.update(shard, call, at)


def on_queue_left(shard: Shard, event: ev.QueueLeft, at: At) -> None:
    """The queue's name stays on the call: it is how the call came to its agent."""
    _refresh(shard, shard.channels.get(event.uniqueid), at)


def on_agent_rung(shard: Shard, event: ev.AgentRung, at: At) -> None:
    endpoint = agents.by_interface(shard, event.interface)
    channel = shard.channels.get(event.agent_channel or "")
    if channel is not None:
        channel.agent = endpoint
        channel.dialled = True
    call = shard.call_of(event.caller)
    if call is not None:
        call.queue = event.queue or call.queue
        calls.make_real(shard, call)
        calls.update(shard, call, at)


def on_agent_connected(shard: Shard, event: ev.AgentConnected, at: At) -> None:
    endpoint = agents.by_interface(shard, event.interface, name=event.member)
    channel = shard.channels.get(event.agent_channel or "")
    if channel is not None:
        channel.agent = endpoint
    call = shard.call_of(event.caller or "") or shard.call_of(event.agent_channel or "")
    if call is not None:
        call.queue = event.queue or call.queue
        calls.take_agent(shard, call, endpoint, Provenance.OBSERVED, at)
        calls.make_real(shard, call)
        calls.update(shard, call, at)
