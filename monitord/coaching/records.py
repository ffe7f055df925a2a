"""What is kept of talks."""

from __future__ import annotations

from msgspec import Struct

from monitord.coaching.rules import Rule
from monitord.domain.words import CommitmentState, ReviewPattern


class ReviewRow(Struct, frozen=True, kw_only=True):
    """One talk of a leader with one agent. ``ended`` is None while it is under way."""

    id: str
    agent_id: str
    agent_name: str
    by_id: str
    by_name: str
    pattern: ReviewPattern
    flags: tuple[str, ...]
    """Ids, in the order in which they are walked through."""
    begun: int
    ended: int | None = None


class CommitmentRow(Struct, frozen=True, kw_only=True):
    """The one observable thing that an agent agreed to do."""

    id: str
    agent_id: str
    agent_name: str
    by_id: str
    by_name: str
    review: str | None
    """The talk in which it was agreed."""
    text: str
    made: int
    state: CommitmentState = CommitmentState.OPEN
    settled: int | None = None
    settled_by_id: str | None = None
    settled_by_name: str | None = None
    settled_why: str | None = None


class FocusRow(Struct, frozen=True, kw_only=True):
    """What somebody looks for in an agent's next calls."""

    id: str
    commitment: str | None
    agent_id: str
    agent_name: str
    by_id: str
    by_name: str
    rule: Rule
    begin: int
    end: int | None = None


class Compared(Struct, frozen=True):
    """Flags that a focus is about, in one week."""

    good: int = 0
    bad: int = 0
