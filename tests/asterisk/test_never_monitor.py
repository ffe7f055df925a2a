"""To whom nobody may listen: a person and a number, told and ended, on real Asterisk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.asterisk.watch import Watch, site_of, watching
from tests.kit.client import Client
from tests.kit.daemon import password_hash
from tests.lab.scene import COACH, Scene

END = '[policy]\nnever_monitor = "end"\n'
ADMINISTRATOR = f"""
[[people]]
id = "max"
name = "Max Manager"
login = "max"
role = "administrator"
password_hash = "{password_hash()}"
"""


@asynccontextmanager
async def listing(
    scene: Scene, folder: Path, extra: str = ""
) -> AsyncIterator[tuple[Watch, Client]]:
    people = site_of(scene).people + ADMINISTRATOR
    async with (
        watching(scene, folder, people=people, extra=extra) as watch,
        Client(watch.daemon.url) as max_,
    ):
        assert await max_.sign_in("max") == 200
        yield watch, max_


async def put(client: Client, **entry: str) -> None:
    async with client.http.post("/api/v1/never-monitor", json=entry) as response:
        assert response.status == 201, await response.text()


async def alert(watch: Watch, **fields: Any) -> Any:
    def found(stream: Any) -> Any:
        want = {"about": "never monitor", **fields}
        fits = [a for a in stream.of("alert") if all(a[k] == v for k, v in want.items())]
        return fits[0] if fits else None

    return await watch.stream.until(found, f"an alert with {fields}")


@pytest.mark.case("never monitor: a person and a number, put on the list in the middle: told")
async def test_told(scene: Scene, tmp_path: Path) -> None:
    async with listing(scene, tmp_path) as (watch, max_):
        call = await scene.customer_calls("5551234")
        coaching = await scene.supervisor_dials("2001", COACH, "1001")
        await watch.supervision(type="Coach", state="active")
        assert watch.stream.of("alert") == []
        await put(max_, person="ann", reason="works council")
        raised = await alert(watch, type="Coach", done="told")
        assert raised["why"] == "Nobody may listen to this agent: works council."
        await scene.hangup(coaching)
        await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
        other = await scene.customer_calls_agent("5559876", "1003")
        listening = await scene.supervisor_dials("2001", COACH, "1003")
        shown = await watch.supervision(state="active")
        await put(max_, number="+555-98 76", reason="doctor")
        raised = await alert(watch, supervision=shown["id"])
        assert raised["why"] == "Nobody may listen to this customer: doctor."
        live = {c["Uniqueid"] for c in await scene.channels()}
        ours = {call.customer, call.agent, other.customer, other.agent, listening}
        assert live == ours, "nothing was done to anybody"
        for uniqueid in (listening, other.customer, call.customer):
            await scene.hangup(uniqueid)
        await watch.nothing_left()
        assert [r for r in watch.audit() if r["action"].startswith("disconnect")] == []


@pytest.mark.case("never monitor: a person is ended where the site says so")
async def test_a_person_ended(scene: Scene, tmp_path: Path) -> None:
    async with listing(scene, tmp_path, END) as (watch, max_):
        await put(max_, person="ann", reason="works council")
        call = await scene.customer_calls("5551234")
        await scene.supervisor_dials("2001", COACH, "1001")
        raised = await alert(watch, done="ended")
        await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {call.customer, call.agent}, "the call itself goes on"
        await scene.hangup(call.customer)
        await watch.nothing_left()
        (row,) = await watch.rows()
        assert (row["id"], row["ended_by"]) == (raised["supervision"], "monitord (policy)")


@pytest.mark.case("never monitor: a spy that waited is ended when the listed number's call comes")
async def test_a_number_ended_when_its_call_comes(scene: Scene, tmp_path: Path) -> None:
    async with listing(scene, tmp_path, END) as (watch, max_):
        await put(max_, number="5559876", reason="doctor")
        first = await scene.customer_calls_agent("5551234", "1003")
        await scene.supervisor_spies("2001", "PJSIP/1003-")
        shown = await watch.supervision(state="active")
        await scene.hangup(first.customer)
        await watch.supervision(id=shown["id"], state="waiting")
        assert watch.stream.of("alert") == []
        second = await scene.customer_calls_agent("5559876", "1003")
        raised = await alert(watch, done="ended")
        assert raised["supervision"] == shown["id"]
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {second.customer, second.agent}
        await scene.hangup(second.customer)
        await scene.all_quiet()
        await watch.nothing_left()


@pytest.mark.case("never monitor: somebody at the other end of an internal call")
async def test_at_the_other_end(scene: Scene, tmp_path: Path) -> None:
    async with listing(scene, tmp_path) as (watch, max_):
        await put(max_, person="ann", reason="works council")
        call = await scene.customer_calls("5551234", queue="sales")
        consulted = await scene.consult(call, "1001")
        spyer = await scene.originate_spy("2001", consulted.customer_channel, "q")
        raised = await alert(watch, type="Monitor")
        assert raised["agent"]["id"] != "ann"
        assert raised["why"] == "Nobody may listen to somebody on this call: works council."
        await scene.hangup(spyer)
        await scene.hangup(consulted.agent)
        await scene.hangup(call.customer)
