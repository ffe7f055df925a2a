"""Calls: what follows from their legs, and the labels that are put on them."""

from __future__ import annotations

from itertools import islice

import msgspec

from monitord.domain import events as ev
from monitord.domain import payments, scores, supervisions
from monitord.domain.endpoint import is_local
from monitord.domain.events import At
from monitord.domain.ledger import AliasRecord, CallRecord, PartRecord
from monitord.domain.show import party
from monitord.domain.state import GONE_KEPT, Call, Channel, Shard, make_id
from monitord.domain.views import Value
from monitord.domain.words import CallState, Direction, EndReason, Provenance

RECORDING = "recording"
"""The label of the variable that names a recording's file."""

# --- which call it is --------------------------------------------------------------------


def new_id(shard: Shard, linkedid: str) -> str:
    """A linkedid can come back after its call has ended; that is another call."""
    count = shard.linkedids.pop(linkedid, 0) + 1
    while call_id_of(shard.pbx, shard.boot, linkedid, count) in shard.used:
        count += 1
    shard.linkedids[linkedid] = count
    if len(shard.linkedids) > GONE_KEPT:
        del shard.linkedids[next(iter(shard.linkedids))]
    return call_id_of(shard.pbx, shard.boot, linkedid, count)


def call_id_of(pbx: str, boot: str, linkedid: str, count: int) -> str:
    parts = (pbx, boot, linkedid)
    return make_id(*parts) if count == 1 else make_id(*parts, count)


def restore(call: Call, old: CallRecord, at: At) -> None:
    """Go on with the call that an earlier process had begun to write."""
    call.started = At(at.mono - (at.wall - old.started), old.started)
    call.started_exact = old.started_exact
    call.real = True
    call.agent, call.agent_provenance = old.agent_endpoint, old.agent_provenance
    call.direction, call.queue = old.direction, old.queue
    if old.number is not None:
        call.number = Value(old.number, Provenance.UNVERIFIED)
    for label in ("campaign", "list", "result"):
        value = getattr(old, label)
        if value is not None:
            call.labels[label] = value
    call.restored = True
    call.talked = old.answered is not None or old.talk_ms > 0
    if old.answered is not None:
        call.answered = At(at.mono - (at.wall - old.answered), old.answered)
    call.talk_ms, call.hold_ms = old.talk_ms, old.hold_ms
    call.record = old


def make_real(shard: Shard, call: Call) -> None:
    if not call.real:
        call.real = True
        shard.touch_call(call)


def end_call(
    shard: Shard,
    call: Call,
    at: At,
    *,
    reason: EndReason = EndReason.CALL_ENDED,
    exact: bool = True,
    after: int | None = None,
) -> None:
    if call.ended is not None:
        return
    if shard.unseen is not None:
        exact, after = False, max(after or shard.unseen, call.started.wall)
    count_phase(shard, call, at)
    call.phase = None
    call.ended, call.end_exact, call.end_after, call.end_reason = at, exact, after, reason
    call.state = CallState.ENDED
    supervisions.call_ended(shard, call, at)
    for alias in call.aliases:
        if shard.by_linkedid.get(alias) == call.id:
            del shard.by_linkedid[alias]
    shard.touch_call(call)


def somebody_was_dialled(shard: Shard, call: Call) -> bool:
    """Two telephones under one linkedid, one of them a customer's: who has just begun to look did
    not see the DialBegin."""
    people = [u for u in call.legs if not is_local(shard.channels[u].name)]
    return len(people) > 1 and has_customer(shard, call)


# --- who takes part ----------------------------------------------------------------------


def has_customer(shard: Shard, call: Call) -> bool:
    """Whether one of its legs is somebody's who is no agent."""
    return any(_is_customer(shard, shard.channels[u]) for u in call.legs)


def _is_customer(shard: Shard, channel: Channel) -> bool:
    return (
        not is_local(channel.name)
        and not channel.spy
        and shard.agent_of(channel) is None
        and not shard.directory.is_ours(channel.endpoint)
    )


def call_under(shard: Shard, channel: Channel) -> Call | None:
    """The call that a channel takes part in: its own, or, for an agent who waits in a conference,
    that of the customer who is there. Asterisk gives the two no common linkedid."""
    if channel.spy:
        return None
    own = shard.calls.get(channel.call)
    if own is None or channel.bridge is None or has_customer(shard, own):
        return own
    for uniqueid in shard.bridges[channel.bridge]:
        other = shard.channels[uniqueid]
        if other.call != channel.call and _is_customer(shard, other):
            return shard.calls.get(other.call, own)
    return own


