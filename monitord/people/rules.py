"""What a roster must be like. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise

from monitord.people.permissions import Permission
from monitord.people.roster import Person, Roster

PEOPLE_MOST = 20_000
TEAMS_MOST = 2_000
OWNED_MOST = 100_000
NAME_MOST = 100
CODES_MOST, CODE_MOST = 50, 100

LATEST = 1 << 43
"""ms UTC since 1970, in the year 2248: a later date is a mistake."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ENDPOINT = re.compile(r"[A-Za-z0-9]+/[^\s/][^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,99}")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
"""Plain ones alone: what stands there goes into a mail's head, and to a mail server."""

EMAIL_MOST, LOCAL_MOST = 254, 64

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Those that turn the direction of writing as well: a name must read as it is."""


class RosterError(ValueError):
    """The roster cannot be so."""

    def __init__(self, field: str, rule: str, about: str | None = None) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule
        self.about = about
        """Id of the person or the team that breaks it; None where it is none's alone."""


def check(roster: Roster) -> None:
    """
    Raises:
        RosterError: with the field and the rule that it breaks.
    """
    for fault in faults(roster):
        raise fault


def faults(roster: Roster) -> Iterator[RosterError]:
    """All that is wrong with it."""
    for what, count, most in (
        ("people", len(roster.people), PEOPLE_MOST),
        ("teams", len(roster.teams), TEAMS_MOST),
        ("endpoints", len(roster.owned), OWNED_MOST),
    ):
        if count > most:
            yield RosterError(what, f"there may be at most {most}")
    for team in roster.teams.values():
        yield from _id_faults("team.id", team.id, team.id)
        yield from _name_faults("team.name", team.name, team.id)
    for person in roster.people.values():
        yield from _person_faults(roster, person)
    yield from _code_faults(roster)
    yield from _leader_faults(roster)
    yield from _owned_faults(roster)


def _person_faults(roster: Roster, person: Person) -> Iterator[RosterError]:
    yield from _id_faults("id", person.id, person.id)
    yield from _name_faults("name", person.name, person.id)
    if person.team is not None and person.team not in roster.teams:
        yield RosterError("team", f"there is no team {person.team!r}", person.id)
    if person.leader is not None and person.leader not in roster.people:
        yield RosterError("leader", f"there is nobody {person.leader!r}", person.id)
    if person.hired is not None:
        try:
            # Not fromisoformat alone, which also takes 2026-W14-2.
            fits = date.fromisoformat(person.hired).isoformat() == person.hired
        except ValueError:
            fits = False
        if not fits:
            yield RosterError("hired", "must be a date such as 2026-03-31", person.id)
    if person.email is not None and not is_email(person.email):
        yield RosterError("email", "must be an address such as jo@example.org", person.id)
    for kind, times in Counter(given.role for given in person.roles).items():
        if times > 1:
            yield RosterError("roles", f"{kind} is given {times} times", person.id)
    if len(person.account_codes) > CODES_MOST:
        yield RosterError("account_codes", f"there may be at most {CODES_MOST}", person.id)
    for code in person.account_codes:
        if not code.strip() or len(code) > CODE_MOST or _CONTROL.search(code):
            rule = f"each must be 1 to {CODE_MOST} characters, none of them for control"
            yield RosterError("account_codes", rule, person.id)


def _code_faults(roster: Roster) -> Iterator[RosterError]:
    times = Counter(c for p in roster.people.values() for c in p.account_codes)
    for person in roster.people.values():
        for code in dict.fromkeys(person.account_codes):
            if times[code] > 1:
                rule = f"{code!r} is that of {times[code]} people"
                yield RosterError("account_codes", rule, person.id)


def _id_faults(field: str, value: str, about: str) -> Iterator[RosterError]:
    if not _ID.fullmatch(value):
        rule = (
            "must be 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first"
        )
        yield RosterError(field, rule, about)


def _name_faults(field: str, value: str, about: str) -> Iterator[RosterError]:
    if not value.strip() or len(value) > NAME_MOST or _CONTROL.search(value):
        rule = f"must be 1 to {NAME_MOST} characters, none of them for control"
        yield RosterError(field, rule, about)


def _leader_faults(roster: Roster) -> Iterator[RosterError]:
    cleared: set[str] = set()
    for person in roster.people.values():
        path: dict[str, None] = {}
        at: str | None = person.id
        while at is not None and at not in cleared and at in roster.people:
            if at in path:
                ring = list(path)
                for one in ring[ring.index(at) :]:
                    yield RosterError("leader", f"{one!r} would be their own leader's leader", one)
                break
            path[at] = None
            at = roster.people[at].leader
        cleared.update(path)


def _owned_faults(roster: Roster) -> Iterator[RosterError]:
    by_endpoint: dict[str, list[int]] = {}
    for place, own in enumerate(roster.owned):
        if not is_endpoint(own.endpoint):
            rule = f"{own.endpoint!r} does not look like PJSIP/1001"
            yield RosterError("endpoint", rule, own.person)
        if own.person not in roster.people:
            yield RosterError("endpoint", f"there is nobody {own.person!r}", own.person)
        if not 0 <= own.since <= LATEST:
            yield RosterError("since", f"must be from 0 to {LATEST}", own.person)
        if own.until is not None and not own.since < own.until <= LATEST:
            yield RosterError("until", "must be after since", own.person)
        by_endpoint.setdefault(own.endpoint, []).append(place)
    for endpoint, places in by_endpoint.items():
        ordered = sorted((roster.owned[p] for p in places), key=lambda o: o.since)
        for one, two in pairwise(ordered):
            if one.overlaps(two):
                rule = f"{endpoint} would be both {one.person}'s and {two.person}'s"
                yield RosterError("endpoint", rule, two.person)


def is_endpoint(text: str) -> bool:
    """Whether it looks like ``PJSIP/1001``."""
    return _ENDPOINT.fullmatch(text) is not None


def somebody_may(roster: Roster, people: Iterable[str], permission: Permission) -> bool:
    """Whether one of these, who can sign in, has a permission."""
    return any(roster.rights_of(p).may(permission) for p in people)


def is_email(text: str) -> bool:
    """One plain address, without a name around it."""
    local = text.partition("@")[0]
    fits = len(text) <= EMAIL_MOST and len(local) <= LOCAL_MOST
    return fits and _EMAIL.fullmatch(text) is not None
