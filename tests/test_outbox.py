"""Webhooks against a real HTTP server: each message at least once, whatever the receiver does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from monitord.domain.ledger import Record
from monitord.outbox.post import Hook, Post
from monitord.outbox.sender import DAY_MS, FIRST_MS, MOST_MS, Sender
from monitord.outbox.store import OutboxStore
from monitord.store.engine import open_store
from monitord.store.recorder import Recorder
from tests.kit.centre import until
from tests.kit.receiver import SECRET, Receiver, receiving, status
from tests.kit.stores import Store


class Clock:
    """Moved by the test."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
async def engine(store: Store) -> AsyncIterator[AsyncEngine]:
    opened = await open_store(store.url)
    yield opened
    await opened.dispose()


class Office:
    """A queue and its sender."""

    def __init__(self, engine: AsyncEngine, *hooks: Hook, **more: Any) -> None:
        self.engine, self.hooks = engine, hooks
        self.clock = Clock()
        self.recorder = Recorder(engine)
        self.store = OutboxStore(engine)
        self.more = {"clock": self.clock, "chance": lambda: 1.0, "send_s": 0.5, **more}

    async def put(self, *keys: str) -> None:
        rows: list[Record] = []
        for key in keys:
            rows += Post(self.hooks).records("notice", key, {"n": key}, self.clock.now)
        self.recorder.take(rows)
        assert await self.recorder.write()

    async def waiting(self) -> int:
        return sum([await self.store.count(hook.id) for hook in self.hooks])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sender]:
        sender = Sender(self.store, self.hooks, **self.more)
        task = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def empty(self) -> None:
        async with asyncio.timeout(20):
            while await self.waiting():
                await asyncio.sleep(0.01)


def hook(receiver: Receiver, path: str = "") -> Hook:
    return Hook(receiver.url + path, SECRET, frozenset({"notice"}))


async def test_sent_once_in_order_signed_and_then_gone(engine: AsyncEngine) -> None:
    async with receiving() as receiver:
        office = Office(engine, hook(receiver))
        async with office.open() as sender:
            await office.put("a", "b", "c")
            sender.wake()
            await office.empty()
    assert [got["id"] for got in receiver.got] == ["a", "b", "c"]
    assert receiver.got[0] == {
        "id": "a",
        "event": "notice",
        "at": office.clock.now,
        "data": {"n": "a"},
    }
    head = receiver.heads[0]
    assert (head["Monitord-Id"], head["Monitord-Event"]) == ("a", "notice")
    assert head["Content-Type"] == "application/json"
    assert head["Monitord-Signature"].startswith(f"t={office.clock.now // 1000},v1=")


@pytest.mark.parametrize("code", [500, 503, 429, 302, 307, 400, 404])
async def test_what_is_not_taken_is_tried_again(engine: AsyncEngine, code: int) -> None:
    async with receiving() as receiver, receiving() as elsewhere:
        receiver.answer = status(code, Location=elsewhere.url)
        office = Office(engine, hook(receiver))
        await office.put("a")
        async with office.open() as sender:
            for tries in range(1, 4):
                await until(lambda n=tries: len(receiver.got) == n, f"try {tries}")
                rows = await _rows(office, tries)
                assert rows[0].due == office.clock.now + FIRST_MS * 2 ** (tries - 1)
                sender.wake()  # not before its time
                office.clock.now = rows[0].due
                if tries == 3:
                    receiver.answer = status(200)
                sender.wake()
            await office.empty()
    assert [got["id"] for got in receiver.got] == ["a"] * 4
    assert elsewhere.got == [], "no redirect is followed"


async def _rows(office: Office, attempts: int) -> list[Any]:
    async with asyncio.timeout(20):
        while True:
            rows = await office.store.due(office.hooks[0].id, office.clock.now + DAY_MS, 10)
            if any(row.attempts == attempts for row in rows):
                return rows
            await asyncio.sleep(0.01)


async def test_a_message_that_is_refused_holds_up_no_other(engine: AsyncEngine) -> None:
    async def picky(request: web.Request) -> web.StreamResponse:
        return web.Response(status=400 if request.headers["Monitord-Id"] == "a" else 200)

    async with receiving() as receiver:
        receiver.answer = picky
        office = Office(engine, hook(receiver))
        await office.put("a", "b")
        async with office.open():
            await until(lambda: len(receiver.got) == 2, "both")
            async with asyncio.timeout(20):
                while await office.waiting() != 1:
                    await asyncio.sleep(0.01)
            rows = await _rows(office, 1)
    assert [row.key for row in rows] == ["a"]


