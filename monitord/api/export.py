"""Exports of the ledgers: a stream of batches, so that neither memory nor the ledger's writer feels
how long the history is.

Whoever receives one can tell a whole file from a part: JSON ends in ``"complete": true`` and the
number of rows; CSV has no place for that, so a broken-off one ends without HTTP's last chunk, which
every client reports as an error. ``Monitord-Rows`` says beforehand how many rows there are.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

import structlog
from aiohttp import HttpVersion11, web

from monitord.api import wire
from monitord.api.filters import filters_of, query_of
from monitord.api.history import LEDGERS
from monitord.api.keys import AUDIT, HISTORY, TELLER, WHO, who_now
from monitord.api.problems import Refused, one_of
from monitord.api.rows import call_row, gap_row, reason_of, status_row, supervision_detail
from monitord.api.sheets import COLUMNS, REASONS, SEGMENT_COLUMNS, Sheet
from monitord.api.zone import zone_of
from monitord.audit.entry import Actor, Entry
from monitord.audit.filters import of_filters
from monitord.audit.log import AuditError
from monitord.domain.ledger import CallRecord, SupervisionRecord
from monitord.people.sight import Sight, sight_of
from monitord.people.signin import Who
from monitord.store.filters import Query
from monitord.store.history import UnreadableError

BATCH = 500
"""Rows that are in memory at a time."""

PER_PERSON, ALL = 2, 8
"""Exports under way at a time."""

STALLED_S = 60.0
"""How long a receiver may take nothing before its place goes to somebody else."""

EXPORTS = web.AppKey("exports", Counter[str])
"""How many each person has under way."""

UNDER_WAY = web.AppKey("under_way", set[int])
"""Rows of the audit log of exports that are being sent."""

_JSON_ROW: dict[str, Callable[[Any], Any]] = {
    "calls": call_row,
    "agent-status": status_row,
    "gaps": gap_row,
}


class BrokenOffError(Exception):
    """The reason, for the audit log."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What somebody asked for."""

    ledger: str
    sight: Sight
    query: Query
    """With the moment of asking as its end, so that it does not run after what is still coming."""
    asked: int
    as_json: bool
    segments: bool
    zone: tzinfo
    filters: dict[str, str]
    """As they were given, for the audit log and the file."""

    @property
    def file_name(self) -> str:
        at = datetime.fromtimestamp(self.asked / 1000, UTC)
        what = "segments" if self.segments else self.ledger
        return f"monitord-{what}-{at:%Y%m%dT%H%M%SZ}.{'json' if self.as_json else 'csv'}"


