"""Edits of a roster. Pure: each makes another roster and leaves its rules to ``people.rules``."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from monitord.people.permissions import Role
from monitord.people.roster import Given, Ownership, Person, Roster, Team
from monitord.people.rules import RosterError

_ID_LONGEST = 40
"""Of an id that is made from a name; one that somebody chooses may be longer."""


class UnknownError(Exception):
    """There is no such person, team or ownership."""

    def __init__(self, what: str, wanted: str) -> None:
        super().__init__(f"there is no {what} {wanted!r}")
        self.field = what


def id_for(name: str, taken: Container[str]) -> str:
    """An id that nobody has, made from a name: ``Zoë Müller`` becomes ``zoe-muller``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_ID_LONGEST].strip("-") or "person"
    n, found = 1, made
    while found in taken:
        n += 1
        found = f"{made}-{n}"
    return found


def person_of(roster: Roster, person_id: str) -> Person:
    """
    Raises:
        UnknownError: there is nobody of that id.
    """
    found = roster.people.get(person_id)
    if found is None:
        raise UnknownError("person", person_id)
    return found


def with_person(roster: Roster, person: Person) -> Roster:
    """With somebody new, or as they are from now on."""
    people = dict(sorted({**roster.people, person.id: person}.items()))
    return msgspec.structs.replace(roster, people=people)


def with_people(roster: Roster, people: Mapping[str, Person]) -> Roster:
    return msgspec.structs.replace(roster, people=dict(sorted({**roster.people, **people}.items())))


def leaves(roster: Roster, person_id: str, at: int) -> Roster:
    """The endpoints of somebody who left are nobody's from ``at`` on."""
    ended = ends([o for o in roster.owned if o.person == person_id], at)
    return owned_by(roster, [o for o in roster.owned if o.person != person_id] + ended)


def ends(own: Iterable[Ownership], at: int) -> list[Ownership]:
    """Ownerships that go on after ``at`` end then; those that begin later are taken back."""
    kept = []
    for one in own:
        if one.until is not None and one.until <= at:
            kept.append(one)
        elif one.since < at:
            kept.append(msgspec.structs.replace(one, until=at))
    return kept


def with_team(roster: Roster, team: Team) -> Roster:
    teams = dict(sorted({**roster.teams, team.id: team}.items()))
    return msgspec.structs.replace(roster, teams=teams)


def without_team(roster: Roster, team_id: str) -> Roster:
    """
    Raises:
        UnknownError: there is no such team.
        RosterError: somebody is in it.
    """
    if team_id not in roster.teams:
        raise UnknownError("team", team_id)
    within = sum(p.team == team_id for p in roster.people.values())
    if within:
        some = "1 person is" if within == 1 else f"{within} people are"
        raise RosterError("team", f"{some} in it; give them another team first", team_id)
    teams = {i: t for i, t in roster.teams.items() if i != team_id}
    return msgspec.structs.replace(roster, teams=teams)


def give(
    roster: Roster, endpoint: str, person_id: str, since: int, until: int | None = None
) -> Roster:
    """An endpoint becomes somebody's from ``since`` on. Whose it was then, theirs it was until
    then; nobody gets it back after ``until`` by themselves.

    Raises:
        UnknownError: there is nobody of that id.
        RosterError: it is somebody's from a later time on, which would have to be said.
    """
    person_of(roster, person_id)
    others = [o for o in roster.owned if o.endpoint != endpoint]
    own = [o for o in roster.owned if o.endpoint == endpoint]
    return owned_by(roster, others + given(own, endpoint, person_id, since, until))


def given(
    own: list[Ownership], endpoint: str, person_id: str, since: int, until: int | None = None
) -> list[Ownership]:
    """The same for the ownerships ``own`` of that one endpoint.

    Raises:
        RosterError: it is somebody's from a later time on.
    """
    kept: list[Ownership] = []
    theirs: Ownership | None = None
    for one in sorted(own, key=lambda o: o.since):
        if one.until is not None and one.until <= since:
            kept.append(one)
        elif one.since <= since:
            if one.person == person_id and one.until == until:
                return own  # theirs already, and for longer
            if one.since < since:
                kept.append(msgspec.structs.replace(one, until=since))
            # else it began at the very same time, so it was a mistake: it gives way
        elif theirs is not None or (until is not None and until <= one.since):
            kept.append(one)
        elif until is None and one.person == person_id:
            theirs = msgspec.structs.replace(one, since=since)  # only from an earlier time on
        else:
            rule = (
                f"{endpoint} is that of {one.person!r} from a later time on; give a time until "
                "when, not after that one"
            )
            raise RosterError("until", rule, person_id)
    if theirs is None:
        theirs = Ownership(secrets.token_hex(8), endpoint, person_id, since, until)
    return [*kept, theirs]


def owned_by(roster: Roster, owned: list[Ownership]) -> Roster:
    ordered = sorted(owned, key=lambda o: (o.endpoint, o.since, o.id))
    return msgspec.structs.replace(roster, owned=tuple(ordered))


def ownership_of(roster: Roster, ownership_id: str) -> Ownership:
    """
    Raises:
        UnknownError: there is none of that id.
    """
    for own in roster.owned:
        if own.id == ownership_id:
            return own
    raise UnknownError("ownership", ownership_id)


def dated(roster: Roster, ownership_id: str, **dates: int | None) -> Roster:
    """``dates``: another ``since`` or ``until``.

    Raises:
        UnknownError: there is no such ownership.
    """
    own = ownership_of(roster, ownership_id)
    changed = msgspec.structs.replace(own, **dates)
    return owned_by(roster, [changed if o.id == own.id else o for o in roster.owned])


def without_ownership(roster: Roster, ownership_id: str) -> Roster:
    """As if it had never been; for a mistake.

    Raises:
        UnknownError: there is no such ownership.
    """
    own = ownership_of(roster, ownership_id)
    return msgspec.structs.replace(roster, owned=tuple(o for o in roster.owned if o.id != own.id))


def changes(old: Person | Team | None, new: Person | Team) -> dict[str, list[Any]]:
    """What became different, as ``field: [before, after]``, for the audit log."""
    found: dict[str, list[Any]] = {}
    for name in new.__struct_fields__:
        before, after = getattr(old, name, None), getattr(new, name)
        if before != after:
            found[name] = [msgspec.to_builtins(before), msgspec.to_builtins(after)]
    return found


def moves(old: Roster, new: Roster) -> Iterator[dict[str, Any]]:
    """Ownerships that are new, other or gone, for the audit log."""
    before = {o.id: o for o in old.owned}
    after = {o.id: o for o in new.owned}
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was != now:
            one = now or was
            assert one is not None
            yield {
                "endpoint": one.endpoint,
                "person": one.person,
                "was": None if was is None else [was.since, was.until],
                "is": None if now is None else [now.since, now.until],
            }


def carries_rights(person: Person) -> bool:
    """Whether being there, and in which team, decides what somebody may do to others."""
    return any(given.role is not Role.AGENT for given in person.roles)


def with_roles(person: Person, roles: tuple[Given, ...]) -> Person:
    return msgspec.structs.replace(person, roles=tuple(sorted(roles, key=lambda g: g.role)))
