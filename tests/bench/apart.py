"""A part of a measure in a process of its own, whose memory, CPU and garbage are nobody else's."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import logging
import os
import resource
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

import structlog

ROOT = Path(__file__).parents[2]
LINE_MOST = 1 << 24


class Apart:
    """The other process: lines of JSON go to and fro."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def said(self) -> Any:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the other process ended; what it said is above")
        return json.loads(line)

    async def tell(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def apart(module: str, *arguments: object) -> AsyncIterator[Apart]:
    """Run ``python -m module arguments``, until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *map(str, arguments)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_MOST,
    )
    try:
        yield Apart(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


_ways_out: list[TextIO] = []


def say(what: Any) -> None:
    """From the process apart."""
    print(json.dumps(what), file=_ways_out[0], flush=True)


async def told() -> Any:
    """By whoever started it."""
    return json.loads(await asyncio.to_thread(sys.stdin.readline))


def quietly(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it in the process apart, with standard output for :func:`say` alone."""
    _ways_out.append(os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(main())


def resident_mb() -> float:
    """Of this process, without what its allocator only keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
