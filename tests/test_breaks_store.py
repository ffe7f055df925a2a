"""What a killed daemon leaves in a real database is what the next one begins with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import event as database_event
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.ami import trace
from monitord.domain import events as ev
from monitord.domain.events import At, Remembered, Snapshot
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    Record,
    StatusRecord,
    SupervisionRecord,
    key_of,
)
from monitord.domain.reducer import reduce
from monitord.domain.state import Shard, new_shard
from monitord.domain.words import AgentStatus, EndReason, LinkState
from monitord.store.engine import open_store
from monitord.store.memory import remembered
from monitord.store.recorder import Recorder
from tests.kit.breaks import Pbx, live_from, timed
from tests.kit.records import call, gap, status, supervision
from tests.kit.stores import Store
from tests.kit.traces import FOLDER
from tests.test_breaks_gap import Process, Rows, lost, memory, of, time_of
from tests.test_domain_invariants import SITE


@pytest.fixture
async def engine(store: Store) -> AsyncIterator[AsyncEngine]:
    engine = await open_store(store.url)
    try:
        yield engine
    finally:
        await engine.dispose()


KILLED_IN = [
    "hard_cases/take-over-by-double-redirect-22",
    "hard_cases/next-call-under-the-same-spy-16",
    "keypad/followed-22",
]


def sorted_fields(memory: Remembered) -> dict[str, Any]:
    return {
        name: sorted(value, key=repr) if isinstance(value, tuple) else value
        for name, value in msgspec.structs.asdict(memory).items()
    }


@pytest.mark.fault("daemon kill -9 mid-session")
@pytest.mark.parametrize(
    ("name", "place"),
    [
        pytest.param(name, place, marks=() if place == number else pytest.mark.faults)
        for number, name in enumerate(KILLED_IN)
        for place in range(3)
    ],
)
async def test_a_kill_at_any_message(engine: AsyncEngine, name: str, place: int) -> None:
    """The database has at each third message just what the test of all places begins a restart
    with (tests/test_breaks_gap.py); each of the three runs takes other ones, some in a
    gap. One run of each trace, in `make faults` all."""
    header, items = trace.read(FOLDER / f"{name}.jsonl")
    rows: Rows = {}
    process, recorder, pbx = Process(header, rows), Recorder(engine), Pbx(items)
    first, gaps = live_from(items), 0
    taken: Rows = {}
    for number, (item, pair) in enumerate(zip(items, timed(items), strict=True)):
        pbx.take(item)
        at = time_of(item)
        at = At(at.mono + gaps, at.wall + gaps)
        process.feed([(pair[0], at)] if pair is not None else [])
        if number >= first and number % 3 == place:
            gaps += 1  # no two in one ms
            process.feed([lost(at)] if number % 2 else [])
            recorder.take([r for key, r in rows.items() if taken.get(key) != r])
            taken = dict(rows)
            recorder.live = lambda wall=at.wall: {header.pbx: wall}  # type: ignore[misc]
            recorder._last_beat = 0.0
            assert await recorder.write()
            got = await remembered(engine, header.pbx)
            assert sorted_fields(got) == sorted_fields(memory(rows, at.wall))
            process.feed(pbx.resync(at) if number % 2 else [])
    assert gaps > 20


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_the_heartbeat_says_no_more_than_is_in_the_transaction(
    engine: AsyncEngine, store: Store
) -> None:
    """What comes while a batch is written may be lost by a kill; it must not count as seen."""
    recorder = Recorder(engine)
    seen = 1_000
    recorder.live = lambda: {"lab": seen}
    recorder.take([supervision(1)])

    @database_event.listens_for(engine.sync_engine, "begin")
    def later(_connection: object) -> None:
        nonlocal seen
        seen = 2_000

    assert await recorder.write()
    assert store.read("SELECT last_seen FROM attachment") == [{"last_seen": 1_000}]


# --- what the next one makes of it -------------------------------------------------------


class World:
    def __init__(self, rows: Rows | None = None) -> None:
        self.shard: Shard = new_shard("lab", "Lab", SITE)
        self.rows: Rows = rows if rows is not None else {}
        self.now = At(100_000, 2_000_000)

    def apply(self, *events: ev.Event, later: int = 10) -> list[Record]:
        records: list[Record] = []
        for event in events:
            self.now = At(self.now.mono + later, self.now.wall + later)
            records += reduce(self.shard, event, self.now).records
        self.rows.update({key_of(r): r for r in records})
        return records

    def resync(self, *told: ev.Event, boot: str = "b") -> list[Record]:
        return self.apply(
            *(ev.LinkChanged(LinkState.SYNCING), ev.BootSeen(boot, "22"), ev.ResyncBegun()),
            *told,
            *(ev.ResyncEnded(), ev.LinkChanged(LinkState.LIVE)),
        )

    def restarted(self) -> World:
        world = World(self.rows)
        world.now = At(50, self.now.wall + 1_000)
        world.apply(memory(self.rows, self.now.wall))
        return world


def snap(name: str, uniqueid: str, linkedid: str = "") -> Snapshot:
    return Snapshot(uniqueid, name, linkedid or uniqueid, "Up", "", "", "", "any", "s")


ANN, BOB = snap("PJSIP/1001-00000001", "1.1"), snap("PJSIP/10011-00000002", "1.2")
SUE = snap("PJSIP/2001-00000003", "1.3")
SPY = ev.ChannelTold(SUE, "ChanSpy", "PJSIP/,qd", 1, "")


def told(snapshot: Snapshot) -> ev.ChannelTold:
    return ev.ChannelTold(snapshot, "AppDial", "", 1, "")


async def test_a_spyer_who_moves_after_a_restart_takes_no_other_rows_id() -> None:
    """The count in a supervision's id began anew, and the second row was overwritten."""
    world = World()
    world.resync(told(ANN), told(BOB))
    world.apply(ev.AppStarted(SUE, "ChanSpy", "PJSIP/,q"), ev.SpyStarted(SUE, ANN))
    world.apply(ev.SpyStopped("1.3"), ev.SpyStarted(SUE, BOB))
    again = world.restarted()
    again.resync(told(ANN), told(BOB), SPY)
    again.apply(ev.SpyStopped("1.3"), ev.SpyStarted(SUE, ANN))
    again.apply(ev.ChannelHungUp("1.3"))
    rows = of(again.rows, SupervisionRecord).values()
    assert [r.end_reason for r in rows] == [EndReason.MOVED, EndReason.MOVED, EndReason.HUNG_UP]


