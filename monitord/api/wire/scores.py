"""Customers' scores of calls, and flags that were made when one was there already."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from monitord.api.wire.never import PersonNamed
from monitord.api.wire.sheet import SheetFault
from monitord.domain.words import ScoreSource

_NAME = r"^[^\x00-\x1f\x7f]*\Z"


class ScoreNew(Struct, frozen=True, forbid_unknown_fields=True):
    """A customer's score to be kept."""

    call: Annotated[str, Meta(min_length=1, max_length=150, pattern=_NAME)]
    """Internal id of the call, its Call ID, or any linkedid or uniqueid seen for it."""
    score: Annotated[str, Meta(min_length=1, max_length=20)] | int | float
    """On the site's scale, with at most two decimals."""
    at: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None
    """When the customer gave it, ms UTC; now where it is not given."""
    reference: Annotated[str, Meta(min_length=1, max_length=100, pattern=_NAME)] | None = None
    """By which the sender knows it again: what is sent twice under it is kept once."""


class ScoreShown(Struct, frozen=True):
    id: str
    score: float
    low: int
    high: int
    """The scale of then, both included; the higher, the more satisfied."""
    at: int
    received: int
    """When it came to monitord."""
    source: ScoreSource
    by: PersonNamed | None
    """Who sent it in; null where the PBX said it."""


class ScoreGiven(Struct, frozen=True):
    what: Literal["new", "newer", "waiting", "repeated"]
    """``newer``: the call had another one, which is kept. ``waiting``: no call of that name is
    known yet. ``repeated``: it was there already."""
    call: str | None
    """Internal id; null while it waits."""
    score: ScoreShown


class ScoreSettingsShown(Struct, frozen=True):
    low: int
    high: int
    waiting: int
    """Scores of which no call is known."""
    tied: int
    """Scores that belong to a call."""
    refused: int
    """What PBXs said since the start and is no score of the scale."""
    refused_why: str


class ScoreSettingsPut(Struct, frozen=True, forbid_unknown_fields=True):
    low: Annotated[int, Meta(ge=0, le=1000)]
    high: Annotated[int, Meta(ge=0, le=1000)]


class ScorePreview(Struct, frozen=True):
    """What a file would do; nothing is done."""

    token: str | None
    """With which exactly this file is imported; null where there is nothing to import."""
    new: int
    newer: int
    """Of calls that have another score, which is kept."""
    waiting: int
    """Of calls that are not known."""
    repeated: int
    """There already."""
    faults: list[SheetFault]
    """Lines that would be left out, and why."""
    more_faults: bool


class ScoreImport(Struct, frozen=True):
    """An import that runs or has ended."""

    id: str
    lines: int
    """That are imported."""
    done: int
    new: int
    newer: int
    waiting: int
    repeated: int
    state: Literal["running", "done", "failed"]
    why: str
    """Of a failure; what was done until then is kept, and the same file can be sent again."""


class ScoredCount(Struct, frozen=True):
    """Flags on calls that have a score."""

    scored: int
    after: int
    """Of these, made when the score had come."""


class ScoredOn(Struct, frozen=True):
    """Of one person."""

    who: PersonNamed
    weeks: list[ScoredCount]
    total: ScoredCount
    mostly_after: bool
    """(Nearly) all of them were made after the score."""


class FlagsAfterScores(Struct, frozen=True):
    at: int
    weeks: list[int]
    """When each began, the oldest first; the last one still runs."""
    judged_from: int
    """Flags below which nothing is said."""
    total: list[ScoredCount]
    """Of each week."""
    agents: list[ScoredOn]
    """By name; those with a flag on a call that has a score."""
    authors: list[ScoredOn]
    leaders: list[ScoredOn]
    """Of the flags on each leader's direct reports."""
