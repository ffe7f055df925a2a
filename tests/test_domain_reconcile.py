"""What a reconcile may end, and what it must not believe."""

from __future__ import annotations

import pytest

from monitord.domain import events as ev
from monitord.domain.events import At, Event, Snapshot
from monitord.domain.ledger import CallRecord
from monitord.domain.reducer import reduce
from monitord.domain.site import Site
from monitord.domain.state import Shard, new_shard
from monitord.domain.words import CallState, EndReason


def leg(n: int, linkedid: str) -> Snapshot:
    return Snapshot(f"1.{n}", f"PJSIP/{n}-{n:08x}", linkedid, "Up", f"555{n}", "", "", "any", "s")


class World:
    """Calls of two legs each, and reconciles that mention some of them."""

    def __init__(self, calls: int) -> None:
        self.shard: Shard = new_shard("pbx", "PBX", Site())
        self.now = 1000
        self.rows: dict[str, CallRecord] = {}
        for call in range(calls):
            customer, agent = leg(2 * call, f"1.{2 * call}"), leg(2 * call + 1, f"1.{2 * call}")
            self.apply(
                ev.ChannelCreated(customer),
                ev.ChannelCreated(agent),
                ev.DialBegun(customer, agent),
                ev.BridgeEntered(customer, f"b{call}"),
                ev.BridgeEntered(agent, f"b{call}"),
            )

    def apply(self, *events: Event) -> None:
        for event in events:
            self.now += 10
            outcome = reduce(self.shard, event, At(self.now, 1_700_000_000_000 + self.now))
            self.rows |= {r.id: r for r in outcome.records if isinstance(r, CallRecord)}

    def reconcile(self, alive: set[str]) -> None:
        told = [
            ev.ChannelTold(leg(int(u[2:]), self.shard.channels[u].linkedid), "", "", 1, "")
            for u in sorted(alive)
        ]
        self.apply(ev.ReconcileBegun(), *told, ev.ReconcileEnded())

    @property
    def lost(self) -> int:
        return sum(r.end_reason is EndReason.LOST for r in self.rows.values())


@pytest.mark.fault("missing ChanSpyStop")
def test_one_answer_ends_nothing_and_the_second_does() -> None:
    world = World(calls=4)
    alive = set(world.shard.channels) - {"1.0", "1.1"}
    world.reconcile(set(world.shard.channels))
    world.reconcile(alive)
    assert world.lost == 0 and len(world.shard.calls) == 4
    world.reconcile(alive)
    assert world.lost == 1 and len(world.shard.calls) == 3
    (row,) = (r for r in world.rows.values() if r.end_reason is EndReason.LOST)
    assert not row.ended_exact
    assert row.ended_after is not None and row.ended is not None and row.ended_after < row.ended


def test_two_answers_must_be_in_a_row() -> None:
    world = World(calls=4)
    everybody = set(world.shard.channels)
    for _ in range(3):
        world.reconcile(everybody - {"1.0", "1.1"})
        world.reconcile(everybody)
    assert world.lost == 0


@pytest.mark.fault("missing ChanSpyStop")
def test_a_collapse_is_not_believed_at_once() -> None:
    world = World(calls=5)
    for _ in range(3):
        world.reconcile(set())
        assert world.lost == 0 and len(world.shard.calls) == 5
    world.reconcile(set())
    assert world.lost == 5 and not world.shard.channels


def test_an_answer_that_breaks_off_counts_for_nothing() -> None:
    world = World(calls=2)
    for _ in range(5):
        world.apply(ev.ReconcileBegun())
    assert world.lost == 0 and len(world.shard.calls) == 2


def test_what_is_listed_again_is_back() -> None:
    """A channel that two answers left out had not hung up: the third one has it."""
    world = World(calls=1)
    world.reconcile({"1.0"})
    world.reconcile({"1.0"})
    assert set(world.shard.channels) == {"1.0"}
    told = ev.ChannelTold(leg(1, "1.0"), "AppDial", "(Outgoing Line)", 9, "b0")
    world.apply(ev.ReconcileBegun(), told, ev.ReconcileEnded())
    assert set(world.shard.channels) == {"1.0", "1.1"}
    assert world.shard.channels["1.1"].bridge == "b0" and len(world.shard.calls) == 1
    # What has hung up is not brought back by an event that comes late.
    world.apply(ev.ChannelHungUp("1.1"), ev.ChannelChanged(leg(1, "1.0")))
    assert set(world.shard.channels) == {"1.0"}


