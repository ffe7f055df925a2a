"""A payment in progress: what says so, on whose call, until when."""

from __future__ import annotations

from itertools import permutations

import pytest

from monitord.domain import events as ev
from monitord.domain.events import At, Event, Snapshot
from monitord.domain.reducer import reduce
from monitord.domain.site import Person, Site
from monitord.domain.state import Shard, new_shard
from monitord.domain.views import Call, Supervision
from monitord.domain.words import LinkState

SITE = Site(
    variables={"CAMPAIGN": "campaign", "PAYS": "payment"},
    people=(
        Person("ann", "Ann", ("PJSIP/1001",), agent=True),
        Person("bob", "Bob", ("PJSIP/1002",), agent=True),
        Person("sue", "Sue", ("PJSIP/2001",)),
    ),
)
CUSTOMER, ANN, BOB, SUE = "1.0", "1.1", "1.2", "1.3"
ENDPOINTS = {CUSTOMER: "trunk", ANN: "1001", BOB: "1002", SUE: "2001"}


def snap(uniqueid: str, linkedid: str = CUSTOMER, state: str = "Up", **variables: str) -> Snapshot:
    name = f"PJSIP/{ENDPOINTS[uniqueid]}-0000000{uniqueid[-1]}"
    caller = "5551234" if uniqueid == CUSTOMER else ""
    return Snapshot(
        uniqueid, name, linkedid, state, caller, "", "", "any", "s", tuple(variables.items())
    )


class World:
    """A customer talks to Ann."""

    def __init__(self) -> None:
        self.shard: Shard = new_shard("pbx", "PBX", SITE)
        self.now = 1000
        self.calls: dict[str, Call] = {}
        self.supervisions: dict[str, Supervision] = {}
        self.apply(
            ev.LinkChanged(LinkState.LIVE),
            ev.ChannelCreated(snap(CUSTOMER)),
            ev.ChannelCreated(snap(ANN)),
            ev.DialBegun(snap(CUSTOMER), snap(ANN)),
            *self.together(CUSTOMER, ANN),
        )

    def together(self, *uniqueids: str) -> list[Event]:
        return [ev.BridgeEntered(snap(u), "b") for u in uniqueids]

    def apply(self, *events: Event) -> None:
        for event in events:
            self.now += 10
            outcome = reduce(self.shard, event, At(self.now, 1_700_000_000_000 + self.now))
            for change in outcome.changes:
                kept = {"call": self.calls, "supervision": self.supervisions}.get(change.kind)
                if kept is not None:
                    kept[change.id] = change.new  # type: ignore[assignment]
                    if change.new is None:
                        del kept[change.id]

    def listen(self) -> None:
        sue = snap(SUE, SUE)
        self.apply(
            ev.ChannelCreated(sue),
            ev.AppStarted(sue, "ChanSpy", f"{ANN},uq"),
            ev.SpyStarted(sue, snap(ANN)),
        )

    @property
    def pays(self) -> bool:
        (call,) = self.calls.values()
        for supervision in self.supervisions.values():
            assert supervision.payment == call.payment, "listeners are told as well"
        return call.payment

    def status(self, *told: Snapshot) -> list[Event]:
        return [ev.ChannelTold(one, "", "", 5, "b") for one in told]


def variable(uniqueid: str, value: str) -> Event:
    return ev.VariableSet(uniqueid, "PAYS", value)


def says(uniqueid: str, on: bool, name: str = "MonitordPayment") -> Event:
    return ev.UserSaid(name, uniqueid, "", on)


def mute(uniqueid: str, on: bool, direction: str = "both") -> Event:
    return ev.RecordingMuted(uniqueid, direction, on)


BEGINS_AND_ENDS = [
    pytest.param(variable(ANN, "1"), variable(ANN, ""), id="variable"),
    pytest.param(variable(CUSTOMER, "4111111111111111"), variable(CUSTOMER, "OFF"), id="any value"),
    pytest.param(says(ANN, True), says(ANN, False), id="event"),
    pytest.param(says(ANN, True), says(CUSTOMER, False), id="event, ended on the other leg"),
    pytest.param(
        ev.UserSaid("MonitordPayment", "", "PJSIP/1001-00000001", True),
        says(ANN, False),
        id="event by the channel's name",
    ),
    pytest.param(mute(ANN, True), mute(ANN, False), id="mute"),
    pytest.param(mute(ANN, True, "read"), mute(ANN, False), id="mute of one side"),
]


@pytest.mark.parametrize(("begins", "ends"), BEGINS_AND_ENDS)
@pytest.mark.parametrize("when", ["before", "in the middle", "after"])
def test_listeners_are_told(begins: Event, ends: Event, when: str) -> None:
    world = World()
    if when == "in the middle":
        world.listen()
    assert not world.pays
    world.apply(begins)
    assert world.pays
    if when == "before":
        world.listen()
        assert world.supervisions and world.pays
    world.apply(ends)
    assert not world.pays
    if when == "after":
        world.listen()
        assert world.supervisions and not world.pays


@pytest.mark.parametrize("value", ["", "0", "no", "No", "false", "FALSE", "off", " off "])
def test_what_is_off(value: str) -> None:
    world = World()
    world.apply(variable(ANN, value))
    assert not world.pays


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_while_anything_says_so(order: tuple[int, ...]) -> None:
    world = World()
    on = [variable(CUSTOMER, "1"), says(ANN, True), mute(ANN, True)]
    off = [variable(CUSTOMER, "0"), says(ANN, False), mute(ANN, False)]
    world.apply(*(on[n] for n in order))
    for n in order:
        assert world.pays
        world.apply(off[n])
    assert not world.pays


