"""Rows of the ledgers, their pages, and what their filters can be set to."""

from __future__ import annotations

from msgspec import Struct

from monitord.api.wire.told import Reason
from monitord.domain.views import Party
from monitord.domain.words import AgentStatus, Direction, EndReason, Provenance, SpyType


class Segment(Struct, frozen=True):
    """Part of a supervision with one type and one call."""

    n: int
    type: SpyType
    at_least: bool
    type_provenance: Provenance
    call_id: str | None
    number: str | None
    campaign: str | None
    list: str | None
    result: str | None
    started: int
    ended: int | None
    length_ms: int | None


class SupervisionRow(Struct, frozen=True):
    """One row of the Coaching / Monitoring History."""

    id: str
    pbx: str
    supervisor: Party
    agent: Party | None
    type: SpyType
    """The strongest of its segments."""
    at_least: bool
    type_provenance: Provenance
    started: int
    started_exact: bool
    ended: int | None
    """Null while it runs."""
    ended_exact: bool
    ended_after: int | None
    """Where the end is not exact: it was still seen then, and ``ended`` is the latest it can be."""
    end_reason: EndReason | None
    ended_by: str | None
    length_ms: int | None
    waiting_ms: int
    means: str
    campaign: str | None
    """As it was then: of the last call under it."""
    call_id: str | None
    """Of the last call under it."""
    earlier_campaigns: list[str]
    """Of the calls before, where they were others."""
    reason: str | None
    """Why the supervisor supervised, as they said."""


class SupervisionPage(Struct, frozen=True):
    rows: list[SupervisionRow]
    next: str | None
    """Cursor of the following page, null at the end. Nothing is ever cut off."""


class SupervisionDetail(Struct, frozen=True):
    supervision: SupervisionRow
    segments: list[Segment]
    reasons: list[Reason]


class CallRow(Struct, frozen=True):
    """One call of the ledger."""

    id: str
    pbx: str
    call_id: str
    agent: Party | None
    direction: Direction
    number: str | None
    queue: str
    campaign: str | None
    list: str | None
    result: str | None
    started: int
    started_exact: bool
    answered: int | None
    ended: int | None
    ended_exact: bool
    end_reason: EndReason | None
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int | None
    length_ms: int | None


class CallPage(Struct, frozen=True):
    rows: list[CallRow]
    next: str | None


class StatusRow(Struct, frozen=True):
    """One interval of an agent's status."""

    id: str
    pbx: str
    agent: Party
    status: AgentStatus
    reason: str
    started: int
    started_exact: bool
    ended: int | None
    ended_exact: bool
    length_ms: int | None


class StatusPage(Struct, frozen=True):
    rows: list[StatusRow]
    next: str | None


class Gap(Struct, frozen=True):
    """A time in which the daemon could not see a PBX: what happened in it may be missing."""

    pbx: str
    started: int
    ended: int | None
    why: str


class GapPage(Struct, frozen=True):
    rows: list[Gap]
    next: str | None


class Count(Struct, frozen=True):
    """How many rows fit the filters."""

    rows: int
    exact: bool
    """False: there are more; it was counted no further."""


class Choice(Struct, frozen=True):
    """A value that a filter can be set to."""

    value: str
    name: str
    """As people know it; the value itself where it has no other name."""


class Choices(Struct, frozen=True):
    choices: list[Choice]
    """In the names' order."""
    more: bool
    """True: these are not all; type more of the name."""