async def test_a_spyer_who_comes_back_after_a_restart_begins_another_row() -> None:
    """Ended by Newexten, and the channel spies again: the ended row was opened again."""
    world = World()
    world.resync(told(ANN))
    world.apply(ev.AppStarted(SUE, "ChanSpy", "PJSIP/,q"), ev.SpyStarted(SUE, ANN))
    world.apply(ev.AppStarted(SUE, "Hangup", ""))
    again = world.restarted()
    again.resync(told(ANN), told(SUE))
    again.apply(ev.AppStarted(SUE, "ChanSpy", "PJSIP/,q"), ev.SpyStarted(SUE, ANN))
    rows = of(again.rows, SupervisionRecord).values()
    assert [r.ended is None for r in rows] == [False, True]


async def test_options_are_known_again() -> None:
    """A spy of a restarted daemon has its options back; a switch by keypad may have been missed."""
    site = msgspec.structs.replace(SITE, keypads=frozenset({"lab"}))
    world = World()
    world.shard = new_shard("lab", "Lab", site)
    world.resync(told(ANN))
    world.apply(ev.AppStarted(SUE, "ChanSpy", "PJSIP/,qd"), ev.SpyStarted(SUE, ANN))
    (shown,) = world.shard.supervisions.values()
    assert not shown.segments[-1].at_least
    world.apply(ev.KeyPressed("1.3", "6"), ev.LinkChanged(LinkState.LOST, "cut"))
    world.resync(told(ANN), SPY)
    assert shown.segments[-1].at_least, "it may have been switched while nobody looked"
    again = world.restarted()
    again.shard.keypad = True
    again.resync(told(ANN), SPY)
    (back,) = again.shard.supervisions.values()
    assert back.exits is False and back.keyed == "Barge" and back.spying == "1.1"


@pytest.mark.fault("Asterisk kill -9 / restart")
async def test_another_boot_leaves_the_old_rows_their_own() -> None:
    """They were written with the new boot's name, and no window could be told."""
    world = World()
    world.resync(told(ANN))
    world.apply(ev.QueueJoined(ANN, "support"))
    world.apply(ev.AppStarted(SUE, "ChanSpy", "PJSIP/,q"), ev.SpyStarted(SUE, ANN))
    known = {r.id: r for r in world.rows.values() if hasattr(r, "boot") and hasattr(r, "id")}
    heard = world.now.wall
    world.apply(ev.LinkChanged(LinkState.LOST, "cut", heard), later=5_000)
    world.resync(told(ANN), SPY, boot="c")
    now = {r.id: r for r in world.rows.values() if hasattr(r, "boot") and hasattr(r, "id")}
    for row_id in known:
        row: Any = now.pop(row_id)
        assert (row.boot, row.end_reason) == ("b", EndReason.PBX_RESTARTED)
        assert not row.ended_exact and row.ended_after == heard
        assert row.length_ms == heard - row.started
    assert {r.boot for r in now.values()} == {"c"} and len(now) == 2


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_the_window_begins_when_it_was_last_heard() -> None:
    """A dead connection is noticed late: what ended before that ended in the window as well."""
    world = World()
    world.resync(told(ANN))
    world.apply(ev.AppStarted(SUE, "ChanSpy", "PJSIP/,q"), ev.SpyStarted(SUE, ANN))
    heard = world.now.wall
    world.apply(ev.LinkChanged(LinkState.LOST, "no answer to a ping", heard), later=13_000)
    world.resync()
    (row,) = of(world.rows, SupervisionRecord).values()
    (hole,) = of(world.rows, GapRecord).values()
    assert row.ended_after == heard == hole.started and hole.ended is not None
    assert row.length_ms == heard - row.started
    segments = [r for r in world.rows.values() if getattr(r, "supervision", "") == row.id]
    assert [s.length_ms for s in segments] == [row.length_ms]  # type: ignore[union-attr]


