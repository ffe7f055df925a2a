"""What runs already when the daemon attaches is taken up, with what cannot be known marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.asterisk.watch import attached, site_of
from tests.lab.scene import BARGE, COACH, Scene


@pytest.mark.case("late attach: a running supervision is taken up, at or before")
async def test_running_supervision_is_taken_up(scene: Scene, tmp_path: Path) -> None:
    call = await scene.customer_calls_in("5551234", campaign="spring", list_="L7")
    await scene.supervisor_dials("2001", COACH, "1001")
    async with attached(site_of(scene), tmp_path) as watch:
        shown = await watch.supervision(type="Coach", state="active")
        assert not shown["started_exact"] and shown["means"] == "unknown"
        assert shown["agent"]["id"] == "ann" and shown["agent_provenance"] == "derived"
        live = watch.stream.entities["call"][shown["call"]]
        assert live["number"]["value"] == "5551234" and live["campaign"]["value"] == "spring"
        assert live["state"] == "talking" and live["queue"] == "support"
        assert not live["started_exact"] and live["answered"] is None
        await scene.phone_hangs_up(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
        (row,) = await watch.rows()
        assert row["end_reason"] == "call ended" and not row["started_exact"]
        assert row["ended_exact"]


@pytest.mark.case("late attach: the leg under a prefix spy is marked unverified")
async def test_spy_on_a_prefix_is_believed_but_not_verified(scene: Scene, tmp_path: Path) -> None:
    call = await scene.customer_calls_agent("5551234", "1003")
    spyer = await scene.supervisor_spies("2001", "PJSIP/1003", "q")
    async with attached(site_of(scene), tmp_path) as watch:
        shown = await watch.supervision(type="Monitor", state="active")
        assert shown["agent"]["endpoint"] == "PJSIP/1003"
        assert shown["agent_provenance"] == "unverified"
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await watch.nothing_left()


@pytest.mark.case("late attach: a spy that waits for its first call is no supervision yet")
async def test_spy_that_nobody_fits_is_no_supervision_yet(scene: Scene, tmp_path: Path) -> None:
    spyer = await scene.supervisor_spies("2001", "PJSIP/1003-", "q", waits=True)
    async with attached(site_of(scene), tmp_path) as watch:
        assert watch.stream.of("supervision") == []
        call = await scene.customer_calls_agent("5551234", "1003")
        shown = await watch.supervision(type="Monitor", state="active")
        assert shown["started_exact"]
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()


@pytest.mark.fault("daemon kill -9 mid-session")
@pytest.mark.case(
    "the daemon comes back: what survived keeps its id, the rest is closed with a window"
)
async def test_daemon_comes_back(scene: Scene, tmp_path: Path) -> None:
    """What survived goes on under its id; the ledger remembers what Asterisk cannot tell."""
    calls = [await scene.customer_calls_agent("5551234", n) for n in ("1003", "1004")]
    async with attached(site_of(scene), tmp_path) as watch:
        stays = await scene.supervisor_spies("2001", "PJSIP/1003", "q")
        goes = await scene.supervisor_spies("2002", "PJSIP/1004-", "q")
        one = await watch.supervision(supervisor=_party("sue", "Sue Supervisor", "PJSIP/2001"))
        two = await watch.supervision(supervisor=_party("tom", "Tom Trainer", "PJSIP/2002"))
        await watch.daemon.recorder.settled()
    await scene.hangup(goes)
    await scene.hangup(calls[1].customer)
    async with attached(site_of(scene), tmp_path) as watch:
        again = await watch.supervision(id=one["id"], state="active")
        assert again["started"] == one["started"] and again["started_exact"]
        assert len(watch.stream.of("supervision")) == 1
        await scene.hangup(stays)
        await scene.hangup(calls[0].customer)
        await scene.all_quiet()
        await watch.nothing_left()
        rows = {r["id"]: r for r in await watch.rows()}
        assert rows.keys() == {one["id"], two["id"]}
        assert rows[one["id"]]["end_reason"] == "hung up" and rows[one["id"]]["ended_exact"]
        lost = rows[two["id"]]
        assert lost["end_reason"] == "lost" and not lost["ended_exact"]
        assert two["started"] <= lost["ended_after"] <= lost["ended"]
        gaps = (await watch.ina.get("/api/v1/gaps"))["rows"]
        assert [g["why"] for g in gaps] == ["the daemon was not running"]
        assert gaps[0]["ended"] is not None


@pytest.mark.case("a taken-over call goes on while the daemon is away")
async def test_take_over_goes_on_while_the_daemon_is_away(scene: Scene, tmp_path: Path) -> None:
    call = await scene.customer_calls_in("5551234")
    async with attached(site_of(scene), tmp_path) as watch:
        spyer = await scene.supervisor_dials("2001", BARGE, "1001")
        await scene.redirect_both(call.customer, spyer)
        kicked = await watch.supervision(type="Barge-Kick", state="active")
        await watch.daemon.recorder.settled()
    async with attached(site_of(scene), tmp_path) as watch:
        again = await watch.supervision(type="Barge-Kick", state="active")
        assert (again["id"], again["started"]) == (kicked["id"], kicked["started"])
        await scene.phone_hangs_up(call.customer)
        await scene.hangup(spyer)
        await scene.all_quiet()
        await watch.nothing_left()
        (row,) = await watch.rows()
        assert row["id"] == kicked["id"] and row["type"] == "Barge-Kick"
        assert row["end_reason"] == "call ended" and row["ended_exact"]


@pytest.mark.case("a call is taken over while the daemon is away")
async def test_taken_over_while_the_daemon_is_away(scene: Scene, tmp_path: Path) -> None:
    call = await scene.customer_calls_in("5551234")
    async with attached(site_of(scene), tmp_path) as watch:
        spyer = await scene.supervisor_dials("2001", BARGE, "1001")
        shown = await watch.supervision(type="Barge", state="active")
        await watch.daemon.recorder.settled()
    await scene.redirect_both(call.customer, spyer)
    async with attached(site_of(scene), tmp_path) as watch:
        again = await watch.supervision(type="Barge-Kick", state="active")
        assert again["id"] == shown["id"]
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()


def _party(who: str, name: str, endpoint: str) -> dict[str, str]:
    return {"id": who, "name": name, "endpoint": endpoint}
