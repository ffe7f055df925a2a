"""Notices in the whole daemon: as the ledger, on the stream of that agent alone, by webhook, over
restarts and kills."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from monitord.api.keys import TELLER
from monitord.app import Running
from monitord.simulator import Settings, Simulator, User
from monitord.told.watch import SHOWN_MS, Teller
from tests.kit.centre import SECRET, Centre, centre, until
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.receiver import receiving
from tests.kit.stores import Store
from tests.kit.told import (
    AGENTS,
    ALL,
    CENTRE,
    assert_as_the_ledger,
    notices,
    people,
    supervisions,
    webhook,
)
from tests.test_cli import start

BY_TYPE = '[told]\nwhen = {{ Monitor = "{0}", Coach = "{0}", Barge = "{0}", Barge-Kick = "{0}" }}\n'


@pytest.fixture
async def here(tmp_path: Path, store: Store) -> AsyncIterator[Centre]:
    async with centre(tmp_path, extra=ALL, store=store, people=people(), **CENTRE) as made:
        yield made


def teller(daemon: Running) -> Teller:
    return daemon.web[TELLER]


async def an_agent(here: Centre) -> tuple[str, str]:
    """Somebody who is supervised now, and the supervision's id."""
    shard = here.daemon.hub.shards["lab"]
    async with asyncio.timeout(60):
        while True:
            for key in here.running():
                view = shard.supervisions[key].view
                if view is not None and view.agent is not None:
                    return view.agent.id, key
            await here.advance(2)


async def ended(here: Centre, supervision: str) -> None:
    async with asyncio.timeout(60):
        while here.daemon.hub.supervision(supervision) is not None:
            await here.advance(2)
    await here.daemon.recorder.settled()


async def test_as_the_ledger_at_every_moment(here: Centre) -> None:
    for _ in range(12):
        await here.advance(20)
        await here.daemon.recorder.settled()
        assert_as_the_ledger(here.store)
    assert len(notices(here.store)) > 5
    assert any(n["told_ended"] for n in notices(here.store).values())


async def test_only_that_agents_stream_has_it(here: Centre) -> None:
    agent, key = await an_agent(here)
    async with AsyncExitStack() as stack:
        streams: dict[str, Any] = {}
        for login in [*AGENTS, "ina", "sue"]:
            client = await stack.enter_async_context(Client(here.daemon.url))
            assert await client.sign_in(login) == 200
            streams[login] = await stack.enter_async_context(client.stream())
        mine = streams[agent]
        await mine.until(lambda s: key in s.entities["notice"], "the notice")
        shown = mine.entities["notice"][key]
        assert shown["ended"] is None and shown["supervisor"] is not None
        assert shown["agent"]["id"] == agent
        await ended(here, key)
        await mine.until(lambda s: s.entities["notice"][key]["ended"], "its end")
        for login, stream in streams.items():
            await stream.level()
            text = json.dumps([f for f in stream.frames if f["type"] == "delta"])
            for one in notices(here.store).values():
                as_notice = [n for n in stream.of("notice") if n["id"] == one["id"]]
                assert bool(as_notice) == (one["agent_id"] == login)
                if login in AGENTS and one["agent_id"] != login:
                    assert one["id"] not in text, "not even by another kind"
            if login in AGENTS:
                assert stream.of("supervision") == []


