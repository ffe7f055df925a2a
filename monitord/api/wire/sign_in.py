"""Signing in, and how oneself does: passwords and one-time links."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from monitord.people.permissions import Permission


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    login: Annotated[str, Meta(min_length=1, max_length=128)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]


class Me(Struct, frozen=True):
    """Who is signed in."""

    id: str
    name: str
    permissions: list[Permission]


class Ways(Struct, frozen=True):
    """How one can sign in here."""

    provider: str | None
    """What the button to the site's own provider says; null where there is none."""


class Account(Struct, frozen=True):
    """How the one who asks signs in."""

    login: str | None
    has_password: bool
    by_provider: bool
    """Their account is tied to one at the site's own provider."""
    password_rules: str


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    old: Annotated[str, Meta(min_length=1, max_length=1024)]
    new: Annotated[str, Meta(min_length=1, max_length=1024)]


class LinkToken(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1, max_length=100)]


class LinkPurpose(Struct, frozen=True):
    """What a one-time link is for."""

    purpose: Literal["administrator", "password"]
    name: str | None
    """Whose password; null where it makes the first administrator."""
    login: str | None
    password_rules: str


class LinkUse(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1, max_length=100)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Of the first administrator, as the following; must be missing otherwise."""
    login: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class NewLink(Struct, frozen=True, forbid_unknown_fields=True):
    login: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """For somebody who has none yet."""


class MadeLink(Struct, frozen=True):
    path: str
    """Path and fragment of the link. It is told this once and kept nowhere."""
    expires: int
