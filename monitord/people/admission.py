"""Who of the roster somebody is whom the provider vouches for, and which roles that gives. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from monitord.people.people import with_account
from monitord.people.permissions import Role, Scope
from monitord.people.provider import values_of
from monitord.people.roster import Account, Everybody, Given, Person
from monitord.people.rules import NAME_MOST

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
LOGIN_MOST = 128


class RoleRule(Struct, frozen=True):
    """Who has ``value`` in the claim has the role."""

    value: str
    role: Role
    scope: Scope | None = None
    """On whom; None: the role's own."""


class Admission(Struct, frozen=True):
    """Whom the provider may let in, as the settings say."""

    issuer: str
    login_claim: str
    """Whose value is a login here; empty: nobody is known by it."""
    roles_claim: str
    roles: tuple[RoleRule, ...]
    """Empty: roles are given here, not by the provider."""
    create: bool
    """Who is not on the roster, but has a role by the provider, is put on it."""


class NotAdmittedError(Exception):
    """``code`` is for the page."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


class Vouched(Struct, frozen=True):
    """Whom the provider says it is, in our words."""

    subject: str
    """Issuer and subject: no other claim is theirs alone and for ever (Core 1.0, 5.7)."""
    name: str
    login: str
    """Empty where the provider tells none."""
    roles: tuple[Given, ...]


def vouched(claims: Mapping[str, Any], by: Admission) -> Vouched:
    """``claims`` of a verified ID token."""
    subject = f"{by.issuer}|{claims['sub']}"
    login = _text(claims, by.login_claim, LOGIN_MOST) if by.login_claim else ""
    if by.login_claim == "email" and claims.get("email_verified") is not True:
        login = ""  # else whoever writes a colleague's address into their profile is that colleague
    name = _text(claims, "name", NAME_MOST) or _text(claims, "preferred_username", NAME_MOST)
    values = set(values_of(claims, by.roles_claim)) if by.roles_claim else set()
    roles: dict[Role, Given] = {}
    for rule in by.roles:
        if rule.value in values:
            roles.setdefault(rule.role, Given(rule.role, rule.scope))
    return Vouched(subject, name or login or "?", login, tuple(roles.values()))


def _text(claims: Mapping[str, Any], name: str, longest: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    return _CONTROL.sub("", value).strip()[:longest].strip()


def account_of(everybody: Everybody, who: Vouched) -> Account | None:
    """The account that is tied to them, or can be by its login."""
    for account in everybody.accounts:
        if account.subject == who.subject:
            return account
    if not who.login:
        return None
    login = who.login.casefold()
    return next(
        (a for a in everybody.accounts if a.login.casefold() == login and a.subject is None), None
    )


def admit(everybody: Everybody, who: Vouched, by: Admission) -> tuple[Everybody, Account]:
    """Everybody as they are when this one has come in, and their account. Roles that the provider
    gives are as it says now, also where that is fewer or none.

    Raises:
        NotAdmittedError: they are not known here, or have left.
    """
    account = account_of(everybody, who)
    roster = everybody.roster
    if account is None:
        if not by.create or not who.roles:
            raise NotAdmittedError("unknown", "nobody here is tied to that account")
        person = _new_person(who)
        if person.id in roster.people:
            raise NotAdmittedError("unknown", f"{person.id} has no account any more")
        taken = {a.login.casefold() for a in everybody.accounts}
        free = who.login and who.login.casefold() not in taken
        account = Account(person.id, who.login if free else person.id)
    else:
        person = roster.people[account.person]
        if not person.active:
            raise NotAdmittedError("unknown", f"{person.id} has left")
        if by.roles:
            person = msgspec.structs.replace(person, roles=_in_order(who.roles))
    account = msgspec.structs.replace(account, subject=who.subject)
    if roster.people.get(person.id) != person:
        roster = msgspec.structs.replace(roster, people={**roster.people, person.id: person})
    accounts = everybody.accounts
    if account not in accounts:
        accounts = with_account(everybody, account)
    return Everybody(roster, accounts), account


def _new_person(who: Vouched) -> Person:
    digest = hashlib.sha256(who.subject.encode()).hexdigest()[:16]
    return Person(f"oidc-{digest}", who.name, roles=_in_order(who.roles))


def _in_order(roles: tuple[Given, ...]) -> tuple[Given, ...]:
    """As the database gives them back, so that nothing seems to have changed."""
    return tuple(sorted(roles, key=lambda g: g.role))
