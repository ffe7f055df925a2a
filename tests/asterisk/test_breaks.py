"""What survives a break keeps its id; what did not is closed with its reason and an honest window;
nothing of an old boot touches the new one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from monitord.ami.link import UNTOLD_S, Timing
from tests.asterisk.watch import Watch, attached, site_of
from tests.kit.client import DEADLINE
from tests.kit.ledger import read_ledger
from tests.kit.process import killed_at_the_end
from tests.lab.relay import Relay
from tests.lab.scene import BARGE, COACH, MONITOR, Scene
from tests.lab.server import AsteriskServer

QUICK = Timing(
    ping_every=0.2, retry_first=0.05, retry_most=0.2, refused_first=0.1, refused_most=0.4
)
DEAF = replace(QUICK, ping_deadline=0.6, connect=0.6, answer=0.6)
"""As in production a dead connection is known within 15 s, here within 0.8."""

CONNECTION_ENDED = ("the other side closed the connection", "[Errno 104]")
"""How a loss that the connection itself tells is shown."""


@dataclass
class Wire:
    """A daemon that reaches the PBX through a relay."""

    relay: Relay
    watch: Watch

    async def cut(self) -> None:
        """Until `mend` the PBX cannot be reached. That is shown as soon as the connection ends: the
        first that is told of the link is its loss, with the connection's own end as the reason. A
        ping without an answer, or a try to connect that failed, would have been later and would
        read otherwise."""
        stream = self.watch.stream
        await stream.level()
        before = len(stream.frames)
        await self.relay.refuse()
        await self.watch.link("lost")
        patches = [p for f in stream.frames[before:] for p in f.get("change", ())]
        first = next(p["set"] for p in patches if p["kind"] == "pbx" and "link" in p["set"])
        assert first["link"] == "lost" and first["detail"].startswith(CONNECTION_ENDED), first

    async def mend(self) -> None:
        await self.relay.accept()
        await self.watch.link("live")


@asynccontextmanager
async def wired(scene: Scene, folder: Path, timing: Timing = QUICK) -> AsyncIterator[Wire]:
    async with (
        Relay(scene.server.ports.ami) as relay,
        attached(site_of(scene, relay.port), folder, timing=timing) as watch,
    ):
        yield Wire(relay, watch)


@pytest.fixture
async def wire(scene: Scene, tmp_path: Path) -> AsyncIterator[Wire]:
    async with wired(scene, tmp_path) as wire:
        yield wire


@dataclass
class Kept:
    """What is on disk."""

    supervisions: dict[str, Any]
    calls: dict[str, Any]
    segments: list[Any]
    gaps: list[Any]
    statuses: list[Any]


async def kept(watch: Watch) -> Kept:
    await watch.daemon.recorder.settled()
    rows = read_ledger(watch.database)
    by_id = {name: {x["id"]: x for x in rows[name]} for name in ("supervisions", "calls")}
    return Kept(**by_id, **{n: rows[n] for n in ("segments", "gaps", "statuses")})  # type: ignore[arg-type]


def now() -> int:
    return time.time_ns() // 1_000_000


def window_holds(row: Any, since: int, until: int) -> None:
    """It ended truly between these two, and nobody saw it."""
    assert not row["ended_exact"]
    assert row["started"] <= row["ended_after"] <= since <= until <= row["ended"]
    assert row["length_ms"] == row["ended_after"] - row["started"]


# --- the connection ----------------------------------------------------------------------


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.case("AMI cut in a supervision: the same id goes on")
async def test_cut_while_nothing_happens(scene: Scene, wire: Wire) -> None:
    watch = wire.watch
    call = await scene.customer_calls_in("5551234", campaign="spring")
    spyer = await scene.supervisor_dials("2001", COACH, "1001")
    shown = dict(await watch.supervision(type="Coach", state="active"))
    live = dict(watch.stream.entities["call"][shown["call"]])
    await wire.cut()
    assert watch.stream.of("supervision") == [shown] and watch.stream.of("call") == [live]
    await wire.mend()
    assert watch.stream.of("supervision") == [shown] and watch.stream.of("call") == [live]
    await scene.phone_hangs_up(spyer)
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = (await kept(watch)).supervisions.values()
    assert row["id"] == shown["id"] and row["ended_exact"] and row["end_reason"] == "hung up"
    (called,) = (await kept(watch)).calls.values()
    assert called["id"] == live["id"] and called["ended_exact"]
    (gap,) = (await kept(watch)).gaps
    assert gap["started"] < gap["ended"] and gap["why"]


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.case("AMI cut, and the supervisor hangs up meanwhile: lost, with a window")
async def test_cut_while_the_supervisor_hangs_up(scene: Scene, wire: Wire) -> None:
    watch = wire.watch
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    shown = await watch.supervision(type="Monitor", state="active")
    await wire.cut()
    since = now()
    await scene.phone_hangs_up(spyer)
    until = now()
    await wire.mend()
    assert watch.stream.of("supervision") == [] and len(watch.stream.of("call")) == 1
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = (await kept(watch)).supervisions.values()
    assert row["id"] == shown["id"] and row["end_reason"] == "lost"
    window_holds(row, since, until)
    (segment,) = (await kept(watch)).segments
    assert not segment["ended_exact"] and segment["length_ms"] == row["length_ms"]
    (gap,) = (await kept(watch)).gaps
    assert (gap["started"], gap["ended"]) == (row["ended_after"], row["ended"])


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.case("AMI cut, and a supervision begins meanwhile: at or before")
async def test_cut_while_a_supervision_begins(scene: Scene, wire: Wire) -> None:
    watch = wire.watch
    call = await scene.customer_calls_in("5551234")
    await watch.call(number="5551234")
    await wire.cut()
    await scene.supervisor_dials("2001", BARGE, "1001")
    begun = now()
    await wire.mend()
    shown = await watch.supervision(type="Barge", state="active")
    assert not shown["started_exact"] and shown["started"] >= begun, "at or before"
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = (await kept(watch)).supervisions.values()
    assert row["ended_exact"] and not row["started_exact"]


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.case("AMI cut, and the agent's call ends meanwhile: the spy waits")
async def test_cut_while_the_agents_call_ends_and_the_spy_waits(scene: Scene, wire: Wire) -> None:
    watch = wire.watch
    call = await scene.customer_calls_agent("5551234", "1003")
    spyer = await scene.supervisor_spies("2001", "PJSIP/1003-", "qw")
    shown = await watch.supervision(type="Coach", state="active")
    (live,) = watch.stream.of("call")
    await wire.cut()
    since = now()
    await scene.hangup(call.customer)
    until = now()
    await wire.mend()
    waiting = await watch.supervision(id=shown["id"], state="waiting")
    assert waiting["call"] is None and watch.stream.of("call") == []
    again = await scene.customer_calls_agent("5559876", "1003")
    await watch.supervision(id=shown["id"], state="active", type="Coach")
    await scene.hangup(spyer)
    await scene.hangup(again.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = (await kept(watch)).supervisions.values()
    assert row["end_reason"] == "hung up" and row["ended_exact"] and row["waiting_ms"] > 0
    ended = (await kept(watch)).calls[live["id"]]
    window_holds(ended, since, until)
    first, *_ = (await kept(watch)).segments
    assert not first["ended_exact"] and first["length_ms"] <= since - first["started"]


@pytest.mark.fault("AMI TCP drop in mid-event")
@pytest.mark.case("AMI cut, and labels change and the call is taken over meanwhile")
async def test_cut_while_labels_change_and_the_call_is_taken_over(scene: Scene, wire: Wire) -> None:
    watch = wire.watch
    call = await scene.customer_calls_in("5551234", campaign="spring")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    shown = await watch.supervision(type="Monitor", state="active")
    await wire.cut()
    await scene.set_var(call.customer, "RESULT", "sold")
    await scene.redirect_both(call.customer, spyer)
    await wire.mend()
    kicked = await watch.supervision(id=shown["id"], type="Barge-Kick", state="active")
    assert (await watch.call(result="sold"))["id"] == kicked["call"] == shown["call"]
    await wire.cut()
    await wire.mend()
    assert watch.stream.of("supervision") == [kicked]
    await scene.phone_hangs_up(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = (await kept(watch)).supervisions.values()
    assert row["ended_exact"] and row["end_reason"] == "hung up" and row["type"] == "Barge-Kick"
    segments = (await kept(watch)).segments
    assert [(s["type"], s["started_exact"]) for s in segments] == [
        *(("Monitor", True), ("Barge-Kick", False))
    ]
    assert [c["result"] for c in (await kept(watch)).calls.values()] == ["sold"]


@pytest.mark.fault("half-open / blackhole")
@pytest.mark.case("a dead connection is known as lost, and recovers")
async def test_dead_connection(scene: Scene, tmp_path: Path) -> None:
    """Nothing comes through and nothing is reset. What happens before that is known is in the
    window as well."""
    async with wired(scene, tmp_path, DEAF) as wire:
        watch = wire.watch
        call = await scene.customer_calls_in("5551234")
        stays = await scene.supervisor_dials("2001", MONITOR, "1001")
        goes = await scene.supervisor_dials("2002", BARGE, "1001")
        one = await watch.supervision(type="Monitor", state="active")
        two = await watch.supervision(type="Barge", state="active")
        wire.relay.swallow()
        since = now()
        await scene.phone_hangs_up(goes)
        until = now()
        await watch.link("lost")
        assert {s["id"] for s in watch.stream.of("supervision")} == {one["id"], two["id"]}
        wire.relay.let_through()
        await watch.link("live")
        assert [s["id"] for s in watch.stream.of("supervision")] == [one["id"]]
        await scene.hangup(stays)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
        rows = (await kept(watch)).supervisions
        assert rows.keys() == {one["id"], two["id"]} and rows[one["id"]]["ended_exact"]
        window_holds(rows[two["id"]], since, until)


@pytest.mark.fault("half-open / blackhole")
@pytest.mark.case("Asterisk stopped with SIGSTOP and continued")
async def test_stopped_asterisk(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    async with attached(site_of(scene), tmp_path, timing=DEAF) as watch:
        call = await scene.customer_calls_in("5551234")
        spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
        shown = dict(await watch.supervision(type="Monitor", state="active"))
        pbx.pause()
        try:
            await watch.link("lost")
            assert watch.stream.of("supervision") == [shown]
        finally:
            pbx.resume()
        await watch.link("live")
        assert watch.stream.of("supervision") == [shown]
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
        (row,) = (await kept(watch)).supervisions.values()
        assert row["id"] == shown["id"] and row["ended_exact"]


# --- the daemon --------------------------------------------------------------------------


async def in_ledger(folder: Path, condition: Callable[[dict[str, Any]], Any]) -> Any:
    """The condition's first true value in what is committed."""
    async with asyncio.timeout(DEADLINE):
        while not (value := condition(read_ledger(folder / "data" / "monitord.sqlite3"))):
            await asyncio.sleep(0.02)
        return value


