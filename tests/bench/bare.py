"""A process that writes the same bytes to many sockets and does nothing else."""

from __future__ import annotations

import asyncio
import resource
import socket
import time

from tests.bench.worker import serve


async def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    sockets: list[socket.socket] = []

    async def port() -> int:
        return int(listening.getsockname()[1])

    async def accept(count: int) -> None:
        while len(sockets) < count:
            sockets.append(listening.accept()[0])
            sockets[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sockets[-1].setblocking(False)

    async def send(size: int, times: int, gap: float) -> float:
        """Seconds of CPU for a frame of so many bytes to everybody, so often."""
        data = b"\x81\x7e" + (size - 4).to_bytes(2) + bytes(size - 4)
        spent = 0.0
        for _ in range(times):
            began = time.process_time()
            for sock in sockets:
                sock.send(data)
            spent += time.process_time() - began
            await asyncio.sleep(gap)
        return spent

    await serve({"port": port, "accept": accept, "send": send})


if __name__ == "__main__":
    asyncio.run(main())
