"""A payment in the whole daemon: shown to whoever sees the supervision, an alert, and ended where
the site says so. The simulated centre's dialplan says when somebody pays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from monitord.domain.views import Alert
from monitord.domain.words import AlertAct, AlertKind
from monitord.simulator.calls import Call
from tests.kit.centre import Centre, centre, until
from tests.kit.stores import Store

END = '[policy]\npayment = "end"\n'


def alerts(here: Centre) -> list[Alert]:
    shown = [e for e in here.daemon.hub.picture() if isinstance(e, Alert)]
    return [a for a in shown if a.about is AlertKind.PAYMENT]


async def a_call(here: Centre, *, supervised: bool) -> Call:
    """One in which both talk, and somebody listens, or nobody."""
    while True:
        for one in here.sim.centre.supervisions:
            call = one._call
            if (
                supervised
                and call is not None
                and one.attached
                and call.talking
                and not call.paying
            ):
                return call
        heard = {s._call for s in here.sim.centre.supervisions}
        for call in here.sim.centre.calls:
            if not supervised and call.talking and call not in heard:
                return call
        await here.advance(2)


@asynccontextmanager
async def paying(here: Centre, call: Call) -> AsyncIterator[None]:
    call.pay(True)
    await here.caught_up()
    yield
    call.pay(False)
    await here.caught_up()


def listening(here: Centre, call: Call) -> list[Any]:
    """The supervisions of a call as they are shown."""
    shard = here.daemon.hub.shards["lab"]
    known = shard.by_linkedid.get(call.linkedid)
    views = (s.view for s in shard.supervisions.values())
    return [v for v in views if v is not None and v.call == known]


async def test_told_in_the_middle_of_a_supervision(tmp_path: Path, store: Store) -> None:
    async with centre(tmp_path, store=store) as here:
        call = await a_call(here, supervised=True)
        ids = {v.id for v in listening(here, call)}
        assert ids and not alerts(here)
        async with paying(here, call), here.ina.stream() as stream:
            await stream.until(lambda s: s.of("alert"), "the alerts")
            await until(lambda: {a.supervision for a in alerts(here)} >= ids, "each its alert")
            for shown in stream.of("supervision"):
                assert shown["payment"] == (shown["id"] in ids)
            assert [c["payment"] for c in stream.of("call")].count(True) == 1
        assert not any(v.payment for v in listening(here, call))
        for alert in alerts(here):
            assert (alert.why, alert.done) == (
                "A payment was in progress on the call.",
                AlertAct.TOLD,
            )
        raised = {a.id for a in alerts(here)}
        async with paying(here, call):
            assert {a.id for a in alerts(here)} == raised, "one for a supervision and type"
        assert here.hangups() == 0
        alert = alerts(here)[0]
        path = f"/api/v1/alerts/{alert.id}/acknowledge"
        async with here.sue.http.post(path, json={}) as response:
            assert response.status == 200
            assert (await response.json())["about"] == "payment"


@pytest.mark.parametrize("begun", ["before", "in the middle"])
async def test_ended_where_the_site_says_so(tmp_path: Path, store: Store, begun: str) -> None:
    async with centre(tmp_path, store=store, extra=END) as here:
        call = await a_call(here, supervised=begun == "in the middle")
        call.pay(True)
        if begun == "before":
            centre_ = here.sim.centre
            supervisor = next(s for s in centre_.floor.supervisors if not s.busy)
            _, plan = centre_._deck.deal()
            assert call.agent is not None
            centre_.supervise(supervisor, call.agent, call, plan)

        def ended() -> list[Alert]:
            return [a for a in alerts(here) if a.done is AlertAct.ENDED]

        async with asyncio.timeout(60):
            while not ended():
                await here.sim.advance(0.2)
                await asyncio.sleep(0.005)
        assert call.talking, "they go on talking"
        await here.daemon.recorder.settled()
        row = (await here.ina.get(f"/api/v1/supervisions/{ended()[0].supervision}"))["supervision"]
        assert (row["end_reason"], row["ended_by"]) == ("disconnected", "monitord (policy)")
