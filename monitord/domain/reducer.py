"""The one way in which state changes: an event is applied, and what became different comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from monitord.domain import (
    agents,
    calls,
    kinds,
    legs,
    payments,
    reconcile,
    recordings,
    resync,
    roster,
    scores,
    supervisions,
    takeover,
)
from monitord.domain import events as ev
from monitord.domain.events import At, Event
from monitord.domain.ledger import CallRecord, Record
from monitord.domain.show import (
    agent_view,
    call_record,
    call_view,
    pbx_view,
    segment_record,
    supervision_record,
    supervision_view,
)
from monitord.domain.state import Call, Shard
from monitord.domain.views import Entity


class Change(Struct, frozen=True, gc=False):
    """One entity of the live picture became different. ``old`` None: it is new; ``new`` None: it
    is gone."""

    kind: str
    id: str
    old: Entity | None
    new: Entity | None


class Outcome(Struct, frozen=True, gc=False):
    """What an event led to."""

    changes: list[Change]
    records: list[Record]
    asks: list[str]
    """Uniqueids of which Status should be asked, because nothing said their type."""


_HANDLERS: dict[type[Event], Callable[[Shard, Any, At], None]] = {
    ev.LinkChanged: resync.on_link,
    ev.BootSeen: resync.on_boot,
    ev.ResyncBegun: resync.on_begun,
    ev.ResyncEnded: resync.on_ended,
    ev.ReconcileBegun: reconcile.on_reconcile_begun,
    ev.ReconcileEnded: reconcile.on_reconcile_ended,
    ev.ChannelTold: resync.on_channel,
    ev.ChannelUnknown: reconcile.on_unknown,
    ev.Remembered: resync.on_remembered,
    ev.RosterChanged: roster.on_changed,
    ev.ChannelCreated: legs.on_created,
    ev.ChannelChanged: legs.on_changed,
    ev.ChannelRenamed: legs.on_renamed,
    ev.ChannelHungUp: legs.on_hung_up,
    ev.VariableSet: calls.on_variable,
    ev.DialBegun: legs.on_dial,
    ev.BridgeEntered: legs.on_bridge_entered,
    ev.BridgeLeft: legs.on_bridge_left,
    ev.HoldChanged: legs.on_hold,
    ev.QueueJoined: legs.on_queue_joined,
    ev.QueueLeft: legs.on_queue_left,
    ev.AgentRung: legs.on_agent_rung,
    ev.AgentConnected: legs.on_agent_connected,
    ev.UserSaid: payments.on_user_event,
    ev.ScoreSaid: scores.on_user_event,
    ev.RecordingMuted: payments.on_muted,
    ev.RecordingStarted: recordings.on_started,
    ev.RecordingStopped: recordings.on_stopped,
    ev.AppStarted: kinds.on_app,
    ev.SpyStarted: supervisions.on_started,
    ev.SpyStopped: supervisions.on_stopped,
    ev.KeyPressed: kinds.on_key,
    ev.DisconnectSent: supervisions.on_disconnect_sent,
    ev.DisconnectSettled: supervisions.on_disconnect_settled,
    ev.AgentCompleted: agents.on_completed,
    ev.MemberSeen: agents.on_member,
    ev.MemberPaused: agents.on_member_paused,
    ev.MemberRemoved: agents.on_member_removed,
    ev.DeviceChanged: agents.on_device,
    ev.MarkBegun: lambda shard, event, at: None,
    ev.MarkEnded: lambda shard, event, at: None,
    ev.Tick: lambda shard, event, at: None,
}


_NOTHING = Outcome([], [], [])

_OF_LEGS_AND_QUEUES = frozenset(
    {
        *(ev.ChannelCreated, ev.ChannelChanged, ev.ChannelRenamed, ev.ChannelHungUp),
        *(ev.VariableSet, ev.DialBegun, ev.BridgeEntered, ev.BridgeLeft, ev.HoldChanged),
        *(ev.QueueJoined, ev.QueueLeft, ev.AgentRung, ev.AgentConnected, ev.AgentCompleted),
        *(ev.AppStarted, ev.MemberSeen, ev.MemberPaused, ev.DeviceChanged),
    }
)
"""What a busy PBX sends nearly all the time."""


def reduce(shard: Shard, event: Event, at: At, *, later: bool = False) -> Outcome:
    """Apply ``event`` to ``shard``.

    Deadlines that passed before ``at`` are carried out first, at the time they were due, so that
    the result does not depend on when somebody looked.

    ``later``: what is shown and kept of calls and agents may wait for :func:`settle`, which makes
    it once for any number of events. What is never left: the end of a call, a call under
    supervision, and supervisions themselves, of which each state counts.
    """
    later = later and type(event) in _OF_LEGS_AND_QUEUES and not shard.resyncing
    changes: list[Change] = []
    if not later and shard.left:
        _settle(shard, changes)  # as they were before it
    if (shard.wrapping or shard.leaving) and shard.lost_at is None:  # else nobody can know
        _pass_time(shard, at)
    _HANDLERS[type(event)](shard, event, at)
    if later and not (
        shard.dirty_calls
        or shard.dirty_supervisions
        or shard.records
        or shard.asks
        or shard.full != shard.told_full
    ):
        return _NOTHING
    return _outcome(shard, changes, later)


def settle(shard: Shard) -> Outcome:
    """What was left for later."""
    if not (shard.left or shard.dirty_agents or shard.dirty_calls):
        return _NOTHING
    return _outcome(shard, [], False)


def _pass_time(shard: Shard, at: At) -> None:
    """Carry out what is due, the earliest first."""
    while True:
        wrap_up = agents.due(shard, at.mono)
        leaving = takeover.leaving_due(shard, at.mono)
        if leaving is not None and (wrap_up is None or leaving[0] <= wrap_up[0]):
            takeover.has_left(shard, leaving[1])
        elif wrap_up is not None:
            mono, endpoint = wrap_up
            agents.wrap_up_over(shard, endpoint, At(mono, at.wall - (at.mono - mono)))
        else:
            return


def _outcome(shard: Shard, changes: list[Change], later: bool) -> Outcome:
    if not later or shard.full != shard.told_full:
        shard.told_full = shard.full
        pbx = pbx_view(shard)
        if pbx != shard.view:
            changes.append(Change("pbx", shard.pbx, shard.view, pbx))
            shard.view = pbx
    if not later:
        _settle(shard, changes)
    elif shard.dirty_calls:
        for call_id in shard.dirty_calls:
            call = shard.calls.get(call_id)
            if call is not None and call.ended is None and not call.watchers:
                shard.left[call_id] = None
            else:
                shard.left.pop(call_id, None)
                _settle_call(shard, call, changes)
        shard.dirty_calls.clear()
    if shard.dirty_supervisions:
        _settle_supervisions(shard, changes)
    records, shard.records = shard.records, []
    asks = list(shard.asks)
    shard.asks.clear()
    return Outcome(changes, records, asks)


def _settle(shard: Shard, changes: list[Change]) -> None:
    touched, shard.left = {**shard.left, **shard.dirty_calls}, {}
    shard.dirty_calls.clear()
    for call_id in touched:
        _settle_call(shard, shard.calls.get(call_id), changes)
    for endpoint in shard.dirty_agents:
        agent = shard.agents[endpoint]
        view = agent_view(shard, agent) if agent.started else None
        if view != agent.view:
            changes.append(Change("agent", f"{shard.pbx}/{endpoint}", agent.view, view))
            agent.view = view
    shard.dirty_agents.clear()


def _settle_call(shard: Shard, call: Call | None, changes: list[Change]) -> None:
    if call is None:
        return
    for watcher in call.watchers:
        supervision = shard.supervisions.get(watcher)
        if supervision is not None:
            supervisions.refresh_from_call(shard, supervision)
            supervisions.touch(shard, supervision)
    view = None
    if call.real:
        record = call_record(shard, call)
        if record != call.record:
            call.record = record
            shard.records.append(record)
        if len(call.aliases) > call.told_aliases:
            shard.records.extend(calls.new_aliases(shard, call))
        if call.ended is None:
            view = call_view(shard, call)
    if view != call.view:
        changes.append(Change("call", call.id, call.view, view))
        call.view = view
    if call.ended is not None:
        if agents.awaits_wrap_up(shard, call) and isinstance(call.record, CallRecord):
            shard.ended_calls[call.id] = call.record
        del shard.calls[call.id]


def _settle_supervisions(shard: Shard, changes: list[Change]) -> None:
    for supervision_id in shard.dirty_supervisions:
        supervision = shard.supervisions.get(supervision_id)
        if supervision is None:
            continue
        record = supervision_record(shard, supervision)
        if record != supervision.record:
            supervision.record = record
            shard.records.append(record)
        for segment in supervision.segments:
            row = segment_record(shard, supervision, segment)
            if row != segment.record:
                segment.record = row
                shard.records.append(row)
        view = supervision_view(shard, supervision) if supervision.ended is None else None
        if view != supervision.view:
            changes.append(Change("supervision", supervision.id, supervision.view, view))
            supervision.view = view
        if supervision.ended is not None:
            del shard.supervisions[supervision_id]
    shard.dirty_supervisions.clear()


def differences(old: Entity, new: Entity) -> dict[str, Any]:
    """The fields in which two states of one entity differ, with their new values."""
    return {
        name: value
        for name in old.__struct_fields__
        if (value := getattr(new, name)) != getattr(old, name)
    }


def picture(shard: Shard) -> list[Entity]:
    """All that is shown of the shard now."""
    shown: list[Entity] = [shard.view] if shard.view is not None else []
    shown += [c.view for c in shard.calls.values() if c.view is not None]
    shown += [s.view for s in shard.supervisions.values() if s.view is not None]
    shown += [a.view for a in shard.agents.values() if a.view is not None]
    return shown
