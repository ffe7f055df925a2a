"""`monitord run` as a process of its own, which can be killed as a machine fails."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.kit.client import Client, Stream

_STARTED = re.compile(r"serves the page at (http://\S+)")
DEADLINE = 30.0


@asynccontextmanager
async def killed_at_the_end(config: Path) -> AsyncIterator[Stream]:
    """The daemon and its stream, live; at the end of the block it gets SIGKILL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord", "run", "--config", str(config)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    drain: asyncio.Task[bytes] | None = None
    try:
        said = ""
        async with asyncio.timeout(DEADLINE):
            while (match := _STARTED.search(said)) is None:
                line = (await process.stderr.readline()).decode()
                assert line, said
                said += line
        drain = asyncio.create_task(process.stderr.read())
        async with Client(match[1]) as ina:
            assert await ina.sign_in("ina") == 200
            async with ina.stream() as stream:
                await stream.until(lambda s: any(p["link"] == "live" for p in s.of("pbx")), "live")
                yield stream
                process.kill()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if drain is not None:
            await drain
