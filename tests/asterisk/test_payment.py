"""Nobody listens unwarned while somebody pays: each way to say so, each policy, real Asterisk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from monitord.ami.link import Timing
from tests.asterisk.watch import Watch, attached, site_of, watching
from tests.lab.relay import Relay
from tests.lab.scene import BARGE, COACH, MONITOR, Call, Scene

END = '[policy]\npayment = "end"\n'
VARIABLES = 'CAMPAIGN = "campaign"\nLIST = "list"\nRESULT = "payment"'
"""As a site would name one PAYMENT: the shipped filters let these three through."""

Pay = Callable[[Scene, Call, bool], Awaitable[None]]


async def by_variable(scene: Scene, call: Call, on: bool) -> None:
    await scene.set_var(call.agent, "RESULT", "yes" if on else "")


async def by_event(scene: Scene, call: Call, on: bool) -> None:
    await scene.says_paying(call.agent, on=on)


async def by_mute(scene: Scene, call: Call, on: bool) -> None:
    if on:
        await scene.record(call.agent_channel)
    await scene.mute_recording(call.agent_channel, on=on)


WAYS: dict[str, Pay] = {"variable": by_variable, "UserEvent": by_event, "muted MixMonitor": by_mute}
each_way = pytest.mark.parametrize("way", list(WAYS), ids=lambda w: w.replace(" ", "-"))


async def paid(watch: Watch, **fields: Any) -> Any:
    def found(stream: Any) -> Any:
        want = {"about": "payment", **fields}
        fits = [a for a in stream.of("alert") if all(a[k] == v for k, v in want.items())]
        return fits[0] if fits else None

    return await watch.stream.until(found, f"an alert of a payment with {fields}")


def nothing_kept(watch: Watch) -> None:
    """Not in what a trace would hold, in the state or in the database."""
    assert "4111111111111111" not in repr(watch.items)
    assert "4111111111111111" not in repr(watch.daemon.hub.shards["lab"])
    for file in watch.folder.glob("data/monitord.sqlite3*"):
        assert b"4111111111111111" not in file.read_bytes()


@pytest.mark.case("a payment by {way}: listeners are warned while it lasts")
@each_way
async def test_warned(scene: Scene, tmp_path: Path, way: str) -> None:
    pay = WAYS[way]
    async with watching(scene, tmp_path, variables=VARIABLES) as watch:
        call = await scene.customer_calls_agent("5551234", "1001")
        spyer = await scene.supervisor_dials("2001", COACH, "1001")
        await watch.supervision(type="Coach", state="active", payment=False)
        await pay(scene, call, True)
        shown = await watch.supervision(payment=True)
        assert watch.stream.entities["call"][shown["call"]]["payment"]
        raised = await paid(watch, type="Coach", done="told")
        assert raised["why"] == "A payment was in progress on the call."
        await pay(scene, call, False)
        await watch.supervision(payment=False)
        nothing_kept(watch)
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {call.customer, call.agent, spyer}, "nothing was done to anybody"
        assert watch.stream.of("alert") == [raised]
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await watch.nothing_left()


@pytest.mark.case("a payment by {way} ends the supervision where the site says so")
@each_way
async def test_ended(scene: Scene, tmp_path: Path, way: str) -> None:
    async with watching(scene, tmp_path, variables=VARIABLES, extra=END) as watch:
        call = await scene.customer_calls_agent("5551234", "1001")
        await scene.supervisor_dials("2001", COACH, "1001")
        await watch.supervision(type="Coach", state="active")
        await WAYS[way](scene, call, True)
        raised = await paid(watch, done="ended")
        await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {call.customer, call.agent}, "the call itself goes on"
        # And who begins in the middle of it.
        await scene.supervisor_dials("2002", MONITOR, "1001")
        again = await paid(watch, type="Monitor", done="ended")
        assert again["supervision"] != raised["supervision"]
        await WAYS[way](scene, call, False)
        allowed = await scene.supervisor_dials("2001", COACH, "1001")
        await watch.supervision(type="Coach", state="active", payment=False)
        assert len(watch.stream.of("alert")) == 2
        await scene.hangup(allowed)
        await scene.hangup(call.customer)
        await watch.nothing_left()
        row = next(r for r in await watch.rows() if r["id"] == raised["supervision"])
        assert (row["end_reason"], row["ended_by"]) == ("disconnected", "monitord (policy)")


@pytest.mark.case("a payment that the dialplan says before the agent answers")
async def test_by_the_dialplan(scene: Scene, tmp_path: Path) -> None:
    async with watching(scene, tmp_path) as watch:
        call = await scene.customer_calls_agent("5551234", "1001", pays="on")
        spyer = await scene.supervisor_dials("2001", COACH, "1001")
        await paid(watch, type="Coach")
        # Another name is another thing, and the shipped filter does not even send it.
        await scene.says_paying(call.customer, on=False, name="MonitordPaymentX")
        assert (await watch.supervision(state="active"))["payment"]
        await scene.says_paying(call.agent, on=False)
        await watch.supervision(payment=False)
        names = {i.name for i in watch.items if "MonitordPaymentX" in repr(i)}
        assert names == set()
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await watch.nothing_left()


@pytest.mark.case("a payment goes with the customer who is transferred")
async def test_transferred(scene: Scene, tmp_path: Path) -> None:
    async with watching(scene, tmp_path) as watch:
        call = await scene.customer_calls("5551234")
        await scene.says_paying(call.customer, on=True)
        moved = await scene.blind_transfer(call, "1003")
        spyer = await scene.supervisor_dials("2001", COACH, "1003")
        await paid(watch, type="Coach")
        await scene.says_paying(moved.agent, on=False)
        await watch.supervision(payment=False)
        await scene.hangup(spyer)
        await scene.hangup(moved.customer)
        await watch.nothing_left()


@pytest.mark.case("a payment that began unseen, by the variable, ends the supervision afterwards")
async def test_after_a_gap(scene: Scene, tmp_path: Path) -> None:
    async with Relay(scene.server.ports.ami) as relay:
        site = site_of(scene, relay.port, variables=VARIABLES, extra=END)
        async with attached(site, tmp_path, Timing(retry_first=0.2, jitter=0)) as watch:
            call = await scene.customer_calls_agent("5551234", "1001")
            await scene.supervisor_dials("2001", COACH, "1001")
            await watch.supervision(type="Coach", state="active", payment=False)
            await relay.refuse()
            await watch.link("lost")
            await by_variable(scene, call, True)
            await relay.accept()
            await watch.link("live")
            await paid(watch, done="ended")
            await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
            await scene.hangup(call.customer)
            await watch.nothing_left()


@pytest.mark.case("a payment to a supervisor who took the call over: told, and nobody is dropped")
async def test_the_customer_is_not_dropped(scene: Scene, tmp_path: Path) -> None:
    async with watching(scene, tmp_path, extra=END) as watch:
        call = await scene.customer_calls_in("5551234")
        spyer = await scene.supervisor_dials("2001", BARGE, "1001")
        await scene.redirect_both(call.customer, spyer)
        await watch.supervision(type="Barge-Kick", state="active", payment=False)
        await scene.says_paying(call.customer, on=True)
        raised = await paid(watch, type="Barge-Kick")
        assert raised["done"] == "not ended" and "drop the customer" in raised["done_why"]
        assert (await scene.status(spyer))["BridgeID"], "they go on talking"
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
