"""The daemon as a site runs it, a process of its own, with what feeds it and who watches it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.site import settings
from tests.bench.worker import Worker

_STARTED = re.compile(r"serves the page at (http://\S+)")
_TICKS = os.sysconf("SC_CLK_TCK")
DEADLINE = 60.0


def cpu_s(pid: int) -> float:
    """What a process has spent so far, all its threads, in user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@dataclass
class Daemon:
    url: str
    pid: int
    folder: Path

    @property
    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    async def written(self, calls: int, reason: str, pauses: int) -> float:
        """When the ledger had so many ended calls, and pauses with that reason."""
        (path,) = self.folder.glob("**/monitord.sqlite3")
        end = time.monotonic() + DEADLINE
        asked = (
            "SELECT (SELECT count(*) FROM call WHERE ended IS NOT NULL),"
            " (SELECT count(*) FROM agent_status WHERE reason = ?)"
        )
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            while time.monotonic() < end:
                found = connection.execute(asked, [reason]).fetchone()
                if found == (calls, pauses):
                    return time.monotonic()
                await asyncio.sleep(0.02)
        raise RuntimeError(f"calls and pauses in the ledger: {found}, not {(calls, pauses)}")


@asynccontextmanager
async def daemon(config: Path, watched: Path | None = None) -> AsyncIterator[Daemon]:
    """``watched``: a file that gets what :mod:`tests.bench.watched` saw, at the end."""
    module = ["monitord"] if watched is None else ["tests.bench.watched", str(watched)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *module, "run", "--config", str(config)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=_more_files,
    )
    assert process.stderr is not None
    drain: asyncio.Task[bytes] | None = None
    said = ""
    try:
        async with asyncio.timeout(DEADLINE):
            while (match := _STARTED.search(said)) is None:
                line = (await process.stderr.readline()).decode()
                if not line:
                    raise RuntimeError(said)
                said += line
            # Live before anybody looks on: the resync is no part of what is measured.
            while " live" not in said:
                said += (await process.stderr.readline()).decode()
        drain = asyncio.create_task(process.stderr.read())
        yield Daemon(match[1], process.pid, config.parent)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if drain is not None:
            errors = [x for x in (await drain).decode().splitlines() if " [error" in x]
            if errors:
                print("\n".join(errors[:5]), file=sys.stderr)


def _more_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@dataclass
class Stage:
    daemon: Daemon
    feeder: Worker
    crowd: Worker
    folder: Path

    def watched(self) -> Any:
        """Only after the daemon's end."""
        return json.loads((self.folder / "watched.json").read_text())


@asynccontextmanager
async def stage(data: bytes, *, watch: bool = False) -> AsyncIterator[Stage]:
    """A fresh daemon that is live, with a feeder that holds the data, and nobody yet who looks."""
    with tempfile.TemporaryDirectory(prefix="monitord-bench-") as name:
        folder = Path(name)
        (folder / "events").write_bytes(data)
        async with Worker("tests.bench.feeder") as feeder, Worker("tests.bench.crowd") as crowd:
            config = settings(folder, await feeder.ask("port"))
            await feeder.ask("load", file=str(folder / "events"))
            watched = folder / "watched.json" if watch else None
            async with daemon(config, watched) as started:
                yield Stage(started, feeder, crowd, folder)
