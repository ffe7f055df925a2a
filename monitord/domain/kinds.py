"""Which type a supervision has: from the options of its spy, a Status, or the supervisor's keys."""

from __future__ import annotations

from monitord.domain import events as ev
from monitord.domain import legs, spy, supervisions, takeover
from monitord.domain.endpoint import is_snoop
from monitord.domain.events import At
from monitord.domain.state import Channel, Segment, Shard, Supervision
from monitord.domain.words import Provenance, SpyType


def on_app(shard: Shard, event: ev.AppStarted, at: At) -> None:
    """Newexten: the arguments of a spy, or the sign that the channel left it."""
    channel = legs.see(shard, event.channel, at)
    if channel is None:
        return
    channel.application, channel.data = event.application, event.data
    if event.application in spy.SPY_APPLICATIONS:
        channel.told_by = "dialplan"
    supervision = shard.supervision_of(channel.uniqueid)
    if supervision is None:
        return
    if event.application in spy.SPY_APPLICATIONS:
        takeover.stay(shard, supervision)
        if supervision.open_segment is None:
            supervision.keyed = None  # another run of the spy begins as its options say
        take_spec(shard, supervision, channel)
        supervisions.touch(shard, supervision)
    elif is_snoop(channel.name):
        return  # a snoop's channel always runs something else (res_stasis_snoop.c)
    elif supervision.bridge is None and supervision.left is None:
        # After a spy with option E the dialplan goes on, if only to Hangup.
        reason = supervisions.reason(shard, supervision, at)
        if event.application == "Hangup" or event.channel.exten == "h":
            supervisions.end(shard, supervision, at, reason)
            return
        # Or it is being taken into a bridge with the customer, which shows in a moment.
        takeover.depart(shard, supervision, at, reason)


def told(shard: Shard, channel: Channel, application: str, data: str) -> None:
    """Status says what a channel runs: the type of a spy that nothing else told."""
    supervision = shard.supervision_of(channel.uniqueid)
    if application not in spy.SPY_APPLICATIONS or supervision is None:
        return
    segment = supervision.open_segment
    if segment is None or segment.type is not SpyType.UNKNOWN:
        return
    channel.application, channel.data = application, data
    if supervision.started_exact and not channel.told_by:
        # Newexten would have told before, had the dialplan run it.
        channel.told_by = "application"
    take_spec(shard, supervision, channel)
    supervisions.touch(shard, supervision)


def take_spec(shard: Shard, supervision: Supervision, spyer: Channel) -> None:
    """Read the type of the open segment from the arguments that the channel's spy runs with."""
    segment = supervision.open_segment
    spec = spy.parse(spyer.application, spyer.data)
    if segment is None or spec is None:
        return
    if segment.in_bridge:
        return
    segment.type, segment.type_provenance = spec.type, Provenance.OBSERVED
    if spec.switchable and supervision.keyed is not None:
        segment.type = supervision.keyed
    segment.at_least = spec.switchable and not (shard.keypad and segment.started_exact)
    supervision.exits = spec.exits
    if supervision.means == "unknown" and spyer.told_by:
        supervision.means = spyer.told_by


_KEYS = {"4": SpyType.MONITOR, "5": SpyType.COACH, "6": SpyType.BARGE}
"""app_chanspy.c:624-636."""


def on_key(shard: Shard, event: ev.KeyPressed, at: At) -> None:
    """A supervisor switches the type by keypad, where option d lets them."""
    supervision = shard.supervision_of(event.uniqueid)
    spyer = shard.channels.get(event.uniqueid)
    kind = _KEYS.get(event.digit)
    if supervision is None or spyer is None or kind is None:
        return
    spec = spy.parse(spyer.application, spyer.data)
    if spec is None or not spec.switchable:
        return
    supervision.keyed = kind
    segment = supervision.open_segment
    if segment is None or segment.in_bridge or segment.type is kind:
        return
    supervisions.close_segment(shard, supervision, at)
    supervision.since = at
    supervision.segments.append(
        Segment(
            n=segment.n + 1,
            type=kind,
            at_least=False,
            type_provenance=Provenance.OBSERVED,
            spyee=segment.spyee,
            call=segment.call,
            started=at,
            started_exact=True,
        )
    )
    call = shard.calls.get(segment.call or "")
    if call is not None:
        call.watchers[supervision.id] = None
        supervisions.refresh_from_call(shard, supervision)
    supervisions.touch(shard, supervision)
