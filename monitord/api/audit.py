"""The audit log over HTTP: its rows, its signed head, its proof."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from aiohttp import web

from monitord.api import wire
from monitord.api.export import UNDER_WAY
from monitord.api.filters import LATEST, ROWS_MOST
from monitord.api.keys import AUDIT, AUDIT_READER, PEOPLE, PROVER, WHO
from monitord.api.problems import Refused, answer, one_of, only, text, whole
from monitord.api.viewing import LOG, viewed
from monitord.audit.chain import Row
from monitord.audit.entry import Actor
from monitord.audit.heads import sign
from monitord.audit.kinds import ACTIONS, KIND
from monitord.audit.log import AuditError
from monitord.audit.proving import Last, RunningError
from monitord.audit.reader import Shown, of_supervision
from monitord.audit.reading import Opened, Veil, Wanted
from monitord.audit.starts import SETTLED
from monitord.domain.words import AuditKind
from monitord.people.audience import mask
from monitord.people.signin import Who

FILTERS = ("begin", "end", "kind", "actor", "person", "number", "target", "supervision")
CHOICES_MOST = 50

YOUNG_MS = 30_000
"""In which the outcome of a command is written, where it can be."""

_NOBODY = "-"
"""A pseudonym that no row has."""


def veil_of(who: Who) -> Veil | None:
    return None if who.rights.may("number.see") else lambda number: mask(number) or ""


def wanted_of(request: web.Request, *others: str) -> Wanted:
    """The rows that are asked for; ``others`` are parameters that the handler reads itself.

    Raises:
        Refused: a parameter is unknown, given twice, or breaks its rule.
    """
    only(request, *FILTERS, *others)
    keys = request.app[AUDIT].keys
    begin, end = whole(request, "begin", 0, LATEST), whole(request, "end", 0, LATEST)
    if begin is not None and end is not None and begin >= end:
        raise Refused(400, "must be later than begin", "end")
    kind = one_of(request, "kind", AuditKind)
    number, supervision = text(request, "number"), text(request, "supervision", 100)
    if number is not None and not request[WHO].rights.may("number.see"):
        # Or whoever tries some numbers sees which of them is behind a masked one.
        raise Refused(403, "you may not see numbers, so not search by them", "number")
    return Wanted(
        begin=begin,
        end=end,
        actions=None if kind is None else ACTIONS[AuditKind(kind)],
        actor=_pseudonym(request, "actor"),
        person=_pseudonym(request, "person"),
        number=None if number is None else keys.number(number),
        target=text(request, "target"),
        targets=None if supervision is None else of_supervision(supervision),
    )


def _pseudonym(request: web.Request, name: str) -> str | None:
    """Somebody by their id, or somebody erased by what is left of it."""
    given = text(request, name)
    if given is None:
        return None
    if given.startswith("p") and len(given) == 25:
        return given
    return request.app[AUDIT].keys.pseudonym_of(given) or _NOBODY


def filters_of(request: web.Request) -> dict[str, str]:
    """As they were given, for the audit log and for an export's file."""
    return {k: v for k, v in request.query.items() if k in FILTERS}


async def rows(request: web.Request) -> web.Response:
    wanted = wanted_of(request, "limit", "cursor", "folded")
    before = whole(request, "cursor", 1, LATEST)
    folded = one_of(request, "folded", ("true", "false")) == "true"
    limit = whole(request, "limit", 1, ROWS_MOST) or 50
    await viewed(request, "rows", filters_of(request), LOG)
    wanted = msgspec.structs.replace(wanted, before=before, folded=folded)
    veil = veil_of(request[WHO])
    found, more = await request.app[AUDIT_READER].page(wanted, limit, veil)
    some = [shown_row(request.app, shown) for shown in found]
    return answer(wire.AuditPage(some, None if more is None else str(more)))


async def row(request: web.Request) -> web.Response:
    only(request)
    await viewed(request, f"row {request.match_info['id']}", {}, LOG)
    n = int(request.match_info["id"])
    found = await request.app[AUDIT_READER].one(n, veil_of(request[WHO]))
    if found is None:
        raise Refused(404, "there is no such row", "id")
    raw = wire.AuditRaw(**msgspec.structs.asdict(found.shown.one.row))
    versions = [opened_row(one) for one in found.versions]
    return answer(
        wire.AuditDetail(shown_row(request.app, found.shown), raw, found.before, versions)
    )


async def head(request: web.Request) -> web.Response:
    only(request)
    keys = request.app[AUDIT].keys
    signed = sign(keys, *await request.app[AUDIT_READER].last())
    return answer(wire.AuditHead(**msgspec.structs.asdict(signed), public=keys.public))


