"""The talk about flags, what comes of it, and the focus of the next weeks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from monitord.api.wire.flags import FlagShown
from monitord.api.wire.never import PersonNamed
from monitord.domain.words import CommitmentState, ReviewPattern
from monitord.people.words import Cadence

_PLAIN = r"^[^\x00-\x09\x0b-\x1f\x7f]*\Z"
_LINE = r"^[^\x00-\x1f\x7f]*\Z"
FocusLabel = Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE)]
FlagId = Annotated[str, Meta(pattern=r"^[0-9a-f]{20}\Z")]


class FocusRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Which calls a focus is about: each label that is given must match, whatever its case."""

    result: FocusLabel | None = None
    """Result code."""
    campaign: FocusLabel | None = None
    list: FocusLabel | None = None
    theme: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    """Id; flags are compared by it where no label of a call is given."""


class FocusShown(Struct, frozen=True):
    """What somebody looks for in an agent's next calls."""

    id: str
    agent: PersonNamed
    by: PersonNamed
    rule: FocusRule
    says: str
    """What was agreed; empty where the agent's calls are looked at for no commitment."""
    begin: int
    end: int | None


class FocusWeek(Struct, frozen=True):
    begin: int
    """ms UTC."""
    good: int
    bad: int


class FocusCompared(Struct, frozen=True):
    """Flags that a focus is about, by week: some weeks before it began, and since."""

    focus: FocusShown
    weeks: list[FocusWeek]
    """The oldest first; the last one may still run."""
    end: int
    """Of the last one."""


class FocusList(Struct, frozen=True):
    rows: list[FocusShown]
    """Those that run, the first begun first."""


class CommitmentShown(Struct, frozen=True):
    id: str
    agent: PersonNamed
    by: PersonNamed
    text: str
    made: int
    state: CommitmentState
    settled: int | None
    settled_by: str | None
    """Name."""
    settled_why: str | None
    review: str | None


class CommitmentList(Struct, frozen=True):
    rows: list[CommitmentShown]
    """The latest first, 200 at most."""


class CommitmentSettled(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of it; ``open``: it is worked on again."""

    state: CommitmentState
    why: Annotated[str, Meta(max_length=500, pattern=_PLAIN)] = ""


class CommitmentNew(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]
    """The one observable thing that the agent will do."""
    focus: FocusRule | None = None
    """What to look for until the next talk."""


class ReviewNew(Struct, frozen=True, forbid_unknown_fields=True):
    id: FlagId
    """Made up by who begins it: what is sent again after a lost answer is begun once."""
    agent: Annotated[str, Meta(min_length=1, max_length=150)]
    pattern: ReviewPattern
    flags: Annotated[list[FlagId], Meta(min_length=1, max_length=10)]
    """In the order in which they are walked through."""


class ReviewEnd(Struct, frozen=True, forbid_unknown_fields=True):
    commitments: Annotated[list[CommitmentNew], Meta(max_length=2)]


class ReviewShown(Struct, frozen=True):
    id: str
    agent: PersonNamed
    by: PersonNamed
    pattern: ReviewPattern
    begun: int
    ended: int | None
    flags: list[FlagShown]
    """In the order in which they are walked through, without what was removed since."""
    agreed: list[CommitmentShown]
    mine: bool


class ReviewDue(Struct, frozen=True):
    """How one direct report stands."""

    agent: PersonNamed
    cadence: Cadence
    pattern: ReviewPattern
    chosen: bool
    """Somebody chose the pattern; else it goes by how long the agent is there."""
    new: bool
    """In their first 30 days."""
    open: int
    """Flags to be talked about."""
    last: int | None
    """When the last talk ended."""
    due: int | None
    """Until when to talk; null: there is nothing to talk about."""
    under_way: str | None
    """Id of a talk that whoever asks has begun."""
    commitments: int
    """That are open."""


class ReviewsDue(Struct, frozen=True):
    """Who is due first stands first."""

    at: int
    rows: list[ReviewDue]
    """500 at most."""
    more: int
    """How many are not given; ask for one leader's."""
    leaders: list[PersonNamed]
    """Whose direct reports can be asked for."""
    theme: str | None
    """Id of the theme of this week."""


class ReviewPlan(Struct, frozen=True):
    """What a talk with one agent can be about."""

    standing: ReviewDue
    flags: list[FlagShown]
    """That are open, the newest first, 100 at most."""
    chosen: list[str]
    """Ids that the pattern proposes, in order."""
    low: int
    high: int
    """How many flags a talk walks through."""
    theme: str | None
    """Id of the theme of this week."""
    commitments: list[CommitmentShown]
    """That are open."""
    focus: list[FocusShown]
    """That run."""


class PatternChosen(Struct, frozen=True, forbid_unknown_fields=True):
    pattern: ReviewPattern | None
    """Null: as usual, by how long the agent is there."""
