"""After a login the PBX is asked for all it has; what it no longer has is over.

Between ResyncBegun and ResyncEnded the answers come as events, mixed with what happens meanwhile.
Only at the end is anything judged to be gone. Late attach is the normal case: what runs already
is taken up with "at or before" as its start, or goes on where the ledger remembers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import msgspec

from monitord.domain import (
    agents,
    calls,
    kinds,
    legs,
    payments,
    reconcile,
    spy,
    supervisions,
    takeover,
)
from monitord.domain import events as ev
from monitord.domain.endpoint import is_snoop
from monitord.domain.events import At
from monitord.domain.ledger import CallRecord, GapRecord, SegmentRecord, SupervisionRecord
from monitord.domain.state import Channel, Segment, Shard, Supervision, make_id
from monitord.domain.words import EndReason, LinkState, Provenance, SpyType


def on_remembered(shard: Shard, event: ev.Remembered, at: At) -> None:
    segments: dict[str, list[SegmentRecord]] = {}
    for segment in event.segments:
        segments.setdefault(segment.supervision, []).append(segment)
    shard.old_supervisions = {}
    for supervision in event.supervisions:
        old = (supervision, segments.get(supervision.id, []))
        shard.old_supervisions.setdefault(supervision.spyer, []).append(old)
    shard.old_calls = {c.id: c for c in event.calls}
    shard.old_statuses = {s.agent_endpoint: s for s in event.statuses}
    shard.used = event.used
    for call in event.calls:
        _count_call(shard, call)
    if event.last_seen:
        shard.lost_at = _then(at, event.last_seen)
        shard.gap_why = "the daemon was not running"
    for gap in event.gaps:
        if shard.gap is None and gap.started >= event.last_seen:
            # It was not attached any more when it stopped: one gap, which goes on.
            shard.gap, shard.gap_why = gap.id, gap.why
            shard.lost_at = _then(at, gap.started)
        else:
            shard.records.append(
                msgspec.structs.replace(gap, ended=max(gap.started, event.last_seen))
            )


def _then(now: At, wall: int) -> At:
    """The instant at which the wall clock showed ``wall``, which is not after now."""
    return At(now.mono - max(0, now.wall - wall), min(wall, now.wall))


def _count_call(shard: Shard, call: CallRecord) -> None:
    """A linkedid may have come back, so that its call is not the first one of that name."""
    for count in range(1, 100):
        if calls.call_id_of(call.pbx, call.boot, call.call_id, count) == call.id:
            shard.linkedids[call.call_id] = count - 1
            return


def on_link(shard: Shard, event: ev.LinkChanged, at: At) -> None:
    if event.link is not LinkState.LIVE:
        shard.reconciling = False
    if event.link is LinkState.LOST and shard.link is LinkState.LIVE:
        shard.lost_at = _then(at, event.heard or at.wall)
        shard.gap_why = event.detail or "the connection was lost"
    if shard.lost_at is not None and shard.gap is None and event.link is not LinkState.LIVE:
        wall, count = shard.lost_at.wall, 0
        if shard.gaps_at[0] == wall:
            count = shard.gaps_at[1] + 1
        shard.gaps_at = wall, count
        shard.gap = make_id(shard.pbx, "gap", wall, *([count] if count else []))
        shard.records.append(_gap(shard, None))
    if (event.link, event.detail) != (shard.link, shard.link_detail):
        if event.link is not shard.link:
            shard.link_since = at.wall
        shard.link, shard.link_detail = event.link, event.detail


def _gap(shard: Shard, ended: int | None) -> GapRecord:
    assert shard.gap is not None and shard.lost_at is not None
    return GapRecord(
        id=shard.gap,
        pbx=shard.pbx,
        started=shard.lost_at.wall,
        ended=max(ended, shard.lost_at.wall) if ended is not None else None,
        why=shard.gap_why,
    )


def on_boot(shard: Shard, event: ev.BootSeen, at: At) -> None:
    """Another boot: channel names and uniqueids begin again, so nothing of the old one may be
    touched by the new one's events."""
    shard.version = event.version
    if shard.boot and event.boot != shard.boot:
        _all_over(shard, at, EndReason.PBX_RESTARTED)
    shard.boot = event.boot


