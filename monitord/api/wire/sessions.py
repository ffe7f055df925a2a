"""Who is signed in where: browsers' sessions and programs' tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from monitord.people.permissions import Permission


class Someone(Struct, frozen=True):
    """A person of the roster."""

    id: str
    name: str


class SignInSession(Struct, frozen=True):
    """One browser that is signed in."""

    id: str
    person: Someone
    how: Literal["password", "provider", "link"]
    address: str
    browser: str
    """As it names itself; nobody checks that."""
    created: int
    seen: int
    """When it was last used, to a minute."""
    expires: int
    this: bool
    """The one that asks."""


class SignInSessions(Struct, frozen=True):
    sessions: list[SignInSession]
    """The latest first."""
    more: bool
    """True: there are older ones, which are not listed."""


class Ended(Struct, frozen=True):
    ended: int
    """How many there were."""


class NewToken(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    """What it is for."""
    permissions: Annotated[list[Permission], Meta(min_length=1, max_length=50)]
    days: Annotated[int, Meta(ge=1, le=366)] = 90
    """Until it expires."""


class ApiToken(Struct, frozen=True):
    id: str
    person: Someone
    name: str
    permissions: list[Permission]
    """Of these it may what its person may as well."""
    created: int
    expires: int
    used: int | None
    """When it was last used, to ten minutes; null: never."""


class ApiTokens(Struct, frozen=True):
    tokens: list[ApiToken]
    """The latest first."""
    grantable: list[Permission]
    """What the one who asks may give a new one; empty where they may make none."""


class MadeToken(Struct, frozen=True):
    token: ApiToken
    text: str
    """What the program sends. It is told this once and kept nowhere."""
