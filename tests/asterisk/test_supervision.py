"""One supervision, end to end: real Asterisk, the shipped manager file, the whole daemon."""

from __future__ import annotations

import itertools

import pytest

from tests.asterisk.watch import Watch
from tests.lab.scene import BARGE, COACH, MONITOR, Scene

TYPES = {"Monitor": (MONITOR, "qE"), "Coach": (COACH, "wqE"), "Barge": (BARGE, "BqE")}


@pytest.mark.case("{kind}, started by {means}")
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("means", ["dialplan", "application"])
async def test_each_type(scene: Scene, watch: Watch, kind: str, means: str) -> None:
    call = await scene.customer_calls("5551234", campaign="spring", list_="L7")
    code, options = TYPES[kind]
    if means == "dialplan":
        spyer = await scene.supervisor_dials("2001", code, "1001")
    else:
        spyer = await scene.originate_spy("2001", call.agent_channel, options)
    shown = await watch.supervision(type=kind, state="active")
    assert shown["supervisor"]["name"] == "Sue Supervisor"
    assert shown["agent"]["name"] == "Ann Agent"
    assert shown["means"] == means
    assert shown["type_provenance"] == "observed" and not shown["at_least"]
    live = watch.stream.entities["call"][shown["call"]]
    assert live["number"]["value"] == "5551234"
    assert live["campaign"] == {"value": "spring", "provenance": "supplied"}
    assert live["list"]["value"] == "L7" and live["result"] is None

    await scene.set_var(call.customer, "RESULT", "SALE")
    await watch.call(result="SALE")
    await scene.hangup(spyer)
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    assert watch.stream.of("call"), "the call itself goes on"
    await scene.hangup(call.customer)
    await watch.nothing_left()

    (row,) = await watch.rows()
    assert row["type"] == kind and row["end_reason"] == "hung up"
    assert row["campaign"] == "spring" and row["call_id"] == live["call_id"]
    assert row["started_exact"] and row["ended_exact"]
    assert row["length_ms"] == pytest.approx(row["ended"] - row["started"], abs=50)
    (segment,) = await watch.segments(row["id"])
    assert segment["type"] == kind and segment["number"] == "5551234"
    assert segment["list"] == "L7" and segment["result"] == "SALE"
    (ended,) = await watch.calls()
    assert ended["result"] == "SALE" and ended["agent"]["id"] == "ann"
    assert ended["queue"] == "support" and ended["end_reason"] == "call ended"
    assert ended["talk_ms"] > 0 and ended["ended"]


@pytest.mark.case("the agent hangs up under a spy")
async def test_agent_hangs_up(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls("5551234", campaign="spring", list_="L7")
    await scene.supervisor_dials("2001", MONITOR, "1001")
    await watch.supervision(type="Monitor", state="active")
    await scene.phone_hangs_up(call.agent)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["end_reason"] == "call ended" and row["ended_by"] is None


@pytest.mark.case("the customer hangs up under a spy")
async def test_customer_hangs_up(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls("5551234", campaign="spring", list_="L7")
    await scene.supervisor_dials("2001", COACH, "1001")
    await watch.supervision(type="Coach", state="active")
    await scene.phone_hangs_up(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["end_reason"] == "call ended" and row["type"] == "Coach"


@pytest.mark.case("the supervisor hangs up")
async def test_supervisor_phone_hangs_up(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls("5551234")
    spyer = await scene.supervisor_dials("2001", BARGE, "1001")
    await watch.supervision(type="Barge", state="active")
    await scene.phone_hangs_up(spyer)
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    assert watch.stream.of("call"), "the call itself goes on"
    await scene.hangup(call.customer)
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["end_reason"] == "hung up" and row["campaign"] is None


@pytest.mark.case("campaign, list and result code change during the call")
async def test_labels_change_while_live(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls("5551234", campaign="spring", list_="L7")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    shown = await watch.supervision(type="Monitor", state="active")
    for result in ("CALLBACK", "SALE"):
        await scene.set_var(call.customer, "RESULT", result)
        await watch.call(result=result)
    await scene.set_var(call.customer, "CAMPAIGN", "autumn")
    await scene.set_var(call.customer, "LIST", "L8")
    await watch.call(campaign="autumn", list="L8")
    await scene.hangup(spyer)
    await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
    # What comes after the supervision is the call's, not the supervision's any more.
    await scene.set_var(call.customer, "RESULT", "REFUND")
    await watch.call(result="REFUND")
    await scene.hangup(call.customer)
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["id"] == shown["id"] and row["campaign"] == "autumn"
    (segment,) = await watch.segments(row["id"])
    assert (segment["list"], segment["result"]) == ("L8", "SALE")
    (ended,) = await watch.calls()
    assert ended["result"] == "REFUND"


@pytest.mark.case("an outbound call is supervised")
async def test_outbound_call(scene: Scene, watch: Watch) -> None:
    call = await scene.agent_dials("1003", "5559876", campaign="spring")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1003")
    shown = await watch.supervision(type="Monitor", state="active")
    live = watch.stream.entities["call"][shown["call"]]
    assert live["direction"] == "outbound" and live["number"]["value"] == "5559876"
    assert live["agent"]["endpoint"] == "PJSIP/1003"
    assert live["campaign"]["value"] == "spring"
    await scene.hangup(spyer)
    await scene.hangup(call.agent)
    await watch.nothing_left()
    (row,) = await watch.calls()
    assert row["direction"] == "outbound" and row["number"] == "5559876"


@pytest.mark.case("an agent's status: in call, wrap-up, paused with a reason")
async def test_agent_status(scene: Scene, watch: Watch) -> None:
    def status(value: str, reason: str = "") -> object:
        return watch.stream.until(
            lambda s: any(
                a["party"]["id"] == "ann" and (a["status"], a["reason"]) == (value, reason)
                for a in s.of("agent")
            ),
            f"Ann {value}",
        )

    await status("available")
    call = await scene.customer_calls("5551234")
    await status("in call")
    await scene.hangup(call.customer)
    await status("wrap-up")
    await status("available")
    await scene.pause_agent("1001", "Lunch")
    await status("paused", "Lunch")
    await scene.pause_agent("1001", paused=False)
    await status("available")
    await watch.nothing_left()
    rows = (await watch.ina.get("/api/v1/agent-status", agent="ann"))["rows"]
    # A lab's telephone answers at once: two intervals may begin in the same ms.
    rows.sort(key=lambda r: (r["started"], r["ended"] or float("inf")))
    seen = [(r["status"], r["reason"]) for r in rows]
    assert [s for s in seen if s[0] != "ringing"] == [
        ("available", ""),
        ("in call", ""),
        ("wrap-up", ""),
        ("available", ""),
        ("paused", "Lunch"),
        ("available", ""),
    ]
    assert [r["ended"] is None for r in rows] == [False] * (len(rows) - 1) + [True]
    for earlier, later in itertools.pairwise(rows):
        assert earlier["ended"] == later["started"], "no time between two intervals"
    (row,) = await watch.calls()
    assert row["wrap_up_ms"] == pytest.approx(2000, abs=200)