@pytest.mark.fault("daemon kill -9 mid-session")
@pytest.mark.case("daemon kill -9 and restart in the middle")
async def test_daemon_killed(scene: Scene, tmp_path: Path) -> None:
    calls = [await scene.customer_calls_agent("5551234", n) for n in ("1003", "1004")]
    async with killed_at_the_end(site_of(scene).write(tmp_path)):
        stays = await scene.supervisor_spies("2001", "PJSIP/1003", "q")
        goes = await scene.supervisor_spies("2002", "PJSIP/1004-", "qw")
        before = await in_ledger(
            tmp_path,
            lambda x: x if [s["type"] for s in x["segments"]].count("Unknown") == 0
            and len(x["segments"]) == 2 else None,
        )  # fmt: skip
    since = now()
    await scene.hangup(goes)
    await scene.hangup(calls[1].customer)
    until = now()
    async with attached(site_of(scene), tmp_path) as watch:
        one, two = (
            next(s for s in before["supervisions"] if s["spyer"] == spyer)
            for spyer in (stays, goes)
        )
        (shown,) = watch.stream.of("supervision")
        assert (shown["id"], shown["started"]) == (one["id"], one["started"])
        assert shown["started_exact"] and shown["type"] == "Monitor"
        await scene.hangup(stays)
        await scene.hangup(calls[0].customer)
        await scene.all_quiet()
        await watch.nothing_left()
        rows = (await kept(watch)).supervisions
        assert rows.keys() == {one["id"], two["id"]}
        assert rows[one["id"]]["ended_exact"] and rows[one["id"]]["end_reason"] == "hung up"
        assert rows[two["id"]]["end_reason"] == "lost"
        window_holds(rows[two["id"]], since, until)
        gaps = (await kept(watch)).gaps
        assert [g["why"] for g in gaps] == ["the daemon was not running"] and gaps[0]["ended"]
        after = read_ledger(watch.database)
        assert {c["id"] for c in before["calls"]} == {c["id"] for c in after["calls"]}
        assert not [c for c in after["calls"] if c["ended"] is None]
        assert_statuses(before["statuses"], after["statuses"])


