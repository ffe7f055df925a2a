"""Makes data/calls-22.json.gz: what real Asterisk 22 says of queue calls, to a user without filter.

    python -m tests.bench.record

Each call is recorded alone on a quiet server, by a connection that asks nothing, and kept with the
time at which each message came; :mod:`tests.bench.traffic` makes many calls of these few.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from tests.lab.install import install
from tests.lab.scene import MONITOR, Scene
from tests.lab.server import AsteriskServer

FILE = Path(__file__).parent / "data" / "calls-22.json.gz"
TALK_S = 1.0
NOT_OF_A_CALL = ("TestEvent", "SuccessfulAuth", "ChallengeSent", "FullyBooted")
"""What our own hands on the server cause, and what only a build for tests says."""


class Recorded(msgspec.Struct):
    """One call, as it was said."""

    kind: str
    customer: str
    """The number that rang in."""
    messages: list[tuple[int, str]]
    """ms since the first one, and its headers."""


class Listener:
    """A connection of its own, which notes when each message came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.heard: list[tuple[float, str]] = []
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            block = await self._reader.readuntil(b"\r\n\r\n")
            self.heard.append((time.monotonic(), block.decode()[:-4]))


async def plain(scene: Scene, number: str) -> None:
    call = await scene.customer_calls_in(number, queue="sales", campaign="Spring offer")
    await asyncio.sleep(TALK_S)
    await scene.phone_hangs_up(call.agent)


async def held(scene: Scene, number: str) -> None:
    call = await scene.customer_calls_in(number, queue="sales", campaign="Renewals")
    await scene.hold(call.agent)
    await asyncio.sleep(TALK_S)
    await scene.hold(call.agent, on=False)
    await scene.phone_hangs_up(call.agent)


async def late(scene: Scene, number: str) -> None:
    """The first agent's phone rings in vain."""
    call = await scene.customer_calls_in(number, queue="late", campaign="Renewals")
    await asyncio.sleep(TALK_S)
    await scene.phone_hangs_up(call.customer)


async def supervised(scene: Scene, number: str) -> None:
    call = await scene.customer_calls_in(number, queue="sales", campaign="Spring offer")
    spyer = await scene.supervisor_dials("2001", MONITOR, call.endpoint.partition("/")[2])
    await asyncio.sleep(TALK_S)
    await scene.phone_hangs_up(spyer)
    await scene.phone_hangs_up(call.agent)


KINDS: dict[str, Callable[[Scene, str], Awaitable[None]]] = {
    "held": held,
    "plain": plain,
    "late": late,
    "supervised": supervised,
}


async def record(server: AsteriskServer) -> list[Recorded]:
    calls = []
    async with await Scene.on(server) as scene:
        for kind, made in KINDS.items():
            await scene.reset()
            reader, writer = await asyncio.open_connection("127.0.0.1", server.ports.ami)
            secret = server.secrets["stagehand"]
            writer.write(
                f"Action: Login\r\nUsername: stagehand\r\nSecret: {secret}\r\n\r\n".encode()
            )
            while b"FullyBooted" not in await reader.readuntil(b"\r\n\r\n"):
                pass
            listener = Listener(reader, writer)
            number = "491701234567"
            await made(scene, number)
            await scene.all_quiet()
            await asyncio.sleep(1)  # for what follows the end; nothing announces that it was all
            listener.task.cancel()
            writer.close()
            heard = [(at, text) for at, text in listener.heard if _of_a_call(text)]
            first = heard[0][0]
            messages = [(round((at - first) * 1000), text) for at, text in heard]
            calls.append(Recorded(kind, number, messages))
            print(f"{kind}: {len(messages)} events, {sum(len(t) + 4 for _, t in messages)} bytes")
    return calls


def _of_a_call(text: str) -> bool:
    name = text.partition("\r\n")[0]
    return name.startswith("Event: ") and name.removeprefix("Event: ") not in NOT_OF_A_CALL


def main() -> None:
    with AsteriskServer(install(22)) as server:
        calls = asyncio.run(record(server))
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(gzip.compress(msgspec.json.encode(calls), mtime=0))
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