def test_each_side_of_a_recording() -> None:
    world = World()
    world.apply(mute(ANN, True, "read"), mute(ANN, True, "write"), mute(ANN, False, "read"))
    assert world.pays
    world.apply(mute(ANN, False, "write"))
    assert not world.pays


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(says(ANN, True, "Payment"), id="another event"),
        pytest.param(says("9.9", True), id="an unknown channel"),
        pytest.param(says("", True), id="no channel"),
        pytest.param(mute("9.9", True), id="an unknown recording"),
        pytest.param(ev.VariableSet(ANN, "CAMPAIGN", "1"), id="another variable"),
    ],
)
def test_what_says_nothing(event: Event) -> None:
    world = World()
    world.apply(event)
    assert not world.pays and not world.shard.paying


def test_nothing_of_the_card_is_kept() -> None:
    world = World()
    world.listen()
    world.apply(variable(ANN, "4111111111111111"), *world.status(snap(ANN, PAYS="4111111111111")))
    assert world.pays and "4111" not in repr(world.shard)


# --- legs come and go ----------------------------------------------------------------------


def test_it_ends_with_its_leg_and_its_call() -> None:
    world = World()
    world.apply(says(ANN, True), ev.ChannelHungUp(ANN))
    assert not world.pays
    world.apply(says(CUSTOMER, True), ev.ChannelHungUp(CUSTOMER))
    assert not world.calls and not world.shard.paying


def test_it_goes_with_the_customer_to_another_agent() -> None:
    world = World()
    world.apply(
        variable(CUSTOMER, "1"),
        ev.ChannelCreated(snap(BOB, state="Ring")),
        ev.DialBegun(snap(CUSTOMER), snap(BOB)),
        ev.BridgeLeft(ANN, "b"),
        ev.ChannelHungUp(ANN),
        *world.together(BOB),
    )
    assert world.pays
    (call,) = world.calls.values()
    assert call.agent is not None and call.agent.id == "bob"


def test_a_leg_that_inherited_it_ends_with_who_set_it() -> None:
    world = World()
    world.apply(
        variable(CUSTOMER, "1"),
        ev.ChannelCreated(snap(BOB, state="Down")),
        variable(BOB, "1"),  # what is dialled repeats what it inherits
        ev.ChannelChanged(snap(BOB)),
        *world.together(BOB),
        variable(CUSTOMER, ""),
    )
    assert not world.pays
    # What Status repeats of it is no news.
    world.apply(ev.ReconcileBegun(), *world.status(snap(BOB, PAYS="1")), ev.ReconcileEnded())
    assert not world.pays
    world.apply(variable(BOB, "1"))
    assert world.pays


def test_a_leg_that_inherited_it_goes_on_alone() -> None:
    world = World()
    world.apply(
        variable(CUSTOMER, "1"),
        ev.ChannelCreated(snap(BOB, state="Down")),
        variable(BOB, "1"),
        *world.together(BOB),
        ev.ChannelHungUp(CUSTOMER),
    )
    assert world.pays


def test_an_agent_who_waits_in_a_conference() -> None:
    """Asterisk gives the two no common linkedid; it is the customer's call that is supervised."""
    world = World()
    world.apply(ev.BridgeLeft(ANN, "b"), ev.ChannelHungUp(ANN))
    world.apply(ev.ChannelCreated(snap(BOB, BOB)), ev.BridgeEntered(snap(BOB, BOB), "b"))
    world.apply(says(BOB, True))
    assert [c.payment for c in world.calls.values() if c.number] == [True]
    world.apply(ev.BridgeLeft(BOB, "b"))
    assert [c.payment for c in world.calls.values() if c.number] == [False]


# --- gaps ----------------------------------------------------------------------------------


def resync(world: World, *told: Snapshot) -> None:
    world.apply(
        ev.LinkChanged(LinkState.LOST),
        ev.ResyncBegun(),
        *world.status(*told),
        ev.ResyncEnded(),
        ev.LinkChanged(LinkState.LIVE),
    )


def test_a_variable_is_read_again() -> None:
    world = World()
    resync(world, snap(CUSTOMER, PAYS="1"), snap(ANN, PAYS=""))
    assert world.pays
    resync(world, snap(CUSTOMER, PAYS=""), snap(ANN, PAYS=""))
    assert not world.pays


def test_a_late_attach_knows_the_variable() -> None:
    world = World()
    fresh = new_shard("pbx", "PBX", SITE)
    world.shard, world.calls = fresh, {}
    resync(world, snap(CUSTOMER, PAYS="yes"), snap(ANN))
    assert world.pays


def test_what_only_events_tell_is_kept_over_a_gap() -> None:
    world = World()
    world.listen()
    world.apply(says(CUSTOMER, True), mute(ANN, True))
    resync(world, snap(CUSTOMER, PAYS=""), snap(ANN, PAYS=""))
    assert world.pays
    world.apply(says(ANN, False), mute(ANN, False))
    assert not world.pays


def test_another_boot_begins_with_none() -> None:
    world = World()
    world.apply(ev.BootSeen("b1", "22"), says(CUSTOMER, True), ev.BootSeen("b2", "22"))
    assert not world.calls and not world.shard.paying


def test_an_off_that_is_only_repeated_may_be_older() -> None:
    """A bridge's events come by another way than the channel's own, with the snapshot of then."""
    world = World()
    world.apply(variable(ANN, "1"), ev.BridgeEntered(snap(ANN, PAYS="0"), "b"))
    assert world.pays
    world.apply(ev.ReconcileBegun(), *world.status(snap(ANN, PAYS="0")), ev.ReconcileEnded())
    assert not world.pays
