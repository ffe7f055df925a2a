"""Holds, exports of all that is held on somebody, and erasure, over HTTP."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from typing import Any

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from monitord.api import wire
from monitord.api.account import not_written
from monitord.api.keys import AUDIT, PEOPLE, PRIVACY, WHO, who_now
from monitord.api.problems import Refused, answer, body_of, only
from monitord.audit.entry import Actor, Entry, Of, of_person
from monitord.audit.log import AuditError
from monitord.people.audience import mask
from monitord.people.erased import NAME, is_pseudonym
from monitord.people.store import PeopleError
from monitord.privacy.erasing import CannotEraseError
from monitord.privacy.export import pieces
from monitord.privacy.holds import Hold, HoldError
from monitord.privacy.places import Subject
from monitord.privacy.receipts import Receipt
from monitord.store.engine import reason_of
from monitord.store.history import UnreadableError

STALLED_S = 60.0
"""How long a receiver may take nothing."""

ALL = 4
"""Exports under way at a time."""

EXPORTS = web.AppKey("privacy_exports", Counter[str])


async def show(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    privacy = request.app[PRIVACY]
    try:
        last = await privacy.retention.last()
    except (SQLAlchemyError, OSError) as error:
        raise UnreadableError(reason_of(error)) from None
    run = None if last is None else wire.RetentionRun(last.at, last.rows, last.why)
    keep = privacy.retention.keep
    kept = wire.KeptFor(keep.supervisions, keep.calls, keep.agent_status, keep.gaps, keep.flags)
    whole = who.rights.may("number.see")
    holds = [_hold_row(request, hold, whole) for hold in await privacy.holds.listed()]
    receipts = [_receipt_row(r) for r in await privacy.receipts.listed()]
    return answer(wire.Privacy(kept, run, holds, receipts))


def _hold_row(request: web.Request, hold: Hold, whole: bool) -> wire.HoldRow:
    value, name = hold.value, ""
    if hold.kind == "number" and not whole and not is_pseudonym(value):
        value = mask(value) or ""
    if hold.kind == "person":
        name = NAME if is_pseudonym(value) else request.app[PEOPLE].name_of(value)
    return wire.HoldRow(
        id=hold.id,
        kind=hold.kind,
        value=value,
        name=name,
        reason=hold.reason,
        since=hold.since,
        by=hold.by_name,
        lifted=hold.lifted,
        lifted_by=hold.lifted_by_name,
    )


async def add_hold(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    body = await body_of(request, wire.HoldNew)
    if not body.reason.strip():
        raise Refused(400, "must say why", "reason")
    actor = Actor(who.id, who.name)
    holds = request.app[PRIVACY].holds
    try:
        hold = await holds.add(body.kind, body.value.strip(), body.reason.strip(), actor)
    except HoldError as error:
        raise Refused(400, error.rule, error.field) from None
    except PeopleError as error:
        raise not_written("hold_not_written", error) from None
    return answer(_hold_row(request, hold, who.rights.may("number.see")), status=201)


async def lift_hold(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    await body_of(request, wire.HoldLift)
    holds = request.app[PRIVACY].holds
    hold = await holds.find(request.match_info["id"])
    if hold is None:
        raise Refused(404, "there is no such hold", "id")
    try:
        if not await holds.lift(hold, Actor(who.id, who.name)):
            raise Refused(409, "somebody has lifted it already", "id")
    except PeopleError as error:
        raise not_written("hold_not_lifted", error) from None
    found = await holds.find(hold.id) or hold
    return answer(_hold_row(request, found, who.rights.may("number.see")))


# --- exports -----------------------------------------------------------------------------


async def export_person(request: web.Request) -> web.StreamResponse:
    only(request)
    key = request.match_info["id"]
    person = request.app[PEOPLE].roster.people.get(key)
    if person is None:
        raise Refused(404, "there is no such person", "id")
    subject = await _looked(request, key, None)
    about = {"held_on": "person", "id": key, "name": person.name}
    return await _export(request, subject, about, of_person(key, whom=key))


async def export_number(request: web.Request) -> web.StreamResponse:
    only(request)
    body = await body_of(request, wire.NumberAsked)
    subject = await _looked(request, None, _number(body.number))
    assert subject.digits is not None
    about = {"held_on": "number", "number": body.number.strip()}
    of = Of({"whom": subject.digits}, number=subject.digits)
    return await _export(request, subject, about, of)


def _number(text: str) -> str:
    if sum(x.isdigit() and x.isascii() for x in text) < 3:
        raise Refused(400, "must have three digits at least", "number")
    return text.strip()


async def _looked(request: web.Request, person: str | None, number: str | None) -> Subject:
    privacy = request.app[PRIVACY]
    try:
        return await privacy.look(request.app[PEOPLE].roster, person, number)
    except (SQLAlchemyError, OSError) as error:
        raise UnreadableError(reason_of(error)) from None


async def _export(
    request: web.Request, subject: Subject, about: dict[str, Any], of: Of
) -> web.StreamResponse:
    who, under_way = request[WHO], request.app[EXPORTS]
    if under_way.total() >= ALL or under_way[who.id]:
        raise Refused(429, "such an export is under way already; try again later")
    under_way[who.id] += 1
    try:
        entry = Entry(
            action="export person" if subject.person is not None else "export number",
            actor=Actor(who.id, who.name),
            target=secrets.token_hex(10),
            personal=(of,),
        )
        try:
            await request.app[AUDIT].write(entry)
        except AuditError:
            raise Refused(
                503, "nothing can be exported while the audit log cannot be written"
            ) from None
        return await _stream(request, subject, about, f"monitord-held-{entry.target}.json")
    finally:
        under_way[who.id] -= 1


async def _stream(
    request: web.Request, subject: Subject, about: dict[str, Any], name: str
) -> web.StreamResponse:
    whole = request[WHO].rights.may("number.see")
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/json",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
    )
    why = "the daemon was stopped"
    privacy = request.app[PRIVACY]
    try:
        await response.prepare(request)
        async for piece in pieces(
            privacy.engine, request.app[AUDIT].keys, subject, about, numbers=whole
        ):
            now = who_now(request)
            if now is None or not now.rights.may("privacy.export"):
                why = "the session ended, or the right to export"
                break
            async with asyncio.timeout(STALLED_S):
                await response.write(piece)
        else:
            async with asyncio.timeout(STALLED_S):
                await response.write_eof()
            why = ""
    except (UnreadableError, ConnectionError, TimeoutError) as error:
        why = str(error) or "the receiver left, or took nothing"
    finally:
        if why and request.transport is not None:
            # Before aiohttp ends it properly: a part must not look like the whole.
            request.transport.abort()
        if why:
            structlog.get_logger("privacy").warning("export_broken_off", why=why)
    return response


# --- erasure -----------------------------------------------------------------------------


async def erase_person(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    body = await body_of(request, wire.PersonErase)
    eraser, key = request.app[PRIVACY].eraser, request.match_info["id"]
    if key not in request.app[PEOPLE].roster.people:
        raise Refused(404, "there is no such person", "id")
    try:
        receipt = await eraser.person(key, _reason(body.reason), Actor(who.id, who.name))
    except KeyError:
        raise Refused(404, "there is no such person", "id") from None
    except CannotEraseError as error:
        raise _cannot(error) from None
    except PeopleError as error:
        raise not_written("not_erased", error) from None
    return answer(_receipt_row(receipt))


async def erase_number(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    body = await body_of(request, wire.NumberErase)
    number, reason = _number(body.number), _reason(body.reason)
    try:
        receipt = await request.app[PRIVACY].eraser.number(number, reason, Actor(who.id, who.name))
    except CannotEraseError as error:
        raise _cannot(error) from None
    except PeopleError as error:
        raise not_written("not_erased", error) from None
    return answer(_receipt_row(receipt))


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused(400, "must say why", "reason")
    return text.strip()


def _cannot(error: CannotEraseError) -> Refused:
    return Refused(400 if error.field else 409, str(error), error.field)


async def receipt(request: web.Request) -> web.Response:
    """A file: the signed text with its signature."""
    only(request)
    found = await request.app[PRIVACY].receipts.find(request.match_info["id"])
    if found is None:
        raise Refused(404, "there is no such receipt", "id")
    if found.body is None or found.signature is None:
        raise Refused(409, "the erasure has not ended; the daemon's next start ends it", "id")
    # The text as it was signed, letter by letter, with what proves it.
    body = msgspec.json.encode({"receipt": found.body, "signature": found.signature})
    name = f"monitord-receipt-{found.id}.json"
    return web.Response(
        body=body,
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _receipt_row(found: Receipt) -> wire.ReceiptRow:
    return wire.ReceiptRow(
        found.id, found.what, found.pseudonyms, found.begun, found.done, found.rows
    )