async def test_the_page_of_ones_own(here: Centre) -> None:
    agent, key = await an_agent(here)
    await ended(here, key)
    for _ in range(10):
        await here.advance(30)
    await here.daemon.recorder.settled()
    async with Client(here.daemon.url) as mine:
        assert await mine.sign_in(agent) == 200
        rows: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await mine.get("/api/v1/notices", limit="1", **cursor)
            rows += page["rows"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        whole = await mine.get("/api/v1/notices")
    assert whole["rows"] == rows and whole["next"] is None
    wanted = [n for n in notices(here.store).values() if n["agent_id"] == agent]
    wanted.sort(key=lambda n: (n["started"], n["id"]), reverse=True)
    assert [row["id"] for row in rows] == [n["id"] for n in wanted]
    assert all(row["supervisor"]["name"].endswith(" Person") for row in rows)


async def test_refused(here: Centre) -> None:
    found = {}
    async with Client(here.daemon.url) as mine:
        assert await mine.sign_in("agent-1") == 200
        for query in ("limit=0", "limit=201", "cursor=x", "agent=sue", "limit=1&limit=2"):
            async with mine.http.get(f"/api/v1/notices?{query}") as response:
                found[query] = (response.status, (await response.json()).get("field"))
    assert found == {
        "limit=0": (400, "limit"),
        "limit=201": (400, "limit"),
        "cursor=x": (400, "cursor"),
        "agent=sue": (400, "agent"),
        "limit=1&limit=2": (400, "limit"),
    }


async def test_the_products_default_tells_nobody(tmp_path: Path, store: Store) -> None:
    async with centre(tmp_path, store=store, people=people(), **CENTRE) as here:
        _, key = await an_agent(here)
        await ended(here, key)
        assert notices(store) == {}
        assert store.read("SELECT * FROM reason_asked") == []


async def test_whom_the_policy_does_not_name_is_not_named(tmp_path: Path, store: Store) -> None:
    extra = '[told]\nwhen = "start and end"\n'
    async with centre(tmp_path, extra=extra, store=store, people=people(), **CENTRE) as here:
        agent, key = await an_agent(here)
        await here.daemon.recorder.settled()
        async with Client(here.daemon.url) as mine:
            assert await mine.sign_in(agent) == 200
            (row,) = [r for r in (await mine.get("/api/v1/notices"))["rows"] if r["id"] == key]
            assert row["supervisor"] is None and row["reason"] is None
            async with mine.stream() as stream:
                await stream.until(lambda s: key in s.entities["notice"], "the notice")
                text = json.dumps(stream.frames)
        for name in ("Sue Person", "Tom Person", "Lea Person", "PJSIP/200"):
            assert name not in text


async def test_after_the_call(tmp_path: Path, store: Store) -> None:
    extra = BY_TYPE.format("after the call")
    async with centre(tmp_path, extra=extra, store=store, people=people(), **CENTRE) as here:
        shard = here.daemon.hub.shards["lab"]
        late = 0
        for _ in range(60):
            await here.advance(5)
            await here.daemon.recorder.settled()
            rows, told = supervisions(store), notices(store)
            assert set(rows) == set(told)
            for key, row in rows.items():
                over = row["ended"] is not None and row["call"] not in shard.calls
                assert (told[key]["told_begun"] is not None) == over
                assert (told[key]["told_ended"] is not None) == over
                late += row["ended"] is not None and not over
        assert late, "none outlived by its call, so nothing was shown of it"


async def test_delayed_by_a_second_goes_out_by_webhook(tmp_path: Path, store: Store) -> None:
    async with receiving() as receiver:
        extra = BY_TYPE.format("delayed") + 'delay = "1 s"\n' + webhook(tmp_path, receiver)
        async with centre(tmp_path, extra=extra, store=store, people=people(), **CENTRE) as here:
            _, key = await an_agent(here)
            await ended(here, key)
            await until(lambda: f"{key}.ended" in {g["id"] for g in receiver.got}, "told")
            row = notices(store)[key]
            assert row["told_begun"] == row["told_ended"] >= row["ended"] + 1000
            assert f"{key}.begun" not in {g["id"] for g in receiver.got}


class Moved:
    """A clock that a test moves."""

    def __init__(self, real: Any) -> None:
        self._real, self.ahead = real, 0

    def __call__(self) -> int:
        return int(self._real()) + self.ahead


async def test_delayed_by_a_clock_that_moves_and_over_a_restart(
    tmp_path: Path, store: Store
) -> None:
    extra = BY_TYPE.format("delayed") + 'delay = "24 h"\n'
    day = 24 * 3_600_000
    async with centre(tmp_path, extra=extra, store=store, people=people(), **CENTRE) as here:
        agent, key = await an_agent(here)
        await ended(here, key)
        (row,) = [n for n in notices(store).values() if n["id"] == key]
        assert row["due"] == row["ended"] + day and row["told_begun"] is None
        async with Client(here.daemon.url) as mine:
            assert await mine.sign_in(agent) == 200
            assert (await mine.get("/api/v1/notices"))["rows"] == []
    async with (
        centre(tmp_path, extra=extra, store=store, people=people(), seed=8, **CENTRE) as here,
        Client(here.daemon.url) as mine,
    ):
        assert await mine.sign_in(agent) == 200
        teach = teller(here.daemon)
        clock = teach._clock = Moved(teach._clock)
        async with mine.stream() as stream:
            clock.ahead = row["due"] - 60_000 - clock()
            teach._some.set()
            await here.advance(1)
            await stream.level()
            assert key not in stream.entities["notice"], "not before its time"
            clock.ahead += 60_000
            teach._some.set()
            await stream.until(lambda s: key in s.entities["notice"], "told")
            shown = stream.entities["notice"][key]
            assert shown["ended"] == row["ended"]
            await here.daemon.recorder.settled()
            told = notices(store)[key]
            assert told["told_begun"] == told["told_ended"] >= row["due"]
            assert key in {r["id"] for r in (await mine.get("/api/v1/notices"))["rows"]}
            clock.ahead += SHOWN_MS + 1000
            teach._some.set()
            await stream.until(lambda s: key not in s.entities["notice"], "no longer shown live")
        await here.daemon.recorder.settled()
        assert notices(store)[key] == told, "told once"


async def test_another_policy_after_a_restart(tmp_path: Path, store: Store) -> None:
    """What runs is judged by it, what is over is not; and what was told is told to its end."""
    user = User(secret=SECRET)
    given = {"port": 0, "speed": 0, "seed": 7, "silent_share": 0.0, **CENTRE}
    async with Simulator(Settings(user=user, **given)) as sim:

        async def lived(extra: str) -> set[str]:
            site = Site(ami_port=sim.port, secret=SECRET, store=store, extra=extra)
            site.people = people()
            async with daemon(site, tmp_path) as started:
                await asyncio.wait_for(started.attachments["lab"].link.live.wait(), DEADLINE)
                shard = started.hub.shards["lab"]

                def running() -> set[str]:
                    return {k for k, s in shard.supervisions.items() if s.view and s.view.agent}

                async with asyncio.timeout(60):
                    while not running():
                        await sim.advance(2)
                        await asyncio.sleep(0.01)
                await started.recorder.settled()
                return running()

        first = await lived("")
        assert notices(store) == {}
        second = await lived(ALL)
        told = notices(store)
        assert first & second <= set(told) <= first | second
        assert all(n["told_begun"] for n in told.values())
        await lived("")
        again = notices(store)
        assert {k: n["told_begun"] for k, n in again.items()} == {
            k: n["told_begun"] for k, n in told.items()
        }


async def test_the_webhook_has_each_start_and_end(tmp_path: Path, store: Store) -> None:
    async with receiving() as receiver:
        extra = ALL + webhook(tmp_path, receiver)
        async with centre(tmp_path, extra=extra, store=store, people=people(), **CENTRE) as here:
            _, key = await an_agent(here)
            await ended(here, key)
            ids = {f"{key}.begun", f"{key}.ended"}
            await until(lambda: ids <= {g["id"] for g in receiver.got}, "both")
            begun, over = (
                next(g for g in receiver.got if g["id"] == f"{key}.{what}")
                for what in ("begun", "ended")
            )
            assert begun["data"]["told"] == "begun" and over["data"]["told"] == "ended"
            assert begun["data"]["notice"]["ended"] is None
            assert over["data"]["notice"]["ended"] is not None
            assert over["data"]["notice"]["supervisor"]["name"].endswith(" Person")


@pytest.mark.parametrize("kills", [4])
async def test_killed_anywhere_no_notice_runs_on_and_each_is_told_once(
    tmp_path: Path, store: Store, kills: int
) -> None:
    """kill -9 at moments that nothing announces, while the centre goes on; then a daemon that
    stays. Each supervision has its notice, with its end, and each start and end went out."""
    user = User(secret=SECRET)
    given = {"port": 0, "speed": 0, "seed": 7, "silent_share": 0.0, **CENTRE}
    seen: dict[str, dict[str, Any]] = {}
    async with Simulator(Settings(user=user, **given)) as sim, receiving() as receiver:
        extra = ALL + webhook(tmp_path, receiver)
        site = Site(ami_port=sim.port, secret=SECRET, store=store, extra=extra, people=people())
        for n in range(kills):
            process = await start(tmp_path, "run", "--config", str(site.write(tmp_path)))
            assert process.stderr is not None
            said = b""
            async with asyncio.timeout(DEADLINE * 2):
                while b"the page at " not in said:
                    said += await process.stderr.read(4096)
            drain = asyncio.create_task(process.stderr.read())
            before = len(supervisions(store))
            async with asyncio.timeout(60):
                while len(supervisions(store)) < before + 1 + n:
                    await sim.advance(3)
                    await asyncio.sleep(0.02)
            process.kill()
            await process.wait()
            await drain
            rows, told = supervisions(store), notices(store)
            assert set(rows) == set(told), "a row and its notice are one transaction"
            for key, notice in told.items():
                assert (notice["told_ended"] is None) == (rows[key]["ended"] is None)
                old = seen.get(key, {})
                for part in ("told_begun", "told_ended"):
                    assert old.get(part) in (None, notice[part]), "told once"
            seen = told
            await sim.advance(15)
        async with daemon(site, tmp_path) as started:
            await asyncio.wait_for(started.attachments["lab"].link.live.wait(), DEADLINE)
            shard = started.hub.shards["lab"]
            await started.recorder.settled()
            open_ = {k for k, n in notices(store).items() if n["told_ended"] is None}
            assert open_ == {k for k, s in shard.supervisions.items() if s.agent is not None}
            assert_as_the_ledger(store)
            wanted = {f"{key}.begun" for key in notices(store)}
            wanted |= {f"{k}.ended" for k, n in notices(store).items() if n["told_ended"]}

            def out() -> set[str]:
                return {g["id"] for g in receiver.got}

            # A row that was there and over before the first daemon came never had a start to tell.
            await until(lambda: wanted - {f"{k}.begun" for k in _at_once(store)} <= out(), "sent")


def _at_once(store: Store) -> set[str]:
    """Told as begun and as ended in one, which is one message."""
    return {k for k, n in notices(store).items() if n["told_begun"] == n["told_ended"]}
