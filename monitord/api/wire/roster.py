"""The roster: people, teams, and whose an endpoint is from when to when."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from monitord.people.permissions import Role, Scope
from monitord.people.words import Cadence

RosterId = Annotated[str, Meta(min_length=1, max_length=64)]
RosterName = Annotated[str, Meta(min_length=1, max_length=100)]
RosterDate = Annotated[str, Meta(min_length=10, max_length=10)]
EmailAddress = Annotated[str, Meta(min_length=3, max_length=254)]
EndpointName = Annotated[str, Meta(min_length=3, max_length=120)]
Instant = Annotated[int, Meta(ge=0, le=1 << 43)]
AccountCodes = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=50)
]


class RoleGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """A role that somebody has."""

    role: Role
    scope: Scope | None = None
    """On whom; null: the scopes that the role has of its own."""


class OwnershipRow(Struct, frozen=True):
    """Whose an endpoint is, from one time to another."""

    id: str
    endpoint: str
    person: str
    since: int
    """0: from the beginning, nobody said since when."""
    until: int | None


class PersonRow(Struct, frozen=True):
    """Somebody on the roster."""

    id: str
    name: str
    team: str | None
    leader: str | None
    """Whose direct report this is."""
    roles: list[RoleGiven]
    agent: bool
    account_codes: list[str]
    hired: str | None
    """ISO date."""
    cadence: Cadence | None
    """Of the one-to-ones with the leader; null: as the team has it."""
    cadence_in_force: Cadence
    active: bool
    """False: has left."""
    endpoints: list[OwnershipRow]
    """Past, present and coming ones."""
    login: str | None
    """Null where there is none, and for those who may not change it."""
    email: str | None


class PersonPage(Struct, frozen=True):
    version: str
    """Of the roster; to be sent back as If-Match with a change."""
    rows: list[PersonRow]
    """In the order of their ids."""
    next: str | None


class TeamRow(Struct, frozen=True):
    id: str
    name: str
    cadence: Cadence
    """Of those who have none of their own."""
    people: int
    """Who have not left."""


class TeamPage(Struct, frozen=True):
    version: str
    rows: list[TeamRow]


class RosterChanged(Struct, frozen=True):
    """A change that was carried out."""

    version: str
    id: str
    """Of what was made or changed."""
    people: list[PersonRow]
    """All that are different now."""
    attributed: int
    """Rows of the ledgers that became somebody's because an endpoint was theirs then."""


class EndpointGiven(Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: EndpointName
    since: Instant | None = None
    """Null: from now on."""


class PersonNew(Struct, frozen=True, forbid_unknown_fields=True):
    name: RosterName
    id: RosterId | None = None
    """Null: one is made from the name."""
    team: RosterId | None = None
    leader: RosterId | None = None
    agent: bool = False
    account_codes: AccountCodes = []
    hired: RosterDate | None = None
    cadence: Cadence | None = None
    endpoints: Annotated[list[EndpointGiven], Meta(max_length=50)] = []
    email: EmailAddress | None = None


class PersonChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it is. Roles and logins are changed elsewhere, by those who may."""

    name: RosterName | UnsetType = UNSET
    team: RosterId | UnsetType | None = UNSET
    leader: RosterId | UnsetType | None = UNSET
    agent: bool | UnsetType = UNSET
    account_codes: AccountCodes | UnsetType = UNSET
    hired: RosterDate | UnsetType | None = UNSET
    cadence: Cadence | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET
    """False: has left, with all endpoints from now on."""
    email: EmailAddress | UnsetType | None = UNSET


class RolesChange(Struct, frozen=True, forbid_unknown_fields=True):
    """All roles that somebody has from now on."""

    roles: Annotated[list[RoleGiven], Meta(max_length=10)]


class LoginChange(Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody signs in; null: not any more."""

    login: Annotated[str, Meta(min_length=1, max_length=128)] | None


class TeamNew(Struct, frozen=True, forbid_unknown_fields=True):
    name: RosterName
    id: RosterId | None = None
    """Null: one is made from the name."""
    cadence: Cadence = Cadence.WEEKLY


class TeamChange(Struct, frozen=True, forbid_unknown_fields=True):
    name: RosterName | UnsetType = UNSET
    cadence: Cadence | UnsetType = UNSET


class OwnershipNew(Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint becomes somebody's. Whose it was then, theirs it was until then."""

    endpoint: EndpointName
    person: RosterId
    since: Instant | None = None
    """Null: from now on."""
    until: Instant | None = None


class OwnershipChange(Struct, frozen=True, forbid_unknown_fields=True):
    since: Instant | UnsetType = UNSET
    until: Instant | UnsetType | None = UNSET