def _all_over(shard: Shard, at: At, reason: EndReason) -> None:
    with unseen(shard, lost(shard)):
        for supervision in list(shard.supervisions.values()):
            supervisions.end(shard, supervision, at, reason)
        for call in list(shard.calls.values()):
            calls.end_call(shard, call, at, reason=reason)
    shard.channels.clear()
    shard.bridges.clear()
    shard.paying.clear()
    shard.by_spyer.clear()
    shard.spies_of.clear()
    shard.by_linkedid.clear()
    shard.linkedids.clear()
    shard.gone.clear()


def lost(shard: Shard) -> int:
    """Wall time up to which all that happened is known; 0 where that is not known."""
    return shard.lost_at.wall if shard.lost_at is not None else 0


@contextmanager
def unseen(shard: Shard, since: int) -> Iterator[None]:
    """What is judged inside happened between the wall time ``since`` and now: no end of it and
    no beginning is exact."""
    shard.unseen = since
    try:
        yield
    finally:
        shard.unseen = None


def on_begun(shard: Shard, event: ev.ResyncBegun, at: At) -> None:
    shard.resyncing, shard.reconciling = True, False
    shard.full = ""
    shard.devices.clear()
    for channel in shard.channels.values():
        channel.seen = False
    for agent in shard.agents.values():
        agent.seen = False
        agent.members.clear()  # those that still are come with QueueStatus


def on_channel(shard: Shard, event: ev.ChannelTold, at: At) -> None:
    known = shard.channels.get(event.channel.uniqueid)
    if shard.resyncing or (shard.reconciling and known is None):
        _take_in(shard, event, at)
    elif known is not None:
        if known.name != event.channel.name:  # the first that was heard of it was damaged
            legs.on_renamed(shard, ev.ChannelRenamed(known.uniqueid, event.channel.name), at)
        known.seen, known.last_seen = True, at.wall
        known.found = (event.application, event.data)
    channel = shard.channels.get(event.channel.uniqueid)
    if channel is not None:
        kinds.told(shard, channel, event.application, event.data)
        payments.told(shard, channel, event.channel)


def _take_in(shard: Shard, event: ev.ChannelTold, at: At) -> None:
    started = At(at.mono - event.seconds * 1000, at.wall - event.seconds * 1000)
    # Status lists nothing that has hung up: whatever said so of this one was at fault.
    begun = shard.gone.pop(event.channel.uniqueid, 0)
    known = event.channel.uniqueid in shard.channels
    channel = legs.see(shard, event.channel, at)
    if channel is None:
        return
    if begun:
        shard.spies_of[channel.uniqueid] = begun
    channel.last_seen = at.wall
    channel.application, channel.data = event.application, event.data
    channel.found = (event.application, event.data)
    take_queue(shard, channel)
    if not known:
        channel.created = started
        call = shard.calls.get(channel.call)
        if call is not None and call.record is None and started.wall < call.started.wall:
            call.started, call.started_exact = started, False
    if channel.bridge is not None and channel.bridge != event.bridge:
        legs.leave_bridge(shard, channel)
    if event.bridge:
        channel.bridge = event.bridge
        shard.bridges.setdefault(event.bridge, {})[channel.uniqueid] = None
    if shard.reconciling and not shard.resyncing:
        call = shard.calls.get(channel.call)
        if call is not None and not channel.spy:
            calls.update(shard, call, at)


def take_queue(shard: Shard, channel: Channel) -> bool:
    """Whether it waits in a queue, and nobody heard it join."""
    application, data = channel.found or ("", "")
    call = shard.calls.get(channel.call)
    if application == "Queue" and call is not None and not call.queue:
        call.queue = data.partition(",")[0]
        calls.make_real(shard, call)
        return True
    return False