async def people(request: web.Request) -> web.Response:
    """Whom the filters can be set to: with ``value`` exactly that one, for their name."""
    only(request, "typed", "value", "limit")
    typed, value = text(request, "typed", 100), text(request, "value")
    if typed is not None and value is not None:
        raise Refused(400, "goes not with typed", "value")
    most = whole(request, "limit", 1, CHOICES_MOST) or CHOICES_MOST
    everybody = request.app[PEOPLE].roster.people
    part = (typed or "").casefold()
    found = [
        wire.Choice(p.id, p.name)
        for p in sorted(everybody.values(), key=lambda p: (p.name.casefold(), p.id))
        if (p.id == value if value is not None else part in f"{p.name} {p.id}".casefold())
    ]
    return answer(wire.Choices(found[:most], len(found) > most))


# --- rows as the wire has them ---------------------------------------------------------------


def _who(one: Opened) -> wire.AuditWho | None:
    if one.row.actor is None:
        return None
    return wire.AuditWho(one.actor_id, one.actor_name, one.row.actor)


def opened_row(
    one: Opened,
    outcome: wire.AuditOutcome | None = None,
    versions: int = 1,
    parts: list[dict[str, Any]] | None = None,
) -> wire.AuditRow:
    row = one.row
    return wire.AuditRow(
        n=row.n,
        at=row.at,
        kind=KIND.get(row.action),
        action=row.action,
        actor=_who(one),
        target=str(one.target),
        about=row.about,
        detail=one.detail,
        erased=list(one.erased),
        hash=row.hash,
        outcome=outcome,
        versions=versions,
        parts=parts or [],
    )


def shown_row(app: web.Application, shown: Shown) -> wire.AuditRow:
    parts = [dict(part.detail.get("row", {})) for part in shown.parts]
    return opened_row(shown.one, _outcome(app, shown), shown.versions, parts)


def _outcome(app: web.Application, shown: Shown) -> wire.AuditOutcome | None:
    if shown.one.row.action not in SETTLED:
        return None
    if shown.outcome is None:
        state = "under way" if _under_way(app, shown.one.row) else "unknown"
        return wire.AuditOutcome(state, "", "", None, None)  # type: ignore[arg-type]
    detail, row = shown.outcome.detail, shown.outcome.row
    outcome, why = str(detail.get("outcome", "")), str(detail.get("why", ""))
    state = "unknown" if outcome == "unknown" else "known"
    return wire.AuditOutcome(state, outcome, why, row.n, row.at)  # type: ignore[arg-type]


def _under_way(app: web.Application, act: Row) -> bool:
    proving = app[PROVER].now
    if act.n in app[UNDER_WAY] or (proving is not None and proving.n == act.n):
        return True
    return time.time_ns() // 1_000_000 - act.at < YOUNG_MS


# --- proof -----------------------------------------------------------------------------------


async def prove(request: web.Request) -> web.Response:
    """Start one; how far it is, and what it says, is asked for then."""
    only(request)
    who = request[WHO]
    try:
        await request.app[PROVER].start(Actor(who.id, who.name))
    except RunningError:
        raise Refused(409, "a proof is under way already") from None
    except AuditError:
        raise Refused(503, "nothing can be proved while the audit log cannot be written") from None
    return answer(await _proof(request.app))


async def proof(request: web.Request) -> web.Response:
    only(request)
    return answer(await _proof(request.app))


async def cancel(request: web.Request) -> web.Response:
    only(request)
    request.app[PROVER].cancel()
    return web.Response(status=204)


async def _proof(app: web.Application) -> wire.ProofState:
    now = app[PROVER].now
    running = None
    if now is not None:
        pseudonym = app[AUDIT].keys.pseudonym_of(now.by.id) or ""
        by = wire.AuditWho(now.by.id, now.by.name, pseudonym)
        running = wire.Proving(by, now.begun, now.what, now.done, now.of)
    last = await app[PROVER].last()
    return wire.ProofState(running, None if last is None else _last(last))


def _last(last: Last) -> wire.Proof:
    detail = last.outcome.detail
    broken_at = detail.get("broken_at")
    return wire.Proof(
        by=_who(last.act),
        begun=last.act.row.at,
        ended=last.outcome.row.at,
        outcome=detail.get("outcome", "unknown"),
        why=str(detail.get("why", "")),
        rows=int(detail.get("rows", 0)),
        heads=int(detail.get("heads", 0)),
        ledger=int(detail.get("ledger", 0)),
        broken_at=None if broken_at is None else int(broken_at),
    )
