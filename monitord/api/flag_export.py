"""Flags as a file, streamed as the exports of the ledgers are."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, tzinfo

import msgspec
from aiohttp import web
from msgspec import Struct

from monitord.api import wire
from monitord.api.export import BATCH, BrokenOffError, File, give, place
from monitord.api.flags import FILTERS, shown, wanted_of
from monitord.api.keys import FLAGS, WHO, who_now
from monitord.api.problems import Refused, one_of, only
from monitord.api.sheets import Sheet
from monitord.api.zone import zone_of
from monitord.domain.words import FlagState, Polarity
from monitord.flags.store import Place, Wanted
from monitord.people.roster import Reach
from monitord.people.signin import Who

SEPARATOR = "|"
"""Between the themes of one cell."""


class Line(Struct, frozen=True, kw_only=True):
    """A flag in one row of a CSV file."""

    id: str
    pbx: str
    call: str
    call_id: str
    agent_id: str
    agent_name: str
    by_id: str
    by_name: str
    polarity: Polarity
    comment: str
    wanted: str
    themes: str
    moment: int | None
    offset_ms: int | None
    state: FlagState
    made: int
    changed: int | None
    settled: int | None
    settled_by_name: str | None
    settled_why: str | None
    visible: bool
    shared: int | None
    answers: str
    """One a line, each with its kind."""


COLUMNS = Line.__struct_fields__


async def export(request: web.Request) -> web.StreamResponse:
    who = request[WHO]
    only(request, *FILTERS, "format", "zone")
    kind = one_of(request, "format", ("csv", "json"))
    if kind is None:
        raise Refused(400, "must be given: csv or json", "format")
    as_json, zone = kind == "json", zone_of(request)
    if not as_json and request.version < (1, 1):
        raise Refused(400, "CSV needs HTTP/1.1, or a part could not be told from the whole")
    asked = time.time_ns() // 1_000_000
    reach = _reach(who)
    wanted = await wanted_of(request, reach)
    # What is flagged from here on is not part of it, so it comes to an end.
    end = asked + 1 if wanted.end is None else min(wanted.end, asked + 1)
    wanted = msgspec.structs.replace(wanted, end=end)
    with place(request.app, who):
        at = datetime.fromtimestamp(asked / 1000, UTC)
        file = File(
            target="flags",
            name=f"monitord-flags-{at:%Y%m%dT%H%M%SZ}.{kind}",
            as_json=as_json,
            filters={k: v for k, v in request.query.items() if k in FILTERS},
            expected=await request.app[FLAGS].store.count(wanted),
        )
        batches = _batches(request, wanted, reach)
        pieces = _json(batches, file, asked) if as_json else _csv(batches, zone)
        return await give(request, who, file, pieces)


def _reach(who: Who) -> Reach:
    return who.rights.on("flag.see") & who.rights.on("history.export")


async def _batches(
    request: web.Request, wanted: Wanted, reach: Reach
) -> AsyncIterator[list[wire.FlagShown]]:
    after: Place | None = None
    while True:
        # Looked at for every batch: an export may last longer than a session, and than a right.
        now = who_now(request)
        if now is None or _reach(now) != reach:
            raise BrokenOffError("the session ended, or what may be exported has changed")
        rows, after = await request.app[FLAGS].store.page(wanted, BATCH, after)
        yield await shown(request, rows)
        if after is None:
            return


async def _csv(
    batches: AsyncIterator[list[wire.FlagShown]], zone: tzinfo
) -> AsyncIterator[tuple[int, bytes]]:
    sheet = Sheet(COLUMNS, zone)
    yield 0, sheet.head()
    async for flags in batches:
        yield len(flags), sheet.rows(map(_line, flags))


async def _json(
    batches: AsyncIterator[list[wire.FlagShown]], file: File, asked: int
) -> AsyncIterator[tuple[int, bytes]]:
    """One object; a row a line, so that a receiver can count them as they come."""
    head = {"asked": asked, "filters": file.filters, "expected": file.expected}
    yield 0, wire.encode(head)[:-1] + b',"entries":['
    total = 0
    async for flags in batches:
        start = b",\n" if total and flags else b"\n"
        total += len(flags)
        yield len(flags), start + b",\n".join(wire.encode(flag) for flag in flags)
    yield 0, b'\n],"complete":true,"rows":%d}' % total


def _line(flag: wire.FlagShown) -> Line:
    return Line(
        id=flag.id,
        pbx=flag.pbx,
        call=flag.call,
        call_id=flag.call_id,
        agent_id=flag.agent.id,
        agent_name=flag.agent.name,
        by_id=flag.by.id,
        by_name=flag.by.name,
        polarity=flag.polarity,
        comment=flag.comment,
        wanted=flag.wanted,
        themes=SEPARATOR.join(flag.themes),
        moment=flag.moment,
        offset_ms=flag.offset_ms,
        state=flag.state,
        made=flag.made,
        changed=flag.changed,
        settled=flag.settled,
        settled_by_name=flag.settled_by,
        settled_why=flag.settled_why,
        visible=flag.visible,
        shared=flag.shared,
        answers="\n".join(f"{one.kind}: {one.text}".strip(": ") for one in flag.answers),
    )
