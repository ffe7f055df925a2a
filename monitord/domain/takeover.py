"""Out of the spy and into a bridge with the customer, or elsewhere.

A Barge-Kick is known by its effect, whoever caused it; until that shows, a supervisor's channel
that has left the spy may be on its way there.
"""

from __future__ import annotations

from monitord.domain import supervisions
from monitord.domain.endpoint import is_local, is_snoop
from monitord.domain.events import At
from monitord.domain.state import Channel, Segment, Shard, Supervision
from monitord.domain.words import EndReason, Provenance, SpyType, SupervisionState

LEAVE_MS = 3000
"""A supervisor's channel that leaves the spy for a bridge with the customer is there well within
this time (measured: some ms)."""

# --- leaving -----------------------------------------------------------------------------


def depart(shard: Shard, supervision: Supervision, at: At, reason: EndReason) -> None:
    """The channel is neither in the spy nor in the bridge any more. ``reason``: why, if it does
    not turn up with the customer."""
    supervisions.close_segment(shard, supervision, at)
    if supervision.state is not SupervisionState.WAITING:
        supervision.state, supervision.since = SupervisionState.WAITING, at
    if supervision.left is None:
        supervision.left, supervision.leaving_as = at, reason
    supervision.bridge = None
    shard.leaving[supervision.id] = None
    supervisions.touch(shard, supervision)


def stay(shard: Shard, supervision: Supervision) -> None:
    """It did not leave after all."""
    supervision.left = supervision.leaving_as = None
    shard.leaving.pop(supervision.id, None)


def leaving_due(shard: Shard, mono: int) -> tuple[int, str] | None:
    """The first supervision that had its time to turn up in a bridge by ``mono``."""
    first: tuple[int, str] | None = None
    for supervision_id in shard.leaving:
        left = shard.supervisions[supervision_id].left
        assert left is not None
        until = left.mono + LEAVE_MS
        if until <= mono and (first is None or until < first[0]):
            first = (until, supervision_id)
    return first


def has_left(shard: Shard, supervision_id: str, gone: At | None = None) -> None:
    """It did not come back: it ended when it left. ``gone``: the channel has hung up since."""
    supervision = shard.supervisions[supervision_id]
    left, reason = supervision.left, supervision.leaving_as
    assert left is not None and reason is not None
    own_doing = (EndReason.HUNG_UP, EndReason.DISCONNECTED)
    if gone is None and reason in own_doing:
        reason = EndReason.LEFT  # the channel lives, so it went elsewhere
    elif (
        gone is None
        and reason is EndReason.CALL_ENDED
        and supervision.segments[-1].spyee in shard.channels
    ):
        reason = EndReason.LEFT  # so does the customer's
    elif (
        gone is not None
        and reason in own_doing
        and gone.mono - left.mono > supervisions.WITH_THE_CALL_MS
    ):
        reason = EndReason.LEFT
    supervisions.end(shard, supervision, left, reason)


# --- in a bridge -------------------------------------------------------------------------


def bridge_entered(shard: Shard, channel: Channel, bridge: str, at: At) -> None:
    """A Barge-Kick is known by its effect, whoever caused it: the supervisor's channel shares a
    bridge with the call's customer, and the agent is not in it (ami-facts 1.7)."""
    if channel.spy:
        supervision = shard.supervision_of(channel.uniqueid)
        if supervision is not None and not is_snoop(channel.name):
            supervision.bridge = bridge
    for uniqueid in list(shard.bridges.get(bridge, ())):
        supervision = shard.supervision_of(uniqueid)
        if supervision is not None and supervision.bridge == bridge:
            _judge_bridge(shard, supervision, at)


