"""What a reconcile may end, and what it must not believe."""

from __future__ import annotations

import pytest

from monitord.domain import events as ev
from monitord.domain.events import At, Event, Snapshot
from monitord.domain.ledger import CallRecord
from monitord.domain.reducer import reduce
from monitord.domain.site import Site
from monitord.domain.state import Shard, new_shard
from monitord.domain.words import EndReason


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
