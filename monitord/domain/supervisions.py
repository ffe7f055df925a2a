"""Supervisions and their segments: who is attached to whom, as what, since when, and why it ended.

A supervision belongs to the supervisor's channel (``SpyerUniqueid``); ChanSpyStop ends a segment,
the channel's own end ends the supervision (glossary; ami-facts 1.1: never by the pair).
"""

from __future__ import annotations

from monitord.domain import calls, kinds, legs, takeover
from monitord.domain import events as ev
from monitord.domain.endpoint import endpoint_of
from monitord.domain.events import At
from monitord.domain.ledger import SegmentRecord, SupervisionRecord
from monitord.domain.state import Call, Channel, Segment, Shard, Supervision, make_id
from monitord.domain.words import EndReason, Provenance, SpyType, SupervisionState

WITH_THE_CALL_MS = 1000
"""A supervisor's channel that goes this soon after the spied one went with it. Only used where
the options are not known; with option E it is certain."""


# --- what ChanSpy tells ------------------------------------------------------------------


def on_started(shard: Shard, event: ev.SpyStarted, at: At) -> None:
    spyer = legs.see(shard, event.spyer, at)
    spyee = legs.see(shard, event.spyee, at) if event.spyee is not None else None
    if spyer is None:
        return
    attach(shard, spyer, spyee, at, exact=True)


def attach(
    shard: Shard,
    spyer: Channel,
    spyee: Channel | None,
    at: At,
    *,
    exact: bool,
    spyee_provenance: Provenance | None = None,
) -> Supervision:
    """The supervisor's channel listens to ``spyee`` from now on."""
    exact = exact and shard.unseen is None
    legs.become_spy(shard, spyer, at)
    call = calls.call_under(shard, spyee) if spyee is not None else None
    agent, provenance = _agent_under(shard, spyee, call)
    if spyee_provenance is not None and agent is not None:
        provenance = spyee_provenance

    supervision = shard.supervision_of(spyer.uniqueid)
    moved: Supervision | None = None
    if supervision is not None:
        segment = supervision.open_segment
        if segment is not None:
            if spyee is None or segment.spyee == spyee.uniqueid:
                return supervision  # told twice
            close_segment(shard, supervision, at)
        if agent is not None and supervision.agent not in (None, agent):
            moved, supervision = supervision, None
    if supervision is None:
        supervision = _begin_after(shard, spyer, moved, at, exact=exact)
    elif supervision.state is SupervisionState.WAITING:
        supervision.waiting_ms += max(0, at.mono - supervision.since.mono)
    if supervision.agent is None and agent is not None:
        supervision.agent, supervision.agent_provenance = agent, provenance

    supervision.state, supervision.since = SupervisionState.ACTIVE, at
    supervision.spying = spyee.uniqueid if spyee is not None else None
    takeover.stay(shard, supervision)
    segment = Segment(
        n=len(supervision.segments) + 1,
        type=SpyType.UNKNOWN,
        at_least=False,
        type_provenance=Provenance.UNVERIFIED,
        spyee=spyee.uniqueid if spyee is not None else None,
        call=call.id if call is not None else None,
        started=at,
        started_exact=exact,
    )
    supervision.segments.append(segment)
    if call is not None:
        call.watchers[supervision.id] = None
        calls.make_real(shard, call)
        calls.update(shard, call, at)
    kinds.take_spec(shard, supervision, spyer)
    if segment.type is SpyType.UNKNOWN:
        shard.asks[spyer.uniqueid] = None
    touch(shard, supervision)
    return supervision


