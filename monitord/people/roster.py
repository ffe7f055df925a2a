"""The roster: who there is, in which team, under whom, and whose an endpoint was at which time.

Pure, and never changed in place: a change makes another roster. Times are ms UTC since 1970.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec
from msgspec import Struct

from monitord.domain.site import Person as Party
from monitord.people.permissions import GRANTS, OWN, UNSCOPED, Permission, Role, Scope
from monitord.people.words import Cadence


class Team(Struct, frozen=True):
    id: str
    name: str
    cadence: Cadence = Cadence.WEEKLY
    """For those of the team who have none of their own."""


class Given(Struct, frozen=True):
    """A role that somebody has, and on whom."""

    role: Role
    scope: Scope | None = None
    """None: the scopes that the role has of its own."""


class Ownership(Struct, frozen=True):
    """Whose an endpoint is, from one time to another."""

    id: str
    endpoint: str
    """Such as ``PJSIP/1001``."""
    person: str
    since: int
    until: int | None = None

    def at(self, wall: int) -> bool:
        return self.since <= wall and (self.until is None or wall < self.until)

    def overlaps(self, other: Ownership) -> bool:
        later = max(self.since, other.since)
        ends = [o.until for o in (self, other) if o.until is not None]
        return self.endpoint == other.endpoint and (not ends or later < min(ends))


class Person(Struct, frozen=True):
    id: str
    name: str
    team: str | None = None
    leader: str | None = None
    """Whose direct report this is."""
    roles: tuple[Given, ...] = ()
    agent: bool = False
    """Takes customers' calls."""
    account_codes: tuple[str, ...] = ()
    hired: str | None = None
    """ISO date."""
    cadence: Cadence | None = None
    """None: the team's."""
    active: bool = True
    """False: has left, and may nothing any more; history keeps the name."""
    email: str | None = None
    """Where they are told that there is something to read for them."""


class Roster(Struct, frozen=True, dict=True):
    people: Mapping[str, Person]
    teams: Mapping[str, Team]
    owned: tuple[Ownership, ...] = ()

    def known(self, wall: int) -> tuple[Party, ...]:
        """The people as the domain takes them, with the endpoints that are theirs at ``wall``."""
        endpoints: dict[str, list[str]] = {}
        for ownership in self.owned:
            if ownership.at(wall):
                endpoints.setdefault(ownership.person, []).append(ownership.endpoint)
        return tuple(
            Party(p.id, p.name, tuple(endpoints.get(p.id, ())), p.account_codes, p.agent)
            for p in self.people.values()
        )

    def next_change(self, wall: int) -> int | None:
        """When an endpoint changes hands next."""
        times = [t for o in self.owned for t in (o.since, o.until) if t is not None and t > wall]
        return min(times, default=None)

    def cadence_of(self, person: Person) -> Cadence:
        team = self.teams.get(person.team or "")
        return person.cadence or (team.cadence if team is not None else Cadence.WEEKLY)

    @cached_property
    def version(self) -> str:
        """The same for the same roster, also after a restart; another one for any other."""
        parts = [self.people, self.teams, sorted(self.owned, key=lambda o: o.id)]
        text = msgspec.json.encode(parts, order="deterministic")
        return hashlib.blake2b(text, digest_size=12).hexdigest()

    @cached_property
    def _teams(self) -> dict[str, frozenset[str]]:
        return _grouped((p.team, p.id) for p in self.people.values())

    @cached_property
    def _reports(self) -> dict[str, frozenset[str]]:
        return _grouped((p.leader, p.id) for p in self.people.values())

    def within(self, person: Person, scope: Scope) -> Reach:
        """On whom somebody may use a permission of that scope."""
        match scope:
            case Scope.ALL:
                return EVERYBODY
            case Scope.TEAM:
                # Who leads people of another team still leads them.
                team = self._teams.get(person.team, frozenset()) if person.team else frozenset()
                return Reach(team | self._reports.get(person.id, frozenset()) | {person.id})
            case Scope.REPORTS:
                return Reach(self._reports.get(person.id, frozenset()) | {person.id})
            case Scope.SELF:
                return Reach(frozenset({person.id}))

    def rights_of(self, person_id: str, only: frozenset[Permission] | None = None) -> Rights:
        """What somebody may, and on whom. ``only``: no more than these, as for an API token."""
        person = self.people.get(person_id)
        reach: dict[Permission, Reach] = {}
        if person is not None and person.active:
            for given in person.roles:
                for permission, own in GRANTS[given.role].items():
                    if only is not None and permission not in only:
                        continue
                    fixed = permission in UNSCOPED or permission in OWN
                    scope = own if fixed else given.scope or own
                    more = self.within(person, scope)
                    reach[permission] = reach.get(permission, NOBODY) | more
        return Rights(person_id, reach)


def _grouped(pairs: Iterable[tuple[str | None, str]]) -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for key, member in pairs:
        if key is not None:
            groups.setdefault(key, set()).add(member)
    return {key: frozenset(members) for key, members in groups.items()}


class Reach(Struct, frozen=True):
    """Some people, or everybody, those included whom the roster does not know."""

    people: frozenset[str] | None
    """None: everybody."""

    def __or__(self, other: Reach) -> Reach:
        if self.people is None or other.people is None:
            return EVERYBODY
        return Reach(self.people | other.people)

    def __and__(self, other: Reach) -> Reach:
        if self.people is None or other.people is None:
            return other if self.people is None else self
        return Reach(self.people & other.people)

    def __contains__(self, person: str | None) -> bool:
        """None stands for nobody known, whom only they see who see everybody."""
        return self.people is None or person in self.people

    def __bool__(self) -> bool:
        return self.people is None or bool(self.people)


EVERYBODY = Reach(None)
NOBODY = Reach(frozenset())


class Rights(Struct, frozen=True):
    """What one person may do at this moment."""

    person: str
    reach: Mapping[Permission, Reach]

    def on(self, permission: Permission) -> Reach:
        """On whom; nobody where it is not granted."""
        return self.reach.get(permission, NOBODY)

    def may(self, permission: Permission) -> bool:
        """At all."""
        return permission in self.reach

    @property
    def permissions(self) -> tuple[Permission, ...]:
        return tuple(sorted(self.reach))


class Account(Struct, frozen=True):
    """How somebody signs in."""

    person: str
    login: str
    password_hash: str | None = None
    """None: only where the site's own provider says who it is."""
    subject: str | None = None
    """Issuer and subject of OpenID Connect, ``https://issuer|subject``."""


class Everybody(Struct, frozen=True):
    """Everybody, at one moment."""

    roster: Roster
    accounts: tuple[Account, ...] = ()
