"""The audit log as a signed file (``audit.sheet``), streamed."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from aiohttp import web

from monitord.api.audit import filters_of, veil_of, wanted_of
from monitord.api.export import STALLED_S, UNDER_WAY, place
from monitord.api.filters import LATEST
from monitord.api.keys import AUDIT, AUDIT_READER, WHO, who_now
from monitord.api.problems import Refused
from monitord.audit.entry import Actor, Entry
from monitord.audit.filters import of_filters
from monitord.audit.log import AuditError
from monitord.audit.reading import Veil, Wanted
from monitord.audit.sheet import Writer
from monitord.people.signin import Who
from monitord.store.history import UnreadableError

BATCH = 500
TYPE = "application/x-ndjson"


async def export(request: web.Request) -> web.StreamResponse:
    who, wanted = request[WHO], wanted_of(request)
    with place(request.app, who):
        return await _export(request, who, wanted)


async def _export(request: web.Request, who: Who, wanted: Wanted) -> web.StreamResponse:
    reader, audit, filters = request.app[AUDIT_READER], request.app[AUDIT], filters_of(request)
    asked = time.time_ns() // 1_000_000
    top, _ = await reader.last()
    # What is written of it from here on is not part of it, so it comes to an end.
    wanted = msgspec.structs.replace(wanted, before=min(top + 1, LATEST))
    expected = await reader.count(wanted)
    plain, personal = of_filters(filters)
    begun = Entry(
        action="export",
        actor=Actor(who.id, who.name),
        target="audit",
        plain={"filters": plain, "format": "jsonl", "rows": expected},
        personal=personal,
    )
    try:
        n = await audit.write(begun)
    except AuditError:
        raise Refused(
            503, "nothing can be exported while the audit log cannot be written"
        ) from None
    name = f"monitord-audit-{datetime.fromtimestamp(asked / 1000, UTC):%Y%m%dT%H%M%SZ}.jsonl"
    response = web.StreamResponse(
        headers={
            "Content-Type": TYPE,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Monitord-Rows": str(expected),
        }
    )
    writer, why = Writer(audit.keys), "the daemon was stopped"
    request.app[UNDER_WAY].add(n)
    try:
        await response.prepare(request)
        why = await _send(request, response, writer, asked, filters, wanted, veil_of(who))
    except (UnreadableError, OSError) as error:
        why = "the receiver left" if isinstance(error, ConnectionError) else str(error)
        if isinstance(error, TimeoutError):
            why = f"the receiver took nothing for {STALLED_S:g} s"
    finally:
        if why and request.transport is not None:
            # A part also lacks its signed last line.
            request.transport.abort()
        await _write_outcome(request, who, n, writer.rows, why)
        request.app[UNDER_WAY].discard(n)
    return response


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    writer: Writer,
    asked: int,
    filters: dict[str, str],
    wanted: Wanted,
    veil: Veil | None,
) -> str:
    """Why it broke off; empty where it did not."""
    reader = request.app[AUDIT_READER]

    async def send(data: bytes) -> None:
        async with asyncio.timeout(STALLED_S):
            await response.write(data)

    await send(writer.begin(asked, filters))
    async for batch in reader.batches(wanted, BATCH):
        # An export may last longer than a session, and than a right.
        now = who_now(request)
        if now is None or not now.rights.may("audit.see"):
            return "the session ended, or the audit log may not be read any more"
        if (veil is None) != (veil_of(now) is None):
            return "the session ended, or what may be exported has changed"
        found = await reader.opened([row for _, row in batch], veil)
        pairs = zip(batch, found, strict=True)
        await send(b"".join(writer.row(before, one) for (before, _), one in pairs))
    await send(writer.end())
    async with asyncio.timeout(STALLED_S):
        await response.write_eof()
    return ""


async def _write_outcome(request: web.Request, who: Who, n: int, rows: int, why: str) -> None:
    plain: dict[str, Any] = {"outcome": "broken off" if why else "complete", "why": why}
    try:
        await request.app[AUDIT].write(
            Entry(
                action="export outcome",
                actor=Actor(who.id, who.name),
                target="audit",
                plain=plain | {"rows": rows},
                about=n,
            )
        )
    except AuditError as error:
        structlog.get_logger("audit").error("outcome_not_written", row=n, why=str(error))