def _agent_under(
    shard: Shard, spyee: Channel | None, call: Call | None
) -> tuple[str | None, Provenance | None]:
    """Whose call is listened to: the spied leg's agent, else the call's, else the spied endpoint,
    unless that is the caller who waits for an agent."""
    if spyee is None:
        return None, None
    agent = shard.agent_of(spyee)
    if agent is not None:
        if call is not None and call.agent == agent and call.agent_provenance is not None:
            return agent, call.agent_provenance
        return agent, Provenance.DERIVED
    if call is None:
        return None, None
    if call.agent is not None:
        return call.agent, call.agent_provenance
    others = [u for u in call.legs if u != spyee.uniqueid]
    if call.origin == spyee.uniqueid and (others or call.queue):
        return None, None
    # Not an agent for good: on a plain PBX it may as well be a trunk that was spied on.
    spyee.supervised = True
    return spyee.endpoint, Provenance.UNVERIFIED


def _begin_after(
    shard: Shard, spyer: Channel, moved: Supervision | None, at: At, *, exact: bool
) -> Supervision:
    """A new supervision. Where the supervisor's channel has ``moved`` on to it from another one,
    that one ends, and what belongs to the channel goes along: the type that was chosen by keypad,
    and the person whose hang-up was sent, which may come only now."""
    carried = (moved.keyed, moved.disconnect) if moved is not None else (None, None)
    if moved is not None:
        end(shard, moved, at, EndReason.MOVED)
    supervision = _begin(shard, spyer, at, exact=exact)
    supervision.keyed, supervision.disconnect = carried
    return supervision


def _begin(shard: Shard, spyer: Channel, at: At, *, exact: bool) -> Supervision:
    count, new_id = 0, ""
    while not new_id or new_id in shard.used:  # by an earlier process
        count = shard.spies_of.get(spyer.uniqueid, 0) + 1
        shard.spies_of[spyer.uniqueid] = count
        new_id = make_id(shard.pbx, shard.boot, "supervision", spyer.uniqueid, count)
    supervision = Supervision(
        id=new_id,
        spyer=spyer.uniqueid,
        supervisor=endpoint_of(spyer.name),
        started=at,
        started_exact=exact,
        since=at,
    )
    shard.supervisions[supervision.id] = supervision
    shard.by_spyer[spyer.uniqueid] = supervision.id
    return supervision


def on_stopped(shard: Shard, event: ev.SpyStopped, at: At) -> None:
    supervision = shard.supervision_of(event.spyer)
    segment = supervision.open_segment if supervision is not None else None
    if supervision is not None:
        supervision.spying = None
    # A Stop that comes after the bridge ends nothing that goes on there.
    if supervision is not None and segment is not None and not segment.in_bridge:
        detach(shard, supervision, at)


def detach(shard: Shard, supervision: Supervision, at: At, *, exact: bool = True) -> None:
    """Nothing is listened to any more; the supervisor's channel is still there."""
    close_segment(shard, supervision, at, exact=exact)
    supervision.state, supervision.since = SupervisionState.WAITING, at
    touch(shard, supervision)


# --- the call under it changes -----------------------------------------------------------


def recheck(shard: Shard, bridge: str, at: At) -> None:
    """Somebody entered or left a bridge: is a spied channel in another call now? It happens where
    an agent waits in a conference for customers who come and go."""
    for supervision in list(shard.supervisions.values()):
        spyee = shard.channels.get(supervision.spying or "")
        if spyee is None or spyee.bridge != bridge or supervision.ended is not None:
            continue
        call = calls.call_under(shard, spyee)
        segment = supervision.segments[-1]
        if call is None or segment.in_bridge or call.id == segment.call:
            continue
        spyer = shard.channels.get(supervision.spyer)
        if spyer is not None and calls.has_customer(shard, call):
            if supervision.open_segment is not None:
                close_segment(shard, supervision, at)
            attach(shard, spyer, spyee, at, exact=True)


def agent_changed(shard: Shard, call: Call, at: At) -> None:
    """A customer's leg is spied on and talks to another agent now: Asterisk says nothing, but
    it is another agent who is supervised (ami-facts 1.2)."""
    for supervision_id in list(call.watchers):
        supervision = shard.supervisions.get(supervision_id)
        segment = supervision.open_segment if supervision is not None else None
        if supervision is None or segment is None or segment.in_bridge:
            continue
        spyee = shard.channels.get(segment.spyee or "")
        spyer = shard.channels.get(supervision.spyer)
        if spyee is None or spyer is None or shard.agent_of(spyee) is not None:
            continue
        if supervision.agent not in (None, call.agent):
            close_segment(shard, supervision, at)  # so that it is not taken for one told twice
            attach(shard, spyer, spyee, at, exact=True)


