"""Asked after the call: the shipped example of a survey, and a variable, on real Asterisk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.asterisk.watch import Watch, watching
from tests.kit.client import DEADLINE
from tests.lab.scene import Call, Scene

VARIABLES = 'CAMPAIGN = "campaign"\nLIST = "list"\nRESULT = "score"'
"""As a site would name one CSAT: the shipped filters let these three through."""


async def scored(watch: Watch, n: int) -> tuple[Any, list[Any]]:
    """The one call, once it has so many scores, and these."""
    async with asyncio.timeout(DEADLINE):
        while True:
            (row,) = (await watch.ina.get("/api/v1/calls"))["rows"]
            scores = (await watch.ina.get(f"/api/v1/calls/{row['id']}"))["scores"]
            if len(scores) >= n:
                return row, scores
            await asyncio.sleep(0.05)


async def asked(scene: Scene) -> Call:
    """A call that the agent has left; the customer is being asked."""
    call = await scene.customer_calls("5551234", context="surveyed")
    since = scene.ami.mark()
    await scene.phone_hangs_up(call.agent)
    await scene.ami.wait_event("Newexten", since, Uniqueid=call.customer, Application="Read")
    return call


@pytest.mark.case("a survey of the dialplan after the agent has left: the score is the call's")
async def test_the_shipped_example(scene: Scene, watch: Watch) -> None:
    call = await asked(scene)
    await scene.supervisor_presses(call.customer, "4")
    await scene.all_quiet()
    row, scores = await scored(watch, 1)
    assert row["call_id"] == call.customer and row["agent"]["endpoint"] == call.endpoint
    assert [(s["score"], s["low"], s["high"], s["source"]) for s in scores] == [(4, 1, 5, "survey")]
    assert scores[0]["at"] >= row["answered"]
    await watch.nothing_left()
    # The digit itself is seen by nobody but the dialplan.
    assert not [i for i in watch.items if getattr(i, "name", "").startswith("DTMF")]
    settings = await watch.ina.get("/api/v1/scores/settings")
    assert (settings["tied"], settings["waiting"], settings["refused"]) == (1, 0, 0)


@pytest.mark.case("a survey that nobody answers, or not on the scale, gives no score")
async def test_no_answer(scene: Scene, watch: Watch) -> None:
    call = await asked(scene)
    await scene.supervisor_presses(call.customer, "9")
    await scene.all_quiet()
    await asked_and_left(scene)
    async with asyncio.timeout(DEADLINE):
        while (await watch.ina.get("/api/v1/scores/settings"))["refused"] != 1:
            await asyncio.sleep(0.05)
    settings = await watch.ina.get("/api/v1/scores/settings")
    assert (settings["tied"], settings["waiting"]) == (0, 0)
    await watch.nothing_left()


async def asked_and_left(scene: Scene) -> None:
    await scene.reset()
    call = await asked(scene)
    await scene.hangup(call.customer)
    await scene.all_quiet()


@pytest.mark.case("a score by a channel variable, while the call runs and after it")
async def test_by_a_variable(scene: Scene, tmp_path: Path) -> None:
    async with watching(scene, tmp_path, variables=VARIABLES) as watch:
        call = await scene.customer_calls("5551234", context="surveyed")
        await scene.set_var(call.customer, "RESULT", "3")
        since = scene.ami.mark()
        await scene.phone_hangs_up(call.agent)
        await scene.ami.wait_event("Newexten", since, Uniqueid=call.customer, Application="Read")
        await scene.set_var(call.customer, "RESULT", "5")
        await scene.hangup(call.customer)
        await scene.all_quiet()
        _, scores = await scored(watch, 2)
        assert [s["score"] for s in scores] == [5, 3]
        await watch.nothing_left()