async def test_one_that_hangs_is_cut_and_holds_up_no_other_webhook(engine: AsyncEngine) -> None:
    async with receiving() as slow, receiving() as quick:
        slow.answer = slow.hang
        office = Office(engine, hook(slow), hook(quick))
        await office.put("a", "b")
        async with office.open():
            await asyncio.wait_for(slow.hung.wait(), 20)
            await until(lambda: len(quick.got) == 2, "the other webhook")
            rows = await _rows(office, 1)
            assert {row.key: row.attempts for row in rows} == {"a": 1, "b": 0}


async def test_an_endless_answer_is_not_read(engine: AsyncEngine) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
                sent += 65536
        except ConnectionError:
            return response

    async with receiving() as receiver:
        receiver.answer = endless
        office = Office(engine, hook(receiver))
        await office.put("a")
        async with office.open():
            await office.empty()
    assert len(receiver.got) == 1
    assert sent < 16 << 20


async def test_nobody_there_then_a_restart_of_both(engine: AsyncEngine) -> None:
    async with receiving() as receiver:
        pass  # its port, where nobody is now
    office = Office(engine, hook(receiver))
    await office.put("a", "b")
    async with office.open():
        await _rows(office, 1)
    assert await office.waiting() == 2
    office.clock.now += MOST_MS
    async with receiving(receiver), office.open():
        await office.empty()
    assert sorted(got["id"] for got in receiver.got) == ["a", "b"]


async def test_killed_while_it_is_sent_it_comes_again_with_the_same_id(
    engine: AsyncEngine,
) -> None:
    async with receiving() as receiver:
        receiver.answer = receiver.hang
        office = Office(engine, hook(receiver))
        await office.put("a")
        async with office.open():
            await asyncio.wait_for(receiver.hung.wait(), 20)
        assert await office.waiting() == 1
        receiver.answer = status(200)
        async with office.open():
            await office.empty()
    assert [got["id"] for got in receiver.got] == ["a", "a"]


async def test_given_up_after_its_days(engine: AsyncEngine) -> None:
    async with receiving() as receiver:
        receiver.answer = status(500)
        office = Office(engine, hook(receiver), give_up_days=3)
        await office.put("a")
        office.clock.now += 3 * DAY_MS
        with capture_logs() as said:
            async with office.open() as sender:
                await until(lambda: len(receiver.got) == 1, "still tried on the third day")
                await _rows(office, 1)
                office.clock.now += 1
                sender.wake()
                await office.empty()
                await until(lambda: [e for e in said if e["event"] == "given_up"], "the log")
    assert len(receiver.got) == 1
    (told,) = [e for e in said if e["event"] == "given_up"]
    assert "3 days" in told["why"] and told["messages"] == 1


async def test_the_queue_is_bounded_and_the_oldest_goes(engine: AsyncEngine) -> None:
    async with receiving() as receiver:
        office = Office(engine, hook(receiver), queue_most=2)
        for key in ("a", "b", "c", "d"):
            await office.put(key)
            office.clock.now += 1
        async with office.open():
            await office.empty()
    assert [got["id"] for got in receiver.got] == ["c", "d"]


async def test_what_is_for_a_removed_webhook_goes(engine: AsyncEngine) -> None:
    async with receiving() as receiver:
        old = Office(engine, hook(receiver, "/old"))
        await old.put("a")
        new = Office(engine, hook(receiver))
        await new.put("b")
        async with new.open():
            await new.empty()
            await old.empty()
    assert receiver.paths == ["/hook"]


async def test_the_same_message_is_queued_once(engine: AsyncEngine) -> None:
    office = Office(engine, Hook("http://127.0.0.1:9/", SECRET, frozenset({"notice"})))
    await office.put("a")
    await office.put("a")
    assert await office.waiting() == 1


def test_only_what_a_webhook_wants() -> None:
    hook = Hook("http://a/", SECRET, frozenset())
    assert list(Post((hook,)).records("notice", "a", {}, 0)) == []
