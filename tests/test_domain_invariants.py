"""What holds after any sequence of events whatsoever (the invariants, as properties)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.domain import events as ev
from monitord.domain.events import At, Event, Snapshot
from monitord.domain.ledger import SegmentRecord, SupervisionRecord, key_of
from monitord.domain.reducer import Change, picture, reduce
from monitord.domain.site import Person, Site
from monitord.domain.state import Shard, new_shard
from monitord.domain.words import LinkState, SpyType
from tests.kit.invariants import check_shard

SITE = Site(
    variables={"CAMPAIGN": "campaign", "RESULT": "result", "PAYS": "payment"},
    people=(
        Person("ann", "Ann", ("PJSIP/1001",), agent=True),
        Person("sue", "Sue", ("PJSIP/2001",)),
    ),
    wrap_up_s={"*": 3},
)

uids = st.sampled_from([f"1.{n}" for n in range(7)])
bridges = st.sampled_from(["b1", "b2"])
queues = st.sampled_from(["support", "sales"])
interfaces = st.sampled_from(["PJSIP/1001", "PJSIP/10011", "Local/1002@agents"])
NAMES = {
    "1.0": "PJSIP/trunk-00000000",
    "1.1": "PJSIP/1001-00000001",
    "1.2": "PJSIP/2001-00000002",
    "1.3": "PJSIP/10011-00000003",
    "1.4": "PJSIP/2002-00000004",
    "1.5": "Local/1002@agents-00000005;1",
    "1.6": "Snoop/1.1-00000006",
}
APPS = [
    ("ChanSpy", "1.1,uqE"),
    ("ChanSpy", "PJSIP/1001,wd"),
    ("ChanSpy", "PJSIP/1001,B"),
    ("ConfBridge", "9"),
    ("Hangup", ""),
    ("Queue", "support"),
    ("", ""),
]


@st.composite
def snapshots(draw: Any, uid: str | None = None) -> Snapshot:
    uniqueid = uid or draw(uids)
    return Snapshot(
        uniqueid=uniqueid,
        name=NAMES[uniqueid],
        linkedid=draw(st.sampled_from([uniqueid, "1.0", ""])),
        state=draw(st.sampled_from(["Down", "Ringing", "Up"])),
        caller=draw(st.sampled_from(["", "5551234"])),
        connected="",
        account="",
        context="any",
        exten=draw(st.sampled_from(["s", "8000"])),
        variables=draw(
            st.sampled_from(
                [
                    (),
                    (("CAMPAIGN", "spring"),),
                    (("RESULT", ""),),
                    (("PAYS", "1"),),
                    (("PAYS", ""),),
                ]
            )
        ),
    )


def _apps(build: Any) -> st.SearchStrategy[Event]:
    return st.sampled_from(APPS).flatmap(lambda a: build(*a))


happenings: st.SearchStrategy[Event] = st.one_of(
    st.builds(ev.ChannelCreated, snapshots()),
    st.builds(ev.ChannelChanged, snapshots()),
    st.builds(ev.ChannelRenamed, uids, st.sampled_from(list(NAMES.values()))),
    st.builds(ev.ChannelHungUp, uids),
    _apps(lambda a, d: st.builds(ev.AppStarted, snapshots(), st.just(a), st.just(d))),
    st.builds(ev.VariableSet, uids, st.sampled_from(["__CAMPAIGN", "RESULT"]), st.text(max_size=3)),
    st.builds(ev.VariableSet, uids, st.just("__PAYS"), st.sampled_from(["", "1", "off", "yes"])),
    st.builds(
        ev.UserSaid,
        st.sampled_from(["MonitordPayment", "Other"]),
        st.just("") | uids,
        st.sampled_from(list(NAMES.values())),
        st.booleans(),
    ),
    st.builds(
        ev.RecordingMuted, uids, st.sampled_from(["read", "write", "both", ""]), st.booleans()
    ),
    st.builds(ev.DialBegun, st.none() | snapshots(), snapshots()).filter(
        lambda e: e.caller is None or e.caller.uniqueid != e.dest.uniqueid
    ),
    st.builds(ev.BridgeEntered, snapshots(), bridges),
    st.builds(ev.BridgeLeft, uids, bridges),
    st.builds(ev.HoldChanged, uids, st.booleans()),
    st.builds(ev.KeyPressed, uids, st.sampled_from("4569*")),
    # A spying channel is never spied on (app_chanspy.c:1115).
    st.builds(ev.SpyStarted, snapshots(), st.none() | snapshots()).filter(
        lambda e: e.spyee is None or e.spyer.uniqueid != e.spyee.uniqueid
    ),
    st.builds(ev.SpyStopped, uids),
    st.builds(ev.QueueJoined, snapshots(), queues),
    st.builds(ev.QueueLeft, uids),
    st.builds(ev.AgentRung, queues, interfaces, uids, st.none() | uids),
    st.builds(
        ev.AgentConnected, queues, interfaces, st.just("Ann"), st.none() | uids, st.none() | uids
    ),
    st.builds(
        ev.AgentCompleted, queues, interfaces, st.just("Ann"), st.none() | uids, st.none() | uids
    ),
    st.builds(
        ev.MemberSeen,
        queues,
        interfaces,
        st.sampled_from(["", "PJSIP/1002"]),
        st.just("Ann"),
        st.sampled_from(["", "NOT_INUSE", "INUSE", "RINGING"]),
        st.booleans(),
        st.sampled_from(["", "Lunch"]),
        st.sampled_from([0, 5]),
    ),
    st.builds(ev.MemberPaused, queues, interfaces, st.booleans(), st.just("Lunch")),
    st.builds(ev.MemberRemoved, queues, interfaces),
    st.builds(
        ev.DeviceChanged,
        st.sampled_from(["PJSIP/1001", "Queue:support"]),
        st.sampled_from(["INUSE", "NOT_INUSE", "ONHOLD", "UNAVAILABLE", "odd"]),
    ),
    st.builds(ev.LinkChanged, st.sampled_from(list(LinkState)), st.just("why")),
    st.builds(ev.BootSeen, st.sampled_from(["boot1", "boot2"]), st.just("22")),
    st.just(ev.ResyncBegun()),
    _apps(
        lambda a, d: st.builds(
            ev.ChannelTold,
            snapshots(),
            st.just(a),
            st.just(d),
            st.integers(0, 100),
            st.just("") | bridges,
        )
    ),
    st.builds(ev.ChannelUnknown, uids),
    st.just(ev.ResyncEnded()),
    st.just(ev.ReconcileBegun()),
    st.just(ev.ReconcileEnded()),
    st.just(ev.Tick()),
)

steps = st.lists(st.tuples(happenings, st.integers(0, 4000)), max_size=60)


START = At(10_000, 1_700_000_000_000)


@dataclass
class World:
    """A shard, and what somebody who only sees its outcomes would know."""

    shard: Shard = field(default_factory=lambda: new_shard("pbx", "PBX", SITE))
    at: At = START
    shown: dict[tuple[str, str], Any] = field(default_factory=dict)
    rows: dict[Any, Any] = field(default_factory=dict)

    def apply(self, event: Event, later_ms: int = 0) -> list[Change]:
        self.at = At(self.at.mono + later_ms, self.at.wall + later_ms)
        outcome = reduce(self.shard, event, self.at)
        for change in outcome.changes:
            key = (change.kind, change.id)
            assert self.shown.get(key) == change.old
            if change.new is None:
                del self.shown[key]
            else:
                self.shown[key] = change.new
        for record in outcome.records:
            old = self.rows.get(key_of(record))
            self.check_row(old, record)
            self.rows[key_of(record)] = record
        return outcome.changes

    @staticmethod
    def check_row(old: Any, new: Any) -> None:
        ended = getattr(new, "ended", None)
        if ended is not None:
            assert ended >= new.started
            assert getattr(new, "length_ms", 0) is None or getattr(new, "length_ms", 0) >= 0
        if isinstance(new, SupervisionRecord) and old is not None and old.ended is not None:
            assert new.ended is not None, "a supervision is never opened again"
        if isinstance(new, SegmentRecord) and old is not None and old.ended is not None:
            assert (new.ended, new.type) == (old.ended, old.type)

    def check(self) -> None:
        shard = self.shard
        assert sorted(map(repr, self.shown.values())) == sorted(map(repr, picture(shard)))
        check_shard(shard)


@settings(max_examples=400, deadline=None)
@given(steps)
def test_no_sequence_breaks_it(sequence: list[tuple[Event, int]]) -> None:
    world = World()
    for event, later in sequence:
        world.apply(event, later)
        world.check()


@settings(max_examples=200, deadline=None)
@given(steps)
def test_after_all_hang_ups_nothing_is_left(sequence: list[tuple[Event, int]]) -> None:
    world = World()
    for event, later in sequence:
        world.apply(event, later)
    for uniqueid in list(world.shard.channels):
        world.apply(ev.ChannelHungUp(uniqueid), 10)
    world.apply(ev.Tick(), 100_000)
    shard = world.shard
    assert not shard.channels and not shard.bridges and not shard.by_spyer
    assert not shard.calls and not shard.supervisions and not shard.by_linkedid
    assert not shard.paying and not shard.spies_of and not shard.wrapping and not shard.ended_calls
    for row in world.rows.values():
        if isinstance(row, SupervisionRecord | SegmentRecord):
            assert row.ended is not None
            assert row.type is not SpyType.UNKNOWN or not row.at_least


@pytest.mark.fault("duplicate events (2 logins, replays)")
@settings(max_examples=200, deadline=None)
@given(steps)
def test_any_event_twice_changes_nothing(sequence: list[tuple[Event, int]]) -> None:
    world = World()
    for event, later in sequence:
        world.apply(event, later)
        assert world.apply(event) == []


@settings(max_examples=200, deadline=None)
@given(steps)
def test_the_same_events_give_the_same_rows(sequence: list[tuple[Event, int]]) -> None:
    worlds = World(), World()
    for event, later in sequence:
        for world in worlds:
            world.apply(event, later)
    assert worlds[0].rows == worlds[1].rows and worlds[0].shown == worlds[1].shown