def export_of(ledger: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler that exports one ledger."""

    async def handler(request: web.Request) -> web.StreamResponse:
        who = request[WHO]
        order = _order(request, ledger, sight_of(who.rights, "history.export"))
        with place(request.app, who):
            return await _export(request, who, order)

    return handler


def _order(request: web.Request, ledger: str, sight: Sight) -> _Order:
    others = ("rows",) if ledger == "supervisions" else ()
    query = query_of(request, ledger, sight, "format", "zone", *others)
    kind = one_of(request, "format", ("csv", "json"))
    if kind is None:
        raise Refused(400, "must be given: csv or json", "format")
    segments = one_of(request, "rows", ("supervisions", "segments")) == "segments"
    if kind == "json" and segments:
        raise Refused(400, "JSON has the segments inside the supervisions", "rows")
    if kind == "csv" and request.version < HttpVersion11:
        raise Refused(400, "CSV needs HTTP/1.1, or a part could not be told from the whole")
    asked = time.time_ns() // 1_000_000
    return _Order(
        ledger=ledger,
        sight=sight,
        query=replace(query.until(asked + 1), limit=BATCH),
        asked=asked,
        as_json=kind == "json",
        segments=segments,
        zone=zone_of(request),
        filters=filters_of(request, ledger),
    )


@contextmanager
def place(app: web.Application, who: Who) -> Iterator[None]:
    """One of the few exports that may be under way at a time.

    Raises:
        Refused: there are too many.
    """
    under_way = app[EXPORTS]
    if under_way[who.id] >= PER_PERSON:
        raise Refused(429, f"you have {PER_PERSON} exports under way already")
    if under_way.total() >= ALL:
        raise Refused(429, f"{ALL} exports are under way already; try again later")
    under_way[who.id] += 1
    try:
        yield
    finally:
        under_way[who.id] -= 1


@dataclass(frozen=True, slots=True)
class File:
    """What is sent, whatever its rows are."""

    target: str
    """In the audit log."""
    name: str
    as_json: bool
    filters: dict[str, str]
    """As they were given."""
    expected: int
    """Rows."""


async def _export(request: web.Request, who: Who, order: _Order) -> web.StreamResponse:
    history = request.app[HISTORY]
    if order.segments:
        expected = await history.count_segments(order.query)
    else:
        expected = await history.count(LEDGERS[order.ledger], order.query)
    target = "segments" if order.segments else order.ledger
    file = File(target, order.file_name, order.as_json, order.filters, expected)
    return await give(request, who, file, _chunks(request, order, expected))


async def give(
    request: web.Request, who: Who, file: File, pieces: AsyncIterator[tuple[int, bytes]]
) -> web.StreamResponse:
    """Write it down and send it. ``pieces``: how many rows are in each, and its bytes; may raise
    ``BrokenOffError`` or ``UnreadableError``, which the receiver is told as a broken connection."""
    try:
        plain, personal = of_filters(file.filters)
        form = "json" if file.as_json else "csv"
        number = await request.app[AUDIT].write(
            Entry(
                action="export",
                actor=Actor(who.id, who.name),
                target=file.target,
                plain={"filters": plain, "format": form, "rows": file.expected},
                personal=personal,
            )
        )
    except AuditError:
        raise Refused(
            503, "nothing can be exported while the audit log cannot be written"
        ) from None
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/json" if file.as_json else "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Monitord-Rows": str(file.expected),
        }
    )
    written, why = 0, "the daemon was stopped"
    request.app[UNDER_WAY].add(number)
    try:
        await response.prepare(request)
        async for rows, chunk in pieces:
            await _send(response, chunk)
            written += rows
        async with asyncio.timeout(STALLED_S):
            await response.write_eof()
        why = ""
    except (BrokenOffError, UnreadableError) as error:
        why = str(error)
    except ConnectionError:
        why = "the receiver left"
    except TimeoutError:
        why = f"the receiver took nothing for {STALLED_S:g} s"
    finally:
        if why and request.transport is not None:
            # Before aiohttp ends it properly: a part must not look like the whole.
            request.transport.abort()
        await _write_outcome(request, who, file, number, written, why)
        request.app[UNDER_WAY].discard(number)
    return response


async def _chunks(
    request: web.Request, order: _Order, expected: int
) -> AsyncIterator[tuple[int, bytes]]:
    """How many rows are in it, and the bytes."""
    make = _json if order.as_json else _csv
    async for piece in make(request, order, expected):
        # Looked at for every batch: an export may last longer than a session, and than a right.
        now = who_now(request)
        if now is None or sight_of(now.rights, "history.export") != order.sight:
            raise BrokenOffError("the session ended, or what may be exported has changed")
        yield piece


async def _csv(
    request: web.Request, order: _Order, _expected: int
) -> AsyncIterator[tuple[int, bytes]]:
    history, ledger = request.app[HISTORY], LEDGERS[order.ledger]
    own = not order.segments and order.ledger == "supervisions"
    sheet = Sheet(SEGMENT_COLUMNS if order.segments else COLUMNS[ledger.record], order.zone)
    yield 0, sheet.head(REASONS if own else ())
    async for records in history.batches(ledger, order.query):
        if order.segments:
            found = await history.segments(r.id for r in records)
            rows = sum(map(len, found.values()))
            yield (
                rows,
                sheet.segments(
                    (order.sight.supervision(r), [order.sight.segment(r, s) for s in found[r.id]])
                    for r in records
                ),
            )
        elif own:
            reasons = await request.app[TELLER].reasons.of(r.id for r in records)
            texts = [
                [reason_of(reasons.get(r.id, []), act) for act in ("supervision", "disconnect")]
                for r in records
            ]
            yield len(records), sheet.rows([_shown(order.sight, r) for r in records], texts)
        else:
            yield len(records), sheet.rows(_shown(order.sight, r) for r in records)


def _shown(sight: Sight, record: Any) -> Any:
    match record:
        case SupervisionRecord():
            return sight.supervision(record)
        case CallRecord():
            return sight.call(record)
    return record


async def _json(
    request: web.Request, order: _Order, expected: int
) -> AsyncIterator[tuple[int, bytes]]:
    """One object; a row a line, so that a receiver can count them as they come."""
    history = request.app[HISTORY]
    head = wire.encode(
        {
            "ledger": order.ledger,
            "asked": order.asked,
            "filters": order.filters,
            "expected": expected,
        }
    )
    yield 0, head[:-1] + b',"entries":['
    total, first = 0, True
    async for records in history.batches(LEDGERS[order.ledger], order.query):
        if order.ledger == "supervisions":
            found = await history.segments(r.id for r in records)
            reasons = await request.app[TELLER].reasons.of(found)
            entries: list[Any] = [
                supervision_detail(order.sight, r, found[r.id], reasons.get(r.id, []))
                for r in records
            ]
        else:
            entries = [_JSON_ROW[order.ledger](_shown(order.sight, r)) for r in records]
        total += len(records)
        start, first = (b"\n" if first else b",\n"), False
        yield len(records), start + b",\n".join(wire.encode(e) for e in entries)
    yield 0, b'\n],"gaps":['
    first = order.ledger != "gaps"
    if first:
        within = Query(
            limit=BATCH, begin=order.query.begin, end=order.query.end, pbx=order.query.pbx
        )
        async for gaps in history.batches(LEDGERS["gaps"], within):
            start, first = (b"" if first else b","), False
            yield 0, start + b",".join(wire.encode(gap_row(g)) for g in gaps)
    yield 0, b'],"complete":true,"rows":%d}' % total


async def _send(response: web.StreamResponse, chunk: bytes) -> None:
    async with asyncio.timeout(STALLED_S):
        await response.write(chunk)


async def _write_outcome(
    request: web.Request, who: Who, file: File, number: int, written: int, why: str
) -> None:
    try:
        await request.app[AUDIT].write(
            Entry(
                action="export outcome",
                actor=Actor(who.id, who.name),
                target=file.target,
                plain={"outcome": "broken off" if why else "complete", "why": why, "rows": written},
                about=number,
            )
        )
    except AuditError as error:
        structlog.get_logger("audit").error("outcome_not_written", row=number, why=str(error))
