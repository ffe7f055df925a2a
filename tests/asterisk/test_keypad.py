"""Switching the type by keypad: followed where the site lets us see supervisors' keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.asterisk.watch import Watch, watching
from tests.lab.scene import SWITCH, Scene
from tests.lab.server import AsteriskServer


@pytest.fixture
async def keyed(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> AsyncIterator[Watch]:
    """A daemon of a site that has granted the class dtmf."""
    await asyncio.to_thread(pbx.change_user, dtmf=True)
    async with watching(scene, tmp_path, keypad=True) as watch:
        yield watch


@pytest.mark.case("keypad switching is followed where the class dtmf is granted")
async def test_followed(scene: Scene, keyed: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.supervisor_dials("2001", SWITCH, "1001")
    shown = await keyed.supervision(type="Monitor", state="active")
    assert not shown["at_least"]
    await scene.supervisor_presses(call.customer, "6")
    await scene.supervisor_presses(call.agent, "5")
    await scene.supervisor_presses(spyer, "9")
    for digit, kind in (("5", "Coach"), ("6", "Barge"), ("6", "Barge"), ("4", "Monitor")):
        await scene.supervisor_presses(spyer, digit)
        switched = await keyed.supervision(id=shown["id"], type=kind, state="active")
        assert switched["type_provenance"] == "observed" and not switched["at_least"]
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await keyed.nothing_left()
    (row,) = await keyed.rows()
    assert row["type"] == "Barge" and not row["at_least"]
    segments = await keyed.segments(row["id"])
    assert [s["type"] for s in segments] == ["Monitor", "Coach", "Barge", "Monitor"]


@pytest.mark.case("nobody else's key is kept")
async def test_nobody_elses_key_is_kept(scene: Scene, keyed: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.supervisor_dials("2001", SWITCH, "1001")
    await keyed.supervision(type="Monitor", state="active")
    for digit in "45":
        await scene.supervisor_presses(call.customer, digit)
    await scene.supervisor_presses(spyer, "7")
    await scene.supervisor_presses(spyer, "5")
    await keyed.supervision(type="Coach", state="active")
    keys = [i for i in keyed.items if getattr(i, "name", "").startswith("DTMF")]
    assert [(i.name, "Digit: 5" in i.text, f"Uniqueid: {spyer}" in i.text) for i in keys] == [
        ("DTMFEnd", True, True)
    ]
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await keyed.nothing_left()


@pytest.mark.case("keypad switching without the class: at least")
async def test_without_the_class_it_is_at_least(scene: Scene, watch: Watch) -> None:
    call = await scene.customer_calls_in("5551234")
    spyer = await scene.supervisor_dials("2001", SWITCH, "1001")
    shown = await watch.supervision(type="Monitor", state="active")
    assert shown["at_least"]
    await scene.supervisor_presses(spyer, "6")
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
    await watch.nothing_left()
    (row,) = await watch.rows()
    assert row["type"] == "Monitor" and row["at_least"]