def test_a_supervision_that_is_back_is_another_one() -> None:
    world, rows = World(calls=1), []
    spyer = Snapshot("1.9", "PJSIP/9-00000009", "1.9", "Up", "9", "", "", "any", "s")
    told = ev.ChannelTold(spyer, "ChanSpy", "1.1,uqE", 9, "")
    both = [ev.ChannelTold(leg(n, "1.0"), "", "", 9, "b0") for n in (0, 1)]
    world.apply(ev.AppStarted(spyer, "ChanSpy", "1.1,uqE"), ev.SpyStarted(spyer, leg(1, "1.0")))
    for n in range(5):
        listed = both if n < 2 else [*both, told]
        world.apply(ev.ReconcileBegun(), *listed, ev.ReconcileEnded())
        rows.append(sorted(world.shard.supervisions))
        world.now += 10_000
    assert rows[1] == rows[2] == [] and len(rows[0]) == len(rows[3]) == 1
    assert rows[0] != rows[3] == rows[4]


def spy_unheard(data: str, *reconciles: int) -> World:
    """Nobody heard that ``1.9`` began to spy; the call is there at each of so many reconciles."""
    world = World(calls=1)
    spyer = Snapshot("1.9", "PJSIP/9-00000009", "1.9", "Up", "9", "", "", "any", "s")
    for legs in reconciles:
        world.now += 10_000
        both = [ev.ChannelTold(leg(n, "1.0"), "", "", 9, "b0") for n in range(legs)]
        told = ev.ChannelTold(spyer, "ChanSpy", data, 9, "")
        world.apply(ev.ReconcileBegun(), *both, told, ev.ReconcileEnded())
    return world


def test_a_spy_whose_start_was_not_heard_is_found() -> None:
    """It is in ChanSpy, and the channel that it fits has been there all the while."""
    for data in ("1.1,uqE", "PJSIP/1-,qw"):
        assert spy_unheard(data, 2).shard.supervisions == {}
        (found,) = spy_unheard(data, 2, 2).shard.supervisions.values()
        assert found.segments[-1].spyee == "1.1" and not found.started_exact


def test_a_spy_that_may_wait_is_no_supervision() -> None:
    """With a group, a list or "only in a bridge" not every channel that fits is listened to; and
    one that fits none has nobody to listen to."""
    for data in ("PJSIP/1-,qg(sales)", "PJSIP/1-,b", "PJSIP/1-,e(9@any)", "PJSIP/77-,q"):
        world = spy_unheard(data, 2, 2, 2)
        assert world.shard.supervisions == {} and world.shard.channels["1.9"].spy


def test_a_caller_whose_queue_was_not_heard_of_is_shown() -> None:
    world = World(calls=0)
    world.apply(ev.ChannelCreated(leg(0, "1.0")))
    told = ev.ChannelTold(leg(0, "1.0"), "Queue", "sales,t", 9, "")
    world.apply(ev.ReconcileBegun(), told, ev.ReconcileEnded())
    (row,) = world.rows.values()
    assert row.queue == "sales" and row.ended is None
    (call,) = world.shard.calls.values()
    assert call.state is CallState.QUEUED


def test_a_call_whose_beginning_was_not_heard_is_shown() -> None:
    """Its DialBegin and BridgeEnters were lost; two telephones under one linkedid are a call."""
    world = World(calls=0)
    world.apply(ev.ChannelCreated(leg(0, "1.0")), ev.ChannelCreated(leg(1, "1.0")))
    assert world.rows == {}
    world.reconcile({"1.0", "1.1"})
    (row,) = world.rows.values()
    assert row.call_id == "1.0" and row.ended is None


def test_a_name_that_came_damaged_is_put_right() -> None:
    world = World(calls=1)
    world.shard.channels["1.1"].name = "PJSIP\ufffd1-00000001"
    world.reconcile({"1.0", "1.1"})
    assert world.shard.channels["1.1"].name == "PJSIP/1-00000001"
    assert world.shard.channels["1.1"].endpoint == "PJSIP/1"
