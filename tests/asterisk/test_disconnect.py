"""Disconnect User on real Asterisk: confirmed, refused, not confirmed."""

from __future__ import annotations

import pytest

from tests.asterisk.watch import Watch
from tests.lab.scene import BARGE, COACH, MONITOR, Scene


@pytest.mark.case("disconnect, confirmed; the call goes on")
@pytest.mark.row("003-17", "003-18", "003-19")
async def test_confirmed(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls("5551234", campaign="spring")
    await scene.supervisor_dials("2002", COACH, "1001")
    shown = await watch.supervision(type="Coach", state="active")
    status, outcome = await watch.sue.disconnect(shown["id"])
    assert (status, outcome) == (200, {"outcome": "confirmed", "why": ""})
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    live = {c["Uniqueid"] for c in await scene.channels()}
    assert live == {call.customer, call.agent}, "only the supervisor's leg is removed"
    await scene.hangup(call.customer)
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["end_reason"] == "disconnected" and row["ended_by"] == "Sue Supervisor"
    asked, done = [r for r in watch.audit() if r["action"].startswith("disconnect")]
    assert asked["actor_id"] == "sue" and asked["target"] == shown["id"]
    assert done["about"] == asked["n"] and done["detail"]["outcome"] == "confirmed"


@pytest.mark.case("disconnect after a take-over drops the customer, and only when told so")
async def test_after_a_take_over_the_customer_goes_too(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.supervisor_dials("2002", BARGE, "1001")
    await scene.redirect_both(call.customer, spyer)
    shown = await watch.supervision(type="Barge-Kick", state="active")
    status, body = await watch.sue.disconnect(shown["id"])
    assert status == 409 and body["field"] == "drops_customer"
    assert (await scene.status(spyer))["BridgeID"], "nothing was done without saying so"
    status, outcome = await watch.sue.disconnect(shown["id"], drops_customer=True)
    assert (status, outcome["outcome"]) == (200, "confirmed")
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert (row["type"], row["end_reason"]) == ("Barge-Kick", "disconnected")
    assert row["ended_by"] == "Sue Supervisor"


@pytest.mark.fault("Hangup accepted but stuck")
@pytest.mark.case("disconnect on a leg without sound is not confirmed")
async def test_not_confirmed_on_a_silent_leg(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_agent("5551234", "1009", silent=True)
    await scene.supervisor_dials("2002", MONITOR, "1009")
    shown = await watch.supervision(type="Monitor", state="active")
    status, outcome = await watch.sue.disconnect(shown["id"])
    assert status == 200 and outcome["outcome"] == "not_confirmed"
    assert "no sound" in outcome["why"]
    still = await watch.supervision(id=shown["id"], disconnect_by=None)
    assert still["state"] == "active"
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["end_reason"] == "call ended" and row["ended_by"] is None
    outcomes = [r["detail"] for r in watch.audit() if r["action"] == "disconnect outcome"]
    assert [o["outcome"] for o in outcomes] == ["not_confirmed"]


@pytest.mark.case("disconnect refused: no right, unknown, ended already")
async def test_who_may_not_and_what_is_not_there(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls("5551234")
    spyer = await scene.supervisor_dials("2002", MONITOR, "1001")
    shown = await watch.supervision(type="Monitor", state="active")
    status, body = await watch.ina.disconnect(shown["id"])
    assert status == 403 and body["error"] == "forbidden"
    status, body = await watch.sue.disconnect("0" * 20)
    assert status == 404 and body["field"] == "id"
    await scene.hangup(spyer)
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await watch.daemon.recorder.settled()
    status, body = await watch.sue.disconnect(shown["id"])
    assert status == 409 and "already ended" in body["message"]
    await scene.hangup(call.customer)
    await watch.nothing_left()
    assert [r for r in watch.audit() if r["action"].startswith("disconnect")] == []