def guests(shard: Shard, call: Call, legs: list[Channel]) -> list[Channel]:
    """Agents of no customer's own who share a bridge with a leg of this call."""
    found: dict[str, Channel] = {}
    for bridge in {c.bridge: None for c in legs if c.bridge is not None}:
        for uniqueid in shard.bridges[bridge]:
            other = shard.channels[uniqueid]
            if other.call == call.id or other.spy or shard.agent_of(other) is None:
                continue
            own = shard.calls.get(other.call)
            if own is not None and not has_customer(shard, own):
                found[uniqueid] = other
    return list(found.values())


# --- what follows from the legs ----------------------------------------------------------


def update(shard: Shard, call: Call, at: At) -> None:
    """Draw the conclusions from the legs as they are now."""
    legs = [shard.channels[u] for u in call.legs]
    people = [c for c in legs if not is_local(c.name)]
    joined = [c for c in legs if c.bridge is not None and len(shard.bridges[c.bridge]) > 1]
    with_customer = bool(joined) and has_customer(shard, call)
    if with_customer:
        joined += guests(shard, call, joined)
    if len(joined) > 1 or with_customer:
        call.real = True

    _find_agent(shard, call, people, joined, at)
    _find_direction(shard, call, people)
    _find_number(shard, call, people)

    talking = len(joined) > 1 and (
        call.agent is None or any(shard.agent_of(c) is not None for c in joined)
    )
    held = talking and any(c.held for c in joined)
    phase = CallState.ON_HOLD if held else CallState.TALKING if talking else None
    if phase != call.phase:
        count_phase(shard, call, at)
        call.phase, call.phase_since = phase, at.mono
    if talking:
        for channel in joined:
            channel.talked = True
    if talking and not call.talked:
        call.talked = True
        if not shard.resyncing:
            call.answered = at
    if phase is not None:
        call.state = phase
    elif not call.talked:
        if any(c.dialled and c.uniqueid != call.origin for c in legs):
            call.state = CallState.RINGING
        else:
            call.state = CallState.QUEUED if call.queue else CallState.ARRIVING
    shard.touch_call(call)
    if phase is not None and call.watchers:
        supervisions.agent_changed(shard, call, at)


def count_phase(shard: Shard, call: Call, at: At) -> None:
    """Add the phase that has run until now to the call's clocks; where its end was not seen, only
    as far as it was."""
    until = at.mono if shard.unseen is None else at.mono - max(0, at.wall - shard.unseen)
    length = max(0, until - call.phase_since)
    if call.phase is CallState.TALKING:
        call.talk_ms += length
    elif call.phase is CallState.ON_HOLD:
        call.hold_ms += length
    call.phase_since = at.mono


def _find_agent(
    shard: Shard, call: Call, people: list[Channel], joined: list[Channel], at: At
) -> None:
    """By what the queue said, then by a leg's endpoint or account code."""
    if call.agent_provenance is Provenance.OBSERVED and any(
        shard.agent_of(c) == call.agent for c in people
    ):
        return  # also while it rings, and with another agent beside
    for channel in joined or [c for c in people if c.uniqueid == call.origin]:
        agent = shard.agent_of(channel)
        if agent is not None:
            observed = channel.agent is not None and channel.state == "Up"
            provenance = Provenance.OBSERVED if observed else Provenance.DERIVED
            take_agent(shard, call, agent, provenance, at)
            return


def take_agent(shard: Shard, call: Call, endpoint: str, provenance: Provenance, at: At) -> None:
    """Whose call it is now. Where they talked already, it was somebody's before."""
    if call.agent is not None and call.agent != endpoint and call.talked:
        before = party(shard, call.agent)
        assert before is not None
        shard.records.append(
            PartRecord(
                id=make_id(call.id, call.agent, at.wall),
                pbx=shard.pbx,
                call=call.id,
                agent_id=before.id,
                agent_name=before.name,
                agent_endpoint=before.endpoint,
                started=call.started.wall if call.handed is None else call.handed,
                ended=max(at.wall, call.started.wall),
                exact=not shard.resyncing,
            )
        )
        call.handed = at.wall
    call.agent, call.agent_provenance = endpoint, provenance


def _find_direction(shard: Shard, call: Call, people: list[Channel]) -> None:
    told = call.labels.get("direction")
    if told and told.lower() in (Direction.INBOUND, Direction.OUTBOUND, Direction.INTERNAL):
        call.direction = Direction(told.lower())
        return
    origin = shard.channels.get(call.origin)
    if origin is None or origin.uniqueid not in call.legs:
        return  # what was concluded while its first leg lived stays
    if shard.agent_of(origin) is None:
        if not origin.exact:
            return  # whether it was dialled or rang in was there to be seen only at its beginning
        # A first leg that Asterisk itself dialled is a dialler's customer.
        call.direction = Direction.OUTBOUND if origin.dialled else Direction.INBOUND
    elif any(_is_customer(shard, c) for c in people):
        call.direction = Direction.OUTBOUND
    elif len(people) > 1:
        call.direction = Direction.INTERNAL


