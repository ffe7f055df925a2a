"""Proofs of the audit log in the daemon: one at a time, and what the last one said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.audit.chain import Head
from monitord.audit.entry import Actor, Entry
from monitord.audit.heads import HeadsError, read_heads
from monitord.audit.log import AuditError, AuditLog
from monitord.audit.reader import Reader
from monitord.audit.reading import Opened
from monitord.audit.verify import Report, verify
from monitord.store.engine import reason_of

ACT, OUTCOME = "prove log", "prove log outcome"


class RunningError(Exception):
    """There is one under way."""


class _CancelledError(Exception):
    """Somebody does not want it any more, or the daemon stops."""


class Proving(Struct):
    """A proof under way."""

    n: int
    """Of the row that says that it began."""
    by: Actor
    begun: int
    what: str = "rows"
    """What is looked at now."""
    done: int = 0
    of: int = 0
    cancelled: str = ""
    """Why, where it is to end."""


class Last(Struct, frozen=True):
    """How the last one ended that did."""

    act: Opened
    outcome: Opened


class Prover:
    def __init__(self, engine: AsyncEngine, audit: AuditLog, heads: Sequence[Path]) -> None:
        """``heads``: the files of signed heads that this daemon writes."""
        self._engine, self._audit, self._heads = engine, audit, heads
        self._reader = Reader(engine, audit.keys)
        self._task: asyncio.Task[None] | None = None
        self._starting = False
        self.now: Proving | None = None

    async def start(self, by: Actor) -> None:
        """
        Raises:
            RunningError: see there.
            AuditError: it could not be written that somebody asks for it.
        """
        if self.now is not None or self._starting:
            raise RunningError
        self._starting = True
        try:
            n = await self._audit.write(Entry(action=ACT, actor=by))
        finally:
            self._starting = False
        now = self.now = Proving(n, by, time.time_ns() // 1_000_000)
        self._task = asyncio.create_task(self._run(now), name="proof of the audit log")

    def cancel(self, why: str = "somebody cancelled it") -> None:
        """It ends with the batch that is being read, so that no transaction is left open."""
        if self.now is not None:
            self.now.cancelled = why

    async def finish(self) -> None:
        """At the daemon's stop."""
        self.cancel("the daemon was stopped")
        if self._task is not None:
            await asyncio.wait([self._task])

    async def last(self) -> Last | None:
        """
        Raises:
            UnreadableError: the database does not answer.
        """
        row = await self._reader.latest(OUTCOME)
        if row is None or row.about is None:
            return None
        act = await self._reader.one(row.about, None)
        if act is None:
            return None
        (outcome,) = await self._reader.opened([row], None)
        return Last(act.shown.one, outcome)

    async def _run(self, now: Proving) -> None:
        plain: dict[str, Any] = {"outcome": "failed", "why": "the daemon was stopped"}
        try:
            plain = _told(await self._prove(now))
        except _CancelledError:
            plain = {"outcome": "cancelled", "why": now.cancelled}
        except (SQLAlchemyError, OSError, HeadsError) as error:
            plain = {"outcome": "failed", "why": reason_of(error)}
        except Exception:
            structlog.get_logger("audit").exception("proof_failed")
            plain = {"outcome": "failed", "why": "a fault of monitord, which was logged"}
        finally:
            try:
                await self._audit.write(
                    Entry(action=OUTCOME, actor=now.by, plain=plain, about=now.n)
                )
            except AuditError as error:
                log = structlog.get_logger("audit")
                log.error("outcome_not_written", row=now.n, why=str(error))
            self.now = None

    async def _prove(self, now: Proving) -> Report:
        def progress(what: str, done: int, of: int) -> None:
            now.what, now.done, now.of = what, done, of
            if now.cancelled:
                raise _CancelledError

        heads = await asyncio.to_thread(self._read_heads)
        return await verify(self._engine, self._audit.keys, heads, progress=progress)

    def _read_heads(self) -> list[Head]:
        # One that is not there would be no proof that nothing was cut off.
        return [head for path in self._heads for head in read_heads(path)]


def _told(report: Report) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "outcome": "whole" if report.fault is None else "broken",
        "why": "" if report.fault is None else report.fault.what,
        "rows": report.rows,
        "head": report.head,
        "heads": report.heads,
        "ledger": report.ledger,
    }
    if report.fault is not None:
        plain["broken_at"] = report.fault.n
    return plain
