"""One supervision, end to end: real Asterisk, the shipped manager file, the whole daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitord.app import Running
from tests.kit.client import Client, Stream
from tests.kit.daemon import Site, daemon
from tests.lab.scene import BARGE, COACH, MONITOR, Scene

TYPES = {"Monitor": (MONITOR, "qE"), "Coach": (COACH, "wqE"), "Barge": (BARGE, "BqE")}


@dataclass
class Watch:
    """A daemon on the scene's PBX, and two people who are signed in."""

    daemon: Running
    ina: Client
    sue: Client
    stream: Stream

    async def supervision(self, **fields: Any) -> Any:
        """The one supervision there is, once it has these values."""

        def found(stream: Stream) -> Any:
            shown = stream.of("supervision")
            fits = [s for s in shown if all(s[k] == v for k, v in fields.items())]
            return fits[0] if fits else None

        return await self.stream.until(found, f"a supervision with {fields}")

    async def nothing_left(self) -> None:
        await self.stream.until(
            lambda s: not s.of("supervision") and not s.of("call"), "no supervision and no call"
        )
        shard = self.daemon.hub.shards["lab"]
        assert not shard.channels and not shard.calls and not shard.supervisions
        assert not shard.bridges and not shard.by_spyer
        attachment = self.daemon.attachments["lab"]
        assert attachment.failed == 0 and attachment.malformed == 0
        await self.daemon.recorder.settled()

    async def rows(self) -> list[Any]:
        page = await self.ina.get("/api/v1/supervisions")
        assert page["next"] is None
        return page["rows"]  # type: ignore[no-any-return]


@pytest.fixture
async def watch(scene: Scene, tmp_path: Path) -> AsyncIterator[Watch]:
    server = scene.server
    site = Site(ami_port=server.ports.ami, secret=server.secrets["monitord"])
    async with (
        daemon(site, tmp_path) as started,
        Client(started.url) as ina,
        Client(started.url) as sue,
    ):
        assert await ina.sign_in("ina") == 200
        assert await sue.sign_in("sue") == 200
        async with ina.stream() as stream:
            await stream.until(
                lambda s: any(p["link"] == "live" for p in s.of("pbx")), "the PBX live"
            )
            yield Watch(started, ina, sue, stream)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("means", ["dialplan", "application"])
async def test_each_type_by_each_means(scene: Scene, watch: Watch, kind: str, means: str) -> None:
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
    await watch.stream.until(
        lambda s: (s.entities["call"][shown["call"]]["result"] or {}).get("value") == "SALE"
    )
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
    detail = await watch.ina.get(f"/api/v1/supervisions/{row['id']}")
    (segment,) = detail["segments"]
    assert segment["type"] == kind and segment["number"] == "5551234"
    assert segment["list"] == "L7" and segment["result"] == "SALE"
    (ended,) = (await watch.ina.get("/api/v1/calls"))["rows"]
    assert ended["result"] == "SALE" and ended["agent"]["id"] == "ann"
    assert ended["queue"] == "support" and ended["end_reason"] == "call ended"
    assert ended["talk_ms"] > 0 and ended["ended"]
