"""Signed heads of the chain, kept outside the database: whoever cuts rows off its end cannot take
back what was said of them elsewhere."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.audit.chain import Head, signed_part
from monitord.audit.keys import Keys, is_signed
from monitord.store import tables
from monitord.store.engine import reason_of

HEADS_FILE = "heads.jsonl"
"""Beside the keys; a line for each head."""

LINE_MOST = 1000

Sink = Callable[[Head, bytes], Awaitable[None]]
"""Takes a head, and its line without the end. Raises ``OSError`` where it could not."""


class HeadsError(Exception):
    """A file of heads cannot be used. The text says which line."""


def sign(keys: Keys, n: int, digest: str) -> Head:
    head = Head(n, digest, time.time_ns() // 1_000_000, keys.id)
    return msgspec.structs.replace(head, signature=keys.sign(signed_part(head)))


def signed_by(public: str, head: Head) -> bool:
    return is_signed(public, signed_part(head), head.signature)


def read_heads(path: Path) -> Iterator[Head]:
    """
    Raises:
        HeadsError: with the line.
    """
    try:
        with path.open("rb") as file:
            n = 0
            while line := file.readline(LINE_MOST + 1):
                n += 1
                if not line.endswith(b"\n"):
                    if len(line) > LINE_MOST:
                        raise HeadsError(f"{path}: line {n} is longer than {LINE_MOST} bytes")
                    return  # the last one was being written
                yield msgspec.json.decode(line, type=Head)
    except msgspec.MsgspecError:
        raise HeadsError(f"{path}: line {n} is not a head of the audit log") from None
    except OSError as error:
        raise HeadsError(f"{path}: {error.strerror}") from None


def last_head(path: Path) -> Head | None:
    """What was said last; None where nothing was, or where that cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(-min(2 * LINE_MOST, path.stat().st_size), os.SEEK_END)
            whole = file.read().rpartition(b"\n")[0]
        return msgspec.json.decode(whole.rpartition(b"\n")[2], type=Head)
    except (OSError, msgspec.MsgspecError):
        return None


def to_file(path: Path) -> Sink:
    """Appends a line, and has it on disk before it returns."""

    def append(line: bytes) -> None:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(file).st_size
            tail = os.pread(file, LINE_MOST, max(0, size - LINE_MOST))
            if tail and not tail.endswith(b"\n"):
                # What a crash or a full disk left half written was never said to be kept.
                os.ftruncate(file, size - len(tail) + tail.rfind(b"\n") + 1)
            if os.write(file, line + b"\n") != len(line) + 1:
                raise OSError("it was not written whole")
            os.fsync(file)
        finally:
            os.close(file)

    async def write(head: Head, line: bytes) -> None:
        await asyncio.to_thread(append, line)

    return write


class Heads:
    """Signs the head from time to time where it is a new one, and gives it to each sink."""

    def __init__(
        self, engine: AsyncEngine, keys: Keys, sinks: Sequence[tuple[str, Sink]], every_s: float
    ) -> None:
        """``sinks``: each with its name for the log."""
        self._engine = engine
        self._keys = keys
        self._left = dict(sinks)
        self._given: dict[str, int] = {}
        self._every_s = every_s
        self._log = structlog.get_logger("audit")
        self.last: Head | None = None

    async def run(self) -> None:
        """Until cancelled; a stop gives the last one itself."""
        while True:
            await self.give()
            await asyncio.sleep(self._every_s)

    async def give(self) -> None:
        """Sign the head as it is, and give it to the sinks that do not have it."""
        c = tables.audit.c
        try:
            async with self._engine.connect() as connection:
                latest = select(c.n, c.hash).order_by(c.n.desc()).limit(1)
                found = (await connection.execute(latest)).one_or_none()
        except (SQLAlchemyError, OSError) as error:
            self._log.warning("head_not_read", why=reason_of(error))
            return
        if found is None:
            return
        if self.last is None or self.last.n != found.n:
            self.last = sign(self._keys, found.n, found.hash)
        line = msgspec.json.encode(self.last)
        for name, sink in self._left.items():
            if self._given.get(name) == found.n:
                continue
            try:
                await sink(self.last, line)
                self._given[name] = found.n
            except OSError as error:
                self._log.warning(
                    "head_not_given", sink=name, why=str(error) or "no answer in time"
                )