def assert_statuses(before: list[Any], after: list[Any]) -> None:
    """No interval was lost, and of each agent one is open."""
    rows = {s["id"]: s for s in after}
    for old in before:
        assert rows[old["id"]]["started"] == old["started"]
    still = [s["agent_endpoint"] for s in after if s["ended"] is None]
    assert len(still) == len(set(still)) == len({s["agent_endpoint"] for s in after})
    talking = next(s for s in before if s["agent_endpoint"] == "PJSIP/1003" and s["ended"] is None)
    assert talking["status"] == "in call" and rows[talking["id"]]["ended_exact"]
    lost = next(s for s in before if s["agent_endpoint"] == "PJSIP/1004" and s["ended"] is None)
    assert not rows[lost["id"]]["ended_exact"]
    assert lost["started"] <= rows[lost["id"]]["ended_after"] <= rows[lost["id"]]["ended"]


# --- Asterisk ----------------------------------------------------------------------------


@dataclass
class Boots:
    """The same scene in two boots of one Asterisk, with the same channel names."""

    first: Any = None
    second: Any = None
    names: list[str] = field(default_factory=list)

    async def begin(self, scene: Scene, watch: Watch) -> Any:
        call = await scene.customer_calls_in("5551234", campaign="spring")
        self.names.append(call.customer_channel)
        await scene.supervisor_dials("2001", COACH, "1001")
        shown = dict(await watch.supervision(type="Coach", state="active"))
        await watch.daemon.recorder.settled()
        return shown

    async def end(self, scene: Scene, watch: Watch, since: int, until: int) -> None:
        """In the second boot; the first was killed between the two."""
        assert self.names == ["PJSIP/trunk-00000000"] * 2
        for channel in await scene.channels():
            await scene.ami.reply("Hangup", Channel=channel["Uniqueid"])
        await scene.all_quiet()
        await watch.nothing_left()
        rows = (await kept(watch)).supervisions
        assert rows.keys() == {self.first["id"], self.second["id"]}
        killed = rows[self.first["id"]]
        assert killed["end_reason"] == "PBX restarted"
        window_holds(killed, since, until)
        assert rows[self.second["id"]]["ended_exact"]
        calls = (await kept(watch)).calls
        assert calls.keys() == {self.first["call"], self.second["call"]}
        assert calls[self.first["call"]]["end_reason"] == "PBX restarted"
        window_holds(calls[self.first["call"]], since, until)
        rows_now = (await kept(watch)).supervisions.values()
        assert len({s["boot"] for s in rows_now}) == 2, "each row keeps its own boot"


