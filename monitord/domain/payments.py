"""Payments: while one is in progress nobody should listen, and whoever does is warned or ended.

What says so belongs to a leg, so it goes where the leg goes and ends with it. Three things can: a
channel variable that the site names, a UserEvent, and the muting of the leg's recording. Of a
variable only on or off is kept, never its value.
"""

from __future__ import annotations

from monitord.domain import calls, supervisions
from monitord.domain import events as ev
from monitord.domain.events import At, Snapshot
from monitord.domain.state import Call, Channel, Shard, Supervision

LABEL = "payment"
OFF = frozenset({"", "0", "no", "false", "off"})

VARIABLE, COPY, EVENT = "variable", "copy", "event"
"""What can say so of a leg. A copy is a variable that the leg inherited, or that nobody saw being
set: an "off" of another leg of the call takes it away as well."""

_SIDES = {"read": ("read",), "write": ("write",), "both": ("read", "write")}
"""Sides of a leg's recording by what MixMonitorMute calls its direction; each is a mark."""

ON, NOT = "on", "off"


def says_on(value: str) -> bool:
    return value.strip().lower() not in OFF


# --- what follows ------------------------------------------------------------------------


def in_progress(shard: Shard, call: Call) -> bool:
    """On any of its legs, those of an agent who waits in a conference included."""
    if not shard.paying:
        return False
    legs = [shard.channels[u] for u in call.legs]
    return any(c.payment for c in legs) or any(c.payment for c in calls.guests(shard, call, legs))


def under(shard: Shard, supervision: Supervision) -> bool:
    """Whether somebody pays while this supervision listens."""
    segment = supervision.open_segment
    if segment is None or not shard.paying:
        return False
    call = shard.calls.get(segment.call or "")
    if call is not None:
        return in_progress(shard, call)
    spyee = shard.channels.get(segment.spyee or "")
    return spyee is not None and bool(spyee.payment)


def _mark(shard: Shard, channel: Channel, marks: tuple[str, ...], on: bool) -> None:
    before = bool(channel.payment)
    channel.payment = channel.payment.union(marks) if on else channel.payment.difference(marks)
    if bool(channel.payment) == before:
        return
    if before:
        shard.paying.pop(channel.uniqueid, None)
    else:
        shard.paying[channel.uniqueid] = None
    for call in (shard.calls.get(channel.call), calls.call_under(shard, channel)):
        if call is not None and not channel.spy:
            shard.touch_call(call)
    for supervision in shard.supervisions.values():
        segment = supervision.open_segment
        if segment is not None and segment.call is None and segment.spyee == channel.uniqueid:
            supervisions.touch(shard, supervision)


def _with(shard: Shard, channel: Channel) -> list[Channel]:
    """All legs of its call, itself included."""
    call = shard.call_of(channel.uniqueid)
    return [shard.channels[u] for u in call.legs] if call is not None else [channel]


# --- what says so ------------------------------------------------------------------------


def take_variable(shard: Shard, channel: Channel, value: str, *, announced: bool) -> None:
    """``announced``: by VarSet, so it was set now; else a snapshot says what it is."""
    now = ON if says_on(value) else NOT
    if not announced and channel.labels.get(LABEL, NOT) == now:
        return
    channel.labels[LABEL] = now
    call = shard.call_of(channel.uniqueid)
    # A leg that is being dialled repeats what it inherits, by VarSet too.
    own = announced and (
        channel.state == "Up" or (call is not None and call.origin == channel.uniqueid)
    )
    if now == ON:
        _mark(shard, channel, (VARIABLE if own else COPY,), True)
        return
    _mark(shard, channel, (VARIABLE, COPY), False)
    if own:
        for leg in _with(shard, channel):
            _mark(shard, leg, (COPY,), False)


def told(shard: Shard, channel: Channel, snapshot: Snapshot) -> None:
    """Status says what the variable is now, also that it is empty: what was missed is made good."""
    values = [v for n, v in snapshot.variables if shard.site.label_of(n) == LABEL]
    if values:
        take_variable(shard, channel, values[0], announced=False)


def on_user_event(shard: Shard, event: ev.UserSaid, at: At) -> None:
    if event.name != shard.site.payment_event:
        return
    channel = shard.channels.get(event.uniqueid)
    if channel is None and event.channel:
        named = (c for c in shard.channels.values() if c.name == event.channel)
        channel = next(named, None)
    if channel is None:
        return
    if event.on:
        _mark(shard, channel, (EVENT,), True)
        return
    for leg in _with(shard, channel):  # whichever of them it was begun on
        _mark(shard, leg, (EVENT,), False)


def on_muted(shard: Shard, event: ev.RecordingMuted, at: At) -> None:
    """It lasts until the recording is unmuted or the leg ends: of several recordings of a leg
    Asterisk does not tell which one stops, and a warning too many is better than one too few."""
    channel = shard.channels.get(event.uniqueid)
    if channel is not None:
        _mark(shard, channel, _SIDES.get(event.direction, _SIDES["both"]), event.muted)