# --- how it ends -------------------------------------------------------------------------


def channel_gone(shard: Shard, channel: Channel, at: At, *, exact: bool = True) -> None:
    """A channel hung up: a supervisor's own, or one that is listened to."""
    supervision = shard.supervision_of(channel.uniqueid)
    if supervision is not None and supervision.bridge is not None and supervision.left is None:
        takeover.leave(shard, supervision, at)
    if supervision is not None and supervision.left is not None:
        takeover.has_left(shard, supervision.id, gone=at)
    elif supervision is not None:
        end(shard, supervision, at, reason(shard, supervision, at))
    for other in shard.supervisions.values():
        segment = other.open_segment
        if segment is not None and segment.spyee == channel.uniqueid and not segment.in_bridge:
            detach(shard, other, at, exact=exact)
    shard.by_spyer.pop(channel.uniqueid, None)
    shard.spies_of.pop(channel.uniqueid, None)


def reason(shard: Shard, supervision: Supervision, at: At) -> EndReason:
    """Whose doing the end of the supervisor's channel was.

    With option E the spy goes down with the spied channel, which by then has left its bridge; a
    supervisor who hangs up leaves a call behind that goes on.
    """
    segment = supervision.segments[-1]
    spyee = shard.channels.get(segment.spyee or "")
    call = shard.calls.get(segment.call or "")
    goes_on = segment.spyee is None or (
        spyee is not None
        and (
            spyee.bridge is not None
            or call is None
            or not call.talked
            # taken out of its bridge before, to wait or to be parked: it lives
            or (spyee.unbridged is not None and at.mono - spyee.unbridged > WITH_THE_CALL_MS)
        )
    )
    if goes_on:
        return EndReason.DISCONNECTED if supervision.disconnect else EndReason.HUNG_UP
    with_the_call = (
        segment.ended is None or at.mono - segment.ended.mono <= WITH_THE_CALL_MS
        if supervision.exits is None
        else supervision.exits
    )
    if with_the_call:
        return EndReason.CALL_ENDED
    return EndReason.DISCONNECTED if supervision.disconnect else EndReason.HUNG_UP


def end(
    shard: Shard,
    supervision: Supervision,
    at: At,
    reason: EndReason,
    *,
    exact: bool = True,
    after: int | None = None,
) -> None:
    if shard.unseen is not None:
        exact, after = False, after or shard.unseen
    if after is not None:
        after = max(after, supervision.started.wall)
    if supervision.state is SupervisionState.WAITING:
        waited = at.mono - supervision.since.mono
        if after is not None:  # nobody knows what it did in the window of its end
            waited = min(waited, after - supervision.since.wall)
        supervision.waiting_ms += max(0, waited)
    shard.leaving.pop(supervision.id, None)
    close_segment(shard, supervision, at, exact=exact)
    supervision.ended, supervision.end_exact, supervision.end_after = at, exact, after
    supervision.end_reason = reason
    supervision.state = SupervisionState.ENDED
    supervision.disconnect_pending = False
    if reason is not EndReason.DISCONNECTED:
        supervision.disconnect = None
    if shard.by_spyer.get(supervision.spyer) == supervision.id:
        del shard.by_spyer[supervision.spyer]
    touch(shard, supervision)


def call_ended(shard: Shard, call: Call, at: At) -> None:
    """A call is over: what its segments say of it is final."""
    for supervision_id in list(call.watchers):
        supervision = shard.supervisions.get(supervision_id)
        if supervision is not None:
            refresh_from_call(shard, supervision)
            segment = supervision.open_segment
            if segment is not None and segment.in_bridge:
                end(shard, supervision, at, EndReason.CALL_ENDED)
            elif segment is not None:
                detach(shard, supervision, at)
    call.watchers.clear()


