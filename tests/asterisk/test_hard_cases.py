"""The cases in which Asterisk is not helpful: the ledger must be right all the same."""

from __future__ import annotations

import pytest

from tests.asterisk.watch import Watch
from tests.lab.scene import BARGE, MONITOR, TAKEOVER, Scene


async def types(watch: Watch, supervision: str) -> list[str]:
    return [s["type"] for s in await watch.segments(supervision)]


@pytest.mark.case("an inbound call of a real caller")
async def test_inbound_call_of_a_real_caller(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234", campaign="spring", list_="L7")
    await scene.supervisor_dials("2001", MONITOR, "1001")
    shown = await watch.supervision(type="Monitor", state="active")
    live = watch.stream.entities["call"][shown["call"]]
    assert live["direction"] == "inbound"
    assert live["number"] == {"value": "5551234", "provenance": "observed"}
    assert live["campaign"]["value"] == "spring"
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.calls()
    assert row["direction"] == "inbound" and row["queue"] == "support"


@pytest.mark.case("a call abandoned in the queue")
async def test_abandoned_in_the_queue(scene: Scene, watch: Watch) -> None:
    customer = await scene.customer_waits_in("5551234", campaign="spring")
    live = await watch.call(number="5551234")
    assert live["state"] == "queued" and live["agent"] is None
    await scene.phone_hangs_up(customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.calls()
    assert (row["queue"], row["agent"], row["answered"]) == ("empty", None, None)
    assert row["talk_ms"] == 0 and row["campaign"] == "spring"


@pytest.mark.case("two supervisors on one agent")
async def test_two_supervisors_on_one_agent(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    first = await scene.supervisor_dials("2001", MONITOR, "1001")
    await scene.supervisor_dials("2002", BARGE, "1001")
    a = await watch.supervision(type="Monitor", state="active")
    b = await watch.supervision(type="Barge", state="active")
    assert a["agent"] == b["agent"] and a["call"] == b["call"]
    await scene.hangup(first)
    await watch.stream.until(lambda s: len(s.of("supervision")) == 1, "one left")
    assert watch.stream.of("supervision")[0]["id"] == b["id"]
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    rows = {r["type"]: r["end_reason"] for r in await watch.rows()}
    assert rows == {"Monitor": "hung up", "Barge": "call ended"}


@pytest.mark.case("the next call under the same spy: waiting in between, a segment per call")
async def test_next_call_under_the_same_spy(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234", campaign="spring", queue="sales")
    who = call.endpoint
    spyer = await scene.supervisor_spies("2001", f"{who}-", "qw")
    shown = await watch.supervision(type="Coach", state="active")
    await scene.phone_hangs_up(call.customer)
    await watch.supervision(id=shown["id"], state="waiting")
    await watch.stream.until(lambda s: not s.of("call"), "the call's end")
    waiting = watch.stream.entities["supervision"][shown["id"]]
    assert waiting["call"] is None
    second = await scene.customer_calls_agent("5559876", who.rpartition("/")[2], campaign="autumn")
    await watch.supervision(id=shown["id"], state="active", type="Coach")
    await watch.call(number="5559876")
    await scene.hangup(spyer)
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await scene.hangup(second.customer)
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["end_reason"] == "hung up" and row["waiting_ms"] > 0
    segments = await watch.segments(row["id"])
    assert [s["number"] for s in segments][:1] == ["5551234"]
    assert {s["number"] for s in segments} == {"5551234", "5559876"}
    assert {s["campaign"] for s in segments} == {"spring", "autumn"}
    assert row["campaign"] == "autumn"


@pytest.mark.case("one supervisor moves between agents with *")
async def test_star_moves_to_another_agent(scene: Scene, watch: Watch) -> None:
    one = await scene.customer_calls_in("5551234", queue="support")
    two = await scene.customer_calls_in("5559876", queue="sales")
    spyer = await scene.supervisor_spies("2001", "PJSIP/1", "q")
    shown = await watch.supervision(type="Monitor", state="active")
    seen = {shown["agent"]["endpoint"]}
    await scene.supervisor_presses(spyer, "*")
    moved = await watch.stream.until(
        lambda s: next(
            (x for x in s.of("supervision") if x["id"] != shown["id"] and x["state"] == "active"),
            None,
        ),
        "another supervision",
    )
    assert moved["type"] == "Monitor" and moved["agent"]["endpoint"] not in seen
    await scene.hangup(spyer)
    for call in (one, two):
        await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    rows = await watch.rows()
    assert [r["end_reason"] for r in rows] == ["hung up", "moved"]
    assert rows[0]["agent"] != rows[1]["agent"]


@pytest.mark.case("PJSIP/1001 beside PJSIP/10011")
async def test_prefix_also_fits_another_agent(scene: Scene, watch: Watch) -> None:
    """PJSIP/1001 without a hyphen is also the beginning of PJSIP/10011."""
    call = await scene.customer_calls_agent("5551234", "10011")
    spyer = await scene.supervisor_spies("2001", "PJSIP/1001", "q")
    shown = await watch.supervision(state="active", type="Monitor")
    assert shown["agent"]["endpoint"] == "PJSIP/10011"
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()


@pytest.mark.case("Barge-Kick by AMI Bridge (no ChanSpyStop)")
async def test_take_over_by_ami_bridge(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234", campaign="spring")
    spyer = await scene.supervisor_dials("2001", BARGE, "1001")
    shown = await watch.supervision(type="Barge", state="active")
    await scene.bridge(spyer, call.customer)
    kicked = await watch.supervision(id=shown["id"], type="Barge-Kick", state="active")
    assert kicked["type_provenance"] == "derived" and kicked["call"] == shown["call"]
    assert watch.stream.entities["call"][kicked["call"]]["number"]["value"] == "5551234"
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["type"] == "Barge-Kick" and row["end_reason"] == "call ended"
    assert await types(watch, row["id"]) == ["Barge", "Barge-Kick"]


@pytest.mark.case("Barge-Kick by the shipped feature code, queue {queue}")
@pytest.mark.parametrize("queue", ["support", "local"])
async def test_take_over_by_feature_code(scene: Scene, watch: Watch, queue: str) -> None:
    """The shipped dialplan's own way; the supervision ends with the customer."""
    call = await scene.customer_calls_in("5551234", campaign="spring", queue=queue)
    spyer = await scene.supervisor_dials("2001", TAKEOVER, call.endpoint.rpartition("/")[2])
    shown = await watch.supervision(type="Barge", state="active")
    await scene.supervisor_presses(spyer, "0")
    await watch.supervision(id=shown["id"], type="Barge-Kick", state="active")
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["type"] == "Barge-Kick" and row["end_reason"] == "call ended"
    assert await types(watch, row["id"]) == ["Barge", "Barge-Kick"]


@pytest.mark.case("the supervisor who took a call over hangs up")
async def test_supervisor_who_took_over_hangs_up(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234", campaign="spring")
    spyer = await scene.supervisor_dials("2001", TAKEOVER, "1001")
    await scene.supervisor_presses(spyer, "0")
    await watch.supervision(type="Barge-Kick", state="active")
    await scene.phone_hangs_up(spyer)
    await scene.ami.wait_event("Hangup", Uniqueid=call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["type"] == "Barge-Kick" and row["end_reason"] == "hung up"


@pytest.mark.case("Barge-Kick by a double Redirect into a conference")
async def test_take_over_by_double_redirect(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234", campaign="spring")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    shown = await watch.supervision(type="Monitor", state="active")
    await scene.redirect_both(call.customer, spyer)
    await watch.supervision(id=shown["id"], type="Barge-Kick", state="active")
    await scene.phone_hangs_up(spyer)
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["type"] == "Barge-Kick" and row["end_reason"] == "hung up"
    assert await types(watch, row["id"]) == ["Monitor", "Barge-Kick"]


@pytest.mark.case("Barge-Kick by BridgeKick in a conference")
async def test_take_over_by_kick_in_a_conference(scene: Scene, watch: Watch) -> None:
    call = await scene.conference("5551234", "1003", campaign="spring")
    spyer = await scene.supervisor_spies("2001", "PJSIP/1003-", "q")
    shown = await watch.supervision(type="Monitor", state="active")
    await scene.redirect(spyer, "room", "900")
    await watch.supervision(id=shown["id"], type="Barge", state="active")
    await scene.kick(call.agent)
    await watch.supervision(id=shown["id"], type="Barge-Kick", state="active")
    await scene.phone_hangs_up(call.customer)
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await scene.hangup(spyer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert await types(watch, row["id"]) == ["Monitor", "Barge", "Barge-Kick"]
    assert row["end_reason"] == "call ended"


@pytest.mark.case("an originated supervisor is redirected (no ChanSpyStop, no Hangup)")
async def test_redirect_of_an_originated_spyer(scene: Scene, watch: Watch) -> None:
    """Neither ChanSpyStop nor Hangup comes; only Newexten of what it does next."""
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.originate_spy("2001", call.agent_channel, "qE")
    await watch.supervision(type="Monitor", state="active")
    await scene.redirect(spyer, "park", "s")
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["end_reason"] == "left" and row["ended_exact"]


@pytest.mark.case("a spied agent transfers the call away, blind")
async def test_blind_transfer_under_a_spy(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    await scene.supervisor_dials("2001", MONITOR, "1001")
    await watch.supervision(type="Monitor", state="active")
    new = await scene.blind_transfer(call, "1003")
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await watch.stream.until(
        lambda s: any((c["agent"] or {}).get("endpoint") == "PJSIP/1003" for c in s.of("call")),
        "the new agent",
    )
    await scene.phone_hangs_up(new.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["agent"]["id"] == "ann" and row["end_reason"] == "call ended"
    assert await watch.handed_on() == [("ann", "lab/PJSIP/1003", True)]


@pytest.mark.case("a spied agent transfers the call away, attended (the linkedid changes)")
async def test_attended_transfer_under_a_spy(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    await scene.supervisor_dials("2001", MONITOR, "1001")
    await watch.supervision(type="Monitor", state="active")
    new = await scene.attended_transfer(call, "1003")
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    await scene.phone_hangs_up(new.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["agent"]["id"] == "ann"
    assert await watch.handed_on() == [("ann", "lab/PJSIP/1003", True)]


@pytest.mark.case("a spied customer's leg is transferred to another agent (Asterisk says nothing)")
async def test_customer_leg_under_a_spy_is_transferred(scene: Scene, watch: Watch) -> None:
    """Asterisk says nothing: the supervisor goes on listening, to another agent."""
    call = await scene.customer_calls_in("5551234", campaign="spring")
    spyer = await scene.originate_spy("2001", call.customer_channel, "qE")
    shown = await watch.supervision(type="Monitor", state="active")
    assert shown["agent"]["id"] == "ann"
    new = await scene.blind_transfer(call, "1003")
    moved = await watch.stream.until(
        lambda s: next((x for x in s.of("supervision") if x["id"] != shown["id"]), None),
        "a supervision of the new agent",
    )
    assert moved["agent"]["endpoint"] == "PJSIP/1003" and moved["type"] == "Monitor"
    await scene.hangup(spyer)
    await scene.hangup(new.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    assert [r["end_reason"] for r in await watch.rows()] == ["hung up", "moved"]


@pytest.mark.case("an agent behind a Local channel, queue {queue}")
@pytest.mark.parametrize("queue", ["local", "local-optimised"])
async def test_agent_behind_a_local_channel(scene: Scene, watch: Watch, queue: str) -> None:
    call = await scene.customer_calls_in("5551234", queue=queue)
    spyer = await scene.supervisor_dials("2001", MONITOR, "1003")
    shown = await watch.supervision(type="Monitor", state="active")
    assert shown["agent"]["endpoint"] == "PJSIP/1003"
    live = watch.stream.entities["call"][shown["call"]]
    assert live["number"]["value"] == "5551234" and live["queue"] == queue
    assert live["state"] == "talking" and live["agent"]["endpoint"] == "PJSIP/1003"
    await scene.hangup(spyer)
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    calls = await watch.calls()
    assert [c["number"] for c in calls] == ["5551234"]
