"""Sends what waits: each at least once, tried again until it is taken or too old.

One worker for each webhook, and one for mail; one request at a time, so that a site's receiver is
never flooded and a slow one holds nobody else up. The daemon itself never waits for any of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog
from aiohttp import ClientSession, ClientTimeout
from sqlalchemy.exc import SQLAlchemyError

from monitord import __version__
from monitord.domain.ledger import OutgoingRecord
from monitord.outbox.mail import Mailer
from monitord.outbox.post import Hook
from monitord.outbox.store import OutboxStore
from monitord.store.engine import reason_of

SEND_S = 10.0
"""From the connection to the end of the answer's head."""

ANSWER_MOST = 4096
"""Bytes of an answer that are read; what it says does not matter, only its status."""

FIRST_MS, MOST_MS = 5_000, 3_600_000
"""Between the first tries, and between the last ones."""

QUEUE_MOST = 100_000
"""Rows that may wait for one webhook; beyond that the oldest are given up."""

BATCH = 50
LOOK_S = 30.0
DAY_MS = 24 * 3_600_000


class Way(Protocol):
    """By which what waits in one queue goes out."""

    @property
    def id(self) -> str:
        """Of the queue."""

    @property
    def host(self) -> str:
        """For the log."""

    async def send(self, row: OutgoingRecord) -> tuple[str, bool]:
        """Why it was not taken, empty where it was; and whether the receiver as a whole is to
        blame, not this one message."""


class Sender:
    def __init__(
        self,
        store: OutboxStore,
        hooks: tuple[Hook, ...],
        give_up_days: int = 3,
        *,
        mailer: Mailer | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        chance: Callable[[], float] = random.random,
        send_s: float = SEND_S,
        queue_most: int = QUEUE_MOST,
    ) -> None:
        """``chance`` from 0 to 1 spreads what is tried again, so that many do not come at once."""
        self._store = store
        self._hooks, self._mailer = hooks, mailer
        self._queues = [hook.id for hook in hooks] + ([] if mailer is None else [mailer.id])
        self._give_up_ms = give_up_days * DAY_MS
        self._clock, self._chance = clock, chance
        self._send_s = send_s
        self._queue_most = queue_most
        self._ill: dict[str, int] = {}
        """Queues whose receiver as a whole took nothing, and until when it is left alone."""
        self._some = {queue: asyncio.Event() for queue in self._queues}
        self._log = structlog.get_logger("outbox")

    def wake(self) -> None:
        """Rows were committed."""
        for event in self._some.values():
            event.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            if gone := await self._store.of_others(self._queues):
                why = "their webhook, or the mail server, was removed"
                self._log.warning("given_up", messages=gone, why=why)
        except (SQLAlchemyError, OSError) as error:
            self._log.warning("outbox_unreadable", why=reason_of(error))
        if not self._queues:
            await asyncio.Event().wait()
        # Without a cookie jar and without the environment's proxies and passwords.
        jar, timeout = aiohttp.DummyCookieJar(), ClientTimeout(total=self._send_s)
        async with (
            ClientSession(cookie_jar=jar, timeout=timeout, auto_decompress=False) as session,
            asyncio.TaskGroup() as group,
        ):
            for hook in self._hooks:
                group.create_task(self._serve(_ByHook(session, hook, self._clock, self._send_s)))
            if self._mailer is not None:
                group.create_task(self._serve(self._mailer))

    async def _serve(self, way: Way) -> None:
        some = self._some[way.id]
        while True:
            some.clear()
            try:
                wait = await self._round(way)
            except (SQLAlchemyError, OSError) as error:
                self._log.warning("outbox_unreadable", why=reason_of(error))
                wait = LOOK_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await some.wait()

    async def _round(self, way: Way) -> float:
        """Try what is due. Gives the seconds until there may be something again."""
        await self._give_up(way)
        if (left := self._ill.get(way.id, 0) - self._clock()) > 0:
            return min(LOOK_S, left / 1000)
        rows = await self._store.due(way.id, self._clock(), BATCH)
        for row in rows:
            why, ill = await way.send(row)
            if not why:
                await self._store.done([row.id])
                continue
            row = self._later(row)
            self._log.warning(
                "not_taken", host=way.host, message=row.key, tries=row.attempts, why=why
            )
            await self._store.later(row)
            if ill:
                self._ill[way.id] = row.due  # the others would find it no better
                return 0.0
        if len(rows) == BATCH:
            return 0.0
        due = await self._store.next_due(way.id)
        if due is None:
            return LOOK_S
        return min(LOOK_S, max(0.05, (due - self._clock()) / 1000))

    async def _give_up(self, way: Way) -> None:
        if gone := await self._store.too_old(way.id, self._clock() - self._give_up_ms):
            days = self._give_up_ms // DAY_MS
            self._log.error(
                "given_up", host=way.host, messages=gone, why=f"not taken for {days} days"
            )
        over = await self._store.count(way.id) - self._queue_most
        if over > 0:
            gone = await self._store.too_many(way.id, over)
            why = f"more than {self._queue_most} wait"
            self._log.error("given_up", host=way.host, messages=gone, why=why)

    def _later(self, row: OutgoingRecord) -> OutgoingRecord:
        wait = min(MOST_MS, FIRST_MS << min(row.attempts, 20))
        wait = int(wait * (0.5 + self._chance() / 2))
        return msgspec.structs.replace(row, attempts=row.attempts + 1, due=self._clock() + wait)


class _ByHook:
    def __init__(
        self, session: ClientSession, hook: Hook, clock: Callable[[], int], send_s: float
    ) -> None:
        self._session, self._hook = session, hook
        self._clock, self._send_s = clock, send_s

    @property
    def id(self) -> str:
        return self._hook.id

    @property
    def host(self) -> str:
        """Alone: an address may hold a password of the receiver's in its path."""
        return urlsplit(self._hook.url).hostname or "?"

    async def send(self, row: OutgoingRecord) -> tuple[str, bool]:
        hook = self._hook
        body, at = row.body.encode(), self._clock() // 1000
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"monitord/{__version__}",
            "Monitord-Event": row.event,
            "Monitord-Id": row.key,
            "Monitord-Signature": hook.signature(at, body),
        }
        try:
            async with self._session.post(
                hook.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                with contextlib.suppress(aiohttp.ClientError):
                    await answer.content.read(ANSWER_MOST)
                status = answer.status
        except TimeoutError:
            return f"no answer within {self._send_s:g} s", True
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # What the client says of a broken answer names the address, and so what is in it.
            told = "" if hook.url in str(error) else f": {error}"
            return f"{type(error).__name__}{told}"[:200], True
        if 200 <= status < 300:
            return "", False
        if 300 <= status < 400:
            return f"it answered {status}, and redirects are not followed", True
        return f"it answered {status}", status >= 500 or status in (401, 403, 404, 429)