def close_segment(shard: Shard, supervision: Supervision, at: At, *, exact: bool = True) -> None:
    segment = supervision.open_segment
    if segment is None:
        return
    refresh_from_call(shard, supervision)
    if shard.unseen is not None:
        exact, segment.end_after = False, max(shard.unseen, segment.started.wall)
    segment.ended, segment.end_exact = at, exact
    call = shard.calls.get(segment.call or "")
    if call is not None:
        call.watchers.pop(supervision.id, None)


# --- a person's disconnect ---------------------------------------------------------------


def on_disconnect_sent(shard: Shard, event: ev.DisconnectSent, at: At) -> None:
    supervision = shard.supervisions.get(event.supervision)
    if supervision is not None and supervision.ended is None:
        supervision.disconnect = (event.by_id, event.by_name)
        supervision.disconnect_pending = True
        touch(shard, supervision)


def on_disconnect_settled(shard: Shard, event: ev.DisconnectSettled, at: At) -> None:
    supervision = shard.supervisions.get(event.supervision)
    if supervision is not None and supervision.disconnect_pending:
        supervision.disconnect_pending = False
        if event.refused:
            supervision.disconnect = None  # what ends it later is not that person's doing
        touch(shard, supervision)


# --- helpers -----------------------------------------------------------------------------


def touch(shard: Shard, supervision: Supervision) -> None:
    shard.dirty_supervisions[supervision.id] = None


def refresh_from_call(shard: Shard, supervision: Supervision) -> None:
    """Copy what is known of the call into the open segment, where it stays as it was then."""
    segment = supervision.open_segment
    call = shard.calls.get(segment.call or "") if segment is not None else None
    if segment is None or call is None:
        return
    segment.call_id = call.call_id
    segment.number = call.number.value if call.number is not None else None
    segment.campaign = call.labels.get("campaign")
    segment.list = call.labels.get("list")
    segment.result = call.labels.get("result")
    if supervision.agent is None and call.agent is not None:
        supervision.agent, supervision.agent_provenance = call.agent, call.agent_provenance


def restore(
    shard: Shard, record: SupervisionRecord, segments: list[SegmentRecord], at: At
) -> Supervision:
    """Go on with the supervision that an earlier process had begun to write."""

    def then(wall: int) -> At:
        return At(at.mono - (at.wall - wall), wall)

    supervision = Supervision(
        id=record.id,
        spyer=record.spyer,
        supervisor=record.supervisor_endpoint,
        started=then(record.started),
        started_exact=record.started_exact,
        agent=record.agent_endpoint,
        agent_provenance=record.agent_provenance,
        means=record.means,
        waiting_ms=record.waiting_ms,
        record=record,
    )
    for old in sorted(segments, key=lambda s: s.n):
        supervision.segments.append(
            Segment(
                n=old.n,
                type=old.type,
                at_least=old.at_least,
                type_provenance=old.type_provenance,
                spyee=old.spyee,
                call=old.call,
                started=then(old.started),
                started_exact=old.started_exact,
                call_id=old.call_id,
                number=old.number,
                campaign=old.campaign,
                list=old.list,
                result=old.result,
                ended=then(old.ended) if old.ended is not None else None,
                end_exact=old.ended_exact,
                in_bridge=old.type_provenance is Provenance.DERIVED,  # only said of bridges
                record=old,
            )
        )
    last = supervision.segments[-1] if supervision.segments else None
    waiting = last is not None and last.ended is not None
    supervision.state = SupervisionState.WAITING if waiting else SupervisionState.ACTIVE
    supervision.since = (last.ended if waiting else last.started) if last else supervision.started  # type: ignore[assignment]
    shard.supervisions[supervision.id] = supervision
    shard.by_spyer[record.spyer] = supervision.id
    shard.spies_of[record.spyer] = shard.spies_of.get(record.spyer, 0) + 1
    touch(shard, supervision)
    return supervision