async def fresh(scene: Scene, pbx: AsteriskServer) -> Scene:
    """So that the first channels of the boot are the test's."""
    await asyncio.to_thread(pbx.restart)
    return await Scene.on(pbx)


@pytest.mark.fault("Asterisk kill -9 / restart")
@pytest.mark.case("Asterisk kill -9 and restart with the same channel names")
async def test_asterisk_killed(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    boots = Boots()
    async with (
        await fresh(scene, pbx) as old,
        attached(site_of(scene), tmp_path, timing=QUICK) as watch,
    ):
        boots.first = await boots.begin(old, watch)
        since = now()
        await asyncio.to_thread(pbx.kill)
        until = now()
        await watch.link("lost")
        assert watch.stream.of("supervision") == [boots.first], "kept until it can be known"
        await asyncio.to_thread(pbx.start)
        await watch.link("live")
        assert watch.stream.of("supervision") == [] and watch.stream.of("call") == []
        async with await Scene.on(pbx) as new:
            boots.second = await boots.begin(new, watch)
            await boots.end(new, watch, since, until)


@pytest.mark.fault("Asterisk kill -9 / restart")
@pytest.mark.case("Asterisk killed and restarted while the daemon is away")
async def test_asterisk_killed_while_the_daemon_is_away(
    scene: Scene, pbx: AsteriskServer, tmp_path: Path
) -> None:
    boots = Boots()
    async with (
        await fresh(scene, pbx) as old,
        attached(site_of(scene), tmp_path, timing=QUICK) as watch,
    ):
        boots.first = await boots.begin(old, watch)
    since = now()
    await asyncio.to_thread(pbx.kill)
    until = now()
    await asyncio.to_thread(pbx.start)
    async with (
        await Scene.on(pbx) as new,
        attached(site_of(scene), tmp_path, timing=QUICK) as watch,
    ):
        boots.second = await boots.begin(new, watch)
        await boots.end(new, watch, since, until)


@pytest.mark.fault("Asterisk kill -9 / restart")
@pytest.mark.case("core stop now, and restart")
async def test_asterisk_stopped_in_order(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    """`core stop now` hangs up and says so, so all is exact; gracefully waits for the calls."""
    async with attached(site_of(scene), tmp_path, timing=QUICK) as watch:
        await scene.customer_calls_in("5551234")
        await scene.supervisor_dials("2001", COACH, "1001")
        await watch.supervision(type="Coach", state="active")
        await asyncio.to_thread(pbx.stop)
        await watch.link("lost")
        assert watch.stream.of("supervision") == [] and watch.stream.of("call") == []
        await asyncio.to_thread(pbx.start)
        await watch.link("live")
        async with await Scene.on(pbx) as new:
            call = await new.customer_calls_in("5551234")
            await new.supervisor_dials("2001", COACH, "1001")
            await watch.supervision(type="Coach", state="active")
            stopping = asyncio.create_task(asyncio.to_thread(pbx.cli, "core stop gracefully"))
            await new.phone_hangs_up(call.customer)
            await watch.link("lost")
            assert watch.stream.of("supervision") == [] and watch.stream.of("call") == []
            await stopping
            assert pbx.process is not None
            await asyncio.to_thread(pbx.process.wait, 20)
        await asyncio.to_thread(pbx.start)
        await watch.link("live")
        await watch.nothing_left()
        rows = (await kept(watch)).supervisions.values()
        assert [r["ended_exact"] for r in rows] == [True, True]
        assert {r["end_reason"] for r in rows} <= {"call ended", "hung up"}
        assert len((await kept(watch)).gaps) == 2


@pytest.mark.fault("Asterisk reload / rights change")
@pytest.mark.case("core reload in the middle")
async def test_core_reload(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    async with attached(site_of(scene), tmp_path, timing=QUICK) as watch:
        call = await scene.customer_calls_in("5551234", campaign="spring")
        await scene.supervisor_dials("2001", COACH, "1001")
        shown = dict(await watch.supervision(type="Coach", state="active"))
        live = watch.stream.of("call")
        frames = len(watch.stream.frames)
        since = scene.ami.mark()
        await asyncio.to_thread(pbx.reload)
        await scene.ami.wait_event("Reload", since)
        await scene.set_var(call.customer, "RESULT", "sold")  # comes behind what a reload tells
        await watch.call(result="sold")
        assert watch.stream.of("supervision") == [shown]
        assert [c["id"] for c in watch.stream.of("call")] == [c["id"] for c in live]
        told = [x for f in watch.stream.frames[frames:] for x in f.get("remove", ())]
        assert told == [], "nothing was away for a moment"
        await scene.phone_hangs_up(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
        (row,) = (await kept(watch)).supervisions.values()
        assert row["id"] == shown["id"] and row["ended_exact"]
        assert (await kept(watch)).gaps == []


# --- what the daemon may -----------------------------------------------------------------


@pytest.mark.fault("wrong credentials / ACL")
@pytest.mark.case("wrong password: a state of its own, few tries, recovery")
async def test_wrong_password(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    async with wired(scene, tmp_path) as wire:
        watch = wire.watch
        call = await scene.customer_calls_in("5551234")
        spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
        shown = dict(await watch.supervision(type="Monitor", state="active"))
        await asyncio.to_thread(pbx.change_user, secret="another")
        await watch.stream.level()
        tries, frames = wire.relay.connections, len(watch.stream.frames)
        wire.relay.cut()
        refused = await watch.link("login refused")
        assert "refused the login" in refused["detail"] and "secret" in refused["detail"]
        assert watch.stream.of("supervision") == [shown]
        # How the waits between them grow is tests/test_ami_link.py's.
        await watch.until(lambda: wire.relay.connections >= tries + 3)
        await watch.stream.level()
        told = [x["set"] for f in watch.stream.frames[frames:] for x in f.get("change", ())]
        shown_as = [x["link"] for x in told if "link" in x]
        assert shown_as == ["lost", "login refused"], "one state, however many tries"
        await asyncio.to_thread(pbx.restore_user)
        await watch.link("live")
        assert watch.stream.of("supervision") == [shown]
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
        (row,) = (await kept(watch)).supervisions.values()
        assert row["id"] == shown["id"] and row["ended_exact"]
        assert len((await kept(watch)).gaps) == 1


@pytest.mark.fault("missing rights/filters")
@pytest.mark.case("write rights taken away: said, and nothing closed wrongly")
async def test_right_to_ask_taken_away(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    async with wired(scene, tmp_path) as wire:
        watch = wire.watch
        call = await scene.customer_calls_in("5551234")
        spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
        shown = dict(await watch.supervision(type="Monitor", state="active"))
        await asyncio.to_thread(pbx.change_user, write="call")
        wire.relay.cut()
        said = await watch.stream.until(
            lambda s: next((p for p in s.of("pbx") if "was refused" in p["detail"]), None),
            "what is refused",
        )
        assert said["link"] != "live" and "Permission denied" in said["detail"]
        assert watch.stream.of("supervision") == [shown], "nothing is closed that may live"
        await asyncio.to_thread(pbx.restore_user)
        await watch.link("live")
        assert watch.stream.of("supervision") == [shown]
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()


@pytest.mark.fault("missing rights/filters")
@pytest.mark.case("read rights taken away: said, and nothing invented")
async def test_right_to_see_taken_away(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    async with wired(scene, tmp_path, replace(QUICK, reconcile_every=0.5)) as wire:
        watch = wire.watch
        call = await scene.customer_calls_in("5551234")
        stays = await scene.supervisor_dials("2001", MONITOR, "1001")
        one = dict(await watch.supervision(type="Monitor", state="active"))
        await asyncio.to_thread(pbx.change_user, read="system,agent,dialplan,user")
        wire.relay.cut()
        await watch.link("lost")
        await watch.link("live")
        assert watch.stream.of("supervision") == [one]
        since = time.monotonic()
        await watch.until(lambda: time.monotonic() - since > UNTOLD_S)  # its channel is younger
        goes = await scene.supervisor_dials("2002", BARGE, "1001")
        said = await watch.stream.until(
            lambda s: next((p for p in s.of("pbx") if "no event came" in p["detail"]), None),
            "that events are missing",
        )
        assert said["link"] == "live" and "call" in said["detail"]
        two = await watch.supervision(type="Barge", state="active")
        assert not two["started_exact"]
        since = now()
        await scene.hangup(goes)
        until = now()
        await watch.stream.until(lambda s: len(s.of("supervision")) == 1, "one left")
        await asyncio.to_thread(pbx.restore_user)
        wire.relay.cut()
        await watch.link("lost")
        live = await watch.link("live")
        assert live["detail"] == "" and watch.stream.of("supervision") == [one]
        await scene.hangup(stays)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
        rows = (await kept(watch)).supervisions
        assert rows.keys() == {one["id"], two["id"]}
        assert rows[one["id"]]["ended_exact"] and rows[two["id"]]["end_reason"] == "lost"
        window_holds(rows[two["id"]], since, until)
