"""The stagehand's AMI client: independent of the daemon's, so that it can be its witness."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

from tests.lab.ports import HOST

DEADLINE = 20.0  # s; nothing in the lab takes longer on a busy machine
Wanted = str | re.Pattern[str] | Callable[[str], bool]


class Message:
    """One AMI message. A key may come several times; the first counts, as in a dict."""

    def __init__(self, text: str) -> None:
        self.pairs = [
            (key, value.removeprefix(" "))
            for key, colon, value in (line.partition(":") for line in text.split("\r\n"))
            if colon
        ]

    def __getitem__(self, key: str) -> str:
        return next((value for name, value in self.pairs if name == key), "")

    def all(self, key: str) -> list[str]:
        return [value for name, value in self.pairs if name == key]

    def matches(self, wanted: dict[str, Wanted]) -> bool:
        return all(_matches(self[key], want) for key, want in wanted.items())

    def __repr__(self) -> str:
        return f"<{' '.join(f'{key}={value}' for key, value in self.pairs)}>"


def _matches(value: str, wanted: Wanted) -> bool:
    if isinstance(wanted, str):
        return value == wanted
    if isinstance(wanted, re.Pattern):
        return wanted.search(value) is not None
    return wanted(value)


class Refused(Exception):
    """Asterisk answered an action with an error."""


@dataclass
class Ami:
    """A connection. `events` is everything since it began; `raw` the bytes, for a trace."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    events: list[Message] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    _replies: dict[str, list[Message]] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _task: asyncio.Task[None] | None = None
    _closed: bool = False
    _count: int = 0

    @classmethod
    async def connect(cls, port: int, user: str, secret: str, host: str = HOST) -> Self:
        """Logs in; raises Refused when Asterisk does not want this user."""
        client = cls(*await asyncio.open_connection(host, port))
        client.raw += await client.reader.readline()  # the banner has no blank line after it
        client._task = asyncio.create_task(client._read())
        try:
            await client.action("Login", Username=user, Secret=secret)
        except BaseException:
            await client.close()
            raise
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        self.writer.close()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                block = await self.reader.readuntil(b"\r\n\r\n")
                self.raw += block
                message = Message(block.decode(errors="surrogateescape"))
                async with self._news:
                    if not self._belongs_to_reply(message) and message["Event"]:
                        self.events.append(message)
                    self._news.notify_all()
        except (asyncio.IncompleteReadError, OSError):
            async with self._news:
                self._closed = True
                self._news.notify_all()

    def _belongs_to_reply(self, message: Message) -> bool:
        """Keeps it with its action. An item of a list looks like an event but is none; an
        OriginateResponse has the action's id as well, and is one."""
        got = self._replies.get(message["ActionID"])
        if got is None or (got and got[0]["EventList"] != "start"):
            return False
        got.append(message)
        return True

    async def until(self, ready: Callable[[], bool], deadline: float, what: object) -> None:
        try:
            async with asyncio.timeout(deadline), self._news:
                await self._news.wait_for(lambda: ready() or self._closed)
        except TimeoutError:
            raise TimeoutError(
                f"not within {deadline} s: {what}; last: {self.events[-8:]}"
            ) from None
        if not ready():
            raise ConnectionError(f"the connection ended before {what}")

    async def send(self, name: str, headers: dict[str, str | list[str]]) -> str:
        """Sends an action and returns its ActionID; a list gives a key several times."""
        self._count += 1
        action_id = f"lab-{self._count}"
        self._replies[action_id] = []
        lines = [f"Action: {name}", f"ActionID: {action_id}"]
        for key, value in headers.items():
            lines += [f"{key}: {one}" for one in ([value] if isinstance(value, str) else value)]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()
        return action_id

    async def reply(self, name: str, /, **headers: str | list[str]) -> list[Message]:
        """Sends an action and returns its reply, followed by its list if it gives one."""
        action_id = await self.send(name, headers)
        got = self._replies[action_id]

        def complete() -> bool:
            if not got or got[0]["EventList"] != "start":
                return bool(got)
            return got[-1]["EventList"] == "Complete"

        await self.until(complete, DEADLINE, f"the answer to {name}")
        del self._replies[action_id]
        return got

    async def action(self, name: str, /, **headers: str | list[str]) -> list[Message]:
        """As `reply`, but an error is raised."""
        got = await self.reply(name, **headers)
        if got[0]["Response"] not in ("Success", "Follows", "Goodbye"):
            raise Refused(f"{name}: {got[0]['Message']}")
        return got

    def mark(self) -> int:
        """A place in the stream of events, to look from there on."""
        return len(self.events)

    def seen(self, name: str, since: int = 0, /, **headers: Wanted) -> Iterator[Message]:
        wanted: dict[str, Wanted] = {"Event": name, **headers}
        return (event for event in self.events[since:] if event.matches(wanted))

    async def wait_event(
        self, name: str, since: int = 0, /, *, deadline: float = DEADLINE, **headers: Wanted
    ) -> Message:
        """The first such event since then, which may have come already."""
        await self.until(
            lambda: any(self.seen(name, since, **headers)), deadline, f"{name} {headers}"
        )
        return next(self.seen(name, since, **headers))