def on_ended(shard: Shard, event: ev.ResyncEnded, at: At) -> None:
    if not shard.resyncing:
        return
    after = lost(shard)
    for uniqueid, channel in list(shard.channels.items()):
        if not channel.seen:
            reconcile.vanish(shard, uniqueid, at, after=after or channel.last_seen)
    with unseen(shard, after):
        for channel in list(shard.channels.values()):
            if _spies(channel):
                take_up(shard, channel, at)
            elif channel.bridge is not None:
                _go_on_in_bridge(shard, channel, at)
        for supervision in list(shard.supervisions.values()):
            spyer = shard.channels.get(supervision.spyer)
            if supervision.ended is None and not _goes_on(supervision, spyer):
                known = spyer is not None and bool(spyer.application)
                reason = EndReason.LEFT if known else EndReason.LOST
                supervisions.end(shard, supervision, at, reason)
        for call in list(shard.calls.values()):
            if calls.somebody_was_dialled(shard, call):
                calls.make_real(shard, call)
            if call.restored:
                calls.take_changed_labels(shard, call)
            calls.update(shard, call, at)
    agents.resynced(shard, at, after or None)
    _close_remembered(shard, at, after)
    if shard.gap is not None:
        shard.records.append(_gap(shard, at.wall))
    shard.gap, shard.lost_at = None, None
    shard.resyncing, shard.synced = False, True


def _goes_on(supervision: Supervision, spyer: Channel | None) -> bool:
    """Whether what the PBX says of the supervisor's channel still is this supervision."""
    if spyer is None:
        return False
    if _spies(spyer):
        return True
    if supervision.bridge is not None:
        return spyer.bridge == supervision.bridge
    return supervision.left is not None  # where it goes shows when its time is up


def _spies(channel: Channel) -> bool:
    return channel.application in spy.SPY_APPLICATIONS or is_snoop(channel.name)


def _go_on_in_bridge(shard: Shard, spyer: Channel, at: At) -> None:
    """A supervisor's channel that is in no spy, but in a bridge with the customer whose call it
    supervised: the call was taken over, before the gap or in it. Only we or the ledger can know;
    the PBX shows two people in a bridge."""
    known = shard.supervision_of(spyer.uniqueid)
    old = _old(shard, spyer)
    if known is not None:
        last = (known.segments[-1].spyee, known.segments[-1].call)
    elif old is not None and old[1]:
        segment = max(old[1], key=lambda s: s.n)
        last = (segment.spyee, segment.call)
    else:
        return
    company = [shard.channels[u] for u in shard.bridges[spyer.bridge or ""] if u != spyer.uniqueid]
    if not any(c.uniqueid == last[0] or c.call == last[1] for c in company):
        return
    if known is None and old is not None:
        known = _restore(shard, old, at)
    assert known is not None and spyer.bridge is not None
    legs.become_spy(shard, spyer, at)
    takeover.bridge_entered(shard, spyer, spyer.bridge, at)


def _old(shard: Shard, spyer: Channel) -> tuple[SupervisionRecord, list[SegmentRecord]] | None:
    """What the ledger has open of this very channel, whose uniqueid is only its own in one boot;
    the latest, as a row whose end was never written is older."""
    all_of_it = shard.old_supervisions.get(spyer.uniqueid, [])
    mine = [old for old in all_of_it if old[0].boot == shard.boot]
    return max(mine, key=lambda old: old[0].started) if mine else None


def take_up(shard: Shard, spyer: Channel, at: At) -> None:
    """A supervisor's channel that runs a spy: known, remembered by the ledger, or new to us."""
    known = shard.supervision_of(spyer.uniqueid)
    if known is None:
        old = _old(shard, spyer)
        if old is not None:
            legs.become_spy(shard, spyer, at)
            known = _restore(shard, old, at)
    spec = spy.parse(spyer.application, spyer.data)
    segment = known.segments[-1] if known is not None and known.segments else None
    spyee = _spied(shard, spyer, spec, segment)
    if known is not None:
        if spec is not None and segment is not None and not segment.in_bridge:
            if _other_type(segment, spec):
                # It left that spy and began another one, unseen, be it on the same channel.
                supervisions.detach(shard, known, at, exact=False)
                known.keyed = None
                if spyee is not None:
                    supervisions.attach(shard, spyer, spyee, at, exact=False)
                return
            _remember_options(known, segment, spec)
            if spec.exact and spyee is not None:
                known.spying = spyee.uniqueid  # also where no call is on it just now
        if segment is not None and segment.ended is None:
            still = shard.channels.get(segment.spyee or "")
            if still is None or still.call != segment.call:
                supervisions.detach(shard, known, at, exact=False)
            else:
                call = shard.calls.get(segment.call or "")
                if call is not None:
                    call.watchers[known.id] = None
        if (
            known.open_segment is not None
            or spyee is None
            or (segment is not None and spyee.uniqueid == segment.spyee)
        ):
            supervisions.touch(shard, known)
            return
    if spyee is None and known is None and spec is not None and not fits(shard, spec):
        # It waits for its first call, so nobody is supervised yet; ChanSpyStart will tell.
        legs.become_spy(shard, spyer, at)
        return
    sure = spec is not None and spec.exact and spyee is not None
    supervisions.attach(
        shard,
        spyer,
        spyee,
        at,
        exact=False,
        spyee_provenance=None if sure else Provenance.UNVERIFIED,
    )