async def test_a_gap_goes_on_over_a_restart() -> None:
    """Its row was left open for ever, and another one begun."""
    world = World()
    world.resync()
    world.apply(ev.LinkChanged(LinkState.LOST, "cut"))
    again = world.restarted()
    again.resync()
    (hole,) = of(again.rows, GapRecord).values()
    assert hole.ended is not None and hole.why == "cut"
    third = again.restarted()
    third.resync()
    assert [g.why for g in of(third.rows, GapRecord).values()] == [
        *("cut", "the daemon was not running")
    ]


async def test_a_gap_that_an_older_daemon_left_open_is_closed() -> None:
    world = World()
    made: list[Record] = [gap(1_000), supervision(1, boot="b"), call(2, boot="b"), status(3)]
    world.rows = {key_of(r): r for r in made}
    world.apply(memory(world.rows, 1_500_000))
    world.resync()
    assert [(g.started, g.ended is None) for g in of(world.rows, GapRecord).values()] == [
        *((1_000, False), (1_500_000, False))
    ]
    for row in of(world.rows, SupervisionRecord).values():
        assert (row.end_reason, row.ended_after) == (EndReason.LOST, 1_500_000)


async def test_no_wrap_up_ends_while_nobody_looks() -> None:
    world = World()
    member = ev.MemberSeen("support", "PJSIP/1001", "", "Ann", "NOT_INUSE", False, "", 3)
    device = ev.DeviceChanged("PJSIP/1001", "NOT_INUSE")
    world.resync(member, device)
    world.apply(ev.AgentCompleted("support", "PJSIP/1001", "Ann", None, None))
    world.apply(ev.LinkChanged(LinkState.LOST, "cut"))
    heard = world.now.wall
    assert world.apply(ev.Tick(), later=60_000) == []
    world.resync(member, device)
    rows = sorted(of(world.rows, StatusRecord).values(), key=lambda r: r.started)
    assert [r.status for r in rows][-2:] == [AgentStatus.WRAP_UP, AgentStatus.AVAILABLE]
    assert not rows[-2].ended_exact and rows[-2].ended_after == heard
    assert not rows[-1].started_exact


async def test_a_snoop_goes_on() -> None:
    """ARI's spy runs no ChanSpy: each resync ended it."""
    snoop = snap("Snoop/1.1-00000001", "1.9")
    world = World()
    world.resync(told(ANN))
    world.apply(ev.SpyStarted(snoop, ANN))
    world.apply(ev.LinkChanged(LinkState.LOST, "cut"))
    listed = (told(ANN), ev.ChannelTold(snoop, "Stasis", "x", 1, ""))
    world.resync(*listed)
    again = world.restarted()
    again.resync(*listed)
    again.apply(ev.ChannelHungUp("1.9"))
    (row,) = of(again.rows, SupervisionRecord).values()
    assert row.ended_exact and row.end_reason == EndReason.HUNG_UP
    late = World()
    late.resync(*listed)
    (shown,) = late.shard.supervisions.values()
    assert shown.agent == "PJSIP/1001" and not shown.started_exact


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_a_label_that_was_set_while_no_daemon_ran() -> None:
    """A dialler sets the result on its customer's leg, which did not begin the call: the ledger's
    older one was kept for good."""
    customer = snap("PJSIP/trunk-00000009", "1.9", "1.1")

    def labelled(result: str) -> list[ev.Event]:
        legs = (ANN, msgspec.structs.replace(customer, variables=(("RESULT", result),)))
        return [ev.ChannelTold(leg, "AppDial", "", 1, "br") for leg in legs]

    world = World()
    world.resync(*labelled("CONTACT"))
    again = world.restarted()
    again.resync(*labelled("SALE"))
    (row,) = (r for r in again.rows.values() if isinstance(r, CallRecord))
    assert row.result == "SALE"
    kept = again.restarted()
    kept.resync(*labelled("SALE"))
    (row,) = (r for r in kept.rows.values() if isinstance(r, CallRecord))
    assert row.result == "SALE"


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_a_kill_just_after_a_gap_was_closed(engine: AsyncEngine) -> None:
    """Before the sign of life that follows: the same gap would have begun again, and its row, which
    was over, been changed."""
    over = msgspec.structs.replace(gap(1_000), ended=2_000)
    recorder = Recorder(engine)
    recorder.live = lambda: {over.pbx: 1_000}
    recorder.take([over])
    assert await recorder.write()
    assert (await remembered(engine, over.pbx)).last_seen == 2_000
