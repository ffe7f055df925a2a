"""A process that does nothing but pass on what it sees: the bare loopback that the daemon's latency
is held against.

It takes the feeder's bytes, and for each probe in them writes a frame of 300 bytes to two of its
clients, as a team has two who look on.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from tests.bench.worker import serve

_PROBE = re.compile(rb"probe-(\d+)\.")
LENGTH = 300
EACH = 2


class Out(asyncio.Protocol):
    clients: list[asyncio.Transport]

    def __init__(self, clients: list[asyncio.Transport]) -> None:
        self.clients = clients

    def connection_made(self, transport: Any) -> None:
        self.clients.append(transport)


class In(asyncio.Protocol):
    def __init__(self, clients: list[asyncio.Transport]) -> None:
        self.clients, self.rest = clients, b""

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        self.rest = data[-16:] if not data.endswith(b"\r\n\r\n") else b""
        for found in _PROBE.finditer(data[: len(data) - len(self.rest)]):
            frame = b"\x81\x7e" + LENGTH.to_bytes(2) + found[0].ljust(LENGTH)
            first = EACH * int(found[1])
            for n in range(first, first + EACH):
                self.clients[n % len(self.clients)].write(frame)


async def main() -> None:
    loop, clients = asyncio.get_running_loop(), list[asyncio.Transport]()
    server = await loop.create_server(lambda: Out(clients), "127.0.0.1", 0)

    async def port() -> int:
        return int(server.sockets[0].getsockname()[1])

    async def attach(port: int) -> None:
        await loop.create_connection(lambda: In(clients), "127.0.0.1", port)

    await serve({"port": port, "attach": attach})


if __name__ == "__main__":
    asyncio.run(main())