def _restore(
    shard: Shard, old: tuple[SupervisionRecord, list[SegmentRecord]], at: At
) -> Supervision:
    shard.old_supervisions[old[0].spyer].remove(old)
    supervision = supervisions.restore(shard, *old, at)
    # It may not be the first of its spyer.
    parts = (shard.pbx, shard.boot, "supervision", supervision.spyer)
    count = next((n for n in range(1, 1000) if make_id(*parts, n) == supervision.id), 1)
    shard.spies_of[supervision.spyer] = count
    return supervision


def _other_type(segment: Segment, spec: spy.Spec) -> bool:
    """Whether the spy that runs now cannot be the one of the open segment."""
    changed = segment.type not in (SpyType.UNKNOWN, spec.type)
    return segment.ended is None and changed and not spec.switchable


def _remember_options(supervision: Supervision, segment: Segment, spec: spy.Spec) -> None:
    """What the ledger does not keep of a spy, and what nobody saw while the link was lost."""
    supervision.exits = spec.exits
    if segment.ended is None:
        supervision.spying = segment.spyee
    if spec.switchable:
        if segment.type not in (SpyType.UNKNOWN, spec.type):
            supervision.keyed = segment.type
        segment.at_least = segment.at_least or segment.ended is None


def _spied(
    shard: Shard, spyer: Channel, spec: spy.Spec | None, last: Segment | None
) -> Channel | None:
    """The channel that is listened to. Sure only where the arguments name it in full; otherwise
    the one that was listened to before, or the only one that the prefix fits."""
    if spec is None:
        # Snoop/<uniqueid>-<8 hex digits>
        target = spyer.name.partition("/")[2].rpartition("-")[0]
        return shard.channels.get(target) if is_snoop(spyer.name) else None
    for channel in shard.channels.values():
        if spec.target in (channel.uniqueid, channel.name):
            return channel
    if spec.exact:
        return None
    if last is not None and last.spyee in shard.channels:
        return shard.channels[last.spyee or ""]
    found = fits(shard, spec)
    return found[0] if len(found) == 1 else None


def fits(shard: Shard, spec: spy.Spec) -> list[Channel]:
    """The channels that a spy may be attached to, as far as its arguments tell."""
    if spec.exact:
        return [c for c in shard.channels.values() if spec.target in (c.uniqueid, c.name)]
    return [
        c
        for c in shard.channels.values()
        if c.name.startswith(spec.target) and c.application not in spy.SPY_APPLICATIONS
    ]


def _close_remembered(shard: Shard, at: At, after: int) -> None:
    """What the ledger had open and nobody has any more."""

    def length(started: int) -> int:
        return max(0, after - started)

    for supervision, segments in chain.from_iterable(shard.old_supervisions.values()):
        for segment in segments:
            if segment.ended is None:
                shard.records.append(
                    msgspec.structs.replace(
                        segment,
                        ended=max(at.wall, segment.started),
                        ended_exact=False,
                        length_ms=length(segment.started),
                    )
                )
        shard.records.append(_closed(shard, supervision, at, after, length(supervision.started)))
    for call in shard.old_calls.values():
        shard.records.append(_closed(shard, call, at, after, length(call.started)))
    shard.old_supervisions.clear()
    shard.old_calls.clear()


def _closed(
    shard: Shard, record: SupervisionRecord | CallRecord, at: At, after: int, length: int
) -> SupervisionRecord | CallRecord:
    same_boot = record.boot == shard.boot
    after = max(after, record.started)
    return msgspec.structs.replace(
        record,
        ended=max(at.wall, after),
        ended_exact=False,
        ended_after=after,
        end_reason=EndReason.LOST if same_boot else EndReason.PBX_RESTARTED,
        length_ms=length,
    )
