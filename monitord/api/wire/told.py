"""What agents are told, and the reasons that supervisors give."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from monitord.domain.views import Notice, Party
from monitord.domain.words import SpyType

# Line breaks may be in it.
ReasonText = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*\Z")
]


class Reason(Struct, frozen=True):
    """Why somebody did something, as they said."""

    act: Literal["supervision", "disconnect"]
    text: str
    by: str
    """Name of the person."""
    given: int
    changed: int | None
    """When it was last corrected; the versions before stand in the audit log."""


class ReasonGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the one who asks supervised."""

    text: ReasonText


class Question(Struct, frozen=True):
    """A supervision of one's own, whose reason is asked for and not given."""

    supervision: str
    agent: Party | None
    type: SpyType
    at_least: bool
    started: int
    ended: int | None


class Questions(Struct, frozen=True):
    """Newest first, 50 at most."""

    rows: list[Question]


class NoticePage(Struct, frozen=True):
    """What the agent who asks was told, newest first."""

    rows: list[Notice]
    next: str | None


class DisconnectTerms(Struct, frozen=True):
    """What a Disconnect User of this supervision takes."""

    reason: Literal["never", "asked", "required"]
