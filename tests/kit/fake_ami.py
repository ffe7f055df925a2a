"""A scripted AMI server: speaks the real protocol, and does wrong what a test tells it to.

The simulator is a whole call centre and behaves well; this one is nothing but a wire.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

DEADLINE = 10.0

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
CHALLENGE = "123456789"

Fields = dict[str, str]


class Seen(list[Any]):
    """What came, and a way to wait for more without sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def take(self, item: Any) -> None:
        self.append(item)
        self._more.set()

    async def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        """The condition's first true value, looked at whenever something came."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not (value := condition()):
                    self._more.clear()
                    await self._more.wait()
                return value
        except TimeoutError:
            raise AssertionError(f"never seen: {what or condition}; seen: {self[-40:]}") from None


def message(*headers: tuple[str, str]) -> bytes:
    return "".join(f"{k}: {v}\r\n" for k, v in headers).encode() + b"\r\n"


class Connection(asyncio.Protocol):
    """One client's connection, from the server's side."""

    def __init__(self, server: FakeAmi) -> None:
        self.server = server
        self.received = bytearray()
        self.sent = 0
        self.left = server.close_after
        self._rest = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.server.connections.append(self)
        self.send(self.server.banner)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.open.discard(self)
        self.server.actions.take({"Action": "(closed)"})

    def send(self, data: bytes) -> None:
        """Cuts the connection in the middle of a byte stream where the script says so."""
        if self.left is not None:
            data, self.left = data[: self.left], self.left - len(data)
        self.transport.write(data)
        self.sent += len(data)
        if self.left is not None and self.left <= 0:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.server.deaf:
            return
        *blocks, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for block in blocks:
            lines = block.decode().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines if line)
            self.server.actions.take(fields)
            self.server.answer(self, fields)


class FakeAmi:
    """`async with FakeAmi() as ami`. What it does wrong is set before or while it runs."""

    def __init__(self, secret: str = "right") -> None:
        self.secret = secret
        self.banner = BANNER
        self.booted = True
        """Says FullyBooted right after a login."""
        self.boot = "04:08:34"
        self.deaf = False
        """Takes bytes and never answers, as a stopped process does."""
        self.swallow: set[str] = set()
        """Actions that are not answered."""
        self.refuse: dict[str, str] = {}
        """Action to the message of the error that answers it."""
        self.lists: dict[str, list[bytes]] = {}
        """Items of a list action, each a whole message in which %ID% stands for the ActionID."""
        self.replies: dict[str, bytes] = {}
        """Action to what answers it, instead of the ordinary answer."""
        self.close_after: int | None = None
        """Bytes after which the next connections are closed."""
        self.connections: list[Connection] = []
        self.open: set[Connection] = set()
        self.actions = Seen()
        """All that was asked on any connection, in order."""
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for connection in list(self.open):
            connection.transport.abort()
        await asyncio.sleep(0)
        await self._server.wait_closed()

    def _accept(self) -> Connection:
        connection = Connection(self)
        self.open.add(connection)
        return connection

    def send(self, data: bytes) -> None:
        """To all who are connected."""
        for connection in list(self.open):
            connection.send(data)

    def cut(self) -> None:
        for connection in list(self.open):
            connection.transport.abort()

    def asked(self, action: str) -> list[Fields]:
        return [fields for fields in self.actions if fields["Action"] == action]

    def answer(self, connection: Connection, fields: Fields) -> None:
        name, action_id = fields["Action"], fields["ActionID"]

        def respond(response: str, *headers: tuple[str, str]) -> None:
            connection.send(message(("Response", response), ("ActionID", action_id), *headers))

        if name in self.swallow:
            return
        if name in self.replies:
            connection.send(self.replies[name].replace(b"%ID%", action_id.encode()))
        elif name in self.refuse:
            respond("Error", ("Message", self.refuse[name]))
        elif name == "Challenge":
            respond("Success", ("Challenge", CHALLENGE))
        elif name == "Login":
            right = hashlib.md5((CHALLENGE + self.secret).encode()).hexdigest()
            if fields["Key"] != right:
                respond("Error", ("Message", "Authentication failed"))
                connection.transport.close()
                return
            respond("Success", ("Message", "Authentication accepted"))
            if self.booted:
                connection.send(BOOTED)
        elif name == "Ping":
            respond("Success", ("Ping", "Pong"))
        elif name == "CoreStatus":
            respond("Success", ("CoreStartupDate", "2026-11-22"), ("CoreStartupTime", self.boot))
        elif name == "CoreSettings":
            respond("Success", ("AsteriskVersion", "22.10.1"))
        elif name in ("CoreShowChannels", "Status", "QueueStatus", "DeviceStateList"):
            respond("Success", ("EventList", "start"), ("Message", "It will follow"))
            for item in self.lists.get(name, ()):
                connection.send(item.replace(b"%ID%", action_id.encode()))
            connection.send(
                message(
                    ("Event", f"{name}Complete"), ("ActionID", action_id), ("EventList", "Complete")
                )
            )
        elif name == "Hangup":
            respond("Success", ("Message", "Channel Hungup"))
        else:
            respond("Error", ("Message", f"Invalid/unknown command: {name}."))
