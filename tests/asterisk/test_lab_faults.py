"""The same for the faults: a bad network, a server that dies or is changed while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.lab.ami import Ami, Refused
from tests.lab.relay import Relay
from tests.lab.scene import MONITOR, Scene
from tests.lab.server import AsteriskServer


@pytest.fixture
async def daemon(scene: Scene) -> AsyncIterator[Ami]:
    """What the daemon sees: a connection of the shipped user."""
    async with await scene.monitord_user() as ami:
        yield ami


async def logged_in(scene: Scene, relay: Relay) -> Ami:
    return await Ami.connect(relay.port, "monitord", scene.server.secrets["monitord"])


async def test_relay_cuts_refuses_and_accepts_again(scene: Scene) -> None:
    async with Relay(scene.server.ports.ami) as relay:
        async with await logged_in(scene, relay) as daemon:
            await daemon.wait_event("FullyBooted")
            relay.cut()
            with pytest.raises(ConnectionError):
                await daemon.wait_event("Nothing")
        async with await logged_in(scene, relay) as daemon:
            await relay.refuse()
            with pytest.raises(ConnectionError):
                await daemon.wait_event("Nothing")
        with pytest.raises(ConnectionRefusedError):
            await logged_in(scene, relay)
        await relay.accept()
        async with await logged_in(scene, relay) as daemon:
            await daemon.action("Ping")
        assert relay.connections == 3


async def test_relay_swallows_and_delays(scene: Scene) -> None:
    async with Relay(scene.server.ports.ami) as relay:
        async with await logged_in(scene, relay) as daemon:
            loop = asyncio.get_running_loop()
            relay.delay(0.2)
            began = loop.time()
            await daemon.action("Ping")
            assert loop.time() - began >= 0.4  # there and back
            relay.let_through()
            await daemon.action("Ping")
            relay.swallow()
            await daemon.send("Ping", {})
            await scene.ami.action("UserEvent", UserEvent="MonitordPayment")
            with pytest.raises(TimeoutError):
                await daemon.wait_event("UserEvent", deadline=0.3)
            relay.let_through()
            with pytest.raises(ConnectionError):
                await daemon.wait_event("Nothing")
        async with await logged_in(scene, relay) as daemon:
            await daemon.action("Ping")


async def test_kill_and_start_with_calls(scene: Scene, pbx: AsteriskServer) -> None:
    before = await scene.customer_calls_in("5552016")
    await scene.supervisor_dials("2001", MONITOR, "1001")
    phones = set(pbx.phones.pids.values())
    await asyncio.to_thread(pbx.kill)
    with pytest.raises(ConnectionError):
        await scene.ami.wait_event("Shutdown")
    await asyncio.to_thread(pbx.start)
    async with await Scene.on(pbx) as again:
        call = await again.customer_calls_in("5552017")
        assert call.customer_channel == "PJSIP/trunk-00000000"
        assert call.customer != before.customer
        assert phones <= set(pbx.phones.pids.values())
        await asyncio.to_thread(pbx.restart)
        await again.ami.wait_event("Shutdown")
        last_words = [event["Event"] for event in again.ami.events]
        assert last_words.index("Hangup") < last_words.index("Shutdown")


async def test_core_reload_loses_nothing(scene: Scene, daemon: Ami, pbx: AsteriskServer) -> None:
    call = await scene.customer_calls_in("5552018")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    await asyncio.to_thread(pbx.reload)
    await daemon.wait_event("Reload")
    assert (await scene.status(spyer))["Application"] == "ChanSpy"
    await scene.phone_hangs_up(call.customer)
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=spyer)


async def test_rights_change_at_the_next_login(
    scene: Scene, daemon: Ami, pbx: AsteriskServer
) -> None:
    await asyncio.to_thread(pbx.change_user, read="system", write="")
    async with await scene.monitord_user() as poor:
        call = await scene.customer_calls_in("5552019")
        await daemon.wait_event("AgentConnect", Uniqueid=call.customer)  # as before
        with pytest.raises(Refused, match="Permission denied"):
            await poor.action("Status")
        assert [event["Event"] for event in poor.events] == ["FullyBooted"]
    await asyncio.to_thread(pbx.restore_user)
    async with await scene.monitord_user() as rich:
        await rich.action("Status")


async def test_wrong_secret(scene: Scene, pbx: AsteriskServer) -> None:
    await asyncio.to_thread(pbx.change_user, secret="another")
    with pytest.raises(Refused, match="Authentication failed"):
        await scene.monitord_user()
    await asyncio.to_thread(pbx.restore_user)
    async with await scene.monitord_user() as daemon:
        await daemon.action("Ping")
