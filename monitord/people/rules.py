"""What a roster must be like. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import pairwise

from monitord.people.permissions import Permission
from monitord.people.roster import Person, Roster

PEOPLE_MOST = 20_000
TEAMS_MOST = 2_000
OWNED_MOST = 100_000
NAME_MOST = 100

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ENDPOINT = re.compile(r"[A-Za-z0-9]+/[^\s/][^\x00-\x1f\x7f]{0,99}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class RosterError(ValueError):
    """The roster cannot be so."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


def check(roster: Roster) -> None:
    """
    Raises:
        RosterError: with the field and the rule that it breaks.
    """
    for what, count, most in (
        ("people", len(roster.people), PEOPLE_MOST),
        ("teams", len(roster.teams), TEAMS_MOST),
        ("endpoints", len(roster.owned), OWNED_MOST),
    ):
        if count > most:
            raise RosterError(what, f"there may be at most {most}")
    for team in roster.teams.values():
        _check_id("team.id", team.id)
        _check_name("team.name", team.name)
    for person in roster.people.values():
        _check_person(roster, person)
    codes = Counter(c for p in roster.people.values() for c in p.account_codes)
    for code, times in codes.items():
        if times > 1:
            raise RosterError("account_codes", f"{code!r} is that of {times} people")
    _check_leaders(roster)
    _check_owned(roster)


def _check_person(roster: Roster, person: Person) -> None:
    _check_id("id", person.id)
    _check_name("name", person.name)
    if person.team is not None and person.team not in roster.teams:
        raise RosterError("team", f"there is no team {person.team!r}")
    if person.leader is not None and person.leader not in roster.people:
        raise RosterError("leader", f"there is nobody {person.leader!r}")
    if person.hired is not None:
        try:
            date.fromisoformat(person.hired)
        except ValueError:
            raise RosterError("hired", "must be a date such as 2026-03-31") from None
    for kind, times in Counter(given.role for given in person.roles).items():
        if times > 1:
            raise RosterError("roles", f"{kind} is given {times} times")


def _check_id(field: str, value: str) -> None:
    if not _ID.fullmatch(value):
        raise RosterError(
            field, "must be 1 to 64 letters, digits, dots, dashes and underscores, a letter or "
            "digit first"
        )  # fmt: skip


def _check_name(field: str, value: str) -> None:
    if not value.strip() or len(value) > NAME_MOST or _CONTROL.search(value):
        raise RosterError(field, f"must be 1 to {NAME_MOST} characters, none of them for control")


def _check_leaders(roster: Roster) -> None:
    cleared: set[str] = set()
    for person in roster.people.values():
        path: dict[str, None] = {}
        at: str | None = person.id
        while at is not None and at not in cleared:
            if at in path:
                raise RosterError("leader", f"{at!r} would be their own leader's leader")
            path[at] = None
            at = roster.people[at].leader
        cleared.update(path)


def _check_owned(roster: Roster) -> None:
    by_endpoint: dict[str, list[int]] = {}
    for place, own in enumerate(roster.owned):
        if not _ENDPOINT.fullmatch(own.endpoint):
            raise RosterError("endpoint", f"{own.endpoint!r} does not look like PJSIP/1001")
        if own.person not in roster.people:
            raise RosterError("endpoint", f"there is nobody {own.person!r}")
        if own.since < 0 or (own.until is not None and own.until <= own.since):
            raise RosterError("until", "must be after since")
        by_endpoint.setdefault(own.endpoint, []).append(place)
    for endpoint, places in by_endpoint.items():
        ordered = sorted((roster.owned[p] for p in places), key=lambda o: o.since)
        for one, two in pairwise(ordered):
            if one.overlaps(two):
                raise RosterError(
                    "endpoint", f"{endpoint} would be both {one.person}'s and {two.person}'s"
                )


def somebody_may(roster: Roster, people: Iterable[str], permission: Permission) -> bool:
    """Whether one of these, who can sign in, has a permission."""
    return any(roster.rights_of(p).may(permission) for p in people)
