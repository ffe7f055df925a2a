"""Order: Asterisk keeps it for one channel and for nothing else (ami-facts 2, "Ordering promise").

Each kept trace is applied with its events put into another legal order, then reconciled twice. Who
supervised whom, as what and on which call, and what the calls were, must come out the same.

What may differ, because the order is all there is to tell it from: times and lengths, whether
"hung up", "disconnected" or "call ended" is given where both ends went within the same moment, a
Barge segment that a take-over passes through, and which of two agents an internal call is put to.
A call's direction is left out as well for now: see the test of its own at the end.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from monitord.ami import trace
from monitord.ami.attachment import translate_item
from monitord.domain import events as ev
from monitord.domain.events import At, Event
from monitord.domain.ledger import CallRecord, SegmentRecord, SupervisionRecord, key_of
from monitord.domain.reducer import reduce
from monitord.domain.state import Shard, new_shard
from monitord.domain.words import Direction, SpyType
from tests.kit.traces import kept_traces

Timed = tuple[Event, At]

LATE_MS = 2
"""How much later than another channel's an event may come. In some recordings what two people did
lies 3 ms apart, so more than this would be another story, not another order."""

_CHANNELS = ("channel", "spyer", "dest", "caller", "agent_channel", "uniqueid")
_OWN = (
    *(ev.ChannelCreated, ev.ChannelChanged, ev.ChannelRenamed, ev.ChannelHungUp, ev.AppStarted),
    *(ev.VariableSet, ev.DialBegun, ev.BridgeEntered, ev.BridgeLeft, ev.HoldChanged),
    *(ev.KeyPressed, ev.SpyStarted, ev.SpyStopped, ev.QueueJoined, ev.QueueLeft),
    *(ev.AgentRung, ev.AgentConnected, ev.AgentCompleted),
    *(ev.MemberSeen, ev.MemberPaused, ev.MemberRemoved, ev.DeviceChanged),
)


def owner(event: Event) -> str | None:
    """What the event keeps its place with; None where it keeps it with everything."""
    if not isinstance(event, _OWN):
        return None
    if isinstance(event, ev.DialBegun):
        return event.dest.uniqueid
    for name in _CHANNELS:
        channel = getattr(event, name, None)
        if channel:
            return channel if isinstance(channel, str) else str(channel.uniqueid)
    return str(getattr(event, "interface", None) or getattr(event, "device", ""))


def reordered(events: list[Timed], seed: int) -> list[Timed]:
    chance = random.Random(seed)
    done: list[Timed] = []
    block: list[tuple[float, int, Event]] = []
    times: list[At] = []
    last: dict[str, float] = {}

    def flush() -> None:
        done.extend(zip((e for _, _, e in sorted(block, key=lambda b: b[:2])), times, strict=True))
        block.clear()
        times.clear()
        last.clear()

    for n, (event, at) in enumerate(events):
        whose = owner(event)
        if whose is None:
            flush()
            done.append((event, at))
            continue
        place = max(at.mono + chance.uniform(0, LATE_MS), last.get(whose, 0.0))
        last[whose] = place
        block.append((place, n, event))
        times.append(at)
    flush()
    return done


def applied(header: trace.Header, events: list[Timed]) -> tuple[Shard, dict[Any, Any]]:
    shard = new_shard(header.pbx, header.pbx, header.site)
    rows: dict[Any, Any] = {}
    last = events[-1][1]
    after: list[Event] = [ev.ReconcileBegun(), ev.ReconcileEnded()] * 2 + [ev.Tick()]
    later = [
        (e, At(last.mono + n * 60_000, last.wall + n * 60_000)) for n, e in enumerate(after, 1)
    ]
    for event, at in events + later:
        for record in reduce(shard, event, at).records:
            rows[key_of(record)] = record
    return shard, rows


def what_was(rows: dict[Any, Any]) -> dict[str, Any]:
    """All of the rows that must not depend on the order."""
    supervisions, segments, calls = {}, {}, {}
    for row in rows.values():
        if isinstance(row, SupervisionRecord):
            assert row.ended is not None
            supervisions[row.id] = (
                *(row.supervisor_id, row.agent_id, row.type, row.at_least, row.means),
                *(row.call, row.call_id, row.campaign),
            )
        elif isinstance(row, CallRecord):
            assert row.ended is not None
            agent = row.agent_id if row.direction is not Direction.INTERNAL else ""
            calls[row.id] = (
                *(row.call_id, agent, row.number, row.queue),
                *(row.campaign, row.list, row.result),
            )
    of: dict[str, list[SegmentRecord]] = {}
    for row in rows.values():
        if isinstance(row, SegmentRecord):
            of.setdefault(row.supervision, []).append(row)
    for supervision, its in of.items():
        its.sort(key=lambda s: s.n)
        kept = [
            s
            for s, then in zip(its, [*its[1:], None], strict=True)
            if not (s.type is SpyType.BARGE and then and then.type is SpyType.BARGE_KICK)
        ]
        segments[supervision] = [(s.type, s.call, s.number, s.campaign, s.spyee) for s in kept]
    return {"supervisions": supervisions, "segments": segments, "calls": calls}


TRACES = [
    pytest.param(
        path,
        id=f"{path.parent.name}/{path.stem}",
    )
    for path in kept_traces(unbroken=True)
]


@pytest.mark.fault("reordered families")
@pytest.mark.parametrize("path", TRACES)
def test_the_order_between_channels_does_not_matter(path: Path) -> None:
    header, items = trace.read(path)
    translated = ((translate_item(i), At(i.mono, i.wall)) for i in items)
    events = [(event, at) for event, at in translated if event is not None]
    expected = what_was(applied(header, events)[1])

    for seed in range(25):
        shard, rows = applied(header, reordered(events, seed))
        assert what_was(rows) == expected, f"seed {seed}"
        assert not shard.channels and not shard.calls and not shard.supervisions


@pytest.mark.fault("reordered families")
def test_a_channel_named_before_its_newchannel_is_seen_from_its_beginning() -> None:
    """DialBegin names the customer's leg, whose own Newchannel comes a moment later."""
    header, _ = trace.read(TRACES[0].values[0])  # type: ignore[arg-type]
    shard = new_shard(header.pbx, header.pbx, header.site)

    def leg(uniqueid: str, name: str) -> ev.Snapshot:
        return ev.Snapshot(uniqueid, name, "1.1", "Up", "5551234", "", "", "any", "s")

    customer, agent = leg("1.1", "PJSIP/trunk-00000001"), leg("1.2", "PJSIP/1001-00000002")
    for event in (ev.DialBegun(customer, agent), ev.ChannelCreated(customer)):
        reduce(shard, event, At(1, 1))
    (call,) = shard.calls.values()
    assert call.direction is Direction.INBOUND
