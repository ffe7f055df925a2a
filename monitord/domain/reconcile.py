"""From time to time the PBX is asked for all its channels: a Hangup or a SpyStop can be missing.

One answer proves nothing: it may have crossed with events that were still on their way.
"""

from __future__ import annotations

from monitord.domain import calls, legs, resync, spy, supervisions
from monitord.domain import events as ev
from monitord.domain.endpoint import is_snoop
from monitord.domain.events import At
from monitord.domain.state import Channel, Shard
from monitord.domain.words import EndReason, LinkState

JUDGED_TIMES = 2
"""Reconciles that must agree before anything is ended: one may have crossed with events that were
still on their way."""

COLLAPSED_TIMES = 4
"""The same where more than half of all channels is missing at once: that is more likely a fault
of the answer than the end of so many calls of which not one Hangup was seen."""

ATTACHED_MS = 5000
"""A channel that has been there for so long is listened to by a spy that it fits (measured: some
ms)."""

COLLAPSE_FROM = 6
"""Channels below which half of them is nothing unusual."""


def on_reconcile_begun(shard: Shard, event: ev.ReconcileBegun, at: At) -> None:
    if shard.resyncing:
        return
    shard.reconciling = True
    for channel in shard.channels.values():
        channel.seen, channel.found = False, None


def on_reconcile_ended(shard: Shard, event: ev.ReconcileEnded, at: At) -> None:
    if not shard.reconciling or shard.resyncing:
        return
    shard.reconciling = False
    channels = list(shard.channels.values())
    missing = [c for c in channels if not c.seen]
    collapsed = len(channels) >= COLLAPSE_FROM and 2 * len(missing) > len(channels)
    for channel in missing:
        channel.missed += 1
        if channel.missed >= (COLLAPSED_TIMES if collapsed else JUDGED_TIMES):
            vanish(shard, channel.uniqueid, at, after=channel.last_seen)
    for channel in channels:
        if channel.seen:
            channel.missed = 0
            if channel.found is not None and channel.uniqueid in shard.channels:
                _judge_spy(shard, channel, at)
                if resync.take_queue(shard, channel):
                    calls.update(shard, shard.calls[channel.call], at)
    for call in list(shard.calls.values()):
        if not call.real and calls.somebody_was_dialled(shard, call):
            calls.make_real(shard, call)  # no event said so
            calls.update(shard, call, at)


def _judge_spy(shard: Shard, channel: Channel, at: At) -> None:
    """Compare what a channel runs with what we believe of it."""
    assert channel.found is not None
    application, data = channel.found
    spying = application in spy.SPY_APPLICATIONS
    supervision = shard.supervision_of(channel.uniqueid)
    bridged = supervision is not None and (
        supervision.bridge is not None or supervision.left is not None
    )
    if bridged or is_snoop(channel.name) or (supervision is not None) == spying:
        channel.astray = 0
        return
    # Two in a row of the same kind: a spy that began between two reconciles counted as one that
    # we do not know first, and as one that was left then.
    kind = 1 if spying else -1
    channel.astray = channel.astray + kind if channel.astray * kind > 0 else kind
    if abs(channel.astray) < JUDGED_TIMES:
        return
    channel.astray = 0
    channel.application, channel.data = application, data
    if supervision is None and shard.link is LinkState.LIVE and shard.link_detail:
        resync.take_up(shard, channel, at)  # events are kept from us, which the detail says
    elif supervision is None and _must_be_attached(shard, channel, at):
        resync.take_up(shard, channel, at)  # its ChanSpyStart was lost, or was not legible
    elif supervision is None:
        # No ChanSpyStart came, and nothing was missed: it waits for somebody to supervise.
        legs.become_spy(shard, channel, at)
    else:
        after = supervision.since.wall
        supervisions.end(shard, supervision, at, EndReason.LEFT, exact=False, after=after)


def _must_be_attached(shard: Shard, spyer: Channel, at: At) -> bool:
    """A spy turns to the first channel that fits its target as soon as there is one."""
    spec = spy.parse(spyer.application, spyer.data)
    return (
        spec is not None
        and not spec.choosy
        and any(
            not c.spy and c.missed == 0 and at.mono - c.created.mono > ATTACHED_MS
            for c in resync.fits(shard, spec)
        )
    )


def on_unknown(shard: Shard, event: ev.ChannelUnknown, at: At) -> None:
    """CoreShowChannels lists ghosts while a prefix spy holds them; Status is the truth
    (ami-facts 0.4, 1.8). Also the answer where a channel went while we asked."""
    channel = shard.channels.get(event.uniqueid)
    if channel is not None:
        vanish(shard, event.uniqueid, at, after=resync.lost(shard) or channel.last_seen)


def vanish(shard: Shard, uniqueid: str, at: At, *, after: int) -> None:
    """A channel ended unseen, somewhere between ``after`` and now."""
    channel = shard.channels[uniqueid]
    with resync.unseen(shard, after):
        supervision = shard.supervision_of(uniqueid)
        if supervision is not None:
            supervisions.end(shard, supervision, at, EndReason.LOST)
        call = shard.calls.get(channel.call)
        if call is not None and list(call.legs) == [uniqueid]:
            calls.end_call(shard, call, at, reason=EndReason.LOST)
        legs.remove(shard, uniqueid, at, exact=False)