def _find_number(shard: Shard, call: Call, people: list[Channel]) -> None:
    told = call.labels.get("number")
    if told:
        call.number = Value(told, Provenance.SUPPLIED)
        return
    customer = shard.channels.get(call.customer or "")
    if customer is not None and not _is_customer(shard, customer):
        call.customer = customer = None  # it turned out to be an agent
    if customer is None and (call.customer is None or not call.talked):
        customer = next((c for c in people if _is_customer(shard, c)), None)
        call.customer = customer.uniqueid if customer is not None else call.customer
    if customer is None and call.direction is Direction.INTERNAL:
        call.number = None
    elif customer is None:
        origin = shard.channels.get(call.origin)
        if call.number is None and origin is not None and call.real and origin.exten.isdigit():
            call.number = Value(origin.exten, Provenance.DERIVED)
    elif customer.caller:
        # Of a leg that Asterisk dialled on its own, the caller id is what was presented to the
        # customer at the site's choice; it is the customer's number only by habit.
        lone = customer.uniqueid == call.origin and (customer.dialled or not customer.exact)
        call.number = Value(customer.caller, Provenance.UNVERIFIED if lone else Provenance.OBSERVED)


# --- labels ------------------------------------------------------------------------------


def on_variable(shard: Shard, event: ev.VariableSet, at: At) -> None:
    if shard.site.label_of(event.name) == scores.LABEL:
        scores.said(shard, event.uniqueid, event.value, at)  # also of a call that has ended
        return
    channel = shard.channels.get(event.uniqueid)
    if channel is not None:
        channel.told = ()
        take_label(shard, channel, event.name, event.value, at, announced=True)


def take_label(
    shard: Shard, channel: Channel, name: str, value: str, at: At, *, announced: bool
) -> None:
    """``announced``: by VarSet, so it is a change now. A snapshot repeats old values of its own
    leg as well, and those must not undo a newer one set on another leg."""
    label = shard.site.label_of(name)
    if label == scores.LABEL:
        return  # only what is set counts: a copy would be another leg's
    if label == payments.LABEL:
        # What only repeats an "off" may be older than an "on" that came by another way.
        if announced or payments.says_on(value):
            payments.take_variable(shard, channel, value, announced=announced)
        return
    if label == RECORDING:
        if value:
            _take_file(shard, channel, value)
        return
    if label is None or not (value or announced):
        return
    last = channel.labels.get(label)
    if value == last or (not value and last is None):
        return
    channel.labels[label] = value
    call = shard.calls.get(channel.call)
    if call is None or channel.spy:
        return
    if announced and channel.uniqueid != call.origin and channel.state != "Up":
        announced = False  # a leg that is being dialled repeats what it inherits, by VarSet too
    # Where nobody saw the changes, the leg that the call began with knows best: others go on
    # repeating what they inherited.
    best = shard.resyncing and channel.uniqueid == call.origin
    if not announced and last is None and label in call.labels and not best:
        return
    if value:
        call.labels[label] = value
    else:
        call.labels.pop(label, None)
    if shard.resyncing:
        shard.touch_call(call)  # conclusions are drawn when all is told
    else:
        update(shard, call, at)


def _take_file(shard: Shard, channel: Channel, file: str) -> None:
    """Asterisk sets the variable right before the recording begins; a dialplan may do so later."""
    channel.labels[RECORDING] = file
    if channel.recordings and channel.recordings[-1].file is None:
        named = msgspec.structs.replace(channel.recordings[-1], file=file)
        channel.recordings = (*channel.recordings[:-1], named)
        shard.records.append(named)


def take_changed_labels(shard: Shard, call: Call) -> None:
    """What was set while no daemon ran. The leg on which the ledger's value was set repeats it
    still; where none does, it was changed there, as a dialler sets the result on its customer's
    leg, which did not begin the call."""
    legs = [shard.channels[u] for u in call.legs]
    for label, old in list(call.labels.items()):
        told = {leg.labels[label] for leg in legs if label in leg.labels}
        if old not in told and len(told) == 1:
            call.labels[label] = told.pop()
    call.restored = False


# --- names -------------------------------------------------------------------------------


def new_aliases(shard: Shard, call: Call) -> list[AliasRecord]:
    """Those that the ledger does not have yet, once."""
    fresh = islice(call.aliases, call.told_aliases, None)
    call.told_aliases = len(call.aliases)
    return [
        AliasRecord(pbx=shard.pbx, boot=shard.boot, alias=alias, call=call.id) for alias in fresh
    ]
