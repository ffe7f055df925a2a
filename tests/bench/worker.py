"""Processes of a bench that are told what to do by lines of JSON, and answer each with one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

Handler = Callable[..., Awaitable[Any]]
LINE_MOST = 64 << 20
DEADLINE = 120.0


class Worker:
    """``async with Worker("tests.bench.feeder") as feeder: await feeder.ask("flood", …)``"""

    def __init__(self, module: str) -> None:
        self._module = module
        self.process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_MOST,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def ask(self, what: str, **how: Any) -> Any:
        """What its function of that name gives.

        Raises:
            RuntimeError: it failed, with its words.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([what, how]).encode() + b"\n")
        async with asyncio.timeout(DEADLINE):
            line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended at {what}")
        done, value = json.loads(line)
        if not done:
            raise RuntimeError(f"{self._module}, {what}: {value}")
        return value


async def serve(handlers: Mapping[str, Handler]) -> None:
    """Until the other side ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_MOST)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        what, how = json.loads(line)
        try:
            answer = [True, await handlers[what](**how)]
        except Exception as error:
            answer = [False, repr(error)]
        print(json.dumps(answer), flush=True)
