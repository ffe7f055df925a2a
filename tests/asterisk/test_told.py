"""What the agent is told on real Asterisk: by each policy, over a switch of type, over a kill."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from monitord.api.keys import TELLER
from monitord.app import Running
from tests.asterisk.watch import Watch, site_of, watching
from tests.kit.centre import until
from tests.kit.client import Client, Stream
from tests.kit.daemon import daemon, password_hash
from tests.kit.process import killed_at_the_end
from tests.kit.stores import SqliteStore
from tests.lab.scene import BARGE, COACH, MONITOR, SWITCH, Scene
from tests.lab.server import AsteriskServer

WHO = "who = true\nreason = true\n"


def people(scene: Scene) -> str:
    """Those of the scene; Ann signs in as well."""
    given = site_of(scene).people
    name = 'name = "Ann Agent"\n'
    assert name in given
    return given.replace(
        name, f'{name}role = "agent"\nlogin = "ann"\npassword_hash = "{password_hash()}"\n'
    )


def told(text: str) -> str:
    return f"[told]\n{text}\n{WHO}"


@asynccontextmanager
async def ann(daemon: Running) -> AsyncIterator[Stream]:
    async with Client(daemon.url) as client:
        assert await client.sign_in("ann") == 200
        async with client.stream() as stream:
            await stream.until(lambda s: any(p["link"] == "live" for p in s.of("pbx")), "live")
            yield stream


async def notice(stream: Stream, **fields: Any) -> Any:
    def found(s: Stream) -> Any:
        fits = [n for n in s.of("notice") if all(n[k] == v for k, v in fields.items())]
        return fits[0] if fits else None

    return await stream.until(found, f"a notice with {fields}")


async def ended(stream: Stream) -> Any:
    return await stream.until(
        lambda s: next((n for n in s.of("notice") if n["ended"] is not None), None), "its end"
    )


async def nothing_yet(watch: Watch, stream: Stream) -> None:
    """All that Asterisk said so far is applied and sent, and none of it is a notice."""
    attachment = watch.daemon.attachments["lab"]
    await attachment.link.ask("Ping", {}, deadline=15)
    await watch.until(lambda: not attachment._items)
    await stream.level()
    assert stream.of("notice") == []


@pytest.mark.case("the agent is told at start and end, and who, as the policy says")
async def test_start_and_end(scene: Scene, tmp_path: Path) -> None:
    policy = told('when = "start and end"')
    async with (
        watching(scene, tmp_path, extra=policy, people=people(scene)) as watch,
        ann(watch.daemon) as stream,
    ):
        call = await scene.customer_calls("5551234")
        spyer = await scene.supervisor_dials("2002", COACH, "1001")
        shown = await notice(stream, type="Coach")
        assert shown["supervisor"]["id"] == "tom" and shown["agent"]["id"] == "ann"
        assert shown["ended"] is None and shown["started_exact"]
        seen = await watch.supervision(type="Coach", state="active")
        assert (shown["id"], shown["started"]) == (seen["id"], seen["started"])
        await scene.hangup(spyer)
        over = await ended(stream)
        assert over["ended_exact"] and over["ended"] > over["started"]
        assert stream.of("supervision") == [], "an agent sees notices alone"
        assert watch.stream.of("notice") == [], "and nobody else sees them"
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert call.customer in live, "told while the call goes on"
        await scene.hangup(call.customer)
        await watch.nothing_left()
        (row,) = await watch.rows()
        assert (row["started"], row["ended"]) == (over["started"], over["ended"])


@pytest.mark.case("the agent is told after the call, not when the supervisor leaves it")
async def test_after_the_call(scene: Scene, tmp_path: Path) -> None:
    policy = told('when = { Monitor = "after the call" }')
    async with (
        watching(scene, tmp_path, extra=policy, people=people(scene)) as watch,
        ann(watch.daemon) as stream,
    ):
        call = await scene.customer_calls("5551234")
        spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
        await watch.supervision(type="Monitor", state="active")
        await nothing_yet(watch, stream)
        await scene.hangup(spyer)
        await watch.stream.until(lambda s: not s.of("supervision"), "the supervision's end")
        await nothing_yet(watch, stream)
        await scene.hangup(call.customer)
        shown = await ended(stream)
        assert shown["supervisor"]["id"] == "sue" and shown["type"] == "Monitor"
        await watch.nothing_left()
        (row,) = await watch.rows()
        assert shown["ended"] == row["ended"] <= shown["told"]


@pytest.mark.case("the agent is told a day later")
async def test_delayed(scene: Scene, tmp_path: Path) -> None:
    policy = told('when = { Barge = "delayed" }\ndelay = "24 h"')
    async with (
        watching(scene, tmp_path, extra=policy, people=people(scene)) as watch,
        ann(watch.daemon) as stream,
    ):
        call = await scene.customer_calls("5551234")
        spyer = await scene.supervisor_dials("2002", BARGE, "1001")
        await watch.supervision(type="Barge", state="active")
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await watch.nothing_left()
        await nothing_yet(watch, stream)
        (row,) = await watch.rows()
        teller = watch.daemon.web[TELLER]
        teller._clock = lambda: row["ended"] + 24 * 3_600_000
        teller._some.set()
        shown = await ended(stream)
        assert shown["ended"] == row["ended"]
        assert shown["told"] == row["ended"] + 24 * 3_600_000


@pytest.mark.case("no agent is told anything where the site says nothing")
async def test_never(scene: Scene, tmp_path: Path) -> None:
    async with (
        watching(scene, tmp_path, people=people(scene)) as watch,
        ann(watch.daemon) as stream,
    ):
        call = await scene.customer_calls("5551234")
        spyer = await scene.supervisor_dials("2002", BARGE, "1001")
        await watch.supervision(type="Barge", state="active")
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        await watch.nothing_left()
        await nothing_yet(watch, stream)
        assert "Tom Trainer" not in json.dumps(stream.frames)


@pytest.mark.case("a switch of the type by keypad is told by the strongest so far, and stays told")
async def test_switched(scene: Scene, pbx: AsteriskServer, tmp_path: Path) -> None:
    await asyncio.to_thread(pbx.change_user, dtmf=True)
    policy = told('when = { Coach = "start and end" }')
    async with (
        watching(scene, tmp_path, extra=policy, people=people(scene), keypad=True) as watch,
        ann(watch.daemon) as stream,
    ):
        call = await scene.customer_calls("5551234")
        spyer = await scene.supervisor_dials("2002", SWITCH, "1001")
        listening = await watch.supervision(type="Monitor", state="active")
        await nothing_yet(watch, stream)
        await scene.supervisor_presses(spyer, "5")
        shown = await notice(stream, type="Coach")
        assert shown["started"] == listening["started"], "of all of it"
        await scene.supervisor_presses(spyer, "6")
        assert (await notice(stream, type="Barge"))["ended"] is None, "never un-told"
        await scene.supervisor_presses(spyer, "4")
        await watch.supervision(type="Monitor", state="active")
        await stream.level()
        assert [n["type"] for n in stream.of("notice")] == ["Barge"]
        await scene.hangup(spyer)
        assert (await ended(stream))["type"] == "Barge"
        await scene.hangup(call.customer)
        await watch.nothing_left()


async def test_killed_while_it_runs(scene: Scene, tmp_path: Path) -> None:
    """kill -9 in the middle: what goes on is told on by the next daemon, what ended meanwhile is
    told as ended."""
    site = site_of(scene, extra=told('when = "start and end"'), people=people(scene))
    config = site.write(tmp_path)
    call = await scene.customer_calls("5551234")
    spyer = await scene.supervisor_dials("2002", COACH, "1001")
    for goes_on in (True, False):
        async with killed_at_the_end(config) as stream:
            await stream.until(lambda s: s.of("supervision"), "the supervision")
            (live,) = stream.of("supervision")
            # on disk before the kill
            await _on_disk(tmp_path, live["id"])
        if not goes_on:
            await scene.hangup(spyer)
    async with daemon(site, tmp_path) as again, ann(again) as mine:
        over = await ended(mine)
        assert over["id"] == live["id"] and not over["ended_exact"]
        assert over["ended_after"] is not None and over["ended_after"] <= over["ended"]
        await again.recorder.settled()
    (row,) = SqliteStore.in_folder(tmp_path / "data").read("SELECT * FROM notice")
    assert row["told_begun"] <= row["told_ended"]
    await scene.hangup(call.customer)


async def _on_disk(folder: Path, supervision: str) -> None:
    store = SqliteStore.in_folder(folder / "data")
    await until(
        lambda: any(
            r["id"] == supervision and r["told_begun"] for r in store.read("SELECT * FROM notice")
        ),
        "the notice on disk",
    )
