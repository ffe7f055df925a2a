"""What the site says of flags, over HTTP."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from msgspec import UNSET
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.api import wire
from monitord.api.keys import AUDIT, FLAGS, WHO, needs
from monitord.api.problems import Refused, answer, body_of, only
from monitord.audit.entry import Actor, Entry
from monitord.domain.words import FlagState
from monitord.flags.settings import FlagSettings, Theme, ThemeWeek
from monitord.flags.store import Wanted
from monitord.people.store import Alongside, PeopleError
from monitord.store import tables


async def show(request: web.Request) -> web.Response:
    """For everybody: whoever reads a flag needs the themes' names."""
    only(request)
    return answer(await _shown(request))


async def put(request: web.Request) -> web.Response:
    needs(request, "flag.set")
    only(request)
    body = await body_of(request, wire.FlagSettingsPut)
    ids = [theme.id for theme in body.themes]
    if len(set(ids)) < len(ids):
        raise Refused(400, "must have each id once", "themes")
    if body.earlier and not body.visible:
        raise Refused(400, "only where agents see flags", "earlier")
    flags = request.app[FLAGS]
    old = flags.settings.now
    new = FlagSettings(
        body.visible,
        tuple(Theme(t.id, t.name.strip()) for t in body.themes),
        old.weeks if body.weeks is UNSET else _weeks(body.weeks),
    )
    for week in new.weeks:
        if week.theme not in ids:
            raise Refused(400, f"the week of {week.monday} has a theme that is not there", "weeks")
    works: list[Alongside] = []
    opened: list[str] = []
    if body.earlier:
        works.append(_show_earlier(opened))
    works.append(_said(request, old, new, opened))
    try:
        await flags.settings.put(new, *works)
    except PeopleError:
        raise Refused(503, "the database does not take it now; nothing was changed") from None
    flags.store.posted()
    for flag in opened:
        row = await flags.store.one(flag)
        if row is not None and row.id in flags.board:
            await flags.board.show(row)
    return answer(await _shown(request))


def _weeks(given: list[wire.FlagThemeWeek]) -> tuple[ThemeWeek, ...]:
    found: dict[str, ThemeWeek] = {}
    for week in given:
        try:
            day = date.fromisoformat(week.monday)
        except ValueError:
            raise Refused(400, f"{week.monday} is no date", "weeks") from None
        if day.weekday() != 0:
            raise Refused(400, f"{week.monday} is no Monday", "weeks")
        if week.monday in found:
            raise Refused(400, "must have each week once", "weeks")
        found[week.monday] = ThemeWeek(week.monday, week.theme)
    return tuple(found[monday] for monday in sorted(found))


async def _shown(request: web.Request) -> wire.FlagSettingsShown:
    flags = request.app[FLAGS]
    now = flags.settings.now
    hidden = 0
    if request[WHO].rights.may("flag.set"):
        hidden = await flags.store.count(Wanted(state=FlagState.OPEN, visible=False))
    return wire.FlagSettingsShown(
        now.visible,
        [wire.FlagTheme(t.id, t.name) for t in now.themes],
        [wire.FlagThemeWeek(w.monday, w.theme) for w in now.weeks],
        hidden,
    )


def _show_earlier(opened: list[str]) -> Alongside:
    """What was written in the belief that the agent would not read it is shown only where somebody
    chose so."""
    c = tables.flag.c
    hidden = c.state == FlagState.OPEN, c.visible.is_(False)

    async def write(connection: AsyncConnection) -> None:
        opened.extend(await connection.scalars(select(c.id).where(*hidden)))
        await connection.execute(update(tables.flag).where(*hidden).values(visible=True))

    return write


def _said(
    request: web.Request, old: FlagSettings, new: FlagSettings, opened: list[str]
) -> Alongside:
    who, audit = request[WHO], request.app[AUDIT]
    actor, store = Actor(who.id, who.name), request.app[FLAGS].store

    async def write(connection: AsyncConnection) -> None:
        entry = Entry(
            action="change flag settings",
            actor=actor,
            plain={
                "visible": new.visible,
                "was_visible": old.visible,
                "themes": [theme.name for theme in new.themes],
                "weeks": [f"{week.monday} {week.theme}" for week in new.weeks],
                "earlier_flags_shown": len(opened),
            },
        )
        (n,) = await audit.append(connection, [entry])
        await store.shown(connection, opened, actor, n)

    return write
