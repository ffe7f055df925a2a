"""The roster as a CSV file over HTTP: a preview, exactly that carried out, and the export."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import hmac
import io
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from monitord.api import wire
from monitord.api.keys import PEOPLE, needs
from monitord.api.problems import Refused, answer, one_of, only, text
from monitord.api.roster_change import Change, must_be, now, seen_version, tagged
from monitord.api.sheet_body import sheet_of
from monitord.api.sheets import BOM, safe
from monitord.audit.entry import Entry
from monitord.people.roster import Roster
from monitord.people.sheet import BYTES_MOST, COLUMNS, lines
from monitord.people.sheet_plan import Options, Plan, plan
from monitord.people.signin import Who

_LOCK = web.AppKey("roster_sheet_lock", asyncio.Lock)


def set_up(app: web.Application) -> None:
    app[_LOCK] = asyncio.Lock()


async def export(request: web.Request) -> web.Response:
    needs(request, "roster.see")
    only(request)
    roster = request.app[PEOPLE].roster
    body = await asyncio.to_thread(_file, roster)
    name = f"monitord-roster-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.csv"
    response = web.Response(
        body=body,
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )
    return tagged(response, roster)


def _file(roster: Roster) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for cells in lines(roster, now()):
        writer.writerow(safe(cells[column]) for column in COLUMNS)
    return BOM + out.getvalue().encode(errors="replace")


async def preview(request: web.Request) -> web.Response:
    """The body is the file. Nothing is done."""
    who = needs(request, "roster.edit")
    only(request, "zone", "new_teams")
    roster, data, made = await _planned(request, who)
    token = _token(request, roster, data) if made.roster is not None else None
    steps = [
        wire.SheetStep(
            s.line,
            s.id,
            s.name,
            s.what,
            [wire.SheetCell(column, old, new) for column, (old, new) in s.changes.items()],
            list(s.taken),
        )
        for s in made.steps
        if s.what != "same"
    ]
    body = wire.SheetPreview(
        token=token,
        **_counts(made),
        same=sum(s.what == "same" for s in made.steps),
        teams=list(made.teams),
        steps=steps,
        faults=[wire.SheetFault(f.line, f.column, f.rule) for f in made.faults],
        more_faults=made.more_faults,
    )
    return tagged(answer(body), roster)


async def carry_out(request: web.Request) -> web.Response:
    """The same file again, with the token of its preview and the version of the roster that it
    was made for."""
    who = needs(request, "roster.edit")
    only(request, "zone", "new_teams", "token")
    version = seen_version(request)
    given = text(request, "token", 64)
    if given is None:
        raise Refused(400, "must be given: a file is only taken after its preview", "token")
    must_be(request.app[PEOPLE].roster, version)
    roster, data, made = await _planned(request, who)
    must_be(roster, version)
    if not hmac.compare_digest(given.encode(), _token(request, roster, data).encode()):
        raise Refused(412, "this is not the file, or not the roster, of the preview", "token")
    if made.roster is None:
        raise Refused(400, "the file has faults; see its preview")
    result = made.roster
    counts = _counts(made)
    digest = hashlib.sha256(data).hexdigest()
    entry = Entry(
        action="import roster",
        target="roster",
        plain={**counts, "sha256": digest, "teams": made.teams},
    )
    change = Change(request, roster.version)
    await change.roster(lambda old: result, [entry])
    done = wire.SheetDone(change.new.roster.version, attributed=change.attributed, **counts)
    return tagged(answer(done), change.new.roster)


def _counts(made: Plan) -> dict[str, int]:
    return {
        "new": sum(s.what == "new" for s in made.steps),
        "changed": sum(s.what == "changed" for s in made.steps),
    }


async def _planned(request: web.Request, who: Who) -> tuple[Roster, bytes, Plan]:
    """The roster as it is now, the file, and what that would make of it."""
    options = Options(
        at=now(),
        zone=_zone(request),
        new_teams=one_of(request, "new_teams", ("true", "false")) == "true",
        rights=who.rights.may("rights.edit"),
    )
    data = await sheet_of(request, BYTES_MOST)
    lock = request.app[_LOCK]
    async with lock:  # one at a time: each takes a processor for seconds
        roster = request.app[PEOPLE].roster
        made = await asyncio.to_thread(plan, roster, data, options)
    return roster, data, made


def _token(request: web.Request, roster: Roster, data: bytes) -> str:
    """Of this file, these options and this roster; it is no secret."""
    options = "\x1f".join(request.query.get(name, "") for name in ("zone", "new_teams"))
    head = f"{roster.version}\x1f{options}\x1f".encode(errors="surrogatepass")
    return hashlib.sha256(head + data).hexdigest()


def _zone(request: web.Request) -> tzinfo:
    name = text(request, "zone", 64)
    try:
        return UTC if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(400, "is no time zone, such as Europe/Berlin", "zone") from None