def bridge_left(shard: Shard, channel: Channel, bridge: str, at: At) -> None:
    """After somebody left: the supervision ends with the bridge that it went on in."""
    if channel.spy:
        supervision = shard.supervision_of(channel.uniqueid)
        if supervision is not None and supervision.bridge == bridge:
            leave(shard, supervision, at)
        return
    for uniqueid in list(shard.bridges.get(bridge, ())):
        supervision = shard.supervision_of(uniqueid)
        if supervision is not None and supervision.bridge == bridge:
            _judge_bridge(shard, supervision, at)
    # Behind a Local channel the agent's telephone leaves another bridge than the supervisor's.
    for supervision in list(shard.supervisions.values()):
        elsewhere = supervision.bridge not in (None, bridge) and supervision.ended is None
        if elsewhere and supervision.segments[-1].call == channel.call:
            _judge_bridge(shard, supervision, at)


def _judge_bridge(shard: Shard, supervision: Supervision, at: At) -> None:
    bridge = supervision.bridge or ""
    segment = supervision.segments[-1]
    others = [shard.channels[u] for u in shard.bridges.get(bridge, ()) if u != supervision.spyer]
    people = [c for c in others if not c.spy]
    customers = [c for c in people if c.call == segment.call and shard.agent_of(c) is None]
    if people and all(is_local(c.name) for c in people):
        # The customer is at the other end of the Local channel that used to lead to the agent;
        # once the agent's telephone has left, that is.
        customers = [] if _agent_has_a_phone(shard, segment) else people
        people, others = [], customers
    agents_here = [
        c
        for c in people
        if (agent := shard.agent_of(c)) is not None
        and (agent == supervision.agent or c.call == segment.call)
    ]
    if customers and not agents_here:
        _go_on_as(shard, supervision, SpyType.BARGE_KICK, customers[0], at)
    elif customers:
        # All three together: heard by both, as with Barge.
        _go_on_as(shard, supervision, SpyType.BARGE, customers[0], at)
    elif segment.ended is None and segment.in_bridge:
        depart(shard, supervision, at, EndReason.CALL_ENDED)
    elif others:
        supervisions.end(shard, supervision, at, EndReason.LEFT)
    elif supervision.left is None:
        # Alone: the customer may be on the way, moved by the same Redirect.
        depart(shard, supervision, at, EndReason.LEFT)
        supervision.bridge = bridge


def _agent_has_a_phone(shard: Shard, segment: Segment) -> bool:
    """Whether an agent's own telephone still takes part in the call."""
    call = shard.calls.get(segment.call or "")
    legs = [shard.channels[u] for u in call.legs] if call is not None else []
    return any(
        c.bridge is not None and not is_local(c.name) and shard.agent_of(c) is not None
        for c in legs
    )


def _go_on_as(
    shard: Shard, supervision: Supervision, kind: SpyType, with_: Channel, at: At
) -> None:
    segment = supervision.segments[-1]
    stay(shard, supervision)
    if segment.ended is None and segment.in_bridge and segment.type is kind:
        return
    call_id = segment.call
    supervisions.close_segment(shard, supervision, at)
    if supervision.state is SupervisionState.WAITING:
        supervision.waiting_ms += max(0, at.mono - supervision.since.mono)
    supervision.state, supervision.since = SupervisionState.ACTIVE, at
    supervision.segments.append(
        Segment(
            n=len(supervision.segments) + 1,
            type=kind,
            at_least=False,
            type_provenance=Provenance.DERIVED,
            spyee=with_.uniqueid,
            call=call_id,
            started=at,
            started_exact=shard.unseen is None,
            in_bridge=True,
        )
    )
    call = shard.calls.get(call_id or "")
    if call is not None:
        call.watchers[supervision.id] = None
        supervisions.refresh_from_call(shard, supervision)
    supervisions.touch(shard, supervision)


def leave(shard: Shard, supervision: Supervision, at: At) -> None:
    """The supervisor's channel left the bridge; whether to hang up or to go elsewhere with the
    customer shows in a moment."""
    segment = supervision.segments[-1]
    if segment.ended is not None or not segment.in_bridge:
        supervision.bridge = None
        depart(shard, supervision, at, EndReason.LEFT)
        return
    other = shard.channels.get(segment.spyee or "")
    if other is None or other.bridge != supervision.bridge:
        reason = EndReason.CALL_ENDED
    else:
        reason = EndReason.DISCONNECTED if supervision.disconnect else EndReason.HUNG_UP
    depart(shard, supervision, at, reason)
