"""Flags: moments of calls that are worth talking about."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from monitord.api.wire.never import PersonNamed
from monitord.domain.views import Party
from monitord.domain.words import AnswerKind, FlagState, Polarity

# Line breaks may be in it.
_PLAIN = r"^[^\x00-\x09\x0b-\x1f\x7f]*\Z"
FlagComment = Annotated[str, Meta(min_length=1, max_length=2000, pattern=_PLAIN)]
FlagWanted = Annotated[str, Meta(max_length=500, pattern=_PLAIN)]
Vagueness = Literal["short", "judges", "no moment"]
FlagThemes = Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=5)]


class FlagNew(Struct, frozen=True, forbid_unknown_fields=True):
    """A flag to be made."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{20}\Z")]
    """Made up by who makes the flag: what is sent again after a lost answer is made once."""
    call: Annotated[str, Meta(min_length=1, max_length=150)]
    """Internal id of the call, its Call ID, or any linkedid or uniqueid seen for it."""
    polarity: Polarity
    comment: FlagComment
    wanted: FlagWanted = ""
    """What the agent should do another time."""
    themes: FlagThemes = []
    """Ids."""
    moment: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None
    """When it happened, ms UTC; within the call."""


class FlagEdit(Struct, frozen=True, forbid_unknown_fields=True):
    """What is not given stays."""

    polarity: Polarity | UnsetType = UNSET
    comment: FlagComment | UnsetType = UNSET
    wanted: FlagWanted | UnsetType = UNSET
    themes: FlagThemes | UnsetType = UNSET


class FlagTakenOff(Struct, frozen=True, forbid_unknown_fields=True):
    why: Annotated[str, Meta(max_length=300, pattern=_PLAIN)] = ""


class FlagAnswerGiven(Struct, frozen=True, forbid_unknown_fields=True):
    kind: AnswerKind
    text: Annotated[str, Meta(max_length=1000, pattern=_PLAIN)] = ""
    """May be empty where it only acknowledges."""


class FlagAnswerRow(Struct, frozen=True):
    kind: AnswerKind
    text: str
    at: int


class FlagVersion(Struct, frozen=True):
    """What it said before an edit."""

    polarity: Polarity
    comment: str
    wanted: str
    themes: list[str]
    until: int


class FlagShown(Struct, frozen=True):
    id: str
    pbx: str
    call: str
    call_id: str
    agent: Party
    by: PersonNamed
    polarity: Polarity
    comment: str
    wanted: str
    themes: list[str]
    moment: int | None
    """When it happened; null where nobody said."""
    offset_ms: int | None
    """The same from the start of the call."""
    state: FlagState
    made: int
    changed: int | None
    settled: int | None
    """When it was reviewed or taken off."""
    settled_by: str | None
    """Name."""
    settled_why: str | None
    visible: bool
    """The agent sees it."""
    shared: int | None
    """When it was shared with the agent's team."""
    vague: list[Vagueness]
    """Why somebody may not know later what this was about; empty where it says enough."""
    answers: list[FlagAnswerRow]
    after_score: bool | None
    """Whether the call's first score was there when it was made; null where it has none, and for
    who may not see scores."""
    mine: bool
    """Whoever asks made it, and may change it and take it off."""


class FlagPage(Struct, frozen=True):
    """Newest first."""

    rows: list[FlagShown]
    next: str | None


class FlagDetail(Struct, frozen=True):
    flag: FlagShown
    versions: list[FlagVersion]


class FlagLook(Struct, frozen=True, forbid_unknown_fields=True):
    comment: Annotated[str, Meta(max_length=2000)]
    moment: bool = False
    """One is pinned."""


class FlagVagueness(Struct, frozen=True):
    vague: list[Vagueness]


class FlagTheme(Struct, frozen=True):
    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}\Z")]
    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class FlagThemeWeek(Struct, frozen=True):
    """A week in which flags are about one thing."""

    monday: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
    """Its date."""
    theme: Annotated[str, Meta(max_length=40)]
    """Id."""


class FlagSettingsShown(Struct, frozen=True):
    visible: bool
    """Agents see the flags that are made from now on, and answer."""
    themes: list[FlagTheme]
    weeks: list[FlagThemeWeek]
    """In their order."""
    hidden: int
    """Open flags that were made while agents saw none; for whoever may set this, else 0."""


class FlagSettingsPut(Struct, frozen=True, forbid_unknown_fields=True):
    visible: bool
    themes: Annotated[list[FlagTheme], Meta(max_length=40)]
    weeks: Annotated[list[FlagThemeWeek], Meta(max_length=110)] | UnsetType = UNSET
    """Those that are not given stay."""
    earlier: bool = False
    """Also show agents the open flags that were made while they saw none; only with visible."""
