"""Feature codes are no back door: what a telephone does without a right is told, and ended where
the site says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.asterisk.watch import Watch, site_of, watching
from tests.lab.scene import BARGE, COACH, MONITOR, Scene


def tom_listens_only(scene: Scene) -> str:
    """The people, Tom Trainer as a QA manager."""
    trainer = 'name = "Tom Trainer"\nrole = "supervisor"'
    people = site_of(scene).people
    assert trainer in people
    return people.replace(trainer, trainer.replace("supervisor", "QA manager"))


END = '[policy]\nunauthorised = "end"\n'


async def alert(watch: Watch, **fields: Any) -> Any:
    def found(stream: Any) -> Any:
        fits = [a for a in stream.of("alert") if all(a[k] == v for k, v in fields.items())]
        return fits[0] if fits else None

    return await watch.stream.until(found, f"an alert with {fields}")


@pytest.mark.case("a feature code without the right to its type: an alert, and the call goes on")
async def test_told(scene: Scene, tmp_path: Path) -> None:
    async with watching(scene, tmp_path, people=tom_listens_only(scene)) as watch:
        call = await scene.customer_calls("5551234")
        listening = await scene.supervisor_dials("2002", MONITOR, "1001")
        await watch.supervision(type="Monitor", state="active")
        await scene.hangup(listening)
        coaching = await scene.supervisor_dials("2002", COACH, "1001")
        raised = await alert(watch, type="Coach")
        assert raised["supervisor"]["id"] == "tom" and raised["agent"]["id"] == "ann"
        assert raised["why"] == "Tom Trainer has no right to use Coach."
        assert raised["done"] == "told"
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {call.customer, call.agent, coaching}, "nothing was done to anybody"
        assert watch.stream.of("alert") == [raised], "a QA manager may listen"
        await scene.hangup(coaching)
        await scene.hangup(call.customer)
        await watch.nothing_left()
        assert [r for r in watch.audit() if r["action"].startswith("disconnect")] == []


@pytest.mark.case("a feature code without the right to its type, ended by the site's policy")
async def test_ended(scene: Scene, tmp_path: Path) -> None:
    async with watching(scene, tmp_path, extra=END, people=tom_listens_only(scene)) as watch:
        call = await scene.customer_calls("5551234")
        await scene.supervisor_dials("2002", COACH, "1001")
        raised = await alert(watch, type="Coach", done="ended")
        await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {call.customer, call.agent}, "the call itself goes on"
        # Who may is left alone.
        allowed = await scene.supervisor_dials("2001", COACH, "1001")
        await watch.supervision(type="Coach", state="active")
        assert len(watch.stream.of("alert")) == 1
        await scene.hangup(allowed)
        await scene.hangup(call.customer)
        await watch.nothing_left()
        row = next(r for r in await watch.rows() if r["id"] == raised["supervision"])
        assert row["end_reason"] == "disconnected" and row["ended_by"] == "monitord (policy)"
        asked, done = [r for r in watch.audit() if r["action"].startswith("disconnect")]
        assert asked["actor_name"] == "monitord (policy)" and done["about"] == asked["n"]
        assert done["detail"]["outcome"] == "confirmed"


@pytest.mark.case("a take-over without the right to it is told, and no policy drops the customer")
async def test_the_customer_is_not_dropped(scene: Scene, tmp_path: Path) -> None:
    policy = '[policy]\nunauthorised = { Barge-Kick = "end" }\n'
    async with watching(scene, tmp_path, extra=policy, people=tom_listens_only(scene)) as watch:
        call = await scene.customer_calls_in("5551234")
        spyer = await scene.supervisor_dials("2002", BARGE, "1001")
        await scene.redirect_both(call.customer, spyer)
        raised = await alert(watch, type="Barge-Kick")
        assert raised["done"] == "not ended" and "drop the customer" in raised["done_why"]
        assert (await scene.status(spyer))["BridgeID"], "they go on talking"
        assert (await scene.status(call.customer))["BridgeID"]
        assert {a["type"] for a in watch.stream.of("alert")} == {"Barge", "Barge-Kick"}
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await scene.all_quiet()
        await watch.nothing_left()
