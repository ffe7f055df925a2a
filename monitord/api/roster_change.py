"""Changes of people by HTTP: against the version that somebody saw, with their rows of the audit
log and of the ledgers in one transaction."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.api import wire
from monitord.api.keys import AUDIT, PEOPLE, SESSIONS, WHO
from monitord.api.problems import Refused
from monitord.audit.entry import Actor, Entry
from monitord.audit.observed import observe_again
from monitord.audit.people import attributed, entries
from monitord.people.attribution import attribute, claims
from monitord.people.editing import UnknownError
from monitord.people.people import People
from monitord.people.roster import Everybody, Ownership, Roster
from monitord.people.rules import RosterError
from monitord.people.store import Alongside, PeopleError

_TAG = re.compile(r'(?:W/)?"([0-9a-f]{24})"')

Edit = Callable[[Roster], Roster]


def now() -> int:
    """ms UTC."""
    return time.time_ns() // 1_000_000


def seen_version(request: web.Request, *, needed: bool = True) -> str | None:
    """The version of the roster that the change is meant for. None: whatever it is.

    Raises:
        Refused: it is needed and missing, or does not look like one.
    """
    given = request.headers.get("If-Match")
    if given is None:
        if needed:
            raise Refused(428, "the version of the roster that you have seen is needed", "If-Match")
        return None
    if given.strip() == "*":
        return None
    found = _TAG.fullmatch(given.strip())
    if found is None:
        raise Refused(400, 'must be * or a version, such as "0123456789abcdef01234567"', "If-Match")
    return found[1]


def must_be(roster: Roster, version: str | None) -> None:
    """
    Raises:
        Refused: it is another version.
    """
    if version is not None and roster.version != version:
        raise Refused(
            412,
            "the roster was changed by somebody else meanwhile; look at it again",
            "If-Match",
        )


def tagged(response: web.Response, roster: Roster) -> web.Response:
    response.headers["ETag"] = f'"{roster.version}"'
    return response


class Change:
    """One change, by whoever asks."""

    def __init__(self, request: web.Request, version: str | None) -> None:
        self._who = request[WHO]
        self._people: People = request.app[PEOPLE]
        self._sessions = request.app[SESSIONS]
        self._audit = request.app[AUDIT]
        self._version = version
        self.old: Everybody
        self.new: Everybody
        self.attributed = 0

    async def roster(self, edit: Edit, more: Iterable[Entry] = ()) -> None:
        """Raises: as :meth:`everybody`."""

        def whole(old: Everybody) -> Everybody:
            return Everybody(edit(old.roster), old.accounts)

        await self.everybody(whole, more)

    async def everybody(
        self, edit: Callable[[Everybody], Everybody], more: Iterable[Entry] = ()
    ) -> None:
        """Carry the edit out. ``more`` goes into the audit log along with what differs.

        Raises:
            Refused: another version, a rule that it would break, or a database that does not take
                it; nothing is changed.
        """

        def checked(old: Everybody) -> Everybody:
            must_be(old.roster, self._version)
            self.old, self.new = old, edit(old)
            return self.new

        try:
            await self._people.change(checked, self._alongside(list(more)))
        except RosterError as error:
            raise Refused(400, error.rule, error.field) from None
        except UnknownError as error:
            raise Refused(404, str(error), error.field) from None
        except PeopleError as error:
            structlog.get_logger("people").error("not_changed", why=str(error))
            raise Refused(503, "the database does not take it now; nothing was changed") from None
        await self._end_sessions()

    def _alongside(self, more: list[Entry]) -> Alongside:
        async def write(connection: AsyncConnection) -> None:
            some = claims(self.old.roster, self.new.roster, now())
            counts = await attribute(connection, some, observe_again(self._audit))
            self.attributed = sum(counts.values())
            rows = [*more, *entries(self.old, self.new)]
            if counts:
                rows.append(attributed(some, counts))
            actor = Actor(self._who.id, self._who.name)
            await self._audit.append(
                connection, (msgspec.structs.replace(row, actor=actor) for row in rows)
            )

        return write

    async def _end_sessions(self) -> None:
        """Of those who have left or can no longer sign in: coming back does not revive them."""

        def in_use(everybody: Everybody) -> set[str]:
            people = everybody.roster.people
            return {
                a.person
                for a in everybody.accounts
                if a.person in people and people[a.person].active
            }

        gone = in_use(self.old) - in_use(self.new)
        keys = [s.key for person in gone for s in self._sessions.of(person)]
        try:
            await self._sessions.end(keys)
        except PeopleError as error:
            structlog.get_logger("people").error("sessions_not_ended", why=str(error))

    def different(self) -> set[str]:
        """Ids of the people who are not as they were, or own other endpoints."""
        old, new = self.old.roster, self.new.roster
        before, after = set(old.owned), set(new.owned)
        owners = {o.person for o in before ^ after}
        others = {i for i, p in new.people.items() if old.people.get(i) != p}
        return (owners | others) & new.people.keys()

    def answer(self, changed: str, logins: bool) -> wire.RosterChanged:
        """``changed``: id of what was to be changed. ``logins``: whoever asks may see them."""
        return wire.RosterChanged(
            version=self.new.roster.version,
            id=changed,
            people=person_rows(self.new, sorted(self.different()), logins),
            attributed=self.attributed,
        )


def person_rows(everybody: Everybody, people: Iterable[str], logins: bool) -> list[wire.PersonRow]:
    """As the wire has them. ``logins``: whoever asks may see them."""
    roster = everybody.roster
    wanted = list(people)
    owned: dict[str, list[Ownership]] = {person: [] for person in wanted}
    for own in roster.owned:
        if own.person in owned:
            owned[own.person].append(own)
    by_person = {a.person: a.login for a in everybody.accounts} if logins else {}
    rows = []
    for key in wanted:
        person = roster.people[key]
        rows.append(
            wire.PersonRow(
                id=person.id,
                name=person.name,
                team=person.team,
                leader=person.leader,
                roles=[wire.RoleGiven(g.role, g.scope) for g in person.roles],
                agent=person.agent,
                account_codes=list(person.account_codes),
                hired=person.hired,
                cadence=person.cadence,
                cadence_in_force=roster.cadence_of(person),
                active=person.active,
                endpoints=[
                    wire.OwnershipRow(o.id, o.endpoint, o.person, o.since, o.until)
                    for o in sorted(owned[key], key=lambda o: (o.since, o.endpoint))
                ],
                login=by_person.get(key),
                email=person.email,
            )
        )
    return rows
